"""What else a PDF carries that a verifier has to know of: evidence in the document security store, and active content.

Evidence (ISO 32000-2 §12.8.4.3, ETSI EN 319 142-1 §5.4) is handed on and believed for nothing. Active content that can
change what is shown or start something (`RUNS`) refuses a document, whoever signed it; the rest, files inside and forms that send, is told.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.decode_limits import DecodePurpose

from schemas.errors import Refused
from signing.cms import Evidence
from signing.pdf_reader import Document, entry, reading

MAX_STREAMS = 400  # of each kind
MAX_OBJECTS = 5_000  # looked at for active content
_ACTIONS = frozenset({"/JavaScript", "/Launch", "/ImportData", "/SubmitForm", "/Rendition", "/RichMediaExecute", "/GoToE"})
RUNS = frozenset(
    {"JavaScript", "rich media", *(f"an action {one}" for one in ("JavaScript", "Launch", "ImportData", "Rendition", "RichMediaExecute"))}
)
_KEYS = {"/JavaScript": "JavaScript", "/EmbeddedFiles": "embedded files", "/XFA": "an XFA form", "/RichMedia": "rich media"}


def evidence_of(document: Document) -> Evidence:
    """Certificates, CRLs and OCSP responses of the store. One that cannot be read is left out."""
    try:
        with reading("a document security store"):
            store = entry(document.reader.root, "/DSS")
            if not isinstance(store, generic.DictionaryObject):
                return Evidence()
            return Evidence(
                tuple(_streams(store, "/Certs", DecodePurpose.CERTIFICATE)),
                tuple(_streams(store, "/CRLs", DecodePurpose.CRL)),
                tuple(_streams(store, "/OCSPs", DecodePurpose.OCSP_RESPONSE)),
            )
    except Refused:
        return Evidence()


def _streams(store: generic.DictionaryObject, name: str, purpose: DecodePurpose) -> Iterator[bytes]:
    for ref in list(entry(store, name, ()))[:MAX_STREAMS]:
        stream = ref.get_object()
        if isinstance(stream, generic.StreamObject):
            yield stream.read_data(purpose)


def active_content(document: Document, revision: int | None = None) -> tuple[str, ...]:
    """What is active in the document as it is, or as it was at a revision, in words. Looks at the first few thousand objects."""
    reader: Any = document.reader if revision is None else document.reader.get_historical_resolver(revision)
    found: set[str] = set()
    with suppress(Refused), reading("a document"):  # what cannot be read is not told; it is no verdict
        _walk(reader.root, found)
    return tuple(sorted(found))


def _walk(root: Any, found: set[str]) -> None:
    seen: set[Any] = set()
    pending: list[Any] = [root]
    while pending and len(seen) < MAX_OBJECTS:
        value = pending.pop()
        if isinstance(value, generic.IndirectObject):
            if value.reference in seen:
                continue
            seen.add(value.reference)
            value = value.get_object()  # type: ignore[no-untyped-call]
        if isinstance(value, generic.DictionaryObject):
            found.update(_active(value))
            pending.extend(value.values())
        elif isinstance(value, generic.ArrayObject):
            pending.extend(value)


def _active(value: generic.DictionaryObject) -> Iterator[str]:
    action = entry(value, "/S")
    if isinstance(action, str) and action in _ACTIONS:
        yield f"an action {action[1:]}"
    for key, what in _KEYS.items():
        if key in value:
            yield what
    if entry(value, "/Type") == "/EmbeddedFile":
        yield "embedded files"
