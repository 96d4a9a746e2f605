"""The modes that hand something over: to stand-ins inside this process, or really, through the outbox."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import Connection, select, update

from adapters.systems.sandbox import Sandbox
from hub import outbox, record
from hub.commit import Transaction
from hub.outbox import WAITING
from hub.rework.parcels import sent
from hub.rework.without_effect import WithoutEffect
from hub.systems import MAILBOX, Systems
from hub.translating import Translator
from replay.erasure import is_erased
from replay.job import Finding, Job, Outcome
from replay.payloads import PayloadStore
from replay.selection import Item
from replay.store.engine import Store
from replay.store.jobs import delivery_keys
from replay.store.tables import AnyRow, deliveries
from schemas.agency import AgencyCode
from schemas.errors import HubError, Refused
from schemas.message import DeliveryState, rfc3339

AGAIN = (DeliveryState.DELIVERED, DeliveryState.REFUSED, DeliveryState.PARKED, DeliveryState.IN_DOUBT)  # what may be delivered again
OPEN = (*WAITING, DeliveryState.DELIVERING)


@dataclass(frozen=True, slots=True)
class InSandbox(WithoutEffect):
    """Made again and delivered to a stand-in of its system, whose book says what arrived."""

    store: Store
    payloads: PayloadStore
    translator: Translator
    systems: Systems
    sandbox: Sandbox

    def look(self, item: Item) -> Finding:
        """See `replay.engine.Work`."""
        again = sent(self.store, self.payloads, self.translator, item)
        if isinstance(again, Finding):
            return again
        system = again.rows[0].system
        profile = self.systems.by_name.get(system)
        kind = MAILBOX if profile is None else profile.delivery.kind
        try:
            accepted, arrival = self.sandbox.deliver(system, kind, again.made.parcel)
        except HubError as fault:
            return Finding(Outcome.REFUSED, {"system": system, "code": fault.code, "got": fault.got})
        told: dict[str, Any] = {"system": system, "by": kind, "times_seen": arrival.times_seen, "remote_id": accepted.remote_id}
        if arrival.sha256 != (digest := sha256(again.made.parcel.body).hexdigest()):
            return Finding(Outcome.DIFFERENT, {**told, "fields": {"body_sha256": [digest, arrival.sha256]}})
        return Finding(Outcome.SAME, told)


@dataclass(frozen=True, slots=True)
class Redeliver:
    """Puts a transmission back into the outbox, or says what would be put there. The couriers deliver it, in order, as any other.

    What is under way, or was recalled, or cancelled, is left alone.
    """

    store: Store
    systems: Systems
    job: Job
    clock: Callable[[], datetime]

    def look(self, item: Item) -> Finding:
        """Whether it would be delivered; nothing happens yet."""
        with self.store.read() as conn:
            return self._planned(conn, item)[0]

    def settle(self, tx: Transaction, item: Item, finding: Finding) -> Finding:
        """Looks again, inside the transaction, and puts it into the outbox unless the job is a dry run."""
        if finding.outcome is Outcome.IMPOSSIBLE:
            return finding
        planned, rows = self._planned(tx.conn, item)
        if not self.job.is_real or planned.outcome is not Outcome.PLANNED:
            return planned
        at, system = self.clock(), rows[0].system
        outcome = outbox.Outcome(DeliveryState.DEFERRED, "replayed", f"replay {self.job.id}", due_at=at)
        values = {"state": str(outcome.state), "cause": outcome.cause, "detail": outcome.detail, "remote_id": ""}
        ids = [row.id for row in rows]
        tx.conn.execute(
            update(deliveries).where(deliveries.c.id.in_(ids)).values(**values, due_at=rfc3339(at), updated_at=rfc3339(at), lease_until="")
        )
        key = self._key(tx.conn, item)
        for row in rows:
            record.delivery(
                tx,
                message_id=row.message_id,
                delivery_id=row.id,
                recipient=AgencyCode.of(row.recipient),
                attempt=row.attempt,
                outcome=outcome,
                at=at,
                reason=str(self.job.request["reason"]),
                replay=str(self.job.id),
            )
        told = {**planned.told, "key": key}
        profile = self.systems.by_name.get(system)
        if profile is not None and profile.delivery.kind == MAILBOX:
            return Finding(Outcome.SAME, {**told, "waits": "to be fetched"})
        return Finding(Outcome.HANDED, told)

    def end_of(self, conn: Connection, item: Item) -> Finding | None:
        """See `replay.engine.Work`."""
        rows = self._rows(conn, item)
        states = sorted({str(row.state) for row in rows})
        if any(row.state in OPEN for row in rows):
            return None
        told = {"system": rows[0].system, "states": states, "causes": sorted({row.cause for row in rows} - {""})}
        return Finding(Outcome.SAME if states == [DeliveryState.DELIVERED] else Outcome.REFUSED, told)

    def _planned(self, conn: Connection, item: Item) -> tuple[Finding, Sequence[AnyRow]]:
        rows = self._rows(conn, item)
        if not rows:  # lgsp log fsck says what is missing
            raise Refused("not-found", got=f"delivery {item.carrier_id}", expected="what was selected")
        told: dict[str, Any] = {"system": rows[0].system, "recipients": [row.recipient for row in rows]}
        states = sorted({str(row.state) for row in rows})
        if is_erased(conn, item.message_id):
            return Finding(Outcome.IMPOSSIBLE, {"code": "payload-erased"}), rows
        recalled = outbox.recalled_among(conn, [row.id for row in rows])
        if recalled or any(row.state not in AGAIN for row in rows):
            why = "recalled by its sender" if recalled else "not one that has ended: " + ", ".join(states)
            return Finding(Outcome.SKIPPED, {**told, "why": why}), rows
        return Finding(Outcome.PLANNED, {**told, "was": states}), rows

    def _rows(self, conn: Connection, item: Item) -> Sequence[AnyRow]:
        mine = deliveries.c.carrier_id == item.carrier_id
        return conn.execute(select(deliveries).where(mine).order_by(deliveries.c.sequence, deliveries.c.recipient_key)).all()

    def _key(self, conn: Connection, item: Item) -> str:
        """The idempotency key it goes under: its own, or a new one that is the same however often this is run."""
        carrier = item.carrier_id if item.carrier_id is not None else item.message_id
        if not self.job.request["new_key"]:
            kept = conn.execute(select(delivery_keys.c.key).where(delivery_keys.c.carrier_id == carrier)).scalar()
            return str(kept or carrier)
        key = str(new_key(carrier, self.job.id))
        conn.execute(delivery_keys.delete().where(delivery_keys.c.carrier_id == carrier))
        conn.execute(delivery_keys.insert(), {"carrier_id": carrier, "key": key, "replay_id": self.job.id})
        return key


def new_key(carrier: UUID, replay: UUID) -> UUID:
    """The key of a redelivery that asked for a new one."""
    return uuid5(replay, str(carrier))
