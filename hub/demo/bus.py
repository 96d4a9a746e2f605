"""The broker of this machine, where there is one that lets us: looked for, used under names of our own, and left as it was found."""

from __future__ import annotations

import socket
from contextlib import suppress

from amqp import Channel

from adapters.amqp import declare_topology
from adapters.attempt import Attempt
from adapters.broker import Broker
from adapters.egress import EgressPolicy
from adapters.link import BROKER_FAULTS, connect, end
from adapters.topology import Topology
from schemas.errors import HubError

USER = "guest"  # RabbitMQ's default user, which it lets in from loopback only
URL = f"amqp://{USER}:{USER}@127.0.0.1:5672/"
PLACE = "amqp://127.0.0.1:5672/"  # the same without the login
_GREETING = b"AMQP\x00\x00\x09\x01"  # AMQP 0-9-1 §2.2.4; a broker answers with a frame
_PATIENCE_S = 2.0


def is_usable(prefix: str, url: str = URL) -> bool:
    """Whether a broker answers on loopback and lets the default user make what `adapters.topology` describes; if so, it is there now."""
    broker = Broker.of(url)
    try:
        with socket.create_connection((broker.host, broker.port), _PATIENCE_S) as sock:
            sock.settimeout(_PATIENCE_S)
            sock.sendall(_GREETING)
            if sock.recv(1) != b"\x01":  # a method frame
                return False
        declare_topology(url, [USER], prefix=prefix)
    except (OSError, HubError):
        return False
    return True


def tidy(prefix: str) -> None:
    """Takes the demo's exchanges and queues away again. A broker that has gone meanwhile keeps them."""
    names = Topology(USER, prefix)
    with suppress(*BROKER_FAULTS), Attempt(10.0):
        connection = connect(Broker.of(URL), EgressPolicy(), 5.0, channels=Channel)
        try:
            channel = connection.channel()
            for queue in (names.out_queue, names.reply_queue, names.in_queue):
                channel.queue_delete(queue)
            for exchange in (names.out_exchange, names.reply_exchange, names.in_exchange):
                channel.exchange_delete(exchange)
        finally:
            end(connection)
