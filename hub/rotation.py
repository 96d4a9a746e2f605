"""Replacing a key, while the hub serves.

The master key:

1. add      a new master is written to the key folder and named in the manifest; every process wraps by it from then on
            (`hub.key_watch`, asked by `PayloadStore.put` under the writer's lock)
2. wrap     the keys of stored payloads are wrapped anew, some at a time, each lot in a transaction of its own
3. retire   once none is left, under the writer's lock; the journal says so, then the manifest

1 and 3 are journalled as ``key`` entries. A process killed anywhere is followed by the same command: two active masters mean that a
rotation is under way, and 2 finds what is left by the master's id. Payloads themselves are not touched.

The key that signs receipts: 1 and 3; from 1 on the new one signs. The key that signs checkpoints: 1; from then on both sign, so that a
witness or verifier who knows either is content, until `retire_signing` is told that all know the new one. What a retired key signed is
verified for ever: its public part stays in the manifest.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, func, select, update

from hub import record
from hub.commit import Committer, Transaction
from hub.key_watch import WatchedKeyring, WatchedMasters
from hub.keys import SIGNING, Keyring, add_key, retire_key
from replay.payloads import PayloadStore
from replay.store.engine import Store
from replay.store.tables import message_keys, openings
from schemas.errors import Refused

LOT = 200  # keys wrapped in one transaction
_EVENT = "key"


@dataclass(frozen=True, slots=True)
class Rotated:
    """What a rotation did, this time."""

    purpose: str
    key_id: str
    retired: tuple[str, ...]
    wrapped: int  # keys of payloads that were wrapped anew
    resumed: bool  # it went on with one that had been interrupted

    def as_json(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "purpose": self.purpose,
            "key_id": self.key_id,
            "retired": list(self.retired),
            "wrapped": self.wrapped,
            "resumed": self.resumed,
        }


def rotate_master(store: Store, committer: Committer, folder: Path, *, by: str, at: datetime) -> Rotated:
    """Steps 1 to 3, or what is left of them. Raises `Halted`: ``keys-missing``, ``payload-damaged`` (a key that no master unwraps: nothing
    is retired then)."""
    new, old, resumed = _added(committer, folder, "master", by, at)  # 1
    masters = WatchedMasters(WatchedKeyring(folder))
    payloads = PayloadStore(masters()[0], Path(), masters=masters)
    wrapped = 0
    while lot := committer.submit(lambda tx: _wrap(tx.conn, payloads)).result():  # 2
        wrapped += lot
    for one in old:  # 3
        committer.submit(lambda tx, one=one: _retire(tx, one, by, at)).result()  # type: ignore[misc]
        retire_key(folder, one, at)
    return Rotated("master", new, old, wrapped, resumed)


def rotate_signing(committer: Committer, folder: Path, purpose: str, *, by: str, at: datetime) -> Rotated:
    """A new key for ``log`` or ``receipt``. Of ``log`` the older ones go on signing beside it. Raises `Halted("keys-missing")`."""
    new, old, resumed = _added(committer, folder, purpose, by, at)
    retired = old if purpose == "receipt" else ()
    for one in retired:
        retire_signing(committer, folder, one, by=by, at=at)
    return Rotated(purpose, new, retired, 0, resumed)


def retire_signing(committer: Committer, folder: Path, key_id: str, *, by: str, at: datetime) -> None:
    """Ends a key's signing; another of its purpose has to be there.

    Raises `Refused`: ``key-unknown``, ``key-in-use`` (a secret key, the last one of its purpose, the newest); `Halted("keys-missing")`.
    """
    ring = Keyring.load(folder)
    found = next((one for one in ring.records if one.id == key_id and one.status == "active"), None)
    if found is None:
        raise Refused("key-unknown", got=key_id, expected="an active key: " + ", ".join(_active(ring, *SIGNING)))
    if found.purpose not in SIGNING:
        raise Refused("key-in-use", got=f"{found.purpose} {key_id}", expected="a key that signs: log or receipt")
    if key_id == _active(ring, found.purpose)[-1]:
        raise Refused("key-in-use", got=f"{found.purpose} {key_id}, the newest", expected="an older one, of a purpose that has a newer")
    committer.submit(lambda tx: _tell(tx, found.purpose, key_id, "retired", by=by, at=at)).result()
    retire_key(folder, key_id, at)


def wrapped_by(conn: Connection) -> dict[str, int]:
    """How many payloads are kept under which master key."""
    query = select(message_keys.c.master_key_id, func.count()).where(message_keys.c.wrapped.is_not(None)).group_by("master_key_id")
    return {row[0]: row[1] for row in conn.execute(query)}


def _added(committer: Committer, folder: Path, purpose: str, by: str, at: datetime) -> tuple[str, tuple[str, ...], bool]:
    """Step 1, unless an interrupted rotation did it: the newest key, the older active ones, and whether that was so."""
    active = _active(Keyring.load(folder), purpose)
    resumed = len(active) > 1
    if not resumed:
        add_key(folder, purpose)
        active = _active(Keyring.load(folder), purpose)
    committer.submit(lambda tx: _tell(tx, purpose, active[-1], "added", by=by, at=at)).result()
    return active[-1], active[:-1], resumed


def _active(ring: Keyring, *purposes: str) -> tuple[str, ...]:
    """Ids, oldest first."""
    return tuple(one.id for one in ring.records if one.purpose in purposes and one.status == "active")


def _wrap(conn: Connection, payloads: PayloadStore) -> int:
    new = payloads.current()[0].id
    rows = conn.execute(
        select(message_keys).where(message_keys.c.master_key_id != new, message_keys.c.wrapped.is_not(None)).limit(LOT)
    ).all()
    for row in rows:
        values = {"master_key_id": new, "wrapped": payloads.rewrapped(row.message_id, row.master_key_id, row.wrapped)}
        conn.execute(update(message_keys).where(message_keys.c.message_id == row.message_id).values(values))
    return len(rows)


def _retire(tx: Transaction, key_id: str, by: str, at: datetime) -> None:
    left = wrapped_by(tx.conn).get(key_id, 0)
    if left:
        raise RuntimeError(f"{left} payloads are still kept under {key_id}, and nothing wraps by it any more")
    _tell(tx, "master", key_id, "retired", by=by, at=at)


def _tell(tx: Transaction, purpose: str, key_id: str, state: str, *, by: str, at: datetime) -> None:
    """Journals it, unless an interrupted rotation did."""
    told = tx.conn.execute(select(openings.c.body).where(openings.c.event == _EVENT)).scalars().all()
    said = [{name: one["value"] for name, one in json.loads(body).items()} for body in told if body is not None]
    if not any(one.get("key_id") == key_id and one.get("state") == state for one in said):
        record.key_change(tx, purpose=purpose, key_id=key_id, state=state, by=by, at=at)
