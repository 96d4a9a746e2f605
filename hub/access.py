"""Step 1 of a message's way: who is calling, and for whom may it send.

API keys are ``keyid.secret``: 256 random bits, kept as SHA-256, compared in constant time. An unknown key id costs the same work as a
wrong secret.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from dataclasses import dataclass

from hub.systems import ApiKey, Profile, SendFor, Systems
from schemas.agency import AgencyCode
from schemas.errors import Refused

_NOBODY = hashlib.sha256(b"").hexdigest()
MAX_KEY_CHARS = 256
EXCHANGE = "exchange"  # the role that sends and receives messages


@dataclass(frozen=True, slots=True)
class Principal:
    """The authenticated caller."""

    system: str  # profile name
    agencies: tuple[AgencyCode, ...]
    may_send_for: SendFor
    roles: frozenset[str]

    def check_may_send_for(self, sender: AgencyCode) -> None:
        """Raises `Refused("sender-not-permitted")` unless `sender` is in the principal's right."""
        if not self.covers(sender):
            allowed = ", ".join(str(code) for code in self.agencies[:10]) or "no agency"
            raise Refused("sender-not-permitted", got=str(sender), expected=f"{self.may_send_for}: {allowed}")

    def check_role(self, role: str) -> None:
        """Raises `Refused("not-permitted")` unless the profile gives the system this role."""
        if role not in self.roles:
            raise Refused("not-permitted", got=", ".join(sorted(self.roles)) or "no role", expected=role)

    def serves(self, agency: AgencyCode) -> bool:
        """Whether `agency` is one of the principal's own. The right to send for somebody is no right to read what is his."""
        return any(agency.same_as(own) for own in self.agencies)

    def covers(self, agency: AgencyCode) -> bool:
        """Whether the principal may act for `agency`; codes are compared by equivalence."""
        if self.may_send_for is SendFor.ANY:
            return True
        if self.may_send_for is SendFor.SUBTREE:
            return any(agency.is_within(top) for top in self.agencies)
        return any(agency.same_as(own) for own in self.agencies)


class Access:
    """Looks callers up. Built once from the profiles."""

    def __init__(self, systems: Systems) -> None:
        profiles = systems.by_name.values()
        self._keys = {key.id: (key.sha256, principal_of(profile)) for profile in profiles for key in profile.access.keys}
        self._amqp = {profile.access.amqp_user: principal_of(profile) for profile in profiles if profile.access.amqp_user}

    def authenticate(self, api_key: str) -> Principal:
        """The owner of ``keyid.secret``. Raises `Refused("not-authenticated")`, the same for every reason."""
        key_id, _, secret = api_key[:MAX_KEY_CHARS].partition(".")
        digest, principal = self._keys.get(key_id, (_NOBODY, None))
        offered = hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
        if not hmac.compare_digest(digest, offered) or principal is None or not secret:
            raise Refused("not-authenticated")
        return principal

    def named_by(self, api_key: str) -> str:
        """The system whose key id `api_key` names, whether the secret is right or not; "" where nobody's is."""
        _, principal = self._keys.get(api_key[:MAX_KEY_CHARS].partition(".")[0], (_NOBODY, None))
        return "" if principal is None else principal.system

    def of_amqp_user(self, user: str) -> Principal:
        """The owner of a broker user that the broker itself has validated. Raises `Refused("not-authenticated")`."""
        principal = self._amqp.get(user)
        if principal is None:
            raise Refused("not-authenticated")
        return principal

    @property
    def amqp_users(self) -> tuple[str, ...]:
        """Broker users that some system publishes as."""
        return tuple(self._amqp)


def principal_of(profile: Profile) -> Principal:
    """The principal that a profile describes."""
    return Principal(profile.name, profile.codes, profile.access.may_send_for, frozenset(profile.access.roles))


def api_key_from(authorization: str, x_api_key: str) -> str:
    """``keyid.secret`` from `Authorization` (Bearer, or Basic with the key id as user name) or `X-API-Key`; "" if there is none."""
    scheme, _, value = authorization.strip().partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    if scheme.lower() == "basic":
        try:
            user, _, password = base64.b64decode(value.strip(), validate=True).decode("utf-8").partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return ""
        return f"{user}.{password}"
    return x_api_key.strip()


def new_api_key() -> tuple[str, ApiKey]:
    """A fresh key: the text to hand over once, and what the profile keeps of it."""
    key_id, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
    return f"{key_id}.{secret}", ApiKey(id=key_id, sha256=hashlib.sha256(secret.encode()).hexdigest())
