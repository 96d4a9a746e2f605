"""Ordinary packets, read in one pass: their values, and that the schema holds.

Nearly every packet has elements that the format knows, each in its place and none twice, and nothing but white space between them. Of such
a one there is nothing to tell but its values, so it needs neither the walk of `parts`, which sets aside what is odd, nor the schema.
`read` gives exactly what that walk finds, and only where the schema holds. Where the least thing is out of the ordinary it gives nothing,
and walk and schema judge from the beginning; property tests and the fuzz target keep both so. It remembers nothing between packets.

What the schema asks for, and where it is seen here:

* known children only, none doubled: the tables, made of `names.PLANS`
* no elements in texts, no text between elements: `_Record`, `_Texts`, `read`
* no attributes on texts: `_Record`; what would steer a validator (`xsi:type`) is kept from the schema too
* the values that identify the message are there and not blank: `structure.has_needed`
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from operator import attrgetter
from typing import Any, Protocol

from schemas import xml
from schemas.edxml import names, packet, structure
from schemas.edxml.names import Shape
from schemas.edxml.parts import content_id
from schemas.limits import Limits

_SPACE = " \t\r\n"  # of XML: other characters without ink are text
_SIGNATURE = f"{{{names.XMLDSIG}}}Signature"
_TEXT, _TAIL = attrgetter("text"), attrgetter("tail")
_OF_A_STATUS = frozenset({"sender", "response_for", "status_code", "timestamp", "description", "staff"})
_OF_STATUSES_ALONE = frozenset({"status_code", "timestamp", "description", "staff"})

Rest = Iterator[tuple[str, int, list[str], str | None]]
"""The elements that come next in document order: tag, number of children, names of attributes, text before the first child."""


class _OutOfTheOrdinary(Exception):
    """Something that the walk has to look at."""


class _Inside(Protocol):
    """What may stand in an element that is not a text."""

    def read(self, children: int, rest: Rest) -> Any:
        """The value of an element that has so many; its descendants are taken from `rest`.

        Raises `_OutOfTheOrdinary`, or `KeyError` for an element that is not known there.
        """


class _Record:
    """An element with children by name, in any order: each once, unless `names.REPEATABLE` has it."""

    __slots__ = ("_known", "_lists", "_make")

    def __init__(
        self,
        make: Callable[..., Any],
        plan: names.Plan,
        trim: Mapping[str, Callable[[str], str]],
        inside: Mapping[str, tuple[str, _Inside | None]],
    ) -> None:
        self._make = make
        self._known: dict[object, tuple[str, _Inside | None, Callable[[str], str] | None, bool]] = {}
        for tag, (name, shape) in plan.items():
            field, within = (_field(name), None) if shape is Shape.TEXT else inside[name]
            self._known[tag] = (field, within, trim.get(name), shape is Shape.BOXES)
        self._lists = {field for field, _, _, several in self._known.values() if several}

    def read(self, children: int, rest: Rest) -> Any:
        """What `make` makes of the children's values, by name."""
        found: dict[str, Any] = {}
        known, once = self._known, children
        for tag, inner, attributes, text in islice(rest, children):
            field, inside, trim, several = known[tag]
            if inside is None:
                if inner or attributes:
                    raise _OutOfTheOrdinary
                found[field] = text or "" if trim is None else trim(text or "")
                continue
            if text is not None and text.strip(_SPACE):
                raise _OutOfTheOrdinary
            value = inside.read(inner, rest)
            if names.XLINK_HREF in attributes and isinstance(value, packet.Reference) and not value.content_id:
                raise _OutOfTheOrdinary  # it stands in for the ContentId: the walk takes it
            if several:
                found.setdefault(field, []).append(value)
                once -= 1
            else:
                found[field] = value
        for field in self._lists:
            if field in found:
                found[field] = tuple(found[field])
                once += 1
        if len(found) != once:  # something stands twice
            raise _OutOfTheOrdinary
        return self._make(**found)


class _Texts:
    """An element with any number of one kind of text."""

    __slots__ = ("_tag", "_trim")

    def __init__(self, name: str, trim: Callable[[str], str] = str) -> None:
        self._tag, self._trim = names.q(name), trim

    def read(self, children: int, rest: Rest) -> tuple[str, ...]:
        """The texts."""
        found = []
        for tag, inner, attributes, text in islice(rest, children):
            if inner or attributes or tag != self._tag:
                raise _OutOfTheOrdinary
            found.append(self._trim(text or ""))
        return tuple(found)


class _Unread:
    """A signature, real or decorative: what is in it is not the schema's matter. An empty one is worth a warning."""

    __slots__ = ()

    def read(self, children: int, rest: Rest) -> None:
        """Nothing."""
        if not children:
            raise _OutOfTheOrdinary
        left = children
        for _, inner, _, _ in rest:
            left += inner - 1
            if not left:
                return


def _field(name: str) -> str:
    """``OrganId`` as the values have it: ``organ_id``."""
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).removeprefix("_")


def _record(make: Callable[..., Any], element: str, *trimmed: str, **inside: tuple[str, _Inside | None]) -> _Record:
    trim: dict[str, Callable[[str], str]] = {"ContentId": content_id} if "ContentId" in trimmed else dict.fromkeys(trimmed, str.strip)
    return _Record(make, names.PLANS[element], trim, inside)


def _signable(element: str, **inside: tuple[str, _Inside | None]) -> _Record:
    """A record that may hold signatures, anywhere among its children."""
    unread = {name: ("signatures", _Unread()) for name in ("Signature", *names.DECORATIVE)}
    plan: dict[object, tuple[str, Shape]] = dict.fromkeys((_SIGNATURE, *names.DECORATIONS), ("Signature", Shape.BOXES))
    return _Record(dict, {**names.PLANS[element], **plan}, {}, inside | unread)


def _bussiness(**found: Any) -> packet.Bussiness | None:
    return packet.Bussiness(**found) if found else None


_ORGANIZATION = _record(packet.Organization, "Organization", "OrganId")
_RESPONSE_FOR = _record(packet.ResponseFor, "ResponseFor", *names.RESPONSE_FOR)
_STAFF_INFO = _record(packet.StaffInfo, "StaffInfo")
_TRACE_HEADER = _record(packet.TraceHeader, "TraceHeader", *names.TRACE_HEADER)
_RECEIVERS = _record(
    lambda receivers=(): receivers, "ReceiverList", Receiver=("receivers", _record(packet.Receiver, "Receiver", *names.RECEIVER))
)
_DOCUMENT_INFO = _record(
    packet.BussinessDocumentInfo, "BussinessDocumentInfo", "DocumentInfo", "DocumentReceiver", ReceiverList=("receivers", _RECEIVERS)
)
_REPLACEMENT = _record(packet.ReplacementInfo, "ReplacementInfo", "DocumentId", OrganIdList=("organ_ids", _Texts("OrganId", str.strip)))
_REPLACEMENTS = _record(lambda replaced=(): replaced, "ReplacementInfoList", ReplacementInfo=("replaced", _REPLACEMENT))
_BUSSINESS = _record(
    _bussiness,
    "Bussiness",
    "DocumentId",
    "BussinessDocType",
    "Paper",
    BussinessDocumentInfo=("document_infos", _DOCUMENT_INFO),
    ReplacementInfoList=("replacements", _REPLACEMENTS),
    StaffInfo=("staff", _STAFF_INFO),
)
_TRACE = _record(dict, "TraceHeaderList", TraceHeader=("trace", _TRACE_HEADER), Bussiness=("bussiness", _BUSSINESS))
_MANIFEST = _record(
    lambda references=(): references, "Manifest", Reference=("references", _record(packet.Reference, "Reference", "ContentId"))
)
_ATTACHMENT = _record(packet.Attachment, "Attachment", "ContentId", ContentTransferEncoded=("source", None))
_MESSAGE = _Record(
    dict,
    {**names.PLANS["Status"], **names.PLANS["MessageHeader"]},
    dict.fromkeys(("DocumentId", "DueDate", "SteeringType", "ApplicationType", "StatusCode", "Timestamp"), str.strip),
    {
        "From": ("sender", _ORGANIZATION),
        "To": ("to", _ORGANIZATION),
        "Code": ("code", _record(packet.Code, "Code", *names.CODE)),
        "PromulgationInfo": ("promulgation", _record(packet.PromulgationInfo, "PromulgationInfo", "PromulgationDate")),
        "DocumentType": ("document_type", _record(packet.DocumentType, "DocumentType", "Type", "TypeDetail")),
        "SignerInfo": ("signer", _record(packet.SignerInfo, "SignerInfo")),
        "OtherInfo": ("other_info", _record(packet.OtherInfo, "OtherInfo", Appendixes=("appendixes", _Texts("Appendix")))),
        "ResponseFor": ("response_for", _RESPONSE_FOR),
        "ResponseForTask": ("task_codes", _Texts("TaskCode")),
        "ToPlaces": ("to_places", _Texts("Place")),
        "StaffInfo": ("staff", _STAFF_INFO),
    },
)
_HEADER = _signable("edXMLHeader", MessageHeader=("message", _MESSAGE), Status=("status", _MESSAGE), TraceHeaderList=("trace", _TRACE))
_BODY = _record(lambda references=(): references, "edXMLBody", edXMLManifest=("references", _MANIFEST), Manifest=("references", _MANIFEST))
_ENVELOPE = _signable("edXMLEnvelope", edXMLHeader=("header", _HEADER), edXMLBody=("references", _BODY))
_ATTACHMENTS = _record(lambda attachments=(): attachments, "AttachmentEncoded", Attachment=("attachments", _ATTACHMENT))
_PACKET = _signable("edXML", edXMLEnvelope=("envelope", _ENVELOPE), AttachmentEncoded=("attachments", _ATTACHMENTS))
_ROOT = _Record(dict, {names.q("edXML"): ("edXML", Shape.BOX)}, {}, {"edXML": ("packet", _PACKET)})


def read(tree: xml.ParsedXml, limits: Limits) -> tuple[packet.Packet, str] | None:
    """The values of an ordinary packet that is ours, and the name of the element that its message stands in; `None` of any other.

    Contents of attachments are texts in it.
    """
    layout = tree.layout
    if layout is None or len(tree.held) > limits.max_known_elements or max(layout.children) > limits.max_children:
        return None
    if "".join(filter(None, map(_TAIL, tree.held))).strip(_SPACE):
        return None
    rest = zip(layout.tags, layout.children, layout.attributes, map(_TEXT, tree.held), strict=True)
    try:
        made = _values_of(_ROOT.read(1, rest)["packet"])
    except (_OutOfTheOrdinary, KeyError):
        return None
    return made if structure.has_needed(made[0]) else None


def _values_of(found: dict[str, Any]) -> tuple[packet.Packet, str]:
    """Raises `KeyError` where an element is missing that the schema requires, `_OutOfTheOrdinary` for a mixture of the two kinds."""
    envelope = found["envelope"]
    header = envelope["header"]
    element = "Status" if "status" in header else "MessageHeader"
    if "status" in header and "message" in header:
        raise _OutOfTheOrdinary
    message = header["status" if "status" in header else "message"]
    if element == "Status" or "status_code" in message:
        return _status(message, carries="references" in envelope or "attachments" in found), element
    if message.keys() & _OF_STATUSES_ALONE:
        raise _OutOfTheOrdinary
    if "task_codes" in message:
        message["task_codes"] = tuple([one for task in message["task_codes"] for one in task])
    return (
        packet.DocumentPacket(
            sender=message.pop("sender"),
            to=message.pop("to"),
            document_id=message.pop("document_id"),
            **message,
            **header.get("trace", {}),
            references=envelope.get("references", ()),
            attachments=found.get("attachments", ()),
        ),
        element,
    )


def _status(message: dict[str, Any], *, carries: bool) -> packet.StatusPacket:
    if carries or message.keys() - _OF_A_STATUS or len(message["response_for"]) != 1:
        raise _OutOfTheOrdinary
    return packet.StatusPacket(
        sender=message["sender"],
        response_for=message["response_for"][0],
        status_code=message["status_code"],
        timestamp=message["timestamp"],
        description=message.get("description", ""),
        staff=message.get("staff"),
    )
