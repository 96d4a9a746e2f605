"""Connected systems: a profile per system says whom it serves, for whom it may send, how it is reached and what is asked of it.

Profiles are data (`home/systems/<name>.toml`), so a system of a known kind is registered without code.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from hub.settings import Table, checked, files_in, read_toml
from schemas.agency import AgencyCode
from schemas.errors import Halted, Violation, error
from schemas.translation.agreement import Agreement
from schemas.translation.mapping import LossKind

NAME_PATTERN = r"^[a-z0-9][a-z0-9-]{0,62}$"
MAILBOX = "mailbox"  # not an adapter: the delivery waits here until the system fetches it


class SendFor(StrEnum):
    """For whom a system may send."""

    OWN = "own"  # the agencies it serves, in either form of their codes
    SUBTREE = "subtree"  # those and everything below them (a centre)
    ANY = "any"  # anyone (the axis)


class ApiKey(Table):
    """One API key: the id in clear, the secret as SHA-256 (256 random bits need no slow hash; DESIGN §10)."""

    id: str = Field(pattern=r"^[A-Za-z0-9_-]{4,64}$")
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")


class AccessProfile(Table):
    """What the system may do at the hub's faces."""

    may_send_for: SendFor = SendFor.OWN
    roles: tuple[str, ...] = ("exchange",)
    keys: tuple[ApiKey, ...] = ()
    amqp_user: str = ""  # broker user; its messages are the system's


class RetryProfile(Table):
    """Exponential with full jitter: a wait is drawn from [0, min(max_s, base_s · 2^attempt)]."""

    base_s: float = Field(default=2.0, gt=0)
    max_s: float = Field(default=900.0, gt=0)
    max_attempts: int = Field(default=40, ge=1)  # then it is parked, visibly
    open_after: int = Field(default=5, ge=1)  # failures in a row that open the circuit
    open_s: float = Field(default=15.0, gt=0)  # how long nothing is tried then


class DeliveryProfile(Table):
    """How the system is reached. `settings` is the adapter's own table, checked by `adapters.registry`."""

    kind: str = MAILBOX
    concurrency: int = Field(default=2, ge=1, le=64)
    one_packet_for_all: bool = False  # True: it distributes by To itself (the axis); one transmission serves all its recipients
    format: str | tuple[str, ...] = ()  # what it takes; of several, the first that a message is or can be made. () = edXML packets
    accept_losses: tuple[LossKind, ...] = ()  # kinds of loss that may happen in translating for it; others park the delivery
    retry: RetryProfile = RetryProfile()
    settings: Mapping[str, Any] = Field(default_factory=dict)

    @property
    def agreement(self) -> Agreement:
        """What translation has to keep to."""
        named = (self.format,) if isinstance(self.format, str) else self.format
        return Agreement(tuple(one for one in named if one), frozenset(self.accept_losses))


Mode = Annotated[str, Field(pattern="^(require|check|ignore)$")]


class SignatureProfile(Table):
    """What is asked of the packets this system hands in."""

    mode: str = Field(default="", pattern="^(require|check|ignore)?$")  # "" = the hub's default
    by_agency: Mapping[str, Mode] = Field(default_factory=dict)  # agency code → mode on this route, where one differs
    certificates: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)  # agency code → SHA-256 of DER that may sign for it
    domain: str = ""  # trust domain of its agencies' signers; "" = the hub's default
    pending: str = Field(default="deliver-marked", pattern="^(deliver-marked|hold)$")  # what it receives while a status is not known


class Profile(Table):
    """`systems/<name>.toml`."""

    name: str = Field(pattern=NAME_PATTERN)
    title: str = ""
    agencies: tuple[str, ...] = ()
    serves_subtree: bool = False  # True: also takes what is addressed to codes below its own
    access: AccessProfile = AccessProfile()
    delivery: DeliveryProfile = DeliveryProfile()
    signature: SignatureProfile = SignatureProfile()

    @property
    def codes(self) -> tuple[AgencyCode, ...]:
        """The agencies it serves."""
        return tuple(AgencyCode.of(code) for code in self.agencies)


@dataclass(frozen=True, slots=True)
class Systems:
    """All profiles, checked against each other."""

    by_name: Mapping[str, Profile]

    @classmethod
    def of(cls, profiles: tuple[Profile, ...]) -> Systems:
        """Raises `Halted("settings-invalid")` if two systems share a name, an agency, an API key id or a broker user."""
        violations = [
            *_shared(profiles, "name", lambda p: [p.name]),
            *_shared(profiles, "agencies", lambda p: [code.key for code in p.codes]),
            *_shared(profiles, "access.keys", lambda p: [key.id for key in p.access.keys]),
            *_shared(profiles, "access.amqp_user", lambda p: [p.access.amqp_user] if p.access.amqp_user else []),
            *(error("settings-invalid", path=f"{p.name}: agencies", got=c) for p in profiles for c in p.codes if not c.is_usable),
        ]
        if violations:
            first = violations[0]
            raise Halted("settings-invalid", got=first.got, expected=first.expected, violations=tuple(violations))
        return cls({p.name: p for p in profiles})

    @classmethod
    def load(cls, folder: Path) -> Systems:
        """The profiles in `folder`; a profile's name is its file's name."""
        profiles: list[Profile] = []
        faults: list[Halted] = []
        for path in files_in(folder, "*.toml"):
            try:
                profiles.append(checked(Profile, {"name": path.stem, **read_toml(path)}, path))
            except Halted as fault:
                faults.append(fault)
        if faults:
            violations = tuple(one for fault in faults for one in fault.violations)
            raise Halted("settings-invalid", got=faults[0].got, expected=faults[0].expected, violations=violations)
        return cls.of(tuple(profiles))


def _shared(profiles: tuple[Profile, ...], what: str, values: Any) -> list[Violation]:
    owner: dict[str, str] = {}
    found: list[Violation] = []
    for profile in profiles:
        for value in values(profile):
            if value in owner and (owner[value] != profile.name or what == "name"):
                found.append(error("settings-invalid", path=f"{profile.name}: {what}", got=value, expected=f"not also in {owner[value]}"))
            owner.setdefault(value, profile.name)
    return found
