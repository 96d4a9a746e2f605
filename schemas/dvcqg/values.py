"""The values inside dossier messages: times, dossier codes, procedure codes. Anything can be read; what it is, is said.

Forms: facts on the one-stop shop §2.3 [C] (dates, MaHoSo, MaTTHC), §2.4 item 8 [C] (the formats seen in one code base).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from schemas.message import VIETNAM

WIRE_TIME: Final = "yyyyMMddHHmmss"
BROKEN_PATTERN: Final = "dd /MM/yyyy"  # a formatting string with a space in it: a bug, not a format

# name → strptime pattern and shape. The first is the wire's, the others are what senders write by mistake [C §2.4].
_FORMATS: Final = (
    (WIRE_TIME, "%Y%m%d%H%M%S", re.compile(r"[0-9]{14}")),
    ("yyyyMMdd", "%Y%m%d", re.compile(r"[0-9]{8}")),
    ("dd/MM/yyyy", "%d/%m/%Y", re.compile(r"[0-9]{1,2}/[0-9]{1,2}/[0-9]{4}")),
    ("dd/MM/yyyy HH:mm:ss", "%d/%m/%Y %H:%M:%S", re.compile(r"[0-9]{1,2}/[0-9]{1,2}/[0-9]{4} [0-9]{1,2}:[0-9]{2}:[0-9]{2}")),
    ("yyyy-MM-dd", "%Y-%m-%d", re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")),
    ("yyyy-MM-dd HH:mm:ss", "%Y-%m-%d %H:%M:%S", re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}")),
    ("yyyy-MM-ddTHH:mm:ss", "%Y-%m-%dT%H:%M:%S", re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}")),
    ("dd.MM.yyyy", "%d.%m.%Y", re.compile(r"[0-9]{1,2}\.[0-9]{1,2}\.[0-9]{4}")),
    ("dd-MM-yyyy", "%d-%m-%Y", re.compile(r"[0-9]{1,2}-[0-9]{1,2}-[0-9]{4}")),
    (BROKEN_PATTERN, "%d /%m/%Y", re.compile(r"[0-9]{1,2} /[0-9]{1,2}/[0-9]{4}")),
)


def time_of(text: str) -> datetime | None:
    """The moment that a wire time names, +07:00; None for anything else, blank and impossible dates included."""
    shape = _FORMATS[0]
    return _parsed(text, shape[1]) if shape[2].fullmatch(text) else None


def format_of(text: str) -> str:
    """The name of the format that `text` is a possible date in, "" for none. The wire's own is `WIRE_TIME`."""
    return next((name for name, pattern, shape in _FORMATS if shape.fullmatch(text) and _parsed(text, pattern)), "")


def _parsed(text: str, pattern: str) -> datetime | None:
    try:
        return datetime.strptime(text, pattern).replace(tzinfo=VIETNAM)
    except ValueError:
        return None


# ``H56.14-240920-0001``: agency, day, number of the day. 5 digits are real too, and a ministry writes the year in full [C §2.3].
_NATIONAL = re.compile(r"((?:[0-9]{3}\.)?[0-9A-Z]{2,4}(?:\.[0-9A-Z]{1,4})*)-([0-9]{6})-([0-9]{4,9})")
_MINISTRY = re.compile(r"((?:[0-9]{3}\.)?[0-9A-Z]{2,4}(?:\.[0-9A-Z]{1,4})*)-([0-9]{8})-([0-9]{4,9})")


@dataclass(frozen=True, slots=True)
class DossierCode:
    """A MaHoSo as it was written, and its parts where it has a known form."""

    text: str
    form: str  # "national", "national-5" (five and more digits), "ministry", "foreign"
    agency: str = ""
    day: date | None = None
    serial: int = 0

    @classmethod
    def of(cls, text: str) -> DossierCode:
        """The code in `text`; anything is taken."""
        for form, pattern, layout in (("national", _NATIONAL, "%y%m%d"), ("ministry", _MINISTRY, "%Y%m%d")):
            match = pattern.fullmatch(text)
            moment = _parsed(match.group(2), layout) if match else None
            if match and moment:
                digits = match.group(3)
                exact = form if form == "ministry" or len(digits) == 4 else "national-5"
                return cls(text, exact, match.group(1), moment.date(), int(digits))
        return cls(text, "foreign")


_PROCEDURE = re.compile(r"([0-9]\.[0-9]{6})(?:\.([0-9A-Z]{2,4}(?:\.[0-9A-Z]{2,4})*))?")


@dataclass(frozen=True, slots=True)
class ProcedureCode:
    """A MaTTHC: the national number and, where it is given, the agency that published it (``1.003560.000.00.00.H56``)."""

    text: str
    number: str = ""  # "" where the form is not the national one
    agency: str = ""

    @classmethod
    def of(cls, text: str) -> ProcedureCode:
        """The code in `text`; anything is taken."""
        match = _PROCEDURE.fullmatch(text)
        return cls(text, match.group(1), match.group(2) or "") if match else cls(text)


def whole_number(value: int | str) -> int | None:
    """A wire number as an `int`; None where it is none, or longer than any real one."""
    if isinstance(value, int):
        return value
    return int(value) if re.fullmatch(r"-?[0-9]{1,18}", value.strip()) and value.isascii() else None


def truth(value: bool | str) -> bool | None:
    """A wire flag: ``true``, ``"True"``, ``"1"`` and their opposites; None for anything else."""
    if isinstance(value, bool):
        return value
    return {"true": True, "1": True, "false": False, "0": False}.get(value.strip().lower())
