"""People for tests of what people do: of each role, and one with two; sessions without waiting for argon2."""

from __future__ import annotations

from dataclasses import dataclass, field

from argon2 import PasswordHasher

from hub import persons
from hub.passwords import Passwords
from hub.persons import Role
from hub.rework.workshop import Workshop
from hub.sessions import Session, Sessions
from hub.settings import PersonSettings
from tests.hub.stage import Stage

PASSWORD = "trăng lên khỏi núi – 7816"
CHEAP = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
ROLES = {
    "an": (Role.OPERATOR,),
    "binh": (Role.APPROVER,),
    "cuc": (Role.AUDITOR,),
    "dung": (Role.OPERATOR, Role.APPROVER),
    "em": (Role.INTEGRATOR,),
}


@dataclass
class Staff:
    """The people of a stage's hub."""

    stage: Stage
    tokens: dict[str, str] = field(default_factory=dict)
    prefix: str = ""  # of their logins, where others work with the same hub

    def __post_init__(self) -> None:
        hub, at = self.stage.hub, self.stage.hub.clock()
        for login, roles in ROLES.items():
            kept = CHEAP.hash(PASSWORD, self.prefix + login)
            hub.committer.submit(
                lambda tx, login=login, roles=roles, kept=kept: persons.add(  # type: ignore[misc]
                    tx, login=self.prefix + login, name=login.title(), roles=roles, kept=kept, by="test", at=at
                )
            ).result()

    @property
    def sessions(self) -> Sessions:
        hub = self.stage.hub
        return Sessions(hub.store, hub.committer, PersonSettings(), hub.clock, CHEAP)

    @property
    def shop(self) -> Workshop:
        return self.stage.hub.workshop

    def session(self, login: str) -> Session:
        """A fresh look at the session of `login`, as each call has it. Raises as `Sessions.of`."""
        if login not in self.tokens:
            self.tokens[login] = self.sessions.log_in(self.prefix + login, PASSWORD, "test").token
        return self.sessions.of(self.tokens[login])
