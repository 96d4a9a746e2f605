"""What a code names on a day, who goes on in its place, and what an operator's overlay changes."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.directory import UNKNOWN_SUCCESSOR, Directory, Overlay, Standing
from schemas.errors import Halted

SHIPPED = Directory.load()
THEN, NOW = date(2024, 5, 1), date(2026, 11, 22)
DEPARTMENTS = """
source = "getAgenciesListQD20, 01/11/2026"
label = "C"

[[agency]]
code = "H32.15"
name = "Sở Xây dựng"
code102 = "000.00.15.H32"
aliases = ["000.H32.015"]
valid_until = 2025-07-01
successor = "H32.20"

[[agency]]
code = "H32.20"
name = "Sở Xây dựng (sau hợp nhất)"
valid_from = 2025-07-01
"""


def with_overlay(text: str) -> Directory:
    return Directory.load([Overlay.of_toml(text, "overlay.toml")])


# --- what is shipped -----------------------------------------------------------------------------------------------------------


def test_all_provinces_and_councils_are_there() -> None:
    for letter in "HK":
        codes = {one.code for one in SHIPPED.entries if one.code.startswith(letter)}
        assert codes == {f"{letter}{number:02}" for number in range(1, 64)}


def test_every_entry_names_its_source_and_its_certainty() -> None:
    assert {one.label for one in SHIPPED.entries} <= {"L", "C", "S", "G"}
    assert all(one.source for one in SHIPPED.entries)
    assert [one.code for one in SHIPPED.entries if bool(one.note.vi) != bool(one.note.en)] == []


NAMES = {
    "Khánh Hòa": ("H32", "Ủy ban nhân dân tỉnh Khánh Hòa"),
    "Khánh Hòa, old form": ("000.00.00.H32", "Ủy ban nhân dân tỉnh Khánh Hòa"),
    "its council": ("K32", "Hội đồng nhân dân tỉnh Khánh Hòa"),
    "Sơn La": ("h52", "Ủy ban nhân dân tỉnh Sơn La"),
    "the government office": ("000.00.00.G22", "Văn phòng Chính phủ"),
    "a ministry of 2025": ("G10", "Bộ Nông nghiệp và Môi trường"),
    "another": ("G21", "Bộ Dân tộc và Tôn giáo"),
}


@pytest.mark.parametrize(("code", "name"), NAMES.values(), ids=NAMES)
def test_a_code_names_a_body(code: str, name: str) -> None:
    entry = SHIPPED.look_up(code, NOW)
    assert entry is not None
    assert entry.name == name


CLOSED = ["G04", "G05", "G07", "G13", "G14", "G23", "G24", "G25", "G26", "G34", "G36", "G37"]


@pytest.mark.parametrize("code", CLOSED)
def test_a_ministry_closed_by_decision_09_of_2025_stands_until_the_day_before(code: str) -> None:
    assert SHIPPED.look_up(code, date(2025, 4, 13)) is not None
    assert SHIPPED.look_up(code, date(2025, 4, 14)) is None
    assert SHIPPED.successor(code, NOW).standing is Standing.CLOSED
    assert SHIPPED.successor(code, NOW).entry is None


def test_a_name_changed_under_the_same_code_is_two_entries() -> None:
    assert [one.valid_from for one in SHIPPED.history("G10")] == [None, date(2025, 4, 14)]
    before, after = SHIPPED.look_up("G10", date(2025, 4, 13)), SHIPPED.look_up("G10", date(2025, 4, 14))
    assert before and after
    assert before.name != after.name
    assert SHIPPED.successor("G10", NOW).standing is Standing.CURRENT


@pytest.mark.parametrize(("closed", "kept"), [("H43", "H32"), ("000.00.00.H43", "H32"), ("K43", "K32")])
def test_ninh_thuan_goes_on_as_khanh_hoa(closed: str, kept: str) -> None:
    assert SHIPPED.look_up(closed, date(2025, 6, 30)) is not None
    assert SHIPPED.look_up(closed, date(2025, 7, 1)) is None
    found = SHIPPED.successor(closed, date(2025, 7, 1))
    assert found.standing is Standing.REPLACED
    assert found.entry is not None
    assert (found.entry.code, found.path) == (kept, (closed, kept))


def test_what_is_not_known_of_the_other_mergers_is_not_invented() -> None:
    sure = {one.place for one in SHIPPED.entries if one.kind == "province" and one.is_sure(NOW) and one.holds(NOW)}
    assert sure == {"Khánh Hòa", "Sơn La"}
    assert SHIPPED.successor("H47", THEN).standing is Standing.CURRENT
    assert SHIPPED.successor("H47", NOW).standing is Standing.UNSURE
    assert {one.successor for one in SHIPPED.entries} == {"", UNKNOWN_SUCCESSOR, "H32", "K32", "G10", "G21"}


def test_midnight_is_that_of_vietnam() -> None:
    assert SHIPPED.look_up("H43", datetime(2025, 6, 30, 16, 59, tzinfo=UTC)) is not None
    assert SHIPPED.look_up("H43", datetime(2025, 6, 30, 17, 0, tzinfo=UTC)) is None


@pytest.mark.parametrize("code", ["", "null", "H32\x00", "H64", "H00", "4200238383", "vxp.saas.03", "H32.15"])
def test_what_is_not_listed_is_nobody(code: str) -> None:
    assert SHIPPED.look_up(code, NOW) is None
    assert SHIPPED.successor(code, NOW).standing is Standing.UNLISTED


def test_the_body_above_tells_of_a_sub_code_that_nobody_lists() -> None:
    above = SHIPPED.above("000.00.12.H43", NOW)
    assert above is not None
    assert above.entry is not None
    assert (above.standing, above.entry.code) == (Standing.REPLACED, "H32")
    assert SHIPPED.above("X99.1", NOW) is None
    assert SHIPPED.above("H32", NOW) is None


# --- equivalence ---------------------------------------------------------------------------------------------------------------


def test_the_same_body_in_both_forms_also_where_no_directory_lists_it() -> None:
    assert SHIPPED.equivalent("H32", "000.00.00.H32", NOW)
    assert SHIPPED.equivalent("H53.13", "000.00.13.H53", NOW)
    assert not SHIPPED.equivalent("H32", "K32", NOW)


def test_a_successor_is_another_body() -> None:
    assert not SHIPPED.equivalent("H43", "H32", THEN)
    assert not SHIPPED.equivalent("H43", "H32", NOW)


def test_the_directory_goes_before_arithmetic() -> None:
    ours = with_overlay(
        '[[agency]]\ncode = "H47.10.1"\ncode102 = "000.01.10.H47"\n[[agency]]\ncode = "H47.99"\ncode102 = "001.00.10.H47"\n'
    )
    assert not SHIPPED.equivalent("000.01.10.H47", "001.00.10.H47", NOW), "two bodies, though the new form of one is not known"
    assert not ours.equivalent("000.01.10.H47", "001.00.10.H47", NOW)
    assert ours.equivalent("H47.99", "001.00.10.H47", NOW)


# --- overlays ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", ["H32.15", "000.00.15.H32", "000.h32.015"])
def test_an_overlay_adds_sub_codes_found_by_every_text(code: str) -> None:
    entry = with_overlay(DEPARTMENTS).look_up(code, THEN)
    assert entry is not None
    assert (entry.name, entry.source) == ("Sở Xây dựng", "getAgenciesListQD20, 01/11/2026")


def test_an_overlay_names_successors() -> None:
    found = with_overlay(DEPARTMENTS).successor("000.00.15.H32", NOW)
    assert found.entry is not None
    assert (found.standing, found.entry.code) == (Standing.REPLACED, "H32.20")
    assert with_overlay(DEPARTMENTS).successor("H32.20", THEN).standing is Standing.NOT_YET


def test_an_overlay_settles_a_merger() -> None:
    closed = '[[agency]]\ncode = "H47"\nname = "Quảng Nam"\nvalid_until = 2025-07-01\nsuccessor = "H17"\n'
    text = f'{closed}[[agency]]\ncode = "H17"\nname = "Đà Nẵng"\n'
    found = with_overlay(text).successor("H47", NOW)
    assert found.entry is not None
    assert (found.entry.name, found.entry.is_sure(NOW)) == ("Đà Nẵng", True)


def test_successors_in_a_circle_end() -> None:
    text = "".join(
        f'[[agency]]\ncode = "{a}"\nvalid_until = 2025-07-01\nsuccessor = "{b}"\n'
        for a, b in (("X01", "X02"), ("X02", "X03"), ("X03", "X01"))
    )
    assert with_overlay(text).successor("X01", NOW).standing is Standing.CLOSED


def test_an_overlay_changes_the_version_and_the_same_content_does_not() -> None:
    assert with_overlay(DEPARTMENTS).version != SHIPPED.version
    assert with_overlay(DEPARTMENTS).version == with_overlay(DEPARTMENTS).version


def test_the_answer_of_get_agencies_list_is_an_overlay() -> None:
    rows = [{"id": 7, "code": "H52.02", "name": "Sở Nội vụ", "mail": "", "code102": "000.00.02.H52"}, {"code": "H52.3", "oldCode": None}]
    ours = Directory.load([Overlay.of_listing(json.dumps({"status": "OK", "data": rows}), "list.json", date(2026, 1, 1))])
    entry = ours.look_up("000.00.02.H52", NOW)
    assert entry is not None
    assert (entry.code, entry.name, entry.valid_from) == ("H52.02", "Sở Nội vụ", date(2026, 1, 1))


WRONG = {
    "no TOML": "[[agency",
    "rows that are no table": "agency = [1, 2]",
    "no rows": "agency = 3",
    "no code": '[[agency]]\nname = "x"',
    "an unknown key": '[[agency]]\ncode = "H32.1"\nvalid_to = 2025-07-01',
    "an unknown head": 'codes = "x"',
    "a date as text": '[[agency]]\ncode = "H32.1"\nvalid_from = "2025-07-01"',
    "a time for a date": '[[agency]]\ncode = "H32.1"\nvalid_from = 2025-07-01T00:00:00',
    "an end before the beginning": '[[agency]]\ncode = "H32.1"\nvalid_from = 2025-07-01\nvalid_until = 2025-07-01',
    "aliases that are no list": '[[agency]]\ncode = "H32.1"\naliases = "x"',
    "a code that names nobody": '[[agency]]\ncode = "null"',
    "one code twice at a time": '[[agency]]\ncode = "H32.1"\n[[agency]]\ncode = "H32.1"',
    "one text for two bodies": '[[agency]]\ncode = "H1"\ncode102 = "000.00.09.H32"\n[[agency]]\ncode = "H2"\naliases=["000.00.09.h32"]',
}


@pytest.mark.parametrize("text", WRONG.values(), ids=WRONG)
def test_a_wrong_overlay_is_refused_with_its_place(text: str) -> None:
    with pytest.raises(Halted) as caught:
        with_overlay(text)
    assert caught.value.code == "directory-data-invalid"
    assert "overlay.toml" in caught.value.got


@given(st.one_of(st.text(max_size=200), st.text("[]agency=\"'\n{}1.-:cod", max_size=200)))
def test_no_overlay_text_raises_anything_else(text: str) -> None:
    for read in (Overlay.of_toml, Overlay.of_listing):
        try:
            Directory.load([read(text, "x")])
        except Halted as fault:
            assert fault.code == "directory-data-invalid"


@pytest.mark.parametrize("text", ["[" * 100_000, "agency = " + "[" * 100_000, '{"data":' * 50_000], ids=["json", "toml", "objects"])
def test_deep_nesting_is_refused(text: str) -> None:
    for read in (Overlay.of_toml, Overlay.of_listing):
        with pytest.raises(Halted):
            read(text, "x")
