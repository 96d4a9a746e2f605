"""Where a request's work runs: small bodies in the event loop, because a thread hop costs more than their parse; the rest in threads."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

INLINE_BYTES = 256 * 1024


async def in_place_of(size: int, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """`work(...)` on `size` bytes of input: here if that is quick, in a thread otherwise."""
    if size < INLINE_BYTES:
        return work(*args, **kwargs)
    return await asyncio.to_thread(work, *args, **kwargs)


async def outcome(future: Future[T]) -> T:
    """The result of a commit under way. Shielded: a caller who leaves must not cancel what the committer is about to answer."""
    return await asyncio.shield(asyncio.wrap_future(future))
