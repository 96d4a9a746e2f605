"""A ZIP that has been signed, or holds what was: opened within bounds, and only where every reader must see the same files in it.

The central directory and the local headers say the same, entries stand one after another from the first byte to the directory, no name
stands twice or leads out of the container, nothing is encrypted or a link, and nothing follows the end. APPNOTE.TXT 6.3 §4.3.
"""

from __future__ import annotations

import stat
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from io import BytesIO

from schemas.errors import Refused
from schemas.limits import Limits

_FAULTS = (
    zipfile.BadZipFile,
    zlib.error,
    NotImplementedError,
    RuntimeError,
    EOFError,
    ValueError,
    OSError,
    IndexError,
    OverflowError,
    struct.error,
)
_LOCAL = struct.Struct("<4s5H3L2H")
_DESCRIPTOR_BYTES = 24  # the largest that may follow an entry's data
_UTF8 = 0x800  # flag: the name is UTF-8
_SMALL = 1024 * 1024  # below it a ratio says nothing


@dataclass(frozen=True, slots=True)
class Archive:
    """Its files by name in NFC, in the order in which they stand; folders are left out."""

    files: Mapping[str, bytes] = field(repr=False)
    comment: bytes
    stored: frozenset[str]  # names of those that are not compressed
    plain: frozenset[str]  # names of those without extra field


def open_archive(data: bytes, limits: Limits) -> Archive:
    """The files in `data`. Raises `Refused`: `malformed-container`, `path-traversal`, `decompression-bomb`, `resource-limit`."""
    try:
        with zipfile.ZipFile(BytesIO(data)) as opened:
            entries = sorted(opened.infolist(), key=lambda entry: entry.header_offset)
            if len(entries) > limits.max_zip_entries:
                raise Refused("resource-limit", got=f"{len(entries)} entries", expected=f"at most {limits.max_zip_entries}")
            _check_end(data, opened)
            _check_names(entries)
            _check_sizes(entries, limits)
            _check_layout(data, entries, opened.start_dir)
            files = {composed(entry): _content(opened, entry) for entry in entries if not entry.is_dir()}
            return Archive(
                files,
                opened.comment,
                frozenset(composed(entry) for entry in entries if entry.compress_type == zipfile.ZIP_STORED),
                frozenset(_plain(data, entries)),
            )
    except _FAULTS as fault:
        raise _malformed(f"{type(fault).__name__}: {fault}", "a ZIP that can be read") from fault


def composed(entry: zipfile.ZipInfo) -> str:
    """The name in NFC: some systems write decomposed names, and manifests may have them otherwise. UTF-8 need not be declared."""
    name = entry.filename
    if not entry.flag_bits & _UTF8 and not name.isascii():
        with suppress(UnicodeError):
            name = name.encode("cp437").decode("utf-8")
    return unicodedata.normalize("NFC", name)


def _plain(data: bytes, entries: list[zipfile.ZipInfo]) -> Iterator[str]:
    for entry in entries:
        if not entry.extra and _LOCAL.unpack_from(data, entry.header_offset)[10] == 0:
            yield composed(entry)


def _content(opened: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    with opened.open(entry) as stream:
        content = stream.read(entry.file_size + 1)
    if len(content) != entry.file_size:
        raise Refused("decompression-bomb", got=f"{entry.filename}: more than {entry.file_size} bytes", expected="the size that it says")
    return content


def _check_end(data: bytes, opened: zipfile.ZipFile) -> None:
    end = data.rfind(b"PK\x05\x06", max(0, len(data) - 22 - len(opened.comment)))
    if end < 0 or end + 22 + len(opened.comment) != len(data):
        raise _malformed("bytes after the end", "nothing after the end of the directory")


def _check_names(entries: list[zipfile.ZipInfo]) -> None:
    seen: set[str] = set()
    for entry in entries:
        name = entry.orig_filename
        parts = name.removesuffix("/").split("/")
        if (
            name != entry.filename
            or "\\" in name
            or ":" in parts[0]
            or any(part in ("", ".", "..") for part in parts)
            or not (name + composed(entry)).isprintable()
        ):
            raise Refused("path-traversal", got=name, expected="a relative name inside the container")
        if stat.S_ISLNK(entry.external_attr >> 16):
            raise Refused("path-traversal", got=f"{name}: a link", expected="a file")
        folded = composed(entry).casefold()
        if folded in seen:
            raise _malformed(f"{name} twice", "every name once")
        seen.add(folded)
        if entry.flag_bits & 0x2041 or entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise _malformed(f"{name}: encrypted, or packed by method {entry.compress_type}", "stored or deflated")


def _check_sizes(entries: list[zipfile.ZipInfo], limits: Limits) -> None:
    total = sum(entry.file_size for entry in entries)
    if total > limits.max_attachment_bytes:
        raise Refused("decompression-bomb", got=f"{total} bytes unpacked", expected=f"at most {limits.max_attachment_bytes}")
    for entry in entries:
        if entry.file_size > _SMALL and entry.file_size > limits.max_zip_ratio * max(entry.compress_size, 1):
            got = f"{entry.filename}: {entry.file_size} bytes from {entry.compress_size}"
            raise Refused("decompression-bomb", got=got, expected=f"at most {limits.max_zip_ratio} : 1")


def _check_layout(data: bytes, entries: list[zipfile.ZipInfo], directory: int) -> None:
    at = 0
    for entry in entries:
        mark, _, flags, method, _, _, crc, packed, size, name_size, extra_size = _LOCAL.unpack_from(data, entry.header_offset)
        start = entry.header_offset + _LOCAL.size + name_size + extra_size
        name = data[entry.header_offset + _LOCAL.size :][:name_size]
        if mark != b"PK\x03\x04" or name.decode("utf-8" if flags & 0x800 else "cp437", "replace") != entry.orig_filename:
            raise _malformed(f"{entry.filename}: another name in its own header", "the same")
        if method != entry.compress_type or flags & 0x2041:
            raise _malformed(f"{entry.filename}: another method in its own header", "the same")
        later = flags & 0x08 or 0xFFFFFFFF in (packed, size)  # sizes follow the data, or stand in the extra field
        if not later and (crc, packed, size) != (entry.CRC, entry.compress_size, entry.file_size):
            raise _malformed(f"{entry.filename}: other sizes in its own header", "the same")
        if not at <= entry.header_offset <= at + (_DESCRIPTOR_BYTES if at else 0):
            raise _malformed(f"{entry.filename}: at {entry.header_offset}", f"entries one after another, here at {at}")
        at = start + entry.compress_size
    if not at <= directory <= at + _DESCRIPTOR_BYTES:
        raise _malformed(f"a directory at {directory}", f"right behind the last entry, at {at}")


def _malformed(got: str, expected: str) -> Refused:
    return Refused("malformed-container", got=got, expected=expected)
