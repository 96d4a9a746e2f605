"""Steps 1 to 6 for every form of signed file: which reader reads it, and its findings. What is refused whole is said in violations.

Names and media types choose nothing: the bytes do (`container`), unless the caller insists.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from schemas.errors import Refused, Violation, error
from schemas.xml import ParsedXml, local_name, parse
from signing import asic, cms, on_behalf, ooxml, reasons, timestamp
from signing.container import Kind, kind_of
from signing.finding import STAMPS, Finding, Given
from signing.packet_signature import Signatures, examine_packet
from signing.xml_reference import Outside
from signing.xml_signature import examine_tree

_PDF_HEAD = 1024  # readers take a PDF that begins within it
_XML = frozenset({Kind.EDXML, Kind.XML})


@dataclass(frozen=True, slots=True)
class Read:
    """What a reader found. `refused` is about the whole file, or says why nobody signed; `tree` is the one parse of an XML document.

    `lasting`: the same would be found of this tree for any time, any table of algorithms and any certificates at hand.
    """

    kind: Kind
    findings: tuple[Finding, ...]
    refused: tuple[Violation, ...] = ()
    tree: ParsedXml | None = None
    decorative: int = 0
    lasting: bool = field(default=False, compare=False)


def chosen(data: bytes) -> Kind:
    """The kind of `data`, a PDF behind some other bytes included."""
    kind = kind_of(data)
    return Kind.PDF if kind is Kind.UNKNOWN and b"%PDF-" in data[:_PDF_HEAD] else kind


def read(kind: Kind, data: bytes, content: bytes | None, given: Given) -> Read:
    """Raises nothing. `content` is what a detached CMS signature or a time-stamp is over."""
    try:
        if kind in _XML:
            return read_tree(kind, parse(data, limits=given.limits), replace(given, content=content))
        found = _findings(kind, data, content, given)
    except Refused as fault:
        return Read(kind, (), _said(fault, data if kind in _XML else b""))
    if not found:
        return Read(kind, (), (error("no-signature", got=str(kind), expected="a signature"),))
    made = Read(kind, found)
    return demanding(made) if kind is Kind.PDF else made


def demanding(found: Read) -> Read:
    """`found`, and `no-signature` where all of it are time-stamps: a document is owed a signer, and a time names none."""
    if not found.findings or any(one.kind not in STAMPS for one in found.findings):
        return found
    missing = error("no-signature", got="a time-stamp, which says nothing of who signed", expected="a signature")
    return replace(found, refused=(*found.refused, missing))


def read_tree(kind: Kind, tree: ParsedXml, given: Given) -> Read:
    """The same of an XML document that was parsed already. Raises nothing."""
    try:
        if local_name(tree.root) == "edXML" and given.content is None:
            found = examine_packet(tree, given)
        else:
            found = Signatures(examine_tree(tree, given, Outside(content=given.content)))
    except Refused as fault:
        return Read(kind, (), _said(fault, b""), tree)
    marks = on_behalf.marks(tree) if found.findings else ()
    findings = tuple(replace(one, violations=(*one.violations, *marks)) for one in found.findings) if marks else found.findings
    return Read(kind, findings, found.absent, tree, found.decorative, found.familiar)


def _findings(kind: Kind, data: bytes, content: bytes | None, given: Given) -> tuple[Finding, ...]:
    if kind is Kind.PDF:
        from signing import pdf  # its library takes half a second to import, which most commands can do without

        return pdf.examine_pdf(data, given)
    if kind is Kind.CMS:
        return cms.examine_cms(data, content, given)
    if kind is Kind.TSR:
        return timestamp.examine_token(data, content, given)
    if kind is Kind.ASIC:
        return asic.examine_asic(data, given)
    if kind is Kind.OOXML:
        return ooxml.examine_ooxml(data, given)
    return ()  # nobody's: whatever it is, nobody signed it


def _said(fault: Refused, data: bytes) -> tuple[Violation, ...]:
    violations = fault.violations or (error(fault.code, got=fault.got, expected=fault.expected),)
    if fault.code == "dtd-forbidden":
        violations = (*reasons.of_doctype(data), *violations)
    return reasons.ranked(violations)
