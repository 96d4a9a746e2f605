"""The key folder: made once, private, and never half believed."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hub.keys import PURPOSES, Keyring
from schemas.errors import Halted, Refused


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with keys."""
    Keyring.init(tmp_path / "home" / "keys")
    return tmp_path / "home" / "keys"


def edit(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    path = folder / "keys.json"
    listing = json.loads(path.read_text())
    change(listing)
    path.write_text(json.dumps(listing))


def test_one_key_of_each_purpose_is_made(folder: Path) -> None:
    ring = Keyring.load(folder)
    assert [record.purpose for record in ring.records] == list(PURPOSES)
    assert len({record.id for record in ring.records}) == 4
    assert {len(record.id) for record in ring.records} == {16}
    assert ring.log().private.public_key() == ring.public("log")[ring.log().id]
    assert ring.receipt().private.public_key() == ring.public("receipt")[ring.receipt().id]
    assert ring.master().secret == Keyring.load(folder).master().secret
    assert ring.parties().of("H32") == Keyring.load(folder).parties().of("000.00.00.H32")


def test_files_are_the_owners_alone(folder: Path) -> None:
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    assert len(list(folder.iterdir())) == 5


def test_keys_are_not_overwritten(folder: Path) -> None:
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(Refused, match="keys-exist"):
        Keyring.init(folder)
    (folder / "keys.json").unlink()
    with pytest.raises(Refused, match="keys-exist"):
        Keyring.init(folder)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {k: v for k, v in before.items() if k != "keys.json"}


def test_the_manifest_holds_nothing_secret(folder: Path) -> None:
    manifest = (folder / "keys.json").read_text()
    for path in folder.glob("*.key"):
        assert path.read_text().strip() not in manifest
    ring = Keyring.load(folder)
    assert ring.master().secret.hex() not in repr(ring) + repr(ring.master())
    assert repr(ring.master().secret) not in repr(ring) + repr(ring.master())


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o601], ids=oct)
def test_a_key_that_others_may_read_is_not_used(folder: Path, mode: int) -> None:
    next(folder.glob("master-*.key")).chmod(mode)
    with pytest.raises(Halted, match="keys-exposed"):
        Keyring.load(folder)


def test_a_folder_that_others_may_enter_is_not_used(folder: Path) -> None:
    folder.chmod(0o750)
    with pytest.raises(Halted, match="keys-exposed"):
        Keyring.load(folder)


def swap_files(folder: Path) -> None:
    one, two = next(folder.glob("log-*.key")), next(folder.glob("receipt-*.key"))
    first, second = one.read_bytes(), two.read_bytes()
    one.write_bytes(second)
    two.write_bytes(first)


DAMAGE: dict[str, Callable[[Path], object]] = {
    "no manifest": lambda f: (f / "keys.json").unlink(),
    "a manifest that is not JSON": lambda f: (f / "keys.json").write_text("{"),
    "a manifest that is a list": lambda f: (f / "keys.json").write_text("[]"),
    "a manifest of another version": lambda f: edit(f, lambda t: t.update(v=2)),
    "a line with a member too many": lambda f: edit(f, lambda t: t["keys"][0].update(x=1)),
    "a line with a member less": lambda f: edit(f, lambda t: t["keys"][0].pop("id")),
    "an unknown purpose": lambda f: edit(f, lambda t: t["keys"][0].update(purpose="door")),
    "a file elsewhere": lambda f: edit(f, lambda t: t["keys"][0].update(file="../../etc/passwd")),
    "no master key": lambda f: edit(f, lambda t: t["keys"].pop(2)),
    "only a retired log key": lambda f: edit(f, lambda t: t["keys"][0].update(status="retired")),
    "another public part": lambda f: edit(f, lambda t: t["keys"][0].update(public=t["keys"][1]["public"])),
    "a key file missing": lambda f: next(f.glob("party-*.key")).unlink(),
    "a key file of another key": swap_files,
    "a key file cut short": lambda f: next(f.glob("party-*.key")).write_text("AAAA"),
    "a key file that is not base64": lambda f: next(f.glob("party-*.key")).write_text("khóa"),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE.keys())
def test_a_damaged_folder_halts(folder: Path, damage: Callable[[Path], object]) -> None:
    damage(folder)
    with pytest.raises(Halted, match="keys-missing"):
        Keyring.load(folder)


def test_there_must_be_keys(tmp_path: Path) -> None:
    with pytest.raises(Halted, match="keys-missing"):
        Keyring.load(tmp_path / "nowhere")


def test_a_folder_that_cannot_be_made_halts(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(Halted, match="keys-missing"):
        Keyring.init(tmp_path / "file" / "keys")


def test_older_keys_stay_beside_the_new(folder: Path, tmp_path: Path) -> None:
    """As a rotation leaves them: the newest active one works, all public parts verify, a retired signing key's file may be gone."""
    other = tmp_path / "other"
    Keyring.init(other)
    old = json.loads((other / "keys.json").read_text())["keys"]
    for row in old:
        row.update(status="retired", created="2020-01-01T00:00:00.000000Z")
        if row["purpose"] in ("master", "party"):
            (other / row["file"]).rename(folder / row["file"])
    before = Keyring.load(folder)
    edit(folder, lambda t: t["keys"].extend(old))
    ring = Keyring.load(folder)
    assert (ring.log().id, ring.master().id) == (before.log().id, before.master().id)
    assert set(ring.public("log")) == {before.log().id, old[0]["id"]}
    assert len(ring.log_verifiers("hub.test/journal")) == 2
    assert [key.id for key in ring.older_masters()] == [old[2]["id"]]
    assert len(ring.journal_keys().log) == 1
