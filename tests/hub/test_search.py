"""Finding messages: by everything a person may know of one, however it is written, on both databases."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import select

from hub.find import asked, found, viewer_of
from replay import search as finding
from replay.search import Viewer
from replay.store.tables import messages
from schemas.errors import Refused
from tests.hub.stage import DATDAI, MOTCUA, QLVB, Stage, open_stage
from tests.packets import document, status
from tests.replay.conftest import module_postgres_url as module_postgres_url  # noqa: PLC0414 - a fixture

DOSSIER = "000.00.01.H32-261120-0007"
LAND = f"{MOTCUA},2026/03/02,1/A"
OTHER = f"{MOTCUA},2026/03/02,2/B"


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def stage(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A hub with a few messages: one about land, one about something else, an answer, and one of another sender."""
    toml = "sweep_s = 0.1\n"
    if request.param == "postgresql":
        toml += f'store_url = "{request.getfixturevalue("module_postgres_url")}"\n'
    opened = open_stage(tmp_path_factory.mktemp("hub") / "home", hub_toml=toml)
    opened.hub.start()
    opened.send(document(MOTCUA, (QLVB, DATDAI), LAND, subject=unicodedata.normalize("NFD", f"Giải quyết ĐẤT ĐAI, hồ sơ {DOSSIER}")))
    opened.send(document(MOTCUA, (DATDAI,), OTHER, subject="Về việc họp giao ban (tháng 3)"))
    opened.send(status(QLVB, MOTCUA, LAND, code="03", description="Đã tiếp nhận"), "qlvb")
    opened.send(document(DATDAI, (QLVB,), f"{DATDAI},2026/03/02,3/C", subject="Báo cáo đất nông nghiệp"), "datdai")
    yield opened
    opened.hub.stop()


def ids(stage: Stage, viewer: Viewer | None = None, /, **parameters: str) -> list[str]:
    return [one["document_id"] for one in found(stage.hub.store, asked(parameters, viewer))["items"]]


FOUND: dict[str, tuple[dict[str, str], int]] = {
    "nothing asked": ({}, 4),
    "words without accents": ({"q": "dat dai"}, 1),
    "words with accents, composed": ({"q": "Đất đai"}, 1),
    "words decomposed": ({"q": unicodedata.normalize("NFD", "đất đai")}, 1),
    "one word of two messages": ({"q": "dat"}, 2),
    "a word that is part of another": ({"q": "da"}, 1),
    "words of a query language": ({"q": 'dat AND NOT "dai" OR * NEAR('}, 0),
    "signs only": ({"q": '"*()^:-'}, 0),
    "a number in parentheses": ({"q": "(thang 3)"}, 1),
    "the number": ({"number": "7816"}, 4),
    "the number with zeros": ({"number": "007816"}, 4),
    "the notation": ({"number": "vpub-ttdt"}, 4),
    "number and notation": ({"number": "7816/VPUB-TTĐT"}, 4),
    "another notation": ({"number": "7816/UBND"}, 0),
    "a document and its answer": ({"document_id": LAND}, 2),
    "the dossier in the subject": ({"dossier": DOSSIER.lower()}, 1),
    "an agency in the other form": ({"agency": "000.00.02.H32"}, 3),
    "the sender": ({"sender": MOTCUA}, 2),
    "the recipient": ({"recipient": DATDAI}, 2),
    "the kind": ({"kind": "document.status"}, 1),
    "kind and words": ({"kind": "document.status", "q": "tiep nhan"}, 1),
    "a time that was": ({"since": "2020-01-01"}, 4),
    "a time to come": ({"since": "2120-01-01"}, 0),
    "before everything": ({"until": "2020-01-01T00:00:00+07:00"}, 0),
    "a code that nobody had": ({"code": "agency-refused"}, 0),
    "waiting in the mailbox": ({"state": "queued", "recipient": DATDAI}, 2),
    "a sender's parked ones": ({"state": "parked", "sender": MOTCUA}, 0),
}


@pytest.mark.parametrize(("parameters", "count"), FOUND.values(), ids=FOUND.keys())
def test_it_is_found(stage: Stage, parameters: dict[str, str], count: int) -> None:
    assert len(ids(stage, **parameters)) == count


BAD: dict[str, dict[str, str]] = {
    "an unknown name": {"subject": "x"},
    "an unknown state": {"state": "lost"},
    "a code that is none": {"code": "'; DROP TABLE"},
    "a time without a zone": {"since": "2026-01-01T00:00:00"},
    "a day that is none": {"until": "2026-02-30"},
    "a day beyond the calendar": {"until": "9999-12-31"},
    "an empty value": {"number": " "},
    "a limit too large": {"limit": "100000"},
    "a cursor that is none": {"before": "-1"},
    "too long": {"q": "x" * 501},
    "too many words": {"q": " ".join(map(str, range(41)))},
}


@pytest.mark.parametrize("parameters", BAD.values(), ids=BAD.keys())
def test_what_cannot_be_asked_is_refused(stage: Stage, parameters: dict[str, str]) -> None:
    with pytest.raises(Refused, match="invalid-request"):
        ids(stage, **parameters)


def test_odd_values_find_nothing_and_break_nothing(stage: Stage) -> None:
    for odd in ("\x00", "\ud800", "%_", "'", '"', "{x}", "𝔞" * 100, "\u202e", "NULL", "*"):
        for name in ("q", "number", "document_id", "dossier", "agency", "sender", "recipient", "kind"):
            assert ids(stage, **{name: odd}) == []


def test_a_system_finds_its_own_only(stage: Stage) -> None:
    seen = {name: len(ids(stage, viewer_of(stage.principal(name)))) for name in ("motcua", "qlvb", "datdai", "truc")}
    assert seen == {"motcua": 3, "qlvb": 3, "datdai": 3, "truc": 0}
    items = found(stage.hub.store, asked({"document_id": LAND, "kind": "document.new"}, viewer_of(stage.principal("datdai"))))["items"]
    assert [copy["recipient"] for copy in items[0]["copies"]] == [DATDAI]
    assert ids(stage, viewer_of(stage.principal("qlvb")), state="queued", document_id=LAND) == []  # what others have not fetched


def test_pages_follow_each_other_without_gap_or_repetition(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finding, "FIRST_PIECE", 1)
    monkeypatch.setattr(finding, "MAX_EXAMINED", 2)
    everything = ids(stage)
    for parameters in ({}, {"sender": MOTCUA, "state": "queued"}, {"q": "dat"}):
        pages: list[str] = []
        cursor: dict[str, str] = {}
        while True:
            page: dict[str, Any] = found(stage.hub.store, asked({**parameters, **cursor, "limit": "1"}, None))
            pages += [one["document_id"] for one in page["items"]]
            if page["next"] is None:
                break
            cursor = {"before": str(page["next"])}
        assert pages == ids(stage, **parameters)
    assert len(everything) == 4
    with stage.hub.store.read() as conn:
        assert len(conn.execute(select(messages.c.id)).all()) == 4


def test_the_store_is_intact_with_its_terms(stage: Stage) -> None:
    stage.check()
