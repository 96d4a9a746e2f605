"""What can be told of a document's bytes before anything parses them: their size, their encoding, how much markup they can hold.

Steps 1 to 3 of `schemas.xml.parse`; the reader in a stream takes the same ones. A tree cannot be larger than these counts say.
"""

from __future__ import annotations

import codecs
import re
from encodings import normalize_encoding
from encodings.aliases import aliases
from functools import lru_cache

from schemas.errors import Refused
from schemas.limits import Limits

_BOMS = (
    (codecs.BOM_UTF8, "UTF-8"),
    (codecs.BOM_UTF32_LE, ""),  # before UTF-16: its mark begins with UTF-16's; not supported
    (codecs.BOM_UTF32_BE, ""),
    (codecs.BOM_UTF16_LE, "UTF-16LE"),
    (codecs.BOM_UTF16_BE, "UTF-16BE"),
)
_USUAL = (b'<?xml version="1.0" encoding="UTF-8"?>', b'<?xml version="1.0" encoding="utf-8"?>')  # nothing to find out
# XML 1.0 Appendix F: what the first character, "<" or white space, looks like where no mark stands before it.
_SHAPES = (
    (re.compile(rb"[<\t\r\n ]\x00\x00\x00|\x00\x00\x00[<\t\r\n ]"), "utf-32"),
    (re.compile(rb"\x4c\x6f\xa7\x94"), "EBCDIC"),
    (re.compile(rb"[<\t\r\n ]\x00"), "UTF-16LE"),
    (re.compile(rb"\x00[<\t\r\n ]"), "UTF-16BE"),
)
# What Vietnamese government software writes; everything else is refused by name rather than guessed at. All but UTF-16 have ASCII in them.
_ENCODINGS = {
    "utf_8": "UTF-8",
    "ascii": "US-ASCII",
    "utf_16": "UTF-16",
    "utf_16_le": "UTF-16LE",
    "utf_16_be": "UTF-16BE",
    "latin_1": "ISO-8859-1",
    "cp1252": "WINDOWS-1252",
    "cp1258": "WINDOWS-1258",
}
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,39}")
_DECLARED = re.compile(r"""encoding\s*=\s*["']([^"']*)["']""")
_SMALLEST_ELEMENT = len(b"<a/>")
_FEW = 60  # quotation marks; an ordinary packet has some fifteen
MAX_DECLARATION_CHARS = 256
HEAD_BYTES = 1024  # enough to tell the encoding, and whether there is anything at all


def check_size(raw: bytes, max_bytes: int) -> None:
    """Step 1. Raises `Refused` with `empty-body` or `too-large`."""
    if len(raw) < 1024 and not raw.strip(b"\x00 \t\r\n"):
        raise Refused("empty-body", got=f"{len(raw)} bytes", expected="an XML document")
    if len(raw) > max_bytes:
        raise Refused("too-large", got=f"{len(raw)} bytes", expected=f"at most {max_bytes} bytes")


def encoding_of(raw: bytes, charset: str) -> tuple[str, str]:
    """Step 2: the encoding, and what says so ("bom", "protocol", "declaration", "default"). `raw` may be the first `HEAD_BYTES` only.

    Never the undecided "UTF-16". The parser is told the answer and so cannot find another one, by which the counts of step 3 would not
    hold. Raises `Refused` with `encoding`: none of ours, a declaration that the bytes belie, or one over `MAX_DECLARATION_CHARS`.
    """
    if not charset and raw.startswith(_USUAL):
        return "UTF-8", "declaration"
    for mark, name in _BOMS:
        if raw.startswith(mark):
            return name or allowed("utf-32"), "bom"
    seen = next((name for shape, name in _SHAPES if shape.match(raw)), "")
    if charset:
        return _decided(allowed(charset), seen, charset), "protocol"
    declared = _DECLARED.search(_declaration_in(raw, seen))
    if declared:
        name = allowed(declared.group(1))
        if seen.startswith("UTF-16") and name not in ("UTF-16", seen):
            raise Refused("encoding", got=f"{name} declared in {seen}", expected=f'encoding="UTF-16", or text in {name}')
        return _decided(name, seen, f"{name} declared in text of 8 bits"), "declaration"
    return allowed(seen) if seen else "UTF-8", "default"


def _decided(name: str, seen: str, got: str) -> str:
    """`name`, and for the bare UTF-16 the order of bytes that they show; without a mark nothing else tells it."""
    if name != "UTF-16":
        return name
    if not seen.startswith("UTF-16"):
        raise Refused("encoding", got=got, expected="UTF-8, or UTF-16 with a byte-order mark")
    return seen


def _declaration_in(raw: bytes, seen: str) -> str:
    """The XML declaration, "" where there is none. Whoever pads it wants it not to be read."""
    width = 2 if seen.startswith("UTF-16") else 1
    text = raw[: MAX_DECLARATION_CHARS * width].decode(seen if width == 2 else "latin-1", "replace")
    if not re.match(r"\s*<\?xml\s", text):
        return ""
    inside, end, _ = text.partition("?>")
    if not end and len(raw) >= MAX_DECLARATION_CHARS * width:
        raise Refused("encoding", got="an XML declaration without end", expected=f"one of at most {MAX_DECLARATION_CHARS} characters")
    return inside


@lru_cache(maxsize=64)
def allowed(name: str) -> str:
    """Our name of the encoding `name`. Raises `Refused` with `encoding`.

    Looked up in a table: `codecs.lookup` imports by that name and remembers every one it was ever asked for.
    """
    plain = normalize_encoding(name).lower() if _NAME.fullmatch(name) else ""
    known = _ENCODINGS.get(aliases.get(plain, plain))
    if known is None:
        raise Refused("encoding", got=name, expected=", ".join(sorted(_ENCODINGS.values())))
    return known


def check_counts(raw: bytes, encoding: str, limits: Limits) -> bool:
    """Step 3. What cannot hold too much is not counted through; True if there was room for many declarations."""
    if len(raw) > _SMALLEST_ELEMENT * limits.max_elements:
        check_tags(raw.count(b"<"), limits)
    few = _has_few(raw, b'"') and _has_few(raw, b"'")  # a declaration needs two of one kind
    if not few:
        check_declarations(raw.count(declaration(encoding)), limits)
    return not few


def _has_few(raw: bytes, quote: bytes) -> bool:
    at = -1
    for _ in range(_FEW):
        at = raw.find(quote, at + 1)  # a tenth of what `count` takes
        if at < 0:
            return True
    return False


def declaration(encoding: str) -> bytes:
    """What every namespace declaration begins with, in `encoding`."""
    return "xmlns".encode(encoding if encoding.startswith("UTF-16") else "ascii")


def check_tags(found: int, limits: Limits) -> None:
    """Raises `Refused` with `resource-limit` for too many ``<``: every element, comment and instruction needs one, in every encoding."""
    if found > 2 * limits.max_elements + 1_000:
        raise Refused("resource-limit", got=f"{found} tags", expected=f"at most {2 * limits.max_elements}")


def check_declarations(found: int, limits: Limits) -> None:
    """Raises `Refused` with `resource-limit` for too many namespace declarations."""
    if found > limits.max_namespaces:
        raise Refused("resource-limit", got=f"{found} namespace declarations", expected=f"at most {limits.max_namespaces}")


class Count:
    """Step 3 of bytes that come in pieces."""

    __slots__ = ("_declaration", "_declarations", "_limits", "_tags", "_tail")

    def __init__(self, encoding: str, limits: Limits) -> None:
        self._declaration, self._limits = declaration(encoding), limits
        self._tags = self._declarations = 0
        self._tail = b""

    def take(self, piece: bytes) -> None:
        """Counts the next piece too. Raises `Refused` with `resource-limit`."""
        self._tags += piece.count(b"<")
        check_tags(self._tags, self._limits)
        seen = self._tail + piece
        self._declarations += seen.count(self._declaration)
        check_declarations(self._declarations, self._limits)
        self._tail = seen[1 - len(self._declaration) :]
