"""The slip "Phiếu giải quyết văn bản đến" of one recipient's copy, from what the hub has: packet, deliveries, statuses, the reply.

The fields are those of the form in use (decision 000 and its scan; `docs/slip.md`). What no packet says (the number in the book of incoming
documents, opinions) is left blank unless it is given. The assessment follows `schemas.calendar.assess`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select

from replay.payloads import PayloadStore
from replay.store.tables import AnyRow, deliveries, messages, openings
from schemas.agency import AgencyCode
from schemas.calendar.assess import Assessment, assess
from schemas.calendar.days import at as moment_at
from schemas.calendar.days import local
from schemas.calendar.deadline import Deadline
from schemas.calendar.rules import END_OF_DAY
from schemas.calendar.term import Term, Unit
from schemas.edxml import reader
from schemas.edxml.dates import DateForm, form_of
from schemas.edxml.names import STATUS_CODES
from schemas.edxml.packet import DocumentPacket, StatusPacket, nfc
from schemas.edxml.semantics import ASSIGNED, COMPLETED, REFUSED
from schemas.errors import Refused, Text
from schemas.message import DeliveryState, Inbound, Kind

MAX_REPLIES = 500  # documents from the recipient to the sender among which the reply is looked for
# Every field of the form, in its order: key → caption.
FIELDS: Mapping[str, Text] = {
    "so_den": Text("Số đến", "Number of arrival"),
    "ngay_den": Text("Ngày đến", "Day of arrival"),
    "luu_ho_so": Text("Lưu hồ sơ", "Filed under"),
    "noi_ban_hanh": Text("Nơi ban hành", "Issued by"),
    "ngay_ban_hanh": Text("Ngày ban hành", "Issued on"),
    "don_vi_chu_tri": Text("Đơn vị chủ trì", "Unit in charge"),
    "so_ky_hieu": Text("Số và ký hiệu văn bản", "Number and notation"),
    "trich_yeu": Text("Trích yếu", "Subject"),
    "thoi_han_xu_ly": Text("Thời hạn xử lý", "To be done by"),
    "don_vi_phoi_hop": Text("Đơn vị phối hợp", "Units taking part"),
    "y_kien_lanh_dao_co_quan": Text("Ý kiến của lãnh đạo cơ quan", "Opinion of the agency's head"),
    "ngay_y_kien_lanh_dao": Text("Ngày cho ý kiến", "Day of the opinion"),
    "y_kien_truong_pho_don_vi": Text("Ý kiến của trưởng (phó) đơn vị", "Opinion of the unit's head or deputy"),
    "y_kien_de_xuat_nguoi_giai_quyet": Text("Ý kiến đề xuất của người giải quyết", "Proposal of the person in charge"),
    "ngay_chuyen_vb": Text("Ngày chuyển văn bản", "Handed on"),
    "ngay_trinh_vb_tra_loi": Text("Ngày trình văn bản trả lời", "Reply submitted"),
    "ngay_ban_hanh_vb_tra_loi": Text("Ngày ban hành văn bản trả lời", "Reply issued"),
    "so_ky_hieu_vb_tra_loi": Text("Số, ký hiệu văn bản trả lời", "Number and notation of the reply"),
    "danh_gia_thoi_gian_hoan_thanh": Text("Đánh giá thời gian hoàn thành", "Assessment of the time taken"),
}


@dataclass(frozen=True, slots=True)
class Progress:
    """One status of the recipient."""

    code: str
    at: str  # as written
    description: str
    staff: str  # who, department


@dataclass(frozen=True, slots=True)
class Slip:
    """All that the page shows. `fields` has every key of `FIELDS`, "" where nothing is known."""

    message_id: UUID
    recipient: str
    recipient_name: str
    index: int  # of the acceptance in the journal
    fields: Mapping[str, str]
    progress: Sequence[Progress]
    assessment: Assessment | None  # None where there is no term
    notes: Sequence[Text]

    def as_json(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "message_id": str(self.message_id),
            "recipient": self.recipient,
            "recipient_name": self.recipient_name,
            "index": self.index,
            "van_ban_dien_tu": True,
            **self.fields,
            "progress": [{"code": one.code, "at": one.at, "description": one.description, "staff": one.staff} for one in self.progress],
            "assessment": self.assessment.as_json() if self.assessment else None,
            "notes": [{"vi": note.vi, "en": note.en} for note in self.notes],
        }


@dataclass(frozen=True, slots=True)
class SlipMaker:
    """Reads one home's store."""

    conn: Connection
    payloads: PayloadStore

    def make(self, message_id: UUID, recipient: str, given: Mapping[str, str], at: datetime, deadline: Deadline | None = None) -> Slip:
        """The slip of the copy for `recipient` ("": the only one), as of `at`. `given` fills in fields; `deadline` is used instead of the
        packet's DueDate.

        Raises `Refused`: ``unknown-entry``, ``payload-erased``, ``slip-not-possible`` (no document, or not the recipient's), and
        ``invalid-request`` for a field that the form does not have; `Halted("payload-damaged")`.
        """
        unknown = sorted(given.keys() - FIELDS.keys())
        if unknown:
            raise Refused("invalid-request", got=", ".join(unknown), expected=", ".join(FIELDS))
        row = self.conn.execute(select(messages).where(messages.c.id == message_id)).first()
        if row is None:
            raise Refused("unknown-entry", got=str(message_id), expected="a message id")
        packet = self._packet(row)
        if not isinstance(packet, DocumentPacket) or packet.kind is Kind.DOCUMENT_RECALL:
            raise Refused("slip-not-possible", got=row.kind, expected="a message that brings a document")
        copy = self._copy(message_id, recipient)
        statuses = self._statuses(message_id, copy.recipient_key)
        arrived = self._arrived(message_id, copy) or datetime.fromisoformat(row.accepted_at)
        reply = self._reply(row, copy.recipient_key)
        known = _known(packet, statuses, arrived) | (_answered(reply[0]) if reply else {})
        term = deadline or _deadline(packet.due_date, arrived)
        finished = next((when for one in statuses if one[0].status_code == COMPLETED and (when := _moment(one[0].timestamp))), None)
        returned = next((one for one, _ in statuses if one.status_code == REFUSED), None)
        judged = assess(term, finished=finished or (reply[1] if reply else None), at=at) if term and not returned else None
        known["danh_gia_thoi_gian_hoan_thanh"] = str(judged.slip or "") if judged else ""
        if deadline is not None:
            known["thoi_han_xu_ly"] = f"{deadline.due:%H:%M %d/%m/%Y} ({deadline.term.text})"
        name = next((one.organ_name for one in packet.to if one.agency.key == copy.recipient_key), "")
        return Slip(
            message_id=message_id,
            recipient=copy.recipient,
            recipient_name=name,
            index=row._mapping["index"],
            fields={key: given.get(key, known.get(key, "")) for key in FIELDS},
            progress=[_progress(one) for one, _ in statuses],
            assessment=judged,
            notes=tuple(_notes(packet, arrived, judged, returned)),
        )

    def _copy(self, message_id: UUID, recipient: str) -> AnyRow:
        rows = self.conn.execute(select(deliveries).where(deliveries.c.message_id == message_id).order_by(deliveries.c.recipient_key)).all()
        key = AgencyCode.of(recipient).key
        found = [row for row in rows if not recipient or row.recipient_key == key]
        if len(found) != 1:
            raise Refused(
                "slip-not-possible", got=recipient or f"{len(rows)} recipients", expected=", ".join(row.recipient for row in rows)
            )
        return found[0]

    def _statuses(self, message_id: UUID, key: str) -> list[tuple[StatusPacket, datetime]]:
        """The recipient's, in order of acceptance; those that were erased are gone."""
        rows = self.conn.execute(
            select(messages).where(messages.c.about == message_id, messages.c.sender_key == key).order_by(messages.c.index)
        ).all()
        found = []
        for row in rows:
            try:
                packet = self._packet(row)
            except Refused:
                continue
            if isinstance(packet, StatusPacket):
                found.append((packet, datetime.fromisoformat(row.accepted_at)))
        return found

    def _reply(self, row: AnyRow, key: str) -> tuple[DocumentPacket, datetime] | None:
        """The first document by which the recipient answers to the sender (`ResponseFor/DocumentId`), and when it was accepted."""
        to_sender = select(deliveries.c.message_id).where(deliveries.c.recipient_key == row.sender_key)
        index, brings = messages.c.index, messages.c.kind.in_([str(Kind.DOCUMENT_NEW), str(Kind.DOCUMENT_REPLACE)])
        query = select(messages).where(messages.c.sender_key == key, brings, index > row._mapping["index"], messages.c.id.in_(to_sender))
        for one in self.conn.execute(query.order_by(index).limit(MAX_REPLIES)).all():
            try:
                packet = self._packet(one)
            except Refused:  # erased
                continue
            if isinstance(packet, DocumentPacket) and row.document_id in {nfc(named.document_id) for named in packet.response_for}:
                return packet, datetime.fromisoformat(one.accepted_at)
        return None

    def _arrived(self, message_id: UUID, copy: AnyRow) -> datetime | None:
        """When the copy was delivered, by the journal."""
        query = select(openings.c.at, openings.c.body).where(openings.c.message_id == message_id, openings.c.event == "delivery")
        for row in self.conn.execute(query.order_by(openings.c.index)).all():
            told = {name: one["value"] for name, one in json.loads(row.body).items()} if row.body else {}
            if told.get("delivery_id") == str(copy.id) and told.get("state") == DeliveryState.DELIVERED:
                return datetime.fromisoformat(row.at)
        return None

    def _packet(self, row: AnyRow) -> Any:
        at = datetime.fromisoformat(row.received_at)
        return reader.read(Inbound(self.payloads.get(self.conn, row.id), row.content_type, row.charset, row.protocol, at)).packet


def _known(packet: DocumentPacket, statuses: Sequence[tuple[StatusPacket, datetime]], arrived: datetime) -> dict[str, str]:
    assigned = [one for one, _ in statuses if one.status_code == ASSIGNED]
    staff = next((one.staff for one in assigned if one.staff and one.staff.department), None)
    return {
        "ngay_den": f"{local(arrived):%d/%m/%Y}",
        "noi_ban_hanh": packet.sender.organ_name or packet.sender.organ_id,
        "ngay_ban_hanh": _day_shown(packet.promulgation.promulgation_date),
        "don_vi_chu_tri": staff.department if staff else "",
        "so_ky_hieu": packet.code.text.strip("/"),
        "trich_yeu": packet.subject,
        "thoi_han_xu_ly": _day_shown(packet.due_date),
        "ngay_chuyen_vb": _day_shown(assigned[0].timestamp) if assigned else "",
    }


def _answered(reply: DocumentPacket) -> dict[str, str]:
    return {
        "ngay_ban_hanh_vb_tra_loi": _day_shown(reply.promulgation.promulgation_date),
        "so_ky_hieu_vb_tra_loi": reply.code.text.strip("/"),
    }


def _progress(status: StatusPacket) -> Progress:
    staff = ", ".join(part for part in (status.staff.staff, status.staff.department) if part) if status.staff else ""
    return Progress(f"{status.status_code} {STATUS_CODES.get(status.status_code, '')}".strip(), status.timestamp, status.description, staff)


def _deadline(written: str, arrived: datetime) -> Deadline | None:
    """By the packet's DueDate: the end of that day."""
    day = _day(written)
    if day is None:
        return None
    end = moment_at(day, END_OF_DAY)
    return Deadline(end, end, Term(0, Unit.DAYS, written), local(arrived), local(arrived), (), "DueDate", "")


def _notes(packet: DocumentPacket, arrived: datetime, judged: Assessment | None, returned: StatusPacket | None) -> list[Text]:
    issued, found = _day(packet.promulgation.promulgation_date), []
    if issued is not None and local(arrived).date() < issued:
        told = f"{issued:%d/%m/%Y}"
        found.append(Text(f"Ngày đến trước ngày ban hành {told}: kiểm tra lại.", f"It arrived before the day of its issue, {told}: check."))
    if returned is not None:
        vi, en = "Nơi nhận đã từ chối tiếp nhận, trả lại văn bản", "The recipient refused the document and returned it"
        why = f": {returned.description}" if returned.description else ""
        found.append(Text(f"{vi} lúc {returned.timestamp}{why}; không đánh giá.", f"{en} at {returned.timestamp}{why}; no assessment."))
    elif judged is None:
        found.append(Text("Văn bản không ghi thời hạn xử lý nên không đánh giá.", "The document names no term, so there is no assessment."))
    return found


def _day(written: str) -> date | None:
    """The day of a date or time in the official form; None for every other."""
    if form_of(written) is not DateForm.OFFICIAL:
        return None
    year, month, day = map(int, written[:10].split("/"))
    return date(year, month, day)


def _day_shown(written: str) -> str:
    day = _day(written)
    return f"{day:%d/%m/%Y}" if day else written


def _moment(written: str) -> datetime | None:
    day = _day(written)
    if day is None:
        return None
    clock = datetime.fromisoformat(f"2000-01-01T{written[11:]}").time() if len(written) > 10 else END_OF_DAY
    return moment_at(day, clock)
