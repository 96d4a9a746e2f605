"""When a dossier is due: from reception, term, cut-off and pauses, every step explained in both languages.

The steps, numbered as in the code: (1) the rule of the day of reception; (2) the moment that counts as reception: the cut-off of the
procedure, closing time, days off; (3) counting on; (4) pauses, in order: the clock stops when a supplement is asked for and goes on when it
has come, each shifting the due date by exactly the working time that passed; (5) a last day that is off; (6) what is not certain.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from typing import Any

from schemas.calendar.days import Calendar, Mark, at, local
from schemas.calendar.rules import END_OF_DAY, rule_on
from schemas.calendar.term import Term, Unit
from schemas.calendar.texts import Step, tell
from schemas.errors import Refused, Text

MAX_PAUSES = 100
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Pause:
    """From when a supplement was asked for until it came; `until` None: it has not come."""

    since: datetime
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Deadline:
    """The answer, with everything needed to reach it again. Times are Vietnamese (+07:00)."""

    due: datetime  # what the slip says: the closing time of the last day, or the hour
    late_after: datetime  # finished after this is late: 24:00 of the last day (last microsecond), or the hour
    term: Term
    received: datetime
    counted_from: datetime  # the moment that counts as reception
    steps: tuple[Step, ...]
    rule_version: str
    calendar_version: str
    waiting_since: datetime | None = None  # the clock stands; `due` is the earliest it can become

    @property
    def is_certain(self) -> bool:
        """False where the count crossed days that are not decided or not confirmed."""
        return not any(step.code.startswith("uncertain") for step in self.steps)

    def as_json(self) -> dict[str, Any]:
        """The form that `lgsp deadline --json` prints and a dossier keeps."""
        return {
            "due": self.due.isoformat(),
            "late_after": self.late_after.isoformat(),
            "term": {"amount": self.term.amount, "unit": str(self.term.unit), "text": self.term.text},
            "received": self.received.isoformat(),
            "counted_from": self.counted_from.isoformat(),
            "waiting_since": self.waiting_since.isoformat() if self.waiting_since else None,
            "is_certain": self.is_certain,
            "steps": [step.as_json() for step in self.steps],
            "rule_version": self.rule_version,
            "calendar_version": self.calendar_version,
        }


def due(received: datetime, term: Term, calendar: Calendar, *, cutoff: time | None = None, pauses: Sequence[Pause] = ()) -> Deadline:
    """When a dossier received then is due. `cutoff`: of the procedure's version; received after it counts from the next working day.

    Times are aware. Raises `Refused`: ``deadline-year-missing``, ``deadline-rule-missing``, ``deadline-pause-invalid``.
    """
    start = local(received)
    rule = rule_on(start.date())  # (1)
    steps = [tell("rule", start, vi=rule.name.vi, en=rule.name.en, id=rule.id, label=rule.label), tell("received", start)]
    counted = _counted_from(start, calendar, cutoff, steps)  # (2)
    _name_special(start.date(), counted.date(), calendar, steps)
    end = _counted_on(counted, term, calendar, steps)  # (3)
    end, waiting = _paused(end, counted, _in_order(pauses, start), term=term, calendar=calendar, steps=steps)  # (4)
    last = _rolled(end, calendar)  # (5)
    if last != end:
        steps.append(tell("rolled", last, off=f"{end:%d/%m/%Y}"))
    steps += _doubts(start.date(), counted.date(), calendar)  # (6)
    crossed = end.date() if term.unit is Unit.DAYS else counted.date() + _DAY
    steps += _doubts(crossed, last.date(), calendar)
    steps.append(tell("due", last))
    return Deadline(last, _limit(last, term), term, start, counted, tuple(steps), rule.id, calendar.version, waiting)


def counts_from(moment: datetime, calendar: Calendar, cutoff: time | None = None) -> datetime:
    """The moment that counts for what came at `moment`: itself, the opening of that day, or of the next working day."""
    return _counted_from(local(moment), calendar, cutoff, [])


def _counted_from(start: datetime, calendar: Calendar, cutoff: time | None, steps: list[Step]) -> datetime:
    day = start.date()
    if not calendar.is_working(day):
        counted = calendar.opening(calendar.working_after(day))
        steps.append(tell("received-off", counted))
    elif cutoff is not None and start > at(day, cutoff):
        counted = calendar.opening(calendar.working_after(day))
        steps.append(tell("after-cutoff", counted, cutoff=f"{cutoff:%H:%M}"))
    elif start > calendar.closing(day):
        counted = calendar.opening(calendar.working_after(day))
        steps.append(tell("after-closing", counted, closing=f"{calendar.closing(day):%H:%M}"))
    else:
        counted = max(start, calendar.opening(day))
    return counted


def _counted_on(counted: datetime, term: Term, calendar: Calendar, steps: list[Step]) -> datetime:
    day = counted.date()
    if term.unit is Unit.DAYS:
        last = day + timedelta(days=term.amount)
        end = calendar.closing(last)
        steps.append(tell("days", end, amount=term.amount))
        return end
    if term.unit is Unit.WORKING_MINUTES:
        end = calendar.add_working_time(counted, timedelta(minutes=term.amount))
        hours = ", ".join(f"{start:%H:%M}–{stop:%H:%M}" for start, stop in calendar.hours_on(day).sessions)
        steps.append(tell("hours", end, amount=_hours(timedelta(minutes=term.amount)), hours=hours))
        steps += [tell("hours-plain", None)] if term.plain_hours else []
    else:
        end = calendar.closing(calendar.add_working_days(day, term.amount))
        steps.append(tell("working-days", end, amount=term.amount) if term.amount else tell("same-day", end))
    _name_special(day, end.date(), calendar, steps)
    return end


def _paused(
    end: datetime, counted: datetime, pauses: Sequence[Pause], *, term: Term, calendar: Calendar, steps: list[Step]
) -> tuple[datetime, datetime | None]:
    """`end` after all pauses, and since when the clock stands."""
    for pause in pauses:
        last = _rolled(end, calendar)
        if pause.since > _limit(last, term):
            steps.append(tell("pause-too-late", pause.since, due=f"{last:%H:%M %d/%m/%Y}"))
            continue
        if pause.until is None:
            steps.append(tell("pause-open", pause.since))
            return end, pause.since
        begin = last if pause.since.date() > end.date() else end  # asked for between a last day that is off and the day due
        end = _shifted(begin, max(pause.since, counted), pause.until, term=term, calendar=calendar, steps=steps)
    return end, None


def _shifted(end: datetime, since: datetime, until: datetime, *, term: Term, calendar: Calendar, steps: list[Step]) -> datetime:
    """`end` later by what passed between asking and getting; what comes after closing has come on the next working day."""
    back = max(counts_from(until, calendar), since)
    if term.unit is Unit.WORKING_MINUTES:
        time_passed = calendar.working_time_between(since, back)
        moved = calendar.add_working_time(end, time_passed) if time_passed else end
        length = Text(_hours(time_passed), _hours(time_passed))
    elif term.unit is Unit.WORKING_DAYS:
        days = calendar.working_days_between(since.date(), back.date())
        moved = calendar.closing(calendar.add_working_days(end.date(), days)) if days else end
        length = Text(f"{days} ngày làm việc", f"{days} working day{'' if days == 1 else 's'}")
    else:
        days = (back.date() - since.date()).days
        moved = calendar.closing(end.date() + timedelta(days=days))
        length = Text(f"{days} ngày", f"{days} day{'' if days == 1 else 's'}")
    about = {"since": f"{since:%H:%M %d/%m/%Y}", "until": f"{back:%H:%M %d/%m/%Y}"}
    steps.append(tell("pause", moved, **about, length_vi=length.vi, length_en=length.en))
    if term.unit is not Unit.DAYS:
        _name_special(end.date(), moved.date(), calendar, steps)
    return moved


def _rolled(end: datetime, calendar: Calendar) -> datetime:
    """A last day that is off gives way to the next working day. Only terms in calendar days can end on one."""
    return end if calendar.is_working(end.date()) else calendar.closing(calendar.working_after(end.date()))


def _name_special(after: date, until: date, calendar: Calendar, steps: list[Step]) -> None:
    """Names the special days that were passed; weekends go without saying."""
    for first, last, mark in _spans(calendar.marks_between(after, until)):
        code = "skipped" if first in calendar.off else "worked" if first in calendar.worked else ""
        if code:
            steps.append(tell(code, at(first, time()), **_about(first, last, mark)))


def _doubts(since: date, until: date, calendar: Calendar) -> list[Step]:
    """What is not certain about the days from `since` to `until`, both included."""
    found = []
    for first, last, mark in _spans(calendar.marks_between(since - _DAY, until)):
        if first in calendar.undecided:
            found.append(tell("uncertain-undecided", at(first, time()), **_about(first, last, mark)))
        elif not mark.is_sure:
            found.append(tell("uncertain-unconfirmed", at(first, time()), **_about(first, last, mark)))
    return found


def _spans(marked: Iterable[tuple[date, Mark]]) -> list[tuple[date, date, Mark]]:
    """(first, last, mark) of runs of days that the calendar says the same of."""
    spans: list[tuple[date, date, Mark]] = []
    for day, mark in marked:
        if spans and spans[-1][2] == mark and spans[-1][1] == day - _DAY:
            spans[-1] = (spans[-1][0], day, mark)
        else:
            spans.append((day, day, mark))
    return spans


def _about(first: date, last: date, mark: Mark) -> dict[str, str]:
    span = f"{first:%d/%m/%Y}" if first == last else f"{first:%d/%m}–{last:%d/%m/%Y}"
    return {"span": span, "vi": mark.name.vi, "en": mark.name.en, "source": mark.source, "label": mark.label}


def _hours(length: timedelta) -> str:
    minutes = int(length / timedelta(minutes=1))
    return f"{minutes // 60}h{minutes % 60:02}"


def _limit(end: datetime, term: Term) -> datetime:
    return end if term.unit is Unit.WORKING_MINUTES else at(end.date(), END_OF_DAY)


def _in_order(pauses: Sequence[Pause], received: datetime) -> list[Pause]:
    if len(pauses) > MAX_PAUSES:
        raise Refused("deadline-pause-invalid", got=f"{len(pauses)} pauses", expected=f"at most {MAX_PAUSES}")
    ordered = sorted((Pause(local(one.since), local(one.until) if one.until else None) for one in pauses), key=lambda one: one.since)
    for one in ordered:
        if one.since < received or (one.until is not None and one.until < one.since):
            got, expected = f"{one.since} – {one.until or '…'}", f"from {received} on, the end not before the beginning"
            raise Refused("deadline-pause-invalid", got=got, expected=expected)
    for one, following in pairwise(ordered):
        if one.until is None or following.since < one.until:
            expected = f"after {one.until or 'the pause that is still open'}"
            raise Refused("deadline-pause-invalid", got=str(following.since), expected=expected)
    return ordered
