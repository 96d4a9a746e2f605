"""Which artefact came into force when; the contents lie in the table `artefacts`."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, String, Table

from replay.store.tables import metadata

in_force = Table(
    "in_force",
    metadata,
    Column("entry", BigInteger, primary_key=True, autoincrement=False),  # index of the journal entry that says so
    Column("kind", String(32), nullable=False, index=True),
    Column("digest", String(64), nullable=False),  # SHA-256 of the content, lower hex
    Column("at", String(27), nullable=False),
)
