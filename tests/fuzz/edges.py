"""Which branches of the readers an input takes: steps from line to line in `schemas`, seen by the interpreter's own tracing.

For Python 3.11, which has no `sys.monitoring`. Slow (some ten times), exact, and without anything to install; it belongs in a process
of its own, because it takes the interpreter's only trace function.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import schemas

_ROOT = str(Path(schemas.__file__).parent)
Edge = tuple[str, int, int]  # file, from line, to line


def edges_of(work: Callable[[], object]) -> set[Edge]:
    """The edges that `work` takes. An exception of `work` goes on to the caller."""
    seen: set[Edge] = set()

    def enter(frame: FrameType, event: str, argument: Any) -> Any:
        name = frame.f_code.co_filename
        if not name.startswith(_ROOT):
            return None
        before = frame.f_lineno

        def step(inner: FrameType, kind: str, value: Any) -> Any:
            nonlocal before
            if kind == "line":
                seen.add((name, before, inner.f_lineno))
                before = inner.f_lineno
            return step

        return step

    sys.settrace(enter)
    try:
        work()
    finally:
        sys.settrace(None)
    return seen
