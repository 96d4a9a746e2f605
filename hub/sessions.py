"""Logging in and out: a password becomes a bearer token for a while.

The steps of `Sessions.log_in`:

1. count      the attempt is counted against the login, the address, and both together, before anything is checked: attempts made at
              once are all counted. Over a limit nothing is checked (`login-limited`); only the attempt that reaches it is journalled
2. check      argon2id; an unknown login costs the same work
3. open       a right password takes the counts of its login back and opens a session; a wrong one is journalled

A token is ``lgsp-<id>.<secret>``: 256 random bits, kept as SHA-256, compared in constant time. A session ends by expiry, by logging out,
with a new password, and with the account. The journal names people by id; a login that nobody has is not written down at all, for people
type passwords there.
"""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select, update

from hub.commit import Committer, Transaction
from hub.passwords import Passwords
from hub.persons import LOGIN, Person, person_of, renew_hash
from hub.settings import PersonSettings
from replay.entry import EntryDraft
from replay.store.engine import Store
from replay.store.index_key import index_key
from replay.store.people import login_attempts, persons, sessions
from schemas.errors import Refused, TryLater
from schemas.message import rfc3339

PREFIX = "lgsp-"
MAX_TOKEN_CHARS = 256
KEPT = timedelta(days=30)  # how long an ended session's row stays
_NOBODY = sha256(b"").digest()
_ID = re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True, slots=True)
class Opened:
    """A new session. The token is shown once."""

    token: str = field(repr=False)
    expires_at: str  # RFC 3339
    person: Person


@dataclass(frozen=True, slots=True)
class Session:
    """A session that lasts, and whose it is."""

    id: str
    person: Person
    expires_at: str


@dataclass(frozen=True, slots=True)
class Sessions:
    """Opens and checks sessions. Thread-safe; every write goes through the committer."""

    store: Store
    committer: Committer
    settings: PersonSettings
    clock: Callable[[], datetime]
    passwords: Passwords = field(default_factory=Passwords)

    def log_in(self, login: str, password: str, peer: str) -> Opened:
        """A session for whoever knows the password; `peer` is where the attempt comes from.

        Raises `Refused("login-failed")`, the same for every reason; `TryLater`: ``login-limited``, ``too-busy``.
        """
        at = self.clock()
        if self.committer.submit(lambda tx: self._count(tx, login, peer, at)).result():  # 1
            raise TryLater("login-limited", expected=f"another attempt after {self.settings.attempts_window_s} s")
        with self.store.read() as conn:
            row = conn.execute(select(persons).where(persons.c.login == login)).first() if LOGIN.fullmatch(login) else None
        enabled = row is not None and not row.disabled_at
        right = self.passwords.is_right(row.password if row is not None and enabled else None, password)  # 2
        if row is None or not right:
            self.committer.submit(lambda tx: _journal(tx, None if row is None else row.id, "failed", peer, at)).result()
            raise Refused("login-failed")
        rehashed = self.passwords.hash_again(password) if self.passwords.is_outdated(row.password) else row.password
        return self.committer.submit(
            lambda tx: self._open(tx, row.id, kept=row.password, rehashed=rehashed, peer=peer, at=at)
        ).result()  # 3

    def of(self, token: str) -> Session:
        """The session that `token` belongs to. Raises `Refused("session-invalid")`, the same for every reason."""
        session_id, _, secret = token[:MAX_TOKEN_CHARS].removeprefix(PREFIX).partition(".")
        mine = select(sessions.c.secret_sha256, sessions.c.expires_at, sessions.c.ended_at, persons)
        with self.store.read() as conn:
            joined = mine.join(persons, persons.c.id == sessions.c.person_id).where(sessions.c.id == session_id)
            row = conn.execute(joined).first() if _ID.fullmatch(session_id) else None
        offered = sha256(secret.encode("utf-8", "surrogatepass")).digest()
        same = hmac.compare_digest(_NOBODY if row is None else row.secret_sha256, offered)
        if row is None or not same or not secret or not token.startswith(PREFIX):
            raise Refused("session-invalid")
        if row.ended_at or row.expires_at <= rfc3339(self.clock()) or row.disabled_at:
            raise Refused("session-invalid", got="a session that has ended")
        return Session(session_id, person_of(row), row.expires_at)

    def log_out(self, session: Session) -> None:
        """Ends it. Twice is harmless."""
        at = self.clock()

        def change(tx: Transaction) -> None:
            mine = (sessions.c.id == session.id, sessions.c.ended_at == "")
            if tx.conn.execute(select(sessions.c.id).where(*mine)).first() is not None:
                tx.conn.execute(update(sessions).where(*mine).values(ended_at=rfc3339(at)))
                tx.append(EntryDraft("logout", at, (), {"person": str(session.person.id), "session": session.id}))

        self.committer.submit(change).result()

    def _count(self, tx: Transaction, login: str, peer: str, at: datetime) -> bool:
        """Whether the attempt is one too many."""
        most = self.settings.attempts
        limits = {("both", login, peer): most, ("login", login): 4 * most, ("peer", peer): 10 * most}
        tx.conn.execute(delete(login_attempts).where(login_attempts.c.until <= rfc3339(at)))
        limited, reached = False, False
        until = rfc3339(at + timedelta(seconds=self.settings.attempts_window_s))
        for parts, limit in limits.items():
            key = index_key(*parts)
            found = tx.conn.execute(select(login_attempts.c.made).where(login_attempts.c.key == key)).scalar()
            limited, reached = limited or (found or 0) >= limit, reached or found == limit
            if found is None:
                tx.conn.execute(login_attempts.insert(), {"key": key, "made": 1, "until": until})
            elif found <= limit:
                tx.conn.execute(update(login_attempts).where(login_attempts.c.key == key).values(made=found + 1))
        if limited and reached:
            known = tx.conn.execute(select(persons.c.id).where(persons.c.login == login)).scalar() if LOGIN.fullmatch(login) else None
            _journal(tx, known, "limited", peer, at)
        return limited

    def _open(self, tx: Transaction, person_id: UUID, *, kept: str, rehashed: str, peer: str, at: datetime) -> Opened:
        row = tx.conn.execute(select(persons).where(persons.c.id == person_id)).one()
        if row.disabled_at or row.password != kept:  # while the password was being checked
            raise Refused("login-failed")
        own = [index_key("both", row.login, peer), index_key("login", row.login)]
        tx.conn.execute(delete(login_attempts).where(login_attempts.c.key.in_(own)))
        its_address = (login_attempts.c.key == index_key("peer", peer), login_attempts.c.made > 0)
        tx.conn.execute(update(login_attempts).where(*its_address).values(made=login_attempts.c.made - 1))
        tx.conn.execute(delete(sessions).where(sessions.c.expires_at < rfc3339(at - KEPT)))
        if rehashed != kept:
            renew_hash(tx, person_id, rehashed, at)
        session_id, secret = secrets.token_hex(8), secrets.token_urlsafe(32)
        expires_at = rfc3339(at + timedelta(seconds=self.settings.session_s))
        values: dict[str, Any] = {"id": session_id, "person_id": person_id, "secret_sha256": sha256(secret.encode()).digest()}
        tx.conn.execute(sessions.insert(), {**values, "created_at": rfc3339(at), "expires_at": expires_at, "ended_at": ""})
        secret_sha256 = values["secret_sha256"].hex()
        _journal(tx, person_id, "opened", peer, at, session=session_id, secret_sha256=secret_sha256, expires_at=expires_at)
        return Opened(f"{PREFIX}{session_id}.{secret}", expires_at, person_of(row))


def _journal(tx: Transaction, person_id: UUID | None, outcome: str, peer: str, at: datetime, **more: str) -> None:
    fields = {"person": None if person_id is None else str(person_id), "outcome": outcome, "peer": peer, **more}
    tx.append(EntryDraft(event="login", at=at, parties=(), fields=fields))
