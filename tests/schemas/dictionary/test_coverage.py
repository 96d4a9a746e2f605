"""`lgsp dictionary`: the figures of a survey, looking up, finding; and the page that is made of the data."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from hub.cli.dictionary import app
from schemas.dictionary.coverage import coverage
from schemas.dictionary.page import MARK, tables
from schemas.errors import Refused

RUNNER = CliRunner()
SURVEY = Path(__file__).parents[4] / "shared" / "fixtures" / "onestop" / "field_names_by_message.csv"
PAGE = Path(__file__).parents[3] / "docs" / "dictionary.md"
HEAD = "source_path,message,field,declared_type\n"
LAND = "Business/VBDLIS/X.cs"


def test_a_small_survey_is_counted() -> None:
    rows = f"{LAND},VBDLISThongTinNguoiNop,HoTen,string\n{LAND},VBDLISThongTinNguoiNop,Moi,string\nElsewhere/Y.cs,A,Moi,string\n"
    found = coverage((HEAD + rows).encode())
    assert (found.fields.covered, found.fields.total, found.fields.percent) == (1, 3, 33.3)
    assert (found.names.covered, found.names.total) == (1, 2)
    assert (found.messages.covered, found.messages.total) == (0, 2)
    assert found.uncovered == (("Moi", 2),)


def test_what_could_not_be_told_is_not_covered() -> None:
    found = coverage((HEAD + "Common/EMC/E.cs,EMCRequestBody,CodeProfile,string\n").encode())
    assert found.fields.covered == 0
    assert [(one.system, one.name) for one in found.ambiguous] == [("emc", "CodeProfile")]


@pytest.mark.parametrize(
    "raw",
    [b"", b"\xff\xfe", b"a,b\n1,2\n", HEAD.encode(), b"\x00" * 40, (HEAD + 'a,"b').encode()],
    ids=["nothing", "no UTF-8", "other columns", "no rows", "null bytes", "an open quote"],
)
def test_a_survey_that_cannot_be_read_is_refused(raw: bytes) -> None:
    with pytest.raises(Refused, match="survey-unreadable"):
        coverage(raw)


@given(st.binary(max_size=300) | st.text(max_size=300).map(lambda text: (HEAD + text).encode("utf-8", "surrogatepass")))
def test_bad_surveys_raise_nothing_else(raw: bytes) -> None:
    try:
        coverage(raw)
    except Refused as fault:
        assert fault.code == "survey-unreadable"


@pytest.mark.fixtures
@pytest.mark.skipif(not SURVEY.exists(), reason="needs ../shared/fixtures")
def test_the_survey_of_real_messages_is_covered() -> None:
    found = coverage(SURVEY.read_bytes())
    assert (found.fields.total, found.names.total, found.messages.total) == (1801, 919, 189)
    assert found.fields.covered >= 1771
    assert found.names.covered >= 892
    assert found.messages.covered >= 172
    told = {one.name for one in found.ambiguous}
    assert [name for name, _ in found.uncovered if name not in told] == []  # what is not mapped has its reason


@pytest.mark.fixtures
@pytest.mark.skipif(not SURVEY.exists(), reason="needs ../shared/fixtures")
def test_the_command_prints_the_same_figures() -> None:
    found = coverage(SURVEY.read_bytes())
    assert json.loads(RUNNER.invoke(app, ["coverage", str(SURVEY), "--json"]).stdout) == found.as_json()
    shown = RUNNER.invoke(app, ["coverage", str(SURVEY)])
    assert shown.exit_code == 0
    assert f"{found.fields.covered} / {found.fields.total}" in shown.stdout


def test_show_tells_the_names_of_the_systems() -> None:
    shown = json.loads(RUNNER.invoke(app, ["show", "ho_so.ma", "--json"]).stdout)
    assert shown["definition"]["vi"].startswith("Mã hồ sơ")
    assert {"dvcqg", "hotich", "lgsp"} <= {one["system"] for one in shown["aliases"]}
    assert "dossier_code" in RUNNER.invoke(app, ["show", "ho_so.ma"]).stdout


def test_find_takes_a_name_of_the_wire_and_words() -> None:
    by_name = json.loads(RUNNER.invoke(app, ["find", "nycSoGiayToTuyThan", "--json"]).stdout)
    assert {one["key"] for one in by_name["aliases"]} == {"nyc.so_giay_to"}
    assert "nks.ngay_sinh" in RUNNER.invoke(app, ["find", "ngày sinh nks"]).stdout
    assert RUNNER.invoke(app, ["find", "khongcogi"]).exit_code == 1


def test_the_page_is_what_the_command_writes() -> None:
    written = RUNNER.invoke(app, ["markdown"]).stdout
    assert written == tables()
    assert PAGE.read_text("utf-8").partition(MARK)[2] == tables().partition(MARK)[2], "run: lgsp dictionary markdown"
