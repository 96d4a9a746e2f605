"""When to try again: exponential back-off with full jitter, and a circuit per system so that a dead one is left in peace."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from hub.systems import RetryProfile


def wait_before(attempt: int, profile: RetryProfile, draw: float) -> timedelta:
    """How long to wait after failed attempt number `attempt` (1 = the first).

    Full jitter: `draw` ∈ [0, 1) times the exponential ceiling, so that systems that failed together do not come back together.
    """
    ceiling = min(profile.max_s, profile.base_s * 2.0 ** min(attempt - 1, 32))
    return timedelta(seconds=max(0.05, draw * ceiling))


@dataclass
class Circuit:
    """Opens after so many failures in a row; while open nothing is tried; after `open_s` one attempt decides."""

    profile: RetryProfile
    _failures: int = 0
    _open_until: datetime | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def admits(self, at: datetime) -> bool:
        """Whether an attempt may be made at `at`. Of an open circuit whose time is over, one caller gets a yes: it is the probe."""
        with self._lock:
            if self._open_until is None:
                return True
            if at < self._open_until:
                return False
            self._open_until = at + timedelta(seconds=self.profile.open_s)
            return True

    def width(self, at: datetime, most: int) -> int:
        """How many deliveries are worth bringing up: `most` when closed, none when open, one when it is time for a probe."""
        with self._lock:
            if self._open_until is None:
                return most
            return 1 if at >= self._open_until else 0

    def succeeded(self) -> bool:
        """The system answered (a refusal is an answer). True if the circuit was open: there is work to bring up again."""
        with self._lock:
            was_open = self._open_until is not None
            self._failures, self._open_until = 0, None
            return was_open

    def failed(self, at: datetime) -> None:
        """The system did not answer."""
        with self._lock:
            self._failures += 1
            if self._failures >= self.profile.open_after:
                self._open_until = at + timedelta(seconds=self.profile.open_s)
