"""Canonical forms of parts of a document: C14N 1.0 and 1.1, inclusive and exclusive, with and without comments, less the signatures inside.

lxml has the forms of a document and the exclusive one of a part. The rest is brought about here by making the part a document of its own,
with what it inherits: all namespaces, and the `xml:*` attributes that the form lets it inherit (C14N 1.0 §2.4, C14N 1.1 §2.4).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from copy import deepcopy
from functools import reduce

from lxml import etree

from schemas.xml import Element, as_root, canonical, child_elements, local_name, reread
from signing.algorithms import CANONICALIZATIONS, EXC_C14N, Canonicalization
from signing.cms_value import Parts
from signing.element import algorithm_of, names_of, refused
from signing.xml_base import joined

MAX_PREFIXES = 64  # in one InclusiveNamespaces
_INCLUSIVE = f"{{{EXC_C14N}}}InclusiveNamespaces"
_XML = "{http://www.w3.org/XML/1998/namespace}"
# Of a canonical form, in which no other ``<`` stands: start tags with their attributes, and what could hold something that looks like one.
_TOKEN = re.compile(rb'<!--.*?-->|<\?.*?\?>|<([^\s<>/!?]+)((?: [^\s=<>"]+="[^"]*")*)>', re.S)
_ESCAPED = str.maketrans({"&": "&amp;", "<": "&lt;", '"': "&quot;", "\t": "&#x9;", "\n": "&#xA;", "\r": "&#xD;"})
_INHERITED_1_1 = (_XML + "lang", _XML + "space")  # and xml:base, put together; never xml:id


def form_of(method: Element) -> tuple[Canonicalization, tuple[str, ...]]:
    """What a CanonicalizationMethod or such a Transform names, and its prefixes. Raises `alg-forbidden` or `transform-forbidden`."""
    form = CANONICALIZATIONS.get(algorithm_of(method))
    if form is None:
        raise refused("alg-forbidden", method, got=algorithm_of(method), expected="C14N 1.0 or 1.1, inclusive or exclusive")
    return form, prefixes_of(method)


def prefixes_of(element: Element) -> tuple[str, ...]:
    """The PrefixList inside, () for none. Raises `transform-forbidden` for anything else inside."""
    inside = child_elements(element)
    if not inside:
        return ()
    if len(inside) > 1 or inside[0].tag != _INCLUSIVE or not algorithm_of(element).startswith(EXC_C14N):
        raise refused("transform-forbidden", inside[0], got=names_of(inside), expected="InclusiveNamespaces of exc-c14n only")
    prefixes = tuple((inside[0].get("PrefixList") or "").split())
    if len(prefixes) > MAX_PREFIXES:
        raise refused("malformed-signature", inside[0], got=f"{len(prefixes)} prefixes", expected=f"at most {MAX_PREFIXES}")
    return prefixes


def of_part(
    element: Element, form: Canonicalization, prefixes: tuple[str, ...] = (), *, with_comments: bool = True, light: bool = False
) -> bytes:
    """The canonical form of `element` with all inside it; comments stay where the form has them and `with_comments` does not say no.

    `light` as in `schemas.xml.canonical`. Raises as that does.
    """
    plain = element.getparent() is None or (form.exclusive and not prefixes)  # lxml gets these right
    apex = element if plain else _alone(element, form)
    return _octets(apex, form, prefixes, comments=with_comments and form.with_comments, light=light)


def of_document(
    root: Element, form: Canonicalization, prefixes: tuple[str, ...] = (), *, with_comments: bool = True, light: bool = False
) -> bytes:
    """The same of a whole document, with what stands beside its root."""
    return _octets(root, form, prefixes, comments=with_comments and form.with_comments, whole=True, light=light)


def without(
    element: Element,
    removed: Sequence[Element],
    form: Canonicalization,
    prefixes: tuple[str, ...] = (),
    *,
    with_comments: bool = True,
    whole_document: bool = False,
    light: bool = False,
) -> Parts:
    """The canonical form of `element` less the elements `removed`, each of which is inside it and in no other of them.

    One is cut out of the canonical form of the whole: leaving an element out changes nothing elsewhere in it. Where its name occurs more
    than once, so that the cut could be in doubt, a copy of the tree without it is canonicalised instead.
    """
    if len(removed) == 1:
        entire = of_document if whole_document else of_part
        cut = _cut(entire(element, form, prefixes, with_comments=with_comments, light=light), removed[0])
        if cut is not None:
            return cut
    steps = [_steps(element, one) for one in removed]
    copy = deepcopy(element.getroottree()).getroot() if element.getparent() is None else _alone(element, form)
    for leaf in [_followed(copy, path) for path in steps]:
        _remove(leaf)
    return (_octets(copy, form, prefixes, comments=with_comments and form.with_comments, whole=whole_document),)


def _octets(
    apex: Element, form: Canonicalization, prefixes: tuple[str, ...], *, comments: bool, whole: bool = False, light: bool = False
) -> bytes:
    octets = canonical(
        apex,
        exclusive=form.exclusive,
        inclusive_prefixes=prefixes,
        with_comments=comments,
        whole_document=whole,
        light=light,
    )
    return _with_default(octets, apex) if form.exclusive and "#default" in prefixes else octets


def _with_default(octets: bytes, apex: Element) -> bytes:
    """lxml passes over ``#default`` in a prefix list (Exclusive C14N §3): the default namespace is to be shown wherever it changes."""
    elements = apex.iter("*")

    def shown(token: re.Match[bytes]) -> bytes:
        if not token[1]:
            return token[0]
        element = next(elements)
        own, above = element.nsmap.get(None, ""), element.getparent()
        same = own == ("" if above is None or element is apex else above.nsmap.get(None, ""))
        attributes = token[2] if not token[2].startswith(b' xmlns="') else token[2][token[2].index(b'"', 8) + 1 :]
        return b"<" + token[1] + (b"" if same else b' xmlns="' + own.translate(_ESCAPED).encode() + b'"') + attributes + b">"

    return _TOKEN.sub(shown, octets)


def _alone(element: Element, form: Canonicalization) -> Element:
    if not form.exclusive and not form.version_1_1:
        return as_root(element)
    copy = reread(etree.tostring(element, with_tail=False, encoding="UTF-8"))
    if form.exclusive:
        return copy  # which inherits no attributes (Exclusive C14N §3)
    ancestors = list(element.iterancestors())
    for name in _INHERITED_1_1:
        value = next((one.get(name) for one in ancestors if one.get(name) is not None), None)
        if value is not None and copy.get(name) is None:
            copy.set(name, value)
    bases = [value for one in (element, *ancestors) if (value := one.get(_XML + "base")) is not None]
    if bases and (len(bases) > 1 or element.get(_XML + "base") is None):  # C14N 1.1 §2.4: those of the elements left out are put together
        base = reduce(lambda below, above: joined(above, below), bases)
        copy.attrib.pop(_XML + "base", None)
        if base:
            copy.set(_XML + "base", base)
    return copy


def _cut(octets: bytes, element: Element) -> tuple[memoryview, memoryview] | None:
    name = (f"{element.prefix}:{local_name(element)}" if element.prefix else local_name(element)).encode()
    closing = b"</" + name + b">"
    end = octets.rfind(closing)  # four times as fast as from the front
    if end == -1 or octets.rfind(closing, 0, end) != -1:  # else it closes this one, and the one tag of that name before it opens it
        return None
    starts = [octets.rfind(tag, 0, end) for tag in (b"<" + name + b" ", b"<" + name + b">")]  # canonical tags have no other form
    start = max(starts)
    if not min(starts) == -1 < start or octets.rfind(octets[start : start + len(name) + 2], 0, start) != -1:
        return None
    view = memoryview(octets)
    return view[:start], view[end + len(closing) :]


def _steps(top: Element, element: Element) -> list[int]:
    steps: list[int] = []
    while element is not top:
        parent = element.getparent()
        if parent is None:
            raise RuntimeError("what is removed stands inside")  # who asks has looked
        steps.append(parent.index(element))
        element = parent
    return steps[::-1]


def _followed(top: Element, steps: list[int]) -> Element:
    for step in steps:
        top = top[step]
    return top


def _remove(element: Element) -> None:
    parent, before = element.getparent(), element.getprevious()
    if parent is None:
        raise RuntimeError("a root cannot be left out")
    if element.tail and before is not None:
        before.tail = (before.tail or "") + element.tail
    elif element.tail:
        parent.text = (parent.text or "") + element.tail
    element.tail = None
    parent.remove(element)
