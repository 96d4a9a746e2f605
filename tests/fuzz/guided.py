"""A small coverage-guided fuzzer: keeps every input that takes an edge no other has taken, and mutates what it keeps.

The same seed and the same number of inputs give the same run. A finding is an input for which `consume` raises; it is cut down and given.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random

from tests.fuzz.edges import Edge, edges_of

Consume = Callable[[bytes], None]


@dataclass(frozen=True, slots=True)
class Finding:
    """An input that something escaped from."""

    data: bytes
    what: str  # the exception


@dataclass(slots=True)
class Guided:
    """One run."""

    consume: Consume
    pieces: Sequence[bytes]
    random: Random
    most_bytes: int
    corpus: list[bytes] = field(default_factory=list)
    edges: set[Edge] = field(default_factory=set)
    tried: int = 0

    def run(self, seeds: Sequence[bytes], seconds: float) -> Finding | None:
        """Fuzzes for `seconds`; the first finding ends it."""
        end = time.monotonic() + seconds
        for seed in seeds:
            finding = self._try(seed)
            if finding is not None or time.monotonic() > end:
                return finding
        while time.monotonic() < end:
            finding = self._try(self._mutated(self.random.choice(self.corpus)))
            if finding is not None:
                return finding
        return None

    def _try(self, data: bytes) -> Finding | None:
        self.tried += 1
        try:
            edges = edges_of(lambda: self.consume(data))
        except Exception as fault:  # noqa: BLE001 - whatever escapes is the finding
            return Finding(self._smaller(data, type(fault)), f"{type(fault).__name__}: {fault}")
        if not edges <= self.edges:
            self.edges |= edges
            self.corpus.append(data)
        return None

    def _mutated(self, data: bytes) -> bytes:
        for _ in range(self.random.randint(1, 4)):
            at, length = self.random.randrange(len(data) + 1), self.random.choice((0, 1, 1, 4, 16, 100))
            data = data[:at] + self._piece(data) + data[at + length :]
        return data[: self.most_bytes]

    def _piece(self, data: bytes) -> bytes:
        kind = self.random.randrange(4)
        if kind == 0:
            return self.random.randbytes(self.random.randint(0, 6))
        if kind == 1:
            return self.random.choice(self.pieces)
        other = data if kind == 2 else self.random.choice(self.corpus)  # a piece of itself, or of another
        at = self.random.randrange(len(other) + 1)
        return other[at : at + self.random.choice((1, 8, 64, 400))]

    def _smaller(self, data: bytes, fault: type[BaseException]) -> bytes:
        """`data` without what the finding does not need, as far as halving finds out."""
        step = len(data) // 2
        while step:
            at = 0
            while at < len(data):
                less = data[:at] + data[at + step :]
                if self._still(less, fault):
                    data = less
                else:
                    at += step
            step //= 2
        return data

    def _still(self, data: bytes, fault: type[BaseException]) -> bool:
        try:
            self.consume(data)
        except fault:
            return True
        except Exception:  # noqa: BLE001 - another finding, for another run
            return False
        return False
