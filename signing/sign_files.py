"""Signing files: PAdES into a PDF (ETSI EN 319 142-1, B-B and B-T), CMS over anything (RFC 5652, CAdES attributes of EN 319 122-1).

pyHanko writes both; the key stays with its custody, which pyHanko asks for one value. What comes out is read again by our own readers
before it is handed on: a signature that we would not believe ourselves is not given to anybody.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from io import BytesIO

from asn1crypto import tsp
from asn1crypto import x509 as asn1_x509
from cryptography.hazmat.primitives.serialization import Encoding
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.sign import fields, signers
from pyhanko.sign.general import SigningError
from pyhanko.sign.signers.pdf_cms import PdfCMSSignedAttributes
from pyhanko.sign.timestamps.api import TimeStamper
from pyhanko_certvalidator.registry import SimpleCertificateStore

from schemas.errors import Refused
from signing import cms, pdf
from signing.algorithms import CURRENT
from signing.finding import Finding, Given, Integrity
from signing.sign_key import Credential
from signing.sign_stamp import TimeAuthority

FIELD = "Signature"
PDF_RESERVED_DIGITS = 48 * 1024  # hexadecimal, for the CMS: an honest one with a token and two chains has some 12 KB
_FAULTS = (PdfError, SigningError, ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError, OverflowError)


class _Signer(signers.Signer):
    """pyHanko's signer whose key is with a custody of ours."""

    def __init__(self, credential: Credential, digest: str) -> None:
        loaded = [asn1_x509.Certificate.load(one.public_bytes(Encoding.DER)) for one in credential.chain]
        registry = SimpleCertificateStore()  # type: ignore[no-untyped-call]
        registry.register_multiple(loaded)
        super().__init__(signing_cert=loaded[0], cert_registry=registry)
        self._credential, self._digest = credential, digest

    async def async_sign_raw(self, data: bytes, digest_algorithm: str, dry_run: bool = False) -> bytes:
        """The signature's value. A dry run is never asked for: what to reserve is said."""
        return self._credential.custody.sign(data, digest_algorithm)


class _Stamper(TimeStamper):
    """pyHanko's time-stamper that asks an authority of ours."""

    def __init__(self, authority: TimeAuthority) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._authority = authority

    async def async_timestamp(self, message_digest: bytes, md_algorithm: str) -> tsp.ContentInfo:
        """The token over `message_digest`, checked (`TimeAuthority.token`)."""
        return tsp.ContentInfo.load(self._authority.token(message_digest, md_algorithm))


def sign_pdf(
    data: bytes,
    credential: Credential,
    *,
    authority: TimeAuthority | None = None,
    field: str = "",
    reason: str = "",
    location: str = "",
    digest: str = "",
) -> bytes:
    """`data` with an invisible PAdES signature in one incremental update; signatures that are there stay as they are.

    B-B, or B-T where there is an `authority`. `field` is the name of an empty signature field to use, or of the one to make.

    Raises `Refused` with `cannot-sign` or `timestamp-invalid`; `TryLater` with `token-unavailable` or `trust-unavailable`.
    """
    digest = digest or credential.digest
    try:
        writer = IncrementalPdfFileWriter(BytesIO(data))
        taken = {name for name, value, _ in fields.enumerate_sig_fields(writer.prev) if value is not None}
        name = field or next(f"{FIELD}{n}" for n in range(1, len(taken) + 2) if f"{FIELD}{n}" not in taken)
        meta = signers.PdfSignatureMetadata(
            field_name=name, md_algorithm=digest, subfilter=fields.SigSeedSubFilter.PADES, reason=reason or None, location=location or None
        )
        worker = signers.PdfSigner(meta, _Signer(credential, digest), timestamper=_Stamper(authority) if authority else None)
        signed = bytes(worker.sign_pdf(writer, bytes_reserved=PDF_RESERVED_DIGITS).getvalue())
    except _FAULTS as fault:
        raise Refused("cannot-sign", got=f"{type(fault).__name__}: {fault}", expected="a PDF that can be read and signed") from fault
    _check(pdf.examine_pdf(signed, _given())[-1:], stamped=authority is not None)
    return signed


def sign_cms(
    content: bytes,
    credential: Credential,
    *,
    at: datetime,
    detached: bool = True,
    cades: bool = True,
    authority: TimeAuthority | None = None,
    digest: str = "",
) -> bytes:
    """A CMS SignedData over `content`, in DER; the content stands in it where it is not `detached`.

    Attributes: contentType, messageDigest, signingTime (`at`), signingCertificateV2 (RFC 5035). `cades` leaves CMSAlgorithmProtection
    out, as EN 319 122-1 has it; with an `authority` a signature-time-stamp is put in (B-T).

    Raises as `sign_pdf` does.
    """
    digest = digest or credential.digest
    stamper = _Stamper(authority) if authority else None
    worker = _Signer(credential, digest)
    settings = PdfCMSSignedAttributes(signing_time=at)
    try:
        work = worker.async_sign_general_data(content, digest, detached, cades, stamper, signed_attr_settings=settings)
        signed = bytes(asyncio.run(work).dump())
    except _FAULTS as fault:
        raise Refused("cannot-sign", got=f"{type(fault).__name__}: {fault}", expected="content that can be signed") from fault
    _check(cms.examine_cms(signed, content if detached else None, _given()), stamped=authority is not None)
    return signed


def _given() -> Given:
    return Given(datetime.max.replace(tzinfo=UTC) - timedelta(days=1), CURRENT)


def _check(findings: tuple[Finding, ...], *, stamped: bool) -> None:
    for found in findings:
        if found.integrity is not Integrity.OK or found.violations or (stamped and found.stamp is None):
            told = ", ".join(found.reasons) or f"integrity {found.integrity}"
            raise Refused("cannot-sign", got=told, expected="a signature that can be verified", violations=found.violations)
