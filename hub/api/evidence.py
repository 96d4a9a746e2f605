"""`GET /api/v1/messages/{id}/evidence`: the container of one message, for auditors. Each is journalled with who took it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hub.access import api_key_from
from hub.api.people import person
from hub.api.request import caller, header, uuid_in_path
from hub.evidence import Exporter, Seal
from hub.persons import Role
from hub.sessions import PREFIX
from schemas.errors import Halted
from signing.asic import EXTENDED

if TYPE_CHECKING:
    from hub.node import Hub

AUDITOR = "auditor"  # the role, of a person or in a system's profile


@dataclass(frozen=True, slots=True)
class Evidence:
    """The endpoint; `routes` is what the app mounts."""

    hub: Hub

    def routes(self) -> list[Route]:
        """Its one address."""
        return [Route("/api/v1/messages/{message}/evidence", self.export, methods=["GET"])]

    async def export(self, request: Request) -> Response:
        """The container, signed with the hub's certificate."""
        by = await self._auditor(request)
        message_id = uuid_in_path(request, "message")
        made = await asyncio.to_thread(lambda: self._exporter().message(message_id, by))
        headers = {"Content-Disposition": f'attachment; filename="evidence-{message_id}.asice"', "Cache-Control": "no-store"}
        return Response(made, media_type=EXTENDED, headers=headers)

    async def _auditor(self, request: Request) -> str:
        """Who asks, as the journal names him."""
        if api_key_from(header(request, "authorization"), "").startswith(PREFIX):
            session = await person(self.hub, request)
            session.person.check_role(Role.AUDITOR)
            return f"person:{session.person.id}"
        principal = caller(self.hub, request)
        principal.check_role(AUDITOR)
        return f"system:{principal.system}"

    def _exporter(self) -> Exporter:
        hub = self.hub
        if hub.signer is None:
            raise Halted("evidence-signer-missing", got="no [signing] in hub.toml")
        seal = Seal(hub.signer.credential, hub.signer.authority)
        return Exporter(hub.settings, hub.keyring, hub.store, hub.committer, hub.clock, seal)
