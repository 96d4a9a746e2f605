"""fsck on the store of a real hub that has done all it can do: intact as it is, and not intact once any column says something else."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import LargeBinary, Table, Uuid, create_engine, select

from adapters.contract import AgencyInDoubt, AgencyUnavailable
from hub.keys import Keyring
from hub.redrive import Decision, decide, stuck
from hub.status import report
from replay.findings import FsckReport
from replay.fsck import FsckKeys, fsck
from replay.payloads import PayloadStore
from replay.store.engine import open_store
from replay.store.tables import (
    deliveries,
    entries,
    holds,
    links,
    log_head,
    messages,
    metadata,
    openings,
    search,
    sender_ids,
    tombstones,
)
from schemas.errors import Refused
from signing.sign import sign_receipt
from tests.hub.stage import DATDAI, MOTCUA, PROFILES, QLVB, Stage, open_stage, profile
from tests.packets import document, in_csharp_order, recall, replacement, status, update

DOC = "H32.01,2026/03/02,{}/X"
NHANH = "H32.07"  # takes canonical JSON
WITH_TRANSLATION = {**PROFILES, "nhanh": profile([NHANH], "recorder", delivery='format = "canonical.document"')}


@dataclass(frozen=True)
class Kept:
    """A store that a hub has left, and what to check it with."""

    home: Path
    origin: str

    @property
    def database(self) -> Path:
        return self.home / "data" / "hub.sqlite"

    def fsck(self, database: Path | None = None) -> FsckReport:
        ring = Keyring.load(self.home / "keys")
        store = open_store(f"sqlite:///{database or self.database}", create=False)
        kept = PayloadStore(ring.master(), self.home / "data" / "payloads")
        try:
            return fsck(store, FsckKeys(ring.log_verifiers(self.origin), ring.public("receipt"), kept))
        finally:
            store.close()


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Kept:
    """What a hub leaves that was asked for everything it does."""
    home = tmp_path_factory.mktemp("hub") / "home"
    stage = open_stage(home, profiles=WITH_TRANSLATION)
    stage.hub.start()
    try:
        _documents(stage)
        _answers(stage)
        _troubles(stage)
        _erasures(stage)
    finally:
        stage.hub.stop()
    return Kept(home, stage.hub.settings.origin)


def _documents(stage: Stage) -> None:
    """New, again under a key, by a second route, updated, replaced, recalled; refused; in conflict; of many bytes."""
    raw = document(MOTCUA, (QLVB, DATDAI), document_id=DOC.format(1))
    first = stage.send(raw, charset="utf-8")
    assert stage.send(raw, key="k-1").body == first.body
    second = stage.send(in_csharp_order(raw), "truc")
    assert stage.states(second.message_id) == {QLVB: "cancelled", DATDAI: "cancelled"}
    stage.send(update(DOC.format(1), (QLVB,), MOTCUA), key="k-2")
    stage.send(replacement(DOC.format(1), DOC.format(2), MOTCUA))
    translated = stage.send(document(MOTCUA, (NHANH,), document_id=DOC.format(9)))
    stage.settle(translated.message_id, H32_07="delivered")
    held = stage.send(document(MOTCUA, (DATDAI,), document_id=DOC.format(4)))
    stage.send(recall(MOTCUA, (DATDAI,), DOC.format(4)))
    assert stage.states(held.message_id) == {DATDAI: "cancelled"}
    for bad in (document(MOTCUA, ("H01.99",)), document("H99", (QLVB,)), b"<edXML>"):
        with pytest.raises(Refused):
            stage.send(bad)
    with pytest.raises(Refused, match="id-conflict"):
        stage.send(document(MOTCUA, (QLVB,), document_id=DOC.format(5)), key="k-1")


def _answers(stage: Stage) -> None:
    """Fetched, acknowledged with and without that, refused by the receiver; statuses, one of them composed by the hub."""
    caller, clock = stage.principal("datdai"), stage.hub.clock
    for number in (6, 7, 8):
        stage.send(document(MOTCUA, (DATDAI,), document_id=DOC.format(number)))
    items = stage.hub.mailbox.pending(caller)[0]
    stage.hub.mailbox.fetch(caller, items[0].delivery_id, at=clock())
    stage.hub.mailbox.acknowledge(caller, items[0].delivery_id, at=clock()).result()
    stage.hub.mailbox.acknowledge(caller, items[1].delivery_id, at=clock()).result()
    stage.hub.mailbox.acknowledge(caller, items[2].delivery_id, at=clock(), refused_reason="sai nơi nhận").result()
    stage.hub.mailbox.fetch(caller, items[-1].delivery_id, at=clock())
    report(stage.hub, caller, items[0].delivery_id, code="03", description="Đã tiếp nhận", staff={}, at=clock()).result()
    stage.send(status(QLVB, MOTCUA, DOC.format(1), code="03"), "qlvb")
    stage.send(status(MOTCUA, QLVB, DOC.format(1), code="13", description="Lấy lại"))


def _troubles(stage: Stage) -> None:
    """Tried again; in doubt and decided; parked for good."""
    qlvb = stage.systems["qlvb"]
    stage.wait_for(lambda: not _under_way(stage))
    qlvb.answers.append(AgencyUnavailable("agency-unavailable", got="test"))
    again = stage.send(document(MOTCUA, (QLVB,), document_id=DOC.format(10)))
    stage.settle(again.message_id, H32_02="delivered")
    for number, decision in ((11, Decision.RETRY), (12, Decision.ARRIVED), (13, Decision.GIVE_UP), (14, None)):
        qlvb.answers.append(AgencyInDoubt("agency-in-doubt", got="test"))
        sent = stage.send(document(MOTCUA, (QLVB,), document_id=DOC.format(number)))
        stage.settle(sent.message_id, H32_02="in_doubt")
        if decision is not None:
            one = next(each for each in stuck(stage.hub.store) if each.message_id == sent.message_id)
            assert qlvb.answers == []
            stage.hub.committer.submit(
                lambda tx, d=decision, i=one.delivery_id: decide(tx, i, d, "đã hỏi", stage.hub.clock(), by="ai")  # type: ignore[misc]
            ).result()
        stage.wait_for(lambda: not _under_way(stage))


def _erasures(stage: Stage) -> None:
    """One erased, one held, one no longer."""
    gone, held, free = (stage.send(document(MOTCUA, (QLVB,), document_id=DOC.format(number))).message_id for number in (20, 21, 22))
    stage.wait_for(lambda: not _under_way(stage))
    eraser, at = stage.hub.eraser, stage.hub.clock()
    for one in (held, free):
        eraser.hold(one, by="thanh tra", reason="đang thanh tra", at=at)
    eraser.release(free, by="thanh tra", reason="đã kết luận", at=at)
    eraser.erase(gone, by="văn thư", reason="hết thời hạn lưu", at=at)


def _under_way(stage: Stage) -> bool:
    at_work = select(deliveries.c.id).where(deliveries.c.system == "qlvb", deliveries.c.state.in_(("queued", "delivering", "deferred")))
    with stage.hub.store.read() as conn:
        return conn.execute(at_work).first() is not None


def test_what_a_hub_leaves_is_intact(kept: Kept) -> None:
    report = kept.fsck()
    assert report.is_intact, report.as_json()
    assert all(report.counts[name] >= 4 for name in ("entries", "messages", "deliveries", "links", "sender_ids")), report.counts
    engine = create_engine(f"sqlite:///{kept.database}")
    with engine.connect() as conn:
        events = set(conn.execute(select(openings.c.event)).scalars())
        states = set(conn.execute(select(deliveries.c.state)).scalars())
        found = conn.execute(select(messages)).all()
        later = conn.execute(select(sender_ids).where(sender_ids.c.sender_id == "key:k-1")).all()
        composed = conn.execute(select(messages.c.id).join(sender_ids).where(sender_ids.c.raw_digest != messages.c.raw_digest)).all()
    engine.dispose()
    assert events == {"accepted", "artefact", "refused", "conflict", "duplicate-key", "delivery", "translated", "erased", "hold", "fetched"}
    assert states >= {"delivered", "refused", "cancelled", "in_doubt", "delivering"}
    assert later and composed and any(row.about for row in found) and any(row.second_route_of for row in found)


# State of work, which the journal does not speak of: it says nothing of what was exchanged, and changes from hour to hour.
OPEN = "('pending', 'queued', 'delivering', 'deferred')"
WORKING_STATE = {deliveries.c.due_at, deliveries.c.lease_until, deliveries.c.detail, deliveries.c.attempt}
CHECKED = [
    column
    for table in (messages, links, sender_ids, deliveries, entries, openings, log_head, search, holds, tombstones)
    for column in table.c
    if column not in WORKING_STATE and column is not log_head.c.id
]


@pytest.fixture
def database(kept: Kept, tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """A copy of the store for whoever has the file; nothing keeps him from writing what he likes."""
    shutil.copy(kept.database, tmp_path / "copy.sqlite")
    with closing(sqlite3.connect(tmp_path / "copy.sqlite", isolation_level=None)) as connection:
        yield connection


def other(value: Any, column: Any) -> Any:
    """A value of the same kind that is another one."""
    if isinstance(column.type, Uuid):
        return uuid4().hex
    if isinstance(column.type, LargeBinary):
        return bytes([value[0] ^ 1]) + value[1:] if value else b"x"
    return value + 1 if isinstance(value, int) else f"{value}x"


EDITS: dict[str, Callable[[Any, Any], Any]] = {
    "another value": other,
    "nonsense": lambda value, column: "x",
    "bytes": lambda value, column: b"\xff\x00",
    "a number": lambda value, column: -7,
    "nothing": lambda value, column: None if column.nullable else b"" if isinstance(column.type, LargeBinary) else "",
}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS.keys())
@pytest.mark.parametrize("column", CHECKED, ids=[f"{column.table.name}.{column.name}" for column in CHECKED])
def test_a_column_that_says_something_else_is_found(
    kept: Kept, database: sqlite3.Connection, tmp_path: Path, column: Any, edit: Callable[[Any, Any], Any]
) -> None:
    """In every row by turns would take long: the first, the middle and the last; of what no column should hold, the middle."""
    name = f'"{column.table.name}"."{column.name}"'
    which = f"WHERE state NOT IN {OPEN}" if column is deliveries.c.updated_at else ""  # of one under way it is state of work
    rows = database.execute(f'SELECT rowid, {name} FROM "{column.table.name}" {which} ORDER BY {name}, rowid').fetchall()
    changed = 0
    for rowid, value in (rows[0], rows[len(rows) // 2], rows[-1]) if edit is other else rows[len(rows) // 2 :][:1]:
        changed_to = edit(value, column)
        if changed_to == value:
            continue
        database.execute("BEGIN")
        try:
            database.execute(f'UPDATE "{column.table.name}" SET "{column.name}" = ? WHERE rowid = ?', (changed_to, rowid))
        except sqlite3.IntegrityError:
            database.execute("ROLLBACK")
            continue
        database.execute("COMMIT")
        changed += 1
        found = kept.fsck(tmp_path / "copy.sqlite")
        assert not found.is_intact, (name, value, changed_to)
        database.execute(f'UPDATE "{column.table.name}" SET "{column.name}" = ? WHERE "{column.name}" IS ?', (value, changed_to))
    assert changed or edit is not other


# What no entry of these tests speaks of, or what is state of work only; people's accounts: tests/replay/test_persons.py; the tree
# above the leaves: tests/replay/test_published.py; all others, replays and sessions too: tests/tamper.
# These hubs verify no signature, so `evidence` and `verifications` are empty.
WORK = {"sessions", "login_attempts", "replays", "replay_items", "replay_approvals", "replay_typed", "delivery_keys"}
ELSEWHERE = {"schema_version", "persons", "tree_nodes", "checkpoints", "cosignatures", "evidence", "verifications", *WORK}


@pytest.mark.parametrize("table", [table for table in metadata.sorted_tables if table.name not in ELSEWHERE], ids=lambda t: t.name)
def test_a_row_that_is_gone_is_found(kept: Kept, database: sqlite3.Connection, tmp_path: Path, table: Table) -> None:
    database.execute(f'DELETE FROM "{table.name}" WHERE rowid = (SELECT max(rowid) FROM "{table.name}")')
    assert not kept.fsck(tmp_path / "copy.sqlite").is_intact


def test_fewer_attempts_than_were_journalled_are_found(kept: Kept, database: sqlite3.Connection, tmp_path: Path) -> None:
    database.execute("UPDATE deliveries SET attempt = attempt - 1 WHERE attempt > 1")
    assert {each.path.rpartition("/")[2] for each in kept.fsck(tmp_path / "copy.sqlite").differences} == {"attempt"}


def test_an_id_that_nobody_bound_is_found(kept: Kept, database: sqlite3.Connection, tmp_path: Path) -> None:
    database.execute("INSERT INTO sender_ids SELECT principal, 'key:invented', message_id, raw_digest FROM sender_ids LIMIT 1")
    assert not kept.fsck(tmp_path / "copy.sqlite").is_intact


def test_a_link_that_nobody_made_is_found(kept: Kept, database: sqlite3.Connection, tmp_path: Path) -> None:
    database.execute("INSERT INTO links SELECT message_id, 'invents', document_key, document_id, target FROM links LIMIT 1")
    assert not kept.fsck(tmp_path / "copy.sqlite").is_intact


def put(**values: Any) -> Callable[[dict[str, Any]], object]:
    return lambda receipt: receipt.update(values)


def without(name: str) -> Callable[[dict[str, Any]], object]:
    return lambda receipt: receipt.pop(name)


RECEIPTS: dict[str, Callable[[dict[str, Any]], object]] = {
    **{f"another {name}": put(**{name: "x"}) for name in ("document_id", "kind", "sender", "verdict", "legal_value")},
    "another time": put(accepted_at="2026-01-01T00:00:00.000000Z"),
    "another log": put(origin="another/log"),
    "another version": put(v=2),
    "a version of another kind": put(v=True),
    "a recipient more": lambda one: one["recipients"].append("H99"),
    "a recipient less": lambda one: one["recipients"].pop(),
    "another digest": put(raw_sha256="00" * 32),
    "another leaf": put(leaf_hash="AAAA"),
    "another index": lambda one: one.update(index=one["index"] + 1),
    "another message": put(message_id=str(uuid4())),
    "a field more": put(note="x"),
    **{f"no {name}": without(name) for name in ("document_id", "verdict", "recipients", "accepted_at", "origin", "v")},
}


@pytest.mark.parametrize("edit", RECEIPTS.values(), ids=RECEIPTS.keys())
def test_a_receipt_that_the_hub_itself_signed_anew_is_found(
    kept: Kept, database: sqlite3.Connection, tmp_path: Path, edit: Callable[[dict[str, Any]], object]
) -> None:
    rowid, body = database.execute("SELECT rowid, receipt FROM messages ORDER BY rowid LIMIT 1").fetchone()
    receipt = {name: value for name, value in json.loads(body).items() if name not in ("signature", "key_id")}
    edit(receipt)
    key = Keyring.load(kept.home / "keys").receipt()
    database.execute("UPDATE messages SET receipt = ? WHERE rowid = ?", (sign_receipt(receipt, key.private, key.id), rowid))
    found = kept.fsck(tmp_path / "copy.sqlite")
    assert {each.code for each in found.differences} == {"receipt-changed"}
