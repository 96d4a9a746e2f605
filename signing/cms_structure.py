"""A CMS SignedData (RFC 5652 §5) read from bytes into plain values; nothing of it is verified here.

asn1crypto meets foreign bytes in this module only, after `ber.definite` has bounded them, and everything that can fail is read at once:
what leaves here raises nothing later. What is handed on as DER is cut out of the bytes: asn1crypto writes some values otherwise than it
read them (a unique identifier in a certificate), and their signatures would be lost.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from asn1crypto import cms, core, parser, x509

from schemas.errors import Refused
from signing import ber
from signing.limits import MAX_CERTIFICATE_BYTES

SIGNED_DATA = "1.2.840.113549.1.7.2"
DATA = "1.2.840.113549.1.7.1"
TST_INFO = "1.2.840.113549.1.9.16.1.4"
MAX_BYTES = 64 * 1024 * 1024
MAX_SIGNERS = 32
MAX_CERTIFICATES = 128
MAX_REVOCATIONS = 64
_OCSP_RESPONSE = "1.3.6.1.5.5.7.16.2"  # RFC 5940: an OCSP response among the CRLs
_SEQUENCE = b"\x30"
_FAULTS = (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError, RecursionError)

Attributes = Mapping[str, tuple[bytes, ...]]  # dotted type → values in DER


@dataclass(frozen=True, slots=True)
class Identifier:
    """Which certificate is meant: issuer and serial number, or the identifier of its key."""

    issuer: bytes = b""  # Name in DER
    issuer_text: tuple[Any, ...] = ()  # the same, comparable across encodings
    serial: int = 0
    key_id: bytes = b""


@dataclass(frozen=True, slots=True)
class Algorithm:
    """AlgorithmIdentifier. `parameters` is DER, b"" where there are none."""

    oid: str
    parameters: bytes = b""


@dataclass(frozen=True, slots=True)
class Signer:
    """SignerInfo."""

    identifier: Identifier
    digest: Algorithm
    method: Algorithm
    value: bytes = field(repr=False)
    signed_octets: bytes | None = field(repr=False)  # signed attributes as SET OF: what the value is over; None where there are none
    signed_parts: tuple[bytes, ...] = field(repr=False, default=())  # the same attributes one by one, as they stand
    signed: Attributes = field(repr=False, default_factory=dict)
    unsigned: Attributes = field(repr=False, default_factory=dict)


@dataclass(frozen=True, slots=True)
class SignedData:
    """SignedData. `content` is None where it is detached."""

    content_type: str
    content: bytes | None = field(repr=False)
    certificates: tuple[bytes, ...] = field(repr=False)
    crls: tuple[bytes, ...] = field(repr=False)
    ocsps: tuple[bytes, ...] = field(repr=False)
    signers: tuple[Signer, ...]
    der: bytes = field(repr=False)  # the whole ContentInfo, with definite lengths


@contextmanager
def reading(what: str, code: str = "cms-malformed") -> Iterator[None]:
    """Whatever asn1crypto says of foreign bytes inside becomes `Refused` with `code`."""
    try:
        yield
    except _FAULTS as fault:
        raise Refused(code, got=f"{type(fault).__name__}: {fault}", expected=what) from fault


def read(data: bytes) -> SignedData:
    """The SignedData in `data`: BER or DER, zeros may follow. Raises `Refused` with `cms-malformed` or `too-large`."""
    if len(data) > MAX_BYTES:
        raise Refused("too-large", got=f"{len(data)} bytes", expected=f"a CMS signature of at most {MAX_BYTES} bytes")
    der = ber.definite(data)
    with reading("ContentInfo with SignedData (RFC 5652)"):
        info = cms.ContentInfo.load(der, strict=True)
        if info["content_type"].dotted != SIGNED_DATA:
            raise Refused("cms-malformed", got=f"content of type {info['content_type'].dotted}", expected=f"SignedData, {SIGNED_DATA}")
        return _signed_data(info["content"], der)


def _signed_data(value: Any, der: bytes) -> SignedData:
    inner = value["encap_content_info"]
    crls, ocsps = _revocations(value["crls"])
    signers = list(value["signer_infos"])
    if len(signers) > MAX_SIGNERS:
        raise Refused("resource-limit", got=f"{len(signers)} signers", expected=f"at most {MAX_SIGNERS}")
    return SignedData(
        content_type=inner["content_type"].dotted,
        content=_octets(inner["content"]),
        certificates=_certificates(value["certificates"]),
        crls=crls,
        ocsps=ocsps,
        signers=tuple(_signer(one, raw) for one, raw in zip(signers, ber.split(value["signer_infos"].contents), strict=True)),
        der=der,
    )


def _octets(content: Any) -> bytes | None:
    """eContent is an OCTET STRING; PKCS #7 (RFC 2315) allows any value there, and then its own octets are what is signed."""
    if isinstance(content, core.Void) or content.contents is None:
        return None
    raw = content.dump()
    tag, inner = _parsed(raw)
    while tag & 0x80:  # the explicit [0]
        tag, inner = _parsed(inner)
    return inner


def _parsed(der: bytes) -> tuple[int, bytes]:
    parsed = parser.parse(der, strict=True)
    return (parsed[0] << 6) | (parsed[1] << 5) | parsed[2], parsed[4]


def _certificates(found: Any) -> tuple[bytes, ...]:
    if isinstance(found, core.Void):
        return ()
    if len(found) > MAX_CERTIFICATES:
        raise Refused("resource-limit", got=f"{len(found)} certificates", expected=f"at most {MAX_CERTIFICATES}")
    return tuple(dict.fromkeys(der for der in ber.split(found.contents) if der[:1] == _SEQUENCE))  # others are attribute certificates


def _revocations(found: Any) -> tuple[tuple[bytes, ...], tuple[bytes, ...]]:
    if isinstance(found, core.Void):
        return (), ()
    if len(found) > MAX_REVOCATIONS:
        raise Refused("resource-limit", got=f"{len(found)} CRLs and OCSP responses", expected=f"at most {MAX_REVOCATIONS}")
    crls, ocsps = [], []
    for der, choice in zip(ber.split(found.contents), found, strict=True):
        if choice.name == "crl":
            crls.append(der)
        elif choice.chosen["other_rev_info_format"].dotted == _OCSP_RESPONSE:
            ocsps.append(members(der)[1])
    return tuple(crls), tuple(ocsps)


def _signer(info: Any, der: bytes) -> Signer:
    tagged = {part[:1]: part for part in members(der)[3:]}
    signed, unsigned = tagged.get(b"\xa0"), tagged.get(b"\xa1")
    return Signer(
        identifier=_identifier(info["sid"]),
        digest=_algorithm(info["digest_algorithm"]),
        method=_algorithm(info["signature_algorithm"]),
        value=info["signature"].native,
        signed_octets=b"\x31" + signed[1:] if signed else None,  # [0] IMPLICIT becomes SET OF, RFC 5652 §5.4
        signed_parts=tuple(members(signed)) if signed else (),
        signed=_attributes(signed) if signed else {},
        unsigned=_attributes(unsigned, repeatable=True) if unsigned else {},
    )


def _identifier(sid: Any) -> Identifier:
    if sid.name == "subject_key_identifier":
        return Identifier(key_id=sid.chosen.native)
    issuer = sid.chosen["issuer"]
    return Identifier(issuer.dump(), name_text(issuer), sid.chosen["serial_number"].native)


def _algorithm(identifier: Any) -> Algorithm:
    parts = members(identifier.dump())
    return Algorithm(identifier["algorithm"].dotted, parts[1] if len(parts) > 1 else b"")


def _attributes(der: bytes, *, repeatable: bool = False) -> dict[str, tuple[bytes, ...]]:
    result: dict[str, tuple[bytes, ...]] = {}
    for attribute in members(der):
        kind, values = members(attribute)
        name = core.ObjectIdentifier.load(kind, strict=True).dotted
        if name in result and not repeatable:
            raise Refused("cms-malformed", got=f"signed attribute {name} twice", expected="each once (RFC 5652 §11)")
        result[name] = (*result.get(name, ()), *members(values))
    return result


def members(der: bytes) -> Sequence[bytes]:
    """What stands inside one value, in DER. Raises `Refused` with `cms-malformed`."""
    return ber.split(_parsed(der)[1])


def name_text(name: Any) -> tuple[Any, ...]:
    """A Name for comparison: types with values in NFC, case and spaces folded. The G2 hierarchy writes decomposed names."""
    return tuple(
        tuple(
            sorted(
                (pair["type"].dotted, " ".join(unicodedata.normalize("NFC", str(pair["value"].native)).casefold().split())) for pair in rdn
            )
        )
        for rdn in name.chosen
    )


def identifiers_of(der: bytes) -> Identifier | None:
    """What an identifier that means this certificate would say; None for what is no certificate."""
    return _remembered(der) if len(der) <= MAX_CERTIFICATE_BYTES else _identifiers(der)


@lru_cache(maxsize=1024)  # ≤ 16 MB: those of configured folders are asked about each signer
def _remembered(der: bytes) -> Identifier | None:
    return _identifiers(der)


def _identifiers(der: bytes) -> Identifier | None:
    try:
        parsed = x509.Certificate.load(der, strict=True)
        key_id = parsed.key_identifier or parsed.public_key.sha1
        return Identifier(parsed.issuer.dump(), name_text(parsed.issuer), parsed.serial_number, key_id)
    except _FAULTS:
        return None


def means(wanted: Identifier, certificate: Identifier) -> bool:
    """Whether `wanted` stands for that certificate."""
    if wanted.key_id:
        return wanted.key_id == certificate.key_id
    if wanted.serial != certificate.serial:
        return False
    return wanted.issuer == certificate.issuer or wanted.issuer_text == certificate.issuer_text
