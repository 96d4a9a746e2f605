"""The one parser: encodings, limits, and that everyone who reads a value reads the same."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import pytest

from schemas import xml
from schemas.errors import Refused
from schemas.limits import DEFAULT_LIMITS

TEXT = "<a>Khánh Hòa – Đà Nẵng</a>"

ENCODINGS: dict[str, tuple[bytes, str, str, str]] = {
    "nothing said": (TEXT.encode(), "", "UTF-8", "default"),
    "declared": (f'<?xml version="1.0" encoding="utf-8"?>{TEXT}'.encode(), "", "UTF-8", "declaration"),
    "declared in single quotes": (f"<?xml version='1.0' encoding = 'UTF-8'?>{TEXT}".encode(), "", "UTF-8", "declaration"),
    "the protocol says it": (TEXT.encode("utf-16-le"), "utf-16le", "UTF-16LE", "protocol"),
    "the protocol beats the declaration": (f'<?xml version="1.0" encoding="ISO-8859-1"?>{TEXT}'.encode(), "UTF-8", "UTF-8", "protocol"),
    "a mark beats the protocol": (b"\xef\xbb\xbf" + TEXT.encode(), "iso-8859-1", "UTF-8", "bom"),
    "a UTF-16 mark": (TEXT.encode("utf-16"), "", "UTF-16LE", "bom"),
    "a big-endian mark": (b"\xfe\xff" + TEXT.encode("utf-16-be"), "", "UTF-16BE", "bom"),
}


@pytest.mark.parametrize(("raw", "charset", "encoding", "origin"), ENCODINGS.values(), ids=ENCODINGS)
def test_text_is_decoded_by_mark_then_protocol_then_declaration(raw: bytes, charset: str, encoding: str, origin: str) -> None:
    parsed = xml.parse(raw, charset=charset)
    assert (parsed.encoding, parsed.encoding_from) == (encoding, origin)
    assert xml.text_of(parsed.root) == "Khánh Hòa – Đà Nẵng"
    assert parsed.raw is raw


TEXTS = {
    "plain": ("<a>xy</a>", "xy"),
    "empty": ("<a/>", ""),
    "a comment": ("<a>x<!-- no -->y</a>", "xy"),
    "a comment first": ("<a><!-- no -->xy</a>", "xy"),
    "an instruction": ("<a>x<?no no?>y</a>", "xy"),
    "CDATA": ("<a>x<![CDATA[<y>]]></a>", "x<y>"),
    "references": ("<a>x&#x79;&lt;</a>", "xy<"),
    "elements": ("<a>x<b>y</b>z</a>", "xyz"),
    "only elements": ("<a><b>y</b></a>", "y"),
}


@pytest.mark.parametrize(("raw", "text"), TEXTS.values(), ids=TEXTS)
def test_the_whole_text_is_read_whatever_stands_between(raw: str, text: str) -> None:
    assert xml.text_of(xml.parse(raw.encode()).root) == text


def test_a_path_names_elements_and_counts_only_where_there_are_several() -> None:
    root = xml.parse(b'<a xmlns="u"><b/><b><c/><!-- --><d xmlns="v"/><d/></b></a>').root
    paths = [xml.path_of(one) for one in root.iter() if isinstance(one.tag, str)]
    assert paths == ["/a", "/a/b[1]", "/a/b[2]", "/a/b[2]/c", "/a/b[2]/d[1]", "/a/b[2]/d[2]"]


def test_names_and_lines() -> None:
    root = xml.parse(b'<a>\n<q:b xmlns:q="u"/>\n<!-- --></a>').root
    (child,) = xml.child_elements(root)
    assert (xml.local_name(child), xml.namespace(child), xml.line_of(child)) == ("b", "u", 2)
    assert (xml.local_name(root[1]), xml.namespace(root)) == ("", "")


def test_a_fault_names_its_own_line_also_beside_other_threads() -> None:
    lines: list[tuple[int, int]] = []

    def work(n: int) -> None:
        for _ in range(50):
            with pytest.raises(Refused) as refused:
                xml.parse(b"<a>" + b"\n" * n + b"</b>")
            lines.append((refused.value.violations[0].line, n + 1))

    threads = [threading.Thread(target=work, args=(n,)) for n in (3, 7)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len(lines) == 100
    assert all(got == expected for got, expected in lines)


def test_limits_are_the_callers() -> None:
    raw = b"<a><b/><b/><b/></a>"
    assert xml.parse(raw, limits=replace(DEFAULT_LIMITS, max_elements=4)).root.tag == "a"
    for limits, code in (
        (replace(DEFAULT_LIMITS, max_elements=3), "resource-limit"),
        (replace(DEFAULT_LIMITS, max_depth=1), "resource-limit"),
    ):
        with pytest.raises(Refused) as refused:
            xml.parse(raw, limits=limits)
        assert refused.value.code == code
    with pytest.raises(Refused) as refused:
        xml.parse(raw, max_bytes=5)
    assert refused.value.code == "too-large"


def test_a_schema_finds_what_it_includes_beside_it(tmp_path: Path) -> None:
    head = '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">'
    (tmp_path / "b.xsd").write_text(f'{head}<xs:simpleType name="t"><xs:restriction base="xs:int"/></xs:simpleType></xs:schema>')
    main = tmp_path / "a.xsd"
    main.write_text(f'{head}<xs:include schemaLocation="b.xsd"/><xs:element name="a" type="t"/></xs:schema>')
    schema = xml.load_schema(main.read_bytes(), base_url=str(main))
    assert schema.validate(xml.parse(b"<a>1</a>").root)
    assert not schema.validate(xml.parse(b"<a>x</a>").root)
