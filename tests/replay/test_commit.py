"""Group commit: nothing is answered before it is on disk, and one change's failure is nobody else's."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from contextlib import suppress
from typing import Any

import pytest
from sqlalchemy import func, insert, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError
from structlog.testing import capture_logs

from hub.commit import MAX_WAITING, Committer, Transaction
from replay.journal import Position
from replay.store.tables import log_head, messages, openings, schema_version
from schemas.errors import Disposition, Halted, HubError, Refused, TryLater
from tests.replay.world import World, draft, message_id, raw_of


@pytest.fixture
def committer(world: World) -> Iterator[Committer]:
    """One that runs."""
    made = Committer(world.store, world.journal)
    made.start()
    with capture_logs():
        yield made
        made.stop()


def together(committer: Committer, *changes: Callable[[Transaction], Any]) -> list[Future[Any]]:
    """Submits `changes` so that they fall into one batch: the writer is kept busy until all of them wait."""
    go = keep_busy(committer)
    futures = [committer.submit(change) for change in changes]
    go.set()
    wait(futures, 10)
    return futures


def keep_busy(committer: Committer) -> threading.Event:
    """Has the writer wait, in a batch of its own, until the event is set."""
    begun, go = threading.Event(), threading.Event()

    def change(_: Transaction) -> None:
        begun.set()
        go.wait(60)

    committer.submit(change)
    assert begun.wait(60)
    return go


def count_of(world: World, table: Any) -> int:
    with world.store.read() as conn:
        return int(conn.execute(select(func.count()).select_from(table)).scalar() or 0)


def test_a_future_resolves_after_commit(world: World, committer: Committer) -> None:
    position = committer.submit(lambda tx: tx.append(draft(1))).result(10)
    assert position.index == 0
    assert count_of(world, openings) == 1  # another connection sees it


def test_sixteen_senders_at_once_get_one_log(world: World, committer: Committer) -> None:
    positions: list[Position] = []

    def send(thread: int) -> None:
        for number in range(12):
            mine = 100 * thread + number

            def change(tx: Transaction, mine: int = mine) -> Position:
                world.accept(tx, mine)
                return tx.append(draft(mine))

            positions.append(committer.submit(change).result(30))

    threads = [threading.Thread(target=send, args=(n,)) for n in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(p.index for p in positions) == list(range(1, 2 * 16 * 12, 2))
    report = world.fsck()
    assert report.is_intact, report.differences
    assert report.counts["messages"] == 16 * 12


def test_duplicates_in_one_batch_find_each_other(world: World, committer: Committer) -> None:
    def take(tx: Transaction) -> str:
        known = tx.conn.execute(select(messages.c.id).where(messages.c.raw_digest.is_not(None), messages.c.id == message_id(1))).first()
        if known is not None:
            return "known"
        world.accept(tx, 1)
        return "accepted"

    answers = [future.result() for future in together(committer, *[take] * 8)]
    assert answers == ["accepted"] + ["known"] * 7
    assert count_of(world, messages) == 1


def test_a_failing_change_takes_back_its_own_and_nothing_else(world: World, committer: Committer) -> None:
    called: list[str] = []

    def good(number: int) -> Callable[[Transaction], int]:
        def change(tx: Transaction) -> int:
            world.accept(tx, number)
            tx.after_commit(lambda: called.append(f"good {number}"))
            return tx.append(draft(number)).index

        return change

    def bad(tx: Transaction) -> None:
        world.accept(tx, 99)
        tx.append(draft(99))
        tx.after_commit(lambda: called.append("bad"))
        raise Refused("id-conflict", got="99")

    one, fault, two = together(committer, good(1), bad, good(2))
    assert (one.result(), two.result()) == (1, 3)
    with pytest.raises(Refused, match="id-conflict"):
        fault.result()
    committer.stop()
    assert called == ["good 1", "good 2"]
    assert world.fsck().is_intact
    assert count_of(world, messages) == 2


def broken(_: Transaction) -> None:
    raise ZeroDivisionError


def against_the_rules(tx: Transaction) -> None:
    tx.conn.execute(insert(log_head).values(id=1, origin="", size=0, frontier=b""))


def oversized(tx: Transaction) -> None:
    tx.append(draft(1))
    tx.append(draft(2, value=2**60))


def nonsense(tx: Transaction) -> None:
    tx.conn.execute(text("SELECT 'hunter2' FROM nowhere"))


def too_much(tx: Transaction) -> None:
    """A limit of the database that only this value meets: PostgreSQL's index rows, SQLite's longest text."""
    if tx.conn.dialect.name == "postgresql":
        tx.conn.execute(text("CREATE TEMPORARY TABLE narrow (id text PRIMARY KEY) ON COMMIT DROP"))
        tx.conn.execute(text("INSERT INTO narrow VALUES (:id)"), {"id": secrets.token_hex(10_000)})
    else:
        tx.conn.execute(text("SELECT zeroblob(2000000000)"))


def hiding(tx: Transaction) -> None:
    """Goes on after a failure, as if the transaction were still good. On PostgreSQL it is not."""
    with suppress(IntegrityError):
        against_the_rules(tx)
    if tx.conn.dialect.name == "sqlite":
        raise ValueError


FAILURES: dict[str, tuple[Callable[[Transaction], None], str]] = {
    "a programmer's mistake": (broken, "internal-error"),
    "a constraint": (against_the_rules, "internal-error"),
    "a statement that cannot be": (nonsense, "internal-error"),
    "a value beyond the database's limits": (too_much, "internal-error"),
    "a failure that the change has hidden": (hiding, "internal-error"),
    "a value that the journal refuses": (oversized, "entry-value"),
}


@pytest.mark.parametrize(("bad", "code"), FAILURES.values(), ids=FAILURES.keys())
def test_one_change_s_failure_is_its_own_and_final(
    world: World, committer: Committer, bad: Callable[[Transaction], None], code: str
) -> None:
    alone = committer.submit(bad)
    with pytest.raises(HubError, match=code):
        alone.result(10)
    one, among, two = together(committer, lambda tx: tx.append(draft(1)), bad, lambda tx: tx.append(draft(2)))
    with pytest.raises(HubError, match=code) as caught:
        among.result()
    assert caught.value.disposition in (Disposition.REFUSE, Disposition.PARK)  # no face tries it again
    assert not any(word in str(caught.value).lower() for word in ("select", "insert", "hunter2", "log_head"))
    assert (one.result().index, two.result().index) == (0, 1)
    assert world.fsck().is_intact


def test_a_callback_that_fails_stops_nothing(committer: Committer) -> None:
    called = threading.Event()

    def change(tx: Transaction) -> None:
        tx.after_commit(lambda: 1 // 0)
        tx.after_commit(called.set)

    committer.submit(change).result(10)
    assert called.wait(60)
    assert committer.submit(lambda tx: tx.append(draft(1))).result(10).index == 0


def test_a_callback_finds_everything_on_disk(world: World, committer: Committer) -> None:
    seen: list[int] = []
    done = threading.Event()

    def change(tx: Transaction) -> None:
        tx.append(draft(1))
        tx.after_commit(lambda: seen.append(count_of(world, openings)))
        tx.after_commit(done.set)

    committer.submit(change).result(10)
    assert done.wait(60)
    assert seen == [1]


def test_statements_see_what_was_appended_before(world: World, committer: Committer) -> None:
    def change(tx: Transaction) -> tuple[int | None, int | None]:
        before = tx.previous(message_id(1))
        world.accept(tx, 1)
        return before, tx.previous(message_id(1))

    assert committer.submit(change).result(10) == (None, 0)


def test_a_failing_database_fails_the_whole_batch_and_nothing_is_written(world: World, committer: Committer) -> None:
    def lost(tx: Transaction) -> None:
        """As a disk that is full, or a server that goes away, in the middle of a batch."""
        if world.store.dialect == "postgresql":
            tx.conn.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
        else:
            tx.conn.execute(text(f"PRAGMA max_page_count = {tx.conn.execute(text('PRAGMA page_count')).scalar()}"))
            tx.conn.execute(update(log_head).values(frontier=bytes(1_000_000)))

    futures = together(committer, lambda tx: tx.append(draft(1)), lost, lambda tx: tx.append(draft(2)))
    for future in futures:
        with pytest.raises(Halted, match="store-unavailable"):
            future.result()
    assert len({id(future.exception()) for future in futures}) == 3
    assert count_of(world, openings) == 0
    if world.store.dialect == "sqlite":
        with world.store.write() as conn:
            conn.execute(text("PRAGMA max_page_count = 1073741823"))
    assert committer.submit(lambda tx: tx.append(draft(1))).result(10).index == 0


def test_a_database_that_fails_while_one_change_is_taken_back_fails_them_all(world: World, committer: Committer) -> None:
    """The batch is run again with savepoints because of one; then the database goes, and nothing may be written beside a transaction."""
    times: list[int] = []

    def worse(tx: Transaction) -> None:
        times.append(1)
        if len(times) > 1:
            if world.store.dialect == "sqlite":
                tx.conn.exec_driver_sql("ROLLBACK")
            else:
                with suppress(DBAPIError):
                    tx.conn.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
        raise ZeroDivisionError

    for future in together(committer, lambda tx: tx.append(draft(1)), worse, lambda tx: tx.append(draft(2))):
        with pytest.raises(Halted, match="store-unavailable"):
            future.result()
    assert count_of(world, openings) == 0


def test_a_damaged_head_halts_and_does_not_hang(world: World, committer: Committer) -> None:
    committer.submit(lambda tx: tx.append(draft(1))).result(10)
    with world.store.write() as conn:
        conn.execute(update(log_head).values(size=0, frontier=b""))
    for future in together(committer, lambda tx: tx.append(draft(2)), lambda tx: tx.append(draft(3))):
        with pytest.raises(HubError, match="journal-damaged"):
            future.result()


def test_after_stop_nothing_is_taken_and_nothing_is_lost(world: World, committer: Committer) -> None:
    futures = [committer.submit(lambda tx, n=n: tx.append(draft(n))) for n in range(200)]  # type: ignore[misc]
    committer.stop()
    assert [future.result(0).index for future in futures] == list(range(200))
    with pytest.raises(TryLater, match="shutting-down"):
        committer.submit(lambda tx: tx.append(draft(1))).result(0)
    committer.stop()


def test_before_start_nothing_is_taken(world: World) -> None:
    waiting = Committer(world.store, world.journal)
    with pytest.raises(TryLater, match="shutting-down"):
        waiting.submit(lambda tx: tx.append(draft(1))).result(0)
    waiting.stop()


def test_a_full_queue_says_so_at_once(committer: Committer) -> None:
    go = keep_busy(committer)
    futures = [committer.submit(lambda _: None) for _ in range(MAX_WAITING + 3)]
    assert all(isinstance(future.exception(0), TryLater) for future in futures[-3:])
    go.set()
    assert all(future.exception(10) is None for future in futures[:MAX_WAITING])


def test_a_cancelled_change_is_not_run(world: World, committer: Committer) -> None:
    go = keep_busy(committer)
    cancelled = committer.submit(lambda tx: tx.conn.execute(insert(schema_version).values(version=99)))
    assert cancelled.cancel()
    go.set()
    committer.stop()
    assert count_of(world, schema_version) == 1


def test_payloads_of_a_batch_come_back(world: World, committer: Committer) -> None:
    together(committer, *(lambda tx, n=n: world.accept(tx, n) for n in range(5)))
    with world.store.read() as conn:
        assert [world.payload(conn, n) for n in range(5)] == [raw_of(n) for n in range(5)]
