"""Keys that sign documents, wherever they are kept: a certificate chain, and something that signs with the key without giving it away.

Two custodies: a key in this process's memory (from a PKCS#12 file), and a key in a token (`sign_token.py`, PKCS#11). Nothing here prints,
logs or returns a private key, and no error repeats a password.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import pkcs12

from schemas.errors import Halted, Refused
from schemas.message import rfc3339
from signing import algorithms, certificate
from signing.algorithms import Family

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey

MAX_PKCS12_BYTES = 1024 * 1024
HASHES: dict[str, hashes.HashAlgorithm] = {"sha256": hashes.SHA256(), "sha384": hashes.SHA384(), "sha512": hashes.SHA512()}
_BY_CURVE = {"secp256r1": "sha256", "secp384r1": "sha384", "secp521r1": "sha512"}  # FIPS 186-5 §6.1.1: a hash no weaker than the curve


class Custody(Protocol):
    """Whoever holds the key. MUST sign with the key that `public_key` belongs to; MUST NOT give it away, in a repr neither."""

    @property
    def public_key(self) -> PublicKey:
        """The public half."""
        ...

    def sign(self, octets: bytes, digest: str) -> bytes:
        """PKCS#1 v1.5, or ECDSA as DER (RFC 3279 §2.2.3), over `octets` hashed by `digest` (a name of `HASHES`).

        Raises `TryLater` with `token-unavailable` where the key is not within reach just now.
        """
        ...

    def close(self) -> None:
        """Lets the key go."""
        ...


@dataclass(frozen=True, slots=True)
class InMemory:
    """A key in this process."""

    key: PrivateKey = field(repr=False)

    @property
    def public_key(self) -> PublicKey:
        """The public half."""
        return self.key.public_key()

    def sign(self, octets: bytes, digest: str) -> bytes:
        """See `Custody.sign`."""
        if isinstance(self.key, rsa.RSAPrivateKey):
            return self.key.sign(octets, padding.PKCS1v15(), HASHES[digest])
        return self.key.sign(octets, ec.ECDSA(HASHES[digest]))

    def close(self) -> None:
        """Nothing to let go of."""


@dataclass(frozen=True, slots=True)
class Credential:
    """Who signs: `chain` begins with the signer's certificate, then its issuers as far as they are known."""

    chain: tuple[x509.Certificate, ...]
    custody: Custody = field(repr=False)

    @property
    def family(self) -> Family:
        """Kind of key."""
        return Family.RSA if isinstance(self.custody.public_key, rsa.RSAPublicKey) else Family.ECDSA

    @property
    def digest(self) -> str:
        """The hash that fits the key where nobody asks for another."""
        key = self.custody.public_key
        return _BY_CURVE.get(key.curve.name, "sha256") if isinstance(key, ec.EllipticCurvePublicKey) else "sha256"

    def check(self, at: datetime) -> None:
        """Whether a signature made now could be believed. Raises `Halted` with `signing-key-unusable`."""
        signer = certificate.of(self.chain[0])
        try:
            algorithms.check_key(signer.key, signer.subject)
        except Refused as fault:
            raise _unusable(fault.got, fault.expected) from fault
        if signer.key_der != certificate.key_der(self.custody.public_key):
            raise _unusable(f"a key that is not that of {signer.subject}", "the certificate's key")
        if not signer.not_before <= at <= signer.not_after:
            raise _unusable(f"{signer.subject} from {rfc3339(signer.not_before)} to {rfc3339(signer.not_after)}", "a certificate in force")
        usage = signer.extension(x509.KeyUsage)
        if usage is not None and not (usage.digital_signature or usage.content_commitment):
            raise _unusable(f"key usage of {signer.subject}", "digitalSignature or nonRepudiation")


def from_pkcs12(path: Path, password: bytes | None) -> Credential:
    """The key and the certificates in a PKCS#12 file (RFC 7292); `password` is None for a file without.

    Raises `Halted` with `signing-key-unusable`, which never repeats the password.
    """
    expected = "a PKCS#12 file (.p12, .pfx) with one key and its certificate, and its password"
    try:
        if path.stat().st_size > MAX_PKCS12_BYTES:
            raise _unusable(f"{path.name}: {path.stat().st_size} bytes", f"at most {MAX_PKCS12_BYTES}")
        key, found, others = pkcs12.load_key_and_certificates(path.read_bytes(), password)
    except (OSError, ValueError, TypeError) as fault:  # a wrong password and a damaged file look the same
        raise _unusable(f"{path.name}: {type(fault).__name__}", expected) from None  # what the library says may quote what it was given
    if found is None or not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        raise _unusable(f"{path.name}: no RSA or EC key with its certificate", expected)
    return Credential(chain_of(found, others), InMemory(key))


def chain_of(signer: x509.Certificate, others: Sequence[x509.Certificate]) -> tuple[x509.Certificate, ...]:
    """`signer`, and above it those of `others` that issued one another; a root at the end is left out, verifiers have their own."""
    chain = [signer]
    while len(chain) <= len(others):
        above = next((c for c in others if c not in chain and c.subject == chain[-1].issuer and _issued(c, chain[-1])), None)
        if above is None or above.subject == above.issuer:
            break
        chain.append(above)
    return tuple(chain)


def _issued(issuer: x509.Certificate, subject: x509.Certificate) -> bool:
    return certificate.issued(certificate.of(subject), certificate.of(issuer))


def _unusable(got: str, expected: str) -> Halted:
    return Halted("signing-key-unusable", got=got, expected=expected)
