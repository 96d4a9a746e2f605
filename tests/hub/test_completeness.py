"""That nothing about a party was withheld from a period: what is left out, moved or opened beyond it is seen by both checkers."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from hub.demo.pki import build_pki
from hub.node import utc_now
from replay.evidence.box import CHECKPOINT, INDEX
from replay.evidence.period import Period
from replay.evidence.period_check import CONSISTENCY, ENTRIES, LEFT, OPENINGS, Asked, leaves_in
from replay.tiles import Tiles
from schemas.agency import AgencyCode
from schemas.errors import Refused
from schemas.message import rfc3339
from tests.hub.evidence_world import Files, World, build, failing, judged, repacked, unpacked
from tests.hub.stage import DATDAI, MOTCUA, QLVB


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    pki = build_pki(tmp_path_factory.mktemp("pki"), (MOTCUA,), utc_now() - timedelta(days=1), elliptic=[MOTCUA], root_bits=2048)
    made = build(tmp_path_factory.mktemp("world"), pki)
    yield made
    made.stage.hub.stop()


@pytest.fixture(scope="module")
def container(world: World) -> bytes:
    return world.period()


def index_of(files: Files) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(files[INDEX])
    return found


def told(files: Files, **changes: object) -> Files:
    return files | {INDEX: json.dumps(index_of(files) | changes).encode()}


def bundle(leaves: list[bytes]) -> bytes:
    return b"".join(len(leaf).to_bytes(2, "big") + leaf for leaf in leaves)


def openings(files: Files) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(files[OPENINGS])
    return found


def test_every_entry_of_the_party_is_opened_and_those_of_others_stay_closed(world: World, container: bytes, tmp_path: Path) -> None:
    asked = Asked(MOTCUA, world.started, world.ended)
    report = judged(world, container, asked, unsigned=False)
    assert report.is_valid, report.as_json()
    assert [point.name for point in report.points] == [
        "container",
        "signature",
        "checkpoint",
        "witnesses",
        "range",
        "bounds",
        "stamp",
        "withheld",
        "party",
    ]
    files = unpacked(container)
    leaves = leaves_in(files[ENTRIES])
    opened = openings(files)
    assert {one["value"] for entry in opened.values() for name, one in entry.items() if name == "message_id"} == {str(world.message_id)}
    assert len(opened) == 1 < len(leaves)  # the acceptance; of the same range, deliveries to others and letters between them
    assert b"H32.03" not in b"".join(leaves)
    given = ["--party", "000.00.01.H32", "--from", world.started.isoformat(), "--to", world.ended.isoformat()]
    found = world.script(container, tmp_path, *given)
    assert (found["valid"], found["exit"]) == (True, 0), found


def test_the_partys_own_key_shows_the_same(world: World, container: bytes, tmp_path: Path) -> None:
    key = world.stage.hub.keyring.parties().of(MOTCUA)
    assert judged(world, container, Asked(party_key=key)).is_valid
    assert world.script(container, tmp_path, "--party-key", base64.b64encode(key).decode())["valid"]
    other = world.stage.hub.keyring.parties().of(QLVB)
    assert "party" in failing(judged(world, container, Asked(party_key=other)))
    assert world.script(container, tmp_path, "--party-key", base64.b64encode(other).decode())["exit"] == 1


def withheld(world: World, files: Files) -> Files:
    kept = dict(list(openings(files).items())[1:])
    return files | {OPENINGS: json.dumps(kept).encode()}


def without_a_leaf(world: World, files: Files) -> Files:
    leaves = leaves_in(files[ENTRIES])
    return told(files | {ENTRIES: bundle([*leaves[:1], *leaves[2:]])}, end=index_of(files)["end"] - 1)


def renumbered(world: World, files: Files) -> Files:
    rows = openings(files)
    return files | {OPENINGS: json.dumps({str(int(number) + 1): row for number, row in rows.items()}).encode()}


def moved(world: World, files: Files) -> Files:
    index = index_of(files)
    return told(files, first=index["first"] + 1, end=index["end"] + 1)


def swapped(world: World, files: Files) -> Files:
    leaves = leaves_in(files[ENTRIES])
    return files | {ENTRIES: bundle([*leaves[:1], leaves[2], leaves[1], *leaves[3:]])}


def later_beginning(world: World, files: Files) -> Files:
    """Honest proofs of a shorter range: the hub itself could make them."""
    index, leaves = index_of(files), leaves_in(files[ENTRIES])
    first = min(int(number) for number in openings(files)) + 1
    rest = {number: row for number, row in openings(files).items() if int(number) >= first}
    with world.stage.hub.store.read() as conn:
        left = b"".join(Tiles(conn, index["size"]).peaks(first))
    shorter = files | {ENTRIES: bundle(leaves[first - index["first"] :]), LEFT: left, OPENINGS: json.dumps(rest).encode()}
    return told(shorter, first=first)


def earlier_end(world: World, files: Files) -> Files:
    index, leaves = index_of(files), leaves_in(files[ENTRIES])
    end = max(int(number) for number in openings(files))
    rest = {number: row for number, row in openings(files).items() if int(number) < end}
    with world.stage.hub.store.read() as conn:
        consistency = b"".join(Tiles(conn, index["size"]).consistency(end))
    kept = bundle(leaves[: end - index["first"]])
    return told(files | {ENTRIES: kept, CONSISTENCY: consistency, OPENINGS: json.dumps(rest).encode()}, end=end)


def wrong_party(world: World, files: Files) -> Files:
    """Another agency's entries under the name of the one that was asked about."""
    other = unpacked(world.period(DATDAI))
    return told(other, party=MOTCUA)


def other_log(world: World, files: Files) -> Files:
    leaves = leaves_in(files[ENTRIES])
    return files | {ENTRIES: bundle([leaves[0].replace(b'"event":"accepted"', b'"event":"refused"'), *leaves[1:]])}


def older_checkpoint(world: World, files: Files) -> Files:
    """An honest checkpoint of when the period was not over, and everything there was then."""
    index, leaves = index_of(files), leaves_in(files[ENTRIES])
    size = max(int(number) for number in openings(files))
    hub = world.stage.hub
    with hub.store.read() as conn:
        root = Tiles(conn, size).root()
        note = hub.journal.sign(size, root)
    from signing.note import note_text
    from tests.hub.evidence_world import WITNESS

    note += WITNESS.line(note_text(note), int(world.started.timestamp())).encode()
    rest = {number: row for number, row in openings(files).items() if int(number) < size}
    old = files | {
        CHECKPOINT: note,
        ENTRIES: bundle(leaves[: size - index["first"]]),
        CONSISTENCY: b"",
        OPENINGS: json.dumps(rest).encode(),
    }
    return told(old, end=size, size=size)


def opened_of_others(world: World, files: Files) -> Files:
    closed = next(str(n) for n in range(index_of(files)["first"], index_of(files)["end"]) if str(n) not in openings(files))
    return files | {OPENINGS: json.dumps(openings(files) | {closed: {}}).encode()}


def other_value(world: World, files: Files) -> Files:
    return files | {OPENINGS: files[OPENINGS].replace(b"document.new", b"document.old", 1)}


def shorter_period(world: World, files: Files) -> Files:
    """A period after the message, which nobody asked about."""
    return told(files, **{"from": rfc3339(world.ended - timedelta(seconds=1))})


def other_key(world: World, files: Files) -> Files:
    return told(files, party_key=base64.b64encode(bytes(32)).decode())


CHANGES = {
    "an opening is withheld": (withheld, "withheld"),
    "a leaf is left out": (without_a_leaf, "range"),
    "openings are renumbered": (renumbered, "withheld"),
    "the range is moved by one": (moved, "range"),
    "two leaves change places": (swapped, "range"),
    "the range begins after an entry of the party": (later_beginning, "bounds"),
    "the range ends before an entry of the party": (earlier_end, "bounds"),
    "the entries are another party's": (wrong_party, "party"),
    "a leaf is of another log": (other_log, "range"),
    "the checkpoint is older than the period's end": (older_checkpoint, "bounds"),
    "an entry of others is opened": (opened_of_others, "withheld"),
    "a value is another": (other_value, "withheld"),
    "the period is shorter than the one asked about": (shorter_period, "bounds"),
    "the key is nobody's, so nothing has a tag": (other_key, "withheld"),
}


@pytest.mark.parametrize(("change", "point"), CHANGES.values(), ids=CHANGES)
def test_a_dishonest_operator_is_found_out(world: World, container: bytes, tmp_path: Path, change: Any, point: str) -> None:
    forged = repacked(change(world, unpacked(container)), world.seal.credential)
    report = judged(world, forged, Asked(MOTCUA, world.started, world.ended))
    assert point in failing(report), report.as_json()
    given = ["--party", MOTCUA, "--from", world.started.isoformat(), "--to", world.ended.isoformat()]
    found = world.script(forged, tmp_path, *given)
    assert (found["valid"], found["exit"]) == (False, 1)
    assert point in [one["point"] for one in found["points"] if one["state"] == "failed"], found


def test_a_key_without_any_entry_needs_to_be_known_from_elsewhere(world: World, tmp_path: Path) -> None:
    """A made-up key finds nothing, just as the key of a party without entries: only who holds the real one can tell."""
    nobody = "H99.1"
    made = world.period(nobody)
    assert failing(judged(world, made)) == ["party"]
    key = world.stage.hub.keyring.parties().of(nobody)
    assert judged(world, made, Asked(nobody, party_key=key)).is_valid
    assert world.script(made, tmp_path)["exit"] == 1
    assert world.script(made, tmp_path, "--party-key", base64.b64encode(key).decode())["exit"] == 0


def test_without_entries_behind_it_a_witness_bounds_the_period(world: World) -> None:
    """The range reaches to the end of the log; only a witness who saw that end later shows that nothing came after."""
    files = unpacked(world.period())
    index, leaves = index_of(files), leaves_in(files[ENTRIES])
    hub, size = world.stage.hub, max(int(number) for number in openings(files)) + 1
    with hub.store.read() as conn:
        note = hub.journal.sign(size, Tiles(conn, size).root())
    from signing.note import note_text
    from tests.hub.evidence_world import WITNESS

    for later, bounds in ((timedelta(minutes=6), []), (timedelta(minutes=4), ["bounds"])):
        seen = note + WITNESS.line(note_text(note), int((world.ended + later).timestamp())).encode()
        cut = files | {CHECKPOINT: seen, ENTRIES: bundle(leaves[: size - index["first"]]), CONSISTENCY: b""}
        assert failing(judged(world, repacked(told(cut, end=size, size=size)))) == bounds


def test_the_whole_log_from_its_first_entry(world: World, tmp_path: Path) -> None:
    made = world.period(QLVB, since=datetime(2020, 1, 1, tzinfo=world.started.tzinfo))
    assert index_of(unpacked(made))["first"] == 0
    assert judged(world, made).is_valid
    assert world.script(made, tmp_path)["valid"]


@pytest.mark.parametrize(("since", "until"), [(0, 0), (1, 0), (-10, 1000)], ids=["empty", "backwards", "not over yet"])
def test_a_period_that_cannot_be_proven_is_refused(world: World, since: int, until: int) -> None:
    period = Period(AgencyCode.of(MOTCUA), world.ended + timedelta(minutes=since), world.ended + timedelta(minutes=until))
    with pytest.raises(Refused) as caught:
        world.exporter.completeness(period, "console:test")
    assert caught.value.code == "evidence-period"


HOSTILE = {
    "first is a text": {"first": "0"},
    "first is below nothing": {"first": -1},
    "first is beyond everything": {"first": 2**62, "end": 2**62 + 3},
    "end before first": {"end": 0},
    "a party that is a list": {"party": ["H32"]},
    "a party key that is short": {"party_key": "AAAA"},
    "a time without zone": {"from": "2026-01-01T00:00:00"},
    "a time out of this world": {"to": "99999-01-01"},
    "no time": {"from": None},
}


@pytest.mark.parametrize("changes", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_index_gets_a_verdict_and_no_more(world: World, container: bytes, tmp_path: Path, changes: dict[str, object]) -> None:
    forged = repacked(told(unpacked(container), **changes))
    assert not judged(world, forged).is_valid
    assert world.script(forged, tmp_path, unsigned=True)["exit"] == 1


@pytest.mark.parametrize("name", [ENTRIES, LEFT, CONSISTENCY, OPENINGS, CHECKPOINT])
def test_a_file_that_is_missing_or_cut_is_named(world: World, container: bytes, tmp_path: Path, name: str) -> None:
    files = unpacked(container)
    for body in (None, files[name][:-1] if files[name] else b"x"):
        rest = {other: data for other, data in files.items() if other != name}
        forged = repacked(rest if body is None else rest | {name: body})
        assert not judged(world, forged).is_valid
        assert world.script(forged, tmp_path, unsigned=True)["exit"] == 1
