"""Asking a time-stamping authority (RFC 3161 §2.4) for a token over some bytes, and taking none but one over them."""

from __future__ import annotations

from hashlib import sha256

from asn1crypto import algos, tsp

from schemas.errors import Refused
from signing import ber
from signing.finding import Given, StampKind
from signing.timestamp import believable, examine, token_in

QUERY_TYPE, REPLY_TYPE = "application/timestamp-query", "application/timestamp-reply"  # RFC 3161 §3.4


def request(content: bytes) -> bytes:
    """A TimeStampReq in DER for SHA-256 of `content`, that asks for the authority's certificate.

    Without a nonce: a token is believed for its imprint and its signature, and an old one over the same bytes proves an older time.
    """
    imprint = {"hash_algorithm": algos.DigestAlgorithm({"algorithm": "sha256"}), "hashed_message": sha256(content).digest()}
    made: bytes = tsp.TimeStampReq({"version": "v1", "message_imprint": tsp.MessageImprint(imprint), "cert_req": True}).dump()
    return made


def token(answer: bytes, content: bytes, given: Given) -> bytes:
    """The token in a TimeStampResp, if it is about `content` and signed as an authority must (`signing.timestamp`).

    Raises `Refused`: ``timestamp-invalid``, ``cms-malformed``, or the code of an algorithm that is not allowed. Whether the authority is
    trusted is judged by whoever uses the token.
    """
    found = token_in(ber.unwrapped(answer))
    stamp = examine(found, (content,), StampKind.FILE, given)
    faults = (*stamp.violations, *believable(stamp, given))
    if not stamp.fits or faults:
        first = faults[0] if faults else None
        raise Refused("timestamp-invalid", got=first.got if first else "no token that fits", expected=first.expected if first else "")
    return found
