"""Erasing a message for good: the decision, its conditions, and doing it so that a process killed anywhere is finished later.

1. conditions   there is such a message; no legal hold stands; every copy has come to its end
2. the file     the decision is on disk outside the database (`hub.erasures`)
3. destroy      `replay.erasure`, with the journal's ``erased`` entry, in one transaction
4. clean up     the payload's file, free pages, WAL (`replay.store.compact`)

1 to 3 stand under the tree head's lock. After 2, start-up does the rest (`reapply`): also on a backup older than the decision, whatever
that backup says of holds and deliveries. 4 may be repeated at any time, and is, by erasing the same message again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select, update

from hub import record
from hub.commit import Committer, Transaction
from hub.erasures import Erasure, ErasuresFile
from hub.outbox import Outcome
from replay import erasure
from replay.entry import PartyKeys
from replay.journal import Journal
from replay.payloads import PayloadStore
from replay.store.compact import compact
from replay.store.engine import Store
from replay.store.tables import AnyRow, deliveries, holds, links, messages, payloads
from schemas.agency import AgencyCode
from schemas.errors import Refused
from schemas.message import FINAL_STATES, DeliveryState, rfc3339

MAX_REASON_CHARS = 500


@dataclass(frozen=True, slots=True)
class Erased:
    """What became of the wish."""

    message_id: UUID
    index: int | None  # of the ``erased`` entry; None: it was erased before
    related: tuple[UUID, ...]  # messages that are about it, and name its document in what is theirs

    def as_json(self) -> dict[str, Any]:
        """For `--json`."""
        return {"message_id": str(self.message_id), "index": self.index, "related": [str(one) for one in self.related]}


@dataclass(frozen=True, slots=True)
class Eraser:
    """Erases, holds and releases. Every write goes through the committer; works beside a hub that serves."""

    store: Store
    committer: Committer
    payloads: PayloadStore
    parties: PartyKeys
    file: ErasuresFile

    def erase(self, message_id: UUID, *, by: str, reason: str, at: datetime, rewrite: bool = False) -> Erased:
        """All four steps. Once more, for a message that is erased, repeats the fourth. `rewrite`: see `replay.store.compact`.

        Raises `Refused`: ``unknown-entry``, ``erase-held``, ``erase-undelivered``, ``invalid-request`` (no reason); `TryLater`:
        ``erase-unfinished`` (1 to 3 are done, 4 is not); `Halted`: ``erasures-damaged``.
        """
        done = self.begin(message_id, by=by, reason=reason, at=at)
        self.clean_up([message_id], rewrite=rewrite)
        return done

    def begin(self, message_id: UUID, *, by: str, reason: str, at: datetime) -> Erased:
        """Steps 1 to 3. Raises as `erase`."""
        wanted = Erasure(message_id, rfc3339(at), by, checked_reason(reason))
        return self.committer.submit(lambda tx: self._change(tx, wanted, at)).result()

    def reapply(self, at: datetime) -> tuple[UUID, ...]:
        """Erases what the file says is erased and the store still has; returns those. Raises `Halted("erasures-damaged")`."""
        told = self.file.read()
        with self.store.read() as conn:
            left = erasure.unerased(conn, [one.message_id for one in told])
        wanted = [one for one in told if one.message_id in left]
        for one in wanted:
            self.committer.submit(lambda tx, one=one: self._change(tx, one, at, again=True)).result()  # type: ignore[misc]
        if wanted:
            self.clean_up([one.message_id for one in wanted])
        return tuple(one.message_id for one in wanted)

    def clean_up(self, message_ids: Sequence[UUID], *, rewrite: bool = False) -> None:
        """Step 4."""
        with self.store.read() as conn:
            for digest in conn.execute(select(payloads.c.digest).where(payloads.c.message_id.in_(message_ids))).scalars():
                self.payloads.path_of(digest).unlink(missing_ok=True)
        compact(self.store, rewrite=rewrite)

    def hold(self, message_id: UUID, *, by: str, reason: str, at: datetime) -> None:
        """Sets a legal hold. Raises `Refused`: ``unknown-entry``, ``payload-erased``, ``already-held``, ``invalid-request``."""
        row = {"message_id": message_id, "at": rfc3339(at), "by": by, "reason": checked_reason(reason)}

        def change(tx: Transaction) -> None:
            if _state(tx.conn, message_id):
                raise Refused("payload-erased", got=str(message_id))
            if any(one.message_id == message_id for one in self.file.read()):
                raise Refused("payload-erased", got=str(message_id), expected="a message that is not being erased")
            standing = _hold_on(tx.conn, message_id)
            if standing is not None:
                raise Refused("already-held", got=f"{standing.at} {standing.by}: {standing.reason}")
            tx.conn.execute(holds.insert(), row)
            record.hold(
                tx, message_id=message_id, parties=parties_of(tx.conn, message_id), state="set", by=by, reason=str(row["reason"]), at=at
            )

        self.committer.submit(change).result()

    def release(self, message_id: UUID, *, by: str, reason: str, at: datetime) -> None:
        """Releases it. Raises `Refused`: ``unknown-entry``, ``not-held``, ``invalid-request``."""
        why = checked_reason(reason)

        def change(tx: Transaction) -> None:
            _state(tx.conn, message_id)
            if _hold_on(tx.conn, message_id) is None:
                raise Refused("not-held", got=str(message_id))
            _release(tx, message_id, by, why, at)

        self.committer.submit(change).result()

    def _change(self, tx: Transaction, wanted: Erasure, at: datetime, *, again: bool = False) -> Erased:
        message_id, conn = wanted.message_id, tx.conn
        related = _related(conn, message_id)
        if _state(conn, message_id):
            return Erased(message_id, None, related)
        if again:
            _settle(tx, wanted, at)
            conn = tx.conn  # with the entries just appended: they are erased, too
        _check(conn, message_id)  # 1
        if not again:
            self.file.add(wanted)  # 2
        tags, parties = erasure.tags_of(conn, message_id, self.parties), parties_of(conn, message_id)
        closes = erasure.entries_of(conn, message_id)
        left = erasure.destroy(conn, message_id, tags)  # 3
        position = record.erased(
            tx,
            message_id=message_id,
            parties=parties,
            by=wanted.by,
            reason=wanted.reason,
            entries=closes,
            tombstones=tags,
            left=left,
            at=at,
        )
        return Erased(message_id, position.index, related)


def erase_again(eraser: Eraser, journal: Journal, at: datetime) -> None:
    """`Eraser.reapply` before anything is served, and before the hub's own committer runs: on a restored backup, and after a process that
    was killed while it erased."""
    if not eraser.file.read():
        return
    committer = Committer(eraser.store, journal)
    committer.start()
    try:
        replace(eraser, committer=committer).reapply(at)
    finally:
        committer.stop()


def erase_and_release(eraser: Eraser, journal: Journal, at: datetime, release: Callable[[], None]) -> None:
    """For a store that is not served because it is behind what was published, or another history: it may be kept for a long time, so it
    keeps nothing of what was erased. After the comparison: the refusal tells what was found, not what the erasures made of it."""
    try:
        erase_again(eraser, journal, at)
    finally:
        release()


def checked_reason(reason: str) -> str:
    """The reason, trimmed. Raises `Refused("invalid-request")`: it is part of the journal, so there has to be one, and no novel."""
    text = reason.strip()
    if not text or len(text) > MAX_REASON_CHARS or not text.isprintable():
        got = f"{len(text)} characters" if text else "no reason"
        raise Refused("invalid-request", got=got, expected=f"a reason for the journal, one line of at most {MAX_REASON_CHARS} characters")
    return text


def standing_holds(conn: Connection) -> Sequence[AnyRow]:
    """All holds, oldest first."""
    return conn.execute(select(holds).order_by(holds.c.at, holds.c.message_id)).all()


def _state(conn: Connection, message_id: UUID) -> bool:
    """Whether it is erased. Raises `Refused("unknown-entry")`."""
    found = erasure.is_erased(conn, message_id)
    if found is None:
        raise Refused("unknown-entry", got=str(message_id))
    return found


def _check(conn: Connection, message_id: UUID) -> None:
    standing = _hold_on(conn, message_id)
    if standing is not None:
        raise Refused("erase-held", got=f"{standing.at} {standing.by}: {standing.reason}", expected="no legal hold")
    states = conn.execute(select(deliveries.c.recipient, deliveries.c.state).where(deliveries.c.message_id == message_id)).all()
    pending = [f"{row.recipient} {row.state}" for row in states if row.state not in FINAL_STATES]
    if pending:
        raise Refused("erase-undelivered", got=", ".join(pending), expected="every copy delivered, refused or cancelled")


def _settle(tx: Transaction, wanted: Erasure, at: datetime) -> None:
    """On an older backup: releases the hold and cancels what was still to be delivered, for it was erased after that."""
    if _hold_on(tx.conn, wanted.message_id) is not None:
        _release(tx, wanted.message_id, wanted.by, wanted.reason, at)
    rows = tx.conn.execute(
        select(deliveries).where(deliveries.c.message_id == wanted.message_id, deliveries.c.state.not_in(FINAL_STATES))
    ).all()
    outcome = Outcome(DeliveryState.CANCELLED, "payload-erased")
    for row in rows:
        values = {"state": str(outcome.state), "cause": outcome.cause, "detail": "", "lease_until": "", "updated_at": rfc3339(at)}
        tx.conn.execute(update(deliveries).where(deliveries.c.id == row.id).values(values))
        recipient = AgencyCode.of(row.recipient)
        record.delivery(
            tx, message_id=wanted.message_id, delivery_id=row.id, recipient=recipient, attempt=row.attempt, outcome=outcome, at=at
        )


def _release(tx: Transaction, message_id: UUID, by: str, reason: str, at: datetime) -> None:
    tx.conn.execute(holds.delete().where(holds.c.message_id == message_id))
    record.hold(tx, message_id=message_id, parties=parties_of(tx.conn, message_id), state="released", by=by, reason=reason, at=at)


def _hold_on(conn: Connection, message_id: UUID) -> AnyRow | None:
    return conn.execute(select(holds).where(holds.c.message_id == message_id)).first()


def parties_of(conn: Connection, message_id: UUID) -> tuple[AgencyCode, ...]:
    """Who sent it and whom it goes to, without reading the packet, which may be gone."""
    sender = conn.execute(select(messages.c.sender).where(messages.c.id == message_id)).scalars().all()
    recipients = conn.execute(select(deliveries.c.recipient).where(deliveries.c.message_id == message_id)).scalars().all()
    return tuple(AgencyCode.of(one) for one in (*sender, *recipients))


def _related(conn: Connection, message_id: UUID) -> tuple[UUID, ...]:
    about = conn.execute(select(messages.c.id).where(messages.c.about == message_id)).scalars().all()
    naming = conn.execute(select(links.c.message_id).where(links.c.target == message_id)).scalars().all()
    second = conn.execute(select(messages.c.id).where(messages.c.second_route_of == message_id)).scalars().all()
    return tuple(dict.fromkeys((*about, *naming, *second)))
