"""What a PDF signature covers, read from the bytes and not from the library: ByteRange is the whole file up to the end of the signed
revision, but for the hexadecimal string of /Contents, which stands in the signature's own dictionary. ISO 32000-2 §12.8.1.

Gaps elsewhere, overlaps, numbers beyond the file, a gap that is wider than the string or that holds another one: all of them have been
used to change signed documents (universal signature forgery, signature wrapping), so none is read with a smile.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from pyhanko.pdf_utils import generic

from schemas.errors import Refused
from signing.cms_value import Parts
from signing.pdf_reader import Document, reading

_BEFORE = re.compile(rb"/Contents[\x00\t\n\x0c\r ]*\Z")
_HEX = re.compile(rb"<[0-9A-Fa-f\x00\t\n\x0c\r ]*>")
_SPACE = b"\0\t\n\x0c\r "
_END = re.compile(rb"startxref[\x00\t\n\x0c\r ]+\d+[\x00\t\n\x0c\r ]+%%EOF[\x00\t\n\x0c\r ]*\Z")
MAX_CONTENTS = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Covered:
    """What one signature is over. `end` is the first byte that it is not over, the length of the file where there is none."""

    parts: Parts
    contents: bytes  # the signature, zeros behind it included
    end: int
    revision: int
    at: int  # offset of the signature dictionary


def covered(document: Document, value: Any) -> Covered:
    """What the signature in `value`, as it stands in its field, is over. Raises `Refused` with `pdf-byterange`."""
    with reading("a signature dictionary", "pdf-byterange"):
        return _covered(document, value)


def _covered(document: Document, value: Any) -> Covered:
    if not isinstance(value, generic.IndirectObject):
        raise _refused("a signature that is no object of its own", "an indirect object")
    dictionary: Any = value.get_object()  # type: ignore[no-untyped-call]
    if not isinstance(dictionary, generic.DictionaryObject):
        raise _refused(type(dictionary).__name__, "a signature dictionary")
    place = document.reader.xrefs[value.reference]
    if not isinstance(place, int):
        raise _refused("a signature inside a compressed object stream", "one that stands in the file")
    first, second, contents = _gap(document.data, dictionary)
    if not place < first or b"endobj" in document.data[place:first]:
        raise _refused(f"a gap at {first}", f"the one in the signature's own dictionary at {place}")
    start, length = second
    view, end = memoryview(document.data), start + length
    _check_end(document.data, end)
    return Covered((view[:first], view[start:end]), contents, end, document.reader.xrefs.get_last_change(value.reference), place)


def _gap(data: bytes, dictionary: generic.DictionaryObject) -> tuple[int, tuple[int, int], bytes]:
    """Where the gap begins, where what follows it begins and how long that is, and the string in the gap."""
    numbers = dictionary.raw_get("/ByteRange")
    if not isinstance(numbers, generic.ArrayObject) or [type(one) for one in numbers] != [generic.NumberObject] * 4:
        raise _refused(str(numbers)[:80], "an array of four whole numbers")
    zero, first, start, length = (int(one) for one in numbers)
    if zero != 0 or first <= 0 or length <= 0 or start <= first or start + length > len(data):
        raise _refused(f"[{zero} {first} {start} {length}] of {len(data)} bytes", "the whole file, but for one gap")
    gap = data[first:start]
    if len(gap) > MAX_CONTENTS or not _HEX.fullmatch(gap):
        raise _refused(f"a gap of {len(gap)} bytes that is not one hexadecimal string", "the string of /Contents alone")
    if not _BEFORE.search(data, max(0, first - 64), first):
        raise _refused("a gap that does not follow /Contents", "the string of /Contents")
    digits = gap[1:-1].translate(None, _SPACE)
    contents = bytes.fromhex((digits + b"0" * (len(digits) % 2)).decode("ascii"))
    read = dictionary.raw_get("/Contents", decrypt=generic.EncryptedObjAccess.RAW)
    if not isinstance(read, (generic.ByteStringObject, generic.TextStringObject)) or read.original_bytes != contents:
        raise _refused("another /Contents than the one in the gap", "the same")
    return first, (start, length), contents


def _check_end(data: bytes, end: int) -> None:
    if data[end:].strip(_SPACE) and not _END.search(data, max(0, end - 256), end):
        raise _refused(f"an end at {end}, in the middle of a revision", "the end of the file as it was signed, %%EOF")


def _refused(got: str, expected: str) -> Refused:
    return Refused("pdf-byterange", got=got, expected=expected)
