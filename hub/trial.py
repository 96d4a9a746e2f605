"""A signing certificate for a trial: a root of its own that nobody else trusts, and below it the hub's certificate in a PKCS#12 file.

For trying the hub out before a certificate of the Government's authority is there (docs/operations.md says how that one is brought in).
"""

from __future__ import annotations

import json
import os
import secrets
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, pkcs12
from cryptography.x509.oid import NameOID

from hub.settings import read_toml
from schemas.errors import Refused

KEY_FILE, ROOT_FILE = "signing.p12", "signing-root.pem"
PERIOD = timedelta(days=365)
_KEY_USAGE = ("content_commitment", "digital_signature")
_CA_USAGE = ("key_cert_sign", "crl_sign")
_BITS = (*_KEY_USAGE, *_CA_USAGE, "key_encipherment", "data_encipherment", "key_agreement", "encipher_only", "decipher_only")


def make_certificate(home: Path, at: datetime) -> Path:
    """Makes `keys/signing.p12` with a password that stands in `secrets.toml`, names both in `hub.toml`, and returns the root's file.

    The root is what those need who are to verify the hub's signatures; its private key is not kept. Raises `Refused("keys-exist")`
    where the home has a signing certificate or settings for one.
    """
    settings, secret_file, key_file = home / "hub.toml", home / "secrets.toml", home / "keys" / KEY_FILE
    for path in (settings, secret_file):
        if path.exists() and "signing" in read_toml(path):
            raise Refused("keys-exist", got=f"[signing] in {path.name}")
    if key_file.exists():
        raise Refused("keys-exist", got=key_file.name)
    root_key, key, password = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1()), secrets.token_urlsafe(24)
    root = _certificate("Trial root (not for use)", root_key, at, None, root_key)
    own = _certificate("Trial certificate of an LGSP hub", key, at, root, root_key)
    packed = pkcs12.serialize_key_and_certificates(b"signing", key, own, [root], BestAvailableEncryption(password.encode()))
    _append(key_file, packed)
    _append(secret_file, f"\n[signing]\npassword = {json.dumps(password)}\n".encode())
    _append(settings, f'\n[signing]\npkcs12 = "keys/{KEY_FILE}"\nsecret_ref = "signing.password"\n'.encode())
    root_file = home / ROOT_FILE
    root_file.write_bytes(root.public_bytes(Encoding.PEM))
    return root_file


def _append(path: Path, octets: bytes) -> None:
    with os.fdopen(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600), "wb") as file:  # private before there is a secret in it
        file.write(octets)


def _certificate(
    name: str, key: ec.EllipticCurvePrivateKey, at: datetime, issuer: x509.Certificate | None, issuer_key: ec.EllipticCurvePrivateKey
) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COUNTRY_NAME, "VN"), x509.NameAttribute(NameOID.COMMON_NAME, name)])
    usages = _KEY_USAGE if issuer else _CA_USAGE
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(at - timedelta(hours=1))
        .not_valid_after(at + PERIOD)
        .add_extension(x509.BasicConstraints(issuer is None, None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
        .add_extension(x509.KeyUsage(**{bit: bit in usages for bit in _BITS}), critical=True)
    )
    return builder.sign(issuer_key, hashes.SHA256())
