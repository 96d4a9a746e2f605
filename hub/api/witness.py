"""The HTTP face of a witness: `POST /add-checkpoint` and nothing else (C2SP tlog-witness)."""

from __future__ import annotations

import asyncio

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from hub.api.body import Budget, read_body
from replay.witness import MAX_REQUEST_BYTES, PLAIN, Witness
from schemas.errors import HubError

MAX_IN_FLIGHT_BYTES = 64 * MAX_REQUEST_BYTES
MAX_IDLE_S = 10.0


def build_witness(witness: Witness) -> Starlette:
    """The application over `witness`."""
    budget = Budget(MAX_IN_FLIGHT_BYTES)

    async def add_checkpoint(request: Request) -> Response:
        with budget.hold() as held:
            body = await read_body(request, held, max_bytes=MAX_REQUEST_BYTES, max_idle_s=MAX_IDLE_S)
        answer = await asyncio.to_thread(witness.add_checkpoint, body)
        return Response(answer.body, answer.status, {"Content-Type": answer.content_type})

    async def on_fault(request: Request, fault: Exception) -> Response:
        code, status = (fault.code, fault.spec.http_status) if isinstance(fault, HubError) else ("request-interrupted", 400)
        return Response(f"{code}\n", status, {"Content-Type": PLAIN})

    return Starlette(
        routes=[Route("/add-checkpoint", add_checkpoint, methods=["POST"])],
        exception_handlers={HubError: on_fault, ClientDisconnect: on_fault},
    )
