"""The tolerant reader: which values it takes from which variants, what names a message, and what is not ours at all."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path

import pytest

from schemas.edxml.packet import Bussiness, BussinessDocumentInfo, Receiver, ReplacementInfo
from schemas.message import Kind
from tests import packets
from tests.packets import DOCUMENT_ID, RECIPIENT, SENDER
from tests.schemas.judging import FIXTURES, Change, found, read, read_document, read_status, refusal, replaced, report, without

needs_fixtures = pytest.mark.skipif(not FIXTURES.is_dir(), reason="../shared/fixtures/edxml is not there")
SAMPLES = sorted(path.name for path in FIXTURES.glob("*.edxml")) if FIXTURES.is_dir() else ["edoc_new.edxml"]


@needs_fixtures
@pytest.mark.fixtures
@pytest.mark.parametrize("name", SAMPLES)
def test_every_sample_of_the_official_shape_is_valid(name: str) -> None:
    path: Path = FIXTURES / name
    judged = report(path.read_bytes())
    assert judged.ok, judged.violations
    assert judged.kind == str(read(path.read_bytes()).kind)


@needs_fixtures
@pytest.mark.fixtures
def test_the_official_recall_is_about_the_senders_own_document_though_its_response_for_is_not() -> None:
    envelope = read((FIXTURES / "edoc_recall.edxml").read_bytes())
    assert envelope.kind is Kind.DOCUMENT_RECALL
    assert envelope.subject_key == envelope.document_id == "000.00.00.G22,2015/09/30,7816/VPCP-TTĐT"
    packet = read_document((FIXTURES / "edoc_recall.edxml").read_bytes())
    assert packet.recall_targets == ("000.00.04.G14,2012/08/06,267/VPCP-TTĐT", envelope.document_id)
    assert [str(one) for one in envelope.recipients] == ["000.00.00.H41", "000.00.00.H14", "000.00.00.G17"]


def test_a_document_is_read_as_it_was_written() -> None:
    assert read_document(packets.document()) == packets.document_packet()


def test_a_status_is_read_as_it_was_written() -> None:
    assert read_status(packets.status()) == packets.status_packet()


def _attachments_first(raw: bytes) -> bytes:
    text = raw.decode("utf-8")
    start, end = text.index("<AttachmentEncoded>"), text.index("</AttachmentEncoded>") + len("</AttachmentEncoded>")
    at = text.index("<edXML:edXMLEnvelope")
    return (text[:at] + text[start:end] + text[at:start] + text[end:]).encode("utf-8")


VARIANTS: dict[str, Change] = {
    "the default namespace only": packets.unprefixed,
    "every element prefixed": packets.prefixed,
    "the C# SDK's order": packets.in_csharp_order,
    "LF instead of CRLF": lambda raw: raw.replace(b"\r\n", b"\n"),
    "no white space between elements": lambda raw: b"".join(line.strip() for line in raw.splitlines()),
    "a byte-order mark": lambda raw: b"\xef\xbb\xbf" + raw,
    "UTF-16": lambda raw: raw.decode("utf-8").replace("UTF-8", "UTF-16").encode("utf-16"),
    "comments between elements": lambda raw: raw.replace(b"<edXML:", b"<!-- x --><edXML:").replace(b"<!-- x -->", b"", 1),
    "CDATA": replaced(packets.SUBJECT, f"<![CDATA[{packets.SUBJECT}]]>"),
    "character references": replaced(packets.SUBJECT, "".join(f"&#{ord(ch)};" for ch in packets.SUBJECT)),
    "white space around codes": replaced("<edXML:OrganId>H32.01<", "<edXML:OrganId>\n   H32.01\t <"),
    "Manifest instead of edXMLManifest": lambda raw: raw.replace(b"edXML:edXMLManifest", b"edXML:Manifest"),
    "ContentId in angle brackets": replaced("cid:492c072e-6445-503f-b331-bb340e6655aa", "&lt;cid:492c072e-6445-503f-b331-bb340e6655aa&gt;"),
    "ContentId without cid:": lambda raw: raw.replace(b"cid:", b""),
    "attributes of SOAP times": replaced("<edXML:TraceHeaderList>", '<edXML:TraceHeaderList mustUnderstand="1" id="t" version="1.0">'),
    "decorative signature": replaced("</edXML:edXMLHeader>", "<Signature><SignedInfo/></Signature></edXML:edXMLHeader>"),
    "a signature of its own namespace": replaced(
        "</edXML:edXMLHeader>", '<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X/></ds:Signature></edXML:edXMLHeader>'
    ),
    "the body before the header": lambda raw: packets.moved(raw, "edXMLHeader", after="edXMLBody"),
    "nil and type attributes of .NET": replaced(
        "<edXML:StaffInfo>",
        '<edXML:StaffInfo xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:nil="true" i:type="none" i:schemaLocation="a b">',
    ),
    "attachments before the envelope": _attachments_first,
}


@pytest.mark.parametrize("change", VARIANTS.values(), ids=VARIANTS)
def test_the_values_do_not_depend_on_how_they_were_written(change: Change) -> None:
    envelope = read(change(packets.document()))
    assert envelope.packet == packets.document_packet()
    assert envelope.warnings == ()
    assert envelope.natural_id == read(packets.document()).natural_id


def test_a_reference_may_name_its_content_by_xlink_alone() -> None:
    href = '<edXML:Reference xmlns:xlink="http://www.w3.org/1999/xlink" xlink:href="cid:492c072e-6445-503f-b331-bb340e6655aa">'
    raw = replaced("<edXML:Reference>", href)(without("ContentId")(packets.document()))
    assert read_document(raw).references == packets.document_packet().references


def test_composed_and_decomposed_vietnamese_name_the_same_document_and_keep_their_own_letters() -> None:
    composed, decomposed = read(packets.document()), read(packets.decomposed(packets.document()))
    assert composed.natural_id == decomposed.natural_id
    assert composed.document_id == decomposed.document_id == DOCUMENT_ID
    packet = read_document(packets.decomposed(packets.document()))
    assert packet.subject == unicodedata.normalize("NFD", packets.SUBJECT) != packets.SUBJECT


def test_old_and_new_agency_codes_name_the_same_message_and_stay_as_written() -> None:
    new = read(packets.document("H32.1", ("H32.2",)))
    old = read(packets.document("000.00.01.H32", ("000.00.02.H32",)))
    assert new.natural_id == old.natural_id
    assert (str(old.sender), [str(one) for one in old.recipients]) == ("000.00.01.H32", ["000.00.02.H32"])


def test_the_natural_id_ignores_the_order_of_recipients_and_nothing_else() -> None:
    one = read(packets.document(recipients=("H32.02", "H32.03"))).natural_id
    assert read(packets.document(recipients=("H32.03", "H32.02"))).natural_id == one
    others = [
        packets.document(recipients=("H32.02",)),
        packets.document("H32.09", ("H32.02", "H32.03")),
        packets.document(recipients=("H32.02", "H32.03"), document_id="other"),
        packets.document(recipients=("H32.02", "H32.03"), doc_type=packets.UPDATE),
    ]
    assert len({one, *(read(raw).natural_id for raw in others)}) == 5


def test_the_natural_id_is_canonical_json() -> None:
    envelope = read(packets.document(recipients=("H32.03", "000.00.02.H32")))
    assert json.loads(envelope.natural_id) == ["document", "H32.1", DOCUMENT_ID, "0", ["H32.2", "H32.3"]]


def test_two_reports_of_work_in_progress_are_two_messages_when_their_times_differ() -> None:
    first, second = (read(packets.status(code="05", timestamp=f"2026/11/20 09:15:0{n}")) for n in (1, 2))
    assert first.natural_id != second.natural_id
    assert first.subject_key == second.subject_key == DOCUMENT_ID


def test_a_status_goes_to_the_agency_of_response_for() -> None:
    envelope = read(packets.status("H32.02", "000.00.01.H32", code="13"))
    assert envelope.kind is Kind.DOCUMENT_STATUS
    assert [str(one) for one in envelope.recipients] == ["000.00.01.H32"]


def test_a_status_that_names_its_document_by_code_alone_stands_in_for_the_id() -> None:
    envelope = read(without("DocumentId")(packets.status()))
    assert envelope.document_id == envelope.subject_key == f"H32.1,{packets.NUMBER}/{packets.NOTATION}"


def test_status_in_place_of_message_header_is_the_same() -> None:
    raw = packets.status().replace(b"edXML:MessageHeader", b"edXML:Status")
    assert read_status(raw) == packets.status_packet()
    assert report(without("StatusCode")(raw)).violations[0].path == "/edXML/edXMLEnvelope/edXMLHeader/Status/StatusCode"


def test_a_status_code_of_one_digit_is_read_as_two() -> None:
    raw = packets.status().replace(b"StatusCode>03<", b"StatusCode>3<")
    assert read_status(raw).status_code == "03"
    assert read(raw).natural_id == read(packets.status()).natural_id


RECALLS: dict[str, tuple[bytes, str, tuple[str, ...]]] = {
    "Bussiness names it": (
        packets.recall(own_id="H32.01,2026/11/21,8000/TH"),
        DOCUMENT_ID,
        (DOCUMENT_ID, "H32.05,2026/11/01,267/SNV-VP", "H32.01,2026/11/21,8000/TH"),
    ),
    "nothing names it but its own id": (
        without("ResponseFor")(packets.document(doc_type=packets.RECALL)),
        DOCUMENT_ID,
        (DOCUMENT_ID,),
    ),
    "ResponseFor names the sender's document": (
        packets.document(document_id="H32.01,2026/11/21,8000/TH", doc_type=packets.RECALL).replace(
            b"H32.05,2026/11/01,267/SNV-VP", b"000.00.01.H32,2026/11/02,9/X"
        ),
        "000.00.01.H32,2026/11/02,9/X",
        ("000.00.01.H32,2026/11/02,9/X", "H32.01,2026/11/21,8000/TH"),
    ),
    "ResponseFor names another agency's document": (
        packets.document(doc_type=packets.RECALL),
        DOCUMENT_ID,
        ("H32.05,2026/11/01,267/SNV-VP", DOCUMENT_ID),
    ),
}


@pytest.mark.parametrize(("raw", "subject", "targets"), RECALLS.values(), ids=RECALLS)
def test_which_document_a_recall_is_about(raw: bytes, subject: str, targets: tuple[str, ...]) -> None:
    assert read(raw).subject_key == subject
    assert read_document(raw).recall_targets == targets


def test_only_a_recall_has_recall_targets() -> None:
    assert read_document(packets.update()).recall_targets == ()


def test_what_an_update_changes_is_read() -> None:
    business = read_document(packets.update()).bussiness
    assert business is not None
    assert business.document_infos == (BussinessDocumentInfo("1", "1", (Receiver("H32.07", "1"),)),)


def test_an_update_is_about_the_document_that_bussiness_names() -> None:
    raw = replaced("<edXML:BussinessDocType>", "<edXML:DocumentId>first</edXML:DocumentId><edXML:BussinessDocType>")(
        packets.update("second")
    )
    assert (read(raw).subject_key, read(raw).document_id) == ("first", "second")


def test_what_a_replacement_replaces_is_read() -> None:
    envelope = read(packets.replacement())
    assert envelope.kind is Kind.DOCUMENT_REPLACE
    packet = read_document(packets.replacement())
    assert packet.bussiness == Bussiness(bussiness_doc_type="3", replacements=(ReplacementInfo(DOCUMENT_ID, (RECIPIENT,)),))


@pytest.mark.parametrize("change", [without("Bussiness"), without("TraceHeaderList")], ids=["no Bussiness", "no TraceHeaderList"])
def test_without_bussiness_it_is_a_new_document(change: Change) -> None:
    assert read(change(packets.document(doc_type=packets.RECALL))).kind is Kind.DOCUMENT_NEW


def test_recipients_are_told_apart_by_body_not_by_spelling() -> None:
    envelope = read(packets.document(recipients=("H32.02", "000.00.02.H32", "H32.03")))
    assert [str(one) for one in envelope.recipients] == ["H32.02", "H32.03"]
    assert [one.code for one in envelope.warnings] == ["duplicate-recipient"]


SOAP = '<s:Envelope xmlns:s="{}"><s:Body/></s:Envelope>'
STRANGERS: dict[str, tuple[bytes, str]] = {
    "SOAP 1.1": (SOAP.format("http://schemas.xmlsoap.org/soap/envelope/").encode(), "soap-envelope"),
    "SOAP 1.2": (SOAP.format("http://www.w3.org/2003/05/soap-envelope").encode(), "soap-envelope"),
    "the 2014 dialect of Bkav": (b'<edXML xmlns="http://www.e-doc.vn/Schema/"/>', "old-dialect"),
    "the 2014 dialect of VNPT": (b'<a:edXMLEnvelope xmlns:a="http://www.inetcloud.vn/ns/edxml"/>', "old-dialect"),
    "the flat one": (b'<EdXMLEnvelope xmlns="http://www.go.vn/eDoc"/>', "flat-envelope"),
    "no namespace": (b"<edXML/>", "wrong-namespace"),
    "a trailing slash": (b'<edXML xmlns="http://www.mic.gov.vn/TBT/QCVN_102_2016/"/>', "wrong-namespace"),
    "wrong case of the root": (b'<EdXML xmlns="http://www.mic.gov.vn/TBT/QCVN_102_2016"/>', "wrong-case"),
    "an HTML page": (b"<html><body/></html>", "not-edxml"),
    "an envelope that is not SOAP's": (b"<Envelope/>", "not-edxml"),
}


@pytest.mark.parametrize(("raw", "code"), STRANGERS.values(), ids=STRANGERS)
def test_what_is_not_ours_is_refused_by_its_own_name(raw: bytes, code: str) -> None:
    refused = refusal(raw)
    assert refused.code == code
    assert [one.code for one in refused.violations] == [code]
    assert refused.violations[0].line == 1


def test_a_packet_that_could_be_both_is_neither() -> None:
    both = replaced("</edXML:MessageHeader>", "<edXML:StatusCode>03</edXML:StatusCode></edXML:MessageHeader>")(packets.document())
    assert refusal(both).code == "ambiguous-kind"
    two = replaced("</edXML:MessageHeader>", "</edXML:MessageHeader><edXML:Status/>")(packets.status())
    assert refusal(two).code == "ambiguous-kind"


def test_an_empty_packet_lacks_an_envelope() -> None:
    assert found(b'<edXML xmlns="http://www.mic.gov.vn/TBT/QCVN_102_2016"/>') >= {"missing-element"}


def test_the_tree_is_what_was_received_also_where_something_was_set_aside() -> None:
    raw = replaced("<edXML:Subject>", "<edXML:Secret>1</edXML:Secret><edXML:Subject>")(packets.document())
    envelope = read(raw)
    assert [one.code for one in envelope.warnings] == ["unknown-element"]
    assert any(str(one.tag).endswith("Secret") for one in envelope.tree.root.iter())
    assert envelope.tree.raw == raw
    assert str(envelope.sender) == SENDER
