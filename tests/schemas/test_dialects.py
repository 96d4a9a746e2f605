"""The 2014 generation: refused unless asked for, told apart, converted to QCVN 102:2016 with every loss named."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from hub.cli import app
from schemas.edxml import reader
from schemas.edxml.attachments import attachments_of
from schemas.edxml.convert import Conversion, convert, official
from schemas.edxml.dialects import DIALECTS, LOSSES
from schemas.edxml.packet import DocumentPacket, StatusPacket
from schemas.edxml.stream import read_stream
from schemas.errors import Refused, Severity
from schemas.message import Kind
from tests import packets
from tests.schemas import old_packets as old
from tests.schemas.judging import inbound, read, refusal, replaced, report
from tests.schemas.test_properties import SPANS, spoiled

MADE: dict[str, tuple[Callable[[], bytes], str]] = {
    "SOAP of Bkav and ministries": (lambda: old.document(manifest=""), "edoc-2014"),
    "SOAP of VNPT": (lambda: old.document(old.INET, manifest=""), "inet-2014"),
    "a multipart file with XML parts": (old.with_xml_part, "edoc-2014"),
    "the same of VNPT": (lambda: old.with_xml_part(old.INET), "inet-2014"),
    "the same with LF": (lambda: old.with_xml_part(newline=b"\n"), "edoc-2014"),
    "a multipart file with binary parts": (old.with_binary_part, "edoc-2014"),
    "a multipart file with base64 parts": (old.with_base64_part, "edoc-2014"),
    "header.xml and Attachment.xml": (old.archive, "archive"),
    "QCVN 102's layout in the old namespace": (
        lambda: packets.document().replace(b"http://www.mic.gov.vn/TBT/QCVN_102_2016", old.EDOC.encode()),
        "edoc-2014",
    ),
}
WITH_FILE = [name for name, (make, _) in MADE.items() if b"part-1" in make() or make().startswith(b"PK")]
EVERY = frozenset(DIALECTS)


def converted(raw: bytes) -> Conversion:
    return convert(inbound(raw))


@pytest.mark.parametrize(("make", "dialect"), MADE.values(), ids=MADE)
def test_each_form_is_refused_by_name_and_with_the_way_out(make: Callable[[], bytes], dialect: str) -> None:
    refused = refusal(make())
    assert refused.code == "old-dialect"
    assert "lgsp convert" in refused.spec.remedy.en
    with pytest.raises(Refused, match="old-dialect"):
        read_stream([make()], io.BytesIO)


@pytest.mark.parametrize(("make", "dialect"), MADE.values(), ids=MADE)
def test_each_form_becomes_a_valid_packet_of_qcvn_102(make: Callable[[], bytes], dialect: str) -> None:
    conversion = converted(make())
    assert conversion.dialect == dialect
    assert report(conversion.raw).ok, report(conversion.raw).violations
    assert read(conversion.raw).packet == conversion.packet
    assert {one.name for one in conversion.losses} <= LOSSES.keys()


@pytest.mark.parametrize(("make", "dialect"), MADE.values(), ids=MADE)
def test_it_is_read_where_its_dialect_is_asked_for_and_nowhere_else(make: Callable[[], bytes], dialect: str) -> None:
    envelope = reader.read(inbound(make()), dialects=frozenset({dialect}))
    assert envelope.kind is Kind.DOCUMENT_NEW
    assert envelope.inbound.raw == make()  # evidence is what came
    assert all(one.severity is Severity.WARNING for one in envelope.warnings)
    with pytest.raises(Refused, match="old-dialect"):
        reader.read(inbound(make()), dialects=EVERY - {dialect})


def test_the_values_are_carried_over_and_dates_turned() -> None:
    packet = converted(old.with_xml_part()).packet
    assert isinstance(packet, DocumentPacket)
    assert (packet.sender.organ_id, [one.organ_id for one in packet.to]) == ("000.00.01.H32", ["000.00.02.H32"])
    assert (packet.code.code_number, packet.code.code_notation) == ("0267", "VPUB-TH")
    assert (packet.promulgation.promulgation_date, packet.due_date) == ("2014/11/05", "2014/12/01")
    assert packet.response_for[0].promulgation_date == "2014/10/01"
    assert packet.trace[0].timestamp == "2014/11/05 08:30:15"
    assert packet.subject == "V/v liên thông & kết nối"


@pytest.mark.parametrize("name", WITH_FILE)
def test_the_file_comes_out_of_the_converted_packet(name: str) -> None:
    (content,) = attachments_of(converted(MADE[name][0]()).packet)
    assert (content.data, content.media_type, content.name) == (packets.PDF, "application/pdf", "Công văn.pdf")


def test_a_status_is_converted() -> None:
    conversion = converted(old.status())
    assert isinstance(conversion.packet, StatusPacket)
    assert (conversion.packet.status_code, conversion.packet.timestamp) == ("03", "2014/11/06 09:00:00")
    assert read(conversion.raw).kind is Kind.DOCUMENT_STATUS


def test_every_loss_has_its_name_and_no_secret_is_told() -> None:
    losses = converted(old.with_xml_part()).losses
    assert [one.name for one in losses] == [
        "due-date-of-recipient",
        "header-attribute",
        "header-attribute",
        "error-list",
        "packet-signature",
    ]
    assert "30/11/2014" in losses[0].got
    assert "s3cret" not in repr(losses)
    assert b"s3cret" not in converted(old.with_xml_part()).raw


def test_a_missing_document_id_is_made_and_said() -> None:
    conversion = converted(old.document(document_id="", manifest=""))
    assert isinstance(conversion.packet, DocumentPacket)
    assert conversion.packet.document_id == "000.00.01.H32,2014/11/05,0267/VPUB-TH"
    assert "document-id-made" in {one.name for one in conversion.losses}


def test_losses_travel_as_warnings() -> None:
    envelope = reader.read(inbound(old.with_xml_part()), dialects=EVERY)
    assert [one.got.partition(":")[0] for one in envelope.warnings if one.code == "conversion-loss"] == [
        one.name for one in converted(old.with_xml_part()).losses
    ]


def test_an_unknown_element_is_lost_by_name() -> None:
    raw = old.with_xml_part().replace(b"<edXML:Subject>", b"<edXML:Secret>1</edXML:Secret><edXML:Subject>")
    assert ("unknown-element", "Secret") in {(one.name, one.path.rpartition("/")[2]) for one in converted(raw).losses}


def test_a_packet_of_today_is_written_anew() -> None:
    assert converted(packets.in_csharp_order(packets.document())).raw == packets.document()
    assert converted(packets.status()).losses == ()
    raw = replaced("<edXML:PromulgationDate>2026/11/20", "<edXML:PromulgationDate>20/11/2026")(packets.document())
    assert converted(raw).raw == packets.document()


DATES = {
    "05/11/2014": "2014/11/05",
    "5-11-2014": "2014/11/05",
    "05/11/2014 8:30:15": "2014/11/05 08:30:15",
    "05/11/2014 08:30": "2014/11/05 08:30:00",
    "2014-11-05T08:30:15": "2014/11/05 08:30:15",
    "2014/11/05": "2014/11/05",
    "2014/02/30": "2014/02/30",
    "30/02/2014": "30/02/2014",
    "N/A": "N/A",
    "": "",
}


@pytest.mark.parametrize(("written", "meant"), DATES.items())
def test_a_date_is_turned_where_it_can_be_told(written: str, meant: str) -> None:
    assert official(written) == meant


BROKEN: dict[str, tuple[bytes, str]] = {
    "no end": (old.with_xml_part()[:-20], "multipart-malformed"),
    "a header that is none": (old.with_xml_part().replace(b"8bit\r\nContent-ID: <p", b"8bit\r\ngarbage\r\nX: <p"), "multipart-malformed"),
    "quoted-printable": (
        old.with_xml_part().replace(b"8bit\r\nContent-ID: <part-1>", b"quoted-printable\r\nContent-ID: <part-1>"),
        "multipart-malformed",
    ),
    "garbage in base64": (old.with_base64_part().replace(b"JVBERi0", b"@VBERi0"), "attachment-encoding"),
    "no message": (old.soap("", "<edXML:Other/>"), "missing-element"),
    "a message without number": (old.document(manifest="").replace(b"<edXML:CodeNumber>0267</edXML:CodeNumber>", b""), "missing-element"),
    "a DOCTYPE in a part": (old.multipart((old.START, b"<!DOCTYPE a><a/>"), (old.START, b"<a/>")), "dtd-forbidden"),
    "201 parts": (old.multipart((old.START, old.document()), *[(old.START, b"x")] * 203), "too-many-attachments"),
}


@pytest.mark.parametrize(("raw", "code"), BROKEN.values(), ids=BROKEN)
def test_what_cannot_be_converted_is_refused_by_name(raw: bytes, code: str) -> None:
    with pytest.raises(Refused) as refused:
        converted(raw)
    assert refused.value.code == code


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from([old.with_xml_part(), old.with_binary_part(), old.archive(), old.status()]),
    st.lists(SPANS, min_size=1, max_size=4),
    st.lists(st.binary(max_size=8), min_size=1, max_size=4),
)
def test_no_spoiled_packet_raises_anything_but_a_refusal(raw: bytes, spans: list[tuple[int, int]], pieces: list[bytes]) -> None:
    raw = spoiled(raw, spans, pieces)
    try:
        conversion = converted(raw)
    except Refused:
        pass
    else:
        assert not report(conversion.raw).ok or read(conversion.raw).packet == conversion.packet
    report(raw)


def test_validate_reads_what_it_refuses() -> None:
    judged = report(old.with_xml_part())
    assert not judged.ok
    assert judged.violations[0].code == "old-dialect"
    assert (judged.kind, judged.sender, judged.recipients) == ("document.new", "000.00.01.H32", ("000.00.02.H32",))
    assert judged.as_json()["known_defects"] == ["old-dialect"]


def test_the_command_writes_the_packet_and_lists_the_losses(tmp_path: Path) -> None:
    source, target = tmp_path / "old.xml", tmp_path / "new.edxml"
    source.write_bytes(old.with_xml_part())
    done = CliRunner().invoke(app, ["convert", str(source), "--to", "qcvn102", "-o", str(target)])
    assert done.exit_code == 0, done.output
    assert "packet-signature" in done.stderr
    assert report(target.read_bytes()).ok
    done = CliRunner().invoke(app, ["convert", str(source), "--json"])
    assert done.stdout_bytes == target.read_bytes()
    assert json.loads(done.stderr)["dialect"] == "edoc-2014"


def test_the_command_never_writes_over_its_source(tmp_path: Path) -> None:
    source = tmp_path / "old.xml"
    source.write_bytes(old.with_xml_part())
    assert CliRunner().invoke(app, ["convert", str(source), "-o", str(source)]).exit_code == 2
    assert source.read_bytes() == old.with_xml_part()
