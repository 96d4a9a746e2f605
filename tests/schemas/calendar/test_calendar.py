"""The working calendar: what is shipped, what overlays change, and how it counts."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.calendar.days import Cause, at
from schemas.calendar.read import calendar_of
from schemas.calendar.rules import rule_on, rules, send_by
from schemas.errors import Halted, Refused

CALENDAR = calendar_of()
DAYS = st.dates(date(2023, 1, 1), date(2027, 12, 31))

WORKED = {
    "a Monday": (date(2026, 11, 23), True),
    "a Saturday": (date(2026, 11, 21), False),
    "New Year": (date(2026, 1, 1), False),
    "the last day of the old year": (date(2026, 2, 16), False),
    "the fourth of Tết 2026": (date(2026, 2, 20), False),
    "the Friday before Tết": (date(2026, 2, 13), True),
    "Giỗ Tổ 2025": (date(2025, 4, 7), False),
    "the Monday that Giỗ Tổ 2026, a Sunday, is made up on": (date(2026, 4, 27), False),
    "the Friday off by a swap": (date(2025, 5, 2), False),
    "the Saturday worked for it": (date(2025, 4, 26), True),
    "three holidays in a row over a weekend, first day made up": (date(2023, 5, 2), False),
    "second day made up": (date(2023, 5, 3), False),
    "and then work": (date(2023, 5, 4), True),
    "Tết 2023, the second day made up": (date(2023, 1, 26), False),
    "Tết 2023, work again": (date(2023, 1, 27), True),
    "a day that may become a holiday": (date(2026, 11, 24), True),
}


@pytest.mark.parametrize(("day", "worked"), WORKED.values(), ids=WORKED)
def test_a_day_is_worked_or_not(day: date, worked: bool) -> None:
    assert CALENDAR.is_working(day) is worked


def test_a_decided_year_has_the_eleven_days_of_the_labour_code() -> None:
    counts = {year: sum(day.year == year and mark.cause is Cause.HOLIDAY for day, mark in CALENDAR.off.items()) for year in CALENDAR.years}
    assert counts == {2023: 11, 2024: 11, 2025: 11, 2026: 11, 2027: 9, 2028: 9}


def test_an_undecided_year_says_which_days_are_open() -> None:
    assert [year for year in CALENDAR.years if not any(day.year == year for day in CALENDAR.undecided)] == [2023, 2024, 2025]
    assert {date(2027, 2, 4), date(2027, 2, 11), date(2027, 9, 1), date(2027, 9, 3)} <= set(CALENDAR.undecided)


def test_every_day_off_has_a_name_a_source_and_a_certainty() -> None:
    for mark in (*CALENDAR.off.values(), *CALENDAR.worked.values()):
        assert mark.name.vi
        assert mark.name.en
        assert mark.source
        assert mark.label in {"L", "C", "S", "G"}


@pytest.mark.parametrize("day", [date(2022, 12, 31), date(2029, 1, 1), date.max, date.min])
def test_a_year_without_data_is_refused_not_guessed(day: date) -> None:
    with pytest.raises(Refused) as caught:
        CALENDAR.is_working(day)
    assert caught.value.code == "deadline-year-missing"


# --- overlays ------------------------------------------------------------------------------------------------------------------

PROVINCE = """
province = "000.00.00.H32"
version = "kh-1"

[[off]]
days = [2026-07-01]
vi = "Ngày thành lập tỉnh"
source = "QĐ UBND tỉnh"
label = "C"

[[hours]]
valid_from = 2026-06-01
sessions = [["07:30", "11:30"], ["13:30", "17:30"]]
"""


def test_an_overlay_of_the_province_holds_there_only() -> None:
    there, elsewhere = calendar_of("H32", [PROVINCE]), calendar_of("H52", [PROVINCE])
    assert (there.is_working(date(2026, 7, 1)), elsewhere.is_working(date(2026, 7, 1))) == (False, True)
    assert there.off[date(2026, 7, 1)].cause is Cause.LOCAL
    assert there.closing(date(2026, 5, 29)).time() == time(17)
    assert there.closing(date(2026, 6, 1)).time() == time(17, 30)
    assert there.version != elsewhere.version == CALENDAR.version


def test_an_overlay_decides_what_was_open() -> None:
    text = "[[off]]\ndays = [2026-11-24]\nvi = 'Ngày Văn hóa'\nlabel = 'L'\n[[worked]]\ndays = [2027-02-04]\nvi = 'làm việc'\n"
    ours = calendar_of("", [text])
    assert not ours.is_working(date(2026, 11, 24))
    assert ours.is_working(date(2027, 2, 4))
    assert {date(2026, 11, 24), date(2027, 2, 4)} & set(ours.undecided) == set()


def test_an_overlay_takes_back_an_unconfirmed_swap() -> None:
    ours = calendar_of("", ["[[worked]]\ndays = [2026-08-31]\nvi = 'làm việc'\n[[off]]\ndays = [2026-08-22]\nvi = 'nghỉ'\n"])
    assert ours.is_working(date(2026, 8, 31))
    assert not ours.is_working(date(2026, 8, 22))


def test_an_overlay_adds_a_year_without_a_gap() -> None:
    assert calendar_of("", ["years = [2029, 2029]"]).is_working(date(2029, 3, 1))
    with pytest.raises(Halted):
        calendar_of("", ["years = [2031, 2031]"])


WRONG = {
    "no TOML": "[[off",
    "deep nesting": "x = " + "[" * 50_000,
    "an unknown head": "holidays = 1",
    "days as text": '[[off]]\ndays = ["2026-01-01"]',
    "a time for a day": "[[off]]\ndays = [2026-01-01T00:00:00]",
    "a day far away": "[[off]]\ndays = [9999-12-31]",
    "no days": "[[off]]\nvi = 'x'",
    "off that is no table": "off = [1]",
    "a name that is no text": "[[off]]\ndays = [2026-01-05]\nvi = 3",
    "sessions that overlap": '[[hours]]\nsessions = [["07:00", "12:00"], ["11:00", "17:00"]]',
    "sessions of nothing": "[[hours]]\nsessions = []",
    "sessions that are no clock": '[[hours]]\nsessions = [["7", "25:00"]]',
    "sessions that are no pairs": "[[hours]]\nsessions = 3",
    "no day left to work": "[weekend]\ndays = [1, 2, 3, 4, 5, 6, 7]",
    "a weekday that is none": "[weekend]\ndays = [8]",
    "half a swap": "[[swap]]\noff = 2026-01-05",
    "29 February every year": '[[yearly]]\nday = "02-29"',
    "a province that is no text": "province = 32",
    "years the wrong way round": "years = [2028, 2026]",
}


@pytest.mark.parametrize("text", WRONG.values(), ids=WRONG)
def test_a_wrong_overlay_is_refused(text: str) -> None:
    with pytest.raises(Halted) as caught:
        calendar_of("", [text])
    assert caught.value.code == "deadline-data-invalid"


@given(st.one_of(st.text(max_size=120), st.text("[]=\"'\n offdayswrkeh{}1239-.:,", max_size=120)))
def test_no_overlay_text_raises_anything_else(text: str) -> None:
    try:
        calendar_of("H32", [text])
    except Halted as fault:
        assert fault.code == "deadline-data-invalid"


# --- counting ------------------------------------------------------------------------------------------------------------------


@given(DAYS, st.integers(0, 60))
def test_working_days_never_end_on_a_day_off(day: date, count: int) -> None:
    assert CALENDAR.is_working(CALENDAR.add_working_days(day, count))


@given(DAYS, st.integers(0, 60), st.integers(0, 60))
def test_more_working_days_end_later(day: date, one: int, other: int) -> None:
    first, second = CALENDAR.add_working_days(day, one), CALENDAR.add_working_days(day, other)
    assert (one < other) <= (first < second)
    assert (one == other) <= (first == second)


@given(DAYS, st.integers(1, 60))
def test_counting_back_gives_what_was_added(day: date, count: int) -> None:
    assert CALENDAR.working_days_between(day, CALENDAR.add_working_days(day, count)) == count


@given(DAYS, st.integers(1, 30), st.integers(1, 30))
def test_adding_twice_is_adding_the_sum(day: date, one: int, other: int) -> None:
    assert CALENDAR.add_working_days(CALENDAR.add_working_days(day, one), other) == CALENDAR.add_working_days(day, one + other)


@given(DAYS, DAYS)
def test_a_later_start_never_ends_earlier(one: date, other: date) -> None:
    first, second = sorted((one, other))
    assert CALENDAR.add_working_days(first, 7) <= CALENDAR.add_working_days(second, 7)


@given(st.datetimes(datetime.fromisoformat("2024-01-01"), datetime.fromisoformat("2027-06-01")), st.integers(1, 5000))
def test_working_time_added_is_working_time_between(naive: datetime, minutes: int) -> None:
    start, length = at(naive.date(), naive.time()), timedelta(minutes=minutes)
    end = CALENDAR.add_working_time(start, length)
    assert CALENDAR.working_time_between(start, end) == length
    assert CALENDAR.is_working(end.date())
    assert any(begin < end.time() <= stop for begin, stop in CALENDAR.hours_on(end.date()).sessions)


# --- rules and sending -----------------------------------------------------------------------------------------------------------


def test_the_rule_is_that_of_the_day_of_reception() -> None:
    assert rule_on(date(2025, 6, 30)).id == "nd61-2018/1"
    assert rule_on(date(2025, 7, 1)).id == "nd118-2025/1"
    with pytest.raises(Refused) as caught:
        rule_on(date(2018, 6, 20))
    assert caught.value.code == "deadline-rule-missing"


def test_rules_follow_each_other_without_gap() -> None:
    assert all(one.valid_until == following.valid_from for one, following in zip(rules(), rules()[1:], strict=False))
    assert rules()[-1].valid_until is None


SENDING = {
    "by the next working morning": (date(2026, 11, 19), False, "2026-11-20T11:30:00+07:00"),
    "on Monday for a Friday": (date(2026, 11, 20), False, "2026-11-23T11:30:00+07:00"),
    "after Tết for the day before": (date(2026, 2, 13), False, "2026-02-23T11:30:00+07:00"),
    "signed on a Saturday": (date(2026, 11, 21), False, "2026-11-23T11:30:00+07:00"),
    "on the Saturday that is worked": (date(2025, 4, 25), False, "2025-04-26T11:30:00+07:00"),
    "urgent: the same day": (date(2026, 11, 20), True, "2026-11-20T23:59:59.999999+07:00"),
    "urgent, on a holiday too": (date(2026, 2, 17), True, "2026-02-17T23:59:59.999999+07:00"),
}


@pytest.mark.parametrize(("signed", "urgent", "until"), SENDING.values(), ids=SENDING)
def test_a_signed_document_is_sent(signed: date, urgent: bool, until: str) -> None:
    assert send_by(signed, urgent, CALENDAR).isoformat() == until


@given(DAYS, st.booleans())
def test_sending_is_never_due_before_the_day_of_signing(signed: date, urgent: bool) -> None:
    assert send_by(signed, urgent, CALENDAR).date() >= signed
    assert send_by(signed, True, CALENDAR) <= send_by(signed, False, CALENDAR)
