"""Transforms: the closed list of ways from a referenced node to the octets that are digested.

Canonical forms, base64, enveloped-signature, the relationship transform of Office documents, and of XPath only the few expressions that
signers write to leave signatures out. They are compared as text and never run. Everything else is `transform-forbidden`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from schemas.xml import Element, child_elements, text_of
from signing.algorithms import CANONICALIZATIONS, DSIG, ENVELOPED
from signing.element import algorithm_of, names_of, refused, tags_of
from signing.xml_canonical import prefixes_of

BASE64 = DSIG + "base64"
XPATH = "http://www.w3.org/TR/1999/REC-xpath-19991116"
XPATH_FILTER = "http://www.w3.org/2002/06/xmldsig-filter2"
RELATIONSHIPS = "http://schemas.openxmlformats.org/package/2006/RelationshipTransform"
_PACKAGE_SIGNATURE = "http://schemas.openxmlformats.org/package/2006/digital-signature"
_SELECTORS = {  # ECMA-376 part 2 §10.6.5: an element → the attribute of a Relationship that it names
    f"{{{_PACKAGE_SIGNATURE}}}RelationshipReference": ("SourceId", "Id"),
    f"{{{_PACKAGE_SIGNATURE}}}RelationshipsGroupReference": ("SourceType", "Type"),
}
MAX_TRANSFORMS = 6
MAX_SELECTED = 4_000
MAX_EXPRESSION_CHARS = 200


class Removed(StrEnum):
    """Signatures that a transform leaves out."""

    NONE = ""
    OWN = "own"  # that which the transform stands in
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Transform:
    """One step from the referenced node to the digested bytes."""

    uri: str
    prefixes: tuple[str, ...]  # of InclusiveNamespaces
    removes: Removed = Removed.NONE
    selected: frozenset[tuple[str, str]] = frozenset()  # attribute and value of relationships


# Written without spaces, the prefix of XML Signature as ``ds``. XMLDSig §6.6.4 and XPath Filter 2.0 §4 say themselves that the second of
# each kind is what enveloped-signature does.
_OWN = "count(ancestor-or-self::ds:Signature|here()/ancestor::ds:Signature[1])>count(ancestor-or-self::ds:Signature)"
_EXPRESSIONS = {
    (XPATH, "", "not(ancestor-or-self::ds:Signature)"): Removed.ALL,
    (XPATH, "", _OWN): Removed.OWN,
    (XPATH_FILTER, "subtract", "/descendant::ds:Signature"): Removed.ALL,
    (XPATH_FILTER, "subtract", "//ds:Signature"): Removed.ALL,
    (XPATH_FILTER, "subtract", "here()/ancestor::ds:Signature[1]"): Removed.OWN,
}
_PREFIXED = re.compile(r"([:/])([\w.-]+):Signature")


def read(transforms: Element) -> tuple[Transform, ...]:
    """The steps in order. Raises `malformed-signature`, `resource-limit` or `transform-forbidden`."""
    elements = child_elements(transforms)
    if any(one.tag != f"{{{DSIG}}}Transform" for one in elements):
        raise refused("malformed-signature", transforms, got=names_of(elements), expected="Transform only")
    if len(elements) > MAX_TRANSFORMS:
        raise refused("resource-limit", transforms, got=f"{len(elements)} transforms", expected=f"at most {MAX_TRANSFORMS}")
    return tuple(_read(one) for one in elements)


def known(uri: str) -> bool:
    """Whether such a transform may stand here at all."""
    return uri in CANONICALIZATIONS or uri in (ENVELOPED, BASE64, XPATH, XPATH_FILTER, RELATIONSHIPS)


def check_prefixes(signed_info: Element) -> None:
    """In its place in the document every prefix of an expression is bound to XML Signature. Raises `transform-forbidden`.

    What is digested does not depend on it: an expression only ever leaves signatures out. Other verifiers must mean the same by it.
    """
    for one in signed_info.iter(f"{{{DSIG}}}XPath", f"{{{XPATH_FILTER}}}XPath"):
        prefixes = {found[2] for found in _PREFIXED.finditer("".join(text_of(one).split()))}
        if any(one.nsmap.get(prefix) != DSIG for prefix in prefixes):
            raise refused("transform-forbidden", one, got=text_of(one)[:MAX_EXPRESSION_CHARS], expected="one that leaves signatures out")


def _read(element: Element) -> Transform:
    uri = algorithm_of(element)
    if uri in (XPATH, XPATH_FILTER):
        return Transform(uri, (), _expression(element, uri))
    if uri == RELATIONSHIPS:
        return Transform(uri, (), selected=_selected(element))
    prefixes = prefixes_of(element)
    return Transform(uri, prefixes, Removed.OWN if uri == ENVELOPED else Removed.NONE)


def _expression(element: Element, uri: str) -> Removed:
    inside = child_elements(element)
    wanted = [f"{{{DSIG if uri == XPATH else XPATH_FILTER}}}XPath"]
    text = text_of(inside[0]) if tags_of(inside) == wanted else ""
    if text and len(text) <= MAX_EXPRESSION_CHARS:
        scope = inside[0].nsmap  # exclusive forms leave a prefix that only an expression uses out: `check_prefixes` looks where it was
        said = _PREFIXED.sub(lambda m: f"{m[1]}ds:Signature" if scope.get(m[2], DSIG) == DSIG else "another name", "".join(text.split()))
        found = _EXPRESSIONS.get((uri, inside[0].get("Filter") or "", said))
        if found is not None:
            return found
    raise refused("transform-forbidden", element, got=f"XPath {text[:MAX_EXPRESSION_CHARS]}", expected="one that leaves signatures out")


def _selected(element: Element) -> frozenset[tuple[str, str]]:
    inside = child_elements(element)
    if not inside or len(inside) > MAX_SELECTED or any(str(one.tag) not in _SELECTORS for one in inside):
        raise refused(
            "transform-forbidden", element, got=names_of(inside[:8]), expected="RelationshipReference, RelationshipsGroupReference"
        )
    pairs = [(_SELECTORS[str(one.tag)], one) for one in inside]
    return frozenset((attribute, one.get(name) or "") for (name, attribute), one in pairs)
