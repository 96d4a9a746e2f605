"""What a message and those before it say about dossiers, in one form: statements about a dossier, and steps.

A history is a sequence of models in order of time: requests, and after a request the `Answer` it got, where that is known.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from schemas.dvcqg.dossier import Dossier, DossierSync
from schemas.dvcqg.findings import step
from schemas.dvcqg.ministry import MinistryStep
from schemas.dvcqg.portal import Answer
from schemas.dvcqg.progress import ProgressStep, ProgressUpdate
from schemas.dvcqg.response import Success, classify_response
from schemas.dvcqg.shape import Shape

AnyStep = ProgressStep | MinistryStep


@dataclass(frozen=True, slots=True)
class Statement:
    """A dossier as a message reports it. `is_update` is what the sender says: None where it says nothing."""

    pointer: str  # JSON pointer in its message
    dossier: Dossier
    is_update: bool | None = None


@dataclass(frozen=True, slots=True)
class Taken:
    """A step, at its place in its message."""

    pointer: str
    step: AnyStep


def statements(message: Shape) -> tuple[Statement, ...]:
    """The dossiers that `message` reports."""
    if isinstance(message, Dossier):
        return (Statement("", message),)
    if isinstance(message, DossierSync):
        return tuple(Statement(step("/data", n), one, message.is_updating) for n, one in enumerate(message.data))
    return ()


def steps(message: Shape) -> tuple[Taken, ...]:
    """The steps that `message` reports."""
    if isinstance(message, AnyStep):
        return (Taken("", message),)
    if isinstance(message, ProgressUpdate):
        return tuple(Taken(step("/data", n), one) for n, one in enumerate(message.data))
    return ()


def accepted_codes(history: Sequence[Shape]) -> frozenset[str]:
    """MaHoSo of the dossiers that were reported and, where an answer follows, accepted."""
    found: set[str] = set()
    for n, message in enumerate(history):
        told = {one.dossier.MaHoSo for one in statements(message)}
        after = history[n + 1] if n + 1 < len(history) else None
        if told and not (isinstance(after, Answer) and not isinstance(classify_response(after), Success)):
            found |= told
    return frozenset(found)


def past_statements(history: Sequence[Shape]) -> Iterator[Statement]:
    """Every dossier reported before, oldest first."""
    for message in history:
        yield from statements(message)


def past_steps(history: Sequence[Shape]) -> Iterator[Taken]:
    """Every step reported before, oldest first."""
    for message in history:
        yield from steps(message)
