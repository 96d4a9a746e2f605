"""Which of a sender's ids means which message: one effect per message (DESIGN §2.2).

A sender's id is its `Idempotency-Key` when it gives one, else what the packet itself says it is (`Envelope.natural_id`). Ids belong to
the system that used them. The bytes are an id too: whatever comes twice byte for byte gets the first receipt.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Connection, bindparam, select

from replay import erasure
from replay.entry import PartyKeys
from replay.store.index_key import index_key
from replay.store.tables import messages, sender_ids
from schemas.errors import Refused
from schemas.message import Envelope, Inbound, Receipt

# Built once: putting a statement together costs more than running it.
_BOUND = (
    select(messages.c.id, messages.c.index.label("position"), messages.c.receipt, sender_ids.c.raw_digest)
    .join(messages, messages.c.id == sender_ids.c.message_id)
    .where(sender_ids.c.principal == bindparam("principal"), sender_ids.c.sender_id == bindparam("sender_id"))
)
_SAME_BYTES = (
    select(messages.c.id, messages.c.index.label("position"), messages.c.receipt)
    .where(messages.c.principal == bindparam("principal"), messages.c.raw_digest == bindparam("raw_digest"))
    .order_by(messages.c.index)
    .limit(1)
)
_BIND = sender_ids.insert()


@dataclass(frozen=True, slots=True)
class Claim:
    """Whose bytes, under which id."""

    principal: str
    sender_id: str  # "key:…" or "doc:…"; "" before the packet is parsed and without a key
    raw_digest: bytes  # SHA-256 of the content the id stands for: the bytes, but for what the hub itself composes


@dataclass(frozen=True, slots=True)
class Known:
    """What the ledger says of a claim."""

    first: Receipt | None = None  # the receipt to give again
    conflict: UUID | None = None  # the message that has this id, with other bytes
    bind: UUID | None = None  # the message to which the id is still to be bound


def key_id(inbound: Inbound) -> str:
    """The ledger's form of an Idempotency-Key; "" without one."""
    return f"key:{inbound.idempotency_key}" if inbound.idempotency_key else ""


def sender_id(envelope: Envelope) -> str:
    """The ledger's form of the message's id."""
    return key_id(envelope.inbound) or f"doc:{index_key(envelope.natural_id)}"


def look_up(conn: Connection, claim: Claim) -> Known:
    """What is known of `claim`. The id is asked first: an id that was used with other bytes is a conflict, even if the bytes are known."""
    asked = {"principal": claim.principal, "sender_id": claim.sender_id, "raw_digest": claim.raw_digest}
    bound = conn.execute(_BOUND, asked).first() if claim.sender_id else None
    if bound is not None and bound.raw_digest != claim.raw_digest:
        return Known(conflict=bound.id)
    if bound is not None:
        return Known(first=Receipt(bound.id, bound.position, b"", bound.receipt, repeated=True))
    row = conn.execute(_SAME_BYTES, asked).first()
    if row is None:
        return Known()
    first = Receipt(row.id, row.position, b"", row.receipt, repeated=True)
    return Known(first=first, bind=row.id if claim.sender_id else None)


def check_not_erased(conn: Connection, claims: Iterable[Claim], keys: PartyKeys) -> None:
    """Raises `Refused("message-erased")` for what was erased: the same bytes, or one of the same ids, from the same system."""
    tags = [tag for claim in claims for tag in _tags(claim, keys)]
    if erasure.buried(conn, tags) is not None:
        raise Refused("message-erased")


def _tags(claim: Claim, keys: PartyKeys) -> Iterator[bytes]:
    yield erasure.bytes_tag(keys, claim.principal, claim.raw_digest)
    if claim.sender_id:
        yield erasure.id_tag(keys, claim.principal, claim.sender_id)


def bind(conn: Connection, claim: Claim, message_id: UUID) -> None:
    """From now on `claim.sender_id` means `message_id`. The tree head's lock makes look-up and insert one step."""
    row = {"principal": claim.principal, "sender_id": claim.sender_id, "message_id": message_id, "raw_digest": claim.raw_digest}
    conn.execute(_BIND, row)
