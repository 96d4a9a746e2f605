"""Packets for tests: well-made ones from our own writer, and the variants that are in circulation.

All values are fixed unless a parameter says otherwise, so a packet of the same parameters is the same bytes.
"""

from __future__ import annotations

import base64
import io
import unicodedata
import zipfile
from collections.abc import Sequence
from dataclasses import replace

from schemas.edxml import names
from schemas.edxml.packet import (
    Attachment,
    Bussiness,
    BussinessDocumentInfo,
    Code,
    DocumentPacket,
    DocumentType,
    Organization,
    OtherInfo,
    PromulgationInfo,
    Receiver,
    Reference,
    ReplacementInfo,
    ResponseFor,
    SignerInfo,
    StaffInfo,
    StatusPacket,
    TraceHeader,
)
from schemas.edxml.packing import File, with_files
from schemas.edxml.writer import write_document, write_status

SENDER = "H32.01"
RECIPIENT = "H32.02"
NUMBER = "7816"
NOTATION = "VPUB-TTĐT"
DATE = "2026/11/20"
DOCUMENT_ID = f"{SENDER},{DATE},{NUMBER}/{NOTATION}"
SUBJECT = "V/v kết nối, liên thông phần mềm quản lý văn bản và điều hành"
TIME = "2026/11/20 08:30:00"
PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
FILES = (File("Công văn số 7816.pdf", PDF),)
NAMES = {SENDER: "Văn phòng UBND tỉnh", RECIPIENT: "Sở Nội vụ"}
NEW, RECALL, UPDATE, REPLACE = "0", "1", "2", "3"  # BussinessDocType


def document(
    sender: str = SENDER,
    recipients: Sequence[str] = (RECIPIENT,),
    document_id: str = DOCUMENT_ID,
    *,
    subject: str = SUBJECT,
    doc_type: str = NEW,
    attachments: Sequence[File] = FILES,
) -> bytes:
    """A document packet; `doc_type` is its `BussinessDocType` (`NEW`, `RECALL`, `UPDATE`, `REPLACE`)."""
    return write_document(document_packet(sender, recipients, document_id, subject=subject, doc_type=doc_type, attachments=attachments))


def status(
    sender: str = RECIPIENT,
    response_for: str = SENDER,
    document_id: str = DOCUMENT_ID,
    *,
    code: str = "03",
    timestamp: str = "2026/11/20 09:15:00",
    description: str = "Văn thư: Đã tiếp nhận, vào sổ văn bản đến",
) -> bytes:
    """A status from `sender` to the agency `response_for`, about `document_id`."""
    return write_status(status_packet(sender, response_for, document_id, code=code, timestamp=timestamp, description=description))


def recall(
    sender: str = SENDER,
    recipients: Sequence[str] = (RECIPIENT,),
    document_id: str = DOCUMENT_ID,
    reason: str = "Thu hồi do sai thể thức",
    own_id: str = "",
) -> bytes:
    """A recall of `document_id`; `own_id` is its own `DocumentId`, by default the same (as in the official sample)."""
    packet = document_packet(sender, recipients, own_id or document_id, subject=f"Thu hồi: {SUBJECT}", doc_type=RECALL, attachments=())
    return write_document(replace(packet, bussiness=Bussiness(document_id, RECALL, reason, "0")))


def update(document_id: str = DOCUMENT_ID, recipients: Sequence[str] = (RECIPIENT,), sender: str = SENDER) -> bytes:
    """An update of `document_id`: contents and receivers changed."""
    return document(sender, recipients, document_id, subject=f"{SUBJECT} (cập nhật)", doc_type=UPDATE)


def replacement(replaced: str = DOCUMENT_ID, document_id: str = f"{SENDER},{DATE},7999/{NOTATION}", sender: str = SENDER) -> bytes:
    """A document that takes the place of `replaced`."""
    packet = document_packet(sender, (RECIPIENT,), document_id, subject=f"{SUBJECT} (thay thế)", doc_type=REPLACE)
    business = Bussiness(bussiness_doc_type=REPLACE, replacements=(ReplacementInfo(replaced, (RECIPIENT,)),))
    return write_document(replace(packet, bussiness=business))


def document_packet(
    sender: str = SENDER,
    recipients: Sequence[str] = (RECIPIENT,),
    document_id: str = DOCUMENT_ID,
    *,
    subject: str = SUBJECT,
    doc_type: str = NEW,
    attachments: Sequence[File] = FILES,
) -> DocumentPacket:
    """The values that `document` writes: every element of the format is there."""
    packet = DocumentPacket(
        sender=organization(sender),
        to=tuple(organization(one) for one in recipients),
        document_id=document_id,
        code=Code(NUMBER, NOTATION),
        promulgation=PromulgationInfo("Nha Trang", DATE),
        subject=subject,
        document_type=DocumentType("1", "0", "Công văn"),
        content="Đề nghị các đơn vị kết nối phần mềm theo hướng dẫn & báo cáo trước ngày 30/11",
        signer=SignerInfo("KT. CHÁNH VĂN PHÒNG", "Phó Chánh Văn phòng", "Nguyễn Thị Ánh Tuyết"),
        due_date="2026/11/30",
        other_info=OtherInfo("1", "Công nghệ thông tin", "TVC", "2", "22", "", "false", "", appendixes=("Phụ lục I: Danh sách đơn vị",)),
        response_for=(ResponseFor("H32.05", "267/SNV-VP", "2026/11/01", "H32.05,2026/11/01,267/SNV-VP"),),
        steering_type="1",
        task_codes=("NV-2026-001",),
        application_type="MCDT_DT",
        to_places=("Như trên", "Lưu: VT"),
        trace=(TraceHeader(sender, TIME),),
        bussiness=_business(doc_type),
    )
    return with_files(packet, attachments)


def _business(doc_type: str) -> Bussiness:
    staff = (StaffInfo("Phòng Văn thư", "P01", "Trần Văn Bình", "NV07", "binh@example.gov.vn", "0912000001"),)
    infos = (BussinessDocumentInfo("1", "1", (Receiver("H32.07", "1"),)),) if doc_type == UPDATE else ()
    return Bussiness("", doc_type, "Văn bản điện tử", "0", document_infos=infos, staff=staff)


def status_packet(
    sender: str = RECIPIENT,
    response_for: str = SENDER,
    document_id: str = DOCUMENT_ID,
    *,
    code: str = "03",
    timestamp: str = "2026/11/20 09:15:00",
    description: str = "Văn thư: Đã tiếp nhận, vào sổ văn bản đến",
) -> StatusPacket:
    """The values that `status` writes."""
    about = ResponseFor(response_for, f"{NUMBER}/{NOTATION}", DATE, document_id)
    staff = StaffInfo("Phòng Văn thư", "", "Lê Thị Hoa", "", "hoa@example.gov.vn", "0912000002")
    return StatusPacket(organization(sender), about, code, timestamp, description, staff)


def organization(organ_id: str) -> Organization:
    """An agency with all its fields."""
    name = NAMES.get(organ_id, f"Cơ quan {organ_id}")
    return Organization(
        organ_id,
        "UBND tỉnh Khánh Hòa",
        name,
        "Số 1 Trần Phú, Nha Trang",
        "vp@example.gov.vn",
        "0258 3822 222",
        "0258 3822 223",
        "example.gov.vn",
    )


# Variants in circulation ------------------------------------------------------------------------------------------------------------


def decomposed(raw: bytes) -> bytes:
    """The same packet with its Vietnamese in NFD, as macOS software writes it."""
    return unicodedata.normalize("NFD", raw.decode("utf-8")).encode("utf-8")


def unprefixed(raw: bytes) -> bytes:
    """The same packet with the default namespace only."""
    declaration = f' xmlns:edXML="{names.QCVN102}"'
    return raw.decode("utf-8").replace(declaration, "").replace("edXML:", "").encode("utf-8")


def prefixed(raw: bytes) -> bytes:
    """The same packet with every element prefixed, the prefix declared once on the root."""
    text = raw.decode("utf-8").replace(f' xmlns:edXML="{names.QCVN102}"', "")
    text = text.replace(f'<edXML xmlns="{names.QCVN102}"', f'<edXML:edXML xmlns:edXML="{names.QCVN102}"').replace(
        "</edXML>", "</edXML:edXML>"
    )
    for name in ("AttachmentEncoded", "Attachment", *names.ATTACHMENT):
        text = text.replace(f"<{name}>", f"<edXML:{name}>").replace(f"</{name}>", f"</edXML:{name}>")
    return text.encode("utf-8")


def moved(raw: bytes, name: str, *, after: str) -> bytes:
    """The same packet with the (first, one-line or nested) prefixed element `name` put after the element `after`."""
    text = raw.decode("utf-8")
    start, end = text.index(f"<edXML:{name}>"), text.index(f"</edXML:{name}>") + len(f"</edXML:{name}>")
    element, rest = text[start:end], text[:start] + text[end:]
    at = rest.index(f"</edXML:{after}>") + len(f"</edXML:{after}>")
    return (rest[:at] + element + rest[at:]).encode("utf-8")


def in_csharp_order(raw: bytes) -> bytes:
    """The C# SDK's order: ToPlaces before OtherInfo, DocumentId last; Bussiness before the TraceHeader."""
    raw = moved(raw, "ToPlaces", after="DueDate")
    raw = moved(raw, "DocumentId", after="SteeringType")
    return moved(raw, "TraceHeader", after="Bussiness")


def with_content(encoded: str, *, name: str = "Công văn.pdf", content_type: str = "application/pdf") -> bytes:
    """A new document with one attachment whose `ContentTransferEncoded` is exactly `encoded`."""
    packet = document_packet(attachments=())
    attachment = Attachment("209", name, name, content_type=content_type, source=encoded)
    return write_document(replace(packet, references=(Reference("209", content_type, name, name),), attachments=(attachment,)))


def with_bytes(data: bytes, *, name: str = "Công văn.pdf", content_type: str = "application/pdf") -> bytes:
    """A new document with one attachment in plain base64, not zipped."""
    return with_content(base64.b64encode(data).decode("ascii"), name=name, content_type=content_type)


def zipped(entries: Sequence[tuple[str, bytes]], *, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip of `entries`, names as given, hostile ones too."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in entries:
            archive.writestr(zipfile.ZipInfo(name), data, compress_type=method)
    return out.getvalue()
