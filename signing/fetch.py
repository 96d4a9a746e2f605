"""Lists and answers fetched over HTTP, for ``--online`` and for the hub's background job: the only place here that opens a connection.

Nothing is fetched that is not on the operator's allow-list, redirects are not followed, sizes and times are bounded, and what comes is
only bytes: `revocation.py` believes them no further than their signatures. AIA certificates are never fetched. What was fetched is kept
until its own nextUpdate, by address.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from threading import Timer
from urllib.parse import SplitResult, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp as protocol
from cryptography.x509.oid import AuthorityInformationAccessOID

from schemas.errors import Halted, Refused, TryLater, Violation, error
from signing import crl, ocsp
from signing.certificate import Certificate
from signing.limits import MAX_CRL_BYTES, MAX_OCSP_BYTES
from signing.remembered import Remembered

MAX_URLS = 4  # of one kind that are tried for one certificate
MAX_URL_CHARS = 500
CACHE_BYTES = MAX_CRL_BYTES
WITHOUT_NEXT = timedelta(hours=1)  # how long something is kept that names no next one
_PORTS = {"http": 80, "https": 443}
_PIECE = 64 * 1024


@dataclass(frozen=True, slots=True)
class Gathered:
    """What was fetched, in DER, and what could not be, as `revocation-unknown`."""

    crls: tuple[bytes, ...]
    ocsps: tuple[bytes, ...]
    notes: tuple[Violation, ...]


@dataclass(frozen=True, slots=True)
class AllowList:
    """Places that may be asked: ``http://host``, ``https://host:8443``. Empty means nowhere."""

    places: frozenset[tuple[str, str, int]] = frozenset()

    @classmethod
    def of(cls, places: Iterable[str]) -> AllowList:
        """Raises `Halted` with `trust-invalid` for a place that is not scheme, host and perhaps port."""
        found = set()
        for place in places:
            parts = _split(place)
            if parts is None or parts.path not in ("", "/") or parts.query:
                raise Halted("trust-invalid", got=place, expected="http://host or https://host:port")
            found.add(_place(parts))
        return cls(frozenset(found))

    def allowed(self, url: str) -> SplitResult | None:
        """The address in its parts, None where it may not be asked."""
        parts = _split(url)
        return parts if parts is not None and _place(parts) in self.places else None


def _split(url: str) -> SplitResult | None:
    if len(url) > MAX_URL_CHARS or any(not "!" <= ch <= "~" for ch in url):
        return None
    try:
        parts = urlsplit(url)
        port_is_number = parts.port is None or parts.port > 0
    except ValueError:
        return None
    plain = parts.scheme in _PORTS and parts.hostname and parts.username is None and parts.password is None and not parts.fragment
    return parts if plain and port_is_number else None


def _place(parts: SplitResult) -> tuple[str, str, int]:
    return parts.scheme, parts.hostname or "", parts.port or _PORTS[parts.scheme]


@dataclass(frozen=True, slots=True)
class _Kept:
    body: bytes
    until: datetime


@dataclass(slots=True)
class Fetcher:
    """Asks the places of `allow`; one may be shared by threads. `timeout_s` is for one whole exchange."""

    allow: AllowList
    timeout_s: float = 5.0
    max_crl_bytes: int = MAX_CRL_BYTES
    _cache: Remembered[str, _Kept] = field(default_factory=lambda: Remembered(CACHE_BYTES), repr=False)

    def gather(self, chain: tuple[Certificate, ...], at: datetime) -> Gathered:
        """Asks for the status of every certificate of `chain` but the anchor: OCSP where it is named, lists where it gave nothing.

        Raises nothing: what fails is a note, and the status stays unknown.
        """
        crls: dict[bytes, None] = {}
        ocsps: dict[bytes, None] = {}
        notes: list[Violation] = []
        for cert, issuer in pairwise(chain):
            answer = self._first(self._answers(cert, issuer, at), notes)
            if answer is not None:
                ocsps[answer] = None
                continue
            listed = self._first(self._lists(cert, at), notes)
            if listed is not None:
                crls[listed] = None
        return Gathered(tuple(crls), tuple(ocsps), tuple(notes))

    def _first(self, attempts: Iterator[bytes | Violation], notes: list[Violation]) -> bytes | None:
        for attempt in attempts:
            if isinstance(attempt, bytes):
                return attempt
            notes.append(attempt)
        return None

    def _answers(self, cert: Certificate, issuer: Certificate, at: datetime) -> Iterator[bytes | Violation]:
        builder = protocol.OCSPRequestBuilder().add_certificate(cert.parsed, issuer.parsed, hashes.SHA1())  # noqa: S303  # names, no more
        asked = builder.build().public_bytes(Encoding.DER)
        for url in _ocsp_urls(cert)[:MAX_URLS]:
            yield self._attempt(url, asked, MAX_OCSP_BYTES, at)

    def _lists(self, cert: Certificate, at: datetime) -> Iterator[bytes | Violation]:
        for url in _crl_urls(cert)[:MAX_URLS]:
            yield self._attempt(url, None, self.max_crl_bytes, at)

    def _attempt(self, url: str, asked: bytes | None, limit: int, at: datetime) -> bytes | Violation:
        parts = self.allow.allowed(url)
        if parts is None:
            return error("revocation-unknown", got=url, expected="an address on the allow-list")
        try:
            return self._fetch(parts, asked, limit, at)
        except (Refused, TryLater) as fault:
            return error("revocation-unknown", got=f"{url}: {fault.got}", expected=fault.expected)

    def _fetch(self, parts: SplitResult, asked: bytes | None, limit: int, at: datetime) -> bytes:
        key = parts.geturl() + (" " + asked.hex() if asked else "")
        kept = self._cache.found(key)
        if kept is not None and kept.until > at:
            return kept.body
        body = exchange(parts, asked, limit, self.timeout_s)
        until = _until(body, at, is_answer=asked is not None)
        self._cache.put(key, _Kept(body, until), len(body))
        return body


def _until(body: bytes, at: datetime, *, is_answer: bool) -> datetime:
    """Until when it is kept. Raises `Refused` with `revocation-unknown` for what is neither list nor answer."""
    if is_answer:
        ends = [single.next_update for single in ocsp.load(body).singles]
        return min((end for end in ends if end), default=at + WITHOUT_NEXT)
    return crl.load(body).next_update or at + WITHOUT_NEXT


def exchange(parts: SplitResult, asked: bytes | None, limit: int, timeout_s: float, asked_type: str = "application/ocsp-request") -> bytes:
    """One GET, or one POST of `asked`, by default an OCSP request.

    Raises `TryLater` with `trust-unavailable`, `Refused` with `resource-limit`.
    """
    deadline = time.monotonic() + timeout_s
    host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
    connection: http.client.HTTPConnection
    if parts.scheme == "https":
        connection = http.client.HTTPSConnection(host, port, timeout=timeout_s, context=ssl.create_default_context())
    else:
        connection = http.client.HTTPConnection(host, port, timeout=timeout_s)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    headers = {"Content-Type": asked_type} if asked else {}
    timer: Timer | None = None
    try:
        connection.connect()
        timer = Timer(timeout_s, _cut, [connection.sock])  # time-outs of the socket begin anew with every byte that trickles in
        timer.start()
        connection.request("POST" if asked else "GET", target, asked, headers | {"Connection": "close"})
        return _body(connection.getresponse(), limit, deadline)
    except (OSError, http.client.HTTPException) as fault:  # also ssl and time-outs
        raise TryLater("trust-unavailable", got=f"{type(fault).__name__}: {fault}", expected="an answer within the time") from fault
    finally:
        if timer is not None:
            timer.cancel()
        connection.close()


def _cut(connected: socket.socket) -> None:
    with suppress(OSError):
        connected.shutdown(socket.SHUT_RDWR)


def _body(response: http.client.HTTPResponse, limit: int, deadline: float) -> bytes:
    with response:
        if response.status != http.client.OK:
            raise TryLater("trust-unavailable", got=f"HTTP {response.status}", expected="200; redirects are not followed")
        body = bytearray()
        while piece := response.read1(min(_PIECE, limit + 1 - len(body))):
            body += piece
            if len(body) > limit:
                raise Refused("resource-limit", got=f"more than {limit} bytes", expected=f"at most {limit}")
    if time.monotonic() >= deadline:
        raise TimeoutError("the time is up")
    return bytes(body)


def _ocsp_urls(cert: Certificate) -> list[str]:
    about = cert.extension(x509.AuthorityInformationAccess)
    ways = [one.access_location for one in about or () if one.access_method == AuthorityInformationAccessOID.OCSP]
    return [way.value for way in ways if isinstance(way, x509.UniformResourceIdentifier)]


def _crl_urls(cert: Certificate) -> list[str]:
    points = [*(cert.extension(x509.CRLDistributionPoints) or ()), *(cert.extension(x509.FreshestCRL) or ())]
    return [name.value for point in points for name in point.full_name or () if isinstance(name, x509.UniformResourceIdentifier)]
