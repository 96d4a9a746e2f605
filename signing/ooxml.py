"""Signed Office documents (ECMA-376 part 2 §10 and §13): the XML signatures of a package, over its parts and relationships.

1. open the package, within bounds (`archive`); what each part is stands in [Content_Types].xml
2. each signature part is examined as any XML signature; its references name parts, by the content type that they had
3. relationships go through the transform of §10.6.5: those that are selected, sorted, nothing else of the file
4. every part and every relationship is signed, but for the few that Office leaves out: one that is not could have been put in by anybody.
   Those are the content types, the document's properties, the signatures, and the properties of custom XML with the relationship to them
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from urllib.parse import parse_qs, unquote, urlsplit

from schemas.errors import Refused, Violation, error
from schemas.limits import Limits
from schemas.xml import Element, child_elements, parse, text_of
from signing.archive import open_archive
from signing.element import MAX_PLACES
from signing.finding import Coverage, Finding, Given, Integrity
from signing.xml_reference import Outside
from signing.xml_signature import examine_tree

_FOLDER, _TYPES, _ROOT_RELATIONSHIPS = "_xmlsignatures/", "[Content_Types].xml", "_rels/.rels"
_CONTENT_TYPES = "{http://schemas.openxmlformats.org/package/2006/content-types}"
_RELATIONSHIPS = "{http://schemas.openxmlformats.org/package/2006/relationships}"
_TIME = "{http://schemas.openxmlformats.org/package/2006/digital-signature}Value"
_UNSIGNED_FOLDERS = (_FOLDER, "docProps/")  # signatures and the document's properties: Office signs neither
_UNSIGNED_TYPES = (  # their relationships, from the root alone
    "/digital-signature/origin",
    "/metadata/core-properties",
    "/extended-properties",
    "/custom-properties",
    "/metadata/thumbnail",
)
_PROPERTIES_OF_XML = re.compile(r"customXml/itemProps\d+\.xml")  # their identifiers and schemas; the data itself is signed
_TO_PROPERTIES = re.compile(r"(?:/customXml/)?itemProps\d+\.xml")
_RELATIONSHIPS_OF_XML = re.compile(r"customXml/_rels/item\d+\.xml\.rels")
MAX_BYTES = 4 * 1024 * 1024  # of a signature part, of relationships, of content types
MAX_SIGNATURES = 16


def examine_ooxml(data: bytes, given: Given) -> tuple[Finding, ...]:
    """One finding for each signature; none where nobody signed. Raises `Refused` as `open_archive` does, `resource-limit` for too many."""
    files = open_archive(data, given.limits).files
    names = [name for name in files if name.startswith(_FOLDER) and name.endswith(".xml")]
    if len(names) > MAX_SIGNATURES:
        raise Refused("resource-limit", got=f"{len(names)} signatures", expected=f"at most {MAX_SIGNATURES}")
    return tuple(finding for name in names for finding in _examined(name, files, given))


@dataclass(slots=True)
class _Package:
    """The parts, and what a signature turned out to be over."""

    files: Mapping[str, bytes]
    types: Mapping[str, str]  # by part name in lower case, or by its extension with a dot before it
    signed: set[str] = field(default_factory=set)  # names of parts
    selected: dict[bytes, set[str]] = field(default_factory=dict)  # ids of relationships, by the bytes of their part

    def part(self, uri: str) -> str:
        """The part that a reference names. Raises `reference-missing`, `external-reference` or `attachment-integrity`."""
        try:
            parts = urlsplit(uri)
        except ValueError as fault:
            raise Refused("external-reference", got=uri[:200], expected="a part of the document") from fault
        if parts.scheme or parts.netloc or parts.fragment or not parts.path.startswith("/"):
            raise Refused("external-reference", got=uri[:200], expected="a part of the document")
        raw = parts.path.removeprefix("/")
        name = next((one for one in (raw, unicodedata.normalize("NFC", unquote(raw))) if one in self.files), "")
        if not name:
            raise Refused("reference-missing", got=uri[:200], expected="a part of the document")
        said = parse_qs(parts.query.replace("+", "%2B")).get("ContentType", [""])[0]
        if said and said.lower() != self.type_of(name).lower():
            got = f"{name} of type {self.type_of(name) or 'unknown'}"
            raise Refused("attachment-integrity", got=got, expected=said[:200])
        self.signed.add(name)
        return name

    def type_of(self, name: str) -> str:
        """Its content type, "" for none."""
        low = name.lower()
        return self.types.get(low) or self.types.get("." + low.rpartition(".")[2], "")

    def relationships(self, octets: bytes, selected: frozenset[tuple[str, str]], limits: Limits) -> Element:
        """What the transform leaves of a part of relationships: those selected, in the order of their ids, their mode written out."""
        root = parse(octets, limits=limits, max_bytes=MAX_BYTES).root
        kept = []
        for one in _relationships(root):
            if ("Id", one.get("Id") or "") in selected or ("Type", one.get("Type") or "") in selected:
                kept.append(one)
        for child in list(root):
            root.remove(child)
        root.text = None
        for one in sorted(kept, key=lambda each: each.get("Id") or ""):
            for child in list(one):
                one.remove(child)
            one.text = one.tail = None
            one.set("TargetMode", one.get("TargetMode") or "Internal")
            root.append(one)
        self.selected.setdefault(octets, set()).update(one.get("Id") or "" for one in kept)
        return root


def _relationships(root: Element) -> list[Element]:
    found = child_elements(root)
    if root.tag != _RELATIONSHIPS + "Relationships" or any(one.tag != _RELATIONSHIPS + "Relationship" for one in found):
        raise Refused("malformed-container", got=f"relationships in {root.tag!r}", expected="Relationship elements")
    if len({one.get("Id") for one in found}) != len(found):
        raise Refused("malformed-container", got="two relationships of one id", expected="each once")
    return found


def _types(files: Mapping[str, bytes]) -> dict[str, str]:
    if _TYPES not in files:
        raise Refused("malformed-container", got="no content types", expected=_TYPES)
    types: dict[str, str] = {}
    for one in child_elements(parse(files[_TYPES], max_bytes=MAX_BYTES).root):
        extension, name = one.get("Extension"), one.get("PartName")
        if one.tag == _CONTENT_TYPES + "Default" and extension:
            types["." + extension.lower()] = one.get("ContentType") or ""
        elif one.tag == _CONTENT_TYPES + "Override" and name:
            types[name.lower().removeprefix("/")] = one.get("ContentType") or ""
    return types


def _examined(name: str, files: Mapping[str, bytes], given: Given) -> Iterator[Finding]:
    try:
        package = _Package(files, _types(files))  # 1
        tree = parse(files[name], limits=given.limits, max_bytes=MAX_BYTES)
        outside = Outside(files=files, relationships=package.relationships, part=package.part)
        found = examine_tree(tree, given, outside)  # 2, 3
        missing = tuple(_uncovered(package))  # 4
    except Refused as fault:
        reasons = fault.violations or (error(fault.code, path=name, got=fault.got, expected=fault.expected),)
        yield Finding("ooxml", name, Integrity.FAILED, Coverage.UNKNOWN, b"", violations=reasons)
        return
    for one in found:
        yield replace(
            one,
            kind="ooxml",
            name=name,
            coverage=one.coverage if not missing else Coverage.PART,
            claimed_time=one.claimed_time or _time(tree.root),
            covers=tuple(dict.fromkeys((*one.covers, *sorted(package.signed)))),
            violations=one.violations if one.integrity is Integrity.FAILED else (*one.violations, *missing),
        )


def _uncovered(package: _Package) -> Iterator[Violation]:
    found = [f"the part {name}" for name in package.files if _must_be_signed(name) and name not in package.signed]
    for name, octets in package.files.items():
        if name.endswith(".rels") and not name.startswith(_UNSIGNED_FOLDERS) and (name not in package.signed or octets in package.selected):
            found.extend(_unselected(name, octets, package.selected.get(octets, set())))
    for what in found[:MAX_PLACES]:
        yield error("coverage", path=what, got=f"{what}, which the signature is not over", expected="one that is")


def _must_be_signed(name: str) -> bool:
    left_out = name == _TYPES or name.startswith(_UNSIGNED_FOLDERS) or _PROPERTIES_OF_XML.fullmatch(name)
    return not left_out and not name.endswith(".rels")


def _unselected(name: str, octets: bytes, selected: set[str]) -> Iterator[str]:
    for one in _relationships(parse(octets, max_bytes=MAX_BYTES).root):
        if one.get("Id") not in selected and not _is_left_out(name, one):
            yield f"the relationship {one.get('Id')} in {name}"


def _is_left_out(name: str, relationship: Element) -> bool:
    kind = relationship.get("Type") or ""
    if relationship.get("TargetMode", "Internal") != "Internal":
        return False
    if name == _ROOT_RELATIONSHIPS:
        return kind.endswith(_UNSIGNED_TYPES)
    to_properties = _TO_PROPERTIES.fullmatch(relationship.get("Target") or "")
    return bool(_RELATIONSHIPS_OF_XML.fullmatch(name) and kind.endswith("/customXmlProps") and to_properties)


def _time(root: Element) -> datetime | None:
    """SignatureTime, which the package object holds and the signature is over (§10.6.6)."""
    found = next(root.iter(_TIME), None)
    try:
        moment = datetime.fromisoformat(text_of(found).strip()) if found is not None else None
    except ValueError:
        return None
    return moment.astimezone(UTC) if moment is not None and moment.tzinfo is not None else None
