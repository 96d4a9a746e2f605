"""The proof that nothing about a party was withheld from a period, as files. `period_check` says what they show, and why."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, func, select

from replay.checkpoint import Checkpoint
from replay.entry import canonical, has_tag
from replay.erasure import ERASED
from replay.evidence.box import CHECKPOINT, INDEX, PERIOD, PROOF, README
from replay.evidence.guide import period_guide
from replay.evidence.period_check import CONSISTENCY, ENTRIES, LEFT, OPENINGS, SLACK
from replay.evidence.stamp import stamp_files
from replay.journal import Journal
from replay.store.tables import AnyRow, entries, openings
from replay.tiles import Tiles
from replay.tlog_proof import to_text
from schemas.agency import AgencyCode
from schemas.errors import Refused
from schemas.message import rfc3339
from signing.note import note_text

MAX_ENTRIES = 100_000  # of one container: some 100 MB of leaves


@dataclass(frozen=True, slots=True)
class Period:
    """Whose entries, from when (inclusive) until when (exclusive)."""

    party: AgencyCode
    since: datetime
    until: datetime

    def check(self, now: datetime) -> None:
        """Raises `Refused("evidence-period")` for one that is empty, or too young to be proven whole."""
        if self.since >= self.until:
            raise Refused("evidence-period", got=f"{self.since} to {self.until}", expected="a beginning before its end")
        if self.until + SLACK > now:
            raise Refused("evidence-period", got=f"an end at {self.until}", expected=f"at the latest {now - SLACK}")


def files_of(
    conn: Connection, period: Period, note: bytes, journal: Journal, *, log_keys: Sequence[str], at: str, software: str
) -> dict[str, bytes]:
    """The files, in order, against the checkpoint `note`, which must cover an entry `SLACK` behind the period's end, and the ``erased``
    entries of what was erased.

    Raises `Refused("evidence-period")` where the range has more than `MAX_ENTRIES`; `Halted("journal-damaged")`.
    """
    head = Checkpoint.parse(note_text(note))
    first, end = _range(conn, period, head.size)
    if end - first > MAX_ENTRIES:
        raise Refused("evidence-period", got=f"{end - first} entries", expected=f"a shorter period: at most {MAX_ENTRIES} entries")
    key, tiles = journal.keys.parties.of(period.party.text), Tiles(conn, head.size)
    rows: Sequence[AnyRow] = conn.execute(
        select(entries.c.index.label("at"), entries.c.leaf, openings.c.body, openings.c.message_id)
        .join(openings, openings.c.index == entries.c.index)
        .where(entries.c.index >= first, entries.c.index < end)
        .order_by(entries.c.index)
    ).all()
    mine = [row for row in rows if has_tag(row.leaf, key)]
    opened = {str(row.at): json.loads(row.body) for row in mine if row.body is not None}
    erasing = erasing_entries(conn, [row.message_id for row in mine if row.body is None])
    index: dict[str, Any] = {
        "format": PERIOD,
        "origin": head.origin,
        "party": period.party.text,
        "party_key": b64encode(key).decode("ascii"),
        "from": rfc3339(period.since),
        "to": rfc3339(period.until),
        "first": first,
        "end": end,
        "size": head.size,
        "made_at": at,
        "software": software,
        "log_keys": list(log_keys),
    }
    return {
        README: period_guide(index),
        INDEX: canonical(index, "index"),
        CHECKPOINT: note,
        ENTRIES: b"".join(len(row.leaf).to_bytes(2, "big") + row.leaf for row in rows),
        LEFT: b"".join(tiles.peaks(first)),
        CONSISTENCY: b"".join(tiles.consistency(end)),
        **stamp_files(conn, end, note),
        OPENINGS: canonical(opened, "openings"),
        **{f"journal/{at}{PROOF}": to_text(journal.prove(conn, at, disclose=True, note=note)).encode() for at in erasing},
    }


def erasing_entries(conn: Connection, message_ids: Collection[UUID]) -> list[int]:
    """Indexes of the entries by which these messages were erased."""
    query = select(openings.c.index).where(openings.c.event == ERASED, openings.c.message_id.in_(set(message_ids)))
    return [int(each) for each in conn.execute(query.order_by(openings.c.index)).scalars()]


def last_needed(conn: Connection, period: Period) -> int:
    """Index of the last entry that the checkpoint has to cover."""
    high = rfc3339(period.until + SLACK)
    behind = conn.execute(select(func.min(openings.c.index)).where(openings.c.at >= high)).scalar() or 0
    before = conn.execute(select(func.max(openings.c.index)).where(openings.c.at < high)).scalar() or 0
    low = rfc3339(period.since - SLACK)
    gone = conn.execute(
        select(openings.c.message_id)
        .where(openings.c.at > low, openings.c.at < high, openings.c.body.is_(None), openings.c.message_id.is_not(None))
        .distinct()
    ).scalars()
    return max(int(behind), int(before) + 1, *erasing_entries(conn, list(gone)), 0)


def _range(conn: Connection, period: Period, size: int) -> tuple[int, int]:
    """From the entry before the first that may belong to the period, to the one behind the last; ``end`` is not in it."""
    low, high = rfc3339(period.since - SLACK), rfc3339(period.until + SLACK)
    at, index = openings.c.at, openings.c.index
    first = conn.execute(select(func.min(index)).where(at > low, index < size)).scalar()
    last = conn.execute(select(func.max(index)).where(at < high, index < size)).scalar()
    start = size - 1 if first is None else max(int(first) - 1, 0)
    stop = start + 1 if last is None else max(int(last) + 2, start + 1)
    return start, min(stop, size)
