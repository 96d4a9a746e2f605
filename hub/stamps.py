"""Fetching RFC 3161 time stamps over checkpoints, by HTTP (RFC 3161 §3.4), inside the egress policy."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from adapters.attempt import Attempt
from adapters.contract import Idempotency
from adapters.egress import EgressPolicy
from adapters.exchange import HttpExchange
from schemas.errors import Refused
from signing import stamp_request
from signing.algorithms import CURRENT
from signing.finding import Given

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
        """A token over `content`, in DER, checked by `signing.stamp_request`. `at`: now.

        Raises `Refused("timestamp-invalid")`, and what the adapters' exchange raises for an authority that is away.
        """
        headers = {"Content-Type": stamp_request.QUERY_TYPE, "Accept": stamp_request.REPLY_TYPE}
        with Attempt(self.timeout_s) as attempt:
            answer = self._exchange.send(attempt, "POST", headers, stamp_request.request(content))
        if answer.status != 200 or answer.media_type != stamp_request.REPLY_TYPE:
            got = f"HTTP {answer.status} {answer.media_type}"
            raise Refused("timestamp-invalid", got=got, expected=f"200 {stamp_request.REPLY_TYPE}")
        return stamp_request.token(answer.body, content, Given(at, CURRENT))
