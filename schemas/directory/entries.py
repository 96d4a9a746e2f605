"""One line of the directory: a body's code, its other codes, and the days on which it holds. Read from `[[agency]]` rows of TOML."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from schemas.agency import AgencyCode
from schemas.errors import Text, Violation, error
from schemas.message import VIETNAM

UNKNOWN_SUCCESSOR = "unknown"  # closed or merged, and no source of ours names the code that goes on: never guessed
_TEXTS = ("code", "name", "place", "kind", "code102", "successor", "source", "label", "note_vi", "note_en")
_DAYS = ("valid_from", "valid_until", "unsure_from")
_KNOWN = frozenset((*_TEXTS, *_DAYS, "aliases"))
MAX_ALIASES = 100
NO_NOTE = Text("", "")


@dataclass(frozen=True, slots=True)
class Entry:
    """One body under one code from `valid_from` on, before `valid_until` (None: open, or not known)."""

    code: str  # as the directory writes it; the QĐ 20/2020 form where it has one
    name: str  # "" where our sources do not name it
    kind: str  # "province", "council", "government", "agency"
    valid_from: date | None = None
    valid_until: date | None = None  # the first day on which it no longer holds
    unsure_from: date | None = None  # from this day on our sources do not say whether it still holds
    code102: str = ""  # the QCVN 102 form as the national directory has it; "" not given
    aliases: tuple[str, ...] = ()  # other texts that mean this body
    successor: str = ""  # a code, UNKNOWN_SUCCESSOR, or "" (not closed)
    place: str = ""  # of a province: its short name
    source: str = ""
    label: str = ""  # certainty, as on the facts page: L, C, S, G
    note: Text = NO_NOTE

    @property
    def texts(self) -> tuple[str, ...]:
        """Every text under which it is found."""
        return tuple(dict.fromkeys(one.upper() for one in (self.code, self.code102, *self.aliases) if one))

    def holds(self, on: date) -> bool:
        """Whether the code means this body on that day."""
        return (self.valid_from is None or self.valid_from <= on) and (self.valid_until is None or on < self.valid_until)

    def is_sure(self, on: date) -> bool:
        """False from the day on which our sources fall silent (the provinces of 2025 whose merger they do not name)."""
        return self.unsure_from is None or on < self.unsure_from

    def as_json(self) -> dict[str, Any]:
        """The form that `lgsp directory --json` prints."""
        return {
            "code": self.code,
            "code102": self.code102,
            "aliases": list(self.aliases),
            "name": self.name,
            "kind": self.kind,
            "valid_from": _shown(self.valid_from),
            "valid_until": _shown(self.valid_until),
            "unsure_from": _shown(self.unsure_from),
            "successor": self.successor,
            "source": self.source,
            "label": self.label,
            "note": {"vi": self.note.vi, "en": self.note.en},
        }


def day_of(at: date) -> date:
    """The day in Vietnam of an aware time; a day stays as it is. A time without zone is taken as Vietnamese time."""
    if isinstance(at, datetime):
        return at.astimezone(VIETNAM).date() if at.tzinfo else at.date()
    return at


def entry_of(row: object, place: str, source: str) -> tuple[Entry | None, list[Violation]]:
    """The entry in one `[[agency]]` row, or everything that is wrong with it. `source` stands in where the row names none."""
    if not isinstance(row, Mapping):
        return None, [_wrong(place, row, "a table")]
    faults = [_wrong(f"{place}.{key}", value, "no such key") for key, value in row.items() if key not in _KNOWN]
    faults += [_wrong(f"{place}.{key}", row[key], "text") for key in _TEXTS if not isinstance(row.get(key, ""), str)]
    faults += [_wrong(f"{place}.{key}", row[key], "a date") for key in _DAYS if not _is_day(row.get(key))]
    aliases = row.get("aliases", [])
    if not isinstance(aliases, list) or len(aliases) > MAX_ALIASES or not all(isinstance(one, str) for one in aliases):
        faults.append(_wrong(f"{place}.aliases", aliases, f"a list of at most {MAX_ALIASES} texts"))
    if faults:
        return None, faults
    entry = _made(row, source)
    faults += [_wrong(place, text, "a code that can name a body") for text in entry.texts or ("",) if not AgencyCode.of(text).is_usable]
    if entry.valid_from and entry.valid_until and entry.valid_from >= entry.valid_until:
        faults.append(_wrong(place, entry.valid_until, f"a day after {entry.valid_from}"))
    return (None if faults else entry), faults


def _made(row: Mapping[str, Any], source: str) -> Entry:
    def text(key: str) -> str:
        return AgencyCode.of(row.get(key, "")).text

    return Entry(
        code=text("code"),
        name=text("name"),
        kind=text("kind") or "agency",
        valid_from=row.get("valid_from"),
        valid_until=row.get("valid_until"),
        unsure_from=row.get("unsure_from"),
        code102=text("code102"),
        aliases=tuple(AgencyCode.of(one).text for one in row.get("aliases", [])),
        successor=text("successor") or (UNKNOWN_SUCCESSOR if row.get("valid_until") else ""),
        place=text("place"),
        source=text("source") or source,
        label=text("label"),
        note=Text(text("note_vi"), text("note_en")),
    )


def _is_day(value: object) -> bool:
    return value is None or (isinstance(value, date) and not isinstance(value, datetime))


def _shown(day: date | None) -> str:
    return day.isoformat() if day else ""


def _wrong(place: str, got: object, expected: str) -> Violation:
    return error("directory-data-invalid", path=place, got=got, expected=expected)
