"""Runs replays in the hub's own process: those that are running and that nobody is at work on, also after a restart."""

from __future__ import annotations

import math
import threading
import time
from dataclasses import dataclass, field
from uuid import UUID

import structlog

from adapters.systems.sandbox import Sandbox
from hub.rework.workshop import Workshop
from schemas.errors import HubError, Refused

EVERY_S = 1.0
WAIT_S = 5.0  # for the ends of redeliveries, before other jobs get their turn
SLICE_S = 10.0  # for one job while others wait
log = structlog.get_logger(__name__)


@dataclass(slots=True)
class ReplayRunner:
    """One thread. A command that runs a job takes its turn; this one stops at its next commit then."""

    workshop: Workshop
    _stopping: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        """Begins to look for jobs."""
        self._thread = threading.Thread(target=self._run, name="replays", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Ends after the chunk under way; the next start goes on from there."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while not self._stopping.wait(EVERY_S):
            try:
                due = self.workshop.replays.due()
                for job_id in due:
                    self._one(job_id, SLICE_S if len(due) > 1 else math.inf)
            except HubError as fault:
                log.warning("replays", code=fault.code)

    def _one(self, job_id: UUID, slice_s: float) -> None:
        sandbox, until = Sandbox(self.workshop.clock), time.monotonic() + slice_s
        try:
            self.workshop.engine(sandbox, pause=self._stopping.wait).run(
                job_id, wait_s=WAIT_S, stopped=lambda: self._stopping.is_set() or time.monotonic() > until, politely=True
            )
        except Refused as fault:
            self._hold(job_id, fault.code)
        except HubError as fault:  # the store's or a disk's trouble: again at the next look, after the others
            log.warning("replay-put-off", replay=str(job_id), code=fault.code)
        except Exception as fault:  # a defect: it holds this replay and no other
            log.error("replay-defect", replay=str(job_id), fault=type(fault).__name__, exc_info=fault)
            self._hold(job_id, "internal-error")
        finally:
            sandbox.close()

    def _hold(self, job_id: UUID, cause: str) -> None:
        log.warning("replay-held", replay=str(job_id), code=cause)
        self.workshop.replays.hold(job_id, cause)
