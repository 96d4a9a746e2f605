"""Making signatures: XMLDSig into a packet's bytes, and the hub's receipts.

A packet keeps every byte it had; the Signature is text put in before an end tag, because systems exist that read literal prefixes
(facts page edxml.md §5) and a re-serialised packet would lose them.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import rfc8785
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding

from schemas.errors import Refused
from schemas.xml import Element, ParsedXml, parse
from signing import integrity, xmldsig
from signing.algorithms import CURVES, DEFAULT_CANONICALIZATION, DIGESTS, DSIG, ENVELOPED, EXC_C14N, SIGNATURES, Family

SigningKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey

RECEIPT_DOMAIN = b"lgsp-hub receipt v1\n"  # a receipt's signature can be mistaken for no other signature of the same key
MAX_RECEIPT_BYTES = 512 * 1024  # 1,000 recipients with codes of 64 characters, in two-byte letters, and room
ROOT_ID = "packet"
_END_OF_HEADER = re.compile(rb"</([A-Za-z_][\w.-]*:)?edXMLHeader\s*>")
_START_OF_ROOT = re.compile(rb"<([A-Za-z_][\w.-]*:)?edXML(?=[\s>])")
_HASHES = {"sha256": hashes.SHA256(), "sha384": hashes.SHA384(), "sha512": hashes.SHA512()}
_DIGEST_PLACE, _VALUE_PLACE = b"DIGEST-GOES-HERE", b"VALUE-GOES-HERE"


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
    if reference_id:
        raw = _START_OF_ROOT.sub(lambda m: m.group() + f' Id="{ROOT_ID}"'.encode(), raw, count=1)
    at = _place(raw, parent)
    template = _template(key, cert_chain, digest, exclusive=exclusive, uri=f"#{ROOT_ID}" if reference_id else "", prefix=prefix)
    signature, tree = _drafted(raw, at, template, parent)
    how = integrity.plan(xmldsig.read_signed_info(signature))
    packet = hashlib.new(how.digest)
    for part in integrity.enveloped_octets(tree.root, signature, how, whole_document=not reference_id):
        packet.update(part)
    template = template.replace(_DIGEST_PLACE, base64.b64encode(packet.digest()))
    signature, _ = _drafted(raw, at, template, parent)
    value = _sign(key, xmldsig.read_signed_info(signature).octets, how)
    return raw[:at] + template.replace(_VALUE_PLACE, base64.b64encode(value)) + raw[at:]


def _drafted(raw: bytes, at: int, template: bytes, parent: str) -> tuple[Element, ParsedXml]:
    tree = parse(raw[:at] + template.replace(_DIGEST_PLACE, b"AA==").replace(_VALUE_PLACE, b"AA==") + raw[at:])
    signature = xmldsig.find(tree).signature
    if signature is None or (parent == "root") != (signature.getparent() is tree.root):
        raise Refused("cannot-sign", got="no place for the signature", expected="an edXMLHeader in an ASCII-compatible encoding")
    return signature, tree


def _place(raw: bytes, parent: str) -> int:
    if parent == "header":
        ends = [m.start() for m in _END_OF_HEADER.finditer(raw)]
        if len(ends) != 1:
            raise Refused("cannot-sign", got=f"{len(ends)} end tags of edXMLHeader", expected="one, outside comments")
        return ends[0]
    return raw.rstrip().rfind(b"</")


def _template(key: SigningKey, chain: Sequence[x509.Certificate], digest: str, *, exclusive: bool, uri: str, prefix: str) -> bytes:
    family = Family.RSA if isinstance(key, rsa.RSAPrivateKey) else Family.ECDSA
    method = next(a.uri for a in SIGNATURES.values() if a.family is family and a.hash.name == digest)
    digest_uri = next(u for u, name in DIGESTS.items() if name == digest)
    form = EXC_C14N if exclusive else DEFAULT_CANONICALIZATION
    p, declared = (f"{prefix}:", f"xmlns:{prefix}") if prefix else ("", "xmlns")
    certificates = "".join(
        f"<{p}X509Certificate>{base64.b64encode(c.public_bytes(Encoding.DER)).decode()}</{p}X509Certificate>" for c in chain
    )
    return (
        f'<{p}Signature {declared}="{DSIG}"><{p}SignedInfo>'
        f'<{p}CanonicalizationMethod Algorithm="{form}"/><{p}SignatureMethod Algorithm="{method}"/>'
        f'<{p}Reference URI="{uri}"><{p}Transforms><{p}Transform Algorithm="{ENVELOPED}"/><{p}Transform Algorithm="{form}"/>'
        f'</{p}Transforms><{p}DigestMethod Algorithm="{digest_uri}"/><{p}DigestValue>{_DIGEST_PLACE.decode()}</{p}DigestValue>'
        f"</{p}Reference></{p}SignedInfo><{p}SignatureValue>{_VALUE_PLACE.decode()}</{p}SignatureValue>"
        f"<{p}KeyInfo><{p}X509Data>{certificates}</{p}X509Data></{p}KeyInfo></{p}Signature>"
    ).encode("ascii")


def _sign(key: SigningKey, octets: bytes, how: integrity.Plan) -> bytes:
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(octets, padding.PKCS1v15(), _HASHES[how.method.hash])
    r, s = decode_dss_signature(key.sign(octets, ec.ECDSA(_HASHES[how.method.hash])))
    size = CURVES[key.curve.name][1]
    return r.to_bytes(size, "big") + s.to_bytes(size, "big")


def sign_receipt(payload: Mapping[str, Any], key: Ed25519PrivateKey, key_id: str) -> bytes:
    """The receipt as canonical JSON (RFC 8785): `payload`, ``key_id``, and ``signature``.

    The signature is Ed25519 over `RECEIPT_DOMAIN` and the canonical JSON without ``signature``, in base64.
    """
    body = {**payload, "key_id": key_id}
    body["signature"] = base64.b64encode(key.sign(RECEIPT_DOMAIN + rfc8785.dumps(body))).decode()
    return rfc8785.dumps(body)


def verify_receipt(body: bytes, public_keys: Mapping[str, Ed25519PublicKey]) -> dict[str, Any]:
    """What a receipt says, if one of `public_keys` (by key id) signed exactly these bytes. Raises `Refused("receipt-invalid")`."""
    try:
        if len(body) > MAX_RECEIPT_BYTES:
            raise Refused("receipt-invalid", got=f"{len(body)} bytes", expected=f"at most {MAX_RECEIPT_BYTES}")
        receipt = json.loads(body)
        if not isinstance(receipt, dict) or rfc8785.dumps(receipt) != body:
            raise Refused("receipt-invalid", got="not canonical JSON", expected="the receipt byte for byte (RFC 8785)")
        key = public_keys.get(str(receipt.get("key_id")))
        if key is None:
            raise Refused("receipt-invalid", got=f"key {receipt.get('key_id')}", expected=", ".join(public_keys) or "a known key")
        unsigned = {name: value for name, value in receipt.items() if name != "signature"}
        signature = base64.b64decode(str(receipt.get("signature")), validate=True)
        key.verify(signature, RECEIPT_DOMAIN + rfc8785.dumps(unsigned))
    except (ValueError, RecursionError, rfc8785.CanonicalizationError, InvalidSignature) as fault:
        raise Refused("receipt-invalid", got=str(fault) or "another signature", expected="a receipt of this hub") from fault
    return receipt
