"""People: passwords, roles, sessions, and what the journal says of them."""

from __future__ import annotations

import json
import sqlite3
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher, Type
from sqlalchemy import select

from hub import persons
from hub.commit import Committer, Transaction
from hub.keys import Keyring
from hub.passwords import Passwords
from hub.persons import Person, Role
from hub.sessions import Sessions
from hub.settings import PersonSettings
from replay.entry import EntryDraft
from replay.journal import Journal
from replay.store.engine import Store, open_store
from replay.store.people import login_attempts, sessions
from replay.store.people import persons as table
from replay.store.tables import openings
from schemas.errors import HubError, Refused, TryLater
from schemas.message import rfc3339
from tests.replay.world import ORIGIN, World

PASSWORD = "trăng lên khỏi núi – 7816"
CHEAP = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
START = datetime(2026, 11, 22, 1, 0, tzinfo=UTC)


@dataclass
class House:
    """A store with sessions and a clock that a test moves."""

    store: Store
    committer: Committer
    ring: Keyring
    folder: Path
    now: datetime = START
    settings: PersonSettings = field(default_factory=lambda: PersonSettings(attempts=3))

    @property
    def sessions(self) -> Sessions:
        return Sessions(self.store, self.committer, self.settings, lambda: self.now, CHEAP)

    def do(self, change: Callable[[Transaction], Any]) -> Any:
        return self.committer.submit(change).result()

    def add(self, login: str = "an", *roles: Role) -> Person:
        made: Person = self.do(
            lambda tx: persons.add(
                tx, login=login, name="Nguyễn An", roles=roles or [Role.OPERATOR], kept=CHEAP.hash(PASSWORD, login), by="test", at=self.now
            )
        )
        return made

    def events(self, name: str) -> list[dict[str, Any]]:
        with self.store.read() as conn:
            rows = conn.execute(select(openings.c.body).where(openings.c.event == name).order_by(openings.c.index)).scalars().all()
        return [{key: one["value"] for key, one in json.loads(row).items()} for row in rows]

    def fsck(self) -> Any:
        return World(self.store, self.ring, self.folder).fsck()


@contextmanager
def opened(url: str, ring: Keyring, folder: Path) -> Iterator[House]:
    store = open_store(url)
    committer = Committer(store, Journal(ring.journal_keys(), ORIGIN))
    committer.start()
    yield House(store, committer, ring, folder)
    committer.stop()
    store.close()


@pytest.fixture
def house(sqlite_url: str, ring: Keyring, tmp_path: Path) -> Iterator[House]:
    with opened(sqlite_url, ring, tmp_path) as one:
        yield one


def test_it_works_on_either_store(url: str, ring: Keyring, tmp_path: Path) -> None:
    with opened(url, ring, tmp_path) as house:
        test_attempts_are_limited_and_the_right_password_does_not_help_then(house)
        test_every_change_is_an_entry_that_names_the_person_by_id_alone(house, "cuc")


def test_a_password_opens_a_session_that_names_the_person_and_their_roles(house: House) -> None:
    person = house.add("an", Role.OPERATOR, Role.AUDITOR)
    opened = house.sessions.log_in("an", PASSWORD, "test")
    session = house.sessions.of(opened.token)
    assert (session.person.id, session.person.roles) == (person.id, frozenset({Role.OPERATOR, Role.AUDITOR}))
    assert opened.token not in repr(opened)


def test_a_password_typed_as_other_code_points_is_the_same(house: House) -> None:
    house.add()
    for form in ("NFC", "NFD"):
        assert house.sessions.log_in("an", unicodedata.normalize("NFC" if form == "NFC" else "NFD", PASSWORD), "test").token


Spoil = Callable[[House, str], str]  # → the token to offer


def _later(house: House, token: str) -> str:
    house.now += timedelta(seconds=house.settings.session_s)
    return token


def _log_out(house: House, token: str) -> str:
    house.sessions.log_out(house.sessions.of(token))
    return token


def _change(what: Callable[[Transaction, House], object]) -> Spoil:
    def spoil(house: House, token: str) -> str:
        house.do(lambda tx: what(tx, house))
        return token

    return spoil


INVALID: dict[str, Spoil] = {
    "expired": _later,
    "logged out": _log_out,
    "of somebody disabled since": _change(lambda tx, house: persons.disable(tx, "an", by="test", at=house.now)),
    "before the password was changed": _change(
        lambda tx, house: persons.set_password(tx, "an", CHEAP.hash("x" + PASSWORD, "an"), by="test", at=house.now)
    ),
    "with another secret": lambda house, token: token[:-1] + ("A" if token[-1] != "A" else "B"),
    "without secret": lambda house, token: token.partition(".")[0] + ".",
    "of nobody": lambda house, token: "lgsp-0000000000000000." + token.partition(".")[2],
    "without its beginning": lambda house, token: token.removeprefix("lgsp-"),
    "empty": lambda house, token: "",
    "not text of any code": lambda house, token: "lgsp-\ud800.\udfff",
}


@pytest.mark.parametrize("spoil", INVALID.values(), ids=INVALID.keys())
def test_a_session_is_refused(house: House, spoil: Spoil) -> None:
    house.add()
    token = house.sessions.log_in("an", PASSWORD, "test").token
    offered = spoil(house, token)
    with pytest.raises(Refused) as fault:
        house.sessions.of(offered)
    assert fault.value.code == "session-invalid"


LOGINS = {
    "a wrong password": ("an", "not it, not it"),
    "nobody": ("binh", PASSWORD),
    "no password": ("an", ""),
    "disabled": ("cuc", PASSWORD),
}


@pytest.mark.parametrize(("login", "password"), LOGINS.values(), ids=LOGINS.keys())
def test_a_login_fails_the_same_way_and_is_journalled_without_what_was_typed(house: House, login: str, password: str) -> None:
    house.add()
    house.add("cuc")
    house.do(lambda tx: persons.disable(tx, "cuc", by="test", at=house.now))
    with pytest.raises(Refused) as fault:
        house.sessions.log_in(login, password, "test")
    assert (fault.value.code, fault.value.got, fault.value.expected) == ("login-failed", "", "")
    (entry,) = house.events("login")
    assert entry["outcome"] == "failed"
    assert (entry["person"] is None) == (login == "binh")
    assert not any(text and text in json.dumps(entry, ensure_ascii=False) for text in (password, "binh"))


def test_a_login_of_no_code_is_nobodys(house: House) -> None:
    for login in ("\ud800", "a\x00", "A" * 10_000):
        with pytest.raises(Refused):
            house.sessions.log_in(login, PASSWORD, "test")


def test_attempts_are_limited_and_the_right_password_does_not_help_then(house: House) -> None:
    house.add()
    for _ in range(3):
        with pytest.raises(Refused):
            house.sessions.log_in("an", "wrong wrong wrong", "rest 10.0.0.1")
    for _ in range(4):
        with pytest.raises(TryLater) as fault:
            house.sessions.log_in("an", PASSWORD, "rest 10.0.0.1")
        assert fault.value.code == "login-limited"
    assert [one["outcome"] for one in house.events("login")] == ["failed"] * 3 + ["limited"]
    assert house.sessions.log_in("an", PASSWORD, "rest 10.0.0.2").token  # somebody else's attempts do not lock the person out
    house.now += timedelta(seconds=house.settings.attempts_window_s)
    assert house.sessions.log_in("an", PASSWORD, "rest 10.0.0.1").token
    with house.store.read() as conn:
        assert not [row for row in conn.execute(select(login_attempts)) if row.made > 0]


def test_one_address_may_not_try_many_logins(house: House) -> None:
    codes = []
    for number in range(31):
        with pytest.raises(HubError) as fault:
            house.sessions.log_in(f"user{number}", PASSWORD, "rest 10.0.0.1")
        codes.append(fault.value.code)
    assert codes == ["login-failed"] * 30 + ["login-limited"]


WEAK = {"short": "ngắn quá", "few letters": "abababababababab", "the login in it": "xin chào nguyen.an 1", "endless": "ă" * 257}


@pytest.mark.parametrize("password", WEAK.values(), ids=WEAK.keys())
def test_a_weak_password_is_refused_and_not_repeated(password: str) -> None:
    with pytest.raises(Refused) as fault:
        CHEAP.hash(password, "nguyen.an")
    assert fault.value.code == "person-invalid"
    assert password not in str(fault.value)


def test_a_login_of_one_syllable_does_not_rule_out_passwords_that_have_it() -> None:
    assert CHEAP.is_right(CHEAP.hash("thanh long bay lên", "an"), "thanh long bay lên")


def test_what_is_kept_is_argon2id(house: House) -> None:
    house.add()
    with house.store.read() as conn:
        kept = conn.execute(select(table.c.password)).scalar_one()
    assert kept.startswith("$argon2id$")
    assert PASSWORD not in kept
    assert Passwords().hasher.type is Type.ID
    assert Passwords().hasher.memory_cost >= 19 * 1024  # KiB; the least that OWASP's cheat sheet lets pass


def test_a_hash_of_lower_cost_is_renewed_at_login_and_fsck_agrees(house: House) -> None:
    house.add()
    dearer = Sessions(house.store, house.committer, house.settings, lambda: house.now, Passwords(PasswordHasher(2, 16, 1)))
    dearer.log_in("an", PASSWORD, "test")
    with house.store.read() as conn:
        assert "m=16,t=2" in conn.execute(select(table.c.password)).scalar_one()
    assert dearer.log_in("an", PASSWORD, "test").token
    assert house.fsck().is_intact


REFUSED: dict[str, tuple[str, Callable[[Transaction, House], object]]] = {
    "a login twice": ("person-exists", lambda tx, h: persons.add(tx, login="an", name="", roles=["auditor"], kept="x", by="t", at=h.now)),
    "a login of other letters": (
        "person-invalid",
        lambda tx, h: persons.add(tx, login="Ân", name="", roles=["auditor"], kept="x", by="t", at=h.now),
    ),
    "an unknown role": ("person-invalid", lambda tx, h: persons.add(tx, login="binh", name="", roles=["root"], kept="x", by="t", at=h.now)),
    "no role": ("person-invalid", lambda tx, h: persons.set_roles(tx, "an", [], by="t", at=h.now)),
    "nobody disabled": ("person-unknown", lambda tx, h: persons.disable(tx, "binh", by="t", at=h.now)),
    "nobody's password": ("person-unknown", lambda tx, h: persons.set_password(tx, "binh", "x", by="t", at=h.now)),
}


@pytest.mark.parametrize(("code", "change"), REFUSED.values(), ids=REFUSED.keys())
def test_a_change_is_refused(house: House, code: str, change: Callable[[Transaction, House], object]) -> None:
    house.add()
    with pytest.raises(Refused) as fault:
        house.do(lambda tx: change(tx, house))
    assert fault.value.code == code


def test_every_change_is_an_entry_that_names_the_person_by_id_alone(house: House, login: str = "an") -> None:
    person = house.add(login)
    house.do(lambda tx: persons.set_roles(tx, login, ["approver"], by="console:root", at=house.now))
    house.do(lambda tx: persons.set_password(tx, login, CHEAP.hash("p" + PASSWORD, login), by="console:root", at=house.now))
    house.do(lambda tx: persons.disable(tx, login, by="console:root", at=house.now))
    house.do(lambda tx: persons.enable(tx, login, by="console:root", at=house.now))
    found = [one for one in house.events("person") if one["person"] == str(person.id)]
    assert [one["what"] for one in found] == ["added", "roles-set", "password-set", "disabled", "enabled"]
    assert "Nguyễn An" not in json.dumps(found, ensure_ascii=False)
    assert house.fsck().is_intact


EDITS = {
    "another role": 'UPDATE persons SET roles = \'["approver", "operator"]\'',
    "another password": "UPDATE persons SET password = '$argon2id$v=19$m=8,t=1,p=1$AAAA$AAAA'",
    "another login": "UPDATE persons SET login = 'binh' WHERE login = 'an'",
    "enabled again": "UPDATE persons SET disabled_at = '' WHERE login = 'cuc'",
    "an account nobody made": "INSERT INTO persons SELECT '0000000000000000000000000000000a', 'x', name, roles, password, '', "
    "created_at, changed_at FROM persons LIMIT 1",
    "an account taken away": "DELETE FROM persons WHERE login = 'cuc'",
}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS.keys())
def test_an_account_edited_in_the_database_is_found(house: House, edit: str) -> None:
    house.add()
    house.add("cuc")
    house.do(lambda tx: persons.disable(tx, "cuc", by="test", at=house.now))
    assert house.fsck().is_intact
    database = sqlite3.connect(house.store.url.database or "", isolation_level=None)
    database.execute(edit)
    database.close()
    assert {one.code for one in house.fsck().differences} == {"person-changed"}


def test_a_session_whose_entry_is_older_than_its_digests_is_held_to_what_the_entry_says(house: House) -> None:
    """As version 0.1.0 wrote them: an entry that says nothing of secret and end is not held against them."""
    person, other = house.add("an"), house.add("binh")
    row = {"id": "s1", "person_id": person.id, "secret_sha256": bytes(32), "created_at": rfc3339(START), "ended_at": ""}
    fields = {"person": str(person.id), "outcome": "opened", "peer": "10.0.0.1", "session": "s1"}

    def log_in(tx: Transaction) -> None:
        tx.conn.execute(sessions.insert(), {**row, "expires_at": rfc3339(START + timedelta(hours=8))})
        tx.append(EntryDraft("login", START, (), fields))

    house.do(log_in)
    assert house.fsck().is_intact
    house.do(lambda tx: tx.conn.execute(sessions.update().values(person_id=other.id)))
    assert {one.code for one in house.fsck().differences} == {"person-changed"}


def test_roles_count_at_once_and_sessions_of_before_do_not_keep_them(house: House) -> None:
    house.add("an", Role.APPROVER)
    token = house.sessions.log_in("an", PASSWORD, "test").token
    house.do(lambda tx: persons.set_roles(tx, "an", ["auditor"], by="test", at=house.now))
    with pytest.raises(Refused) as fault:
        house.sessions.of(token).person.check_role(Role.APPROVER)
    assert fault.value.code == "role-missing"


def test_sessions_that_ended_long_ago_are_forgotten(house: House) -> None:
    house.add()
    house.sessions.log_in("an", PASSWORD, "test")
    house.now += timedelta(days=31)
    house.sessions.log_in("an", PASSWORD, "test")
    with house.store.read() as conn:
        assert len(conn.execute(select(sessions)).all()) == 1


def test_a_store_that_lacks_a_later_table_gets_it(sqlite_url: str) -> None:
    open_store(sqlite_url).close()
    database = sqlite3.connect(sqlite_url.removeprefix("sqlite:///"))
    database.execute("DROP TABLE login_attempts")
    database.close()
    again = open_store(sqlite_url)
    with again.read() as conn:
        assert conn.execute(select(login_attempts)).all() == []
    again.close()
