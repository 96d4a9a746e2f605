"""`lgsp keys` and `lgsp log`: what they print, and their exit codes: 0 yes, 1 no, 2 usage, 3 unavailable."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from sqlalchemy import update
from typer.testing import CliRunner, Result

from hub.cli import keys, log
from hub.keys import Keyring
from hub.log_opening import publisher_of
from hub.settings import load_settings
from replay.journal import Journal
from replay.store.engine import open_store
from replay.store.tables import openings
from schemas.errors import HubError
from tests.replay.world import World, message_id

ROOT = Path(__file__).parents[2]
NOBODY = 65_534


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A hub's folder with keys and three messages."""
    home = tmp_path / "home"
    home.mkdir()
    (home / "hub.toml").write_text('origin = "hub.test/journal"\n')
    Keyring.init(home / "keys")
    settings = load_settings(home, {})
    world = World(open_store(settings.resolved_store_url), Keyring.load(home / "keys"), settings.data_folder / "payloads")
    publisher_of(settings, world.ring, world.store, Journal(world.ring.journal_keys(), settings.origin)).open()
    world.fill(3)
    world.store.close()
    return home


def lgsp(app: Any, *arguments: str) -> Result:
    return CliRunner().invoke(app, arguments, catch_exceptions=True)


def document(app: Any, *arguments: str) -> dict[str, Any]:
    result = lgsp(app, *arguments, "--json")
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def code_of(result: Result) -> str:
    assert isinstance(result.exception, HubError), result.exception
    return result.exception.code


def log_key(home: Path) -> str:
    found: str = document(log.app, "checkpoint", "--home", str(home))["log_keys"][0]
    return found


def test_keys_are_made_once_and_listed(tmp_path: Path) -> None:
    made = document(keys.app, "init", "--home", str(tmp_path))
    assert document(keys.app, "list", "--home", str(tmp_path)) == made
    assert [row["purpose"] for row in made["keys"]] == ["log", "receipt", "master", "party"]
    assert made["keys"][0]["log_key"].startswith(made["origin"] + "+")
    assert code_of(lgsp(keys.app, "init", "--home", str(tmp_path))) == "keys-exist"
    shown = lgsp(keys.app, "list", "--home", str(tmp_path)).stdout
    for path in (tmp_path / "keys").glob("*.key"):
        assert path.read_text().strip() not in shown + json.dumps(made)


def test_fsck_says_yes(home: Path) -> None:
    assert document(log.app, "fsck", "--home", str(home))["intact"] is True
    result = lgsp(log.app, "fsck", "--home", str(home))
    assert (result.exit_code, "NGUYÊN VẸN / INTACT" in result.stdout) == (0, True)


def test_fsck_says_no_and_where(home: Path) -> None:
    store = open_store(load_settings(home, {}).resolved_store_url)
    with store.write() as conn:
        conn.execute(update(openings).where(openings.c.index == 2).values(event="other"))
    store.close()
    result = lgsp(log.app, "fsck", "--home", str(home))
    assert result.exit_code == 1
    assert "opening-changed openings/2" in result.stdout
    result = lgsp(log.app, "fsck", "--home", str(home), "--json")
    assert (result.exit_code, json.loads(result.stdout)["differences"][0]["path"]) == (1, "openings/2")


def test_fsck_compares_with_a_checkpoint_kept_elsewhere(home: Path, tmp_path: Path) -> None:
    kept = tmp_path / "checkpoint"
    kept.write_text(lgsp(log.app, "checkpoint", "--home", str(home)).stdout)
    assert lgsp(log.app, "fsck", "--home", str(home), "--checkpoint", str(kept)).exit_code == 0
    (home / "data" / "hub.sqlite").unlink()
    for left in (home / "data").glob("hub.sqlite-*"):
        left.unlink()
    open_store(load_settings(home, {}).resolved_store_url).close()
    assert lgsp(log.app, "fsck", "--home", str(home)).exit_code == 1  # the hub's own memory of what it published
    load_settings(home, {}).checkpoint_path.unlink()
    assert lgsp(log.app, "fsck", "--home", str(home)).exit_code == 0
    assert lgsp(log.app, "fsck", "--home", str(home), "--checkpoint", str(kept)).exit_code == 1
    kept.write_text("nonsense")
    assert code_of(lgsp(log.app, "fsck", "--home", str(home), "--checkpoint", str(kept))) == "note-invalid"
    assert code_of(lgsp(log.app, "fsck", "--home", str(home), "--checkpoint", str(tmp_path / "nowhere"))) == "invalid-request"


@pytest.mark.parametrize("what", ["1", "0", str(message_id(0)), message_id(2).hex], ids=["index", "zero", "message", "without dashes"])
def test_a_proof_holds_without_a_hub(home: Path, tmp_path: Path, what: str) -> None:
    path = tmp_path / "proof.json"
    path.write_text(lgsp(log.app, "prove", what, "--home", str(home), "--json", "--open").stdout)
    key = log_key(home)
    shown = document(log.app, "verify-proof", str(path), "--log-key", key)
    assert shown["valid"] is True
    assert shown["values"]
    assert lgsp(log.app, "verify-proof", str(path), "--log-key", key).stdout.startswith("ĐÚNG / VALID")


def test_a_proof_is_shown_to_people(home: Path) -> None:
    result = lgsp(log.app, "prove", "1", "--home", str(home), "--open")
    assert result.exit_code == 0
    assert "hub.test/journal\n" in result.stdout
    assert str(message_id(0)) in result.stdout


@pytest.mark.parametrize("what", ["99", "9" * 18, "9" * 5000, "-1x", "nonsense", "1.5", str(message_id(77)), "１"], ids=lambda w: w[:12])
def test_what_is_not_there_is_said(home: Path, what: str) -> None:
    assert code_of(lgsp(log.app, "prove", "--home", str(home), "--", what)) == "unknown-entry"


def test_a_bad_proof_is_a_clear_no(home: Path, tmp_path: Path) -> None:
    path, key = tmp_path / "proof.json", log_key(home)
    good = lgsp(log.app, "prove", "1", "--home", str(home), "--json").stdout
    stranger = document(keys.app, "init", "--home", str(tmp_path / "other"))["keys"][0]["log_key"]
    cases = {
        "proof-malformed": ("{", key),
        "proof-invalid": (good.replace('"index": 1', '"index": 2'), key),
        "note-invalid": (good, stranger),
        "invalid-request": (good, "no+key"),
    }
    for code, (text, given) in cases.items():
        path.write_text(text)
        assert code_of(lgsp(log.app, "verify-proof", str(path), "--log-key", given)) == code
    path.write_bytes(b"\xff\xfe")
    assert code_of(lgsp(log.app, "verify-proof", str(path), "--log-key", key)) == "proof-malformed"
    assert code_of(lgsp(log.app, "verify-proof", str(tmp_path / "nowhere"), "--log-key", key)) == "invalid-request"
    assert lgsp(log.app, "verify-proof", str(path)).exit_code == 2


@pytest.mark.parametrize("command", [["fsck"], ["prove", "0"], ["checkpoint"]], ids=lambda c: c[0])
def test_without_keys_or_store_it_is_unavailable(tmp_path: Path, command: list[str]) -> None:
    assert code_of(lgsp(log.app, *command, "--home", str(tmp_path))) == "keys-missing"
    Keyring.init(tmp_path / "keys")
    assert code_of(lgsp(log.app, *command, "--home", str(tmp_path))) == "store-missing"
    assert not (tmp_path / "data").exists()


def without_data(home: Path) -> None:
    shutil.rmtree(home / "data")


def with_a_file_for_data(home: Path) -> None:
    without_data(home)
    (home / "data").write_text("x")


def with_a_folder_for_the_database(home: Path) -> None:
    without_data(home)
    (home / "data" / "hub.sqlite").mkdir(parents=True)


def with_something_else(home: Path) -> None:
    (home / "data" / "hub.sqlite").write_bytes(b"not a database " * 500)


def cut_in_half(home: Path) -> None:
    path = home / "data" / "hub.sqlite"
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def read_only(home: Path) -> None:
    for path in (home / "data").rglob("*"):
        path.chmod(0o500 if path.is_dir() else 0o400)
    (home / "data").chmod(0o500)


def closed(home: Path) -> None:
    (home / "data").chmod(0)


# What is wrong with the data folder → the code, and a word of the error that says so.
FOLDERS: dict[str, tuple[Callable[[Path], None], str, str]] = {
    "there is none": (without_data, "store-missing", "data/hub.sqlite"),
    "it is a file": (with_a_file_for_data, "store-unavailable", "data is not a folder"),
    "a folder in the database's place": (with_a_folder_for_the_database, "store-unavailable", "hub.sqlite is not a file"),
    "another file in the database's place": (with_something_else, "store-unavailable", "NOTADB"),
    "half a database": (cut_in_half, "store-unavailable", "CORRUPT"),
    "read-only": (read_only, "store-unavailable", "READONLY"),
    "closed to this user": (closed, "store-unavailable", "Permission denied"),
}


@pytest.fixture
def reachable(home: Path) -> Iterator[Path]:
    """The same, in a folder that is not its maker's alone."""
    with TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        shutil.copytree(home, Path(folder) / "home")
        yield Path(folder) / "home"
        for left in (Path(folder) / "home").glob("data"):
            left.chmod(0o700)


def test_a_home_that_is_closed_to_this_user_is_a_clear_error(reachable: Path) -> None:
    reachable.chmod(0)
    with as_nobody(reachable):
        result = lgsp(log.app, "fsck", "--home", str(reachable))
    reachable.chmod(0o700)
    assert code_of(result) == "settings-invalid"


@contextmanager
def as_nobody(folder: Path) -> Iterator[None]:
    """As a user to whom modes apply, who owns `folder`: root may write anywhere."""
    if os.geteuid() != 0:
        yield
        return
    for path in (folder, *folder.rglob("*")):
        os.chown(path, NOBODY, NOBODY)
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.parametrize(("spoil", "code", "word"), FOLDERS.values(), ids=FOLDERS.keys())
def test_a_data_folder_that_is_of_no_use_is_a_clear_error(reachable: Path, spoil: Callable[[Path], None], code: str, word: str) -> None:
    for arguments in (["fsck"], ["prove", "0"], ["checkpoint"]):
        document(log.app, *arguments, "--home", str(reachable))  # and loads what the commands import
    spoil(reachable)
    with as_nobody(reachable):
        results = {command: lgsp(log.app, *command.split(), "--home", str(reachable)) for command in ("fsck", "prove 0", "checkpoint")}
    for command, result in results.items():
        assert code_of(result) == code, command
        assert word in str(result.exception), command


def test_the_exit_code_of_the_command_itself(home: Path, tmp_path: Path) -> None:
    """Through the installed entry point: the same as a shell sees it."""

    def run(*arguments: str) -> int:
        command = [sys.executable, "-m", "hub.cli", *arguments]
        return subprocess.run(command, cwd=ROOT, capture_output=True, check=False).returncode

    assert run("log", "fsck", "--home", str(home)) == 0
    assert run("log", "prove", "99", "--home", str(home)) == 1
    assert run("log", "prove", "--home", str(home)) == 2
    assert run("log", "fsck", "--home", str(tmp_path / "nowhere")) == 3


def test_proofs_are_checked_without_a_hub_whatever_their_form(home: Path, tmp_path: Path) -> None:
    key, old, proof = log_key(home), tmp_path / "old", tmp_path / "proof"
    old.write_text(lgsp(log.app, "checkpoint", "--home", str(home)).stdout)
    settings = load_settings(home, {})
    world = World(open_store(settings.resolved_store_url), Keyring.load(home / "keys"), settings.data_folder / "payloads")
    world.fill(2, first=3)
    world.store.close()
    assert lgsp(log.app, "verify", str(old), "--log-key", key).stdout.startswith("ĐÚNG / VALID: hub.test/journal, checkpoint of")
    proof.write_text(lgsp(log.app, "prove", "1", "--home", str(home), "--tlog-proof", "--open").stdout)
    assert proof.read_text().startswith("c2sp.org/tlog-proof@v1\nextra ")
    assert document(log.app, "verify", str(proof), "--log-key", key)["index"] == 1
    whole = proof.read_bytes()
    for spoiled in (whole[: len(whole) // 2], whole.replace(b"index 1", b"index 2"), whole.replace(b"extra ", b"extra AAAA")):
        proof.write_bytes(spoiled)
        assert code_of(lgsp(log.app, "verify", str(proof), "--log-key", key)) in ("proof-malformed", "proof-invalid", "note-invalid")
    proof.write_text(lgsp(log.app, "consistency", str(old), "--home", str(home), "--json").stdout)
    shown = document(log.app, "verify", str(proof), "--log-key", key, "--checkpoint", str(old))
    assert (shown["kind"], shown["old_size"] < shown["size"]) == ("consistency", True)
    assert code_of(lgsp(log.app, "verify", str(proof), "--log-key", key)) == "invalid-request"
    proof.write_text(proof.read_text().replace('"old_size": ', '"old_size": 1'))
    assert code_of(lgsp(log.app, "verify", str(proof), "--log-key", key, "--checkpoint", str(old))) == "inconsistent"
    assert code_of(lgsp(log.app, "consistency", "999", "--home", str(home))) == "inconsistent"
    witness = "w+00000000+" + "A" * 44
    assert code_of(lgsp(log.app, "verify", str(old), "--log-key", key, "--witness", witness)) == "invalid-request"


def test_vectors_are_counted(tmp_path: Path) -> None:
    vector = {"size1": 1, "size2": 1, "root1": "AAAA", "root2": "AAAA", "proof": None, "desc": "same", "wantErr": False}
    (tmp_path / "one.json").write_text(json.dumps(vector))
    result = lgsp(log.app, "vectors", str(tmp_path))
    assert (result.exit_code, result.stdout) == (0, "1 passed, 0 failed\n")
    (tmp_path / "two.json").write_text(json.dumps({**vector, "root2": "BBBB"}))
    assert lgsp(log.app, "vectors", str(tmp_path)).exit_code == 1
