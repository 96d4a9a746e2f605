"""What a replay is about: a query over accepted messages, answered once, when the job is made.

The answer is frozen: indexes of acceptances, their leaf hashes, and the transmissions, in the order of the journal, which is the
original order of every subject. Traffic that comes later never enters; an edited selection has another digest.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Select, exists, or_, select

from replay.store.index_key import index_key
from replay.store.tables import AnyRow, deliveries, entries, log_head, messages
from schemas.agency import AgencyCode
from schemas.errors import Refused
from schemas.message import DeliveryState, rfc3339

MAX_ITEMS = 200_000
MAX_IDS = 10_000


@dataclass(frozen=True, slots=True)
class Query:
    """Which messages. Conditions that are given hold together; an empty query is every message."""

    ids: tuple[UUID, ...] = ()  # messages
    first: int | None = None  # indexes of acceptances, both included
    last: int | None = None
    agency: str = ""  # sender or recipient, in either form of its code
    system: str = ""  # that brought it or was to have it
    kind: str = ""
    state: str = ""  # of a delivery
    cause: str = ""  # code of a delivery's last failure
    document: str = ""  # DocumentId, or the subject it belongs to
    since: datetime | None = None  # of acceptance
    until: datetime | None = None  # excluded

    def as_json(self) -> dict[str, Any]:
        """What was asked for, without what was not."""
        given = {one.name: getattr(self, one.name) for one in fields(self)}
        return {name: _plain(value) for name, value in given.items() if value not in ("", None, ())}


@dataclass(frozen=True, slots=True)
class Item:
    """One thing to do."""

    position: int
    entry: int
    leaf_hash: bytes
    message_id: UUID
    carrier_id: UUID | None

    @property
    def line(self) -> bytes:
        """As the selection's digest has it."""
        return f"{self.position} {self.entry} {self.leaf_hash.hex()} {self.message_id} {self.carrier_id or '-'}\n".encode()


def freeze(conn: Connection, query: Query, *, transmissions: bool) -> Sequence[Item]:
    """The items, in order: one per message, or one per transmission of it.

    Raises `Refused`: ``selection-empty``, ``selection-too-large``, ``unknown-entry`` (a message, or a first index, that is not there),
    ``invalid-request`` (an unknown state, a range that ends before it begins).
    """
    _check(conn, query)
    rows = conn.execute(_statement(query, transmissions).limit(MAX_ITEMS + 1)).all()
    if not rows:
        raise Refused("selection-empty", got=str(query.as_json()))
    if len(rows) > MAX_ITEMS:
        raise Refused("selection-too-large", got=f"more than {MAX_ITEMS}", expected=f"at most {MAX_ITEMS} at once; narrow it by index")
    return [_item(place, row) for place, row in enumerate(rows)]


def _check(conn: Connection, query: Query) -> None:
    if query.state and query.state not in set(DeliveryState):
        raise Refused("invalid-request", got=query.state, expected=" | ".join(DeliveryState))
    if query.first is not None and query.last is not None and query.first > query.last:
        raise Refused("invalid-request", got=f"{query.first} to {query.last}", expected="a range that does not end before it begins")
    size = conn.execute(select(log_head.c.size)).scalar_one()
    if query.first is not None and query.first >= size:
        raise Refused("unknown-entry", got=str(query.first), expected=f"an index below {size}")
    if len(query.ids) > MAX_IDS:
        raise Refused("selection-too-large", got=f"{len(query.ids)} ids", expected=f"at most {MAX_IDS}")
    known = set(conn.execute(select(messages.c.id).where(messages.c.id.in_(query.ids))).scalars()) if query.ids else set()
    unknown = [str(one) for one in query.ids if one not in known]
    if unknown:
        raise Refused("unknown-entry", got=", ".join(unknown[:5]), expected="messages that the hub accepted")


def digest_of(items: Iterable[Item]) -> str:
    """SHA-256 of the items' lines, lower hex."""
    known = sha256()
    for item in items:
        known.update(item.line)
    return known.hexdigest()


def _statement(query: Query, transmissions: bool) -> Select[Any]:
    columns = [messages.c.index.label("entry"), entries.c.leaf_hash, messages.c.id.label("message_id")]
    statement: Select[Any] = select(*columns).join(entries, entries.c.index == messages.c.index)
    conditions = _of_message(query)
    of_delivery = _of_delivery(query)
    if transmissions:
        statement = statement.add_columns(deliveries.c.carrier_id).join(deliveries, deliveries.c.message_id == messages.c.id).distinct()
        return statement.where(*conditions, *of_delivery).order_by(messages.c.index, deliveries.c.carrier_id)
    if of_delivery:
        conditions.append(_some_delivery(*of_delivery))
    return statement.where(*conditions).order_by(messages.c.index)


def _of_message(query: Query) -> list[Any]:
    asked: Mapping[str, Any] = {
        "ids": messages.c.id.in_(query.ids),
        "first": messages.c.index >= (query.first or 0),
        "last": messages.c.index <= (query.last or 0),
        "kind": messages.c.kind == query.kind,
        "document": or_(messages.c.document_key == index_key(query.document), messages.c.subject_key == index_key(query.document)),
        "since": messages.c.accepted_at >= (rfc3339(query.since) if query.since else ""),
        "until": messages.c.accepted_at < (rfc3339(query.until) if query.until else ""),
    }
    conditions = [condition for name, condition in asked.items() if getattr(query, name) not in ("", None, ())]
    if query.agency:
        key = AgencyCode.of(query.agency).key
        received = _some_delivery(deliveries.c.recipient_key == key)
        conditions.append(or_(messages.c.sender_key == key, received))
    if query.system:
        taken = _some_delivery(deliveries.c.system == query.system)
        conditions.append(or_(messages.c.principal == query.system, taken))
    return conditions


def _some_delivery(*conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    """Whether the message has a delivery like that: any of its own, not the one that the question may be about besides."""
    return exists().where(deliveries.c.message_id == messages.c.id, *conditions).correlate(messages)


def _of_delivery(query: Query) -> list[Any]:
    conditions = [deliveries.c.state == query.state] if query.state else []
    return [*conditions, deliveries.c.cause == query.cause] if query.cause else conditions


def _item(place: int, row: AnyRow) -> Item:
    return Item(place, row.entry, bytes(row.leaf_hash), row.message_id, row._mapping.get("carrier_id"))


def _plain(value: object) -> Any:
    if isinstance(value, datetime):
        return rfc3339(value)
    return [str(one) for one in value] if isinstance(value, tuple) else value
