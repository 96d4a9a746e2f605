"""The border to pyHanko's PDF reader: foreign bytes reach it here, within bounds, and whatever it raises becomes `Refused`.

The reader is strict where the file lets it; a sloppy file is read leniently and says so. What the library leaves unbounded is bounded here:
entries of cross-reference streams, long strings, the tree of fields, and the work of following references (its difference analysis walks
every path to every object).
"""

from __future__ import annotations

import logging
import re
import struct
import unicodedata
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

from pyhanko.pdf_utils import generic, misc
from pyhanko.pdf_utils import reader as library
from pyhanko.pdf_utils.crypt import AuthStatus
from pyhanko.pdf_utils.decode_limits import DecodeContext, DecodeLimits, DocumentDecodeBudget, StreamDecodeLimits
from pyhanko.pdf_utils.xref import XRefBuilder, XRefCache

from schemas.errors import Refused

MIB = 1024 * 1024
MAX_BYTES = 128 * MIB
MAX_REVISIONS = 200
MAX_ENTRIES = 1_000_000  # of one cross-reference section
MAX_STEPS = 4_000_000  # values looked at while following references, in the largest file
_STEPS = 150_000  # in the smallest; in between, one more for every four bytes
MAX_HEX_DIGITS = 6_000_000  # in long strings, all signatures together: the library reads them one by one, with a hundred bytes for each
_LONG_HEX = re.compile(rb"<[0-9A-Fa-f\x00\t\n\x0c\r ]{2048,}+")
MAX_FIELDS = 20_000  # of the form, each as often as it is led to
MAX_FIELD_DEPTH = 64
MAX_ANCESTORS = 32  # of a page, looked at for what it inherits
_INHERITED = ("/Resources", "/MediaBox", "/CropBox", "/Rotate")
_DECODING = DecodeLimits(
    per_stream=StreamDecodeLimits(max_output_size=128 * MIB),
    document_budget=DocumentDecodeBudget(base_allowance=256 * MIB, max_ratio=50),
)
_FAULTS = (
    misc.PdfError,
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    AttributeError,
    AssertionError,
    NotImplementedError,
    RecursionError,
    ArithmeticError,
    EOFError,
    OSError,
    StopIteration,
    zlib.error,
    struct.error,
)

logging.getLogger("pyhanko").setLevel(logging.CRITICAL)  # it tells of hostile files what the report tells


@contextmanager
def reading(what: str, code: str = "malformed-pdf") -> Iterator[None]:
    """Whatever the library says of foreign bytes inside becomes `Refused` with `code`, or with the limit that was reached."""
    try:
        yield
    except misc.PdfDecodeLimitError as fault:
        raise Refused("decompression-bomb", got=str(fault), expected=what) from fault
    except _FAULTS as fault:
        raise Refused(code, got=f"{type(fault).__name__}: {fault}", expected=what) from fault


class _BoundedXRefs(XRefBuilder):
    """Cross-reference sections whose number of entries is looked at before they are read."""

    def _read_xref_stream_object(self) -> Any:
        ref, stream = super()._read_xref_stream_object()  # type: ignore[no-untyped-call]
        index = [int(one) for one in entry(stream, "/Index", [0, stream.raw_get("/Size")])]
        if any(one < 0 for one in index) or sum(index[1::2]) > MAX_ENTRIES:
            raise Refused("resource-limit", got=f"cross-references with index {index[:8]}", expected=f"at most {MAX_ENTRIES} entries")
        if not sum(int(one) for one in entry(stream, "/W", [])):
            raise misc.PdfReadError("cross-reference entries without width")
        if len(self.sections) >= MAX_REVISIONS:
            raise Refused("resource-limit", got="more revisions", expected=f"at most {MAX_REVISIONS}")
        return ref, stream


class Reader(library.PdfFileReader):
    """pyHanko's reader with a budget. It is set up as the library does it, but for `_BoundedXRefs`."""

    def __init__(self, data: bytes, *, strict: bool) -> None:
        self.steps = min(MAX_STEPS, _STEPS + len(data) // 4)  # that are left
        self.weights: dict[tuple[int, generic.Reference], int] = {}
        self._security_handler = None
        self.strict = strict
        self._decode_context = DecodeContext(_DECODING, input_size=len(data))
        self.resolved_objects = {}
        self._input_version = None
        self._historical_resolver_cache = {}
        self._embedded_signatures = None
        self.stream = stream = BytesIO(data)
        self._header_version = library._read_header_version(stream)
        stream.seek(-1, 2)
        self.last_startxref = library.process_data_at_eof(stream)
        builder = _BoundedXRefs(handler=self, stream=stream, strict=strict, last_startxref=self.last_startxref)
        self.xrefs = XRefCache(self, builder.read_xrefs())  # type: ignore[no-untyped-call]
        self.trailer = builder.trailer
        self.has_xref_stream = builder.has_xref_stream

    def spend(self, steps: int) -> None:
        """Counts work. Raises `Refused` with `resource-limit` when there has been too much of it."""
        self.steps -= steps
        if self.steps < 0:
            raise Refused("resource-limit", got="more values behind references than can be looked at", expected="a simpler document")

    def _get_object_from_stream(self, idnum: Any, stmnum: Any, idx: Any) -> Any:
        self.spend(int(idx) + 1)  # it counts its way through the stream's header
        return super()._get_object_from_stream(idnum, stmnum, idx)  # type: ignore[no-untyped-call]

    def get_historical_resolver(self, revision: int) -> _Resolver:
        """The library's view of a revision, with this budget."""
        found = self._historical_resolver_cache.get(revision)
        if not isinstance(found, _Resolver):
            found = self._historical_resolver_cache[revision] = _Resolver(self, revision)
        return found


class _Resolver(library.HistoricalResolver):
    reader: Reader

    def get_object(self, ref: generic.Reference, as_metadata_stream: bool = False) -> Any:
        fresh = ref not in self.cache
        found = super().get_object(ref, as_metadata_stream)
        if fresh and isinstance(found, generic.DictionaryObject):
            self._write_out(found)
        weights, key = self.reader.weights, (self.revision, ref)
        weight = weights.get(key)
        if weight is None:
            weight = weights[key] = _weight(found)
        self.reader.spend(weight)
        return found

    def _write_out(self, page: generic.DictionaryObject) -> None:
        """What a page inherits, in the page itself (ISO 32000-2 §7.7.3.4): iText writes it there when it updates a page."""
        if page.get("/Type") != "/Page":
            return
        above: Any = page
        for _ in range(MAX_ANCESTORS):
            parent = dict.get(above, "/Parent")
            above = self.get_object(parent.reference) if isinstance(parent, generic.IndirectObject) else None
            if not isinstance(above, generic.DictionaryObject):
                return
            for name in _INHERITED:
                if name in above and name not in page:
                    page[generic.NameObject(name)] = above.raw_get(name)

    def refs_freed_in_revision(self) -> set[generic.Reference]:
        """The library's, but for numbers that no object ever had: iText frees the one behind its last object in every update."""
        found: set[generic.Reference] = super().refs_freed_in_revision()  # type: ignore[no-untyped-call]
        return {ref for ref in found if self._was_ever_used(ref.idnum)}

    def explicit_refs_in_revision(self) -> set[generic.Reference]:
        """The library's, but for the same."""
        freed = self.reader.xrefs.get_xref_data(self.revision).freed
        found: set[generic.Reference] = super().explicit_refs_in_revision()  # type: ignore[no-untyped-call]
        return {ref for ref in found if ref.idnum not in freed or self._was_ever_used(ref.idnum)}

    def _was_ever_used(self, number: int) -> bool:
        """Whether any section up to this revision says where an object of that number is, whatever its generation."""
        sections = [self.reader.xrefs.get_xref_data(revision) for revision in range(self.revision + 1)]
        sections += [one.hybrid.xref_data for one in sections if one.hybrid is not None]
        return any(number in one.standard_xrefs or number in one.xrefs_in_objstm for one in sections)


def _weight(value: Any) -> int:
    if isinstance(value, generic.DictionaryObject):
        return 1 + sum(_weight(one) for one in value.values())
    if isinstance(value, generic.ArrayObject):
        return 1 + sum(_weight(one) for one in value)
    return 1


@dataclass(frozen=True, slots=True)
class Field:
    """A filled signature field, its value as it stands."""

    name: str  # fully qualified, NFC
    field: generic.DictionaryObject
    value: Any


@dataclass(frozen=True, slots=True)
class Document:
    """A PDF that could be read."""

    data: bytes = field(repr=False)
    reader: Reader
    strict: bool  # False: some rule of the format is broken somewhere
    fields: tuple[Field, ...]


def entry(dictionary: generic.DictionaryObject, name: str, default: Any = None) -> Any:
    """What `name` stands for in a dictionary, references followed: the library's own ``get`` does not follow them."""
    return dictionary[name] if name in dictionary else default  # noqa: SIM401


def open_pdf(data: bytes, max_bytes: int = MAX_BYTES) -> Document:
    """`data` as a document with its signature fields.

    Raises `Refused`: `malformed-pdf` (also for one that needs a password), `too-large`, `resource-limit` or `decompression-bomb`.
    """
    if len(data) > max_bytes:
        raise Refused("too-large", got=f"{len(data)} bytes", expected=f"a PDF of at most {max_bytes} bytes")
    if not data.startswith(b"%PDF-"):
        raise Refused("malformed-pdf", got=data[:8].hex(" "), expected="%PDF- in the beginning")
    digits = sum(len(found[0]) for found in _LONG_HEX.finditer(data))
    if digits > MAX_HEX_DIGITS:
        raise Refused("resource-limit", got=f"{digits} hexadecimal digits in long strings", expected=f"at most {MAX_HEX_DIGITS}")
    try:
        return _opened(data, strict=True)
    except Refused as fault:
        if fault.code != "malformed-pdf":
            raise
    return _opened(data, strict=False)


def _opened(data: bytes, *, strict: bool) -> Document:
    with reading("a PDF (ISO 32000)"):
        reader = Reader(data, strict=strict)
        if reader.encrypted and reader.decrypt(b"").status is AuthStatus.FAILED:
            raise Refused("malformed-pdf", got="a document that opens by password only", expected="one that everybody can read")
        root: Any = reader.root
        if not isinstance(root, generic.DictionaryObject) or not isinstance(root["/Pages"], generic.DictionaryObject):
            raise Refused("malformed-pdf", got="no pages", expected="a catalogue with pages")
        _check_fields(root)
        from pyhanko.sign.fields import enumerate_sig_fields

        found = [
            Field(unicodedata.normalize("NFC", str(name)), ref.get_object(), ref.get_object().raw_get("/V"))
            for name, _, ref in enumerate_sig_fields(reader)
            if not isinstance(entry(ref.get_object(), "/V", generic.NullObject()), generic.NullObject)
        ]
    return Document(data, reader, strict, tuple(found))


def _check_fields(root: generic.DictionaryObject) -> None:
    """The library walks the tree of fields without counting: forty that name the next one twice are a million million ways."""
    form = entry(root, "/AcroForm", {})
    pending: list[tuple[Any, int]] = [(one, 1) for one in entry(form, "/Fields", ())]
    left = MAX_FIELDS - len(pending)
    while pending and left >= 0:
        value, depth = pending.pop()
        found = value.get_object() if isinstance(value, generic.IndirectObject) else value  # type: ignore[no-untyped-call]
        kids = entry(found, "/Kids", ()) if isinstance(found, generic.DictionaryObject) else ()
        if kids and depth > MAX_FIELD_DEPTH:
            raise misc.PdfReadError("fields within fields beyond measure, or in a circle")
        left -= len(kids)
        pending.extend((one, depth + 1) for one in kids)
    if left < 0:
        raise Refused("resource-limit", got="more ways to fields than can be gone", expected=f"at most {MAX_FIELDS} fields")
