"""`read_xml`: an LGSP message in XML to a model and every violation, with paths and lines.

Procedure:

1. parse, by the one hardened parser (`schemas.xml`)
2. which message it is, by the root element; namespaces are not part of the format, so they are not compared
3. elements to values: repeated ones to lists, all others to texts; what stands twice and must not is an error
4. every value as in JSON (`schemas.dvcqg.objects`)
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from schemas.dvcqg.findings import Findings, step
from schemas.dvcqg.kinds import AUTO, MessageKind, named, of_root
from schemas.dvcqg.objects import build
from schemas.dvcqg.reader import Reading
from schemas.dvcqg.shape import FieldSpec, Kind, Shape, fields_of, names_of
from schemas.errors import Refused, Violation, error, warning
from schemas.limits import DEFAULT_LIMITS, Limits
from schemas.xml import Element, child_elements, line_of, local_name, parse, path_of, text_of

Places = dict[str, Element]  # JSON pointer of a value → its element


def read_xml(raw: bytes, kind: str = AUTO, *, charset: str = "", limits: Limits = DEFAULT_LIMITS) -> Reading:
    """The message in `raw`. `kind` is a name of `kinds.kinds`, or "auto".

    Raises `Refused`, and nothing else: what `schemas.xml.parse` raises, `dossier-unknown-kind`.
    """
    root = parse(raw, charset=charset, limits=limits, max_bytes=limits.max_dossier_bytes).root  # 1
    about = _kind(local_name(root), kind)  # 2
    walk = _Walk(Findings(limits.max_violations), {"": root}, limits)
    value = walk.object_of(root, about.shape, "")  # 3

    def locate(violations: Iterable[Violation]) -> tuple[Violation, ...]:
        return tuple(_placed(one, walk.places) for one in violations)

    try:
        model = build(about.shape, value, "", walk.found)  # 4
    except Refused as fault:
        raise Refused(fault.code, fault.got, fault.expected, locate(fault.violations)) from fault
    return Reading(about, model, locate(walk.found.listed()), locate)


def _kind(root: str, asked: str) -> MessageKind:
    about = named(asked) if asked != AUTO else of_root(root)
    if about is None or about.encoding != "xml" or about.title != root:
        one = error("dossier-unknown-kind", line=1, got=root, expected="a message that `lgsp formats list` names")
        raise Refused("dossier-unknown-kind", got=one.got, expected=one.expected, violations=(one,))
    return about


@dataclass(slots=True)
class _Walk:
    """Elements to values, with what was found on the way and where each value stands."""

    found: Findings
    places: Places
    limits: Limits
    objects: int = 0

    def object_of(self, element: Element, shape: type[Shape], pointer: str) -> dict[str, Any]:
        """The members of `element`."""
        children = child_elements(element)
        if len(children) > self.limits.max_children:
            raise Refused("resource-limit", got=f"{len(children)} elements in one", expected=f"at most {self.limits.max_children}")
        self.objects += 1
        if self.objects > self.limits.max_dossier_objects:
            raise Refused("resource-limit", got="more objects", expected=f"at most {self.limits.max_dossier_objects}")
        known, value = names_of(shape), dict[str, Any]()
        for child in children:
            name = local_name(child)
            self._take(child, known.get(name), value, step(pointer, name))
        _ordered(shape, children, pointer, self.found)
        return value

    def _take(self, child: Element, spec: FieldSpec | None, value: dict[str, Any], place: str) -> None:
        name = local_name(child)
        if spec is not None and spec.kind is Kind.ROWS and spec.shape is not None:
            rows = value.setdefault(name, [])
            here = step(place, len(rows))
            self.places.setdefault(place, child)
            self.places[here] = child
            rows.append(self.object_of(child, spec.shape, here))
        elif name in value:
            self.places[f"{place}#again"] = child
            make = error if spec is not None else warning
            self.found.add(make("dossier-repeated-element", path=f"{place}#again", got=name, expected="once"))
        else:
            self.places[place] = child
            if spec is not None and child_elements(child):
                self.found.add(error("dossier-wrong-shape", path=place, got=local_name(child_elements(child)[0]), expected="text"))
            value[name] = text_of(child)


def _ordered(shape: type[Shape], children: list[Element], pointer: str, found: Findings) -> None:
    """The schema is a sequence. A known element that stands before an earlier one is named, once per object."""
    rank = {spec.name: n for n, spec in enumerate(fields_of(shape))}
    last, last_name = -1, ""
    for child in children:
        name = local_name(child)
        if name not in rank:
            continue
        if rank[name] < last:
            found.add(
                warning("dossier-element-order", path=step(pointer, name), got=f"{name} after {last_name}", expected="the schema's order")
            )
            return
        last, last_name = rank[name], name


def _placed(one: Violation, places: Places) -> Violation:
    """The violation with the element's own path and line; a missing element is placed at the one that lacks it."""
    if one.path in places:
        element = places[one.path]
        return replace(one, path=path_of(element), line=line_of(element))
    above, _, name = one.path.rpartition("/")
    while above not in places:
        above = above.rpartition("/")[0]
    return replace(one, path=f"{path_of(places[above])}/{name}", line=line_of(places[above]))
