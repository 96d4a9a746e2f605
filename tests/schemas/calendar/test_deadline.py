"""Deadlines: counting, cut-off, pauses, what is said about them, what is on time – and the known bugs of real code, not made here."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.calendar.assess import Slip, Staff, assess
from schemas.calendar.days import at
from schemas.calendar.deadline import Deadline, Pause, due
from schemas.calendar.read import calendar_of
from schemas.calendar.term import Unit, term_of
from schemas.errors import Refused
from schemas.message import VIETNAM

CALENDAR = calendar_of("H32")
CUTOFF_AT = time(15)
FIRST, LAST = datetime.fromisoformat("2024-01-01"), datetime.fromisoformat("2027-06-01")


def when(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=VIETNAM)


def deadline(received: str, term: str, *pauses: tuple[str, str], cutoff: time | None = None) -> Deadline:
    stops = [Pause(when(since), when(until) if until else None) for since, until in pauses]
    return due(when(received), term_of(term), CALENDAR, cutoff=cutoff, pauses=stops)


def said(answer: Deadline, code: str) -> list[str]:
    return [step.text.vi for step in answer.steps if step.code == code]


# --- counting ------------------------------------------------------------------------------------------------------------------

DUE = {
    "5 working days over a weekend": ("2026-11-18T09:00", "5 ngày làm việc", "2026-11-25T17:00"),
    "the day of reception is not counted": ("2026-11-18T09:00", "1 ngày làm việc", "2026-11-19T17:00"),
    "over Tết": ("2026-02-13T09:00", "5 ngày làm việc", "2026-02-27T17:00"),
    "over a swap: the Saturday counts, the Friday does not": ("2025-04-24T09:00", "5 ngày làm việc", "2025-05-05T17:00"),
    "calendar days": ("2026-11-02T09:00", "15 ngày", "2026-11-17T17:00"),
    "calendar days that end on a Sunday": ("2026-11-05T09:00", "10 ngày", "2026-11-16T17:00"),
    "calendar days that end in Tết": ("2026-02-09T09:00", "10 ngày", "2026-02-23T17:00"),
    "within the day": ("2026-11-18T09:00", "trong ngày", "2026-11-18T17:00"),
    "within the day, received on a Saturday": ("2026-11-21T09:00", "trong ngày", "2026-11-23T17:00"),
    "received on a Saturday: Monday is the day of reception": ("2026-11-21T09:00", "1 ngày làm việc", "2026-11-24T17:00"),
    "received after closing": ("2026-11-18T17:30", "1 ngày làm việc", "2026-11-20T17:00"),
    "received at closing": ("2026-11-18T17:00", "1 ngày làm việc", "2026-11-19T17:00"),
    "received before opening": ("2026-11-18T05:00", "1 ngày làm việc", "2026-11-19T17:00"),
    "hours within a session": ("2026-11-18T08:10", "2 giờ làm việc", "2026-11-18T10:10"),
    "hours from before opening": ("2026-11-18T05:00", "1 giờ làm việc", "2026-11-18T08:00"),
    "hours from the lunch break": ("2026-11-18T12:00", "1 giờ làm việc", "2026-11-18T14:30"),
    "hours to the end of a session": ("2026-11-18T09:30", "2 giờ làm việc", "2026-11-18T11:30"),
    "hours over the night": ("2026-11-18T16:00", "2 giờ làm việc", "2026-11-19T08:00"),
    "hours over the weekend": ("2026-11-20T16:30", "8 giờ làm việc", "2026-11-23T16:30"),
    "half a working day": ("2026-11-18T07:00", "nửa ngày làm việc", "2026-11-18T11:00"),
}


@pytest.mark.parametrize(("received", "term", "expected"), DUE.values(), ids=DUE)
def test_it_is_due(received: str, term: str, expected: str) -> None:
    assert deadline(received, term).due == when(expected)


def test_any_zone_is_read_and_vietnamese_time_is_answered() -> None:
    answer = due(datetime(2026, 11, 18, 2, tzinfo=UTC), term_of("1 ngày làm việc"), CALENDAR)
    assert answer.received == when("2026-11-18T09:00")
    assert answer.due.utcoffset() == timedelta(hours=7)


CUTOFF = {
    "at 15:00 sharp it is in time": ("2026-11-18T15:00", "2026-11-19T17:00"),
    "a second later it counts from the next working day": ("2026-11-18T15:00:01", "2026-11-20T17:00"),
    "on the Friday before Tết": ("2026-02-13T15:30", "2026-02-24T17:00"),
    "on a Saturday the cut-off says nothing": ("2026-11-21T16:00", "2026-11-24T17:00"),
}


@pytest.mark.parametrize(("received", "expected"), CUTOFF.values(), ids=CUTOFF)
def test_the_cut_off_of_the_procedure(received: str, expected: str) -> None:
    assert deadline(received, "1 ngày làm việc", cutoff=CUTOFF_AT).due == when(expected)


def test_the_cut_off_is_the_procedures_not_everybodys() -> None:
    assert deadline("2026-11-18T16:30", "1 ngày làm việc").due == when("2026-11-19T17:00")


def test_hours_after_the_cut_off_begin_with_the_next_working_day() -> None:
    assert deadline("2026-11-20T15:30", "2 giờ làm việc", cutoff=CUTOFF_AT).due == when("2026-11-23T09:00")


# --- pauses --------------------------------------------------------------------------------------------------------------------

PAUSES = {
    "two working days": ([("2026-11-19T10:00", "2026-11-23T10:00")], "2026-11-27T17:00"),
    "asked and answered on one day": ([("2026-11-19T08:00", "2026-11-19T16:00")], "2026-11-25T17:00"),
    "answered after closing: came on the next working day": ([("2026-11-19T08:00", "2026-11-19T18:00")], "2026-11-26T17:00"),
    "answered on a Saturday: came on Monday": ([("2026-11-20T08:00", "2026-11-21T09:00")], "2026-11-26T17:00"),
    "asked for on the day of reception": ([("2026-11-18T10:00", "2026-11-19T10:00")], "2026-11-26T17:00"),
    "asked for on the last day": ([("2026-11-25T10:00", "2026-11-27T10:00")], "2026-11-27T17:00"),
    "asked for when it was too late": ([("2026-11-26T10:00", "2026-11-30T10:00")], "2026-11-25T17:00"),
    "twice": ([("2026-11-19T10:00", "2026-11-20T10:00"), ("2026-11-26T09:00", "2026-11-27T09:00")], "2026-11-27T17:00"),
}


@pytest.mark.parametrize(("pauses", "expected"), PAUSES.values(), ids=PAUSES)
def test_pauses_shift_five_working_days(pauses: Sequence[tuple[str, str]], expected: str) -> None:
    assert deadline("2026-11-18T09:00", "5 ngày làm việc", *pauses).due == when(expected)


def test_a_pause_over_tet_costs_no_working_day_of_tet() -> None:
    assert deadline("2026-02-12T09:00", "2 ngày làm việc", ("2026-02-13T09:00", "2026-02-23T09:00")).due == when("2026-02-24T17:00")


def test_calendar_days_stop_for_calendar_days() -> None:
    assert deadline("2026-11-02T09:00", "10 ngày", ("2026-11-03T09:00", "2026-11-06T09:00")).due == when("2026-11-16T17:00")


def test_a_pause_between_a_last_day_off_and_the_day_due() -> None:
    answer = deadline("2026-11-04T09:00", "10 ngày", ("2026-11-15T09:00", "2026-11-18T09:00"))
    assert answer.due >= when("2026-11-18T17:00")


def test_hours_stop_for_working_hours() -> None:
    assert deadline("2026-11-18T08:00", "4 giờ làm việc", ("2026-11-18T09:00", "2026-11-19T09:00")).due == when("2026-11-19T14:00")


def test_while_the_supplement_is_awaited_the_clock_stands() -> None:
    answer = deadline("2026-11-18T09:00", "2 ngày làm việc", ("2026-11-19T09:00", ""))
    assert answer.waiting_since == when("2026-11-19T09:00")
    late = assess(answer, finished=None, at=when("2027-01-04T09:00"))
    assert (late.slip, late.staff) == (None, None)


BAD_PAUSES = {
    "ends before it begins": [("2026-11-20T09:00", "2026-11-19T09:00")],
    "begins before the reception": [("2026-11-17T09:00", "2026-11-19T09:00")],
    "overlaps another": [("2026-11-19T09:00", "2026-11-24T09:00"), ("2026-11-20T09:00", "2026-11-25T09:00")],
    "follows an open one": [("2026-11-19T09:00", ""), ("2026-11-20T09:00", "2026-11-25T09:00")],
    "too many": [("2026-11-19T09:00", "2026-11-19T09:00")] * 101,
}


@pytest.mark.parametrize("pauses", BAD_PAUSES.values(), ids=BAD_PAUSES)
def test_a_pause_is_refused_that(pauses: Sequence[tuple[str, str]]) -> None:
    with pytest.raises(Refused) as caught:
        deadline("2026-11-18T09:00", "5 ngày làm việc", *pauses)
    assert caught.value.code == "deadline-pause-invalid"


# --- bugs of real code (onestop.md §2.4, item 10 and §2.6) -------------------------------------------------------------------------


def test_the_lunch_break_keeps_the_hour_of_reception() -> None:
    """Seen: lunch and duration without the hour of reception, 03:00."""
    assert deadline("2026-11-18T10:30", "1 giờ làm việc").due == when("2026-11-18T11:30")
    assert deadline("2026-11-18T10:30", "2 giờ làm việc").due == when("2026-11-18T14:30")


def test_a_supplement_shifts_by_working_days_not_by_calendar_days_and_one_more() -> None:
    """Seen: the extension adds calendar days, then one 8-hour day."""
    plain = deadline("2026-11-18T09:00", "5 ngày làm việc")
    paused = deadline("2026-11-18T09:00", "5 ngày làm việc", ("2026-11-19T09:00", "2026-11-24T09:00"))
    assert CALENDAR.working_days_between(plain.due.date(), paused.due.date()) == 3


def test_days_and_working_days_are_two_things() -> None:
    assert deadline("2026-11-18T09:00", "5 ngày").due < deadline("2026-11-18T09:00", "5 ngày làm việc").due


# --- explanations --------------------------------------------------------------------------------------------------------------


def test_every_step_speaks_both_languages() -> None:
    pauses = (("2026-08-25T09:00", "2026-08-26T09:00"), ("2026-12-25T09:00", ""))
    for answer in (
        deadline("2026-08-20T15:30", "5 ngày làm việc", *pauses[:1], cutoff=CUTOFF_AT),
        deadline("2026-08-20T18:30", "10 ngày", *pauses),
        deadline("2026-11-22T10:00", "20 giờ"),
        deadline("2026-11-18T10:00", "trong ngày"),
    ):
        assert all(step.text.vi and step.text.en and step.text.vi != step.text.en for step in answer.steps)
        assert not any("{" in step.text.vi + step.text.en for step in answer.steps)
        assert [step.code for step in answer.steps][:2] == ["rule", "received"]
        assert answer.steps[-1].code == "due"


def test_the_versions_are_stored() -> None:
    answer = deadline("2025-06-30T09:00", "30 ngày làm việc")
    assert (answer.rule_version, answer.calendar_version) == ("nd61-2018/1", CALENDAR.version)
    assert deadline("2025-07-01T09:00", "1 ngày làm việc").rule_version == "nd118-2025/1"


def test_what_is_not_certain_is_said() -> None:
    answer = deadline("2026-11-20T09:00", "3 ngày làm việc")
    assert not answer.is_certain
    assert "24/11/2026" in said(answer, "uncertain-undecided")[0]
    assert not deadline("2026-08-20T09:00", "10 ngày làm việc").is_certain
    assert deadline("2026-02-09T09:00", "10 ngày làm việc").is_certain


def test_tet_is_named_once_for_all_its_days() -> None:
    assert len(said(deadline("2026-02-13T09:00", "5 ngày làm việc"), "skipped")) == 1
    assert "16/02–20/02/2026" in said(deadline("2026-02-13T15:30", "5 ngày làm việc", cutoff=CUTOFF_AT), "skipped")[0]


# --- on time -------------------------------------------------------------------------------------------------------------------

JUDGED = {
    "the day before": ("2026-11-24T16:00", Slip.EARLY, Staff.EARLY),
    "on the day": ("2026-11-25T08:00", Slip.ON_TIME, Staff.ON_TIME),
    "on the day, after closing, before midnight": ("2026-11-25T23:59", Slip.ON_TIME, Staff.ON_TIME),
    "at midnight": ("2026-11-26T00:00", Slip.LATE, Staff.LATE),
}


@pytest.mark.parametrize(("finished", "slip", "staff"), JUDGED.values(), ids=JUDGED)
def test_finished(finished: str, slip: Slip, staff: Staff) -> None:
    answer = assess(deadline("2026-11-18T09:00", "5 ngày làm việc"), finished=when(finished), at=when("2027-01-04T00:00"))
    assert (answer.slip, answer.staff) == (slip, staff)
    assert answer.reason.vi != answer.reason.en


def test_of_hours_the_hour_counts() -> None:
    by_hour = deadline("2026-11-18T08:00", "2 giờ làm việc")
    assert assess(by_hour, finished=when("2026-11-18T10:00"), at=when("2026-11-18T10:00")).slip is Slip.ON_TIME
    assert assess(by_hour, finished=when("2026-11-18T10:00:01"), at=when("2026-11-18T11:00")).slip is Slip.LATE


def test_unfinished_is_overdue_for_staff_and_nothing_yet_for_the_slip() -> None:
    open_one = deadline("2026-11-18T09:00", "5 ngày làm việc")
    assert assess(open_one, finished=None, at=when("2026-11-25T20:00")).staff is None
    past = assess(open_one, finished=None, at=when("2026-11-26T00:00"))
    assert (past.slip, past.staff) == (None, Staff.OVERDUE)


# --- properties ----------------------------------------------------------------------------------------------------------------

MOMENTS = st.datetimes(FIRST, LAST).map(lambda one: one.replace(tzinfo=VIETNAM))
TERMS = st.one_of(
    st.integers(1, 60).map(lambda n: f"{n} ngày làm việc"),
    st.integers(1, 90).map(lambda n: f"{n} ngày"),
    st.integers(1, 80).map(lambda n: f"{n} giờ làm việc"),
)


@given(MOMENTS, TERMS, st.sampled_from([None, time(15)]))
def test_it_is_due_on_a_working_day_after_the_reception(received: datetime, term: str, cutoff: time | None) -> None:
    answer = due(received, term_of(term), CALENDAR, cutoff=cutoff)
    assert CALENDAR.is_working(answer.due.date())
    assert received < answer.due <= answer.late_after
    assert answer.counted_from >= received


@given(MOMENTS, MOMENTS, TERMS)
def test_who_comes_later_is_never_due_earlier(one: datetime, other: datetime, term: str) -> None:
    first, second = sorted((one, other))
    assert due(first, term_of(term), CALENDAR).due <= due(second, term_of(term), CALENDAR).due


@given(MOMENTS, st.integers(1, 40), st.integers(0, 40), st.integers(0, 30))
def test_a_pause_of_so_many_working_days_shifts_by_exactly_as_many(received: datetime, term: int, after: int, length: int) -> None:
    length_days = term_of(f"{term} ngày làm việc")
    plain = due(received, length_days, CALENDAR)
    since = CALENDAR.opening(CALENDAR.add_working_days(plain.counted_from.date(), min(after, term)))
    since = max(since, plain.counted_from)
    until = CALENDAR.closing(CALENDAR.add_working_days(since.date(), length))
    paused = due(received, length_days, CALENDAR, pauses=[Pause(since, until)])
    assert CALENDAR.working_days_between(plain.due.date(), paused.due.date()) == length


@given(MOMENTS, TERMS, st.integers(0, 60 * 24 * 20), st.integers(0, 60 * 24 * 20))
def test_a_pause_never_brings_the_deadline_forward_and_it_is_never_before_the_supplement(
    received: datetime, term: str, after: int, length: int
) -> None:
    plain = due(received, term_of(term), CALENDAR)
    since = received + timedelta(minutes=after)
    until = since + timedelta(minutes=length)
    paused = due(received, term_of(term), CALENDAR, pauses=[Pause(since, until)])
    assert paused.due >= plain.due
    if since <= plain.late_after:
        assert paused.late_after >= until


@given(MOMENTS, TERMS, MOMENTS, MOMENTS)
def test_the_scales_agree_and_nothing_is_early_and_late(received: datetime, term: str, finished: datetime, now: datetime) -> None:
    answer = due(received, term_of(term), CALENDAR)
    done, not_done = assess(answer, finished=finished, at=now), assess(answer, finished=None, at=now)
    assert done.slip is not None
    assert done.staff is not None
    assert done.slip.name == done.staff.name
    assert (done.slip is Slip.LATE) == (finished > answer.late_after)
    assert (not_done.staff is Staff.OVERDUE) == (now > answer.late_after)


@given(st.text(max_size=60))
def test_no_term_raises_anything_else(text: str) -> None:
    try:
        term = term_of(text)
    except Refused as fault:
        assert fault.code == "deadline-term-unreadable"
    else:
        assert term.amount >= 0


@given(st.datetimes(timezones=st.just(UTC)), TERMS)
def test_no_time_raises_anything_else(received: datetime, term: str) -> None:
    try:
        due(received, term_of(term), CALENDAR, pauses=[Pause(received, received)])
    except Refused as fault:
        assert fault.code in {"deadline-year-missing", "deadline-rule-missing", "deadline-time-unreadable"}


# --- terms ---------------------------------------------------------------------------------------------------------------------

TERM_TEXTS = {
    "5 ngày làm việc": (5, Unit.WORKING_DAYS),
    "05 (năm) ngày làm việc kể từ ngày nhận đủ hồ sơ hợp lệ": (5, Unit.WORKING_DAYS),
    "Trong thời hạn 15 ngày": (15, Unit.DAYS),
    "không quá 03 ngày làm việc": (3, Unit.WORKING_DAYS),
    "ngay trong ngày làm việc": (0, Unit.WORKING_DAYS),
    "1,5 ngày làm việc": (720, Unit.WORKING_MINUTES),
    "1/2 ngày làm việc": (240, Unit.WORKING_MINUTES),
    "04 giờ làm việc": (240, Unit.WORKING_MINUTES),
    "8 giờ": (480, Unit.WORKING_MINUTES),
    "10 working days": (10, Unit.WORKING_DAYS),
    "  20   NGÀY ": (20, Unit.DAYS),
    "3 nga\u0300y la\u0300m vie\u0323\u0302c": (3, Unit.WORKING_DAYS),
}


@pytest.mark.parametrize(("text", "expected"), TERM_TEXTS.items())
def test_a_term_is_read(text: str, expected: tuple[int, Unit]) -> None:
    term = term_of(text)
    assert (term.amount, term.unit) == expected


@pytest.mark.parametrize(
    "text", ["", "ngày", "0 ngày", "-3 ngày", "nửa ngày", "1,5 ngày", "5", "9999 ngày", "5 tháng", "x" * 10_000, "5 ngày\x00"]
)
def test_a_term_is_refused(text: str) -> None:
    with pytest.raises(Refused) as caught:
        term_of(text)
    assert caught.value.code == "deadline-term-unreadable"


def test_plain_hours_are_said_to_be_read_as_working_hours() -> None:
    assert said(deadline("2026-11-18T08:00", "8 giờ"), "hours-plain")
    assert not said(deadline("2026-11-18T08:00", "8 giờ làm việc"), "hours-plain")


def test_the_answer_is_the_same_in_json() -> None:
    rows = deadline("2026-11-18T09:00", "5 ngày làm việc").as_json()
    assert (rows["due"], rows["waiting_since"]) == ("2026-11-25T17:00:00+07:00", None)
    assert at(when("2026-11-25T00:00").date(), time(17)).isoformat() == rows["due"]
