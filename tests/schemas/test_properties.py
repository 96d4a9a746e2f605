"""Properties of reader and writer: what is written is read back, and no bytes raise anything but a refusal."""

from __future__ import annotations

import re
from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.edxml.attachments import attachments_of
from schemas.edxml.packet import (
    Bussiness,
    BussinessDocumentInfo,
    Code,
    DocumentPacket,
    DocumentType,
    Organization,
    OtherInfo,
    PromulgationInfo,
    Receiver,
    ReplacementInfo,
    ResponseFor,
    SignerInfo,
    StaffInfo,
    StatusPacket,
    TraceHeader,
)
from schemas.edxml.packing import File, with_files
from schemas.edxml.writer import write_document, write_status
from schemas.errors import Refused, Severity
from tests import packets
from tests.schemas.judging import read, read_document, read_status, report

SOME = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
MANY = settings(max_examples=250, deadline=None)

XML_CHARS = st.characters(codec="utf-8", exclude_categories=["Cs"]).filter(
    lambda ch: not re.match("[^\t\n\r\x20-\ufffd\U00010000-\U0010ffff]", ch)
)
ANY_TEXT = st.text(XML_CHARS, max_size=40)
SOME_TEXT = ANY_TEXT.filter(lambda text: text.strip() != "")
CODE = ANY_TEXT.map(str.strip)
ORGAN = st.from_regex(r"[A-Y][0-9]{2}(\.[0-9]{1,2}){0,2}", fullmatch=True)
DATE = st.dates().map(lambda day: f"{day.year:04}/{day.month:02}/{day.day:02}")
TIME = st.datetimes().map(lambda at: f"{at.year:04}/{at.month:02}/{at.day:02} {at.hour:02}:{at.minute:02}:{at.second:02}")
ORGANIZATION = st.builds(Organization, ORGAN, *[ANY_TEXT] * 7)
ABOUT = st.builds(ResponseFor, CODE, CODE, DATE, CODE).filter(lambda one: any((one.organ_id, one.code, one.document_id)))
STAFF = st.builds(StaffInfo, SOME_TEXT, *[ANY_TEXT] * 5)
NAMED = SOME_TEXT.map(str.strip).filter(bool)


def several(one: st.SearchStrategy[object]) -> st.SearchStrategy[tuple[object, ...]]:
    """A few of them."""
    return st.lists(one, max_size=2).map(tuple)


BUSINESS = st.builds(
    Bussiness,
    document_id=CODE,
    bussiness_doc_type=st.sampled_from("0123"),
    bussiness_doc_reason=ANY_TEXT,
    paper=st.sampled_from(["", "0", "1"]),
    document_infos=several(
        st.builds(BussinessDocumentInfo, st.just("1"), st.just("0"), several(st.builds(Receiver, NAMED, st.sampled_from("01"))))
    ),
    replacements=several(st.builds(ReplacementInfo, NAMED, several(NAMED))),
    staff=several(STAFF),
)
DOCUMENT = st.builds(
    DocumentPacket,
    sender=ORGANIZATION,
    to=st.lists(ORGANIZATION, min_size=1, max_size=2).map(tuple),
    document_id=NAMED,
    code=st.builds(Code, NAMED, NAMED),
    promulgation=st.builds(PromulgationInfo, ANY_TEXT, DATE),
    subject=SOME_TEXT,
    document_type=st.builds(DocumentType, CODE, CODE, ANY_TEXT),
    content=ANY_TEXT,
    signer=st.builds(SignerInfo, *[ANY_TEXT] * 3),
    due_date=st.just("") | DATE,
    other_info=st.builds(OtherInfo, *[ANY_TEXT] * 8, appendixes=several(SOME_TEXT)),
    response_for=several(ABOUT),
    steering_type=CODE,
    task_codes=several(SOME_TEXT),
    application_type=CODE,
    to_places=several(SOME_TEXT),
    trace=st.lists(st.builds(TraceHeader, ORGAN, TIME), max_size=2).map(tuple),
    bussiness=st.none() | BUSINESS,
)
STATUS = st.builds(
    StatusPacket,
    sender=ORGANIZATION,
    response_for=st.builds(ResponseFor, ORGAN, CODE, DATE, NAMED),
    status_code=st.sampled_from(["01", "02", "03", "04", "05", "06", "13", "15", "16"]),
    timestamp=TIME,
    description=ANY_TEXT,
    staff=st.none() | STAFF,
)
FILES = st.lists(st.builds(File, st.text(XML_CHARS, min_size=1, max_size=20), st.binary(min_size=1, max_size=200)), max_size=3)


@SOME
@given(DOCUMENT)
def test_a_document_is_read_back_as_it_was_written(packet: DocumentPacket) -> None:
    assert read_document(write_document(packet)) == packet


@SOME
@given(STATUS)
def test_a_status_is_read_back_as_it_was_written(packet: StatusPacket) -> None:
    assert read_status(write_status(packet)) == packet


@SOME
@given(FILES)
def test_files_come_back_with_their_bytes(files: list[File]) -> None:
    raw = write_document(with_files(packets.document_packet(), files))
    found = attachments_of(read(raw).packet)
    assert [one.data for one in found] == [one.data for one in files]


@MANY
@given(SOME_TEXT)
def test_any_text_that_xml_can_carry_comes_back(text: str) -> None:
    assert read_document(write_document(replace(packets.document_packet(), subject=text))).subject == text


@MANY
@given(st.text(max_size=30))
def test_any_text_is_written_or_refused(text: str) -> None:
    try:
        raw = write_document(replace(packets.document_packet(), content=text))
    except Refused as refused:
        assert refused.code == "unwritable-text"
    else:
        assert read_document(raw).content == text


SPANS = st.tuples(st.integers(0, 10_000), st.integers(0, 30))


def spoiled(raw: bytes, spans: list[tuple[int, int]], pieces: list[bytes]) -> bytes:
    """`raw` with `spans` cut out and `pieces` put in their place."""
    for (start, length), piece in zip(spans, pieces, strict=False):
        at = start % len(raw)
        raw = raw[:at] + piece + raw[at + length :]
        if not raw:
            break
    return raw


FRAGMENTS = st.sampled_from(
    [
        b"",
        b"<edXML:OrganId>",
        b"</edXML:To>",
        b"<!-- ",
        b"-->",
        b"<![CDATA[",
        b"]]>",
        b"&amp;",
        b"&#0;",
        b"&x;",
        b"<!DOCTYPE a>",
        b'xmlns="" ',
        b'xsi:type="a" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" ',
        b'xsi:nil="true" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" ',
        b"<?a b?>",
        "Ạ".encode(),
        b"\xff",
        b"\x00",
        b"null",
        b"UEsDBA==",
    ]
)


@MANY
@given(
    st.sampled_from([packets.document(), packets.status(), packets.update(), packets.replacement()]),
    st.lists(SPANS, min_size=1, max_size=4),
    st.lists(FRAGMENTS | st.binary(max_size=8), min_size=1, max_size=4),
)
def test_no_spoiled_packet_raises_anything_but_a_refusal(raw: bytes, spans: list[tuple[int, int]], pieces: list[bytes]) -> None:
    raw = spoiled(raw, spans, pieces)
    try:
        envelope = read(raw)
    except Refused as refused:
        assert refused.as_json()["code"] == refused.code
        assert not report(raw).ok
        return
    attachments_of(envelope.packet)
    assert report(raw).ok
    assert all(one.severity is Severity.WARNING for one in envelope.warnings)


@MANY
@given(st.lists(SPANS, min_size=1, max_size=3), st.lists(st.binary(max_size=8), min_size=1, max_size=3))
def test_no_spoiled_archive_raises_anything_but_a_refusal(spans: list[tuple[int, int]], pieces: list[bytes]) -> None:
    archive = packets.zipped([("6c1f5b1e-2a3d-4c77-9a0e-0f2d5b8f1a11.pdf", packets.PDF * 3)])
    raw = packets.with_bytes(b"PK\x03\x04" + spoiled(archive, spans, pieces)[4:])
    try:
        attachments_of(read(raw).packet)
    except Refused as refused:
        assert refused.code.startswith("attachment-")


@MANY
@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_but_a_refusal(raw: bytes) -> None:
    assert not report(raw).ok
