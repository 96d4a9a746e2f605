"""What a converter is, and how it says no.

MUST: `forward` and `backward` take any value at all, and either return a value or raise `Refused`. Nothing else ever leaves them.
MUST: where `loss` is None, ``backward(forward(x)) == x`` for every x that forward takes.
MUST: where `backward` exists, ``forward(backward(y)) == y`` for every y that it takes.
MUST NOT: guess. What can be read in two ways is refused with `value-ambiguous`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from schemas.errors import Refused, Text

MAX_CHARS = 1024 * 1024  # of one text that is converted; files are carried, not converted

Step = Callable[[object], object]


@dataclass(frozen=True, slots=True)
class Converter:
    """One pair of functions between the wire and the canonical form."""

    name: str
    forward: Step  # wire → canonical
    backward: Step | None  # canonical → wire; None where there is no way back
    domain: str  # what `forward` takes, for people
    loss: Text | None = None  # what wire → canonical → wire does not bring back; None: nothing


def outside(value: object, domain: str) -> Refused:
    """The refusal of a value that is not in the domain. Repeats its kind and length only: it may be personal data."""
    got = f"a text of {len(value)} characters" if isinstance(value, str) else type(value).__name__
    return Refused("value-not-convertible", got=got, expected=domain)


def text(value: object, domain: str) -> str:
    """`value` if it is a text of bearable length that is not blank, and could be written as UTF-8."""
    if not isinstance(value, str) or not value.strip() or len(value) > MAX_CHARS:
        raise outside(value, domain)
    try:
        value.encode("utf-8")
    except UnicodeEncodeError as fault:  # a lone surrogate out of JSON
        raise outside(value, domain) from fault
    return str(value)
