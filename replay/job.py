"""Replay jobs as values: what may be asked for, where a job stands, what came of an item.

::

    ready ─► running ◄─► paused      ready, running, paused ─► cancelled
                │
                └─► done             the report is written in the same transaction, once
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha256
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, func, select

from replay.selection import Item
from replay.store.jobs import replay_items, replays
from replay.store.tables import AnyRow
from schemas.errors import Refused

MIN_RATE, MAX_RATE = 0.1, 10_000.0  # items per second


class Mode(StrEnum):
    """What is done with each item."""

    VERIFY = "verify"  # signatures, as of then and as of now
    REVALIDATE = "revalidate"  # read and validated again; every fact that comes out otherwise
    RETRANSLATE = "retranslate"  # what each receiver was given, made again and compared byte for byte
    SANDBOX = "sandbox"  # delivered to simulators inside this process
    REDELIVER = "redeliver"  # delivered again, really

    @property
    def of_transmissions(self) -> bool:
        """Whether its items are transmissions, not messages."""
        return self in (Mode.RETRANSLATE, Mode.SANDBOX, Mode.REDELIVER)


def mode_of(text: str) -> Mode:
    """Raises `Refused("invalid-request")` for one that is none."""
    if text not in set(Mode):
        raise Refused("invalid-request", got=text, expected=" | ".join(Mode))
    return Mode(text)


class JobState(StrEnum):
    """Where a job stands."""

    READY = "ready"
    RUNNING = "running"
    PAUSED = "paused"
    CANCELLED = "cancelled"
    DONE = "done"


class Outcome(StrEnum):
    """What came of an item. All but `handed` are final; "" in the table means not done yet."""

    SAME = "same"  # as it was; sandbox and redelivery: taken
    DIFFERENT = "different"  # otherwise than it was, field by field in the finding
    IMPOSSIBLE = "impossible"  # it could not be asked: erased, or an artefact of then is not here
    REFUSED = "refused"  # sandbox and redelivery: the receiver did not take it
    SKIPPED = "skipped"  # redelivery: it must not be delivered again, and the finding says why
    PLANNED = "planned"  # dry run: it would be
    HANDED = "handed"  # redelivery: on its way, its end is awaited


@dataclass(frozen=True, slots=True)
class Finding:
    """The outcome of one item with what there is to say."""

    outcome: Outcome
    told: Mapping[str, Any] = field(default_factory=dict)

    def as_text(self, salt: str) -> str:
        """JSON for the table; with the salt in it, a digest of it says nothing of what it was."""
        return json.dumps({**self.told, "salt": salt}, ensure_ascii=False, sort_keys=True)


@dataclass(frozen=True, slots=True)
class Job:
    """A row of `replays`."""

    id: UUID
    request: Mapping[str, Any]
    digest: str  # of the request
    mode: Mode
    created_by: UUID
    created_at: str
    items: int
    state: JobState
    runner: str
    lease_until: str
    updated_at: str
    report: bytes | None

    @property
    def is_dry(self) -> bool:
        """Whether nothing is really done."""
        return bool(self.request["dry_run"])

    @property
    def is_real(self) -> bool:
        """Whether something leaves the hub."""
        return self.mode is Mode.REDELIVER and not self.is_dry

    @property
    def rate_per_s(self) -> float:
        """Most items per second; 0 = as fast as it goes."""
        return float(self.request["rate_per_s"])

    @property
    def confirmation(self) -> str:
        """What has to be typed before a redelivery of several is started; "" where nothing has to."""
        return f"redeliver {self.items}" if self.is_real and self.items > 1 else ""


def load(conn: Connection, job_id: UUID) -> Job:
    """Raises `Refused`: ``not-found``, ``replay-changed`` (its request is not what was asked for)."""
    row = conn.execute(select(replays).where(replays.c.id == job_id)).first()
    if row is None:
        raise Refused("not-found", got=str(job_id), expected="a replay: lgsp replay list")
    return job_of(row)


def job_of(row: AnyRow) -> Job:
    """Raises `Refused("replay-changed")` where the columns do not agree with the request, or the request with its digest."""
    raw = bytes(row.request)
    if sha256(raw).hexdigest() != row.digest:
        raise Refused("replay-changed", got=sha256(raw).hexdigest(), expected=row.digest)
    request = json.loads(raw)
    same = (str(row.id), row.mode, row._mapping["items"], str(row.created_by))
    if same != (request["id"], request["mode"], request["items"], request["by"]):
        raise Refused("replay-changed", got=str(same), expected="what was asked for")
    return Job(
        id=row.id,
        request=request,
        digest=row.digest,
        mode=Mode(row.mode),
        created_by=row.created_by,
        created_at=row.created_at,
        items=row._mapping["items"],
        state=JobState(row.state),
        runner=row.runner,
        lease_until=row.lease_until,
        updated_at=row.updated_at,
        report=None if row.report is None else bytes(row.report),
    )


def item_of(row: AnyRow) -> Item:
    """A row of `replay_items`."""
    return Item(row.position, row.entry, bytes(row.leaf_hash), row.message_id, row.carrier_id)


def counts(conn: Connection, job_id: UUID) -> dict[str, int]:
    """Items by outcome; those not done under "waiting". Their sum is the number of items, always."""
    grouped = select(replay_items.c.outcome, func.count()).where(replay_items.c.replay_id == job_id).group_by(replay_items.c.outcome)
    return {str(outcome) or "waiting": int(number) for outcome, number in conn.execute(grouped).all()}
