"""KeyInfo: which certificates come with a signature, and everything else it says of the key, which must agree with them.

Only X509Certificate gives a key. A KeyValue is a hint that must equal the certificate's; X509IssuerSerial, X509SKI and X509Digest name one
of the certificates, or one that configured stores have; RetrievalMethod and KeyInfoReference are never followed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from lxml import etree

from schemas.errors import Refused
from schemas.xml import Element, child_elements, text_of
from signing import certificate, cms_value
from signing.algorithms import CURVES, DSIG, DSIG11
from signing.certificate import Certificate, key_der
from signing.element import MAX_BASE64_CHARS, algorithm_of, base64_of, octets_of, refused, tags_of
from signing.xml_method import digest_name

MAX_CERTIFICATES = 8
_SEPARATORS = re.compile(r"[,;+/\n]")
MAX_CRLS = 8
_REMEMBERED_CHARS = 16 * 1024
_MAX_NAME_CHARS = 2_000
MAX_CRL_CHARS = 8 * 1024 * 1024


def _ds(*names: str) -> list[str]:
    return [f"{{{DSIG}}}{name}" for name in names]


_KEY_INFO, _X509_DATA, _KEY_VALUE, _X509_CERTIFICATE, _CRL = _ds("KeyInfo", "X509Data", "KeyValue", "X509Certificate", "X509CRL")
_ISSUER_SERIAL, _SKI, _RSA_KEY, _SERIAL, _SUBJECT = _ds("X509IssuerSerial", "X509SKI", "RSAKeyValue", "X509SerialNumber", "X509SubjectName")
_DER_KEY, _DIGEST, _EC_KEY = (f"{{{DSIG11}}}{name}" for name in ("DEREncodedKeyValue", "X509Digest", "ECKeyValue"))


@dataclass(frozen=True, slots=True)
class KeyInfo:
    """Certificates as sent, in order, none twice; keys named besides them, as SubjectPublicKeyInfo in DER, b"" for one that is nobody's."""

    certificates: tuple[Certificate, ...]
    key_hints: tuple[bytes, ...]
    crls: tuple[bytes, ...] = field(default=(), repr=False)
    serials: tuple[int, ...] = ()
    key_identifiers: tuple[bytes, ...] = ()
    digests: tuple[tuple[str, bytes], ...] = ()  # name of the hash, of a whole certificate
    subjects: tuple[frozenset[str], ...] = ()  # what the names of their holders say

    def names(self, one: Certificate) -> bool:
        """Whether something here that is no certificate means `one`."""
        identifier = one.extension(x509.SubjectKeyIdentifier)
        return (
            one.parsed.serial_number in self.serials
            or (identifier is not None and identifier.digest in self.key_identifiers)
            or any(cms_value.digest(name, (one.der,)) == digest for name, digest in self.digests)
            or bool(self.subjects and _words(one.subject) in self.subjects)
        )

    def names_others(self, certificates: Iterable[Certificate]) -> bool:
        """Whether a number, an identifier or a digest here means a certificate, and none of these."""
        return bool(self.serials or self.key_identifiers or self.digests) and not any(self.names(one) for one in certificates)


def read_key_info(signature: Element) -> KeyInfo:
    """`key_info_of` where a certificate is demanded: raises `no-key` or `key-confusion` besides."""
    found = key_info_of(signature)
    if not found.certificates and b"" in found.key_hints:
        raise refused("key-confusion", signature, got="a KeyValue that nobody reads, alone", expected="KeyInfo/X509Data/X509Certificate")
    if not found.certificates:
        raise refused("no-key", signature, expected="KeyInfo/X509Data/X509Certificate")
    return found


def key_info_of(signature: Element) -> KeyInfo:
    """What the signature says of its key. Raises `malformed-signature` or `alg-forbidden`."""
    texts = _certificates_alone(signature)
    try:
        return _remembered(texts) if texts else _read(signature)
    except Refused:
        return _read(signature)  # which says where


def _certificates_alone(signature: Element) -> tuple[str, ...]:
    """The texts of the certificates where nothing else is said of the key, as nearly everybody writes it; () else."""
    about = signature.find(_KEY_INFO)
    if about is None or len(about) != 1 or about[0].tag != _X509_DATA:
        return ()
    texts = tuple([one.text or "" if one.tag == _X509_CERTIFICATE and not len(one) else "" for one in about[0]])
    return texts if all(texts) and len(texts) <= MAX_CERTIFICATES and sum(map(len, texts)) <= _REMEMBERED_CHARS else ()


@lru_cache(maxsize=256)  # ≤ 8 MB: a sender's certificates are the same in every packet
def _remembered(texts: tuple[str, ...]) -> KeyInfo:
    found: dict[Certificate, None] = {}
    for text in texts:
        element = etree.Element(_X509_CERTIFICATE)
        element.text = text
        found[certificate.load(octets_of(element))] = None
    return KeyInfo(tuple(found), ())


def _read(signature: Element) -> KeyInfo:
    certificates: dict[Certificate, None] = {}
    hints: list[bytes] = []
    data: list[Element] = []
    for about in signature.iterchildren(_KEY_INFO):
        data.extend(about.iterchildren(_X509_DATA))
        hints.extend(_key_value(hint) for hint in islice(about.iterchildren(_KEY_VALUE, _DER_KEY), MAX_CERTIFICATES))
    for element in _inside(data, _X509_CERTIFICATE):
        if len(certificates) == MAX_CERTIFICATES:
            raise refused("malformed-signature", element, got="more", expected=f"at most {MAX_CERTIFICATES} certificates")
        certificates[certificate.load(octets_of(element))] = None
    return KeyInfo(
        certificates=tuple(certificates),
        key_hints=tuple(dict.fromkeys(hints)),
        crls=tuple(_crl(one) for one in islice(_inside(data, _CRL), MAX_CRLS)),
        serials=tuple(_serial(one) for one in islice(_filled(data, _ISSUER_SERIAL), MAX_CERTIFICATES)),
        subjects=tuple(_words(text_of(one)[:_MAX_NAME_CHARS]) for one in islice(_filled(data, _SUBJECT), MAX_CERTIFICATES)),
        key_identifiers=tuple(octets_of(one) for one in islice(_filled(data, _SKI), MAX_CERTIFICATES)),
        digests=tuple(
            (digest_name(one.get("Algorithm") or ""), octets_of(one)) for one in islice(_inside(data, _DIGEST), MAX_CERTIFICATES)
        ),
    )


def _words(name: str) -> frozenset[str]:
    """The values of a name, in whichever order and by whichever types a tool writes them: only which certificate may be meant."""
    values = (part.partition("=")[2] or part for part in _SEPARATORS.split(name.replace("\\", "").replace('"', "")))
    return frozenset(" ".join(value.split()).casefold() for value in values)


def _inside(data: list[Element], tag: str) -> Iterable[Element]:
    return (one for each in data for one in each.iterchildren(tag))


def _filled(data: list[Element], tag: str) -> Iterable[Element]:
    """Without those that say nothing: signing tools leave the places of a template empty that they do not fill."""
    return (one for one in _inside(data, tag) if len(one) or (one.text or "").strip())


def _digest(element: Element) -> tuple[str, bytes]:
    return digest_name(algorithm_of(element)), octets_of(element)


def _crl(element: Element) -> bytes:
    text = "" if len(element) else element.text or ""
    if len(text) <= MAX_BASE64_CHARS:
        return octets_of(element)
    if len(text) > MAX_CRL_CHARS:
        raise refused("resource-limit", element, got=f"a CRL of {len(text)} characters", expected=f"at most {MAX_CRL_CHARS}")
    return base64_of(text, element)


def _serial(element: Element) -> int:
    text = "".join(text_of(one) for one in element.iterchildren(_SERIAL)).strip()
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 64):
        raise refused("malformed-signature", element, got=text[:80], expected="a serial number in decimal digits")
    return int(text)


def _key_value(element: Element) -> bytes:
    inside = child_elements(element)
    try:
        if element.tag == _DER_KEY:
            return octets_of(element)
        if tags_of(inside) == [_RSA_KEY]:
            modulus, exponent = (int.from_bytes(octets_of(part), "big") for part in child_elements(inside[0]))
            return key_der(rsa.RSAPublicNumbers(exponent, modulus).public_key())
        if tags_of(inside) == [_EC_KEY]:
            named, point = child_elements(inside[0])
            curve = {uri: curve for uri, _, curve in CURVES.values()}[named.get("URI") or ""]
            return key_der(ec.EllipticCurvePublicKey.from_encoded_point(curve, octets_of(point)))
    except (ValueError, KeyError, Refused):
        pass  # it is a hint: unreadable, or of a kind that no certificate here has
    return b""
