"""What is not a packet of QCVN 102:2016, told apart by its own name: each has a cause, and somewhere else to go.

The 2014 dialects, what they travel in and how they are converted: `dialects`. Which defects are known, and where they were seen:
`defects.toml`.
"""

from __future__ import annotations

import codecs
import re

from schemas import xml
from schemas.edxml import names
from schemas.errors import Refused, Violation

HEAD_BYTES = 1024  # of a file, enough to tell

_MULTIPART = re.compile(rb"\s*--[^\r\n]{1,200}\r?\n(?:[A-Za-z][A-Za-z-]*:[^\r\n]*\r?\n(?:[ \t][^\r\n]*\r?\n)*){1,20}\r?\n")
_BEGINNING = re.compile(rb"<\?xml\s|<(?:edXML:)?edXML[\s>]")
_NOT_XML = frozenset({"malformed-xml", "encoding", "undeclared-prefix"})


def check_ours(root: xml.Element) -> None:
    """Raises `Refused` with `soap-envelope`, `old-dialect`, `flat-envelope`, `wrong-case`, `wrong-namespace` or `not-edxml`."""
    name, space = xml.local_name(root), xml.namespace(root)
    if name == "edXML" and space == names.QCVN102:
        return
    got, expected = f"{{{space}}}{name}", f"{{{names.QCVN102}}}edXML"
    code = _code_of(root, name, space)
    place = Violation(code, path=f"/{name}", line=xml.line_of(root), got=got, expected=expected)
    raise Refused(code, got=got, expected=expected, violations=(place,))


def _code_of(root: xml.Element, name: str, space: str) -> str:
    if name == "Envelope" and space in names.SOAP_ENVELOPES:
        inside = (xml.namespace(one) for part in root.iterchildren("*") for one in part.iterchildren("*"))
        return "old-dialect" if any(one in names.OLD_DIALECTS for one in inside) else "soap-envelope"
    if space in names.OLD_DIALECTS:
        return "old-dialect"
    if space == names.FLAT:
        return "flat-envelope"
    if name.lower() not in ("edxml", "edxmlenvelope"):
        return "not-edxml"
    return "wrong-case" if space == names.QCVN102 and name != "edXMLEnvelope" else "wrong-namespace"


def is_old_multipart(head: bytes) -> bool:
    """Whether a file that begins with `head` is a multipart message, as the 2014 generation wrote its packets to files [J]."""
    return _MULTIPART.match(head) is not None


def is_old_archive(head: bytes) -> bool:
    """Whether it is the zip of ``header.xml`` and ``Attachment.xml`` that came before [J]."""
    name = head[30:60].lower()
    return head.startswith(b"PK\x03\x04") and name.startswith((b"header.xml", b"attachment.xml"))


def named(fault: Refused, head: bytes) -> Refused:
    """`fault` of a parser, by a better name where the beginning of the file tells one."""
    if fault.code not in _NOT_XML:
        return fault
    if is_old_multipart(head) or is_old_archive(head):
        got = "multipart, text/xml" if is_old_multipart(head) else "zip, header.xml"
        place = Violation("old-dialect", line=1, got=got, expected=f"{{{names.QCVN102}}}edXML")
        return Refused("old-dialect", got=got, expected=place.expected, violations=(place,))
    stray = stray_bytes(head)
    if stray:
        place = Violation("bytes-before-declaration", line=1, got=repr(stray[:40])[1:], expected="<?xml")
        return Refused("bytes-before-declaration", got=place.got, expected="<?xml", violations=(place,))
    return fault


def stray_bytes(head: bytes) -> bytes:
    """What stands before the XML declaration (or the root, where there is none) and does not belong there."""
    text = head.removeprefix(codecs.BOM_UTF8)
    begins = _BEGINNING.search(text)
    stray = text[: begins.start()] if begins else b""
    return b"" if b"<" in stray else stray
