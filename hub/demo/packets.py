"""The demo's documents: well-made edXML packets of invented agencies, and the spoiled ones that the hub has to refuse."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from schemas.edxml.packet import (
    Bussiness,
    Code,
    DocumentPacket,
    DocumentType,
    Organization,
    OtherInfo,
    PromulgationInfo,
    ResponseFor,
    SignerInfo,
    TraceHeader,
)
from schemas.edxml.packing import File, with_files
from schemas.edxml.writer import write_document
from schemas.message import VIETNAM

_NEW = Bussiness("", "0", "Văn bản mới", "0")


@dataclass(frozen=True, slots=True)
class Body:
    """An agency of the demo: its code, in whichever form it likes to write it, and its name."""

    code: str
    name: str

    def organization(self) -> Organization:
        """As From or To."""
        return Organization(organ_id=self.code, organ_name=self.name, organization_in_charge="UBND tỉnh (thử nghiệm)")


@dataclass(frozen=True, slots=True)
class Letter:
    """What a new document says; `number` makes its id."""

    sender: Body
    to: tuple[Body, ...]
    number: int
    subject: str
    at: datetime

    @property
    def document_id(self) -> str:
        """``OrganId,yyyy/MM/dd,số/ký hiệu`` (the official form)."""
        return f"{self.sender.code},{self._day},{self.code.text}"

    @property
    def code(self) -> Code:
        """Số và ký hiệu."""
        return Code(f"{self.number:02}", "TN-VP")

    @property
    def _day(self) -> str:
        return self.at.astimezone(VIETNAM).strftime("%Y/%m/%d")

    def packet(self) -> DocumentPacket:
        """The packet of the document, with one small file."""
        return with_files(self._bare(_NEW), [self.file])

    @property
    def file(self) -> File:
        """The file that goes with it."""
        text = f"{self.subject}\n\nVăn bản thử nghiệm số {self.code.text}, không có giá trị pháp lý.\n"
        return File(f"Van ban {self.number:02}.txt", text.encode("utf-8"))

    def new(self) -> bytes:
        """As a new document."""
        return write_document(self.packet())

    def recall(self, number: int, reason: str, to: Sequence[Body] = ()) -> bytes:
        """A packet that takes the document back from `to` (all its recipients by default); it is number `number` itself."""
        taking = Letter(self.sender, tuple(to) or self.to, number, f"Thu hồi văn bản số {self.code.text}", self.at)
        about = ResponseFor(self.sender.code, self.code.text, self._day, self.document_id)
        return write_document(replace(taking._bare(Bussiness(self.document_id, "1", reason, "0")), response_for=(about,)))

    def _bare(self, bussiness: Bussiness) -> DocumentPacket:
        return DocumentPacket(
            sender=self.sender.organization(),
            to=tuple(one.organization() for one in self.to),
            document_id=self.document_id,
            code=self.code,
            promulgation=PromulgationInfo("Nha Trang", self._day),
            document_type=DocumentType("1", "0", "Công văn"),
            subject=self.subject,
            content=self.subject,
            signer=SignerInfo("KT. GIÁM ĐỐC", "Phó Giám đốc", "Nguyễn Văn Thử"),
            other_info=OtherInfo(priority="0", sphere_of_promulgation="Liên thông", promulgation_amount="1", page_amount="1"),
            steering_type="1",
            to_places=tuple(one.name for one in self.to),
            trace=(TraceHeader(self.sender.code, self.at.astimezone(VIETNAM).strftime("%Y/%m/%d %H:%M:%S")),),
            bussiness=bussiness,
        )


def tampered(signed: bytes, before: str, after: str) -> bytes:
    """A signed packet with one word changed on the way."""
    changed = signed.replace(before.encode("utf-8"), after.encode("utf-8"))
    if changed == signed:
        raise RuntimeError(f"{before!r} is not in the packet")
    return changed


def cut(packet: bytes) -> bytes:
    """A packet that broke off in the middle: not well-formed any more."""
    return packet[: len(packet) // 2]
