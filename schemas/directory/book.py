"""The directory itself: shipped data below, operators' overlays on top, every question asked for a day.

Order of trust (edxml.md §2.5): what the directory says, arithmetic on the code last. Succession is not equivalence: after a merger the
closed code and the one that goes on are two bodies, and only `successor` leads from one to the other.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cache
from itertools import pairwise
from pathlib import Path

from schemas.agency import AgencyCode, Scheme
from schemas.directory.convert import Conversion, by_arithmetic, by_directory, written_so
from schemas.directory.entries import UNKNOWN_SUCCESSOR, Entry, day_of
from schemas.directory.overlays import Overlay
from schemas.errors import Halted, Violation, error

_SHIPPED = Path(__file__).with_name("national.toml")


class Standing(StrEnum):
    """How a code stands on a day."""

    CURRENT = "current"
    UNSURE = "unsure"  # listed, but from some day before this one our sources do not say whether it was kept (mergers of 2025)
    REPLACED = "replaced"  # closed; `entry` goes on
    CLOSED = "closed"  # closed; what goes on is not known
    NOT_YET = "not-yet"  # listed for later days only
    UNLISTED = "unlisted"


@dataclass(frozen=True, slots=True)
class Succession:
    """Who answers for a code on a day, and by which way."""

    standing: Standing
    entry: Entry | None  # the body that holds on that day; None where there is none, or none is known
    path: tuple[str, ...]  # codes from the one asked to the one found


@dataclass(frozen=True, slots=True)
class Directory:
    """All entries, found by any of their texts. Make one with `load`; `version` changes with any content."""

    entries: tuple[Entry, ...]
    version: str
    _by_text: Mapping[str, tuple[Entry, ...]]
    _by_key: Mapping[str, tuple[Entry, ...]]

    @classmethod
    def load(cls, overlays: Sequence[Overlay] = ()) -> Directory:
        """The shipped directory with `overlays` on top, later ones over earlier ones, code by code.

        Raises `Halted("directory-data-invalid")` where one text would mean two bodies on one day.
        """
        if not overlays:
            return _shipped()
        by_code: dict[str, list[Entry]] = {}
        for layer in (_national(), *overlays):
            fresh: dict[str, list[Entry]] = defaultdict(list)
            for entry in layer.entries:
                fresh[entry.code.upper()].append(entry)
            by_code |= fresh
        return cls._of(
            (one for entries in by_code.values() for one in entries), "+".join((_national().version, *(o.name for o in overlays)))
        )

    @classmethod
    def _of(cls, entries: Iterable[Entry], name: str) -> Directory:
        ordered = tuple(sorted(entries, key=lambda one: (one.code, one.valid_from or date.min)))
        by_text: dict[str, list[Entry]] = defaultdict(list)
        by_key: dict[str, list[Entry]] = defaultdict(list)
        for entry in ordered:
            for text in entry.texts:
                by_text[text].append(entry)
            for key in dict.fromkeys(AgencyCode.of(text).key for text in entry.texts):
                by_key[key].append(entry)
        faults = [fault for text, found in by_text.items() for fault in _overlaps(text, found)]
        if faults:
            raise Halted("directory-data-invalid", got=name, violations=tuple(faults[:200]))
        content = json.dumps([one.as_json() for one in ordered], ensure_ascii=False, sort_keys=True)
        version = f"{name}+{hashlib.sha256(content.encode()).hexdigest()[:12]}"
        return cls(ordered, version, {k: tuple(v) for k, v in by_text.items()}, {k: tuple(v) for k, v in by_key.items()})

    def history(self, code: str) -> tuple[Entry, ...]:
        """Every entry that this text has ever meant, oldest first; by arithmetic only where no text matches and one body is meant."""
        asked = AgencyCode.of(code)
        found = self._by_text.get(asked.text.upper(), ())
        if found or not asked.is_usable:
            return found
        near = self._by_key.get(asked.key, ())
        return near if len({one.code for one in near}) == 1 else ()

    def look_up(self, code: str, at: date) -> Entry | None:
        """The body that `code` means on the day of `at`; None for what is unlisted, not yet or no longer valid, or ambiguous."""
        day = day_of(at)
        return next((one for one in self.history(code) if one.holds(day)), None)

    def successor(self, code: str, at: date) -> Succession:
        """Who answers for `code` on the day of `at`. Never guesses: a closed code without a named successor stays without one."""
        day, path = day_of(at), [AgencyCode.of(code).text]
        while True:
            entry = self.look_up(path[-1], day)
            if entry is not None:
                own = Standing.CURRENT if entry.is_sure(day) else Standing.UNSURE
                return Succession(own if len(path) == 1 else Standing.REPLACED, entry, tuple(path))
            past = [one for one in self.history(path[-1]) if one.valid_until and one.valid_until <= day]
            if not past:
                return Succession(self._absent(path), None, tuple(path))
            following = past[-1].successor
            if following in ("", UNKNOWN_SUCCESSOR) or following.upper() in (one.upper() for one in path):
                return Succession(Standing.CLOSED, None, tuple(path))
            path.append(following)

    def answering(self, code: str, written: date, today: date) -> Succession:
        """Who answers `today` for the body that `code` meant on the day of `written`, a document's day.

        Where the code went over to another body since, that one is not meant: the successors of the first one are followed.
        """
        then = self.look_up(code, written)
        if then is None or then.holds(day_of(today)):
            return self.successor(code, today)
        own = AgencyCode.of(code).text
        if then.successor in ("", UNKNOWN_SUCCESSOR):
            return Succession(Standing.CLOSED, None, (own,))
        found = self.successor(then.successor, today)
        return Succession(Standing.REPLACED if found.entry else Standing.CLOSED, found.entry, (own, *found.path))

    def above(self, code: str, at: date) -> Succession | None:
        """How the nearest listed body above `code` stands, for sub-codes that no directory of ours lists; None: there is none."""
        groups = AgencyCode.of(code).groups
        for length in range(len(groups) - 1, 0, -1):
            higher = ".".join(groups[:length])
            if self.history(higher):
                return self.successor(higher, at)
        return None

    def equivalent(self, one: str, other: str, at: date) -> bool:
        """Whether both mean one body on the day of `at`: by the directory where it lists both, else by `AgencyCode.same_as`."""
        first, second = self.look_up(one, at), self.look_up(other, at)
        if first is not None and second is not None:
            return first.code == second.code
        return AgencyCode.of(one).same_as(AgencyCode.of(other))

    def convert(self, code: str, to: Scheme, at: date) -> Conversion:
        """`code` in the form `to` (`Scheme.QCVN102` or `Scheme.QD20`): `code102` of the directory first, arithmetic last.

        Never raises: what cannot be written in that form gives `Basis.NONE` with the reason.
        """
        asked = AgencyCode.of(code)
        if asked.scheme is to:
            return written_so(asked, to)
        entry = self.look_up(code, at)
        known = entry or next(iter(reversed(self.history(code))), None)
        found = by_directory(asked, to, known, is_current=entry is not None) if known else None
        return found or by_arithmetic(asked, to, known)

    def _absent(self, path: Sequence[str]) -> Standing:
        if len(path) > 1:
            return Standing.CLOSED
        return Standing.NOT_YET if self.history(path[0]) else Standing.UNLISTED


def _overlaps(text: str, found: Sequence[Entry]) -> list[Violation]:
    ordered = sorted(found, key=lambda one: one.valid_from or date.min)
    return [
        error("directory-data-invalid", path=text, got=f"{a.code} {a.name}; {b.code} {b.name}", expected="one body on any day")
        for a, b in pairwise(ordered)
        if a.valid_until is None or (b.valid_from or date.min) < a.valid_until
    ]


@cache
def _national() -> Overlay:
    return Overlay.of_toml(_SHIPPED.read_text("utf-8"), "national.toml")


@cache
def _shipped() -> Directory:
    return Directory._of(_national().entries, _national().version)
