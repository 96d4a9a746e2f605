"""People at the REST face: opening and ending sessions. A person's token is no system's key, and the other way round."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hub.api.body import Budget, read_body
from hub.api.problem import json_response
from hub.api.request import header, media_type, peer, refuse_content_encoding
from hub.api.shapes import Shape, read_json
from hub.api.shapes_people import Login
from hub.api.trace import check_header_size, note_of
from hub.sessions import Session
from schemas.errors import Refused

if TYPE_CHECKING:
    from hub.node import Hub


async def person(hub: Hub, request: Request) -> Session:
    """Whose session the request's bearer token names. Nothing of the body has been read.

    Raises `Refused`: ``headers-too-large``, ``session-invalid``.
    """
    check_header_size(request.scope, hub.limits.max_request_header_bytes)
    scheme, _, token = header(request, "authorization").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Refused("session-invalid", got="no bearer token", expected="Authorization: Bearer <token>")
    session = await asyncio.to_thread(hub.sessions.of, token.strip())
    note_of(request.scope).system = f"person {session.person.id}"
    return session


async def body_of(hub: Hub, request: Request, budget: Budget, shape: type[Shape]) -> Shape:
    """The JSON body as a `shape`; an empty one stands for ``{}``. Raises as `read_body` and `read_json` do."""
    kind, _ = media_type(request)
    refuse_content_encoding(request)
    limits = hub.limits
    with budget.hold() as held:
        raw = await read_body(request, held, max_bytes=limits.max_json_bytes, max_idle_s=limits.max_body_idle_s)
    if kind != "application/json" and (kind or raw):
        raise Refused("unsupported-media-type", got=kind or "no Content-Type", expected="application/json")
    return read_json(shape, raw.strip() or b"{}")


@dataclass(frozen=True, slots=True)
class People:
    """The endpoints; `routes` is what the app mounts."""

    hub: Hub
    budget: Budget

    def routes(self) -> list[Route]:
        """Every address of sessions."""
        return [
            Route("/api/v1/sessions", self.log_in, methods=["POST"]),
            Route("/api/v1/sessions/current", self.who, methods=["GET"]),
            Route("/api/v1/sessions/current/end", self.log_out, methods=["POST"]),
        ]

    async def log_in(self, request: Request) -> Response:
        """A token for login and password; attempts are limited."""
        check_header_size(request.scope, self.hub.limits.max_request_header_bytes)
        try:
            asked = await body_of(self.hub, request, self.budget, Login)
        except Refused as fault:
            if fault.code != "json-invalid":
                raise
            raise Refused(fault.code, expected="login, password") from None  # what was got may hold the password
        opened = await asyncio.to_thread(self.hub.sessions.log_in, asked.login, asked.password, peer(request, "rest"))
        told = {"token": opened.token, "expires_at": opened.expires_at, "person": opened.person.as_json()}
        return json_response(told, 201)

    async def who(self, request: Request) -> Response:
        """The caller, and until when."""
        return json_response(_told(await person(self.hub, request)))

    async def log_out(self, request: Request) -> Response:
        """Ends the session."""
        session = await person(self.hub, request)
        await asyncio.to_thread(self.hub.sessions.log_out, session)
        return Response(status_code=204)


def _told(session: Session) -> dict[str, Any]:
    return {"person": session.person.as_json(), "expires_at": session.expires_at}
