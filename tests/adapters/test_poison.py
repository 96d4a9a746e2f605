"""Messages made to end the thread that reads them, or to come back for ever: each is answered, and a good one behind it is taken."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from struct import pack
from time import monotonic, sleep
from typing import Any

import amqp
import pytest

from adapters.amqp import AmqpCollector
from adapters.held import MOST_OVERTAKEN, Desk, Held
from adapters.packets import Published, Reply, answer_to
from adapters.supervise import Supervised
from adapters.topology import Topology
from schemas.errors import Halted, HubError, Parked, TryLater
from schemas.limits import DEFAULT_LIMITS
from schemas.message import Inbound

AT = datetime(2026, 11, 21, 3, 4, 5, tzinfo=UTC)
USER = "guest"
Connect = Callable[..., Any]


class Hub:
    """What `take` does here: a defect for the body ``bad``, a stubborn HALT for ``stuck``, else a receipt."""

    def __init__(self) -> None:
        self.taken: list[Inbound] = []

    def take(self, inbound: Inbound, user: str) -> bytes:
        if inbound.raw == b"bad":
            raise ZeroDivisionError("s3cret row")
        if inbound.raw == b"stuck":
            raise Halted("store-unavailable")
        if inbound.raw == b"damaged":
            raise Halted("payload-damaged", got="s3cret id")
        inbound.idempotency_key.encode(), inbound.charset.encode()
        assert isinstance(inbound.raw, bytes)
        assert "\0" not in inbound.idempotency_key + inbound.charset + inbound.content_type
        self.taken.append(inbound)
        return b'{"receipt":true}'


def answered(hub: Hub, **published: Any) -> Reply | HubError:
    given = Published(**{"body": b"<edXML/>", "user_id": USER, **published})
    return answer_to(given, USER, hub.take, clock=lambda: AT, limits=DEFAULT_LIMITS)


# What stands beside the body → the code it is refused with
PROPERTIES: dict[str, tuple[dict[str, str], str]] = {
    "half a character in message_id": ({"message_id": "k\ud800"}, "invalid-request"),
    "a null in message_id": ({"message_id": "k\x00"}, "invalid-request"),
    "a line break in message_id": ({"message_id": "k\r\nx"}, "invalid-request"),
    "Vietnamese in message_id": ({"message_id": "số 1"}, "invalid-request"),
    "a null in the charset": ({"content_type": 'application/xml; charset="a\x00b"'}, "encoding"),
    "half a character in the charset": ({"content_type": "application/xml; charset=utf\ud800"}, "encoding"),
    "a charset of 200 characters": ({"content_type": f"application/xml; charset={'u' * 200}"}, "encoding"),
    "a null in the content type": ({"content_type": "application/\x00xml"}, "unsupported-media-type"),
    "half a character in the content type": ({"content_type": "application/\ud800"}, "unsupported-media-type"),
    "a line break in the content type": ({"content_type": "application/xml\r\nx: y"}, "unsupported-media-type"),
    "no content type at all": ({"content_type": ";;;"}, "unsupported-media-type"),
    "a user_id with half a character": ({"user_id": "guest\ud800"}, "amqp-user-id"),
}


@pytest.mark.parametrize(("properties", "code"), PROPERTIES.values(), ids=PROPERTIES)
def test_what_no_store_could_keep_is_refused_before_the_hub_sees_it(properties: dict[str, str], code: str) -> None:
    hub = Hub()
    reply = answered(hub, **properties)
    assert isinstance(reply, Reply)
    assert (reply.code, json.loads(reply.body)["code"], hub.taken) == (code, code, [])


@pytest.mark.parametrize("body", [b"bad", b"damaged"], ids=["a defect", "a HALT about this message"])
def test_what_the_hub_itself_fails_at_is_given_up_without_details(body: bytes) -> None:
    reply = answered(Hub(), body=body, correlation_id="c-1")
    assert isinstance(reply, Reply)
    assert (reply.code, reply.correlation_id) == ("internal-error", "c-1")
    assert b"s3cret" not in reply.body
    assert b"ZeroDivision" not in reply.body


@pytest.mark.parametrize("fault", [TryLater("shutting-down"), Halted("store-unavailable"), Halted("keys-missing")], ids=lambda f: f.code)
def test_what_halts_the_whole_hub_is_waited_for(fault: HubError) -> None:
    def take(inbound: Inbound, user: str) -> bytes:
        raise fault

    assert answer_to(Published(b"x", USER), USER, take, clock=lambda: AT, limits=DEFAULT_LIMITS) is fault


# --- a desk: what is held, and what is given up ------------------------------------------------------------------------------


def desk_of(faults: list[HubError]) -> Desk:
    """A desk where ``x`` meets `faults`, one after the other, and everything else is taken."""

    def answer(published: Published, user: str) -> Reply | HubError:
        return faults.pop(0) if published.body == b"x" else Reply(b"", "", "", "")

    return Desk(answer, retry_delay_s=0.0)


def held(body: bytes, user: str = "a") -> Held:
    return Held(Topology(user), Published(body), 1)


def test_a_halt_is_waited_out_for_as_long_as_nothing_else_is_taken() -> None:
    desk, one = desk_of([Halted("store-unavailable")] * 200), held(b"x")
    assert [desk.answer(one) for _ in range(200)] == [None] * 200
    assert desk.held() == {"a": "store-unavailable"}
    desk.forget([one])
    assert desk.held() == {}


def test_a_halt_that_only_one_message_meets_is_about_that_message() -> None:
    desk, one = desk_of([Halted("store-unavailable")] * 200), held(b"x")
    rounds = 0
    while (reply := desk.answer(one)) is None:
        assert desk.answer(held(b"y", "b")) is not None
        rounds += 1
    assert (reply.code, rounds, desk.held()) == ("internal-error", MOST_OVERTAKEN, {})


def test_a_busy_hub_gives_nothing_up() -> None:
    desk, one = desk_of([TryLater("store-busy")] * 200), held(b"x")
    for _ in range(200):
        assert desk.answer(one) is None
        desk.answer(held(b"y", "b"))


# --- supervision -------------------------------------------------------------------------------------------------------------


def test_a_work_that_raises_anything_begins_anew() -> None:
    done = threading.Event()
    raised: list[Exception] = [ZeroDivisionError(), OSError(), RecursionError(), Parked("internal-error")]

    def work() -> None:
        if raised:
            raise raised.pop()
        done.set()
        threads.stopping.wait(5)

    threads = Supervised([work], name="test", first_pause_s=0.001)
    threads.start()
    assert done.wait(60)
    assert (threads.alive, len(threads)) == (1, 1)
    threads.stop()
    assert threads.alive == 0


# --- against a real broker ---------------------------------------------------------------------------------------------------


@contextmanager
def collecting(url: str, prefix: str, hub: Hub, users: tuple[str, ...] = (USER,)) -> Iterator[AmqpCollector]:
    collector = AmqpCollector(url, users, hub.take, clock=lambda: AT, prefix=prefix, threads=1, retry_delay_s=0.02, queue_type="classic")
    collector.start()
    try:
        wait_for(lambda: collector.health()["collecting"])
        yield collector
    finally:
        collector.stop()


def wait_for(what: Callable[[], Any], seconds: float = 60.0) -> Any:
    end = monotonic() + seconds
    while not (found := what()):
        assert monotonic() < end, "nothing came in time"
        sleep(0.02)
    return found


class Raw(amqp.Message):  # type: ignore[misc]  # py-amqp has no types
    """A message whose properties are the bytes given: flags and list as AMQP 0-9-1 §4.2.6.1 has them."""

    def _serialize_properties(self) -> bytes:
        return bytes(self.written)


def short(text: bytes) -> bytes:
    return bytes([len(text)]) + text


def raw_message(*, headers: bytes = b"", message_id: bytes = b"") -> Raw:
    flags = 0x0010 | (0x2000 if headers else 0) | (0x0080 if message_id else 0)
    message = Raw(b"<edXML/>")
    table = pack(">I", len(headers)) + headers if headers else b""
    message.written = pack(">H", flags) + table + (short(message_id) if message_id else b"") + short(USER.encode())
    return message


def nested(depth: int) -> bytes:
    table = b""
    for _ in range(depth):
        table = b"\x01aF" + pack(">I", len(table)) + table
    return table


# What is published → the code of the answer
POISON: dict[str, tuple[Callable[[], amqp.Message], str]] = {
    "half a character in message_id": (lambda: amqp.Message(b"<edXML/>", user_id=USER, message_id="k\ud800"), "invalid-request"),
    "a null in message_id": (lambda: amqp.Message(b"<edXML/>", user_id=USER, message_id="k\x00"), "invalid-request"),
    "a null in the charset": (
        lambda: amqp.Message(b"<edXML/>", user_id=USER, content_type='application/xml; charset="a\x00b"'),
        "encoding",
    ),
    "half a character in correlation_id and reply_to": (
        lambda: amqp.Message(b"bad", user_id=USER, correlation_id="c\ud800", reply_to="{namespace}\ud800"),
        "internal-error",
    ),
    "a message_id that is no UTF-8": (lambda: raw_message(message_id=b"\xff\xfe"), "amqp-user-id"),
    "a time beyond all calendars": (lambda: raw_message(headers=b"\x01tT" + pack(">Q", 2**63)), "amqp-user-id"),
    "ten thousand tables in one another": (lambda: raw_message(headers=nested(10_000)), "amqp-user-id"),
    "a defect of the hub": (lambda: amqp.Message(b"bad", user_id=USER), "internal-error"),
    "nothing in it": (lambda: amqp.Message(b"", user_id=USER), ""),
}


@pytest.mark.rabbitmq
@pytest.mark.parametrize(("make", "code"), POISON.values(), ids=POISON)
def test_a_poisoned_message_is_answered_and_the_next_one_taken(
    make: Callable[[], amqp.Message], code: str, broker: str, prefix: str, connect: Connect
) -> None:
    names, hub = Topology(USER, prefix), Hub()
    with collecting(broker, prefix, hub) as collector:
        channel = connect().channel()
        message = make()
        if "reply_to" in message.properties:
            message.properties["reply_to"] = message.properties["reply_to"].replace("{namespace}", names.namespace)
        for one in (message, amqp.Message(b"<good/>", user_id=USER, message_id="good")):
            channel.basic_publish(one, names.out_exchange, "")
        replies = [wait_for(lambda: channel.basic_get(names.reply_queue, no_ack=True)) for _ in range(2)]
        assert [reply.properties["application_headers"]["x-lgsp-code"] for reply in replies] == [code, ""]
        assert hub.taken[-1].raw == b"<good/>"
        assert channel.queue_declare(names.out_queue, passive=True).message_count == 0
        health = collector.health()
        assert (health["collecting"], health["held"], health["last_message_at"]) == (True, {}, "2026-11-21T03:04:05.000000Z")
        assert (health["threads"], health["alive"], health["connected"]) == (1, 1, 1)
    assert (collector.health()["alive"], collector.health()["collecting"]) == (0, False)


@pytest.mark.rabbitmq
def test_one_users_stuck_message_keeps_no_other_user_waiting_and_is_given_up(
    broker: str, users: tuple[str, tuple[str, str]], connect: Connect
) -> None:
    prefix, (bad, good) = users
    hub, own, other = Hub(), Topology(bad, prefix), Topology(good, prefix)
    with collecting(broker, prefix, hub, (bad, good)) as collector:
        theirs, ours = connect(bad).channel(), connect(good).channel()
        theirs.basic_publish(amqp.Message(b"stuck", user_id=bad), own.out_exchange, "")
        wait_for(lambda: collector.health()["held"] == {bad: "store-unavailable"})
        reply = None
        for _ in range(200):
            ours.basic_publish(amqp.Message(b"<edXML/>", user_id=good), other.out_exchange, "")
            assert wait_for(lambda: ours.basic_get(other.reply_queue, no_ack=True)).body == b'{"receipt":true}'
            if reply := theirs.basic_get(own.reply_queue, no_ack=True):
                break
        assert reply is not None
        assert json.loads(reply.body)["code"] == "internal-error"
        assert collector.health()["held"] == {}


@pytest.mark.rabbitmq
def test_a_reply_queue_that_takes_nothing_stops_nobody(broker: str, prefix: str, connect: Connect) -> None:
    names, hub = Topology(USER, prefix), Hub()
    with collecting(broker, prefix, hub):
        channel = connect().channel()
        full = f"{names.reply_queue}.own"
        channel.queue_declare(full, durable=True, auto_delete=False, arguments={"x-max-length": 0, "x-overflow": "reject-publish"})
        channel.queue_bind(full, names.reply_exchange, full)
        channel.basic_publish(amqp.Message(b"<edXML/>", user_id=USER, reply_to=full), names.out_exchange, "")
        assert wait_for(lambda: channel.basic_get(names.reply_queue, no_ack=True)).body == b'{"receipt":true}'
    assert len(hub.taken) == 1
