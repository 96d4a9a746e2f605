"""Verdicts that wait for a certificate's status: reached again when there is news, or after a while, until they are certain (DESIGN §2.4).

The verdict of then stays where the journal commits to it; what is found later stands in `verifications` and in entries of its own. A
message whose signature turns out not to hold is *withdrawn*: copies that have not left are cancelled, those that have are marked. One whose
signature holds is *confirmed*: copies that were held for it go on. Certainty is asked for the time of reception, which the journal proves.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import Connection, bindparam, select, update

from hub import record
from hub.commit import Committer, Transaction
from hub.erase import parties_of
from hub.grounds import Grounds
from hub.outbox import RECALLABLE, Outcome
from hub.settings import Settings, SignatureSettings
from replay.payloads import PayloadStore
from replay.store.engine import Store
from replay.store.tables import AnyRow, deliveries, evidence, messages, verifications
from schemas.agency import AgencyCode
from schemas.edxml import reader
from schemas.errors import HubError, Refused
from schemas.message import DeliveryState, Envelope, Inbound, Message, VerdictStatus, rfc3339
from signing import kept
from signing.fetch import AllowList, Fetcher
from signing.kept import Bundle
from signing.policy import SignatureMode
from signing.verify import Judgement

PENDING, CONFIRMED, WITHDRAWN, GIVEN_UP = "pending", "confirmed", "withdrawn", "given-up"
LONGEST_WAIT = timedelta(days=1)
AT_ONCE = 32  # in one round
D = DeliveryState
log = structlog.get_logger(__name__)
_KNOWN, _KEEP, _BLOB = (
    select(evidence.c.sha256).where(evidence.c.sha256.in_(bindparam("digests", expanding=True))),
    evidence.insert(),
    select(evidence.c.body).where(evidence.c.sha256 == bindparam("wanted")),
)  # built once


def accepted(tx: Transaction, message_id: UUID, message: Message, at: datetime) -> None:
    """Keeps the evidence of an acceptance, and notes what has to be asked again."""
    store(tx.conn, message.evidence, at)
    if message.verdict.is_pending:
        row = {
            "message_id": message_id,
            "state": PENDING,
            "attempt": 0,
            "due_at": rfc3339(at),
            "verdict": json.dumps(message.verdict.as_json(), ensure_ascii=False),
            "evidence": message.artefacts.get("evidence", ""),
            "updated_at": rfc3339(at),
        }
        tx.conn.execute(verifications.insert(), row)


def store(conn: Connection, found: Mapping[str, bytes], at: datetime) -> None:
    """Adds what is not there yet."""
    if not found:
        return
    known = set(conn.execute(_KNOWN, {"digests": list(found)}).scalars())
    rows = [{"sha256": digest, "body": body, "stored_at": rfc3339(at)} for digest, body in found.items() if digest not in known]
    if rows:
        conn.execute(_KEEP, rows)


def blob(conn: Connection, digest: str) -> bytes:
    """A piece of evidence. Raises `Refused` with `evidence-invalid` for one that is not there."""
    body = conn.execute(_BLOB, {"wanted": digest}).scalar()
    if body is None:
        raise Refused("evidence-invalid", got=f"nothing under {digest}", expected="evidence that was stored")
    return bytes(body)


def standing(conn: Connection, message_id: UUID) -> dict[str, Any] | None:
    """What has become of a verdict that was not certain at first; None for one that was."""
    row = conn.execute(select(verifications).where(verifications.c.message_id == message_id)).first()
    if row is None:
        return None
    told = {"state": row.state, "attempt": row.attempt, "verdict": json.loads(row.verdict), "updated_at": row.updated_at}
    return told | {"due_at": row.due_at if row.state == PENDING else None}


@dataclass(frozen=True, slots=True)
class Pace:
    """When a verdict is reached again, and until when."""

    first: timedelta
    give_up: timedelta

    @classmethod
    def of(cls, settings: SignatureSettings) -> Pace:
        """As the settings say."""
        return cls(timedelta(seconds=settings.retry_s), timedelta(seconds=settings.give_up_s))

    def wait(self, attempt: int) -> timedelta:
        """After so many attempts."""
        return min(self.first * (1 << min(attempt, 30)), LONGEST_WAIT)


@dataclass(frozen=True, slots=True)
class _Again:
    """What was found."""

    message_id: UUID
    envelope: Envelope
    judged: Judgement
    bundle: Bundle
    at: datetime


@dataclass
class Reverifier:
    """The thread that does it in the processes that deliver. `round` is one look, for whoever wants to wait for it."""

    settings: Settings
    store: Store
    committer: Committer
    payloads: PayloadStore
    grounds: Grounds
    clock: Callable[[], datetime]
    works: bool = True  # False: other processes do; this one only keeps its lists fresh
    pace: Pace = field(init=False)
    fetcher: Fetcher | None = field(default=None, init=False)  # asks the places that the settings name; None: nobody is asked
    _stopping: threading.Event = field(default_factory=threading.Event, init=False)
    _thread: threading.Thread | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        asked = self.settings.signature
        self.pace = Pace.of(asked)
        self.fetcher = Fetcher(AllowList.of(asked.ask)) if asked.ask else None

    def start(self) -> None:
        """Starts the thread."""
        self._thread = threading.Thread(target=self._forever, name="reverifier", daemon=True)
        self._thread.start()

    def stop(self, timeout_s: float = 30.0) -> None:
        """Ends after the round under way."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(timeout_s)

    def _forever(self) -> None:
        while not self._stopping.wait(self.settings.sweep_s):
            try:
                self.round()
            except HubError as fault:
                log.warning("reverifier", code=fault.code)

    def round(self) -> int:
        """Reaches again what is due, or everything that waits where there are new lists; how many were looked at."""
        news, now = self.grounds.refresh(), self.clock()
        if not self.works:
            return 0
        due = select(verifications.c.message_id).where(verifications.c.state == PENDING)
        if not news:
            due = due.where(verifications.c.due_at <= rfc3339(now))
        with self.store.read() as conn:
            found = conn.execute(due.order_by(verifications.c.due_at).limit(AT_ONCE)).scalars().all()
        for message_id in found:
            if self._stopping.is_set():
                break
            try:
                self._again(message_id, now)
            except Refused as fault:  # erased meanwhile, or evidence that is damaged: it stays as it is, visibly
                log.warning("not-verified-again", message=str(message_id), code=fault.code)
                self._submit(partial(self._later, message_id=message_id, now=now))
        return len(found)

    def _again(self, message_id: UUID, now: datetime) -> None:
        with self.store.read() as conn:
            row = conn.execute(select(messages).where(messages.c.id == message_id)).one()
            noted = conn.execute(select(verifications).where(verifications.c.message_id == message_id)).one()
            raw = self.payloads.get(conn, message_id)
            bundle = blob(conn, noted.evidence)
            needed = {digest: blob(conn, digest) for digest in kept.named_in(bundle)}
        received, limits = datetime.fromisoformat(row.received_at), self.settings.effective_limits
        envelope = reader.read(Inbound(raw, row.content_type, row.charset, row.protocol, received), limits)
        policy = kept.policy_in(bundle)
        ctx = self.grounds.context(now, policy.domain)
        judged = kept.reverify(bundle, needed.__getitem__, envelope, "now", ctx, limits=limits)
        if self.fetcher is not None and judged.verdict.is_pending and self._ask(self.fetcher, judged, now):
            ctx = self.grounds.context(now, policy.domain)
            judged = kept.reverify(bundle, needed.__getitem__, envelope, "now", ctx, limits=limits)
        new = kept.keep(judged, hash_of(envelope), policy, kept.today(bundle, needed.__getitem__, ctx), envelope.sender.key)
        self._submit(partial(self._note, again=_Again(message_id, envelope, judged, new, now)))

    def _ask(self, fetcher: Fetcher, judged: Judgement, now: datetime) -> bool:
        gathered = [fetcher.gather(chain, now) for chain in judged.chains()]
        crls = tuple(der for one in gathered for der in one.crls)
        ocsps = tuple(der for one in gathered for der in one.ocsps)
        self.grounds.learn(crls, ocsps)
        return bool(crls or ocsps)

    def _note(self, tx: Transaction, again: _Again) -> None:
        message_id, envelope, judged, now = again.message_id, again.envelope, again.judged, again.at
        noted = tx.conn.execute(select(verifications).where(verifications.c.message_id == message_id)).one()
        if noted.state != PENDING:
            return  # another process was first
        if judged.verdict.is_pending:
            self._later(tx, message_id, now)
            return
        valid = judged.verdict.status is VerdictStatus.VALID
        state = CONFIRMED if valid else WITHDRAWN
        address, found = again.bundle.stored()
        store(tx.conn, found, now)
        verdict = judged.verdict.as_json()
        values = {"state": state, "attempt": noted.attempt + 1, "verdict": json.dumps(verdict, ensure_ascii=False), "evidence": address}
        tx.conn.execute(update(verifications).where(verifications.c.message_id == message_id).values(**values, updated_at=rfc3339(now)))
        parties = (envelope.sender, *envelope.recipients)
        record.verified_again(tx, message_id=message_id, parties=parties, state=state, verdict=verdict, evidence=address, at=now)
        if valid:
            _release(tx, message_id, now)
        elif judged.verdict.policy != SignatureMode.IGNORE:
            _withdraw(tx, message_id, judged.verdict.reasons, now)

    def _later(self, tx: Transaction, message_id: UUID, now: datetime) -> None:
        noted = tx.conn.execute(select(verifications).where(verifications.c.message_id == message_id)).one()
        if noted.state != PENDING:
            return  # another process was first
        accepted_at = tx.conn.execute(select(messages.c.accepted_at).where(messages.c.id == message_id)).scalar_one()
        over = now - datetime.fromisoformat(accepted_at) > self.pace.give_up
        values = {
            "state": GIVEN_UP if over else PENDING,
            "attempt": noted.attempt + 1,
            "due_at": rfc3339(now + self.pace.wait(noted.attempt)),
            "updated_at": rfc3339(now),
        }
        tx.conn.execute(update(verifications).where(verifications.c.message_id == message_id).values(values))
        if over:
            verdict = json.loads(noted.verdict)
            parties = parties_of(tx.conn, message_id)
            record.verified_again(
                tx, message_id=message_id, parties=parties, state=GIVEN_UP, verdict=verdict, evidence=noted.evidence, at=now
            )

    def _submit(self, change: Callable[[Transaction], None]) -> None:
        self.committer.submit(change, reserved=True).result()


def hash_of(envelope: Envelope) -> str:
    """SHA-256 of the bytes as received, lower hex."""
    return kept.sha256(envelope.inbound.raw)


def _release(tx: Transaction, message_id: UUID, at: datetime) -> None:
    held = deliveries.c.cause == "verification-pending"
    rows = tx.conn.execute(select(deliveries).where(deliveries.c.message_id == message_id, deliveries.c.state == D.PARKED, held)).all()
    _move(tx, rows, Outcome(D.DEFERRED, "verification-pending", "the signature is valid", due_at=at), at)


def _withdraw(tx: Transaction, message_id: UUID, reasons: Iterable[str], at: datetime) -> None:
    undelivered = deliveries.c.state.in_(RECALLABLE)
    rows = tx.conn.execute(select(deliveries).where(deliveries.c.message_id == message_id, undelivered)).all()
    _move(tx, rows, Outcome(D.CANCELLED, "signature-withdrawn", ", ".join(reasons)), at)


def _move(tx: Transaction, rows: Iterable[AnyRow], outcome: Outcome, at: datetime) -> None:
    values = {"state": str(outcome.state), "cause": outcome.cause, "detail": outcome.detail, "due_at": rfc3339(at)}
    for row in rows:
        tx.conn.execute(update(deliveries).where(deliveries.c.id == row.id).values(**values, updated_at=rfc3339(at)))
        recipient = AgencyCode.of(row.recipient)
        record.delivery(tx, message_id=row.message_id, delivery_id=row.id, recipient=recipient, attempt=row.attempt, outcome=outcome, at=at)
