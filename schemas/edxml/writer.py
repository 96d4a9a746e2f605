"""The strict writer: packet values into bytes, laid out as the official Java SDK does it.

XML-wise equal documents are not interchangeable here: receivers have been seen to refuse packets whose prefixes differ. So the text is
put together literally – default namespace on `edXML`, the prefix declared again on `edXML:edXMLEnvelope`, `AttachmentEncoded` and
`Attachment` without prefix (outside the envelope it is not in scope), `edXML:ContentTransferEncoded` declaring it once more – and held
to a golden file byte by byte. UTF-8, CRLF, no byte-order mark. The same values are always the same bytes.

Elements without a value are left out. What the reader would refuse is not written.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from schemas.edxml import names
from schemas.edxml.dates import DateForm, form_of
from schemas.edxml.packet import (
    Attachment,
    Bussiness,
    BussinessDocumentInfo,
    DocumentPacket,
    Organization,
    OtherInfo,
    Reference,
    ReplacementInfo,
    ResponseFor,
    StaffInfo,
    StatusPacket,
)
from schemas.errors import Refused

Node = tuple[str, "str | list[Node]"]
"""(start tag without brackets, literal text or children)"""

_PREFIX = f'xmlns:edXML="{names.QCVN102}"'
_NEWLINE = "\r\n"
_UNWRITABLE = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0 §2.2
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"})  # a bare CR would be read as LF


def write_document(packet: DocumentPacket) -> bytes:
    """The packet as bytes. Files go in by `schemas.edxml.packing.with_files` before.

    Raises `Refused` with `missing-element`, `not-a-date`, `unknown-document-type` or `unwritable-text`.
    """
    _require_document(packet)
    header = _box("edXML:edXMLHeader", [("edXML:MessageHeader", list(_message(packet))), *_trace_list(packet)])
    manifest: Node = ('edXML:edXMLManifest version="1.0"', [_reference(one) for one in packet.references])
    body: list[Node] = [("edXML:edXMLBody", [manifest])] if packet.references else []
    carried = _box("AttachmentEncoded", [_attachment(one) for one in packet.attachments])
    return _rendered([(f"edXML:edXMLEnvelope {_PREFIX}", [*header, *body]), *carried])


def write_status(packet: StatusPacket) -> bytes:
    """The status as bytes. Raises `Refused` with `missing-element`, `not-a-date`, `unknown-status-code` or `unwritable-text`."""
    _require_status(packet)
    about = packet.response_for
    message = [
        *_organization("edXML:From", packet.sender),
        *_response_for(about),
        *([] if packet.staff is None else _staff(packet.staff)),
        *_leaf("StatusCode", packet.status_code),
        *_leaf("Description", packet.description),
        *_leaf("Timestamp", packet.timestamp),
    ]
    return _rendered([(f"edXML:edXMLEnvelope {_PREFIX}", [("edXML:edXMLHeader", [("edXML:MessageHeader", message)])])])


def _require_document(packet: DocumentPacket) -> None:
    _require("From/OrganId", packet.sender.organ_id)
    _require("To", "".join(one.organ_id for one in packet.to))
    for one in packet.to:
        _require("To/OrganId", one.organ_id)
    _require("DocumentId", packet.document_id)
    _require("Code/CodeNumber", packet.code.code_number)
    _require("Code/CodeNotation", packet.code.code_notation)
    _require("Subject", packet.subject)
    _require_date("PromulgationInfo/PromulgationDate", packet.promulgation.promulgation_date, needed=True)
    _require_date("DueDate", packet.due_date)
    for station in packet.trace:
        _require_date("TraceHeader/Timestamp", station.timestamp)
    if packet.doc_type not in names.DOCUMENT_TYPES:
        raise Refused("unknown-document-type", got=packet.doc_type, expected=", ".join(names.DOCUMENT_TYPES))


def _require_status(packet: StatusPacket) -> None:
    about = packet.response_for
    _require("From/OrganId", packet.sender.organ_id)
    _require("ResponseFor/OrganId", about.organ_id)
    _require("ResponseFor/DocumentId", about.document_id or about.code)
    _require_date("Timestamp", packet.timestamp, needed=True)
    if packet.status_code not in names.STATUS_CODES:
        raise Refused("unknown-status-code", got=packet.status_code, expected=", ".join(names.STATUS_CODES))


def _require(place: str, value: str) -> None:
    if not value.strip():
        raise Refused("missing-element", got="nothing", expected=place)


def _require_date(place: str, value: str, *, needed: bool = False) -> None:
    if needed:
        _require(place, value)
    if value and form_of(value) not in (DateForm.OFFICIAL, DateForm.IMPOSSIBLE):  # impossible ones are other people's: handed on
        raise Refused("not-a-date", got=value, expected=f"yyyy/MM/dd in {place}")


def _message(packet: DocumentPacket) -> Iterator[Node]:
    """`MessageHeader` in the Java SDK's order."""
    yield from _organization("edXML:From", packet.sender)
    for one in packet.to:
        yield from _organization("edXML:To", one)
    yield from _leaf("DocumentId", packet.document_id)
    yield from _group("Code", zip(names.CODE, (packet.code.code_number, packet.code.code_notation), strict=True))
    promulgation = (packet.promulgation.place, packet.promulgation.promulgation_date)
    yield from _group("PromulgationInfo", zip(names.PROMULGATION_INFO, promulgation, strict=True))
    kind = packet.document_type
    yield from _group("DocumentType", zip(names.DOCUMENT_TYPE, (kind.type, kind.type_detail, kind.type_name), strict=True))
    yield from _leaf("Subject", packet.subject)
    yield from _leaf("Content", packet.content)
    signer = packet.signer
    yield from _group("SignerInfo", zip(names.SIGNER_INFO, (signer.competence, signer.position, signer.full_name), strict=True))
    yield from _leaf("DueDate", packet.due_date)
    yield from _other_info(packet.other_info)
    for answered in packet.response_for:
        yield from _response_for(answered)
    yield from _leaf("SteeringType", packet.steering_type)
    for task in packet.task_codes:
        yield from _group("ResponseForTask", [("TaskCode", task)])
    yield from _leaf("ApplicationType", packet.application_type)
    yield from _group("ToPlaces", [("Place", one) for one in packet.to_places])


def _organization(tag: str, one: Organization) -> Iterator[Node]:
    values = (
        one.organ_id,
        one.organization_in_charge,
        one.organ_name,
        one.organ_add,
        one.email,
        one.telephone,
        one.fax,
        one.website,
    )
    yield tag, [node for name, value in zip(names.ORGANIZATION, values, strict=True) for node in _leaf(name, value)]


def _other_info(info: OtherInfo) -> Iterator[Node]:
    values = (
        info.priority,
        info.sphere_of_promulgation,
        info.typer_notation,
        info.promulgation_amount,
        info.page_amount,
        info.reply_fors,
        info.direction,
        info.reference_codes,
    )
    leaves = [node for name, value in zip(names.OTHER_INFO, values, strict=True) for node in _leaf(name, value)]
    yield from _box("edXML:OtherInfo", [*leaves, *_group("Appendixes", [("Appendix", one) for one in info.appendixes])])


def _response_for(one: ResponseFor) -> Iterator[Node]:
    yield from _group("ResponseFor", zip(names.RESPONSE_FOR, (one.organ_id, one.code, one.promulgation_date, one.document_id), strict=True))


def _staff(one: StaffInfo) -> Iterator[Node]:
    values = (one.department, one.department_id, one.staff, one.staff_id, one.email, one.mobile)
    yield from _group("StaffInfo", zip(names.STAFF_INFO, values, strict=True))


def _trace_list(packet: DocumentPacket) -> Iterator[Node]:
    stations = [node for one in packet.trace for node in _group("TraceHeader", [("OrganId", one.organ_id), ("Timestamp", one.timestamp)])]
    business = [] if packet.bussiness is None else list(_bussiness(packet.bussiness))
    yield from _box("edXML:TraceHeaderList", [*stations, *business])


def _bussiness(one: Bussiness) -> Iterator[Node]:
    infos = [node for info in one.document_infos for node in _document_info(info)]
    replaced = [node for info in one.replacements for node in _replacement(info)]
    children = [
        *_leaf("DocumentId", one.document_id),
        *_leaf("BussinessDocType", one.bussiness_doc_type),
        *_leaf("BussinessDocReason", one.bussiness_doc_reason),
        *_leaf("Paper", one.paper),
        *infos,
        *_box("edXML:ReplacementInfoList", replaced),
        *[node for staff in one.staff for node in _staff(staff)],
    ]
    yield from _box("edXML:Bussiness", children)


def _document_info(info: BussinessDocumentInfo) -> Iterator[Node]:
    receivers = [
        node for one in info.receivers for node in _group("Receiver", [("OrganId", one.organ_id), ("ReceiverType", one.receiver_type)])
    ]
    flags = [*_leaf("DocumentInfo", info.document_info), *_leaf("DocumentReceiver", info.document_receiver)]
    yield from _box("edXML:BussinessDocumentInfo", [*flags, *_box("edXML:ReceiverList", receivers)])


def _replacement(info: ReplacementInfo) -> Iterator[Node]:
    organs = _group("OrganIdList", [("OrganId", one) for one in info.organ_ids])
    yield from _box("edXML:ReplacementInfo", [*_leaf("DocumentId", info.document_id), *organs])


def _reference(one: Reference) -> Node:
    values = (f"cid:{one.content_id}", one.content_type, one.description, one.attachment_name)
    return "edXML:Reference", [node for name, value in zip(names.REFERENCE, values, strict=True) for node in _leaf(name, value)]


def _attachment(one: Attachment) -> Node:
    values = (f"cid:{one.content_id}", one.attachment_name, one.description, one.field_name, one.mime_type, one.format, one.content_type)
    declared = [node for name, value in zip(names.ATTACHMENT, values, strict=True) for node in _leaf(name, value, prefix="")]
    content: Node = (f"edXML:ContentTransferEncoded {_PREFIX}", _literal("ContentTransferEncoded", one.encoded))
    return "Attachment", [*declared, content]


def _leaf(name: str, value: str, *, prefix: str = "edXML:") -> list[Node]:
    return [(prefix + name, _literal(name, value))] if value else []


def _group(name: str, values: Iterable[tuple[str, str]]) -> list[Node]:
    return _box(f"edXML:{name}", [node for child, value in values for node in _leaf(child, value)])


def _box(tag: str, children: list[Node]) -> list[Node]:
    return [(tag, children)] if children else []


def _literal(name: str, value: str) -> str:
    bad = _UNWRITABLE.search(value)
    if bad:
        raise Refused("unwritable-text", got=f"U+{ord(bad.group()):04X} in {name}", expected="characters of XML 1.0")
    return value.translate(_ESCAPES)


def _rendered(children: list[Node]) -> bytes:
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', *_lines((f'edXML xmlns="{names.QCVN102}"', children), ""), ""]
    return _NEWLINE.join(lines).encode("utf-8")


def _lines(node: Node, indent: str) -> Iterator[str]:
    start, inside = node
    end = start.partition(" ")[0]
    if isinstance(inside, str):
        yield f"{indent}<{start}>{inside}</{end}>"
        return
    yield f"{indent}<{start}>"
    for child in inside:
        yield from _lines(child, indent + "  ")
    yield f"{indent}</{end}>"
