"""What a simulated system received: packets as files, arrivals as lines, both on disk before the answer goes out.

A restart reads the lines again, so the system still recognises what it had before.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Protocol

from schemas.message import rfc3339


@dataclass(frozen=True, slots=True)
class Arrival:
    """One packet under one key. `times_seen` counts repetitions; the content is the first one's."""

    key: str
    message_id: str
    document_id: str
    kind: str
    sha256: str
    at: str
    times_seen: int = 1


class Book(Protocol):
    """Where arrivals are entered."""

    def enter(self, key: str, packet: bytes, *, message_id: str = "", document_id: str = "", kind: str = "") -> Arrival: ...

    def rows(self) -> list[Arrival]: ...

    def packet(self, sha256: str) -> bytes: ...


class MemoryLedger:
    """A book that is gone when its user is: for a sandbox, where nothing may stay. Digests only, no packets. Several threads may use it."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._arrivals: dict[str, Arrival] = {}

    def enter(self, key: str, packet: bytes, *, message_id: str = "", document_id: str = "", kind: str = "") -> Arrival:
        """The arrival; `times_seen` is more than 1 for a repetition."""
        digest = hashlib.sha256(packet).hexdigest()
        with self._lock:
            known = self._arrivals.get(key)
            fresh = Arrival(key, message_id, document_id, kind, digest, rfc3339(self._clock()))
            now = self._arrivals[key] = fresh if known is None else replace(known, times_seen=known.times_seen + 1)
            return now

    def rows(self) -> list[Arrival]:
        """All arrivals in order of their first."""
        with self._lock:
            return list(self._arrivals.values())

    def packet(self, sha256: str) -> bytes:
        """None is kept."""
        raise LookupError(sha256)


class Ledger:
    """The book of arrivals in `folder`. Several threads may use it."""

    def __init__(self, folder: Path, clock: Callable[[], datetime]) -> None:
        self._folder = folder
        self._clock = clock
        self._lock = threading.Lock()
        self._arrivals: dict[str, Arrival] = {}
        (folder / "packets").mkdir(parents=True, exist_ok=True)
        self._book = folder / "received.jsonl"
        if self._book.exists():
            for line in self._book.read_text("utf-8").splitlines():
                self._count(Arrival(**json.loads(line)))

    def enter(self, key: str, packet: bytes, *, message_id: str = "", document_id: str = "", kind: str = "") -> Arrival:
        """The arrival as the book now has it; `times_seen` is more than 1 for a repetition. On disk when this returns."""
        digest = hashlib.sha256(packet).hexdigest()
        with self._lock:
            if key not in self._arrivals:
                _write(self._folder / "packets" / f"{digest}.xml", packet)
            one = Arrival(key, message_id, document_id, kind, digest, rfc3339(self._clock()))
            with self._book.open("a", encoding="utf-8") as book:
                book.write(json.dumps(asdict(one), ensure_ascii=False) + "\n")
                book.flush()
                os.fsync(book.fileno())
            return self._count(one)

    def rows(self) -> list[Arrival]:
        """All arrivals in order of their first."""
        with self._lock:
            return list(self._arrivals.values())

    def packet(self, sha256: str) -> bytes:
        """The bytes of one packet, as they arrived."""
        return (self._folder / "packets" / f"{sha256}.xml").read_bytes()

    def _count(self, one: Arrival) -> Arrival:
        known = self._arrivals.get(one.key)
        now = one if known is None else replace(known, times_seen=known.times_seen + 1)
        self._arrivals[one.key] = now
        return now


def _write(path: Path, data: bytes) -> None:
    draft = path.with_suffix(".part")
    with draft.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
