"""When two agency codes mean the same body, and which can mean none."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.agency import MAX_CODE_CHARS, AgencyCode

SAME = {
    "province, old and new": ("H32", "000.00.00.H32"),
    "department, old and new": ("H53.13", "000.00.13.H53"),
    "kept zeros": ("H37.02.02", "H37.2.2"),
    "third level": ("H37.2.2", "000.02.02.H37"),
    "fourth level": ("H32.1.2.7", "007.02.01.H32"),
    "lower case": ("h32.01", "H32.01"),
    "white space": (" H32\n", "H32"),
    "short old form": ("28.22.H17", "H17.22.28"),
    "ministry": ("G22", "000.00.00.G22"),
}
OTHER = {
    "committee and council of one province": ("H32", "K32"),
    "parent and child": ("H32", "H32.01"),
    "numbers that only look alike": ("H32.1", "H32.10"),
    "enterprise numbers": ("4200238383", "4200238384"),
}


@pytest.mark.parametrize(("one", "other"), SAME.values(), ids=SAME)
def test_both_name_one_body(one: str, other: str) -> None:
    first, second = AgencyCode.of(one), AgencyCode.of(other)
    assert first.same_as(second)
    assert first.key == second.key


@pytest.mark.parametrize(("one", "other"), OTHER.values(), ids=OTHER)
def test_they_name_two_bodies(one: str, other: str) -> None:
    first, second = AgencyCode.of(one), AgencyCode.of(other)
    assert not first.same_as(second)
    assert first.key != second.key


FORMS = {
    "000.00.00.H32": "qcvn102",
    "H32": "qd20",
    "H32.01.A5": "qd20",
    "28.22.H17": "other",
    "Z01ABC": "other",
    "4200238383": "other",
    "": "other",
}


@pytest.mark.parametrize(("text", "form"), FORMS.items())
def test_the_form_is_told(text: str, form: str) -> None:
    assert AgencyCode.of(text).form == form


@pytest.mark.parametrize("text", ["", " ", "null", "NULL", "H32\x00", "H32\n.01", "x" * (MAX_CODE_CHARS + 1)])
def test_what_cannot_name_a_body(text: str) -> None:
    assert not AgencyCode.of(text).is_usable


@pytest.mark.parametrize("text", ["H32", "vxp.saas.03", "000.A53.000", "Sở Nội vụ", "x" * MAX_CODE_CHARS])
def test_nothing_is_rejected_for_its_form(text: str) -> None:
    assert AgencyCode.of(text).is_usable


def test_a_subtree_holds_itself_and_what_is_below() -> None:
    top = AgencyCode.of("000.00.00.H32")
    assert all(AgencyCode.of(one).is_within(top) for one in ("H32", "H32.01", "007.02.01.H32"))
    assert not any(AgencyCode.of(one).is_within(top) for one in ("H3", "H33.32", "K32", "G22"))


def test_the_code_stays_as_it_was_written() -> None:
    assert str(AgencyCode.of("000.00.01.H32")) == "000.00.01.H32"
    assert AgencyCode.of(unicodedata.normalize("NFD", "Sở")).text == "Sở"


@given(st.lists(st.integers(1, 99), max_size=2), st.from_regex("[A-Y][0-9]{2}", fullmatch=True))
def test_old_and_new_form_of_any_code_are_the_same(levels: list[int], top: str) -> None:
    new = ".".join([top, *(str(one) for one in levels)])
    padded = [*levels, 0, 0][:2]
    old = f"000.{padded[1]:02}.{padded[0]:02}.{top}"
    assert AgencyCode.of(new).same_as(AgencyCode.of(old))


@given(st.text(max_size=80))
def test_any_text_has_a_key_and_equals_itself(text: str) -> None:
    code = AgencyCode.of(text)
    assert code.same_as(AgencyCode.of(str(code)))
    assert code.is_within(code)
