"""fsck, the full-text index of SQLite: it finds exactly what the rows of `search` say. PostgreSQL keeps its index by itself.

The index is derived and fed beside the table, so somebody could make a message unfindable there and leave every row as it is. Its pairs
(term, message) are read back through ``fts5vocab`` (SQLite's FTS5 documentation §8) and compared as sets, by the sum of their hashes:
one pass over each, in any order, without holding them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from hashlib import sha256

from sqlalchemy import Connection, exc, text

from replay.findings import Findings
from replay.store.engine import fault_name
from replay.store.tables import AnyRow

CHUNK = 2_000
_MODULUS = 1 << 256
_ROWS = text("SELECT position, terms FROM search ORDER BY position")
_PAIRS = text("SELECT doc, term FROM temp.fsck_terms")


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
    if _summed(conn, lambda _: True, _wanted) == _summed(conn, lambda _: True, _indexed):
        return
    for position in _positions(conn):
        wanted, found = (set(each(conn, lambda at, it=position: at == it)) for each in (_wanted, _indexed))  # type: ignore[misc]
        if wanted != found:
            got, expected = (" ".join(sorted(term for _, term in each)) for each in (found - wanted, wanted - found))
            findings.differ("search-changed", f"search_terms/{position}", got=f"also {got}" if got else "less", expected=expected or "less")
            return
    findings.differ("search-changed", "search_terms", got="other terms", expected="those of search")


def _positions(conn: Connection) -> list[int]:
    found = {row.position for row in conn.execute(_ROWS)} | {row.doc for row in conn.execute(_PAIRS)}
    return sorted(found, key=lambda each: (str(type(each)), each))


Pairs = Callable[[Connection, Callable[[object], bool]], Iterator[tuple[object, str]]]


def _summed(conn: Connection, which: Callable[[object], bool], pairs: Pairs) -> int:
    total = 0
    for position, term in pairs(conn, which):
        total += int.from_bytes(sha256(f"{position}\x00{term}".encode("utf-8", "surrogatepass")).digest(), "big")
    return total % _MODULUS


def _wanted(conn: Connection, which: Callable[[object], bool]) -> Iterator[tuple[object, str]]:
    for row in _streamed(conn, _ROWS):
        if which(row.position):
            for term in set(str(row.terms).split(" ")) - {""}:
                yield row.position, term


def _indexed(conn: Connection, which: Callable[[object], bool]) -> Iterator[tuple[object, str]]:
    before: tuple[object, str] = (None, "")
    for row in _streamed(conn, _PAIRS):
        pair = (row.doc, row.term)
        if pair != before and which(row.doc):  # a term that stands twice in one row is indexed twice, side by side
            yield pair
        before = pair


def _streamed(conn: Connection, query: object) -> Iterator[AnyRow]:
    for rows in conn.execute(query, execution_options={"yield_per": CHUNK}).partitions():  # type: ignore[call-overload]
        yield from rows
