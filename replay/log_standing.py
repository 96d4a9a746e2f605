"""How it stands with what others say of the log: each witness's last cosignature, what they owe, and what the time-stamping authority owes.

Read from the store alone, so every process, and a command beside a hub that serves, says the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select

from replay.cosigned import newest_cosigned
from replay.store.tables import checkpoints, cosignatures, log_head


@dataclass(frozen=True, slots=True)
class WitnessStanding:
    """One witness."""

    name: str
    size: int  # of the newest checkpoint that it cosigned; 0: none
    age_s: int | None  # since then, by its own clock; None: never
    behind: int  # entries that are published and that it has not cosigned


@dataclass(frozen=True, slots=True)
class StampStanding:
    """The time-stamping authority."""

    size: int  # of the newest stamped checkpoint; 0: none
    age_s: int | None  # since that checkpoint was published; None: there is none
    owed: int  # checkpoints that a stamp is owed for
    owed_s: int  # how long the oldest of them has been waiting; 0: none does


@dataclass(frozen=True, slots=True)
class LogStanding:
    """All of it."""

    entries: int
    published: int  # entries under the last published checkpoint
    cosigned: int  # entries under the newest checkpoint that the quorum cosigned; 0: none of late
    quorum: int
    witnesses: Sequence[WitnessStanding]
    stamps: StampStanding | None  # None where no authority is configured

    def as_json(self) -> dict[str, Any]:
        """For `--json`, and for REST."""
        stamps = self.stamps
        return {
            "entries": self.entries,
            "published": self.published,
            "cosigned": self.cosigned,
            "quorum": f"{self.quorum} of {len(self.witnesses)}",
            "witnesses": [{"name": one.name, "size": one.size, "age_s": one.age_s, "behind": one.behind} for one in self.witnesses],
            "time_stamps": stamps and {"size": stamps.size, "age_s": stamps.age_s, "owed": stamps.owed, "owed_s": stamps.owed_s},
        }


@dataclass(frozen=True, slots=True)
class Asked:
    """Which witnesses are configured, how many have to agree, and whether there is an authority."""

    names: Sequence[str]
    quorum: int
    has_authority: bool


def standing(conn: Connection, asked: Asked, published: int, now: datetime) -> LogStanding:
    """As of `now`; `published` is the size of the last published checkpoint."""
    names, quorum = asked.names, asked.quorum
    entries = conn.execute(select(log_head.c.size)).scalar() or 0
    found = newest_cosigned(conn, names, max(quorum, 1)) if names else None
    witnesses = tuple(_witness(conn, name, published, now) for name in names)
    stamps = _stamps(conn, now) if asked.has_authority else None
    return LogStanding(entries, published, found.size if found else 0, quorum, witnesses, stamps)


def _witness(conn: Connection, name: str, published: int, now: datetime) -> WitnessStanding:
    mine = select(cosignatures.c.size, cosignatures.c.at_s).where(cosignatures.c.witness == name)
    row = conn.execute(mine.order_by(cosignatures.c.size.desc()).limit(1)).first()
    size = 0 if row is None else int(row._mapping["size"])
    age_s = None if row is None else max(0, int(now.timestamp()) - row.at_s)
    return WitnessStanding(name, size, age_s, max(0, published - size))


def _stamps(conn: Connection, now: datetime) -> StampStanding:
    is_stamped, is_owed = checkpoints.c.stamp.is_not(None), (checkpoints.c.stamp_due == 1) & checkpoints.c.stamp.is_(None)
    last = conn.execute(select(checkpoints.c.size, checkpoints.c.at).where(is_stamped).order_by(checkpoints.c.size.desc()).limit(1)).first()
    owed, oldest = conn.execute(select(func.count(), func.min(checkpoints.c.at)).where(is_owed)).one()
    size = 0 if last is None else int(last._mapping["size"])
    return StampStanding(size, None if last is None else _age_s(last.at, now), owed, 0 if oldest is None else _age_s(oldest, now))


def _age_s(at: str, now: datetime) -> int:
    return max(0, int((now - datetime.fromisoformat(at)).total_seconds()))
