"""Proposals for correcting a packet: what `lgsp validate --repair` shows. The hub itself never imports this (a test keeps it so).

Only what has one meaning is proposed (`defects.toml`, `repair`): what is written otherwise, declared nowhere or said twice over. Where a
value is missing, ambiguous or ruined, nothing is proposed: the sender alone knows it. Changes are made on the text, each in its own place,
so that the rest stays byte for byte what it was; the result is read anew after every round, and judged as any packet.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from schemas import octets, xml
from schemas.edxml import defects, names
from schemas.edxml.convert import official
from schemas.edxml.examination import Examined, examine
from schemas.edxml.spans import Span, spans
from schemas.edxml.strangers import HEAD_BYTES, stray_bytes
from schemas.errors import HubError, Refused, Violation, error, errors_of
from schemas.limits import DEFAULT_LIMITS, MIB, Limits
from schemas.message import Inbound

MAX_BYTES = 16 * MIB  # of a packet that a proposal is made for: a diff of more helps nobody
_MAX_ROUNDS = 12
_PREFIXES = {"edXML": names.QCVN102, "xlink": "http://www.w3.org/1999/xlink"}
_PREFIX = re.compile(r"prefix ([A-Za-z_][\w.-]*) ")
_ROOT = re.compile(r"<(?![?!])[^\s/>]+")
_NAMESPACE = re.compile(r"""(xmlns(?::[\w.-]+)?\s*=\s*["'])([^"']*)(["'])""")


@dataclass(frozen=True, slots=True)
class Step:
    """One change that is proposed."""

    defect: str  # name in `defects.toml`
    path: str  # of the element, "" the whole document


@dataclass(frozen=True, slots=True)
class Proposal:
    """The corrected packet. It is the packet itself where nothing can be proposed."""

    raw: bytes = field(repr=False)
    steps: tuple[Step, ...]
    left: tuple[Violation, ...]  # what is still wrong with it
    diff: str = field(repr=False)  # unified

    @property
    def ok(self) -> bool:
        """Whether the hub would take the corrected packet, as far as its form goes."""
        return not errors_of(self.left)


@dataclass(frozen=True, slots=True)
class _Edit:
    start: int
    end: int
    text: str
    step: Step


def propose(inbound: Inbound, *, name: str = "packet.edxml", limits: Limits = DEFAULT_LIMITS) -> Proposal:
    """Corrections of `inbound`; `name` stands in the diff's head. Raises `Refused` with `too-large` or `encoding`."""
    if len(inbound.raw) > MAX_BYTES:
        raise Refused("too-large", got=f"{len(inbound.raw)} bytes", expected=f"at most {MAX_BYTES} bytes")
    encoding, _ = octets.encoding_of(inbound.raw[: octets.HEAD_BYTES], inbound.charset)
    try:
        before = inbound.raw.decode(encoding)
    except UnicodeDecodeError as fault:
        raise Refused("encoding", got=str(fault), expected=f"text in {encoding}") from fault
    text, steps = before, list[Step]()
    left: tuple[Violation, ...] = ()
    for _ in range(_MAX_ROUNDS):
        edits, left = _round(replace(inbound, raw=text.encode(encoding)), text, limits)
        if not edits:
            break
        for edit in sorted(edits, key=lambda one: one.start, reverse=True):
            text = text[: edit.start] + edit.text + text[edit.end :]
        steps += [edit.step for edit in edits]
    return Proposal(text.encode(encoding), tuple(steps), left, _diff(before, text, name))


def _round(inbound: Inbound, text: str, limits: Limits) -> tuple[list[_Edit], tuple[Violation, ...]]:
    try:
        examined = examine(inbound, limits)
    except HubError as fault:
        left = fault.violations or (error(fault.code, got=fault.got, expected=fault.expected),)
        return list(_edits_of_document(left[0], inbound.raw, text)), left
    return _apart(_edits_of_elements(examined, text)), examined.violations


def _edits_of_document(violation: Violation, raw: bytes, text: str) -> Iterator[_Edit]:
    """What keeps a document from being read at all, one at a time."""
    defect = defects.known(violation)
    if defect is None or not defect.repair:
        return
    step = Step(defect.name, violation.path)
    root = _ROOT.search(text)
    if defect.repair == "cut":
        start = 1 if text.startswith("\ufeff") else 0
        yield _Edit(start, start + len(stray_bytes(raw[:HEAD_BYTES]).decode("utf-8", "replace")), "", step)
    elif defect.repair == "declare" and root is not None:
        prefix = _PREFIX.search(violation.got)
        if prefix and prefix.group(1) in _PREFIXES:
            yield _Edit(root.end(), root.end(), f' xmlns:{prefix.group(1)}="{_PREFIXES[prefix.group(1)]}"', step)
    elif defect.repair == "rename" and root is not None:
        yield from _renamed_root(text, root, step)


def _renamed_root(text: str, root: re.Match[str], step: Step) -> Iterator[_Edit]:
    if step.defect == "wrong-namespace":
        for one in _NAMESPACE.finditer(text, root.end()):  # it is declared in several places
            if one[2] != names.QCVN102 and one[2].rstrip("/").lower() == names.QCVN102.lower():
                yield _Edit(one.start(2), one.end(2), names.QCVN102, step)
        return
    first = next(iter(spans(text)), None)
    if first is not None:
        yield from _renamed(text, first, "edXML", step)


def _renamed(text: str, span: Span, local: str, step: Step) -> Iterator[_Edit]:
    prefix, colon, _ = span.name.rpartition(":")
    start = span.start + 1 + len(prefix + colon)
    yield _Edit(start, span.start + 1 + len(span.name), local, step)
    if span.end > span.inner:  # an end tag
        at = span.inner_end + 2 + len(prefix + colon)
        yield _Edit(at, span.inner_end + 2 + len(span.name), local, step)


def _edits_of_elements(examined: Examined, text: str) -> Iterator[_Edit]:
    elements = list(examined.tree.root.iter("*"))
    where = spans(text)
    if len(elements) != len(where):
        return  # a text that this cannot follow; nothing is proposed rather than something wrong
    by_path: dict[str, tuple[xml.Element, Span]] = {}
    wanted = {one.path for one in examined.violations}
    for element, span in zip(elements, where, strict=True):
        path = xml.path_of(element) if len(wanted) > len(by_path) else ""
        if path in wanted:
            by_path[path] = (element, span)
    for violation in examined.violations:
        defect = defects.known(violation)
        if defect is None or violation.path not in by_path or defect.repair not in _ON_ELEMENTS:
            continue
        element, span = by_path[violation.path]
        yield from _ON_ELEMENTS[defect.repair](text, element, span, violation, Step(defect.name, violation.path))


def _drop_twin(text: str, element: xml.Element, span: Span, violation: Violation, step: Step) -> Iterator[_Edit]:
    """Of two elements that say the same, the second. Where they differ nobody knows which one counts."""
    first = next(element.itersiblings(str(element.tag), preceding=True), None)
    if first is not None and _canonical(first) == _canonical(element):
        yield _dropped(text, span, step)


def _drop(text: str, element: xml.Element, span: Span, violation: Violation, step: Step) -> Iterator[_Edit]:
    yield _dropped(text, span, step)


def _dropped(text: str, span: Span, step: Step) -> _Edit:
    """Without the white space before it, so that no empty line is left."""
    start = len(text[: span.start].rstrip(" \t\r\n"))
    return _Edit(start, span.end, "", step)


def _rename(text: str, element: xml.Element, span: Span, violation: Violation, step: Step) -> Iterator[_Edit]:
    yield from _renamed(text, span, violation.expected, step)


def _official_date(text: str, element: xml.Element, span: Span, violation: Violation, step: Step) -> Iterator[_Edit]:
    written = official(xml.text_of(element).strip())
    if written != xml.text_of(element).strip() and not len(element):
        yield _Edit(span.inner, span.inner_end, written, step)


def _two_digits(text: str, element: xml.Element, span: Span, violation: Violation, step: Step) -> Iterator[_Edit]:
    if not len(element):
        yield _Edit(span.inner, span.inner_end, violation.expected, step)


def _declared_type(text: str, element: xml.Element, span: Span, violation: Violation, step: Step) -> Iterator[_Edit]:
    if violation.expected.startswith("application/") and not len(element):
        yield _Edit(span.inner, span.inner_end, violation.expected, step)


_ON_ELEMENTS: Mapping[str, Callable[[str, xml.Element, Span, Violation, Step], Iterator[_Edit]]] = {
    "drop-twin": _drop_twin,
    "drop": _drop,
    "rename": _rename,
    "official-date": _official_date,
    "two-digits": _two_digits,
    "declared-type": _declared_type,
}


def _canonical(element: xml.Element) -> bytes:
    return xml.canonical(xml.as_root(element), exclusive=True)


def _apart(edits: Iterator[_Edit]) -> list[_Edit]:
    """Those that do not touch one another; the others come in the next round."""
    chosen: list[_Edit] = []
    for edit in sorted(edits, key=lambda one: (one.start, one.end)):
        if not chosen or edit.start >= chosen[-1].end:
            chosen.append(edit)
    return chosen


def _diff(before: str, after: str, name: str) -> str:
    if before == after:
        return ""
    old, new = (text.split("\n") for text in (before, after))
    return "\n".join(difflib.unified_diff(old, new, name, f"{name} (proposed)", n=1, lineterm="")) + "\n"
