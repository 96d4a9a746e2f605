"""Kinds of signed files told by their bytes, and Office documents, which are only recognised."""

from __future__ import annotations

import base64
import hashlib

import pytest

from signing.container import Kind, kind_of
from signing.finding import Integrity
from signing.ooxml import examine_ooxml
from tests.signing.material import PACKET
from tests.signing.signed_files import around, world
from tests.vectors import build_asic, build_cms, sign_pdf
from tests.vectors.case import run

TYPES = b'<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>'
BODY = b"<w:document xmlns:w='http://schemas.openxmlformats.org/wordprocessingml/2006/main'/>"


def _signed_document(body: bytes = BODY) -> bytes:
    digest = base64.b64encode(hashlib.sha256(BODY).digest()).decode()
    signature = (
        '<Signature xmlns="http://www.w3.org/2000/09/xmldsig#"><Object><Manifest>'
        '<Reference URI="/word/document.xml?ContentType=application/xml">'
        f'<DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/><DigestValue>{digest}</DigestValue></Reference>'
        '<Reference URI="/_rels/.rels?ContentType=x"><Transforms><Transform Algorithm="relationships"/></Transforms>'
        '<DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/><DigestValue>AA==</DigestValue></Reference>'
        f"</Manifest></Object><KeyInfo><X509Data><X509Certificate>{base64.b64encode(world().person.der).decode()}</X509Certificate>"
        "</X509Data></KeyInfo></Signature>"
    )
    files = {
        "[Content_Types].xml": TYPES,
        "word/document.xml": body,
        "_xmlsignatures/origin.sigs": b"",
        "_xmlsignatures/sig1.xml": signature.encode(),
    }
    return build_asic.packed(files)


def _pem() -> bytes:
    return run("openssl", "cms", "-cmsout", "-inform", "DER", "-outform", "PEM", given=build_cms.openssl(world().person))


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (PACKET, Kind.EDXML),
        (b"\xef\xbb\xbf<?xml version='1.0'?><a/>", Kind.XML),
        ("<?xml version='1.0' encoding='UTF-16'?><edXML/>".encode("utf-16"), Kind.EDXML),
        (sign_pdf.BASE, Kind.PDF),
        (build_cms.openssl(world().person), Kind.CMS),
        (build_cms.openssl(world().person, "-nodetach", "-stream"), Kind.CMS),
        (_pem(), Kind.CMS),
        (base64.encodebytes(build_cms.openssl(world().person)), Kind.CMS),
        (_signed_document(), Kind.OOXML),
        (build_asic.packed({"a.txt": b"x"}), Kind.ZIP),
        (b"PK\x03\x04 and no more", Kind.ZIP),
        (b"0\x80", Kind.CMS),
        (b"", Kind.UNKNOWN),
        (b"Kinh gui", Kind.UNKNOWN),
    ],
    ids=[
        "packet",
        "XML",
        "UTF-16",
        "PDF",
        "CMS",
        "CMS in BER",
        "PEM",
        "base64",
        "Office",
        "ZIP",
        "torn ZIP",
        "torn CMS",
        "nothing",
        "text",
    ],
)
def test_the_kind_is_told_by_the_bytes(data: bytes, kind: Kind) -> None:
    assert kind_of(data) is kind


def test_a_signed_office_document_is_told_and_not_verified() -> None:
    (found,) = examine_ooxml(_signed_document(), around())
    assert (found.kind, found.integrity, found.signer) == ("ooxml", Integrity.UNKNOWN, world().person.der)
    assert "word/document.xml" in found.covers


def test_a_changed_part_of_an_office_document_is_seen() -> None:
    (found,) = examine_ooxml(_signed_document(BODY + b" "), around())
    assert (found.integrity, found.reasons) == (Integrity.FAILED, ("attachment-integrity",))


def test_an_unsigned_office_document_has_no_finding() -> None:
    assert examine_ooxml(build_asic.packed({"[Content_Types].xml": TYPES}), around()) == ()
