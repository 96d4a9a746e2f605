"""AMQP 0-9-1, both ways: delivering parcels to a broker, and collecting packets that agencies publish.

Delivering: persistent, mandatory, confirmed. The broker's confirmation means that the packet lies in a queue on its disk; the agency
takes it from there. ``message_id`` is the parcel's key, by which the agency recognises a repetition.

Collecting: take a message, have it judged and recorded (`adapters.packets`), publish receipt or refusal, confirmed, and only then
acknowledge. A crash in between brings the message again, and the hub gives its first receipt again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from ipaddress import ip_network
from math import inf
from queue import Empty, LifoQueue
from time import monotonic
from typing import Any

import structlog
from amqp.exceptions import AMQPError, ChannelError, MessageNacked
from kombu.entity import Exchange, Queue
from kombu.transport.pyamqp import Channel

from adapters.attempt import Attempt
from adapters.broker import Broker
from adapters.contract import AgencyInDoubt, AgencyRefused, AgencyUnavailable, Idempotency, Take
from adapters.egress import EgressPolicy
from adapters.held import Desk, Held
from adapters.link import BROKER_FAULTS, connect, end, is_alive, open_channel, publish
from adapters.outcome import ambiguous, refused, unavailable
from adapters.packets import Published, Reply, answer_to
from adapters.supervise import Supervised
from adapters.topology import Topology
from schemas.errors import HubError, shown
from schemas.limits import DEFAULT_LIMITS, Limits
from schemas.message import Accepted, Parcel, rfc3339

_REFUSING = {311, 403, 406}  # content-too-large, access-refused, precondition-failed (AMQP 0-9-1 §1.2): a no to this message
_NOT_THERE = {312, 313, 404}  # no-route, no-consumers, not-found: it lies nowhere
_HEARTBEAT_S = 30
_POLL_S = 0.5
_SHORTEST_POLL_S = 0.01

_OWN_BROKER = EgressPolicy(allowed=(ip_network("0.0.0.0/0"), ip_network("::/0")))  # the hub's own settings name it, not a profile
_queue: Any = Queue  # kombu has no types
_exchange: Any = Exchange
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class AmqpAdapter:
    """One agency's inbound exchange at one broker. Times in seconds."""

    broker: Broker
    exchange: str
    routing_key: str = ""
    idempotency: Idempotency = Idempotency.KEY
    timeout_s: float = 60.0
    connect_timeout_s: float = 10.0
    egress: EgressPolicy = field(default_factory=EgressPolicy)
    _idle: LifoQueue[tuple[Any, Any]] = field(default_factory=LifoQueue, init=False, repr=False)

    def deliver(self, parcel: Parcel) -> Accepted:
        """See `adapters.contract.Adapter`; also raises `EgressDenied`. A returned (unroutable) or nacked message is unavailable."""
        with Attempt(self.timeout_s) as attempt:
            connection, channel = self._open(attempt)
            try:
                attempt.sent = True
                publish(channel, parcel.body, self.exchange, self.routing_key, **_properties(parcel))
            except BROKER_FAULTS as fault:
                connection.collect()
                raise self._judged(fault, attempt) from fault
        if self.idempotency is Idempotency.KEY:
            self._idle.put((connection, channel))
        else:
            end(connection)  # a kept connection that dies unnoticed would leave the next parcel in doubt
        return Accepted("", f"{self.broker.place} {self.exchange} confirmed")

    def close(self) -> None:
        """Give back connections."""
        with suppress(Empty):
            while True:
                end(self._idle.get_nowait()[0])

    def _open(self, attempt: Attempt) -> tuple[Any, Any]:
        with suppress(Empty):
            while True:
                connection, channel = self._idle.get_nowait()
                if is_alive(connection):
                    attempt.watch(connection.sock)
                    return connection, channel
                connection.collect()
        try:
            connection = connect(self.broker, self.egress, min(self.connect_timeout_s, attempt.remaining_s()), channels=Channel)
            return connection, open_channel(connection)
        except BROKER_FAULTS as fault:
            raise unavailable(f"{self.broker.place}: {type(fault).__name__}: {fault}") from fault

    def _judged(self, fault: Exception, attempt: Attempt) -> AgencyUnavailable | AgencyRefused | AgencyInDoubt:
        text = f"{self.broker.place} {self.exchange}: {type(fault).__name__}: {fault}"
        if isinstance(fault, MessageNacked):
            return unavailable(text)
        if isinstance(fault, ChannelError) and fault.reply_code in _NOT_THERE:
            return unavailable(text)
        if isinstance(fault, ChannelError) and fault.reply_code in _REFUSING:
            return refused(text)
        return ambiguous(self.idempotency, f"{text}; no confirmation in time" if attempt.expired else text)


def _properties(parcel: Parcel) -> dict[str, Any]:
    return {
        "message_id": parcel.key,
        "content_type": parcel.content_type,
        "headers": {
            "x-lgsp-message-id": str(parcel.message_id),
            "x-lgsp-document-id": parcel.document_id,
            "x-lgsp-kind": str(parcel.kind),
            **({"x-lgsp-legal-value": parcel.legal_value} if parcel.legal_value else {}),
            **({"x-lgsp-verification": parcel.verification} if parcel.verification else {}),
        },
    }


def declare_topology(url: str, users: Iterable[str], *, prefix: str = "agency", queue_type: str = "quorum") -> None:
    """Declare what `adapters.topology` describes, as the user of `url`; repeating it is harmless. At deploy time, not at first use.

    `queue_type` is ``quorum`` (replicated, for production) or ``classic``. Raises `HubError` where the broker does not let it.
    """
    broker = Broker.of(url)
    try:
        with Attempt(30.0):
            connection = connect(broker, _OWN_BROKER, 10.0, channels=Channel)
            try:
                for user in users:
                    _declare(connection, Topology(user, prefix), queue_type)
            finally:
                end(connection)
    except BROKER_FAULTS as fault:
        raise unavailable(f"{broker.place}: {fault}") from fault


def _declare(connection: Any, names: Topology, queue_type: str) -> None:
    channel = connection.channel()
    for exchange, queue, key in (
        (names.out_exchange, names.out_queue, ""),
        (names.reply_exchange, names.reply_queue, names.reply_queue),
        (names.in_exchange, names.in_queue, ""),
    ):
        arguments: dict[str, Any] = {"x-queue-type": queue_type}
        if queue == names.out_queue:
            arguments["x-single-active-consumer"] = True  # one hub process at a time, so the order of an agency's packets is kept
        bound = _exchange(exchange, type="direct", durable=True)
        _queue(queue, bound, routing_key=key, durable=True, queue_arguments=arguments)(channel).declare()
    channel.close()


class AmqpCollector:
    """Collects what agency users publish, between `start` and `stop`. Each user's queue is read by one thread, in order.

    `take` is the hub's ingress; `clock` gives aware times. `declare` creates the topology on connecting; switch it off where the hub's
    broker user may not. While the hub cannot take a packet (RETRY, HALT) it is held unacknowledged and tried again; other users' packets
    go on meanwhile. A packet at which the hub halts while it goes on taking others is given up, with an answer (`adapters.held`).
    """

    def __init__(
        self,
        url: str,
        users: Sequence[str],
        take: Take,
        *,
        clock: Callable[[], datetime],
        prefix: str = "agency",
        limits: Limits = DEFAULT_LIMITS,
        threads: int = 2,
        retry_delay_s: float = 2.0,
        declare: bool = True,
        queue_type: str = "quorum",
    ) -> None:
        self._broker = Broker.of(url)
        names = [Topology(user, prefix) for user in users]
        self._clock = clock
        self._desk = Desk(partial(answer_to, take=take, clock=clock, limits=limits), retry_delay_s)
        self._queue_type = queue_type if declare else ""
        shares = [share for n in range(threads) if (share := names[n::threads])]
        self._threads = Supervised([partial(self._run, share) for share in shares], name="collect", expected=(AMQPError, OSError, HubError))
        self._connected: set[str] = set()  # by a share's first user
        self._last_message_at = ""

    def start(self) -> None:
        """Returns at once; a broker that is down is tried again until it answers."""
        self._threads.start()

    def stop(self) -> None:
        """Finishes the message at hand and returns when nothing more is collected."""
        self._threads.stop()

    def health(self) -> dict[str, Any]:
        """For the hub's own: ``collecting`` (every thread runs and is connected), ``threads``, ``alive``, ``connected``,
        ``last_message_at`` (RFC 3339, "" for none yet) and ``held`` (user → code for which a packet waits).
        """
        threads, alive, connected = len(self._threads), self._threads.alive, len(self._connected)
        return {
            "collecting": alive == connected == threads,
            "threads": threads,
            "alive": alive,
            "connected": connected,
            "last_message_at": self._last_message_at,
            "held": self._desk.held(),
        }

    def _run(self, share: list[Topology]) -> None:
        """One session with the broker."""
        with Attempt(_HEARTBEAT_S):
            connection = connect(self._broker, _OWN_BROKER, 10.0, channels=Channel, heartbeat_s=_HEARTBEAT_S)
        waiting: dict[str, Held] = {}  # one of each user at the most: prefetch is 1
        try:
            self._consume(connection, share, waiting)
        finally:
            self._connected.discard(share[0].user)
            self._desk.forget(waiting.values())
            end(connection)

    def _consume(self, connection: Any, share: list[Topology], waiting: dict[str, Held]) -> None:
        channel = open_channel(connection)
        channel.basic_qos(0, 1, False)
        for names in share:
            if self._queue_type:
                _declare(connection, names, self._queue_type)
            channel.basic_consume(names.out_queue, callback=partial(self._arrived, waiting, names))
        self._connected.add(share[0].user)
        while not self._threads.stopping.is_set():
            for one in [held for held in waiting.values() if held.due <= monotonic()]:
                if not self._threads.stopping.is_set():
                    self._settle(connection, channel, waiting, one)
            soonest = min((held.due for held in waiting.values()), default=inf) - monotonic()
            with suppress(TimeoutError):
                connection.drain_events(timeout=min(_POLL_S, max(soonest, _SHORTEST_POLL_S)))
            connection.heartbeat_tick()

    def _arrived(self, waiting: dict[str, Held], names: Topology, message: Any) -> None:
        self._last_message_at = rfc3339(self._clock())
        waiting[names.user] = Held(names, Published.of(message.body, message.properties), message.delivery_tag)

    def _settle(self, connection: Any, channel: Any, waiting: dict[str, Held], one: Held) -> None:
        reply = self._desk.answer(one)
        if reply is not None:
            _send_reply(connection, one.names, one.published, reply)
            channel.basic_ack(one.tag)
            del waiting[one.names.user]


def _send_reply(connection: Any, names: Topology, published: Published, reply: Reply) -> None:
    """To `reply_to` where it is the user's own and leads somewhere, else to the user's standing reply queue.

    An answer that neither takes is lost, as both are the user's own to keep; it may send again and gets the same receipt.
    """
    for key in dict.fromkeys((names.reply_key(published.reply_to), names.reply_queue)):
        channel = open_channel(connection)  # its own: an unroutable answer must not disturb the one that consumes
        try:
            publish(
                channel,
                reply.body,
                names.reply_exchange,
                key,
                headers={"x-lgsp-outcome": "refused" if reply.code else "accepted", "x-lgsp-code": reply.code},
                content_type=reply.content_type,
                correlation_id=reply.correlation_id,
            )
            return
        except (ChannelError, MessageNacked) as fault:
            _log.warning("an answer found no queue", user=names.user, key=shown(key), fault=f"{type(fault).__name__}: {shown(fault)}")
        finally:
            with suppress(ChannelError):
                channel.close()
