"""What fsck finds, and the report it makes of it."""

from __future__ import annotations

from base64 import b64encode
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from schemas.errors import Halted, Violation, error

MAX_SHOWN = 100  # differences that a report lists; all are counted


@dataclass(frozen=True, slots=True)
class FsckReport:
    """What was found."""

    origin: str
    size: int  # entries, as the head has it
    root: bytes  # derived from the entries
    counts: Mapping[str, int]  # checked: entries, openings, messages, receipts, payloads, deliveries, erased
    differences: tuple[Violation, ...]  # the first `MAX_SHOWN`, in the order in which they were found
    found: int  # all differences

    @property
    def is_intact(self) -> bool:
        """Whether nothing differs."""
        return self.found == 0

    def as_json(self) -> dict[str, Any]:
        """For `--json` output."""
        return {
            "intact": self.is_intact,
            "origin": self.origin,
            "size": self.size,
            "root": b64encode(self.root).decode("ascii"),
            "checked": dict(self.counts),
            "found": self.found,
            "differences": [each.as_json() for each in self.differences],
        }

    def as_error(self) -> Halted | None:
        """The first difference, for whoever needs the store intact to go on; None if it is."""
        if self.is_intact:
            return None
        first = self.differences[0]
        return Halted(
            "journal-damaged", got=f"{first.code} at {first.path}: {first.got}", expected=first.expected, violations=self.differences
        )


@dataclass(slots=True)
class Findings:
    """Collects while fsck runs."""

    counts: Counter[str] = field(default_factory=Counter)
    differences: list[Violation] = field(default_factory=list)
    found: int = 0
    absent: list[tuple[str, str, str]] = field(default_factory=list)  # (message, code, path): only an erasure explains it

    def differ(self, code: str, path: str, got: object = "", expected: object = "") -> None:
        """Something does not agree."""
        self.found += 1
        if len(self.differences) < MAX_SHOWN:
            self.differences.append(error(code, path=path, got=got, expected=expected))

    def add(self, other: Findings) -> None:
        """What was found elsewhere, after what was found so far."""
        self.found += other.found
        self.differences += other.differences[: MAX_SHOWN - len(self.differences)]
        self.counts.update(other.counts)
        self.absent += other.absent
