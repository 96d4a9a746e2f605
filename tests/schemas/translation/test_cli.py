"""`lgsp translate`: body to standard output, losses to standard error, exit 0, 1 or 2."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hub.cli import app, exit_code
from schemas.errors import HubError
from schemas.translation.shipped import FOLDER, shipped

RUNNER = CliRunner()
STEP = FOLDER / "lgsp_step" / "examples" / "reception.in"
DOCUMENT = FOLDER / "edxml_document" / "examples" / "new.in"


def test_the_body_is_printed_as_it_is_and_losses_beside_it() -> None:
    result = RUNNER.invoke(app, ["translate", str(STEP), "--to", "canonical.progress"])
    assert result.exit_code == 0
    assert result.stdout_bytes == STEP.with_suffix(".out").read_bytes()
    assert "/Status [declared]" in result.stderr


def test_json_has_body_losses_and_ids() -> None:
    value = json.loads(RUNNER.invoke(app, ["translate", str(STEP), "--to", "canonical.progress", "--json"]).stdout)
    assert value["body"].encode() == STEP.with_suffix(".out").read_bytes()
    assert [one["path"] for one in value["losses"]] == ["/Status"]
    assert value["mapping_ids"] == [shipped().by_name["lgsp_step"].id]


def test_a_packet_in_utf_16_is_shown_in_base64(tmp_path: Path) -> None:
    path = tmp_path / "packet.edxml"
    path.write_bytes(DOCUMENT.read_text("utf-8").replace('encoding="UTF-8"', 'encoding="UTF-16"').encode("utf-16"))
    value = json.loads(RUNNER.invoke(app, ["translate", str(path), "--to", "edxml.document", "--json"]).stdout)
    assert "body_base64" in value


def test_the_mappings_are_listed() -> None:
    assert "edxml.document" in RUNNER.invoke(app, ["translate", "--list"]).stdout
    rows = json.loads(RUNNER.invoke(app, ["translate", "--list", "--json"]).stdout)
    assert {row["name"] for row in rows} == set(shipped().by_name)


USAGE = {
    "no such file": ["nowhere.json", "--to", "canonical.birth"],
    "no such target": [str(STEP), "--to", "canonical.poem"],
    "no such source": [str(STEP), "--from", "x", "--to", "canonical.birth"],
    "no target": [str(STEP)],
    "nothing": [],
}


@pytest.mark.parametrize("words", USAGE.values(), ids=USAGE)
def test_wrong_usage_is_2(words: list[str]) -> None:
    assert RUNNER.invoke(app, ["translate", *words]).exit_code == 2


def test_a_refusal_is_1() -> None:
    fault = RUNNER.invoke(app, ["translate", str(STEP), "--to", "edxml.status"]).exception
    assert isinstance(fault, HubError)
    assert exit_code(fault) == 1
