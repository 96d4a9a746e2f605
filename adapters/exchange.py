"""One HTTP request and its answer, with every way it can go wrong turned into the adapter contract's errors.

Procedure of `HttpExchange.send`:

1. connect, through the egress policy – a failure up to here is "surely not arrived"
2. send the request – from the first byte on a failure is ambiguous
3. read the answer, at most `max_answer_bytes`, uncompressed, no redirect followed, no retry
4. give the connection back, unless repeating is not harmless: then each request has its own, because a kept connection that the
   other side has just closed fails in a way that cannot be told from a lost answer
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.client import HTTPException
from urllib.parse import urlsplit

from urllib3 import HTTPConnectionPool, Timeout
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError
from urllib3.response import BaseHTTPResponse

from adapters.attempt import Attempt
from adapters.connection import connection_pool
from adapters.contract import AgencyInDoubt, AgencyUnavailable, Idempotency
from adapters.egress import EgressPolicy
from adapters.outcome import ambiguous, busy, refused, unavailable

BUSY_STATUSES = frozenset({408, 425, 429, 503})  # RFC 9110 §15.5.9, RFC 8470 §5.2, RFC 6585 §4, RFC 9110 §15.6.4: not taken, come again
_FIXED = {"User-Agent": "lgsp-hub", "Accept-Encoding": "identity"}  # identity: a small compressed answer can be endless
_CHUNK_BYTES = 16_384
_SHOWN_BYTES = 1_000


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete answer. `body` as sent, at most `max_answer_bytes`."""

    status: int
    headers: Mapping[str, str]  # names in lower case
    body: bytes

    @property
    def media_type(self) -> str:
        """Content-Type without parameters, lower case; "" where there is none."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    def excerpt(self) -> str:
        """The beginning of the answer for an error or the record. Not yet redacted."""
        return f"HTTP {self.status} {self.body[:_SHOWN_BYTES].decode('utf-8', 'replace')}".strip()


@dataclass(frozen=True, slots=True)
class HttpExchange:
    """Requests to one origin. Times in seconds, sizes in bytes. Raises `OSError` where `ca_file` cannot be read."""

    url: str
    idempotency: Idempotency
    connect_timeout_s: float
    max_answer_bytes: int
    egress: EgressPolicy
    ca_file: str = ""
    _tls: ssl.SSLContext | None = field(init=False, repr=False)
    _pool: HTTPConnectionPool = field(init=False, repr=False)

    def __post_init__(self) -> None:
        secure = urlsplit(self.url).scheme == "https"
        object.__setattr__(self, "_tls", ssl.create_default_context(cafile=self.ca_file or None) if secure else None)
        object.__setattr__(self, "_pool", self._new_pool())

    def send(self, attempt: Attempt, method: str, headers: Mapping[str, str], body: bytes = b"") -> Answer:
        """The answer, whatever its status.

        Raises `AgencyUnavailable`, `AgencyInDoubt` (by `outcome`'s table) or `EgressDenied`.
        """
        attempt.sent = False
        pool = self._new_pool() if self._fresh else self._pool
        try:
            response = self._open(pool, attempt, method, headers, body)  # 1, 2
            try:
                return self._read(attempt, response)  # 3
            finally:
                response.release_conn()  # 4
        except (ConnectTimeoutError, NewConnectionError) as fault:
            raise unavailable(f"{self._place}: {fault.args[-1] if fault.args else fault}") from fault
        except (HTTPError, HTTPException, OSError, ValueError) as fault:  # ValueError: numbers of an answer that is not HTTP
            raise self._failed(attempt, f"{type(fault).__name__}: {fault}") from fault
        finally:
            if self._fresh:
                pool.close()  # urllib3 keeps a connection whose server did not answer "Connection: close", whatever the request said

    def close(self) -> None:
        """Give back connections."""
        self._pool.close()

    def _new_pool(self) -> HTTPConnectionPool:
        parts = urlsplit(self.url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        return connection_pool(
            parts.scheme, parts.hostname or "", port, egress=self.egress, connect_timeout_s=self.connect_timeout_s, tls=self._tls
        )

    @property
    def _fresh(self) -> bool:
        return self.idempotency is not Idempotency.KEY

    @property
    def _place(self) -> str:
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.hostname}:{parts.port or ''}".rstrip(":")

    def _open(self, pool: HTTPConnectionPool, attempt: Attempt, method: str, headers: Mapping[str, str], body: bytes) -> BaseHTTPResponse:
        parts = urlsplit(self.url)
        left = attempt.remaining_s()
        return pool.urlopen(
            method,
            (parts.path or "/") + (f"?{parts.query}" if parts.query else ""),
            body=body or None,
            headers={
                "User-Agent": "lgsp-hub",
                "Accept-Encoding": "identity",
                **headers,
                **({"Connection": "close"} if self._fresh else {}),
            },
            retries=False,
            redirect=False,
            timeout=Timeout(connect=left, read=left),
            preload_content=False,
            decode_content=False,
        )

    def _read(self, attempt: Attempt, response: BaseHTTPResponse) -> Answer:
        body = bytearray()
        for chunk in response.stream(_CHUNK_BYTES, decode_content=False):
            body += chunk
            if len(body) > self.max_answer_bytes:
                response.close()
                raise self._failed(attempt, f"HTTP {response.status} with an answer of more than {self.max_answer_bytes} bytes")
        if attempt.expired:  # a connection that we shut ourselves looks like the end of the answer
            raise self._failed(attempt, f"HTTP {response.status} with an unfinished answer")
        return Answer(response.status, {name.lower(): value for name, value in response.headers.items()}, bytes(body))

    def _failed(self, attempt: Attempt, what: str) -> AgencyUnavailable | AgencyInDoubt:
        text = f"{self._place}: {'no complete answer in time; ' if attempt.expired else ''}{what}"
        return ambiguous(self.idempotency, text) if attempt.sent else unavailable(text)


def check_status(answer: Answer, idempotency: Idempotency, shown: str, *, accept: frozenset[int], retry: frozenset[int]) -> None:
    """Whether the status alone lets the answer count as an acceptance; `accept` and `retry` are the profile's own additions.

    Raises the contract's errors otherwise. `shown` is the redacted excerpt that they repeat.
    """
    status = answer.status
    if status in accept or 200 <= status < 300:
        return
    if status in BUSY_STATUSES or status in retry:
        raise busy(shown)
    if 300 <= status < 400:
        raise refused(shown, "an answer at this address; redirects are not followed, correct the address in the profile")
    if 400 <= status < 500:
        raise refused(shown)
    raise ambiguous(idempotency, shown)  # 5xx: it may have been taken before the failure
