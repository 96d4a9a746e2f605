"""Fetching RFC 3161 time stamps over checkpoints, by HTTP (RFC 3161 §3.4), inside the egress policy."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256

from adapters.attempt import Attempt
from adapters.contract import Idempotency
from adapters.egress import EgressPolicy
from adapters.exchange import HttpExchange
from schemas.errors import Refused
from signing.checked_token import checked_token
from signing.sign_stamp import QUERY, query

REPLY = "application/timestamp-reply"
TIMEOUT_S = 20.0
MAX_TOKEN_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class StampClient:
    """One authority."""

    url: str
    egress: EgressPolicy
    timeout_s: float = TIMEOUT_S
    _exchange: HttpExchange = field(init=False, repr=False)

    def __post_init__(self) -> None:
        exchange = HttpExchange(self.url, Idempotency.KEY, self.timeout_s, MAX_TOKEN_BYTES, self.egress)
        object.__setattr__(self, "_exchange", exchange)

    def stamp(self, content: bytes, at: datetime) -> bytes:
        """A token over `content`, in DER, checked by `signing.checked_token`. `at`: now.

        Raises `Refused("timestamp-invalid")`, and what the adapters' exchange raises for an authority that is away.
        """
        asked = query(sha256(content).digest(), "sha256", secrets.randbits(63))
        with Attempt(self.timeout_s) as attempt:
            answer = self._exchange.send(attempt, "POST", {"Content-Type": QUERY, "Accept": REPLY}, asked)
        if answer.status != 200 or answer.media_type != REPLY:
            raise Refused("timestamp-invalid", got=f"HTTP {answer.status} {answer.media_type}", expected=f"200 {REPLY}")
        return checked_token(answer.body, content, at)
