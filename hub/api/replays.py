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
from hub.api.request import checked_uuid, header, parameters, uuid_in_path, whole_number
from hub.api.shapes_replay import Approval, NewReplay, Start
from hub.replay_reader import MAX_PAGE
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
            Route(f"{one}/items", self.items, methods=["GET"]),
            Route(f"{one}/report", self.report, methods=["GET"]),
        ]

    async def collection(self, request: Request) -> Response:
        """List them, or make one (201)."""
        who, replays, reader = await person(self.hub, request), self.hub.workshop.replays, self.hub.workshop.reader
        if request.method != "POST":
            asked_for = parameters(request, "before", "limit")
            before = checked_uuid("query before", asked_for["before"]) if "before" in asked_for else None
            limit = whole_number(request, "limit", MAX_PAGE, 1, MAX_PAGE)
            return json_response(await _off(lambda: reader.all(who, before=before, limit=limit)))
        body = await body_of(self.hub, request, self.budget, NewReplay)
        try:
            asked = body.asked()
        except ValueError as fault:
            raise Refused("json-invalid", got=str(fault), expected="UUIDs and RFC 3339 times") from fault
        made = await _off(lambda: replays.create(who, asked))
        answer = json_response(await _off(lambda: reader.status(who, made.id)), 201)
        answer.headers["Location"] = f"/api/v1/replays/{made.id}"
        return answer

    async def status(self, request: Request) -> Response:
        """Where it stands."""
        who, job_id = await person(self.hub, request), uuid_in_path(request, "replay")
        return json_response(await _off(lambda: self.hub.workshop.reader.status(who, job_id)))

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

    async def items(self, request: Request) -> Response:
        """A page of what was found, item by item."""
        who, job_id = await person(self.hub, request), uuid_in_path(request, "replay")
        asked_for = parameters(request, "outcome", "after", "limit", "values")
        after, limit = whole_number(request, "after", -1, 0), whole_number(request, "limit", MAX_PAGE, 1, MAX_PAGE)
        values = _yes(asked_for.get("values", "false"))
        outcome = asked_for.get("outcome", "")
        reader = self.hub.workshop.reader
        return json_response(
            await _off(lambda: reader.items(who, job_id, outcome=outcome, after=after, limit=limit, values=values)),
        )

    async def report(self, request: Request) -> Response:
        """The signed JSON, byte for byte; a page or a PDF of it for whoever asks for that."""
        who, job_id = await person(self.hub, request), uuid_in_path(request, "replay")
        signed = await _off(lambda: self.hub.workshop.reader.report(who, job_id))
        wanted = header(request, "accept")
        if wanted.startswith("text/html"):
            page = reports_replay.page(signed)
            return Response(page, media_type="text/html", headers={"Content-Security-Policy": CONTENT_SECURITY_POLICY})
        if wanted.startswith("application/pdf"):
            return Response(await _off(lambda: reports_replay.pdf(signed)), media_type="application/pdf")
        return Response(signed, media_type="application/json")

    async def _moved(self, request: Request, change: Callable[[], Any]) -> Response:
        await _off(change)
        return await self.status(request)


def _yes(text: str) -> bool:
    if text not in ("true", "false"):
        raise Refused("invalid-request", got=f"values={text}", expected="true | false")
    return text == "true"


async def _off(work: Callable[[], T]) -> T:
    """Off the event loop: it waits for the disk."""
    return await asyncio.to_thread(work)
