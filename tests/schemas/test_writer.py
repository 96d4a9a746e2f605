"""The strict writer: byte by byte, because receivers depend on more than XML says."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from schemas.edxml.packet import (
    Bussiness,
    Code,
    DocumentPacket,
    Organization,
    PromulgationInfo,
    Reference,
    ResponseFor,
    StatusPacket,
    TraceHeader,
)
from schemas.edxml.packing import File, with_files
from schemas.edxml.writer import write_document, write_status
from schemas.errors import Refused
from tests import packets
from tests.schemas.judging import found, read_document
from tests.schemas.write_golden import FOLDER, golden

SKELETON = """\
<?xml version="1.0" encoding="UTF-8"?>
<edXML xmlns="http://www.mic.gov.vn/TBT/QCVN_102_2016">
  <edXML:edXMLEnvelope xmlns:edXML="http://www.mic.gov.vn/TBT/QCVN_102_2016">
    <edXML:edXMLHeader>
      <edXML:MessageHeader>
        <edXML:From>
          <edXML:OrganId>000.00.00.G22</edXML:OrganId>
        </edXML:From>
        <edXML:To>
          <edXML:OrganId>000.00.00.H41</edXML:OrganId>
        </edXML:To>
        <edXML:DocumentId>000.00.00.G22,2015/09/30,7816/VPCP-TTĐT</edXML:DocumentId>
        <edXML:Code>
          <edXML:CodeNumber>7816</edXML:CodeNumber>
          <edXML:CodeNotation>VPCP-TTĐT</edXML:CodeNotation>
        </edXML:Code>
        <edXML:PromulgationInfo>
          <edXML:PromulgationDate>2015/09/30</edXML:PromulgationDate>
        </edXML:PromulgationInfo>
        <edXML:Subject>V/v A &amp; B &lt;gấp&gt;</edXML:Subject>
      </edXML:MessageHeader>
      <edXML:TraceHeaderList>
        <edXML:TraceHeader>
          <edXML:OrganId>000.00.00.G22</edXML:OrganId>
          <edXML:Timestamp>2018/09/28 00:00:00</edXML:Timestamp>
        </edXML:TraceHeader>
      </edXML:TraceHeaderList>
    </edXML:edXMLHeader>
    <edXML:edXMLBody>
      <edXML:edXMLManifest version="1.0">
        <edXML:Reference>
          <edXML:ContentId>cid:209</edXML:ContentId>
          <edXML:ContentType>application/zip</edXML:ContentType>
          <edXML:Description>tài liệu</edXML:Description>
          <edXML:AttachmentName>a.pdf</edXML:AttachmentName>
        </edXML:Reference>
      </edXML:edXMLManifest>
    </edXML:edXMLBody>
  </edXML:edXMLEnvelope>
  <AttachmentEncoded>
    <Attachment>
      <ContentId>cid:209</ContentId>
      <AttachmentName>a.pdf</AttachmentName>
      <Description>tài liệu</Description>
      <ContentType>application/zip</ContentType>
      <edXML:ContentTransferEncoded xmlns:edXML="http://www.mic.gov.vn/TBT/QCVN_102_2016">QUJD</edXML:ContentTransferEncoded>
    </Attachment>
  </AttachmentEncoded>
</edXML>
"""  # written by hand after the official samples: order, prefixes and declarations are literal

STATUS_SKELETON = """\
<?xml version="1.0" encoding="UTF-8"?>
<edXML xmlns="http://www.mic.gov.vn/TBT/QCVN_102_2016">
  <edXML:edXMLEnvelope xmlns:edXML="http://www.mic.gov.vn/TBT/QCVN_102_2016">
    <edXML:edXMLHeader>
      <edXML:MessageHeader>
        <edXML:From>
          <edXML:OrganId>000.00.00.H41</edXML:OrganId>
        </edXML:From>
        <edXML:ResponseFor>
          <edXML:OrganId>000.00.00.G22</edXML:OrganId>
          <edXML:Code>7816/VPCP-TTĐT</edXML:Code>
          <edXML:PromulgationDate>2015/09/30</edXML:PromulgationDate>
          <edXML:DocumentId>000.00.00.G22,2015/09/30,7816/VPCP-TTĐT</edXML:DocumentId>
        </edXML:ResponseFor>
        <edXML:StatusCode>01</edXML:StatusCode>
        <edXML:Description>Đã đến</edXML:Description>
        <edXML:Timestamp>2015/09/20 11:08:36</edXML:Timestamp>
      </edXML:MessageHeader>
    </edXML:edXMLHeader>
  </edXML:edXMLEnvelope>
</edXML>
"""

JAVA_ORDER = (
    *("From", "To", "DocumentId", "Code", "PromulgationInfo", "DocumentType", "Subject", "Content", "SignerInfo", "DueDate", "OtherInfo"),
    *("ResponseFor", "SteeringType", "ResponseForTask", "ApplicationType", "ToPlaces"),
)
ID = "000.00.00.G22,2015/09/30,7816/VPCP-TTĐT"


def smallest() -> DocumentPacket:
    """A document with what the skeleton shows and no more."""
    bare = DocumentPacket(
        sender=Organization("000.00.00.G22"),
        to=(Organization("000.00.00.H41"),),
        document_id=ID,
        code=Code("7816", "VPCP-TTĐT"),
        promulgation=PromulgationInfo("", "2015/09/30"),
        subject="V/v A & B <gấp>",
        trace=(TraceHeader("000.00.00.G22", "2018/09/28 00:00:00"),),
        references=(Reference("209", "application/zip", "tài liệu", "a.pdf"),),
    )
    carried = replace(with_files(bare, [File("a.pdf", b"")]).attachments[0], content_id="209", description="tài liệu", source="QUJD")
    return replace(bare, attachments=(carried,))


def smallest_status() -> StatusPacket:
    """The status of the second skeleton."""
    about = ResponseFor("000.00.00.G22", "7816/VPCP-TTĐT", "2015/09/30", ID)
    return StatusPacket(Organization("000.00.00.H41"), about, "01", "2015/09/20 11:08:36", "Đã đến")


def test_a_document_is_laid_out_literally_as_the_official_sdk_does() -> None:
    assert write_document(smallest()) == SKELETON.replace("\n", "\r\n").encode("utf-8")


def test_a_status_is_laid_out_literally_as_the_official_sdk_does() -> None:
    assert write_status(smallest_status()) == STATUS_SKELETON.replace("\n", "\r\n").encode("utf-8")


@pytest.mark.parametrize("name", golden())
def test_the_golden_packets_are_still_written_byte_by_byte(name: str) -> None:
    assert golden()[name] == (FOLDER / name).read_bytes()


def test_no_golden_packet_is_left_over() -> None:
    assert {path.name for path in FOLDER.glob("*.edxml")} == set(golden())


def test_another_process_writes_the_same_bytes() -> None:
    program = "import sys; from tests import packets; sys.stdout.buffer.write(packets.document())"
    again = subprocess.run([sys.executable, "-c", program], cwd=Path(__file__).parents[2], capture_output=True, check=True)
    assert again.stdout == packets.document()


def test_the_java_sdks_order_is_kept() -> None:
    text = packets.document().decode("utf-8")
    depth = "\r\n        <edXML:"  # children of MessageHeader
    places = [text.index(f"{depth}{name}>") for name in JAVA_ORDER]
    assert places == sorted(places)


def test_the_prefix_is_never_used_where_it_is_not_in_scope() -> None:
    text = packets.document().decode("utf-8")
    outside = text[text.index("</edXML:edXMLEnvelope>") + 22 :]
    assert "<AttachmentEncoded>" in outside
    assert outside.count("edXML:") == outside.count("edXML:ContentTransferEncoded")
    assert 'edXML:ContentTransferEncoded xmlns:edXML="' in outside


def test_base64_stands_on_one_line() -> None:
    raw = packets.document(attachments=[File("a.pdf", bytes(range(256)) * 40)])
    line = next(line for line in raw.split(b"\r\n") if b"ContentTransferEncoded" in line)
    assert line.count(b"ContentTransferEncoded") == 2


def test_what_was_read_can_be_written_again() -> None:
    packet = read_document(packets.document())
    assert write_document(packet) == packets.document()


UNWRITABLE = {"a null": "\x00", "an escape": "\x1b", "a lone surrogate": "\ud800", "U+FFFE": "\ufffe", "vertical tab": "\x0b"}


@pytest.mark.parametrize("text", UNWRITABLE.values(), ids=UNWRITABLE)
def test_characters_that_xml_cannot_carry_are_refused(text: str) -> None:
    with pytest.raises(Refused) as refused:
        write_document(replace(smallest(), subject=f"V/v {text}"))
    assert refused.value.code == "unwritable-text"
    assert "Subject" in refused.value.got


Spoil = Callable[[DocumentPacket], DocumentPacket]
INCOMPLETE: dict[str, tuple[Spoil, str]] = {
    "no sender": (lambda p: replace(p, sender=Organization()), "missing-element"),
    "no recipient": (lambda p: replace(p, to=()), "missing-element"),
    "a recipient without code": (lambda p: replace(p, to=(*p.to, Organization(organ_name="Sở"))), "missing-element"),
    "no id": (lambda p: replace(p, document_id=" "), "missing-element"),
    "no number": (lambda p: replace(p, code=Code("", "X")), "missing-element"),
    "no notation": (lambda p: replace(p, code=Code("1", "")), "missing-element"),
    "no subject": (lambda p: replace(p, subject=""), "missing-element"),
    "no date": (lambda p: replace(p, promulgation=PromulgationInfo()), "missing-element"),
    "a date in another form": (lambda p: replace(p, promulgation=PromulgationInfo("", "30/09/2015")), "not-a-date"),
    "a due date in another form": (lambda p: replace(p, due_date="2015-10-01"), "not-a-date"),
    "an unknown type": (lambda p: replace(p, bussiness=Bussiness(bussiness_doc_type="4")), "unknown-document-type"),
}


@pytest.mark.parametrize(("spoil", "code"), INCOMPLETE.values(), ids=INCOMPLETE)
def test_what_the_reader_would_refuse_is_not_written(spoil: Spoil, code: str) -> None:
    with pytest.raises(Refused) as refused:
        write_document(spoil(smallest()))
    assert refused.value.code == code


INCOMPLETE_STATUSES: dict[str, tuple[StatusPacket, str]] = {
    "no sender": (replace(smallest_status(), sender=Organization()), "missing-element"),
    "nobody to answer": (replace(smallest_status(), response_for=ResponseFor("", "1/X")), "missing-element"),
    "no document": (replace(smallest_status(), response_for=ResponseFor("H32")), "missing-element"),
    "no time": (replace(smallest_status(), timestamp=""), "missing-element"),
    "a time in another form": (replace(smallest_status(), timestamp="2015-09-20T11:08:36Z"), "not-a-date"),
    "an unknown code": (replace(smallest_status(), status_code="07"), "unknown-status-code"),
    "a code of one digit": (replace(smallest_status(), status_code="1"), "unknown-status-code"),
}


@pytest.mark.parametrize(("packet", "code"), INCOMPLETE_STATUSES.values(), ids=INCOMPLETE_STATUSES)
def test_a_status_that_the_reader_would_refuse_is_not_written(packet: StatusPacket, code: str) -> None:
    with pytest.raises(Refused) as refused:
        write_status(packet)
    assert refused.value.code == code


def test_what_is_written_has_no_violation() -> None:
    assert all(found(raw) == set() for raw in golden().values())
