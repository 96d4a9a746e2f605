"""fsck finds whatever was changed: by itself, or, where someone rewrote everything consistently, by an older checkpoint.

It is longer than 300 lines because what fsck must find is one table.
"""

from __future__ import annotations

import json
import os
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection, Table, delete, insert, select, text, update

from hub.commit import Committer, Transaction
from hub.keys import Keyring
from replay.erasure import destroy
from replay.findings import FsckReport
from replay.fsck import FsckKeys, fsck
from replay.hashing import leaf_hash
from replay.journal import Journal, JournalKeys
from replay.merkle import Frontier
from replay.standing import CHUNK
from replay.store.engine import open_store
from replay.store.tables import deliveries, entries, links, log_head, message_keys, messages, openings, payloads, search, sender_ids
from schemas.errors import Refused
from signing.sign import sign_receipt
from tests.replay.world import ORIGIN, World, copy_of, draft, message_id

COUNT = 9  # messages; every third one is delivered to its first recipient: 12 entries
Tamper = Callable[[World, Connection], object]


@pytest.fixture
def full(world: World) -> World:
    """A store with messages in it."""
    world.fill(COUNT)
    return world


@pytest.fixture
def tampered(sqlite_world: World) -> World:
    """One on SQLite, about to be tampered with by whoever has the file."""
    sqlite_world.fill(COUNT)
    return sqlite_world


def codes(report: FsckReport) -> set[str]:
    return {each.code for each in report.differences}


def test_an_untouched_store_is_intact(full: World) -> None:
    report = full.fsck(full.checkpoint())
    assert report.is_intact, report.differences
    assert report.as_error() is None
    assert dict(report.counts) == {
        "entries": 12,
        "openings": 12,
        "messages": 9,
        "receipts": 9,
        "payloads": 9,
        "deliveries": 18,
        "links": 0,
        "sender_ids": 9,
        "search": 9,
    }


def test_an_empty_store_is_intact(world: World) -> None:
    assert world.fsck(world.checkpoint()).is_intact


def test_later_entries_do_not_contradict_an_older_checkpoint(full: World) -> None:
    checkpoints = [full.checkpoint()]
    for number in range(5):
        full.append(*(draft(n) for n in range(number)))
        checkpoints.append(full.checkpoint())
    assert all(full.fsck(each).is_intact for each in checkpoints)


def test_more_than_one_page_is_read(sqlite_world: World) -> None:
    sqlite_world.append(*(draft(n) for n in range(CHUNK + 7)))
    report = sqlite_world.fsck(sqlite_world.checkpoint())
    assert report.is_intact
    assert report.counts["entries"] == CHUNK + 7


def test_it_runs_beside_a_hub_that_writes(full: World) -> None:
    committer = Committer(full.store, full.journal)
    committer.start()
    done = threading.Event()
    reports: list[FsckReport] = []

    def look() -> None:
        while not done.is_set():
            reports.append(full.fsck())

    looking = threading.Thread(target=look)
    looking.start()
    for number in range(COUNT, COUNT + 60):
        committer.submit(lambda tx, n=number: full.accept(tx, n)).result(10)  # type: ignore[misc]
    done.set()
    looking.join()
    committer.stop()
    assert reports
    assert all(report.is_intact for report in reports)


def change(table: Table, where: Any, **values: Any) -> Tamper:
    return lambda _, conn: conn.execute(update(table).where(where).values(values))


def drop(table: Table, where: Any) -> Tamper:
    return lambda _, conn: conn.execute(delete(table).where(where))


def flip(table: Table, column: str, where: Any) -> Tamper:
    """One bit of a column of bytes."""

    def apply(_: World, conn: Connection) -> None:
        data = bytearray(conn.execute(select(table.c[column]).where(where)).scalar_one())
        data[len(data) // 2] ^= 1
        conn.execute(update(table).where(where).values({column: bytes(data)}))

    return apply


def swap(table: Table, key: str, one: Any, two: Any, *columns: str) -> Tamper:
    """Exchanges columns of two rows, by way of a third value where they are unique."""

    def apply(_: World, conn: Connection) -> None:
        first = conn.execute(select(table).where(table.c[key] == one)).one()._asdict()
        second = conn.execute(select(table).where(table.c[key] == two)).one()._asdict()
        conn.execute(delete(table).where(table.c[key] == two))
        conn.execute(update(table).where(table.c[key] == one).values({name: second[name] for name in columns}))
        conn.execute(insert(table).values({**second, **{name: first[name] for name in columns}}))

    return apply


def delete_entry(index: int) -> Tamper:
    def apply(_: World, conn: Connection) -> None:
        conn.execute(delete(openings).where(openings.c.index == index))
        conn.execute(delete(entries).where(entries.c.index == index))

    return apply


def edit_leaf(index: int, *, rehash: bool) -> Tamper:
    def apply(_: World, conn: Connection) -> None:
        leaf = conn.execute(select(entries.c.leaf).where(entries.c.index == index)).scalar_one()
        forged = leaf.replace(b"2026-11-21", b"2026-11-20")
        values = {"leaf": forged, "leaf_hash": leaf_hash(forged)} if rehash else {"leaf": forged}
        conn.execute(update(entries).where(entries.c.index == index).values(values))

    return apply


def insert_entry(world: World, conn: Connection) -> None:
    """A further entry behind the head's back."""
    row = conn.execute(select(entries).where(entries.c.index == 3)).one()
    conn.execute(insert(entries).values(index=12, leaf=row.leaf, leaf_hash=row.leaf_hash))


def edit_opening(index: int) -> Tamper:
    def apply(_: World, conn: Connection) -> None:
        body = json.loads(conn.execute(select(openings.c.body).where(openings.c.index == index)).scalar_one())
        body["message_id"]["value"] = str(uuid4())
        encoded = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
        conn.execute(update(openings).where(openings.c.index == index).values(body=encoded))

    return apply


def forge_receipt(world: World, conn: Connection) -> None:
    """Well signed, by a key that is not the hub's."""
    row = conn.execute(select(messages).where(messages.c.id == MESSAGE)).one()
    receipt = {k: v for k, v in json.loads(row.receipt).items() if k != "signature"}
    forged = sign_receipt(receipt, Ed25519PrivateKey.generate(), world.ring.receipt().id)
    conn.execute(update(messages).where(messages.c.id == MESSAGE).values(receipt=forged))


def swap_bytes_and_digest(world: World, conn: Connection) -> None:
    """Another packet in place of the one received, encrypted and addressed as it should be."""
    raw = b"<edXML>forged</edXML>"
    sealed = world.payloads.seal(MESSAGE, raw)
    conn.execute(delete(message_keys).where(message_keys.c.message_id == MESSAGE))
    conn.execute(delete(payloads).where(payloads.c.message_id == MESSAGE))
    world.payloads.put(conn, sealed)


def swap_bytes_and_digest_everywhere(world: World, conn: Connection) -> None:
    swap_bytes_and_digest(world, conn)
    digest = sha256(b"<edXML>forged</edXML>").digest()
    conn.execute(update(messages).where(messages.c.id == MESSAGE).values(raw_digest=digest))
    conn.execute(update(sender_ids).where(sender_ids.c.message_id == MESSAGE).values(raw_digest=digest))


def delete_message(_: World, conn: Connection) -> None:
    for table in (deliveries, links, sender_ids, payloads, message_keys):
        conn.execute(delete(table).where(table.c.message_id == MESSAGE))
    conn.execute(delete(messages).where(messages.c.id == MESSAGE))


def invent_message(_: World, conn: Connection) -> None:
    row = conn.execute(select(messages).where(messages.c.id == MESSAGE)).one()._asdict()
    conn.execute(insert(messages).values({**row, "id": uuid4(), "index": 1000}))


def invent_delivery(_: World, conn: Connection) -> None:
    row = conn.execute(select(deliveries).where(DELIVERY)).one()._asdict()
    conn.execute(insert(deliveries).values({**row, "id": uuid4(), "recipient": "H99"}))


MESSAGE, OTHER = message_id(4), message_id(5)
DELIVERY, DELIVERED = copy_of(4, 0), copy_of(3, 0)
# A sentence → what is done, and a code that fsck must name without knowing any older checkpoint.
TAMPERINGS: dict[str, tuple[str, Tamper]] = {
    "an entry deleted in the middle": ("journal-gap", delete_entry(5)),
    "the first entry deleted": ("journal-gap", delete_entry(0)),
    "the last entry deleted": ("head-mismatch", delete_entry(11)),
    "a leaf edited": ("leaf-changed", edit_leaf(5, rehash=False)),
    "a leaf edited, its hash made to fit": ("head-mismatch", edit_leaf(5, rehash=True)),
    "a bit of a leaf flipped": ("leaf-changed", flip(entries, "leaf", entries.c.index == 5)),
    "a leaf hash edited": ("leaf-changed", flip(entries, "leaf_hash", entries.c.index == 5)),
    "two entries exchanged": ("head-mismatch", swap(entries, "index", 4, 5, "leaf", "leaf_hash")),
    "an entry added": ("head-mismatch", insert_entry),
    "the head set back": ("head-mismatch", change(log_head, text("1=1"), size=11)),
    "the frontier changed": ("head-mismatch", flip(log_head, "frontier", text("1=1"))),
    "the head deleted": ("head-mismatch", drop(log_head, text("1=1"))),
    "the log renamed": ("journal-origin", change(log_head, text("1=1"), origin="hub.test/another")),
    "an opening deleted": ("opening-changed", drop(openings, openings.c.index == 5)),
    "an opening emptied without a record": ("opening-changed", change(openings, openings.c.index == 5, body=None)),
    "an opened value edited": ("opening-changed", edit_opening(5)),
    "a bit of an opening flipped": ("opening-changed", flip(openings, "body", openings.c.index == 5)),
    "two openings exchanged": ("opening-changed", swap(openings, "index", 4, 5, "body")),
    "the event beside an opening edited": ("opening-changed", change(openings, openings.c.index == 5, event="refused")),
    "the time beside an opening edited": ("opening-changed", change(openings, openings.c.index == 5, at="2026-11-20T00:00:00.000000Z")),
    "an opening moved to another message": ("opening-changed", change(openings, openings.c.index == 5, message_id=uuid4())),
    "a message deleted with all it has": ("message-changed", delete_message),
    "a message invented": ("message-changed", invent_message),
    "a message's sender edited": ("message-changed", change(messages, messages.c.id == MESSAGE, sender="H99", sender_key="H99")),
    "a message's verdict edited": ("message-changed", change(messages, messages.c.id == MESSAGE, verdict='{"verdict":"invalid"}')),
    "a message's verdict spoilt": ("message-changed", change(messages, messages.c.id == MESSAGE, verdict="{")),
    "a message's digest edited": ("message-changed", flip(messages, "raw_digest", messages.c.id == MESSAGE)),
    "a message moved to another index": ("message-changed", change(messages, messages.c.id == MESSAGE, index=500)),
    "two messages' indexes exchanged": ("message-changed", swap(messages, "id", MESSAGE, OTHER, "index")),
    "a sender's id bound to other bytes": ("message-changed", flip(sender_ids, "raw_digest", sender_ids.c.message_id == MESSAGE)),
    "a receipt edited": ("receipt-changed", flip(messages, "receipt", messages.c.id == MESSAGE)),
    "two receipts exchanged": ("receipt-changed", swap(messages, "id", MESSAGE, OTHER, "receipt")),
    "a receipt signed by another key": ("receipt-changed", forge_receipt),
    "a payload deleted": ("payload-damaged", drop(payloads, payloads.c.message_id == MESSAGE)),
    "a payload edited": ("payload-damaged", flip(payloads, "body", payloads.c.message_id == MESSAGE)),
    "two payloads exchanged": ("payload-damaged", swap(payloads, "message_id", MESSAGE, OTHER, "body", "digest", "size")),
    "another payload, well encrypted": ("payload-damaged", swap_bytes_and_digest),
    "another payload, and its digest in the rows": ("message-changed", swap_bytes_and_digest_everywhere),
    "a key destroyed without a record": ("payload-damaged", change(message_keys, message_keys.c.message_id == MESSAGE, wrapped=None)),
    "a delivery deleted": ("delivery-changed", drop(deliveries, DELIVERY)),
    "a delivery invented": ("delivery-changed", invent_delivery),
    "a delivery's system edited": ("delivery-changed", change(deliveries, DELIVERY, system="elsewhere")),
    "a delivery called delivered that was not": ("delivery-changed", change(deliveries, DELIVERY, state="delivered")),
    "a delivered one called queued": ("delivery-changed", change(deliveries, DELIVERED, state="queued")),
    "a delivered one called refused": ("delivery-changed", change(deliveries, DELIVERED, state="refused")),
}


def tamper(world: World, how: Tamper) -> None:
    with world.store.write() as conn:
        if world.store.dialect == "sqlite":
            conn.execute(text("PRAGMA defer_foreign_keys=ON"))
        how(world, conn)


@pytest.mark.parametrize(("code", "how"), TAMPERINGS.values(), ids=TAMPERINGS.keys())
def test_tampering_is_found(tampered: World, code: str, how: Tamper) -> None:
    tamper(tampered, how)
    report = tampered.fsck()
    assert code in codes(report), report.differences
    assert report.found >= len(report.differences) > 0
    fault = report.as_error()
    assert fault is not None
    assert report.differences[0].path in str(fault)


@pytest.mark.parametrize("how", [edit_leaf(5, rehash=True), delete_entry(11), edit_opening(5)], ids=["edit", "truncate", "opening"])
def test_tampering_is_found_on_both_databases(full: World, how: Tamper) -> None:
    with full.store.write() as conn:
        how(full, conn)
    assert not full.fsck().is_intact


def rewrite(world: World, conn: Connection) -> None:
    """What somebody with the database can do at best: make the head fit the entries."""
    frontier = Frontier()
    for leaf in conn.execute(select(entries.c.leaf).order_by(entries.c.index)).scalars().all():
        frontier.append(leaf_hash(leaf))
    conn.execute(update(log_head).values(size=frontier.size, frontier=frontier.to_bytes()))


def truncate(world: World, conn: Connection) -> None:
    """Back to four entries, with everything that belongs to the later ones."""
    later = select(messages.c.id).where(messages.c.index >= 4)
    for table in (deliveries, links, sender_ids, payloads, message_keys):
        conn.execute(delete(table).where(table.c.message_id.in_(later)))
    conn.execute(delete(messages).where(messages.c.index >= 4))
    conn.execute(delete(search).where(search.c.position >= 4))
    if world.store.dialect == "sqlite":
        conn.execute(text("INSERT INTO search_terms(search_terms) VALUES ('rebuild')"))
    conn.execute(delete(openings).where(openings.c.index >= 4))
    conn.execute(delete(entries).where(entries.c.index >= 4))
    rewrite(world, conn)


def fork(world: World, conn: Connection) -> None:
    """Truncated, then grown again past the old size, with the hub's own keys."""
    truncate(world, conn)
    world.journal.append(conn, [draft(n) for n in range(20)])


REWRITINGS: dict[str, Tamper] = {"rolled back": truncate, "forked": fork}


@pytest.mark.parametrize("how", REWRITINGS.values(), ids=REWRITINGS.keys())
def test_a_consistent_lie_is_found_by_an_older_checkpoint(full: World, how: Tamper) -> None:
    kept = full.checkpoint()
    with full.store.write() as conn:
        how(full, conn)
    assert full.fsck().is_intact  # nothing inside the store can tell
    assert codes(full.fsck(kept)) == {"checkpoint-mismatch"}


def test_a_rewritten_entry_contradicts_receipts_and_checkpoint(tampered: World) -> None:
    kept = tampered.checkpoint()
    tamper(tampered, edit_leaf(0, rehash=True))
    tamper(tampered, rewrite)
    assert {"receipt-changed", "checkpoint-mismatch"} <= codes(tampered.fsck(kept))


def test_a_restored_backup_is_found_by_an_older_checkpoint(sqlite_world: World, ring: Keyring, tmp_path: Path) -> None:
    sqlite_world.fill(3)
    with (
        closing(sqlite3.connect(str(sqlite_world.store.url.database))) as live,
        closing(sqlite3.connect(tmp_path / "backup.sqlite")) as copy,
    ):
        live.backup(copy)
    sqlite_world.fill(3, first=3)
    kept = sqlite_world.checkpoint()
    restored = World(open_store(f"sqlite:///{tmp_path}/backup.sqlite", create=False), ring, sqlite_world.payloads.folder)
    assert restored.fsck().is_intact
    assert codes(restored.fsck(kept)) == {"checkpoint-mismatch"}
    restored.store.close()


def test_a_checkpoint_of_a_stranger_is_refused(full: World) -> None:
    stranger = Journal(JournalKeys(full.ring.parties(), (Ed25519PrivateKey.generate(),)), ORIGIN)
    with full.store.read() as conn:
        note = stranger.checkpoint(conn)
    for bad in (note, b"", b"not a note", os.urandom(100)):
        with pytest.raises(Refused, match="note-invalid"):
            full.fsck(bad)


def test_an_erasure_that_is_journalled_is_no_difference(full: World) -> None:
    with full.store.write() as conn:
        left = destroy(conn, MESSAGE, [b"tag"])
        full.journal.append(conn, [draft(1, "erased", message_id=str(MESSAGE), tombstones=[b"tag".hex()], left=left)])
        conn.execute(update(openings).where(openings.c.event == "erased").values(message_id=MESSAGE))
    assert (report := full.fsck()).counts["erased"] == 3 and report.is_intact, report.differences


def test_a_delivery_that_is_driven_again_is_open_again(full: World) -> None:
    for state in ("parked", "queued"):
        with full.store.write() as conn:
            tx = Transaction(conn, full.journal)
            full.settle(tx, 4, 0, state)
            tx._finish()
        report = full.fsck()
        assert report.is_intact, report.differences


def test_all_differences_are_counted_and_the_first_hundred_listed(sqlite_world: World) -> None:
    sqlite_world.append(*(draft(n) for n in range(150)))
    with sqlite_world.store.write() as conn:
        conn.execute(update(openings).values(event="other"))
    report = sqlite_world.fsck()
    assert (report.found, len(report.differences)) == (150, 100)
    assert report.differences[0].path == "openings/0"
    assert report.as_json()["found"] == 150


def test_payloads_can_be_left_out(full: World) -> None:
    with full.store.write() as conn:
        conn.execute(update(payloads).values(body=b""))
    quick = fsck(full.store, FsckKeys(full.ring.log_verifiers(ORIGIN), full.ring.public("receipt"), None))
    assert quick.is_intact
    assert "payloads" not in quick.counts
    assert not full.fsck().is_intact
