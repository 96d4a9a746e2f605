"""`POST /api/v1/verify`: the verdict on any file, as `lgsp verify --json` gives it, with the hub's own trust and agencies.

The body is the file, whatever its content type says; options stand in the query. Nothing is stored, journalled or fetched.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hub.api.body import Budget, read_body
from hub.api.problem import json_response
from hub.api.request import caller, refuse_content_encoding
from schemas.errors import Refused, error
from signing.container import Kind
from signing.policy import SignatureMode, SignaturePolicy
from signing.verify import verify_file

if TYPE_CHECKING:
    from hub.node import Hub

KINDS = ("auto", *(str(one) for one in Kind if one not in (Kind.ZIP, Kind.UNKNOWN)))
_OPTIONS = frozenset({"kind", "at", "policy", "domain"})


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
            raw = await read_body(request, held, max_bytes=limits.max_body_bytes, max_idle_s=limits.max_body_idle_s)
            judged = await asyncio.to_thread(verify_file, raw, policy, ctx, kind=kind, limits=limits)
        told: dict[str, Any] = judged.verdict.as_json()
        return json_response(told | {"violations": [one.as_json() for one in judged.violations]})


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
        moment = datetime.fromisoformat(text.replace(" ", "+"))  # a plus that nobody escaped
        if moment.tzinfo is None:
            raise ValueError("without zone")
        return moment.astimezone(UTC)
    except (ValueError, OverflowError) as fault:
        raise _invalid("at", text, "RFC 3339 with zone: 2026-11-21T10:00:00%2B07:00") from fault


def _invalid(name: str, got: str, expected: str) -> Refused:
    one = error("parameter-invalid", path=f"query {name}", got=got, expected=expected)
    return Refused("invalid-request", got=f"{one.path} = {one.got}", expected=one.expected, violations=(one,))
