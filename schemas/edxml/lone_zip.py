"""A zip of one entry, laid out the ordinary way, without the cost of a general reader: what the official SDKs put into nearly every packet.

`read` knows exactly one layout – entry, directory, end, nothing around them, plain name, stored or deflated, at most 1 MiB – and verifies
sizes and CRC. For everything else it says nothing, and the general reader judges.
"""

from __future__ import annotations

import struct
import zlib
from typing import NamedTuple

_LOCAL = struct.Struct("<4s5H3L2H")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_END = struct.Struct("<4s4H2LH")
_MOST_BYTES = 1024 * 1024
_STORED, _DEFLATED = 0, 8
_PLAIN_FLAGS = 0x0002 | 0x0004 | 0x0008 | 0x0800  # compression level, sizes behind the data, UTF-8 name; anything else is special
_NEWEST_VERSION = 45


class LoneEntry(NamedTuple):
    """The one file of a zip."""

    name: str
    data: bytes


def read(archive: bytes) -> LoneEntry | None:
    """The one entry of `archive`, `None` where the general reader has to look."""
    start = len(archive) - _END.size
    if not _LOCAL.size + _CENTRAL.size <= start <= _MOST_BYTES:
        return None
    end, disk, first_disk, here, entries, directory_bytes, directory, comment = _END.unpack_from(archive, start)
    if end != b"PK\x05\x06" or (disk, first_disk, here, entries, comment) != (0, 0, 1, 1, 0):
        return None
    if directory + directory_bytes != start or directory < _LOCAL.size or directory_bytes < _CENTRAL.size:
        return None
    return _entry(archive, directory, directory_bytes)


def _entry(archive: bytes, directory: int, directory_bytes: int) -> LoneEntry | None:
    central = _CENTRAL.unpack_from(archive, directory)
    mark, _, version, flags, method, _, _, crc, packed, size, name_bytes, extra, comment, _, _, _, offset = central
    if mark != b"PK\x01\x02" or flags & ~_PLAIN_FLAGS or version > _NEWEST_VERSION or offset or size > _MOST_BYTES:
        return None
    if method not in (_STORED, _DEFLATED) or extra or _CENTRAL.size + name_bytes + comment != directory_bytes:
        return None
    local = _LOCAL.unpack_from(archive, 0)
    name = archive[directory + _CENTRAL.size : directory + _CENTRAL.size + name_bytes]
    begin = _LOCAL.size + local[9] + local[10]
    if local[0] != b"PK\x03\x04" or local[2] != flags or local[3] != method or archive[_LOCAL.size : _LOCAL.size + local[9]] != name:
        return None
    if begin + packed > directory or not name.isascii() or b"\x00" in name or name.endswith(b"/"):
        return None
    data = _inflated(archive[begin : begin + packed], method, size)
    return None if data is None or zlib.crc32(data) != crc else LoneEntry(name.decode("ascii"), data)


def _inflated(packed: bytes, method: int, size: int) -> bytes | None:
    if method == _STORED:
        return packed if len(packed) == size else None
    stream = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        data = stream.decompress(packed, size + 1)
    except zlib.error:
        return None
    return data if len(data) == size and stream.eof and not stream.unused_data else None
