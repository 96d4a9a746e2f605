"""The way in: from bytes to a receipt (DESIGN §3, steps 1b to 6). The promise kept here: *no acknowledgement before durability, one
effect per message*.

The steps, and where they stand below:

1b. seen before?  the same bytes, or the same id, from the same system: the first receipt, before any parsing
2.  parse         `schemas.edxml.reader`: `Inbound` → `Envelope`
3.  validate      the same: all violations at once
1c. may it send?  the declared sender is within the principal's right
4.  verify        `signing.verify`: `Envelope` → `Message`
5.  route         every recipient has a route, or the whole message is refused
6.  record        message, deliveries, journal entry and receipt in one transaction, committed with others (`hub.commit`)

Only after step 6's COMMIT does the future that `begin` returns resolve; nothing else may answer the sender. Whatever refuses in steps
2 to 5 is journalled first too, and burns no id.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import uuid4

from cryptography.x509 import Certificate

from hub import ledger, record
from hub.acceptance import Acceptance
from hub.access import EXCHANGE, Principal
from hub.commit import Committer, Transaction
from hub.grounds import Grounds
from hub.outbox import Pointer
from hub.policies import Policies
from hub.record import Arrival
from hub.routing import Routing, days_of
from replay.entry import PartyKeys
from replay.payloads import PayloadStore
from replay.store.engine import Store
from schemas.edxml import reader
from schemas.edxml.fingerprint import fingerprint
from schemas.errors import HubError, Refused
from schemas.limits import Limits
from schemas.message import Envelope, Inbound, Message, Receipt
from signing.kept import keeper
from signing.verify import compose, verify

SignReceipt = Callable[[Mapping[str, object]], bytes]
Outcome = Receipt | HubError


@dataclass(frozen=True, slots=True)
class Intake:
    """Takes messages in. Stateless: everything it needs is here, and everything it writes goes through the committer."""

    store: Store
    committer: Committer
    routing: Routing
    grounds: Grounds
    policies: Policies
    payloads: PayloadStore
    sign_receipt: SignReceipt
    origin: str
    limits: Limits
    clock: Callable[[], datetime]
    wake: Callable[[tuple[Pointer, ...]], None]  # tells the courier what may be delivered now
    fetched: frozenset[str]  # systems that come for their copies
    handover: timedelta  # how long the queue has for a pointer before it is published again; zero where nobody publishes
    parties: PartyKeys  # erased messages are recognised by them
    artefacts: Mapping[str, str] = field(default_factory=dict)  # digests of what messages are judged with: `replay.artefacts.digests`

    def accept(self, inbound: Inbound, principal: Principal) -> Receipt:
        """`begin`, waited for. Raises `HubError`."""
        return self.begin(inbound, principal).result()

    def begin(self, inbound: Inbound, principal: Principal) -> Future[Receipt]:
        """Does the work that needs no disk now, and returns the receipt's future, which resolves after COMMIT or raises `HubError`.

        Raises nothing itself but `Halted` and `TryLater`: refusals come through the future, after they are journalled.
        """
        arrival = Arrival(inbound, principal, hashlib.sha256(inbound.raw).digest())
        claim = ledger.Claim(principal.system, ledger.key_id(inbound), arrival.digest)
        with self.store.read() as conn:
            known = ledger.look_up(conn, claim)  # 1b
        if known.first is not None and known.bind is None:
            return _done(known.first)
        if known != ledger.Known():
            return self._submit(lambda tx: self._resolve(tx, arrival, claim))
        try:
            principal.check_role(EXCHANGE)
            envelope = reader.read(inbound, self.limits)  # 2, 3
            principal.check_may_send_for(envelope.sender)  # 1c
            self._check_not_erased(arrival, claim, envelope)
            policy = self.policies.of(principal, envelope.sender)
            ctx = self.grounds.context(inbound.received_at, policy.domain)
            message = verify(envelope, policy, ctx, self.limits, keeper(envelope, policy, ctx))  # 4
            return self._record(message, arrival, arrival.digest)  # 5, 6
        except Refused as fault:
            refusal: HubError = fault
            return self._submit(lambda tx: self._refuse(tx, arrival, refusal))

    def take_composed(self, envelope: Envelope, principal: Principal, content: bytes, signer: Certificate | None = None) -> Future[Receipt]:
        """Takes in a packet that the hub itself composed on behalf of `principal` (a status); steps 5 and 6.

        `content` is what was asked for, without the time: the same again, under the same `Idempotency-Key`, is the same message.
        `signer` is the hub's certificate, where it signed.
        """
        arrival = Arrival(envelope.inbound, principal, hashlib.sha256(envelope.inbound.raw).digest())
        message = compose(envelope, envelope.inbound.received_at, signer)
        return self._record(message, arrival, hashlib.sha256(content).digest())

    def _check_not_erased(self, arrival: Arrival, claim: ledger.Claim, envelope: Envelope) -> None:
        """What was erased does not come back by a repetition."""
        claims = (claim, replace(claim, sender_id=ledger.sender_id(envelope)))
        with self.store.read() as conn:
            ledger.check_not_erased(conn, claims, self.parties)

    def _record(self, message: Message, arrival: Arrival, content_digest: bytes) -> Future[Receipt]:
        envelope = message.envelope
        today, written = days_of(envelope.packet, envelope.inbound.received_at)
        routes = self.routing.route(envelope.recipients, arrival.principal.system, today=today, written=written)  # 5
        message_id = uuid4()
        sealed = self.payloads.seal(message_id, envelope.inbound.raw)
        self.payloads.stage(sealed)  # a large one goes to its file now, so that it keeps no other sender's transaction waiting
        claim = ledger.Claim(arrival.principal.system, ledger.sender_id(envelope), content_digest)
        acceptance = Acceptance(
            message_id=message_id,
            message=message,
            arrival=arrival,
            claim=claim,
            routes=routes,
            directory=self.routing.directory,
            fingerprint=fingerprint(envelope.packet, self.limits),
            sealed=sealed,
            origin=self.origin,
            fetched=self.fetched,
            handover=self.handover,
            artefacts=self.artefacts,
        )

        def change(tx: Transaction) -> Outcome:  # 6
            known = ledger.look_up(tx.conn, claim)  # again, now under the tree head's lock: nobody can come between
            if known != ledger.Known():
                return self._resolve(tx, arrival, claim)
            receipt, pointers = acceptance.write(tx, self.payloads, self.sign_receipt, self.clock())
            ledger.bind(tx.conn, claim, message_id)
            tx.after_commit(lambda: self.wake(pointers))
            return receipt

        return self._submit(change)

    def _resolve(self, tx: Transaction, arrival: Arrival, claim: ledger.Claim) -> Outcome:
        """The answer to a message that is known already: its first receipt, or a conflict."""
        known = ledger.look_up(tx.conn, claim)
        if known.conflict is not None:
            record.conflict(tx, arrival, known.conflict)
            return Refused("id-conflict", got=claim.sender_id.partition(":")[2], extra={"first": str(known.conflict)})
        if known.first is None:
            raise RuntimeError("a message that was known has vanished from the ledger")
        if known.bind is not None:
            record.bound(tx, arrival, known.bind, claim.sender_id)
            ledger.bind(tx.conn, claim, known.bind)
        return known.first

    def _refuse(self, tx: Transaction, arrival: Arrival, fault: HubError) -> Outcome:
        record.refused(tx, arrival, fault)
        return fault

    def _submit(self, change: Callable[[Transaction], Outcome]) -> Future[Receipt]:
        """Commits `change`; an outcome that is an error is raised by the future, after COMMIT."""
        answer: Future[Receipt] = Future()

        def pass_on(committed: Future[Outcome]) -> None:
            fault = committed.exception()
            outcome = fault if fault is not None else committed.result()
            if isinstance(outcome, BaseException):
                answer.set_exception(outcome)
            else:
                answer.set_result(outcome)

        self.committer.submit(change).add_done_callback(pass_on)
        return answer


def _done(receipt: Receipt) -> Future[Receipt]:
    future: Future[Receipt] = Future()
    future.set_result(receipt)
    return future
