"""From dated data to a `Calendar`: the national table, overlays on top, and the days made up for (BLLĐ 2019 art. 111.3) calculated."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

from schemas.agency import AgencyCode
from schemas.calendar.days import Calendar, Cause, Hours, Mark
from schemas.errors import Halted, Text

NATIONAL = Path(__file__).with_name("national.toml")
MAX_OVERLAY_CHARS = 4 * 1024 * 1024
FIRST_YEAR, LAST_YEAR = 1900, 2200
_MADE_UP = "BLLĐ 2019 điều 111.3"
_HEADS = frozenset({"version", "years", "province", "weekend", "hours", "yearly", "off", "swap", "worked", "undecided"})


@dataclass(slots=True)
class _Table:
    """What the layers come to, later ones over earlier ones."""

    versions: list[str] = field(default_factory=list)
    years: range = range(0)
    weekend: frozenset[int] = frozenset()
    off: dict[date, Mark] = field(default_factory=dict)
    worked: dict[date, Mark] = field(default_factory=dict)
    undecided: dict[date, Mark] = field(default_factory=dict)
    hours: dict[date, Hours] = field(default_factory=dict)
    yearly: list[tuple[str, Mark]] = field(default_factory=list)


def calendar_of(province: str = "", overlays: Sequence[str] = ()) -> Calendar:
    """The calendar of `province` (any form of its code; "" the national one) with TOML `overlays` on top, in order.

    An overlay that names another province is left out; one that names none holds everywhere. Raises `Halted("deadline-data-invalid")`.
    """
    return _calendar(AgencyCode.of(province).text, tuple(overlays))


@cache
def _calendar(province: str, overlays: tuple[str, ...]) -> Calendar:
    table = _Table()
    used = [text for text in (NATIONAL.read_text("utf-8"), *overlays) if _lay(table, text, province)]
    _spread(table)
    _make_up(table)
    digest = hashlib.sha256("\0".join(used).encode("utf-8", "surrogatepass")).hexdigest()[:12]
    return Calendar(
        province=province,
        version=f"{'+'.join(table.versions)}+{digest}",
        years=table.years,
        weekend=table.weekend,
        off=table.off,
        worked=table.worked,
        undecided=table.undecided,
        hours=tuple(table.hours[day] for day in sorted(table.hours)),
    )


def _lay(table: _Table, text: str, province: str) -> bool:
    """Puts one layer on; False for another province's."""
    rows = _parsed(text)
    unknown = sorted(set(rows) - _HEADS)
    if unknown:
        raise _wrong(unknown[0], f"one of {', '.join(sorted(_HEADS))}")
    whose = rows.get("province", "")
    if not isinstance(whose, str):
        raise _wrong(whose, "province = a code")
    if whose and not AgencyCode.of(whose).same_as(AgencyCode.of(province)):
        return False
    local = Cause.LOCAL if whose else Cause.HOLIDAY
    table.versions.append(str(rows.get("version", "overlay"))[:40])
    table.years = _years(rows.get("years"), table.years)
    if "weekend" in rows:
        table.weekend = frozenset(_weekdays(rows["weekend"]))
    for row in _rows(rows, "hours"):
        hours = _hours(row)
        table.hours[hours.valid_from] = hours
    table.yearly += [(_key(row), _mark(row, local)) for row in _rows(rows, "yearly")]
    _lay_days(table, rows, local)
    return True


def _lay_days(table: _Table, rows: Mapping[str, Any], local: Cause) -> None:
    for kind, target in (("off", table.off), ("worked", table.worked), ("undecided", table.undecided)):
        for row in _rows(rows, kind):
            for day in _list(row.get("days"), kind):
                _settle(table, _day(day, kind))
                target[day] = _mark(row, local)
    for row in _rows(rows, "swap"):
        off, worked = _day(row.get("off"), "swap.off"), _day(row.get("worked"), "swap.worked")
        for day in (off, worked):
            _settle(table, day)
        about = {"source": row.get("source", ""), "label": row.get("label", "")}
        free, made = f"{off:%d/%m/%Y}", f"{worked:%d/%m/%Y}"
        rest = {"vi": f"Nghỉ hoán đổi, làm bù ngày {made}", "en": f"Off, worked on {worked} instead"}
        work = {"vi": f"Làm bù cho ngày {free}", "en": f"Worked for {off}"}
        table.off[off], table.worked[worked] = _mark(about | rest, Cause.SWAPPED), _mark(about | work, Cause.SWAPPED)


def _settle(table: _Table, day: date) -> None:
    """A later layer has its own word on this day."""
    for one in (table.off, table.worked, table.undecided):
        one.pop(day, None)


def _spread(table: _Table) -> None:
    """Days of every year, unless a layer has its own word on one."""
    for year in table.years:
        for key, mark in table.yearly:
            day = date(year, int(key[:2]), int(key[3:]))
            if day not in table.worked:
                table.off.setdefault(day, mark)


def _make_up(table: _Table) -> None:
    """A holiday on a weekly day of rest: the next working day is off, in the order of the holidays."""
    holidays = sorted(day for day, mark in table.off.items() if mark.cause is Cause.HOLIDAY and day.isoweekday() in table.weekend)
    for holiday in holidays:
        day = holiday
        while day in table.off or (day.isoweekday() in table.weekend and day not in table.worked) or day in table.worked:
            day += timedelta(days=1)
        mark = table.off[holiday]
        name = Text(f"Nghỉ bù {mark.name.vi} ({holiday:%d/%m})", f"Made up for {mark.name.en} ({holiday:%d/%m})")
        table.undecided.pop(day, None)
        table.off[day] = Mark(Cause.MADE_UP, name, _MADE_UP, mark.label)


# --- rows ----------------------------------------------------------------------------------------------------------------------


def _parsed(text: str) -> Mapping[str, Any]:
    if len(text) > MAX_OVERLAY_CHARS:
        raise _wrong(f"{len(text)} characters", f"at most {MAX_OVERLAY_CHARS}")
    try:
        return tomllib.loads(text.removeprefix("\ufeff"))
    except (ValueError, RecursionError) as fault:
        raise Halted("deadline-data-invalid", got=str(fault), expected="TOML") from fault


def _rows(table: Mapping[str, Any], key: str) -> Iterable[Mapping[str, Any]]:
    rows = table.get(key, [])
    if not isinstance(rows, list) or not all(isinstance(one, Mapping) for one in rows):
        raise _wrong(key, f"[[{key}]] rows")
    return rows


def _mark(row: Mapping[str, Any], cause: Cause) -> Mark:
    vi, en, source, label = (row.get(key, "") for key in ("vi", "en", "source", "label"))
    if not all(isinstance(one, str) for one in (vi, en, source, label)):
        raise _wrong(row, "vi, en, source and label as text")
    return Mark(cause, Text(vi or en, en or vi), source, label)


def _day(value: object, place: str) -> date:
    if not isinstance(value, date) or isinstance(value, datetime):
        raise _wrong(value, f"a date in {place}")
    if not FIRST_YEAR <= value.year <= LAST_YEAR:
        raise _wrong(value, f"a year from {FIRST_YEAR} to {LAST_YEAR} in {place}")
    return value


def _list(value: object, place: str) -> Iterable[Any]:
    if not isinstance(value, list):
        raise _wrong(value, f"days = [dates] in {place}")
    return value


def _years(value: object, before: range) -> range:
    """The years with data. A gap would pass for years without holidays."""
    if value is None:
        return before
    match value:
        case [int(first), int(last)] if FIRST_YEAR <= first <= last <= LAST_YEAR:
            if not before:
                return range(first, last + 1)
            if first <= before.stop and last + 1 >= before.start:
                return range(min(first, before.start), max(last + 1, before.stop))
    raise _wrong(value, "years = [first, last], without a gap to the years already there")


def _weekdays(row: object) -> Iterable[int]:
    days = row.get("days") if isinstance(row, Mapping) else None
    if not isinstance(days, list) or not all(isinstance(one, int) and 1 <= one <= 7 for one in days) or len(set(days)) > 6:
        raise _wrong(row, "[weekend] days = ISO weekdays 1–7, not all of them")
    return days


def _key(row: Mapping[str, Any]) -> str:
    key = row.get("day")
    try:
        if isinstance(key, str) and len(key) == 5:
            date.fromisoformat(f"2023-{key}")
            return key
    except ValueError:
        pass
    raise _wrong(key, 'day = "MM-DD", not 29 February')


def _hours(row: Mapping[str, Any]) -> Hours:
    """Raises for sessions that are not in order, or empty."""
    try:
        sessions = tuple((time.fromisoformat(start), time.fromisoformat(end)) for start, end in row.get("sessions", ()))
    except (ValueError, TypeError) as fault:
        raise Halted("deadline-data-invalid", got=str(fault), expected='sessions = [["07:00", "11:30"], …]') from fault
    flat = [clock for session in sessions for clock in session]
    whole = all(clock.tzinfo is None and not clock.second and not clock.microsecond for clock in flat)
    if not flat or not whole or any(a >= b for a, b in pairwise(flat)):
        raise _wrong(row.get("sessions"), "sessions in order, whole minutes, without overlap")
    since = _day(row["valid_from"], "hours.valid_from") if "valid_from" in row else date.min
    return Hours(since, sessions)


def _wrong(got: object, expected: str) -> Halted:
    return Halted("deadline-data-invalid", got=str(got), expected=expected)
