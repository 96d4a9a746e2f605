"""Signing PDFs for the vectors: pyHanko for what it makes, and its embedder for signatures that are made elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from io import BytesIO
from typing import Any

from asn1crypto import crl as asn1_crl
from asn1crypto import keys
from asn1crypto import x509 as asn1_x509
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import fields, signers
from pyhanko.sign.signers import cms_embedder, pdf_byterange
from pyhanko.sign.timestamps.dummy_client import DummyTimeStamper
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.registry import SimpleCertificateStore

from tests.vectors import paper
from tests.vectors.identities import Signer, World
from tests.vectors.statements import crl_of

PADES = fields.SigSeedSubFilter.PADES
BASE = paper.written(paper.OBJECTS)


def library_signer(signer: Signer) -> signers.SimpleSigner:
    """`signer` for pyHanko, with nothing but its own certificate, as the Government's tools embed it."""
    return signers.SimpleSigner(loaded(signer), private(signer), SimpleCertificateStore())  # type: ignore[no-untyped-call]


def loaded(signer: Signer) -> asn1_x509.Certificate:
    """The certificate for asn1crypto."""
    return asn1_x509.Certificate.load(signer.der)


def private(signer: Signer) -> keys.PrivateKeyInfo:
    """The key for asn1crypto."""
    return keys.PrivateKeyInfo.load(signer.key_der)


def stamper(authority: Signer, at: datetime) -> DummyTimeStamper:
    """An authority that says what time it is."""
    return DummyTimeStamper(loaded(authority), private(authority), fixed_dt=at)


def signed(
    signer: Signer,
    data: bytes = BASE,
    *,
    field: str = "Signature1",
    at: datetime | None = None,
    authority: Signer | None = None,
    box: tuple[int, int, int, int] | None = None,
    strict: bool = True,
    **meta: Any,
) -> bytes:
    """`data` with a signature by pyHanko; with a time-stamp where an authority is given."""
    writer = IncrementalPdfFileWriter(BytesIO(data), strict=strict)
    if writer.prev.encrypted:
        writer.encrypt(b"")  # type: ignore[no-untyped-call]
    spec = fields.SigFieldSpec(field, box=box) if box else None
    metadata = signers.PdfSignatureMetadata(field_name=field, **meta)
    clock = stamper(authority, at) if authority and at else None
    worker = signers.PdfSigner(metadata, library_signer(signer), timestamper=clock, new_field_spec=spec)
    return bytes(worker.sign_pdf(writer).getvalue())


def stamped(data: bytes, authority: Signer, at: datetime, field: str = "Stamp1") -> bytes:
    """`data` with a document time-stamp."""
    worker = signers.PdfTimeStamper(stamper(authority, at), field_name=field)
    return bytes(worker.timestamp_pdf(IncrementalPdfFileWriter(BytesIO(data)), "sha256").getvalue())


def archived(world: World, at: datetime) -> bytes:
    """PAdES B-LTA: time-stamp, evidence, document time-stamp."""
    evidence = asn1_crl.CertificateList.load(crl_of(world, at - timedelta(hours=1)))
    found = ValidationContext(trust_roots=[loaded(world.ca)], crls=[evidence], allow_fetching=False, moment=at)
    options: dict[str, Any] = {"subfilter": PADES, "embed_validation_info": True, "use_pades_lta": True, "validation_context": found}
    return signed(world.person, at=at, authority=world.authority, **options)


def embedded(
    make: Callable[[bytes], bytes],
    data: bytes = BASE,
    *,
    subfilter: str = "/adbe.pkcs7.detached",
    field: str = "Signature1",
    size: int = 12_000,
    box: tuple[int, int, int, int] | None = None,
    strict: bool = True,
    change: Callable[[Any], None] | None = None,
) -> bytes:
    """`data` with what `make` says of the covered bytes. `change` may spoil the signature dictionary before it is written."""
    writer = IncrementalPdfFileWriter(BytesIO(data), strict=strict)
    spec = replace(fields.SigFieldSpec(field), box=box)
    steps = cms_embedder.PdfCMSEmbedder(new_field_spec=spec).write_cms(field_name=field, writer=writer)
    next(steps)
    kind = "/DocTimeStamp" if subfilter == "/ETSI.RFC3161" else "/Sig"
    placeholder = pdf_byterange.PdfSignedData(obj_type=generic.NameObject(kind), subfilter=PADES, bytes_reserved=size)
    placeholder[generic.NameObject("/SubFilter")] = generic.NameObject(subfilter)
    if change:
        change(placeholder)
    steps.send(cms_embedder.SigObjSetup(sig_placeholder=placeholder))
    prepared, output = steps.send(cms_embedder.SigIOSetup(md_algorithm="sha256", in_place=False))
    octets = bytes(output.getvalue())
    content = octets[: prepared.reserved_region_start] + octets[prepared.reserved_region_end :]
    steps.send(make(content))
    return bytes(output.getvalue())
