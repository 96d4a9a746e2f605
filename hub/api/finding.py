"""`GET /api/v1/messages`: finding messages. A system finds its own, an auditor or operator with a session finds all."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response

from hub import find
from hub.access import api_key_from
from hub.api.people import person
from hub.api.problem import json_response
from hub.api.request import caller, header
from hub.sessions import PREFIX
from replay.search import Viewer
from schemas.errors import Refused, error

if TYPE_CHECKING:
    from hub.node import Hub


@dataclass(frozen=True, slots=True)
class Finding:
    """The endpoint; `hub.api.rest` mounts it where packets are handed in."""

    hub: Hub

    async def find(self, request: Request) -> Response:
        """A page of messages, newest first."""
        viewer = await self._viewer(request)
        wanted = find.asked(_parameters(request), viewer)
        return json_response(await asyncio.to_thread(find.found, self.hub.store, wanted))

    async def _viewer(self, request: Request) -> Viewer | None:
        if api_key_from(header(request, "authorization"), "").startswith(PREFIX):
            session = await person(self.hub, request)
            find.check_may_find(session.person)
            return None
        return find.viewer_of(caller(self.hub, request))


def _parameters(request: Request) -> dict[str, str]:
    """The query, each name once. Raises `Refused("invalid-request")`."""
    pairs = request.query_params.multi_items()
    twice = [name for name, times in Counter(name for name, _ in pairs).items() if times > 1]
    if twice:
        one = error("parameter-invalid", path=f"query {twice[0]}", got="more than once", expected="at most once")
        raise Refused("invalid-request", got=f"{one.path}, {one.got}", expected=one.expected, violations=(one,))
    return dict(pairs)
