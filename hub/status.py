"""A status that the hub composes for a receiver that cannot write edXML itself: it names the receiver in From, and counts as the hub's
word on its behalf (`verdict.policy` = ``composed-by-hub``), never as the agency's signature (DESIGN §3). Where the hub has a certificate
(``[signing]``) it signs the packet, and the signature says in its signed properties on whose behalf (`signing/on_behalf.py`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from concurrent.futures import Future
from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import select

from hub.access import Principal
from replay.store.tables import messages
from schemas.agency import AgencyCode
from schemas.edxml import reader, writer
from schemas.edxml.packet import DocumentPacket, Organization, ResponseFor, StaffInfo, StatusPacket
from schemas.edxml.semantics import TAKE_BACK
from schemas.errors import Refused, error
from schemas.message import VIETNAM, Inbound, Receipt

if TYPE_CHECKING:
    from hub.node import Hub

STAFF_FIELDS = ("department", "staff", "mobile", "email")


def report(
    hub: Hub,
    principal: Principal,
    delivery_id: UUID,
    *,
    code: str,
    description: str,
    staff: Mapping[str, str],
    at: datetime,
    idempotency_key: str = "",
) -> Future[Receipt]:
    """Status `code` of the document that `delivery_id` brought, from its recipient to its sender.

    The future gives the status message's own receipt. Raises `Refused`: ``not-found``, ``invalid-request`` (an unknown staff field, an
    answer to a status), or what validation finds (an unknown code).
    """
    unknown = sorted(set(staff) - set(STAFF_FIELDS))
    if unknown:
        violations = tuple(error("invalid-request", path=f"staff/{name}", got=name, expected=", ".join(STAFF_FIELDS)) for name in unknown)
        raise Refused("invalid-request", got=", ".join(unknown), violations=violations)
    code = code.zfill(2) if code.isdecimal() else code
    if code == TAKE_BACK:
        raise Refused("invalid-request", got="13 (lấy lại)", expected="a status of the receiver; 13 belongs to the document's sender")
    recipient, message_id = hub.mailbox.recipient_of(principal, delivery_id)
    packet = StatusPacket(
        sender=Organization(organ_id=str(recipient), organ_name=_title(hub, principal, recipient)),
        response_for=_response_for(hub, message_id),
        status_code=code,
        timestamp=at.astimezone(VIETNAM).strftime("%Y/%m/%d %H:%M:%S"),
        description=description,
        staff=StaffInfo(**staff) if staff else None,
    )
    raw = writer.write_status(packet)
    if hub.signer:
        raw = hub.signer.sign(raw, on_behalf_of=str(recipient), at=at)
    content = json.dumps([str(delivery_id), code, description, dict(sorted(staff.items())), idempotency_key], ensure_ascii=False).encode()
    # Without a key of the caller's, what it says is the key: the same report again, seconds later, is the same report.
    key = f"status/{idempotency_key or sha256(content).hexdigest()}"
    inbound = Inbound(raw, "application/xml", "", f"hub on behalf of {principal.system}", at, key)
    signer = hub.signer.credential.chain[0] if hub.signer else None
    return hub.intake.take_composed(reader.read(inbound, hub.limits), principal, content, signer)


def _title(hub: Hub, principal: Principal, recipient: AgencyCode) -> str:
    return hub.systems.by_name[principal.system].title or str(recipient)


def _response_for(hub: Hub, message_id: UUID) -> ResponseFor:
    with hub.store.read() as conn:
        row = conn.execute(select(messages.c.sender, messages.c.content_type, messages.c.charset).where(messages.c.id == message_id)).one()
        raw = hub.payloads.get(conn, message_id)
    packet = reader.read(Inbound(raw, row.content_type, row.charset, "stored", hub.clock()), hub.limits).packet
    if not isinstance(packet, DocumentPacket):
        raise Refused("invalid-request", got="a status", expected="a delivery that brought a document")
    return ResponseFor(
        organ_id=row.sender,
        code=packet.code.text,
        promulgation_date=packet.promulgation.promulgation_date,
        document_id=packet.document_id,
    )
