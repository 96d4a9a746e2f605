"""One table: what is wrong with a packet → which violation says so, how severe, and where."""

from __future__ import annotations

import pytest

from schemas.errors import Severity
from tests import packets
from tests.schemas.judging import Change, doubled, emptied, found, read, refusal, replaced, report, without

ERROR, WARNING = Severity.ERROR, Severity.WARNING
MESSAGE = "/edXML/edXMLEnvelope/edXMLHeader/MessageHeader"
TRACE = "/edXML/edXMLEnvelope/edXMLHeader/TraceHeaderList"
CARRIED = "/edXML/AttachmentEncoded"

Case = tuple[Change, str, Severity, str]


def into(name: str, text: str) -> Change:
    """Puts `text` at the beginning of the first element `name`."""
    return replaced(f"<edXML:{name}>", f"<edXML:{name}>{text}")


def valued(name: str, value: str) -> Change:
    """Gives the first element `name` the text `value`."""

    def change(raw: bytes) -> bytes:
        text = raw.decode("utf-8")
        start, end = text.index(f"<edXML:{name}>") + len(f"<edXML:{name}>"), text.index(f"</edXML:{name}>")
        return (text[:start] + value + text[end:]).encode("utf-8")

    return change


DOCUMENTS: dict[str, Case] = {
    "no From": (without("From"), "missing-element", ERROR, f"{MESSAGE}/From/OrganId"),
    "From without OrganId": (without("OrganId"), "missing-element", ERROR, f"{MESSAGE}/From/OrganId"),
    "From with an empty OrganId": (emptied("OrganId"), "empty-element", ERROR, f"{MESSAGE}/From/OrganId"),
    "From with OrganId null": (valued("OrganId", "null"), "unusable-organ-id", ERROR, f"{MESSAGE}/From/OrganId"),
    "no To": (without("To"), "missing-element", ERROR, f"{MESSAGE}/To"),
    "a To with nothing inside": (
        replaced("<edXML:DocumentId>", "<edXML:To/><edXML:DocumentId>"),
        "missing-element",
        ERROR,
        f"{MESSAGE}/To[2]/OrganId",
    ),
    "no DocumentId": (without("DocumentId"), "missing-element", ERROR, f"{MESSAGE}/DocumentId"),
    "an empty DocumentId": (emptied("DocumentId"), "empty-element", ERROR, f"{MESSAGE}/DocumentId"),
    "a DocumentId of a no-break space": (valued("DocumentId", "\u00a0"), "empty-element", ERROR, f"{MESSAGE}/DocumentId"),
    "an OrganId of a no-break space": (valued("OrganId", "\u00a0"), "empty-element", ERROR, f"{MESSAGE}/From/OrganId"),
    "no CodeNumber": (without("CodeNumber"), "missing-element", ERROR, f"{MESSAGE}/Code/CodeNumber"),
    "no Code": (without("Code"), "missing-element", ERROR, f"{MESSAGE}/Code/CodeNotation"),
    "no PromulgationDate": (without("PromulgationDate"), "missing-element", ERROR, f"{MESSAGE}/PromulgationInfo/PromulgationDate"),
    "a PromulgationDate that is no date": (
        valued("PromulgationDate", "N/A"),
        "not-a-date",
        ERROR,
        f"{MESSAGE}/PromulgationInfo/PromulgationDate",
    ),
    "no Subject": (without("Subject"), "missing-element", ERROR, f"{MESSAGE}/Subject"),
    "no MessageHeader": (without("MessageHeader"), "missing-element", ERROR, "/edXML/edXMLEnvelope/edXMLHeader/MessageHeader"),
    "no header": (without("edXMLHeader"), "missing-element", ERROR, "/edXML/edXMLEnvelope/edXMLHeader"),
    "two From": (doubled("From"), "doubled-element", ERROR, f"{MESSAGE}/From[2]"),
    "two DocumentId": (doubled("DocumentId"), "doubled-element", ERROR, f"{MESSAGE}/DocumentId[2]"),
    "two OrganId in one To": (into("To", "<edXML:OrganId>H99</edXML:OrganId>"), "doubled-element", ERROR, f"{MESSAGE}/To/OrganId[2]"),
    "two SignerInfo": (doubled("SignerInfo"), "doubled-element", ERROR, f"{MESSAGE}/SignerInfo[2]"),
    "two MessageHeader": (doubled("MessageHeader"), "doubled-element", ERROR, f"{MESSAGE}[2]"),
    "two Bussiness": (doubled("Bussiness"), "doubled-element", ERROR, f"{TRACE}/Bussiness[2]"),
    "two manifests": (
        replaced("</edXML:edXMLManifest>", "</edXML:edXMLManifest><edXML:Manifest/>"),
        "misplaced-element",
        ERROR,
        "/edXML/edXMLEnvelope/edXMLBody/Manifest",
    ),
    "an element inside a text": (into("Subject", "<edXML:b>V</edXML:b>"), "element-in-text", ERROR, f"{MESSAGE}/Subject"),
    "BussinessDocType 7": (valued("BussinessDocType", "7"), "unknown-document-type", ERROR, f"{TRACE}/Bussiness/BussinessDocType"),
    "Bussiness without its type": (without("BussinessDocType"), "missing-element", ERROR, f"{TRACE}/Bussiness/BussinessDocType"),
    "a Reference to nothing": (
        valued("ContentId", "cid:other"),
        "reference-without-attachment",
        ERROR,
        "/edXML/edXMLEnvelope/edXMLBody/edXMLManifest/Reference",
    ),
    "truncated base64": (replaced("AAA==<", "AAA<"), "attachment-encoding", ERROR, f"{CARRIED}/Attachment/ContentTransferEncoded"),
    "an attachment outside the manifest": (valued("ContentId", "cid:other"), "attachment-not-listed", WARNING, f"{CARRIED}/Attachment"),
    "an unknown element of our namespace": (
        into("OtherInfo", "<edXML:Secret>1</edXML:Secret>"),
        "unknown-element",
        WARNING,
        f"{MESSAGE}/OtherInfo/Secret",
    ),
    "an unknown element of another namespace": (
        into("From", "<a:Tax xmlns:a='urn:a'/>"),
        "unknown-element",
        WARNING,
        f"{MESSAGE}/From/Tax",
    ),
    "a known element in the wrong place": (
        into("To", "<edXML:DueDate>2026/11/30</edXML:DueDate>"),
        "unknown-element",
        WARNING,
        f"{MESSAGE}/To/DueDate",
    ),
    "an identifying element in the wrong place": (
        into("To", "<edXML:Subject>x</edXML:Subject>"),
        "look-alike",
        ERROR,
        f"{MESSAGE}/To/Subject",
    ),
    "an identifying element in another namespace": (
        into("MessageHeader", '<x:From xmlns:x="urn:x"><x:OrganId>H32.9</x:OrganId></x:From>'),
        "look-alike",
        ERROR,
        f"{MESSAGE}/From[1]",
    ),
    "a comment inside a value": (replaced("7816/VPUB", "78<!-- x -->16/VPUB"), "comment-in-value", ERROR, f"{MESSAGE}/DocumentId"),
    "an instruction inside a value": (replaced("7816/VPUB", "78<?x y?>16/VPUB"), "comment-in-value", ERROR, f"{MESSAGE}/DocumentId"),
    "an identifier of 600 characters": (replaced("7816/VPUB", "7" * 600), "identifier-too-long", ERROR, f"{MESSAGE}/DocumentId"),
    "text between elements": (into("MessageHeader", "1212"), "stray-text", WARNING, MESSAGE),
    "no OrganName": (without("OrganName"), "usually-present", WARNING, f"{MESSAGE}/From/OrganName"),
    "no DocumentType": (without("DocumentType"), "usually-present", WARNING, f"{MESSAGE}/DocumentType/TypeName"),
    "no SignerInfo": (without("SignerInfo"), "usually-present", WARNING, f"{MESSAGE}/SignerInfo/FullName"),
    "no TraceHeaderList": (without("TraceHeaderList"), "usually-present", WARNING, f"{TRACE}/TraceHeader"),
    "TraceHeader with OrganId null": (
        replaced("<edXML:TraceHeader>\r\n          <edXML:OrganId>H32.01", "<edXML:TraceHeader><edXML:OrganId>null"),
        "unusable-organ-id",
        WARNING,
        f"{TRACE}/TraceHeader/OrganId",
    ),
    "an impossible day": (
        valued("PromulgationDate", "2014/02/30"),
        "impossible-date",
        WARNING,
        f"{MESSAGE}/PromulgationInfo/PromulgationDate",
    ),
    "dd/MM/yyyy": (valued("PromulgationDate", "20/11/2026"), "unusual-date", WARNING, f"{MESSAGE}/PromulgationInfo/PromulgationDate"),
    "an ISO date": (valued("DueDate", "2026-11-30"), "unusual-date", WARNING, f"{MESSAGE}/DueDate"),
    "a DueDate that is no date": (valued("DueDate", "gấp"), "unusual-date", WARNING, f"{MESSAGE}/DueDate"),
    "a CodeNumber of 12 characters": (valued("CodeNumber", "123456789012"), "too-long", WARNING, f"{MESSAGE}/Code/CodeNumber"),
    "a Subject of 501 characters": (valued("Subject", "ấ" * 501), "too-long", WARNING, f"{MESSAGE}/Subject"),
    "Priority 9": (valued("Priority", "9"), "unlisted-code", WARNING, f"{MESSAGE}/OtherInfo/Priority"),
    "SteeringType 7": (valued("SteeringType", "7"), "unlisted-code", WARNING, f"{MESSAGE}/SteeringType"),
    "an update that does not say what changed": (
        valued("BussinessDocType", "2"),
        "usually-present",
        WARNING,
        f"{TRACE}/Bussiness/BussinessDocumentInfo",
    ),
    "a replacement that does not say of what": (
        valued("BussinessDocType", "3"),
        "usually-present",
        WARNING,
        f"{TRACE}/Bussiness/ReplacementInfoList",
    ),
    "one recipient in both forms": (
        replaced("<edXML:DocumentId>", "<edXML:To><edXML:OrganId>000.00.02.H32</edXML:OrganId></edXML:To><edXML:DocumentId>"),
        "duplicate-recipient",
        WARNING,
        f"{MESSAGE}/To[2]/OrganId",
    ),
}

STATUSES: dict[str, Case] = {
    "no StatusCode": (without("StatusCode"), "missing-element", ERROR, f"{MESSAGE}/StatusCode"),
    "StatusCode 99": (valued("StatusCode", "99"), "unknown-status-code", ERROR, f"{MESSAGE}/StatusCode"),
    "StatusCode 3": (valued("StatusCode", "3"), "status-code-form", WARNING, f"{MESSAGE}/StatusCode"),
    "no Timestamp": (without("Timestamp"), "missing-element", ERROR, f"{MESSAGE}/Timestamp"),
    "no ResponseFor": (without("ResponseFor"), "missing-element", ERROR, f"{MESSAGE}/ResponseFor/OrganId"),
    "ResponseFor with an empty OrganId": (
        replaced("<edXML:OrganId>H32.01", "<edXML:OrganId>"),
        "empty-element",
        ERROR,
        f"{MESSAGE}/ResponseFor/OrganId",
    ),
    "ResponseFor with OrganId null": (
        replaced("<edXML:OrganId>H32.01", "<edXML:OrganId>null"),
        "unusable-organ-id",
        ERROR,
        f"{MESSAGE}/ResponseFor/OrganId",
    ),
    "two ResponseFor": (doubled("ResponseFor"), "doubled-element", ERROR, f"{MESSAGE}/ResponseFor[2]"),
    "no From": (without("From"), "missing-element", ERROR, f"{MESSAGE}/From/OrganId"),
    "Timestamp in another form": (valued("Timestamp", "20/11/2026 09:15"), "unusual-date", WARNING, f"{MESSAGE}/Timestamp"),
    "attachments": (
        replaced("</edXML:edXMLEnvelope>", "</edXML:edXMLEnvelope><AttachmentEncoded/>"),
        "unknown-element",
        WARNING,
        "/edXML/AttachmentEncoded",
    ),
}


def check(raw: bytes, case: Case) -> None:
    change, code, severity, path = case
    spoiled = change(raw)
    hits = [one for one in report(spoiled).violations if one.code == code and one.path == path]
    assert [one.severity for one in hits] == [severity], [(one.code, one.path) for one in report(spoiled).violations]
    assert hits[0].line > 0
    if severity is ERROR:
        assert code in {one.code for one in refusal(spoiled).violations}
    elif report(spoiled).ok:
        assert hits[0] in read(spoiled).warnings


@pytest.mark.parametrize("case", DOCUMENTS.values(), ids=DOCUMENTS)
def test_what_is_wrong_with_a_document_is_named_and_placed(case: Case) -> None:
    check(packets.document(), case)


@pytest.mark.parametrize("case", STATUSES.values(), ids=STATUSES)
def test_what_is_wrong_with_a_status_is_named_and_placed(case: Case) -> None:
    check(packets.status(), case)


def test_the_good_ones_have_nothing_wrong() -> None:
    good = (packets.document, packets.recall, packets.update, packets.replacement, packets.status)
    assert [report(make()).violations for make in good] == [()] * len(good)


@pytest.mark.parametrize("document_id", ["8f14e45f-ceea-467f-a830-11d2a5e1a1b0", "000.00.01.H08,2018,10", "H32-2026-7816-VPUB", "01"])
def test_a_document_id_of_any_form_is_no_matter(document_id: str) -> None:
    assert found(packets.document(document_id=document_id)) == set()


def test_a_status_may_name_its_document_by_code_alone_but_not_by_nothing() -> None:
    by_code = without("DocumentId")(packets.status())
    assert found(by_code) == set()
    assert "missing-element" in found(without("Code")(by_code))


def test_every_violation_is_listed_at_once_errors_first_in_the_order_of_lines() -> None:
    raw = packets.document()
    for change in (
        without("From"),
        emptied("DocumentId"),
        without("Subject"),
        valued("PromulgationDate", "?"),
        valued("Priority", "9"),
        into("To", "x"),
    ):
        raw = change(raw)
    violations = report(raw).violations
    assert [one.code for one in violations if one.severity is ERROR] == [
        "missing-element",
        "missing-element",
        "empty-element",
        "not-a-date",
    ]
    assert {one.code for one in violations if one.severity is WARNING} == {"usually-present", "unlisted-code", "stray-text"}
    severities = [one.severity for one in violations]
    assert severities == sorted(severities)
    assert refusal(raw).code == violations[0].code


def test_nothing_is_said_twice_of_one_place() -> None:
    for change in (without("MessageHeader"), without("From"), emptied("Subject"), without("Code"), emptied("OrganId")):
        judged = report(change(packets.document())).violations
        errors = [one.path for one in judged if one.severity is ERROR]
        assert len(errors) == len(set(errors)) <= 2


def test_an_unknown_element_hides_no_later_fault() -> None:
    raw = into("MessageHeader", "<edXML:Secret/>")(without("Subject")(packets.document()))
    assert {"unknown-element", "missing-element"} <= found(raw)
