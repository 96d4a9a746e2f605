"""The one XML parser of the hub. Nothing else in the project parses XML (a test keeps it so).

Procedure of `parse`:

1. size, before anything is looked at
2. encoding: byte-order mark, then the protocol's charset, then the declaration (RFC 7303 §3); allow-list
3. counts on the bytes: ``<`` bounds elements, ``xmlns`` bounds namespace declarations; a tree cannot be larger than they say
4. parse with no DTD, no entities, no network
5. refuse any DOCTYPE; then depth, attributes, name and text lengths on the tree, before canonicalisation or `.attrib`

The tree keeps comments and processing instructions, because a signature may cover them; so text is read with `text_of`, never with
``.text``, which stops at a comment (the classic way to make a verifier and a reader see different values).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache, partial
from operator import attrgetter, methodcaller
from typing import Any, BinaryIO, NamedTuple, TypeAlias, cast

from lxml import etree

from schemas import namespaces, octets
from schemas.errors import Refused, Violation, error
from schemas.limits import DEFAULT_LIMITS, Limits
from schemas.xml_faults import doctype_refused, syntax_error

Element = etree._Element

_PLAIN_TEXT_BYTES = 9_000_000  # below libxml2's own limit of 10 MB for one text node, above it `huge_tree` is needed
_PIECE_BYTES = 1024 * 1024
_HELD_BYTES = 256 * 1024  # of a document whose nodes are held: some 60,000 at the worst

PushParser: TypeAlias = "etree.XMLParser[Element]"

_XML_PARSER: Any = etree.XMLParser  # the stubs know only targets whose `start` takes two arguments
_parser: Callable[..., etree.XMLParser[Element]] = partial(
    _XML_PARSER,
    resolve_entities=False,
    no_network=True,
    load_dtd=False,
    dtd_validation=False,
    attribute_defaults=False,
    remove_comments=False,
    remove_pis=False,
)

_TAG, _NAMES_OF_ATTRIBUTES = attrgetter("tag"), methodcaller("keys")
_STRING = etree.XPath("string()")
_ATTRIBUTES = etree.XPath("count(//@*)")
_ATTRIBUTES_WITHIN = etree.XPath("count(descendant-or-self::*/@*)")
_LONG_ASIDE = "//@*[string-length() > {0}] | //comment()[string-length() > {0}] | //processing-instruction()[string-length() > {0}]"


class Layout(NamedTuple):
    """The elements of a small document in document order, without comments and instructions: of each, what it is without its values."""

    tags: list[str]
    children: list[int]  # how many
    attributes: list[list[str]]  # their names


@dataclass(frozen=True, slots=True)
class ParsedXml:
    """A document that passed `parse`. `encoding` is what the bytes were decoded by."""

    root: Element
    raw: bytes
    encoding: str
    encoding_from: str  # "bom", "protocol", "declaration" or "default"
    attributes: int = 0  # in the whole document
    size_bytes: int = 0  # of the bytes; `raw` is b"" where they are not kept
    held: tuple[Element, ...] = ()  # of a small document, all nodes: lxml makes them anew at every look unless somebody holds them
    layout: Layout | None = None  # of the same, unless there are comments or instructions


def parse(raw: bytes, *, charset: str = "", limits: Limits = DEFAULT_LIMITS, max_bytes: int | None = None) -> ParsedXml:
    """The tree of `raw`.

    `charset` is the parameter of the protocol's Content-Type, "" where there was none.

    Raises `Refused` with code `empty-body`, `too-large`, `encoding`, `dtd-forbidden`, `malformed-xml`, `undeclared-prefix`, `duplicate-id`
    (of `xml:id`) or `resource-limit`.
    """
    octets.check_size(raw, max_bytes or limits.max_body_bytes)  # 1
    encoding, origin = octets.encoding_of(raw, charset)  # 2
    many = octets.check_counts(raw, encoding, limits)  # 3
    root = _parse(raw, encoding, huge=len(raw) > _PLAIN_TEXT_BYTES)  # 4
    if many:
        namespaces.check_declared(root, limits.max_namespaces)  # what the bytes said, once more: canonical forms cost by it
    held = tuple(root.iter()) if len(raw) <= _HELD_BYTES else ()
    layout = _layout_of(held) if held else None
    attributes = _check_tree(root, held or root.iter(), len(raw), limits, layout)  # 5
    return ParsedXml(root, raw, encoding, origin, attributes, len(raw), held, layout)


def parse_file(file: BinaryIO, *, limits: Limits = DEFAULT_LIMITS, max_bytes: int | None = None) -> ParsedXml:
    """The same of a seekable file, without holding its bytes beside its tree."""
    size, _ = file.seek(0, 2), file.seek(0)
    head = file.read(octets.HEAD_BYTES)
    octets.check_size(head, limits.max_body_bytes)
    if size > (max_bytes or limits.max_body_bytes):
        raise Refused("too-large", got=f"{size} bytes", expected=f"at most {max_bytes or limits.max_body_bytes} bytes")
    encoding, origin = octets.encoding_of(head, "")
    count = octets.Count(encoding, limits)
    file.seek(0)
    while piece := file.read(_PIECE_BYTES):
        count.take(piece)
    file.seek(0)
    root = _parse(file, encoding, huge=size > _PLAIN_TEXT_BYTES)
    return ParsedXml(root, b"", encoding, origin, _check_tree(root, root.iter(), size, limits), size)


def text_of(element: Element) -> str:
    """The whole text below `element`, comments and processing instructions skipped: XPath's ``string()``, what C14N signs."""
    if not len(element):  # nothing inside, comments included: ``.text`` is all there is, at a tenth of the cost
        return element.text or ""
    return cast(str, _STRING(element))


def local_name(element: Element) -> str:
    """The tag without its namespace."""
    tag = element.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def namespace(element: Element) -> str:
    """The namespace of the tag, "" for none."""
    tag = element.tag
    return tag[1:].partition("}")[0] if isinstance(tag, str) and tag.startswith("{") else ""


def child_elements(element: Element) -> list[Element]:
    """Children that are elements, in order."""
    return list(element.iterchildren("*"))


def attributes_in(element: Element) -> int:
    """How many attributes `element` and everything below it have."""
    return int(cast(float, _ATTRIBUTES_WITHIN(element)))


def path_of(element: Element) -> str:
    """A readable path by local names: ``/edXML/edXMLEnvelope/…/To[2]/OrganId``."""
    steps: list[str] = []
    node: Element | None = element
    while node is not None:
        name, parent = local_name(node), node.getparent()
        if parent is not None:
            twins = list(parent.iterchildren(f"{{*}}{name}"))
            if len(twins) > 1:
                name = f"{name}[{twins.index(node) + 1}]"
        steps.append(name)
        node = parent
    return "/" + "/".join(reversed(steps))


def line_of(element: Element) -> int:
    """The line on which the element starts, 0 where unknown."""
    return element.sourceline or 0


def load_schema(raw: bytes, *, base_url: str | None = None) -> etree.XMLSchema:
    """A compiled XSD from our own or an administrator's bytes (never a sender's: patterns can cost exponential time).

    `base_url` is the file that the schema's relative includes are resolved against.
    """
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    # Through text once more: a schema cut from a WSDL loses prefixes that were declared above it.
    return etree.XMLSchema(etree.fromstring(etree.tostring(etree.fromstring(raw, parser)), parser, base_url=base_url))


def canonical(
    element: Element,
    *,
    exclusive: bool,
    inclusive_prefixes: tuple[str, ...] = (),
    with_comments: bool = False,
    whole_document: bool = False,
    light: bool = False,
) -> bytes:
    """Canonical XML 1.0 of a *root* element's tree, inclusive or exclusive.

    `whole_document` adds the processing instructions beside the root, as C14N of a document does (``URI=""`` of XMLDSig).
    For a part of a document use `as_root` first: lxml's inclusive form of an inner element is wrong (it emits ``xmlns=""``).
    Raises `Refused` with `malformed-xml` where there is none: a relative namespace name (C14N 1.0 §1.3). It never returns an empty form
    instead, which anyone could have signed. `resource-limit` where it would cost too much to make.
    """
    if not (light and exclusive and len(inclusive_prefixes) <= namespaces.FEW_PREFIXES):  # `namespaces.is_light`: nothing to count
        namespaces.check_work(element, exclusive=exclusive, prefixes=len(inclusive_prefixes))
    prefixes = (list(inclusive_prefixes) or None) if exclusive else None
    if not (whole_document or (exclusive and not prefixes)) and next(element.itersiblings(), element.getprevious()) is not None:
        element = reread(etree.tostring(element, with_tail=False, encoding="UTF-8"))  # lxml gets the form of such a root wrong, too
    node = element.getroottree() if whole_document else element
    try:
        return etree.tostring(node, method="c14n", exclusive=exclusive, inclusive_ns_prefixes=prefixes, with_comments=with_comments)
    except etree.C14NError as fault:
        raise Refused("malformed-xml", got="a document without canonical form", expected="absolute namespace names") from fault


def reread(octets: bytes) -> Element:
    """The tree of canonical bytes that were cut from a document `parse` took, so that its limits hold already."""
    return etree.fromstring(octets, etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=True))


def as_root(element: Element) -> Element:
    """A copy of `element` as the root of its own document, with the namespaces and `xml:*` attributes it inherits.

    What C14N 1.0 §2.4 asks for when a part of a document is canonicalised.
    """
    # Not in the default ASCII: comments, instructions and names cannot hold character references.
    copy = reread(etree.tostring(element, with_tail=False, encoding="UTF-8"))
    for ancestor in element.iterancestors():
        for name, value in ancestor.attrib.items():
            if name.startswith("{http://www.w3.org/XML/1998/namespace}") and name not in copy.attrib:
                copy.set(name, value)
    return copy


def push_parser(target: object, encoding: str) -> PushParser:
    """A parser that is fed piece by piece and tells `target` (lxml's interface of parser targets); as strict as `parse`.

    It has no limits of its own on size or depth: `target` must have them, as `schemas.edxml.skeleton` does.
    """
    return _parser(encoding=encoding, huge_tree=True, target=target)


def _parse(source: bytes | BinaryIO, encoding: str, *, huge: bool) -> Element:
    # With its encoding always: left to itself libxml2 finds others, by which the counts would not hold.
    parser = _parser(encoding=encoding, huge_tree=huge)
    try:
        root = etree.fromstring(source, parser) if isinstance(source, bytes) else etree.parse(source, parser).getroot()
    except etree.XMLSyntaxError as fault:
        raise syntax_error(fault, list(parser.error_log), encoding) from fault
    except (LookupError, ValueError) as fault:
        raise Refused("encoding", got=str(fault), expected=f"text in {encoding}") from fault
    if root is None:
        raise Refused("malformed-xml", expected="a root element")
    taken_as = root.getroottree().docinfo.encoding or ""
    if octets.allowed(taken_as) != encoding:
        raise Refused("encoding", got=taken_as, expected=f"text in {encoding}")
    return root


def _layout_of(nodes: tuple[Element, ...]) -> Layout | None:
    tags = list(map(_TAG, nodes))
    if set(map(type, tags)) != {str}:  # a comment's is a function
        return None
    return Layout(tags, list(map(len, nodes)), list(map(_NAMES_OF_ATTRIBUTES, nodes)))


def _check_tree(root: Element, nodes: Iterable[Element], size: int, limits: Limits, layout: Layout | None = None) -> int:
    """Step 5; returns how many attributes there are. What the `layout` shows to be within the limits is not looked for again."""
    document = root.getroottree().docinfo
    if document.internalDTD is not None or document.doctype:
        raise doctype_refused()
    found: list[Violation] = []
    attributes = sum(map(len, layout.attributes)) if layout else int(cast(float, _ATTRIBUTES(root)))
    if attributes > limits.max_attributes:
        _check_absent(root, f"//@*[{limits.max_attributes + 1}]", f"more than {limits.max_attributes} attributes on one element", found)
    if (
        layout is None or len(layout.children) - layout.children.count(0) >= limits.max_depth
    ):  # so many that hold others can be nested so deep
        _check_absent(root, "/*" * (limits.max_depth + 1), f"more than {limits.max_depth} levels of elements", found)
    if size > limits.max_text_chars:  # else there is no room for such a one
        most = limits.max_text_chars
        _check_absent(root, _LONG_ASIDE.format(most), f"an attribute or comment of more than {most} characters", found)
    short = layout is not None and max(map(len, layout.tags)) <= limits.max_name_chars
    elements = len(layout.tags) if layout is not None and short else _check_names(nodes, limits, found)
    if elements > limits.max_elements:
        found.append(error("resource-limit", got=f"{elements} elements", expected=f"at most {limits.max_elements}"))
    if found:
        raise Refused(found[0].code, got=found[0].got, expected=found[0].expected, violations=tuple(found[: limits.max_violations]))
    return attributes


def _check_names(nodes: Iterable[Element], limits: Limits, found: list[Violation]) -> int:
    most, elements = limits.max_name_chars + 100, 0  # with its namespace
    for node in nodes:
        tag: object = node.tag
        if type(tag) is str:
            elements += 1
            if len(tag) > most:
                found.append(error("resource-limit", line=line_of(node), got=f"a name of {len(tag)} characters"))
        elif isinstance(node, etree._Entity):
            found.append(error("dtd-forbidden", line=node.sourceline or 0, got=node.text, expected="no entity references"))
    return elements


def _check_absent(root: Element, expression: str, what: str, found: list[Violation]) -> None:
    hits = cast("list[Element]", _compiled(f"({expression})[1]")(root))  # the limits are in the expression: C counts, not Python
    if hits:
        found.append(error("resource-limit", got=what, expected="less"))


@cache
def _compiled(expression: str) -> Callable[[Element], object]:
    return etree.XPath(expression)
