"""Lists and answers fetched over HTTP, for ``--online`` and for the hub's background job: the only place here that opens a connection.

Nothing is fetched that is not on the operator's allow-list, redirects are not followed, sizes and times are bounded, and what comes is
only bytes: `revocation.py` believes them no further than their signatures. AIA certificates are never fetched. What was fetched is kept
until its own nextUpdate, a day at the most, by address.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Timer
from urllib.parse import SplitResult, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp as protocol
from cryptography.x509.oid import AuthorityInformationAccessOID

from schemas.errors import Halted, Refused, TryLater, Violation, warning
from signing import crl, ocsp
from signing.certificate import Certificate
from signing.limits import MAX_CRL_BYTES, MAX_OCSP_BYTES
from signing.remembered import Remembered
from signing.statement import Question, Said

MAX_URLS = 4  # of one kind that are tried for one certificate
MAX_URL_CHARS = 500
CACHE_BYTES = MAX_CRL_BYTES
WITHOUT_NEXT = timedelta(hours=1)  # how long something is kept that names no next one
AT_MOST = timedelta(days=1)  # and how long anything is: authorities publish before their time is up
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

        An answer counts where it is about the certificate and by someone who may, a list where it is not over: else the next address is
        asked. Raises nothing: what fails is a note, and the status stays unknown.
        """
        crls: dict[bytes, None] = {}
        ocsps: dict[bytes, None] = {}
        notes: list[Violation] = []
        for depth in range(len(chain) - 1):
            path = chain[depth:]
            answers, is_enough = self._answers(path, at, notes)
            ocsps |= answers
            for urls in () if is_enough else _crl_points(path[0]):
                crls |= self._lists(urls, at, notes)
        return Gathered(tuple(crls), tuple(ocsps), tuple(dict.fromkeys(notes)))

    def _answers(self, path: tuple[Certificate, ...], at: datetime, notes: list[Violation]) -> tuple[dict[bytes, None], bool]:
        builder = protocol.OCSPRequestBuilder().add_certificate(path[0].parsed, path[1].parsed, hashes.SHA1())  # noqa: S303  # names, no more
        asked = builder.build().public_bytes(Encoding.DER)
        return self._until_enough(_ocsp_urls(path[0])[:MAX_URLS], _Question(asked, path, at), notes)

    def _lists(self, urls: list[str], at: datetime, notes: list[Violation]) -> dict[bytes, None]:
        return self._until_enough(urls, _Question(None, (), at), notes)[0]

    def _until_enough(self, urls: list[str], question: _Question, notes: list[Violation]) -> tuple[dict[bytes, None], bool]:
        """What came until something was enough, and whether it was: what is over may still speak against a certificate."""
        found: dict[bytes, None] = {}
        for url in urls:
            came = self._attempt(url, question)
            if isinstance(came, Violation):
                notes.append(came)
                continue
            found[came] = None
            if question.is_answered(came):
                return found, True
        return found, False

    def _attempt(self, url: str, question: _Question) -> bytes | Violation:
        parts = self.allow.allowed(url)
        if parts is None:
            return warning("revocation-unknown", got=url, expected="an address on the allow-list")
        try:
            return self._fetch(parts, question)
        except (Refused, TryLater) as fault:
            return warning("revocation-unknown", got=f"{url}: {fault.got}", expected=fault.expected)

    def _fetch(self, parts: SplitResult, question: _Question) -> bytes:
        key = parts.geturl() + (" " + question.asked.hex() if question.asked else "")
        kept = self._cache.found(key)
        if kept is not None and kept.until > question.at:
            return kept.body
        body = exchange(parts, question.asked, MAX_OCSP_BYTES if question.asked else self.max_crl_bytes, self.timeout_s)
        ends = question.ends(body)
        if question.is_answered(body):  # what does not help today is asked for again
            until = min(ends or question.at + WITHOUT_NEXT, question.at + AT_MOST)
            self._cache.put(key, _Kept(body, until), len(body))
        return body


@dataclass(frozen=True, slots=True)
class _Question:
    """An OCSP request for the first of `path`, or, without `asked`, a GET for a list."""

    asked: bytes | None
    path: tuple[Certificate, ...]
    at: datetime

    def ends(self, body: bytes) -> datetime | None:
        """The nextUpdate in what came. Raises `Refused` with `revocation-unknown` for what is neither list nor answer."""
        if self.asked is None:
            return crl.load(body).next_update
        return min((end for end in (single.next_update for single in ocsp.load(body).singles) if end), default=None)

    def is_answered(self, body: bytes) -> bool:
        """Whether nobody else needs to be asked: an answer about the certificate by someone who may, a list of any sort; and not over."""
        ends = self.ends(body)
        if ends is not None and ends <= self.at:
            return False
        said = () if self.asked is None else ocsp.statements(ocsp.load(body), Question(self.path))
        return self.asked is None or any(one.said is not Said.NOTHING for one in said)


def exchange(parts: SplitResult, asked: bytes | None, limit: int, timeout_s: float, asked_type: str = "application/ocsp-request") -> bytes:
    """One GET, or one POST of `asked`, by default an OCSP request.

    Raises `TryLater` with `trust-unavailable`, `Refused` with `resource-limit`.
    """
    deadline = time.monotonic() + timeout_s
    host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    headers = {"Content-Type": asked_type} if asked else {}
    connection = http.client.HTTPConnection(host, port, timeout=timeout_s)
    timer: Timer | None = None
    try:
        reached = socket.create_connection((host, port), timeout_s)
        connection.sock = reached
        if parts.scheme == "https":
            connection.sock = reached = ssl.create_default_context().wrap_socket(
                reached, server_hostname=host, do_handshake_on_connect=False
            )
        timer = Timer(timeout_s, _cut, [reached])  # time-outs of the socket begin anew with every byte that trickles in
        timer.start()
        if isinstance(reached, ssl.SSLSocket):
            reached.do_handshake()
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


def _crl_points(cert: Certificate) -> list[list[str]]:
    """The addresses of each distribution point: those of one point lead to the same list, each point has its own."""
    points = [*(cert.extension(x509.CRLDistributionPoints) or ()), *(cert.extension(x509.FreshestCRL) or ())]
    found = [[name.value for name in point.full_name or () if isinstance(name, x509.UniformResourceIdentifier)] for point in points]
    left = MAX_URLS
    for n, urls in enumerate(found):
        found[n] = urls[:left]
        left -= len(found[n])
    return found
