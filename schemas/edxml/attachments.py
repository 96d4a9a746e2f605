"""The files that a packet carries: decoding them, and telling how they were packed.

Three ways are in circulation (`SOURCES.md`): base64 of a zip with one entry ``<uuid>.<ext>``, base64 of the file itself, and the text of
an XML or plain PDF file as it stands. What is declared of them cannot be trusted, so content decides:

1. text that begins like XML or PDF is the file (`raw`); neither can begin base64
2. anything else must be strict base64; white space may stand between
3. what begins like a zip is looked into: names, sizes, their ratio, and that no two entries share bytes; a hostile one is refused,
   unpacked or not, and so is one that comes out of another
4. it is unpacked if it has exactly one entry, and that is named ``<uuid>.<ext>`` or the declared name is not itself an archive's;
   otherwise it is the file (docx, xlsx and zip begin alike)

Names inside archives name nothing here: they are looked at to refuse `../`, and for the pattern of step 4.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from io import BytesIO
from typing import IO, BinaryIO

import pybase64

from schemas.edxml import lone_zip
from schemas.edxml.archives import DIRECTORY_ENTRY, ZIP_MAGIC, inner_looked_into, is_safe, look_into, unpacked
from schemas.edxml.packet import Attachment, DocumentPacket, Packet, Spool
from schemas.errors import Refused, shown
from schemas.limits import DEFAULT_LIMITS, MIB, Limits

_UUID_NAME = re.compile(r"\{?[0-9a-fA-F]{8}-?(?:[0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}\}?\.[0-9A-Za-z]{1,10}")
_ARCHIVE_SUFFIXES = (".zip", ".docx", ".xlsx", ".pptx", ".docm", ".xlsm", ".pptm", ".odt", ".ods", ".odp", ".asice", ".jar")
_PLACEHOLDER = re.compile(r"\s*(?:\$\{|\{\{|<%|%\w+%)")  # a template that nobody filled in: ${__StringFromFile(test.txt,,,)} [S]
_CHUNK_BYTES = 256 * 1024


class Packing(StrEnum):
    """How the file stood in the packet."""

    ZIP = "zip"  # base64 of a one-entry zip, unpacked here
    BASE64 = "base64"  # base64 of the file itself
    RAW = "raw"  # the file's text as it stands


@dataclass(frozen=True, slots=True)
class Content:
    """One file of a packet."""

    content_id: str
    name: str  # as declared, without folders; for people, never for a path
    media_type: str  # told from the bytes; "application/octet-stream" = unknown
    packing: Packing
    data: bytes = field(repr=False)


@dataclass(slots=True)
class Budget:
    """What one packet's attachments may still grow to, together."""

    left_bytes: int

    def take(self, n: int) -> None:
        """Raises `Refused` with `attachment-too-large` when the packet's attachments outgrow `max_attachment_bytes`."""
        self.left_bytes -= n
        if self.left_bytes < 0:
            raise Refused("attachment-too-large", got=f"+{-self.left_bytes} bytes", expected="≤ max_attachment_bytes")


def attachments_of(packet: Packet, limits: Limits = DEFAULT_LIMITS) -> tuple[Content, ...]:
    """The files of `packet`, in the order of its `Attachment`s; none for a status.

    All of them are in memory then: at most `limits.max_attachment_bytes`. Raises `Refused` with `attachment-encoding`,
    `attachment-empty`, `attachment-archive`, `attachment-unsafe-name` or `attachment-too-large`.
    """
    if not isinstance(packet, DocumentPacket):
        return ()
    listed = {one.content_id: one.attachment_name for one in packet.references}
    budget = Budget(limits.max_attachment_bytes)
    found = []
    for attachment in packet.attachments:
        name = attachment.attachment_name or listed.get(attachment.content_id, "")
        packing, chunks = opened(attachment, name, limits, budget)
        data = b"".join(chunks)
        found.append(Content(attachment.content_id, base_name(name), media_type_of(data, limits), packing, data))
    return tuple(found)


def opened(attachment: Attachment, name: str, limits: Limits, budget: Budget) -> tuple[Packing, Iterator[bytes]]:
    """How `attachment` was packed, and its file in pieces. Faults inside a zip may come while iterating. Raises as `attachments_of`."""
    if isinstance(attachment.source, Spool):
        return _opened_spool(attachment.source, name, limits, budget)
    text = attachment.encoded
    if stands_as_text(text):  # 1
        data = text.encode("utf-8")
        budget.take(len(data))
        return Packing.RAW, iter((data,))
    data = _decoded(text, budget)  # 2
    del text
    if not data.startswith(ZIP_MAGIC):
        budget.take(len(data))
        return Packing.BASE64, iter((data,))
    lone = lone_zip.read(data)
    if lone is not None and is_safe(lone.name) and _is_packing(lone.name, name):  # the common case of 3 and 4, in a tenth of the time
        budget.take(len(lone.data))
        whole = iter((lone.data,))
        return Packing.ZIP, inner_looked_into(whole, limits) if lone.data.startswith(ZIP_MAGIC) else whole
    archive, entries = look_into(BytesIO(data), len(data), data.count(DIRECTORY_ENTRY), limits)  # 3
    if len(entries) == 1 and _is_packing(entries[0].filename, name):  # 4
        return Packing.ZIP, inner_looked_into(unpacked(archive, entries[0], budget.take), limits)
    budget.take(len(data))
    return Packing.BASE64, iter((data,))


def _opened_spool(spool: Spool, name: str, limits: Limits, budget: Budget) -> tuple[Packing, Iterator[bytes]]:
    if spool.fault is not None:
        raise Refused(spool.fault[0], got=spool.fault[1], expected="base64")
    spool.file.seek(0)
    magic = b"" if spool.is_text else spool.file.read(len(ZIP_MAGIC))
    if magic == ZIP_MAGIC:
        archive, entries = look_into(spool.file, spool.size_bytes, spool.directory_entries, limits)
        if len(entries) == 1 and _is_packing(entries[0].filename, name):
            return Packing.ZIP, inner_looked_into(unpacked(archive, entries[0], budget.take), limits)
    budget.take(spool.size_bytes)
    spool.file.seek(0)
    return Packing.RAW if spool.is_text else Packing.BASE64, iter(lambda: spool.file.read(_CHUNK_BYTES), b"")


def stands_as_text(text: str) -> bool:
    """Step 1, of the text's beginning: its first 64 characters are enough."""
    return text[:64].lstrip()[:5].startswith(("<", "%PDF-"))


def _is_packing(entry: str, declared: str) -> bool:
    return bool(_UUID_NAME.fullmatch(entry)) or not declared.strip().lower().endswith(_ARCHIVE_SUFFIXES)


def base_name(name: str) -> str:
    """`name` without folders and control characters."""
    return shown(name.replace("\\", "/").rpartition("/")[2]).strip()


def media_type_of(data: bytes, limits: Limits = DEFAULT_LIMITS) -> str:
    """The media type that the first bytes (of a zip: the names inside) show."""
    told = _told_from(data[:1024])
    return told or _archive_type(BytesIO(data), len(data), data.count(DIRECTORY_ENTRY), limits)


def media_type_in(file: BinaryIO, limits: Limits = DEFAULT_LIMITS) -> str:
    """The same of a seekable file, which is not read into memory."""
    size, entries = file.seek(0, 2), 0
    file.seek(0)
    told = _told_from(file.read(1024))
    if told:
        return told
    file.seek(0)
    tail = b""
    while piece := file.read(_CHUNK_BYTES):
        entries += (tail + piece).count(DIRECTORY_ENTRY)
        tail = piece[1 - len(DIRECTORY_ENTRY) :]
    return _archive_type(file, size, entries, limits)


def _told_from(head: bytes) -> str:
    """The media type, "" where the names in a zip have to tell."""
    if b"%PDF-" in head:  # readers take a PDF that begins within its first kilobyte
        return "application/pdf"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if head.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if head.startswith(ZIP_MAGIC):
        return ""
    return "application/xml" if head[:64].removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"<") else "application/octet-stream"


def _archive_type(source: IO[bytes], size: int, directory_entries: int, limits: Limits) -> str:
    try:
        inside = {entry.filename for entry in look_into(source, size, directory_entries, limits)[1]}
    except Refused:
        return "application/zip"
    if "[Content_Types].xml" in inside:
        if "word/document.xml" in inside:
            return "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
        if "xl/workbook.xml" in inside:
            return "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    return "application/zip"


def _decoded(text: str, budget: Budget) -> bytes:
    if len(text) // 4 * 3 > 2 * budget.left_bytes + MIB:  # far too large even if half of it is white space
        budget.take(len(text) // 4 * 3)
    try:
        data: bytes = pybase64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        data = _decoded_without_space(text)
    if not data:
        raise Refused("attachment-empty", expected="base64")
    return data


def _decoded_without_space(text: str) -> bytes:
    try:
        data: bytes = pybase64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError) as fault:
        raise Refused(encoding_fault(text), got=f"{text[:24]!r} … ({len(text)})", expected="base64") from fault
    return data


def encoding_fault(head: str) -> str:
    """The code for content that is no base64, told from its first characters."""
    return "attachment-placeholder" if _PLACEHOLDER.match(head) else "attachment-encoding"
