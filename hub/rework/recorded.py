"""What the journal and the payload store have of a message, checked against each other before anything is concluded from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, bindparam, select

from replay.entry import Entry
from replay.hashing import leaf_hash
from replay.job import Finding, Outcome
from replay.payloads import PayloadStore
from replay.selection import Item
from replay.store.engine import Store
from replay.store.tables import entries, openings
from schemas.errors import HubError, Refused
from schemas.message import Inbound

_ENTRY = (
    select(entries.c.leaf, entries.c.leaf_hash, openings.c.body)
    .outerjoin(openings, openings.c.index == entries.c.index)
    .where(entries.c.index == bindparam("wanted"))
)
MAX_FIELDS = 500  # that a finding lists
MAX_CHARS = 500  # of a value that it shows


@dataclass(frozen=True, slots=True)
class Recorded:
    """An acceptance with the bytes it was about."""

    values: Mapping[str, Any]  # as the journal commits to them
    raw: bytes = field(repr=False)
    artefacts: Mapping[str, str]

    @property
    def inbound(self) -> Inbound:
        """As it came."""
        received = self.values["received"]
        return Inbound(
            self.raw, received["content_type"], received["charset"], received["by"], self.received_at, received["idempotency_key"]
        )

    @property
    def received_at(self) -> datetime:
        """When it came."""
        return datetime.fromisoformat(self.values["received"]["at"])

    @property
    def is_composed(self) -> bool:
        """Whether the hub itself wrote it on behalf of a receiver."""
        return bool(self.values["verdict"]["policy"] == "composed-by-hub")


def recorded(store: Store, payloads: PayloadStore, item: Item) -> Recorded | Finding:
    """The acceptance of `item`, or why it cannot be asked about."""
    try:
        with store.read() as conn:
            values = opened(conn, item.entry, item.leaf_hash)
            raw = payloads.get(conn, item.message_id)
    except Refused as fault:
        outcome = Outcome.DIFFERENT if fault.code in ("entry-malformed", "opening-mismatch") else Outcome.IMPOSSIBLE
        return Finding(outcome, {"code": fault.code, "got": fault.got})
    except HubError as fault:  # damaged, or the store is away
        if fault.code != "payload-damaged":
            raise
        return Finding(Outcome.DIFFERENT, {"code": fault.code, "got": fault.got})
    digest = sha256(raw).hexdigest()
    if digest != values["raw_digest"] or values["message_id"] != str(item.message_id):
        return Finding(Outcome.DIFFERENT, {"code": "payload-damaged", "fields": {"raw_digest": [values["raw_digest"], digest]}})
    return Recorded(values, raw, values["artefacts"])


def opened(conn: Connection, index: int, expected_leaf_hash: bytes | None = None) -> dict[str, Any]:
    """The values behind an entry's commitments.

    Raises `Refused`: ``unknown-entry``, ``payload-erased`` (its opening is gone), ``entry-malformed``,
    ``opening-mismatch``.
    """
    row = conn.execute(_ENTRY, {"wanted": index}).first()
    if row is None:
        raise Refused("unknown-entry", got=str(index))
    if leaf_hash(bytes(row.leaf)) != row.leaf_hash or (expected_leaf_hash is not None and row.leaf_hash != expected_leaf_hash):
        raise Refused("entry-malformed", got=bytes(row.leaf_hash).hex(), expected=(expected_leaf_hash or b"").hex())
    if row.body is None:
        raise Refused("payload-erased", got=f"entry {index}")
    return Entry.from_leaf(bytes(row.leaf)).opened(bytes(row.body))


def differences(then: Any, now: Any, path: str = "") -> dict[str, list[Any]]:
    """Every field that differs, by its path: what it was, what it is now."""
    found: dict[str, list[Any]] = {}
    _compare(then, now, path, found)
    return found


def told_of(fields: Mapping[str, list[Any]]) -> dict[str, Any]:
    """What a finding says of fields that differ: nothing where none does; beyond `MAX_FIELDS` how many there are."""
    if not fields:
        return {}
    listed = dict(list(fields.items())[:MAX_FIELDS])
    return {"fields": listed} if len(listed) == len(fields) else {"fields": listed, "fields_differing": len(fields)}


def _compare(then: Any, now: Any, path: str, found: dict[str, list[Any]]) -> None:
    if then == now:
        return
    if isinstance(then, Mapping) and isinstance(now, Mapping):
        for name in sorted(set(then) | set(now)):
            _compare(then.get(name), now.get(name), f"{path}/{name}", found)
    elif isinstance(then, list | tuple) and isinstance(now, list | tuple) and len(then) == len(now):
        for place, (one, other) in enumerate(zip(then, now, strict=True)):
            _compare(one, other, f"{path}/{place}", found)
    else:
        found[path or "/"] = [short(then), short(now)]


def short(value: Any) -> Any:
    """A value as a finding shows it: a long text by its beginning, length and digest, so that two of them are told apart; a number that
    canonical JSON does not have as text."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value if isinstance(value, int) and abs(value) < 2**53 else str(value)
    if not isinstance(value, str):
        return value
    text = value.encode("utf-8", "backslashreplace").decode("utf-8")  # a lone surrogate has no bytes
    if len(text) <= MAX_CHARS:
        return text
    return f"{text[:MAX_CHARS]}… ({len(text)} characters, SHA-256 {sha256(text.encode()).hexdigest()})"
