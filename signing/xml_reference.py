"""References of XML signatures: to exactly one node, file or content, and from there to the octets that are digested.

A reference is resolved once; the node that it gave is the node that is digested and the node that coverage is judged by. Nothing is
fetched: what a URI can mean is in the document, among the files of its container, or the content that was handed in.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from schemas.errors import Refused
from schemas.limits import DEFAULT_LIMITS, Limits
from schemas.xml import Element, ParsedXml, parse, path_of, text_of
from signing import xml_canonical
from signing.algorithms import CANONICALIZATIONS, DEFAULT_CANONICALIZATION
from signing.cms_value import Parts
from signing.element import base64_of, refused
from signing.integrity import ID_NAMES
from signing.xml_transform import BASE64, RELATIONSHIPS, Removed, Transform
from signing.xmldsig import SIGNATURE, Reference

WSU_ID = "{http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd}Id"
_ID_NAMES = (*ID_NAMES, WSU_ID)
_BARE_NAME = re.compile(r"#([^\s():#/'\"]+)")
_BY_ID = re.compile(r"#xpointer\(id\((['\"])([^\s()'\"]+)\1\)\)")  # XMLDSig §4.4.3.2
_WHOLE = "#xpointer(/)"
_EXTRA_BYTES = 32 * 1024 * 1024
_ROUNDS = 4
MAX_SIGNATURES = 32

Relationships = Callable[[bytes, frozenset[tuple[str, str]], Limits], Element]


@dataclass(slots=True)
class Budget:
    """How many octets all references of a document may still come to, so that many of them to one large node cost no more than a few."""

    left_bytes: int

    @classmethod
    def of(cls, size_bytes: int, signatures: int) -> Budget:
        """For a document of that size with all that it can refer to, once for each of its signatures and some more."""
        return cls((_ROUNDS + signatures) * size_bytes + _EXTRA_BYTES)

    def take(self, parts: Parts, at_least: int = 0) -> Parts:
        """`parts`, counted, or what it took to make them. Raises `resource-limit`."""
        self.left_bytes -= max(at_least, sum(len(part) for part in parts))
        self.check()
        return parts

    def check(self) -> None:
        """Raises `resource-limit` where nothing is left, so that what is left over costs nothing."""
        if self.left_bytes < 0:
            raise Refused("resource-limit", got="references to more octets than that", expected="each signature over the document once")


@dataclass(frozen=True, slots=True)
class Outside:
    """What stands for URIs that lead out of the document: one content, or the files of a container."""

    content: bytes | None = field(repr=False, default=None)
    files: Mapping[str, bytes] | None = field(repr=False, default=None)
    relationships: Relationships | None = None  # the transform of Office packages
    part: Callable[[str], str] | None = None  # the name of the file that a URI means there

    @property
    def size_bytes(self) -> int:
        """Of all of it."""
        return len(self.content or b"") + sum(map(len, (self.files or {}).values()))


@dataclass(frozen=True, slots=True)
class Place:
    """Where the references of a document are looked up."""

    tree: ParsedXml
    outside: Outside
    budget: Budget
    ids: Mapping[str, list[Element]] = field(repr=False)
    limits: Limits = DEFAULT_LIMITS

    @classmethod
    def of(cls, tree: ParsedXml, outside: Outside, limits: Limits) -> Place:
        """With every id of the document noted, under all names that ids go by."""
        ids: dict[str, list[Element]] = {}
        signatures = 0
        for element in tree.root.iter("*"):
            signatures += element.tag == SIGNATURE
            for value in {value.strip() for name in _ID_NAMES if (value := element.get(name)) is not None}:
                ids.setdefault(value, []).append(element)
        return cls(tree, outside, Budget.of(len(tree.raw) + outside.size_bytes, min(signatures, MAX_SIGNATURES)), ids, limits)


@dataclass(frozen=True, slots=True)
class Target:
    """What a reference is to: a node of the document, or octets from outside."""

    name: str  # a path with the id, a file's name, "" for content handed in
    node: Element | None = None
    whole: bool = False  # with what stands beside the root
    comments: bool = False  # only XPointer keeps them (§4.4.3.3)
    octets: bytes | None = field(repr=False, default=None)


def resolve(reference: Reference, place: Place) -> Target:
    """The one thing that `reference` is to. Raises `reference-missing`, `duplicate-id` or `external-reference`."""
    uri, root = reference.uri, place.tree.root
    if uri is None:
        return _content(reference, place)
    if uri in ("", _WHOLE):
        return Target(path_of(root), root, whole=True, comments=uri == _WHOLE)
    if not uri.startswith("#"):
        return _outside(reference, place)
    bare, pointer = _BARE_NAME.fullmatch(uri), _BY_ID.fullmatch(uri)
    if bare is None and pointer is None:
        raise refused("reference-missing", root, got=uri[:200], expected="an id of the document, or the whole of it")
    wanted = bare[1] if bare else pointer[2] if pointer else ""
    node = _only(wanted, place)
    return Target(f"{path_of(node)} {uri}", node, comments=bare is None)


def _only(wanted: str, place: Place) -> Element:
    named = place.ids.get(wanted, [])
    if len(named) > 1:
        raise refused("duplicate-id", *named, got=f"{len(named)} times #{wanted}", expected="once")
    if not named or all(named[0].get(name) != wanted for name in _ID_NAMES):
        raise refused("reference-missing", place.tree.root, got=f"#{wanted}", expected="an id of the document")
    return named[0]


def _content(reference: Reference, place: Place) -> Target:
    if place.outside.content is None:
        got = reference.uri if reference.uri is not None else "no URI"
        raise Refused("reference-missing", got=got[:200], expected="the content that was signed, given beside the signature")
    return Target("", octets=place.outside.content)


def _outside(reference: Reference, place: Place) -> Target:
    uri, files = reference.uri or "", place.outside.files
    if files is None:
        if place.outside.content is not None:
            return _content(reference, place)
        raise Refused("external-reference", got=uri[:200], expected="a part of the document, or the content given beside the signature")
    if place.outside.part is not None:
        name = place.outside.part(uri)
        return Target(name, octets=files[name])
    try:
        parts = urlsplit(uri)
    except ValueError as fault:
        raise Refused("external-reference", got=uri[:200], expected="a file of the container") from fault
    if parts.scheme or parts.netloc:
        raise Refused("external-reference", got=uri[:200], expected="a file of the container")
    name = unicodedata.normalize("NFC", unquote(parts.path)).removeprefix("/").removeprefix("./")
    if ".." in name.split("/") or "\\" in name or parts.fragment:
        raise Refused("path-traversal", got=uri[:200], expected="a file of the container")
    if name not in files:
        raise Refused("reference-missing", got=uri[:200], expected="a file of the container")
    return Target(name, octets=files[name])


@dataclass(slots=True)
class _Now:
    """Between two transforms: nodes, or octets."""

    target: Target
    octets: Parts | None
    node: Element | None
    removed: Removed = Removed.NONE
    whole: bool = False
    comments: bool = False


def octets_of(target: Target, transforms: tuple[Transform, ...], signature: Element, place: Place) -> Parts:
    """What is digested. Raises `transform-forbidden`, `resource-limit`, or `malformed-xml` where there is no canonical form."""
    place.budget.check()
    now = _Now(target, None if target.octets is None else (target.octets,), target.node, whole=target.whole, comments=target.comments)
    place.budget.take(now.octets or ())
    for one in transforms:
        _apply(now, one, signature, place)
    if now.octets is None:
        _canonicalise(now, Transform(DEFAULT_CANONICALIZATION, ()), signature, place)
    return now.octets or ()


def _apply(now: _Now, one: Transform, signature: Element, place: Place) -> None:
    if one.removes and now.octets is None and now.target.node is not None:
        now.removed = Removed.ALL if Removed.ALL in (one.removes, now.removed) else one.removes
    elif one.uri in CANONICALIZATIONS:
        _canonicalise(now, one, signature, place)
    elif one.uri == BASE64 and not now.removed:
        now.octets, now.node = place.budget.take((_decoded(now, signature),)), None
    elif one.uri == RELATIONSHIPS and place.outside.relationships and now.octets is not None and now.target.octets is not None:
        now.node = place.outside.relationships(b"".join(now.octets), one.selected, place.limits)
        now.octets, now.whole = None, True
    else:
        raise refused("transform-forbidden", signature, got=one.uri, expected="canonical forms, base64, enveloped-signature")


def _decoded(now: _Now, signature: Element) -> bytes:
    if now.octets is None:
        return base64_of(text_of(now.node) if now.node is not None else "", signature)
    try:
        return base64_of(b"".join(now.octets).decode("ascii"), signature)
    except UnicodeDecodeError as fault:
        raise refused("malformed-signature", signature, got="no text", expected="base64") from fault


def _canonicalise(now: _Now, one: Transform, signature: Element, place: Place) -> None:
    form = CANONICALIZATIONS[one.uri]
    if now.octets is not None:  # once more from the beginning, as a document of its own
        now.node, now.whole, now.comments = parse(b"".join(now.octets), limits=place.limits).root, True, True
    node = now.node
    if node is None:
        raise refused("transform-forbidden", signature, got=one.uri, expected="something that has a canonical form")
    removed = _removed(node, signature, now.removed)
    if removed:
        octets = xml_canonical.without(node, removed, form, one.prefixes, with_comments=now.comments, whole_document=now.whole)
    elif now.whole:
        octets = (xml_canonical.of_document(node, form, one.prefixes, with_comments=now.comments),)
    else:
        octets = (xml_canonical.of_part(node, form, one.prefixes, with_comments=now.comments),)
    worked = len(place.tree.raw) if removed and now.octets is None else 0  # what is left out was canonicalised, or copied, too
    now.octets, now.node, now.removed = place.budget.take(octets, worked), None, Removed.NONE


def _removed(node: Element, signature: Element, which: Removed) -> list[Element]:
    if which is Removed.NONE:
        return []
    if node.tag == SIGNATURE and (which is Removed.ALL or node is signature):
        raise refused("transform-forbidden", node, got="a signature that leaves itself out whole", expected="something that is left")
    if which is Removed.OWN:
        return [signature] if any(one is node for one in signature.iterancestors()) else []
    return [one for one in node.iter(SIGNATURE) if next(one.iterancestors(SIGNATURE), None) is None or not _within(one, node)]


def _within(one: Element, node: Element) -> bool:
    """Whether a signature that holds `one` stands inside `node` as well."""
    for ancestor in one.iterancestors():
        if ancestor is node:
            return False
        if ancestor.tag == SIGNATURE:
            return True
    return False
