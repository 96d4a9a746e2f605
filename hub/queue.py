"""The queue of pointers: one queue per system, so that a slow one holds up nobody else's. Carries delivery ids and nothing else.

Embedded, the queues live in this process (kombu's memory transport); with `broker_url` they live in RabbitMQ, with the same code:
quorum queues, publisher confirms, manual acknowledgement. Losing them loses nothing: the deliveries table is the truth, and what is
due is published again (ADR 0002).

A `PointerQueue` belongs to the thread that made it: neither kombu channels nor their acknowledgements may cross threads.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from kombu import Connection, Consumer, Exchange, Queue
from kombu.exceptions import OperationalError

from hub.outbox import Pointer
from schemas.errors import TryLater

CONFIRM_S = 10  # a broker that does not confirm in this time is treated as gone
HEARTBEAT_S = 20
_DEFAULT_EXCHANGE = Exchange("")

Received = Callable[[Pointer, Callable[[], None]], None]
"""What a consumer is called with: the pointer and its acknowledgement, to be called in the queue's own thread."""


@dataclass
class PointerQueue:
    """One connection to the broker. `namespace` keeps hubs (and tests) apart that share a broker or a process."""

    url: str  # "" = in this process
    namespace: str
    _connection: Any = field(default=None, init=False, repr=False)
    _producer: Any = field(default=None, init=False, repr=False)
    _declared: set[str] = field(default_factory=set, init=False, repr=False)
    _consumers: list[Any] = field(default_factory=list, init=False, repr=False)

    def connect(self) -> None:
        """Opens the connection now. Raises `TryLater("broker-unavailable")`."""
        try:
            self._connect()
        except self._broken() as fault:
            self.close()
            raise TryLater("broker-unavailable", got=type(fault).__name__) from fault

    def publish(self, pointers: Iterable[Pointer]) -> None:
        """Hands the pointers to the broker and waits for its confirmation. Raises `TryLater("broker-unavailable")`."""
        try:
            self._beat()
            producer = self._ready_producer()
            for pointer in pointers:
                queue = self._queue(pointer.system)
                producer.publish(
                    str(pointer.delivery_id),
                    routing_key=queue.name,
                    exchange="",
                    serializer="raw",
                    content_type="text/plain",
                    content_encoding="utf-8",
                    declare=self._undeclared(queue),
                    delivery_mode=2,
                    **({"confirm_timeout": CONFIRM_S} if self.url else {}),
                )
        except self._broken() as fault:
            self.close()
            raise TryLater("broker-unavailable", got=type(fault).__name__) from fault

    def consume(self, systems: Iterable[str], prefetch: Callable[[str], int], received: Received) -> None:
        """From now on `wait` calls `received` for each pointer of these systems, at most `prefetch(system)` unacknowledged ones."""
        try:
            for system in systems:
                channel = self._connect().channel()
                channel.basic_qos(0, prefetch(system), False)
                consumer = Consumer(channel, [self._queue(system)], on_message=_adapted(system, received), accept=None)
                consumer.consume()
                self._consumers.append(consumer)
        except self._broken() as fault:
            self.close()
            raise TryLater("broker-unavailable", got=type(fault).__name__) from fault

    def wait(self, timeout_s: float) -> None:
        """Takes in what has come, for at most `timeout_s`. Raises `TryLater("broker-unavailable")`."""
        try:
            self._beat()
            self._connect().drain_events(timeout=timeout_s)
        except TimeoutError:
            return
        except self._broken() as fault:
            self.close()
            raise TryLater("broker-unavailable", got=type(fault).__name__) from fault

    def acknowledge(self, acknowledgement: Callable[[], None]) -> None:
        """Calls one of the acknowledgements that `received` was given. Raises `TryLater("broker-unavailable")`."""
        try:
            acknowledgement()
        except self._broken() as fault:
            self.close()
            raise TryLater("broker-unavailable", got=type(fault).__name__) from fault

    def close(self) -> None:
        """Gives the connection back; the next call opens a new one."""
        connection, self._connection, self._producer = self._connection, None, None
        self._declared.clear()
        self._consumers.clear()
        if connection is not None:
            try:
                connection.release()
            except (OSError, OperationalError):
                return

    def _connect(self) -> Any:
        if self._connection is None:
            options = {"confirm_publish": True} if self.url else {"polling_interval": 0.01}
            self._connection = Connection(
                self.url or "memory://", transport_options=options, connect_timeout=5, heartbeat=HEARTBEAT_S if self.url else 0
            )
            self._connection.ensure_connection(max_retries=1, interval_start=0, timeout=5)
        return self._connection

    def _beat(self) -> None:
        """Half-open connections are found by heartbeats, and those are sent only if somebody asks (kombu does nothing by itself)."""
        connection = self._connect()
        if self.url and connection.supports_heartbeats:
            connection.heartbeat_check()

    def _ready_producer(self) -> Any:
        if self._producer is None:
            self._producer = self._connect().Producer()
        return self._producer

    def _queue(self, system: str) -> Any:
        name = f"{self.namespace}.deliver.{system}"
        arguments = {"x-queue-type": "quorum"} if self.url.startswith("amqp") else None
        return Queue(name, exchange=_DEFAULT_EXCHANGE, routing_key=name, durable=True, queue_arguments=arguments)

    def _undeclared(self, queue: Any) -> list[Any]:
        if queue.name in self._declared:
            return []
        self._declared.add(queue.name)
        return [queue]

    def _broken(self) -> tuple[type[BaseException], ...]:
        known = (OperationalError, ConnectionError, socket.gaierror)
        if self._connection is None:
            return known
        return (*known, *self._connection.connection_errors, *self._connection.channel_errors)


def _adapted(system: str, received: Received) -> Callable[[Any], None]:
    def on_message(message: Any) -> None:
        try:
            pointer = Pointer(system, UUID(message.payload if isinstance(message.payload, str) else bytes(message.body).decode("ascii")))
        except ValueError:
            message.reject()  # not one of ours; nothing is lost, deliveries are in the database
            return
        received(pointer, message.ack)

    return on_message
