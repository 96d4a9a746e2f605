"""Erasing a message: what is destroyed, what stays, and how fsck tells that it is gone.

Destroyed  the key of its payload, and the ciphertext; values and salts of every entry about it; its ids, title, digests, verdict,
           warnings and receipt; its links; what systems answered; its search terms; what replays found out about it, and what was
           typed to choose it for one
Stays      that a message of this kind came from this system for that agency, when, to whom it went and how that ended; the leaves,
           which say nothing by themselves, and every proof of them; the ``erased`` entry with who and why

A message that was erased is recognised when it comes again by tombstones: HMACs of its bytes and ids under a key that lies with the
party keys, outside the database. They say nothing to anybody without it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias
from uuid import UUID

from sqlalchemy import BindParameter, Connection, bindparam, or_, select, update

from replay import search, typed
from replay.entry import PartyKeys
from replay.findings import Findings
from replay.store.jobs import replay_items, replay_typed
from replay.store.loose import loose, uuid_of
from replay.store.tables import (
    AnyRow,
    deliveries,
    holds,
    links,
    message_keys,
    messages,
    openings,
    payloads,
    sender_ids,
    tombstones,
    verifications,
)
from replay.store.tables import search as search_rows

Rows: TypeAlias = dict[str, dict[str, dict[str, Any]]]  # table → row's id → column → value
ERASED = "erased"  # the event
_CHUNK = 500
_TEXTS = ("document_id", "document_key", "subject", "subject_key", "natural_id", "fingerprint", "title", "status_code", "priority", "paper")
BLANK: Mapping[str, Mapping[str, object]] = {  # table → column → what stands there once the message is erased
    "messages": {**dict.fromkeys(_TEXTS, ""), "raw_digest": b"", "verdict": "{}", "warnings": "[]", "receipt": b"", "size": 0},
    "deliveries": {"order_key": "", "detail": "", "remote_id": ""},
    "payloads": {"body": None, "size": 0},
    "message_keys": {"wrapped": None},
}
GONE = (links, sender_ids, holds, verifications)  # tables that have no row of an erased message
_BLANKED = (messages, deliveries, payloads, message_keys)
_IDS: BindParameter[Any] = bindparam("ids", expanding=True)
_LEFT = {table.name: select(*loose(table)).where((table.c.id if table is messages else table.c.message_id).in_(_IDS)) for table in _BLANKED}
_STILL = {table.name: select(*loose(table, "message_id")).where(table.c.message_id.in_(_IDS)) for table in GONE}
_FOUND_BY = select(*loose(search_rows, "position")).where(
    search_rows.c.position.in_(select(messages.c.index).where(messages.c.id.in_(_IDS)))
)
_TYPED = select(*loose(replay_items, "message_id")).where(
    replay_items.c.message_id.in_(_IDS), replay_items.c.replay_id.in_(select(replay_typed.c.replay_id))
)
_HOLDS, _TOMBSTONES = select(*loose(holds)), select(*loose(tombstones))


def is_erased(conn: Connection, message_id: UUID) -> bool | None:
    """Whether the message was erased; None if there is no such message."""
    row = conn.execute(
        select(message_keys.c.wrapped, messages.c.receipt)
        .join(messages, messages.c.id == message_keys.c.message_id)
        .where(messages.c.id == message_id)
    ).first()
    return None if row is None else row.wrapped is None and row.receipt == b""


def unerased(conn: Connection, message_ids: Sequence[UUID]) -> frozenset[UUID]:
    """Which of these messages the store still has the content of."""
    found: set[UUID] = set()
    for start in range(0, len(message_ids), _CHUNK):
        query = (
            select(messages.c.id)
            .join(message_keys, messages.c.id == message_keys.c.message_id)
            .where(messages.c.id.in_(message_ids[start : start + _CHUNK]))
            .where(or_(message_keys.c.wrapped.is_not(None), messages.c.receipt != b""))
        )
        found.update(conn.execute(query).scalars())
    return frozenset(found)


def unerased_digests(conn: Connection, digests: Sequence[bytes]) -> frozenset[bytes]:
    """Which of these payloads (few) belong to messages that are not erased."""
    query = (
        select(payloads.c.digest)
        .join(message_keys, payloads.c.message_id == message_keys.c.message_id)
        .where(payloads.c.digest.in_(digests), message_keys.c.wrapped.is_not(None))
    )
    return frozenset(conn.execute(query).scalars())


def tags_of(conn: Connection, message_id: UUID, keys: PartyKeys) -> list[bytes]:
    """The tombstones of a message that is not erased yet."""
    row = conn.execute(select(messages.c.principal, messages.c.raw_digest).where(messages.c.id == message_id)).one()
    ids = conn.execute(select(sender_ids.c.principal, sender_ids.c.sender_id).where(sender_ids.c.message_id == message_id)).all()
    return sorted({bytes_tag(keys, row.principal, row.raw_digest), *(id_tag(keys, one.principal, one.sender_id) for one in ids)})


def entries_of(conn: Connection, message_id: UUID) -> list[int]:
    """Indexes of the entries about the message whose values an erasure destroys."""
    query = select(openings.c.index).where(openings.c.message_id == message_id, openings.c.event != ERASED)
    return [int(each) for each in conn.execute(query.order_by(openings.c.index)).scalars()]


def bytes_tag(keys: PartyKeys, principal: str, raw_digest: bytes) -> bytes:
    """Recognises the same bytes from the same system."""
    return keys.tombstone(b"bytes\x00" + principal.encode() + b"\x00" + raw_digest)


def id_tag(keys: PartyKeys, principal: str, sender_id: str) -> bytes:
    """Recognises the same id of the same system."""
    return keys.tombstone(b"id\x00" + principal.encode() + b"\x00" + sender_id.encode("utf-8", "surrogatepass"))


def destroy(conn: Connection, message_id: UUID, tags: Sequence[bytes]) -> Rows:
    """Destroys it, in the caller's transaction, which journals what is left of it. Its payload's file, if any, and free pages come after
    COMMIT (`replay.store.compact`). May be done twice."""
    position = conn.execute(select(messages.c.index).where(messages.c.id == message_id)).scalar_one()
    search.forget(conn, position)
    conn.execute(update(openings).where(openings.c.message_id == message_id, openings.c.event != ERASED).values(body=None))
    for table in _BLANKED:
        column = table.c.id if table is messages else table.c.message_id
        conn.execute(update(table).where(column == message_id).values(dict(BLANK[table.name])))
    conn.execute(update(replay_items).where(replay_items.c.message_id == message_id).values(finding=""))
    typed.forget(conn, message_id)
    for table in GONE:
        conn.execute(table.delete().where(table.c.message_id == message_id))
    known = set(conn.execute(select(tombstones.c.tag).where(tombstones.c.message_id == message_id)).scalars())
    rows = [{"tag": tag, "message_id": message_id} for tag in tags if tag not in known]
    if rows:
        conn.execute(tombstones.insert(), rows)
    return left_of(conn, [message_id])[message_id.hex]


def left_of(conn: Connection, ids: Sequence[UUID]) -> dict[str, Rows]:
    """What is left of erased messages (hexadecimal), as the ``erased`` entry commits to it: the columns that are not blank."""
    found: dict[str, Rows] = {one.hex: {table.name: {} for table in _BLANKED} for one in ids}
    for table in _BLANKED:
        for row in conn.execute(_LEFT[table.name], {"ids": ids}):
            kept = {name: _plain(value) for name, value in row._mapping.items() if name not in BLANK[table.name]}
            key = row.id if table in (messages, deliveries) else row.message_id
            found[row.id if table is messages else row.message_id][table.name][key] = kept
    return found


def _plain(value: Any) -> Any:
    return value.hex() if isinstance(value, bytes) else value


_BURIED = (
    select(tombstones.c.message_id).where(tombstones.c.tag.in_(bindparam("tags", expanding=True))).limit(1)
)  # built once: it is asked often


def buried(conn: Connection, tags: Sequence[bytes]) -> UUID | None:
    """The erased message that one of the tags recognises."""
    found: UUID | None = conn.execute(_BURIED, {"tags": tags}).scalar()
    return found


@dataclass(slots=True)
class Erasures:
    """Step 10 of fsck: what an entry calls erased is gone everywhere; holds and tombstones are those that the journal speaks of."""

    findings: Findings
    tags: dict[str, set[str]] = field(default_factory=dict)  # erased message (hexadecimal) → tombstones (hexadecimal)
    left: dict[str, Any] = field(default_factory=dict)  # erased message (hexadecimal) → what its entry says is left of it
    closed: dict[str, set[str]] = field(default_factory=dict)  # erased message (hexadecimal) → openings that its entry says are destroyed
    held: dict[str, tuple[str, str, str]] = field(default_factory=dict)  # message (hexadecimal) → at, by, reason

    def erased(self, message_id: str, values: Mapping[str, Any]) -> None:
        """An ``erased`` entry."""
        self.tags.setdefault(message_id, set()).update(values["tombstones"])
        self.left[message_id] = values["left"]
        if "entries" in values:
            self.closed[message_id] = {f"openings/{index}" for index in values["entries"]}

    def explains(self, message_id: str, path: str) -> bool:
        """Whether an ``erased`` entry says that the value at `path` is destroyed. Those of before version 0.3 name no openings."""
        is_named = not path.startswith("openings/") or path in self.closed.get(message_id, {path})
        return message_id in self.tags and is_named

    def hold(self, message_id: str, values: Mapping[str, Any] | None, at: str) -> None:
        """A ``hold`` entry; without values it is of an erased message."""
        if values is None or values["state"] == "released":
            self.held.pop(message_id, None)
        else:
            self.held[message_id] = (at, values["by"], values["reason"])

    def check(self, conn: Connection) -> None:
        """After the last entry."""
        ids = [known for one in self.tags if (known := uuid_of(one)) is not None]
        for at in range(0, len(ids), _CHUNK):
            self._check_blank(conn, ids[at : at + _CHUNK])
        self._compare_holds(conn)
        self._compare_tombstones(conn)

    def _check_blank(self, conn: Connection, ids: Sequence[UUID]) -> None:
        for table in _BLANKED:
            for row in conn.execute(_LEFT[table.name], {"ids": ids}):
                self._compare_row(table.name, row)
        for one, rows in left_of(conn, ids).items():
            for name, found in rows.items():
                if found != self.left[one].get(name):
                    got, expected = (json.dumps(each, ensure_ascii=False) for each in (found, self.left[one].get(name)))
                    self.findings.differ("message-changed", f"{name}/{one}", got=got, expected=expected)
        for table in GONE:
            for row in conn.execute(_STILL[table.name], {"ids": ids}):
                self.findings.differ("message-changed", f"{table.name}/{row.message_id}", got="a row", expected="none of an erased message")
        query = select(*loose(replay_items, "message_id", "finding"))
        for row in conn.execute(query.where(replay_items.c.message_id.in_(ids), replay_items.c.finding != "")):
            if not _says_nothing(row.finding):
                self.findings.differ("message-changed", f"replay_items/{row.message_id}", got="values", expected="nothing")
        for row in conn.execute(_TYPED, {"ids": ids}):
            self.findings.differ("message-changed", f"replay_typed/{row.message_id}", got="a row", expected="none of an erased message")
        for row in conn.execute(_FOUND_BY, {"ids": ids}):
            self.findings.differ("message-changed", f"search/{row.position}", got="terms", expected="nothing of an erased message")

    def _compare_row(self, table: str, row: AnyRow) -> None:
        for name, value in BLANK[table].items():
            if getattr(row, name) != value:
                path = f"{table}/{row.id if table in ('messages', 'deliveries') else row.message_id}/{name}"
                self.findings.differ("message-changed", path, got="something", expected="nothing of an erased message")

    def _compare_holds(self, conn: Connection) -> None:
        found = {row.message_id: (row.at, row.by, row.reason) for row in conn.execute(_HOLDS)}
        for one in sorted(found.keys() | self.held.keys()):
            if found.get(one) != self.held.get(one):
                got, expected = ("no hold" if each is None else " ".join(map(str, each)) for each in (found.get(one), self.held.get(one)))
                self.findings.differ("message-changed", f"holds/{one}", got=got, expected=expected)

    def _compare_tombstones(self, conn: Connection) -> None:
        found: dict[str, set[str]] = {}
        for row in conn.execute(_TOMBSTONES):
            found.setdefault(row.message_id, set()).add(row.tag.hex())
        for one in sorted(found.keys() | self.tags.keys()):
            got, expected = found.get(one, set()), self.tags.get(one, set())
            if got != expected:
                shown = (", ".join(sorted(each)) or "none" for each in (got, expected))
                self.findings.differ("message-changed", f"tombstones/{one}", got=next(shown), expected=next(shown))


def _says_nothing(finding: object) -> bool:
    """Whether what a replay keeps of an item holds no value of the message."""
    try:
        return not set(json.loads(str(finding))) - {"code", "got", "salt"}
    except (ValueError, TypeError, RecursionError):
        return False
