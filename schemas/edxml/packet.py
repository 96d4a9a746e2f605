"""What a packet says, as values. Each docstring names the element it holds, misspellings included.

Texts are as they were written, `""` where the element is absent or empty. Identifiers and codes are trimmed; nothing is normalised
(keys are, in the reader). A number stays text: `Code/CodeNumber` is `34E31` or `007` in real packets.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from typing import BinaryIO, TypeAlias

from schemas import xml
from schemas.agency import AgencyCode
from schemas.message import Kind

KIND_OF_TYPE = {"0": Kind.DOCUMENT_NEW, "1": Kind.DOCUMENT_RECALL, "2": Kind.DOCUMENT_UPDATE, "3": Kind.DOCUMENT_REPLACE}


def nfc(text: str) -> str:
    """`text` as keys compare it: NFC (composed and decomposed Vietnamese are the same number of a document)."""
    return unicodedata.normalize("NFC", text)


@dataclass(frozen=True, slots=True)
class Organization:
    """`From` or `To`."""

    organ_id: str = ""
    organization_in_charge: str = ""
    organ_name: str = ""
    organ_add: str = ""
    email: str = ""
    telephone: str = ""
    fax: str = ""
    website: str = ""

    @property
    def agency(self) -> AgencyCode:
        """`OrganId` as a code that compares."""
        return AgencyCode.of(self.organ_id)


@dataclass(frozen=True, slots=True)
class Code:
    """`Code`: số (`CodeNumber`) và ký hiệu (`CodeNotation`)."""

    code_number: str = ""
    code_notation: str = ""

    @property
    def text(self) -> str:
        """``số/ký hiệu`` in one string, as `ResponseFor/Code` has it."""
        return f"{self.code_number}/{self.code_notation}"


@dataclass(frozen=True, slots=True)
class PromulgationInfo:
    """`PromulgationInfo`; `promulgation_date` is ``yyyy/MM/dd`` in well-made packets."""

    place: str = ""
    promulgation_date: str = ""


@dataclass(frozen=True, slots=True)
class DocumentType:
    """`DocumentType`. The numbers have no common list; `type_name` is what to show."""

    type: str = ""
    type_detail: str = ""
    type_name: str = ""


@dataclass(frozen=True, slots=True)
class SignerInfo:
    """`SignerInfo`: thẩm quyền, chức vụ, họ tên."""

    competence: str = ""
    position: str = ""
    full_name: str = ""


@dataclass(frozen=True, slots=True)
class OtherInfo:
    """`OtherInfo`; `appendixes` are the texts of `Appendixes/Appendix`."""

    priority: str = ""
    sphere_of_promulgation: str = ""
    typer_notation: str = ""
    promulgation_amount: str = ""
    page_amount: str = ""
    reply_fors: str = ""
    direction: str = ""
    reference_codes: str = ""
    appendixes: tuple[str, ...] = field(default=(), kw_only=True)


@dataclass(frozen=True, slots=True)
class ResponseFor:
    """`ResponseFor`: the document answered, or the one a status is about. `code` is ``số/ký hiệu``."""

    organ_id: str = ""
    code: str = ""
    promulgation_date: str = ""
    document_id: str = ""

    @property
    def agency(self) -> AgencyCode:
        """`OrganId` as a code that compares."""
        return AgencyCode.of(self.organ_id)


@dataclass(frozen=True, slots=True)
class StaffInfo:
    """`StaffInfo`: who handled it."""

    department: str = ""
    department_id: str = ""
    staff: str = ""
    staff_id: str = ""
    email: str = ""
    mobile: str = ""


@dataclass(frozen=True, slots=True)
class TraceHeader:
    """`TraceHeader`: one station of the way; `timestamp` is ``yyyy/MM/dd HH:mm:ss`` in Vietnamese time."""

    organ_id: str = ""
    timestamp: str = ""


@dataclass(frozen=True, slots=True)
class Receiver:
    """`ReceiverList/Receiver`: `receiver_type` 0 removed, 1 newly added."""

    organ_id: str = ""
    receiver_type: str = ""


@dataclass(frozen=True, slots=True)
class BussinessDocumentInfo:
    """`BussinessDocumentInfo` of an update: whether content (`DocumentInfo`) or receivers (`DocumentReceiver`) changed, ``0``/``1``."""

    document_info: str = ""
    document_receiver: str = ""
    receivers: tuple[Receiver, ...] = ()


@dataclass(frozen=True, slots=True)
class ReplacementInfo:
    """`ReplacementInfoList/ReplacementInfo`: a replaced document and who had received it."""

    document_id: str = ""
    organ_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Bussiness:
    """`Bussiness`: what is done with the document. `document_id` names the recalled or updated one."""

    document_id: str = ""
    bussiness_doc_type: str = ""
    bussiness_doc_reason: str = ""
    paper: str = ""
    document_infos: tuple[BussinessDocumentInfo, ...] = ()
    replacements: tuple[ReplacementInfo, ...] = ()
    staff: tuple[StaffInfo, ...] = ()


@dataclass(frozen=True, slots=True)
class Reference:
    """`edXMLManifest/Reference`. `content_id` is without ``cid:`` and ``<>``."""

    content_id: str = ""
    content_type: str = ""
    description: str = ""
    attachment_name: str = ""


@dataclass(frozen=True, slots=True)
class Spool:
    """The content of an attachment that was read in a stream: decoded already, and set down in `file`.

    Where it could not be decoded `fault` says why, as (error code, got); `file` is what came before then.
    """

    file: BinaryIO
    size_bytes: int
    is_text: bool  # the file's text as it stood, not base64
    directory_entries: int  # signatures of a zip's directory in it, which bound how much that can list
    fault: tuple[str, str] | None = None


Source: TypeAlias = xml.Element | str | Spool
"""What holds an attachment's content: the element ContentTransferEncoded, its text, or what a stream made of it."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """`AttachmentEncoded/Attachment`. `content_type` is what was declared and cannot be trusted.

    The content stays where it is until asked for: decode it with `schemas.edxml.attachments`. Two attachments are equal by what is
    declared of them; compare contents by decoding.
    """

    content_id: str = ""
    attachment_name: str = ""
    description: str = ""
    field_name: str = ""
    mime_type: str = ""
    format: str = ""
    content_type: str = ""
    source: Source = field(default="", repr=False, compare=False, kw_only=True)

    @property
    def encoded(self) -> str:
        """The text of `ContentTransferEncoded`. May be as large as the packet: use it and let it go. "" where it was read in a stream."""
        if isinstance(self.source, Spool):
            return ""
        return self.source if isinstance(self.source, str) else xml.text_of(self.source)


@dataclass(frozen=True, slots=True)
class DocumentPacket:
    """A packet that carries a document: new, recall, update or replacement."""

    sender: Organization  # From
    to: tuple[Organization, ...]  # as written, repetitions included
    document_id: str
    code: Code = Code()
    promulgation: PromulgationInfo = PromulgationInfo()
    subject: str = ""
    document_type: DocumentType = DocumentType()
    content: str = ""
    signer: SignerInfo = SignerInfo()
    due_date: str = ""
    other_info: OtherInfo = OtherInfo()
    response_for: tuple[ResponseFor, ...] = ()
    steering_type: str = ""
    task_codes: tuple[str, ...] = ()  # ResponseForTask/TaskCode
    application_type: str = ""
    to_places: tuple[str, ...] = ()
    trace: tuple[TraceHeader, ...] = ()
    bussiness: Bussiness | None = None
    references: tuple[Reference, ...] = ()
    attachments: tuple[Attachment, ...] = ()

    @property
    def doc_type(self) -> str:
        """`BussinessDocType`; real files without `Bussiness` are new documents."""
        return (self.bussiness.bussiness_doc_type if self.bussiness else "") or "0"

    @property
    def kind(self) -> Kind:
        """What the packet does. An unknown type never gets this far: the reader refuses it."""
        return KIND_OF_TYPE[self.doc_type]

    @property
    def recall_targets(self) -> tuple[str, ...]:
        """Ids that may name the recalled document, most likely first: `Bussiness/DocumentId`, `ResponseFor/DocumentId`, own
        `DocumentId` (the order is an unresolved point of the standard). Empty unless this is a recall. NFC, no repetitions."""
        if self.doc_type != "1":
            return ()
        named = [self.bussiness.document_id if self.bussiness else "", *(r.document_id for r in self.response_for), self.document_id]
        return tuple(dict.fromkeys(nfc(one) for one in named if one))


@dataclass(frozen=True, slots=True)
class StatusPacket:
    """A status (phản hồi): how far the document of `response_for` is. Its recipient is `ResponseFor/OrganId`."""

    sender: Organization  # From
    response_for: ResponseFor
    status_code: str  # two digits
    timestamp: str  # as written
    description: str = ""
    staff: StaffInfo | None = None


Packet: TypeAlias = DocumentPacket | StatusPacket
