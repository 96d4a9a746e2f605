"""A small public-key infrastructure of its own for the demonstration and the tests: real keys, real certificates, nobody else's trust.

Shaped like the Government-dedicated hierarchy: a root, an issuing CA with pathlen 0, and signers whose key usage is nonRepudiation
alone, without alternative names. Beside it stands a stranger: a root that nobody configured, with a signer of its own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from types import MappingProxyType

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from schemas.agency import AgencyCode
from signing.policy import SignatureMode, SignaturePolicy
from signing.sign import SigningKey, sign_packet
from signing.trust import INTERMEDIATES, LISTS, TrustStore

STRANGER = "stranger"  # name of the signer that no configured root knows
_USAGES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)


@dataclass(frozen=True, slots=True)
class Identity:
    """A key with its certificate and the CA certificates above it, the root left out."""

    name: str  # agency code, or `STRANGER`
    key: SigningKey
    certificate: x509.Certificate
    issuers: tuple[x509.Certificate, ...]
    key_path: Path  # PKCS#8 in PEM, mode 0600
    chain_path: Path  # PEM: the certificate, then `issuers`

    @property
    def chain(self) -> tuple[x509.Certificate, ...]:
        """What goes into a packet's KeyInfo."""
        return (self.certificate, *self.issuers)

    @property
    def sha256(self) -> str:
        """Of the certificate in DER, lower hex: what bindings name."""
        return hashlib.sha256(self.certificate.public_bytes(Encoding.DER)).hexdigest()

    def sign(self, packet: bytes, *, digest: str = "sha256", exclusive: bool = True) -> bytes:
        """`packet` with an enveloped signature in its header."""
        return sign_packet(packet, self.key, self.chain, digest=digest, exclusive=exclusive)


@dataclass(frozen=True, slots=True)
class Pki:
    """Where everything lies, and every identity by agency code as given, the stranger included."""

    trust: Path  # folder for `TrustStore.load`: the root, ``intermediates/``, and ``crl/`` with the lists of both CAs
    identities: Mapping[str, Identity]
    authorities: tuple[tuple[x509.Certificate, SigningKey], ...] = field(repr=False)  # the root and the CA; their keys are in memory alone

    def publish(self, at: datetime, revoked: Mapping[str, datetime] = MappingProxyType({})) -> None:
        """Lists of both CAs as of `at`, current for the lives of the certificates. `revoked`: identity → since when."""
        folder = self.trust / LISTS
        folder.mkdir(exist_ok=True)
        gone = {self.identities[name].certificate.serial_number: since for name, since in revoked.items()}
        for number, (ca, key) in enumerate(self.authorities):
            listed = _crl(ca, key, at, gone if number else {})
            written = folder / f"{number}.part"
            written.write_bytes(listed.public_bytes(Encoding.DER))
            written.replace(folder / f"{number}.crl")

    def lists(self) -> tuple[bytes, ...]:
        """What `publish` wrote, as `Context` takes it."""
        return tuple(path.read_bytes() for path in sorted((self.trust / LISTS).glob("*.crl")))

    def store(self) -> TrustStore:
        """The trust store that knows this hierarchy."""
        return TrustStore.load(self.trust)

    def bindings(self) -> dict[str, frozenset[str]]:
        """Which certificate signs for which agency, as `SignaturePolicy` takes it."""
        return {AgencyCode.of(name).key: frozenset({one.sha256}) for name, one in self.identities.items() if name != STRANGER}

    def policy(self, mode: SignatureMode = SignatureMode.REQUIRE) -> SignaturePolicy:
        """A policy with these bindings."""
        return SignaturePolicy(mode, self.bindings())


def build_pki(folder: Path, agencies: Sequence[str], at: datetime, *, elliptic: Collection[str] = (), root_bits: int = 3072) -> Pki:
    """Makes a hierarchy in `folder`, valid around `at`: CAs for ten years, signers for three from the day before.

    One signer per agency code, RSA-2048, or P-256 for those in `elliptic`. Private keys of CAs are not written down.
    """
    root_key = rsa.generate_private_key(65537, root_bits)
    root = certificate("Demo Root CA", root_key, at, years=10, authority=True)
    ca_key = ec.generate_private_key(ec.SECP384R1())
    ca = certificate("Demo CA for agencies", ca_key, at, issuer=root, issuer_key=root_key, years=10, authority=True, path_length=0)
    trust = folder / "trust"
    (trust / INTERMEDIATES).mkdir(parents=True)
    (trust / "root.pem").write_bytes(root.public_bytes(Encoding.PEM))
    (trust / INTERMEDIATES / "ca.pem").write_bytes(ca.public_bytes(Encoding.PEM))
    identities = {}
    for code in agencies:
        key = ec.generate_private_key(ec.SECP256R1()) if code in elliptic else rsa.generate_private_key(65537, 2048)
        identities[code] = _identity(folder, code, key, certificate(f"Agency {code}", key, at, issuer=ca, issuer_key=ca_key), (ca,))
    identities[STRANGER] = _stranger(folder, at)
    pki = Pki(trust, identities, ((root, root_key), (ca, ca_key)))
    pki.publish(at)
    return pki


def _crl(ca: x509.Certificate, key: SigningKey, at: datetime, revoked: Mapping[int, datetime]) -> x509.CertificateRevocationList:
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(ca.subject)
        .last_update(at - timedelta(days=1))
        .next_update(at + timedelta(days=365 * 10))
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False)
        .add_extension(x509.CRLNumber(int(at.timestamp())), critical=False)
    )
    for serial, since in revoked.items():
        builder = builder.add_revoked_certificate(x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(since).build())
    return builder.sign(key, hashes.SHA256())


def _stranger(folder: Path, at: datetime) -> Identity:
    root_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    root = certificate("Stranger Root CA", root_key, at, authority=True)
    return _identity(folder, STRANGER, key, certificate("Stranger", key, at, issuer=root, issuer_key=root_key), (root,))


def _identity(folder: Path, name: str, key: SigningKey, cert: x509.Certificate, issuers: tuple[x509.Certificate, ...]) -> Identity:
    home = folder / "keys"
    home.mkdir(mode=0o700, exist_ok=True)
    key_path, chain_path = home / f"{name}.key.pem", home / f"{name}.chain.pem"
    key_path.touch(mode=0o600)  # before there is a secret in it
    key_path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    chain_path.write_bytes(b"".join(c.public_bytes(Encoding.PEM) for c in (cert, *issuers)))
    return Identity(name, key, cert, issuers, key_path, chain_path)


def certificate(
    name: str,
    key: SigningKey,
    at: datetime,
    *,
    issuer: x509.Certificate | None = None,
    issuer_key: SigningKey | None = None,
    years: int = 3,
    authority: bool = False,
    path_length: int | None = None,
    usages: Collection[str] | None = None,
    extensions: Sequence[tuple[x509.ExtensionType, bool]] = (),
) -> x509.Certificate:
    """One certificate for `key`, self-signed where no issuer is given, from the day before `at` for `years`.

    `usages` are names of `x509.KeyUsage`'s arguments; by default keyCertSign and cRLSign for a CA, nonRepudiation for a signer.
    `extensions` are added as (extension, critical).
    """
    subject = _name(name)
    chosen = usages if usages is not None else (("key_cert_sign", "crl_sign") if authority else ("content_commitment",))
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(at - timedelta(days=1))
        .not_valid_after(at + timedelta(days=365 * years))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=path_length), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.KeyUsage(**{usage: usage in chosen for usage in _USAGES}), critical=True)
    )
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    return builder.sign(issuer_key or key, hashes.SHA256())


def _name(common: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "VN"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Cơ quan thử nghiệm"),
            x509.NameAttribute(NameOID.COMMON_NAME, common),
        ]
    )
