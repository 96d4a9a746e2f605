"""Tables of replays: jobs over a frozen selection, and what came of each item. Everything a job is was fixed when it was made."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, LargeBinary, String, Table, Text, Uuid

from replay.store.tables import metadata

replays = Table(
    "replays",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("request", LargeBinary, nullable=False),  # canonical JSON (RFC 8785): what was asked for, the digest of the selection within
    Column("digest", String(64), nullable=False),  # SHA-256 of it: what an approval is over
    Column("mode", String(16), nullable=False),
    Column("created_by", Uuid, nullable=False),
    Column("created_at", String(27), nullable=False),
    Column("items", Integer, nullable=False),
    Column("state", String(16), nullable=False),
    Column("runner", String(32), nullable=False),  # whose turn it is; "" = nobody's
    Column("lease_until", String(27), nullable=False),
    Column("updated_at", String(27), nullable=False),
    Column("report", LargeBinary, nullable=True),  # signed canonical JSON, once it has ended
    Index("replays_by_state", "state", "lease_until"),
)

replay_items = Table(
    "replay_items",
    metadata,
    Column("replay_id", Uuid, ForeignKey("replays.id"), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),  # order of the journal
    Column("entry", BigInteger, nullable=False),  # index of the acceptance
    Column("leaf_hash", LargeBinary, nullable=False),
    Column("message_id", Uuid, nullable=False),
    Column("carrier_id", Uuid, nullable=True),  # the transmission, in modes that look at transmissions
    Column("outcome", String(16), nullable=False),  # "" = not done yet
    Column("finding", Text, nullable=False),  # JSON
    Column("done_at", String(27), nullable=False),
    Index("replay_items_by_outcome", "replay_id", "outcome", "position"),
    Index("replay_items_by_message", "message_id"),  # what an erasure looks for
)

# What opens conditions of a request that are values of messages (`replay.typed`). A row goes when such a message is erased.
replay_typed = Table(
    "replay_typed",
    metadata,
    Column("replay_id", Uuid, ForeignKey("replays.id"), primary_key=True),
    Column("name", String(16), primary_key=True),
    Column("value", Text, nullable=False),
    Column("salt", String(32), nullable=False),
)

approvals = Table(
    "replay_approvals",
    metadata,
    Column("replay_id", Uuid, ForeignKey("replays.id"), primary_key=True),
    Column("person_id", Uuid, nullable=False),
    Column("digest", String(64), nullable=False),  # of the request as the approver saw it
    Column("at", String(27), nullable=False),
    Column("entry", BigInteger, nullable=False),  # index of the journal entry that says so
)

# Transmissions that go under another idempotency key than their own id, because a redelivery asked for it.
delivery_keys = Table(
    "delivery_keys",
    metadata,
    Column("carrier_id", Uuid, primary_key=True),
    Column("key", String(64), nullable=False),
    Column("replay_id", Uuid, nullable=False),
)
