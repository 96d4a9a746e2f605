"""The files that a packet carries, one by one, as far as anybody signed them: the legal signature of a document is there (DESIGN §9).

An attachment that shows no sign of a signature is not read any further: nobody signed it, whatever else may be wrong with it. A detached
CMS signature lies beside its file and bears its name with `.p7s` behind it (`van-ban.docx.p7s`, as `lgsp sign` writes it): both are judged
by it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace

from schemas.edxml.attachments import Budget, base_name, opened
from schemas.edxml.packet import Attachment, DocumentPacket, Packet
from schemas.errors import Refused, Violation, error
from signing import forms, part, reasons
from signing.container import Kind
from signing.context import Context
from signing.finding import Given
from signing.forms import Read
from signing.part import Part

_SIGNED_DATA = bytes.fromhex("2a864886f70d010702")  # the OID's value: no CMS signature is without it
_DETACHED = ".p7s"  # RFC 8551 §3.2.1
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
    kept = packet.attachments[: given.limits.max_attachments]
    declared = [one.attachment_name or listed.get(one.content_id, "") for one in kept]
    beside = _pairs(declared)
    budget, again = (Budget(given.limits.max_attachment_bytes) for _ in range(2))  # a file and its signature are each opened for the other
    for number, attachment in enumerate(kept):
        name = base_name(declared[number]) or f"Attachment[{number + 1}]"
        try:
            data = _bytes_of(attachment, declared[number], given, budget)
            other = beside.get(number)
            partner = _bytes_of(kept[other], declared[other], given, again) if other is not None else None
        except Refused as fault:
            yield Part(name, Kind.UNKNOWN, (), _said(fault, name))
            if budget.left_bytes < 0:
                return  # the rest is not opened: it would not fit either
            continue
        yield part.judged(_read(data, partner, given, is_signature=name.lower().endswith(_DETACHED)), ctx, name=name, data=data)


def _read(data: bytes, partner: bytes | None, given: Given, *, is_signature: bool) -> Read:
    """What `data` shows by itself, or together with its signature or the file that it is the signature of."""
    kind = forms.chosen(data)
    if partner is not None and is_signature and kind is Kind.CMS:
        return forms.demanding(forms.read(kind, data, partner, given))
    if shows_signature(kind, data):
        return forms.demanding(forms.read(kind, data, None, given))
    if partner is not None and not is_signature and forms.chosen(partner) is Kind.CMS:
        return replace(forms.demanding(forms.read(Kind.CMS, partner, data, given)), kind=kind)
    return _unsigned(kind)


def _pairs(declared: list[str]) -> Mapping[int, int]:
    """Which attachment is beside which, both ways, by names that only one of them has."""
    names = [base_name(one) for one in declared]
    counted = Counter(names)
    places = {name: number for number, name in enumerate(names) if name and counted[name] == 1}
    found = {places[name]: places[name[: -len(_DETACHED)]] for name in places if name.lower().endswith(_DETACHED) and name[:-4] in places}
    return {**{file: signature for signature, file in found.items()}, **found}


def _bytes_of(attachment: Attachment, declared: str, given: Given, budget: Budget) -> bytes:
    """Raises `Refused`, as `opened` does."""
    _, pieces = opened(attachment, declared, given.limits, budget)
    return b"".join(pieces)


def _unsigned(kind: Kind) -> Read:
    return Read(kind, (), (error("no-signature", got=str(kind), expected="a signature"),))


def _said(fault: Refused, name: str) -> tuple[Violation, ...]:
    return reasons.ranked([error(reasons.of(fault.code), path=name, got=fault.got or fault.code, expected=fault.expected)])
