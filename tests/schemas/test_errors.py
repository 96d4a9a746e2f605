"""The error tree and its catalogue."""

from __future__ import annotations

import json
import re

import pytest

from schemas.errors import (
    CODES_FOLDER,
    MAX_SHOWN,
    Disposition,
    ErrorSpec,
    Halted,
    HubError,
    Parked,
    Refused,
    Severity,
    TryLater,
    Violation,
    catalogue,
    error,
    errors_of,
    shown,
    spec,
    warning,
)

VIETNAMESE = re.compile("[àáảãạăằắẳẵặâầấẩẫậèéẻẽẹêềếểễệìíỉĩịòóỏõọôồốổỗộơờớởỡợùúủũụưừứửữựỳýỷỹỵđ]", re.IGNORECASE)
TYPES: dict[Disposition, type[HubError]] = {
    Disposition.REFUSE: Refused,
    Disposition.RETRY: TryLater,
    Disposition.PARK: Parked,
    Disposition.HALT: Halted,
}


@pytest.mark.parametrize("about", catalogue().values(), ids=catalogue())
def test_every_code_is_told_in_both_languages_with_a_remedy(about: ErrorSpec) -> None:
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", about.code)
    assert 400 <= about.http_status < 600
    for text in (about.title, about.remedy):
        assert VIETNAMESE.search(text.vi)
        assert text.en.isascii() or not VIETNAMESE.search(text.en.replace("NĐ", "").replace("QĐ", "").replace("Phụ lục", ""))
        assert text.vi.endswith(".")
        assert text.en.endswith(".")


@pytest.mark.parametrize("about", catalogue().values(), ids=catalogue())
def test_every_code_can_be_raised_as_what_happens_next(about: ErrorSpec) -> None:
    fault = TYPES[about.disposition](about.code, got="a\nb", expected="c")
    assert fault.spec is about
    assert json.loads(json.dumps(fault.as_json()))["code"] == about.code
    assert "got a b" in str(fault)


def test_a_code_cannot_be_raised_as_something_else() -> None:
    with pytest.raises(RuntimeError, match="catalogue says REFUSE"):
        TryLater("malformed-xml")


def test_an_unknown_code_is_a_mistake_of_ours() -> None:
    with pytest.raises(RuntimeError, match="no-such-code"):
        spec("no-such-code")


def test_every_catalogue_file_is_an_area() -> None:
    assert {about.area for about in catalogue().values()} == {path.stem for path in CODES_FOLDER.glob("*.toml")}


def test_a_hostile_value_is_shown_on_one_short_printable_line() -> None:
    assert shown("a\x00b\x1b[31m\nc") == "a\ufffdb\ufffd[31m c"
    assert len(shown("x" * 5_000)) == MAX_SHOWN
    assert shown("x" * 5_000).endswith("…")


def test_violations_carry_what_happens_and_where() -> None:
    bad = error("missing-element", path="/edXML", line=7, got="x" * 500, expected="OrganId")
    odd = warning("unknown-element")
    assert errors_of([odd, bad]) == (bad,)
    told = bad.as_json()
    assert (told["severity"], told["path"], told["line"], told["expected"]) == ("error", "/edXML", 7, "OrganId")
    assert set(told["message"]) == set(told["remedy"]) == {"vi", "en"}
    assert odd.severity is Severity.WARNING


def test_problem_details_list_every_violation() -> None:
    fault = Refused("missing-element", violations=(Violation("missing-element", path="/a"), Violation("stray-text", path="/b")))
    told = fault.as_json()
    assert [one["path"] for one in told["violations"]] == ["/a", "/b"]
    assert told["type"] == "urn:lgsp-hub:error:missing-element"
    assert (told["status"], told["title_vi"]) == (422, "Thiếu phần tử bắt buộc.")
