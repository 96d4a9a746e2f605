"""Judging a dossier message without taking it in: what it is, what is wrong with its form, and what is doubtful about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from schemas.dvcqg.findings import Findings
from schemas.dvcqg.kinds import AUTO
from schemas.dvcqg.reader import read_json
from schemas.dvcqg.shape import Shape
from schemas.errors import Refused, Violation, error
from schemas.honesty.check import check
from schemas.lgsp.reader import read_xml
from schemas.limits import DEFAULT_LIMITS, Limits

JSON_TYPES = frozenset({"application/json", "text/json"})
XML_TYPES = frozenset({"application/xml", "text/xml"})


@dataclass(frozen=True, slots=True)
class Judgement:
    """What was found out about one message."""

    kind: str  # "dvcqg.DongBoHoSoMC" …, "" unknown
    model: Shape | None  # None where it could not be read
    violations: tuple[Violation, ...]  # errors first


def is_json(raw: bytes, content_type: str = "") -> bool:
    """Whether `raw` is to be read as JSON: by its type, else by its first character."""
    if content_type in JSON_TYPES or content_type in XML_TYPES:
        return content_type in JSON_TYPES
    return raw[:1024].removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"{", b"[")


def judge(
    raw: bytes,
    content_type: str = "",
    *,
    kind: str = AUTO,
    charset: str = "",
    history: Sequence[Shape] = (),
    limits: Limits = DEFAULT_LIMITS,
) -> Judgement:
    """What can be said about `raw`. Raises nothing for bad input: it is listed.

    `history` is what the sender said before about these dossiers, as `honesty.check` takes it.
    """
    as_json = is_json(raw, content_type)
    try:
        reading = (read_json if as_json else read_xml)(raw, kind, charset=charset, limits=limits)
    except Refused as fault:
        listed = fault.violations or (error(fault.code, got=fault.got, expected=fault.expected),)
        return Judgement("", None, listed)
    found = Findings(limits.max_violations)
    found.extend(reading.violations)
    found.extend(reading.locate(check(reading.model, history, limits=limits)))
    return Judgement(reading.kind.name, reading.model, found.listed())


def validate(raw: bytes, content_type: str = "", *, limits: Limits = DEFAULT_LIMITS) -> tuple[Violation, ...]:
    """Everything that is wrong with `raw`, errors first. Raises nothing for bad input."""
    return judge(raw, content_type, limits=limits).violations
