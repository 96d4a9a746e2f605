"""The REST face, `/api/v1`: hand in a packet, follow it, fetch what waits, acknowledge it, report its status.

The endpoints are plain Starlette routes, not FastAPI ones: no dependency chain and no body that is read before its limit is known.
"""

from __future__ import annotations

import asyncio
import base64
import re
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hub import status
from hub.api.body import Budget, read_body
from hub.api.finding import Finding
from hub.api.pace import in_place_of, outcome
from hub.api.problem import json_response
from hub.api.request import caller, idempotency_key, media_type, peer, refuse_content_encoding, uuid_in_path, whole_number
from hub.api.shapes import Ack, StatusReport, read_json
from hub.api.trace import note_of
from hub.mailbox import Item
from hub.query import trace
from schemas.errors import Refused, error
from schemas.message import Inbound, Receipt

if TYPE_CHECKING:
    from hub.node import Hub

MAX_PAGE = 500
_PLAIN_TYPE = re.compile(r"[a-z]+/[a-z0-9.+-]+(; ?charset=[A-Za-z0-9._-]+)?")


@dataclass(frozen=True, slots=True)
class Rest:
    """The endpoints; `routes` is what the app mounts."""

    hub: Hub
    budget: Budget

    def routes(self) -> list[Route]:
        """Every REST address but the documentation and health ones."""
        return [
            Route("/api/v1/messages", self.messages, methods=["GET", "POST"]),
            Route("/api/v1/messages/{message}", self.follow, methods=["GET"]),
            Route("/api/v1/inbox", self.list_inbox, methods=["GET"]),
            Route("/api/v1/inbox/{delivery}", self.fetch, methods=["GET"]),
            Route("/api/v1/inbox/{delivery}/ack", self.acknowledge, methods=["POST"]),
            Route("/api/v1/inbox/{delivery}/status", self.report_status, methods=["POST"]),
        ]

    async def messages(self, request: Request) -> Response:
        """One address: packets are handed in here, and found."""
        return await (self.send(request) if request.method == "POST" else Finding(self.hub).find(request))

    async def send(self, request: Request) -> Response:
        """Take a packet in: 201 with the receipt, or 200 with the first receipt, byte for byte, when it is a repetition."""
        principal = caller(self.hub, request)
        kind, charset = media_type(request)
        if kind not in ("application/xml", "text/xml"):
            raise Refused("unsupported-media-type", got=kind or "no Content-Type", expected="application/xml")
        refuse_content_encoding(request)
        limits = self.hub.limits
        key = idempotency_key(request, limits.max_header_chars)
        with self.budget.hold() as held:
            raw = await read_body(request, held, max_bytes=limits.max_body_bytes, max_idle_s=limits.max_body_idle_s)
            inbound = Inbound(raw, kind, charset, peer(request, "rest"), self.hub.clock(), key)
            receipt = await outcome(await in_place_of(len(raw), self.hub.intake.begin, inbound, principal))
        return receipt_response(request, receipt)

    async def follow(self, request: Request) -> Response:
        """State per recipient and the events of one message, for its sender and its recipients."""
        principal, message_id = caller(self.hub, request), uuid_in_path(request, "message")
        return json_response(await asyncio.to_thread(trace, self.hub.store, principal, message_id))

    async def list_inbox(self, request: Request) -> Response:
        """What waits for the caller, in order of acceptance."""
        principal = caller(self.hub, request)
        limit, after = whole_number(request, "limit", 100, 1, MAX_PAGE), whole_number(request, "after", 0, 0)
        items, cursor = await asyncio.to_thread(self.hub.mailbox.pending, principal, limit=limit, after=after)
        return json_response({"items": [item_as_json(item) for item in items], "next": cursor or None})

    async def fetch(self, request: Request) -> Response:
        """One packet as it was received, byte for byte."""
        principal, delivery_id = caller(self.hub, request), uuid_in_path(request, "delivery")
        item, raw, content_type = await asyncio.to_thread(self.hub.mailbox.fetch, principal, delivery_id, at=self.hub.clock())
        digest = base64.b64encode(bytes.fromhex(item.sha256)).decode("ascii")
        headers = {
            "Content-Type": content_type if _PLAIN_TYPE.fullmatch(content_type) else "application/xml",
            "ETag": f'"{item.sha256}"',
            "Digest": f"sha-256={digest}",  # RFC 3230, still what most software reads
            "Content-Digest": f"sha-256=:{digest}:",  # RFC 9530
            "X-Message-Id": str(item.message_id),
            "X-LGSP-Legal-Value": item.legal_value,
        }
        if item.verification:
            headers["X-LGSP-Verification"] = item.verification
        return Response(raw, headers=headers)

    async def acknowledge(self, request: Request) -> Response:
        """The caller has stored the packet, or refuses it; the delivery is final either way."""
        principal, delivery_id = caller(self.hub, request), uuid_in_path(request, "delivery")
        raw = await self._small_body(request)
        ack = read_json(Ack, raw) if raw.strip() else Ack(outcome="received", reason="")
        if ack.outcome == "refused" and not ack.reason.strip():
            one = error("json-invalid", path="/reason", got="", expected="a reason when outcome is refused")
            raise Refused("json-invalid", expected=one.expected, violations=(one,))
        reason = ack.reason if ack.outcome == "refused" else ""
        begun = await asyncio.to_thread(self.hub.mailbox.acknowledge, principal, delivery_id, at=self.hub.clock(), refused_reason=reason)
        return json_response({"delivery_id": str(delivery_id), "state": await outcome(begun)})

    async def report_status(self, request: Request) -> Response:
        """A status of the fetched document; the hub writes the packet that goes back to its sender."""
        principal, delivery_id = caller(self.hub, request), uuid_in_path(request, "delivery")
        report = read_json(StatusReport, await self._small_body(request))
        begun = await asyncio.to_thread(
            status.report,
            self.hub,
            principal,
            delivery_id,
            code=report.code,
            description=report.description,
            staff={name: text for name, text in report.staff.model_dump().items() if text},
            at=self.hub.clock(),
            idempotency_key=idempotency_key(request, self.hub.limits.max_header_chars),
        )
        return receipt_response(request, await outcome(begun))

    async def _small_body(self, request: Request) -> bytes:
        kind, _ = media_type(request)
        refuse_content_encoding(request)
        limits = self.hub.limits
        with self.budget.hold() as held:
            raw = await read_body(request, held, max_bytes=limits.max_json_bytes, max_idle_s=limits.max_body_idle_s)
        if kind != "application/json" and (kind or raw):
            raise Refused("unsupported-media-type", got=kind or "no Content-Type", expected="application/json")
        return raw


def receipt_response(request: Request, receipt: Receipt) -> Response:
    """The receipt's own bytes: they are signed, so nothing is added to them."""
    note_of(request.scope).message_id = str(receipt.message_id)
    headers = {"Location": f"/api/v1/messages/{receipt.message_id}"}
    if receipt.repeated:
        headers["Idempotent-Replayed"] = "true"
    return Response(receipt.body, 200 if receipt.repeated else 201, headers, media_type="application/json")


def item_as_json(item: Item) -> dict[str, Any]:
    """One line of the inbox listing."""
    return asdict(item)
