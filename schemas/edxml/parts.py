"""From elements to values: one walk over the known part of a packet's tree.

The walk looks at every element whose children it knows, takes each child by its name (three orders are in circulation) and sets aside
what it does not know and what stands twice where one is meant. Nothing is judged here; `structure` and `rules` do that. The walk only
notes whether it met anything `odd`: where it did not, `structure` can spare itself the schema.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from schemas import xml
from schemas.edxml import names, packet
from schemas.edxml.names import Shape
from schemas.errors import Refused
from schemas.limits import Limits

_SPACE = " \t\r\n"  # of XML: other characters without ink are text
GAPS = frozenset([None, "", *(f"\n{indent * n}" for indent in (" ", "\t") for n in range(17))])  # what usually stands between elements
_STEERS = "{http://www.w3.org/2001/XMLSchema-instance}"
_TEXT, _BOX, _ASIDE = Shape.TEXT, Shape.BOX, Shape.ASIDE
_UNPLANNED = ("", Shape.ASIDE)
_MAY_HOLD_SIGNATURES = frozenset({"edXML", "edXMLEnvelope", "edXMLHeader"})  # by the schema, whatever is in them


class Children(NamedTuple):
    """The known children of one element, by local name. Of what stands once, the first."""

    texts: Mapping[str, str]
    boxes: Mapping[str, Sequence[xml.Element]]

    @property
    def any(self) -> bool:
        """Whether there are any."""
        return bool(self.texts or self.boxes)

    def text(self, name: str) -> str:
        """The text of the first child called `name`, "" where there is none."""
        return self.texts.get(name, "")

    def code(self, name: str) -> str:
        """As `text`, trimmed: for identifiers, codes and dates."""
        return self.texts.get(name, "").strip()


_NOTHING = Children({}, {})


@dataclass(slots=True)
class Walk:
    """What one walk met. Filled while values are built, read afterwards."""

    limits: Limits
    contents: Mapping[xml.Element, packet.Spool] = field(default_factory=dict)  # where contents have been taken out of the tree already
    unknown: list[xml.Element] = field(default_factory=list)  # in any namespace, real XML signatures excepted
    doubled: list[xml.Element] = field(default_factory=list)  # second and further occurrences of what stands once
    split: list[xml.Element] = field(default_factory=list)  # values with a comment or an instruction inside
    decorations: list[xml.Element] = field(default_factory=list)  # signatures that sign nothing
    met: int = 0  # children looked at so far
    attributes: int = 0  # of the elements looked into
    odd: bool = False  # something that the schema has to judge

    def children(self, element: xml.Element | None, parent: str) -> Children:
        """The children of `element`. `parent` is the name that `names.PLANS` has for it.

        Raises `Refused` with `resource-limit` where there are too many of them.
        """
        if element is None:
            return _NOTHING
        self._count(len(element), parent)
        self._note_attributes(element)
        texts: dict[str, str] = {}
        boxes: dict[str, list[xml.Element]] = {}
        planned = names.PLANS[parent].get
        self._note_gap(element.text)
        for child in element:
            gap = child.tail
            if gap not in GAPS:
                self._note_gap(gap)
            name, shape = planned(child.tag, _UNPLANNED)
            if shape is _TEXT and name not in texts:
                texts[name] = self.text_of(child) if len(child) else child.text or ""
            elif shape is _ASIDE:
                self._set_aside(child, parent)
            elif shape is _TEXT or (shape is _BOX and name in boxes):
                self.doubled.append(child)
            else:
                boxes.setdefault(name, []).append(child)
        return Children(texts, boxes)

    def inside(self, children: Children, name: str, parent: str = "") -> Children:
        """The children of the first child called `name`."""
        here = children.boxes.get(name)
        return self.children(here[0], parent or name) if here else _NOTHING

    def each(self, children: Children, name: str, parent: str = "") -> list[Children]:
        """The children of every child called `name`."""
        return [self.children(one, parent or name) for one in children.boxes.get(name, ())]

    def texts(self, children: Children, name: str) -> tuple[str, ...]:
        """The texts of every child called `name`."""
        return tuple([self.text_of(one) for one in children.boxes.get(name, ())])

    def text_of(self, element: xml.Element) -> str:
        """The whole text of `element`."""
        if len(element):  # a comment or an instruction in it, or an element
            self.odd = True
            if any(not isinstance(one.tag, str) for one in element):
                self.split.append(element)
        return xml.text_of(element)

    def _note_attributes(self, element: xml.Element) -> None:
        named = element.keys()
        if named:
            self.attributes += len(named)
            self.odd = self.odd or any(name.startswith(_STEERS) for name in named)

    def _note_gap(self, gap: str | None) -> None:
        if gap is not None and gap.strip(_SPACE):
            self.odd = True

    def _count(self, children: int, parent: str) -> None:
        self.met += children
        if children > self.limits.max_children:
            raise Refused("resource-limit", got=f"{parent}: {children}", expected=f"≤ {self.limits.max_children}")
        if self.met > self.limits.max_known_elements:
            raise Refused("resource-limit", got=f"> {self.limits.max_known_elements}", expected=f"≤ {self.limits.max_known_elements}")

    def _set_aside(self, child: xml.Element, parent: str) -> None:
        if not isinstance(child.tag, str):
            return
        if child.tag in names.DECORATIONS:
            self.odd = True
            self.decorations.append(child)
        elif xml.namespace(child) != names.XMLDSIG:
            self.unknown.append(child)
        elif parent in _MAY_HOLD_SIGNATURES:
            self.attributes += xml.attributes_in(child)
        else:
            self.odd = True


def organization(walk: Walk, element: xml.Element) -> packet.Organization:
    """`From`, `To`."""
    inside = walk.children(element, "Organization")
    text = inside.texts.get
    return packet.Organization(inside.code("OrganId"), *[text(name, "") for name in names.ORGANIZATION[1:]])


def response_for(walk: Walk, element: xml.Element) -> packet.ResponseFor:
    """`ResponseFor`."""
    inside = walk.children(element, "ResponseFor")
    return packet.ResponseFor(*[inside.code(name) for name in names.RESPONSE_FOR])


def staff_info(walk: Walk, element: xml.Element) -> packet.StaffInfo:
    """`StaffInfo`."""
    text = walk.children(element, "StaffInfo").texts.get
    return packet.StaffInfo(*[text(name, "") for name in names.STAFF_INFO])


def other_info(walk: Walk, header: Children) -> packet.OtherInfo:
    """`OtherInfo`."""
    inside = walk.inside(header, "OtherInfo")
    appendixes = walk.texts(walk.inside(inside, "Appendixes"), "Appendix")
    text = inside.texts.get
    return packet.OtherInfo(*[text(name, "") for name in names.OTHER_INFO], appendixes=appendixes)


def trace_headers(walk: Walk, trace_list: Children) -> tuple[packet.TraceHeader, ...]:
    """`TraceHeader`s."""
    stations = walk.each(trace_list, "TraceHeader")
    return tuple([packet.TraceHeader(one.code("OrganId"), one.code("Timestamp")) for one in stations])


def bussiness(walk: Walk, trace_list: Children) -> packet.Bussiness | None:
    """`Bussiness`, `None` where it is absent or has nothing inside."""
    inside = walk.inside(trace_list, "Bussiness")
    if not inside.any:
        return None
    return packet.Bussiness(
        document_id=inside.code("DocumentId"),
        bussiness_doc_type=inside.code("BussinessDocType"),
        bussiness_doc_reason=inside.text("BussinessDocReason"),
        paper=inside.code("Paper"),
        document_infos=tuple([_document_info(walk, one) for one in inside.boxes.get("BussinessDocumentInfo", ())]),
        replacements=_replacements(walk, inside),
        staff=tuple([staff_info(walk, one) for one in inside.boxes.get("StaffInfo", ())]),
    )


def _document_info(walk: Walk, element: xml.Element) -> packet.BussinessDocumentInfo:
    inside = walk.children(element, "BussinessDocumentInfo")
    each = walk.each(walk.inside(inside, "ReceiverList"), "Receiver")
    receivers = tuple([packet.Receiver(one.code("OrganId"), one.code("ReceiverType")) for one in each])
    return packet.BussinessDocumentInfo(inside.code("DocumentInfo"), inside.code("DocumentReceiver"), receivers)


def _replacements(walk: Walk, inside: Children) -> tuple[packet.ReplacementInfo, ...]:
    found = []
    for info in walk.each(walk.inside(inside, "ReplacementInfoList"), "ReplacementInfo"):
        organ_ids = tuple([one.strip() for one in walk.texts(walk.inside(info, "OrganIdList"), "OrganId")])
        found.append(packet.ReplacementInfo(info.code("DocumentId"), organ_ids))
    return tuple(found)


def content_id(written: str) -> str:
    """A ContentId as it is matched: without ``cid:`` and ``<>`` (the SDK adds and strips them [J])."""
    bare = written.strip().removeprefix("<").removesuffix(">")
    return bare[4:] if bare[:4].lower() == "cid:" else bare


def references(walk: Walk, body: Children) -> tuple[packet.Reference, ...]:
    """`Reference`s of `edXMLManifest`, or of `Manifest`, which the SDK takes too."""
    manifest = walk.inside(body, "edXMLManifest", "Manifest")
    if "Manifest" in body.boxes:
        walk.odd = walk.odd or "edXMLManifest" in body.boxes
        manifest = manifest if manifest.any else walk.inside(body, "Manifest")
    return tuple([_reference(walk, one) for one in manifest.boxes.get("Reference", ())])


def _reference(walk: Walk, element: xml.Element) -> packet.Reference:
    inside = walk.children(element, "Reference")
    named = inside.text("ContentId") or element.get(names.XLINK_HREF) or ""  # the C# form has both
    return packet.Reference(content_id(named), *[inside.text(name) for name in names.REFERENCE[1:]])


def attachments(walk: Walk, top: Children) -> tuple[packet.Attachment, ...]:
    """`Attachment`s, their contents left where they are."""
    return tuple([_attachment(walk, one) for one in walk.inside(top, "AttachmentEncoded").boxes.get("Attachment", ())])


def _attachment(walk: Walk, element: xml.Element) -> packet.Attachment:
    inside = walk.children(element, "Attachment")
    declared = [inside.text(name) for name in names.ATTACHMENT[1:]]
    encoded = inside.boxes.get("ContentTransferEncoded")
    source: packet.Source = ""
    if encoded:
        walk.odd = walk.odd or len(encoded[0]) > 0
        source = walk.contents.get(encoded[0], encoded[0])
    return packet.Attachment(content_id(inside.text("ContentId")), *declared, source=source)


def document(walk: Walk, top: Children, envelope: Children, header_list: Children, header: Children) -> packet.DocumentPacket:
    """The values of a document packet. `header` is what `MessageHeader` holds, `header_list` what `edXMLHeader` holds."""
    number, promulgation = walk.inside(header, "Code"), walk.inside(header, "PromulgationInfo")
    kind, signer = walk.inside(header, "DocumentType"), walk.inside(header, "SignerInfo")
    tasks = walk.each(header, "ResponseForTask")
    trace = walk.inside(header_list, "TraceHeaderList")
    return packet.DocumentPacket(
        sender=organization(walk, header.boxes["From"][0]) if "From" in header.boxes else packet.Organization(),
        to=tuple([organization(walk, one) for one in header.boxes.get("To", ())]),
        document_id=header.code("DocumentId"),
        code=packet.Code(number.code("CodeNumber"), number.code("CodeNotation")),
        promulgation=packet.PromulgationInfo(promulgation.text("Place"), promulgation.code("PromulgationDate")),
        subject=header.text("Subject"),
        document_type=packet.DocumentType(kind.code("Type"), kind.code("TypeDetail"), kind.text("TypeName")),
        content=header.text("Content"),
        signer=packet.SignerInfo(*[signer.text(name) for name in names.SIGNER_INFO]),
        due_date=header.code("DueDate"),
        other_info=other_info(walk, header),
        response_for=tuple([response_for(walk, one) for one in header.boxes.get("ResponseFor", ())]),
        steering_type=header.code("SteeringType"),
        task_codes=tuple([one for task in tasks for one in walk.texts(task, "TaskCode")]),
        application_type=header.code("ApplicationType"),
        to_places=walk.texts(walk.inside(header, "ToPlaces"), "Place"),
        trace=trace_headers(walk, trace),
        bussiness=bussiness(walk, trace),
        references=references(walk, walk.inside(envelope, "edXMLBody")),
        attachments=attachments(walk, top),
    )


def status(walk: Walk, header: Children) -> packet.StatusPacket:
    """The values of a status packet. `header` is what `MessageHeader` (or `Status`) holds."""
    staff = header.boxes.get("StaffInfo")
    return packet.StatusPacket(
        sender=organization(walk, header.boxes["From"][0]) if "From" in header.boxes else packet.Organization(),
        response_for=response_for(walk, header.boxes["ResponseFor"][0]) if "ResponseFor" in header.boxes else packet.ResponseFor(),
        status_code=header.code("StatusCode"),
        timestamp=header.code("Timestamp"),
        description=header.text("Description"),
        staff=staff_info(walk, staff[0]) if staff else None,
    )
