"""What the demo is made of: steps as data, what a step may use, and how it ended."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from typing import TYPE_CHECKING, Any, TypeVar

from hub.demo.packets import Body, Letter

if TYPE_CHECKING:
    from hub.demo.stage import Stage

T = TypeVar("T")
PATIENCE_S = 15.0  # how long something that must come is waited for
LOOK_EVERY_S = 0.05


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the table. `expected` may name ``{bus}``: how the line-of-business system is reached on this machine."""

    id: str
    vi: str
    en: str
    expected: str
    act: Callable[[Play], str]  # what happened, in the words of `expected`


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a step ended."""

    step: Step
    actual: str
    seconds: float

    @property
    def ok(self) -> bool:
        """As expected?"""
        return self.actual == self.step.expected

    def as_json(self) -> dict[str, Any]:
        """One member of ``steps`` in `lgsp demo --json`."""
        return {
            "id": self.step.id,
            "vi": self.step.vi,
            "en": self.step.en,
            "expected": self.step.expected,
            "actual": self.actual,
            "ok": self.ok,
            "seconds": round(self.seconds, 3),
        }


@dataclass(frozen=True, slots=True)
class Sent:
    """A packet that was handed in, with the answer."""

    raw: bytes
    status: int  # HTTP
    answer: bytes  # the receipt, or problem details
    message_id: str  # "" if it was refused

    @classmethod
    def of(cls, raw: bytes, status: int, answer: bytes) -> Sent:
        """With the message's id from the receipt."""
        return cls(raw, status, answer, json.loads(answer)["message_id"] if 200 <= status < 300 else "")


@dataclass
class Play:
    """What steps share: the stage they act on, what was sent so far, and the evidence shown at the end."""

    stage: Stage
    at: datetime  # of the documents
    letters: dict[str, Letter] = field(default_factory=dict)
    sent: dict[str, Sent] = field(default_factory=dict)
    evidence: dict[str, Any] = field(default_factory=dict)
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def write(self, name: str, sender: Body, to: tuple[Body, ...], subject: str) -> Letter:
        """A new document with a number of its own, remembered as `name`."""
        self.letters[name] = Letter(sender, to, self.next_number(), subject, self.at)
        return self.letters[name]

    def keep(self, name: str, sent: Sent) -> Sent:
        """Remembers what was sent as `name`."""
        self.sent[name] = sent
        return sent

    def next_number(self) -> int:
        """The number of the next document."""
        return next(self._numbers)

    def digest(self, name: str) -> str:
        """SHA-256 of what was sent as `name`, lower hex."""
        return hashlib.sha256(self.sent[name].raw).hexdigest()


def wait_for(look: Callable[[], T], good: Callable[[T], bool], patience_s: float = PATIENCE_S) -> T:
    """What `look` gives once it is `good`, or what it gave last when patience ended: the table then shows that."""
    until = time.monotonic() + patience_s
    while True:
        seen = look()
        if good(seen) or time.monotonic() > until:
            return seen
        time.sleep(LOOK_EVERY_S)


def states(trace: Mapping[str, Any]) -> dict[str, str]:
    """System → state, from a message's trace."""
    return {copy["system"]: copy["state"] for copy in trace["deliveries"]}
