"""What the suite asks of a stand-in for a system. A protocol, not a base class: write any class with these members."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from adapters.contract import Adapter


class Weather(StrEnum):
    """What the stand-in is told to do from now on."""

    UP = "up"
    DOWN = "down"  # nobody listens
    BUSY = "busy"  # asks for patience; takes nothing
    REFUSING = "refusing"  # says no
    SILENT = "silent"  # accepts the connection, never answers


@dataclass(frozen=True, slots=True)
class Received:
    """One parcel that the stand-in has, whatever number of times it came."""

    key: str
    document_id: str
    sha256: str  # of the body, lower hex
    times_seen: int


class StandIn(Protocol):
    """A real server of the system's kind, under the test's control."""

    def set(self, weather: Weather) -> None:
        """Change its behaviour; `adapter` is asked for anew afterwards."""

    def adapter(self, timeout_s: float) -> Adapter:
        """The adapter under test, pointed at the stand-in as it is now. The suite closes it."""

    def received(self) -> Sequence[Received]:
        """What it holds. The suite asks repeatedly: a queue's reader may be a moment behind."""
