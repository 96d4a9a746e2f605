"""What tells the encoding tells it to the parser too, so that nothing is counted in one encoding and read in another."""

from __future__ import annotations

import base64
import codecs
import encodings
import sys
import time
from collections.abc import Callable
from unicodedata import normalize

import pytest

from schemas import namespaces, octets, xml
from schemas.errors import Refused

MAX_SECONDS = 1.0
TEXT = "<a>Khánh Hòa</a>"
PADDING = b" " * 300
SHIFT_JIS = "<a>\u3042</a>".encode("shift_jis")


def declared(name: str, text: str = TEXT) -> str:
    return f'<?xml version="1.0" encoding="{name}"?>{text}'


# What is taken → the encoding, and what says so
TAKEN: dict[str, tuple[bytes, str, str, str]] = {
    "UTF-16LE without a mark": (TEXT.encode("utf-16-le"), "", "UTF-16LE", "default"),
    "UTF-16BE without a mark": (TEXT.encode("utf-16-be"), "", "UTF-16BE", "default"),
    "UTF-16LE behind white space": (f"\r\n {TEXT}".encode("utf-16-le"), "", "UTF-16LE", "default"),
    "UTF-16LE that says UTF-16": (declared("utf-16").encode("utf-16-le"), "", "UTF-16LE", "declaration"),
    "UTF-16BE that says UTF-16": (declared("utf-16").encode("utf-16-be"), "", "UTF-16BE", "declaration"),
    "UTF-16LE that says so": (declared("UTF-16LE").encode("utf-16-le"), "", "UTF-16LE", "declaration"),
    "the protocol's bare UTF-16, little end first": (TEXT.encode("utf-16-le"), "utf-16", "UTF-16LE", "protocol"),
    "the protocol's bare UTF-16, big end first": (TEXT.encode("utf-16-be"), "UTF-16", "UTF-16BE", "protocol"),
    "a mark against a wrong declaration": (codecs.BOM_UTF8 + declared("windows-1252").encode(), "", "UTF-8", "bom"),
    "latin-1 by another name": (TEXT.encode("latin-1"), "ISO_8859-1:1987", "ISO-8859-1", "protocol"),
    "windows-1258": (declared("Windows-1258").replace("ò", "o\u0300").encode("cp1258"), "", "WINDOWS-1258", "declaration"),
    "a declaration of 250 characters": (
        f'<?xml version="1.0"{" " * 200}encoding="UTF-8"?>{TEXT}'.encode(),
        "",
        "UTF-8",
        "declaration",
    ),
}


@pytest.mark.parametrize(("raw", "charset", "encoding", "origin"), TAKEN.values(), ids=TAKEN)
def test_the_parser_reads_by_the_encoding_that_was_told(raw: bytes, charset: str, encoding: str, origin: str) -> None:
    parsed = xml.parse(raw, charset=charset)
    assert (parsed.encoding, parsed.encoding_from) == (encoding, origin)
    assert parsed.root.getroottree().docinfo.encoding == encoding
    assert normalize("NFC", xml.text_of(parsed.root)) == "Khánh Hòa"


@pytest.mark.parametrize(("raw", "charset", "encoding", "origin"), TAKEN.values(), ids=TAKEN)
def test_the_head_alone_tells_as_much(raw: bytes, charset: str, encoding: str, origin: str) -> None:
    behind = raw + " ".encode("utf-16-le") * octets.HEAD_BYTES
    assert octets.encoding_of(behind[: octets.HEAD_BYTES], charset) == (encoding, origin)


def hidden_in_utf_7() -> bytes:
    """900,000 elements with three ``<`` in all."""
    piece = b"+" + base64.b64encode(("<a/>" * 300).encode("utf-16-be")).rstrip(b"=") + b"-"
    return b'<?xml version="1.0"' + PADDING + b'encoding="UTF-7"?><r>' + piece * 3_000 + b"</r>"


def namespaces_on_one(count: int) -> str:
    declarations = "".join(f' xmlns:p{n}="urn:{n}"' for n in range(count))
    return f"<a{declarations}><b/></a>"


# What is not taken → the code
HOSTILE: dict[str, tuple[Callable[[], bytes], str, str]] = {
    "UTF-7 behind a long declaration": (hidden_in_utf_7, "", "encoding"),
    "UTF-7 that the protocol names": (hidden_in_utf_7, "utf-7", "encoding"),
    "Shift_JIS behind a long declaration": (
        lambda: b'<?xml version="1.0"' + PADDING + b'encoding="Shift_JIS"?>' + SHIFT_JIS,
        "",
        "encoding",
    ),
    "Shift_JIS behind a long declaration in UTF-16": (
        lambda: f'<?xml version="1.0"{" " * 300}encoding="Shift_JIS"?><a/>'.encode("utf-16-le"),
        "",
        "encoding",
    ),
    "Shift_JIS declared in UTF-16": (lambda: declared("Shift_JIS").encode("utf-16-le"), "", "encoding"),
    "windows-1258 declared in UTF-16": (lambda: declared("windows-1258").encode("utf-16-le"), "", "encoding"),
    "UTF-16BE declared in UTF-16LE": (lambda: declared("UTF-16BE").encode("utf-16-le"), "", "encoding"),
    "UTF-16 declared in UTF-8": (lambda: declared("UTF-16").encode(), "", "encoding"),
    "bare UTF-16 by the protocol, and nothing to tell its order": (lambda: b"<a/>", "utf-16", "encoding"),
    "a declaration without end": (lambda: b'<?xml version="1.0" ' + b"x" * 1_000_000, "", "encoding"),
    "a declared name of 200 characters": (lambda: declared("a" * 200).encode(), "", "encoding"),
    "UTF-32LE without a mark": (lambda: TEXT.encode("utf-32-le"), "", "encoding"),
    "UTF-32BE without a mark": (lambda: TEXT.encode("utf-32-be"), "", "encoding"),
    "EBCDIC": (lambda: declared("IBM037", "<a/>").encode("cp037"), "", "encoding"),
    "a charset with a null": (lambda: b"<a/>", "a\x00b", "encoding"),
    "a charset that would be UTF-8 without its null": (lambda: b"<a/>", "utf\x008", "encoding"),
    "a charset with half a character": (lambda: b"<a/>", "utf\ud800-8", "encoding"),
    "a charset that would be UTF-8 without its accent": (lambda: b"<a/>", "utf\u1ea1-8", "encoding"),
    "a charset of a mebibyte": (lambda: b"<a/>", "u" * 2**20, "encoding"),
    "a charset that names a module": (lambda: b"<a/>", "idna", "encoding"),
    "20,000 declarations in UTF-16LE without a mark": (lambda: namespaces_on_one(20_000).encode("utf-16-le"), "", "resource-limit"),
    "20,000 declarations in UTF-16BE without a mark": (lambda: namespaces_on_one(20_000).encode("utf-16-be"), "", "resource-limit"),
    "20,000 declarations in UTF-16LE, declared": (
        lambda: declared("utf-16", namespaces_on_one(20_000)).encode("utf-16-le"),
        "",
        "resource-limit",
    ),
    "20,000 declarations in the protocol's bare UTF-16": (
        lambda: namespaces_on_one(20_000).encode("utf-16-be"),
        "utf-16",
        "resource-limit",
    ),
}


@pytest.mark.parametrize(("make", "charset", "code"), HOSTILE.values(), ids=HOSTILE)
def test_what_hides_behind_its_encoding_is_refused_at_once(make: Callable[[], bytes], charset: str, code: str) -> None:
    raw = make()
    start = time.process_time()
    with pytest.raises(Refused) as refused:
        xml.parse(raw, charset=charset)
    assert time.process_time() - start < MAX_SECONDS
    assert refused.value.code == code


def test_an_unknown_charset_is_neither_imported_nor_remembered() -> None:
    before = set(sys.modules)
    for n in range(50):
        with pytest.raises(Refused):
            octets.encoding_of(b"<a/>", f"x-{n}")
    assert not [name for name in encodings._cache if str(name).startswith("x-")]
    assert set(sys.modules) == before


def test_declarations_are_counted_on_the_tree_too() -> None:
    root = xml.reread(namespaces_on_one(70).encode())
    namespaces.check_declared(root, 70)
    with pytest.raises(Refused, match="70 namespace declarations"):
        namespaces.check_declared(root, 69)
    assert (namespaces.in_scope(root, 100), namespaces.in_scope(root[0], 100), namespaces.in_scope(root, 9)) == (70, 70, 10)


def in_scope_of_all(declarations: int, elements: int) -> bytes:
    return namespaces_on_one(declarations).replace("<b/>", "<b/>" * elements).encode()


# Within every limit of `parse`: declarations on the root, elements below it, exclusive form, prefixes listed
DEAR: dict[str, tuple[int, int, bool, int]] = {
    "inclusive, 990 declarations over 5,000 elements": (990, 5_000, False, 0),
    "inclusive, 64 declarations over 190,000 elements": (64, 190_000, False, 0),
    "exclusive with 64 prefixes, 64 declarations over 190,000 elements": (64, 190_000, True, 64),
}


@pytest.mark.parametrize(("declarations", "elements", "exclusive", "prefixes"), DEAR.values(), ids=DEAR)
def test_a_dear_canonical_form_is_refused_before_it_is_made(declarations: int, elements: int, exclusive: bool, prefixes: int) -> None:
    root = xml.parse(in_scope_of_all(declarations, elements)).root
    listed = tuple(f"p{n}" for n in range(prefixes))
    start = time.process_time()
    with pytest.raises(Refused) as refused:
        xml.canonical(root, exclusive=exclusive, inclusive_prefixes=listed)
    assert time.process_time() - start < MAX_SECONDS
    assert refused.value.code == "resource-limit"


@pytest.mark.parametrize("exclusive", [True, False], ids=["exclusive", "inclusive"])
def test_the_largest_honest_packet_has_its_canonical_form(exclusive: bool) -> None:
    root = xml.parse(in_scope_of_all(10, 190_000)).root
    start = time.process_time()
    assert xml.canonical(root, exclusive=exclusive)
    assert time.process_time() - start < MAX_SECONDS
