"""The broker side of the line-of-business system, with py-amqp alone: what an agency's own software would do."""

from __future__ import annotations

import hashlib
import json
import threading
from contextlib import suppress
from time import monotonic
from typing import Any

import amqp
from amqp.exceptions import AMQPError

from adapters.broker import Broker
from adapters.systems.client import HubAnswer
from adapters.systems.face import Desk, Mode
from adapters.topology import Topology
from schemas.errors import TryLater

_POLL_S = 0.05
_RECONNECT_S = 0.5
_ANSWER_S = 30.0


def _open(broker: Broker) -> Any:
    connection = amqp.Connection(
        f"{broker.host}:{broker.port}", userid=broker.user, password=broker.password, virtual_host=broker.vhost, confirm_publish=True
    )
    connection.connect()
    channel = connection.channel()
    channel.auto_decode = False
    return channel


class Inbound:
    """Takes deliveries from the system's queue while its mode is `UP`; acknowledges only what is in the book."""

    def __init__(self, broker: Broker, names: Topology, desk: Desk) -> None:
        self._broker = broker
        self._names = names
        self._desk = desk

    def start(self) -> None:
        """Returns at once."""
        threading.Thread(target=self._run, name="inbound", daemon=True).start()

    def _run(self) -> None:
        while not self._desk.stopped.is_set():
            with suppress(AMQPError, OSError):
                channel = _open(self._broker)
                try:
                    self._consume(channel)
                finally:
                    with suppress(AMQPError, OSError):
                        channel.connection.close()
            self._desk.stopped.wait(_RECONNECT_S)

    def _consume(self, channel: Any) -> None:
        while not self._desk.stopped.is_set():
            mode = self._desk.mode
            message = channel.basic_get(self._names.in_queue) if mode in (Mode.UP, Mode.LOST) else None
            if message is None:
                self._desk.stopped.wait(_POLL_S)
                continue
            headers = message.properties.get("application_headers") or {}
            self._desk.take(
                str(message.properties.get("message_id", "")),
                message.body,
                message_id=str(headers.get("x-lgsp-message-id", "")),
                document_id=str(headers.get("x-lgsp-document-id", "")),
                kind=str(headers.get("x-lgsp-kind", "")),
            )
            if mode is Mode.LOST:
                return  # unacknowledged: the broker brings it again
            channel.basic_ack(message.delivery_tag)


class Outbound:
    """Hands packets to the hub through the broker and waits for its receipt or refusal."""

    def __init__(self, broker: Broker, names: Topology) -> None:
        self._broker = broker
        self._names = names
        self._lock = threading.Lock()  # one question at a time, so that every answer belongs to it

    def send(self, packet: bytes, idempotency_key: str = "") -> HubAnswer:
        """Status 201 with the receipt, or the refusal's own. Raises `TryLater` where broker or hub do not answer."""
        mark = idempotency_key or hashlib.sha256(packet).hexdigest()
        try:
            with self._lock:
                channel = _open(self._broker)
                try:
                    self._publish(channel, packet, idempotency_key, mark)
                    return self._answer(channel, mark)
                finally:
                    channel.connection.close()
        except (AMQPError, OSError) as fault:
            raise TryLater("agency-unavailable", got=f"{self._broker.place}: {type(fault).__name__}") from fault

    def _publish(self, channel: Any, packet: bytes, key: str, mark: str) -> None:
        message = amqp.Message(
            packet,
            delivery_mode=2,
            content_type="application/xml",
            user_id=self._broker.user,
            correlation_id=mark,
            reply_to=self._names.reply_queue,
            **({"message_id": key} if key else {}),
        )
        channel.basic_publish(message, exchange=self._names.out_exchange, routing_key="", mandatory=True)

    def _answer(self, channel: Any, mark: str) -> HubAnswer:
        end, pause = monotonic() + _ANSWER_S, threading.Event()
        while monotonic() < end:
            message = channel.basic_get(self._names.reply_queue, no_ack=True)
            if message is None:
                pause.wait(_POLL_S)
            elif message.properties.get("correlation_id") == mark:
                refused = message.properties.get("content_type") == "application/problem+json"
                return HubAnswer(int(json.loads(message.body).get("status", 400)) if refused else 201, message.body)
        raise TryLater("agency-unavailable", got="no receipt and no refusal in time")
