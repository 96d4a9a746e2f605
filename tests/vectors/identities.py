"""Who signs in the vectors of signed files: a root, a CA, two people of one agency, the agency's seal, and a time-stamping authority.

Private keys lie beside the certificates as the command-line tools want them. Keys of the CAs are on P-256, because nothing depends on them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID

from hub.demo.pki import certificate
from signing.sign import SigningKey

_STAMPING = [(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), True)]


@dataclass(frozen=True, slots=True)
class Signer:
    """One identity, in memory and in two PEM files."""

    name: str
    key: SigningKey
    certificate: x509.Certificate
    folder: Path

    @property
    def der(self) -> bytes:
        """The certificate."""
        return self.certificate.public_bytes(Encoding.DER)

    @property
    def key_der(self) -> bytes:
        """The private key as PKCS #8."""
        return self.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())

    @property
    def certificate_path(self) -> str:
        """PEM."""
        return str(self.folder / f"{self.name}.pem")

    @property
    def key_path(self) -> str:
        """PEM, PKCS #8."""
        return str(self.folder / f"{self.name}.key")


@dataclass(frozen=True, slots=True)
class World:
    """Everybody, by role."""

    folder: Path
    ca: Signer
    person: Signer  # RSA
    agency: Signer  # RSA, another key
    elliptic: Signer  # P-256
    namesake: Signer  # the person's issuer and serial number, another key
    twin: Signer  # the person's key under another certificate
    small: Signer  # RSA-1024
    authority: Signer  # time-stamps
    pretender: Signer  # would like to: no extended key usage
    careless: Signer  # extended key usage not critical


def build(folder: Path, at: datetime) -> World:
    """Makes all of them, valid for years around `at`."""
    ca_key = ec.generate_private_key(ec.SECP256R1())
    ca = certificate("CA phục vụ các cơ quan", ca_key, at, years=10, authority=True)

    def member(name: str, key: SigningKey, extensions: Sequence[tuple[x509.ExtensionType, bool]] = ()) -> Signer:
        usages = ("digital_signature",) if extensions else None
        made = certificate(name, key, at, issuer=ca, issuer_key=ca_key, years=5, usages=usages, extensions=extensions)
        return _written(folder, name, key, made)

    rsa_key, other_key = rsa.generate_private_key(65537, 2048), rsa.generate_private_key(65537, 2048)
    person = member("person", rsa_key)
    return World(
        folder=folder,
        ca=_written(folder, "ca", ca_key, ca),
        person=person,
        agency=member("agency", other_key),
        elliptic=member("elliptic", ec.generate_private_key(ec.SECP256R1())),
        namesake=_written(folder, "namesake", other_key, _namesake(person.certificate, other_key, ca_key)),
        twin=member("twin", rsa_key),
        small=member("small", rsa.generate_private_key(65537, 1024)),
        authority=member("authority", rsa.generate_private_key(65537, 2048), _STAMPING),
        pretender=member("pretender", ec.generate_private_key(ec.SECP256R1())),
        careless=member("careless", ec.generate_private_key(ec.SECP256R1()), [(_STAMPING[0][0], False)]),
    )


def _written(folder: Path, name: str, key: SigningKey, made: x509.Certificate) -> Signer:
    signer = Signer(name, key, made, folder)
    Path(signer.certificate_path).write_bytes(made.public_bytes(Encoding.PEM))
    Path(signer.key_path).write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return signer


def _namesake(of: x509.Certificate, key: rsa.RSAPrivateKey, ca_key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    from cryptography.hazmat.primitives import hashes

    builder = x509.CertificateBuilder().subject_name(of.subject).issuer_name(of.issuer).serial_number(of.serial_number)
    builder = builder.public_key(key.public_key()).not_valid_before(of.not_valid_before_utc).not_valid_after(of.not_valid_after_utc)
    return builder.sign(ca_key, hashes.SHA256())
