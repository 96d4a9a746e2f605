"""Violations as they are found, bounded: a hostile message gets a full answer, not an endless one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from schemas.errors import Refused, Severity, Violation


@dataclass(slots=True)
class Findings:
    """Collects up to `limit` errors and as many warnings; errors stand first and are never pushed out by warnings.

    Who has more errors than can be listed is refused at once: more would be looked for only to be thrown away.
    """

    limit: int
    errors: list[Violation] = field(default_factory=list)
    warnings: list[Violation] = field(default_factory=list)

    @property
    def takes_warnings(self) -> bool:
        """Whether another warning would be kept."""
        return len(self.warnings) < self.limit

    def add(self, *found: Violation) -> None:
        """Takes what was found, in the order it was found. Raises `Refused` with the first error's code where there are too many."""
        for one in found:
            if one.severity is not Severity.ERROR:
                if self.takes_warnings:
                    self.warnings.append(one)
            elif len(self.errors) < self.limit:
                self.errors.append(one)
            else:
                first = self.errors[0]
                raise Refused(first.code, got=first.got, expected=first.expected, violations=tuple(self.errors))

    def extend(self, found: Iterable[Violation]) -> None:
        """Takes all of `found`."""
        for one in found:
            self.add(one)

    def listed(self) -> tuple[Violation, ...]:
        """At most `limit` of them, errors first."""
        return tuple([*self.errors, *self.warnings][: self.limit])


def step(pointer: str, name: str | int) -> str:
    """A JSON pointer one level down (RFC 6901)."""
    return f"{pointer}/{str(name).replace('~', '~0').replace('/', '~1')}"
