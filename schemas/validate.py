"""Judging a packet without taking it in: what `lgsp validate` and the faces' dry runs show.

Bad input is the normal case here, so it is never raised: it is listed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

from schemas import xml
from schemas.business.every_kind import business_kind_of
from schemas.business.kinds import business_kinds
from schemas.business.reader import read_business
from schemas.dvcqg.shape import Shape
from schemas.dvcqg.strict_json import parse
from schemas.dvcqg.validate import is_json, judge
from schemas.edxml import convert, defects, reader
from schemas.edxml.attachments import base_name, media_type_of
from schemas.edxml.contents import Opened, Taker
from schemas.edxml.packet import KIND_OF_TYPE, DocumentPacket, Packet
from schemas.edxml.stream import Streamed, read_stream
from schemas.errors import HubError, Refused, Violation, error, errors_of
from schemas.limits import DEFAULT_LIMITS, MIB, Limits
from schemas.message import Inbound, Kind

STREAM_FROM_BYTES = 4 * MIB  # below it, the tree is as cheap
_CHUNK_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class AttachmentSummary:
    """One attachment that could be opened."""

    name: str
    media_type: str  # told from the bytes
    packing: str  # "zip", "base64" or "raw"
    size_bytes: int  # of the file itself


@dataclass(frozen=True, slots=True)
class Report:
    """What was found out about one packet. What could not be read is ``""`` or empty."""

    kind: str  # "document.new" …, "" unknown
    sender: str  # From/OrganId
    recipients: tuple[str, ...]
    document_id: str
    violations: tuple[Violation, ...]  # errors first
    attachments: tuple[AttachmentSummary, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether the hub would take the packet, as far as its form goes. Warnings do not matter."""
        return not errors_of(self.violations)

    def as_json(self) -> dict[str, Any]:
        """The form that `--json` prints."""
        return {
            "ok": self.ok,
            "kind": self.kind,
            "sender": self.sender,
            "recipients": list(self.recipients),
            "document_id": self.document_id,
            "attachments": [
                {"name": one.name, "media_type": one.media_type, "packing": one.packing, "size_bytes": one.size_bytes}
                for one in self.attachments
            ],
            "violations": [one.as_json() for one in self.violations],
            "known_defects": list(defects.names_of(self.violations)),
        }


def validate(
    raw: bytes,
    *,
    charset: str = "",
    content_type: str = "",
    kind: str = "",
    history: Sequence[Shape] = (),
    at: datetime,
    limits: Limits = DEFAULT_LIMITS,
) -> Report:
    """The report on `raw`. `charset` and `content_type` are the protocol's, "" where there is none. Raises nothing for bad input.

    `kind` names a message with a model, for those that do not name themselves; "" = told by the content. `history` is what the sender of a
    dossier message said before, oldest first, answers included: states that go back and codes given twice show only beside it.
    """
    if kind:
        return _named(raw, content_type, kind, charset, history=history, limits=limits)
    if is_json(raw, content_type):
        return _judged(raw, content_type, charset, history, limits)
    inbound = Inbound(raw, content_type, charset, "validate", at)
    report = _reported(lambda take: reader.examine(inbound, limits, take), limits)
    codes = [one.code for one in report.violations]
    if codes == ["old-dialect"]:
        return _read_as_old(inbound, limits)
    if codes == ["not-edxml"]:  # a dossier message in XML, perhaps
        other = _judged(raw, content_type, charset, history, limits)
        return other if other.kind else report
    return report


def validate_file(path: Path, *, kind: str = "", history: Sequence[Shape] = (), at: datetime, limits: Limits = DEFAULT_LIMITS) -> Report:
    """The report on the packet in the file at `path`; a large one is read in a stream, its attachments through temporary files.

    A large one with a real XML signature is read as a tree, up to `limits.max_signed_bytes`. Raises `OSError` where `path` cannot be read.
    """
    size = path.stat().st_size
    if size <= STREAM_FROM_BYTES or kind:
        return validate(path.read_bytes(), kind=kind, history=history, at=at, limits=limits)
    with path.open("rb") as file:
        try:
            streamed = read_stream(iter(lambda: file.read(_CHUNK_BYTES), b""), TemporaryFile, limits=limits)
        except HubError as fault:
            return _refused(fault)
        if isinstance(streamed, Streamed):
            with closing(streamed):
                summaries = [AttachmentSummary(one.name, one.media_type, str(one.packing), one.size_bytes) for one in streamed.files]
                return _report(streamed.packet, streamed.violations, summaries, limits)
        most = limits.max_signed_bytes
        return _reported(lambda take: reader.examine_tree(xml.parse_file(file, limits=limits, max_bytes=most), limits, take), limits)


def _judged(raw: bytes, content_type: str, charset: str, history: Sequence[Shape], limits: Limits) -> Report:
    """What a message of the one-stop exchange or of line-of-business software says; honesty checks included."""
    judged = judge(raw, content_type, charset=charset, history=history, limits=limits)
    if not judged.kind and is_json(raw, content_type):
        try:
            told = business_kind_of(parse(raw, charset=charset, limits=limits).value)
        except Refused as fault:  # what cannot be parsed was told of already
            return _refused(fault) if fault.code == "business-ambiguous-kind" else Report("", "", (), "", judged.violations)
        if told is not None:
            return _named(raw, content_type, told.name, charset, history=history, limits=limits)
    return Report(judged.kind, "", (), "", judged.violations)


def _named(raw: bytes, content_type: str, kind: str, charset: str, *, history: Sequence[Shape], limits: Limits) -> Report:
    if kind not in business_kinds():
        judged = judge(raw, content_type, kind=kind, charset=charset, history=history, limits=limits)
        return Report(judged.kind, "", (), "", judged.violations)
    try:
        return Report(kind, "", (), "", read_business(raw, kind, charset=charset, limits=limits).violations)
    except Refused as fault:
        return _refused(fault)


def _reported(examine: Callable[[Taker], reader.Examined], limits: Limits) -> Report:
    found: list[AttachmentSummary] = []

    def take(one: Opened) -> None:
        head = next(one.pieces, b"")
        if head.startswith(b"PK"):  # what is inside tells what it is
            data = b"".join([head, *one.pieces])
            size, kind = len(data), media_type_of(data, limits)
        else:
            size, kind = len(head) + sum(len(piece) for piece in one.pieces), media_type_of(head, limits)
        found.append(AttachmentSummary(base_name(one.name), kind, str(one.packing), size))

    try:
        examined = examine(take)
    except HubError as fault:
        return _refused(fault)
    return _report(examined.packet, examined.violations, found, limits)


def _read_as_old(inbound: Inbound, limits: Limits) -> Report:
    """What a packet of the 2014 generation says, though it stays refused: the hub takes it only where asked to, or after `lgsp convert`."""
    with suppress(HubError):
        conversion = convert.convert(inbound, limits)
        seen = validate(conversion.raw, at=inbound.received_at, limits=limits)
        place = error("old-dialect", line=1, got=conversion.dialect, expected="QCVN 102:2016")
        return replace(seen, violations=(place, *seen.violations))
    return Report("", "", (), "", (error("old-dialect", line=1, expected="QCVN 102:2016"),))


def _refused(fault: HubError) -> Report:
    return Report("", "", (), "", fault.violations or (error(fault.code, got=fault.got, expected=fault.expected),))


def _report(packet: Packet, violations: tuple[Violation, ...], attachments: list[AttachmentSummary], limits: Limits) -> Report:
    if isinstance(packet, DocumentPacket):
        kind, to, document_id = KIND_OF_TYPE.get(packet.doc_type), packet.to, packet.document_id
        recipients = tuple(one.organ_id for one in to)
    else:
        kind, recipients, document_id = Kind.DOCUMENT_STATUS, (packet.response_for.organ_id,), packet.response_for.document_id
    return Report(
        kind=str(kind or ""),
        sender=packet.sender.organ_id,
        recipients=recipients[: limits.max_recipients],
        document_id=document_id,
        violations=violations,
        attachments=tuple(attachments),
    )
