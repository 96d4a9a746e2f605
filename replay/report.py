"""The report of a replay: what was asked for, what came out, every item that came out otherwise. Signed by the hub; counts add up.

``outcomes`` counts every item once: its numbers sum to ``items``. ``results_sha256`` is over one line per item, so that the table of
results cannot be edited under a signed report. ``exceptions`` lists what did not come out as it was, up to `MAX_LISTED`; all are counted.

A report outlives messages that are erased, and its bytes cannot change. So it names the fields that differ and says values only of
`TELLABLE` ones, which are the hub's own words; the values lie in the table of results, where an erasure blanks them. A result's line has
a random salt in it, lest its digest tell what it was.
"""

from __future__ import annotations

import json
from collections import Counter
from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select

from replay.job import Job, JobState, Outcome
from replay.store.jobs import approvals, replay_items
from replay.store.people import persons
from schemas.message import rfc3339

MAX_LISTED = 1_000
TELLABLE = ("/policy", "/verdict", "/legal_value", "/kind")  # fields whose values are words of the hub's, not of a message
_SAID = ("code", "violations", "system", "by", "times_seen", "why", "states", "causes", "was")
NORMAL = (Outcome.SAME, Outcome.PLANNED)


def compiled(conn: Connection, job: Job, state: JobState, at: datetime) -> dict[str, Any]:
    """What the report says, unsigned."""
    outcomes: Counter[str] = Counter()
    now: Counter[str] = Counter()
    exceptions: list[dict[str, Any]] = []
    results = sha256()
    query = select(replay_items).where(replay_items.c.replay_id == job.id).order_by(replay_items.c.position)
    for row in conn.execute(query, execution_options={"yield_per": 500}):
        outcome = row.outcome or "not-done"
        told = json.loads(row.finding) if row.finding else {}
        outcomes[outcome] += 1
        if "now" in told:
            now["changed" if told["now"].get("changed") else "same"] += 1
        results.update(f"{row.position} {row.entry} {row.message_id} {row.carrier_id or '-'} {outcome} {row.finding}\n".encode())
        notable = outcome not in NORMAL or told.get("now", {}).get("changed", False)
        if notable and len(exceptions) < MAX_LISTED:
            exceptions.append(_listed(row, outcome, told))
    return {
        "v": 1,
        "kind": "replay-report",
        "replay": str(job.id),
        "request": dict(job.request),
        "request_sha256": job.digest,
        "state": str(state),
        "ended_at": rfc3339(at),
        "items": job.items,
        "outcomes": dict(sorted(outcomes.items())),
        **({"as_of_now": dict(sorted(now.items()))} if now else {}),
        "results_sha256": results.hexdigest(),
        "exceptions": exceptions,
        "exceptions_left_out": _notable(outcomes, now, len(exceptions)),
        "requested_by": _person(conn, job.created_by),
        "approved": _approval(conn, job.id),
    }


def _notable(outcomes: Counter[str], now: Counter[str], listed: int) -> bool:
    """Whether there may be more than are listed."""
    others = sum(number for outcome, number in outcomes.items() if outcome not in NORMAL)
    return listed == MAX_LISTED and others + now["changed"] > MAX_LISTED


def _listed(row: Any, outcome: str, told: dict[str, Any]) -> dict[str, Any]:
    carrier = {} if row.carrier_id is None else {"delivery": str(row.carrier_id)}
    return {"index": row.entry, "message_id": str(row.message_id), **carrier, "outcome": outcome, **_said(told)}


def _said(told: dict[str, Any]) -> dict[str, Any]:
    """What of a finding the report repeats."""
    said = {name: told[name] for name in _SAID if name in told}
    if "fields" in told:
        said["fields"] = {path: pair if path in TELLABLE else [] for path, pair in told["fields"].items()}
    if "now" in told:
        now = told["now"]
        said["now"] = {name: now[name] for name in ("verdict", "changed") if name in now} | _said({"fields": now.get("fields", {})})
    return said


def _approval(conn: Connection, job_id: UUID) -> dict[str, Any] | None:
    row = conn.execute(select(approvals).where(approvals.c.replay_id == job_id)).first()
    if row is None:
        return None
    return {"by": _person(conn, row.person_id), "at": row.at, "request_sha256": row.digest, "index": row.entry}


def _person(conn: Connection, person_id: UUID) -> dict[str, Any]:
    row = conn.execute(select(persons.c.login, persons.c.name).where(persons.c.id == person_id)).first()
    return {"id": str(person_id), "login": "" if row is None else row.login, "name": "" if row is None else row.name}
