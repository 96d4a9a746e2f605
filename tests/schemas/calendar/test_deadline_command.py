"""`lgsp deadline` as people and scripts meet it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hub.cli import app, exit_code
from schemas.errors import HubError

RUNNER = CliRunner()
FRIDAY = ["--received", "2026-02-13T15:30", "--term", "5 ngày làm việc", "--province", "H32"]


def run(*words: str) -> str:
    result = RUNNER.invoke(app, ["deadline", *words], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_it_explains_itself() -> None:
    text = run(*FRIDAY, "--cutoff", "15:00")
    assert "17:00 02/03/2026" in text
    assert "sau giờ chốt 15:00" in text
    assert "Tết Nguyên đán Bính Ngọ" in text
    assert "nd118-2025/1" in text


def test_pauses_come_in_pairs_and_several() -> None:
    pauses = ["--pause", "2026-02-24T09:00", "2026-02-25T10:00", "--pause", "2026-03-02T09:00", "2026-03-03T09:00"]
    answer = json.loads(run(*FRIDAY, *pauses, "--finished", "2026-03-03T09:00", "--json"))
    assert answer["due"] == "2026-03-03T17:00:00+07:00"
    assert (answer["assessment"]["slip"], answer["assessment"]["staff"]) == ("đúng hạn", "đúng hạn")


def test_a_supplement_that_has_not_come() -> None:
    answer = json.loads(run(*FRIDAY, "--pause", "2026-02-24T09:00", "-", "--json"))
    assert answer["waiting_since"] == "2026-02-24T09:00:00+07:00"


def test_an_overlay_is_read(tmp_path: Path) -> None:
    path = tmp_path / "kh.toml"
    path.write_text('province = "H32"\n[[off]]\ndays = [2026-02-27]\nvi = "Nghỉ của tỉnh"\n', "utf-8")
    assert "02/03/2026 (+07:00)" in run(*FRIDAY, "--overlay", str(path))


REFUSED = {
    "a time": (["--received", "today", "--term", "5 ngày"], "deadline-time-unreadable", 2),
    "a term": (["--received", "2026-02-13", "--term", "soon"], "deadline-term-unreadable", 2),
    "a cut-off": ([*FRIDAY, "--cutoff", "3pm"], "deadline-time-unreadable", 2),
    "a cut-off with a zone": ([*FRIDAY, "--cutoff", "15:00+07:00"], "deadline-time-unreadable", 2),
    "a pause": ([*FRIDAY, "--pause", "2026-02-20", "2026-02-19"], "deadline-pause-invalid", 2),
    "a year without data": (["--received", "2031-02-13", "--term", "5 ngày"], "deadline-year-missing", 1),
    "a year before any rule": (["--received", "2001-02-13", "--term", "5 ngày"], "deadline-rule-missing", 1),
    "the end of time": (["--received", "9999-12-31T23:59-12:00", "--term", "5 ngày"], "deadline-time-unreadable", 2),
}


@pytest.mark.parametrize(("words", "code", "status"), REFUSED.values(), ids=REFUSED)
def test_it_refuses(words: list[str], code: str, status: int) -> None:
    fault = RUNNER.invoke(app, ["deadline", *words]).exception
    assert isinstance(fault, HubError)
    assert (fault.code, exit_code(fault)) == (code, status)
