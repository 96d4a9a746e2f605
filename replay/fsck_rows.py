"""fsck, what it reads: some entries with their openings, and of the messages accepted by them everything that hangs on them.

A chunk is a piece of one snapshot, as plain tuples: whoever checks it needs no connection, so it can be another process. It holds at most
`CHUNK` entries, and payloads of some `MAX_BYTES`.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, Connection, Select, bindparam, select

from replay.payloads import ROWS as PAYLOADS
from replay.store.loose import loose
from replay.store.tables import deliveries, entries, links, messages, openings, payloads, search

CHUNK = 500  # entries
MAX_BYTES = 16_000_000  # of ciphertext
_ROW_BYTES = 256_000  # a payload in the database is at most so large; a larger one is a file, which is not read here
_FIRST: BindParameter[Any] = bindparam("first")
_LAST: BindParameter[Any] = bindparam("last")
_ENTRIES = (
    select(
        *loose(entries, "index", "leaf", "leaf_hash"),
        openings.c.index.label("opened"),
        *loose(openings, "message_id", "event", "at", "body"),
    )
    .outerjoin(openings, openings.c.index == entries.c.index)
    .order_by(entries.c.index)
    .limit(CHUNK)
)
_MESSAGES = select(*loose(messages)).where(messages.c.index.between(_FIRST, _LAST))
_ACCEPTED = select(messages.c.id).where(messages.c.index.between(_FIRST, _LAST))
_SEARCH = select(*loose(search)).where(search.c.position.between(_FIRST, _LAST))


def _theirs(column: ColumnElement[Any]) -> ColumnElement[bool]:
    return column.in_(_ACCEPTED)


_OF_MESSAGES: Mapping[str, Select[Any]] = {
    "search": _SEARCH,
    "deliveries": select(*loose(deliveries)).where(_theirs(deliveries.c.message_id)),
    "links": select(*loose(links)).where(_theirs(links.c.message_id)),
    "payloads": PAYLOADS.where(_theirs(payloads.c.message_id)),
}
_SHAPES: Mapping[str, Any] = {  # rows by attribute again, wherever they have got to
    name: namedtuple(f"{name}_row", [column.name for column in query.selected_columns])
    for name, query in {"entries": _ENTRIES, "messages": _MESSAGES, **_OF_MESSAGES}.items()
}
_POSITION, _SIZE = (_SHAPES["messages"]._fields.index(name) for name in ("position", "size"))


@dataclass(frozen=True, slots=True)
class Chunk:
    """Rows by table, as tuples. Made to be sent."""

    expected: int  # index that its first entry must have
    tables: Mapping[str, Sequence[tuple[Any, ...]]]

    def rows(self, table: str) -> Iterable[Any]:
        """The rows, by attribute."""
        return map(_SHAPES[table]._make, self.tables.get(table, ()))


def chunks(conn: Connection, *, with_payloads: bool) -> Iterator[Chunk]:
    """All entries in order."""
    expected, query = 0, _ENTRIES
    while rows := [tuple(row) for row in conn.execute(query)]:
        between = {"first": rows[0][0], "last": rows[-1][0]}
        accepted = [tuple(row) for row in conn.execute(_MESSAGES, between)]
        if with_payloads and (last := _last_that_fits(accepted)) is not None:
            rows = [row for row in rows if row[0] <= last]
            accepted = [row for row in accepted if row[_POSITION] <= last]
            between["last"] = last
        found = {"entries": rows, "messages": accepted}
        for name, of_messages in _OF_MESSAGES.items() if accepted else ():
            if with_payloads or name != "payloads":
                found[name] = [tuple(row) for row in conn.execute(of_messages, between)]
        yield Chunk(expected, found)
        expected = rows[-1][0] + 1
        query = _ENTRIES.where(entries.c.index >= expected)


def _last_that_fits(accepted: Sequence[tuple[Any, ...]]) -> int | None:
    """Index of the last message whose payload is read with those before it; None where all are."""
    total = 0
    for row in sorted(accepted, key=itemgetter(_POSITION)):
        total += min(row[_SIZE], _ROW_BYTES) if isinstance(row[_SIZE], int) else _ROW_BYTES
        if total > MAX_BYTES:
            return int(row[_POSITION])
    return None
