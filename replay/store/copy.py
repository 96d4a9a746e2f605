"""A copy of an embedded store while it is in use, and what such a copy says of itself."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from replay.hashing import leaf_hash
from replay.merkle import Frontier
from replay.store.engine import BUSY_TIMEOUT_S, fault_name
from replay.store.tables import SCHEMA_VERSION
from schemas.errors import Halted


@dataclass(frozen=True, slots=True)
class StoreCopy:
    """What is in a copied database."""

    version: int  # of the schema
    origin: str
    size: int  # entries
    root: bytes  # 32 bytes, of the tree that the leaves in it lead to
    files: tuple[bytes, ...]  # digests of the payloads that lie in files


def copy_database(path: Path, target: Path) -> None:
    """The database at `path` as it is at one moment, whoever writes meanwhile (SQLite's online backup). `target` MUST NOT exist.

    Raises `Halted("store-unavailable")`.
    """
    os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    try:
        with closing(sqlite3.connect(path, timeout=BUSY_TIMEOUT_S)) as live, closing(sqlite3.connect(target)) as copy:
            live.backup(copy)
    except sqlite3.Error as fault:
        raise Halted("store-unavailable", got=fault_name(fault)) from fault


def examine_copy(path: Path) -> StoreCopy:
    """Every page, every leaf and the head of the copy at `path`; nothing beside it is read or made.

    Raises `Halted`: ``store-unavailable`` (not a whole database), ``store-version``, ``journal-damaged``.
    """
    with _opened(path) as db:
        found = db.execute("PRAGMA integrity_check").fetchall()
        if found != [("ok",)]:
            raise Halted("store-unavailable", got=str(found[0][0])[:200], expected="a whole database")
        versions = [row[0] for row in db.execute("SELECT version FROM schema_version")]
        if versions != [SCHEMA_VERSION]:
            raise Halted("store-version", got=str(versions), expected=str(SCHEMA_VERSION))
        origin, size, head = db.execute("SELECT origin, size, frontier FROM log_head WHERE id = 1").fetchone()
        frontier = Frontier.from_bytes(0, b"")
        for (leaf,) in db.execute('SELECT leaf FROM entries ORDER BY "index"'):
            frontier.append(leaf_hash(leaf))
        if (frontier.size, frontier.to_bytes()) != (size, bytes(head)):
            raise Halted("journal-damaged", got=f"a head of {size} entries", expected=f"one that {frontier.size} entries lead to")
        kept = (
            "SELECT p.digest FROM payloads p JOIN message_keys k ON k.message_id = p.message_id"
            " WHERE p.body IS NULL AND k.wrapped IS NOT NULL ORDER BY p.digest"
        )
        return StoreCopy(versions[0], origin, size, frontier.root(), tuple(bytes(row[0]) for row in db.execute(kept)))


@contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)) as db:
            yield db
    except (sqlite3.Error, TypeError, ValueError) as fault:
        raise Halted("store-unavailable", got=fault_name(fault), expected="a whole database of the hub") from fault
