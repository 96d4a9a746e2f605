"""`check`: everything that can be said about the honesty of one message, alone or against what came before."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from schemas.dvcqg.findings import Findings
from schemas.dvcqg.portal import Answer
from schemas.dvcqg.response import classify_response
from schemas.dvcqg.shape import Shape
from schemas.errors import Violation
from schemas.honesty import clock, course, identity, papers, values
from schemas.honesty.history import statements
from schemas.limits import DEFAULT_LIMITS, Limits


def check(
    message: Shape, history: Sequence[Shape] = (), *, complete: bool = False, limits: Limits = DEFAULT_LIMITS
) -> tuple[Violation, ...]:
    """Warnings about `message`, with JSON pointers; at most `limits.max_violations`.

    `history` is what the sender said before about these dossiers, oldest first, each request followed by its `Answer` where that is known.
    `complete` says that nothing is missing from it, so that what is not there was not said.
    """
    found = Findings(limits.max_violations)
    for one in _all(message, history, complete):
        found.add(one)
        if not found.takes_warnings:
            break
    return found.listed()


def _all(message: Shape, history: Sequence[Shape], complete: bool) -> Iterator[Violation]:
    yield from values.stand_ins(message)
    for one in statements(message):
        yield from papers.results_that_are_inputs(one)
        yield from identity.replaced_codes(one)
    yield from identity.duplicate_codes(message, history)
    yield from course.states_in_order(message, history)
    yield from course.rewritten_states(message)
    yield from course.synthetic_steps(message)
    yield from course.shifted_steps(message, history)
    yield from course.progress_before_dossier(message, history, complete=complete)
    yield from clock.half_day_errors(message, history)
    if isinstance(message, Answer):
        yield from classify_response(message).violations
