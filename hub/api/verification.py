"""`POST /api/v1/verify`: the verdict on any file, as `lgsp verify --json` gives it, with the hub's own trust and agencies.

The body is the file, whatever its content type says; options stand in the query. What a detached signature or a time-stamp is over comes
beside it: the body is then `multipart/form-data` with the parts ``file`` and ``content``, which together may be as large as any body.
Nothing is stored, journalled or fetched.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hub.api import form_data
from hub.api.body import Budget, Held, read_body
from hub.api.problem import json_response
from hub.api.request import caller, header, refuse_content_encoding
from schemas.errors import Refused, error
from schemas.message import instant
from signing.container import Kind
from signing.policy import SignatureMode, SignaturePolicy
from signing.verify import verify_file

if TYPE_CHECKING:
    from hub.node import Hub

KINDS = ("auto", *(str(one) for one in Kind if one not in (Kind.ZIP, Kind.UNKNOWN)))
_OPTIONS = frozenset({"kind", "at", "policy", "domain"})
_PARTS = ("file", "content")


@dataclass(frozen=True, slots=True)
class Verification:
    """The endpoint; `routes` is what the app mounts."""

    hub: Hub
    budget: Budget

    def routes(self) -> list[Route]:
        """Its one address."""
        return [Route("/api/v1/verify", self.verify, methods=["POST"])]

    async def verify(self, request: Request) -> Response:
        """The verdict on the body. 200 whatever it says: the question was answered."""
        caller(self.hub, request)
        refuse_content_encoding(request)
        asked = {name: _single(request, name) for name in sorted(request.query_params)}
        kind, at = _kind(asked.get("kind", "auto")), _moment(asked.get("at", ""), self.hub.clock())
        mode = _mode(asked.get("policy", SignatureMode.REQUIRE))
        intake, limits = self.hub.intake, self.hub.limits
        domain = asked.get("domain", self.hub.settings.signature.domain)
        policy = SignaturePolicy(mode, intake.policies.bindings, domain=domain)
        ctx = intake.grounds.context(at, domain)
        with self.budget.hold() as held:
            data, content = await self._files(request, held)
            judged = await asyncio.to_thread(verify_file, data, policy, ctx, kind=kind, content=content, limits=limits)
        told: dict[str, Any] = judged.verdict.as_json()
        return json_response(told | {"violations": [one.as_json() for one in judged.violations]})

    async def _files(self, request: Request, held: Held) -> tuple[bytes, bytes | None]:
        """The file, and what it is over; None where that does not come beside it."""
        limits = self.hub.limits
        said = header(request, "content-type")
        boundary = form_data.boundary_of(said) if said.partition(";")[0].strip().lower() == form_data.TYPE else b""
        raw = await read_body(request, held, max_bytes=limits.max_body_bytes, max_idle_s=limits.max_body_idle_s)
        if not boundary:
            return raw, None
        held.take(len(raw))  # the parts are copies
        parts = await asyncio.to_thread(form_data.parts_of, raw, boundary, _PARTS)
        if _PARTS[0] not in parts:
            raise _missing(", ".join(parts))
        return parts[_PARTS[0]], parts.get(_PARTS[1])


def _missing(got: str) -> Refused:
    one = error("parameter-invalid", path="body part", got=got or "none", expected=_PARTS[0])
    return Refused("invalid-request", got=f"{one.path}: {one.got}", expected=one.expected, violations=(one,))


def _single(request: Request, name: str) -> str:
    values = request.query_params.getlist(name)
    if name not in _OPTIONS or len(values) > 1:
        raise _invalid(name, ", ".join(values), f"one of {', '.join(sorted(_OPTIONS))}, once")
    return values[0]


def _kind(text: str) -> Kind | None:
    if text not in KINDS:
        raise _invalid("kind", text, ", ".join(KINDS))
    return None if text == "auto" else Kind(text)


def _mode(text: str) -> SignatureMode:
    try:
        return SignatureMode(text)
    except ValueError as fault:
        raise _invalid("policy", text, ", ".join(SignatureMode)) from fault


def _moment(text: str, now: datetime) -> datetime:
    if not text:
        return now
    try:
        return instant(text.replace(" ", "+"))  # a plus that nobody escaped
    except ValueError as fault:
        raise _invalid("at", text, "RFC 3339 with zone: 2026-11-21T10:00:00%2B07:00") from fault


def _invalid(name: str, got: str, expected: str) -> Refused:
    one = error("parameter-invalid", path=f"query {name}", got=got, expected=expected)
    return Refused("invalid-request", got=f"{one.path} = {one.got}", expected=one.expected, violations=(one,))
