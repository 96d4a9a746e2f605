"""How many namespace declarations a tree has, and what they make its canonical form cost. Asked before anything is canonicalised.

At every element libxml2 looks up each declaration in scope (inclusive form), or each prefix it may have to render (exclusive form),
among all that are in scope. A thousand declarations on the root, which the limits let pass, would so cost 3 ms for every element below.
"""

from __future__ import annotations

from collections.abc import Iterator

from lxml import etree

from schemas.errors import Refused

Element = etree._Element

_OWN_PREFIXES = 2  # looked up at an element in the exclusive form besides those listed: its own, and at the most often an attribute's
MAX_LOOK_UPS = 40_000_000  # some 0.15 s; 200,000 elements with ten declarations in scope need half of it
_FEW_NODES, FEW_PREFIXES = 5_000, 4  # with the thousand declarations that limits let pass: no more than that many look-ups


def is_light(nodes: int) -> bool:
    """Whether a document of so many nodes (0: not known) has an exclusive form that cannot take too many look-ups, few prefixes listed."""
    return 0 < nodes <= _FEW_NODES


def check_declared(root: Element, most: int) -> None:
    """Raises `Refused` with `resource-limit` for more than `most` declarations in the tree."""
    found = sum(1 for _ in _declarations(root))
    if found > most:
        raise Refused("resource-limit", got=f"{found} namespace declarations", expected=f"at most {most}")


def in_scope(element: Element, most: int) -> int:
    """How many declarations are in scope in `element` or somewhere below, inherited ones included; counted up to `most` + 1."""
    found = _inherited(element)
    for _ in _declarations(element):
        found += 1
        if found > most:
            break
    return found


def check_work(element: Element, *, exclusive: bool, prefixes: int) -> None:
    """Raises `Refused` with `resource-limit` if the canonical form of `element`, with so many prefixes listed, takes too many look-ups."""
    wanted = prefixes + _OWN_PREFIXES if exclusive else 0
    known, work = _inherited(element), 0
    for event, _ in etree.iterwalk(element, events=("start", "start-ns", "end-ns")):
        if event == "start":
            work += known * (wanted or known)
        else:
            known += 1 if event == "start-ns" else -1
    if work > MAX_LOOK_UPS:
        raise Refused("resource-limit", got=f"{work} look-ups of namespaces", expected=f"at most {MAX_LOOK_UPS}")


def _declarations(element: Element) -> Iterator[object]:
    return iter(etree.iterwalk(element, events=("start-ns",)))


def _inherited(element: Element) -> int:
    parent = element.getparent()
    return len(parent.nsmap) if parent is not None else 0
