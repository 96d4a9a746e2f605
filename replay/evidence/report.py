"""What checking evidence comes to: one point after another, each shown, not shown, or disproved."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from schemas.errors import HubError, shown

# What reading a document that anybody may have written can raise, besides our own errors.
FAULTS = (HubError, ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError, OverflowError)


class State(StrEnum):
    """How it stands with a point."""

    OK = "ok"
    FAILED = "failed"
    OPEN = "open"  # not shown, and nothing speaks against it: it was not asked, or takes something that is not here


@dataclass(frozen=True, slots=True)
class Point:
    """One answer."""

    name: str
    state: State
    text: str

    def as_json(self) -> dict[str, str]:
        """For `--json`."""
        return {"point": self.name, "state": str(self.state), "text": self.text}


@dataclass(slots=True)
class Report:
    """All of them, in order. Valid where nothing failed."""

    points: list[Point] = field(default_factory=list)

    @property
    def is_valid(self) -> bool:
        """Whether everything that was asked holds."""
        return bool(self.points) and all(point.state is not State.FAILED for point in self.points)

    def step(self, name: str, work: Callable[[], tuple[State, str]]) -> bool:
        """Runs one step and notes its answer, a fault of what it reads included; whether it did not fail."""
        try:
            state, text = work()
        except FAULTS as fault:
            state, text = State.FAILED, _said(fault)
        self.points.append(Point(name, state, shown(text)[:500]))
        return state is not State.FAILED

    def as_json(self) -> dict[str, Any]:
        """For `--json`."""
        return {"valid": self.is_valid, "points": [point.as_json() for point in self.points]}


def _said(fault: Exception) -> str:
    if isinstance(fault, HubError):
        return f"{fault.code}: {fault.got}; expected {fault.expected}" if fault.expected else f"{fault.code}: {fault.got}"
    return f"{type(fault).__name__}: {fault}"
