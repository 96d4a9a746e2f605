"""What others say of published checkpoints, kept beside the log: cosignatures of witnesses, time stamps. Evidence, never needed to run."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Table, delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from replay.published import Published
from replay.store.tables import checkpoints, cosignatures

_CHUNK = 500
LOOK_BACK = 500  # cosignatures among which the newest cosigned checkpoint is looked for


@dataclass(frozen=True, slots=True)
class Cosigned:
    """A published checkpoint with the lines of those who cosigned it."""

    size: int
    note: bytes  # the log's signatures, then the cosignatures
    witnesses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OwedStamp:
    """A checkpoint that a time stamp is owed for."""

    size: int
    note: bytes


def record_checkpoint(conn: Connection, published: Published, at: str, stamp_every: int) -> None:
    """Writes down a checkpoint, once; every `stamp_every`-th owes a time stamp (0: none does). `at` as RFC 3339."""
    size = published.checkpoint.size
    if conn.execute(select(checkpoints.c.size).where(checkpoints.c.size == size)).first() is not None:
        return
    number = (conn.execute(select(func.max(checkpoints.c.number))).scalar() or 0) + 1
    due = int(stamp_every > 0 and (number - 1) % stamp_every == 0)
    _insert_new(conn, checkpoints, size=size, number=number, note=published.note, at=at, stamp_due=due)


def record_cosignature(conn: Connection, size: int, witness: str, line: str, at_s: int) -> None:
    """Keeps a witness's line for the checkpoint of `size`; a later one of the same witness takes its place."""
    _insert_new(conn, cosignatures, size=size, witness=witness, line=line, at_s=at_s)
    mine = (cosignatures.c.size == size, cosignatures.c.witness == witness)
    conn.execute(update(cosignatures).where(*mine).values(line=line, at_s=at_s))


def with_cosignatures(conn: Connection, published: Published, witnesses: Collection[str]) -> Cosigned:
    """`published` with the lines of `witnesses` that are there."""
    return _with_lines(conn, published.checkpoint.size, published.note, witnesses)


def newest_cosigned(conn: Connection, witnesses: Collection[str], quorum: int) -> Cosigned | None:
    """The newest checkpoint that at least `quorum` of `witnesses` cosigned; None where there is none of late."""
    rows = conn.execute(select(cosignatures.c.size, cosignatures.c.witness).order_by(cosignatures.c.size.desc()).limit(LOOK_BACK)).all()
    found: dict[int, set[str]] = {}
    for row in rows:
        if row.witness in witnesses:
            found.setdefault(row.size, set()).add(row.witness)
    for size, names in found.items():
        if len(names) >= quorum:
            note = conn.execute(select(checkpoints.c.note).where(checkpoints.c.size == size)).scalar()
            return None if note is None else _with_lines(conn, size, note, witnesses)
    return None


def owed_stamps(conn: Connection, limit: int) -> tuple[int, Sequence[OwedStamp]]:
    """The evidence debt: how many checkpoints owe a time stamp, and the newest of them."""
    owed = (checkpoints.c.stamp_due == 1, checkpoints.c.stamp.is_(None))
    number = conn.execute(select(func.count()).select_from(checkpoints).where(*owed)).scalar() or 0
    rows = conn.execute(select(checkpoints.c.size, checkpoints.c.note).where(*owed).order_by(checkpoints.c.size.desc()).limit(limit)).all()
    return number, [OwedStamp(row.size, row.note) for row in rows]


@dataclass(frozen=True, slots=True)
class Stamped:
    """A checkpoint with the authority's token over it."""

    size: int
    note: bytes
    token: bytes


def first_stamped(conn: Connection, least: int, most: int) -> Stamped | None:
    """The smallest stamped checkpoint of `least` to `most` entries."""
    size = checkpoints.c.size
    query = select(checkpoints).where(checkpoints.c.stamp.is_not(None), size >= least, size <= most).order_by(size).limit(1)
    row = conn.execute(query).first()
    return None if row is None else Stamped(row._mapping["size"], row.note, row.stamp)


def record_stamp(conn: Connection, size: int, token: bytes) -> None:
    """Keeps the time stamp of a checkpoint."""
    conn.execute(update(checkpoints).where(checkpoints.c.size == size).values(stamp=token))


def thin(conn: Connection, before: str, above: int = 0) -> int:
    """Drops checkpoints of more than `above` entries, published before that time (RFC 3339), but for those that are stamped or owe a
    stamp, and of each hour the one that most witnesses cosigned. The size up to which that is done, for the next time.

    No proof needs what goes: the tree leads from any size to any other. What stays shows, to the hour, what others had seen.
    """
    size, at = checkpoints.c.size, checkpoints.c.at
    lines = func.count(cosignatures.c.witness)
    rows = conn.execute(
        select(size, at, checkpoints.c.stamp_due, lines.label("lines"))
        .outerjoin(cosignatures, cosignatures.c.size == size)
        .where(at < before, size > above)
        .group_by(size, at, checkpoints.c.stamp_due)
        .order_by(size)
    ).all()
    best: dict[str, tuple[int, int]] = {}
    for row in rows:
        if row.lines and (row.lines, row._mapping["size"]) > best.get(row.at[:13], (0, 0)):
            best[row.at[:13]] = row.lines, row._mapping["size"]
    kept = {found for _, found in best.values()}
    gone = [row._mapping["size"] for row in rows if not row.stamp_due and row._mapping["size"] not in kept]
    for start in range(0, len(gone), _CHUNK):
        some = gone[start : start + _CHUNK]
        conn.execute(delete(cosignatures).where(cosignatures.c.size.in_(some)))
        conn.execute(delete(checkpoints).where(size.in_(some), checkpoints.c.stamp_due == 0))
    last_hour = rows[-1].at[:13] if rows else ""
    return max((row._mapping["size"] for row in rows if row.at[:13] != last_hour), default=above)


def _insert_new(conn: Connection, table: Table, **values: Any) -> None:
    """Another process may have been quicker."""
    dialect = postgresql if conn.dialect.name == "postgresql" else sqlite
    conn.execute(dialect.insert(table).values(**values).on_conflict_do_nothing())


def _with_lines(conn: Connection, size: int, note: bytes, witnesses: Collection[str]) -> Cosigned:
    query = select(cosignatures.c.witness, cosignatures.c.line).where(cosignatures.c.size == size).order_by(cosignatures.c.witness)
    rows = [row for row in conn.execute(query).all() if row.witness in witnesses]
    return Cosigned(size, note + "".join(row.line for row in rows).encode("utf-8"), tuple(row.witness for row in rows))
