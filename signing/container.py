"""What kind of signed file bytes are, by looking at them: names and media types are the sender's word only."""

from __future__ import annotations

import re
import zipfile
from enum import StrEnum
from io import BytesIO

from schemas.errors import Refused
from signing import ber, cms_structure

_XML = re.compile(rb"\A(?:\xef\xbb\xbf)?\s*<[?!A-Za-z_]")
_WIDE_XML = re.compile(rb"\A(?:\xff\xfe(?:[\t\n\r ]\0)*<\0|\xfe\xff(?:\0[\t\n\r ])*\0<|<\0\?\0|\0<\0\?)")  # UTF-16
_HEAD = 4096
_TYPES = "[Content_Types].xml"  # of an Office document; 19 characters
_SIGNATURE_FILE = re.compile(r"META-INF/.*(?:signature.*\.(?:p7s|xml)|timestamp.*\.tst|\.p7s|\.tst)", re.IGNORECASE | re.DOTALL)


class Kind(StrEnum):
    """Who reads it."""

    EDXML = "edxml"  # a packet
    XML = "xml"
    PDF = "pdf"
    CMS = "cms"
    TSR = "tsr"  # a time-stamp token or response
    ASIC = "asic"
    OOXML = "ooxml"  # an Office document
    ZIP = "zip"  # of something else
    UNKNOWN = "unknown"


def kind_of(data: bytes) -> Kind:
    """The kind of `data`. Raises nothing; `UNKNOWN` is nobody's."""
    head = data[:_HEAD]
    if head.startswith(b"%PDF-"):
        return Kind.PDF
    if head.startswith(b"PK\x03\x04") or head.startswith(b"PK\x05\x06"):
        return _zip(data)
    if _XML.match(head) or _WIDE_XML.match(head):
        return Kind.EDXML if b"edXML" in head.replace(b"\0", b"") else Kind.XML
    unwrapped = ber.unwrapped(data)
    if unwrapped[:1] == b"\x30":
        return _asn1(unwrapped)
    return Kind.CMS if ber.is_pem(data) else Kind.UNKNOWN  # its reader says what is wrong


def _zip(data: bytes) -> Kind:
    try:
        with zipfile.ZipFile(BytesIO(data)) as opened:
            names = set(opened.namelist())
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError, LookupError):
        names = {data[30:49].decode("ascii", "replace")}  # torn: its first name tells, and its reader says what is wrong
    if _TYPES in names:
        return Kind.OOXML
    if data[30:38] == b"mimetype" or any(_SIGNATURE_FILE.fullmatch(name) for name in names):
        return Kind.ASIC
    return Kind.ZIP


def _asn1(data: bytes) -> Kind:
    try:
        der = ber.definite(data)
        first, *others = cms_structure.members(der)
        if first[:1] == b"\x30":  # PKIStatusInfo
            return Kind.TSR if cms_structure.members(first)[0][:1] == b"\x02" and len(others) < 2 else Kind.UNKNOWN
        if first != _SIGNED_DATA:
            return Kind.UNKNOWN if first[:1] != b"\x06" else Kind.CMS
        return Kind.TSR if _TST_INFO in der[:200] else Kind.CMS
    except (Refused, ValueError, IndexError):
        return Kind.CMS  # a SEQUENCE in the beginning: its reader says what is wrong


_SIGNED_DATA = bytes.fromhex("06092a864886f70d010702")
_TST_INFO = bytes.fromhex("060b2a864886f70d0109100104")
