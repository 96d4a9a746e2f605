"""The hub's receipts, and a packet's XMLDSig by a key in memory (`sign_xml.py` has the rest)."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import rfc8785
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from schemas.canonical import canonical_json
from schemas.errors import Refused
from signing import sign_xml
from signing.sign_key import Credential, InMemory, PrivateKey

SigningKey = PrivateKey

RECEIPT_DOMAIN = b"lgsp-hub receipt v1\n"  # a receipt's signature can be mistaken for no other signature of the same key
REPORT_DOMAIN = b"lgsp-hub report v1\n"
MAX_REPORT_BYTES = 64 * 1024 * 1024
MAX_RECEIPT_BYTES = 512 * 1024  # 1,000 recipients with codes of 64 characters, in two-byte letters, and room


@dataclass(frozen=True, slots=True)
class Ed25519Signer:
    """The hub's key for receipts, with the name that receipts carry."""

    key_id: str
    key: Ed25519PrivateKey

    def sign_receipt(self, payload: Mapping[str, Any]) -> bytes:
        """`sign_receipt` with this key."""
        return sign_receipt(payload, self.key, self.key_id)


def sign_packet(
    raw: bytes,
    key: SigningKey,
    cert_chain: Sequence[x509.Certificate],
    *,
    digest: str = "sha256",
    exclusive: bool = True,
    reference_id: bool = False,
    parent: str = "header",
    prefix: str = "ds",
) -> bytes:
    """`raw` with an enveloped XMLDSig over all of it; other bytes stay as they are (but for an Id on the root, if asked for).

    `cert_chain` starts with the signer's certificate. `digest` is ``sha256``, ``sha384`` or ``sha512`` and serves both the reference
    and the signature; `reference_id` refers to the root by id instead of ``URI=""``; `parent` is ``header`` or ``root``; `prefix` is
    that of the signature's elements, "" for none.

    Raises `Refused` with `cannot-sign`, or as `schemas.xml.parse` does.
    """
    shape = sign_xml.Shape(digest, exclusive, reference_id, parent, prefix)
    return sign_xml.sign(raw, Credential(tuple(cert_chain), InMemory(key)), shape=shape)


def sign_receipt(payload: Mapping[str, Any], key: Ed25519PrivateKey, key_id: str) -> bytes:
    """The receipt as canonical JSON (RFC 8785): `payload`, ``key_id``, and ``signature``.

    The signature is Ed25519 over `RECEIPT_DOMAIN` and the canonical JSON without ``signature``, in base64.
    """
    body = {**payload, "key_id": key_id}
    body["signature"] = base64.b64encode(key.sign(RECEIPT_DOMAIN + canonical_json(body))).decode()
    return canonical_json(body)


def sign_report(payload: Mapping[str, Any], key: Ed25519PrivateKey, key_id: str) -> bytes:
    """A report of the hub's as canonical JSON, signed as a receipt is, but under `REPORT_DOMAIN`."""
    body = {**payload, "key_id": key_id}
    body["signature"] = base64.b64encode(key.sign(REPORT_DOMAIN + canonical_json(body))).decode()
    return canonical_json(body)


def verify_report(body: bytes, public_keys: Mapping[str, Ed25519PublicKey]) -> dict[str, Any]:
    """What a report says, if one of `public_keys` (by key id) signed exactly these bytes. Raises `Refused("report-invalid")`."""
    try:
        return _verified(body, public_keys, REPORT_DOMAIN, MAX_REPORT_BYTES)
    except Refused as fault:
        raise Refused("report-invalid", got=fault.got, expected="a report of this hub, byte for byte") from fault


def verify_receipt(body: bytes, public_keys: Mapping[str, Ed25519PublicKey]) -> dict[str, Any]:
    """What a receipt says, if one of `public_keys` (by key id) signed exactly these bytes. Raises `Refused("receipt-invalid")`."""
    return _verified(body, public_keys, RECEIPT_DOMAIN, MAX_RECEIPT_BYTES)


def _verified(body: bytes, public_keys: Mapping[str, Ed25519PublicKey], domain: bytes, max_bytes: int) -> dict[str, Any]:
    try:
        if len(body) > max_bytes:
            raise Refused("receipt-invalid", got=f"{len(body)} bytes", expected=f"at most {max_bytes}")
        receipt = json.loads(body)
        if not isinstance(receipt, dict) or canonical_json(receipt) != body:
            raise Refused("receipt-invalid", got="not canonical JSON", expected="the receipt byte for byte (RFC 8785)")
        key = public_keys.get(str(receipt.get("key_id")))
        if key is None:
            raise Refused("receipt-invalid", got=f"key {receipt.get('key_id')}", expected=", ".join(public_keys) or "a known key")
        unsigned = {name: value for name, value in receipt.items() if name != "signature"}
        signature = base64.b64decode(str(receipt.get("signature")), validate=True)
        key.verify(signature, domain + canonical_json(unsigned))
    except (ValueError, RecursionError, rfc8785.CanonicalizationError, InvalidSignature) as fault:
        raise Refused("receipt-invalid", got=str(fault) or "another signature", expected="a receipt of this hub") from fault
    return receipt
