"""What travels as evidence: a CRL, an OCSP response, and the attribute that holds them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from asn1crypto import core
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

from tests.vectors.identities import World

_AT = datetime(2026, 11, 20, 1, 0, 0, tzinfo=UTC)


def crl_of(world: World, at: datetime = _AT) -> bytes:
    """A CRL of the CA that revokes nobody."""
    builder = x509.CertificateRevocationListBuilder().issuer_name(world.ca.certificate.subject)
    builder = builder.last_update(at).next_update(at + timedelta(days=30))
    return builder.sign(world.ca.key, hashes.SHA256()).public_bytes(Encoding.DER)


def ocsp_of(world: World) -> bytes:
    """The CA's answer that the person's certificate is good."""
    builder = ocsp.OCSPResponseBuilder().add_response(
        world.person.certificate,
        world.ca.certificate,
        hashes.SHA256(),
        ocsp.OCSPCertStatus.GOOD,
        _AT,
        _AT + timedelta(days=1),
        None,
        None,
    )
    builder = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, world.ca.certificate)
    return builder.sign(world.ca.key, hashes.SHA256()).public_bytes(Encoding.DER)


def revocations(crls: Sequence[bytes], ocsps: Sequence[bytes]) -> bytes:
    """RevocationValues, or Adobe's RevocationInfoArchival: the same members under the same tags."""
    parts = b""
    for tag, values in ((0, crls), (1, ocsps)):
        if values:
            parts += core.SequenceOf([core.Any.load(der) for der in values], spec=core.Any, explicit=tag).dump()
    return _sequence(parts)


def _sequence(content: bytes) -> bytes:
    size = len(content)
    octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return b"\x30" + (bytes([size]) if size < 0x80 else bytes([0x80 | len(octets)]) + octets) + content
