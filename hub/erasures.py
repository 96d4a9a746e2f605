"""The file of erasures: one line of JSON for each, appended and never changed, outside the database and its backup.

A restored backup is older than what was erased since it was made; the hub applies the file again before it serves. A line is on disk
before the erasure it speaks of can commit, so a process that is killed in between is finished at the next start, by the same rule.
What stands behind the last line feed was never written whole, and counts as not written.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from schemas.errors import Halted

_MAX_LINE_BYTES = 64 * 1024
_MEMBERS = {"v", "message_id", "at", "by", "reason"}


@dataclass(frozen=True, slots=True)
class Erasure:
    """One decision to erase."""

    message_id: UUID
    at: str  # RFC 3339
    by: str
    reason: str

    def line(self) -> bytes:
        """Its line in the file."""
        members = {"v": 1, "message_id": str(self.message_id), "at": self.at, "by": self.by, "reason": self.reason}
        return json.dumps(members, ensure_ascii=False).encode("utf-8") + b"\n"


@dataclass(frozen=True, slots=True)
class ErasuresFile:
    """The file at `path`; where there is none, nothing was ever erased."""

    path: Path

    def read(self) -> tuple[Erasure, ...]:
        """All of them, in order. Raises `Halted("erasures-damaged")`: what cannot be read cannot be applied again."""
        try:
            raw = self.path.read_bytes()
        except FileNotFoundError:
            return ()
        except OSError as fault:
            raise _damaged(type(fault).__name__) from fault
        return tuple(_read(number, line) for number, line in enumerate(raw.split(b"\n")[:-1], start=1))

    def add(self, one: Erasure) -> None:
        """Appends it and returns once it is on disk. The same twice does no harm.

        Raises `Halted("erasures-damaged")` where the file cannot be written.
        """
        try:
            with self._locked() as handle:
                size = os.fstat(handle).st_size
                tail = os.pread(handle, _MAX_LINE_BYTES, max(0, size - _MAX_LINE_BYTES))
                os.ftruncate(handle, size - len(tail) + tail.rfind(b"\n") + 1)  # away with what was never written whole
                os.lseek(handle, 0, os.SEEK_END)
                os.write(handle, one.line())
                os.fsync(handle)
        except OSError as fault:
            raise _damaged(type(fault).__name__) from fault

    @contextmanager
    def _locked(self) -> Iterator[int]:
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            folder = os.open(self.path.parent, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
            yield handle
        finally:
            os.close(handle)


def _read(number: int, line: bytes) -> Erasure:
    try:
        members = json.loads(line)
        if set(members) != _MEMBERS or members["v"] != 1:
            raise ValueError("other members")
        return Erasure(UUID(members["message_id"]), str(members["at"]), str(members["by"]), str(members["reason"]))
    except (ValueError, TypeError, AttributeError, KeyError) as fault:
        raise _damaged(f"line {number}") from fault


def _damaged(got: str) -> Halted:
    return Halted("erasures-damaged", got=f"erasures.jsonl: {got}", expected="one JSON object per line, as the hub writes them")
