"""The packet against the XSD, and the XSD's findings in the words of this project.

Procedure:

1. where the walk has seen that the schema holds (`seen_to_hold`), the schema is not asked: the common case, at no cost
2. what the walk set aside: an unknown element is a warning, a doubled one an error (two readers could take different ones)
3. the schema judges the rest
4. if it does not hold, each entry of its log is explained; the schema is this thread's own, because its log would be everyone's

What was set aside is left out of a *copy* before 3, because libxml2 stops looking at an element's children after the first one
that it does not expect, and would hide later faults; so are `xsi:type` and the like, by which a sender would steer the validator.
The tree itself is never touched: a signature may cover it.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Set
from copy import deepcopy
from pathlib import Path
from typing import cast

from lxml import etree

from schemas import xml
from schemas.edxml import names
from schemas.edxml.packet import Packet, StatusPacket
from schemas.edxml.parts import Walk
from schemas.errors import Violation, error, errors_of, warning

XSD_FOLDER = Path(__file__).parents[1] / "xsd"
DOCUMENT_XSD = "edxml_qcvn102.xsd"
STATUS_XSD = "edxml_qcvn102_status.xsd"

_NEEDED = {"edXML": "edXMLEnvelope", "edXMLEnvelope": "edXMLHeader", "edXMLHeader": "MessageHeader", "MessageHeader": "To"}
_SPELT = {name.lower(): name for plan in names.PLANS.values() for name, _ in plan.values()}
_STEERING = etree.XPath("//@*[namespace-uri() = 'http://www.w3.org/2001/XMLSchema-instance']")
_CONSTRAINT = re.compile(r"identity-constraint '(?:\{[^}]*\})?(?:Status-)?([^']+)'")
_OWN = threading.local()  # compiled schemas by file name, per thread
_Seen = dict[tuple[xml.Element, str], list[xml.Element]]  # (parent, step of a path) → children it may mean, kept between look-ups
# Software that finds elements by local name alone would take the first of two; so a second one is refused wherever it stands.
_IDENTIFYING = frozenset({"MessageHeader", "From", "To", "OrganId", "DocumentId", "CodeNumber", "CodeNotation", "Subject", "StatusCode"})
_STRAY_TEXT = "SCHEMAV_CVC_COMPLEX_TYPE_2_3"
_ECHOES = frozenset({"SCHEMAV_CVC_TYPE_3_1_3", "SCHEMAV_CVC_DATATYPE_VALID_1_2_1"})  # libxml2's second entry on the same value


def seen_to_hold(tree: xml.ParsedXml, walk: Walk, packet: Packet) -> bool:
    """Whether the walk has seen everything that the schema asks for, so that the schema need not be asked.

    True only where the schema holds (a property test and the fuzz target keep it so); where the least thing is out of the ordinary,
    False. What is asked for, and where it was seen:

    * known children only, none doubled, no text between them, no elements in texts: `walk.unknown`, `doubled`, `odd`
    * no attributes where the schema has none: all that the document has are on elements that the walk looked into
    * the values that identify the message are there and not blank: in `packet`
    * a message, one of its kind: the reader has told which
    """
    seen = not (walk.odd or walk.unknown or walk.doubled) and walk.attributes == tree.attributes
    return seen and has_needed(packet)


def has_needed(packet: Packet) -> bool:
    """Whether the values that the schema requires are there and not blank."""
    if isinstance(packet, StatusPacket):
        return all([packet.sender.organ_id, packet.response_for.organ_id, packet.status_code, packet.timestamp])
    code = packet.code
    needed = [packet.document_id, code.code_number, code.code_notation, packet.promulgation.promulgation_date, packet.subject.strip()]
    return bool(packet.to) and all([*needed, packet.sender.organ_id, *[one.organ_id for one in packet.to]])


def check_all(tree: xml.ParsedXml, xsd: str, walk: Walk) -> list[Violation]:
    """Steps 2 to 4: everything about the packet's structure, errors first; at most `limits.max_violations` of each kind."""
    cap = walk.limits.max_violations
    unknown = [_unknown(one) for one in walk.unknown[:cap]]
    unknown += [
        _at("empty-signature", one, got=xml.local_name(one), warn=True)
        for one in walk.decorations[:cap]
        if not len(one) and not (one.text or "").strip()
    ]
    doubled = [_at("doubled-element", one, got=f"2 × {xml.local_name(one)}", expected="1") for one in walk.doubled[:cap]]
    doubled += [_at("comment-in-value", one, got=f"a comment or instruction inside {xml.local_name(one)}") for one in walk.split[:cap]]
    aside = {*walk.unknown, *walk.doubled}
    rest = _without(tree.root, aside) if aside or _steers(tree) else tree.root
    schema = _schema(xsd)
    explained = [] if schema.validate(rest) else list(_explained(rest, schema, cap))
    return sorted([*doubled, *explained, *unknown], key=lambda one: one.severity)  # "error" < "warning"


def _unknown(element: xml.Element) -> Violation:
    """An element that nobody reads. One whose name is only spelt otherwise is an error where it holds others: all of them would be lost."""
    meant = _SPELT.get(xml.local_name(element).lower())
    if meant in _IDENTIFYING and meant == xml.local_name(element):
        return _at("look-alike", element, got=element.tag, expected=f"{meant} in its own place and namespace only")
    if meant is None or meant == xml.local_name(element):
        return _at("unknown-element", element, got=element.tag, warn=True)
    return _at("wrong-case", element, got=xml.local_name(element), expected=meant, warn=meant not in names.PLANS)


def _schema(xsd: str) -> etree.XMLSchema:
    own: dict[str, etree.XMLSchema] = _OWN.__dict__
    if xsd not in own:
        path = XSD_FOLDER / xsd
        own[xsd] = xml.load_schema(path.read_bytes(), base_url=str(path))
    return own[xsd]


def _steers(tree: xml.ParsedXml) -> bool:
    """Whether the sender may be telling a validator what to do: `xsi:type` and `xsi:nil`, as .NET serialisers write them."""
    return not tree.raw or b"XMLSchema-instance" in tree.raw or tree.encoding.startswith("UTF-16")


def _without(root: xml.Element, aside: Set[xml.Element]) -> xml.Element:
    whole = deepcopy(root)
    copies = [twin for one, twin in zip(root.iter(), whole.iter(), strict=True) if one in aside]
    for attribute in cast("list[etree._ElementUnicodeResult]", _STEERING(whole)):
        element = attribute.getparent()
        if element is not None and attribute.attrname is not None:
            del element.attrib[attribute.attrname]
    for twin in copies:
        parent = twin.getparent()
        if parent is not None:
            twin.tail = None  # white space or stray text that belonged to the gap, not to a value
            parent.remove(twin)
    return whole


def _explained(root: xml.Element, schema: etree.XMLSchema, cap: int) -> Iterator[Violation]:
    log = list(schema.error_log)
    stray = [entry for entry in log if entry.type_name == _STRAY_TEXT]
    faults = [entry for entry in log if entry.type_name != _STRAY_TEXT]  # apart, so that warnings cannot push errors out of the list
    seen: dict[tuple[str, str], Violation] = {}
    children: _Seen = {}
    for entry in (*faults[: 2 * cap], *stray[:cap]):
        violation = _explain(_element_at(root, entry.path, children), entry)
        if violation is not None:
            seen.setdefault((violation.code, violation.path), violation)
    if faults and not errors_of(seen.values()):  # invalid stays invalid, whether or not it could be explained
        yield _at("schema", _element_at(root, faults[0].path, children), got=faults[0].message)
    yield from seen.values()


def _explain(element: xml.Element, entry: etree._LogEntry) -> Violation | None:
    """One entry of libxml2's log, `None` where another entry says the same better."""
    kind, message = entry.type_name, str(entry.message)
    if kind in _ECHOES:
        return None
    if kind == "SCHEMAV_CVC_IDC":
        return _of_constraint(element, message)
    if kind == "SCHEMAV_ELEMENT_CONTENT":
        return _of_content(element, message)
    return _of_value(element, kind, message)


def _of_value(element: xml.Element, kind: str, message: str) -> Violation:
    if kind == "SCHEMAV_CVC_MINLENGTH_VALID":
        return _at("empty-element", element, expected=xml.local_name(element))
    if kind == "SCHEMAV_CVC_TYPE_3_1_2":
        inside = ", ".join(xml.local_name(child) for child in xml.child_elements(element)[:5])
        return _at("element-in-text", element, got=inside, expected="#PCDATA")
    if kind == _STRAY_TEXT:
        return _at("stray-text", element, got=_own_text(element), warn=True)
    return _at("schema", element, got=message.replace(f"{{{names.QCVN102}}}", ""))


def _of_constraint(element: xml.Element, message: str) -> Violation | None:
    named = _CONSTRAINT.search(message)
    if "more than one member" in message:
        return _at("doubled-element", element, got=f"2 × {xml.local_name(element)}", expected="1")
    if named is None:
        return None  # "no precomputed value": an echo of a value that is wrong in itself
    steps = named.group(1).split(".")
    there = element.find("/".join(names.q(step) for step in steps))
    if there is not None:
        return None  # it is there and wrong in itself: another entry says how
    nearest = next(
        (found for n in range(len(steps) - 1, 0, -1) if (found := element.find("/".join(map(names.q, steps[:n])))) is not None), element
    )
    return error("missing-element", path="/".join([xml.path_of(element), *steps]), line=xml.line_of(nearest), expected=steps[-1])


def _of_content(element: xml.Element, message: str) -> Violation:
    if "Missing child" in message:
        child = _NEEDED.get(xml.local_name(element), "")
        expected = child or message.partition("Expected is ")[2].replace(f"{{{names.QCVN102}}}", "")
        return error("missing-element", path=f"{xml.path_of(element)}/{child}", line=xml.line_of(element), expected=expected)
    parent = element.getparent()
    needed = _NEEDED.get(xml.local_name(parent), "") if parent is not None else ""
    if parent is not None and needed and parent.find(names.q(needed)) is None:
        return error(
            "missing-element",
            path=f"{xml.path_of(parent)}/{needed}",
            line=xml.line_of(parent),
            got=xml.local_name(element),
            expected=needed,
        )
    return _at("misplaced-element", element, got=xml.local_name(element))


def _at(code: str, element: xml.Element, *, got: object = "", expected: object = "", warn: bool = False) -> Violation:
    make = warning if warn else error
    return make(code, path=xml.path_of(element), line=xml.line_of(element), got=got, expected=expected)


def _own_text(element: xml.Element) -> str:
    pieces = [element.text or "", *(child.tail or "" for child in element)]
    return next((piece.strip() for piece in pieces if piece.strip()), "")


def _element_at(root: xml.Element, path: str | None, seen: _Seen) -> xml.Element:
    """The element that libxml2 means by ``/*/edXML:To[2]/*[1]``: names with the prefixes as written, ``*`` in the default namespace.

    No XPath, because a prefix may mean several namespaces in one document.
    """
    here = root
    for step in (path or "").split("/")[2:]:
        name, _, position = step.rstrip("]").partition("[")
        if (here, name) not in seen:
            seen[here, name] = _named(here, name)
        n = int(position or 1) - 1
        if n >= len(seen[here, name]):
            break  # an attribute, or nothing that can be pointed at: the nearest is named
        here = seen[here, name][n]
    return here


def _named(parent: xml.Element, name: str) -> list[xml.Element]:
    inside = xml.child_elements(parent)
    if name == "*":
        return inside
    prefix, _, local = name.rpartition(":")
    return [child for child in inside if (child.prefix or "") == prefix and xml.local_name(child) == local]
