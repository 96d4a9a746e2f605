"""A new master key while the hub serves: nothing is lost, nothing is wrapped by the old one any more, and a killed rotation goes on."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from hub.keys import Keyring, WatchedMasters
from hub.rotation import Rotated, rotate_master, wrapped_by
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
    masters = WatchedMasters(stage.hub.settings.keys_folder)
    before = masters()
    assert masters() is before
    rotate(stage)
    assert masters()[0].id != before[0].id
    assert masters()[1:] == before


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
