"""The figures on documents sent: each document once, as its sender said, and nothing that is no document."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hub.cli import app
from hub.statistics import Figures, documents_sent
from schemas.edxml.packet import Bussiness
from schemas.edxml.writer import write_document
from tests.hub.stage import DATDAI, MOTCUA, QLVB, Stage, open_stage
from tests.packets import document, document_packet, in_csharp_order, recall, status

SAME_DAY = datetime(2026, 11, 20, 2, tzinfo=UTC)
MUCH_LATER = datetime(2026, 12, 20, 2, tzinfo=UTC)


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    stage = open_stage(tmp_path / "home", deliver=False)
    stage.hub.start()
    yield stage
    stage.hub.stop()


def letter(number: int, paper: str | None, priority: str = "0", recipients: tuple[str, ...] = (DATDAI,), sender: str = MOTCUA) -> bytes:
    """A new document; `paper` None is one without `Bussiness`."""
    packet = document_packet(sender, recipients, f"{sender},2026/11/20,{number}/X")
    business = None if paper is None else Bussiness(bussiness_doc_type="0", paper=paper)
    return write_document(replace(packet, bussiness=business, other_info=replace(packet.other_info, priority=priority)))


def test_each_document_counts_once_as_its_sender_said(stage: Stage) -> None:
    electronic = letter(1, "0", recipients=(DATDAI, QLVB))
    stage.send(electronic, at=SAME_DAY)
    stage.send(in_csharp_order(electronic), "truc", at=SAME_DAY)  # by a second route
    stage.send(letter(2, "1", priority="3"), at=SAME_DAY)
    stage.send(letter(3, None), at=MUCH_LATER)
    stage.send(letter(4, "0", sender=QLVB, recipients=(MOTCUA,)), "qlvb", at=SAME_DAY)
    stage.send(recall(MOTCUA, (DATDAI,), f"{MOTCUA},2026/11/20,1/X"), at=SAME_DAY)
    stage.send(status(DATDAI, MOTCUA, f"{MOTCUA},2026/11/20,1/X"), "datdai", at=SAME_DAY)
    found = documents_sent(stage.hub.store)
    assert found == {
        MOTCUA: Figures(documents=3, electronic=1, paper=1, unsaid=1, urgent=1, late=1),
        QLVB: Figures(documents=1, electronic=1),
    }
    assert sum(found.values(), Figures()).electronic_percent == 66.7
    assert documents_sent(stage.hub.store, sender="000.00.02.H32") == {QLVB: found[QLVB]}
    assert Figures(unsaid=4).electronic_percent is None


def test_the_command_prints_them_for_people_and_machines(stage: Stage, tmp_path: Path) -> None:
    stage.send(document(MOTCUA, (DATDAI,)), at=SAME_DAY)
    home = ["--home", str(tmp_path / "home")]
    told = CliRunner().invoke(app, ["stats", "--json", *home])
    assert json.loads(told.stdout)["all"] == {**Figures(documents=1, electronic=1, urgent=1).as_json(), "electronic_percent": 100.0}
    shown = CliRunner().invoke(app, ["stats", *home]).stdout
    assert "100.0 %" in shown
    assert shown.index(MOTCUA) < shown.index("*")
    none = CliRunner().invoke(app, ["stats", "--json", "--until", "2020-01-01", *home])
    assert json.loads(none.stdout) == {"senders": {}, "all": Figures().as_json()}
    assert CliRunner().invoke(app, ["stats", "--since", "hôm qua", *home]).exit_code != 0
