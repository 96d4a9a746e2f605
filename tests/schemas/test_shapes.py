"""Layouts that are remembered: what is recalled is what a walk finds, and nothing out of the ordinary is taken for ordinary."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas import xml
from schemas.edxml import examination, shapes, structure
from schemas.edxml.packet import DocumentPacket, StatusPacket
from schemas.edxml.parts import Walk
from schemas.edxml.writer import write_document, write_status
from schemas.errors import Refused
from schemas.limits import DEFAULT_LIMITS
from tests import packets
from tests.schemas.judging import Change, inbound, read, replaced, without
from tests.schemas.test_properties import DOCUMENT, FRAGMENTS, SPANS, STATUS, spoiled
from tests.schemas.test_reader import VARIANTS
from tests.schemas.test_violations import DOCUMENTS, STATUSES, into, valued

SIGNED = (
    b'<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:SignedInfo Id="a">x</ds:SignedInfo></ds:Signature>'
    b"</edXML:edXMLHeader>"
)


@pytest.fixture(autouse=True)
def nothing_remembered() -> Iterator[None]:
    """Each test begins without memory, and leaves none."""
    shapes.forget()
    yield
    shapes.forget()


def examine(raw: bytes) -> examination.Examined:
    return examination.examine(inbound(raw))


def remember(raw: bytes) -> None:
    """Meets `raw` often enough to know its layout."""
    for _ in range(3):
        examine(raw)


def recalled(raw: bytes) -> object:
    return shapes.recall(xml.parse(raw), DEFAULT_LIMITS)


def walked(raw: bytes) -> object:
    return examination.values_of(xml.parse(raw).root, Walk(DEFAULT_LIMITS))


MADE = {
    "a document": packets.document(),
    "a recall": packets.recall(),
    "an update": packets.update(),
    "a replacement": packets.replacement(),
    "a status": packets.status(),
    "Status instead of MessageHeader": packets.status().replace(b"edXML:MessageHeader", b"edXML:Status"),
    "a signed document": packets.document().replace(b"</edXML:edXMLHeader>", SIGNED),
    "two files": packets.document(attachments=[*packets.FILES, *packets.FILES[:0]] * 2),
    "no attachment": packets.document(attachments=()),
}


@pytest.mark.parametrize("raw", MADE.values(), ids=MADE)
def test_the_second_packet_of_a_layout_is_recalled_as_it_would_be_walked(raw: bytes) -> None:
    assert recalled(raw) is None
    before = examine(raw)
    remember(raw)
    assert recalled(raw) == walked(raw)
    after = examine(raw)
    assert (after.packet, after.violations) == (before.packet, before.violations)


@settings(max_examples=40, deadline=None)
@given(DOCUMENT)
def test_any_document_is_recalled_as_it_was_written(packet: DocumentPacket) -> None:
    raw = write_document(packet)
    remember(raw)
    assert recalled(raw) in (None, (packet, "MessageHeader"))


@settings(max_examples=40, deadline=None)
@given(STATUS)
def test_any_status_is_recalled_as_it_was_written(packet: StatusPacket) -> None:
    raw = write_status(packet)
    remember(raw)
    assert recalled(raw) in (None, (packet, "MessageHeader"))


def test_other_values_in_a_known_layout_are_read() -> None:
    remember(packets.document())
    other = packets.document("H32.07", ("H32.09",), "8f14e45f", subject=" Trích yếu \n khác ")
    assert recalled(other) is not None
    assert read(other).packet == replace(packets.document_packet("H32.07", ("H32.09",), "8f14e45f", subject=" Trích yếu \n khác "))


CHANGES: dict[str, tuple[bytes, Change]] = {
    **{f"document: {name}": (packets.document(), case[0]) for name, case in DOCUMENTS.items()},
    **{f"status: {name}": (packets.status(), case[0]) for name, case in STATUSES.items()},
    **{f"variant: {name}": (packets.document(), change) for name, change in VARIANTS.items()},
    "text behind an element": (packets.document(), replaced("</edXML:Subject>", "</edXML:Subject>1212")),
    "text in an empty container": (packets.document(), into("OtherInfo", "1")),
    "an attribute on a text": (packets.document(), replaced("<edXML:Subject>", '<edXML:Subject lang="vi">')),
    "an attribute moved to a text": (
        packets.document(),
        lambda raw: replaced("<edXML:Subject>", '<edXML:Subject version="1.0">')(replaced(' version="1.0">', ">", 1)(raw)),
    ),
    "xsi:nil": (packets.document(), replaced("<edXML:To>", '<edXML:To xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:nil="true">')),
    "another namespace": (packets.document(), replaced("<edXML:Subject>", '<edXML:Subject xmlns:edXML="u">')),
    "an empty identifier": (packets.document(), valued("DocumentId", " ")),
    "a no-break space between elements": (packets.document(), replaced("<edXML:Subject>", "\u00a0<edXML:Subject>")),
}


@pytest.mark.parametrize(("raw", "change"), CHANGES.values(), ids=CHANGES)
def test_what_is_out_of_the_ordinary_is_found_as_without_memory(raw: bytes, change: Change) -> None:
    changed = change(raw)
    try:
        before = examine(changed)
    except Refused as refused:
        remember(raw)
        with pytest.raises(Refused, match=refused.code):
            examine(changed)
        return
    remember(raw)
    remember(changed)
    after = examine(changed)
    assert (after.packet, after.violations) == (before.packet, before.violations)


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(list(MADE.values())),
    st.lists(SPANS, min_size=1, max_size=3),
    st.lists(FRAGMENTS | st.binary(max_size=4), min_size=1, max_size=3),
)
def test_no_spoiled_packet_is_judged_otherwise_from_memory(raw: bytes, places: list[tuple[int, int]], pieces: list[bytes]) -> None:
    remember(raw)
    spoilt = spoiled(raw, places, pieces)
    try:
        tree = xml.parse(spoilt)
        found = examination.examine_tree(tree)
    except Refused:
        return
    assert shapes.recall(tree, DEFAULT_LIMITS) in (None, examination.values_of(tree.root, Walk(DEFAULT_LIMITS)))
    walk = Walk(DEFAULT_LIMITS)
    packet, _ = examination.values_of(tree.root, walk)
    if structure.seen_to_hold(tree, walk, packet):
        xsd = structure.STATUS_XSD if found.is_status else structure.DOCUMENT_XSD
        assert structure.check_all(tree, xsd, walk) == []
    else:
        assert not structure.has_needed(packet) or recalled(spoilt) is None


def test_a_layout_that_comes_once_is_not_kept() -> None:
    examine(packets.document())
    assert recalled(packets.document()) is None


def test_no_more_is_kept_than_a_fixed_number_of_layouts() -> None:
    for count in range(1, 80):
        remember(packets.document(recipients=[f"H32.{n}" for n in range(count)], attachments=()))
    assert shapes.kept() <= 64


def test_a_layout_is_recalled_within_the_limits_only() -> None:
    raw = packets.document()
    remember(raw)
    tree = xml.parse(raw)
    assert shapes.recall(tree, replace(DEFAULT_LIMITS, max_children=3)) is None
    assert shapes.recall(tree, replace(DEFAULT_LIMITS, max_known_elements=10)) is None
    with pytest.raises(Refused, match="resource-limit"):
        examination.examine_tree(tree, replace(DEFAULT_LIMITS, max_children=3))


def test_a_reference_named_by_xlink_alone_is_never_recalled() -> None:
    href = '<edXML:Reference xmlns:xlink="http://www.w3.org/1999/xlink" xlink:href="cid:492c072e-6445-503f-b331-bb340e6655aa">'
    raw = replaced("<edXML:Reference>", href)(without("ContentId")(packets.document()))
    remember(raw)
    assert recalled(raw) is None
