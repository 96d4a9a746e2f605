"""XSLT 1.0 for XML shapes that a table cannot express: reordering, wrapping. Stylesheets are ours or an administrator's, never a sender's.

`check` lets nothing through by which a stylesheet could reach outside, remember, or run away; what it lets through runs in `transform`:

* no files, no network: no import, include or `document()`, and `XSLTAccessControl.DENY_ALL` below that
* no extensions: no namespace but XSLT's and those the mapping lists, so neither EXSLT (which has a clock and dice) nor libxslt's own
* the same bytes every time: no `generate-id()`, which is a memory address
* bounded: no named templates, no axis that looks back or at all descendants, loops at most `MAX_LOOPS` deep, templates at most `MAX_DEPTH`
  deep, input and output within the limits. What is left costs by the size of the input, to the power of the loops at the worst.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from lxml import etree

from schemas import xml
from schemas.errors import Refused, Violation, error
from schemas.limits import DEFAULT_LIMITS, Limits

XSLT: Final = "http://www.w3.org/1999/XSL/Transform"
MAX_BYTES: Final = 256 * 1024
MAX_DEPTH: Final = 100
MAX_LOOPS: Final = 3

_INSTRUCTIONS: Final = frozenset(
    {
        *("stylesheet", "output", "strip-space", "template", "apply-templates", "for-each", "sort", "if", "choose", "when", "otherwise"),
        *("value-of", "text", "element", "attribute", "copy", "copy-of", "variable"),
    }
)
_FUNCTIONS: Final = re.compile(r"\b(document|generate-id|system-property|unparsed-entity-uri|element-available|function-available)\s*\(")
_AXES: Final = re.compile(
    r"//|\.\.|\b(preceding|preceding-sibling|following|following-sibling|ancestor|ancestor-or-self|parent)\s*::|\bdesc"
)
_BRACES: Final = re.compile(r"\{([^{}]*)\}")
_CODE: Final = "mapping-stylesheet"


def check(raw: bytes, namespaces: frozenset[str]) -> tuple[Violation, ...]:
    """Everything in a stylesheet that is not let through. `namespaces` are those that it may write or match, beside XSLT's own."""
    try:
        root = xml.parse(raw, max_bytes=MAX_BYTES).root
    except Refused as fault:
        return (error(_CODE, got=str(fault.code), expected="well-formed XML"),)
    if root.tag != f"{{{XSLT}}}stylesheet" or root.get("version") != "1.0":
        return (error(_CODE, line=1, got=root.tag, expected='xsl:stylesheet version="1.0"'),)
    found = [one for element in root.iter("*") for one in _faults(element, namespaces)]
    if not found:
        try:
            _compiled(root)
        except etree.XSLTParseError as fault:
            found.append(error(_CODE, got=str(fault), expected="XSLT 1.0"))
    return tuple(found)


def transform(raw: bytes, stylesheet: bytes, *, charset: str = "", limits: Limits = DEFAULT_LIMITS) -> bytes:
    """The document that the stylesheet makes of `raw`. `stylesheet` has passed `check`.

    Raises `Refused`: what `schemas.xml.parse` raises, `translation-stylesheet-failed`, `resource-limit`.
    """
    source = xml.parse(raw, charset=charset, limits=limits).root
    run = _compiled(xml.parse(stylesheet, max_bytes=MAX_BYTES).root)
    try:
        made = run(source)
    except etree.XSLTApplyError as fault:
        raise Refused("translation-stylesheet-failed", got=_said(run), expected="a result") from fault
    if made.getroot() is None:
        raise Refused("translation-stylesheet-failed", got="nothing", expected="a document")
    written = etree.tostring(made, xml_declaration=True, encoding="UTF-8")
    if len(written) > limits.max_body_bytes:
        raise Refused("resource-limit", got=f"{len(written)} bytes", expected=f"at most {limits.max_body_bytes} bytes")
    return written


def _compiled(root: xml.Element) -> etree.XSLT:
    etree.XSLT.set_global_max_depth(MAX_DEPTH)  # libxslt's own limit is one for the whole process
    return etree.XSLT(root, extensions={}, regexp=False, access_control=etree.XSLTAccessControl.DENY_ALL)


def _said(run: etree.XSLT) -> str:
    return next((entry.message.splitlines()[0] for entry in run.error_log if entry.message), "an error of the stylesheet")


def _faults(element: xml.Element, namespaces: frozenset[str]) -> Iterator[Violation]:
    ours = xml.namespace(element) == XSLT
    name = xml.local_name(element)
    for space in set(element.nsmap.values()) - namespaces - {XSLT}:
        yield _fault(element, f"namespace {space}", "a namespace that the mapping lists")
    if ours and name not in _INSTRUCTIONS:
        yield _fault(element, f"xsl:{name}", "an instruction that is let through")
    if ours and name == "for-each" and sum(1 for _ in element.iterancestors(f"{{{XSLT}}}for-each")) >= MAX_LOOPS:
        yield _fault(element, "a loop in loops", f"at most {MAX_LOOPS}")
    for attribute, value in element.attrib.items():
        text = str(value)
        if str(attribute).endswith("extension-element-prefixes"):
            yield _fault(element, str(attribute), "no extensions")
        pieces = [text] if ours and attribute not in ("namespace", "name") else _BRACES.findall(text)
        for piece in pieces:
            said = _FUNCTIONS.search(piece) or _AXES.search(piece)
            if said:
                yield _fault(element, said.group(), "an expression that is let through")


def _fault(element: xml.Element, got: str, expected: str) -> Violation:
    return error(_CODE, line=xml.line_of(element), got=got, expected=expected)
