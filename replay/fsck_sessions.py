"""fsck, sessions: each is one that a login entry tells of, with the secret and the end that it was given, and ended when entries say.

Whoever writes to the database could give himself a session of somebody else's; the journal does not know of it. A session that is gone
harms nobody: its person logs in again, and rows of sessions long ended are removed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, select

from replay.derived import hexadecimal
from replay.findings import Findings
from replay.store.loose import loose
from replay.store.people import sessions

_SESSIONS = select(*loose(sessions)).order_by(sessions.c.id)
ENDING = ("password-set", "disabled")  # what happens to a person and ends sessions


@dataclass(slots=True)
class _Opened:
    person: str  # hexadecimal
    at: str
    secret: str | None  # SHA-256, lower hex; None, like the end, where the entry is older than that
    expires_at: str | None
    ended_at: str = ""


@dataclass(slots=True)
class Sessions:
    """Folds ``login``, ``logout`` and ``person`` entries and compares the rows at the end."""

    findings: Findings
    known: dict[str, _Opened] = field(default_factory=dict)  # by id

    def login(self, values: Mapping[str, Any], at: str) -> None:
        """A ``login`` entry."""
        if values["outcome"] == "opened":
            secret, expires_at = values.get("secret_sha256"), values.get("expires_at")
            self.known[values["session"]] = _Opened(hexadecimal(values["person"]), at, secret, expires_at)

    def logout(self, values: Mapping[str, Any], at: str) -> None:
        """A ``logout`` entry."""
        self.known[values["session"]].ended_at = at

    def person(self, values: Mapping[str, Any], at: str) -> None:
        """A ``person`` entry."""
        if values["what"] in ENDING and values["sessions_ended"]:
            person = hexadecimal(values["person"])
            for one in self.known.values():
                if one.person == person and not one.ended_at:
                    one.ended_at = at

    def check(self, conn: Connection) -> None:
        """After the last entry."""
        for row in conn.execute(_SESSIONS):
            self.findings.counts["sessions"] += 1
            told = self.known.get(row.id)
            if told is None:
                self._differ(f"sessions/{row.id}", "a session", "none but those that login entries tell of")
                continue
            pairs = {
                "person_id": (row.person_id, told.person),
                "created_at": (row.created_at, told.at),
                "secret_sha256": (row.secret_sha256.hex() if told.secret is not None else None, told.secret),
                "expires_at": (row.expires_at if told.expires_at is not None else None, told.expires_at),
                "ended_at": (row.ended_at, told.ended_at),
            }
            for name, (got, expected) in pairs.items():
                if got != expected:
                    self._differ(f"sessions/{row.id}/{name}", got, expected)

    def _differ(self, path: str, got: object, expected: object) -> None:
        self.findings.differ("person-changed", path, got=got, expected=expected)
