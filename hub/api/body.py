"""Reading a request's body without ever holding more of it than allowed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from starlette.requests import Request

from schemas.errors import Refused, TryLater


@dataclass(slots=True)
class Held:
    """The bytes that one request holds of its `Budget`."""

    budget: Budget
    size: int = 0

    def take(self, size: int) -> None:
        """Count `size` more bytes. Raises `TryLater("too-busy")` when all requests together hold too many."""
        if self.budget.in_flight + size > self.budget.max_bytes:
            raise TryLater("too-busy", got=f"{self.budget.in_flight + size} bytes at once", expected=f"at most {self.budget.max_bytes}")
        self.budget.in_flight += size
        self.size += size


@dataclass(slots=True)
class Budget:
    """Bytes of bodies that this process may hold at once. Used from the event loop's thread only, so it needs no lock."""

    max_bytes: int
    in_flight: int = 0

    @contextmanager
    def hold(self) -> Iterator[Held]:
        """A share that is given back at the end, whatever happened."""
        held = Held(self)
        try:
            yield held
        finally:
            self.in_flight -= held.size


async def read_body(request: Request, held: Held, *, max_bytes: int, max_idle_s: float) -> bytes:
    """The whole body.

    Raises `Refused("too-large")` as soon as more than `max_bytes` are announced or have come, `TryLater("request-timeout")` when
    nothing comes for `max_idle_s` seconds, `TryLater("too-busy")` by `held`, Starlette's `ClientDisconnect` when the caller hangs up.
    """
    announced = request.headers.get("content-length", "")
    if announced.isascii() and announced.isdigit() and (len(announced) > 18 or int(announced) > max_bytes):
        raise _too_large(f"{announced} bytes announced", max_bytes)
    pieces: list[bytes] = []
    size, loop = 0, asyncio.get_running_loop()
    try:
        async with asyncio.timeout(max_idle_s) as idle:
            async for piece in request.stream():
                size += len(piece)
                if size > max_bytes:
                    raise _too_large(f"more than {max_bytes} bytes", max_bytes)
                held.take(len(piece))
                pieces.append(piece)
                idle.reschedule(loop.time() + max_idle_s)
    except TimeoutError as fault:
        raise TryLater(
            "request-timeout", got=f"{size} bytes, then nothing for {max_idle_s:g} s", expected="the rest of the body"
        ) from fault
    return b"".join(pieces)


def _too_large(got: str, max_bytes: int) -> Refused:
    return Refused("too-large", got=got, expected=f"at most {max_bytes} bytes")
