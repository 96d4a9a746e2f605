"""What is in a packet and what is wrong with it: steps 1 to 6 of `reader`, for whoever needs no `Envelope`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import cast

from lxml import etree

from schemas import xml
from schemas.edxml import contents, names, ordinary, parts, rules, structure
from schemas.edxml.contents import Taker, leave
from schemas.edxml.packet import Packet, StatusPacket
from schemas.edxml.strangers import HEAD_BYTES, check_ours, named
from schemas.errors import Refused, Violation, error
from schemas.limits import DEFAULT_LIMITS, Limits
from schemas.message import Inbound

# Attachments aside; the order of the two conditions keeps their contents from being copied.
_LONG_TEXT = etree.XPath("//text()[not(parent::q:ContentTransferEncoded)][string-length() > $most][1]/..", namespaces={"q": names.QCVN102})
_DOCUMENT_ONLY = frozenset({"DocumentId", "Code", "Subject", "PromulgationInfo"})
_STATUS_ONLY = frozenset({"StatusCode", "StaffInfo", "Timestamp"})


@dataclass(frozen=True, slots=True)
class Examined:
    """What steps 1 to 6 found. `packet` may have gaps where there are errors among the violations."""

    tree: xml.ParsedXml
    packet: Packet
    violations: tuple[Violation, ...]  # errors first

    @property
    def is_status(self) -> bool:
        """Whether it is a status packet."""
        return isinstance(self.packet, StatusPacket)


def examine(inbound: Inbound, limits: Limits = DEFAULT_LIMITS, take: Taker = leave) -> Examined:
    """Steps 1 to 6 of `read`, which refuse only what cannot be looked into; raises as `read` for those.

    `take` is given every attachment that opens, once, so that whoever wants the files need not open them again.
    """
    try:
        tree = xml.parse(inbound.raw, charset=inbound.charset, limits=limits)  # 1
    except Refused as fault:
        raise named(fault, inbound.raw[:HEAD_BYTES]) from fault
    return examine_tree(tree, limits, take)


def examine_tree(tree: xml.ParsedXml, limits: Limits = DEFAULT_LIMITS, take: Taker = leave) -> Examined:
    """Steps 2 to 6, of a whole document."""
    check_ours(tree.root)  # 2
    _check_texts(tree, limits)
    return judge(tree, parts.Walk(limits), take)


def judge(tree: xml.ParsedXml, walk: parts.Walk, take: Taker = leave) -> Examined:
    """Steps 3 to 6, of a tree that is ours."""
    built: list[Violation] = []
    packet, message = ordinary.read(tree, walk.limits) or (None, "")  # 3 to 5 at once, where there is nothing to tell
    if packet is None:
        packet, message = values_of(tree.root, walk)  # 3, 4
        if not structure.seen_to_hold(tree, walk, packet):
            xsd = structure.STATUS_XSD if isinstance(packet, StatusPacket) else structure.DOCUMENT_XSD
            built = structure.check_all(tree, xsd, walk)  # 5
    findings = rules.Findings(tree.root, walk.limits)
    findings.message = findings.message.replace("MessageHeader", message)
    findings.heed(built)
    if isinstance(packet, StatusPacket):
        rules.check_status(packet, findings)  # 6
        packet = replace(packet, status_code=packet.status_code.zfill(2))
    else:
        rules.check_document(packet, findings)
        contents.check(packet, findings, take)
    return Examined(tree, packet, _in_order(built, findings))


def values_of(root: xml.Element, walk: parts.Walk) -> tuple[Packet, str]:
    """Steps 3 and 4: the values below `root`, and the name of the element that the message stands in."""
    top = walk.children(root, "edXML")
    envelope = walk.inside(top, "edXMLEnvelope")
    header_list = walk.inside(envelope, "edXMLHeader")
    message = next(iter(header_list.boxes.get("MessageHeader") or header_list.boxes.get("Status") or ()), None)
    if _is_status(root, header_list, message):
        walk.unknown.extend(top.boxes.get("AttachmentEncoded", ()))  # a status carries none
        walk.odd = walk.odd or "edXMLBody" in envelope.boxes or "TraceHeaderList" in header_list.boxes  # which nobody looks into
        name = "MessageHeader" if "MessageHeader" in header_list.boxes else "Status"
        return parts.status(walk, walk.children(message, "Status")), name
    header = walk.children(message, "MessageHeader")
    return parts.document(walk, top, envelope, header_list, header), "MessageHeader"


def _in_order(built: list[Violation], findings: rules.Findings) -> tuple[Violation, ...]:
    if not (built or findings.errors or findings.warnings):
        return ()
    everything = [*built, *findings.errors, *findings.warnings]
    return tuple(sorted(everything, key=lambda one: (one.severity, one.line)))  # "error" < "warning"


def _check_texts(tree: xml.ParsedXml, limits: Limits) -> None:
    if tree.size_bytes > limits.max_text_chars:  # else there is no room for a longer one
        longest = cast("list[xml.Element]", _LONG_TEXT(tree.root, most=limits.max_text_chars))
        if longest:
            place = error(
                "resource-limit", path=xml.path_of(longest[0]), line=xml.line_of(longest[0]), expected=f"≤ {limits.max_text_chars}"
            )
            raise Refused("resource-limit", expected=place.expected, violations=(place,))


def _is_status(root: xml.Element, header_list: parts.Children, message: xml.Element | None) -> bool:
    if "MessageHeader" in header_list.boxes and "Status" in header_list.boxes:
        raise _ambiguous(root, "both MessageHeader and Status")
    if "Status" in header_list.boxes:
        return True
    tags: list[object] = [child.tag for child in message] if message is not None else []
    inside = {tag.rpartition("}")[2] for tag in tags if isinstance(tag, str)}
    if "StatusCode" in inside and inside & _DOCUMENT_ONLY:
        raise _ambiguous(root, f"StatusCode beside {', '.join(sorted(inside & _DOCUMENT_ONLY))}")
    return "StatusCode" in inside or (not inside & (_DOCUMENT_ONLY | {"To"}) and bool(inside & _STATUS_ONLY))


def _ambiguous(root: xml.Element, got: str) -> Refused:
    place = Violation("ambiguous-kind", path=f"{xml.path_of(root)}/edXMLEnvelope/edXMLHeader", line=xml.line_of(root), got=got)
    return Refused("ambiguous-kind", got=got, expected="a document or a status", violations=(place,))
