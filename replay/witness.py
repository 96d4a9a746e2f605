"""A witness, C2SP tlog-witness: it remembers the newest checkpoint of each log it knows, and cosigns what continues it.

Independent of the hub: it reads nothing of a store and believes no one but the logs' keys. One request (`Witness.add_checkpoint`), in the
order of the specification:

1. the body is an old size, at most 63 hashes and a checkpoint                    400
2. the checkpoint's origin is known                                              404
3. one of the keys of that log signed it                                         403
4. the old size is not above the checkpoint's                                    400
5. the old size is the size that was cosigned last, or 0                         409, with that size as ``text/x.tlog.size``
6. a checkpoint of size 0 has the root of the empty tree, one of the same size   422
   has the same root, and the consistency proof leads from the old to the new
7. the checkpoint is on disk                                                     (503 if the disk refuses)
8. → 200 with the cosignature

5 to 7 happen under one lock, so that no request can take another's checkpoint back.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import threading
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from replay.checkpoint import Checkpoint
from replay.hashing import EMPTY_ROOT, HASH_BYTES
from replay.merkle_check import verify_consistency
from schemas.errors import Halted, Refused
from signing.cosignature import Cosigner
from signing.note import NoteVerifier, note_text, open_note

MAX_REQUEST_BYTES = 64 * 1024
MAX_PROOF = 63
SIZE_TYPE = "text/x.tlog.size"
PLAIN = "text/plain; charset=utf-8"
_OLD = re.compile(r"old (0|[1-9][0-9]{0,18})")


@dataclass(frozen=True, slots=True)
class Verdict:
    """An answer of the witness."""

    status: int
    body: str
    content_type: str = PLAIN


@dataclass(frozen=True, slots=True)
class Submission:
    """A request body, read."""

    old_size: int
    proof: tuple[bytes, ...]
    note: bytes
    checkpoint: Checkpoint

    @classmethod
    def parse(cls, body: bytes) -> Submission:
        """Step 1. Raises `Refused`: ``witness-request-malformed``, ``note-invalid``, ``checkpoint-invalid``."""
        head, gap, note = body.partition(b"\n\n")
        lines = head.decode("ascii", "replace").split("\n")
        old = _OLD.fullmatch(lines[0])
        if not gap or old is None or len(lines) - 1 > MAX_PROOF:
            expected = f"`old <size>`, at most {MAX_PROOF} hashes, an empty line, a checkpoint"
            raise Refused("witness-request-malformed", got=lines[0][:100], expected=expected)
        return cls(int(old.group(1)), tuple(map(_hash, lines[1:])), note, Checkpoint.parse(note_text(note)))


@dataclass
class Witness:
    """A witness over its state file, for one process. Made by `open_witness`."""

    cosigner: Cosigner
    logs: Mapping[str, tuple[NoteVerifier, ...]]  # origin → its keys
    state: StateFile
    clock_s: Callable[[], int]  # POSIX seconds
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def add_checkpoint(self, body: bytes) -> Verdict:
        """The answer to one request; `Refused` nowhere, `Halted("witness-state")` where the disk refuses."""
        try:
            asked = Submission.parse(body)  # 1
        except Refused as fault:
            return Verdict(400, f"{fault.code}: {fault.got}; expected {fault.expected}\n")
        keys = self.logs.get(asked.checkpoint.origin)
        if keys is None:
            return Verdict(404, "unknown log\n")  # 2
        try:
            open_note(asked.note, keys)
        except Refused as fault:
            return Verdict(403, f"{fault.got}\n")  # 3
        if asked.old_size > asked.checkpoint.size:
            return Verdict(400, f"old size {asked.old_size} is above the checkpoint's {asked.checkpoint.size}\n")  # 4
        with self._lock:
            return self._judged(asked)

    def latest(self, origin: str) -> Checkpoint | None:
        """The newest checkpoint of a log that it cosigned."""
        return self.state.latest(origin)

    def _judged(self, asked: Submission) -> Verdict:
        new = asked.checkpoint
        latest = self.state.latest(new.origin) or Checkpoint(new.origin, 0, EMPTY_ROOT)
        if asked.old_size != latest.size:
            return Verdict(409, f"{latest.size}\n", SIZE_TYPE)  # 5
        if not verify_consistency(latest.size, latest.root, new.size, new.root, asked.proof):
            return Verdict(422, f"size {new.size} does not continue size {latest.size}\n")  # 6
        self.state.keep(new.origin, asked.note)  # 7
        return Verdict(200, self.cosigner.line(note_text(asked.note), self.clock_s()))  # 8


class StateFile:
    """``{origin: note}`` in JSON: the newest checkpoint of each log. One process at a time; the lock is kept until `close`."""

    def __init__(self, path: Path) -> None:
        """Raises `Halted("witness-state")`: unreadable, or in use by another process."""
        self._path = path
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._handle = os.open(path.with_name(path.name + ".lock"), os.O_CREAT | os.O_RDWR, 0o600)
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            found = json.loads(path.read_bytes()) if path.exists() else {}
            self._notes: dict[str, str] = {str(origin): str(note) for origin, note in found.items()}
            self._latest = {origin: Checkpoint.parse(note_text(note)) for origin, note in self._notes.items()}
        except (OSError, ValueError, AttributeError, Refused) as fault:
            raise Halted(
                "witness-state", got=f"{path.name}: {type(fault).__name__} {fault}", expected="its own, readable state file"
            ) from fault

    def latest(self, origin: str) -> Checkpoint | None:
        """What was kept last."""
        return self._latest.get(origin)

    def keep(self, origin: str, note: bytes) -> None:
        """On disk when this returns, whole or not at all. Raises `Halted("witness-state")`; what was kept stays then."""
        notes = {**self._notes, origin: note.decode("utf-8")}
        fresh = self._path.with_name(self._path.name + ".new")
        try:
            with fresh.open("w", encoding="utf-8") as out:
                json.dump(notes, out, ensure_ascii=False, indent=1)
                out.flush()
                os.fsync(out.fileno())
            fresh.replace(self._path)
            _sync(self._path.parent)
        except OSError as fault:
            raise Halted("witness-state", got=f"{self._path.name}: {fault.strerror}", expected="a writable disk") from fault
        self._notes = notes
        self._latest = {**self._latest, origin: Checkpoint.parse(note_text(note))}

    def close(self) -> None:
        """Gives the lock back."""
        with suppress(OSError):
            os.close(self._handle)


def logs_of(keys: Sequence[NoteVerifier]) -> dict[str, tuple[NoteVerifier, ...]]:
    """Keys by the origin of their log."""
    return {name: tuple(key for key in keys if key.name == name) for name in dict.fromkeys(key.name for key in keys)}


def request_body(old_size: int, proof: Sequence[bytes], note: bytes) -> bytes:
    """What a log sends. `note` is the checkpoint."""
    return b"".join((f"old {old_size}\n".encode(), *(b64encode(each) + b"\n" for each in proof), b"\n", note))


def _hash(line: str) -> bytes:
    try:
        found = b64decode(line, validate=True)
    except ValueError:
        found = b""
    if len(found) != HASH_BYTES:
        raise Refused("witness-request-malformed", got=line[:100], expected="a hash of 32 bytes in base64")
    return found


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
