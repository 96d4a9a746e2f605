"""The log for standard clients, C2SP tlog-tiles below `/log`: the checkpoint and the hash tiles for everybody, entries for auditors.

What a tile holds never changes, so it may be kept for ever; the checkpoint is new every second. What the published checkpoint does not
cover yet is not there (404), whatever the store has already.
"""

from __future__ import annotations

import asyncio
import gzip
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hub.api.people import person
from hub.api.problem import json_response
from hub.api.request import caller, header
from hub.log_opening import standing_of
from hub.metrics import CONTENT_TYPE, exposition
from hub.persons import Role
from replay.tiles import TilePath, content
from schemas.errors import Refused

if TYPE_CHECKING:
    from hub.node import Hub

AUDITOR = "auditor"  # the role that may read entries
TILES = "/log/tile/"
CHECKPOINT_S = 1  # how long a cache may keep a checkpoint
FOR_EVER = "max-age=31536000, immutable"  # RFC 8246
_GZIP = re.compile(r"(?:^|,)\s*gzip\s*(?:,|$)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Log:
    """The endpoints; `routes` is what the app mounts."""

    hub: Hub

    def routes(self) -> list[Route]:
        """Every address of the log."""
        return [
            Route("/log/checkpoint", self.checkpoint, methods=["GET"]),
            Route("/api/v1/log/status", self.status, methods=["GET"]),
            Route("/metrics", self.metrics, methods=["GET"]),
            Route(TILES + "{tile:path}", self.tile, methods=["GET"]),
        ]

    async def checkpoint(self, request: Request) -> Response:
        """The newest checkpoint that the witnesses' quorum cosigned, with every cosignature there is."""
        shown = await asyncio.to_thread(self.hub.keeper.served)
        headers = {"Content-Type": "text/plain; charset=utf-8", "Cache-Control": f"public, max-age={CHECKPOINT_S}"}
        return Response(shown.note, headers=headers)

    async def status(self, request: Request) -> Response:
        """How far witnesses and time stamps are, and what they owe: for auditors and operators."""
        await self._check_role(request, Role.AUDITOR, Role.OPERATOR)
        hub = self.hub
        found = await asyncio.to_thread(lambda: standing_of(hub.settings, hub.store, hub.clock()))
        return json_response({**found.as_json(), "fault": hub.keeper.fault})

    async def metrics(self, request: Request) -> Response:
        """Counts and ages, for Prometheus."""
        return Response(await asyncio.to_thread(exposition, self.hub), headers={"Content-Type": CONTENT_TYPE})

    async def tile(self, request: Request) -> Response:
        """A tile of hashes, or a bundle of entries."""
        path = TilePath.parse(str(request.scope["path"]).removeprefix(TILES))  # the router passes over a newline at the end
        if path.is_entries:
            await self._check_role(request, Role.AUDITOR)
        body = await asyncio.to_thread(self._content, path)
        whose = "private" if path.is_entries else "public"
        headers = {"Content-Type": "application/octet-stream", "Cache-Control": f"{whose}, {FOR_EVER}"}
        if path.is_entries:
            headers["Vary"] = "Authorization, X-API-Key, Accept-Encoding"
            if _GZIP.search(header(request, "accept-encoding")):
                body, headers["Content-Encoding"] = await asyncio.to_thread(gzip.compress, body, 6, mtime=0), "gzip"
        return Response(body, headers=headers)

    async def _check_role(self, request: Request, *roles: Role) -> None:
        """Steps aside for a system whose profile has the role, and for a person who has it."""
        try:
            caller(self.hub, request).check_role(AUDITOR)
        except Refused as fault:
            if fault.code != "not-authenticated" or not header(request, "authorization"):
                raise
            try:
                (await person(self.hub, request)).person.check_role(*roles)
            except Refused as of_person:
                raise fault if of_person.code == "session-invalid" else of_person from None

    def _content(self, path: TilePath) -> bytes:
        with self.hub.store.read() as conn:
            return content(conn, path, self.hub.keeper.current.checkpoint.size)
