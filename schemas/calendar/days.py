"""The working calendar: which days are worked, at which hours, and how to count on. Pure values; `read` makes them from data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum

from schemas.errors import Refused, Text
from schemas.message import VIETNAM

_DAY = timedelta(days=1)


class Cause(StrEnum):
    """Why a day is off."""

    HOLIDAY = "holiday"  # BLLĐ 2019 art. 112
    MADE_UP = "made-up"  # a holiday fell on a weekly day of rest: art. 111.3
    SWAPPED = "swapped"  # another day is worked for it
    LOCAL = "local"  # of one province: an overlay


@dataclass(frozen=True, slots=True)
class Mark:
    """What the calendar says of one day beyond the weekday."""

    cause: Cause
    name: Text
    source: str
    label: str  # L, C, S, G

    @property
    def is_sure(self) -> bool:
        """False for what is general knowledge only."""
        return self.label != "G"


@dataclass(frozen=True, slots=True)
class Hours:
    """Office hours from a day on: sessions in order, without overlap, the last one ending the day."""

    valid_from: date
    sessions: tuple[tuple[time, time], ...]

    @property
    def minutes(self) -> int:
        """Working minutes of a day."""
        return sum(_minutes(start, end) for start, end in self.sessions)


@dataclass(frozen=True, slots=True)
class Calendar:
    """One province's calendar. `version` is a date and a digest of everything in it: the same version counts the same."""

    province: str  # code as given; "" = the national one
    version: str
    years: range
    weekend: frozenset[int]  # ISO weekdays
    off: Mapping[date, Mark]
    worked: Mapping[date, Mark]  # days of rest that are worked
    undecided: Mapping[date, Mark]  # may yet become days off; count as worked
    hours: tuple[Hours, ...]  # by `valid_from`

    def is_working(self, day: date) -> bool:
        """Whether `day` is worked. Raises `Refused("deadline-year-missing")` outside the years with data."""
        if day.year not in self.years:
            expected = f"{self.years.start}–{self.years.stop - 1}, or an overlay with the year"
            raise Refused("deadline-year-missing", got=str(day.year), expected=expected)
        if day in self.worked:
            return True
        return day.isoweekday() not in self.weekend and day not in self.off

    def working_from(self, day: date) -> date:
        """`day`, or the first working day after it."""
        while not self.is_working(day):
            day = _next(day)
        return day

    def working_after(self, day: date) -> date:
        """The first working day after `day`."""
        return self.working_from(_next(day))

    def add_working_days(self, day: date, count: int) -> date:
        """The `count`-th working day after `day`; for 0 the first from `day` on. Never a day that is not worked."""
        day = day if count else self.working_from(day)
        for _ in range(count):
            day = self.working_after(day)
        return day

    def working_days_between(self, after: date, until: date) -> int:
        """Working days in (after, until]; 0 where `until` is not later."""
        return sum(self.is_working(day) for day in _days(after, until))

    def marks_between(self, after: date, until: date) -> Iterator[tuple[date, Mark]]:
        """(day, mark) of every day in (after, until] that the calendar says something special of."""
        for day in _days(after, until):
            mark = self.worked.get(day) or self.off.get(day) or self.undecided.get(day)
            if mark is not None:
                yield day, mark

    def hours_on(self, day: date) -> Hours:
        """The office hours in force on `day`."""
        return next((one for one in reversed(self.hours) if one.valid_from <= day), self.hours[0])

    def opening(self, day: date) -> datetime:
        """When the office opens on a working day."""
        return at(day, self.hours_on(day).sessions[0][0])

    def noon(self, day: date) -> datetime:
        """When the morning of a working day ends: the end of its first session."""
        return at(day, self.hours_on(day).sessions[0][1])

    def closing(self, day: date) -> datetime:
        """When the office closes on a working day."""
        return at(day, self.hours_on(day).sessions[-1][1])

    def spans_from(self, start: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Working spans from `start` (Vietnamese time) on: what is left of its session first, lunch and nights left out."""
        day = start.date()
        while True:
            if self.is_working(day):
                for begin, end in self.hours_on(day).sessions:
                    if at(day, end) > start:
                        yield max(at(day, begin), start), at(day, end)
            day = _next(day)

    def add_working_time(self, start: datetime, left: timedelta) -> datetime:
        """`start` and so much working time. What ends exactly with a session ends there, not at the next one's beginning."""
        for begin, end in self.spans_from(start):
            if left <= end - begin:
                return begin + left
            left -= end - begin
        raise RuntimeError("working spans do not end")  # pragma: no cover – the year runs out first

    def working_time_between(self, start: datetime, end: datetime) -> timedelta:
        """Working time in [start, end); nothing where `end` is not later."""
        total = timedelta()
        for begin, stop in self.spans_from(start) if start < end else ():
            if begin >= end:
                break
            total += min(stop, end) - begin
        return total


def local(moment: datetime) -> datetime:
    """`moment` in Vietnamese time. A naive one is a programmer's mistake. At the ends of time: `Refused("deadline-time-unreadable")`."""
    if moment.tzinfo is None:
        raise RuntimeError("a time without zone reached the deadline engine")
    try:
        return moment.astimezone(VIETNAM)
    except OverflowError as fault:
        raise Refused("deadline-time-unreadable", got=str(moment)) from fault


def at(day: date, clock: time) -> datetime:
    """That day and hour in Vietnam."""
    return datetime.combine(day, clock, VIETNAM)


def _days(after: date, until: date) -> Iterator[date]:
    for ordinal in range(after.toordinal() + 1, until.toordinal() + 1):
        yield date.fromordinal(ordinal)


def _next(day: date) -> date:
    if day == date.max:
        raise Refused("deadline-year-missing", got=str(day.year))
    return day + _DAY


def _minutes(start: time, end: time) -> int:
    return (end.hour - start.hour) * 60 + end.minute - start.minute
