"""Lists of revoked certificates and status answers for the hierarchies of `build_pki.py`, each field free to be made wrong on purpose."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from asn1crypto import core
from asn1crypto import crl as asn1_crl
from asn1crypto import ocsp as asn1
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

from tests.vectors.build_pki import CA_NAME
from tests.vectors.certificates import AT, DAY, Extension, key

REASONS = {flag.value: flag for flag in x509.ReasonFlags}


@dataclass(frozen=True)
class Entry:
    """One revoked serial number."""

    serial: int
    at: datetime = AT - timedelta(hours=12)
    reason: str = ""
    invalid_since: datetime | None = None
    extensions: tuple[Extension, ...] = ()


@dataclass(frozen=True)
class Crl:
    """One list."""

    entries: Sequence[Entry] = ()
    issuer: x509.Name = CA_NAME
    key_name: str = "ca"
    this_update: datetime = AT - DAY
    next_update: datetime = AT + DAY
    number: int | None = 7
    extensions: tuple[Extension, ...] = ()
    hash: hashes.SHA256 | hashes.SHA1 = field(default_factory=hashes.SHA256)

    def but(self, **changes: object) -> Crl:
        """The same with something else."""
        return replace(self, **changes)  # type: ignore[arg-type]

    def make(self) -> bytes:
        """DER."""
        builder = x509.CertificateRevocationListBuilder().issuer_name(self.issuer)
        builder = builder.last_update(self.this_update).next_update(self.next_update)
        if self.number is not None:
            builder = builder.add_extension(x509.CRLNumber(self.number), False)
        for extension, critical in self.extensions:
            builder = builder.add_extension(extension, critical)
        builder._revoked_certificates = [_revoked(entry) for entry in self.entries]  # one by one it copies the list each time
        signing = key(self.key_name)
        if not isinstance(signing, (rsa.RSAPrivateKey, ec.EllipticCurvePrivateKey)):
            raise RuntimeError("an RSA or EC key signs lists here")
        made = builder.sign(signing, hashes.SHA256()).public_bytes(Encoding.DER)
        return _by_sha1(made, signing) if isinstance(self.hash, hashes.SHA1) and isinstance(signing, rsa.RSAPrivateKey) else made


def _by_sha1(der: bytes, signing: rsa.RSAPrivateKey) -> bytes:
    made = asn1_crl.CertificateList.load(der)
    made["tbs_cert_list"]["signature"] = {"algorithm": "sha1_rsa"}
    signed = made["tbs_cert_list"].dump(force=True)
    value = core.OctetBitString(signing.sign(signed, padding.PKCS1v15(), hashes.SHA1()))
    algorithm = made["tbs_cert_list"]["signature"].dump()
    return bytes(core.Sequence(contents=signed + algorithm + value.dump()).dump())


def _revoked(entry: Entry) -> x509.RevokedCertificate:
    builder = x509.RevokedCertificateBuilder().serial_number(entry.serial).revocation_date(entry.at)
    if entry.reason:
        builder = builder.add_extension(x509.CRLReason(REASONS[entry.reason]), False)
    if entry.invalid_since:
        builder = builder.add_extension(x509.InvalidityDate(entry.invalid_since), False)
    for extension, critical in entry.extensions:
        builder = builder.add_extension(extension, critical)
    return builder.build()


def scope(**how: object) -> Extension:
    """issuingDistributionPoint."""
    fields: dict[str, object] = {
        "full_name": None,
        "relative_name": None,
        "only_contains_user_certs": False,
        "only_contains_ca_certs": False,
        "only_some_reasons": None,
        "indirect_crl": False,
        "only_contains_attribute_certs": False,
    }
    return x509.IssuingDistributionPoint(**(fields | how)), True  # type: ignore[arg-type]


@dataclass(frozen=True)
class Ocsp:
    """One answer."""

    cert: x509.Certificate
    issuer: x509.Certificate
    responder: x509.Certificate
    key_name: str
    status: str = "good"
    this_update: datetime = AT - timedelta(hours=1)
    next_update: datetime | None = AT + DAY
    revoked_at: datetime = AT - timedelta(hours=12)
    reason: str = ""
    by_name: bool = False
    sends: tuple[x509.Certificate, ...] = ()
    hash: hashes.HashAlgorithm = field(default_factory=hashes.SHA1)  # of the identifier, as everyone uses it

    def but(self, **changes: object) -> Ocsp:
        """The same with something else."""
        return replace(self, **changes)  # type: ignore[arg-type]

    def make(self) -> bytes:
        """DER."""
        revoked = self.status == "revoked"
        builder = ocsp.OCSPResponseBuilder().add_response(
            cert=self.cert,
            issuer=self.issuer,
            algorithm=self.hash,
            cert_status=ocsp.OCSPCertStatus[self.status.upper()],
            this_update=self.this_update,
            next_update=self.next_update,
            revocation_time=self.revoked_at if revoked else None,
            revocation_reason=REASONS[self.reason] if revoked and self.reason else None,
        )
        builder = builder.responder_id(ocsp.OCSPResponderEncoding.NAME if self.by_name else ocsp.OCSPResponderEncoding.HASH, self.responder)
        if self.sends:
            builder = builder.certificates(self.sends)
        signing = key(self.key_name)
        return builder.sign(signing, hashes.SHA256()).public_bytes(Encoding.DER)


def try_later() -> bytes:
    """A response without an answer."""
    return ocsp.OCSPResponseBuilder.build_unsuccessful(ocsp.OCSPResponseStatus.TRY_LATER).public_bytes(Encoding.DER)


def general_time(at: datetime) -> bytes:
    """GeneralizedTime in DER."""
    return bytes(core.GeneralizedTime(at).dump())


def with_changed_status(der: bytes) -> bytes:
    """The response with "good" where it said something else, its signature as it was."""
    response = asn1.OCSPResponse.load(der)
    basic = response.basic_ocsp_response
    single = basic["tbs_response_data"]["responses"][0]
    single["cert_status"] = asn1.CertStatus("good", core.Null())
    response["response_bytes"]["response"] = core.ParsableOctetString(basic.dump(force=True))
    return bytes(response.dump(force=True))
