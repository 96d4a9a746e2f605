"""Hostile bytes: each is refused by name, within bounded time and memory, whatever it tries."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from schemas.limits import DEFAULT_LIMITS, MIB
from tests import packets
from tests.schemas.judging import found, read, refusal, replaced

DECLARATION = b'<?xml version="1.0" encoding="UTF-8"?>'
MAX_SECONDS = 4.0  # on a busy machine; alone, each takes a fraction of it


def with_doctype(subset: str) -> bytes:
    """A packet behind a DOCTYPE."""
    return packets.document().replace(DECLARATION, DECLARATION + f"<!DOCTYPE edXML {subset}>".encode())


def entity(name: str = "x") -> Callable[[bytes], bytes]:
    """A reference to an entity in the Subject."""
    return replaced("<edXML:Subject>", f"<edXML:Subject>&{name};")


def in_business(text: str) -> bytes:
    """A packet with `text` inside Bussiness."""
    return replaced("<edXML:BussinessDocReason>", f"{text}<edXML:BussinessDocReason>")(packets.document())


def with_attributes(count: int) -> bytes:
    """A packet whose From has `count` attributes."""
    attributes = " ".join(f'a{n}="1"' for n in range(count))
    return replaced("<edXML:From>", f"<edXML:From {attributes}>")(packets.document())


def laughs() -> bytes:
    """Entities of entities."""
    lines = ['<!ENTITY a0 "lol">', *(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))]
    return entity("a9")(with_doctype(f"[{''.join(lines)}]"))


WRONG_TEXTS = "".join(
    f"<edXML:{name}><b/></edXML:{name}>" for name in ("Department", "DepartmentId", "Staff", "StaffId", "Email", "Mobile")
)

HOSTILE: dict[str, tuple[Callable[[], bytes], set[str]]] = {
    "a DOCTYPE alone": (lambda: with_doctype(""), {"dtd-forbidden"}),
    "an external DTD": (lambda: with_doctype('SYSTEM "file:///etc/passwd"'), {"dtd-forbidden"}),
    "an external DTD over HTTP": (lambda: with_doctype('PUBLIC "x" "http://127.0.0.1:9/x.dtd"'), {"dtd-forbidden"}),
    "an internal entity": (lambda: entity()(with_doctype('[<!ENTITY x "y">]')), {"dtd-forbidden"}),
    "an external entity": (lambda: entity()(with_doctype('[<!ENTITY x SYSTEM "file:///etc/passwd">]')), {"dtd-forbidden"}),
    "a parameter entity": (lambda: with_doctype('[<!ENTITY % x SYSTEM "file:///etc/passwd"> %x;]'), {"dtd-forbidden", "malformed-xml"}),
    "a default attribute": (lambda: with_doctype('[<!ATTLIST edXML a CDATA "1">]'), {"dtd-forbidden"}),
    "a billion laughs": (laughs, {"dtd-forbidden", "resource-limit"}),
    "an entity nobody declared": (lambda: entity()(packets.document()), {"dtd-forbidden"}),
    "XInclude": (
        lambda: in_business('<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="file:///etc/passwd" parse="text"/>'),
        {"unknown-element"},
    ),
    "depth 65": (lambda: in_business("<a>" * 65 + "</a>" * 65), {"resource-limit"}),
    "depth 10,000": (lambda: in_business("<a>" * 10_000 + "</a>" * 10_000), {"resource-limit"}),
    "65 attributes": (lambda: with_attributes(65), {"resource-limit"}),
    "40,000 attributes": (lambda: with_attributes(40_000), {"resource-limit"}),
    "10,000 namespaces": (lambda: in_business("".join(f'<a xmlns="u{n}"/>' for n in range(10_000))), {"resource-limit"}),
    "500,000 elements": (lambda: in_business("<a/>" * 500_000), {"resource-limit"}),
    "190,000 elements in one": (lambda: in_business("<a/>" * 190_000), {"resource-limit"}),
    "3,900 unknown elements": (lambda: in_business("<edXML:a/>" * 3_900), {"unknown-element"}),
    "180,000 wrong elements in folds": (
        lambda: in_business(
            ("<edXML:BussinessDocumentInfo>" + "<edXML:DocumentInfo><b/></edXML:DocumentInfo>" * 45 + "</edXML:BussinessDocumentInfo>")
            * 2_000
        ),
        {"resource-limit"},
    ),
    "23,400 wrong texts": (
        lambda: in_business(f"<edXML:StaffInfo>{WRONG_TEXTS}</edXML:StaffInfo>" * 3_900),
        {"element-in-text"},
    ),
    "190,000 comments in a text": (
        lambda: replaced("<edXML:Subject>", f"<edXML:Subject>{'a<!---->' * 190_000}")(packets.document()),
        {"too-long"},
    ),
    "a Subject of 2 MB": (lambda: replaced("<edXML:Subject>", f"<edXML:Subject>{'ă' * MIB}x")(packets.document()), {"resource-limit"}),
    "a name of 300 characters": (lambda: in_business(f"<{'a' * 400}/>"), {"resource-limit"}),
    "1,001 recipients": (
        lambda: packets.document(recipients=[f"H{n:02}.{m}" for n in range(11) for m in range(100)][:1001]),
        {"too-many-recipients"},
    ),
    "3,900 Reference": (
        lambda: replaced("</edXML:Reference>", "</edXML:Reference>" + "<edXML:Reference/>" * 3_900)(packets.document()),
        {"reference-without-attachment"},
    ),
    "a null byte": (lambda: packets.document().replace(b"V/v", b"V\x00v"), {"encoding", "malformed-xml"}),
    "a null by reference": (lambda: replaced("V/v", "V&#0;v")(packets.document()), {"encoding", "malformed-xml"}),
    "latin-1 bytes declared as UTF-8": (lambda: packets.document().replace("Sở".encode(), b"S\xf4"), {"encoding"}),
    "UTF-8 declared as UTF-16": (lambda: packets.document().replace(b"UTF-8", b"UTF-16"), {"encoding", "malformed-xml"}),
    "an encoding nobody needs": (lambda: packets.document().replace(b"UTF-8", b"UTF-7"), {"encoding"}),
    "an encoding that does not exist": (lambda: packets.document().replace(b"UTF-8", b"x-none"), {"encoding"}),
    "EBCDIC": (lambda: packets.document(subject="x").decode("utf-8").encode("cp500", "replace"), {"malformed-xml", "encoding"}),
    "UTF-32": (lambda: packets.document().decode("utf-8").encode("utf-32"), {"encoding"}),
    "a packet behind another": (lambda: packets.document() + packets.document(), {"malformed-xml"}),
    "a prefix before the declaration": (lambda: b"1212" + packets.document(), {"bytes-before-declaration"}),
    "a prefix nobody declared": (
        lambda: (
            packets.document()
            .replace(b"<AttachmentEncoded>", b"<q:AttachmentEncoded>")
            .replace(b"</AttachmentEncoded>", b"</q:AttachmentEncoded>")
        ),
        {"undeclared-prefix"},
    ),
    "half a packet": (lambda: packets.document()[: len(packets.document()) // 2], {"malformed-xml", "encoding"}),
    "nothing": (lambda: b"", {"empty-body"}),
    "white space": (lambda: b" \r\n\t", {"empty-body"}),
    "a PDF": (lambda: packets.PDF, {"malformed-xml"}),
    "a zip": (lambda: packets.zipped([("a", b"b")]), {"malformed-xml", "encoding"}),
    "53 MB": (lambda: packets.document() + b" " * 53 * MIB, {"too-large"}),
}


@pytest.mark.parametrize(("make", "codes"), HOSTILE.values(), ids=HOSTILE)
def test_hostile_bytes_cost_little_and_are_named(make: Callable[[], bytes], codes: set[str]) -> None:
    raw = make()
    start = time.process_time()
    codes_found = found(raw)
    assert time.process_time() - start < MAX_SECONDS
    assert codes_found & codes, codes_found
    assert len(codes_found) < 10


def test_a_list_of_violations_is_bounded() -> None:
    limits = replace(DEFAULT_LIMITS, max_violations=7)
    raw = packets.document().replace(b"</edXML:From>", b"<edXML:OrganId/></edXML:From>" * 1)
    for n in range(30):
        raw = replaced("<edXML:DocumentId>", f"<edXML:To><edXML:OrganName>{n}</edXML:OrganName></edXML:To><edXML:DocumentId>")(raw)
    assert len(refusal(raw, limits=limits).violations) == 7


def test_an_external_schema_or_file_is_never_fetched(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    pipe.write_text("<!-- never read -->")
    before = pipe.stat().st_atime_ns
    location = f'xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:schemaLocation="u file://{pipe}" i:noNamespaceSchemaLocation="file://{pipe}"'
    read(replaced("<edXML:From>", f"<edXML:From {location}>")(packets.document()))
    assert pipe.stat().st_atime_ns == before


BOMS: dict[str, bytes] = {
    "UTF-8": b"\xef\xbb\xbf" + packets.document(),
    "UTF-16LE": packets.document().decode("utf-8").replace("UTF-8", "UTF-16").encode("utf-16"),
    "UTF-16BE": b"\xfe\xff" + packets.document().decode("utf-8").replace("UTF-8", "UTF-16").encode("utf-16-be"),
}


@pytest.mark.parametrize("raw", BOMS.values(), ids=BOMS)
def test_a_byte_order_mark_decides_against_the_protocol(raw: bytes) -> None:
    assert read(raw, charset="windows-1258").document_id == packets.DOCUMENT_ID


def test_the_protocols_charset_decides_against_the_declaration() -> None:
    raw = packets.document().replace(b'encoding="UTF-8"', b'encoding="iso-8859-1"')
    assert read(raw, charset="utf-8").document_id == packets.DOCUMENT_ID
    assert read(raw).document_id != packets.DOCUMENT_ID


def test_vietnamese_without_any_declaration_is_utf_8() -> None:
    assert read(packets.document().replace(DECLARATION, b"")).document_id == packets.DOCUMENT_ID
