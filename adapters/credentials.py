"""How the hub shows a system who it is over HTTP: nothing, Basic (RFC 7617), Bearer (RFC 6750) or a key in a header of its own."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

_MIN_SECRET_CHARS = 4  # shorter ones would blot out ordinary text


class AuthKind(StrEnum):
    """Which way."""

    NONE = "none"
    BASIC = "basic"
    BEARER = "bearer"
    API_KEY = "api-key"


@dataclass(frozen=True, slots=True)
class Auth:
    """One system's credentials. The secret is in no `repr`, and `redact` keeps it out of answers that repeat it."""

    kind: AuthKind = AuthKind.NONE
    user: str = ""  # basic only
    header: str = "X-API-Key"  # api-key only
    secret: str = field(default="", repr=False)

    def headers(self) -> Mapping[str, str]:
        """What is added to each request."""
        if self.kind is AuthKind.BEARER:
            return {"Authorization": f"Bearer {self.secret}"}
        if self.kind is AuthKind.BASIC:
            return {"Authorization": f"Basic {self._basic()}"}
        if self.kind is AuthKind.API_KEY:
            return {self.header: self.secret}
        return {}

    def redact(self, text: str) -> str:
        """`text` without the secret: some systems answer with what they were sent."""
        for form in (self.secret, self._basic()):
            if len(form) >= _MIN_SECRET_CHARS:
                text = text.replace(form, "***")
        return text

    def _basic(self) -> str:
        return b64encode(f"{self.user}:{self.secret}".encode()).decode("ascii") if self.secret else ""
