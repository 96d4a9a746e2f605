"""The inbox: deliveries to systems that fetch. A state in the deliveries table, not an adapter.

The axis' own habit (edxml.md §0.9): list, get, save, acknowledge; what is not acknowledged is listed again. Fetching moves a delivery
from `queued` to `delivering`, so that a recall no longer cancels what has left; acknowledging moves it to `delivered` or `refused`.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from uuid import UUID

from sqlalchemy import Connection, select, update

from hub import record
from hub.access import EXCHANGE, Principal
from hub.commit import Committer, Transaction
from hub.mark import mark_of
from hub.outbox import WAITING, Outcome
from hub.translating import Translator, translated_before
from replay.payloads import PayloadStore
from replay.store.engine import Store
from replay.store.tables import AnyRow, deliveries, messages, verifications
from schemas.agency import AgencyCode
from schemas.errors import Parked, Refused, shown
from schemas.message import DeliveryState, rfc3339

THERE = (*WAITING, DeliveryState.DELIVERING)  # not yet fetched, whatever it waited for; fetched and not acknowledged
MAX_PAGE = 1_000


@dataclass(frozen=True, slots=True)
class Item:
    """One delivery that waits to be fetched or acknowledged."""

    delivery_id: UUID
    message_id: UUID
    kind: str
    sender: str
    recipient: str
    document_id: str
    title: str
    accepted_at: str  # RFC 3339
    size: int  # bytes
    sha256: str  # lower hex, of the bytes that `fetch` gives; "" (and size 0) where that is a translation not made yet
    legal_value: str  # of the newest verdict
    verification: str  # pending, confirmed, withdrawn or given-up where a certificate's status was not known at first; else ""


@dataclass(frozen=True, slots=True)
class Mailbox:
    """The inboxes of all systems that fetch."""

    store: Store
    committer: Committer
    payloads: PayloadStore
    translator: Translator

    def pending(self, principal: Principal, *, limit: int = 100, after: int = 0) -> tuple[tuple[Item, ...], int]:
        """Items in order of acceptance, from the cursor `after` on, and the cursor of the next page (0 = no more)."""
        principal.check_role(EXCHANGE)
        limit = max(1, min(limit, MAX_PAGE))
        with self.store.read() as conn:
            rows = conn.execute(
                _SELECT.where(deliveries.c.system == principal.system, deliveries.c.state.in_(THERE), deliveries.c.sequence >= after)
                .order_by(deliveries.c.sequence, deliveries.c.id)
                .limit(MAX_PAGE + limit)
            ).all()
            page = _whole_messages(rows, limit)
            items = tuple(self._listed(conn, principal.system, _item(row)) for row in page)
        more = len(page) < len(rows)
        return items, page[-1].sequence + 1 if more else 0

    def fetch(self, principal: Principal, delivery_id: UUID, *, at: datetime) -> tuple[Item, bytes, str]:
        """The item, its bytes as they were received (translated where the system's profile names another format), and their content type.

        Raises `Refused`: ``not-found``, ``wrong-state`` (it ended before, by recall for instance). Raises `Parked`, and parks the delivery,
        where it cannot be translated: ``translation-failed``, ``translation-lossy``.
        """
        row = self._row(principal, delivery_id)
        self.committer.submit(
            lambda tx: _taken(tx, row, principal.system, at)
        ).result()  # first: from here on a recall no longer cancels it
        with self.store.read() as conn:
            raw = self.payloads.get(conn, row.message_id)
            message = conn.execute(select(messages).where(messages.c.id == row.message_id)).one()
        try:
            made = self.translator.make(principal.system, message, raw, carrier_id=delivery_id, recipients=(row.recipient,))
            if made.translation is not None:
                self.committer.submit(lambda tx: self.translator.record(tx, made, delivery_id, at)).result()
            made.check_losses()
        except Parked as fault:
            outcome = Outcome(DeliveryState.PARKED, fault.code, str(fault))
            self.committer.submit(lambda tx: _end(tx, row, outcome, (DeliveryState.DELIVERING,), at)).result()
            raise
        body = made.parcel.body
        item = _item(row) if made.translation is None else replace(_item(row), size=len(body), sha256=sha256(body).hexdigest())
        return item, body, made.parcel.content_type

    def acknowledge(self, principal: Principal, delivery_id: UUID, *, at: datetime, refused_reason: str = "") -> Future[str]:
        """The system has it (or refuses it, with the reason); the future gives the new state. The same again gives the same answer.

        Raises `Refused("not-found")`; the future `Refused("wrong-state")` if it ended otherwise before.
        """
        row = self._row(principal, delivery_id)
        if refused_reason:
            outcome = Outcome(DeliveryState.REFUSED, "agency-refused", shown(refused_reason))
        else:
            outcome = Outcome(DeliveryState.DELIVERED)

        def change(tx: Transaction) -> str:
            state = _state(tx.conn, delivery_id)
            if state == outcome.state:
                return state
            if state not in THERE:
                raise Refused("wrong-state", got=state, expected=" or ".join(THERE))
            _end(tx, row, outcome, THERE, at)
            return str(outcome.state)

        return self.committer.submit(change)

    def recipient_of(self, principal: Principal, delivery_id: UUID) -> tuple[AgencyCode, UUID]:
        """Whose copy it is, and of which message. Raises `Refused("not-found")`."""
        row = self._row(principal, delivery_id)
        return AgencyCode.of(row.recipient), row.message_id

    def _listed(self, conn: Connection, system: str, item: Item) -> Item:
        """Size and digest are those of what `fetch` gives; where that may be a translation, they are known once it was fetched."""
        if not self.translator.agreement(system).formats:
            return item
        told = translated_before(conn, item.message_id, item.delivery_id)
        return replace(item, size=told["size"] if told else 0, sha256=told["digest"] if told else "")

    def _row(self, principal: Principal, delivery_id: UUID) -> AnyRow:
        principal.check_role(EXCHANGE)
        with self.store.read() as conn:
            row = conn.execute(_SELECT.where(deliveries.c.id == delivery_id, deliveries.c.system == principal.system)).first()
        if row is None:
            raise Refused("not-found", got=str(delivery_id))
        return row


_COPIES = deliveries.join(messages, messages.c.id == deliveries.c.message_id)
_COPIES = _COPIES.outerjoin(verifications, verifications.c.message_id == messages.c.id)
_SELECT = select(
    deliveries.c.id,
    deliveries.c.message_id,
    deliveries.c.recipient,
    deliveries.c.state,
    deliveries.c.attempt,
    deliveries.c.sequence,
    messages.c.kind,
    messages.c.sender,
    messages.c.document_id,
    messages.c.title,
    messages.c.accepted_at,
    messages.c.size,
    messages.c.raw_digest,
    messages.c.content_type,
    messages.c.charset,
    messages.c.verdict,
    verifications.c.state.label("verification"),
    verifications.c.verdict.label("newest"),
).select_from(_COPIES)


def _item(row: AnyRow) -> Item:
    told = mark_of(row.verdict, row.verification, row.newest)
    return Item(
        row.id,
        row.message_id,
        row.kind,
        row.sender,
        row.recipient,
        row.document_id,
        row.title,
        row.accepted_at,
        row.size,
        row.raw_digest.hex(),
        told.legal_value,
        told.verification,
    )


def _whole_messages(rows: Sequence[AnyRow], limit: int) -> list[AnyRow]:
    """The first `limit` rows, and the rest of the last one's message: the cursor counts messages, so a page never cuts one."""
    page = list(rows[:limit])
    for row in rows[limit:]:
        if row.sequence != page[-1].sequence:
            break
        page.append(row)
    return page


def _state(conn: Connection, delivery_id: UUID) -> str:
    return str(conn.execute(select(deliveries.c.state).where(deliveries.c.id == delivery_id)).scalar())


def _end(tx: Transaction, row: AnyRow, outcome: Outcome, states: Sequence[DeliveryState], at: datetime) -> None:
    """Ends the delivery of `row` if it is in one of `states`, and journals it. Its attempts are counted as they stand now."""
    attempt = tx.conn.execute(
        select(deliveries.c.attempt).where(deliveries.c.id == row.id, deliveries.c.state.in_([str(one) for one in states]))
    ).scalar()
    if attempt is None:
        return
    values = {"state": outcome.state, "cause": outcome.cause, "detail": outcome.detail, "updated_at": rfc3339(at)}
    tx.conn.execute(update(deliveries).where(deliveries.c.id == row.id).values(values))
    record.delivery(
        tx,
        message_id=row.message_id,
        delivery_id=row.id,
        recipient=AgencyCode.of(row.recipient),
        attempt=max(attempt, 1),
        outcome=outcome,
        at=at,
    )


def _taken(tx: Transaction, row: AnyRow, system: str, at: datetime) -> None:
    """The first time it is journalled: that is when the copy leaves. Once more changes nothing, and could be done a thousand times."""
    state = _state(tx.conn, row.id)
    if state not in THERE and state != DeliveryState.DELIVERED:  # delivered: the system may fetch once more what it has acknowledged
        raise Refused("wrong-state", got=state, expected=" or ".join(THERE))
    attempt = tx.conn.execute(
        update(deliveries)
        .where(deliveries.c.id == row.id, deliveries.c.state.in_(WAITING))
        .values(state=DeliveryState.DELIVERING, attempt=deliveries.c.attempt + 1, updated_at=rfc3339(at))
        .returning(deliveries.c.attempt)
    ).scalar()
    if attempt is not None:
        recipient = AgencyCode.of(row.recipient)
        record.fetched(tx, message_id=row.message_id, delivery_id=row.id, recipient=recipient, system=system, attempt=attempt, at=at)
