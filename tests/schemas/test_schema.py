"""The XSD on its own, as an integrator would use it, and that the reader's tables say the same."""

from __future__ import annotations

from pathlib import Path

import pytest
from lxml import etree

from schemas import xml
from schemas.edxml import names
from schemas.edxml.structure import DOCUMENT_XSD, STATUS_XSD, XSD_FOLDER
from schemas.errors import catalogue
from tests import packets
from tests.schemas.judging import FIXTURES, Change, doubled, emptied, without

XS = "{http://www.w3.org/2001/XMLSchema}"
SOURCES = (XSD_FOLDER / "SOURCES.md").read_text("utf-8")


def compiled(name: str) -> etree.XMLSchema:
    path = XSD_FOLDER / name
    return xml.load_schema(path.read_bytes(), base_url=str(path))


DOCUMENT, STATUS = compiled(DOCUMENT_XSD), compiled(STATUS_XSD)


def is_valid(raw: bytes, schema: etree.XMLSchema = DOCUMENT) -> bool:
    return bool(schema.validate(xml.parse(raw).root))


@pytest.mark.skipif(not FIXTURES.is_dir(), reason="../shared/fixtures/edxml is not there")
@pytest.mark.fixtures
def test_the_samples_are_valid_by_the_schema_alone() -> None:
    for path in sorted(FIXTURES.glob("*.edxml")):
        assert is_valid(path.read_bytes(), STATUS if path.name.startswith("status") else DOCUMENT), path.name


@pytest.mark.parametrize("make", [packets.document, packets.recall, packets.update, packets.replacement])
def test_what_we_write_is_valid_in_any_order(make: object) -> None:
    assert callable(make)
    raw = make()
    assert is_valid(raw)
    assert is_valid(packets.unprefixed(raw))
    assert is_valid(packets.moved(raw, "From", after="Subject"))


def test_a_status_is_valid_by_its_own_schema_only() -> None:
    assert is_valid(packets.status(), STATUS)
    assert not is_valid(packets.status(), DOCUMENT)
    assert not is_valid(packets.document(), STATUS)


REFUSED: dict[str, Change] = {
    "no From": without("From"),
    "no OrganId": without("OrganId"),
    "an empty OrganId": emptied("OrganId"),
    "no To": without("To"),
    "no DocumentId": without("DocumentId"),
    "two DocumentId": doubled("DocumentId"),
    "two From": doubled("From"),
    "two Subject": doubled("Subject"),
    "two DueDate": doubled("DueDate"),
    "no CodeNumber": without("CodeNumber"),
    "no PromulgationDate": without("PromulgationDate"),
    "an empty Subject": emptied("Subject"),
    "two MessageHeader": doubled("MessageHeader"),
    "two Email of one agency": doubled("Email"),
}


@pytest.mark.parametrize("change", REFUSED.values(), ids=REFUSED)
def test_the_schema_alone_refuses(change: Change) -> None:
    assert not is_valid(change(packets.document()))


def _types() -> dict[str, set[str]]:
    """Complex type → names of the children it lists, groups resolved; anonymous types under their element's name."""
    roots = [xml.parse(path.read_bytes()).root for path in XSD_FOLDER.glob("*.xsd") if path.name != STATUS_XSD]
    groups = {group.get("name"): _children(group, {}) for root in roots for group in root.iterfind(f"{XS}group")}
    found: dict[str, set[str]] = {}
    for root in roots:
        for kind in root.iter(f"{XS}complexType"):
            parent = kind.getparent()
            name = kind.get("name") or (parent.get("name") if parent is not None else None)
            assert name is not None
            found[name] = _children(kind, groups)
    return found


def _children(node: xml.Element, groups: dict[str | None, set[str]]) -> set[str]:
    inside: set[str] = set()
    for child in xml.child_elements(node):
        if child.tag == f"{XS}element":
            inside.add(str(child.get("name") or child.get("ref")))
        elif child.tag == f"{XS}group":
            inside |= groups.get(child.get("ref"), set())
        elif child.tag not in (f"{XS}complexType", f"{XS}key", f"{XS}unique"):
            inside |= _children(child, groups)
    return inside


TYPE_NAMES = {"edXMLEnvelope": "Envelope", "edXMLHeader": "Header", "edXMLBody": "Body"}
ONLY_IN_STATUSES = {"edXMLHeader": {"Status"}}


@pytest.mark.parametrize("name", names.CHILDREN)
def test_the_readers_table_is_the_schemas(name: str) -> None:
    assert set(names.CHILDREN[name].values()) - ONLY_IN_STATUSES.get(name, set()) == _types()[TYPE_NAMES.get(name, name)]


def test_the_readers_header_is_the_schemas() -> None:
    assert set(names.DOCUMENT_HEADER.values()) == _types()["MessageHeader"]


def test_every_schema_file_is_explained() -> None:
    assert all(f"`{path.name}`" in SOURCES for path in XSD_FOLDER.glob("*.xsd"))


def test_every_code_of_edxml_can_be_given() -> None:
    source = "".join(path.read_text("utf-8") for path in (Path(XSD_FOLDER).parent / "edxml").glob("*.py"))
    assert [code for code, spec in catalogue().items() if spec.area == "edxml" and f'"{code}"' not in source] == []
