"""After an erasure: nothing of what was deleted stays in free pages, in old parts of the full-text index, or in the WAL.

=========== ===================================================================================================================
SQLite      pages are overwritten as they are freed (``secure_delete``); the full-text index is merged into one part, step by step so
            that others may write in between; the WAL is folded into the database and truncated
PostgreSQL  ``VACUUM`` leaves the bytes of a dead row in the hole where it was; only ``VACUUM FULL`` writes a table anew, and nobody may use
            it meanwhile. So small tables are written anew at once, and large ones when it is asked for (`rewrite`). What stays out of
            reach is the write-ahead log: its segments are reused in time, and an archive of them holds what was erased until the
            archive is deleted (`docs/operations.md`)
=========== ===================================================================================================================
"""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing

from replay.store.engine import BUSY_TIMEOUT_S, Store, fault_name
from replay.store.tables import deliveries, holds, links, message_keys, messages, openings, payloads, search, sender_ids
from schemas.errors import Halted, TryLater

SMALL_BYTES = 64 * 1024 * 1024  # a table of PostgreSQL, with indexes, that is written anew in a moment
_STEP_PAGES = 500  # of the full-text index, merged at a time
_AGAIN_S = 0.05
_TABLES = (messages, openings, payloads, message_keys, links, sender_ids, search, deliveries, holds)


def compact(store: Store, *, rewrite: bool = False) -> None:
    """Does that. Waits for readers of older snapshots, others go on meanwhile. May be repeated at any time. `rewrite`: tables of any size
    on PostgreSQL; whoever needs one waits, or is told to try later.

    Raises `TryLater("erase-unfinished")` if somebody keeps an old snapshot open for longer than `BUSY_TIMEOUT_S`.
    """
    if store.dialect == "sqlite":
        _compact_sqlite(str(store.url.database))
    else:
        _vacuum(store, rewrite)


def _compact_sqlite(path: str) -> None:
    with closing(sqlite3.connect(path, timeout=BUSY_TIMEOUT_S, isolation_level=None)) as db:
        try:
            db.execute("PRAGMA synchronous=FULL")
            db.execute("PRAGMA secure_delete=ON")
            _merge(db)
            until = time.monotonic() + BUSY_TIMEOUT_S
            while db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
                if time.monotonic() > until:
                    raise TryLater("erase-unfinished", got="a reader that keeps the WAL", expected="a WAL that can be truncated")
                time.sleep(_AGAIN_S)
        except sqlite3.OperationalError as fault:
            raise TryLater("erase-unfinished", got=fault_name(fault), expected="the database for itself for a moment") from fault


def _merge(db: sqlite3.Connection) -> None:
    """All parts of the full-text index into one: SQLite's FTS5 documentation §6.6, the ``merge`` command."""
    pages = -_STEP_PAGES  # the first, negative: begin with all parts
    while True:
        before = db.total_changes
        db.execute("INSERT INTO search_terms(search_terms, rank) VALUES ('merge', ?)", (pages,))
        if db.total_changes - before < 2:
            return
        pages = _STEP_PAGES


def _vacuum(store: Store, rewrite: bool) -> None:
    try:
        with store.aside() as conn:
            for table in _TABLES:
                size = conn.exec_driver_sql(f"SELECT pg_total_relation_size('{table.name}')").scalar_one()
                conn.exec_driver_sql(f"VACUUM {'(FULL)' if rewrite or size <= SMALL_BYTES else ''} {table.name}")
    except Halted as fault:  # somebody holds a table for longer than the session waits for a lock
        raise TryLater("erase-unfinished", got=fault.got, expected="the tables for itself for a moment") from fault
