"""What the hub has worked with, kept under its SHA-256: mappings and their stylesheets.

An entry of the journal names it, a replay fetches it. Nothing here is ever changed or removed. It holds rules, never anybody's data.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from hashlib import sha256

from sqlalchemy import Connection, select

from replay.store.loose import loose
from replay.store.tables import artefacts
from schemas.errors import Halted, Refused

_ARTEFACTS = select(*loose(artefacts)).order_by(artefacts.c.digest)


def keep(conn: Connection, contents: Iterable[tuple[str, bytes]]) -> None:
    """Keeps each content under its SHA-256 (lower hex), which the caller knows; once kept, it stays as it is."""
    for digest, content in contents:
        if conn.execute(select(artefacts.c.digest).where(artefacts.c.digest == digest)).first() is None:
            conn.execute(artefacts.insert().values(digest=digest, content=content))


def fetch(conn: Connection, digest: str) -> bytes:
    """The content under `digest`. Raises `Refused("not-found")`; `Halted("artefact-changed")` where it is not what it was."""
    content: bytes | None = conn.execute(select(artefacts.c.content).where(artefacts.c.digest == digest)).scalar()
    if content is None:
        raise Refused("not-found", got=digest, expected="an artefact that this store keeps")
    if sha256(content).hexdigest() != digest:
        raise Halted("artefact-changed", got=sha256(content).hexdigest(), expected=digest)
    return content


def changed(conn: Connection) -> Iterator[tuple[str, str]]:
    """Digests of artefacts that are not what they were, each with what they are now."""
    for row in conn.execute(_ARTEFACTS):
        now = sha256(row.content).hexdigest()
        if now != row.digest:
            yield row.digest, now


def missing(conn: Connection, named: Iterable[str]) -> Iterator[str]:
    """Those of the digests under which nothing is kept."""
    kept = set(conn.execute(select(artefacts.c.digest)).scalars())
    yield from sorted(set(named) - kept)
