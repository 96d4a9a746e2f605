"""A progress bar for people: on a terminal only, on standard error, so that what a command prints stays its answer."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def bar(total: int) -> Iterator[Callable[[int, int], object]]:
    """Shows (done, all) as it is told; says nothing where nobody looks."""
    if not sys.stderr.isatty():
        yield lambda done, all_: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True)) as progress:
        task = progress.add_task("phát lại / replay", total=total)
        yield lambda done, all_: progress.update(task, completed=done, total=all_)
