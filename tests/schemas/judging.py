"""Putting packets before the reader, in one word."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from schemas.edxml import reader
from schemas.edxml.packet import DocumentPacket, StatusPacket
from schemas.errors import Refused
from schemas.limits import DEFAULT_LIMITS, Limits
from schemas.message import Envelope, Inbound
from schemas.validate import Report, validate

AT = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
FIXTURES = Path(__file__).parents[2].parent / "shared" / "fixtures" / "edxml"

Change = Callable[[bytes], bytes]


def inbound(raw: bytes, charset: str = "") -> Inbound:
    """`raw` as it would come over HTTP."""
    return Inbound(raw, "application/xml", charset, "test", AT)


def read(raw: bytes, *, charset: str = "", limits: Limits = DEFAULT_LIMITS) -> Envelope:
    """The envelope of `raw`."""
    return reader.read(inbound(raw, charset), limits)


def read_document(raw: bytes) -> DocumentPacket:
    """The values of a document packet."""
    packet = read(raw).packet
    assert isinstance(packet, DocumentPacket)
    return packet


def read_status(raw: bytes) -> StatusPacket:
    """The values of a status packet."""
    packet = read(raw).packet
    assert isinstance(packet, StatusPacket)
    return packet


def refusal(raw: bytes, *, charset: str = "", limits: Limits = DEFAULT_LIMITS) -> Refused:
    """How `raw` is refused; fails where it is not."""
    try:
        read(raw, charset=charset, limits=limits)
    except Refused as refused:
        return refused
    raise AssertionError("the packet was taken")


def report(raw: bytes) -> Report:
    """What `lgsp validate` finds out."""
    return validate(raw, at=AT)


def found(raw: bytes) -> set[str]:
    """The codes of all violations."""
    return {one.code for one in report(raw).violations}


def replaced(old: str, new: str, count: int = 1) -> Change:
    """A change of text that must have something to change."""

    def change(raw: bytes) -> bytes:
        text = raw.decode("utf-8")
        assert old in text, old
        return text.replace(old, new, count).encode("utf-8")

    return change


def without(name: str) -> Change:
    """Leaves out the first element `name` with all it holds."""

    def change(raw: bytes) -> bytes:
        text = raw.decode("utf-8")
        start, end = text.index(f"<edXML:{name}>"), text.index(f"</edXML:{name}>") + len(f"</edXML:{name}>")
        return (text[:start] + text[end:]).encode("utf-8")

    return change


def emptied(name: str) -> Change:
    """Empties the first element `name`."""

    def change(raw: bytes) -> bytes:
        text = raw.decode("utf-8")
        start, end = text.index(f"<edXML:{name}>") + len(f"<edXML:{name}>"), text.index(f"</edXML:{name}>")
        return (text[:start] + " " + text[end:]).encode("utf-8")

    return change


def doubled(name: str) -> Change:
    """Repeats the first element `name` right behind itself."""

    def change(raw: bytes) -> bytes:
        text = raw.decode("utf-8")
        start, end = text.index(f"<edXML:{name}>"), text.index(f"</edXML:{name}>") + len(f"</edXML:{name}>")
        return (text[:end] + text[start:end] + text[end:]).encode("utf-8")

    return change
