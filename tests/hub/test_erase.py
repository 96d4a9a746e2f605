"""An erased message is gone everywhere, every proof still holds, and whoever is killed or restored in between finishes it."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, text, update

from hub.erase import Eraser
from hub.erasures import Erasure, ErasuresFile
from hub.keys import Keyring
from hub.retention import due, rule_for, run
from hub.settings import RetentionRule
from replay.entry import open_entry
from replay.fsck import FsckKeys, fsck
from replay.proof import check_proof
from replay.store.tables import deliveries, entries, holds, messages, metadata, openings, payloads, tombstones
from schemas.edxml.packing import File
from schemas.errors import Halted, Refused
from tests.hub.stage import DATDAI, MOTCUA, PROFILES, QLVB, Stage, open_stage
from tests.packets import document, status
from tests.replay.conftest import postgres_url as postgres_url  # noqa: PLC0414 - a fixture

ROOT = Path(__file__).parents[2]
LARGE = b"".join(sha256(b"%d" % n).digest() for n in range(10_000))  # nothing compresses it
NUMBER, NAME, KEY = "7781-QZX", "Nguyễn Thị Quỳnhxyz", "khoaquynhxyz"
DOC = f"{MOTCUA},2026/03/02,{NUMBER}/UBQW"
SUBJECT = f"V/v giải quyết hồ sơ của bà {NAME} tại phường Zzyzx"
PRIVATE = (NUMBER, NAME, "Quỳnhxyz", "quynhxyz", "zzyzx", "Zzyzx", "UBQW", KEY)  # as written, and as the search folds it


def packet(document_id: str = DOC, subject: str = SUBJECT, to: tuple[str, ...] = (QLVB, DATDAI), content: bytes = b"x") -> bytes:
    return document(MOTCUA, to, document_id, subject=subject, attachments=(File(f"Đơn của {NAME}.bin", content),))


def delivered(stage: Stage, raw: bytes, key: str = "") -> UUID:
    """Sent, delivered, fetched and acknowledged; nothing is left to do."""
    sent = stage.send(raw, key=key)
    stage.settle(sent.message_id, H32_02="delivered")
    caller = stage.principal("datdai")
    for item in stage.hub.mailbox.pending(caller)[0]:
        if item.message_id == sent.message_id:
            stage.hub.mailbox.fetch(caller, item.delivery_id, at=stage.hub.clock())
            stage.hub.mailbox.acknowledge(caller, item.delivery_id, at=stage.hub.clock()).result()
    return sent.message_id


def erase(stage: Stage, message_id: UUID) -> int | None:
    return stage.hub.eraser.erase(message_id, by="văn thư", reason="theo quyết định 12", at=stage.hub.clock()).index


def found_in(folder: Path) -> dict[str, list[str]]:
    """Which of the private texts stand in which file below `folder`, whatever the file is: free pages and WAL included."""
    needles = {each.encode(): each for each in (*PRIVATE, *(each.upper() for each in PRIVATE))}
    hits = {
        str(path.relative_to(folder)): [name for needle, name in needles.items() if needle in path.read_bytes()]
        for path in folder.rglob("*")
        if path.is_file() and path.suffix != ".lock"
    }
    return {name: found for name, found in hits.items() if found}


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def either(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stage]:
    """A started hub on each database."""
    toml = "sweep_s = 0.1\n"
    if request.param == "postgresql":
        toml += f'store_url = "{request.getfixturevalue("postgres_url")}"\n'
    opened = open_stage(tmp_path / "home", hub_toml=toml)
    opened.hub.start()
    yield opened
    opened.hub.stop()


def _as_text(value: object) -> str:
    return bytes(value).decode("utf-8", "replace") if isinstance(value, (bytes, memoryview)) else str(value)


def rows_naming(stage: Stage) -> dict[str, int]:
    """How many rows of which table hold one of the private texts, asked of the database itself."""
    found = {}
    with stage.hub.store.read() as conn:
        for table in metadata.sorted_tables:
            rows = conn.execute(text(f'SELECT * FROM "{table.name}"')).all()
            told = [" ".join(map(_as_text, row)) for row in rows]
            count = sum(any(each in one for each in PRIVATE) for one in told)
            if count:
                found[table.name] = count
    return found


def test_nothing_is_left_and_every_proof_holds(either: Stage, tmp_path: Path) -> None:
    others = [delivered(either, document(MOTCUA, (QLVB, DATDAI), f"{MOTCUA},2026/03/02,{n}/VPUB")) for n in range(3)]
    mine = delivered(either, packet(content=LARGE), key=KEY)
    assert set(rows_naming(either)) >= {"messages", "openings", "sender_ids", "search"}
    with either.hub.store.read() as conn:
        before = either.hub.journal.checkpoint(conn)
        indexes = conn.execute(select(openings.c.index).where(openings.c.message_id == mine)).scalars().all()
        digest = conn.execute(select(payloads.c.digest).where(payloads.c.message_id == mine)).scalar_one()
    assert either.hub.payloads.path_of(digest).exists()

    assert erase(either, mine) is not None

    assert rows_naming(either) == {}
    assert not either.hub.payloads.path_of(digest).exists()
    with either.hub.store.read() as conn:
        with pytest.raises(Refused, match="payload-erased"):
            either.hub.payloads.get(conn, mine)
        keys = either.hub.keyring.log_verifiers(either.hub.settings.origin)
        for index in indexes:
            assert check_proof(either.hub.journal.prove(conn, index, disclose=True), keys).values is None
        both = select(entries.c.leaf, openings.c.body).join(openings, openings.c.index == entries.c.index)
        last = conn.execute(both.order_by(entries.c.index.desc()).limit(1)).one()
        assert open_entry(last.leaf, last.body)["by"] == "văn thư"
    either.check()
    checked = FsckKeys(keys, either.hub.keyring.public("receipt"), either.hub.payloads)
    assert fsck(either.hub.store, checked, before).is_intact
    for one in others:
        with either.hub.store.read() as conn:
            assert either.hub.payloads.get(conn, one)


def test_no_file_holds_a_trace(stage: Stage, tmp_path: Path) -> None:
    """Database with its free pages, WAL, payload files, and a backup made afterwards, read byte by byte while the hub runs."""
    for number in range(40):  # so that the full-text index has parts to merge, and pages have neighbours
        stage.send(document(MOTCUA, (DATDAI,), f"{MOTCUA},2026/03/02,{number}/VPUB", subject=f"Văn bản {number} về {number * 7}"))
    mine = delivered(stage, packet(), key=KEY)
    for number in range(40, 80):
        stage.send(document(MOTCUA, (DATDAI,), f"{MOTCUA},2026/03/02,{number}/VPUB", subject=f"Văn bản {number} về {number * 7}"))
    data = stage.hub.settings.data_folder
    assert found_in(data)
    erase(stage, mine)
    assert found_in(data) == {}
    with closing(sqlite3.connect(data / "hub.sqlite")) as live, closing(sqlite3.connect(tmp_path / "backup.sqlite")) as copy:
        live.backup(copy)
    assert found_in(tmp_path / "home") == {}
    assert b"quynhxyz" not in (tmp_path / "backup.sqlite").read_bytes()
    assert erase(stage, mine) is None  # once more is no other erasure
    stage.check()


def test_what_was_erased_is_not_taken_in_again(stage: Stage) -> None:
    raw = packet()
    mine = delivered(stage, raw, key=KEY)
    erase(stage, mine)
    for key in (KEY, "", "another"):
        with pytest.raises(Refused, match="message-erased"):
            stage.send(raw, key=key)
    assert stage.send(packet(DOC + "a"), key="new").message_id != mine
    with stage.hub.store.read() as conn:
        assert len(conn.execute(select(tombstones)).all()) == 2
    stage.check()


def test_what_must_not_be_erased(stage: Stage) -> None:
    mine, at = delivered(stage, packet()), stage.hub.clock()
    waiting = stage.send(document(MOTCUA, (DATDAI,), f"{MOTCUA},2026/03/02,9/VPUB")).message_id
    with pytest.raises(Refused, match="erase-undelivered"):
        erase(stage, waiting)
    with pytest.raises(Refused, match="unknown-entry"):
        erase(stage, uuid4())
    for reason in ("", "  ", "x" * 501, "hai\ndòng"):
        with pytest.raises(Refused, match="invalid-request"):
            stage.hub.eraser.erase(mine, by="ai", reason=reason, at=at)
    stage.hub.eraser.hold(mine, by="thanh tra", reason="đang thanh tra", at=at)
    with pytest.raises(Refused, match="erase-held"):
        erase(stage, mine)
    with pytest.raises(Refused, match="already-held"):
        stage.hub.eraser.hold(mine, by="thanh tra", reason="lần nữa", at=at)
    stage.hub.eraser.release(mine, by="thanh tra", reason="đã kết luận", at=at)
    with pytest.raises(Refused, match="not-held"):
        stage.hub.eraser.release(mine, by="thanh tra", reason="lần nữa", at=at)
    assert stage.hub.eraser.file.read() == ()
    erase(stage, mine)
    with pytest.raises(Refused, match="payload-erased"):
        stage.hub.eraser.hold(mine, by="thanh tra", reason="muộn", at=at)
    assert [one for one in stage.events() if one in ("hold", "erased")] == ["hold", "hold", "erased"]
    stage.check()


def test_messages_about_it_are_named(stage: Stage) -> None:
    mine = delivered(stage, packet())
    answer = stage.send(status(QLVB, MOTCUA, DOC), "qlvb").message_id
    done = stage.hub.eraser.erase(mine, by="văn thư", reason="quyết định", at=stage.hub.clock())
    assert done.related == (answer,)


def test_a_restored_backup_erases_again_before_it_serves(tmp_path: Path) -> None:
    """The backup has the message, a hold on it, and copies still to be delivered; a system must not get them any more."""
    home = tmp_path / "home"
    stage = open_stage(home)
    stage.hub.start()
    sent = stage.send(packet(to=(DATDAI,)))
    stage.hub.eraser.hold(sent.message_id, by="thanh tra", reason="tạm giữ", at=stage.hub.clock())
    with closing(sqlite3.connect(home / "data/hub.sqlite")) as live, closing(sqlite3.connect(tmp_path / "backup.sqlite")) as copy:
        live.backup(copy)
    published = stage.hub.settings.checkpoint_path
    with stage.hub.store.read() as conn:
        kept = stage.hub.journal.checkpoint(conn)
    stage.hub.eraser.release(sent.message_id, by="thanh tra", reason="xong", at=stage.hub.clock())
    item = stage.hub.mailbox.pending(stage.principal("datdai"))[0][0]
    stage.hub.mailbox.acknowledge(stage.principal("datdai"), item.delivery_id, at=stage.hub.clock()).result()
    erase(stage, sent.message_id)
    stage.hub.stop()

    for path in (home / "data").glob("hub.sqlite*"):
        path.unlink()
    shutil.copy(tmp_path / "backup.sqlite", home / "data/hub.sqlite")
    with pytest.raises(Halted, match="store-behind"):  # it is not served at all while something newer was published
        open_stage(home, fresh=False)
    assert found_in(home / "data") == {}  # and is not kept with what was erased while somebody looks for the newer one
    shutil.copy(tmp_path / "backup.sqlite", home / "data/hub.sqlite")
    published.write_bytes(kept)
    assert found_in(home / "data")
    restored = open_stage(home, fresh=False)
    try:
        assert found_in(home / "data") == {}
        assert restored.states(sent.message_id) == {DATDAI: "cancelled"}
        assert restored.hub.mailbox.pending(restored.principal("datdai"))[0] == ()
        restored.check()
    finally:
        restored.hub.start()
        restored.hub.stop()


KILLED_AT = {
    "before the decision is on disk": ("hub.erasures.ErasuresFile.add", False),
    "destroyed, not committed": ("hub.record.erased", True),
    "committed, not cleaned up": ("hub.erase.compact", True),
}
CHILD = """
import os, signal, sys
from importlib import import_module
from pathlib import Path
from typing import Any
from uuid import UUID
from tests.hub.stage import open_stage
home, message, where = sys.argv[1:]
module, _, name = where.rpartition(".")
owner = import_module("hub.erasures").ErasuresFile if module.endswith("ErasuresFile") else import_module(module)
setattr(owner, name, lambda *a, **k: os.kill(os.getpid(), signal.SIGKILL))
stage = open_stage(Path(home), fresh=False)
stage.hub.start()
stage.hub.eraser.erase(UUID(message), by="ai", reason="ly do", at=stage.hub.clock())
"""


@pytest.mark.parametrize(("where", "decided"), KILLED_AT.values(), ids=KILLED_AT.keys())
def test_a_killed_erasure_is_finished_at_the_next_start(tmp_path: Path, where: str, decided: bool) -> None:
    home = tmp_path / "home"
    stage = open_stage(home)
    stage.hub.start()
    mine = delivered(stage, packet())
    stage.hub.stop()
    child = subprocess.run([sys.executable, "-c", CHILD, str(home), str(mine), where], cwd=ROOT, check=False)
    assert child.returncode == -9
    again = open_stage(home, fresh=False)
    again.hub.start()
    try:
        if decided:
            assert rows_naming(again) == {}
            erase(again, mine)  # cleans up once more
            assert found_in(home / "data") == {}
        else:
            assert rows_naming(again)
            assert erase(again, mine) is not None
        again.check()
    finally:
        again.hub.stop()


def test_the_file_of_erasures_survives_a_torn_line_and_nothing_else(tmp_path: Path) -> None:
    file = ErasuresFile(tmp_path / "kept" / "erasures.jsonl")
    one, two = (Erasure(uuid4(), "2026-01-01T00:00:00.000000Z", "ai", "lý do") for _ in range(2))
    assert file.read() == ()
    file.add(one)
    with file.path.open("ab") as out:
        out.write(two.line()[:-5])
    assert file.read() == (one,)
    file.add(two)
    assert file.read() == (one, two)
    assert file.path.stat().st_mode & 0o077 == 0
    file.path.write_bytes(one.line() + b"{}\n")
    with pytest.raises(Halted, match="erasures-damaged"):
        file.read()


def test_what_cannot_be_written_down_is_not_erased(stage: Stage) -> None:
    """The decision has to be on disk first: where it cannot be, nothing is destroyed, and the hub goes on."""
    mine = delivered(stage, packet())
    file = stage.hub.settings.erasures_path
    file.mkdir()  # nobody writes into a folder, whatever their rights are
    with pytest.raises(Halted, match="erasures-damaged"):
        erase(stage, mine)
    file.rmdir()
    assert rows_naming(stage)
    with stage.hub.store.read() as conn:
        assert stage.hub.payloads.get(conn, mine)
    assert "erased" not in stage.events()
    assert erase(stage, mine) is not None
    stage.check()


TAMPERINGS: dict[str, Callable[[UUID], Any]] = {
    "a title put back": lambda mine: update(messages).where(messages.c.id == mine).values(title="x"),
    "a receipt put back": lambda mine: update(messages).where(messages.c.id == mine).values(receipt=b"{}"),
    "another sender": lambda mine: update(messages).where(messages.c.id == mine).values(sender="H99"),
    "a delivery's end changed": lambda mine: update(deliveries).where(deliveries.c.message_id == mine).values(state="refused"),
    "a hold that nobody set": lambda mine: holds.insert().values(message_id=mine, at="", by="", reason=""),
    "a tombstone gone": lambda mine: tombstones.delete(),
    "search terms put back": lambda mine: text("INSERT INTO search SELECT \"index\", ' wx ' FROM messages WHERE title = 'x'"),
}


def test_fsck_sees_that_an_erased_message_is_not_blank(stage: Stage) -> None:
    """One after the other, each is one difference more at least."""
    mine = delivered(stage, packet())
    erase(stage, mine)
    checked = FsckKeys(stage.hub.keyring.log_verifiers(stage.hub.settings.origin), stage.hub.keyring.public("receipt"), stage.hub.payloads)
    found = fsck(stage.hub.store, checked).found
    assert found == 0
    for name, how in TAMPERINGS.items():
        with stage.hub.store.write() as conn:
            conn.execute(how(mine))
        before, found = found, fsck(stage.hub.store, checked).found
        assert found > before, name


RULES = (
    RetentionRule(name="thường", keep_days=10, kinds=("document.*",)),
    RetentionRule(name="trạng thái", keep_days=5, kinds=("document.status",), since=date(2026, 1, 1)),
    RetentionRule(name="hỏa tốc", keep_days=100, priorities=("3",), since=date(2026, 6, 1)),
)
CLASSES = {
    "any document": ("document.new", "", "2025-01-01", "thường"),
    "a status before its rule": ("document.status", "", "2025-12-31", "thường"),
    "a status under its rule": ("document.status", "", "2026-01-01", "trạng thái"),
    "an urgent one before its rule": ("document.new", "3", "2026-05-31", "thường"),
    "an urgent one": ("document.new", "3", "2026-06-01", "hỏa tốc"),
    "something else": ("dossier.sync", "", "2026-06-01", None),
}


@pytest.mark.parametrize(("kind", "priority", "on", "expected"), CLASSES.values(), ids=CLASSES.keys())
def test_the_rule_of_a_class(kind: str, priority: str, on: str, expected: str | None) -> None:
    found = rule_for(RULES, kind, priority, date.fromisoformat(on))
    assert (found.name if found else None) == expected


def test_retention_erases_what_is_due_and_nothing_held_or_undelivered(tmp_path: Path) -> None:
    now = [datetime(2026, 3, 1, tzinfo=UTC)]
    stage = open_stage(tmp_path / "home", clock=lambda: now[0], profiles={**PROFILES})
    stage.hub.start()
    try:
        old, held = (delivered(stage, packet(f"{MOTCUA},2026/03/01,{n}/A")) for n in (1, 2))
        waiting = stage.send(document(MOTCUA, (DATDAI,), f"{MOTCUA},2026/03/01,3/A")).message_id
        stage.hub.eraser.hold(held, by="thanh tra", reason="giữ", at=now[0])
        now[0] += timedelta(days=11)
        young = delivered(stage, packet(f"{MOTCUA},2026/03/12,4/A"))
        eraser: Eraser = replace(stage.hub.eraser)
        assert [one.message_id for one in due(eraser, RULES, now[0])] == [old, held, waiting]
        assert list(due(eraser, (), now[0])) == []
        done = run(eraser, RULES, by="máy", at=now[0])
        assert [one.message_id for one in done.erased] == [old]
        assert [(one.message_id, code) for one, code in done.passed_over] == [(held, "erase-held"), (waiting, "erase-undelivered")]
        assert [one.message_id for one in due(eraser, RULES, now[0])] == [held, waiting]
        with stage.hub.store.read() as conn:
            assert stage.hub.payloads.get(conn, young)
        stage.check()
    finally:
        stage.hub.stop()


def test_every_table_about_messages_is_part_of_the_erasure() -> None:
    """Whoever adds a table that knows messages says here what an erasure does to it."""
    from replay.erasure import BLANK, GONE

    decided = {*BLANK, *(table.name for table in GONE), "openings", "tombstones", "replay_items"}
    knows = {table.name for table in metadata.sorted_tables if {"message_id", "document_id"} & set(table.c.keys())}
    assert knows - decided == set()


def test_keys_of_another_folder_recognise_nothing(tmp_path: Path) -> None:
    one, other = (Keyring.init(tmp_path / name).parties() for name in ("one", "other"))
    assert one.tombstone(b"x") != other.tombstone(b"x")
