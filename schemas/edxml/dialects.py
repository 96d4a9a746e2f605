"""The 2014 generation of edXML (Công văn 2803 and before) laid out as a packet of QCVN 102:2016, so that one reader reads both.

What differs [J][C]: a SOAP envelope around header and body; another namespace (two are in use); dates ``dd/MM/yyyy``; attachments as MIME
parts – XML with ``name`` and base64 ``value``, or the file itself – or in an ``Attachment.xml`` beside ``header.xml``; `ErrorList`, a
`Signature` that is a login, attributes of `MessageHeader`, `DueDate` inside `To`. What QCVN 102 has no place for is a named loss.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import pybase64
from lxml import etree

from schemas import xml
from schemas.edxml import multipart, names
from schemas.edxml.parts import content_id
from schemas.edxml.strangers import HEAD_BYTES, is_old_archive, is_old_multipart
from schemas.errors import Refused, Text, shown
from schemas.limits import Limits

DIALECTS: Mapping[str, str] = {
    "edoc-2014": "http://www.e-doc.vn/Schema/",  # Bkav and ministries [C]
    "inet-2014": "http://www.inetcloud.vn/ns/edxml",  # VNPT [J]
    "archive": "",  # header.xml and Attachment.xml; "various" namespaces [J]
}

LOSSES: Mapping[str, Text] = {
    "header-attribute": Text(
        "Thuộc tính của MessageHeader không có trong QCVN 102:2016.", "QCVN 102:2016 has no such attribute of MessageHeader."
    ),
    "error-list": Text("ErrorList không có trong QCVN 102:2016.", "QCVN 102:2016 has no ErrorList."),
    "packet-signature": Text(
        "Chữ ký hoặc thông tin đăng nhập ở phần đầu gói tin cũ không còn giá trị sau khi chuyển đổi.",
        "The signature (or log-in) in the old header does not survive a conversion.",
    ),
    "due-date-of-recipient": Text(
        "Hạn xử lý riêng của từng nơi nhận: QCVN 102:2016 chỉ có một hạn chung.",
        "A deadline for one recipient: QCVN 102:2016 has one for all.",
    ),
    "trace-party": Text(
        "TraceHeader kiểu cũ (Sender, Receiver) không có chỗ tương ứng.", "The old TraceHeader (Sender, Receiver) has no counterpart."
    ),
    "unknown-element": Text("Phần tử không có trong QCVN 102:2016.", "QCVN 102:2016 has no such element."),
    "part": Text("Phần MIME không đọc được thành tệp đính kèm.", "A MIME part that is no attachment."),
    "document-id-made": Text(
        "Gói tin không có DocumentId; mã được lập từ mã cơ quan, ngày và số, ký hiệu.",
        "The packet has no DocumentId; one was made of agency code, date and number.",
    ),
}
"""Name → what is lost."""

_STATUS = "Status"
_LEAVES_OF_TO = "DueDate"


@dataclass(frozen=True, slots=True)
class Loss:
    """Something that the conversion could not carry over."""

    name: str  # of `LOSSES`
    path: str  # where it stood
    got: str  # what it was; never a secret


@dataclass(slots=True)
class Laid:
    """An old packet laid out anew: a tree of QCVN 102:2016, and what had no place in it."""

    root: xml.Element
    dialect: str  # of `DIALECTS`
    losses: list[Loss] = field(default_factory=list)


def lay_out(raw: bytes, charset: str, limits: Limits) -> Laid:
    """`raw`, of any of `DIALECTS`, laid out anew.

    Raises `Refused`: as `schemas.xml.parse` for its XML, `old-dialect` where it is none that is known, `multipart-malformed` and what
    attachments are refused for.
    """
    parts = _parts(raw, charset, limits)
    tree = xml.parse(parts[0].body, charset=charset if len(parts) == 1 else "", limits=limits)
    dialect = _dialect_of(tree.root, is_archive=is_old_archive(raw[:HEAD_BYTES]))
    laid = Laid(etree.Element(names.q("edXML"), nsmap={None: names.QCVN102}), dialect)
    header, body = _sections(tree.root)
    envelope = etree.SubElement(laid.root, names.q("edXMLEnvelope"))
    _lay_header(etree.SubElement(envelope, names.q("edXMLHeader")), header, body, laid)
    manifest = next((one for one in body if xml.local_name(one) in ("edXMLManifest", "Manifest")), None)
    if manifest is not None:
        _copy(etree.SubElement(envelope, names.q("edXMLBody")), manifest, laid)
    carried = etree.SubElement(laid.root, names.q("AttachmentEncoded"))
    _lay_inline(carried, tree.root, laid)
    for part in parts[1:]:
        _lay_part(carried, part, limits, laid)
    if not len(carried):
        laid.root.remove(carried)
    _name_nameless(laid.root)
    return laid


def _parts(raw: bytes, charset: str, limits: Limits) -> tuple[multipart.Part, ...]:
    head = raw[:HEAD_BYTES]
    if is_old_multipart(head):
        return multipart.split(raw, limits)
    if is_old_archive(head):
        return multipart.unpack(raw, limits)
    return (multipart.Part("", "text/xml", "", raw),)


def _dialect_of(root: xml.Element, *, is_archive: bool) -> str:
    if is_archive:
        return "archive"
    spaces = {xml.namespace(one) for one in root.iter("*")}
    for name, space in DIALECTS.items():
        if space and space in spaces:
            return name
    raise Refused("old-dialect", got=", ".join(sorted(spaces))[:80], expected=", ".join(space for space in DIALECTS.values() if space))


def _sections(root: xml.Element) -> tuple[list[xml.Element], list[xml.Element]]:
    """What header and body hold, of a SOAP envelope, an edXMLEnvelope or the message alone."""
    header: list[xml.Element] = []
    body: list[xml.Element] = []
    for one in root.iter("*"):
        name = xml.local_name(one)
        if name in ("Header", "edXMLHeader") and not header:
            header = xml.child_elements(one)
        elif name in ("Body", "edXMLBody") and not body:
            body = xml.child_elements(one)
    if not header and xml.local_name(root) not in ("Envelope", "edXML", "edXMLEnvelope"):
        header = xml.child_elements(root)
    return header, body


def _lay_header(target: xml.Element, header: Sequence[xml.Element], body: Sequence[xml.Element], laid: Laid) -> None:
    for one in header:
        name = xml.local_name(one)
        if name in ("MessageHeader", _STATUS, "TraceHeaderList"):
            _copy(target, one, laid)
            if name == "MessageHeader":
                laid.losses += [Loss("header-attribute", f"MessageHeader/@{key}", shown(value)) for key, value in one.attrib.items()]
        elif name == "TraceHeader":  # before 2014 it stood alone, with other children
            laid.losses.append(Loss("trace-party", name, ", ".join(xml.local_name(child) for child in one.iterchildren("*"))))
        else:
            lost = {"ErrorList": "error-list", "Signature": "packet-signature", "DigitalSignature": "packet-signature"}
            laid.losses.append(Loss(lost.get(name, "unknown-element"), name, ""))  # a login is not repeated
    for one in body:
        if xml.local_name(one) == _STATUS:
            _copy(target, one, laid)


def _copy(parent: xml.Element, source: xml.Element, laid: Laid) -> None:
    """`source` below `parent`, in our namespace. Names that we do not have are left to the reader, which reports them."""
    name = xml.local_name(source)
    if name == _LEAVES_OF_TO and xml.local_name(parent) == "To":
        laid.losses.append(Loss("due-date-of-recipient", "To/DueDate", shown(xml.text_of(source))))
        return
    copy = etree.SubElement(parent, names.q(name))
    href = source.get(names.XLINK_HREF)
    if href is not None:
        copy.set(names.XLINK_HREF, href)
    children = xml.child_elements(source)
    copy.text = None if children else xml.text_of(source)
    for child in children:
        _copy(copy, child, laid)


def _lay_inline(carried: xml.Element, root: xml.Element, laid: Laid) -> None:
    """Attachments that stand in the document itself, as QCVN 102 has them."""
    for one in _named(root, "AttachmentEncoded"):
        for attachment in _named(one, "Attachment"):
            _copy(carried, attachment, laid)


def _lay_part(carried: xml.Element, part: multipart.Part, limits: Limits, laid: Laid) -> None:
    if part.media_type not in ("text/xml", "application/xml"):
        encoded = pybase64.b64encode(part.body).decode("ascii")
        named = {"ContentId": part.content_id, "AttachmentName": part.name, "ContentType": part.media_type}
        _lay_file(carried, {**named, "ContentTransferEncoded": encoded})
        return
    inside = list(_named(xml.parse(part.body, limits=limits).root, "Attachment"))
    if not inside:
        laid.losses.append(Loss("part", part.content_id, part.media_type))
    for n, one in enumerate(inside, 1):
        values = {xml.local_name(child).lower(): xml.text_of(child) for child in one.iterchildren("*")}
        _lay_file(
            carried,
            {
                "ContentId": part.content_id if len(inside) == 1 else f"{part.content_id}-{n}",
                "AttachmentName": values.get("name", part.name),
                "FieldName": values.get("fieldname", ""),
                "MimeType": values.get("mimetype", ""),
                "ContentType": one.get("Content-Type") or values.get("mimetype", ""),
                "ContentTransferEncoded": values.get("value", ""),
            },
        )


def _lay_file(carried: xml.Element, values: Mapping[str, str]) -> None:
    attachment = etree.SubElement(carried, names.q("Attachment"))
    for name, value in values.items():
        if value:
            etree.SubElement(attachment, names.q(name)).text = content_id(value) if name == "ContentId" else value


def _name_nameless(root: xml.Element) -> None:
    """Attachments of an archive have no ids; they stand in the order of the references [G]."""
    nameless = [one for one in root.iter(names.q("Attachment")) if one.find(names.q("ContentId")) is None]
    references = list(root.iter(names.q("Reference")))
    if len(nameless) == len(references):
        for attachment, reference in zip(nameless, references, strict=True):
            written = reference.find(names.q("ContentId"))
            href = reference.get(names.XLINK_HREF) if written is None else xml.text_of(written)
            etree.SubElement(attachment, names.q("ContentId")).text = content_id(href or "")


def _named(root: xml.Element, name: str) -> Iterator[xml.Element]:
    return (one for one in root.iter("*") if xml.local_name(one) == name)
