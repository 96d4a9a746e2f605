"""The way out: from a pointer to a settled delivery (DESIGN §3, steps 7 to 9). The promises kept here: *nothing disappears silently*,
*order per subject*, *delivered at least once by one key*.

7. claim       compare-and-set `delivering`, if it is due and nothing about its subject is ahead of it
   translate   `hub.translating`: the stored bytes → `Parcel` (the same bytes where the receiver speaks the format); a translation is in the
               journal before anything leaves
8. deliver     the system's adapter
9. settle      state and journal entry in one transaction; only then is the pointer acknowledged
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import structlog
from sqlalchemy import select

from adapters.contract import Adapter, Idempotency
from hub import outbox, record
from hub.commit import Committer, Transaction
from hub.mark import mark
from hub.outbox import Claimed, Outcome, Pointer
from hub.retry import Circuit, wait_before
from hub.systems import Profile
from hub.translating import Translator
from replay.payloads import PayloadStore
from replay.store.engine import Store
from replay.store.tables import messages
from schemas.agency import AgencyCode
from schemas.errors import Disposition, Halted, HubError, Parked, TryLater
from schemas.message import DeliveryState, Parcel

RECALLED = Outcome(DeliveryState.CANCELLED, "recalled", "recalled while it was being delivered")
LEASE_MARGIN = timedelta(seconds=30)  # over the adapter's own time-out
SETTLE_AGAIN_S = 0.5
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Lane:
    """One system as the courier sees it."""

    profile: Profile
    adapter: Adapter
    circuit: Circuit = field(compare=False)


@dataclass(frozen=True, slots=True)
class Courier:
    """Delivers what pointers name. Thread-safe; every write goes through the committer."""

    store: Store
    committer: Committer
    payloads: PayloadStore
    lanes: Mapping[str, Lane]
    translator: Translator
    clock: Callable[[], datetime]
    wake: Callable[[tuple[Pointer, ...]], None]
    draw: Callable[[], float] = random.random  # jitter; tests pass their own
    pause: Callable[[float], None] = time.sleep

    def deliver(self, pointer: Pointer) -> None:
        """One attempt. Returns when its end is on disk; a pointer to something that is not waiting any more does nothing."""
        lane = self.lanes.get(pointer.system)
        if lane is None:
            return  # the profile is gone; the delivery stays queued, visibly
        if not lane.circuit.admits(self.clock()):
            return  # left alone until the circuit closes; the sweep brings it back, nothing is written meanwhile
        timeout = timedelta(seconds=lane.adapter.timeout_s) + LEASE_MARGIN
        claiming = self.committer.submit(lambda tx: outbox.claim(tx.conn, pointer.delivery_id, self.clock(), timeout), reserved=True)
        claimed = claiming.result()  # 7
        if claimed is not None:
            outcome = self._attempt(lane, claimed)  # 8
            self.settle(claimed, outcome)  # 9

    def settle(self, claimed: Claimed, outcome: Outcome) -> None:
        """Records the end of a transmission, and wakes what waited for it."""
        now = self.clock()

        def change(tx: Transaction) -> None:
            if not outbox.settle(tx.conn, claimed, outcome, now):
                return
            recalled = outbox.cancel_recalled(tx.conn, claimed, RECALLED, now) if outcome.state in outbox.RECALLABLE else frozenset()
            for delivery_id, recipient in zip(claimed.delivery_ids, claimed.recipients, strict=True):
                record.delivery(
                    tx,
                    message_id=claimed.message_id,
                    delivery_id=delivery_id,
                    recipient=AgencyCode.of(recipient),
                    attempt=claimed.attempt,
                    outcome=RECALLED if delivery_id in recalled else outcome,
                    at=now,
                )
            freed = outbox.next_about(tx.conn, claimed.carrier_id)
            if freed:
                tx.after_commit(lambda: self.wake(freed))

        self._write(change)

    def orphan(self, claimed: Claimed) -> None:
        """A transmission whose process died: again where the key makes that harmless, in doubt otherwise."""
        lane = self.lanes.get(claimed.system)
        if lane is None or lane.adapter.idempotency is Idempotency.KEY:
            self.settle(claimed, Outcome(DeliveryState.DEFERRED, "lease-lost", due_at=self.clock()))
        else:
            self.settle(claimed, Outcome(DeliveryState.IN_DOUBT, "lease-lost"))

    def _attempt(self, lane: Lane, claimed: Claimed) -> Outcome:
        try:
            return self._transmit(lane, claimed)
        except Exception as fault:  # a defect in an adapter or a mapping: it stops this delivery and no other
            log.error("delivery-defect", carrier=str(claimed.carrier_id), system=claimed.system, fault=type(fault).__name__, exc_info=fault)
            return Outcome(DeliveryState.PARKED, "internal-error", type(fault).__name__)

    def _transmit(self, lane: Lane, claimed: Claimed) -> Outcome:
        try:
            parcel = self._parcel(claimed)
        except Parked as fault:  # it cannot be translated for this system, which was never asked: a person has to look
            log.warning("translation-parked", carrier=str(claimed.carrier_id), system=claimed.system, code=fault.code)
            return Outcome(DeliveryState.PARKED, fault.code, str(fault))
        except HubError as fault:  # the hub's own trouble: no word about the receiving system
            return self._later(lane, claimed, fault)
        try:
            accepted = lane.adapter.deliver(parcel)
        except HubError as fault:
            return self._failed(lane, claimed, fault)
        self._answered(lane)
        return Outcome(DeliveryState.DELIVERED, detail=accepted.answer, remote_id=accepted.remote_id)

    def _failed(self, lane: Lane, claimed: Claimed, fault: HubError) -> Outcome:
        log.warning("delivery-failed", carrier=str(claimed.carrier_id), system=claimed.system, attempt=claimed.attempt, code=fault.code)
        if fault.disposition is Disposition.RETRY:
            lane.circuit.failed(self.clock())
            return self._later(lane, claimed, fault)
        self._answered(lane)
        if fault.disposition is Disposition.REFUSE:
            return Outcome(DeliveryState.REFUSED, fault.code, str(fault))
        state = DeliveryState.IN_DOUBT if fault.code == "agency-in-doubt" else DeliveryState.PARKED
        return Outcome(state, fault.code, str(fault))

    def _answered(self, lane: Lane) -> None:
        if lane.circuit.succeeded():  # it was left alone for a while: bring its work up again
            name = lane.profile.name
            self._write(lambda tx: outbox.forget_pointers(tx.conn, [name], self.clock()))

    def _later(self, lane: Lane, claimed: Claimed, fault: HubError) -> Outcome:
        retry = lane.profile.delivery.retry
        if claimed.attempt % retry.max_attempts == 0:  # once more as many after a person said so
            return Outcome(DeliveryState.PARKED, "attempts-exhausted", str(fault))
        return Outcome(
            DeliveryState.DEFERRED, fault.code, str(fault), due_at=self.clock() + wait_before(claimed.attempt, retry, self.draw())
        )

    def _parcel(self, claimed: Claimed) -> Parcel:
        with self.store.read() as conn:
            row = conn.execute(select(messages).where(messages.c.id == claimed.message_id)).one()
            raw = self.payloads.get(conn, claimed.message_id)
            told = mark(conn, claimed.message_id)
        made = self.translator.make(claimed.system, row, raw, carrier_id=claimed.carrier_id, recipients=claimed.recipients, key=claimed.key)
        if made.translation is not None:
            self._write(lambda tx: self.translator.record(tx, made, claimed.carrier_id, self.clock()))
        made.check_losses()
        return replace(made.parcel, legal_value=told.legal_value, verification=told.verification)

    def _write(self, change: Callable[[Transaction], None]) -> None:
        """Insists: what a system answered must not be lost to a database that is away for a moment."""
        until = self.clock() + LEASE_MARGIN
        while True:
            try:
                self.committer.submit(change, reserved=True).result()
                return
            except (Halted, TryLater) as fault:
                if fault.code == "shutting-down" or self.clock() >= until:
                    raise
                log.warning("settle-again", code=fault.code)
                self.pause(SETTLE_AGAIN_S)
