"""Calls that were turned away at the door: counted by party, journalled once per period, so that nobody can flood the journal by knocking.

A *party* here is the system whose key id was named, or nobody; a *call* one that no credential opened, or that a role is missing for
(`CODES`). The first in a period is journalled at once, so that a machine that dies has told of it; the others are counted and told when the
period is over, or when the hub stops. What authenticated systems hand in and is refused is journalled one by one (`hub.record.refused`),
and so are logins of people (`hub.sessions`), which have limits of their own.

`peers` are the first addresses that were seen, without ports; further ones are only counted.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar

import structlog

from hub.commit import Committer, Transaction
from replay.entry import EntryDraft
from schemas.agency import AgencyCode
from schemas.errors import HubError
from schemas.message import rfc3339

T = TypeVar("T")
CODES = frozenset({"not-authenticated", "session-invalid", "not-permitted", "role-missing"})
PERIOD = timedelta(hours=1)
MAX_PEERS = 20  # addresses that an entry names
_LOOK_S = 30.0  # how often the thread looks whether a period is over
_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Tally:
    """What was counted of one party since the last entry of it."""

    began: datetime  # of the period
    count: int = 0
    first: datetime | None = None
    last: datetime | None = None
    codes: Counter[str] = field(default_factory=Counter)
    peers: Counter[str] = field(default_factory=Counter)


@dataclass
class AccessLog:
    """Counts and journals. `note` may be called from any thread and never waits for the disk."""

    committer: Committer
    clock: Callable[[], datetime]
    agencies: Mapping[str, tuple[AgencyCode, ...]]  # by system: whose entries they are
    period: timedelta = PERIOD
    _tallies: dict[str, _Tally] = field(default_factory=dict)
    _gate: threading.Lock = field(default_factory=threading.Lock)
    _stopping: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        """Starts the thread that ends periods."""
        self._thread = threading.Thread(target=self._forever, name="access-log", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Journals what is counted. The committer must still run."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(_LOOK_S)
        self._flush(everything=True)

    def note(self, code: str, system: str, peer: str) -> None:
        """One call was refused with `code`; `system` is the one whose key was named, "" where nobody's was. Other codes do not count."""
        if code not in CODES:
            return
        known, now = system if system in self.agencies else "", self.clock()
        with self._gate:
            tally = self._tallies.get(known)
            first = tally is None
            tally = tally or self._tallies.setdefault(known, _Tally(now))
            tally.count, tally.first, tally.last = tally.count + 1, tally.first or now, now
            tally.codes[code] += 1
            if peer in tally.peers or len(tally.peers) < MAX_PEERS:
                tally.peers[peer] += 1
        if first:
            self._journal(known)

    def admitted(self, admit: Callable[[], T], peer: str) -> T:
        """What `admit` returns; what it raises is noted."""
        try:
            return admit()
        except HubError as fault:
            self.note(fault.code, "", peer)
            raise

    def _forever(self) -> None:
        while not self._stopping.wait(_LOOK_S):
            self._flush()

    def _flush(self, *, everything: bool = False) -> None:
        now = self.clock()
        with self._gate:
            over = [name for name, one in self._tallies.items() if everything or now - one.began >= self.period]
            idle = [name for name in over if not self._tallies[name].count]
            for name in idle:
                del self._tallies[name]  # the next refusal is the first of a period again
        for name in over:
            if name not in idle:
                self._journal(name)

    def _journal(self, system: str) -> Future[None]:
        """Hands what is counted over; where it cannot be written it counts on."""
        with self._gate:
            told = self._tallies[system]
            self._tallies[system] = _Tally(self.clock())
        future = self.committer.submit(lambda tx: self._write(tx, system, told))
        future.add_done_callback(lambda done: self._failed(system, told, done))
        return future

    def _write(self, tx: Transaction, system: str, told: _Tally) -> None:
        fields = {
            "system": system or None,
            "count": told.count,
            "codes": dict(sorted(told.codes.items())),
            "first_at": rfc3339(told.first or told.began),
            "last_at": rfc3339(told.last or told.began),
            "peers": dict(sorted(told.peers.items())),
        }
        parties = tuple(sorted({code.key for code in self.agencies.get(system, ())}))
        tx.append(EntryDraft(event="access-refused", at=told.last or told.began, parties=parties, fields=fields))

    def _failed(self, system: str, told: _Tally, done: Future[None]) -> None:
        if done.cancelled() or done.exception() is None:
            return
        _log.warning("access-refused not journalled", system=system, count=told.count)
        with self._gate:
            now = self._tallies.setdefault(system, _Tally(told.began))
            now.count += told.count
            now.first, now.last = told.first, now.last or told.last
            now.codes.update(told.codes)
            now.peers.update(told.peers)
