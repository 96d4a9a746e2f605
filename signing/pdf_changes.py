"""What came into a PDF after a signature, revision by revision, and whether the signature lets it.

pyHanko's difference analysis says of each later revision what its changes are good for at most: evidence and time-stamps, filling in of
fields and further signatures, or nothing that it knows. Around it stand five rules of ours:

* every byte after the signed ones belongs to an object, a cross-reference section or a trailer of a later revision. A reader that repairs
  files finds objects that no section lists (incremental saving attacks);
* a later revision is read strictly, also where the file is sloppy before it, and has no hybrid section: two readers would see two values;
* fields may be filled later where the signer said so (DocMDP, level 2), or where a later signature answers for it. Without either nobody
  answers for what the reader sees (shadow attacks by form fields, appearances of new empty signature fields);
* nobody asks for fields to be drawn anew after the signature, and where they are, what they are drawn with stays: a field's value need not
  be what its appearance shows (shadow attacks);
* nothing at all is excused that the analysis does not know.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from pyhanko.pdf_utils import generic
from pyhanko.sign.diff_analysis import DEFAULT_DIFF_POLICY, ModificationLevel, StandardDiffPolicy, SuspiciousModification
from pyhanko.sign.fields import FieldMDPSpec, MDPPerm

from schemas.errors import Refused
from signing.finding import Coverage
from signing.pdf_range import Covered
from signing.pdf_reader import Document, entry, reading

_GAP = re.compile(rb"(?:[\x00\t\n\x0c\r ]+|%[^\r\n]*)*")
_OBJECT = re.compile(rb"\d+[\x00\t\n\x0c\r ]+\d+[\x00\t\n\x0c\r ]+obj(?![A-Za-z])")
_SECTION = re.compile(rb"(?:xref\b.{0,4000000}?)?startxref[\x00\t\n\x0c\r ]+\d+[\x00\t\n\x0c\r ]+%%EOF", re.DOTALL)
_ANEW = "/NeedAppearances"
_STREAM = re.compile(rb"\bstream\r?\n")


@dataclass(frozen=True, slots=True)
class Permission:
    """What a signature lets happen after it: DocMDP's level, 0 where it says none, and the fields that it locks."""

    level: int = 0
    fields: FieldMDPSpec | None = None


def permission_of(dictionary: generic.DictionaryObject, field: generic.DictionaryObject) -> Permission:
    """Read from the signature's references, or from the field's lock. Raises `Refused` with `malformed-pdf`."""
    with reading("DocMDP and FieldMDP (ISO 32000-2 §12.8.2)"):
        level, fields = 0, None
        for reference in entry(dictionary, "/Reference", ()):
            said = reference.get_object()
            if said["/TransformMethod"] == "/DocMDP":
                level = MDPPerm(entry(said["/TransformParams"], "/P", 2)).value
            elif said["/TransformMethod"] == "/FieldMDP":
                fields = FieldMDPSpec.from_pdf_object(said["/TransformParams"])
        lock = entry(field, "/Lock")
        if lock is not None:
            level = level or (MDPPerm(lock["/P"]).value if "/P" in lock else 0)
            fields = fields or FieldMDPSpec.from_pdf_object(lock)
        return Permission(level, fields)


def check_changes(document: Document, here: Covered, allowed: Permission, answered: int, *, filling: bool) -> tuple[Coverage, str]:
    """How the file stands to what was signed, with a word for people.

    `answered` is the last revision that any signature is over (one that does not fit is a refusal of its own); `filling` says that fields
    may be filled after it too.
    Raises `Refused` with `pdf-modified`.
    """
    if not document.data[here.end :].strip(b"\0\t\n\x0c\r "):
        return Coverage.WHOLE, ""
    _check_tail(document, here)
    revisions = range(here.revision + 1, document.reader.xrefs.total_revisions)
    worst, names = ModificationLevel.NONE, set[str]()
    for revision in revisions:
        _check_form(document, revision)
        _check_appearances(document, here.revision, revision)
        level, fields = _level(document, here.revision, revision, allowed)
        if level is ModificationLevel.FORM_FILLING and revision > answered and not filling:
            what = ", ".join(sorted(fields)) or "fields"
            raise _modified(f"revision {revision + 1} fills or shows {what}", "a signature that lets it, or answers for it")
        worst = max(worst, level)
        names |= fields
    if worst is ModificationLevel.FORM_FILLING:
        return Coverage.FILLED, f"later revisions fill or sign: {', '.join(sorted(names))}"
    return Coverage.EXTENDED, f"{len(revisions)} later revisions with time-stamps or evidence"


def _level(document: Document, base: int, revision: int, allowed: Permission) -> tuple[ModificationLevel, set[str]]:
    reader = document.reader
    policy = DEFAULT_DIFF_POLICY
    if not isinstance(policy, StandardDiffPolicy):
        raise RuntimeError("the library has another policy by default")
    with reading("an update that the analysis can follow", "pdf-modified"):
        try:
            result = policy.apply(
                reader.get_historical_resolver(base),
                reader.get_historical_resolver(revision),
                field_mdp_spec=allowed.fields,
                doc_mdp=MDPPerm(allowed.level) if allowed.level else None,
            )
        except SuspiciousModification as fault:
            raise _modified(f"revision {revision + 1}: {fault}", "signatures, time-stamps, evidence, filled fields") from fault
    level = result.modification_level
    if level.value > (allowed.level or ModificationLevel.FORM_FILLING.value):
        raise _modified(f"revision {revision + 1}: {level.name.lower()}", f"what DocMDP level {allowed.level or 2} lets happen")
    return level, set(result.changed_form_fields)


def _check_form(document: Document, revision: int) -> None:
    """A later revision has to be read one way only."""
    reader = document.reader
    if reader.xrefs.get_xref_data(revision).hybrid is not None:
        raise _modified(f"revision {revision + 1} has a hybrid cross-reference", "one section")
    if document.strict:
        return
    before, reader.strict = reader.strict, True
    try:
        with reading("an update that keeps the rules of the format", "pdf-modified"):
            for ref in reader.get_historical_resolver(revision).explicit_refs_in_revision():
                reader.get_object(ref, revision=revision)  # type: ignore[no-untyped-call]
    finally:
        reader.strict = before


def _check_appearances(document: Document, base: int, revision: int) -> None:
    """What readers draw fields with (ISO 32000-2 §12.7.3), where they have to."""
    with reading("a form", "pdf-modified"):
        before, after = (entry(document.reader.get_historical_resolver(one).root, "/AcroForm") for one in (base, revision))
        if not isinstance(after, generic.DictionaryObject) or not entry(after, _ANEW, False):
            return
        if not isinstance(before, generic.DictionaryObject) or not entry(before, _ANEW, False):
            raise _modified(f"revision {revision + 1} has fields drawn anew", "the appearances that were signed")
        if any(entry(before, name) != entry(after, name) for name in ("/DA", "/Q") if name in before):
            raise _modified(f"revision {revision + 1} draws fields in another manner", "the one that was signed")
        signed, found = (entry(one, "/DR", {}) for one in (before, after))
        for name in signed:
            kept, now = signed[name], found.get(name, {})  # fonts, colour spaces … by name
            if not isinstance(kept, dict) or any(dict.get(now, one) != value for one, value in dict.items(kept)):
                raise _modified(f"revision {revision + 1} draws fields with other resources", "those that were signed")


def _check_tail(document: Document, here: Covered) -> None:
    data, at = document.data, here.end
    places = _places(document, here)
    while (at := _skip(data, at)) < len(data):
        if at in places:
            at = _after_object(data, at)
            continue
        found = _SECTION.match(data, at)
        if not found or _OBJECT.search(data, at, found.end()):
            what = data[at : at + 40].decode("latin-1")
            raise _modified(f"at {at}: {what!r}", "objects, cross-references and trailers of later revisions, and nothing else")
        at = found.end()


def _places(document: Document, here: Covered) -> frozenset[int]:
    """Where objects of later revisions stand, by their cross-references."""
    xrefs, found = document.reader.xrefs, set[int]()
    for revision in range(here.revision + 1, xrefs.total_revisions):
        section = xrefs.get_xref_data(revision)
        found.update(place for _, place in section.standard_xrefs.values())
        if xrefs.get_xref_container_info(revision).stream_ref is not None:
            found.add(xrefs.get_xref_container_info(revision).start_location)
    return frozenset(_skip(document.data, place) for place in found if here.end <= place < len(document.data))


def _skip(data: bytes, at: int) -> int:
    found: Any = _GAP.match(data, at)
    return int(found.end())


def _after_object(data: bytes, at: int) -> int:
    if not _OBJECT.match(data, at):
        raise _modified(f"at {at}: no object", "the object that a cross-reference names")
    end, stream = data.find(b"endobj", at), _STREAM.search(data, at)
    if stream and stream.start() < end:
        stop = data.find(b"endstream", stream.end())
        end = data.find(b"endobj", stop) if stop >= 0 else -1
    if end < 0:
        raise _modified(f"at {at}: an object without end", "endobj")
    return end + len(b"endobj")


def _modified(got: str, expected: str) -> Refused:
    return Refused("pdf-modified", got=got, expected=expected)
