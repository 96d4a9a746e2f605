"""The journal: appending entries under the tree head's lock, signing checkpoints, proving entries.

Whoever appends holds the lock of the one row of `log_head` until it commits, so indexes are contiguous and there is one log however
many nodes write (DESIGN §6). Nothing here commits: entries stand or fall with the transaction they were appended in.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection, bindparam, insert, select, update
from sqlalchemy.exc import IntegrityError

from replay.checkpoint import Checkpoint
from replay.entry import EntryDraft, PartyKeys, seal
from replay.hashing import leaf_hash
from replay.merkle import Frontier
from replay.merkle_check import verify_inclusion
from replay.proof import InclusionProof
from replay.store.tables import entries, log_head, messages, openings, tree_nodes
from replay.tiles import Tiles
from schemas.errors import Halted, Refused
from schemas.message import rfc3339
from signing.note import NoteSigner, note_text, sign_note

_INSERT_ENTRIES, _INSERT_OPENINGS, _INSERT_NODES = insert(entries), insert(openings), insert(tree_nodes)
_ENTRY_COLUMNS, _OPENING_COLUMNS = tuple(entries.c.keys()), tuple(openings.c.keys())
_ENTRY = (
    select(entries.c.leaf, openings.c.body)
    .outerjoin(openings, openings.c.index == entries.c.index)
    .where(entries.c.index == bindparam("wanted"))
)
_HEAD = select(log_head.c.origin, log_head.c.size, log_head.c.frontier).where(log_head.c.id == 1)


@dataclass(frozen=True, slots=True)
class JournalKeys:
    """What the journal needs of the hub's keys."""

    parties: PartyKeys
    log: tuple[Ed25519PrivateKey, ...] = field(repr=False)  # each signs every checkpoint; several while one replaces another


@dataclass(frozen=True, slots=True)
class Position:
    """Where an entry stands. Final once the transaction is committed."""

    index: int
    leaf_hash: bytes  # 32 bytes
    at: datetime


@dataclass(frozen=True, slots=True)
class Journal:
    """The log named `origin`. Holds no state: the head is read anew, under its lock, in every transaction."""

    keys: JournalKeys
    origin: str
    random: Callable[[int], bytes] = field(default=os.urandom, repr=False)

    def append(self, conn: Connection, drafts: Sequence[EntryDraft]) -> tuple[Position, ...]:
        """Appends in order, in the caller's transaction (of `Store.write`).

        Raises `Refused`: ``entry-value``, ``entry-too-large``; `Halted`: ``journal-origin``, ``journal-damaged``. Nothing is written then.
        """
        appending = self.begin(conn)
        positions = tuple(appending.append(draft) for draft in drafts)
        appending.finish()
        return positions

    def begin(self, conn: Connection) -> Appending:
        """Locks and reads the head, to append several times in one transaction. Raises as `append`."""
        head = conn.execute(_HEAD.with_for_update()).first()
        frontier = _frontier(head)
        if head is None or head.origin != self.origin:
            self._name(conn, "" if head is None else head.origin, frontier.size)
        return Appending(self, conn, frontier)

    def checkpoint(self, conn: Connection) -> bytes:
        """The present head as a signed note. Compares with nothing: what is published goes through `replay.published`.

        Raises `Halted("journal-damaged")`.
        """
        frontier = _frontier(conn.execute(_HEAD).first())
        return self.sign(frontier.size, frontier.root())

    def sign(self, size: int, root: bytes) -> bytes:
        """The note of the checkpoint with these figures, by every key of the log."""
        text = Checkpoint(self.origin, size, root).text()
        return sign_note(text, [NoteSigner(self.origin, key) for key in self.keys.log]).encode("utf-8")

    def prove(self, conn: Connection, index: int, *, disclose: bool = False, note: bytes | None = None) -> InclusionProof:
        """The proof of entry `index` against the checkpoint `note` of this log (the present head), its values with it if `disclose`.

        Reads a few tiles. Raises `Refused("unknown-entry")`, and `Halted("journal-damaged")` rather than give what does not hold.
        """
        note = self.checkpoint(conn) if note is None else note
        head = Checkpoint.parse(note_text(note))
        row = conn.execute(_ENTRY, {"wanted": index}).first()
        if row is None or not 0 <= index < head.size:
            raise Refused("unknown-entry", got=str(index), expected=f"0 to {head.size - 1}")
        path = Tiles(conn, head.size).inclusion(index)
        if not verify_inclusion(leaf_hash(row.leaf), index, head.size, path, head.root):
            raise Halted("journal-damaged", got=f"entry {index} does not lead to the head's root")
        return InclusionProof(index, head.size, row.leaf, path, note, row.body if disclose else None)

    def _name(self, conn: Connection, found: str, size: int) -> None:
        """The first entry gives the log its name; it keeps it."""
        if found or size:
            raise Halted("journal-origin", got=found, expected=self.origin)
        conn.execute(update(log_head).where(log_head.c.id == 1).values(origin=self.origin))


class Appending:
    """Appends within one transaction. Indexes and hashes are known at once, rows are written together by `flush`."""

    __slots__ = ("_conn", "_frontier", "_journal", "_rows")

    def __init__(self, journal: Journal, conn: Connection, frontier: Frontier) -> None:
        self._journal = journal
        self._conn = conn
        self._frontier = frontier
        self._frontier.closed = []
        self._rows: list[dict[str, Any]] = []

    def append(self, draft: EntryDraft) -> Position:
        """The next entry. Raises `Refused`: ``entry-value``, ``entry-too-large``; the head is as before then."""
        sealed = seal(draft, self._journal.keys.parties, self._journal.random)
        digest = leaf_hash(sealed.leaf)
        index = self._frontier.append(digest)
        self._rows.append(
            {
                "index": index,
                "leaf": sealed.leaf,
                "leaf_hash": digest,
                "message_id": draft.message_id,
                "event": draft.event,
                "at": rfc3339(draft.at),
                "body": sealed.opening,
            }
        )
        return Position(index, digest, draft.at)

    def flush(self) -> None:
        """Writes the rows that are not yet written, so that queries see them. Raises `Halted("journal-damaged")`."""
        if self._rows:
            rows, self._rows = self._rows, []
            try:
                self._conn.execute(_INSERT_ENTRIES, [{name: row[name] for name in _ENTRY_COLUMNS} for row in rows])
                self._conn.execute(_INSERT_OPENINGS, [{name: row[name] for name in _OPENING_COLUMNS} for row in rows])
                if nodes := self._frontier.closed:
                    self._conn.execute(_INSERT_NODES, [{"level": level, "index": index, "hash": made} for level, index, made in nodes])
                    self._frontier.closed = []
            except IntegrityError as fault:
                raise Halted("journal-damaged", got="a tree head behind the entries", expected="no such entry yet") from fault

    def finish(self) -> None:
        """Writes everything that is left, the head last. MUST be called before the transaction commits."""
        self.flush()
        head = {"size": self._frontier.size, "frontier": self._frontier.to_bytes()}
        self._conn.execute(update(log_head).where(log_head.c.id == 1).values(head))

    def mark(self) -> bytes:
        """The head as it is now, for `rewind`."""
        self.flush()
        return self._frontier.size.to_bytes(8, "big") + self._frontier.to_bytes()

    def rewind(self, mark: bytes) -> None:
        """Forgets what was appended since `mark`; the caller has rolled its rows back (SAVEPOINT)."""
        self._rows = []
        self._frontier = Frontier.from_bytes(int.from_bytes(mark[:8], "big"), mark[8:])
        self._frontier.closed = []


def acceptance_of(conn: Connection, message_id: UUID) -> int:
    """Index of a message's acceptance. Raises `Refused("unknown-entry")`."""
    index = conn.execute(select(messages.c.index).where(messages.c.id == message_id)).scalar()
    if index is None:
        raise Refused("unknown-entry", got=str(message_id))
    return int(index)


def read_head(conn: Connection) -> tuple[str, Frontier]:
    """The log's name ("" before its first entry) and its right edge. Raises `Halted("journal-damaged")`."""
    head = conn.execute(_HEAD).first()
    frontier = _frontier(head)
    return "" if head is None else head.origin, frontier


def _frontier(head: Any) -> Frontier:
    if head is None:
        raise Halted("journal-damaged", got="no tree head", expected="one row of log_head")
    try:
        return Frontier.from_bytes(head.size, head.frontier)
    except ValueError as fault:
        raise Halted("journal-damaged", got=str(fault)) from fault
