"""A certificate as the verifier reads it: parsed once, with everything in it that can fail already read.

Foreign bytes reach the X.509 parser here only; whatever it says of them becomes `Refused`.
"""

from __future__ import annotations

import hashlib
import unicodedata
import warnings
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.utils import CryptographyDeprecationWarning

from schemas.errors import Refused
from signing import extensions, unreadable
from signing.limits import MAX_CERTIFICATE_BYTES

T = TypeVar("T", bound=x509.ExtensionType)
_MALFORMED = (ValueError, TypeError, OverflowError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType)
_EC_KEY = bytes.fromhex("06072a8648ce3d0201")  # id-ecPublicKey
_EXPECTED = {
    "weak-key": "RSA from 2048 bits with exponent 65537, P-256, P-384 or P-521",
    "alg-forbidden": "a certificate with an RSA or ECDSA key",
    "malformed-signature": "an X.509 certificate in DER",
}
# What the parser takes and finds odd (a serial number below one, an old encoding) is told by verdicts or by nobody, not on standard error.
warnings.filterwarnings("ignore", category=CryptographyDeprecationWarning, module=r"signing\.")


@dataclass(frozen=True, slots=True)
class Certificate:
    """Equal to another when the bytes are; `sha256` (lower hex of the DER) stands for them."""

    sha256: str
    der: bytes = field(compare=False, repr=False)
    parsed: x509.Certificate = field(compare=False)
    key: CertificatePublicKeyTypes = field(compare=False, repr=False)
    key_der: bytes = field(compare=False, repr=False)  # SubjectPublicKeyInfo: equal keys compare equal
    subject: str = field(compare=False)  # RFC 4514, NFC (the G2 hierarchy writes decomposed names too)
    subject_der: bytes = field(compare=False, repr=False)
    issuer_der: bytes = field(compare=False, repr=False)
    subject_key: str = field(compare=False, repr=False)  # `name_key`: names that are the same compare equal
    issuer_key: str = field(compare=False, repr=False)
    not_before: datetime = field(compare=False)
    not_after: datetime = field(compare=False)
    hash_name: str = field(compare=False)  # of the issuer's signature on it; "" where the algorithm has none (Ed25519)
    extensions: x509.Extensions = field(compare=False, repr=False)

    @property
    def self_issued(self) -> bool:
        """Subject and issuer are the same name."""
        return self.subject_key == self.issuer_key

    def extension(self, kind: type[T]) -> T | None:
        """The extension of that kind, None where there is none."""
        try:
            value: T = self.extensions.get_extension_for_class(kind).value
        except x509.ExtensionNotFound:
            return None
        return value


def of(parsed: x509.Certificate) -> Certificate:
    """The certificate with all that can fail read. Raises `Refused` with `malformed-signature`, `weak-key` or `alg-forbidden`."""
    try:
        hash_algorithm = parsed.signature_hash_algorithm
        key = parsed.public_key()
        der = parsed.public_bytes(Encoding.DER)
        if isinstance(key, ec.EllipticCurvePublicKey) and not _names_its_curve(key, parsed):
            raise ValueError("an elliptic curve that is written out, not named (RFC 5480 §2.1.1)")
        return Certificate(
            sha256=hashlib.sha256(der).hexdigest(),
            der=der,
            parsed=parsed,
            key=key,
            key_der=key_der(key),
            subject=unicodedata.normalize("NFC", parsed.subject.rfc4514_string()),
            subject_der=parsed.subject.public_bytes(),
            issuer_der=parsed.issuer.public_bytes(),
            subject_key=name_key(parsed.subject),
            issuer_key=name_key(parsed.issuer),
            not_before=parsed.not_valid_before_utc,
            not_after=parsed.not_valid_after_utc,
            hash_name=hash_algorithm.name if hash_algorithm else "",
            extensions=extensions.of(parsed),
        )
    except (UnsupportedAlgorithm, *_MALFORMED) as fault:
        raise _refused(parsed.public_bytes(Encoding.DER), fault) from fault


def _names_its_curve(key: ec.EllipticCurvePublicKey, parsed: x509.Certificate) -> bool:
    info = key_der(key)
    at = info.index(_EC_KEY)
    return info[at - 2 : at + info[at - 1]] in parsed.tbs_certificate_bytes  # its AlgorithmIdentifier with the curve's name


@lru_cache(maxsize=1024)  # ≤ 16 MB: a sender's certificate is the same in every packet, and so are an operator's folders
def load(der: bytes) -> Certificate:
    """The certificate in `der`. Raises as `of` does."""
    if len(der) > MAX_CERTIFICATE_BYTES:
        raise Refused("malformed-signature", got=f"a certificate of {len(der)} bytes", expected=f"at most {MAX_CERTIFICATE_BYTES}")
    try:
        parsed = x509.load_der_x509_certificate(der)
    except (ValueError, x509.InvalidVersion) as fault:
        raise _refused(der, fault) from fault
    return of(parsed)


def _refused(der: bytes, fault: Exception) -> Refused:
    said = unreadable.code(der)
    if isinstance(fault, UnsupportedAlgorithm) and said == "malformed-signature":
        said = "alg-forbidden"
    return Refused(said, got=str(fault) or type(fault).__name__, expected=_EXPECTED[said])


def readable(der: bytes) -> Certificate | None:
    """As `load`, None where it refuses: for certificates that only might help."""
    try:
        return load(der)
    except Refused:
        return None


def subject_of(der: bytes) -> str:
    """`name_key` of the subject of a certificate that `load` may refuse for its key; "" where not even that can be read."""
    try:
        return name_key(x509.load_der_x509_certificate(der).subject)
    except (*_MALFORMED, x509.InvalidVersion):
        return ""


def key_der(key: CertificatePublicKeyTypes) -> bytes:
    """SubjectPublicKeyInfo in DER."""
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def name_key(name: x509.Name) -> str:
    """What names that RFC 5280 §7.1 calls the same have in common, whatever their string types, case, spaces and composition of letters."""
    rdns = []
    for rdn in name.rdns:
        parts = [(a.oid.dotted_string, _folded(a.value) if isinstance(a.value, str) else a.value.hex()) for a in rdn]
        rdns.append(tuple(sorted(parts)))
    return repr(rdns)


def _folded(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold()).split())


def issued(child: Certificate, issuer: Certificate) -> bool:
    """Whether `issuer`'s key signed `child`. Names, rights and times are not looked at."""
    return is_signed(child.parsed, child.parsed.tbs_certificate_bytes, issuer.key)


def is_signed(parsed: x509.Certificate | x509.CertificateRevocationList, octets: bytes, key: CertificatePublicKeyTypes) -> bool:
    """Whether `key` made the signature on a certificate or a list whose signed part is `octets`. The library's own question about lists
    says no to SHA-1 whatever the date; which algorithms are good is asked of our table.
    """
    try:
        parameters = parsed.signature_algorithm_parameters
        algorithm = parameters.algorithm if isinstance(parameters, ec.ECDSA) else parsed.signature_hash_algorithm
        return made_by(key, parsed.signature, octets, parameters, algorithm)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return False


def made_by(key: CertificatePublicKeyTypes, value: bytes, octets: bytes, parameters: object, algorithm: object) -> bool:
    """Whether `key` made the signature `value` over `octets`. `parameters` as `cryptography` has them for a certificate's signature."""
    try:
        if isinstance(key, rsa.RSAPublicKey) and isinstance(parameters, padding.AsymmetricPadding):
            if not isinstance(algorithm, hashes.HashAlgorithm):
                return False
            key.verify(value, octets, parameters, algorithm)
            return True
        if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(parameters, ec.ECDSA):
            key.verify(value, octets, parameters)
            return True
        if isinstance(key, ed25519.Ed25519PublicKey) and parameters is None:
            key.verify(value, octets)
            return True
    except (InvalidSignature, ValueError, UnsupportedAlgorithm):
        return False
    return False
