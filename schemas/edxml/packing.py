"""Putting files into a packet the way the official SDK does: base64, on one line, of a zip with one entry ``<uuid>.<ext>``.

Nothing here reads a clock or draws a number: ids are UUIDv5 of the content's digest, the zip's times are fixed. The entry is stored, not
deflated, because deflated bytes differ between builds of zlib and the same file must always make the same packet.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from io import BytesIO
from uuid import NAMESPACE_URL, uuid5
from zipfile import ZIP_STORED, ZipFile, ZipInfo

import pybase64

from schemas.edxml.names import QCVN102
from schemas.edxml.packet import Attachment, DocumentPacket, Reference

_NAMESPACE = uuid5(NAMESPACE_URL, QCVN102)
_EXTENSION = re.compile(r"\.[0-9A-Za-z]{1,10}$")
_ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time a zip can carry
_UNIX = 3


@dataclass(frozen=True, slots=True)
class File:
    """A file to send: its real name, for people, and its bytes."""

    name: str
    data: bytes = field(repr=False)


def with_files(packet: DocumentPacket, files: Sequence[File]) -> DocumentPacket:
    """`packet` with `files` as its attachments, each with its `Reference`."""
    attachments = tuple(_attachment(n, one) for n, one in enumerate(files, 1))
    references = tuple(Reference(a.content_id, a.content_type, a.description, a.attachment_name) for a in attachments)
    return replace(packet, attachments=attachments, references=references)


def one_entry_zip(file: File) -> bytes:
    """The zip that carries `file`: one entry, named by its content."""
    extension = _EXTENSION.search(file.name)
    entry = ZipInfo(f"{uuid5(_NAMESPACE, sha256(file.data).hexdigest())}{extension.group() if extension else '.bin'}", _ZIP_EPOCH)
    entry.create_system, entry.compress_type = _UNIX, ZIP_STORED
    out = BytesIO()
    with ZipFile(out, "w") as archive:
        archive.writestr(entry, file.data)
    return out.getvalue()


def _attachment(n: int, file: File) -> Attachment:
    packed = one_entry_zip(file)
    return Attachment(
        content_id=str(uuid5(_NAMESPACE, f"{n} {file.name} {sha256(file.data).hexdigest()}")),
        attachment_name=file.name,
        description=file.name,
        content_type="application/zip",
        source=pybase64.b64encode(packed).decode("ascii"),
    )
