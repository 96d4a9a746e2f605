"""A packet's tree without its attachments' contents, built while the packet is parsed in a stream.

A parser target for `schemas.xml.push_parser`. What `schemas.xml.parse` checks on the bytes or on the tree is counted here as it comes, so
that neither grows beyond the limits: depth, elements, attributes, names, texts, comments. Contents go to a file each, decoded on the way.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, BinaryIO

from lxml import etree

from schemas import xml, xml_faults
from schemas.edxml import names
from schemas.edxml.packet import Spool
from schemas.edxml.spooling import Decoding
from schemas.edxml.strangers import check_ours
from schemas.errors import Refused, Violation, error
from schemas.limits import Limits

Sink = Callable[[], BinaryIO]
"""Gives an empty file, open for writing, reading and seeking; who gets it closes it."""

_CONTENT = names.q("ContentTransferEncoded")
_ABOVE_CONTENT = [names.q("edXML"), names.q("AttachmentEncoded"), names.q("Attachment")]
_SIGNATURE = f"{{{names.XMLDSIG}}}Signature"
_LAST_LINE = 65_535  # more than libxml2 notes


class SignatureMet(Exception):
    """A real XML signature begins: only the whole tree can be verified, so a stream must not be the packet's reading."""


class Skeleton:
    """Takes a parser's events. `root` is the tree once the parser is closed; `contents` what stood in its attachments."""

    def __init__(self, limits: Limits, sink: Sink) -> None:
        self.line = 1  # that the parser is at, 0 unknown; set from outside
        self.events = 0
        self.fault: Refused | SignatureMet | None = None  # why parsing was stopped from here: lxml may raise something else in its place
        self.foreign: Refused | None = None  # not a packet of ours: said once it is known to be well-formed
        self.contents: dict[xml.Element, Spool] = {}
        self.root: xml.Element | None = None
        self._limits, self._sink = limits, sink
        self._builder: Any = etree.TreeBuilder()  # whose stubs know less of it than it can
        self._open: list[str] = []  # tags from the root down
        self._elements = self._nodes = 0
        self._run = 0  # characters of the text that is being read
        self._decoding: tuple[xml.Element, Decoding, int] | None = None  # the content's element, its decoder, its depth
        self._has_content = False  # the attachment that is open

    @property
    def is_over(self) -> bool:
        """Whether the root has been closed."""
        return self._elements > 0 and not self._open

    @property
    def in_content(self) -> bool:
        """Whether what comes next belongs to an attachment's content."""
        return self._decoding is not None

    def start(self, tag: str, attributes: Mapping[str, str], namespaces: Mapping[str | None, str]) -> None:
        """A start tag."""
        self._count(tag, attributes)
        self._run = 0
        self._open.append(tag)
        if self.foreign is not None:
            self._look_into_soap(tag)
            return
        element: Any = self._builder.start(tag, dict(attributes), {prefix or None: uri for prefix, uri in namespaces.items()})
        element.sourceline = min(self.line, _LAST_LINE)
        if len(self._open) == 1:
            self._begin(element)
        elif tag == _SIGNATURE:
            self._stop(SignatureMet())
        elif tag == _ABOVE_CONTENT[-1]:
            self._has_content = False
        elif tag == _CONTENT and self._open[:-1] == _ABOVE_CONTENT and not self._has_content:
            self._has_content = True
            self._decoding = (element, Decoding(self._sink()), len(self._open))

    def end(self, tag: str) -> None:
        """An end tag."""
        self.events += 1
        self._run = 0
        if self._decoding is not None and len(self._open) == self._decoding[2]:
            element, decoding, _ = self._decoding
            self.contents[element] = decoding.close()
            self._decoding = None
        self._open.pop()
        if self.foreign is None:
            self._builder.end(tag)

    def data(self, text: str) -> None:
        """A piece of text."""
        self.events += 1
        if self.foreign is not None:
            return
        if self._decoding is not None:
            self._decoding[1].feed(text)
        if self._open[-1:] == [_CONTENT]:
            return
        self._run += len(text)
        if self._run > self._limits.max_text_chars:
            self._exceeded(f"a text of more than {self._limits.max_text_chars} characters")
        if self._decoding is None:
            self._builder.data(text)

    def comment(self, text: str) -> None:
        """A comment."""
        self._aside(len(text))
        if self._open and self.foreign is None:
            self._builder.comment(text)

    def pi(self, target: str, text: str | None = None) -> None:
        """A processing instruction."""
        self._aside(len(text or ""))
        if self._open and self.foreign is None:
            self._builder.pi(target, text)

    def doctype(self, *_: object) -> None:
        """A DOCTYPE."""
        self._stop(xml_faults.doctype_refused())

    def close(self) -> None:
        """The end of the document, or of parsing it."""
        if self.fault is None and self.foreign is None and not self._open and self._elements:
            self.root = self._builder.close()

    def _begin(self, root: xml.Element) -> None:
        try:
            check_ours(root)
        except Refused as refused:
            self.foreign = refused

    def _look_into_soap(self, tag: str) -> None:
        """A SOAP message is told from the 2014 dialect by what its header and body hold."""
        space = tag[1:].partition("}")[0]
        if self.foreign is not None and self.foreign.code == "soap-envelope" and len(self._open) == 3 and space in names.OLD_DIALECTS:
            place = Violation("old-dialect", path="/Envelope", line=1, got=self.foreign.got, expected=self.foreign.expected)
            self.foreign = Refused("old-dialect", got=place.got, expected=place.expected, violations=(place,))

    def _count(self, tag: str, attributes: Mapping[str, str]) -> None:
        self._count_node()
        self._elements += 1
        limits = self._limits
        if len(self._open) >= limits.max_depth:
            self._exceeded(f"more than {limits.max_depth} levels of elements")
        if len(attributes) > limits.max_attributes:
            self._exceeded(f"more than {limits.max_attributes} attributes on one element")
        if len(tag) > limits.max_name_chars + 100:
            self._exceeded(f"a name of {len(tag)} characters")
        for value in attributes.values():
            if len(value) > limits.max_text_chars:
                self._exceeded(f"an attribute of more than {limits.max_text_chars} characters")

    def _count_node(self) -> None:
        self.events += 1
        self._nodes += 1
        if self._nodes > self._limits.max_known_elements:  # a call from the parser each: no more than a reader looks at
            self._exceeded(f"more than {self._limits.max_known_elements} elements and comments")

    def _aside(self, chars: int) -> None:
        self._count_node()
        self._run = 0
        if chars > self._limits.max_text_chars:
            self._exceeded(f"a comment of more than {self._limits.max_text_chars} characters")

    def _exceeded(self, got: str) -> None:
        place = error("resource-limit", line=self.line, got=got, expected="less")
        self._stop(Refused("resource-limit", got=got, expected="less", violations=(place,)))

    def _stop(self, fault: Refused | SignatureMet) -> None:
        self.fault = fault
        raise fault
