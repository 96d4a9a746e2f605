"""fsck, the full-text index of SQLite: it finds exactly what the rows of `search` say. PostgreSQL keeps its index by itself.

The index is derived and fed beside the table, so somebody could make a message unfindable there and leave every row as it is. Its pairs
(term, message) are read back through ``fts5vocab`` (SQLite's FTS5 documentation §8) and compared as sets: by the sum of 64-bit hashes that
nobody knows beforehand, for a secret of the run stands before each pair. One pass over each side, in any order, without holding them.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator

from sqlalchemy import Connection, exc, text

from replay.findings import Findings
from replay.store.engine import fault_name
from replay.store.tables import AnyRow

CHUNK = 2_000
_ROWS = text("SELECT position, terms FROM search ORDER BY position")
_PAIRS = text("SELECT :secret || doc || ' ' || term FROM temp.fsck_terms")


def check(conn: Connection, findings: Findings) -> None:
    """Compares them. Leaves nothing behind: the temporary table goes with the reader's transaction."""
    if conn.dialect.name != "sqlite":
        return
    try:
        was = conn.exec_driver_sql("PRAGMA query_only").scalar()
        conn.exec_driver_sql("PRAGMA query_only=OFF")  # for the temporary table: the store itself is not written to
        try:
            conn.exec_driver_sql("CREATE VIRTUAL TABLE temp.fsck_terms USING fts5vocab(main, search_terms, instance)")
        finally:
            conn.exec_driver_sql(f"PRAGMA query_only={was}")
        try:
            _compare(conn, findings)
        finally:
            conn.exec_driver_sql("PRAGMA query_only=OFF")
            conn.exec_driver_sql("DROP TABLE temp.fsck_terms")
            conn.exec_driver_sql(f"PRAGMA query_only={was}")
    except exc.DatabaseError as fault:
        findings.differ("search-changed", "search_terms", got=fault_name(fault), expected="an index that can be read")


def _compare(conn: Connection, findings: Findings) -> None:
    secret = secrets.token_hex(16)
    if sum(map(hash, _wanted(conn, secret))) == sum(map(hash, _indexed(conn, secret))):
        return
    wanted, found = _by_position(_wanted(conn, "")), _by_position(_indexed(conn, ""))
    for position in sorted(wanted.keys() | found.keys(), key=lambda each: (len(each), each)):
        if wanted.get(position) != found.get(position):
            here, there = _terms(_indexed(conn, ""), position), _terms(_wanted(conn, ""), position)
            got, expected = (" ".join(sorted(each)) for each in (here - there, there - here))
            findings.differ("search-changed", f"search_terms/{position}", got=f"also {got}" if got else "less", expected=expected or "less")
            return


def _by_position(pairs: Iterable[str]) -> dict[str, int]:
    """The sum of each message's terms."""
    found: dict[str, int] = {}
    for pair in pairs:
        position = pair.partition(" ")[0]
        found[position] = found.get(position, 0) + hash(pair)
    return found


def _terms(pairs: Iterable[str], position: str) -> set[str]:
    return {pair.partition(" ")[2] for pair in pairs if pair.startswith(f"{position} ")}


def _wanted(conn: Connection, secret: str) -> Iterator[str]:
    for row in _streamed(conn):
        head = f"{secret}{row.position} "
        yield from [head + term for term in set(str(row.terms).split(" ")) - {""}]


def _indexed(conn: Connection, secret: str) -> Iterator[str]:
    last = ""
    for pairs in conn.execute(_PAIRS, {"secret": secret}, execution_options={"yield_per": CHUNK}).scalars().partitions(CHUNK):
        yield from set(pairs) - {last}  # a term that stands twice in one row is indexed twice, side by side
        last = pairs[-1]


def _streamed(conn: Connection) -> Iterator[AnyRow]:
    for rows in conn.execute(_ROWS, execution_options={"yield_per": CHUNK}).partitions(CHUNK):
        yield from rows
