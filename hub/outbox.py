"""The deliveries table: outbox and queue of record. Every change of a state is a compare-and-set here, inside the caller's transaction.

States and who moves them (see `docs/life-of-a-message.md`)::

    pending ─► queued ─► delivering ─► delivered | refused | parked | in_doubt
       ▲          ▲           │
       │          └─ deferred ◄┘            any undelivered one ─► cancelled (recall, second route)

`pending`: a predecessor about the same subject is still under way. `queued`: a pointer is with the broker; should the broker lose
it, it is published again after `REPUBLISH`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import Connection, and_, bindparam, exists, func, or_, select, update

from replay.store.jobs import delivery_keys
from replay.store.tables import AnyRow, deliveries, messages
from schemas.message import DeliveryState, Kind, rfc3339

REPUBLISH = timedelta(seconds=60)
LONGEST_REPUBLISH = timedelta(hours=1)
D = DeliveryState
WAITING = (D.PENDING, D.QUEUED, D.DEFERRED)  # nobody is at work on it, and it will be tried
BLOCKING = (*WAITING, D.DELIVERING, D.PARKED, D.IN_DOUBT)  # its successors about the same subject wait
BLOCKING_A_RECALL = (*WAITING, D.DELIVERING)  # what it could not cancel: a transmission shared with others, or one on its way
RECALLABLE = (*WAITING, D.PARKED)  # not known to have arrived; should it have, the recall follows it

# Built once: putting a statement together costs more than running it.
_AHEAD = (
    select(deliveries.c.id)
    .where(
        deliveries.c.order_key == bindparam("order_key"),
        deliveries.c.sequence < bindparam("sequence"),
        deliveries.c.state.in_(bindparam("states", expanding=True)),
    )
    .limit(1)
)
_ROWS = (
    select(deliveries, messages.c.kind, delivery_keys.c.key)
    .join(messages, messages.c.id == deliveries.c.message_id)
    .outerjoin(delivery_keys, delivery_keys.c.carrier_id == deliveries.c.carrier_id)
    .where(deliveries.c.carrier_id == bindparam("carrier_id"), deliveries.c.state.in_(bindparam("states", expanding=True)))
    .order_by(deliveries.c.sequence, deliveries.c.recipient_key)
)

_MARK_QUEUED = (  # states one by one: an IN cannot be executed for many pointers at once
    update(deliveries)
    .where(deliveries.c.carrier_id == bindparam("carrier"), or_(*(deliveries.c.state == str(state) for state in WAITING)))
    .values(state=D.QUEUED, due_at=bindparam("due"))
)


@dataclass(frozen=True, slots=True)
class Pointer:
    """What the queue carries: which delivery, for which system's lane. Nothing else."""

    system: str
    delivery_id: UUID  # the carrier
    since: datetime = field(default=datetime.max.replace(tzinfo=UTC), compare=False)  # when it was accepted; not in the queue


@dataclass(frozen=True, slots=True)
class Claimed:
    """A transmission that this worker, and no other, is to make."""

    carrier_id: UUID
    message_id: UUID
    system: str
    attempt: int  # this one counts: 1 for the first
    recipients: tuple[str, ...]
    delivery_ids: tuple[UUID, ...]
    key: str = ""  # another idempotency key than the carrier's id, where a redelivery asked for one


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a transmission ended."""

    state: DeliveryState
    cause: str = ""  # error code
    detail: str = ""
    remote_id: str = ""
    due_at: datetime | None = None  # of a deferred one


def is_blocked(conn: Connection, order_key: str, sequence: int, kind: str) -> bool:
    """Whether a predecessor about the same subject keeps it waiting. A recall passes what needs a person."""
    states = BLOCKING_A_RECALL if kind == Kind.DOCUMENT_RECALL else BLOCKING
    asked = {"order_key": order_key, "sequence": sequence, "states": [str(state) for state in states]}
    return conn.execute(_AHEAD, asked).first() is not None


def claim(conn: Connection, carrier_id: UUID, at: datetime, lease: timedelta) -> Claimed | None:
    """Takes a waiting transmission up, if it is due and nothing about its subject is ahead of it; None otherwise."""
    rows = _rows(conn, carrier_id, WAITING)
    if not rows:
        return None
    head = rows[0]
    if head.state == D.DEFERRED and head.due_at > rfc3339(at):
        return None
    if is_blocked(conn, head.order_key, head.sequence, head.kind):
        _set(conn, [row.id for row in rows], at, state=D.PENDING)
        return None
    ids = [row.id for row in rows]
    _set(conn, ids, at, state=D.DELIVERING, attempt=head.attempt + 1, lease_until=rfc3339(at + lease))
    return Claimed(carrier_id, head.message_id, head.system, head.attempt + 1, tuple(r.recipient for r in rows), tuple(ids), head.key or "")


def settle(conn: Connection, claimed: Claimed, outcome: Outcome, at: datetime) -> bool:
    """Writes how the transmission ended; False if it is no longer this worker's (its lease ran out and another took it)."""
    rows = _rows(conn, claimed.carrier_id, (D.DELIVERING,))
    if not rows or rows[0].attempt != claimed.attempt:
        return False
    values: dict[str, object] = {
        "state": outcome.state,
        "cause": outcome.cause,
        "detail": outcome.detail,
        "lease_until": "",
        "due_at": rfc3339(outcome.due_at or at),
    }
    if outcome.remote_id:
        values["remote_id"] = outcome.remote_id
    _set(conn, [row.id for row in rows], at, **values)
    return True


def recalled_among(conn: Connection, delivery_ids: Sequence[UUID]) -> frozenset[UUID]:
    """Those of the copies that their sender has recalled by a later message."""
    recalls, recalling = deliveries.alias(), messages.alias()
    recalled = exists().where(
        recalls.c.order_key == deliveries.c.order_key,
        recalls.c.recipient_key == deliveries.c.recipient_key,
        recalls.c.sequence > deliveries.c.sequence,
        recalling.c.id == recalls.c.message_id,
        recalling.c.kind == Kind.DOCUMENT_RECALL,
        recalling.c.sender_key == messages.c.sender_key,
    )
    found = conn.execute(
        select(deliveries.c.id)
        .join(messages, messages.c.id == deliveries.c.message_id)
        .where(deliveries.c.id.in_(delivery_ids), messages.c.kind != Kind.DOCUMENT_STATUS, recalled)
    ).scalars()
    return frozenset(found.all())


def cancel_recalled(conn: Connection, claimed: Claimed, outcome: Outcome, at: datetime) -> frozenset[UUID]:
    """Of a transmission that has just failed: the copies that were recalled meanwhile. They are cancelled, or they would follow their own
    recall."""
    ids = recalled_among(conn, claimed.delivery_ids)
    if ids:
        _set(conn, list(ids), at, state=outcome.state, cause=outcome.cause, detail=outcome.detail)
    return ids


def forget_pointers(conn: Connection, systems: Iterable[str], at: datetime) -> None:
    """Nobody knows what the broker still has: every queued delivery of `systems` is due for publication again (one pointer too many
    does no harm)."""
    conn.execute(
        update(deliveries)
        .where(deliveries.c.state == D.QUEUED, deliveries.c.system.in_(list(systems)))
        .values(due_at=rfc3339(at), updated_at=rfc3339(at))
    )


def due(conn: Connection, systems: Iterable[str], at: datetime, limit: int) -> tuple[Pointer, ...]:
    """Transmissions to publish (again) for `systems`: due, not blocked, in order of acceptance."""
    ahead = deliveries.alias()
    blocked = exists().where(
        ahead.c.order_key == deliveries.c.order_key,
        ahead.c.sequence < deliveries.c.sequence,
        or_(
            and_(messages.c.kind != Kind.DOCUMENT_RECALL, ahead.c.state.in_(BLOCKING)),
            ahead.c.state.in_(BLOCKING_A_RECALL),
        ),
    )
    rows = conn.execute(
        select(
            deliveries.c.system,
            deliveries.c.carrier_id,
            func.min(deliveries.c.sequence).label("first"),
            func.min(messages.c.accepted_at).label("since"),
        )
        .join(messages, messages.c.id == deliveries.c.message_id)
        .where(
            deliveries.c.state.in_(WAITING),
            deliveries.c.system.in_(list(systems)),
            deliveries.c.due_at <= rfc3339(at),
            ~blocked,
        )
        .group_by(deliveries.c.system, deliveries.c.carrier_id)
        .order_by("first")
        .limit(limit)
    )
    return tuple(Pointer(row.system, row.carrier_id, datetime.fromisoformat(row.since)) for row in rows)


def mark_queued(conn: Connection, pointers: Iterable[Pointer], at: datetime) -> None:
    """A pointer to each is with the broker now; look again after `REPUBLISH`, or after as long as it has waited already: so a slow lane
    collects few pointers too many, and a lost one is found all the same."""
    rows = [
        {"carrier": pointer.delivery_id, "due": rfc3339(at + max(REPUBLISH, min(at - pointer.since, LONGEST_REPUBLISH)))}
        for pointer in pointers
    ]
    if rows:
        conn.execute(_MARK_QUEUED, rows)


def next_about(conn: Connection, carrier_id: UUID) -> tuple[Pointer, ...]:
    """The transmissions that this one's end sets free: the next about the same subject, one per order key."""
    mine = select(deliveries.c.order_key, deliveries.c.sequence).where(deliveries.c.carrier_id == carrier_id).subquery()
    rows = conn.execute(
        select(deliveries.c.system, deliveries.c.carrier_id)
        .join(mine, and_(deliveries.c.order_key == mine.c.order_key, deliveries.c.sequence > mine.c.sequence))
        .where(deliveries.c.state == D.PENDING)
        .order_by(deliveries.c.sequence)
        .limit(1)
    )
    return tuple(Pointer(row.system, row.carrier_id) for row in rows)


def overdue_leases(conn: Connection, lanes: Iterable[str], at: datetime | None) -> tuple[Claimed, ...]:
    """Transmissions that nobody is at work on any more: lease run out, or, with `at` None, any lease (no other process shares the store);
    and what systems of `lanes` had fetched, and not acknowledged, before their profile had the hub deliver to them."""
    leased = deliveries.c.lease_until != ""
    if at is not None:
        leased = and_(leased, deliveries.c.lease_until < rfc3339(at))
    condition = or_(leased, and_(deliveries.c.lease_until == "", deliveries.c.system.in_(list(lanes))))
    carriers = conn.execute(
        select(deliveries.c.carrier_id).where(deliveries.c.state == D.DELIVERING, condition).group_by(deliveries.c.carrier_id)
    ).scalars()
    found = []
    for carrier_id in carriers.all():
        rows = _rows(conn, carrier_id, (D.DELIVERING,))
        head = rows[0]
        ids = tuple(row.id for row in rows)
        found.append(Claimed(carrier_id, head.message_id, head.system, head.attempt, tuple(r.recipient for r in rows), ids))
    return tuple(found)


def _rows(conn: Connection, carrier_id: UUID, states: Sequence[DeliveryState]) -> Sequence[AnyRow]:
    return conn.execute(_ROWS, {"carrier_id": carrier_id, "states": [str(state) for state in states]}).all()


def _set(conn: Connection, ids: Sequence[UUID], at: datetime, **values: object) -> None:
    conn.execute(update(deliveries).where(deliveries.c.id.in_(ids)).values(**values, updated_at=rfc3339(at)))
