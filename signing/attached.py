"""The files that a packet carries, one by one, as far as anybody signed them: the legal signature of a document is there (DESIGN §9).

An attachment that shows no sign of a signature is not read any further: nobody signed it, whatever else may be wrong with it.
"""

from __future__ import annotations

from collections.abc import Iterator

from schemas.edxml.attachments import Budget, base_name, opened
from schemas.edxml.packet import DocumentPacket, Packet
from schemas.errors import Refused, Violation, error
from signing import forms, part, reasons
from signing.container import Kind
from signing.context import Context
from signing.finding import Given
from signing.forms import Read
from signing.part import Part

_SIGNED_DATA = bytes.fromhex("2a864886f70d010702")  # the OID's value: no CMS signature is without it
_SIGNS: dict[Kind, tuple[bytes, ...]] = {
    Kind.PDF: (b"/ByteRange", b"/SubFilter"),
    Kind.CMS: (_SIGNED_DATA, b"-----BEGIN"),
    Kind.TSR: (_SIGNED_DATA, b"-----BEGIN"),
    Kind.ASIC: (b"META-INF/",),
    Kind.OOXML: (b"_xmlsignatures/",),
    Kind.XML: (b"Signature",),
    Kind.EDXML: (b"Signature",),
}


def shows_signature(kind: Kind, data: bytes) -> bool:
    """Whether the bytes show that somebody may have signed. False means that nobody did; True means only: look."""
    octets = data.replace(b"\0", b"") if kind in (Kind.XML, Kind.EDXML) and b"\0" in data[:4] else data
    return any(sign in octets for sign in _SIGNS.get(kind, ()))


def attached(packet: Packet, ctx: Context, given: Given) -> Iterator[Part]:
    """Each attachment's answers, in order; its file is let go before the next is opened. Raises nothing."""
    if not isinstance(packet, DocumentPacket):
        return
    listed = {one.content_id: one.attachment_name for one in packet.references}
    budget = Budget(given.limits.max_attachment_bytes)
    for number, attachment in enumerate(packet.attachments[: given.limits.max_attachments], 1):
        declared = attachment.attachment_name or listed.get(attachment.content_id, "")
        name = base_name(declared) or f"Attachment[{number}]"
        try:
            _, pieces = opened(attachment, declared, given.limits, budget)
            data = b"".join(pieces)
        except Refused as fault:
            yield Part(name, Kind.UNKNOWN, (), _said(fault, name))
            if budget.left_bytes < 0:
                return  # the rest is not opened: it would not fit either
            continue
        kind = forms.chosen(data)
        found = forms.demanding(forms.read(kind, data, None, given)) if shows_signature(kind, data) else _unsigned(kind)
        yield part.judged(found, ctx, name=name, data=data)


def _unsigned(kind: Kind) -> Read:
    return Read(kind, (), (error("no-signature", got=str(kind), expected="a signature"),))


def _said(fault: Refused, name: str) -> tuple[Violation, ...]:
    return reasons.ranked([error(reasons.of(fault.code), path=name, got=fault.got or fault.code, expected=fault.expected)])
