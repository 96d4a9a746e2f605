"""Translating again: with the mappings of then, which have to make the same bytes, and with those of today, field by field."""

from __future__ import annotations

import json
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import delete, select

from hub import reports_replay
from hub.artefacts import OWN
from hub.rework.bodies import body_differences
from replay import artefacts
from replay.in_force import latest
from replay.job import JobState, Mode
from replay.report import commitment
from replay.selection import Query
from replay.store.jobs import replays
from replay.store.tables import artefacts as kept
from schemas.errors import Refused
from schemas.limits import DEFAULT_LIMITS
from tests.hub.people import Staff
from tests.hub.replaying import HERE, journalled, made, ran, report, run
from tests.hub.stage import DATDAI, MOTCUA, QLVB, RETRY, Stage, open_stage, profile
from tests.packets import document

_LOST = [
    "ApplicationType",
    "Attachment",
    "Bussiness",
    "Code",
    "Content",
    "DocumentId",
    "DocumentType",
    "DueDate",
    "From",
    "OtherInfo",
    "PromulgationInfo",
    "Reference",
    "ResponseFor",
    "SignerInfo",
    "SteeringType",
    "Subject",
    "TaskCode",
    "To",
    "ToPlaces",
    "TraceHeader",
]
TAKES = 'format = "canonical.task"\naccept_losses = ["declared", "reading", "form"]'
PROFILES = {
    "motcua": profile([MOTCUA]),
    "qlvb": profile([QLVB], "recorder", delivery=f"{TAKES}\n{RETRY}"),
    "datdai": profile([DATDAI], "recorder", delivery=f'format = "canonical.task"\n{RETRY}'),  # accepts no losses
}


def mapping(field: str, version: str = "1.0.0") -> str:
    """A province's own: one field of a document as what a task is about."""
    lost = ", ".join(f'"{one}"' for one in _LOST if one != field)
    return f"""name = "cua_tinh"
version = "{version}"
kind = "table"
source = "edxml.document"
target = "canonical.task"
vi = "Văn bản thành nhiệm vụ"
en = "A document as a task"
basis = "own"

[defaults]
text = ["text:nfc"]

[[block]]
fields = [["{field}", "nhiem_vu.noi_dung"]]

[[loss]]
side = "source"
paths = [{lost}]
vi = "Không thuộc nhiệm vụ."
en = "No part of a task."
"""


def put(home: Path, text: str) -> None:
    folder = home / "mappings" / "cua_tinh"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "mapping.toml").write_text(text, "utf-8")


@pytest.fixture
def staff(tmp_path: Path) -> Iterator[Staff]:
    """A hub that has delivered two documents by its own mapping."""
    home = tmp_path / "home"
    put(home, mapping("Subject"))
    stage = open_stage(home, profiles=PROFILES)
    stage.hub.start()
    found = Staff(stage)
    for number in range(2):
        sent = stage.send(document(MOTCUA, (QLVB,), f"{HERE},{number}/X", subject=f"V/v việc số {number}")).message_id
        stage.settle(sent, H32_02="delivered")
    yield found
    found.stage.hub.stop()


def reopened(staff: Staff) -> Stage:
    folder = staff.stage.hub.settings.home
    staff.stage.hub.stop()
    staff.stage = open_stage(folder, profiles=PROFILES, fresh=False)
    staff.stage.hub.start()
    return staff.stage


def test_the_provinces_own_mappings_are_in_force_and_in_the_journal(staff: Staff) -> None:
    hub = staff.stage.hub
    with hub.store.read() as conn:
        first = latest(conn, "mappings")
        told = json.loads(artefacts.fetch(conn, str(first)))
    assert told["files"][f"{OWN}cua_tinh/mapping.toml"] == mapping("Subject")
    assert told["sha256"][f"{OWN}cua_tinh/mapping.toml"] == sha256(mapping("Subject").encode()).hexdigest()
    put(hub.settings.home, mapping("DocumentId", "2.0.0"))
    with reopened(staff).hub.store.read() as conn:
        assert latest(conn, "mappings") != first, "another one is in force, by an entry of its own"


def test_what_nobody_changed_comes_out_byte_for_byte(staff: Staff) -> None:
    told = ran(staff, Mode.RETRANSLATE)
    assert (told["outcomes"], told["as_of_now"], told["exceptions"]) == ({"same": 2}, {"same": 2}, [])


def test_a_changed_mapping_is_told_field_by_field_to_who_may_see_it(staff: Staff) -> None:
    put(staff.stage.hub.settings.home, mapping("DocumentId", "2.0.0"))
    reopened(staff)
    job = made(staff, Mode.RETRANSLATE)
    staff.shop.replays.start(staff.session("an"), job.id)
    assert run(staff, job).state is JobState.DONE
    told = report(staff, job)
    assert (told["outcomes"], told["as_of_now"]) == ({"same": 2}, {"changed": 2}), "with the mapping of then the bytes are the same"
    shut: dict[str, Any] = told["exceptions"][1]["now"]["fields"]
    (path,) = [one for one in shut if one.startswith("/body/")]

    opened = staff.shop.reader.items(staff.session("cuc"), job.id, values=True)["items"][1]
    assert opened["now"]["fields"][path] == ["V/v việc số 1", f"{HERE},1/X"]
    assert [commitment(one, opened["salt"]) for one in opened["now"]["fields"][path]] == shut[path]
    assert staff.shop.reader.items(staff.session("em"), job.id)["items"][1]["now"]["fields"] == shut
    with pytest.raises(Refused, match="role-missing"):
        staff.shop.reader.items(staff.session("em"), job.id, values=True)

    signed = staff.shop.reader.report(staff.session("cuc"), job.id)
    assert "việc số".encode() not in signed
    assert "việc số" not in reports_replay.page(signed)
    page = reports_replay.page(signed, staff.shop.reader.values(staff.session("cuc"), job.id))
    assert "V/v việc số 1" in page and f"{HERE},1/X" in page and shut[path][0] not in page
    assert "dịch lại · retranslate" in page and "Xét theo hiện tại" in page


def test_values_go_with_the_message_and_the_report_stays(staff: Staff) -> None:
    put(staff.stage.hub.settings.home, mapping("DocumentId", "2.0.0"))
    hub = reopened(staff).hub
    told = ran(staff, Mode.RETRANSLATE)
    job = UUID(told["replay"])
    mine = UUID(told["exceptions"][0]["message_id"])
    hub.eraser.erase(mine, by="văn thư", reason="theo quyết định 12", at=hub.clock())
    signed = staff.shop.reader.report(staff.session("cuc"), job)
    assert json.loads(signed)["exceptions"] == told["exceptions"]
    page = reports_replay.page(signed, staff.shop.reader.values(staff.session("cuc"), job))
    assert "V/v việc số 0" not in page and "V/v việc số 1" in page
    staff.stage.check()


def test_a_format_that_is_not_taken_any_more_is_told(staff: Staff) -> None:
    (staff.stage.hub.settings.home / "systems" / "qlvb.toml").write_text(profile([QLVB], "recorder", delivery=RETRY), "utf-8")
    reopened(staff)
    told = ran(staff, Mode.RETRANSLATE)
    assert (told["outcomes"], told["as_of_now"]) == ({"same": 2}, {"changed": 2})
    assert "/mappings" in told["exceptions"][0]["now"]["fields"]


def test_without_the_mapping_of_then_the_question_is_not_answered(staff: Staff) -> None:
    named = journalled(staff, "translated")[0]["mappings"]
    with staff.stage.hub.store.write() as conn:
        conn.execute(delete(kept).where(kept.c.digest.in_(named)))
    told = ran(staff, Mode.RETRANSLATE)
    assert told["outcomes"] == {"impossible": 2}
    assert told["exceptions"][0]["code"] == "not-found"


def test_what_no_receiver_was_ever_given_is_left_out(staff: Staff) -> None:
    stage = staff.stage
    parked = stage.send(document(MOTCUA, (DATDAI,), f"{HERE},9/X")).message_id
    stage.settle(parked, H32_03="parked")
    told = ran(staff, Mode.RETRANSLATE)
    assert told["outcomes"] == {"same": 2, "skipped": 1}
    (one,) = told["exceptions"]
    assert (one["message_id"], one["why"]) == (str(parked), "nothing was given to the receiver")


def test_a_typed_document_is_gone_with_its_message_and_the_selection_stays(staff: Staff, tmp_path: Path) -> None:
    hub, typed = staff.stage.hub, f"{HERE},1/X"
    job = made(staff, Mode.VERIFY, Query(document=typed))
    assert staff.shop.reader.status(staff.session("cuc"), job.id)["typed"] == {"document": typed}
    staff.shop.replays.start(staff.session("an"), job.id)
    run(staff, job)
    (item,) = staff.shop.reader.items(staff.session("cuc"), job.id)["items"]
    hub.eraser.erase(UUID(item["message_id"]), by="văn thư", reason="theo quyết định 12", at=hub.clock())
    after = staff.shop.reader.status(staff.session("cuc"), job.id)
    assert (after["typed"], after["items"], after["digest"]) == ({}, 1, job.digest)
    with hub.store.read() as conn:
        request = conn.execute(select(replays.c.request).where(replays.c.id == job.id)).scalar_one()
    assert typed.encode() not in bytes(request)
    for path in (tmp_path / "home" / "data").rglob("*"):
        assert not path.is_file() or f"{HERE},1".encode() not in path.read_bytes(), path.name
    staff.stage.check()


X = b"<a xmlns='u'><b c='1'>x</b><b>y</b></a>"
BODIES = {
    "an element": (X, X.replace(b">y<", b">z<"), {"/body/a/b[2]": ["y", "z"]}),
    "an attribute": (X, X.replace(b"'1'", b"'2'"), {"/body/a/b/@c": ["1", "2"]}),
    "an element more": (X, X.replace(b"</a>", b"<d/></a>"), {"/body/a/d": [None, ""]}),
    "a member": (b'{"a": [1, {"b": "x"}]}', b'{"a": [1, {"b": "y"}]}', {"/body/a/1/b": ["x", "y"]}),
    "a number that was text": (b'{"a": 1}', b'{"a": "1"}', {"/body/a": [1, "1"]}),
    "space alone": (b"<a/>", b"<a />", {"/body@2": ["/>", " />"]}),
    "no XML": (b"PK\x03\x04", b"PK\x03\x05", {"/body@3": ["\x04", "\x05"]}),
    "another kind": (b"<a/>", b"{}", {"/body/a": ["", None], "/body/": [None, {}]}),
    "nothing": (X, X, {}),
}


@pytest.mark.parametrize(("then", "now", "wanted"), BODIES.values(), ids=BODIES.keys())
def test_bodies_are_compared_field_by_field(then: bytes, now: bytes, wanted: dict[str, list[Any]]) -> None:
    assert body_differences(then, now, DEFAULT_LIMITS) == wanted
