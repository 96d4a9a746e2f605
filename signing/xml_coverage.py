"""What of a document the signatures in it are over, so that nothing beside what was signed can be read for it.

Every element is inside something that was digested, or a part of a signature, or only holds such: then it has no text, and no attributes of
its own but ids and those of XML itself. An element that is none of these refuses the document: `wrapping` where it looks like what was
signed (the signed one was moved away, or another put beside it), else `coverage`. Inside a signature, where no enveloped one reaches, only
its own parts may stand.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from schemas.errors import Violation, error
from schemas.xml import Element, ParsedXml, child_elements, line_of, local_name, namespace, path_of
from signing.algorithms import DSIG, DSIG11
from signing.element import MAX_PLACES
from signing.integrity import ID_NAMES
from signing.xmldsig import SIGNATURE

XADES = tuple(f"http://uri.etsi.org/01903/v{version}#" for version in ("1.1.1", "1.2.2", "1.3.2", "1.4.1"))
_KNOWN = frozenset({DSIG, DSIG11, *XADES, "http://uri.etsi.org/19132/v1.1.1#"})
_OBJECT, _KEY_INFO, _SIGNED_INFO = (f"{{{DSIG}}}{name}" for name in ("Object", "KeyInfo", "SignedInfo"))
# What XML Signature has for an Object. Another name in its namespace is none of its parts, and can hold what anyone likes.
_IN_OBJECT = frozenset(
    f"{{{DSIG}}}{name}"
    for name in (
        *("Manifest", "SignatureProperties", "SignatureProperty", "Reference", "Transforms", "Transform", "XPath", "DigestMethod"),
        *("DigestValue", "CanonicalizationMethod", "Signature", "X509IssuerName", "X509SerialNumber", "X509Data", "X509Certificate"),
    )
)
# Says where a schema lies, or how what is inside is to be taken: language, white space, the base of relative addresses.
_HARMLESS = ("{http://www.w3.org/2001/XMLSchema-instance}", "{http://www.w3.org/XML/1998/namespace}")


def uncovered(
    tree: ParsedXml, covered: Sequence[Element], signatures: Iterable[Element], frames: frozenset[str] = frozenset()
) -> tuple[Violation, ...]:
    """Why not all of the document is covered: the first few places. `frames` are tags of elements that may hold signatures."""
    found: list[Violation] = []
    nodes, twins = set(covered), {one.tag for one in covered}
    for element in (*_outside(tree.root, nodes, frames), *(one for each in signatures for one in _inside(each, nodes))):
        code = "wrapping" if element.tag in twins and element.tag != _OBJECT else "coverage"
        found.append(
            error(
                code,
                path=path_of(element),
                line=line_of(element),
                got=f"{local_name(element)}, which no signature is over",
                expected="one that is",
            )
        )
        if len(found) == MAX_PLACES:
            break
    return tuple(sorted(found, key=lambda one: one.code != "wrapping"))


def _outside(root: Element, covered: set[Element], frames: frozenset[str]) -> Iterator[Element]:
    twins = {one.tag for one in covered}
    waiting = [root]
    while waiting:
        element = waiting.pop()
        if element in covered or element.tag == SIGNATURE:
            continue
        children = child_elements(element)
        if element.tag not in frames and (not children or element.tag in twins or _says_something(element)):
            yield element
        else:
            waiting.extend(reversed(children))


def _inside(signature: Element, covered: set[Element]) -> Iterator[Element]:
    """Foreign elements in a signature that nothing is over."""
    if signature in covered:
        return
    for part in child_elements(signature):
        if part.tag == _SIGNED_INFO or part in covered:
            continue
        waiting = child_elements(part)
        if part.tag == _OBJECT and (part.text or "").strip() + "".join((one.tail or "").strip() for one in part):
            yield part
        while waiting:
            element = waiting.pop()
            if element in covered:
                continue
            if namespace(element) not in _KNOWN or (part.tag == _OBJECT and namespace(element) == DSIG and element.tag not in _IN_OBJECT):
                yield element
            elif element.tag != SIGNATURE:  # that one is looked at for itself
                waiting.extend(reversed(child_elements(element)))


def _says_something(element: Element) -> bool:
    """Text or attributes that a reader could take for content."""
    text = (element.text or "") + "".join(child.tail or "" for child in element)
    return bool(text.strip()) or any(name not in ID_NAMES and not name.startswith(_HARMLESS) for name in map(str, element.keys()))
