"""Answers remembered up to a weight: what is asked often costs once, and no sender can make the hub remember without end."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Remembered(Generic[K, V]):
    """The answers last used, of `limit` together (entries, or whatever unit the weights have). Thread-safe.

    Two threads that ask the same at once may both work it out; an answer heavier than the limit is not kept.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._weight = 0
        self._kept: OrderedDict[K, tuple[V, int]] = OrderedDict()
        self._lock = Lock()

    def of(self, key: K, make: Callable[[], V], weight: int = 1) -> V:
        """The answer for `key`, made if it is not known. What `make` raises goes through, and is not remembered."""
        found = self.found(key)
        if found is not None:
            return found
        made = make()
        self.put(key, made, weight)
        return made

    def found(self, key: K) -> V | None:
        """What is remembered for `key`."""
        with self._lock:
            found = self._kept.get(key)
            if found is None:
                return None
            self._kept.move_to_end(key)
            return found[0]

    def put(self, key: K, value: V, weight: int = 1) -> None:
        """Remembers it in place of what was remembered for `key`."""
        with self._lock:
            before = self._kept.pop(key, None)
            self._weight -= before[1] if before else 0
            if weight > self._limit:
                return
            self._kept[key] = (value, weight)
            self._weight += weight
            while self._weight > self._limit:
                self._weight -= self._kept.popitem(last=False)[1][1]

    @property
    def weight(self) -> int:
        """Of everything kept."""
        return self._weight
