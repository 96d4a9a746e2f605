"""Threads that outlive whatever their work raises: a defect in one message or one session must not end all collecting, unseen."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from time import monotonic

import structlog

from schemas.errors import shown

_log = structlog.get_logger(__name__)


class Supervised:
    """Runs each of `works` in a thread of its own from `start` to `stop`, and anew, after a pause, whenever it returns or raises.

    A work looks at `stopping` and returns soon after it is set. Pauses double from `first_pause_s` to `longest_pause_s`; a work that ran
    for longer than that begins anew with the first. What is `expected` to be raised is logged without its traceback.
    """

    def __init__(
        self,
        works: Sequence[Callable[[], None]],
        *,
        name: str,
        expected: tuple[type[Exception], ...] = (),
        first_pause_s: float = 0.5,
        longest_pause_s: float = 15.0,
    ) -> None:
        self.stopping = threading.Event()
        self._expected = expected
        self._first_pause_s = first_pause_s
        self._longest_pause_s = longest_pause_s
        self._threads = [threading.Thread(target=self._run, args=(work,), name=f"{name}-{n}") for n, work in enumerate(works)]

    def __len__(self) -> int:
        return len(self._threads)

    @property
    def alive(self) -> int:
        """How many of the threads run."""
        return sum(thread.is_alive() for thread in self._threads)

    def start(self) -> None:
        """Returns at once."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Returns when every work has returned."""
        self.stopping.set()
        for thread in self._threads:
            if thread.ident is not None:
                thread.join()

    def _run(self, work: Callable[[], None]) -> None:
        pause_s = self._first_pause_s
        while not self.stopping.is_set():
            began = monotonic()
            try:
                work()
            except Exception as fault:  # noqa: BLE001
                defect = None if isinstance(fault, self._expected) else fault
                about = f"{type(fault).__name__}: {shown(fault)}"
                _log.warning("interrupted, begins anew", thread=threading.current_thread().name, fault=about, exc_info=defect)
            pause_s = self._first_pause_s if monotonic() - began > self._longest_pause_s else min(pause_s * 2, self._longest_pause_s)
            self.stopping.wait(pause_s)
