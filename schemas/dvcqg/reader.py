"""`read_json`: bytes to a model and every violation, with JSON pointers and lines.

Procedure:

1. the text within its limits, strictly (`strict_json.parse`)
2. which message it is, by its name or by its members; a bare list of dossiers is one without its envelope [C §2.2, item 5]
3. every member of every object (`objects.build`), single values and objects by `rules`
4. lines, for what was found
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from schemas.dvcqg.findings import Findings
from schemas.dvcqg.kinds import AUTO, MessageKind, kinds, named, of_json
from schemas.dvcqg.objects import build
from schemas.dvcqg.shape import Shape
from schemas.dvcqg.strict_json import ParsedJson, parse
from schemas.errors import Refused, Violation, error, errors_of, warning
from schemas.limits import DEFAULT_LIMITS, Limits

Locate = Callable[[Iterable[Violation]], tuple[Violation, ...]]


@dataclass(frozen=True, slots=True)
class Reading:
    """What a message says, and what is wrong with it."""

    kind: MessageKind
    model: Shape
    violations: tuple[Violation, ...]  # errors first
    locate: Locate = field(repr=False, compare=False)  # gives further findings about the model their place in the document

    @property
    def ok(self) -> bool:
        """Whether nothing refuses the message. Warnings do not matter."""
        return not errors_of(self.violations)


def read_json(raw: bytes, kind: str = AUTO, *, charset: str = "", limits: Limits = DEFAULT_LIMITS) -> Reading:
    """The message in `raw`. `kind` is a name of `kinds.kinds`, or "auto".

    Raises `Refused`, and nothing else: what `strict_json.parse` raises, `dossier-unknown-kind`. Everything that can be said about
    a message that could be read stands in `Reading.violations`.
    """
    parsed = parse(raw, charset=charset, limits=limits)  # 1
    found = Findings(limits.max_violations)
    found.extend(parsed.violations)
    bare = isinstance(parsed.value, list)
    about = _kind_of_rows(parsed.value, kind) if bare else _kind(parsed.value, kind)  # 2
    if bare:
        found.add(warning("dossier-bare-list", line=1, got="a list", expected="the envelope: session, madonvi, service, data"))
    locate = _locator(parsed, bare=bare)
    inner = Findings(limits.max_violations)
    try:
        model = build(about.shape, {"data": parsed.value} if bare else parsed.value, "", inner, bare=bare)  # 3
    except Refused as fault:
        raise Refused(fault.code, fault.got, fault.expected, locate(fault.violations)) from fault
    found.extend(locate((*inner.errors, *inner.warnings)))  # 4
    return Reading(about, model, found.listed(), locate)


def _locator(parsed: ParsedJson, *, bare: bool) -> Locate:
    def locate(violations: Iterable[Violation]) -> tuple[Violation, ...]:
        listed = [replace(one, path=one.path.removeprefix("/data")) if bare else one for one in violations]
        places = {place for one in listed for place in (one.path, _above(one.path))}
        lines = parsed.lines(frozenset(places)) if listed else {}
        return tuple(one if one.line else replace(one, line=lines.get(one.path) or lines.get(_above(one.path), 0)) for one in listed)

    return locate


def _above(pointer: str) -> str:
    """The object that a member stands in: where one is missing, the line of it is the next best."""
    return pointer.rpartition("/")[0]


def _kind(value: Any, asked: str) -> MessageKind:
    if asked != AUTO:
        return _asked(asked)
    found = of_json(value) if isinstance(value, dict) else None
    if found is None:
        members = ", ".join(list(value)[:8]) if isinstance(value, dict) else "no object"
        raise _unknown(members)
    return found


def _kind_of_rows(rows: list[Any], asked: str) -> MessageKind:
    if asked != AUTO:
        return _asked(asked)
    first = rows[0] if rows and isinstance(rows[0], dict) else {}
    for mark, name in (("TrangThaiHoSo", "dvcqg.DongBoHoSoMC"), ("ThoiDiemXuLy", "dvcqg.CapNhatTienDoHoSoMC")):
        if mark in first and "MaHoSo" in first:
            return kinds()[name]
    raise _unknown("a list whose rows are neither dossiers nor steps")


def _asked(name: str) -> MessageKind:
    about = named(name)
    if about is None or about.encoding != "json":
        raise _unknown(name)
    return about


def _unknown(got: str) -> Refused:
    one = error("dossier-unknown-kind", got=got, expected="a message that `lgsp formats list` names")
    return Refused("dossier-unknown-kind", got=one.got, expected=one.expected, violations=(one,))
