"""Packets that are laid out as one before them: their values, without walking over their elements again.

Software writes every packet alike. Where a packet has the same elements in the same nesting and order as one that was found to be in order
(`structure.seen_to_hold`), where each value stands is known, and what the walk and the schema would say of its layout is known too; only
values differ, and those are judged like all others. A packet that differs in anything but values is walked over, as ever.

A layout is the sequence of names and numbers of children in document order (`schemas.xml.Layout`). `recall` gives exactly what a walk would
(a property test and the fuzz target keep it so).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, fields, is_dataclass
from operator import attrgetter, itemgetter
from typing import Any

from lxml import etree

from schemas import xml
from schemas.edxml import names
from schemas.edxml.packet import Packet
from schemas.edxml.parts import GAPS, Walk, content_id
from schemas.limits import Limits

Values = Sequence[Any]
ValuesOf = Callable[[xml.Element, Walk], tuple[Packet, str]]
"""What a walk finds below a root, and the name of the element that the message stands in."""

_SIGNATURE = f"{{{names.XMLDSIG}}}Signature"
_MARK = re.compile(r"(?P<space> ?)(?P<prefix>(?:cid:)?)(?P<n>\d+) ?")
Chosen = Callable[[Sequence[xml.Element]], Sequence[xml.Element]]
"""Takes some of a packet's nodes."""

_TEXT, _TAIL = attrgetter("text"), attrgetter("tail")
_MOST_NODES = 400  # of a layout that is kept
_MOST_LAYOUTS = 64
_MOST_SEEN = 512

_known: dict[xml.Layout, Shape] = {}
_seen: set[int] = set()  # hashes of layouts met once; only what comes again is worth keeping


@dataclass(frozen=True, slots=True)
class Shape:
    """What is known of one layout. Numbers are positions in document order."""

    message: str  # "MessageHeader" or "Status"
    texts_in: Chosen  # elements whose texts are values
    stripped: tuple[int, ...]  # positions in `texts`, of values that are trimmed
    content_ids: tuple[int, ...]  # positions in `texts`, of ContentIds
    sources: tuple[int, ...]  # elements that hold attachments' contents
    blank_in: Chosen  # elements between whose children nothing may stand
    outside_in: Chosen  # elements behind which nothing may stand: all but those inside signatures
    attributes: tuple[tuple[int, list[str]], ...]  # elements that have some, and their names
    signatures: tuple[int, ...]  # elements whose insides nobody looks at
    most_children: int
    met: int
    build: Callable[[Values], Packet]


def recall(tree: xml.ParsedXml, limits: Limits) -> tuple[Packet, str] | None:
    """The values of a small packet whose layout is known, and the element its message stands in; `None` where it has to be walked over."""
    nodes = tree.held
    shape = None if tree.layout is None or len(nodes) > _MOST_NODES else _known.get(tree.layout)
    if shape is None or shape.met > limits.max_known_elements or shape.most_children > limits.max_children:
        return None
    if not _is_plain(nodes, shape, tree.attributes):
        return None
    texts = [text or "" for text in map(_TEXT, shape.texts_in(nodes))]
    values: list[object] = ["", *texts, *[texts[n].strip() for n in shape.stripped], *[content_id(texts[n]) for n in shape.content_ids]]
    values += [nodes[n] for n in shape.sources]
    return shape.build(values), shape.message


def learn(tree: xml.ParsedXml, limits: Limits, values_of: ValuesOf) -> None:
    """Keeps the layout of `tree`, in which the schema was seen to hold, from the second time on that it comes."""
    layout = tree.layout
    if layout is None or len(tree.held) > _MOST_NODES or layout in _known:
        return
    mark = hash(layout)
    if mark not in _seen:
        if len(_seen) >= _MOST_SEEN:
            _seen.clear()
        _seen.add(mark)
        return
    shape = _shape_of(tree, limits, values_of)
    if shape is not None:
        if len(_known) >= _MOST_LAYOUTS:
            _known.clear()
        _known[layout] = shape


def kept() -> int:
    """How many layouts are known."""
    return len(_known)


def forget() -> None:
    """Forgets all layouts."""
    _known.clear()
    _seen.clear()


def _is_plain(nodes: Sequence[xml.Element], shape: Shape, attributes: int) -> bool:
    """Whether the packet is as unremarkable as the one its shape was learnt from."""
    if not (GAPS.issuperset(map(_TAIL, shape.outside_in(nodes))) and GAPS.issuperset(map(_TEXT, shape.blank_in(nodes)))):
        return False
    found = sum(xml.attributes_in(nodes[n]) for n in shape.signatures)
    for n, named in shape.attributes:
        if nodes[n].keys() != named:
            return False
        found += len(named)
    return found == attributes


def _shape_of(tree: xml.ParsedXml, limits: Limits, values_of: ValuesOf) -> Shape | None:
    """The shape, learnt by walking over a twin of the tree in which every text says where it stands."""
    twin = deepcopy(tree.root)
    twins = list(twin.iter())
    signatures = [n for n, one in enumerate(twins) if one.tag == _SIGNATURE]
    inside = {id(one) for n in signatures for one in twins[n].iterdescendants()}
    own = [n for n, one in enumerate(twins) if id(one) not in inside and n not in signatures]
    attributes = tuple((n, twins[n].keys()) for n in own if twins[n].keys())
    if any(names.XLINK_HREF in named for _, named in attributes):
        return None  # may stand in for a ContentId: depends on a value
    for n in own:
        if not len(twins[n]):
            twins[n].text = f" cid:{n} "
    walk = Walk(limits)
    packet, message = values_of(twin, walk)
    slots = _Slots({id(one): n for n, one in enumerate(twins)})
    if not slots.collect(packet):
        return None
    used = {*slots.texts, *slots.sources}
    return Shape(
        message=message,
        texts_in=itemgetter(*slots.texts),
        stripped=tuple(slots.texts.index(n) for n in slots.stripped),
        content_ids=tuple(slots.texts.index(n) for n in slots.content_ids),
        sources=tuple(slots.sources),
        blank_in=itemgetter(*[n for n in own if n not in used]),
        outside_in=itemgetter(*sorted([*own, *signatures])),
        attributes=attributes,
        signatures=tuple(signatures),
        most_children=max(len(one) for one in twins),
        met=walk.met,
        build=slots.builder(packet),
    )


class _Slots:
    """Where the values of a packet come from, told from one whose texts say where they stand: `` cid:17 `` is the text of element 17 as it
    is, ``cid:17`` the same trimmed, ``17`` a ContentId."""

    def __init__(self, positions: Mapping[int, int]) -> None:
        self.texts: list[int] = []
        self.stripped: list[int] = []
        self.content_ids: list[int] = []
        self.sources: list[int] = []
        self._positions = positions  # of elements, by `id`

    def collect(self, value: Any) -> bool:
        """Notes every place that `value` comes from; False where one cannot be told."""
        if isinstance(value, str):
            return self._collect_text(value)
        if isinstance(value, tuple):
            return all(self.collect(one) for one in value)
        if isinstance(value, etree._Element):
            self.sources.append(self._positions[id(value)])
            return True
        return value is None or (is_dataclass(value) and all(self.collect(getattr(value, one.name)) for one in fields(value)))

    def _collect_text(self, value: str) -> bool:
        if not value:
            return True
        marked = _MARK.fullmatch(value)
        if marked is None:
            return False
        n = int(marked["n"])
        self.texts += [n] if n not in self.texts else []
        if not marked["prefix"]:
            self.content_ids.append(n)
        elif not marked["space"]:
            self.stripped.append(n)
        return True

    def builder(self, value: Any) -> Callable[[Values], Any]:
        """Makes a value like `value` of the list that `recall` puts together; after `collect`."""
        if value is None:
            return lambda values: None
        if isinstance(value, tuple):
            each = [self.builder(one) for one in value]
            return lambda values: tuple([build(values) for build in each])
        if isinstance(value, str | etree._Element):
            return itemgetter(self._slot(value))
        made, named = type(value), fields(value)
        if all(isinstance(getattr(value, one.name), str) and not one.kw_only for one in named) and len(named) > 1:
            taken = itemgetter(*[self._slot(getattr(value, one.name)) for one in named])
            return lambda values: made(*taken(values))
        plain = [self.builder(getattr(value, one.name)) for one in named if not one.kw_only]
        by_name = {one.name: self.builder(getattr(value, one.name)) for one in named if one.kw_only}
        return lambda values: made(*[build(values) for build in plain], **{name: build(values) for name, build in by_name.items()})

    def _slot(self, value: object) -> int:
        texts, stripped, ids = len(self.texts), len(self.stripped), len(self.content_ids)
        if isinstance(value, etree._Element):
            return 1 + texts + stripped + ids + self.sources.index(self._positions[id(value)])
        marked = _MARK.fullmatch(str(value))
        if marked is None:
            return 0  # nothing
        n = int(marked["n"])
        if not marked["prefix"]:
            return 1 + texts + stripped + self.content_ids.index(n)
        return 1 + self.texts.index(n) if marked["space"] else 1 + texts + self.stripped.index(n)
