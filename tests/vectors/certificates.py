"""Certificates by the field: what `build_pki.py` and `build_status.py` put their hierarchies together from. Keys are few and shared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache

from asn1crypto import core, keys, parser
from asn1crypto import x509 as asn1
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

AT = datetime(2026, 11, 21, 3, 4, 5, tzinfo=UTC)
DAY = timedelta(days=1)
YEAR = timedelta(days=365)

Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey | dsa.DSAPrivateKey
Extension = tuple[x509.ExtensionType, bool]


_CURVES: dict[str, ec.EllipticCurve] = {
    "": ec.SECP256R1(),
    "p192": ec.SECP192R1(),
    "p384": ec.SECP384R1(),
    "p521": ec.SECP521R1(),
    "k256": ec.SECP256K1(),
    "brainpool": ec.BrainpoolP256R1(),
}


@cache
def key(name: str) -> Key:
    """The key of that name, the same all through one process. A suffix says its kind: ``:rsa2048``, ``:ed25519``, …; else P-256."""
    kind = name.partition(":")[2]
    if kind.startswith("rsa"):
        bits, _, exponent = kind[3:].partition("e")
        return rsa.generate_private_key(int(exponent or 65537), int(bits))
    if kind == "ed25519":
        return ed25519.Ed25519PrivateKey.generate()
    if kind == "ed448":
        return ed448.Ed448PrivateKey.generate()
    if kind == "dsa":
        return dsa.generate_private_key(2048)
    return ec.generate_private_key(_CURVES[kind])


def name_of(text: str, **how: object) -> x509.Name:
    """C=VN, O=Cơ quan, CN=`text`; `how` are keyword arguments for the last attribute, or `country`."""
    country = str(how.pop("country", "VN"))
    parts = [
        x509.NameAttribute(NameOID.COUNTRY_NAME, country),
        x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Cơ quan thử nghiệm"),
        x509.NameAttribute(NameOID.COMMON_NAME, text, **how),  # type: ignore[arg-type]
    ]
    return x509.Name(parts)


@dataclass(frozen=True)
class Maker:
    """One certificate to be. Every field can be made wrong on purpose."""

    subject: x509.Name
    key_name: str
    issuer: x509.Name | None = None  # by default itself
    issuer_key: str = ""
    ca: bool | None = None  # None: no basicConstraints
    path_length: int | None = None
    usages: Sequence[str] | None = None  # None: what fits; (): no keyUsage at all
    extensions: tuple[Extension, ...] = ()
    not_before: datetime = AT - DAY
    not_after: datetime = AT + 3 * YEAR
    hash: hashes.HashAlgorithm | None = field(default_factory=hashes.SHA256)
    serial: int = 0
    pss: bool = False
    identifiers: bool = True  # subject and authority key identifiers

    def but(self, **changes: object) -> Maker:
        """The same with something else."""
        return replace(self, **changes)  # type: ignore[arg-type]

    def make(self) -> x509.Certificate:
        """Signs it."""
        signing = key(self.issuer_key or self.key_name)
        builder = (
            x509.CertificateBuilder()
            .subject_name(self.subject)
            .issuer_name(self.issuer or self.subject)
            .public_key(key(self.key_name).public_key())
            .serial_number(self.serial or x509.random_serial_number())
            .not_valid_before(self.not_before)
            .not_valid_after(self.not_after)
        )
        for extension, critical in (*self._usual(signing), *self.extensions):
            builder = builder.add_extension(extension, critical)
        algorithm = None if isinstance(signing, ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey) else self.hash
        scheme = padding.PSS(padding.MGF1(hashes.SHA256()), 32) if self.pss else None
        if isinstance(algorithm, hashes.SHA1 | hashes.MD5):
            return _with_old(builder.sign(signing, hashes.SHA256()), signing, algorithm)
        return builder.sign(signing, algorithm, rsa_padding=scheme)  # type: ignore[arg-type]

    def _usual(self, signing: Key) -> list[Extension]:
        found: list[Extension] = []
        if self.identifiers:
            found.append((x509.SubjectKeyIdentifier.from_public_key(key(self.key_name).public_key()), False))
            found.append((x509.AuthorityKeyIdentifier.from_issuer_public_key(signing.public_key()), False))
        if self.ca is not None:
            found.append((x509.BasicConstraints(self.ca, self.path_length), True))
        usages = self.usages if self.usages is not None else (("key_cert_sign", "crl_sign") if self.ca else ("content_commitment",))
        if usages:
            found.append((usage(*usages), True))
        return found


def _with_old(made: x509.Certificate, signing: Key, algorithm: hashes.HashAlgorithm) -> x509.Certificate:
    """The same certificate signed as of old; no library makes such any more."""
    if not isinstance(signing, rsa.RSAPrivateKey):
        raise RuntimeError("old algorithms go with RSA here")
    certificate = asn1.Certificate.load(made.public_bytes(Encoding.DER))
    certificate["tbs_certificate"]["signature"] = certificate["signature_algorithm"] = {"algorithm": f"{algorithm.name}_rsa"}
    certificate["signature_value"] = signing.sign(certificate["tbs_certificate"].dump(force=True), padding.PKCS1v15(), algorithm)
    return x509.load_der_x509_certificate(certificate.dump(force=True))


def with_public_key(made: x509.Certificate, info: bytes, signing: Key) -> x509.Certificate:
    """The same certificate for another key (SubjectPublicKeyInfo in DER), whatever that is, signed again by an RSA key with SHA-256."""
    if not isinstance(signing, rsa.RSAPrivateKey):
        raise RuntimeError("an RSA key signs again here")
    certificate = asn1.Certificate.load(made.public_bytes(Encoding.DER))
    certificate["tbs_certificate"]["subject_public_key_info"] = keys.PublicKeyInfo.load(info)
    certificate["signature_value"] = signing.sign(certificate["tbs_certificate"].dump(force=True), padding.PKCS1v15(), hashes.SHA256())
    return x509.load_der_x509_certificate(certificate.dump(force=True))


def with_unique_identifier(made: x509.Certificate, signing: Key) -> x509.Certificate:
    """The same certificate with a subjectUniqueID of three bits, which some libraries write otherwise than they read it."""
    if not isinstance(signing, rsa.RSAPrivateKey):
        raise RuntimeError("an RSA key signs again here")
    rest: bytes = parser.parse(made.tbs_certificate_bytes)[4]
    parts: list[bytes] = []
    while rest:
        size = parser.peek(rest)
        parts, rest = [*parts, rest[:size]], rest[size:]
    parts.insert(len(parts) - 1, b"\x82\x02\x05\x20")  # [2] IMPLICIT BIT STRING, before the extensions
    body = core.Sequence(contents=b"".join(parts)).dump()
    value = core.OctetBitString(signing.sign(body, padding.PKCS1v15(), hashes.SHA256()))
    algorithm = asn1.Certificate.load(made.public_bytes(Encoding.DER))["signature_algorithm"].dump()
    return x509.load_der_x509_certificate(core.Sequence(contents=body + algorithm + value.dump()).dump())


def usage(*names: str) -> x509.KeyUsage:
    """keyUsage with these bits."""
    bits = "digital_signature content_commitment key_encipherment data_encipherment key_agreement key_cert_sign crl_sign"
    return x509.KeyUsage(**{bit: bit in names for bit in bits.split()}, encipher_only=False, decipher_only=False)
