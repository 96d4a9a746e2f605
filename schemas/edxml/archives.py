"""Zip archives that a sender made: looked into before anything is unpacked, and unpacked in pieces.

Names inside archives name nothing here. A hostile one – names that climb, sizes beyond the ratio allowed, entries that share their bytes,
more entries than anyone needs – is refused, whether or not it would be unpacked.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import chain
from tempfile import SpooledTemporaryFile
from typing import IO

from schemas.errors import Refused
from schemas.limits import MIB, Limits

ZIP_MAGIC = b"PK\x03\x04"
DIRECTORY_ENTRY = b"PK\x01\x02"
ZIP_FAULTS = (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, ValueError, OSError, IndexError, OverflowError)
_LOCAL_HEADER_BYTES = 30
_DRIVE = re.compile(r"[A-Za-z]:")
_CHUNK_BYTES = 256 * 1024
_RATIO_FROM_BYTES = MIB  # below this much output a high ratio harms nobody: blank forms compress well
_READABLE = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})


def look_into(source: IO[bytes], size: int, directory_entries: int, limits: Limits) -> tuple[zipfile.ZipFile, list[zipfile.ZipInfo]]:
    """The archive and its files, none of them unpacked yet; names and declared sizes are harmless.

    Each entry needs a signature in the directory, so `directory_entries` bounds that before it is read.
    """
    _check_count(directory_entries, limits)
    try:
        archive = zipfile.ZipFile(source)
    except ZIP_FAULTS as fault:
        raise Refused("attachment-archive", got=str(fault), expected="zip") from fault
    return archive, _entries_of(archive, size, limits)


def _check_count(directory_entries: int, limits: Limits) -> None:
    if directory_entries > limits.max_zip_entries:
        raise Refused("attachment-archive", got=f"{directory_entries} tệp / entries", expected=f"≤ {limits.max_zip_entries}")


def _entries_of(archive: zipfile.ZipFile, size: int, limits: Limits) -> list[zipfile.ZipInfo]:
    entries = archive.infolist()
    for entry in entries:
        if not is_safe(entry.orig_filename):
            raise Refused("attachment-unsafe-name", got=entry.orig_filename, expected="a/b.pdf")
    _check_apart(entries)
    total = sum(entry.file_size for entry in entries)
    if total > _RATIO_FROM_BYTES and total > limits.max_zip_ratio * size:
        raise Refused("attachment-too-large", got=f"{total} bytes in {size}", expected=f"≤ {limits.max_zip_ratio} : 1")
    return [entry for entry in entries if not entry.is_dir()]


def _check_apart(entries: list[zipfile.ZipInfo]) -> None:
    """No two entries may share bytes: what a bomb of overlapping ones is made of."""
    end = 0
    for entry in sorted(entries, key=lambda one: one.header_offset):
        if entry.header_offset < end:
            raise Refused("attachment-archive", got=f"{entry.orig_filename}: shares bytes with another", expected="entries apart")
        end = entry.header_offset + _LOCAL_HEADER_BYTES + entry.compress_size


def inner_looked_into(pieces: Iterator[bytes], limits: Limits) -> Iterator[bytes]:
    """`pieces` of an unpacked file; where that is a zip again (a docx, a bomb in a bomb), step 3 holds for it too."""
    first = next(pieces, b"")
    if not first.startswith(ZIP_MAGIC):
        yield first
        yield from pieces
        return
    with SpooledTemporaryFile(max_size=8 * MIB) as spool:
        size = entries = 0
        tail = b""
        for piece in chain((first,), pieces):
            spool.write(piece)
            size += len(piece)
            entries += (tail + piece).count(DIRECTORY_ENTRY)
            tail = (tail + piece[-3:])[-3:]
            yield piece
        spool.seek(0)
        _check_count(entries, limits)
        with suppress(*ZIP_FAULTS):  # one that cannot be read is a file like any other, and nobody's bomb
            _entries_of(zipfile.ZipFile(spool), size, limits)


def is_safe(name: str) -> bool:
    """Whether a name inside an archive stays below where it is unpacked."""
    parts = name.replace("\\", "/").split("/")
    return "\x00" not in name and parts[0] != "" and not _DRIVE.match(name) and ".." not in parts


def unpacked(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, take: Callable[[int], None]) -> Iterator[bytes]:
    """The file of `entry` in pieces; its size is told to `take` before. Raises `Refused` with `attachment-archive`."""
    if entry.compress_type not in _READABLE or entry.flag_bits & 0x1:
        raise Refused("attachment-archive", got=f"method {entry.compress_type}, flags {entry.flag_bits:#x}", expected="stored | deflated")
    take(entry.file_size)  # reading stops there, whatever the stream holds
    try:
        with archive, archive.open(entry) as stream:
            while piece := stream.read(_CHUNK_BYTES):
                yield piece
    except ZIP_FAULTS as fault:
        raise Refused("attachment-archive", got=str(fault), expected="zip") from fault
