"""The people who work with the hub, and what each may do. Every change is journalled, by the person's id alone.

=========== =====================================================================================================
role        may
=========== =====================================================================================================
operator    make, run, pause and cancel replays of every mode, ask for a redelivery
auditor     make, run, pause and cancel replays that send nothing; read every report
integrator  make and run those that look at formats and translations (`revalidate`, `retranslate`, `sandbox`)
approver    approve a redelivery that somebody else asked for; read every report
=========== =====================================================================================================

Accounts are made on the hub's own machine (`lgsp person`), by whoever may read its home: no account is needed to make the first.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Connection, func, select, update

from hub.commit import Transaction
from replay.accounts import digest
from replay.entry import EntryDraft
from replay.store.people import persons, sessions
from replay.store.tables import AnyRow
from schemas.errors import Refused, shown
from schemas.message import rfc3339

LOGIN = re.compile(r"[a-z0-9][a-z0-9._-]{1,63}")
MAX_NAME_CHARS = 200


class Role(StrEnum):
    """What a person is here for."""

    OPERATOR = "operator"
    AUDITOR = "auditor"
    INTEGRATOR = "integrator"
    APPROVER = "approver"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with an account."""

    id: UUID
    login: str
    name: str
    roles: frozenset[Role]
    disabled_at: str  # "" while the account is in use
    created_at: str

    @property
    def is_enabled(self) -> bool:
        """Whether the person may log in."""
        return not self.disabled_at

    def check_role(self, *roles: Role) -> None:
        """Raises `Refused("role-missing")` unless the person has one of `roles`."""
        if not self.roles.intersection(roles):
            raise Refused("role-missing", got=", ".join(sorted(self.roles)) or "no role", expected=" or ".join(roles))

    def as_json(self) -> dict[str, Any]:
        """For lists."""
        return {
            "id": str(self.id),
            "login": self.login,
            "name": self.name,
            "roles": sorted(self.roles),
            "disabled_at": self.disabled_at or None,
            "created_at": self.created_at,
        }


def add(tx: Transaction, *, login: str, name: str, roles: Iterable[str], kept: str, by: str, at: datetime) -> Person:
    """A new account; `kept` is the password's hash. Raises `Refused`: ``person-invalid``, ``person-exists``."""
    if not LOGIN.fullmatch(login):
        raise Refused("person-invalid", got=login, expected=f"a login of the form {LOGIN.pattern}")
    known = checked_roles(roles)
    if tx.conn.execute(select(persons.c.id).where(persons.c.login == login)).first() is not None:
        raise Refused("person-exists", got=login)
    shown_name = shown(unicodedata.normalize("NFC", name.strip()))[:MAX_NAME_CHARS] or login
    person = Person(uuid4(), login, shown_name, known, "", rfc3339(at))
    row = {"id": person.id, "login": login, "name": person.name, "roles": _as_text(known), "password": kept, "disabled_at": ""}
    tx.conn.execute(persons.insert(), {**row, "created_at": rfc3339(at), "changed_at": rfc3339(at)})
    committed = {"login_sha256": digest(login), "password_sha256": digest(kept), "name_sha256": digest(person.name)}
    _journal(tx, person.id, "added", by, at, roles=sorted(known), **committed)
    return person


def set_password(tx: Transaction, login: str, kept: str, *, by: str, at: datetime) -> Person:
    """Another password; every session ends. Raises `Refused("person-unknown")`."""
    person = of_login(tx.conn, login)
    tx.conn.execute(update(persons).where(persons.c.id == person.id).values(password=kept, changed_at=rfc3339(at)))
    _journal(tx, person.id, "password-set", by, at, password_sha256=digest(kept), sessions_ended=_end_sessions(tx, person.id, at))
    return person


def renew_hash(tx: Transaction, person_id: UUID, kept: str, at: datetime) -> None:
    """The same password, hashed with today's costs. Sessions last."""
    tx.conn.execute(update(persons).where(persons.c.id == person_id).values(password=kept, changed_at=rfc3339(at)))
    _journal(tx, person_id, "password-set", "hub", at, password_sha256=digest(kept), sessions_ended=0)


def set_roles(tx: Transaction, login: str, roles: Iterable[str], *, by: str, at: datetime) -> Person:
    """Other roles, at once and for sessions that last. Raises `Refused`: ``person-unknown``, ``person-invalid``."""
    person, known = of_login(tx.conn, login), checked_roles(roles)
    tx.conn.execute(update(persons).where(persons.c.id == person.id).values(roles=_as_text(known), changed_at=rfc3339(at)))
    _journal(tx, person.id, "roles-set", by, at, roles=sorted(known), before=sorted(person.roles))
    return of_login(tx.conn, login)


def disable(tx: Transaction, login: str, *, by: str, at: datetime) -> Person:
    """No login any more; every session ends. The account stays, for reports name it. Raises `Refused("person-unknown")`."""
    person = of_login(tx.conn, login)
    if person.is_enabled:
        tx.conn.execute(update(persons).where(persons.c.id == person.id).values(disabled_at=rfc3339(at), changed_at=rfc3339(at)))
        _journal(tx, person.id, "disabled", by, at, sessions_ended=_end_sessions(tx, person.id, at))
    return of_login(tx.conn, login)


def enable(tx: Transaction, login: str, *, by: str, at: datetime) -> Person:
    """May log in again, by the password of before. Raises `Refused("person-unknown")`."""
    person = of_login(tx.conn, login)
    if not person.is_enabled:
        tx.conn.execute(update(persons).where(persons.c.id == person.id).values(disabled_at="", changed_at=rfc3339(at)))
        _journal(tx, person.id, "enabled", by, at)
    return of_login(tx.conn, login)


def everybody(conn: Connection) -> Sequence[Person]:
    """All accounts by login, disabled ones included."""
    return [person_of(row) for row in conn.execute(select(persons).order_by(persons.c.login))]


def of_login(conn: Connection, login: str) -> Person:
    """Raises `Refused("person-unknown")`."""
    row = conn.execute(select(persons).where(persons.c.login == login)).first()
    if row is None:
        raise Refused("person-unknown", got=login)
    return person_of(row)


def of_id(conn: Connection, person_id: UUID) -> Person | None:
    """None where there is nobody of that id."""
    row = conn.execute(select(persons).where(persons.c.id == person_id)).first()
    return None if row is None else person_of(row)


def person_of(row: AnyRow) -> Person:
    """A row of `persons`."""
    roles = frozenset(Role(role) for role in json.loads(row.roles))
    return Person(row.id, row.login, row.name, roles, row.disabled_at, row.created_at)


def checked_roles(roles: Iterable[str]) -> frozenset[Role]:
    """`roles` as such. Raises `Refused("person-invalid")` for an unknown one, and for none."""
    given = list(roles)
    unknown = [role for role in given if role not in set(Role)]
    if unknown or not given:
        raise Refused("person-invalid", got=", ".join(unknown) or "no role", expected=" or ".join(Role))
    return frozenset(Role(role) for role in given)


def _end_sessions(tx: Transaction, person_id: UUID, at: datetime) -> int:
    theirs = (sessions.c.person_id == person_id, sessions.c.ended_at == "")
    count: int = tx.conn.execute(select(func.count()).select_from(sessions).where(*theirs)).scalar_one()
    tx.conn.execute(update(sessions).where(*theirs).values(ended_at=rfc3339(at)))
    return count


def _journal(tx: Transaction, person_id: UUID, what: str, by: str, at: datetime, **more: Any) -> None:
    fields = {"person": str(person_id), "what": what, "by": by, **more}
    tx.append(EntryDraft(event="person", at=at, parties=(), fields=fields))


def _as_text(roles: frozenset[Role]) -> str:
    return json.dumps(sorted(roles))
