"""Every packet a sender can get wrong, at both faces: a status, a code, Vietnamese text, a trace id, and never a traceback."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable

import pytest

from schemas.errors import catalogue
from tests.api.documents import document
from tests.api.face import Face
from tests.api.judging import SOAP, check_fault, check_problem, enveloped

DSIG = "http://www.w3.org/2000/09/xmldsig#"
MAX_SECONDS = 1.0  # of CPU, all threads together


def undeclared(raw: bytes) -> str:
    """Without its XML declaration, to be written in another encoding."""
    return raw.decode().partition("?>")[2].strip()


def many_declared(raw: bytes, count: int) -> bytes:
    """`count` namespace declarations on the root."""
    return raw.replace(b"<edXML ", b"<edXML " + b" ".join(b'xmlns:p%d="urn:%d"' % (n, n) for n in range(count)) + b" ", 1)


def signed(raw: bytes) -> bytes:
    """With a signature that no key made, in the inclusive form: what it is made of has to be read before that shows."""
    signature = f"""<ds:Signature xmlns:ds="{DSIG}"><ds:SignedInfo>
<ds:CanonicalizationMethod Algorithm="http://www.w3.org/TR/2001/REC-xml-c14n-20010315"/>
<ds:SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"/>
<ds:Reference URI=""><ds:Transforms><ds:Transform Algorithm="{DSIG}enveloped-signature"/></ds:Transforms>
<ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/><ds:DigestValue>AAAA</ds:DigestValue></ds:Reference>
</ds:SignedInfo><ds:SignatureValue>AAAA</ds:SignatureValue></ds:Signature>"""
    return raw.replace(b"</x:edXMLHeader>", signature.encode() + b"</x:edXMLHeader>", 1)


PACKETS: dict[str, tuple[Callable[[], bytes], str]] = {
    "empty": (lambda: b"", "empty-body"),
    "blank": (lambda: b" \r\n\t ", "empty-body"),
    "malformed: an element is not closed": (lambda: b"<edXML><a></edXML>", "malformed-xml"),
    "malformed: cut in the middle": (lambda: document()[:900], "malformed-xml"),
    "malformed: plain text": ("Kính gửi".encode, "malformed-xml"),
    "malformed: JSON": (lambda: b'{"edXML": {}}', "malformed-xml"),
    "malformed: a PDF": (lambda: b"%PDF-1.7\n\x00\xff\xfe", "malformed-xml"),
    "a document type": (lambda: document().replace(b"?>", b"?><!DOCTYPE edXML>", 1), "dtd-forbidden"),
    "an entity": (lambda: document().replace(b"?>", b'?><!DOCTYPE a [<!ENTITY e "x">]>', 1).replace(b"V/v", b"&e;"), "dtd-forbidden"),
    "an external entity": (
        lambda: document().replace(b"?>", b'?><!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]>', 1).replace(b"V/v", b"&e;"),
        "dtd-forbidden",
    ),
    "an entity nobody declared": (lambda: document().replace(b"V/v", b"&nbsp;"), "dtd-forbidden"),
    "a billion laughs": (
        lambda: b'<!DOCTYPE a [<!ENTITY a "ha">' + b"".join(b'<!ENTITY a%d "%s">' % (n, b"&a;" * 10) for n in range(9)) + b"]><a>&a8;</a>",
        "dtd-forbidden",
    ),
    "not UTF-8 although it says so": (lambda: document().replace("Sở".encode(), b"S\xf4"), "encoding"),
    "in an encoding nobody uses": (lambda: document().replace(b"UTF-8", b"EBCDIC-US"), "encoding"),
    "UTF-7 behind a long declaration": (
        lambda: b'<?xml version="1.0"' + b" " * 300 + b'encoding="UTF-7"?>' + undeclared(document()).encode("utf-7"),
        "encoding",
    ),
    "20,000 declarations in UTF-16 without a mark": (
        lambda: undeclared(many_declared(signed(document()), 20_000)).encode("utf-16-le"),
        "resource-limit",
    ),
    "900 declarations above a signature": (lambda: many_declared(signed(document()), 900), "resource-limit"),
    "a prefix without declaration": (lambda: document().replace(b"<x:Subject>", b"<x:Subject y:z='1'>"), "undeclared-prefix"),
    "too deep": (lambda: b"<a>" * 100 + b"</a>" * 100, "resource-limit"),
    "too many attributes": (lambda: b"<a " + b" ".join(b'a%d="1"' % n for n in range(200)) + b"/>", "resource-limit"),
    "another namespace": (lambda: document().replace(b"QCVN_102_2016", b"QCVN_102_2017"), "wrong-namespace"),
    "another document": (lambda: b"<html/>", "not-edxml"),
    "an unknown recipient": (lambda: document(to=["Z99"]), "unknown-recipient"),
    "one unknown recipient among known ones": (lambda: document(to=["000.00.13.H53", "Z99"]), "unknown-recipient"),
    "an unknown agency as sender": (lambda: document(sender="Z98.7"), "sender-not-permitted"),
    "another agency as sender": (lambda: document(sender="000.00.13.H53"), "sender-not-permitted"),
}


@pytest.mark.parametrize(("packet", "code"), PACKETS.values(), ids=PACKETS.keys())
def test_a_packet_that_is_wrong_has_a_problem(face: Face, packet: Callable[[], bytes], code: str) -> None:
    raw = packet()
    start = time.process_time()
    check_problem(face.send(raw), code)
    assert time.process_time() - start < MAX_SECONDS


@pytest.mark.parametrize("version", SOAP)
@pytest.mark.parametrize(("packet", "code"), PACKETS.values(), ids=PACKETS.keys())
def test_a_packet_that_is_wrong_has_a_fault(face: Face, version: str, packet: Callable[[], bytes], code: str) -> None:
    body = enveloped(base64.b64encode(packet()).decode(), version)
    answer = face.ask("POST", "/soap/v1", system="mot-cua", body=body, headers={"Content-Type": SOAP[version][1]})
    assert answer.status == (500 if version == "SOAP 1.1" else 400) or answer.status == catalogue()[code].http_status == 413
    check_fault(answer, version, code)


def test_all_unknown_recipients_are_listed(face: Face) -> None:
    told = face.send(document(to=["Z97", "000.00.13.H53", "Z98"])).json()
    assert [one["got"] for one in told["violations"]] == ["Z97", "Z98"]


def test_all_violations_of_a_packet_are_listed_with_their_places(face: Face) -> None:
    raw = document().replace(b"<x:DocumentId>", b"<x:DocumentI>").replace(b"</x:DocumentId>", b"</x:DocumentI>")
    told = face.send(raw.replace(b"<x:CodeNumber>", b"<x:Number>").replace(b"</x:CodeNumber>", b"</x:Number>")).json()
    places = " ".join(one["path"] + one["got"] + one["expected"] for one in told["violations"])
    assert "DocumentId" in places
    assert "CodeNumber" in places
    assert all(one["message"]["vi"] and one["remedy"]["en"] for one in told["violations"])
