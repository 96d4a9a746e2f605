"""`lgsp directory` as people and scripts meet it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hub.cli import app, exit_code
from schemas.errors import HubError

RUNNER = CliRunner()


@pytest.fixture
def overlay(tmp_path: Path) -> Path:
    path = tmp_path / "khanh-hoa.toml"
    path.write_text('[[agency]]\ncode = "H32.05"\nname = "Sở Xây dựng"\ncode102 = "000.00.15.H32"\n', "utf-8")
    return path


CASES = {
    "a province": (["show", "H32"], 0, "Ủy ban nhân dân tỉnh Khánh Hòa"),
    "a closed one and its successor": (["show", "000.00.00.H43", "--at", "2026-01-01"], 1, "→ H32"),
    "the same before the merger": (["show", "H43", "--at", "2024-01-01"], 0, "Ninh Thuận"),
    "a province whose merger is not known": (["show", "H47", "--at", "2026-01-01"], 0, "--overlay"[2:]),
    "a sub-code below a closed province": (["show", "H43.12", "--at", "2026-01-01"], 1, "below H43"),
    "an unlisted sub-code": (["show", "H32.12"], 0, "below H32"),
    "a ministry closed without known successor": (["show", "G05", "--at", "2026-01-01"], 1, "not known"),
    "to the old form": (["convert", "H53.13", "--to", "qcvn102"], 0, "000.00.13.H53  [arithmetic]"),
    "what cannot be written there": (["convert", "Z01ABC", "--to", "qd20"], 1, "[none]"),
    "a form that does not exist": (["convert", "H32", "--to", "qd21"], 2, "qcvn102 | qd20"),
}


@pytest.mark.parametrize(("words", "code", "said"), CASES.values(), ids=CASES)
def test_it_answers(words: list[str], code: int, said: str) -> None:
    result = RUNNER.invoke(app, ["directory", *words])
    assert (result.exit_code, said in result.output) == (code, True), result.output


def test_an_overlay_is_read(overlay: Path) -> None:
    result = RUNNER.invoke(app, ["directory", "show", "000.00.15.H32", "--overlay", str(overlay), "--json"])
    answer = json.loads(result.output)
    assert (answer["entry"]["name"], answer["standing"], answer["qd20"]) == (
        "Sở Xây dựng",
        "current",
        {"text": "H32.05", "basis": "directory", "lossy": False, "notes": []},
    )


def test_a_code_that_nobody_has_is_refused() -> None:
    fault = RUNNER.invoke(app, ["directory", "show", "X99"]).exception
    assert isinstance(fault, HubError)
    assert (fault.code, exit_code(fault)) == ("directory-code-unknown", 1)


@pytest.mark.parametrize("content", [b"\xff\xfe[", b"[[agency", b""], ids=["no UTF-8", "no TOML", "empty"])
def test_a_bad_overlay_is_an_error_of_ours_or_empty(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.toml"
    path.write_bytes(content)
    result = RUNNER.invoke(app, ["directory", "show", "H32", "--overlay", str(path)])
    assert result.exit_code == 0 or getattr(result.exception, "code", "") == "directory-data-invalid"
