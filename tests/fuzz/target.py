"""What must hold of any bytes whatever. `consume` raises where it does not; nothing else counts as a finding.

1. nothing but the project's own errors comes out of the readers, whatever goes in
2. tree and stream judge alike
3. where the walk says that the schema holds, the schema holds; a layout that is remembered gives the values that a walk gives
4. what is taken can be taken again: its attachments open, its values are written and read back
5. a conversion is a packet; a proposal is what is left of it, and never raises
"""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime

from schemas.edxml import examination, ordinary, structure
from schemas.edxml.attachments import attachments_of
from schemas.edxml.convert import convert
from schemas.edxml.packet import DocumentPacket, StatusPacket
from schemas.edxml.parts import Walk
from schemas.edxml.reader import read
from schemas.edxml.repair import propose
from schemas.edxml.stream import NeedsTree, read_stream
from schemas.errors import Refused, Violation, errors_of
from schemas.limits import DEFAULT_LIMITS
from schemas.message import Inbound
from schemas.validate import validate

AT = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
DIALECTS = frozenset({"edoc-2014", "inet-2014", "archive"})
# Parsers that pull and that are fed name different ones of several faults; a stream refuses some things before it has seen the rest.
_NO_XML = {"encoding", "malformed-xml", "dtd-forbidden", "undeclared-prefix", "bytes-before-declaration", "resource-limit", "old-dialect"}


def consume(data: bytes) -> None:
    """Raises `AssertionError` (or whatever escapes) where one of the five does not hold for `data`."""
    inbound = Inbound(data, "", "", "fuzz", AT)
    tree = _examined(inbound)
    _agrees_with_stream(data, tree)
    if isinstance(tree, examination.Examined):
        _schema_holds_where_seen(tree)
        if not errors_of(tree.violations):
            attachments_of(read(inbound).packet)
    report = validate(data, at=AT)
    assert json.loads(json.dumps(report.as_json()))["ok"] == report.ok
    _converts(inbound)
    _proposes(inbound)


def _examined(inbound: Inbound) -> examination.Examined | str:
    try:
        return examination.examine(inbound)
    except Refused as refused:
        assert refused.as_json()["code"] == refused.code
        return refused.code


def _agrees_with_stream(data: bytes, tree: examination.Examined | str) -> None:
    size = 1 + len(data) % 509
    try:
        streamed = read_stream((data[at : at + size] for at in range(0, len(data), size)), io.BytesIO)
    except Refused as refused:
        assert isinstance(tree, str), f"a stream refuses with {refused.code} what a tree reads"
        assert tree == refused.code or {tree, refused.code} <= _NO_XML, f"{tree} by tree, {refused.code} by stream"
        return
    if isinstance(streamed, NeedsTree):
        return
    streamed.close()
    assert isinstance(tree, examination.Examined), f"a stream reads what a tree refuses with {tree}"
    assert streamed.packet == tree.packet
    assert _placed(streamed.violations) == _placed(tree.violations)


def _placed(violations: tuple[Violation, ...]) -> list[tuple[str, ...]]:
    """Without lines, which a stream of UTF-16 does not know."""
    return sorted((one.code, one.severity, one.path, one.got, one.expected) for one in violations)


def _schema_holds_where_seen(tree: examination.Examined) -> None:
    walk = Walk(DEFAULT_LIMITS)
    walked = examination.values_of(tree.tree.root, walk)
    once = ordinary.read(tree.tree, DEFAULT_LIMITS)
    assert once in (None, walked)
    if once is not None or structure.seen_to_hold(tree.tree, walk, tree.packet):
        xsd = structure.STATUS_XSD if tree.is_status else structure.DOCUMENT_XSD
        assert structure.check_all(tree.tree, xsd, walk) == []


def _converts(inbound: Inbound) -> None:
    try:
        conversion = convert(inbound)
    except Refused:
        return
    again = examination.examine(Inbound(conversion.raw, "", "", "fuzz", AT)).packet
    assert isinstance(again, StatusPacket if isinstance(conversion.packet, StatusPacket) else DocumentPacket)
    try:
        read(inbound, dialects=DIALECTS)
    except Refused:
        return


def _proposes(inbound: Inbound) -> None:
    try:
        proposal = propose(inbound)
    except Refused:
        return
    assert proposal.left == validate(proposal.raw, at=AT).violations or not proposal.ok
