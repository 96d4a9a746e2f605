"""All tables of the hub. Times are RFC 3339 text in UTC with microseconds (`schemas.message.rfc3339`): they sort, in both databases.

The journal (`log_head`, `entries`) can never change its meaning; everything else can be derived from it and the payloads, or is
state. Values and salts (`openings`) lie beside the log, so that erasing them leaves every proof standing.
"""

from __future__ import annotations

from typing import Any, TypeAlias

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Row,
    String,
    Table,
    Text,
    Uuid,
    event,
)

SCHEMA_VERSION = 2
AnyRow: TypeAlias = Row[*tuple[Any, ...]]  # a row of a query whose columns stand in the query

metadata = MetaData()
_Index = BigInteger().with_variant(Integer, "sqlite")

schema_version = Table("schema_version", metadata, Column("version", Integer, primary_key=True))

# --- the journal -------------------------------------------------------------------------------------------------------------

# One row. Its lock is the sequencer across nodes: whoever holds it assigns the next indexes.
log_head = Table(
    "log_head",
    metadata,
    Column("id", Integer, primary_key=True),  # always 1
    Column("origin", Text, nullable=False),  # the log's name in checkpoints (C2SP tlog-checkpoint)
    Column("size", _Index, nullable=False),  # number of entries
    Column("frontier", LargeBinary, nullable=False),  # hashes of the complete subtrees, left to right, 32 bytes each
)

entries = Table(
    "entries",
    metadata,
    Column("index", _Index, primary_key=True, autoincrement=False),
    Column("leaf", LargeBinary, nullable=False),  # canonical JSON (RFC 8785), ≤ 65,535 bytes
    Column("leaf_hash", LargeBinary, nullable=False),  # SHA-256(0x00 ‖ leaf)
)

# The tree above the leaves, where tiles (C2SP tlog-tiles, height 8) begin: row (level, n) is the root of full tile n of the level below,
# written in the transaction of the entry that fills it. Derived from the leaf hashes; `replay.published` mends what is missing.
tree_nodes = Table(
    "tree_nodes",
    metadata,
    Column("level", Integer, primary_key=True, autoincrement=False),  # from 1: a node of level L covers 256^L entries
    Column("index", _Index, primary_key=True, autoincrement=False),
    Column("hash", LargeBinary, nullable=False),
)

# Checkpoints that were published, with what others say of them. None of it is needed to run; all of it is evidence.
checkpoints = Table(
    "checkpoints",
    metadata,
    Column("size", _Index, primary_key=True, autoincrement=False),
    Column("number", _Index, nullable=False),  # counts them: every k-th is time-stamped
    Column("note", LargeBinary, nullable=False),  # as the log signed it
    Column("at", String(27), nullable=False),
    Column("stamp_due", Integer, nullable=False),  # 1: a time stamp is owed
    Column("stamp", LargeBinary, nullable=True),  # RFC 3161 token over the note
    Index("checkpoints_by_debt", "stamp_due", "size"),
)

cosignatures = Table(
    "cosignatures",
    metadata,
    Column("size", _Index, ForeignKey("checkpoints.size"), primary_key=True, autoincrement=False),
    Column("witness", Text, primary_key=True),  # its name
    Column("line", Text, nullable=False),  # the signature line, with its newline
    Column("at_s", BigInteger, nullable=False),  # POSIX seconds, as the witness says
)

# Salts and values of an entry's commitments, canonical JSON {field: {"salt": base64, "value": …}}; null once erased.
openings = Table(
    "openings",
    metadata,
    Column("index", _Index, ForeignKey("entries.index"), primary_key=True, autoincrement=False),
    Column("message_id", Uuid, nullable=True, index=True),
    Column("event", String(64), nullable=False),
    Column("at", String(27), nullable=False),
    Column("body", LargeBinary, nullable=True),
)

# Mappings and stylesheets that deliveries were translated with, by their SHA-256 in lower hex. Never changed, never removed.
artefacts = Table(
    "artefacts",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("content", LargeBinary, nullable=False),
)

# --- messages ----------------------------------------------------------------------------------------------------------------

messages = Table(
    "messages",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("principal", Text, nullable=False),  # the system that handed it in
    Column("kind", String(64), nullable=False),
    Column("sender", Text, nullable=False),  # From/OrganId as written
    Column("sender_key", Text, nullable=False),  # AgencyCode.key
    Column("document_id", Text, nullable=False),
    Column("document_key", String(64), nullable=False),  # index_key(document_id)
    Column("subject", Text, nullable=False),  # the document it is about: what order is kept by
    Column("subject_key", String(64), nullable=False),  # index_key(subject)
    Column("natural_id", String(64), nullable=False),  # index_key of the id that the packet itself gives
    Column("fingerprint", String(64), nullable=False),  # what it says, however it is written
    Column("title", Text, nullable=False),  # Subject (trích yếu), for lists
    Column("status_code", String(8), nullable=False),  # of a status packet, "" otherwise
    Column("priority", String(16), nullable=False),  # OtherInfo/Priority as written, for statistics
    Column("paper", String(16), nullable=False),  # Bussiness/Paper as written: "1" = a paper copy follows
    Column("raw_digest", LargeBinary, nullable=False),  # SHA-256 of the received bytes
    Column("size", Integer, nullable=False),
    Column("content_type", Text, nullable=False),
    Column("charset", Text, nullable=False),
    Column("protocol", Text, nullable=False),
    Column("received_at", String(27), nullable=False),
    Column("accepted_at", String(27), nullable=False),
    Column("index", _Index, nullable=False, unique=True),  # of its acceptance in the journal
    Column("verdict", Text, nullable=False),  # JSON
    Column("warnings", Text, nullable=False),  # JSON
    Column("receipt", LargeBinary, nullable=False),  # signed canonical JSON, given byte for byte
    Column("second_route_of", Uuid, nullable=True),
    Column("about", Uuid, nullable=True, index=True),  # the message a status or recall is about
    Index("messages_by_digest", "principal", "raw_digest"),
    Index("messages_by_document", "document_key", "sender_key"),
    Index("messages_by_natural_id", "natural_id"),
    Index("messages_by_subject", "subject_key"),
    Index("messages_by_time", "accepted_at", "index"),
)

# What a message does to, or says of, a document: recalls, updates, replaces, takes back, answers.
links = Table(
    "links",
    metadata,
    Column("message_id", Uuid, ForeignKey("messages.id"), primary_key=True),
    Column("relation", String(32), primary_key=True),
    Column("document_key", String(64), primary_key=True),
    Column("document_id", Text, nullable=False),
    Column("target", Uuid, nullable=True, index=True),  # the message that brought the document, where the hub knows it
)

# Which id of a sender means which message. One message may have several (a key given later for the same bytes).
sender_ids = Table(
    "sender_ids",
    metadata,
    Column("principal", Text, primary_key=True),
    Column("sender_id", String(600), primary_key=True),  # "key:<Idempotency-Key>" or "doc:<natural id>"
    Column("message_id", Uuid, ForeignKey("messages.id"), nullable=False),
    Column("raw_digest", LargeBinary, nullable=False),  # of the content that the id stands for
)

# The received bytes: zstd, then chunked AEAD under the message's own key, which is wrapped by the master key.
payloads = Table(
    "payloads",
    metadata,
    Column("message_id", Uuid, ForeignKey("messages.id"), primary_key=True),
    Column("format", String(32), nullable=False),
    Column("digest", LargeBinary, nullable=False),  # SHA-256 of the ciphertext: its address
    Column("size", Integer, nullable=False),  # of the plain bytes
    Column("body", LargeBinary, nullable=True),  # the ciphertext, or null when it lies in a file named by the digest
)

message_keys = Table(
    "message_keys",
    metadata,
    Column("message_id", Uuid, ForeignKey("messages.id"), primary_key=True),
    Column("master_key_id", Text, nullable=False),
    Column("wrapped", LargeBinary, nullable=True),  # null once destroyed
)

# --- deliveries: the outbox, and the queue of record -------------------------------------------------------------------------

deliveries = Table(
    "deliveries",
    metadata,
    Column("id", Uuid, primary_key=True),
    # Deliveries of one message to one system that takes a packet once for all its recipients share a carrier; others carry themselves.
    Column("carrier_id", Uuid, nullable=False, index=True),
    Column("message_id", Uuid, ForeignKey("messages.id"), nullable=False, index=True),
    Column("recipient", Text, nullable=False),  # as written
    Column("recipient_key", Text, nullable=False),
    Column("system", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("due_at", String(27), nullable=False),
    Column("lease_until", String(27), nullable=False),  # "" unless delivering
    Column("order_key", String(64), nullable=False),  # index_key of recipient (or system), document owner and subject
    Column("sequence", _Index, nullable=False),
    Column("cause", Text, nullable=False),  # code of the last failure
    Column("detail", Text, nullable=False),  # its text, for people
    Column("remote_id", Text, nullable=False),
    Column("updated_at", String(27), nullable=False),
    Index("deliveries_by_state", "state", "due_at"),
    Index("deliveries_by_order", "order_key", "sequence"),
    Index("deliveries_by_system", "system", "state", "sequence"),
    Index("deliveries_in_state", "state", "sequence"),
    Index("deliveries_by_cause", "cause", "sequence"),
)

# --- finding, keeping, erasing ---------------------------------------------------------------------------------------------------

# What a message is found by: the terms of `replay.terms`, made of its acceptance. No row once it is erased.
search = Table(
    "search",
    metadata,
    Column("position", _Index, primary_key=True, autoincrement=False),  # messages.index
    Column("terms", Text, nullable=False),  # each between spaces
)

# SQLite: a full-text index over `search`, fed beside it; PostgreSQL: an inverted index over the terms as a list. Both find a message by
# all of some terms. `ascii`: letters, digits and whatever is not ASCII belong to a term, and nothing is folded a second time.
_INDEXED = {
    "sqlite": "CREATE VIRTUAL TABLE search_terms"
    " USING fts5(terms, content='search', content_rowid='position', detail=none, tokenize='ascii')",
    "postgresql": "CREATE INDEX search_by_terms ON search USING gin (string_to_array(terms, ' '))",
}


@event.listens_for(search, "after_create")
def _index_terms(_: Table, conn: Connection, **__: object) -> None:
    conn.exec_driver_sql(_INDEXED[conn.dialect.name])


# Columns whose values PostgreSQL must not keep in its statistics: those would outlive an erasure in the catalogue.
_UNSAMPLED = (
    (messages, ("document_id", "subject", "title", "verdict", "warnings", "receipt")),
    (openings, ("body",)),
    (deliveries, ("detail", "remote_id")),
    (links, ("document_id",)),
)


def _keep_out_of_statistics(table: Table, conn: Connection, **__: object) -> None:
    for column in dict(_UNSAMPLED)[table] if conn.dialect.name == "postgresql" else ():
        conn.exec_driver_sql(f"ALTER TABLE {table.name} ALTER COLUMN {column} SET STATISTICS 0")


for _table, _ in _UNSAMPLED:
    event.listen(_table, "after_create", _keep_out_of_statistics)


# Legal holds that stand: what is held is not erased. The journal has who set and released them.
holds = Table(
    "holds",
    metadata,
    Column("message_id", Uuid, ForeignKey("messages.id"), primary_key=True),
    Column("at", String(27), nullable=False),
    Column("by", Text, nullable=False),
    Column("reason", Text, nullable=False),
)

# What erased messages are recognised by when they come again, and by nothing else: HMAC of their ids and bytes under a key outside the
# database.
tombstones = Table(
    "tombstones",
    metadata,
    Column("tag", LargeBinary, primary_key=True),  # 32 bytes
    Column("message_id", Uuid, ForeignKey("messages.id"), nullable=False, index=True),
)

# --- what verdicts rest on ---------------------------------------------------------------------------------------------------

# Bundles (`signing.kept`) and what they name: certificates, lists, answers. Each once, never changed: its key is its SHA-256.
evidence = Table(
    "evidence",
    metadata,
    Column("sha256", String(64), primary_key=True),  # lower hex
    Column("body", LargeBinary, nullable=False),
    Column("stored_at", String(27), nullable=False),
)

# Messages whose verdict was reached again, or waits for it. The verdict of then stays in `messages`: the journal commits to it.
verifications = Table(
    "verifications",
    metadata,
    Column("message_id", Uuid, ForeignKey("messages.id"), primary_key=True),
    Column("state", String(16), nullable=False),  # pending, confirmed, withdrawn, given-up
    Column("attempt", Integer, nullable=False),  # how often it was reached again
    Column("due_at", String(27), nullable=False),
    Column("verdict", Text, nullable=False),  # JSON, the newest
    Column("evidence", String(64), nullable=False),  # of it: key of the bundle
    Column("updated_at", String(27), nullable=False),
    Index("verifications_by_due", "state", "due_at"),
)
