"""BER brought to definite lengths, so that what comes after reads one form only and within bounds.

Signers write indefinite lengths and strings in pieces (openssl -stream, the Government's own tools) and pad what they write with zeros.
Here it becomes what DER would have, but for the order of sets, which is kept: a signature may have been made over another order.
X.690 §8.1.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass

from schemas.errors import Refused

MAX_DEPTH = 48
MAX_NODES = 400_000  # a list of 100,000 revoked certificates
_STRINGS = frozenset({4, 12, 18, 19, 20, 21, 22, 26, 27, 28, 30})  # may come in pieces; BIT STRING in pieces is nobody's practice
_PEM = re.compile(rb"-----BEGIN ([A-Z0-9 #]{1,40})-----([A-Za-z0-9+/=\s]*)-----END \1-----")
_SIGNATURE_PEM = re.compile(rb"-----BEGIN (?:CMS|PKCS7|PKCS #7 SIGNED DATA)-----")
_BASE64 = re.compile(rb"[A-Za-z0-9+/\s]+={0,2}\s*")
_PADDING = b"\0 \t\r\n"


@dataclass(slots=True)
class _Reading:
    data: bytes
    code: str
    nodes: int = 0

    def refused(self, got: str) -> Refused:
        return Refused(self.code, got=got, expected="one value in BER")


def definite(data: bytes, code: str = "cms-malformed") -> bytes:
    """The one value at the start of `data` with definite lengths; zeros and white space may follow it.

    Raises `Refused` with `code` for anything else, also for what is nested or divided beyond measure.
    """
    reading = _Reading(data, code)
    value, end = _value(reading, 0, len(data), 0)
    if data[end:].strip(_PADDING):
        raise reading.refused(f"{len(data) - end} more bytes after the value")
    return value


def split(contents: bytes, code: str = "cms-malformed") -> tuple[bytes, ...]:
    """The values that stand one after another in `contents`, all of definite length. Raises `Refused` with `code`."""
    reading, values, at = _Reading(contents, code), [], 0
    while at < len(contents):
        _, body, length = _header(reading, at, len(contents))
        if length is None or body + length > len(contents):
            raise reading.refused("a value cut short")
        values.append(contents[at : body + length])
        at = body + length
    return tuple(values)


def unwrapped(data: bytes) -> bytes:
    """The bytes in PEM or bare base64, or `data` itself where it is neither, or where two readers could take different blocks of PEM."""
    if data[:1] == b"0":  # a SEQUENCE is what all of them are; base64 of one begins with M
        return data
    found = _PEM.search(data) if b"-----BEGIN " in data[:4096] and data.count(b"-----BEGIN ") == 1 else None
    text = found[2] if found else data if data[:1] == b"M" and _BASE64.fullmatch(data) else None
    try:
        return base64.b64decode(b"".join(text.split()), validate=True) if text else data
    except binascii.Error:
        return data


def is_pem(data: bytes) -> bool:
    """Whether it says that it is a signature in PEM, well-formed or not."""
    return _SIGNATURE_PEM.search(data, 0, 4096) is not None


def _value(reading: _Reading, at: int, end: int, depth: int) -> tuple[bytes, int]:
    data = reading.data
    reading.nodes += 1
    if depth > MAX_DEPTH or reading.nodes > MAX_NODES:
        raise reading.refused("a value nested or divided beyond measure")
    tag, body, length = _header(reading, at, end)
    constructed = tag[0] & 0x20
    if length is not None:
        stop = body + length
        if stop > end:
            raise reading.refused(f"a value that ends {stop - end} bytes after its container")
        if not constructed:
            return tag + _length(length) + data[body:stop], stop
    elif not constructed:
        raise reading.refused("a simple value of indefinite length")
    else:
        stop = end
    parts: list[bytes] = []
    while length is None or body < stop:
        if length is None and data[body : body + 2] == b"\0\0" and body + 2 <= stop:
            return _joined(reading, tag, parts), body + 2
        part, body = _value(reading, body, stop, depth + 1)
        parts.append(part)
    return _joined(reading, tag, parts), stop


def _header(reading: _Reading, at: int, end: int) -> tuple[bytes, int, int | None]:
    data, start = reading.data, at
    if at + 2 > end:
        raise reading.refused("a value cut short")
    at += 1
    if data[start] & 0x1F == 0x1F:
        while at < end and data[at] & 0x80 and at - start < 5:
            at += 1
        at += 1
    if at >= end:
        raise reading.refused("a value cut short")
    tag, first = data[start:at], data[at]
    at += 1
    if first < 0x80:
        return tag, at, first
    if first == 0x80:
        return tag, at, None
    size = first & 0x7F
    if size > 8 or at + size > end:
        raise reading.refused("a length beyond measure")
    return tag, at + size, int.from_bytes(data[at : at + size], "big")


def _joined(reading: _Reading, tag: bytes, parts: list[bytes]) -> bytes:
    if tag[0] & 0xC0 == 0 and tag[0] & 0x1F in _STRINGS:  # a universal string in pieces
        tag = bytes([tag[0] & ~0x20])
        if any(part[:1] not in (tag, b"\x04") for part in parts):
            raise reading.refused("a string whose pieces are of another kind")
        parts = [part[_header_size(part) :] for part in parts]
    content = b"".join(parts)
    return tag + _length(len(content)) + content


def _header_size(part: bytes) -> int:
    return 2 if part[1] < 0x80 else 2 + (part[1] & 0x7F)


def _length(size: int) -> bytes:
    if size < 0x80:
        return bytes([size])
    octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([0x80 | len(octets)]) + octets
