"""Whether a redelivery is approved, asked each time a job is taken up, not only when the approval was given."""

from __future__ import annotations

from sqlalchemy import Connection, select

from hub import persons
from hub.persons import Role
from hub.rework.recorded import opened
from replay.job import Job
from replay.store.jobs import approvals
from schemas.errors import Refused


def check_approved(conn: Connection, job: Job) -> None:
    """A job that lets something leave the hub needs an approval of its very request: a row, by another person than the one who asked, who
    is an approver still, and a journal entry that says so. Whoever edits the database has no entry.

    Raises `Refused("approval-missing")`.
    """
    if not job.is_real:
        return
    row = conn.execute(select(approvals).where(approvals.c.replay_id == job.id)).first()
    if row is None or row.digest != job.digest:
        raise Refused("approval-missing", got="no approval of this request", expected=job.digest)
    person = persons.of_id(conn, row.person_id)
    if person is None or not person.is_enabled or Role.APPROVER not in person.roles or person.id == job.created_by:
        raise Refused("approval-missing", got="an approval by somebody who may not (any more)", expected="another person, an approver")
    said = {"replay": str(job.id), "what": "approved", "by": str(person.id), "request_sha256": job.digest}
    try:
        values = opened(conn, row.entry)
    except Refused as fault:
        raise Refused("approval-missing", got=f"entry {row.entry}: {fault.code}", expected=job.digest) from fault
    if any(values.get(name) != value for name, value in said.items()):
        raise Refused("approval-missing", got=f"entry {row.entry} says otherwise", expected=job.digest)
