"""Never backwards: the last published checkpoint lies in a file of its own, apart from the store and its backup, and is compared before
another is signed (DESIGN §2.7, §6).

At the start (`Publisher.open`):

1. the kept checkpoint is a note of this log, signed by one of its keys; without one there may be no entry
2. the store has at least as many entries as it, else the store is an old one: refused
3. what was not published yet is hashed again from the durable bytes of the leaves, and the tree of the kept size, so derived, has the
   kept root, else the store is a fork: refused. `tree_nodes` that are missing or wrong are mended: they are derived
4. the head row agrees with what was derived
5. the present head is published

Publishing (`Publisher.publish`), under the file's lock, so that processes that share the file go forward together:

6. the head is not behind the kept checkpoint, and a consistency proof leads from that to it
7. it is signed and on disk, the folder entry too, before anybody is told
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, delete, insert, select

from replay.checkpoint import Checkpoint
from replay.hashing import leaf_hash
from replay.journal import Journal, read_head
from replay.merkle import TILE_WIDTH, Frontier
from replay.merkle_check import verify_consistency
from replay.store.engine import Store
from replay.store.tables import entries, tree_nodes
from replay.tiles import Tiles, hashes
from schemas.errors import Halted, HubError
from signing.note import NoteVerifier, key_hash, split_note

CHUNK = 2_048  # entries hashed at a time; a multiple of a tile
Node = tuple[int, int, bytes]  # level, index, hash


@dataclass(frozen=True, slots=True)
class Published:
    """A checkpoint that is out."""

    checkpoint: Checkpoint
    note: bytes  # with the log's own signatures


@dataclass(frozen=True, slots=True)
class CheckpointFile:
    """Where the last published checkpoint is kept. Raises `Halted("published-unavailable")` for what the disk refuses."""

    path: Path

    def read(self) -> bytes | None:
        """The note, None where there is none."""
        with self._named():
            try:
                return self.path.read_bytes()
            except FileNotFoundError:
                return None

    def replace(self, note: bytes) -> None:
        """On disk when this returns; a crash leaves the old one or the new one. Call it under `locked`."""
        with self._named():
            fresh = self.path.with_name(self.path.name + ".new")
            with fresh.open("wb") as out:
                out.write(note)
                out.flush()
                os.fsync(out.fileno())
            fresh.replace(self.path)
            _sync(self.path.parent)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Alone with the file, whatever other processes and threads do."""
        with self._named():
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle = os.open(self.path.with_name(self.path.name + ".lock"), os.O_CREAT | os.O_RDWR, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    @contextmanager
    def _named(self) -> Iterator[None]:
        try:
            yield
        except OSError as fault:
            raise Halted("published-unavailable", got=f"{self.path}: {fault.strerror}", expected="a readable and writable file") from fault


@dataclass(frozen=True, slots=True)
class Publisher:
    """Publishes the checkpoints of one log in one file. Holds no state."""

    store: Store
    journal: Journal
    log_keys: tuple[NoteVerifier, ...]  # of this log, retired ones too
    file: CheckpointFile

    def open(self) -> Published:
        """Steps 1 to 5. Raises `Halted`: ``published-missing``, ``published-damaged``, ``store-behind``, ``checkpoint-mismatch``,
        ``journal-damaged``, ``journal-origin``, ``published-unavailable``, ``store-unavailable``.
        """
        with self.file.locked():
            kept = self._kept()
            self._examine(kept.checkpoint if kept else None)
            return self._publish(kept)

    def publish(self) -> Published:
        """Steps 6 and 7; the kept one again where nothing was added. Raises as `open`."""
        with self.file.locked():
            return self._publish(self._kept())

    def mend(self) -> Published:
        """The start over every entry, not only over what is unpublished: mends any node. Raises as `open`."""
        with self.file.locked():
            kept = self._kept()
            self._examine(kept.checkpoint if kept else None, everything=True)
            return self._publish(kept)

    def adopt(self, note: bytes | None) -> Published:
        """Keeps a checkpoint for a store whose own was lost: `note`, which somebody else kept, or none, after hashing everything anew.

        Raises as `open`, and `Halted("published-exists")`: what is kept is never put aside.
        """
        with self.file.locked():
            if self.file.read() is not None:
                raise Halted("published-exists", got=str(self.file.path))
            given = None if note is None else Checkpoint.opened(note, self.log_keys)
            self._examine(given)
            return self._publish(None if given is None or note is None else Published(given, note), trusted=True)

    def _kept(self) -> Published | None:
        note = self.file.read()
        if note is None:
            return None
        try:
            return Published(Checkpoint.opened(note, self.log_keys), note)
        except HubError as fault:
            raise Halted("published-damaged", got=fault.got, expected=f"a checkpoint of {self.journal.origin}") from fault

    def _examine(self, kept: Checkpoint | None, *, everything: bool = False) -> None:
        with self.store.read() as conn:
            size = self._head(conn).size
            if kept is not None and size < kept.size:  # 2
                raise Halted("store-behind", got=f"{size} entries", expected=f"at least {kept.size}, as published")
            start = 0 if everything else (kept.size if kept else 0) // TILE_WIDTH * TILE_WIDTH
            wrong = _rehashed(conn, start, kept, self._head(conn))  # 3, 4
            if wrong is None:  # the nodes below do not lead to what was published: they may be wrong, or the leaves are
                wrong = _rehashed(conn, 0, kept, self._head(conn))
            if wrong is None:
                raise Halted("checkpoint-mismatch", got="another tree", expected=f"the one published with size {kept.size if kept else 0}")
        if wrong:
            with self.store.write() as conn:
                for level, index, made in wrong:
                    conn.execute(delete(tree_nodes).where(tree_nodes.c.level == level, tree_nodes.c.index == index))
                    conn.execute(insert(tree_nodes).values(level=level, index=index, hash=made))

    def _head(self, conn: Connection) -> Frontier:
        origin, frontier = read_head(conn)
        if origin not in ("", self.journal.origin):
            raise Halted("journal-origin", got=origin, expected=self.journal.origin)
        return frontier

    def _publish(self, kept: Published | None, *, trusted: bool = False) -> Published:
        with self.store.read() as conn:
            frontier = self._head(conn)
            head = Checkpoint(self.journal.origin, frontier.size, frontier.root())
            if kept is None and frontier.size and not trusted:  # 1
                raise Halted("published-missing", got=f"{frontier.size} entries, and no {self.file.path}")
            if kept is not None:
                self._compare(conn, kept.checkpoint, head)
        if kept is not None and kept.checkpoint == head and self._is_signed(kept.note) and self.file.read() is not None:
            return kept
        made = Published(head, self.journal.sign(head.size, head.root))
        self.file.replace(made.note)  # 7
        return made

    def _compare(self, conn: Connection, kept: Checkpoint, head: Checkpoint) -> None:  # 6
        if head.size < kept.size:
            raise Halted("store-behind", got=f"{head.size} entries", expected=f"at least {kept.size}, as published")
        proof = Tiles(conn, head.size).consistency(kept.size)
        if not verify_consistency(kept.size, kept.root, head.size, head.root, proof):
            raise Halted(
                "checkpoint-mismatch", got=f"size {head.size}", expected=f"a tree that continues the published one of size {kept.size}"
            )

    def _is_signed(self, note: bytes) -> bool:
        """Whether every key that signs now has signed it: after a rotation the same head is signed again."""
        origin = self.journal.origin
        wanted = {key_hash(origin, key.public_key().public_bytes_raw()) for key in self.journal.keys.log}
        return wanted <= {raw[:4] for name, raw in split_note(note)[1] if name == origin}


def _rehashed(conn: Connection, start: int, kept: Checkpoint | None, head: Frontier) -> Sequence[Node] | None:
    """Steps 3 and 4 over the entries from `start`: the nodes that are not stored as they must be, None where the kept root is not met."""
    try:
        frontier = Frontier.from_peaks(start, Tiles(conn, start).peaks(start))
    except Halted:  # nodes are missing
        return None
    made: list[Node] = []
    frontier.closed = made
    met = kept is None or (kept.size == start and frontier.root() == kept.root)
    for index, digest in _digests(conn, start, head.size):
        if index != frontier.size:
            raise Halted("journal-damaged", got=f"entry {index}", expected=f"entry {frontier.size}")
        frontier.append(digest)
        met = met or (kept is not None and kept.size == frontier.size and frontier.root() == kept.root)
    if not met:
        return None
    if frontier.size != head.size or frontier.to_bytes() != head.to_bytes():  # 4
        raise Halted("journal-damaged", got=f"a head of {head.size} entries", expected=f"one that {frontier.size} entries lead to")
    return [node for node in made if list(hashes(conn, node[0], node[1], 1)) != [node[2]]]


def _digests(conn: Connection, start: int, size: int) -> Iterator[tuple[int, bytes]]:
    at = entries.c.index
    while start < size:
        query = select(at.label("position"), entries.c.leaf, entries.c.leaf_hash).where(at >= start, at < start + CHUNK).order_by(at)
        rows = conn.execute(query).all()
        for row in rows:
            digest = leaf_hash(row.leaf)
            if digest != row.leaf_hash:
                raise Halted("journal-damaged", got=f"entry {row.position} with hash {digest.hex()}", expected=row.leaf_hash.hex())
            yield row.position, digest
        if not rows:
            return
        start += CHUNK


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
