"""The deliveries that an acceptance owes, one per recipient, and those of earlier messages that it takes back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import Connection, and_, or_, select, update

from hub import record
from hub.commit import Transaction
from hub.outbox import RECALLABLE, Outcome, Pointer, is_blocked
from hub.routing import Route
from replay.store.index_key import index_key
from replay.store.tables import AnyRow, deliveries, messages
from schemas.agency import AgencyCode
from schemas.message import DeliveryState, Kind, rfc3339

D = DeliveryState
_INSERT = deliveries.insert()


@dataclass(frozen=True, slots=True)
class Copy:
    """One recipient's copy about to be written."""

    delivery_id: UUID
    carrier_id: UUID
    route: Route
    shared: bool  # with the system's other recipients, in one transmission
    order_key: str
    cause: str  # why it is not delivered (now); "" for one that is

    def as_json(self) -> dict[str, object]:
        """What the journal commits to."""
        return {
            "id": str(self.delivery_id),
            "carrier": str(self.carrier_id),
            "recipient": str(self.route.recipient),
            "system": self.route.profile.name,
            "order_key": self.order_key,
            "route": self.route.decision(),
        }

    def row(self, *, message_id: UUID, state: DeliveryState, index: int, at: datetime, due_at: datetime) -> dict[str, object]:
        """The row of `deliveries`."""
        return {
            "id": self.delivery_id,
            "carrier_id": self.carrier_id,
            "message_id": message_id,
            "recipient": str(self.route.recipient),
            "recipient_key": self.route.recipient.key,
            "system": self.route.profile.name,
            "state": str(state),
            "attempt": 0,
            "due_at": rfc3339(due_at),
            "lease_until": "",
            "order_key": self.order_key,
            "sequence": index,
            "cause": self.cause,
            "detail": "",
            "remote_id": "",
            "updated_at": rfc3339(at),
        }


def plan(
    routes: Sequence[Route], *, subject: str, owner: str, hold: str, arrived: frozenset[str], pending: bool = False
) -> tuple[Copy, ...]:
    """A copy for every route. `hold` parks them all, `arrived` (recipients' keys) cancels those that came by another route, `pending`
    (the signature waits for a certificate's status) parks those to systems that want to have it held."""
    carriers: dict[str, UUID] = {}
    copies = []
    for route in routes:
        new = uuid4()
        shared = route.profile.delivery.one_packet_for_all
        carrier = carriers.setdefault(route.profile.name, new) if shared else new
        # One at a time per recipient and document; a shared transmission keeps order for the whole system. The owner is part of the key:
        # nobody's trouble with a number of his own making may block another agency's document of that number.
        order_key = index_key("@" + route.profile.name if shared else route.recipient.key, owner, subject)
        held = hold or ("verification-pending" if pending and route.profile.signature.pending == "hold" else "")
        cause = "not-ours" if not route.ours else "second-route" if route.recipient.key in arrived else held
        copies.append(Copy(new, carrier, route, shared, order_key, cause))
    return tuple(copies)


def write(
    tx: Transaction,
    copies: Sequence[Copy],
    *,
    message_id: UUID,
    kind: Kind,
    index: int,
    at: datetime,
    handover: timedelta,
    fetched: frozenset[str],
) -> tuple[Pointer, ...]:
    """Writes the rows; returns pointers to what may be delivered at once. `fetched` are the systems that come for their copies."""
    pointers: dict[UUID, Pointer] = {}
    rows = []
    for copy in copies:
        state = _state(tx.conn, copy, kind, index, fetched)
        if state is D.QUEUED and copy.route.profile.name not in fetched:
            pointers[copy.carrier_id] = Pointer(copy.route.profile.name, copy.carrier_id)
        due_at = at + handover if copy.carrier_id in pointers else at  # its pointer is on its way to the queue
        rows.append(copy.row(message_id=message_id, state=state, index=index, at=at, due_at=due_at))
    tx.conn.execute(_INSERT, rows)
    for copy, row in zip(copies, rows, strict=True):
        if copy.cause:
            outcome = Outcome(D(str(row["state"])), copy.cause)
            recipient = copy.route.recipient
            record.delivery(tx, message_id=message_id, delivery_id=copy.delivery_id, recipient=recipient, attempt=0, outcome=outcome, at=at)
    return tuple(pointers.values())


def arrived_by(conn: Connection, second_route_of: UUID | None) -> frozenset[str]:
    """Recipients to whom the first route has brought the message, still will, or must not any more because its sender recalled it."""
    if second_route_of is None:
        return frozenset()
    gone = and_(deliveries.c.state.in_([D.REFUSED, D.CANCELLED]), deliveries.c.cause.not_in(["recalled", "taken-back"]))
    rows = conn.execute(select(deliveries.c.recipient_key).where(deliveries.c.message_id == second_route_of, ~gone)).scalars()
    return frozenset(rows.all())


def cancel_undelivered(
    tx: Transaction, *, subject: str, owner: str, recipients: Sequence[AgencyCode], cause: str, by: UUID, at: datetime
) -> None:
    """A recall (or 13) cancels what has not left instead of waiting behind it (DESIGN §2.6); only its sender's own documents."""
    rows = tx.conn.execute(
        select(deliveries.c.id, deliveries.c.message_id, deliveries.c.recipient, deliveries.c.attempt)
        .join(messages, messages.c.id == deliveries.c.message_id)
        .where(
            messages.c.subject_key == index_key(subject),
            messages.c.sender_key == owner,
            messages.c.kind != Kind.DOCUMENT_STATUS,
            deliveries.c.recipient_key.in_([one.key for one in recipients]),
            deliveries.c.state.in_(RECALLABLE),
        )
    ).all()
    outcome = Outcome(D.CANCELLED, cause, f"by {by}")
    for row in rows:
        values = {"state": str(outcome.state), "cause": outcome.cause, "detail": outcome.detail, "updated_at": rfc3339(at)}
        tx.conn.execute(update(deliveries).where(deliveries.c.id == row.id).values(values))
        _journal(tx, row, outcome, at)


def revive_second_routes(tx: Transaction, message_id: UUID, recipient_keys: Sequence[str], at: datetime) -> int:
    """The first route is given up: copies that were cancelled because of it are to be delivered after all. How many."""
    rows = tx.conn.execute(
        select(deliveries.c.id, deliveries.c.message_id, deliveries.c.recipient, deliveries.c.attempt)
        .join(messages, messages.c.id == deliveries.c.message_id)
        .where(
            messages.c.second_route_of == message_id,
            deliveries.c.recipient_key.in_(recipient_keys),
            or_(deliveries.c.state == D.CANCELLED, deliveries.c.state == D.REFUSED),
            deliveries.c.cause == "second-route",
        )
    ).all()
    outcome = Outcome(D.DEFERRED, "second-route", "the first route was given up", due_at=at)
    for row in rows:
        values = {"state": str(outcome.state), "detail": outcome.detail, "due_at": rfc3339(at), "updated_at": rfc3339(at)}
        tx.conn.execute(update(deliveries).where(deliveries.c.id == row.id).values(values))
        _journal(tx, row, outcome, at)
    return len(rows)


def _state(conn: Connection, copy: Copy, kind: Kind, index: int, fetched: frozenset[str]) -> DeliveryState:
    if copy.cause in ("not-ours", "second-route"):
        return D.CANCELLED
    if copy.cause:
        return D.PARKED
    if copy.route.profile.name not in fetched and is_blocked(conn, copy.order_key, index, kind):
        return D.PENDING
    return D.QUEUED


def _journal(tx: Transaction, row: AnyRow, outcome: Outcome, at: datetime) -> None:
    record.delivery(
        tx,
        message_id=row.message_id,
        delivery_id=row.id,
        recipient=AgencyCode.of(row.recipient),
        attempt=row.attempt,
        outcome=outcome,
        at=at,
    )
