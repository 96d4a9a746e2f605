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
from signing import ber
from signing.algorithms import CURRENT
from signing.finding import Given, StampKind
from signing.sign_stamp import QUERY, query
from signing.timestamp import believable, examine, token_in

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
        """A token over `content`, in DER, checked by `checked_token`. `at`: now.

        Raises `Refused("timestamp-invalid")`, and what the adapters' exchange raises for an authority that is away.
        """
        asked = query(sha256(content).digest(), "sha256", secrets.randbits(63))
        with Attempt(self.timeout_s) as attempt:
            answer = self._exchange.send(attempt, "POST", {"Content-Type": QUERY, "Accept": REPLY}, asked)
        if answer.status != 200 or answer.media_type != REPLY:
            raise Refused("timestamp-invalid", got=f"HTTP {answer.status} {answer.media_type}", expected=f"200 {REPLY}")
        return checked_token(answer.body, content, at)


def checked_token(answer: bytes, content: bytes, at: datetime) -> bytes:
    """The token in a TimeStampResp, or the token itself, if it is about `content` and signed as an authority must (`signing.timestamp`).

    Raises `Refused("timestamp-invalid")`. Whether the authority is trusted is judged by whoever uses the token.
    """
    given = Given(at, CURRENT)
    try:
        found = token_in(ber.unwrapped(answer))
    except Refused as fault:
        raise Refused("timestamp-invalid", got=fault.got, expected=fault.expected) from fault
    stamp = examine(found, (content,), StampKind.FILE, given)
    faults = (*stamp.violations, *believable(stamp, given))
    if not stamp.fits or faults:
        first = faults[0] if faults else None
        raise Refused("timestamp-invalid", got=first.got if first else "no token that fits", expected=first.expected if first else "")
    return found
