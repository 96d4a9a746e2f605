"""Kinds of signed files told by their bytes."""

from __future__ import annotations

import base64

import pytest

from signing.container import Kind, kind_of
from signing.ooxml import examine_ooxml
from tests.signing.material import PACKET
from tests.signing.signed_files import around, world
from tests.vectors import build_asic, build_cms, build_ooxml, sign_pdf
from tests.vectors.case import run

TYPES = b'<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>'


def _pem() -> bytes:
    return run("openssl", "cms", "-cmsout", "-inform", "DER", "-outform", "PEM", given=build_cms.openssl(world().person))


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (PACKET, Kind.EDXML),
        (b"\xef\xbb\xbf<?xml version='1.0'?><a/>", Kind.XML),
        ("<?xml version='1.0' encoding='UTF-16'?><edXML/>".encode("utf-16"), Kind.EDXML),
        ("\r\n <edXML/>".encode("utf-16"), Kind.EDXML),
        (b"\xfe\xff" + "\n<edXML/>".encode("utf-16-be"), Kind.EDXML),
        (sign_pdf.BASE, Kind.PDF),
        (build_cms.openssl(world().person), Kind.CMS),
        (build_cms.openssl(world().person, "-nodetach", "-stream"), Kind.CMS),
        (_pem(), Kind.CMS),
        (base64.encodebytes(build_cms.openssl(world().person)), Kind.CMS),
        (build_ooxml.package(world()), Kind.OOXML),
        (build_asic.packed({"a.txt": b"x"}), Kind.ZIP),
        (b"PK\x03\x04 and no more", Kind.ZIP),
        (build_ooxml.package(world())[:-30], Kind.OOXML),
        (build_asic.packed({"mimetype": b"application/vnd.etsi.asic-e+zip", "a.txt": b"x"})[:-30], Kind.ASIC),
        (b"0\x80", Kind.CMS),
        (_pem()[:-30], Kind.CMS),
        (b"", Kind.UNKNOWN),
        (b"Kinh gui", Kind.UNKNOWN),
    ],
    ids=[
        "packet",
        "XML",
        "UTF-16",
        "UTF-16 after an empty line",
        "UTF-16BE after an empty line",
        "PDF",
        "CMS",
        "CMS in BER",
        "PEM",
        "base64",
        "Office",
        "ZIP",
        "torn ZIP",
        "torn Office",
        "torn ASiC",
        "torn CMS",
        "torn PEM",
        "nothing",
        "text",
    ],
)
def test_the_kind_is_told_by_the_bytes(data: bytes, kind: Kind) -> None:
    assert kind_of(data) is kind


def test_an_unsigned_office_document_has_no_finding() -> None:
    assert examine_ooxml(build_asic.packed({"[Content_Types].xml": TYPES}), around()) == ()
