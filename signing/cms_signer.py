"""One SignerInfo against its content: the checks of RFC 5652 §5.4 and §5.6, RFC 5035 and RFC 6211, each with its own reason.

1. structure: the attributes that must be there are, once, and say what they must
2. algorithms are named (judged by their date elsewhere)
3. the content has the digest that was signed
4. the key of the certificate that is meant made the value
5. what else is said of certificate and algorithms agrees

Nothing is asked of paths, times or the table of algorithms.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from asn1crypto import cms, core, tsp
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes

from schemas.errors import Refused, Violation, error
from signing import certificate, cms_value
from signing.certificate import Certificate
from signing.cms_structure import DATA, SignedData, Signer, identifiers_of, means, reading
from signing.cms_value import Method, Parts
from signing.finding import Integrity, Used

CONTENT_TYPE = "1.2.840.113549.1.9.3"
MESSAGE_DIGEST = "1.2.840.113549.1.9.4"
SIGNING_TIME = "1.2.840.113549.1.9.5"
ALGORITHM_PROTECTION = "1.2.840.113549.1.9.52"
SIGNING_CERTIFICATE = "1.2.840.113549.1.9.16.2.12"
SIGNING_CERTIFICATE_V2 = "1.2.840.113549.1.9.16.2.47"
_SHA1 = "1.3.14.3.2.26"  # of version 1, RFC 2634 §5.4
_MESSAGE_DIGEST_DER = bytes.fromhex("06092a864886f70d010904")


@dataclass(frozen=True, slots=True)
class Checked:
    """What the checks say of one signer."""

    integrity: Integrity
    certificate: Certificate | None  # of the key that made the value; of the one that is meant, where none did
    der: bytes  # the same, also where the X.509 parser refuses it
    used: tuple[Used, ...]
    claimed_time: datetime | None
    bound: bool  # signed attributes name the certificate
    violations: tuple[Violation, ...]


@dataclass(slots=True)
class _Case:
    signer: Signer
    found: list[Violation] = field(default_factory=list)
    used: list[Used] = field(default_factory=list)
    failed: bool = False  # integrity, not form

    def refuse(self, code: str, got: object, expected: object, *, path: str = "") -> None:
        self.found.append(error(code, path=path, got=got, expected=expected))

    def take(self, fault: Refused) -> None:
        self.found.extend(fault.violations or (error(fault.code, got=fault.got, expected=fault.expected),))


def check(signed: SignedData, signer: Signer, content: Parts | None, others: Iterable[bytes] = ()) -> Checked:
    """All checks on `signer`. `content` is None where there is nothing to compare with; `others` are certificates that may be meant."""
    case = _Case(signer)
    digest_name = cms_value.digest_name(signer.digest)
    case.used.append(Used("hash", digest_name, "content"))
    method = _method(case, digest_name)
    _check_attributes(case, signed, content)
    intact = _check_digest(case, digest_name, content)
    meant = candidates(signer, (*signed.certificates, *others))
    holder = _check_value(case, method, meant, content)
    if holder is not None:
        _check_binding(case, holder)
    elif not meant:
        case.refuse("no-key", _named(signer), "the signer's certificate, in the signature or among the intermediates")
    complete = intact and holder is not None
    integrity = Integrity.FAILED if case.failed else Integrity.OK if complete else Integrity.UNKNOWN
    der = holder[0] if holder else meant[0] if meant else b""
    return Checked(
        integrity=integrity,
        certificate=holder[1] if holder else _loaded(der),
        der=der,
        used=tuple(dict.fromkeys(case.used)),
        claimed_time=_claimed_time(case),
        bound=bool(signer.signed.keys() & {SIGNING_CERTIFICATE, SIGNING_CERTIFICATE_V2}),
        violations=tuple(dict.fromkeys(case.found)),
    )


def candidates(signer: Signer, certificates: Iterable[bytes]) -> tuple[bytes, ...]:
    """Those of the certificates that the signer's identifier means."""
    found = []
    for der in dict.fromkeys(certificates):
        known = identifiers_of(der)
        if known and means(signer.identifier, known):
            found.append(der)
    return tuple(found)


def _named(signer: Signer) -> str:
    who = signer.identifier
    return (
        f"key {who.key_id.hex()}" if who.key_id else f"serial {who.serial:X} of {', '.join(v for rdn in who.issuer_text for _, v in rdn)}"
    )


def _loaded(der: bytes) -> Certificate | None:
    try:
        return certificate.load(der) if der else None
    except Refused:
        return None


def _method(case: _Case, digest_name: str) -> Method | None:
    try:
        method = cms_value.method_of(case.signer.method, digest_name)
    except Refused as fault:
        case.take(fault)
        return None
    case.used.extend(method.used())
    return method


def _check_attributes(case: _Case, signed: SignedData, content: Parts | None) -> None:  # 1
    signer = case.signer
    if signer.signed_octets is None:
        if signed.content_type != DATA:
            case.refuse("cms-malformed", "no signed attributes", f"signed attributes, for content of type {signed.content_type}")
        elif content is not None and _looks_like_attributes(content):
            case.refuse("cms-malformed", "content that is a set of signed attributes", "signed attributes in their own place")
        return
    for name, what in ((CONTENT_TYPE, "content-type"), (MESSAGE_DIGEST, "message-digest")):
        if len(signer.signed.get(name, ())) != 1:
            case.refuse("cms-malformed", f"{len(signer.signed.get(name, ()))} values of {what}", "one (RFC 5652 §11)")
    for name in (SIGNING_TIME, ALGORITHM_PROTECTION, SIGNING_CERTIFICATE, SIGNING_CERTIFICATE_V2):
        if len(signer.signed.get(name, (b"",))) != 1:
            case.refuse("cms-malformed", f"several values of {name}", "one")
    kind = _only(case, CONTENT_TYPE, cms.ContentType)
    if kind is not None and kind.dotted != signed.content_type:
        case.refuse("cms-malformed", f"signed content-type {kind.dotted}", signed.content_type)
    _check_protection(case)


def _looks_like_attributes(content: Parts) -> bool:
    """Bytes that were signed as attributes, shown as content instead: the value would fit both (RFC 5652 §5.4, last paragraph)."""
    head = b"".join(bytes(part[:4096]) for part in content[:1])
    return head[:1] == b"\x31" and _MESSAGE_DIGEST_DER in head


def _only(case: _Case, name: str, kind: Any) -> Any:
    values = case.signer.signed.get(name, ())
    if len(values) != 1:
        return None
    try:
        with reading(f"signed attribute {name}"):
            value = kind.load(values[0], strict=True)
            _ = value.native
            return value
    except Refused as fault:
        case.take(fault)
        return None


def _check_protection(case: _Case) -> None:
    said = _only(case, ALGORITHM_PROTECTION, cms.CMSAlgorithmProtection)
    if said is None:
        return
    signature = said["signature_algorithm"]
    named = (said["digest_algorithm"]["algorithm"].dotted, "" if isinstance(signature, core.Void) else signature["algorithm"].dotted)
    actual = (case.signer.digest.oid, case.signer.method.oid)
    if named != actual:
        case.refuse("key-confusion", f"algorithms {actual}", f"those that were signed, {named}")


def _check_digest(case: _Case, digest_name: str, content: Parts | None) -> bool:  # 3
    if content is None:
        case.refuse("reference-missing", "no content", "the content that was signed")
        return False
    if case.signer.signed_octets is None:
        return True  # the value itself is over the content
    octets = cms_value.digest(digest_name, content)
    said = _only(case, MESSAGE_DIGEST, core.OctetString)
    if octets is None or said is None:
        return False
    if not hmac.compare_digest(octets, said.native):
        case.failed = True
        case.refuse("tampered", f"{digest_name} {octets.hex()}", f"{digest_name} {said.native.hex()}")
        return False
    return True


def _check_value(
    case: _Case, method: Method | None, meant: tuple[bytes, ...], content: Parts | None
) -> tuple[bytes, Certificate] | None:  # 4
    octets = (case.signer.signed_octets,) if case.signer.signed_octets is not None else content
    keys: list[CertificatePublicKeyTypes] = []
    for der in meant:
        try:
            loaded = certificate.load(der)
        except Refused as fault:
            case.take(_as_cms(fault))
            continue
        keys.append(loaded.key)
        if method and octets is not None and _made(case, octets, method, loaded.key):
            return der, loaded
    if keys and method and octets is not None:
        _explain_value(case, method, keys, octets)
    return None


def _as_cms(fault: Refused) -> Refused:
    """The certificate parser's refusal as one of CMS."""
    code = "cms-malformed" if fault.code == "malformed-signature" else fault.code
    return Refused(code, got=fault.got, expected=fault.expected)


def _made(case: _Case, octets: Parts, method: Method, key: CertificatePublicKeyTypes) -> bool:
    if cms_value.made(case.signer.value, octets, method, key):
        return True
    if case.signer.signed_octets is None:
        return False
    sorted_octets = _sorted(case.signer)  # some sign the set in DER order and write it in another
    return sorted_octets != case.signer.signed_octets and cms_value.made(case.signer.value, (sorted_octets,), method, key)


def _sorted(signer: Signer) -> bytes:
    octets, parts = signer.signed_octets or b"", signer.signed_parts
    body = b"".join(sorted(parts))
    return octets[: len(octets) - len(body)] + body


def _explain_value(case: _Case, method: Method, keys: list[CertificatePublicKeyTypes], octets: Parts) -> None:
    if not any(cms_value.fits(key, method) for key in keys):
        known = method.scheme in ("rsa-pkcs1", "rsa-pss", "ecdsa", "ed25519")
        if known:
            case.refuse("key-confusion", f"a value by {method.scheme}", "one that the certificate's key can have made")
        return  # otherwise the table says what is wrong with the scheme
    if cms_value.digest(method.hash, ()) is None:
        return  # likewise
    case.failed = True
    if case.signer.signed_octets is None:
        inside = cms_value.digest_inside(case.signer.value, method, keys)
        if inside is not None:
            case.refuse(
                "tampered", f"{method.hash} {(cms_value.digest(method.hash, octets) or b'').hex()}", f"{method.hash} {inside.hex()}"
            )
            return
    case.refuse("bad-signature-value", _named(case.signer), "a value that this key made")


def _check_binding(case: _Case, holder: tuple[bytes, Certificate]) -> None:  # 5
    for name, kind in ((SIGNING_CERTIFICATE_V2, tsp.SigningCertificateV2), (SIGNING_CERTIFICATE, tsp.SigningCertificate)):
        said = _only(case, name, kind)
        if said is None:
            continue
        if not len(said["certs"]):
            case.refuse("cms-malformed", "signing-certificate without certificates", "the signer's first")
            continue
        first = said["certs"][0]
        hashed = _SHA1 if name == SIGNING_CERTIFICATE else first["hash_algorithm"]["algorithm"].dotted
        expected = _certificate_digest(hashed, holder[0])
        if expected is None or not hmac.compare_digest(expected, first["cert_hash"].native):
            case.refuse("key-confusion", f"another certificate in {name}", f"{holder[1].subject}")


def _certificate_digest(oid: str, der: bytes) -> bytes | None:
    """The digest only says which certificate is meant, whose key has been tried: the table is not asked."""
    name = cms_value.DIGESTS.get(oid, "")
    if name == "md5":
        return hashlib.md5(der, usedforsecurity=False).digest()
    return cms_value.digest(name, (der,))


def _claimed_time(case: _Case) -> datetime | None:
    said = _only(case, SIGNING_TIME, cms.Time)
    if said is None:
        return None
    moment = said.native
    return moment.astimezone(UTC) if isinstance(moment, datetime) and moment.tzinfo else None
