"""What a person does with a delivery that needs one: try it again, or state how it ended. Always with a reason, always journalled
with who it was.

A parked or doubtful delivery is never touched by the hub itself; its successors about the same subject wait for it (DESIGN §2.6).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import select, update

from hub import outbox, record
from hub.commit import Transaction
from hub.copies import revive_second_routes
from hub.outbox import Outcome
from hub.persons import Role
from hub.sessions import Session
from replay.store.engine import Store
from replay.store.tables import deliveries, messages
from schemas.agency import AgencyCode
from schemas.errors import Refused, shown
from schemas.message import DeliveryState, rfc3339

NEEDS_A_PERSON = (DeliveryState.PARKED, DeliveryState.IN_DOUBT)


class Decision(StrEnum):
    """What the person found out."""

    RETRY = "retry"  # it did not arrive, or doing it twice is harmless: deliver again, by the same key
    ARRIVED = "arrived"  # the receiver has it
    GIVE_UP = "give-up"  # it will not be delivered; the sender sees `refused`


_OUTCOMES = {
    Decision.RETRY: DeliveryState.DEFERRED,
    Decision.ARRIVED: DeliveryState.DELIVERED,
    Decision.GIVE_UP: DeliveryState.REFUSED,
}


@dataclass(frozen=True, slots=True)
class Stuck:
    """One delivery that waits for a person."""

    delivery_id: UUID
    message_id: UUID
    system: str
    recipient: str
    document_id: str
    state: str
    cause: str
    detail: str
    attempt: int
    updated_at: str

    def as_json(self) -> dict[str, Any]:
        """For lists."""
        return {name: str(getattr(self, name)) if name != "attempt" else self.attempt for name in self.__slots__}


def operator(session: Session) -> str:
    """The person of a session, as the journal names people. Raises `Refused("role-missing")`: deciding is an operator's work."""
    session.person.check_role(Role.OPERATOR)
    return f"person:{session.person.id}"


def stuck(store: Store, limit: int = 200) -> Sequence[Stuck]:
    """Deliveries that wait for a person, the longest-waiting first."""
    columns = [deliveries.c[name] for name in ("message_id", "system", "recipient")]
    rest = [deliveries.c[name] for name in ("state", "cause", "detail", "attempt", "updated_at")]
    with store.read() as conn:
        rows = conn.execute(
            select(deliveries.c.id.label("delivery_id"), *columns, messages.c.document_id, *rest)
            .join(messages, messages.c.id == deliveries.c.message_id)
            .where(deliveries.c.state.in_(NEEDS_A_PERSON))
            .order_by(deliveries.c.updated_at)
            .limit(limit)
        ).all()
    return [Stuck(**row._mapping) for row in rows]


def decide(tx: Transaction, delivery_id: UUID, decision: Decision, reason: str, at: datetime, *, by: str) -> str:
    """Carries out `decision` of the person `by`, who stands in the journal with the reason; the new state. Deliveries that share a
    transmission share the decision.

    Raises `Refused`: ``not-found``, ``wrong-state`` (it does not wait for a person), ``invalid-request`` (no reason).
    """
    if not reason.strip():
        raise Refused("invalid-request", got="no reason", expected="the reason, for the journal")
    carrier = tx.conn.execute(select(deliveries.c.carrier_id).where(deliveries.c.id == delivery_id)).scalar()
    if carrier is None:
        raise Refused("not-found", got=str(delivery_id))
    rows = tx.conn.execute(select(deliveries).where(deliveries.c.carrier_id == carrier, deliveries.c.state.in_(NEEDS_A_PERSON))).all()
    if not rows:
        raise Refused("wrong-state", got="not waiting for a person", expected=" or ".join(NEEDS_A_PERSON))
    outcome = Outcome(_OUTCOMES[decision], "decided-by-person", shown(f"{decision}: {reason}"))
    values = {
        "state": str(outcome.state),
        "cause": outcome.cause,
        "detail": outcome.detail,
        "updated_at": rfc3339(at),
        "due_at": rfc3339(at),
    }
    recalled: frozenset[UUID] = frozenset()
    if decision is Decision.RETRY:  # what was recalled meanwhile must not follow its own recall
        recalled = outbox.recalled_among(tx.conn, [row.id for row in rows])
    rows = [row for row in rows if row.id not in recalled]
    if not rows:
        raise Refused("wrong-state", got="recalled by its sender", expected="arrived or give-up")
    for row in rows:
        tx.conn.execute(update(deliveries).where(deliveries.c.id == row.id).values(values))
        record.delivery(
            tx,
            message_id=row.message_id,
            delivery_id=row.id,
            recipient=AgencyCode.of(row.recipient),
            attempt=row.attempt,
            outcome=outcome,
            at=at,
            reason=reason,
            by=by,
        )
    if decision is Decision.GIVE_UP:
        revive_second_routes(tx, rows[0].message_id, [row.recipient_key for row in rows], at)
    return str(outcome.state)
