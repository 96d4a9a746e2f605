"""Any packet that can be read into the canonical one: QCVN 102:2016 as the strict writer lays it out, with every loss named.

Procedure of `convert`:

1. a packet of QCVN 102:2016 is read as it is; one of the 2014 generation is laid out anew first (`dialects`)
2. dates become ``yyyy/MM/dd``; a `DocumentId` that is missing is made of agency code, date and number (edxml.md §1.6 [S])
3. the strict writer writes; what the reader would refuse is not written
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from schemas import xml
from schemas.edxml import examination
from schemas.edxml.dates import DateForm, form_of
from schemas.edxml.dialects import Loss, lay_out
from schemas.edxml.packet import Packet, ResponseFor, StatusPacket
from schemas.edxml.parts import Walk
from schemas.edxml.writer import write_document, write_status
from schemas.errors import Refused, Violation, warning
from schemas.limits import DEFAULT_LIMITS, Limits
from schemas.message import Inbound

QCVN102 = "qcvn102"
_DAY_FIRST = re.compile(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})(?:[ T]+(\d{1,2}):(\d{2})(?::(\d{2}))?.{0,10})?", re.ASCII)
_YEAR_FIRST = re.compile(r"(\d{4})[/.-](\d{1,2})[/.-](\d{1,2})(?:[ T]+(\d{1,2}):(\d{2})(?::(\d{2}))?.{0,10})?", re.ASCII)
_LOST_WITH = {"unknown-element": "unknown-element", "empty-signature": "packet-signature"}  # violation → loss


@dataclass(frozen=True, slots=True)
class Conversion:
    """The canonical packet and what it cost."""

    packet: Packet
    raw: bytes = field(repr=False)
    dialect: str  # of `dialects.DIALECTS`, or "qcvn102"
    losses: tuple[Loss, ...]


def convert(inbound: Inbound, limits: Limits = DEFAULT_LIMITS) -> Conversion:
    """`inbound` as a canonical packet.

    Raises `Refused`: as `examination.examine`, `dialects.lay_out` and the writer do.
    """
    packet, violations, dialect, losses = _read(inbound, limits)
    for one in violations:
        if one.code in _LOST_WITH:
            losses.append(Loss(_LOST_WITH[one.code], one.path, one.got))
    packet = _with_official_dates(packet)
    if isinstance(packet, StatusPacket):
        return Conversion(packet, write_status(packet), dialect, tuple(losses))
    if not packet.document_id and dialect != QCVN102:
        made = f"{packet.sender.organ_id},{packet.promulgation.promulgation_date},{packet.code.text}"
        packet = replace(packet, document_id=made)
        losses.append(Loss("document-id-made", "MessageHeader/DocumentId", made))
    return Conversion(packet, write_document(packet), dialect, tuple(losses))


def examined(inbound: Inbound, dialects: frozenset[str], limits: Limits = DEFAULT_LIMITS) -> examination.Examined:
    """What `examination.examine` finds in the conversion of `inbound`, each loss a warning.

    Raises `Refused`: as `convert`, and `old-dialect` where the dialect is not among `dialects`.
    """
    conversion = convert(inbound, limits)
    if conversion.dialect not in dialects:
        raise Refused("old-dialect", got=conversion.dialect, expected=", ".join(sorted(dialects)))
    found = examination.examine(replace(inbound, raw=conversion.raw, charset=""), limits)
    lost = tuple(warning("conversion-loss", path=one.path, got=f"{one.name}: {one.got}") for one in conversion.losses)
    return replace(found, violations=(*found.violations, *lost))


def _read(inbound: Inbound, limits: Limits) -> tuple[Packet, tuple[Violation, ...], str, list[Loss]]:
    try:
        ours = examination.examine(inbound, limits)
    except Refused as fault:
        if fault.code != "old-dialect":
            raise
    else:
        return ours.packet, ours.violations, QCVN102, []
    laid = lay_out(inbound.raw, inbound.charset, limits)
    found = examination.judge(xml.ParsedXml(laid.root, b"", "UTF-8", "default", attributes=-1), Walk(limits))
    return found.packet, found.violations, laid.dialect, laid.losses


def official(text: str) -> str:
    """A date (and time) in the form of QCVN 102, where `text` is one that can be told; else `text`.

    Day first is what the 2014 generation writes [J]; with the year first, the order is certain.
    """
    if form_of(text) is DateForm.OFFICIAL:
        return text
    year_first, day_first = _YEAR_FIRST.fullmatch(text), _DAY_FIRST.fullmatch(text)
    if year_first:
        year, month, day, hour, minute, second = year_first.groups()
    elif day_first:
        day, month, year, hour, minute, second = day_first.groups()
    else:
        return text
    written = f"{year}/{int(month):02}/{int(day):02}" + (f" {int(hour):02}:{minute}:{second or '00'}" if hour else "")
    return written if form_of(written) is DateForm.OFFICIAL else text


def _with_official_dates(packet: Packet) -> Packet:
    if isinstance(packet, StatusPacket):
        return replace(packet, response_for=_dated(packet.response_for), timestamp=official(packet.timestamp))
    return replace(
        packet,
        promulgation=replace(packet.promulgation, promulgation_date=official(packet.promulgation.promulgation_date)),
        due_date=official(packet.due_date),
        response_for=tuple(_dated(one) for one in packet.response_for),
        trace=tuple(replace(one, timestamp=official(one.timestamp)) for one in packet.trace),
    )


def _dated(about: ResponseFor) -> ResponseFor:
    return replace(about, promulgation_date=official(about.promulgation_date))
