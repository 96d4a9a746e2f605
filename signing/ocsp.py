"""OCSP answers (RFC 6960): read once, matched to the certificate asked about, checked to come from its issuer or someone he named.

A responder that answers for a CA carries a certificate that this CA's own key issued, with the purpose OCSPSigning. A nonce is not asked
for: stored answers have to serve again.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from asn1crypto import algos, core, keys
from asn1crypto import ocsp as asn1
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.x509 import ocsp
from pyhanko_certvalidator.sig_validate import DEFAULT_SIGNATURE_VALIDATOR

from schemas.errors import Refused
from signing import certificate
from signing.certificate import Certificate, issued, name_key
from signing.context import Purpose
from signing.limits import MAX_OCSP_BYTES, MAX_OCSP_SINGLES
from signing.purpose import extension_faults, purpose_faults
from signing.remembered import Remembered
from signing.statement import UNSPECIFIED, Question, Said, Statement

_ARCHIVE_CUTOFF = x509.ObjectIdentifier("1.3.6.1.5.5.7.48.1.6")
_NAME_OF = {"sha1": hashlib.sha1, "sha256": hashlib.sha256, "sha384": hashlib.sha384, "sha512": hashlib.sha512}  # of CertID only
_SAID = {ocsp.OCSPCertStatus.GOOD: Said.GOOD, ocsp.OCSPCertStatus.REVOKED: Said.REVOKED, ocsp.OCSPCertStatus.UNKNOWN: Said.NOTHING}
_MALFORMED = (
    ValueError,
    TypeError,
    KeyError,
    OverflowError,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
    UnsupportedAlgorithm,
)


@dataclass(frozen=True, slots=True)
class Single:
    """What one response says of one certificate, read whole: foreign bytes fail here or nowhere."""

    hash_name: str  # of the two digests that name the issuer
    name_digest: bytes
    key_digest: bytes
    serial: int
    said: Said
    this_update: datetime
    next_update: datetime | None
    revoked_at: datetime | None
    reason: str

    @classmethod
    def of(cls, single: ocsp.OCSPSingleResponse) -> Single:
        """Raises what the library raises."""
        revoked = single.certificate_status is ocsp.OCSPCertStatus.REVOKED
        reason = single.revocation_reason
        return cls(
            hash_name=single.hash_algorithm.name,
            name_digest=single.issuer_name_hash,
            key_digest=single.issuer_key_hash,
            serial=single.serial_number,
            said=_SAID[single.certificate_status],
            this_update=single.this_update_utc,
            next_update=single.next_update_utc,
            revoked_at=single.revocation_time_utc,
            reason=(reason.value if reason else UNSPECIFIED) if revoked else "",
        )

    def is_about(self, question: Question) -> bool:
        """Whether it names the certificate (RFC 6960 §4.1.1 CertID)."""
        cert, issuer = question.certificate, question.issuer
        hashed = _NAME_OF.get(self.hash_name)
        if hashed is None or self.serial != cert.parsed.serial_number:
            return False
        names = (hashed(cert.issuer_der).digest(), hashed(issuer.subject_der).digest())
        return self.name_digest in names and self.key_digest == _key_hash(issuer, self.hash_name)


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """One response, read. `keeps_since` is its archive cutoff (RFC 6960 §4.4.4)."""

    sha256: str
    parsed: ocsp.OCSPResponse
    singles: tuple[Single, ...]
    certificates: tuple[Certificate, ...]
    responder: str  # `name_key`, or "" where a key is named
    responder_key: bytes  # SHA-1 of the key's bits, b"" where a name stands
    algorithm: algos.SignedDigestAlgorithm
    hash_name: str
    keeps_since: datetime | None

    def made_by(self, signer: Certificate) -> bool:
        """Whether `signer` is who it names as responder, and its key made it."""
        named = self.responder_key == _key_hash(signer, "sha1") if self.responder_key else self.responder == signer.subject_key
        if not named:
            return False
        try:
            DEFAULT_SIGNATURE_VALIDATOR.validate_signature(
                self.parsed.signature, self.parsed.tbs_response_bytes, keys.PublicKeyInfo.load(signer.key_der), self.algorithm
            )
        except (InvalidSignature, *_MALFORMED, UnsupportedAlgorithm, NotImplementedError):
            return False
        return True


_answers: Remembered[bytes, Answers] = Remembered(512)


def load(der: bytes) -> Answers:
    """The response in `der`. Raises `Refused` with `revocation-unknown`, also for one that says only "try later"."""
    if len(der) > MAX_OCSP_BYTES:
        raise Refused("resource-limit", got=f"an OCSP response of {len(der)} bytes", expected=f"at most {MAX_OCSP_BYTES}")
    return _answers.of(hashlib.sha256(der).digest(), lambda: _load(der))


def _load(der: bytes) -> Answers:
    expected = "a successful response as in RFC 6960 §4.2"
    try:
        parsed = ocsp.load_der_ocsp_response(der)
        if parsed.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
            raise Refused("revocation-unknown", got=f"an OCSP response: {parsed.response_status.name}", expected=expected)
        return _of(parsed, der)
    except (*_MALFORMED, UnsupportedAlgorithm) as fault:
        raise Refused("revocation-unknown", got=f"an unreadable OCSP response: {fault}", expected=expected) from fault


def _of(parsed: ocsp.OCSPResponse, der: bytes) -> Answers:
    singles = tuple(Single.of(one) for one in islice(parsed.responses, MAX_OCSP_SINGLES + 1))
    critical = [e.oid.dotted_string for e in parsed.extensions if e.critical and not isinstance(e.value, x509.OCSPNonce)]
    if len(singles) > MAX_OCSP_SINGLES or critical:
        raise ValueError(f"{len(singles)} answers, critical extensions {critical}")
    algorithm = asn1.OCSPResponse.load(der).basic_ocsp_response["signature_algorithm"]
    certificates = (certificate.of(one) for one in parsed.certificates[:8])
    return Answers(
        sha256=hashlib.sha256(der).hexdigest(),
        parsed=parsed,
        singles=singles,
        certificates=tuple(certificates),
        responder=name_key(parsed.responder_name) if parsed.responder_name is not None else "",
        responder_key=parsed.responder_key_hash or b"",
        algorithm=algorithm,
        hash_name="" if algorithm["algorithm"].native == "ed25519" else algorithm.hash_algo,
        keeps_since=_cutoff(parsed) if len(singles) == 1 else None,
    )


def _cutoff(parsed: ocsp.OCSPResponse) -> datetime | None:
    for extension in parsed.single_extensions:
        if extension.oid == _ARCHIVE_CUTOFF and isinstance(extension.value, x509.UnrecognizedExtension):
            since = core.GeneralizedTime.load(extension.value.value).native
            return since if isinstance(since, datetime) else None
    return None


def statements(answers: Answers, question: Question, known: tuple[Certificate, ...] = ()) -> tuple[Statement, ...]:
    """What the response says of the certificate, if someone signed it who may. `known` may hold a responder that it does not bring."""
    about = [single for single in answers.singles if single.is_about(question)]
    if not about:
        return ()
    signer = _responder(answers, question, known)
    if signer is None:
        return ()
    path = () if signer.key_der == question.issuer.key_der else (signer, *question.path[1:])
    no_check = signer.extension(x509.OCSPNoCheck) is not None
    return tuple(_statement(answers, single, signer, path, no_check) for single in about)


def _statement(answers: Answers, single: Single, signer: Certificate, path: tuple[Certificate, ...], no_check: bool) -> Statement:
    return Statement(
        kind="ocsp",
        sha256=answers.sha256,
        said=single.said,
        this_update=single.this_update,
        next_update=single.next_update,
        key_holder=signer,
        hash_name=answers.hash_name,
        signers=path,
        revoked_at=single.revoked_at,
        reason=single.reason,
        keeps_since=answers.keeps_since,
        no_check=no_check,
    )


def _responder(answers: Answers, question: Question, known: tuple[Certificate, ...]) -> Certificate | None:
    issuer = question.issuer
    if answers.made_by(issuer):
        return issuer
    for cert in dict.fromkeys((*answers.certificates, *known)):
        delegated = cert.issuer_key == issuer.subject_key and not purpose_faults(cert, Purpose.OCSP) and not extension_faults(cert)
        if delegated and issued(cert, issuer) and answers.made_by(cert):
            return cert
    return None


def _key_hash(cert: Certificate, name: str) -> bytes:
    bits = keys.PublicKeyInfo.load(cert.key_der)["public_key"].contents
    return _NAME_OF[name](bits[1:]).digest()  # without the count of unused bits (RFC 6960 §4.1.1)
