"""What an operator adds to the shipped directory: local sub-codes, `code102`, aliases, dates, successors of 2025's mergers.

Two ways in: a TOML file of `[[agency]]` rows, and the answer of ``getAgenciesListQD20`` saved as JSON (edxml.md §4.1:
data[{id, code, name, mail, code102}]). This module reads texts; whoever calls it reads the files.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from schemas.directory.entries import Entry, entry_of
from schemas.errors import Halted, Violation, error
from schemas.limits import DEFAULT_LIMITS

MAX_OVERLAY_CHARS = 64 * 1024 * 1024  # the national directory has about 120,000 agencies
_HEADS = frozenset({"version", "source", "label", "agency"})


@dataclass(frozen=True, slots=True)
class Overlay:
    """Entries from one place. A code that it names loses its whole earlier history: give all its intervals."""

    name: str
    version: str
    entries: tuple[Entry, ...]

    @classmethod
    def of_toml(cls, text: str, name: str) -> Overlay:
        """Raises `Halted("directory-data-invalid")` with every wrong row."""
        try:
            table = tomllib.loads(_sized(text, name))
        except (ValueError, RecursionError) as fault:
            raise Halted("directory-data-invalid", got=f"{name}: {fault}", expected="TOML with [[agency]] rows") from fault
        faults = [_wrong(f"{name}: {key}", "no such key") for key in table if key not in _HEADS]
        rows = table.get("agency", [])
        if not isinstance(rows, list):
            raise Halted("directory-data-invalid", got=f"{name}: agency", expected="[[agency]] rows")
        entries, more = _entries(rows, name, str(table.get("source", name)))
        _stop_at([*faults, *more], name)
        return cls(name, str(table.get("version", "")), entries)

    @classmethod
    def of_listing(cls, text: str, name: str, listed_on: date | None = None) -> Overlay:
        """From the JSON that ``getAgenciesList`` or ``getAgenciesListQD20`` answered. `oldCode` of the older call is read as `code102`.

        The listing has no dates: what stands in it holds from `listed_on` on (None: no beginning is known).
        Raises `Halted("directory-data-invalid")`.
        """
        try:
            answer = json.loads(_sized(text, name))
        except (ValueError, RecursionError) as fault:
            raise Halted("directory-data-invalid", got=f"{name}: {fault}", expected="the JSON of getAgenciesList") from fault
        rows = answer.get("data") if isinstance(answer, dict) else answer
        if not isinstance(rows, list):
            raise Halted("directory-data-invalid", got=name, expected='{"data": [{"code": …, "name": …, "code102": …}]}')
        entries, faults = _entries([_row(one, listed_on) for one in rows], name, name)
        _stop_at(faults, name)
        return cls(name, listed_on.isoformat() if listed_on else "", entries)


def _row(agency: object, listed_on: date | None) -> object:
    if not isinstance(agency, dict):
        return agency
    row: dict[str, Any] = {"code": agency.get("code") or "", "name": agency.get("name") or "", "label": "C"}
    row["code102"] = agency.get("code102") or agency.get("oldCode") or ""
    if listed_on:
        row["valid_from"] = listed_on
    return row


def _entries(rows: Iterable[object], name: str, source: str) -> tuple[tuple[Entry, ...], list[Violation]]:
    entries, faults = [], []
    for number, row in enumerate(rows, start=1):
        entry, more = entry_of(row, f"{name}: agency[{number}]", source)
        entries += [entry] if entry else []
        faults += more
    return tuple(entries), faults


def _sized(text: str, name: str) -> str:
    if len(text) > MAX_OVERLAY_CHARS:
        raise Halted("directory-data-invalid", got=f"{name}: {len(text)} characters", expected=f"at most {MAX_OVERLAY_CHARS}")
    return text.removeprefix("\ufeff")


def _stop_at(faults: list[Violation], name: str) -> None:
    if faults:
        raise Halted("directory-data-invalid", got=name, violations=tuple(faults[: DEFAULT_LIMITS.max_violations]))


def _wrong(place: str, expected: str) -> Violation:
    return error("directory-data-invalid", path=place, expected=expected)
