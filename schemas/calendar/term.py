"""How long: "5 ngày làm việc", "15 ngày", "4 giờ làm việc", "nửa ngày làm việc", "trong ngày", as procedures write it."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from schemas.errors import Refused

MAX_DAYS = 3650
MAX_TERM_CHARS = 200
MINUTES_OF_A_DAY = 480  # "8 h/day" of real one-stop software, onestop.md §2.6 [C]; what half a day is taken as


class Unit(StrEnum):
    """What is counted. "Ngày" and "ngày làm việc" are two things (onestop.md §2.6 [C])."""

    WORKING_DAYS = "working-days"
    DAYS = "days"  # of the calendar
    WORKING_MINUTES = "working-minutes"


@dataclass(frozen=True, slots=True)
class Term:
    """`amount` of `unit`; `text` as it was written."""

    amount: int
    unit: Unit
    text: str
    plain_hours: bool = False  # "giờ" without "làm việc": read as working hours, which may not be what was meant


_TERM = re.compile(
    r"(?:trong )?(?:thời hạn )?(?:không quá |tối đa )?"
    r"(?P<amount>[0-9]{1,4}(?:[.,][0-9]{1,2})?|1/2|nửa) ?(?:\([^()]{1,40}\) ?)?"
    r"(?P<unit>ngày làm việc|ngày|giờ làm việc|giờ|working days?|days?|working hours?|hours?)"
    r"(?: ?,? kể từ .*)?"
)
_SAME_DAY = re.compile(r"(?:ngay )?trong ngày(?: làm việc)?|same day")


def term_of(text: str) -> Term:
    """The term in `text`, Vietnamese or English. Raises `Refused("deadline-term-unreadable")`.

    Parts of a working day become hours of an 8-hour day; parts of a calendar day have no meaning and are refused.
    """
    plain = " ".join(unicodedata.normalize("NFC", text[: MAX_TERM_CHARS + 1]).lower().split())
    if len(text) > MAX_TERM_CHARS:
        raise _unreadable(text)
    if _SAME_DAY.fullmatch(plain):
        return Term(0, Unit.WORKING_DAYS, text.strip())
    found = _TERM.fullmatch(plain)
    if found is None:
        raise _unreadable(text)
    amount = _amount(found["amount"])
    if found["unit"] in ("ngày làm việc", "working day", "working days"):
        whole = amount.denominator == 1
        term = Term(int(amount), Unit.WORKING_DAYS, text.strip()) if whole else _minutes(amount * MINUTES_OF_A_DAY, text)
    elif found["unit"] in ("ngày", "day", "days"):
        if amount.denominator != 1:
            raise _unreadable(text)
        term = Term(int(amount), Unit.DAYS, text.strip())
    else:
        term = _minutes(amount * 60, text, plain_hours=found["unit"] in ("giờ", "hour", "hours"))
    limit = MAX_DAYS * (MINUTES_OF_A_DAY if term.unit is Unit.WORKING_MINUTES else 1)
    if not 0 < term.amount <= limit:
        raise _unreadable(text)
    return term


def _amount(text: str) -> Fraction:
    return Fraction(1, 2) if text in ("1/2", "nửa") else Fraction(text.replace(",", "."))


def _minutes(amount: Fraction, text: str, *, plain_hours: bool = False) -> Term:
    return Term(round(amount), Unit.WORKING_MINUTES, text.strip(), plain_hours)


def _unreadable(text: str) -> Refused:
    return Refused("deadline-term-unreadable", got=text, expected=f"5 ngày làm việc, 15 ngày, 4 giờ làm việc; at most {MAX_DAYS} days")
