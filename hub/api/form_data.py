"""A body of `multipart/form-data` (RFC 7578) as its parts: strict and small, for calls that bring two files at once.

The boundary stands once before each part and once, with two hyphens more, behind the last. A part is a name and its octets as they are: no
transfer encoding (RFC 7578 §4.7), no parts within parts. Nothing is guessed: what two readers could divide differently is refused.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping

from schemas.errors import Refused, error

TYPE = "multipart/form-data"
_BOUNDARY = re.compile(r""";[ \t]*boundary[ \t]*=[ \t]*(?:"([^"\\]*)"|([^\s;"]+))""", re.IGNORECASE)
_CHARACTERS = re.compile(r"[0-9A-Za-z'()+_,./:=? -]{0,69}[0-9A-Za-z'()+_,./:=?-]")  # RFC 2046 §5.1.1
_HEADER = re.compile(r"([A-Za-z][A-Za-z0-9-]{0,60}):[ \t]*([^\r\n]*)")
_NAME = re.compile(r"""form-data[ \t]*(?:;[^;"]*(?:"[^"]*")?)*?;[ \t]*name="([^"]*)"[ \t]*(?:;.*)?""", re.IGNORECASE)
_AS_IT_IS = frozenset({"", "binary", "8bit", "7bit"})
_MOST_HEADER_BYTES = 8 * 1024  # of one part


def boundary_of(content_type: str) -> bytes:
    """The boundary that a Content-Type names. Raises `Refused("invalid-request")` where it names none, or two."""
    found = [one.group(1) or one.group(2) or "" for one in _BOUNDARY.finditer(content_type)]
    if len(found) != 1 or not _CHARACTERS.fullmatch(found[0]):
        raise _invalid("header content-type", content_type, f"{TYPE}; boundary=…")
    return found[0].encode("ascii")


def parts_of(raw: bytes, boundary: bytes, names: Collection[str]) -> Mapping[str, bytes]:
    """The parts of `raw` by name, each at most once and only those in `names`. Raises `Refused("invalid-request")`."""
    found: dict[str, bytes] = {}
    for begin, end in _places(raw, b"--" + boundary):
        name, body = _part(raw, begin, end)
        if name not in names or name in found:
            raise _invalid("body part", name, f"{', '.join(names)}, each once")
        found[name] = raw[body:end]
    return found


def _places(raw: bytes, mark: bytes) -> Iterator[tuple[int, int]]:
    """Where each part begins, its header included, and where it ends."""
    delimiter = re.compile(rb"\r\n" + re.escape(mark) + rb"(--)?[ \t]*(?:\r\n|\Z)")
    first = re.match(re.escape(mark) + rb"[ \t]*\r\n", raw)
    if first is None:
        raise _invalid("body", raw[:24].hex(" "), "the boundary on the first line")
    begin = first.end()
    for found in delimiter.finditer(raw, begin - 2):
        if found.start() < begin:
            raise _invalid("body", "a part without header", "Content-Disposition")
        yield begin, found.start()
        if found.group(1):
            if raw[found.end() :].strip(b"\r\n"):
                raise _invalid("body", "bytes after the last boundary", "nothing")
            return
        begin = found.end()
    raise _invalid("body", "no last boundary", "the boundary with -- behind it")


def _part(raw: bytes, begin: int, end: int) -> tuple[str, int]:
    """The part's name, and where its octets begin."""
    blank = raw.find(b"\r\n\r\n", begin, min(end, begin + _MOST_HEADER_BYTES))
    if blank < 0:
        raise _invalid("body part", "a header without end", "an empty line after it")
    headers: dict[str, str] = {}
    for line in raw[begin:blank].decode("utf-8", "replace").split("\r\n"):
        header = _HEADER.fullmatch(line)
        if header is None or header.group(1).lower() in headers:
            raise _invalid("body part", line[:80], "Name: value, each once")
        headers[header.group(1).lower()] = header.group(2).strip()
    if headers.get("content-transfer-encoding", "").lower() not in _AS_IT_IS:
        raise _invalid("body part", headers["content-transfer-encoding"], "octets as they are (RFC 7578 §4.7)")
    named = _NAME.fullmatch(headers.get("content-disposition", ""))
    if named is None:
        raise _invalid("body part", headers.get("content-disposition", "no Content-Disposition"), 'form-data; name="…"')
    return named.group(1), blank + 4


def _invalid(place: str, got: str, expected: str) -> Refused:
    one = error("parameter-invalid", path=place, got=got[:200], expected=expected)
    return Refused("invalid-request", got=f"{place}: {one.got}", expected=one.expected, violations=(one,))
