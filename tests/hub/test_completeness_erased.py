"""Completeness where something was erased: what the journal says was erased passes, and is told; what is only missing does not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.demo.pki import build_pki
from hub.node import utc_now
from replay.evidence.box import PROOF
from replay.evidence.period_check import ENTRIES, OPENINGS, Asked, leaves_in
from replay.tlog_proof import from_text, to_text
from tests.hub.evidence_world import Files, World, build, failing, judged, repacked, unpacked
from tests.hub.stage import DATDAI, MOTCUA, QLVB
from tests.packets import document

REASON = "theo quyết định 12/QĐ-STP"


@pytest.fixture(scope="module")
def gone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, UUID, int]]:
    """The world, and in its hour another letter of motcua, which was erased long after the hour: message and the erasing entry."""
    pki = build_pki(tmp_path_factory.mktemp("pki"), (MOTCUA,), utc_now() - timedelta(days=1), elliptic=[MOTCUA], root_bits=2048)
    world = build(tmp_path_factory.mktemp("world"), pki)
    stage, clock = world.stage, world.clock
    message_id = stage.send(document(MOTCUA, (QLVB,), f"{MOTCUA},2026/03/02,8/X")).message_id
    stage.settle(message_id, H32_02="delivered")
    stage.send(document(QLVB, (DATDAI,), f"{QLVB},2026/03/02,9/X"), "qlvb")
    clock.ahead += timedelta(minutes=20)
    world.ended = clock() - timedelta(minutes=10)
    index = stage.hub.eraser.erase(message_id, by="văn thư", reason=REASON, at=clock()).index
    assert index is not None
    world.cosign()
    yield world, message_id, index
    stage.hub.stop()


@pytest.fixture(scope="module")
def container(gone: tuple[World, UUID, int]) -> bytes:
    return gone[0].period()


def test_what_was_erased_is_told_with_its_reason(gone: tuple[World, UUID, int], container: bytes, tmp_path: Path) -> None:
    world, _, index = gone
    report = judged(world, container, Asked(MOTCUA, world.started, world.ended), unsigned=False)
    assert report.is_valid, report.as_json()
    [told] = [point for point in report.points if point.name == "erased"]
    assert told.state == "open"
    assert f"erased by entry {index} of" in told.text
    assert f"văn thư: {REASON}" in told.text
    found = world.script(container, tmp_path)
    assert (found["valid"], found["exit"]) == (True, 0), found
    [theirs] = [point["text"] for point in found["points"] if point["point"] == "erased"]
    assert theirs == told.text
    world.stage.check()


def erasing(files: Files) -> str:
    [name] = [name for name in files if name.endswith(PROOF)]
    return name


def without_the_reason(files: Files) -> Files:
    return {name: body for name, body in files.items() if not name.endswith(PROOF)}


def closed_reason(files: Files) -> Files:
    from dataclasses import replace

    name = erasing(files)
    return files | {name: to_text(replace(from_text(files[name]), opening=None)).encode()}


def another_entry(files: Files) -> Files:
    """The reason says that something else was erased, too."""
    from dataclasses import replace

    name = erasing(files)
    proof = from_text(files[name])
    assert proof.opening is not None
    opening = json.loads(proof.opening)
    opening["entries"]["value"] += [int(number) for number in json.loads(files[OPENINGS])]
    changed = json.dumps(opening, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    return files | {name: to_text(replace(proof, opening=changed)).encode(), OPENINGS: b"{}"}


def withheld_beside(files: Files) -> Files:
    """One entry of the party that was not erased is left out."""
    return files | {OPENINGS: json.dumps(dict(list(json.loads(files[OPENINGS]).items())[1:])).encode()}


CHANGES = {each.__name__: each for each in (without_the_reason, closed_reason, another_entry, withheld_beside)}


@pytest.mark.parametrize("name", CHANGES)
def test_what_is_not_shown_to_be_erased_is_withheld(gone: tuple[World, UUID, int], container: bytes, tmp_path: Path, name: str) -> None:
    forged = repacked(CHANGES[name](unpacked(container)))
    assert "withheld" in failing(judged(gone[0], forged))
    found = gone[0].script(forged, tmp_path, unsigned=True)
    assert found["exit"] == 1
    assert "withheld" in [point["point"] for point in found["points"] if point["state"] == "failed"]


@pytest.mark.parametrize("alias", [MOTCUA, "000.00.01.H32", "H32.1", " h32.01 "])
def test_the_party_by_any_form_of_its_code(gone: tuple[World, UUID, int], tmp_path: Path, alias: str) -> None:
    world = gone[0]
    made = world.period(alias.strip())
    assert judged(world, made, Asked(alias)).is_valid
    assert world.script(made, tmp_path, "--party", alias)["valid"]
    assert "party" in failing(judged(world, made, Asked("H32.10")))


def test_of_others_nothing_is_opened_but_what_both_take_part_in(gone: tuple[World, UUID, int], container: bytes) -> None:
    files = unpacked(container)
    opened = json.loads(files[OPENINGS])
    told = json.dumps(opened)
    assert "9/X" not in told  # the letter from qlvb to datdai
    assert len(opened) < len(leaves_in(files[ENTRIES]))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_is_left_out_or_opened_beyond_is_seen(gone: tuple[World, UUID, int], container: bytes, data: st.DataObject) -> None:
    """For every set of the party's entries that is shown, and every period asked about: valid only where it is all of them."""
    world, files = gone[0], unpacked(container)
    openings = json.loads(files[OPENINGS])
    kept = data.draw(st.sets(st.sampled_from(sorted(openings))))
    shift = data.draw(st.sampled_from([-3600, -1, 0, 1, 3600]))
    shown = files | {OPENINGS: json.dumps({number: row for number, row in openings.items() if number in kept}).encode()}
    asked = Asked(MOTCUA, world.started + timedelta(seconds=shift), world.ended)
    report = judged(world, repacked(shown), asked)
    assert report.is_valid == (kept == openings.keys() and shift == 0)


@pytest.mark.parametrize("seconds", [0, 1, 60, 600])
def test_wherever_a_period_begins_and_ends_it_is_whole(gone: tuple[World, UUID, int], seconds: int) -> None:
    world = gone[0]
    key = world.stage.hub.keyring.parties().of(MOTCUA)
    for since, until in (
        (world.started + timedelta(seconds=seconds), world.ended),
        (world.started - timedelta(hours=3), world.started + timedelta(seconds=seconds + 1)),
        (world.ended - timedelta(microseconds=seconds + 1), world.ended),
    ):
        if since < until:
            report = judged(world, world.period(MOTCUA, since, until), Asked(MOTCUA, since, until, key))
            assert report.is_valid, (since, until, report.as_json())
