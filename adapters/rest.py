"""Delivery by HTTP: the packet is the body of one request, the status of the answer decides.

What the receiver sees: ``Idempotency-Key`` (the same for every attempt), ``Content-Type``, ``X-LGSP-Message-Id``, ``X-LGSP-Kind`` and
``X-LGSP-Document-Id`` (percent-encoded UTF-8, RFC 3986 §2.1: header fields cannot carry Vietnamese); ``X-LGSP-Legal-Value``, and
``X-LGSP-Verification`` where a certificate's status was not known at first.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

from adapters.attempt import Attempt
from adapters.condition import MISSING, Condition, at
from adapters.contract import Idempotency
from adapters.credentials import Auth
from adapters.egress import EgressPolicy
from adapters.exchange import Answer, HttpExchange, check_status
from adapters.outcome import ambiguous, refused
from schemas.errors import shown
from schemas.message import Accepted, Parcel

_HEADER_SAFE = "".join(chr(code) for code in range(0x20, 0x7F) if chr(code) != "%")


@dataclass(frozen=True, slots=True)
class RestAdapter:
    """One system's HTTP interface. Times in seconds, sizes in bytes."""

    url: str
    auth: Auth = field(default_factory=Auth)
    idempotency: Idempotency = Idempotency.KEY
    timeout_s: float = 60.0
    connect_timeout_s: float = 10.0
    max_answer_bytes: int = 65_536
    method: str = "POST"
    headers: Mapping[str, str] = field(default_factory=dict)  # fixed ones that the system asks for
    remote_id: str = ""  # path of the receiver's id in a JSON answer; where named, an answer without it is no acceptance
    success: Condition | None = None  # for systems that answer 200 to everything
    answer_types: tuple[str, ...] = ()  # media types an acceptance may have; empty: any but text/html, which is somebody's error page
    accept_statuses: frozenset[int] = frozenset()  # beside 2xx, e.g. 409 of a system that says it has the packet already
    retry_statuses: frozenset[int] = frozenset()  # beside 408, 425, 429 and 503
    ca_file: str = ""
    egress: EgressPolicy = field(default_factory=EgressPolicy)
    _exchange: HttpExchange = field(init=False, repr=False)

    def __post_init__(self) -> None:
        exchange = HttpExchange(self.url, self.idempotency, self.connect_timeout_s, self.max_answer_bytes, self.egress, self.ca_file)
        object.__setattr__(self, "_exchange", exchange)

    def deliver(self, parcel: Parcel) -> Accepted:
        """See `adapters.contract.Adapter`; also raises `EgressDenied`."""
        with Attempt(self.timeout_s) as attempt:
            answer = self._exchange.send(attempt, self.method, self._headers(parcel), parcel.body)
        return self._judged(answer)

    def close(self) -> None:
        """Give back connections."""
        self._exchange.close()

    def _headers(self, parcel: Parcel) -> dict[str, str]:
        return {
            "Accept": "application/json, */*;q=0.1",
            **self.headers,
            "Content-Type": quote(parcel.content_type, safe=_HEADER_SAFE),
            "Idempotency-Key": quote(parcel.key, safe=_HEADER_SAFE),
            "X-LGSP-Message-Id": str(parcel.message_id),
            "X-LGSP-Document-Id": quote(parcel.document_id),
            "X-LGSP-Kind": quote(parcel.kind),
            **({"X-LGSP-Legal-Value": quote(parcel.legal_value, safe=_HEADER_SAFE)} if parcel.legal_value else {}),
            **({"X-LGSP-Verification": quote(parcel.verification, safe=_HEADER_SAFE)} if parcel.verification else {}),
            **self.auth.headers(),
        }

    def _judged(self, answer: Answer) -> Accepted:
        excerpt = shown(self.auth.redact(answer.excerpt()))
        check_status(answer, self.idempotency, excerpt, accept=self.accept_statuses, retry=self.retry_statuses)
        if answer.media_type not in self.answer_types if self.answer_types else answer.media_type == "text/html":
            raise ambiguous(self.idempotency, excerpt, f"an answer of type {', '.join(self.answer_types) or 'other than text/html'}")
        if self.success is None and not self.remote_id:
            return Accepted("", excerpt)
        document = _document(answer.body)
        if self.success is not None:
            self._check_success(self.success, document, excerpt)
        return Accepted(self._remote_id(document, excerpt), excerpt)

    def _check_success(self, success: Condition, document: object, excerpt: str) -> None:
        value = at(document, success.path)
        if value is MISSING:
            raise ambiguous(self.idempotency, excerpt, f"a JSON answer with {success.path}")
        if not success.holds(value):
            raise refused(excerpt, f"{success.path} = {success.equals}")

    def _remote_id(self, document: object, excerpt: str) -> str:
        if not self.remote_id:
            return ""
        value = at(document, self.remote_id)
        if not isinstance(value, str | int) or isinstance(value, bool):
            raise ambiguous(self.idempotency, excerpt, f"a JSON answer with {self.remote_id}")
        return shown(self.auth.redact(str(value)))


def _document(body: bytes) -> object:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return MISSING
