"""The store that every case begins from: what a real hub leaves that was asked for all it does, small, held in memory.

A case changes the copy in memory inside a savepoint, which is rolled back after fsck has looked.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from hashlib import sha256
from http import HTTPStatus
from pathlib import Path
from random import Random
from tempfile import mkdtemp
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import create_engine
from sqlalchemy.engine import make_url
from sqlalchemy.pool import StaticPool

from adapters.contract import AgencyInDoubt
from hub import persons
from hub.demo.pki import build_pki
from hub.keys import Keyring
from hub.persons import Role
from hub.status import report as report_status
from replay.checkpoint import Checkpoint
from replay.cosigned import record_checkpoint, record_cosignature, record_stamp
from replay.entry import EntryDraft
from replay.findings import FsckReport
from replay.fsck import FsckKeys, fsck
from replay.job import JobState, Mode
from replay.journal import Journal
from replay.payloads import MAX_ROW_BYTES, PayloadStore
from replay.published import Published
from replay.selection import Query
from replay.store.engine import Store
from replay.witness import StateFile, Witness, logs_of, request_body
from schemas.edxml.packing import File
from schemas.errors import Refused
from schemas.message import rfc3339
from signing.cosignature import Cosigner
from signing.trust import LISTS
from tests.hub.people import CHEAP, PASSWORD, Staff
from tests.hub.replaying import approved, made, ran, run, start
from tests.hub.stage import DATDAI, MOTCUA, PROFILES, QLVB, Stage, open_stage, profile
from tests.packets import document, in_csharp_order, recall, update
from tests.signing.authority import openssl, serving
from tests.signing.signers import folder as signers_folder
from tests.signing.signers import world as signers

DOC = "H32.01,2026/03/02,{}/X"
NHANH = "H32.07"  # takes canonical JSON
WITH_TRANSLATION = {**PROFILES, "nhanh": profile([NHANH], "recorder", delivery='format = "canonical.document"')}
FULL_TILE = 256
LARGE = (40, 41)  # documents with more than a row holds
WITNESS = Cosigner("witness.test/one", Ed25519PrivateKey.from_private_bytes(b"w" * 32))


class _Held(sqlite3.Connection):
    """Ends no transaction unless told to in SQL: the pool that fsck's connection goes back to would roll the case back too early."""

    def rollback(self) -> None:
        """Nothing."""


@dataclass(frozen=True)
class Base:
    """A store in memory, and what to check it with."""

    db: sqlite3.Connection
    store: Store
    keys: FsckKeys
    ring: Keyring
    journal: Journal
    checkpoint: bytes  # of now, kept outside
    before: sqlite3.Connection  # the store before anything was erased
    files: Mapping[Path, bytes]  # of large payloads, as they were written
    witness: Witness  # that cosigned `checkpoint`

    def fsck(self, *, with_checkpoint: bool) -> FsckReport:
        """The whole check."""
        return fsck(self.store, self.keys, self.checkpoint if with_checkpoint else None)

    def put_files_back(self) -> None:
        """The folder of payloads as it was."""
        assert self.keys.payloads is not None
        for path in _files(self.keys.payloads.folder) - self.files.keys():
            path.unlink()
        for path, content in self.files.items():
            if path.is_dir():
                path.rmdir()
            if not path.exists() or path.read_bytes() != content:
                path.write_bytes(content)

    def close(self) -> None:
        """Lets go of it."""
        self.witness.state.close()
        self.store.close()
        self.db.close()
        self.before.close()


def build(folder: Path) -> tuple[Base, Base]:
    """The store of a hub that was asked for everything it does, and the same grown past a full tile of the tree."""
    home = folder / "home"
    pki = build_pki(folder / "pki", (MOTCUA,), _now(), elliptic=[MOTCUA], root_bits=2048)
    bare = folder / "trust"
    shutil.copytree(pki.trust, bare, ignore=shutil.ignore_patterns(LISTS))
    stage = open_stage(home, profiles=WITH_TRANSLATION, trust=bare, hub_toml="sweep_s = 0.05\n")
    stage.hub.start()
    try:
        _documents(stage)
        _people(stage)
        waiting = stage.send(pki.identities[MOTCUA].sign(document(MOTCUA, (QLVB,), DOC.format(30))))
        pki.publish(stage.hub.clock(), {})
        (home / "trust" / LISTS).mkdir(exist_ok=True)
        for path in (pki.trust / LISTS).iterdir():
            part = home / "trust" / LISTS / f".{path.name}"
            shutil.copy(path, part)
            part.replace(home / "trust" / LISTS / path.name)
        stage.wait_for(lambda: "verified-again" in stage.events())
        stage.settle(waiting.message_id, H32_02="delivered")
        before = _troubles(stage, folder)
    finally:
        stage.hub.stop()
    small = _opened(home / "data" / "hub.sqlite", home, stage, before)
    return small, _grown(small, home, stage, before)


def _documents(stage: Stage) -> None:
    """Large ones, whose payloads are files. New, again under a key, by a second route, updated, translated, recalled, refused, answered."""
    for number in LARGE:
        scan = File("bản quét.bin", Random(number).randbytes(MAX_ROW_BYTES + 1000 * number))
        stage.send(document(MOTCUA, (DATDAI,), document_id=DOC.format(number), attachments=(scan,)))
    raw = document(MOTCUA, (QLVB, DATDAI), document_id=DOC.format(1))
    stage.send(raw)
    stage.send(raw, key="k-1")
    stage.send(in_csharp_order(raw), "truc")
    stage.send(update(DOC.format(1), (QLVB,), MOTCUA), key="k-2")
    translated = stage.send(document(MOTCUA, (NHANH,), document_id=DOC.format(9)))
    stage.settle(translated.message_id, H32_07="delivered")
    stage.send(document(MOTCUA, (DATDAI,), document_id=DOC.format(4)))
    stage.send(recall(MOTCUA, (DATDAI,), DOC.format(4)))
    with pytest.raises(Refused):
        stage.send(document(MOTCUA, ("H01.99",)))
    caller, clock = stage.principal("datdai"), stage.hub.clock
    items = stage.hub.mailbox.pending(caller)[0]
    stage.hub.mailbox.acknowledge(caller, items[0].delivery_id, at=clock()).result()
    report_status(stage.hub, caller, items[0].delivery_id, code="03", description="Đã tiếp nhận", staff={}, at=clock()).result()


def _people(stage: Stage) -> None:
    """Sessions of every fate, and replays: done, approved and redelivered under a new key, cancelled, not started."""
    _quiet(stage)
    if stage.hub._replays is not None:
        stage.hub._replays.stop()
    staff, at = Staff(stage), stage.hub.clock()
    ran(staff, Mode.VERIFY, query=Query(agency=QLVB))
    again = approved(staff, query=Query(document=DOC.format(1), system="qlvb"), new_key=True)
    start(staff, again)
    assert run(staff, again).state is JobState.DONE
    staff.shop.replays.cancel(staff.session("an"), made(staff, Mode.SANDBOX).id)
    made(staff, Mode.REVALIDATE, Query(document=DOC.format(1)))
    staff.sessions.log_out(staff.session("binh"))
    submit = stage.hub.committer.submit
    submit(lambda tx: persons.set_password(tx, "cuc", CHEAP.hash(f"{PASSWORD}!", "cuc"), by="test", at=at)).result()
    submit(lambda tx: persons.disable(tx, "em", by="test", at=at)).result()
    submit(lambda tx: persons.set_roles(tx, "dung", [Role.AUDITOR], by="test", at=at)).result()


def _troubles(stage: Stage, folder: Path) -> Path:
    """One in doubt, one erased, one held; a copy of the store from before the erasure."""
    _quiet(stage)
    stage.systems["qlvb"].answers.append(AgencyInDoubt("agency-in-doubt", got="test"))
    doubtful = stage.send(document(MOTCUA, (QLVB,), document_id=DOC.format(14)))
    stage.settle(doubtful.message_id, H32_02="in_doubt")
    gone, held = (stage.send(document(MOTCUA, (QLVB,), document_id=DOC.format(number))).message_id for number in (20, 21))
    for one in (gone, held):
        stage.settle(one, H32_02="delivered")
    _quiet(stage)
    before = folder / "before.sqlite"
    with closing(sqlite3.connect(str(stage.hub.store.url.database))) as live, closing(sqlite3.connect(before)) as copy:
        live.backup(copy)
    eraser, at = stage.hub.eraser, stage.hub.clock()
    eraser.hold(held, by="thanh tra", reason="đang thanh tra", at=at)
    eraser.erase(gone, by="văn thư", reason="hết thời hạn lưu", at=at)
    return before


def _quiet(stage: Stage) -> None:
    """Waits until nothing is on its way to a system that is called."""

    def under_way() -> bool:
        with stage.hub.store.read() as conn:
            query = "SELECT 1 FROM deliveries WHERE system IN ('qlvb', 'motcua', 'nhanh') AND state IN ('queued', 'delivering', 'deferred')"
            return conn.exec_driver_sql(query).first() is not None

    stage.wait_for(lambda: not under_way())


def _opened(database: Path, home: Path, stage: Stage, before: Path) -> Base:
    db = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False, factory=_Held)
    for path in (database,):
        with closing(sqlite3.connect(path)) as file:
            file.backup(db)
    return _made(db, home, stage, before)


def _grown(small: Base, home: Path, stage: Stage, before: Path) -> Base:
    """Enough entries for a tile, and checkpoints of it that were published and cosigned."""
    db = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False, factory=_Held)
    small.db.backup(db)
    base = _made(db, home, stage, before)
    at = stage.hub.clock()
    with base.store.write() as conn:
        base.journal.append(conn, [EntryDraft("noted", at, (MOTCUA,), {"number": n}, None) for n in range(FULL_TILE)])
    return _made(db, home, stage, before)


def _made(db: sqlite3.Connection, home: Path, stage: Stage, before: Path) -> Base:
    engine = create_engine("sqlite://", creator=lambda: db, poolclass=StaticPool)
    store = Store(make_url("sqlite://"), engine, engine)
    ring, origin = Keyring.load(home / "keys"), stage.hub.settings.origin
    journal = Journal(ring.journal_keys(), origin)
    with store.write() as conn:
        note = journal.checkpoint(conn)
        published = Published(Checkpoint.opened(note, ring.log_verifiers(origin)), note)
        record_checkpoint(conn, published, rfc3339(stage.hub.clock()), 0)
        text = note.decode().partition("\n\n")[0] + "\n"
        record_stamp(conn, published.checkpoint.size, _stamp(note))
        record_cosignature(conn, published.checkpoint.size, WITNESS.name, WITNESS.line(text, 1_770_000_000), 1_770_000_000)
    folder = home / "data" / "payloads"
    keys = FsckKeys(ring.log_verifiers(origin), ring.public("receipt"), PayloadStore(ring.master(), folder), (WITNESS.verifier,))
    earlier = sqlite3.connect(before, isolation_level=None, check_same_thread=False)
    files = {path: path.read_bytes() for path in _files(folder)}
    return Base(db, store, keys, ring, journal, note, earlier, files, _witness(Path(mkdtemp(dir=home, prefix="witness-")), keys, note))


def _files(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if path.is_file()}


def _witness(folder: Path, keys: FsckKeys, note: bytes) -> Witness:
    """One that has cosigned `note`."""
    witness = Witness(WITNESS, logs_of(keys.log), StateFile(folder / "checkpoints.json"), lambda: 1_770_000_000)
    assert witness.add_checkpoint(request_body(0, (), note)).status == HTTPStatus.OK
    return witness


def _stamp(note: bytes) -> bytes:
    with serving(openssl(signers().authority, signers_folder())) as authority:
        return authority.client().token(sha256(note).digest(), "sha256")


def _now() -> Any:
    from datetime import UTC, datetime

    return datetime.now(UTC)
