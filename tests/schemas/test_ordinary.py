"""Ordinary packets read in one pass: the pass finds what the walk finds, and nothing that walk or schema would object to passes it."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from lxml import etree

from hub import bench_packets
from schemas import xml
from schemas.edxml import examination, names, ordinary, structure
from schemas.edxml.packet import DocumentPacket, Packet, StatusPacket
from schemas.edxml.parts import Walk
from schemas.edxml.writer import write_document, write_status
from schemas.errors import Refused, Violation
from schemas.limits import DEFAULT_LIMITS, Limits
from tests import packets
from tests.schemas.judging import FIXTURES, Change, replaced, without
from tests.schemas.test_properties import DOCUMENT, FRAGMENTS, SPANS, STATUS, spoiled
from tests.schemas.test_reader import VARIANTS
from tests.schemas.test_violations import DOCUMENTS, STATUSES, into, valued


def _doubled_as_status(raw: bytes) -> bytes:
    head, begin, rest = raw.partition(b"<edXML:MessageHeader>")
    inside, end, tail = rest.partition(b"</edXML:MessageHeader>")
    return b"".join([head, begin, inside, end, b"<edXML:Status>", inside, b"</edXML:Status>", tail])


SIGNATURE = (
    b'<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:SignedInfo Id="a">x</ds:SignedInfo></ds:Signature>'
    b"</edXML:edXMLHeader>"
)
ORDINARY = {
    "a document": packets.document(),
    "a recall": packets.recall(),
    "an update": packets.update(),
    "a replacement": packets.replacement(),
    "a status": packets.status(),
    "Status instead of MessageHeader": packets.status().replace(b"edXML:MessageHeader", b"edXML:Status"),
    "a signed document": packets.document().replace(b"</edXML:edXMLHeader>", SIGNATURE),
    "two files": packets.document(attachments=packets.FILES * 2),
    "no attachment": packets.document(attachments=()),
    "the C# SDK's order": packets.in_csharp_order(packets.document()),
    "the SDK's decoration": VARIANTS["decorative signature"](packets.document()),
    "UTF-16": VARIANTS["UTF-16"](packets.document()),
}
EXTRAORDINARY: dict[str, tuple[bytes, Change]] = {
    **{f"document: {name}": (packets.document(), case[0]) for name, case in DOCUMENTS.items()},
    **{f"status: {name}": (packets.status(), case[0]) for name, case in STATUSES.items()},
    **{f"variant: {name}": (packets.document(), change) for name, change in VARIANTS.items()},
    "text behind an element": (packets.document(), replaced("</edXML:Subject>", "</edXML:Subject>1212")),
    "text in an empty container": (packets.document(), into("OtherInfo", "1")),
    "text before the envelope": (packets.document(), replaced("<edXML:edXMLEnvelope", "x<edXML:edXMLEnvelope")),
    "an attribute on a text": (packets.document(), replaced("<edXML:Subject>", '<edXML:Subject lang="vi">')),
    "xsi:nil": (packets.document(), replaced("<edXML:To>", '<edXML:To xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:nil="true">')),
    "another namespace": (packets.document(), replaced("<edXML:Subject>", '<edXML:Subject xmlns:edXML="u">')),
    "an empty identifier": (packets.document(), valued("DocumentId", " ")),
    "an identifier of a no-break space": (packets.document(), valued("DocumentId", "\u00a0")),
    "a no-break space between elements": (packets.document(), replaced("<edXML:Subject>", "\u00a0<edXML:Subject>")),
    "an empty decoration": (packets.document(), replaced("</edXML:edXMLHeader>", "<Signature/></edXML:edXMLHeader>")),
    "an empty decoration at the end": (packets.document(), replaced("</edXML>", "<Signature/></edXML>")),
    "both MessageHeader and Status": (packets.status(), _doubled_as_status),
    "text in a decoration": (packets.document(), replaced("</edXML:edXMLHeader>", "<Signature>x<a/></Signature></edXML:edXMLHeader>")),
    "xsi:type in a decoration": (
        packets.document(),
        replaced(
            "</edXML:edXMLHeader>",
            '<Signature><a xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:type="b"/></Signature></edXML:edXMLHeader>',
        ),
    ),
    "a signature in Code": (
        packets.document(),
        into("Code", "<ds:Signature xmlns:ds='http://www.w3.org/2000/09/xmldsig#'><a/></ds:Signature>"),
    ),
    "both manifests": (packets.document(), replaced("</edXML:edXMLBody>", "<edXML:Manifest/></edXML:edXMLBody>")),
    "a status with a body": (packets.status(), replaced("</edXML:edXMLEnvelope>", "<edXML:edXMLBody/></edXML:edXMLEnvelope>")),
    "a status with a trace": (packets.status(), replaced("</edXML:edXMLHeader>", "<edXML:TraceHeaderList/></edXML:edXMLHeader>")),
    "a status with files": (
        packets.status(),
        replaced("</edXML>", f"<a:AttachmentEncoded xmlns:a='{names.QCVN102}'/></edXML>"),
    ),
    "a reference by xlink alone": (
        without("ContentId")(packets.document()),
        replaced("<edXML:Reference>", '<edXML:Reference xmlns:l="http://www.w3.org/1999/xlink" l:href="cid:492c072e">'),
    ),
}

Outcome = tuple[Packet, tuple[Violation, ...]] | str


def judged(tree: xml.ParsedXml) -> Outcome:
    try:
        examined = examination.examine_tree(tree)
    except Refused as refused:
        return refused.code
    return examined.packet, examined.violations


def judged_slowly(tree: xml.ParsedXml) -> Outcome:
    """By walk and schema, whatever the packet is like."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ordinary, "read", lambda *_: None)
        patch.setattr(structure, "seen_to_hold", lambda *_: False)
        return judged(tree)


def agree(raw: bytes) -> None:
    """Both ways judge alike, and what is read in one pass is what a walk finds."""
    try:
        tree = xml.parse(raw)
    except Refused:
        return
    assert judged(tree) == judged_slowly(tree)
    once = ordinary.read(tree, DEFAULT_LIMITS)
    if once is not None:
        walk = Walk(DEFAULT_LIMITS)
        assert once == examination.values_of(tree.root, walk)
        contents = [one.encoded for one in once[0].attachments] if isinstance(once[0], DocumentPacket) else []
        walked = examination.values_of(tree.root, walk)[0]
        assert contents == ([one.encoded for one in walked.attachments] if isinstance(walked, DocumentPacket) else [])
        xsd = structure.STATUS_XSD if isinstance(once[0], StatusPacket) else structure.DOCUMENT_XSD
        assert structure.check_all(tree, xsd, walk) == []


def is_ordinary(raw: bytes, limits: Limits = DEFAULT_LIMITS) -> bool:
    return ordinary.read(xml.parse(raw), limits) is not None


@pytest.mark.parametrize("raw", ORDINARY.values(), ids=ORDINARY)
def test_an_ordinary_packet_is_read_in_one_pass(raw: bytes) -> None:
    assert is_ordinary(raw)
    agree(raw)


@pytest.mark.skipif(not FIXTURES.exists(), reason="needs ../shared/fixtures/edxml")
def test_the_official_samples_are_ordinary() -> None:
    for path in sorted(FIXTURES.glob("*.edxml")):
        assert is_ordinary(path.read_bytes()), path.name
        agree(path.read_bytes())


@pytest.mark.parametrize(("raw", "change"), EXTRAORDINARY.values(), ids=EXTRAORDINARY)
def test_what_is_out_of_the_ordinary_is_judged_alike(raw: bytes, change: Change) -> None:
    agree(change(raw))


@settings(max_examples=30, deadline=None)
@given(DOCUMENT)
def test_any_document_is_read_as_it_was_written(packet: DocumentPacket) -> None:
    raw = write_document(packet)
    assert ordinary.read(xml.parse(raw), DEFAULT_LIMITS) == (packet, "MessageHeader")


@settings(max_examples=30, deadline=None)
@given(STATUS)
def test_any_status_is_read_as_it_was_written(packet: StatusPacket) -> None:
    raw = write_status(packet)
    assert ordinary.read(xml.parse(raw), DEFAULT_LIMITS) == (packet, "MessageHeader")


def test_the_packets_that_are_measured_are_ordinary() -> None:
    at = Random(7)
    for make in (bench_packets.ordinary, bench_packets.status):
        for _ in range(10):
            agree(raw := make(at))
            assert is_ordinary(raw)
    agree(raw := bench_packets.with_warnings(at))
    assert not is_ordinary(raw)


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from(list(ORDINARY.values())),
    st.lists(SPANS, min_size=1, max_size=3),
    st.lists(FRAGMENTS | st.binary(max_size=4), min_size=1, max_size=3),
)
def test_no_spoiled_packet_is_judged_otherwise(raw: bytes, places: list[tuple[int, int]], pieces: list[bytes]) -> None:
    agree(spoiled(raw, places, pieces))


NAMES = sorted({name for plan in names.PLANS.values() for name, _ in plan.values()} | {*names.DECORATIVE, "Own"})
SPACES = [names.QCVN102, names.QCVN102, names.XMLDSIG, "urn:own", ""]
CHANGES = ("drop", "double", "move", "rename", "insert", "text", "tail", "attribute", "comment", "instruction")
TEXTS = ["", " ", "\n", "\u00a0", "x", "0", "03", "null"]
ATTRIBUTES = ["version", "{http://www.w3.org/1999/xlink}href", "{http://www.w3.org/2001/XMLSchema-instance}type"]
MUTATION = st.tuples(st.sampled_from(CHANGES), st.integers(0, 10_000), st.integers(0, 10_000))


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(list(ORDINARY.values())), st.lists(MUTATION, min_size=1, max_size=3))
@example(ORDINARY["a status"], [("rename", 4, 0)])
def test_no_rearranged_packet_is_judged_otherwise(raw: bytes, mutations: list[tuple[str, int, int]]) -> None:
    """Well-formed ones, which spoiling seldom leaves: elements dropped, doubled, moved, renamed, put in."""
    root = xml.parse(raw).root
    for change, at, to in mutations:
        _mutate(root, change, at, to)
    agree(etree.tostring(root, encoding="UTF-8"))


def _mutate(root: xml.Element, change: str, at: int, to: int) -> None:
    elements = [one for one in root.iter("*") if one is not root]
    if not elements:
        return
    one, other = elements[at % len(elements)], elements[to % len(elements)]
    parent, name = one.getparent(), f"{{{SPACES[to % len(SPACES)]}}}{NAMES[to % len(NAMES)]}".removeprefix("{}")
    assert parent is not None
    if change == "drop":
        parent.remove(one)
    elif change == "double":
        parent.append(etree.fromstring(etree.tostring(one, with_tail=False)))
    elif change == "move" and one not in (other, *other.iterancestors()):
        other.append(one)
    elif change == "rename":
        one.tag = name
    elif change == "insert":
        one.append(one.makeelement(name))
    elif change == "text":
        one.text = TEXTS[to % len(TEXTS)]
    elif change == "tail":
        one.tail = TEXTS[to % len(TEXTS)]
    elif change == "attribute":
        one.set(ATTRIBUTES[to % len(ATTRIBUTES)], "cid:1")
    elif change in ("comment", "instruction"):
        one.insert(to % (len(one) + 1), etree.Comment("x") if change == "comment" else etree.ProcessingInstruction("x"))


def test_only_what_is_within_the_limits_is_read_in_one_pass() -> None:
    raw = packets.document()
    assert not is_ordinary(raw, replace(DEFAULT_LIMITS, max_children=3))
    assert not is_ordinary(raw, replace(DEFAULT_LIMITS, max_known_elements=10))
    with pytest.raises(Refused, match="resource-limit"):
        examination.examine_tree(xml.parse(raw), replace(DEFAULT_LIMITS, max_children=3))


def test_one_packet_never_changes_how_another_is_judged() -> None:
    """Nothing is remembered: a hostile twin of the same elements before it, and after it, makes no difference."""
    raw = packets.document()
    before = judged(xml.parse(raw))
    for one, change in EXTRAORDINARY.values():
        judged(xml.parse(change(one))) if _is_xml(change(one)) else None
        assert judged(xml.parse(raw)) == before


def _is_xml(raw: bytes) -> bool:
    try:
        xml.parse(raw)
    except Refused:
        return False
    return True
