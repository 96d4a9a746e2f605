"""What people read of replays: where one stands, what came of its items, its report. Reads alone; nothing is changed here.

Everybody with a role reads jobs, outcomes and reports. Values of messages – a DocumentId that was typed, what a field was and what it would
be – are for those who may see messages: operators and auditors; an approver sees what was typed, for that is what is approved.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import and_, or_, select

from hub.persons import Role
from hub.sessions import Session
from replay import job as jobs
from replay import typed
from replay.job import Job, Outcome
from replay.report import said
from replay.store.engine import Store
from replay.store.jobs import approvals, replay_items, replays
from replay.store.tables import AnyRow
from schemas.errors import Refused

SEE_CONTENT = (Role.OPERATOR, Role.AUDITOR)
SEE_REQUEST = (*SEE_CONTENT, Role.APPROVER)
MAX_PAGE = 200
NOT_DONE = "not-done"  # as the report calls it; "" in the table
OUTCOMES = (NOT_DONE, *Outcome)


@dataclass(frozen=True, slots=True)
class ReplayReader:
    """Over the store."""

    store: Store

    def status(self, session: Session, job_id: UUID) -> dict[str, Any]:
        """Where it stands. Raises `Refused`: ``role-missing``, ``not-found``, ``replay-changed``."""
        session.person.check_role(*Role)
        with self.store.read() as conn:
            job = jobs.load(conn, job_id)
            approval = conn.execute(select(approvals).where(approvals.c.replay_id == job_id)).first()
            told = {**summary(job), "request": dict(job.request), "outcomes": jobs.counts(conn, job_id)}
            if session.person.roles.intersection(SEE_REQUEST):
                told["typed"] = typed.opened(conn, job_id, job.request["query"])
        approved = None if approval is None else {"by": str(approval.person_id), "at": approval.at, "digest": approval.digest}
        return {**told, "confirm": job.confirmation or None, "approved": approved}

    def all(self, session: Session, *, before: UUID | None = None, limit: int = MAX_PAGE) -> dict[str, Any]:
        """A page of jobs, newest first: ``items``, and ``next``, the `before` of the page that follows, None at the end.

        Raises `Refused`: ``role-missing``, ``not-found`` (`before` is no replay), ``invalid-request``.
        """
        session.person.check_role(*Role)
        _check_limit(limit)
        query = select(replays).order_by(replays.c.created_at.desc(), replays.c.id.desc())
        with self.store.read() as conn:
            if before is not None:
                mark = jobs.load(conn, before)
                same = and_(replays.c.created_at == mark.created_at, replays.c.id < mark.id)
                query = query.where(or_(replays.c.created_at < mark.created_at, same))
            rows = conn.execute(query.limit(limit + 1)).all()
        page = [summary(jobs.job_of(row)) for row in rows[:limit]]
        return {"items": page, "next": page[-1]["id"] if len(rows) > limit else None}

    def items(
        self, session: Session, job_id: UUID, *, outcome: str = "", after: int = -1, limit: int = MAX_PAGE, values: bool = False
    ) -> dict[str, Any]:
        """A page of items in their order with what was found: ``items``, and ``next``, the `after` of the page that follows, None at the
        end. `values`: fields with what they were and are; else with the commitments that the report has.

        Raises `Refused`: ``role-missing``, ``not-found``, ``replay-changed``, ``invalid-request``.
        """
        session.person.check_role(*(SEE_CONTENT if values else Role))
        _check_limit(limit)
        if outcome and outcome not in OUTCOMES:
            raise Refused("invalid-request", got=f"outcome {outcome}", expected=" | ".join(OUTCOMES))
        query = select(replay_items).where(replay_items.c.replay_id == job_id, replay_items.c.position > after)
        if outcome:
            query = query.where(replay_items.c.outcome == ("" if outcome == NOT_DONE else outcome))
        with self.store.read() as conn:
            jobs.load(conn, job_id)
            rows = conn.execute(query.order_by(replay_items.c.position).limit(limit + 1)).all()
        page = [_item(row, values) for row in rows[:limit]]
        return {"items": page, "next": page[-1]["position"] if len(rows) > limit else None}

    def report(self, session: Session, job_id: UUID) -> bytes:
        """The signed report, byte for byte. Raises `Refused`: ``role-missing``, ``not-found``, ``wrong-state`` (it has not ended)."""
        session.person.check_role(*Role)
        with self.store.read() as conn:
            job = jobs.load(conn, job_id)
        if job.report is None:
            raise Refused("wrong-state", got=job.state, expected="done or cancelled")
        return job.report

    def values(self, session: Session, job_id: UUID) -> Mapping[tuple[int, str], Mapping[str, Any]]:
        """Findings with their values, by index and transmission ("" none), for a page that shows them beside the report.

        Raises `Refused`: ``role-missing``.
        """
        session.person.check_role(*SEE_CONTENT)
        query = select(replay_items).where(replay_items.c.replay_id == job_id, replay_items.c.finding != "")
        with self.store.read() as conn:
            rows = conn.execute(query.order_by(replay_items.c.position)).all()
        return {(row.entry, str(row.carrier_id or "")): json.loads(row.finding) for row in rows}


def summary(job: Job) -> dict[str, Any]:
    """A job in a list."""
    return {
        "id": str(job.id),
        "mode": str(job.mode),
        "state": str(job.state),
        "dry_run": job.is_dry,
        "items": job.items,
        "digest": job.digest,
        "created_by": str(job.created_by),
        "created_at": job.created_at,
        "updated_at": job.updated_at,
    }


def _item(row: AnyRow, values: bool) -> dict[str, Any]:
    found = json.loads(row.finding) if row.finding else {}
    carrier = {} if row.carrier_id is None else {"delivery": str(row.carrier_id)}
    fixed = {"position": row.position, "index": row.entry, "message_id": str(row.message_id), **carrier, "outcome": row.outcome or NOT_DONE}
    return {**fixed, "done_at": row.done_at or None, **(found if values else said(found))}


def _check_limit(limit: int) -> None:
    if not 1 <= limit <= MAX_PAGE:
        raise Refused("invalid-request", got=f"limit {limit}", expected=f"1 to {MAX_PAGE}")
