"""AMQP both ways against a real broker: confirmed or not, routed or not, and what an agency's user may and may not do."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from time import monotonic, sleep
from typing import Any

import amqp
import pytest

from adapters.amqp import AmqpAdapter, AmqpCollector, declare_topology
from adapters.broker import Broker
from adapters.contract import AgencyInDoubt, AgencyRefused, AgencyUnavailable, Idempotency
from adapters.egress import EgressDenied, EgressPolicy
from adapters.hostile import HostileServer
from adapters.topology import Topology, broker_commands
from schemas.errors import Halted, HubError, Refused, TryLater
from schemas.limits import DEFAULT_LIMITS, Limits
from schemas.message import Inbound
from tests.adapters.parcels import parcel
from tests.ports import closed_port

pytestmark = pytest.mark.rabbitmq
AT = datetime(2026, 11, 21, 3, 4, 5, tzinfo=UTC)
Connect = Callable[..., Any]


def adapter_for(url: str, exchange: str, **settings: Any) -> AmqpAdapter:
    return AmqpAdapter(Broker.of(url), exchange, **{"timeout_s": 5.0, **settings})


def wait_for(what: Callable[[], Any], seconds: float = 60.0) -> Any:
    end = monotonic() + seconds
    while not (found := what()):
        assert monotonic() < end, "nothing came in time"
        sleep(0.02)
    return found


def fetch(channel: Any, queue: str) -> Any:
    channel.auto_decode = False
    return wait_for(lambda: channel.basic_get(queue, no_ack=True))


def test_a_parcel_lies_in_the_agencys_queue_unchanged_with_its_marks(broker: str, prefix: str, connect: Connect) -> None:
    names = Topology("guest", prefix)
    declare_topology(broker, ["guest"], prefix=prefix, queue_type="classic")
    adapter = adapter_for(broker, names.in_exchange)
    body = "﻿<edXML>Quyết định của Uỷ ban</edXML>\r\n".encode("utf-16")
    for key in ("k1", "k2"):
        adapter.deliver(replace(parcel(key, body), legal_value="pending", verification="pending" if key == "k2" else ""))
    adapter.close()
    channel = connect().channel()
    first, second = fetch(channel, names.in_queue), fetch(channel, names.in_queue)
    assert first.body == second.body == body
    assert (first.properties["message_id"], second.properties["message_id"]) == ("k1", "k2")
    assert first.properties["delivery_mode"] == 2
    assert first.properties["content_type"] == "application/xml"
    told = [one.properties["application_headers"] for one in (first, second)]
    assert told[0]["x-lgsp-document-id"] == parcel().document_id
    assert [(one["x-lgsp-legal-value"], one.get("x-lgsp-verification", "")) for one in told] == [("pending", ""), ("pending", "pending")]


def _full_queue(prefix: str, channel: Any) -> str:
    name = Topology("guest", prefix).in_exchange
    channel.exchange_declare(name, "direct", durable=True, auto_delete=False)
    channel.queue_declare(name, durable=True, auto_delete=False, arguments={"x-max-length": 0, "x-overflow": "reject-publish"})
    channel.queue_bind(name, name)
    return name


@pytest.mark.parametrize("idempotency", [Idempotency.KEY, Idempotency.NONE])
class TestOutcomes:
    def test_an_exchange_that_leads_nowhere_is_unavailable(
        self, broker: str, prefix: str, connect: Connect, idempotency: Idempotency
    ) -> None:
        names = Topology("guest", prefix)
        connect().channel().exchange_declare(names.in_exchange, "direct", durable=True, auto_delete=False)
        with pytest.raises(AgencyUnavailable, match="NO_ROUTE"):
            adapter_for(broker, names.in_exchange, idempotency=idempotency).deliver(parcel())

    def test_a_missing_exchange_is_unavailable(self, broker: str, prefix: str, idempotency: Idempotency) -> None:
        with pytest.raises(AgencyUnavailable, match="no exchange"):
            adapter_for(broker, f"{prefix}.nowhere", idempotency=idempotency).deliver(parcel())

    def test_a_queue_that_rejects_is_unavailable(self, broker: str, prefix: str, connect: Connect, idempotency: Idempotency) -> None:
        exchange = _full_queue(prefix, connect().channel())
        with pytest.raises(AgencyUnavailable, match="Nacked"):
            adapter_for(broker, exchange, idempotency=idempotency).deliver(parcel())

    def test_a_wrong_password_is_unavailable_and_is_not_repeated(self, broker: str, prefix: str, idempotency: Idempotency) -> None:
        wrong = AmqpAdapter(Broker.of(broker, password="wr0ng-s3cret"), "x", idempotency=idempotency, timeout_s=5.0)
        with pytest.raises(AgencyUnavailable) as caught:
            wrong.deliver(parcel())
        assert "wr0ng-s3cret" not in str(caught.value) + repr(wrong)

    def test_nobody_listening_is_unavailable(self, broker: str, idempotency: Idempotency) -> None:
        with pytest.raises(AgencyUnavailable):
            adapter_for(f"amqp://a:b@127.0.0.1:{closed_port()}/", "x", idempotency=idempotency).deliver(parcel())


@pytest.mark.parametrize(
    "behaviour", ["silent", "never reads", "trickled status line", "binary garbage", "not http", "closes before answering"]
)
def test_a_hostile_broker_is_met_in_time_and_nothing_was_sent(behaviour: str) -> None:
    with HostileServer(behaviour) as server:
        adapter = adapter_for(f"amqp://a:b@127.0.0.1:{server.port}/", "x", timeout_s=1.0, idempotency=Idempotency.NONE)
        started = monotonic()
        with pytest.raises(AgencyUnavailable):
            adapter.deliver(parcel())
        assert monotonic() - started < 30


def test_a_forbidden_broker_is_never_connected_to(broker: str) -> None:
    with pytest.raises(EgressDenied):
        AmqpAdapter(Broker.of(broker), "x", egress=EgressPolicy(allowed=())).deliver(parcel())


@contextmanager
def a_broker_that_dies_after_the_publish(real: int) -> Iterator[int]:
    """Passes bytes to the real broker until the packet's body has gone by, then closes both sides: no confirmation comes."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        near, _ = listener.accept()
        far = socket.create_connection(("127.0.0.1", real))

        def back() -> None:
            with suppress(OSError):
                while data := far.recv(65_536):
                    near.sendall(data)

        answering = threading.Thread(target=back, daemon=True)
        answering.start()
        with near:
            while data := near.recv(65_536):
                if b"<edXML/>" in data:
                    break
                far.sendall(data)
            far.shutdown(socket.SHUT_RDWR)
            answering.join(5)
            far.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield int(listener.getsockname()[1])
    thread.join(5)
    listener.close()


@pytest.mark.parametrize(("idempotency", "expected"), [(Idempotency.KEY, AgencyUnavailable), (Idempotency.NONE, AgencyInDoubt)])
def test_a_connection_lost_before_the_confirmation_is_judged_by_idempotency(
    broker: str, prefix: str, idempotency: Idempotency, expected: type[HubError]
) -> None:
    declare_topology(broker, ["guest"], prefix=prefix, queue_type="classic")
    with a_broker_that_dies_after_the_publish(5672) as port, pytest.raises(expected):
        url = f"amqp://guest:guest@127.0.0.1:{port}//"
        adapter_for(url, Topology("guest", prefix).in_exchange, idempotency=idempotency).deliver(parcel())


def test_a_kept_connection_that_the_broker_closed_is_replaced(broker: str, prefix: str) -> None:
    declare_topology(broker, ["guest"], prefix=prefix, queue_type="classic")
    adapter = adapter_for(broker, Topology("guest", prefix).in_exchange)
    adapter.deliver(parcel("k1"))
    connection, _ = adapter._idle.queue[0]
    connection.sock.shutdown(socket.SHUT_RDWR)
    assert adapter.deliver(parcel("k2")).remote_id == ""
    adapter.close()


# --- collecting --------------------------------------------------------------------------------------------------------------


class Hub:
    """What `take` does in these tests: remembers, and answers as told."""

    def __init__(self, *faults: HubError) -> None:
        self.taken: list[tuple[Inbound, str]] = []
        self._faults = list(faults)

    def take(self, inbound: Inbound, user: str) -> bytes:
        if self._faults:
            raise self._faults.pop(0)
        self.taken.append((inbound, user))
        return b'{"receipt":true}'


@contextmanager
def collecting(url: str, users: tuple[str, ...], prefix: str, hub: Hub, limits: Limits = DEFAULT_LIMITS) -> Iterator[AmqpCollector]:
    collector = AmqpCollector(url, users, hub.take, clock=lambda: AT, prefix=prefix, limits=limits, retry_delay_s=0.1, queue_type="classic")
    declare_topology(url, users, prefix=prefix, queue_type="classic")
    collector.start()
    try:
        yield collector
    finally:
        collector.stop()


def send(channel: Any, names: Topology, body: bytes = b"<edXML/>", **properties: Any) -> None:
    channel.basic_publish(amqp.Message(body, delivery_mode=2, **properties), names.out_exchange, "")


def test_a_packet_is_taken_as_it_came_and_its_receipt_goes_to_reply_to(broker: str, prefix: str, connect: Connect) -> None:
    names, hub = Topology("guest", prefix), Hub()
    body = "<edXML>Quyết định</edXML>".encode()
    with collecting(broker, ("guest",), prefix, hub):
        channel = connect().channel()
        channel.queue_declare(f"{names.reply_queue}.own", durable=True, auto_delete=False)
        channel.queue_bind(f"{names.reply_queue}.own", names.reply_exchange, f"{names.reply_queue}.own")
        send(
            channel,
            names,
            body,
            user_id="guest",
            message_id="m-1",
            correlation_id="c-1",
            reply_to=f"{names.reply_queue}.own",
            content_type='Application/XML; Charset="UTF-8"',
            content_encoding="utf-8",
        )
        answer = fetch(channel, f"{names.reply_queue}.own")
    assert answer.body == b'{"receipt":true}'
    assert answer.properties["correlation_id"] == "c-1"
    assert answer.properties["content_type"] == "application/json"
    inbound, user = hub.taken[0]
    assert (inbound.raw, inbound.content_type, inbound.charset, inbound.idempotency_key) == (body, "application/xml", "utf-8", "m-1")
    assert (inbound.peer, inbound.received_at, user) == ("amqp guest", AT, "guest")
    assert channel.queue_declare(names.out_queue, passive=True).message_count == 0


REFUSALS: dict[str, tuple[Hub, dict[str, Any], str]] = {
    "no user_id": (Hub(), {}, "amqp-user-id"),
    "larger than allowed": (Hub(), {"user_id": "guest", "body": b"x" * 101}, "too-large"),
    "a message_id longer than allowed": (Hub(), {"user_id": "guest", "message_id": "k" * 51}, "invalid-request"),
    "refused by the hub": (Hub(Refused("malformed-xml")), {"user_id": "guest"}, "malformed-xml"),
}


@pytest.mark.parametrize("case", REFUSALS, ids=list(REFUSALS))
def test_what_cannot_be_taken_is_answered_with_the_problem_and_forgotten(case: str, broker: str, prefix: str, connect: Connect) -> None:
    hub, properties, code = REFUSALS[case]
    names = Topology("guest", prefix)
    with collecting(broker, ("guest",), prefix, hub, Limits(max_body_bytes=100, max_header_chars=50)):
        channel = connect().channel()
        send(channel, names, **{"correlation_id": "c-2", **properties})
        answer = fetch(channel, names.reply_queue)
        assert channel.queue_declare(names.out_queue, passive=True).message_count == 0
    problem = json.loads(answer.body)
    assert problem["code"] == code == answer.properties["application_headers"]["x-lgsp-code"]
    assert answer.properties["content_type"] == "application/problem+json"
    assert answer.properties["correlation_id"] == "c-2"
    assert hub.taken == []


@pytest.mark.parametrize("reply_to", ["other.queue", "hub.agency.guest.out", "", "agency.guestx.replies", "{own}nowhere"])
def test_an_answer_never_leaves_the_agencys_namespace(reply_to: str, broker: str, prefix: str, connect: Connect) -> None:
    names, hub = Topology("guest", prefix), Hub()
    with collecting(broker, ("guest",), prefix, hub):
        channel = connect().channel()
        send(channel, names, user_id="guest", reply_to=reply_to.replace("{own}", names.namespace))
        assert fetch(channel, names.reply_queue).body == b'{"receipt":true}'


def test_while_the_hub_cannot_take_it_a_packet_is_held_in_order(broker: str, prefix: str, connect: Connect) -> None:
    names, hub = Topology("guest", prefix), Hub(TryLater("shutting-down"), Halted("store-unavailable"))
    with collecting(broker, ("guest",), prefix, hub):
        channel = connect().channel()
        for n in range(3):
            send(channel, names, b"%d" % n, user_id="guest")
        for _ in range(3):
            fetch(channel, names.reply_queue)
    assert [inbound.raw for inbound, _ in hub.taken] == [b"0", b"1", b"2"]


def test_a_packet_that_was_not_answered_stays_with_the_broker(broker: str, prefix: str, connect: Connect) -> None:
    names, hub = Topology("guest", prefix), Hub(*(Halted("store-unavailable") for _ in range(1_000)))
    channel = connect().channel()
    with collecting(broker, ("guest",), prefix, hub):
        send(channel, names, user_id="guest")
        wait_for(lambda: len(hub._faults) < 1_000)
    again = Hub()
    with collecting(broker, ("guest",), prefix, again):
        assert fetch(channel, names.reply_queue).body == b'{"receipt":true}'
    assert len(again.taken) == 1


def test_the_users_of_two_agencies_are_kept_apart_by_the_broker(broker: str, users: tuple[str, tuple[str, str]], connect: Connect) -> None:
    prefix, names = users
    own, other = Topology(names[0], prefix), Topology(names[1], prefix)
    hub = Hub()
    with collecting(broker, names, prefix, hub):
        channel = connect(names[0]).channel()
        send(channel, own, user_id=names[0])
        assert fetch(channel, own.reply_queue).body == b'{"receipt":true}'
        for forbidden in (
            lambda c: send(c, other, user_id=names[0]),  # another's exchange
            lambda c: send(c, own, user_id=names[1]),  # another's name: the broker checks it
            lambda c: c.basic_publish(amqp.Message(b"x"), "", other.in_queue),  # the default exchange
            lambda c: c.basic_get(own.out_queue),  # what the hub has yet to take
            lambda c: c.basic_get(other.in_queue),
            lambda c: c.basic_get(other.reply_queue),
            lambda c: c.queue_bind(own.reply_queue, other.reply_exchange, other.reply_queue),
            lambda c: c.queue_declare("hub.anything"),
            lambda c: c.exchange_delete(own.out_exchange),
            lambda c: c.basic_publish(amqp.Message(b"x"), own.reply_exchange, own.reply_queue),  # a receipt that the hub did not give
        ):
            with pytest.raises((amqp.exceptions.AccessRefused, amqp.exceptions.PreconditionFailed)):
                forbidden(connect(names[0]).channel())
    assert [user for _, user in hub.taken] == [names[0]]


def test_a_user_without_rights_at_an_exchange_is_refused(broker: str, users: tuple[str, tuple[str, str]]) -> None:
    prefix, names = users
    declare_topology(broker, names, prefix=prefix, queue_type="classic")
    intruder = AmqpAdapter(Broker.of(broker, user=names[0], password=names[0]), Topology(names[1], prefix).in_exchange, timeout_s=5.0)
    with pytest.raises(AgencyRefused, match="ACCESS_REFUSED"):
        intruder.deliver(parcel())


# --- names and commands ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("user", ["", "H32", "a.b", "a b", "ă", "-a", "a" * 64, "a*"])
def test_a_user_that_could_reach_into_anothers_namespace_is_no_user(user: str) -> None:
    with pytest.raises(Halted) as caught:
        Topology(user)
    assert caught.value.violations[0].path == "amqp_user"


def test_the_commands_for_the_operator_carry_no_password() -> None:
    assert broker_commands(["motcua"]) == [
        ("rabbitmqctl", "add_user", "motcua"),
        ("rabbitmqctl", "set_user_tags", "motcua"),
        (
            "rabbitmqctl",
            "set_permissions",
            "-p",
            "/",
            "motcua",
            r"^agency\.motcua\.replies(\..+)?$",
            r"^(agency\.motcua\.out|agency\.motcua\.replies(\..+)?)$",
            r"^(agency\.motcua\.in|agency\.motcua\.reply|agency\.motcua\.replies(\..+)?)$",
        ),
    ]
