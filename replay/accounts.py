"""What fsck asks of people's accounts: roles, passwords and locks are those that the journal tells of, and there is no other account.

Whoever can write to the database could make himself an approver; the journal does not know of it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, select

from replay.derived import hexadecimal
from replay.findings import Findings
from replay.store.loose import loose
from replay.store.people import persons

_PERSONS = select(*loose(persons))
_CHANGED = ("roles-set", "password-set", "disabled", "enabled")


@dataclass(slots=True)
class _Account:
    roles: list[str]
    login: str  # SHA-256, as the journal has it
    password: str  # the same
    name: str | None  # the same; None where the entry is older than that
    created_at: str
    changed_at: str
    disabled_at: str = ""


@dataclass(slots=True)
class Accounts:
    """Folds ``person`` entries and compares the rows at the end."""

    findings: Findings
    known: dict[str, _Account] = field(default_factory=dict)  # by id (hexadecimal)

    def fold(self, values: Mapping[str, Any], at: str) -> None:
        """A ``person`` entry."""
        person, what = hexadecimal(values["person"]), values["what"]
        if what == "added":
            login, password, name = values["login_sha256"], values["password_sha256"], values.get("name_sha256")
            self.known[person] = _Account(list(values["roles"]), login, password, name, at, at)
            return
        account = self.known[person]
        if what == "roles-set":
            account.roles = list(values["roles"])
        elif what == "password-set":
            account.password = values["password_sha256"]
        elif what in ("disabled", "enabled"):
            account.disabled_at = at if what == "disabled" else ""
        if what in _CHANGED:
            account.changed_at = at

    def check(self, conn: Connection) -> None:
        """After the last entry."""
        found = {row.id: row for row in conn.execute(_PERSONS)}
        if found:
            self.findings.counts["persons"] += len(found)
        for person in sorted(set(found) ^ set(self.known), key=str):
            got = "an account" if person in found else "no account"
            self.findings.differ("person-changed", f"persons/{person}", got=got, expected="the accounts that the journal tells of")
        for person, row in found.items():
            if person in self.known:
                self._compare(person, self.known[person], row)

    def _compare(self, person: str, account: _Account, row: Any) -> None:
        pairs = {
            "roles": (row.roles, json.dumps(account.roles)),
            "login": (digest(row.login), account.login),
            "password": (digest(row.password), account.password),
            "disabled_at": (row.disabled_at, account.disabled_at),
            "name": (digest(row.name) if account.name else None, account.name),
            "created_at": (row.created_at, account.created_at),
            "changed_at": (row.changed_at, account.changed_at),
        }
        for name, (got, expected) in pairs.items():
            if got != expected:
                self.findings.differ("person-changed", f"persons/{person}/{name}", got=got, expected=expected)


def digest(text: object) -> str:
    """SHA-256 in hex of a column's text: a password's hash with its salt, or a login, as entries commit to them."""
    return sha256(str(text).encode("utf-8", "surrogatepass")).hexdigest()
