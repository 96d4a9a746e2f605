"""What fsck follows through the whole journal: where every delivery stands at last, and which ids of senders mean which messages.

One number is kept per delivery that an entry speaks of; what its last entry says is read again at the end.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import BindParameter, Connection, bindparam, func, select

from replay.derived import Binding, hexadecimal
from replay.findings import Findings
from replay.store.loose import loose, uuid_of
from replay.store.tables import AnyRow, deliveries, openings, sender_ids
from schemas.message import DeliveryState

CHUNK = 500  # rows read at a time
OPEN_STATES = frozenset({DeliveryState.PENDING, DeliveryState.QUEUED, DeliveryState.DELIVERING, DeliveryState.DEFERRED})
_UNTOUCHED: Mapping[str, Any] = {"state": DeliveryState.QUEUED, "cause": "", "remote_id": "", "attempt": 0}  # nothing was journalled
_WANTED: BindParameter[Any] = bindparam("wanted", expanding=True)
_SAID = select(*loose(openings, "index", "at", "body")).where(openings.c.index.in_(_WANTED))
_STATES = select(*loose(deliveries, "id", "message_id", "state", "cause", "remote_id", "attempt", "updated_at"))
_SENDER_IDS = select(*loose(sender_ids)).where(  # by both columns of its key: by the second alone the whole table would be read
    sender_ids.c.principal.in_(bindparam("principals", expanding=True)), sender_ids.c.sender_id.in_(_WANTED)
)


@dataclass(slots=True)
class Deliveries:
    """Step 6 of fsck: every delivery stands where its last entry says. `OPEN_STATES` all mean that nothing final was journalled."""

    findings: Findings
    last: dict[str, int] = field(default_factory=dict)  # delivery (hexadecimal) → index of its last entry
    unknown: set[str] = field(default_factory=set)  # messages (hexadecimal) of which an entry about a delivery cannot be read any more

    def fold(self, index: int, values: Mapping[str, Any]) -> None:
        """A ``delivery`` entry."""
        self.last[hexadecimal(str(values["delivery_id"]))] = index

    def check(self, conn: Connection) -> None:
        """After the last entry."""
        for rows in _pages(conn):
            said = self._said(conn, rows)
            for row in rows:
                if row.message_id not in self.unknown:
                    self._compare(row, *said.get(self.last.get(row.id, -1), (_UNTOUCHED, "")))

    def _said(self, conn: Connection, rows: Sequence[AnyRow]) -> dict[int, tuple[Mapping[str, Any], str]]:
        """Values and time of the rows' last entries, by index."""
        indexes = [index for row in rows if (index := self.last.get(row.id)) is not None]
        found = conn.execute(_SAID, {"wanted": indexes})
        return {row.position: ({name: one["value"] for name, one in json.loads(row.body).items()}, row.at) for row in found}

    def _compare(self, row: AnyRow, values: Mapping[str, Any], at: str) -> None:
        state, attempt = values.get("state"), values.get("attempt")
        final = state not in OPEN_STATES
        expected = {name: values.get(name) for name in ("cause", "remote_id")}
        if final:  # and nothing has been touched since
            expected["updated_at"] = at
        if (row.state != state) if final else (row.state not in OPEN_STATES):
            self._differ(row, "state", state if final else "one of a delivery that has not ended")
        for name, value in expected.items():
            if getattr(row, name) != value:
                self._differ(row, name, value)
        least = 0 if final and attempt == 1 else attempt  # an inbox acknowledges what was never fetched, too; claims are not journalled
        if not isinstance(row.attempt, int) or row.attempt < int(least or 0):
            self._differ(row, "attempt", f"at least {least}")

    def _differ(self, row: AnyRow, name: str, expected: object) -> None:
        self.findings.differ("delivery-changed", f"deliveries/{row.id}/{name}", got=getattr(row, name), expected=expected)


@dataclass(slots=True)
class SenderIds:
    """Step 3 of fsck, for the ledger of ids: each means what the journal says, and there is no other."""

    findings: Findings
    unknown: set[str] = field(default_factory=set)  # messages (hexadecimal) of which an entry that binds an id cannot be read any more

    def check(self, conn: Connection, bindings: Sequence[Binding]) -> None:
        """Some ids that were bound."""
        wanted = {"principals": sorted({one.principal for one in bindings}), "wanted": [one.sender_id for one in bindings]}
        rows = conn.execute(_SENDER_IDS, wanted) if bindings else ()
        found = {(row.principal, row.sender_id): (row.message_id, row.raw_digest) for row in rows}
        for one in bindings:
            got, expected = found.get((one.principal, one.sender_id)), (one.message_id, one.digest)
            self.findings.counts["sender_ids"] += got is not None
            if got != expected:
                told = "no row" if got is None else f"message {got[0]}, digest {got[1].hex()}"
                wanted_row = f"message {one.message_id}, digest {one.digest.hex()}"
                self.findings.differ("message-changed", f"sender_ids/{one.sender_id}", got=told, expected=wanted_row)

    def total(self, conn: Connection) -> int:
        """How many rows there should be, after the last entry: those that were found, and those that nobody can judge any more."""
        ids, count = [known for one in self.unknown if (known := uuid_of(one))], self.findings.counts["sender_ids"]
        for at in range(0, len(ids), CHUNK):
            theirs = sender_ids.c.message_id.in_(ids[at : at + CHUNK])
            count += conn.execute(select(func.count()).select_from(sender_ids).where(theirs)).scalar_one()
        return count


def _pages(conn: Connection) -> Iterator[Sequence[AnyRow]]:
    """All deliveries."""
    return conn.execute(_STATES, execution_options={"yield_per": CHUNK}).partitions(CHUNK)
