"""fsck, replays: each job, its selection, its results, its report and its approval are those that entries tell of, and there is no other.

What was found out about items is committed to by one digest in the entry of the job's end. Erasing one of its messages blanks what was
found out about it; from then on only the outcomes are held against that entry. Of a job that was started and has not ended, outcomes are
work in progress. Who runs it, and until when, is nobody's promise.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import groupby
from typing import Any
from uuid import UUID, uuid5

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import Connection, select

from replay.derived import hexadecimal
from replay.findings import Findings
from replay.job import JobState, Mode, Outcome
from replay.store.jobs import approvals, delivery_keys, replay_items, replay_typed, replays
from replay.store.loose import loose, uuid_of
from replay.store.tables import AnyRow
from replay.typed import commitment
from schemas.errors import Refused
from signing.sign import verify_report

CHUNK = 500
_STATES = {
    "created": JobState.READY,
    "started": JobState.RUNNING,
    "resumed": JobState.RUNNING,
    "paused": JobState.PAUSED,
    "cancelled": JobState.CANCELLED,
    "done": JobState.DONE,
}
_CREATED = ("request_sha256", "selection_sha256", "mode", "dry_run", "items")  # asked for here: an entry of another form is told as such
_END = ("results_sha256", "outcomes", "request_sha256")
_ENDED = (JobState.CANCELLED, JobState.DONE)
_SENT = (Outcome.HANDED, Outcome.SAME, Outcome.REFUSED)  # outcomes of a redelivery that was really made
_JOBS, _APPROVALS, _TYPED, _KEYS = (select(*loose(table)) for table in (replays, approvals, replay_typed, delivery_keys))
_ITEMS = select(*loose(replay_items)).order_by(replay_items.c.replay_id, replay_items.c.position)


@dataclass(slots=True)
class _Told:
    """What entries say of a job."""

    created: Mapping[str, Any]
    at: str
    state: str
    moved_at: str
    end: Mapping[str, Any] = field(default_factory=dict)
    approval: tuple[object, ...] | None = None  # index, person, time, digest


@dataclass(slots=True)
class Replays:
    """Folds ``replay`` entries and compares the rows at the end."""

    findings: Findings
    keys: Mapping[str, Ed25519PublicKey]  # that sign reports, by id
    told: dict[str, _Told] = field(default_factory=dict)  # by job (hexadecimal)
    _keys_due: dict[str, set[str]] = field(default_factory=dict)  # transmission → idempotency keys that redeliveries gave it

    def fold(self, index: int, at: str, values: Mapping[str, Any]) -> None:
        """A ``replay`` entry."""
        job, what = hexadecimal(values["replay"]), values["what"]
        if what == "created":
            by = hexadecimal(values["by"])
            self.told[job] = _Told({**{name: values[name] for name in _CREATED}, "by": by}, at, str(JobState.READY), at)
            return
        told = self.told[job]
        if what == "approved":
            told.approval = (index, hexadecimal(values["by"]), at, values["request_sha256"])
        elif what in _STATES:
            told.state, told.moved_at = str(_STATES[what]), at
            told.end = {**values, **{name: values[name] for name in _END}} if _STATES[what] in _ENDED else {}

    def check(self, conn: Connection, erased: Collection[str]) -> None:
        """After the last entry. `erased`: messages (hexadecimal)."""
        rows = {row.id: row for row in conn.execute(_JOBS)}
        for job in sorted(rows.keys() ^ self.told.keys(), key=str):
            self._differ(f"replays/{job}", "a job" if job in rows else "no job", "the jobs that the journal tells of")
        for job in sorted(rows.keys() & self.told.keys()):
            self.findings.counts["replays"] += 1
            self._compare(rows[job], self.told[job])
        self._check_items(conn, rows, erased)
        self._check_approvals(conn)
        self._check_typed(conn, rows)
        self._check_keys(conn)

    def _compare(self, row: AnyRow, told: _Told) -> None:
        created = told.created
        expected = {
            "digest": created["request_sha256"],
            "mode": created["mode"],
            "created_by": created["by"],
            "created_at": told.at,
            "items": created["items"],
            "state": told.state,
            "updated_at": told.moved_at,
        }
        for name, value in expected.items():
            got = row._mapping[name]
            if got != value:
                self._differ(f"replays/{row.id}/{name}", got, value)
        if sha256(row.request).hexdigest() != created["request_sha256"]:
            self._differ(f"replays/{row.id}/request", sha256(row.request).hexdigest(), created["request_sha256"])
        wrong = self._report(row.report, told)
        if wrong:
            self._differ(f"replays/{row.id}/report", wrong, "the signed report of its end" if told.end else "none before its end")

    def _report(self, report: bytes | None, told: _Told) -> str:
        """What is wrong with it; "" if nothing is."""
        if report is None or not told.end:
            return "" if report is None and not told.end else "none" if report is None else "one"
        if sha256(report).hexdigest() != told.end.get("report_sha256", sha256(report).hexdigest()):
            return sha256(report).hexdigest()
        try:
            says = verify_report(report, self.keys)
        except Refused as fault:
            return fault.got
        same = all(says.get(name) == told.end.get(name) for name in ("request_sha256", "results_sha256", "outcomes"))
        return "" if same else "other results"

    def _check_items(self, conn: Connection, rows: Mapping[str, AnyRow], erased: Collection[str]) -> None:
        """The frozen selection, and what came of it."""
        seen: set[str] = set()
        for job, items in _by_job(conn):
            seen.add(job)
            told, outcomes, blanked, done = self.told.get(job), Counter[str](), False, 0
            selected, results = sha256(), sha256()
            for row in items:
                self.findings.counts["replay_items"] += 1
                message, carrier = uuid_of(row.message_id), uuid_of(row.carrier_id) if row.carrier_id is not None else "-"
                frozen = f"{row.position} {row.entry}"
                selected.update(f"{frozen} {row.leaf_hash.hex()} {message} {carrier}\n".encode("utf-8", "surrogatepass"))
                outcome = str(row.outcome or "not-done")
                line = f"{frozen} {message} {carrier} {outcome} {row.finding}\n"
                results.update(line.encode("utf-8", "surrogatepass"))
                outcomes[outcome] += 1
                done += (row.outcome, row.finding) != ("", "")
                blanked = blanked or row.message_id in erased
                self._note_key(rows.get(job), row)
            if told is None:
                self._differ(f"replay_items/{job}", "items", "items of jobs that the journal tells of")
                continue
            expected = told.created["selection_sha256"]
            if selected.hexdigest() != expected:
                self._differ(f"replay_items/{job}", f"selection {selected.hexdigest()}", expected)
            if told.state == JobState.READY and done:
                self._differ(f"replay_items/{job}/outcome", f"{done} items done", "none before it is started")
            if told.end and dict(outcomes) != told.end["outcomes"]:
                self._differ(f"replay_items/{job}/outcome", json.dumps(dict(sorted(outcomes.items()))), json.dumps(told.end["outcomes"]))
            elif told.end and not blanked and results.hexdigest() != told.end["results_sha256"]:
                self._differ(f"replay_items/{job}/finding", f"results {results.hexdigest()}", told.end["results_sha256"])
        for job in sorted(self.told.keys() - seen):
            self._differ(f"replay_items/{job}", "none", f"{self.told[job].created['items']} items")

    def _note_key(self, job: AnyRow | None, item: AnyRow) -> None:
        """Remembers a redelivery that went under a key of its own."""
        told = None if job is None else self.told.get(job.id)
        if told is None or job is None or told.created["mode"] != Mode.REDELIVER or item.outcome not in _SENT:
            return
        try:
            new, carrier = json.loads(job.request)["new_key"], uuid_of(item.carrier_id)
        except (ValueError, TypeError, KeyError):  # found already: the request is not what was asked for
            return
        if new and not told.created["dry_run"] and carrier is not None:
            self._keys_due.setdefault(carrier.hex, set()).add(str(uuid5(UUID(job.id), str(carrier))))

    def _check_approvals(self, conn: Connection) -> None:
        found = {row.replay_id: (row.entry, row.person_id, row.at, row.digest) for row in conn.execute(_APPROVALS)}
        wanted = {job: told.approval for job, told in self.told.items() if told.approval is not None}
        for job in sorted(found.keys() | wanted.keys(), key=str):
            if found.get(job) != wanted.get(job):
                got, expected = (" ".join(map(str, each or ("none",))) for each in (found.get(job), wanted.get(job)))
                self._differ(f"replay_approvals/{job}", got, expected)

    def _check_typed(self, conn: Connection, rows: Mapping[str, AnyRow]) -> None:
        """What opens a condition of a request opens it. A row that is gone harms nobody: the indexes say which messages were meant."""
        for row in conn.execute(_TYPED):
            try:
                conditions = json.loads(rows[row.replay_id].request)["query"]
                same = conditions[row.name] == {"commitment": commitment(row.value, row.salt)}
            except (ValueError, TypeError, KeyError):
                same = False
            if not same:
                self._differ(f"replay_typed/{row.replay_id}/{row.name}", row.value, "the value that the request commits to")

    def _check_keys(self, conn: Connection) -> None:
        found = {row.carrier_id: row for row in conn.execute(_KEYS)}
        for carrier in sorted(found.keys() | self._keys_due.keys(), key=str):
            row, due = found.get(carrier), self._keys_due.get(carrier, set())
            got = "none" if row is None else row.key
            right = row is not None and got in due and (known := uuid_of(row.replay_id)) is not None and got == str(_key(known, carrier))
            if not right:
                self._differ(f"delivery_keys/{carrier}", got, " or ".join(sorted(due)) or "none: no redelivery asked for another key")

    def _differ(self, path: str, got: object, expected: object) -> None:
        self.findings.differ("replay-changed", path, got=got, expected=expected)


def _key(replay: UUID, carrier: str) -> UUID:
    """The idempotency key that a redelivery gives a transmission (hexadecimal) when it is asked for another."""
    return uuid5(replay, str(UUID(carrier)))


def _by_job(conn: Connection) -> Iterator[tuple[str, Iterator[AnyRow]]]:
    """All items, job by job, in order."""

    def rows() -> Iterator[AnyRow]:
        for some in conn.execute(_ITEMS, execution_options={"yield_per": CHUNK}).partitions(CHUNK):
            yield from some

    yield from groupby(rows(), key=lambda row: row.replay_id)
