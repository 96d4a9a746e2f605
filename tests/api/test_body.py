"""Reading a body: bounded in size, in time, and over all requests together. And what a fault of our own looks like from outside."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Message

from hub.api.app import build_app
from hub.api.body import Budget, read_body
from schemas.errors import HubError
from tests.api.face import Face, listening
from tests.api.judging import check_fault, check_problem


def arriving(pieces: list[bytes], *, length: str = "", hangs_up: bool = False, stalls: bool = False) -> Request:
    """A request whose body comes in `pieces`."""
    queue: Iterator[bytes] = iter(pieces)

    async def receive() -> Message:
        piece = next(queue, None)
        if piece is not None:
            return {"type": "http.request", "body": piece, "more_body": True}
        if hangs_up:
            return {"type": "http.disconnect"}
        if stalls:
            await asyncio.sleep(60)
        return {"type": "http.request", "body": b"", "more_body": False}

    headers = [(b"content-length", length.encode())] if length else []
    return Request({"type": "http", "method": "POST", "path": "/", "query_string": b"", "headers": headers}, receive)


def read(request: Request, budget: Budget, max_bytes: int = 10) -> bytes:
    """What `read_body` makes of it, at most `max_bytes`."""

    async def reading() -> bytes:
        with budget.hold() as held:
            return await read_body(request, held, max_bytes=max_bytes, max_idle_s=0.05)

    return asyncio.run(reading())


BODIES = {
    "up to the limit": (arriving([b"12345", b"67890"], length="10"), ""),
    "empty": (arriving([]), ""),
    "a length that is no number is left to what comes": (arriving([b"1"], length="many"), ""),
    "announced too large": (arriving([], length="11"), "too-large"),
    "announced absurdly large": (arriving([], length="9" * 4_000), "too-large"),
    "announced small, coming large": (arriving([b"12345", b"678901"], length="5"), "too-large"),
    "stopping halfway": (arriving([b"1"], stalls=True), "request-timeout"),
    "more than all requests together may hold": (arriving([b"12345678"]), "too-busy"),
}


@pytest.mark.parametrize(("request_", "code"), BODIES.values(), ids=BODIES.keys())
def test_a_body_is_read_or_refused_and_its_share_given_back(request_: Request, code: str) -> None:
    budget = Budget(max_bytes=20, in_flight=15 if code == "too-busy" else 0)
    before = budget.in_flight
    if code:
        with pytest.raises(HubError) as caught:
            read(request_, budget)
        assert caught.value.code == code
    else:
        assert len(read(request_, budget)) in (0, 1, 10)
    assert budget.in_flight == before


def test_a_caller_who_hangs_up_gives_its_share_back() -> None:
    budget = Budget(max_bytes=20)
    with pytest.raises(ClientDisconnect):
        read(arriving([b"123"], hangs_up=True), budget)
    assert budget.in_flight == 0


def test_a_fault_of_our_own_shows_a_trace_id_and_nothing_else(face: Face) -> None:
    async def broken(request: Request) -> Response:
        raise RuntimeError("secret inside")

    app = build_app(face.hub, face.log)
    app.router.routes.extend([Route("/api/v1/broken", broken), Route("/soap/broken", broken)])
    since = len(face.log.getvalue())
    with listening(app) as port:
        other = Face(port, face.keys, face.hub, face.log)
        answers = [other.ask("GET", "/api/v1/broken"), other.ask("GET", "/soap/broken")]
    check_problem(answers[0], "internal-error")
    check_fault(answers[1], "SOAP 1.1", "internal-error")
    assert all(answer.status == 500 and b"secret inside" not in answer.body for answer in answers)
    logged = face.log.getvalue()[since:]
    assert all(answer.headers["X-Trace-Id"] in logged for answer in answers)
    assert "RuntimeError: secret inside" in logged
