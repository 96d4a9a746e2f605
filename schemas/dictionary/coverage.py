"""How much of a survey of real field names the dictionary covers. The survey is a CSV: source_path, message, field, declared_type."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from schemas.dictionary.aliases import System, systems
from schemas.errors import Refused

COLUMNS = ("source_path", "message", "field")
MAX_BYTES = 16 * 1024 * 1024
MAX_ROWS = 100_000


@dataclass(frozen=True, slots=True)
class Field:
    """One row of the survey, and what the dictionary makes of it."""

    path: str
    message: str
    name: str
    system: str  # "" where no system has this path
    key: str  # "" where it is not mapped
    reason: str  # why it is known and not mapped, "" otherwise


@dataclass(frozen=True, slots=True)
class Share:
    """So many of so many."""

    covered: int
    total: int

    @property
    def percent(self) -> float:
        """Covered of all, in percent."""
        return round(100 * self.covered / self.total, 1) if self.total else 0.0

    def as_json(self) -> dict[str, Any]:
        """The form that `--json` prints."""
        return {"covered": self.covered, "total": self.total, "percent": self.percent}


@dataclass(frozen=True, slots=True)
class Coverage:
    """The figures, and what is left by how often it occurs."""

    fields: Share
    names: Share  # a name counts when it is mapped wherever it stands
    names_somewhere: Share  # … when it is mapped in one message at least
    messages: Share  # a message counts when all of its fields are mapped
    uncovered: tuple[tuple[str, int], ...]  # name, how many fields; most frequent first
    ambiguous: tuple[Field, ...]

    def as_json(self) -> dict[str, Any]:
        """The form that `--json` prints."""
        return {
            "fields": self.fields.as_json(),
            "names": self.names.as_json(),
            "names_somewhere": self.names_somewhere.as_json(),
            "messages": self.messages.as_json(),
            "ambiguous": [{"system": one.system, "message": one.message, "name": one.name, "reason": one.reason} for one in self.ambiguous],
            "uncovered": [{"name": name, "fields": count} for name, count in self.uncovered],
        }


def coverage(raw: bytes) -> Coverage:
    """The figures for the survey in `raw`. Raises `Refused` with `survey-unreadable`."""
    fields = [_field(path, message, name) for path, message, name in _rows(raw)]
    per_name: dict[str, list[bool]] = {}
    per_message: dict[tuple[str, str], list[bool]] = {}
    for one in fields:
        per_name.setdefault(one.name, []).append(bool(one.key))
        per_message.setdefault((one.path, one.message), []).append(bool(one.key))
    left = Counter(one.name for one in fields if not one.key)
    return Coverage(
        fields=Share(sum(bool(one.key) for one in fields), len(fields)),
        names=_share(all(found) for found in per_name.values()),
        names_somewhere=_share(any(found) for found in per_name.values()),
        messages=_share(all(found) for found in per_message.values()),
        uncovered=tuple(sorted(left.items(), key=lambda item: (-item[1], item[0]))),
        ambiguous=tuple(one for one in fields if one.reason),
    )


def _share(found: Iterable[bool]) -> Share:
    listed = list(found)
    return Share(sum(listed), len(listed))


def _field(path: str, message: str, name: str) -> Field:
    system = _system_of(path)
    if system is None:
        return Field(path, message, name, "", "", "")
    alias = system.alias(message, name)
    return Field(path, message, name, system.name, alias.key if alias else "", system.why_not(message, name))


def _system_of(path: str) -> System | None:
    return next((one for one in systems().values() if any(path.startswith(start) for start in one.paths)), None)


def _rows(raw: bytes) -> list[tuple[str, str, str]]:
    if len(raw) > MAX_BYTES:
        raise Refused("survey-unreadable", got=f"{len(raw)} bytes", expected=f"at most {MAX_BYTES} bytes")
    try:
        reader = csv.DictReader(io.StringIO(raw.decode("utf-8-sig")), strict=True)
        if not set(COLUMNS) <= set(reader.fieldnames or ()):
            raise Refused("survey-unreadable", got=", ".join(reader.fieldnames or ()), expected=", ".join(COLUMNS))
        rows = [(str(row["source_path"]), str(row["message"]), str(row["field"])) for row in reader]
    except (UnicodeDecodeError, csv.Error) as fault:
        raise Refused("survey-unreadable", got=str(fault), expected="a CSV file in UTF-8") from fault
    if not rows or len(rows) > MAX_ROWS:
        raise Refused("survey-unreadable", got=f"{len(rows)} rows", expected=f"1 to {MAX_ROWS} rows")
    return rows
