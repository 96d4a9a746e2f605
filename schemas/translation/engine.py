"""`translate`: bytes of one format to bytes of another, by the mappings given, everything lost named.

Procedure:

1. the source's format: named by the caller, or told by the content
2. the way: the shortest chain of mappings; none refuses, two of one length refuse
3. read by the source's own reader; an error refuses with all violations
4. each mapping in turn; what refuses, refuses all
5. write, and read what was written by the target's own reader; an error there refuses: nothing invalid is handed on

Pure: the same bytes and mappings always give the same bytes. No clock, no randomness, no hash order (a test runs it in several processes).
"""

from __future__ import annotations

import binascii
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

import pybase64

from schemas.errors import Refused, Violation, error
from schemas.limits import DEFAULT_LIMITS, Limits
from schemas.translation import formats, packets, stylesheet, table
from schemas.translation.mapping import Gone, Loss, LossKind, MappingKind, Side
from schemas.translation.mapping import Mapping as FieldMapping
from schemas.translation.paths import leaves, pointer

AUTO: Final = "auto"
MAX_STEPS: Final = 4


@dataclass(frozen=True, slots=True)
class Step:
    """One mapping in one direction."""

    mapping: FieldMapping
    back: bool

    @property
    def source(self) -> str:
        """The format it takes."""
        return self.mapping.target if self.back else self.mapping.source

    @property
    def target(self) -> str:
        """The format it gives."""
        return self.mapping.source if self.back else self.mapping.target


@dataclass(frozen=True, slots=True)
class Mappings:
    """A set of mappings, no two of which do the same."""

    by_name: Mapping[str, FieldMapping] = field(repr=False)
    steps: tuple[Step, ...] = field(repr=False)

    @classmethod
    def of(cls, mappings: Iterable[FieldMapping]) -> Mappings:
        """The set. Raises `Refused` with `mapping-invalid` for two of one name, or for two ways between the same formats."""
        listed = sorted(mappings, key=lambda one: one.name)
        steps = [Step(one, back) for one in listed for back in ((False, True) if one.inverse else (False,))]
        faults = [
            error("mapping-duplicate", path="name", got=name, expected="each name once") for name in _repeated(m.name for m in listed)
        ]
        ends = (f"{one.source} → {one.target}" for one in steps)
        faults += [error("mapping-duplicate", path="source, target", got=pair, expected="one mapping") for pair in _repeated(ends)]
        if faults:
            raise Refused("mapping-invalid", got=faults[0].got, expected=faults[0].expected, violations=tuple(faults))
        return cls(MappingProxyType({one.name: one for one in listed}), tuple(steps))

    def way(self, source: str, target: str) -> tuple[Step, ...]:
        """The shortest chain from `source` to `target`; () where they are the same.

        Raises `Refused` with `translation-no-way` or `translation-several-ways`.
        """
        found: list[tuple[Step, ...]] = []
        reached = {source}
        fronts: list[tuple[tuple[Step, ...], str]] = [((), source)]
        for _ in range(MAX_STEPS + 1):
            found = [done for done, at in fronts if at == target]
            if found:
                break
            fronts = [((*done, here), here.target) for done, at in fronts for here in self._from(at) if here.target not in reached]
            reached |= {at for _, at in fronts}
        if not found:
            raise Refused(
                "translation-no-way", got=f"{source} → {target}", expected=", ".join(sorted(self.reachable(source))) or "no format"
            )
        if len(found) > 1:
            raise Refused("translation-several-ways", got=f"{source} → {target}", expected="one mapping or chain of mappings")
        return found[0]

    def reachable(self, source: str) -> frozenset[str]:
        """The formats that `source` can be translated to."""
        found, fronts = {source}, {source}
        for _ in range(MAX_STEPS):
            fronts = {here.target for at in fronts for here in self._from(at)} - found
            found |= fronts
        return frozenset(found - {source})

    def _from(self, source: str) -> Iterator[Step]:
        return (one for one in self.steps if one.source == source)


@dataclass(frozen=True, slots=True)
class Translation:
    """What was made of a message."""

    body: bytes
    content_type: str
    source: str  # the format that was given or told
    target: str
    losses: tuple[Loss, ...] = ()  # everything that did not get across, in the order of the mappings and of the message
    mapping_ids: tuple[str, ...] = ()  # in the order they were applied; () where nothing was translated
    violations: tuple[Violation, ...] = ()  # warnings of the source's reader
    remarks: tuple[Violation, ...] = ()  # warnings of the target's reader about `body`, e.g. a session that the adapter has to add

    def as_json(self) -> dict[str, Any]:
        """Everything but the body."""
        return {
            "source": self.source,
            "target": self.target,
            "content_type": self.content_type,
            "mapping_ids": list(self.mapping_ids),
            "losses": [one.as_json() for one in self.losses],
            "violations": [one.as_json() for one in self.violations],
            "remarks": [one.as_json() for one in self.remarks],
        }


@dataclass(slots=True)
class _Carried:
    """What is on its way: a tree, and its bytes where they are known."""

    format: str
    tree: Any
    raw: bytes | None
    charset: str
    limits: Limits
    losses: list[Loss] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)


def translate(
    raw: bytes, source: str, target: str, mappings: Mappings, *, charset: str = "", limits: Limits = DEFAULT_LIMITS
) -> Translation:
    """`raw`, which is a `source` ("auto": told by its content), as a `target`.

    `charset` is the parameter of the protocol's Content-Type, "" where there was none.

    Raises `Refused`, and nothing else, for whatever `raw` is: what the formats' readers and writers raise; `translation-unknown-format`,
    `translation-format-unknown`, `translation-format-ambiguous`, `translation-no-way`, `translation-several-ways`; of the values
    `translation-unmapped`, `translation-unexpected-value`, `value-not-convertible`, `value-ambiguous`, with all places;
    `translation-not-carried`, `translation-file-damaged`, `translation-stylesheet-failed`, `translation-target-invalid`.
    """
    goal = formats.format_named(target)
    source = formats.format_named(source if source != AUTO else formats.detect(raw, limits)).name  # 1
    way = mappings.way(source, target)  # 2
    reading = formats.read(source, raw, limits, charset)  # 3
    carried = _Carried(source, reading.tree, raw, charset, limits, list(reading.losses))
    for step in way:  # 4
        _carry(carried, step, mappings)
    remarks: tuple[Violation, ...] = ()
    if way:  # 5
        carried.raw = carried.raw if carried.raw is not None else formats.write(target, carried.tree, limits)
        remarks = formats.check_written(target, carried.raw, limits).violations
    body = carried.raw or b""
    losses = tuple(carried.losses) if way else ()
    return Translation(body, goal.content_type, source, target, losses, tuple(carried.ids), reading.violations, remarks)


def _carry(carried: _Carried, step: Step, mappings: Mappings) -> None:
    mapping = step.mapping
    carried.ids.append(mapping.id)
    if mapping.kind is MappingKind.EXTRACT:
        _extract(carried, mapping, mappings)
    elif mapping.kind is MappingKind.XSLT:
        _restyle(carried, mapping)
    else:
        open_names = not step.back and not mapping.unknown_refused
        made, losses = table.apply(mapping, carried.tree, back=step.back, open_names=open_names, limits=carried.limits)
        carried.tree, carried.raw = made, None
        carried.losses += losses
    carried.format = step.target


def _restyle(carried: _Carried, mapping: FieldMapping) -> None:
    """A stylesheet's work. Between two layouts of the same values it may not change one."""
    raw = carried.raw if carried.raw is not None else formats.write(mapping.source, carried.tree, carried.limits)
    made = stylesheet.transform(raw, mapping.stylesheet, charset=carried.charset, limits=carried.limits)
    again = formats.check_written(mapping.target, made, carried.limits)
    if formats.is_same_shape(mapping.source, mapping.target):
        if again.tree != carried.tree:
            raise Refused("translation-target-invalid", got=f"{mapping.name} changes values", expected="the same values in another layout")
        kept = again.losses  # what only a tree does not hold was copied all the same; a signature was broken
        carried.losses = [one for one in carried.losses if one.reason is packets.SEAL or one.reason not in {loss.reason for loss in kept}]
    carried.tree, carried.raw, carried.charset = again.tree, made, ""


def _extract(carried: _Carried, mapping: FieldMapping, mappings: Mappings) -> None:
    """The one file of a packet that is a message itself, translated; the packet around it is lost, by declaration."""
    when = mapping.when
    if when is None or table.value_at(carried.tree, when.source) not in when.values:
        raise Refused("translation-not-carried", got="another kind of packet", expected=" | ".join(when.values if when else ()))
    files = [(n, found) for n, one in enumerate(carried.tree.get("Attachment", [])) if (found := _message_in(one, mapping, carried.limits))]
    if len(files) != 1:
        raise Refused("translation-not-carried", got=f"{len(files)} files that are one", expected=" | ".join(mapping.carried))
    row, (name, inner) = files[0]
    for path, _ in leaves(carried.tree):
        gone = _gone_at(mapping, path)
        if path[:2] != ("Attachment", row) and gone is not None:
            carried.losses.append(Loss(pointer(path), LossKind.DECLARED, gone.reason, mapping.source, mapping.name))
        elif path[:2] != ("Attachment", row):
            fault = error("translation-unmapped", path=pointer(path), expected=f"a loss that {mapping.name} names")
            raise Refused(fault.code, got=fault.path, expected=fault.expected, violations=(fault,))
    made = translate(inner, name, mapping.target, mappings, limits=carried.limits)
    carried.losses += made.losses
    carried.ids += made.mapping_ids
    carried.tree, carried.raw = formats.read(mapping.target, made.body, carried.limits).tree, made.body


def _message_in(file: Mapping[str, Any], mapping: FieldMapping, limits: Limits) -> tuple[str, bytes] | None:
    try:
        data: bytes = pybase64.b64decode(str(file.get(packets.CONTENT, "")), validate=True)
        name = formats.detect(data, limits)
    except (Refused, binascii.Error):
        return None
    return (name, data) if name in mapping.carried else None


def _gone_at(mapping: FieldMapping, path: tuple[str | int, ...]) -> Gone | None:
    return next((one for one in mapping.gone if one.side is Side.SOURCE and one.path[0] == path[0]), None)


def _repeated(found: Iterable[str]) -> list[str]:
    listed = list(found)
    return sorted({one for one in listed if listed.count(one) > 1})
