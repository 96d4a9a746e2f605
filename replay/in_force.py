"""What is in force: trust, policies, tables, schemas, mappings, settings, registry, keys and software, each kept as an artefact.

An acceptance names what it was judged with by digest, under ``artefacts``. The content is kept (`replay.artefacts`) from the moment it is
first in force, with an ``artefact`` entry in the journal; so an old message can be asked about with what was in force then, and a change of
any of it is an event of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any, Protocol

from sqlalchemy import Connection, func, select

from replay import artefacts
from replay.entry import EntryDraft
from replay.findings import Findings
from replay.journal import Position
from replay.store.in_force import in_force
from replay.store.loose import loose
from schemas.message import rfc3339

_IN_FORCE = select(*loose(in_force, "entry", "kind", "digest", "at"))
SUFFIX = "-sha256"  # in an acceptance: kind, then this


class Writing(Protocol):
    """A transaction that can append to the journal."""

    @property
    def conn(self) -> Connection: ...

    def append(self, draft: EntryDraft) -> Position: ...


@dataclass(frozen=True, slots=True)
class Artefact:
    """One of them. `kind` is a name such as ``trust`` or ``schemas``."""

    kind: str
    body: bytes = field(repr=False)

    @property
    def digest(self) -> str:
        """SHA-256, lower hex: its address."""
        return sha256(self.body).hexdigest()


def digests(found: Mapping[str, Artefact]) -> dict[str, str]:
    """What an acceptance says: kind → digest."""
    return {f"{name}{SUFFIX}": one.digest for name, one in sorted(found.items())}


def keep(tx: Writing, found: Mapping[str, Artefact], at: datetime) -> tuple[str, ...]:
    """Keeps what is new and journals, per kind, that another one is in force now. Returns the kinds that changed."""
    changed = []
    for kind, one in sorted(found.items()):
        before = latest(tx.conn, kind)
        if before != one.digest:
            fields: dict[str, Any] = {"kind": kind, "digest": one.digest, "bytes": len(one.body), "before": before}
            position = tx.append(EntryDraft(event="artefact", at=at, parties=(), fields=fields))
            artefacts.keep(tx.conn, [(one.digest, one.body)])
            tx.conn.execute(in_force.insert(), {"entry": position.index, "kind": kind, "digest": one.digest, "at": rfc3339(at)})
            changed.append(kind)
    return tuple(changed)


def latest(conn: Connection, kind: str) -> str | None:
    """Digest of what came into force last; None where nothing did."""
    last = select(func.max(in_force.c.entry)).where(in_force.c.kind == kind).scalar_subquery()
    found: str | None = conn.execute(select(in_force.c.digest).where(in_force.c.entry == last)).scalar()
    return found


def named_by(values: Mapping[str, Any]) -> set[str]:
    """Digests of what an ``accepted`` entry says it was judged with."""
    return {str(digest) for name, digest in values["artefacts"].items() if name.endswith(SUFFIX)}


@dataclass(slots=True)
class InForce:
    """fsck's question: what came into force when is what the journal says. Whether the contents are kept is asked beside it."""

    findings: Findings
    told: set[tuple[object, ...]] = field(default_factory=set)  # index, kind, digest, since

    def fold(self, index: int, at: str, values: Mapping[str, Any]) -> str:
        """An ``artefact`` entry; its digest."""
        self.told.add((index, str(values["kind"]), str(values["digest"]), at))
        return str(values["digest"])

    def check(self, conn: Connection) -> None:
        """After the last entry."""
        found = {tuple(row) for row in conn.execute(_IN_FORCE)}
        if found != self.told:
            got, expected = ("; ".join(sorted(map(repr, rows))) for rows in (found - self.told, self.told - found))
            self.findings.differ("artefact-changed", "in_force", got=got or "nothing", expected=expected or "nothing")
