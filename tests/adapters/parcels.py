"""Parcels for the tests of adapters."""

from __future__ import annotations

from uuid import UUID

from schemas.agency import AgencyCode
from schemas.message import Kind, Parcel

TOKEN = "s3cret-token-of-motcua"


def parcel(key: str = "d1-1", body: bytes = b"<edXML/>", document_id: str = "000.00.13.H53,2026/11/21,123/UBND-VP") -> Parcel:
    return Parcel(
        key=key,
        message_id=UUID("5f0f6f5e-0000-4000-8000-000000000001"),
        recipients=(AgencyCode.of("H32.01"),),
        sender=AgencyCode.of("000.00.13.H53"),
        kind=Kind.DOCUMENT_NEW,
        document_id=document_id,
        content_type="application/xml",
        body=body,
    )
