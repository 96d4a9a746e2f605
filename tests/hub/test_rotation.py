"""A new key while the hub serves: nothing is lost, whoever knows only the old one is content until it is retired, what it signed stays
verifiable, and a killed rotation goes on."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hub.cli import app
from hub.key_watch import WatchedKeyring, WatchedMasters
from hub.keys import Keyring, add_key
from hub.rotation import Rotated, retire_signing, rotate_master, rotate_signing, wrapped_by
from replay.checkpoint import Checkpoint
from replay.fsck import FsckKeys, fsck
from replay.proof import InclusionProof, check_proof
from replay.published import Published
from schemas.errors import Refused
from signing.note import NoteVerifier, split_note
from signing.sign import verify_receipt
from tests.hub.stage import DATDAI, MOTCUA, Stage, open_stage
from tests.packets import document

ROOT = Path(__file__).parents[2]


def send(stage: Stage, first: int, count: int) -> list[bytes]:
    raws = [document(MOTCUA, (DATDAI,), f"{MOTCUA},2026/03/02,{number}/A") for number in range(first, first + count)]
    for raw in raws:
        stage.send(raw)
    return raws


def kept(stage: Stage) -> list[bytes]:
    caller = stage.principal("datdai")
    items = stage.hub.mailbox.pending(caller)[0]
    return [stage.hub.mailbox.fetch(caller, item.delivery_id, at=stage.hub.clock())[1] for item in items]


def rotate(stage: Stage) -> Rotated:
    return rotate_master(stage.hub.store, stage.hub.committer, stage.hub.settings.keys_folder, by="console:root", at=stage.hub.clock())


def under(stage: Stage) -> dict[str, int]:
    with stage.hub.store.read() as conn:
        return wrapped_by(conn)


def test_a_hub_that_serves_follows_the_rotation(stage: Stage) -> None:
    old = stage.hub.keyring.master().id
    raws = send(stage, 0, 3)
    done = rotate(stage)
    assert (done.retired, done.wrapped, done.resumed) == ((old,), 3, False)
    raws += send(stage, 3, 2)
    assert under(stage) == {done.key_id: 5}
    assert kept(stage) == raws
    ring = Keyring.load(stage.hub.settings.keys_folder)
    assert ring.master().id == done.key_id
    assert {one.id: one.status for one in ring.records if one.purpose == "master"} == {old: "retired", done.key_id: "active"}
    assert [one for one in stage.events() if one == "key"] == ["key", "key"]
    stage.check()


def test_the_masters_of_a_folder_are_read_again_when_they_change(stage: Stage) -> None:
    masters = WatchedMasters(WatchedKeyring(stage.hub.settings.keys_folder))
    before = masters()
    assert masters() is before
    rotate(stage)
    assert masters()[0].id != before[0].id
    assert masters()[1:] == before


def rotate_one(stage: Stage, purpose: str) -> Rotated:
    return rotate_signing(stage.hub.committer, stage.hub.settings.keys_folder, purpose, by="console:root", at=stage.hub.clock())


def retire(stage: Stage, key_id: str) -> None:
    retire_signing(stage.hub.committer, stage.hub.settings.keys_folder, key_id, by="console:root", at=stage.hub.clock())


def proof_now(stage: Stage, signatures: int) -> InclusionProof:
    """Of entry 0, against what a hub that runs has published of all its entries, with so many keys."""
    size = len(stage.events())

    def published() -> Published | None:
        found = stage.hub.keeper.current
        return found if found.checkpoint.size >= size and len(split_note(found.note)[1]) == signatures else None

    stage.wait_for(published)
    with stage.hub.store.read() as conn:
        return stage.hub.journal.prove(conn, 0, note=stage.hub.keeper.current.note)


def believed(proof: InclusionProof, *keys: NoteVerifier) -> bool:
    try:
        return check_proof(proof, keys).index == 0
    except Refused:
        return False


def test_both_log_keys_sign_until_the_old_one_is_retired(stage: Stage) -> None:
    """The hub runs all the time; a proof of each period is checked by who knows the old key, the new one, both."""
    folder, origin = stage.hub.settings.keys_folder, stage.hub.settings.origin
    old_id = stage.hub.keyring.log().id
    send(stage, 0, 1)
    first = proof_now(stage, 1)
    done = rotate_one(stage, "log")
    assert (done.retired, done.resumed) == ((), False)
    during = proof_now(stage, 2)
    with pytest.raises(Refused, match="key-in-use"):
        retire(stage, done.key_id)  # the newest
    retire(stage, old_id)
    stage.wait_for(lambda: len(stage.hub.keeper.publisher.journal.keys.log) == 1)
    send(stage, 1, 1)
    after = proof_now(stage, 1)
    ring = Keyring.load(folder)
    keys = {key_id: NoteVerifier(origin, key) for key_id, key in ring.public("log").items()}
    old, new = keys[old_id], keys[done.key_id]
    assert [(believed(one, old), believed(one, new), believed(one, old, new)) for one in (first, during, after)] == [
        (True, False, True),
        (True, True, True),
        (False, True, True),
    ]
    assert stage.hub.keeper.fault == ""
    checked = FsckKeys(ring.log_verifiers(origin), ring.public("receipt"), stage.hub.payloads)
    for one in (first, during, after):
        assert fsck(stage.hub.store, checked, one.checkpoint).is_intact
    retired = next(one for one in ring.records if one.id == old_id)
    assert (retired.status, retired.retired > retired.created) == ("retired", True)
    assert stage.events().count("key") == 2
    (folder / retired.file).unlink()  # it signs no more: its secret may be destroyed
    assert Checkpoint.opened(first.checkpoint, Keyring.load(folder).log_verifiers(origin)).size == first.size


def test_a_new_receipt_key_signs_at_once_and_first_receipts_stay(stage: Stage) -> None:
    old = stage.hub.keyring.receipt().id
    raw = send(stage, 0, 1)[0]
    first = stage.send(raw).body
    done = rotate_one(stage, "receipt")
    assert done.retired == (old,)
    ring = Keyring.load(stage.hub.settings.keys_folder)
    assert stage.send(raw).body == first  # the first receipt, byte for byte
    second = stage.send(document(MOTCUA, (DATDAI,), f"{MOTCUA},2026/03/02,99/A")).body
    told = [verify_receipt(one, ring.public("receipt"))["key_id"] for one in (first, second)]
    assert told == [old, done.key_id]
    with pytest.raises(Refused, match="receipt-invalid"):
        verify_receipt(second, stage.hub.keyring.public("receipt"))  # the keys of before
    checked = FsckKeys(ring.log_verifiers(stage.hub.settings.origin), ring.public("receipt"), stage.hub.payloads)
    assert fsck(stage.hub.store, checked).is_intact


def test_an_interrupted_rotation_of_the_log_key_is_no_second_one(stage: Stage) -> None:
    folder = stage.hub.settings.keys_folder
    add_key(folder, "log")  # as a process leaves it that was killed before it journalled anything
    done = rotate_one(stage, "log")
    assert (done.resumed, stage.events().count("key")) == (True, 1)
    assert rotate_one(stage, "log").key_id == done.key_id
    assert stage.events().count("key") == 1
    assert len(Keyring.load(folder).public("log")) == 2


NOT_RETIRED = {
    "no such key": (lambda ring: "00" * 8, "key-unknown"),
    "the only log key": (lambda ring: ring.log().id, "key-in-use"),
    "the only receipt key": (lambda ring: ring.receipt().id, "key-in-use"),
    "a master key": (lambda ring: ring.master().id, "key-in-use"),
}


@pytest.mark.parametrize(("which", "code"), NOT_RETIRED.values(), ids=NOT_RETIRED.keys())
def test_what_is_not_retired(stage: Stage, which: Callable[[Keyring], str], code: str) -> None:
    with pytest.raises(Refused, match=code):
        retire(stage, which(stage.hub.keyring))
    assert "key" not in stage.events()


def test_the_commands(stage: Stage) -> None:
    home, old = str(stage.hub.settings.home), stage.hub.keyring.log().id

    def lgsp(*arguments: str) -> str:
        done = CliRunner().invoke(app, ["keys", *arguments, "--home", home])
        assert done.exit_code == 0, done.output
        return done.stdout

    send(stage, 0, 2)
    assert json.loads(lgsp("rotate", "log", "--json"))["retired"] == []
    assert lgsp("rotate", "receipt").count("retired") == 1
    lgsp("rotate")
    assert old in lgsp("retire", old)
    rows = json.loads(lgsp("list", "--json"))["keys"]
    assert [(one["purpose"], one["status"], bool(one["retired"])) for one in rows if one["purpose"] != "party"] == [
        *((purpose, "retired", True) for purpose in ("log", "receipt", "master")),
        *((purpose, "active", False) for purpose in ("log", "receipt", "master")),
    ]
    assert [one["payloads"] for one in rows if one["purpose"] == "master"] == [0, 2]
    listed = lgsp("list")
    assert rows[0]["retired"] in listed
    assert "2 gói tin / packets" in listed


CHILD = """
import os, signal, sys
from pathlib import Path
import hub.rotation as rotation
from tests.hub.stage import open_stage
home, where, times = sys.argv[1:]
left, original = [int(times)], getattr(rotation, where)
def dying(*a, **k):
    left[0] -= 1
    if left[0] < 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return original(*a, **k)
setattr(rotation, where, dying)
rotation.LOT = 2
stage = open_stage(Path(home), fresh=False)
stage.hub.start()
rotation.rotate_master(stage.hub.store, stage.hub.committer, stage.hub.settings.keys_folder, by="x", at=stage.hub.clock())
"""
KILLED_AT = {
    "half of the keys wrapped": ("_wrap", 2, True),
    "all wrapped and told, the manifest not written": ("retire_key", 0, True),
}


@pytest.mark.parametrize(("where", "times", "resumed"), KILLED_AT.values(), ids=KILLED_AT.keys())
def test_a_killed_rotation_goes_on(tmp_path: Path, where: str, times: int, resumed: bool) -> None:
    home = tmp_path / "home"
    stage = open_stage(home)
    stage.hub.start()
    raws = send(stage, 0, 7)
    stage.hub.stop()
    child = subprocess.run([sys.executable, "-c", CHILD, str(home), where, str(times)], cwd=ROOT, check=False)
    assert child.returncode == -9
    again = open_stage(home, fresh=False)
    again.hub.start()
    try:
        assert kept(again) == raws  # the hub serves between the two halves
        done = rotate(again)
        assert done.resumed is resumed
        assert under(again) == {done.key_id: 7}
        assert again.events().count("key") == 2
        assert kept(again) == raws
        again.check()
    finally:
        again.hub.stop()
