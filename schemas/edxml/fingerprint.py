"""What two packets must share to be the same message by two routes.

The axis re-serialises what passes through it: it drops, moves and adds elements, appends a TraceHeader, packs attachments anew (edxml.md
§0.5 [S][J]). So neither bytes nor a signature can tell; the fingerprint covers what the message says – parties, identity, subject and the
contents of attachments as they are once unpacked – and nothing about how it is written.
"""

from __future__ import annotations

import json
from hashlib import sha256

from schemas.edxml.attachments import attachments_of
from schemas.edxml.packet import DocumentPacket, Packet, StatusPacket, nfc
from schemas.limits import DEFAULT_LIMITS, Limits


def fingerprint(packet: Packet, limits: Limits = DEFAULT_LIMITS) -> str:
    """64 hexadecimal digits. Raises `Refused` where an attachment cannot be opened (the reader has refused such packets before)."""
    values = _status(packet) if isinstance(packet, StatusPacket) else _document(packet, limits)
    return sha256(json.dumps(values, ensure_ascii=False).encode("utf-8", "surrogatepass")).hexdigest()


def _document(packet: DocumentPacket, limits: Limits) -> list[object]:
    return [
        packet.sender.agency.key,
        sorted({one.agency.key for one in packet.to}),
        packet.doc_type,
        *(nfc(text.strip()) for text in (packet.document_id, packet.code.code_number, packet.code.code_notation)),
        nfc(" ".join(packet.subject.split())),
        sorted(sha256(content.data).hexdigest() for content in attachments_of(packet, limits)),
    ]


def _status(packet: StatusPacket) -> list[object]:
    about = packet.response_for
    return [
        packet.sender.agency.key,
        about.agency.key,
        *(nfc(text.strip()) for text in (about.document_id, about.code, packet.status_code, packet.timestamp)),
        nfc(" ".join(packet.description.split())),
    ]
