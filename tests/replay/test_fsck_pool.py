"""fsck with processes beside it finds what it finds alone, in the same order, and survives them."""

from __future__ import annotations

import os
import signal
from hashlib import sha256
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import delete, insert, update

from replay import fsck_pool, fsck_rows
from replay.findings import FsckReport
from replay.fsck import fsck
from replay.store.tables import deliveries, entries, messages, openings, payloads
from tests.replay.world import World, draft, message_id

COUNT = 40


@pytest.fixture
def chunked(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """Many small chunks, on both databases."""
    monkeypatch.setattr(fsck_rows, "MAX_BYTES", 3_000)
    world.fill(COUNT)
    world.append(*(draft(n) for n in range(20)))
    return world


def looked(world: World, processes: int, told: list[tuple[int, int]] | None = None) -> FsckReport:
    return fsck(
        world.store,
        world.fsck_keys(),
        world.checkpoint(),
        processes=processes,
        progress=lambda *each: None if told is None else told.append(each),
    )


def test_processes_find_a_store_intact_as_well(chunked: World) -> None:
    told: list[tuple[int, int]] = []
    alone, together = looked(chunked, 0, told), looked(chunked, 2)
    assert alone.is_intact
    assert together == alone
    assert alone.counts["payloads"] == COUNT
    assert len(told) > 5  # so many chunks
    assert told[-1] == (alone.size, alone.size)


def test_differences_come_in_the_order_of_the_journal(chunked: World) -> None:
    with chunked.store.write() as conn:
        conn.execute(update(entries).where(entries.c.index == 33).values(leaf_hash=b"x" * 32))
        conn.execute(update(openings).where(openings.c.index == 21).values(body=b"{}"))
        conn.execute(update(messages).where(messages.c.id == message_id(3)).values(title="khác"))
        conn.execute(update(payloads).where(payloads.c.message_id == message_id(30)).values(body=b"x"))
        conn.execute(delete(deliveries).where(deliveries.c.message_id == message_id(11)))
        conn.execute(insert(entries).values(index=90, leaf=b"no leaf", leaf_hash=b"x" * 32))
    alone, together = looked(chunked, 0), looked(chunked, 3)
    assert alone.found >= 7
    assert together == alone
    assert alone.differences[0].path.startswith("messages/")  # of message 3, which was accepted first


def test_a_process_that_dies_takes_nothing_with_it(chunked: World, monkeypatch: pytest.MonkeyPatch) -> None:
    given = fsck_pool._Worker.give
    count = 0

    def give(worker: Any, what: Any) -> None:
        nonlocal count
        count += 1
        if count == 5:
            os.kill(worker.process.pid, signal.SIGKILL)
            worker.process.wait()
        given(worker, what)

    monkeypatch.setattr(fsck_pool._Worker, "give", give)
    assert looked(chunked, 2).is_intact
    assert count > 5


@pytest.mark.parametrize(("size", "processors", "expected"), [(100, 8, 0), (10**6, 1, 0), (10**6, 2, 2), (10**9, 64, 8)])
def test_processes_are_started_where_that_pays(size: int, processors: int, expected: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(processors)))
    assert fsck_pool.processes_for(size) == expected


def test_a_large_payload_is_digested_from_its_file(sqlite_world: World) -> None:
    noise = os.urandom(700_000)
    store = sqlite_world.payloads
    sealed = store.seal(one := uuid4(), noise)
    store.stage(sealed)
    row: Any = fsck_rows.Chunk(
        0, {"payloads": [(one.hex, "zstd+aes256gcm/1", sealed.digest, sealed.size, None, sealed.master_key_id, sealed.wrapped)]}
    )
    [held] = row.rows("payloads")
    assert store.digest_of(one, held) == sha256(noise).digest()
