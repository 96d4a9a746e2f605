"""The pointer queue: the same code in this process and on RabbitMQ."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from uuid import UUID, uuid4

import pytest
from amqp import Connection as AmqpConnection

from hub.outbox import Pointer
from hub.queue import PointerQueue
from schemas.errors import TryLater
from tests.brokers import RABBITMQ_URL, rabbitmq_missing

rabbitmq = pytest.mark.skipif(bool(rabbitmq_missing()), reason=rabbitmq_missing() or "RabbitMQ answers")
SYSTEMS = ("motcua", "qlvb")
Make = Callable[[], PointerQueue]


@pytest.fixture(
    params=[pytest.param("", id="in this process"), pytest.param(RABBITMQ_URL, id="rabbitmq", marks=[rabbitmq, pytest.mark.rabbitmq])]
)
def make(request: pytest.FixtureRequest) -> Iterator[Make]:
    url, namespace, made = request.param, f"test-{uuid4().hex[:12]}", []

    def new() -> PointerQueue:
        made.append(PointerQueue(url, namespace))
        return made[-1]

    yield new
    for one in made:
        one.close()
    if url:
        _delete_queues(namespace)


def _delete_queues(namespace: str) -> None:
    with AmqpConnection(host="127.0.0.1:5672", userid="guest", password="guest") as connection:
        channel = connection.channel()
        for system in SYSTEMS:
            channel.queue_delete(f"{namespace}.deliver.{system}")


def keep(taken: list[Pointer], consumer: PointerQueue) -> Callable[[Pointer, Callable[[], None]], None]:
    """Notes each pointer and acknowledges it."""

    def received(pointer: Pointer, ack: Callable[[], None]) -> None:
        taken.append(pointer)
        consumer.acknowledge(ack)

    return received


def drain(consumer: PointerQueue, taken: list[Pointer], wanted: int, limit_s: float = 60) -> None:
    until = time.monotonic() + limit_s
    while len(taken) < wanted and time.monotonic() < until:
        consumer.wait(0.1)


def test_every_pointer_arrives_once_in_its_system_s_lane(make: Make) -> None:
    sent = [Pointer(SYSTEMS[n % 2], uuid4()) for n in range(40)]
    make().publish(sent)
    consumer, taken = make(), list[Pointer]()
    consumer.consume(SYSTEMS, lambda _: 100, keep(taken, consumer))
    drain(consumer, taken, 40)
    assert sorted(taken, key=str) == sorted(sent, key=str)
    assert [p for p in taken if p.system == "qlvb"] == [p for p in sent if p.system == "qlvb"]


def test_what_was_not_acknowledged_comes_again_from_a_broker(make: Make) -> None:
    """In this process it does not: the queue goes with its connection, and the sweep publishes again from the database."""
    pointer = Pointer("motcua", UUID(int=7))
    make().publish([pointer])
    first, taken = make(), list[Pointer]()
    first.consume(SYSTEMS, lambda _: 1, lambda p, _: taken.append(p))
    drain(first, taken, 1)
    first.close()
    second, again = make(), list[Pointer]()
    second.consume(SYSTEMS, lambda _: 1, keep(again, second))
    drain(second, again, 1, limit_s=60 if second.url else 0.5)
    assert taken == [pointer]
    assert again == ([pointer] if second.url else [])


def test_no_more_than_the_prefetch_is_handed_out_unacknowledged(make: Make) -> None:
    make().publish([Pointer("motcua", uuid4()) for _ in range(10)])
    consumer, taken, acks = make(), list[Pointer](), list[Callable[[], None]]()

    def keep_both(pointer: Pointer, ack: Callable[[], None]) -> None:
        taken.append(pointer)
        acks.append(ack)

    consumer.consume(SYSTEMS, lambda _: 3, keep_both)
    drain(consumer, taken, 3)
    drain(consumer, taken, 4, limit_s=0.5)
    assert len(taken) == 3
    for ack in acks[:]:
        consumer.acknowledge(ack)
    drain(consumer, taken, 6)
    assert len(taken) >= 4


def test_a_broker_that_is_not_there_is_try_later() -> None:
    with pytest.raises(TryLater, match="broker-unavailable"):
        PointerQueue("amqp://guest:guest@127.0.0.1:1//", "test").publish([Pointer("motcua", uuid4())])


def test_what_is_not_ours_in_the_queue_is_dropped(make: Make) -> None:
    queue = make()
    queue.publish([Pointer("motcua", uuid4())])
    producer = queue._ready_producer()
    producer.publish(
        "no uuid",
        routing_key=f"{queue.namespace}.deliver.motcua",
        exchange="",
        serializer="raw",
        content_type="text/plain",
        content_encoding="utf-8",
    )
    consumer, taken = make(), list[Pointer]()
    consumer.consume(SYSTEMS, lambda _: 10, keep(taken, consumer))
    drain(consumer, taken, 1)
    drain(consumer, taken, 2, limit_s=0.5)
    assert len(taken) == 1
