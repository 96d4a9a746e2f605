"""Checks of the attachments: that they are what the manifest promises, that they open, and that they are not ruined.

Every attachment is opened as a receiver will open it, once: whoever wants its file passes a `Taker`.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from schemas.edxml.attachments import Budget, Packing, opened
from schemas.edxml.packet import Attachment, DocumentPacket
from schemas.edxml.rules import Findings
from schemas.errors import Refused

_MANIFEST = "edXMLEnvelope/edXMLBody/edXMLManifest/Reference"
_REPLACEMENT = b"\xef\xbf\xbd"  # U+FFFD in UTF-8: what a decoder puts where bytes were no text
_RUINED_FROM = 16  # of them; a text may well hold one or two
_PDF = "application/pdf"


@dataclass(frozen=True, slots=True)
class Opened:
    """An attachment that could be opened. `pieces` are its file, to be taken once and whole; a `Refused` may come out of them."""

    attachment: Attachment
    name: str  # as declared there or in the manifest
    packing: Packing
    pieces: Iterator[bytes]


Taker = Callable[[Opened], None]


def leave(one: Opened) -> None:
    """Reads the file through and keeps nothing."""
    for _ in one.pieces:
        pass


def check(packet: DocumentPacket, findings: Findings, take: Taker = leave) -> None:
    """All rules for what a document carries. `take` is given every attachment that opens, in order."""
    if packet.references or packet.attachments:
        _check_manifest(packet, findings)
        _check_each(packet, findings, take)


def _check_manifest(packet: DocumentPacket, findings: Findings) -> None:
    if len(packet.attachments) > findings.limits.max_attachments:
        findings.error(
            "too-many-attachments", "AttachmentEncoded", got=len(packet.attachments), expected=f"≤ {findings.limits.max_attachments}"
        )
    carried: set[str] = set()
    for n, one in enumerate(packet.attachments, 1):
        if one.content_id in carried:
            findings.error("doubled-content-id", f"AttachmentEncoded/Attachment[{n}]/ContentId", got=one.content_id, expected="≠")
        carried.add(one.content_id)
    listed = {one.content_id for one in packet.references}
    if carried == listed:
        return
    for n, reference in enumerate(packet.references, 1):
        if reference.content_id not in carried:
            wanted = f"Attachment/ContentId = {reference.content_id}"
            findings.error("reference-without-attachment", f"{_MANIFEST}[{n}]", got=reference.content_id, expected=wanted)
    for n, one in enumerate(packet.attachments, 1):
        if one.content_id not in listed:
            wanted = f"Reference/ContentId = {one.content_id}"
            findings.warn("attachment-not-listed", f"AttachmentEncoded/Attachment[{n}]", got=one.content_id, expected=wanted)


def _check_each(packet: DocumentPacket, findings: Findings, take: Taker) -> None:
    listed = {one.content_id: one.attachment_name for one in packet.references}
    budget = Budget(findings.limits.max_attachment_bytes)
    for n, one in enumerate(packet.attachments[: findings.limits.max_attachments], 1):
        name = one.attachment_name or listed.get(one.content_id, "")
        place = f"AttachmentEncoded/Attachment[{n}]"
        try:
            packing, pieces = opened(one, name, findings.limits, budget)
            watch = Watch()
            take(Opened(one, name, packing, watch.over(pieces)))
        except Refused as refused:
            findings.error(refused.code, f"{place}/ContentTransferEncoded", got=refused.got, expected=refused.expected)
            if budget.left_bytes < 0:
                return  # the rest is not opened: it would not fit either
            continue
        if watch.is_ruined:
            findings.error(
                "attachment-destroyed", f"{place}/ContentTransferEncoded", got=f"{watch.replaced} × EF BF BD", expected="%PDF, binary"
            )
        elif one.content_type:
            _check_declared(one.content_type.strip().lower(), packing, watch.head, place, findings)


def _check_declared(declared: str, packing: Packing, head: bytes, place: str, findings: Findings) -> None:
    """The two that are seen to be confused, PDF and zip. Nothing follows from it: content decides."""
    is_zip = packing is Packing.ZIP or head.startswith(b"PK\x03\x04")
    if declared == _PDF and (is_zip or b"%PDF-" not in head):
        findings.warn("attachment-type", f"{place}/ContentType", got=declared, expected="application/zip" if is_zip else "≠ PDF")
    elif declared == "application/zip" and not is_zip:
        findings.warn("attachment-type", f"{place}/ContentType", got=declared, expected=_PDF if b"%PDF-" in head else "≠ zip")


def _is_text(head: bytes) -> bool:
    """Whether the beginning of a file may be text: seldom so in a sound PDF, whose second line is to be none (ISO 32000-1 §7.5.2)."""
    try:
        codecs.utf_8_decode(head, "strict", False)  # it may end within a character
    except UnicodeDecodeError:
        return False
    return True


class Watch:
    """Looks at a file as it passes by: its head, and whether it is a PDF that was once taken for text.

    Bytes decoded as UTF-8 and encoded again leave EF BF BD wherever they were no text, and are UTF-8 from end to end then; a sound PDF
    with anything compressed or signed in it never is.
    """

    __slots__ = ("_decoder", "head", "replaced")

    def __init__(self) -> None:
        self.head = b""
        self.replaced = 0
        self._decoder: codecs.IncrementalDecoder | None = None

    @property
    def is_ruined(self) -> bool:
        """Whether it is one, all of it having passed."""
        return self._decoder is not None and self.replaced >= _RUINED_FROM

    def over(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        """`pieces`, looked at."""
        for piece in pieces:
            if not self.head:
                self.head = piece[:1024]
                if b"%PDF-" in self.head and _is_text(self.head) and _REPLACEMENT in piece:  # a ruined one has many, from its first line on
                    self._decoder = codecs.getincrementaldecoder("utf-8")()
            if self._decoder is not None:
                self._look(self._decoder, piece)
            yield piece

    def _look(self, decoder: codecs.IncrementalDecoder, piece: bytes) -> None:
        try:
            decoder.decode(piece)
        except UnicodeDecodeError:
            self._decoder = None
        else:
            self.replaced += piece.count(_REPLACEMENT)
