"""Asking a time-stamping authority for a token (RFC 3161), and not taking any answer for one.

The address comes from the operator's settings; `AllowList` (`fetch.py`) says that nothing else may be asked, and the exchange is bounded in
size and time. A token is handed on only if it is about the digest that was sent, carries the nonce, and is signed as an authority must;
whether the authority is *trusted* is for those to judge who verify.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from asn1crypto import algos, core, tsp

from schemas.errors import Halted, Refused, TryLater
from signing import timestamp
from signing.algorithms import CURRENT
from signing.cms_structure import reading
from signing.fetch import AllowList, exchange
from signing.finding import Given, StampKind

MAX_TOKEN_BYTES = 64 * 1024
QUERY = "application/timestamp-query"  # RFC 3161 §3.4


@dataclass(frozen=True, slots=True)
class TimeAuthority:
    """One authority. `nonce` draws a number that was not used before (64 bits)."""

    url: str
    nonce: Callable[[], int] = field(repr=False)
    allow: AllowList
    timeout_s: float = 30.0

    @classmethod
    def at(cls, url: str, nonce: Callable[[], int], timeout_s: float = 30.0) -> TimeAuthority:
        """The authority at an address that an operator chose: its own place is the whole allow-list.

        Raises `Halted` with `settings-invalid` for what is no address.
        """
        scheme, _, rest = url.partition("://")
        try:
            allow = AllowList.of([f"{scheme}://{rest.partition('/')[0]}"])
        except Halted as fault:
            raise Halted("settings-invalid", got=fault.got, expected="http://host/path or https://host:port/path") from fault
        if allow.allowed(url) is None:
            raise Halted("settings-invalid", got=url, expected="http://host/path or https://host:port/path")
        return cls(url, nonce, allow, timeout_s)

    def token(self, hashed: bytes, digest: str) -> bytes:
        """A TimeStampToken in DER over `hashed`, made by `digest` (``sha256``, ``sha384``, ``sha512``).

        Raises `TryLater` with `trust-unavailable` where no answer came, `Refused` with `timestamp-invalid` for one that is no proof.
        """
        parts = self.allow.allowed(self.url)
        if parts is None:
            raise Refused("timestamp-invalid", got=self.url, expected="an address on the allow-list")
        nonce = self.nonce()
        try:
            token = timestamp.token_in(exchange(parts, query(hashed, digest, nonce), MAX_TOKEN_BYTES, self.timeout_s, QUERY))
            _check(token, hashed, digest, nonce)
        except TryLater as fault:
            raise TryLater("trust-unavailable", got=f"{self.url}: {fault.got}", expected=fault.expected) from fault
        except Refused as fault:
            raise Refused("timestamp-invalid", got=f"{self.url}: {fault.got}", expected=fault.expected) from fault
        return token


def query(hashed: bytes, digest: str, nonce: int) -> bytes:
    """TimeStampReq in DER that asks for the authority's certificate too."""
    imprint = {"hash_algorithm": algos.DigestAlgorithm({"algorithm": digest}), "hashed_message": hashed}
    body = tsp.TimeStampReq({"version": "v1", "message_imprint": imprint, "nonce": core.Integer(nonce), "cert_req": True}).dump()
    return bytes(body)


def _check(token: bytes, hashed: bytes, digest: str, nonce: int) -> None:
    with reading("a time-stamp token (RFC 3161)"):
        said: Any = tsp.ContentInfo.load(token, strict=True)["content"]["encap_content_info"]["content"].parsed
        imprint, answered = said["message_imprint"], said["nonce"].native
        same = imprint["hash_algorithm"]["algorithm"].native == digest and hmac.compare_digest(imprint["hashed_message"].native, hashed)
    if not same:
        raise Refused("timestamp-invalid", got="a token of another digest", expected=f"{digest} {hashed.hex()}")
    if answered != nonce:
        raise Refused("timestamp-invalid", got="another nonce", expected="the nonce that was sent")
    stamp = timestamp.examine(token, None, StampKind.SIGNATURE, Given(datetime.max.replace(tzinfo=UTC), CURRENT))
    faults = [violation for violation in stamp.violations if violation.code != "reference-missing"]  # only the digest is known here
    if faults:
        raise Refused("timestamp-invalid", got=faults[0].got, expected=faults[0].expected, violations=tuple(faults))
