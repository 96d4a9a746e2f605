"""The carriers of the generations before QCVN 102:2016: a multipart message written to a file, and a zip of two XML files.

The SDK of 2014 wrote SOAP with attachments as it went over the wire: the first line is the boundary, the first part (``<Start>``) the SOAP
envelope, then one part for each attachment [J]. Before that, a zip held ``header.xml`` and ``Attachment.xml`` [J]. Strict and small:
only what those write, no nesting, no encoded words.
"""

from __future__ import annotations

import binascii
import re
import zipfile
from dataclasses import dataclass, field
from io import BytesIO

import pybase64

from schemas.edxml.archives import ZIP_FAULTS
from schemas.errors import Refused
from schemas.limits import Limits

_FIRST_LINE = re.compile(rb"\s*--([^\r\n]{1,200}?)[ \t]*\r?\n")
_HEADER = re.compile(r"([A-Za-z][A-Za-z0-9-]{0,60}):[ \t]*(.*)")
_PARAMETER = re.compile(r""";\s*(?:file)?name\s*=\s*(?:"([^"]*)"|([^\s;]+))""", re.IGNORECASE)
_MOST_HEADER_BYTES = 16 * 1024


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a message, its transfer encoding undone."""

    content_id: str  # without <>; "" where the part has none
    media_type: str  # lower case, without parameters
    name: str  # of the file, "" unknown
    body: bytes = field(repr=False)


def split(raw: bytes, limits: Limits) -> tuple[Part, ...]:
    """The parts of `raw`, at least one. Raises `Refused` with `multipart-malformed`, `too-many-attachments` or `resource-limit`."""
    first = _FIRST_LINE.match(raw[:_MOST_HEADER_BYTES])
    if first is None:
        raise Refused("multipart-malformed", got=repr(raw[:24]), expected="--boundary")
    mark = b"--" + first.group(1)
    parts, begin = list[Part](), first.end()
    for line in re.finditer(rb"\r?\n" + re.escape(mark) + rb"(--)?[ \t]*(?:\r?\n|\Z)", raw[: limits.max_body_bytes]):
        if line.start() < begin:
            raise Refused("multipart-malformed", got="an empty part", expected="Name: value")
        parts.append(_part(raw[begin : line.start()]))
        begin = line.end()
        if line.group(1):
            return tuple(parts)
        if len(parts) > limits.max_attachments:
            raise Refused("too-many-attachments", got=f"> {limits.max_attachments}", expected=f"≤ {limits.max_attachments}")
    raise Refused("multipart-malformed", got="no end", expected=(mark + b"--").decode("ascii", "replace"))


def unpack(raw: bytes, limits: Limits) -> tuple[Part, ...]:
    """``header.xml`` and then ``Attachment.xml`` of a zip. Raises `Refused` with `attachment-archive` or `attachment-too-large`."""
    try:
        with zipfile.ZipFile(BytesIO(raw)) as archive:
            named = {entry.filename.lower(): entry for entry in archive.infolist()}
            wanted = [named[name] for name in ("header.xml", "attachment.xml") if name in named]
            if not wanted or len(named) > len(wanted) or len(archive.infolist()) > len(wanted):
                raise Refused("attachment-archive", got=", ".join(sorted(named)[:5]), expected="header.xml, Attachment.xml")
            if sum(entry.file_size for entry in wanted) > limits.max_body_bytes:
                raise Refused("attachment-too-large", expected=f"≤ {limits.max_body_bytes} bytes")
            return tuple(Part("", "text/xml", "", archive.read(entry)) for entry in wanted)
    except ZIP_FAULTS as fault:
        raise Refused("attachment-archive", got=str(fault), expected="zip") from fault


def _part(piece: bytes) -> Part:
    blank = re.search(rb"\r?\n\r?\n", piece[:_MOST_HEADER_BYTES])
    if blank is None:
        raise Refused("multipart-malformed", got="a part without end of its headers", expected="an empty line")
    headers = _headers(piece[: blank.start()].decode("latin-1"))
    kind, disposition = headers.get("content-type", "text/xml"), headers.get("content-disposition", "")
    name = _PARAMETER.search(disposition) or _PARAMETER.search(kind)
    return Part(
        content_id=headers.get("content-id", "").strip().removeprefix("<").removesuffix(">"),
        media_type=kind.partition(";")[0].strip().lower(),
        name=_utf8((name.group(1) or name.group(2) or "") if name else ""),
        body=_decoded(piece[blank.end() :], headers.get("content-transfer-encoding", "8bit").strip().lower()),
    )


def _headers(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in re.sub(r"\r?\n[ \t]+", " ", text).splitlines():
        header = _HEADER.fullmatch(line)
        if header is None:
            raise Refused("multipart-malformed", got=line[:40], expected="Name: value")
        found.setdefault(header.group(1).lower(), header.group(2))
    return found


def _decoded(body: bytes, encoding: str) -> bytes:
    if encoding in ("7bit", "8bit", "binary", ""):
        return body
    if encoding != "base64":
        raise Refused("multipart-malformed", got=encoding, expected="8bit | binary | base64")
    try:
        data: bytes = pybase64.b64decode(b"".join(body.split()), validate=True)
    except (binascii.Error, ValueError) as fault:
        raise Refused("attachment-encoding", got=str(fault), expected="base64") from fault
    return data


def _utf8(text: str) -> str:
    """Header text that was written as UTF-8, as this software does, against RFC 2822."""
    try:
        return text.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return text
