"""A backup is taken while the hub serves; restored into a new home it goes on where nothing was published since, is refused where something
was, and never shows what was erased. Whatever is changed in it is named."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select
from typer.testing import CliRunner, Result

from hub.backup import DATABASE, MANIFEST, NOTE, make_backup, verify_backup
from hub.cli import app
from hub.cli.opened import opened
from hub.keys import Keyring
from hub.settings import Settings, load_settings
from replay.store.tables import entries
from schemas.errors import Halted, HubError, Refused
from signing.note import NoteSigner
from tests.hub.stage import DATDAI, MOTCUA, Stage, open_stage
from tests.hub.test_erase import LARGE, delivered, erase, found_in, packet
from tests.packets import document
from tests.replay.conftest import postgres_url as postgres_url  # noqa: PLC0414 - a fixture


def lgsp(home: Path | None, *arguments: str) -> Result:
    return CliRunner().invoke(app, [*arguments, *(["--home", str(home)] if home else [])])


def back_up(stage: Stage, out: Path, keys_out: Path | None = None) -> None:
    hub = stage.hub
    make_backup(hub.settings, hub.store, out, at=hub.clock(), signers=signers(hub.settings, hub.keyring), keys_out=keys_out)


def signers(settings: Settings, ring: Keyring) -> list[NoteSigner]:
    return [NoteSigner(settings.origin, key) for key in ring.journal_keys().log]


def restore(backup: Path, keys: Path, published: Path, home: Path) -> Path:
    """As docs/operations.md has it: the backup, the keys, and what was published last, from three places."""
    shutil.copytree(backup, home)
    for name in (MANIFEST, NOTE):
        (home / name).unlink()
    shutil.copytree(keys, home, dirs_exist_ok=True)
    for name in (MANIFEST, NOTE):
        (home / name).unlink()
    shutil.copytree(published, home / "published")
    return home


@pytest.fixture
def backed_up(stage: Stage, tmp_path: Path) -> tuple[Stage, UUID, Path, Path]:
    """A hub that runs, a message with a large payload, the backup, the keys."""
    (stage.hub.settings.home / "secrets.toml").write_text('token = "bí mật"\n', "utf-8")
    mine = delivered(stage, packet(content=LARGE))
    stage.send(document(MOTCUA, (DATDAI,), f"{MOTCUA},2026/03/02,1/A"))
    back_up(stage, tmp_path / "backup", tmp_path / "keys")
    return stage, mine, tmp_path / "backup", tmp_path / "keys"


def test_it_is_whole_and_goes_on_where_nothing_was_published_since(backed_up: tuple[Stage, UUID, Path, Path], tmp_path: Path) -> None:
    stage, mine, backup, keys = backed_up
    found = verify_backup(backup)
    assert (found.origin, found.size) == (stage.hub.settings.origin, entries_in(stage))
    verify_backup(keys)
    names = {path.relative_to(backup).as_posix() for path in backup.rglob("*")}
    assert names >= {"data/hub.sqlite", "hub.toml", "systems/motcua.toml"}
    assert not any(name.startswith(("keys", "published", "secrets")) for name in names)
    assert {path.stat().st_mode & 0o077 for path in [backup, keys, *backup.rglob("*"), *keys.rglob("*")]} == {0}
    stage.hub.stop()
    home = restore(backup, keys, stage.hub.settings.checkpoint_path.parent, tmp_path / "new")
    again = open_stage(home, fresh=False)
    again.hub.start()
    try:
        assert len(again.hub.mailbox.pending(again.principal("datdai"))[0]) == 1
        with again.hub.store.read() as conn:
            assert len(again.hub.payloads.get(conn, mine)) > len(LARGE)
        again.send(document(MOTCUA, (DATDAI,), f"{MOTCUA},2026/03/02,2/A"))
        again.check()
    finally:
        again.hub.stop()


def test_an_older_one_is_refused_and_shows_nothing_that_was_erased(backed_up: tuple[Stage, UUID, Path, Path], tmp_path: Path) -> None:
    """Nothing but commands has touched the restored home: they must not show what a hub would not serve."""
    stage, mine, backup, keys = backed_up
    erase(stage, mine)
    stage.hub.stop()
    home = restore(backup, keys, stage.hub.settings.checkpoint_path.parent, tmp_path / "new")
    assert found_in(home / "data")
    shown = lgsp(home, "search", "--json")
    assert [one["message_id"] for one in json.loads(shown.stdout)["items"] if one["title"]] != []
    assert "Quỳnhxyz" not in shown.stdout
    assert found_in(home / "data") == {}
    assert lgsp(home, "log", "fsck").exit_code == 1  # it is behind what was published, and says so
    served = lgsp(home, "log", "checkpoint")
    assert isinstance(served.exception, HubError)
    with pytest.raises(Halted, match=r"store-behind|checkpoint-mismatch"):
        open_stage(home, fresh=False)


def test_a_hub_that_refuses_an_older_one_destroys_in_it_what_was_erased(backed_up: tuple[Stage, UUID, Path, Path], tmp_path: Path) -> None:
    """It may be kept for years as the old journal, and read."""
    stage, mine, backup, keys = backed_up
    for number in range(20):  # many entries are missing: erasing anew makes up for none of them
        stage.send(document(MOTCUA, (DATDAI,), f"{MOTCUA},2026/03/02,{number}/lost"))
    erase(stage, mine)
    stage.hub.stop()
    home = restore(backup, keys, stage.hub.settings.checkpoint_path.parent, tmp_path / "new")
    assert found_in(home / "data")
    for _ in range(2):
        with pytest.raises(Halted, match="store-behind") as refused:
            open_stage(home, fresh=False)
        assert "another origin" in refused.value.spec.remedy.en
        assert found_in(home / "data") == {}


OPENING = ("search", "hold list", "delivery list", "keys list", "retention run --dry-run", "person list", "log mend")


@pytest.mark.parametrize("command", OPENING)
def test_every_command_that_opens_the_store_erases_again(tmp_path: Path, command: str) -> None:
    home = tmp_path / "home"
    stage = open_stage(home)
    stage.hub.start()
    mine = delivered(stage, packet())
    back_up(stage, tmp_path / "backup")
    erase(stage, mine)
    stage.hub.stop()
    shutil.copy(tmp_path / "backup" / DATABASE, home / DATABASE)
    assert found_in(home / "data")
    lgsp(home, *command.split())
    assert found_in(home / "data") == {}


def test_beginning_anew_under_another_origin(backed_up: tuple[Stage, UUID, Path, Path], tmp_path: Path) -> None:
    """The way on when the newest entries are lost for good, as docs/operations.md has it."""
    stage, _, backup, keys = backed_up
    stage.send(document(MOTCUA, (DATDAI,), f"{MOTCUA},2026/03/02,3/lost"))
    stage.hub.stop()
    home = restore(backup, keys, stage.hub.settings.checkpoint_path.parent, tmp_path / "old")
    with pytest.raises(Halted, match="store-behind"):
        open_stage(home, fresh=False)
    (home / "hub.toml").write_text('origin = "lgsp-hub.local/journal-2"\n', "utf-8")
    with pytest.raises(Halted, match=r"journal-origin|published-damaged"):  # the old store never takes another name
        open_stage(home, fresh=False)
    new = open_stage(tmp_path / "new", hub_toml='origin = "lgsp-hub.local/journal-2"\n')
    new.hub.start()
    before = entries_in(new)  # what is in force from the start
    try:
        assert json.loads(new.send(document(MOTCUA, (DATDAI,), f"{MOTCUA},2026/03/02,3/lost")).body)["index"] == before
        new.check()
    finally:
        new.hub.stop()


def _rewritten(backup: Path, statement: str) -> None:
    """The database changed and the manifest made to fit: only the tree can tell."""
    with closing(sqlite3.connect(backup / DATABASE)) as db, db:
        db.execute("PRAGMA journal_mode=DELETE")
        db.execute(statement)
    found = json.loads((backup / MANIFEST).read_text())
    row = next(one for one in found["files"] if one["path"] == DATABASE)
    row.update(bytes=(backup / DATABASE).stat().st_size, sha256=hashlib.sha256((backup / DATABASE).read_bytes()).hexdigest())
    _sealed_anew(backup, found)


def _sealed_anew(backup: Path, found: dict[str, Any]) -> None:
    raw = json.dumps(found).encode()
    (backup / MANIFEST).write_bytes(raw)
    note = (backup / NOTE).read_text()
    (backup / NOTE).write_text(re.sub(r"sha256 \w+", f"sha256 {hashlib.sha256(raw).hexdigest()}", note))


def _flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def _linked(backup: Path) -> None:
    large = _large(backup)
    large.rename(backup.parent / "moved")
    large.symlink_to(backup.parent / "moved")


def _large(backup: Path) -> Path:
    return next(path for path in (backup / "data/payloads").rglob("*") if path.is_file())


DAMAGES: dict[str, Callable[[Path], object]] = {
    "a bit of the database": lambda b: _flip(b / DATABASE),
    "a bit of a payload": lambda b: _flip(_large(b)),
    "a payload gone": lambda b: _large(b).unlink(),
    "a file more": lambda b: (b / "data/hub.sqlite-wal").write_bytes(b""),
    "a payload that is a link": _linked,
    "no manifest": lambda b: (b / MANIFEST).unlink(),
    "a manifest that is none": lambda b: (b / MANIFEST).write_text('{"v": 1}'),
    "a manifest that leads outside": lambda b: (b / MANIFEST).write_text(
        '{"v": 1, "at": "", "origin": "", "files": [{"path": "../x", "bytes": 0, "sha256": ""}]}'
    ),
    "another backup's signature": lambda b: (b / NOTE).write_text((b / NOTE).read_text().replace("\nsha256 ", "\nsha256 0")),
    "a signature that is none": lambda b: (b / NOTE).write_text("lgsp-hub-backup/v1\n"),
    "an entry gone, the manifest made to fit": lambda b: _rewritten(b, 'DELETE FROM entries WHERE "index" = 0'),
    "a leaf changed, the manifest made to fit": lambda b: _rewritten(b, "UPDATE entries SET leaf = x'7b7d' WHERE \"index\" = 0"),
    "an older schema, the manifest made to fit": lambda b: _rewritten(b, "UPDATE schema_version SET version = 1"),
}


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("backup")
    stage = open_stage(folder / "home")
    stage.hub.start()
    stage.send(packet(content=LARGE))
    back_up(stage, folder / "backup")
    stage.hub.stop()
    return folder / "backup"


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
def test_what_is_changed_in_it_is_named(kept: Path, tmp_path: Path, damage: Callable[[Path], object]) -> None:
    backup = shutil.copytree(kept, tmp_path / "backup")
    assert lgsp(None, "backup", "verify", str(backup)).exit_code == 0
    damage(backup)
    with pytest.raises(Refused, match="backup-damaged"):
        verify_backup(backup)


def test_only_the_log_key_makes_a_backup(kept: Path, tmp_path: Path) -> None:
    """Who keeps a backup may change database, manifest and note together; not with a reader who knows the log's key."""
    ring = Keyring.load(kept.parent / "home" / "keys")
    mine, other = (
        ring.log_verifiers("lgsp-hub.local/journal")[0],
        Keyring.init(tmp_path / "keys").log_verifiers("lgsp-hub.local/journal")[0],
    )
    assert verify_backup(kept).signature == "not-checked"
    assert verify_backup(kept, [other, mine]).signature == "valid"
    shown = lgsp(None, "backup", "verify", str(kept), "--log-key", mine.text)
    assert (shown.exit_code, "Signature: valid" in shown.stdout) == (0, True)
    assert "not checked" in lgsp(None, "backup", "verify", str(kept)).stdout
    with pytest.raises(Refused, match="backup-damaged"):
        verify_backup(kept, [other])
    forged = shutil.copytree(kept, tmp_path / "forged")
    (forged / "hub.toml").write_text('fallback = "mine"\n')
    found = json.loads((forged / MANIFEST).read_text())
    raw = (forged / "hub.toml").read_bytes()
    next(one for one in found["files"] if one["path"] == "hub.toml").update(bytes=len(raw), sha256=hashlib.sha256(raw).hexdigest())
    _sealed_anew(forged, found)
    assert verify_backup(forged).signature == "not-checked"
    with pytest.raises(Refused, match=r"manifest\.note"):
        verify_backup(forged, [mine])
    (forged / NOTE).unlink()
    assert "NONE" in lgsp(None, "backup", "verify", str(forged)).stdout
    with pytest.raises(Refused, match=r"manifest\.note"):
        verify_backup(forged, [mine])


def test_the_commands(stage: Stage, tmp_path: Path) -> None:
    home = stage.hub.settings.home
    stage.send(document(MOTCUA, (DATDAI,), f"{MOTCUA},2026/03/02,1/A"))
    made = lgsp(home, "backup", "--out", str(tmp_path / "out"), "--json")
    assert (made.exit_code, json.loads(made.stdout)["origin"]) == (0, stage.hub.settings.origin)
    assert json.loads(lgsp(None, "backup", "verify", str(tmp_path / "out"), "--json").stdout)["intact"] is True
    refused = {
        "in use": ["--out", str(tmp_path / "out")],
        "below the hub's own": ["--out", str(home / "data" / "backup")],
        "keys within the backup": ["--out", str(tmp_path / "a"), "--keys-out", str(tmp_path / "a" / "keys")],
        "keys in the same folder": ["--out", str(tmp_path / "a"), "--keys-out", str(tmp_path / "a")],
        "no folder": [],
    }
    for name, arguments in refused.items():
        fault = lgsp(home, "backup", *arguments).exception
        assert isinstance(fault, Refused), name
        assert fault.code == "invalid-request", name


@pytest.mark.postgres
def test_postgresql_is_backed_up_by_its_own_tools(postgres_url: str, tmp_path: Path) -> None:
    stage = open_stage(tmp_path / "home", hub_toml=f'store_url = "{postgres_url}"\n')
    stage.hub.stop()
    with opened(tmp_path / "home") as (settings, ring, store), pytest.raises(Refused, match="backup-postgresql") as refused:
        make_backup(load_settings(settings.home), store, tmp_path / "out", at=stage.hub.clock(), signers=signers(settings, ring))
    assert "pg_dump" in refused.value.spec.remedy.en
    assert not (tmp_path / "out").exists()


def entries_in(stage: Stage) -> int:
    with stage.hub.store.read() as conn:
        return conn.execute(select(func.count()).select_from(entries)).scalar_one()
