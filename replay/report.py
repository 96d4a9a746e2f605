"""The report of a replay: what was asked for, what came out, every item that came out otherwise. Signed by the hub; counts add up.

``outcomes`` counts every item once: its numbers sum to ``items``. ``results_sha256`` is over one line per item, so that the table of
results cannot be edited under a signed report. ``exceptions`` lists what did not come out as it was, up to `MAX_LISTED`; all are counted.

A report outlives messages that are erased, and its bytes cannot change. So it says values only of fields that are the hub's own words
(`is_tellable`). Of every other field it has two commitments, SHA-256(salt ‖ canonical JSON of the value): values and salt lie in the
table of results, for those who may see them, and an erasure blanks both. A result's line has the salt in it, lest its digest tell what
it was.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select

from replay.job import Job, JobState, Outcome
from replay.store.jobs import approvals, replay_items
from replay.store.people import persons
from schemas.canonical import canonical_json
from schemas.message import rfc3339

MAX_LISTED = 1_000
_ANSWERS = "integrity|coverage|path|revocation|time|algorithms|time_source|verdict|kind|reasons(/[0-9]+)?|notes(/[0-9]+)?"
_TELLABLE = re.compile(  # of verdicts, and which mappings made something
    f"/(policy|accepted|legal_value|mappings(/[0-9]+)?|verdict|kind|reason|reasons(/[0-9]+)?|(signatures|attachments)/[0-9]+/({_ANSWERS}))"
)
_SAID = ("code", "violations", "system", "by", "times_seen", "why", "states", "causes", "was", "fields_differing", "because")
_QUESTIONS = {"now": "as_of_now", "today": "if_it_came_today"}  # in a finding → in the report
NORMAL = (Outcome.SAME, Outcome.PLANNED)


def compiled(conn: Connection, job: Job, state: JobState, at: datetime) -> dict[str, Any]:
    """What the report says, unsigned."""
    outcomes: Counter[str] = Counter()
    asked: dict[str, Counter[str]] = {name: Counter() for name in _QUESTIONS}
    notable = 0
    exceptions: list[dict[str, Any]] = []
    results = sha256()
    query = select(replay_items).where(replay_items.c.replay_id == job.id).order_by(replay_items.c.position)
    for row in conn.execute(query, execution_options={"yield_per": 500}):
        outcome = row.outcome or "not-done"
        told = json.loads(row.finding) if row.finding else {}
        outcomes[outcome] += 1
        for name, counted in asked.items():
            if name in told:
                counted["changed" if told[name].get("changed") else "same"] += 1
        results.update(f"{row.position} {row.entry} {row.message_id} {row.carrier_id or '-'} {outcome} {row.finding}\n".encode())
        if outcome not in NORMAL or any(told.get(name, {}).get("changed") for name in asked):
            notable += 1
            if notable <= MAX_LISTED:
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
        **{_QUESTIONS[name]: dict(sorted(counted.items())) for name, counted in asked.items() if counted},
        "results_sha256": results.hexdigest(),
        "exceptions": exceptions,
        "exceptions_left_out": notable - len(exceptions),
        "requested_by": _person(conn, job.created_by),
        "approved": _approval(conn, job.id),
    }


def _listed(row: Any, outcome: str, told: dict[str, Any]) -> dict[str, Any]:
    carrier = {} if row.carrier_id is None else {"delivery": str(row.carrier_id)}
    return {"index": row.entry, "message_id": str(row.message_id), **carrier, "outcome": outcome, **said(told)}


def said(told: Mapping[str, Any]) -> dict[str, Any]:
    """What of a finding is said to everybody: no value of a message."""
    salt = str(told.get("salt", ""))
    repeated = {name: told[name] for name in _SAID if name in told}
    if "fields" in told:
        fields: Mapping[str, Any] = told["fields"]
        repeated["fields"] = {path: pair if is_tellable(path) else [commitment(one, salt) for one in pair] for path, pair in fields.items()}
    for name in _QUESTIONS:
        if name in told:
            inner = told[name]
            repeated[name] = {one: inner[one] for one in ("verdict", "reasons", "changed") if one in inner} | said({**inner, "salt": salt})
    return repeated


def is_tellable(path: str) -> bool:
    """Whether a field's values are words of the hub's, not of a message."""
    return _TELLABLE.fullmatch(path) is not None


def commitment(value: Any, salt: str) -> str:
    """What stands for a value of a message, lower hex. `salt` in hex."""
    return sha256(bytes.fromhex(salt) + canonical_json(value)).hexdigest()


def _approval(conn: Connection, job_id: UUID) -> dict[str, Any] | None:
    row = conn.execute(select(approvals).where(approvals.c.replay_id == job_id)).first()
    if row is None:
        return None
    return {"by": _person(conn, row.person_id), "at": row.at, "request_sha256": row.digest, "index": row.entry}


def _person(conn: Connection, person_id: UUID) -> dict[str, Any]:
    row = conn.execute(select(persons.c.login, persons.c.name).where(persons.c.id == person_id)).first()
    return {"id": str(person_id), "login": "" if row is None else row.login, "name": "" if row is None else row.name}
