"""The replay engine: does what is left of a job, item by item, and writes the report once.

The loop of `Engine.run`:

1. take      the turn (`runner`, a lease); whoever held it before stops at its next commit
2. do        up to `CHUNK` items outside any transaction: reading, verifying, translating
3. settle    in one transaction: still running? then each item that is not done yet gets its finding, and its effect (a redelivery)
             happens here, with it; whose turn it is no more stops after that
4. await     redeliveries that are on their way, until each has an end
5. report    in one transaction: running → done, signed report, journal entry

No step leaves anything behind that the next run could not tell from undone: `kill -9` at any point, and the next run does exactly the
rest. Two runners at once are a waste, no harm: an item is settled by compare-and-set, and so is the job's end. Who ends before the job
does gives the turn back, so that nobody waits for the lease of somebody who has gone.

A message that is erased meanwhile is looked at no more: nothing is concluded from it, and nothing of it is delivered.

Nothing leaves the process here. What a mode does is handed in (`Work`); only a redelivery has an effect, and that is a state in the outbox.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Protocol, TypeVar
from uuid import UUID

from sqlalchemy import Connection, select, update

from replay import job as jobs
from replay.entry import EntryDraft
from replay.erasure import is_erased
from replay.job import Finding, Job, JobState, Outcome
from replay.journal import Position
from replay.report import compiled
from replay.selection import Item, digest_of
from replay.store.engine import Store
from replay.store.jobs import replay_items, replays
from schemas.errors import Refused
from schemas.message import rfc3339

CHUNK = 50
CHUNK_S = 1.0  # a chunk is settled after as long as this, however few it has
LEASE = timedelta(seconds=10)  # and as long as the job's rate has it wait between items
POLL_S = 0.2
ERASED = Finding(Outcome.IMPOSSIBLE, {"code": "payload-erased"})
T = TypeVar("T")


class Writing(Protocol):
    """A transaction that can append to the journal (`hub.commit.Transaction`)."""

    @property
    def conn(self) -> Connection: ...

    def append(self, draft: EntryDraft) -> Position: ...


class Work(Protocol):
    """What a mode does with an item."""

    def look(self, item: Item) -> Finding:
        """Outside any transaction. MUST NOT let anything leave the process."""

    def settle(self, tx: Any, item: Item, finding: Finding) -> Finding:
        """Inside the transaction that writes the finding, once per item: the effect, if the mode has one."""

    def end_of(self, conn: Connection, item: Item) -> Finding | None:
        """What became of an item that was `handed`; None while that is open."""


class Submit(Protocol):
    """Has a change run in a transaction of its own (`hub.commit.Committer.submit`)."""

    def __call__(self, change: Callable[[Any], T], *, reserved: bool = False) -> Future[T]: ...


@dataclass(frozen=True, slots=True)
class Engine:
    """Runs jobs. `check` refuses a job that may not (any more) be run; `sign` makes a report of what it says."""

    store: Store
    submit: Submit
    clock: Callable[[], datetime]
    work_of: Callable[[Job], Work]
    check: Callable[[Connection, Job], None]
    sign: Callable[[Mapping[str, Any]], bytes]
    pause: Callable[[float], object] = time.sleep
    name: str = field(default_factory=lambda: secrets.token_hex(8))

    def run(
        self,
        job_id: UUID,
        *,
        progress: Callable[[int, int], object] = lambda done, all_: None,
        wait_s: float = 0.0,
        stopped: Callable[[], bool] = lambda: False,
        politely: bool = False,
    ) -> Job:
        """Does the rest of a running job; returns it as it then stands: done, or paused, cancelled, taken over, still on its way.

        `wait_s` is how long the ends of redeliveries are awaited. `politely`: only if nobody else is at work on it. Raises `Refused` as
        `check` does, ``replay-changed``.
        """
        job = self._take_turn(job_id, politely)  # 1
        if job is None or job.state is not JobState.RUNNING:
            return self._now(job_id)
        try:
            if self._all_settled(job, progress, stopped) and self._awaited(job, self.work_of(job), wait_s, stopped):  # 2 to 4
                self.submit(lambda tx: self._finish(tx, job), reserved=True).result()  # 5
        finally:
            self.submit(lambda tx: self._give_back(tx.conn, job_id), reserved=True).result()
        return self._now(job_id)

    def _all_settled(self, job: Job, progress: Callable[[int, int], object], stopped: Callable[[], bool]) -> bool:
        """Steps 2 and 3 until no item is left; False where that was not reached."""
        work, started, before, done = self.work_of(job), time.monotonic(), self._done(job.id), 0
        while items := self._undone(job.id):
            if stopped():
                return False
            findings = self._looked(job, work, items, stopped)  # 2
            if not self._settled(job, work, findings):  # 3
                return False
            done += len(findings)
            progress(before + done, job.items)
            if job.rate_per_s:
                self.pause(max(0.0, started + done / job.rate_per_s - time.monotonic()))
        return not stopped()

    def _take_turn(self, job_id: UUID, politely: bool) -> Job | None:
        with self.store.read() as conn:
            job = jobs.load(conn, job_id)
            self.check(conn, job)
            found = digest_of(self._selection(conn, job_id))
        if found != job.request["selection_sha256"]:
            raise Refused("replay-changed", got=f"selection {found}", expected=str(job.request["selection_sha256"]))
        mine = self.submit(lambda tx: self._renew(tx.conn, job, take=True, politely=politely), reserved=True).result()
        return job if mine else None

    def _selection(self, conn: Connection, job_id: UUID) -> Sequence[Item]:
        rows = conn.execute(select(replay_items).where(replay_items.c.replay_id == job_id).order_by(replay_items.c.position))
        return [jobs.item_of(row) for row in rows]

    def _undone(self, job_id: UUID) -> Sequence[Item]:
        query = select(replay_items).where(replay_items.c.replay_id == job_id, replay_items.c.outcome == "")
        with self.store.read() as conn:
            return [jobs.item_of(row) for row in conn.execute(query.order_by(replay_items.c.position).limit(CHUNK))]

    def _looked(self, job: Job, work: Work, items: Sequence[Item], stopped: Callable[[], bool]) -> Sequence[tuple[Item, Finding]]:
        most = CHUNK if not job.rate_per_s else max(1, min(CHUNK, int(job.rate_per_s)))
        until, found = time.monotonic() + CHUNK_S, []
        for item in items[:most]:
            found.append((item, _looked_at(work, item)))
            if time.monotonic() > until or stopped():
                break
        return found

    def _settled(self, job: Job, work: Work, findings: Sequence[tuple[Item, Finding]]) -> bool:
        def change(tx: Writing) -> bool:
            if not _is_running(tx.conn, job.id):
                return False
            for item, finding in findings:  # also where the turn was lost meanwhile: whoever is slow gets on, too
                mine = (replay_items.c.replay_id == job.id, replay_items.c.position == item.position, replay_items.c.outcome == "")
                if tx.conn.execute(select(replay_items.c.position).where(*mine)).first() is None:
                    continue
                gone = is_erased(tx.conn, item.message_id)  # perhaps since it was looked at
                self._write(tx.conn, job.id, item, ERASED if gone else work.settle(tx, item, finding))
            return self._renew(tx.conn, job)

        return self.submit(change, reserved=True).result()

    def _awaited(self, job: Job, work: Work, wait_s: float, stopped: Callable[[], bool]) -> bool:
        """Whether every redelivery has an end now."""
        until = time.monotonic() + wait_s
        while True:
            with self.store.read() as conn:
                query = select(replay_items).where(replay_items.c.replay_id == job.id, replay_items.c.outcome == Outcome.HANDED)
                open_ones = [jobs.item_of(row) for row in conn.execute(query)]
                ended = [(item, end) for item in open_ones if (end := work.end_of(conn, item)) is not None]

            def change(tx: Writing, ended: Sequence[tuple[Item, Finding]] = ended) -> bool:
                if self._renew(tx.conn, job):
                    for item, finding in ended:
                        told = {} if is_erased(tx.conn, item.message_id) else finding.told
                        self._write(tx.conn, job.id, item, Finding(finding.outcome, told))
                    return True
                return False

            if not self.submit(change, reserved=True).result() or stopped():
                return False
            if len(ended) == len(open_ones):
                return True
            if time.monotonic() > until:
                return False
            self.pause(POLL_S)

    def _write(self, conn: Connection, job_id: UUID, item: Item, finding: Finding) -> None:
        values = {"outcome": str(finding.outcome), "finding": finding.as_text(secrets.token_hex(16)), "done_at": rfc3339(self.clock())}
        mine = (replay_items.c.replay_id == job_id, replay_items.c.position == item.position)
        conn.execute(update(replay_items).where(*mine).values(values))

    def _renew(self, conn: Connection, job: Job, *, take: bool = False, politely: bool = False) -> bool:
        """Holds the lease for a while longer; False if the job is not running, or somebody else's turn. `take` makes it ours all the same,
        `politely` only where nobody holds it."""
        now = self.clock()
        whose = [replays.c.lease_until < rfc3339(now)] if politely else [] if take else [replays.c.runner == self.name]
        mine = [replays.c.id == job.id, replays.c.state == JobState.RUNNING, *whose]
        lease = LEASE + timedelta(seconds=1 / job.rate_per_s if job.rate_per_s else 0)
        values = {"runner": self.name, "lease_until": rfc3339(now + lease)}
        return conn.execute(update(replays).where(*mine).values(values)).rowcount == 1

    def _give_back(self, conn: Connection, job_id: UUID) -> None:
        mine = (replays.c.id == job_id, replays.c.runner == self.name)
        conn.execute(update(replays).where(*mine).values(runner="", lease_until=""))

    def _finish(self, tx: Writing, job: Job) -> None:
        counted = jobs.counts(tx.conn, job.id)
        if counted.get("waiting") or counted.get(Outcome.HANDED) or not self._renew(tx.conn, job):
            return
        end_job(tx, job, JobState.DONE, self.sign, by="hub", at=self.clock())

    def _done(self, job_id: UUID) -> int:
        with self.store.read() as conn:
            counted = jobs.counts(conn, job_id)
        return sum(counted.values()) - counted.get("waiting", 0)

    def _now(self, job_id: UUID) -> Job:
        with self.store.read() as conn:
            return jobs.load(conn, job_id)


def _is_running(conn: Connection, job_id: UUID) -> bool:
    return conn.execute(select(replays.c.id).where(replays.c.id == job_id, replays.c.state == JobState.RUNNING)).first() is not None


def _looked_at(work: Work, item: Item) -> Finding:
    """What there is to say of an item; one that cannot be asked about keeps no other from its turn."""
    try:
        return work.look(item)
    except Refused as fault:
        return Finding(Outcome.IMPOSSIBLE, {"code": fault.code, "got": fault.got})


def end_job(tx: Writing, job: Job, state: JobState, sign: Callable[[Mapping[str, Any]], bytes], *, by: str, at: datetime) -> None:
    """The job's end with its one report, and the entry that names both. The caller holds the job."""
    told = compiled(tx.conn, job, state, at)
    report = sign(told)
    values = {"state": str(state), "report": report, "runner": "", "lease_until": "", "updated_at": rfc3339(at)}
    tx.conn.execute(update(replays).where(replays.c.id == job.id).values(values))
    fields = {"results_sha256": told["results_sha256"], "report_sha256": sha256(report).hexdigest(), "outcomes": told["outcomes"]}
    journal(tx, job, str(state), by=by, at=at, **fields)


def journal(tx: Writing, job: Job, what: str, *, by: str, at: datetime, **more: Any) -> Position:
    """A ``replay`` entry: what happened to the job, and by whom (a person's id, or the hub)."""
    fixed = {name: job.request[name] for name in ("mode", "dry_run", "items", "log_size", "selection_sha256")}
    fields = {"replay": str(job.id), "what": what, "by": by, "request_sha256": job.digest, **fixed, **more}
    return tx.append(EntryDraft(event="replay", at=at, parties=(), fields=fields))
