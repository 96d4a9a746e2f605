"""Replays at the REST face. Each address is a person's; what the person may is checked below it, in `hub.replays`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hub import reports_replay
from hub.api.body import Budget
from hub.api.page import CONTENT_SECURITY_POLICY
from hub.api.people import body_of, person
from hub.api.problem import json_response
from hub.api.request import header, uuid_in_path
from hub.api.shapes_replay import Approval, NewReplay, Start
from schemas.errors import Refused

if TYPE_CHECKING:
    from hub.node import Hub

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ReplayFace:
    """The endpoints; `routes` is what the app mounts. The hub's own runner takes a started job up."""

    hub: Hub
    budget: Budget

    def routes(self) -> list[Route]:
        """Every address of replays."""
        one = "/api/v1/replays/{replay}"
        return [
            Route("/api/v1/replays", self.collection, methods=["GET", "POST"]),
            Route(one, self.status, methods=["GET"]),
            Route(f"{one}/approval", self.approve, methods=["POST"]),
            Route(f"{one}/run", self.run, methods=["POST"]),
            Route(f"{one}/pause", self.pause, methods=["POST"]),
            Route(f"{one}/cancel", self.cancel, methods=["POST"]),
            Route(f"{one}/report", self.report, methods=["GET"]),
        ]

    async def collection(self, request: Request) -> Response:
        """List them, or make one (201)."""
        who, replays = await person(self.hub, request), self.hub.workshop.replays
        if request.method != "POST":
            return json_response({"items": await _off(lambda: replays.all(who))})
        body = await body_of(self.hub, request, self.budget, NewReplay)
        try:
            asked = body.asked()
        except ValueError as fault:
            raise Refused("json-invalid", got=str(fault), expected="UUIDs and RFC 3339 times") from fault
        made = await _off(lambda: replays.create(who, asked))
        answer = json_response(await _off(lambda: replays.status(who, made.id)), 201)
        answer.headers["Location"] = f"/api/v1/replays/{made.id}"
        return answer

    async def status(self, request: Request) -> Response:
        """Where it stands."""
        who, job_id = await person(self.hub, request), uuid_in_path(request, "replay")
        return json_response(await _off(lambda: self.hub.workshop.replays.status(who, job_id)))

    async def approve(self, request: Request) -> Response:
        """The caller, another person than the one who made it, approves the digest of the request."""
        who, job_id = await person(self.hub, request), uuid_in_path(request, "replay")
        body = await body_of(self.hub, request, self.budget, Approval)
        return await self._moved(request, lambda: self.hub.workshop.replays.approve(who, job_id, body.digest))

    async def run(self, request: Request) -> Response:
        """Start it, or let it go on."""
        who, job_id = await person(self.hub, request), uuid_in_path(request, "replay")
        body = await body_of(self.hub, request, self.budget, Start)
        return await self._moved(request, lambda: self.hub.workshop.replays.start(who, job_id, body.confirm))

    async def pause(self, request: Request) -> Response:
        """Pause it."""
        who, job_id = await person(self.hub, request), uuid_in_path(request, "replay")
        return await self._moved(request, lambda: self.hub.workshop.replays.pause(who, job_id))

    async def cancel(self, request: Request) -> Response:
        """Do no more of it."""
        who, job_id = await person(self.hub, request), uuid_in_path(request, "replay")
        return await self._moved(request, lambda: self.hub.workshop.replays.cancel(who, job_id))

    async def report(self, request: Request) -> Response:
        """The signed JSON, byte for byte; HTML for a browser that asks for it."""
        who, job_id = await person(self.hub, request), uuid_in_path(request, "replay")
        signed = await _off(lambda: self.hub.workshop.replays.report(who, job_id))
        if header(request, "accept").startswith("text/html"):
            page = reports_replay.page(signed)
            return Response(page, media_type="text/html", headers={"Content-Security-Policy": CONTENT_SECURITY_POLICY})
        return Response(signed, media_type="application/json")

    async def _moved(self, request: Request, change: Callable[[], Any]) -> Response:
        await _off(change)
        return await self.status(request)


async def _off(work: Callable[[], T]) -> T:
    """Off the event loop: it waits for the disk."""
    return await asyncio.to_thread(work)
