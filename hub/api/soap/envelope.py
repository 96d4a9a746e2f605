"""From a SOAP request's bytes to one checked call.

1. parse with the hub's one parser
2. version: the namespace of Envelope
3. structure: an optional Header, then one Body with exactly one element
4. header: bounded; nothing in it that must be understood (the hub understands none)
5. dispatch on the name of the Body's element; SOAPAction and `action` are never believed
6. that element against the published schema, every violation reported
"""

from __future__ import annotations

import binascii
import re
from dataclasses import dataclass
from enum import Enum
from functools import cache
from typing import cast

import pybase64
from lxml import etree

from hub.api.soap.wsdl import NAMESPACE, OPERATION_TEXTS, schema
from schemas.errors import Refused, Violation, error
from schemas.limits import Limits
from schemas.xml import Element, ParsedXml, child_elements, line_of, load_schema, local_name, namespace, path_of, text_of

_TRUE = frozenset({"1", "true"})
_QUALIFIED = re.compile(rf"\{{{re.escape(NAMESPACE)}\}}")


class Version(Enum):
    """The two versions of SOAP; the value is the envelope's namespace."""

    SOAP11 = "http://schemas.xmlsoap.org/soap/envelope/"
    SOAP12 = "http://www.w3.org/2003/05/soap-envelope"

    @property
    def media_type(self) -> str:
        """Of requests and answers: SOAP 1.1 §6, RFC 3902."""
        return "text/xml" if self is Version.SOAP11 else "application/soap+xml"


# Header blocks for these concern the hub (SOAP 1.1 §4.2.2, SOAP 1.2 part 1 §2.2); those for other nodes do not.
_ROLES_OF_HUB = frozenset(
    {
        "",
        "http://schemas.xmlsoap.org/soap/actor/next",
        "http://www.w3.org/2003/05/soap-envelope/role/next",
        "http://www.w3.org/2003/05/soap-envelope/role/ultimateReceiver",
    }
)


@dataclass(frozen=True, slots=True)
class Call:
    """One call whose body follows the schema."""

    operation: str
    body: Element

    def text(self, name: str) -> str:
        """The text of the child `name`, "" where absent."""
        found = self._child(name)
        return text_of(found) if found is not None else ""

    def has(self, name: str) -> bool:
        """Whether the child `name` is there and not empty."""
        return bool(self.text(name).strip())

    def number(self, name: str, default: int) -> int:
        """The child `name` as a number; the schema has checked its form and range."""
        text = self.text(name).strip()
        return int(text) if text else default

    def fields(self, name: str) -> dict[str, str]:
        """The children of the child `name` as local name → text."""
        found = self._child(name)
        return {local_name(one): text_of(one) for one in child_elements(found)} if found is not None else {}

    def binary(self, name: str) -> bytes:
        """The child `name` decoded. libxml2 lets garbage pass as base64Binary, so this is strict. Raises `Refused("soap-base64")`."""
        try:
            return pybase64.b64decode(self.text(name).encode("ascii").translate(None, b" \t\r\n"), validate=True)
        except (UnicodeEncodeError, binascii.Error, ValueError) as fault:
            found = self._child(name)
            where = path_of(found) if found is not None else name
            one = error("soap-base64", path=where, got=str(fault) or "not base64", expected="complete base64 (RFC 4648 §4)")
            raise Refused("soap-base64", got=one.got, expected=one.expected, violations=(one,)) from fault

    def _child(self, name: str) -> Element | None:
        return next((one for one in child_elements(self.body) if local_name(one) == name), None)


def version_of(document: ParsedXml) -> Version:
    """Step 2. Raises `Refused` with `soap-malformed` or, for an Envelope of another version, `soap-version`."""
    root = document.root
    if local_name(root) != "Envelope":
        raise Refused("soap-malformed", got=f"{{{namespace(root)}}}{local_name(root)}", expected="soap:Envelope")
    known = {version.value: version for version in Version}
    if namespace(root) not in known:
        raise Refused("soap-version", got=namespace(root) or "no namespace", expected=" or ".join(known))
    return known[namespace(root)]


def read_call(document: ParsedXml, version: Version, limits: Limits) -> Call:
    """Steps 3 to 6. Raises `Refused` with `soap-malformed`, `soap-header-size`, `soap-must-understand`, `soap-operation`, `soap-body`."""
    header, body = _parts(document.root, version)
    if header is not None:
        _check_header(header, version, limits)
    content = child_elements(body)
    if len(content) != 1:
        raise Refused("soap-malformed", got=f"{len(content)} elements in soap:Body", expected="exactly one")
    operation = local_name(content[0])
    if namespace(content[0]) != NAMESPACE or operation not in OPERATION_TEXTS:
        raise Refused("soap-operation", got=f"{{{namespace(content[0])}}}{operation}", expected=", ".join(OPERATION_TEXTS))
    _check_schema(content[0], limits)
    return Call(operation, content[0])


def _parts(root: Element, version: Version) -> tuple[Element | None, Element]:
    names = [
        local_name(one) if namespace(one) == version.value else f"{{{namespace(one)}}}{local_name(one)}" for one in child_elements(root)
    ]
    children = child_elements(root)
    if names == ["Body"]:
        return None, children[0]
    if names == ["Header", "Body"]:
        return children[0], children[1]
    raise Refused("soap-malformed", got=", ".join(names[:10]) or "an empty Envelope", expected="Header (optional), Body")


def _check_header(header: Element, version: Version, limits: Limits) -> None:
    size = len(etree.tostring(header, with_tail=False))
    if size > limits.max_soap_header_bytes:
        raise Refused("soap-header-size", got=f"{size} bytes", expected=f"at most {limits.max_soap_header_bytes} bytes")
    role = "actor" if version is Version.SOAP11 else "role"
    found = tuple(
        error("soap-must-understand", path=path_of(block), line=line_of(block), got=f"{{{namespace(block)}}}{local_name(block)}")
        for block in child_elements(header)
        if (block.get(f"{{{version.value}}}mustUnderstand") or "").strip() in _TRUE
        and (block.get(f"{{{version.value}}}{role}") or "").strip() in _ROLES_OF_HUB
    )
    if found:
        raise Refused("soap-must-understand", got=found[0].got, violations=found)


def _check_schema(element: Element, limits: Limits) -> None:
    if not _schema()(element):
        mine = load_schema(_checked_schema())  # a fresh one: the log of the shared one may hold another thread's violations
        mine(element)
        found = tuple(_violation(element, entry) for entry in list(mine.error_log)[: limits.max_violations])
        raise Refused("soap-body", got=found[0].got if found else "", violations=found)


def _violation(element: Element, entry: etree._LogEntry) -> Violation:
    got, _, expected = _QUALIFIED.sub("", entry.message).partition(" Expected is ")
    place = _located(element, entry.path or "")
    return error(
        "soap-body", path=path_of(place), line=entry.line, got=got, expected=expected.strip() or "what the schema in the WSDL says"
    )


def _located(element: Element, path: str) -> Element:
    """The element that libxml2's path, which starts at `element` as root, names."""
    below = path.lstrip("/").partition("/")[2]
    if not below:
        return element
    prefixes = {prefix: uri for prefix, uri in element.nsmap.items() if prefix}
    try:
        hits = element.xpath(below, namespaces=prefixes)
    except etree.XPathError:  # a prefix that is declared further down
        return element
    return cast("list[Element]", hits)[0] if hits else element


@cache
def _schema() -> etree.XMLSchema:
    return load_schema(_checked_schema())


def _checked_schema() -> bytes:
    """The published schema, but with base64 left to `Call.binary`: libxml2 would walk megabytes and still let some garbage pass."""
    return schema().replace(b'"xs:base64Binary"', b'"xs:string"')
