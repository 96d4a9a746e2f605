"""A connection to a broker, by py-amqp: over the egress policy, under the `Attempt` under way, and never retried behind our back."""

from __future__ import annotations

import select
import struct
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import Any

import structlog
from amqp import Connection
from amqp.exceptions import AMQPError, MessageNacked
from amqp.method_framing import frame_handler
from amqp.serialization import decode_properties_basic

from adapters.attempt import Attempt, current
from adapters.broker import Broker
from adapters.egress import EgressPolicy

_PERSISTENT = 2
_HEADER_FRAME = 2  # AMQP 0-9-1 §4.2.3; what stands before the properties is 12 octets long (§4.2.6.1)
_HEADER_OCTETS = 12
_NO_PROPERTIES = b"\x00\x00"
_log = structlog.get_logger(__name__)

# What py-amqp raises when a broker vanishes or speaks nonsense; it does not wrap the last five.
BROKER_FAULTS = (AMQPError, MessageNacked, OSError, struct.error, ValueError, TypeError, AttributeError, LookupError)

_UNREADABLE = (*BROKER_FAULTS, ArithmeticError, RecursionError)  # a time in the year 10^11, ten thousand tables in one another


class _Connection(Connection):  # type: ignore[misc]  # py-amqp has no types
    """py-amqp's connection over a socket that the egress policy gave and the attempt under way watches."""

    def __init__(self, egress: EgressPolicy, **options: Any) -> None:
        super().__init__(**options)
        self._egress = egress

    def Transport(self, host: str, connect_timeout: float, *more: Any, **options: Any) -> Any:  # py-amqp's name for it
        transport = super().Transport(host, connect_timeout, *more, **options)
        transport._connect = partial(self._dial, transport)
        return transport

    def _dial(self, transport: Any, host: str, port: int, timeout: float) -> None:
        transport.sock = self._egress.connect(host, port, timeout_s=min(timeout, current().remaining_s()))
        current().watch(transport.sock)


def connect(broker: Broker, egress: EgressPolicy, connect_timeout_s: float, *, channels: type, heartbeat_s: int = 0) -> Any:
    """An open connection whose channels are of the class `channels`. Raises one of `BROKER_FAULTS`, or `EgressDenied`."""
    tls = {"server_hostname": broker.host, "context": {"check_hostname": True, "cafile": broker.ca_file or None}}
    connection = _Connection(
        egress,
        host=f"[{broker.host}]:{broker.port}" if ":" in broker.host else f"{broker.host}:{broker.port}",
        userid=broker.user,
        password=broker.password,
        login_method="PLAIN",
        virtual_host=broker.vhost,
        ssl=tls if broker.tls else False,
        connect_timeout=connect_timeout_s,
        heartbeat=heartbeat_s,
        frame_handler=_frames,
        confirm_publish=True,
    )
    connection.Channel = channels
    try:
        connection.connect()
    except BROKER_FAULTS:
        connection.collect()
        raise
    return connection


def _frames(connection: Any, arrived: Callable[..., Any]) -> Callable[[tuple[int, int, bytes]], bool]:
    """py-amqp's reader of frames; but a message whose properties it cannot read arrives, without any.

    It would end the connection otherwise, and the broker would bring the message back on the next one, again and again.
    """
    read: Callable[[tuple[int, int, bytes]], bool] = frame_handler(connection, arrived)

    def on_frame(frame: tuple[int, int, bytes]) -> bool:
        kind, channel, octets = frame
        if kind == _HEADER_FRAME:
            try:
                decode_properties_basic(octets, _HEADER_OCTETS)
            except _UNREADABLE as fault:
                _log.warning("a message came with properties that cannot be read", fault=type(fault).__name__)
                frame = kind, channel, bytes(octets[:_HEADER_OCTETS]) + _NO_PROPERTIES
        return read(frame)

    return on_frame


def open_channel(connection: Any) -> Any:
    """A channel in confirm mode whose bodies are bytes."""
    channel = connection.channel()
    channel.auto_decode = False  # py-amqp would turn bodies into text by content_encoding; received bytes are evidence
    return channel


def publish(
    channel: Any, body: bytes, exchange: str, routing_key: str, *, headers: Mapping[str, str], content_type: str, **properties: str
) -> None:
    """Returns when the broker has it in a queue on disk. Raises one of `BROKER_FAULTS`."""
    message = channel.prepare_message(
        body, content_type=content_type, headers=dict(headers), properties={"delivery_mode": _PERSISTENT, **properties}
    )
    channel.basic_publish(message, exchange=exchange, routing_key=routing_key, mandatory=True)


def end(connection: Any) -> None:
    """Close politely within a second, else drop it."""
    with suppress(*BROKER_FAULTS), Attempt(1.0) as attempt:
        if connection.connected:
            attempt.watch(connection.sock)
            connection.close()
    connection.collect()


def is_alive(connection: Any) -> bool:
    """Whether a kept connection has nothing to say: a broker speaks unasked only to say goodbye."""
    if not connection.connected:
        return False
    readable, _, _ = select.select([connection.sock], [], [], 0)
    return not readable
