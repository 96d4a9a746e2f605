"""Tables of the people who work with the hub: who they are, their sessions, and how often somebody has tried to log in.

Names and logins stay here; journal entries name people by their id alone (DESIGN §6).
"""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, LargeBinary, String, Table, Text, Uuid

from replay.store.tables import metadata

persons = Table(
    "persons",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("login", String(64), nullable=False, unique=True),
    Column("name", Text, nullable=False),  # for lists and reports
    Column("roles", Text, nullable=False),  # JSON list, sorted
    Column("password", Text, nullable=False),  # argon2id in PHC form, salt and costs within
    Column("disabled_at", String(27), nullable=False),  # "" while the person may log in
    Column("created_at", String(27), nullable=False),
    Column("changed_at", String(27), nullable=False),
)

sessions = Table(
    "sessions",
    metadata,
    Column("id", String(32), primary_key=True),  # the token's first part
    Column("person_id", Uuid, ForeignKey("persons.id"), nullable=False, index=True),
    Column("secret_sha256", LargeBinary, nullable=False),  # of the token's second part, 256 random bits
    Column("created_at", String(27), nullable=False),
    Column("expires_at", String(27), nullable=False),
    Column("ended_at", String(27), nullable=False),  # "" while it lasts
)

# Attempts to log in that have not led to a session, by what is limited (a login from an address, a login, an address).
login_attempts = Table(
    "login_attempts",
    metadata,
    Column("key", String(64), primary_key=True),  # index_key
    Column("made", Integer, nullable=False),
    Column("until", String(27), nullable=False),  # when the counting begins anew
    Index("login_attempts_by_end", "until"),
)
