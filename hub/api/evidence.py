"""Containers of evidence, for auditors: of one message, and that nothing about a party was withheld. Each is journalled."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hub.access import api_key_from
from hub.api.openapi_evidence import MAX_CHARS
from hub.api.people import person
from hub.api.request import caller, header, uuid_in_path
from hub.evidence import Exporter, Seal
from hub.persons import Role
from hub.sessions import PREFIX
from replay.evidence.period import Period
from schemas.agency import AgencyCode
from schemas.errors import Halted, Refused, error
from schemas.message import instant
from signing.asic import EXTENDED

if TYPE_CHECKING:
    from hub.node import Hub

AUDITOR = "auditor"  # the role, of a person or in a system's profile


@dataclass(frozen=True, slots=True)
class Evidence:
    """The endpoint; `routes` is what the app mounts."""

    hub: Hub

    def routes(self) -> list[Route]:
        """Its addresses."""
        return [
            Route("/api/v1/messages/{message}/evidence", self.export, methods=["GET"]),
            Route("/api/v1/evidence/completeness", self.completeness, methods=["GET"]),
        ]

    async def export(self, request: Request) -> Response:
        """The container, signed with the hub's certificate."""
        by = await self._auditor(request)
        message_id = uuid_in_path(request, "message")
        made = await asyncio.to_thread(lambda: self._exporter().message(message_id, by))
        headers = {"Content-Disposition": f'attachment; filename="evidence-{message_id}.asice"', "Cache-Control": "no-store"}
        return Response(made, media_type=EXTENDED, headers=headers)

    async def completeness(self, request: Request) -> Response:
        """That nothing about ?party was withheld ?from … ?to."""
        by = await self._auditor(request)
        party, since, until = (_one(request, name) for name in ("party", "from", "to"))
        period = Period(AgencyCode.of(party), _moment("from", since), _moment("to", until))
        made = await asyncio.to_thread(lambda: self._exporter().completeness(period, by))
        headers = {"Content-Disposition": 'attachment; filename="completeness.asice"', "Cache-Control": "no-store"}
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


def _one(request: Request, name: str) -> str:
    """A query parameter that has to be there, once."""
    values = request.query_params.getlist(name)
    if len(values) != 1 or not 0 < len(values[0]) <= MAX_CHARS:
        raise _invalid(name, f"{len(values)} times", "once")
    return values[0]


def _moment(name: str, text: str) -> datetime:
    try:
        return instant(text)
    except ValueError as fault:
        raise _invalid(name, text, "RFC 3339 with a zone, as 2026-11-21T10:00:00+07:00 (+ is %2B in a query)") from fault


def _invalid(name: str, got: str, expected: str) -> Refused:
    one = error("parameter-invalid", path=f"query {name}", got=got, expected=expected)
    return Refused("invalid-request", got=f"{one.path}: {one.got}", expected=one.expected, violations=(one,))
