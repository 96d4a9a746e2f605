"""The whole procedure over the vectors: everybody of their world is trusted and has a list; what is left to say is what the files say."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from signing.container import Kind
from signing.context import Context
from signing.policy import SignatureMode, SignaturePolicy
from signing.trust import TrustStore
from signing.verify import Judgement, verify_file
from tests.signing.signed_files import JUDGED_AT, world

POLICY = SignaturePolicy(SignatureMode.REQUIRE)


@cache
def crl(revoked: str = "", since: datetime = JUDGED_AT - timedelta(days=10), made: datetime = JUDGED_AT - timedelta(days=1)) -> bytes:
    """The CA's list in DER; `revoked` is a name of the world."""
    builder = x509.CertificateRevocationListBuilder().issuer_name(world().ca.certificate.subject)
    builder = builder.last_update(made).next_update(made + timedelta(days=30)).add_extension(x509.CRLNumber(1), critical=False)
    if revoked:
        serial = getattr(world(), revoked).certificate.serial_number
        builder = builder.add_revoked_certificate(x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(since).build())
    return builder.sign(world().ca.key, hashes.SHA256()).public_bytes(Encoding.DER)


@cache
def context() -> Context:
    """The CA is the anchor, and has said that nobody is revoked."""
    known = (world().elliptic.der, world().authority.der)
    return Context(TrustStore((world().ca.certificate,)), JUDGED_AT, intermediates=known, crls=(crl(),))


def judged(data: bytes, content: bytes | None = None, kind: Kind | None = None, **changes: Any) -> Judgement:
    """The judgement on `data`; `changes` are members of the context."""
    return verify_file(data, POLICY, replace(context(), **changes), kind=kind, content=content)


def written(folder: Path) -> list[str]:
    """The same as folders for `lgsp verify`, and the options that name them."""
    for name, files in {
        "trust": {"ca.pem": world().ca.certificate.public_bytes(Encoding.PEM), "readme.txt": b"what this is"},
        "more": {"ec.der": world().elliptic.der},
        "lists": {"ca.crl": crl()},
    }.items():
        (folder / name).mkdir(parents=True)
        for file, octets in files.items():
            (folder / name / file).write_bytes(octets)
    places = [f"--{option}={folder / name}" for option, name in (("trust", "trust"), ("intermediates", "more"), ("crl", "lists"))]
    return [*places, f"--at={JUDGED_AT.isoformat()}"]
