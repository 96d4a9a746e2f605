"""The vocabulary of the packet: namespaces, which element stands where, and the code lists.

The misspellings (`Bussiness…`) are part of the format. What each table stands on is in `schemas/xsd/SOURCES.md`; a test holds
these tables to the XSD.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

QCVN102 = "http://www.mic.gov.vn/TBT/QCVN_102_2016"
XMLDSIG = "http://www.w3.org/2000/09/xmldsig#"
XLINK_HREF = "{http://www.w3.org/1999/xlink}href"
SOAP_ENVELOPES = frozenset({"http://schemas.xmlsoap.org/soap/envelope/", "http://www.w3.org/2003/05/soap-envelope"})
OLD_DIALECTS = frozenset(
    {
        "http://www.e-doc.vn/Schema/",  # 2014 generation, Bkav and ministries [C]
        "http://www.inetcloud.vn/ns/edxml",  # 2014 generation, VNPT EdXML2803 [J]
    }
)
FLAT = "http://www.go.vn/eDoc"  # flat EdXMLEnvelope, refused by at least one LGSP [C]; its structure is not known

Known = Mapping[object, str]
"""Qualified tag → local name of the children that an element may have."""


def q(name: str) -> str:
    """`name` in the packet's namespace, as lxml writes it."""
    return f"{{{QCVN102}}}{name}"


def _known(*names: str) -> Known:
    return {q(name): name for name in names}


DECORATIVE = ("Signature", "DigitalSignature")  # in the packet's own namespace they sign nothing

# Children in the order of the value's fields (schemas/edxml/packet.py), where the value has texts only.
ORGANIZATION = ("OrganId", "OrganizationInCharge", "OrganName", "OrganAdd", "Email", "Telephone", "Fax", "Website")
CODE = ("CodeNumber", "CodeNotation")
PROMULGATION_INFO = ("Place", "PromulgationDate")
DOCUMENT_TYPE = ("Type", "TypeDetail", "TypeName")
SIGNER_INFO = ("Competence", "Position", "FullName")
OTHER_INFO = (
    "Priority",
    "SphereOfPromulgation",
    "TyperNotation",
    "PromulgationAmount",
    "PageAmount",
    "ReplyFors",
    "Direction",
    "ReferenceCodes",
)
RESPONSE_FOR = ("OrganId", "Code", "PromulgationDate", "DocumentId")
STAFF_INFO = ("Department", "DepartmentId", "Staff", "StaffId", "Email", "Mobile")
TRACE_HEADER = ("OrganId", "Timestamp")
RECEIVER = ("OrganId", "ReceiverType")
REFERENCE = ("ContentId", "ContentType", "Description", "AttachmentName")
ATTACHMENT = ("ContentId", "AttachmentName", "Description", "FieldName", "MimeType", "Format", "ContentType")

DOCUMENT_HEADER = _known(
    "From",
    "To",
    "DocumentId",
    "Code",
    "PromulgationInfo",
    "DocumentType",
    "Subject",
    "Content",
    "SignerInfo",
    "DueDate",
    "OtherInfo",
    "ResponseFor",
    "SteeringType",
    "ResponseForTask",
    "ApplicationType",
    "ToPlaces",
)
STATUS_HEADER = _known("From", "ResponseFor", "StaffInfo", "StatusCode", "Description", "Timestamp")

# Element → its children, for all elements whose children mean the same wherever they stand.
CHILDREN: Mapping[str, Known] = {
    "edXML": _known("edXMLEnvelope", "AttachmentEncoded", *DECORATIVE),
    "edXMLEnvelope": _known("edXMLHeader", "edXMLBody", *DECORATIVE),
    "edXMLHeader": _known("MessageHeader", "Status", "TraceHeaderList", *DECORATIVE),
    "edXMLBody": _known("edXMLManifest", "Manifest"),
    "Manifest": _known("Reference"),
    "AttachmentEncoded": _known("Attachment"),
    "Organization": _known(*ORGANIZATION),
    "Code": _known(*CODE),
    "PromulgationInfo": _known(*PROMULGATION_INFO),
    "DocumentType": _known(*DOCUMENT_TYPE),
    "SignerInfo": _known(*SIGNER_INFO),
    "OtherInfo": _known(*OTHER_INFO, "Appendixes"),
    "Appendixes": _known("Appendix"),
    "ResponseFor": _known(*RESPONSE_FOR),
    "ResponseForTask": _known("TaskCode"),
    "ToPlaces": _known("Place"),
    "StaffInfo": _known(*STAFF_INFO),
    "TraceHeaderList": _known("TraceHeader", "Bussiness"),
    "TraceHeader": _known(*TRACE_HEADER),
    "Bussiness": _known(
        "DocumentId",
        "BussinessDocType",
        "BussinessDocReason",
        "Paper",
        "BussinessDocumentInfo",
        "ReplacementInfoList",
        "StaffInfo",
    ),
    "BussinessDocumentInfo": _known("DocumentInfo", "DocumentReceiver", "ReceiverList"),
    "ReceiverList": _known("Receiver"),
    "Receiver": _known(*RECEIVER),
    "ReplacementInfoList": _known("ReplacementInfo"),
    "ReplacementInfo": _known("DocumentId", "OrganIdList"),
    "OrganIdList": _known("OrganId"),
    "Reference": _known(*REFERENCE),
    "Attachment": _known(*ATTACHMENT, "ContentTransferEncoded"),
}

# May stand more than once beside each other; any other element that does is ambiguous: two readers may take different ones.
# (parent, child), because a name may be single in one place and repeated in another.
REPEATABLE = frozenset(
    {
        ("MessageHeader", "To"),
        ("MessageHeader", "ResponseFor"),
        ("MessageHeader", "ResponseForTask"),
        ("ResponseForTask", "TaskCode"),
        ("ToPlaces", "Place"),
        ("Appendixes", "Appendix"),
        ("TraceHeaderList", "TraceHeader"),
        ("Bussiness", "BussinessDocumentInfo"),
        ("Bussiness", "StaffInfo"),
        ("ReceiverList", "Receiver"),
        ("ReplacementInfoList", "ReplacementInfo"),
        ("OrganIdList", "OrganId"),
        ("Manifest", "Reference"),
        ("AttachmentEncoded", "Attachment"),
        ("edXML", "Signature"),  # decorative: never read
        ("edXMLEnvelope", "Signature"),
        ("edXMLHeader", "Signature"),
        ("edXML", "DigitalSignature"),
        ("edXMLEnvelope", "DigitalSignature"),
        ("edXMLHeader", "DigitalSignature"),
    }
)

DECORATIONS = frozenset(q(name) for name in DECORATIVE)
_BOXES = frozenset({*CHILDREN, "From", "To", "MessageHeader", "Status", "edXMLManifest", "ContentTransferEncoded"})


class Shape(Enum):
    """What a child is like, to whoever reads it."""

    TEXT = "text"
    BOX = "box"  # has children of its own, or is left where it is: the contents of attachments
    BOXES = "boxes"  # anything that may stand more than once
    ASIDE = "aside"  # not read


Plan = Mapping[object, tuple[str, Shape]]
"""Qualified tag → local name and shape, of the children that an element may have."""


def _plan(parent: str, known: Known) -> Plan:
    found: dict[object, tuple[str, Shape]] = {}
    for tag, name in known.items():
        boxed = name in _BOXES and (parent, name) != ("ResponseFor", "Code")  # there it is a text
        several = (parent, name) in REPEATABLE
        if name not in DECORATIVE:
            found[tag] = (name, Shape.BOXES if several else Shape.BOX if boxed else Shape.TEXT)
    return found


PLANS: Mapping[str, Plan] = {
    **{parent: _plan(parent, known) for parent, known in CHILDREN.items()},
    "MessageHeader": _plan("MessageHeader", DOCUMENT_HEADER),
    "Status": _plan("Status", STATUS_HEADER),
}

DOCUMENT_TYPES = {"0": "văn bản mới", "1": "thu hồi", "2": "cập nhật", "3": "thay thế"}  # BussinessDocType [S][D]
STATUS_CODES = {
    "01": "Đã đến",
    "02": "Từ chối tiếp nhận",
    "03": "Đã tiếp nhận",
    "04": "Phân công",
    "05": "Đang xử lý",
    "06": "Hoàn thành",
    "13": "Yêu cầu lấy lại văn bản",
    "15": "Đồng ý cập nhật / lấy lại",
    "16": "Từ chối cập nhật / lấy lại",
}  # [S][D]
PRIORITIES = frozenset("012345")  # [D]; 5 in one vendor's list [C]
STEERING_TYPES = frozenset("0123")  # [D][S]
FLAGS = frozenset("01")  # Paper, DocumentInfo, DocumentReceiver, ReceiverType [C][D]
