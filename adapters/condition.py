"""Reading one value out of a structured answer, and the exact test for success. Success is never guessed from a text's wording."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

Scalar = str | int | bool
MISSING = object()


@dataclass(frozen=True, slots=True)
class Condition:
    """Success means: the value at `path` equals `equals`, in type and in value."""

    path: str  # names and list positions with dots: "result.items.0.status"; "" is the answer itself
    equals: Scalar

    def holds(self, value: object) -> bool:
        """Whether `value`, found at `path`, means success. ``True`` is not ``1``, ``"0"`` is not ``0``."""
        return type(value) is type(self.equals) and value == self.equals


def at(answer: object, path: str) -> object:
    """The value at `path` of nested mappings and lists, `MISSING` where there is none."""
    for step in path.split(".") if path else ():
        if isinstance(answer, Mapping) and step in answer:
            answer = answer[step]
        elif isinstance(answer, list) and step.isascii() and step.isdigit() and int(step) < len(answer):
            answer = answer[int(step)]
        else:
            return MISSING
    return answer
