"""Replays as people ask for them: who may make, approve, start, pause and cancel one, and what of it is journalled.

A real redelivery needs, in this order: an operator who asks for it with a reason; **another** person, an approver, who approves the digest
of that very request in a session of their own; and, where it is about several transmissions, the confirmation typed at its start. The
approval is looked for in the journal, not only in its row, and its giver has to be an approver still, each time the job is taken up.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import UUID, uuid4

import rfc8785
from sqlalchemy import Connection, select, update

from hub import persons
from hub.approvals import check_approved
from hub.commit import Committer, Transaction
from hub.persons import Role
from hub.sessions import Session
from replay import job as jobs
from replay import typed
from replay.engine import end_job, journal
from replay.entry import EntryDraft
from replay.job import MAX_RATE, MIN_RATE, Job, JobState, Mode
from replay.selection import Item, Query, digest_of, freeze
from replay.store.engine import Store
from replay.store.jobs import approvals, replay_items, replays
from replay.store.tables import log_head
from schemas.errors import Refused
from schemas.message import rfc3339

LOOKING = (Role.OPERATOR, Role.AUDITOR)
FORMATS = (*LOOKING, Role.INTEGRATOR)
MAY: Mapping[Mode, tuple[Role, ...]] = {
    Mode.VERIFY: LOOKING,
    Mode.REVALIDATE: FORMATS,
    Mode.RETRANSLATE: FORMATS,
    Mode.SANDBOX: FORMATS,
    Mode.REDELIVER: (Role.OPERATOR,),
}
MAX_REASON_CHARS = 2_000


@dataclass(frozen=True, slots=True)
class Asked:
    """What a person wants. By default nothing is really done (`dry_run` counts for a redelivery; the other modes do nothing anyway)."""

    mode: Mode
    query: Query = field(default_factory=Query)
    dry_run: bool = True
    new_key: bool = False  # a redelivery under another idempotency key: the receiver will take it for something new
    rate_per_s: float = 0.0  # at most so many items per second; 0 = as fast as it goes
    reason: str = ""

    def check(self) -> None:
        """Raises `Refused("invalid-request")` for what no job can be."""
        redelivery = self.mode is Mode.REDELIVER
        if self.rate_per_s and not MIN_RATE <= self.rate_per_s <= MAX_RATE:
            raise Refused("invalid-request", got=f"{self.rate_per_s} per second", expected=f"{MIN_RATE} to {MAX_RATE}")
        if len(self.reason) > MAX_REASON_CHARS or (redelivery and not self.reason.strip()):
            got = f"a reason of {len(self.reason)} characters"
            raise Refused("invalid-request", got=got, expected=f"the reason, for the journal and the approver; at most {MAX_REASON_CHARS}")
        if not redelivery and (self.new_key or not self.dry_run):
            raise Refused(
                "invalid-request", got=f"{self.mode} with options of a redelivery", expected="execute and new_key for redeliver only"
            )


@dataclass(frozen=True, slots=True)
class Replays:
    """Makes and steers jobs; the engine runs them. Every change goes through the committer and into the journal."""

    store: Store
    committer: Committer
    clock: Callable[[], datetime]
    sign: Callable[[Mapping[str, Any]], bytes]

    def create(self, session: Session, asked: Asked) -> Job:
        """A job over what the query finds now, frozen.

        Raises `Refused`: ``role-missing``, ``invalid-request`` (no reason for a redelivery, a rate that is none, options of another mode),
        ``selection-empty``, ``selection-too-large``.
        """
        session.person.check_role(*MAY[asked.mode])
        asked.check()
        at = self.clock()
        return self.committer.submit(lambda tx: self._create(tx, session, asked, at)).result()

    def approve(self, session: Session, job_id: UUID, digest: str) -> Job:
        """`session`'s person approves the request of that digest.

        Raises `Refused`: ``role-missing``, ``not-found``, ``approval-same-person``, ``approval-digest``, ``wrong-state``,
        ``invalid-request`` (nothing to approve), ``replay-changed``.
        """
        session.person.check_role(Role.APPROVER)
        at = self.clock()
        return self.committer.submit(lambda tx: self._approve(tx, session, job_id, digest, at)).result()

    def start(self, session: Session, job_id: UUID, confirm: str = "") -> Job:
        """Ready or paused → running. An engine takes it up.

        Raises `Refused`: ``role-missing``, ``not-found``, ``wrong-state``, ``approval-missing``, ``confirmation-needed``,
        ``replay-changed``.
        """

        def change(tx: Transaction, job: Job) -> str:
            check_approved(tx.conn, job)
            if job.state is JobState.READY and confirm.strip() != job.confirmation and job.confirmation:
                raise Refused("confirmation-needed", got=confirm, expected=job.confirmation)
            return "started" if job.state is JobState.READY else "resumed"

        return self._move(session, job_id, (JobState.READY, JobState.PAUSED), JobState.RUNNING, change)

    def pause(self, session: Session, job_id: UUID) -> Job:
        """Running → paused; the chunk under way is thrown away or settled, never half. Raises `Refused` as `start`, but for approvals."""
        return self._move(session, job_id, (JobState.RUNNING,), JobState.PAUSED, lambda tx, job: "paused")

    def cancel(self, session: Session, job_id: UUID) -> Job:
        """No more is done; the report says what was. Raises `Refused` as `pause`."""
        at = self.clock()

        def change(tx: Transaction) -> Job:
            job = self._mine(tx.conn, session, job_id, (JobState.READY, JobState.RUNNING, JobState.PAUSED))
            end_job(tx, job, JobState.CANCELLED, self.sign, by=str(session.person.id), at=at)
            return jobs.load(tx.conn, job_id)

        return self.committer.submit(change).result()

    def may_steer(self, session: Session, job_id: UUID) -> None:
        """Raises `Refused` unless this person may run the job, which is running already: ``role-missing``, ``wrong-state``."""
        with self.store.read() as conn:
            self._mine(conn, session, job_id, (JobState.RUNNING,))

    def hold(self, job_id: UUID, cause: str) -> None:
        """The hub itself pauses a job that may not go on, or cannot, with the code of the reason in the journal."""
        at = self.clock()

        def change(tx: Transaction) -> None:
            mine = (replays.c.id == job_id, replays.c.state == JobState.RUNNING)
            row = tx.conn.execute(select(replays).where(*mine)).first()
            if row is not None:
                values = {"state": str(JobState.PAUSED), "runner": "", "lease_until": "", "updated_at": rfc3339(at)}
                tx.conn.execute(update(replays).where(*mine).values(values))
                fields = {"replay": str(job_id), "what": "paused", "by": "hub", "cause": cause}
                tx.append(EntryDraft(event="replay", at=at, parties=(), fields=fields))

        self.committer.submit(change).result()

    def due(self) -> Sequence[UUID]:
        """Running jobs that nobody is at work on."""
        free = (replays.c.state == JobState.RUNNING, replays.c.lease_until < rfc3339(self.clock()))
        with self.store.read() as conn:
            return conn.execute(select(replays.c.id).where(*free).order_by(replays.c.created_at)).scalars().all()

    def _create(self, tx: Transaction, session: Session, asked: Asked, at: datetime) -> Job:
        self._still(tx.conn, session, *MAY[asked.mode])
        items = freeze(tx.conn, asked.query, transmissions=asked.mode.of_transmissions)
        job_id = uuid4()
        conditions, opening = typed.closed(asked.query.as_json())
        request = {
            "v": 1,
            "id": str(job_id),
            "mode": str(asked.mode),
            "dry_run": asked.dry_run,
            "new_key": asked.new_key,
            "rate_per_s": asked.rate_per_s,
            "reason": asked.reason.strip(),
            "query": conditions,
            "log_size": tx.conn.execute(select(log_head.c.size)).scalar_one(),
            "items": len(items),
            "selection_sha256": digest_of(items),
            "by": str(session.person.id),
            "at": rfc3339(at),
        }
        raw = rfc8785.dumps(request)
        now = rfc3339(at)
        row = {"id": job_id, "request": raw, "digest": sha256(raw).hexdigest(), "mode": str(asked.mode), "created_by": session.person.id}
        more = {"created_at": now, "items": len(items), "state": str(JobState.READY), "runner": "", "lease_until": "", "updated_at": now}
        tx.conn.execute(replays.insert(), {**row, **more, "report": None})
        tx.conn.execute(replay_items.insert(), [_row(job_id, one) for one in items])
        typed.keep(tx.conn, job_id, opening)
        job = jobs.load(tx.conn, job_id)
        journal(tx, job, "created", by=str(session.person.id), at=at, reason=asked.reason.strip(), query=conditions)
        return job

    def _approve(self, tx: Transaction, session: Session, job_id: UUID, digest: str, at: datetime) -> Job:
        self._still(tx.conn, session, Role.APPROVER)
        job = jobs.load(tx.conn, job_id)
        if job.created_by == session.person.id:
            raise Refused("approval-same-person", got=session.person.login)
        if not job.is_real:
            raise Refused(
                "invalid-request", got=f"{job.mode}{', a dry run' if job.is_dry else ''}", expected="a redelivery that is no dry run"
            )
        if digest != job.digest:
            raise Refused("approval-digest", got=digest, expected=job.digest)
        if job.state is not JobState.READY:
            raise Refused("wrong-state", got=job.state, expected=JobState.READY)
        position = journal(tx, job, "approved", by=str(session.person.id), at=at)
        row = {"replay_id": job_id, "person_id": session.person.id, "digest": digest, "at": rfc3339(at), "entry": position.index}
        tx.conn.execute(approvals.delete().where(approvals.c.replay_id == job_id))
        tx.conn.execute(approvals.insert(), row)
        return job

    def _move(
        self,
        session: Session,
        job_id: UUID,
        before: tuple[JobState, ...],
        after: JobState,
        change: Callable[[Transaction, Job], str],
    ) -> Job:
        at = self.clock()

        def moved(tx: Transaction) -> Job:
            job = self._mine(tx.conn, session, job_id, before)
            what = change(tx, job)
            values = {"state": str(after), "runner": "", "lease_until": "", "updated_at": rfc3339(at)}
            tx.conn.execute(update(replays).where(replays.c.id == job_id).values(values))
            journal(tx, job, what, by=str(session.person.id), at=at)
            return jobs.load(tx.conn, job_id)

        return self.committer.submit(moved).result()

    def _mine(self, conn: Connection, session: Session, job_id: UUID, states: tuple[JobState, ...]) -> Job:
        """A job that this person may steer, in one of these states."""
        job = jobs.load(conn, job_id)
        self._still(conn, session, *MAY[job.mode])
        if job.state not in states:
            raise Refused("wrong-state", got=job.state, expected=" or ".join(states))
        return job

    def _still(self, conn: Connection, session: Session, *roles: Role) -> None:
        """The person as of this transaction: roles may have been taken between the session's check and now."""
        person = persons.of_id(conn, session.person.id)
        if person is None or not person.is_enabled:
            raise Refused("session-invalid", got="an account that is disabled")
        person.check_role(*roles)


def _row(job_id: UUID, item: Item) -> dict[str, Any]:
    columns = {name: getattr(item, name) for name in ("position", "entry", "leaf_hash", "message_id", "carrier_id")}
    return {"replay_id": job_id, **columns, "outcome": "", "finding": "", "done_at": ""}
