"""The known defects of packets in circulation, by name: one table, `defects.toml`.

The codes are what the reader gives; the table says which defect of the wild a violation is, where it was seen, whether it is carried or
refused, and whether `repair` can propose a correction. A test walks the table.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path

from schemas.errors import Severity, Text, Violation

TABLE = Path(__file__).with_name("defects.toml")


class Treatment(StrEnum):
    """What becomes of a packet that has the defect."""

    CARRIED = "carried"  # it travels, with a warning
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Defect:
    """One line of the table."""

    name: str
    code: str  # of the violation that tells of it
    treatment: Treatment
    title: Text
    label: str  # how it is known: S, J, C, D, G of SOURCES.md
    seen: str  # where
    repair: str  # what `repair` proposes, "" where only the sender can put it right
    got: re.Pattern[str]  # what the violation's `got` is like, of several defects that share a code
    path: re.Pattern[str]  # the same of its `path`

    def is_told_by(self, violation: Violation) -> bool:
        """Whether `violation` tells of this defect."""
        carried = violation.severity is Severity.WARNING
        return (
            violation.code == self.code
            and carried == (self.treatment is Treatment.CARRIED)
            and self.got.search(violation.got) is not None
            and self.path.search(violation.path) is not None
        )


@cache
def table() -> Mapping[str, Defect]:
    """All known defects by name, in the order of the file: of two that fit, the first is meant."""
    return {name: _defect(name, row) for name, row in tomllib.loads(TABLE.read_text("utf-8")).items()}


def known(violation: Violation) -> Defect | None:
    """The defect that `violation` tells of, `None` where it is not a known one."""
    return next((one for one in table().values() if one.is_told_by(violation)), None)


def names_of(violations: Iterable[Violation]) -> tuple[str, ...]:
    """The names of the known defects among `violations`, each once."""
    return tuple(dict.fromkeys(defect.name for one in violations if (defect := known(one)) is not None))


def _defect(name: str, row: Mapping[str, str]) -> Defect:
    return Defect(
        name=name,
        code=row["code"],
        treatment=Treatment(row["treatment"]),
        title=Text(row["vi"], row["en"]),
        label=row["label"],
        seen=row["seen"],
        repair=row.get("repair", ""),
        got=re.compile(row.get("got", "")),
        path=re.compile(row.get("path", "")),
    )
