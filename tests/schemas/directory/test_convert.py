"""Codes in the other form: from the directory where it knows, by arithmetic last, and never a wrong code where arithmetic breaks."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.agency import AgencyCode, Scheme
from schemas.directory import Basis, Directory, Overlay

NOW = date(2026, 11, 22)
SHIPPED = Directory.load()
LOCAL = Directory.load(
    [
        Overlay.of_toml(
            '[[agency]]\ncode = "H37.02.02"\nname = "Phòng Nội vụ"\ncode102 = "000.02.02.H37"\n'
            '[[agency]]\ncode = "H37.DN.001"\ncode102 = "901.00.77.H37"\n'
            '[[agency]]\ncode = "H37.05"\nvalid_until = 2025-07-01\ncode102 = "000.00.05.H37"\n',
            "local.toml",
        )
    ]
)

# Every code of the facts page, edxml.md §2, also those it lists as matching no regex.
SCHEMES = {
    "000.00.00.H32": Scheme.QCVN102,
    "000.00.18.G12": Scheme.QCVN102,
    "777.77.03.D77": Scheme.QCVN102,
    "001.00.10.H47": Scheme.QCVN102,
    "H32": Scheme.QD20,
    "h53.13": Scheme.QD20,
    "H37.02.02": Scheme.QD20,
    "G11.07.05": Scheme.QD20,
    "G09.20": Scheme.QD20,
    "H37.DN.001": Scheme.QD20,  # letters in lower groups are allowed by art. 4
    "H32." + "1" * 31: Scheme.QD20,
    "H32." + "1" * 32: Scheme.OTHER,  # 36 characters
    "Z01ABC": Scheme.ORGANISATION,
    "Z99" + "X" * 32: Scheme.ORGANISATION,
    "Z00ABC": Scheme.OTHER,
    "Z01": Scheme.OTHER,
    "4200238383": Scheme.ENTERPRISE,
    "4200238383-001": Scheme.ENTERPRISE,
    "41A8012345": Scheme.ENTERPRISE,
    "01.02.G22": Scheme.SHORT_OLD,
    "28.22.H17": Scheme.SHORT_OLD,
    "001.00.20.TT2": Scheme.CENTRE,
    "00.53.W00": Scheme.CENTRE,
    "14.00.W00": Scheme.CENTRE,
    "vxp.saas.03": Scheme.SYSTEM,
    "000.A53.000": Scheme.MISPLACED,
    "000.H36.000": Scheme.MISPLACED,
    "Sở Nội vụ": Scheme.OTHER,
    "": Scheme.UNUSABLE,
    "null": Scheme.UNUSABLE,
}


@pytest.mark.parametrize(("text", "scheme"), SCHEMES.items())
def test_every_code_seen_has_a_name_for_its_form(text: str, scheme: Scheme) -> None:
    assert AgencyCode.of(text).scheme is scheme


TO_NEW = {
    "a department": ("000.00.13.H53", "H53.13", False),
    "a leading zero is lost and comes back": ("000.00.03.H53", "H53.3", False),
    "a short old form": ("28.22.H17", "H17.22.28", True),
    "lower case": ("000.00.13.h53", "H53.13", False),
}


@pytest.mark.parametrize(("old", "new", "lossy"), TO_NEW.values(), ids=TO_NEW)
def test_old_to_new_by_arithmetic(old: str, new: str, lossy: bool) -> None:
    result = SHIPPED.convert(old, Scheme.QD20, NOW)
    assert (result.text, result.basis, result.lossy) == (new, Basis.ARITHMETIC, lossy)


def test_a_digit_that_may_have_lost_its_zero_is_noted() -> None:
    assert "H37.02.02" in SHIPPED.convert("000.00.03.H53", Scheme.QD20, NOW).notes[0].en
    assert SHIPPED.convert("000.00.13.H53", Scheme.QD20, NOW).notes == ()


BREAKS = {
    "more than four levels": "H32.1.2.3.4",
    "a group over 99": "H32.100",
    "a group over 999": "H32.1.2.1000",
    "letters in a group": "H37.DN.001",
    "a level of zeros": "H32.0.5",
    "an organisation": "Z01ABC",
    "an enterprise": "4200238383",
    "a centre": "00.53.W00",
    "a system": "vxp.saas.03",
    "nothing": "",
}


@pytest.mark.parametrize("code", BREAKS.values(), ids=BREAKS)
def test_where_arithmetic_breaks_there_is_no_code_but_a_reason(code: str) -> None:
    result = SHIPPED.convert(code, Scheme.QCVN102, NOW)
    assert (result.text, result.basis, result.lossy) == ("", Basis.NONE, True)
    assert result.notes[0].vi
    assert result.notes[0].en


def test_kept_zeros_are_lost_by_arithmetic_and_kept_by_the_directory() -> None:
    assert SHIPPED.convert("H37.02.02", Scheme.QCVN102, NOW).lossy
    there = LOCAL.convert("H37.02.02", Scheme.QCVN102, NOW)
    back = LOCAL.convert(there.text, Scheme.QD20, NOW)
    assert (there.basis, there.lossy, back.basis, back.lossy, back.text) == (Basis.DIRECTORY, False, Basis.DIRECTORY, False, "H37.02.02")


def test_code102_of_the_directory_goes_before_what_arithmetic_cannot_do() -> None:
    assert LOCAL.convert("H37.DN.001", Scheme.QCVN102, NOW).text == "901.00.77.H37"
    assert LOCAL.convert("901.00.77.H37", Scheme.QD20, NOW).text == "H37.DN.001"


def test_a_closed_code_is_converted_with_a_note() -> None:
    result = LOCAL.convert("H37.05", Scheme.QCVN102, NOW)
    assert (result.text, result.basis) == ("000.00.05.H37", Basis.DIRECTORY)
    assert result.notes
    assert LOCAL.convert("H37.05", Scheme.QCVN102, date(2024, 1, 1)).notes == ()


def test_another_writing_of_a_listed_code_gives_the_listed_one() -> None:
    result = LOCAL.convert("H37.2.2", Scheme.QCVN102, NOW)
    assert (result.text, result.basis, result.lossy) == ("000.02.02.H37", Basis.DIRECTORY, True)


def test_a_code_that_has_the_form_stays_as_written() -> None:
    result = LOCAL.convert("h37.02.02", Scheme.QD20, NOW)
    assert (result.text, result.basis, result.lossy) == ("h37.02.02", Basis.AS_WRITTEN, False)


CODES = st.one_of(
    st.text(max_size=40),
    st.text("0123456789.HGKZ", max_size=20),
    st.from_regex(r"[0-9]{3}\.[0-9]{2}\.[0-9]{2}\.[A-Z][0-9]{2}", fullmatch=True),
    st.from_regex(r"[A-Y][0-9]{2}(\.[0-9A-Z]{1,4}){0,4}", fullmatch=True),
    st.sampled_from(["H37.02.02", "000.02.02.H37", "H37.DN.001", "901.00.77.H37", "H37.05", "H37.2.2", *SCHEMES]),
)


@given(CODES, st.sampled_from(list(Scheme)))
def test_nothing_raises_and_every_answer_explains_itself(code: str, to: Scheme) -> None:
    for book in (SHIPPED, LOCAL):
        result = book.convert(code, to, NOW)
        assert (result.text == "") == (result.basis is Basis.NONE)
        assert result.notes or not (result.lossy or result.basis is Basis.NONE)
        assert result.text == "" or AgencyCode.of(result.text).scheme is to
        book.successor(code, NOW), book.above(code, NOW), book.history(code)


@given(CODES, st.sampled_from([Scheme.QCVN102, Scheme.QD20]))
def test_a_conversion_that_is_not_lossy_comes_back(code: str, to: Scheme) -> None:
    for book in (SHIPPED, LOCAL):
        result = book.convert(code, to, NOW)
        if not result.lossy:
            back = book.convert(result.text, AgencyCode.of(code).scheme, NOW)
            assert back.text.upper() == AgencyCode.of(code).text.upper()


@given(CODES)
def test_what_is_converted_means_the_same_body(code: str) -> None:
    for to in (Scheme.QCVN102, Scheme.QD20):
        for book in (SHIPPED, LOCAL):
            result = book.convert(code, to, NOW)
            assert result.text == "" or book.equivalent(code, result.text, NOW)


@given(CODES, CODES)
def test_equivalence_is_reflexive_and_symmetric(one: str, other: str) -> None:
    assert LOCAL.equivalent(one, one, NOW)
    assert LOCAL.equivalent(one, other, NOW) == LOCAL.equivalent(other, one, NOW)
