"""`read_business`: bytes to a model and every violation, with JSON pointers and lines.

Procedure:

1. the text within its limits, strictly (`schemas.dvcqg.strict_json`)
2. every member of every object (`schemas.dvcqg.objects`)
3. what the dictionary says of the values, and the order of dates (`checks`)
4. lines, for what was found
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from schemas.business.checks import check
from schemas.business.kinds import business_kinds
from schemas.dvcqg.findings import Findings
from schemas.dvcqg.kinds import MessageKind
from schemas.dvcqg.objects import build
from schemas.dvcqg.shape import Shape
from schemas.dvcqg.strict_json import parse
from schemas.errors import Refused, Violation, errors_of
from schemas.limits import DEFAULT_LIMITS, Limits


@dataclass(frozen=True, slots=True)
class BusinessReading:
    """What a message says, and what is wrong with it."""

    kind: MessageKind
    model: Shape
    violations: tuple[Violation, ...]  # errors first

    @property
    def ok(self) -> bool:
        """Whether nothing refuses the message. Warnings do not matter."""
        return not errors_of(self.violations)


def read_business(raw: bytes, kind: str, *, charset: str = "", limits: Limits = DEFAULT_LIMITS) -> BusinessReading:
    """The message in `raw`, which is a `kind` of `kinds.business_kinds`: messages of these systems do not name themselves.

    Raises `Refused`, and nothing else: what `strict_json.parse` raises, `business-unknown-kind`. Everything that can be said about a
    message that could be read stands in `BusinessReading.violations`, errors first.
    """
    about = business_kinds().get(kind)
    if about is None:
        raise Refused("business-unknown-kind", got=kind, expected=", ".join(business_kinds()))
    parsed = parse(raw, charset=charset, limits=limits)  # 1
    found = Findings(limits.max_violations)
    found.extend(parsed.violations)
    model = build(about.shape, parsed.value, "", found)  # 2
    found.extend(check(model))  # 3
    listed = found.listed()
    lines = parsed.lines(frozenset(one.path for one in listed)) if listed else {}  # 4
    placed = tuple(one if one.line else replace(one, line=lines.get(one.path, 0)) for one in listed)
    return BusinessReading(about, model, placed)
