"""Rules of counting as dated data (`rules.toml`), and QĐ 28/2018 art. 6.2: by when a signed document has to be sent."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import cache
from pathlib import Path

from schemas.calendar.days import Calendar, at
from schemas.errors import Refused, Text

_DATA = Path(__file__).with_name("rules.toml")
_ONE_WAY = {"after_closing": "next-working-day", "first_day": "not-counted", "last_day": "next-working-day", "ends": "24:00"}
END_OF_DAY = time(23, 59, 59, 999_999)


@dataclass(frozen=True, slots=True)
class Rule:
    """One version of the rules. What every version so far has in common is checked when it is read, and coded once."""

    id: str
    valid_from: date
    valid_until: date | None  # the first day on which it no longer holds for new dossiers
    name: Text
    label: str


@cache
def rules() -> tuple[Rule, ...]:
    """All versions, oldest first."""
    rows = tomllib.loads(_DATA.read_text("utf-8"))["rule"]
    for row in rows:
        if {key: row[key] for key in _ONE_WAY} != _ONE_WAY or row["on_time"] != "last-day":
            raise RuntimeError(f"rules.toml: {row['id']} counts in a way that schemas.calendar.deadline does not know")
    return tuple(Rule(row["id"], row["valid_from"], row.get("valid_until"), Text(row["vi"], row["en"]), row["label"]) for row in rows)


def rule_on(received_on: date) -> Rule:
    """The rule for a dossier received on that day. Raises `Refused("deadline-rule-missing")` before the first."""
    for rule in rules():
        if rule.valid_from <= received_on and (rule.valid_until is None or received_on < rule.valid_until):
            return rule
    raise Refused("deadline-rule-missing", got=str(received_on), expected=f"a day from {rules()[0].valid_from} on")


def send_by(signed_on: date, urgent: bool, calendar: Calendar) -> datetime:
    """The last moment at which sending a document signed on that day keeps QĐ 28/2018 art. 6.2 [L], in Vietnamese time.

    Not urgent: the end of the next working morning, as the calendar's office hours have it. Urgent: "immediately after signing"; of the
    signing only the day is known (PromulgationDate), so only what is sent on a later day can be called late: the end of that day.
    Raises `Refused("deadline-year-missing")` outside the calendar's years.
    """
    if urgent:
        calendar.is_working(signed_on)  # outside its years there is no answer, urgent or not
        return at(signed_on, END_OF_DAY)
    return calendar.noon(calendar.working_after(signed_on))
