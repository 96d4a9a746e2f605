"""The threads that publish the log and gather what others say of it. Not on the way of a message: acceptance never waits for them.

* the publisher signs the head every `publish_s` if it moved, after comparing it with what was published before (`replay.published`). A
  store that went backwards under a running hub ends acceptance: there must be no second history;
* one thread per witness asks for a cosignature over the newest checkpoint, so that a slow witness delays nobody else's;
* one thread fetches the time stamps that are owed (`[log] tsa_url`). What is owed while the authority is away is the *evidence debt*.

What came of it is kept beside the log (`replay.cosigned`) and shown by `health`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import structlog

from hub.stamps import StampClient
from hub.witnesses import WitnessClient
from replay.cosigned import (
    Cosigned,
    newest_cosigned,
    owed_stamps,
    record_checkpoint,
    record_cosignature,
    record_stamp,
    thin,
    with_cosignatures,
)
from replay.journal import read_head
from replay.published import Published, Publisher
from replay.store.engine import Store
from replay.tiles import Tiles
from schemas.errors import Halted, HubError
from schemas.message import rfc3339

BACKWARDS = frozenset(
    {"store-behind", "checkpoint-mismatch", "published-missing", "published-damaged", "journal-damaged", "journal-origin"}
)
MAX_WAIT_S = 60.0  # between two attempts at a witness or an authority that is away
STALE_S = 60.0  # a checkpoint that found no quorum for so long is shown without one
STAMPS_AT_A_TIME = 8
THIN_EVERY_S = 3600.0
STOP_S = 30.0
_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Standing:
    """How it stands with one witness, or the authority."""

    size: int = 0  # of the newest checkpoint that it signed
    code: str = ""  # of what went wrong last; "" if nothing
    got: str = ""
    failures: int = 0  # in a row

    def fail(self, fault: HubError) -> None:
        self.code, self.got, self.failures = fault.code, fault.got, self.failures + 1

    def succeed(self, size: int) -> None:
        self.size, self.code, self.got, self.failures = max(size, self.size), "", "", 0

    def wait_s(self, period_s: float) -> float:
        """Until the next attempt: doubles from failure to failure."""
        return min(MAX_WAIT_S, period_s * (1 << min(self.failures, 10)))


@dataclass
class LogKeeper:
    """Publishes one log. `current` is set when the hub opens; `start` once, `stop` once."""

    publisher: Publisher
    store: Store
    clock: Callable[[], datetime]
    current: Published
    publish_s: float = 1.0
    witnesses: Sequence[WitnessClient] = ()
    quorum: int = 0
    authority: StampClient | None = None
    stamp_every: int = 0
    thin_after_s: float = 86_400.0
    renewed: Callable[[], Publisher] | None = None  # the publisher with the keys of now; None = they never change
    on_backwards: Callable[[], None] = lambda: None
    fault: str = ""  # code of why nothing is published; "" if all is well
    debt: int = 0
    _served: Cosigned | None = None
    _thinned: int = 0  # up to which size
    _thin_at: float = 0.0
    _moved: float = field(default_factory=time.monotonic)  # when `current` was published
    _standings: dict[str, _Standing] = field(default_factory=dict)
    _threads: list[threading.Thread] = field(default_factory=list)
    _stopping: threading.Event = field(default_factory=threading.Event)

    def start(self) -> None:
        """Begins to publish and to ask."""
        self._begin("log-publisher", self._publish_rounds)
        for client in self.witnesses:
            self._standings[client.name] = _Standing()
            self._begin(f"witness-{client.name}", partial(self._witness_rounds, client))
        if self.authority is not None:
            self._begin("log-stamps", self._stamp_rounds)

    def stop(self) -> None:
        """Ends the threads, and publishes the last entries. The store must still be open, and nobody append any more."""
        self._stopping.set()
        for thread in self._threads:
            thread.join(STOP_S)
        for client in self.witnesses:
            client.close()
        if not self.fault and self._threads:
            self._publish()

    def served(self) -> Cosigned:
        """What `/log/checkpoint` shows: the newest checkpoint that the quorum cosigned; where there is none of late, the newest one."""
        current, found = self.current, self._served
        fresh = found is not None and (found.size == current.checkpoint.size or time.monotonic() - self._moved < STALE_S)
        if found is not None and fresh:
            return found
        with self.store.read() as conn:
            return with_cosignatures(conn, current, self._names)

    def health(self) -> dict[str, Any]:
        """How far the log is published, cosigned and stamped. Names and codes only: anybody may ask."""
        return {
            "published": self.current.checkpoint.size,
            "fault": self.fault,
            "cosigned": self._served.size if self._served else 0,
            "quorum": f"{self.quorum} of {len(self.witnesses)}",
            "witnesses": {name: {"size": one.size, "fault": one.code} for name, one in self._standings.items() if name},
            "evidence_debt": self.debt,  # checkpoints that still owe a time stamp
            **({"time_stamps": self._standings[""].code or "ok"} if "" in self._standings else {}),
        }

    @property
    def _names(self) -> tuple[str, ...]:
        return tuple(client.name for client in self.witnesses)

    def _begin(self, name: str, rounds: Callable[[], None]) -> None:
        thread = threading.Thread(target=rounds, name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _publish_rounds(self) -> None:
        while not self._stopping.wait(self.publish_s):
            if self.fault not in BACKWARDS:
                self._publish()
                self._thin()

    def _thin(self) -> None:
        """Once an hour: drops checkpoints that nothing needs any more (`replay.cosigned.thin`)."""
        if time.monotonic() < self._thin_at:
            return
        self._thin_at = time.monotonic() + THIN_EVERY_S
        before = rfc3339(self.clock() - timedelta(seconds=self.thin_after_s))
        try:
            with self.store.write(sequenced=False) as conn:
                self._thinned = thin(conn, before, self._thinned)
        except HubError as fault:  # next hour again
            _log.warning("old checkpoints are not thinned", code=fault.code, got=fault.got)

    def _publish(self) -> None:
        try:
            published = self._published()
            if published != self.current or self.fault:
                self._note(published)
            self.fault = ""
        except HubError as fault:
            if fault.code != self.fault:
                _log.critical("the log cannot be published", code=fault.code, got=fault.got, expected=fault.expected)
            self.fault = fault.code
            if fault.code in BACKWARDS:
                self.on_backwards()

    def _published(self) -> Published:
        """By the keys of now. What another process published with keys that are newer still is read again with those."""
        renewed = self.renewed or (lambda: self.publisher)
        try:
            self.publisher = renewed()
            return self.publisher.publish()
        except Halted as fault:
            if fault.code != "published-damaged" or renewed() is self.publisher:
                raise
            self.publisher = renewed()
            return self.publisher.publish()

    def _note(self, published: Published) -> None:
        if self.witnesses or self.authority is not None:
            with self.store.write(sequenced=False) as conn:
                record_checkpoint(conn, published, rfc3339(self.clock()), self.stamp_every if self.authority is not None else 0)
        self.current, self._moved = published, time.monotonic()

    def _witness_rounds(self, client: WitnessClient) -> None:
        standing = self._standings[client.name]
        while not self._stopping.wait(standing.wait_s(self.publish_s)):
            published = self.current
            if published.checkpoint.size > standing.size:
                self._try(client.name, partial(self._cosign, client, published), standing)

    def _cosign(self, client: WitnessClient, published: Published) -> None:
        at_s = int(self.clock().timestamp())
        line, time_s = client.cosign(published, self._prove, self._size, at_s)
        size = published.checkpoint.size
        with self.store.write(sequenced=False) as conn:
            record_checkpoint(conn, published, rfc3339(self.clock()), 0)
            record_cosignature(conn, size, client.name, line, time_s)
        with self.store.read() as conn:
            self._served = newest_cosigned(conn, self._names, max(self.quorum, 1))
        self._standings[client.name].succeed(size)

    def _prove(self, old: int, size: int) -> Sequence[bytes]:
        with self.store.read() as conn:
            return Tiles(conn, size).consistency(old)

    def _size(self) -> int:
        with self.store.read() as conn:
            return read_head(conn)[1].size

    def _stamp_rounds(self) -> None:
        standing = self._standings[""] = _Standing()
        while not self._stopping.wait(standing.wait_s(self.publish_s)):
            self._try("the time-stamping authority", self._stamp, standing)

    def _stamp(self) -> None:
        with self.store.read() as conn:
            self.debt, owed = owed_stamps(conn, STAMPS_AT_A_TIME)
        for one in owed:
            if self._stopping.is_set() or self.authority is None:
                return
            token = self.authority.stamp(one.note, self.clock())
            with self.store.write(sequenced=False) as conn:
                record_stamp(conn, one.size, token)
            self.debt -= 1
            self._standings[""].succeed(one.size)

    def _try(self, name: str, work: Callable[[], None], standing: _Standing) -> None:
        try:
            work()
        except HubError as fault:
            if fault.code != standing.code:
                _log.warning("evidence is delayed", of=name, code=fault.code, got=fault.got)
            standing.fail(fault)
