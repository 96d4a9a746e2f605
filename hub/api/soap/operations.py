"""The five operations: what each does with a checked call. Answers are fields in the order of the schema."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from hub import status
from hub.access import Principal
from hub.api.pace import in_place_of, outcome
from hub.api.soap.answer import Field
from hub.api.soap.envelope import Call
from hub.mailbox import Item
from schemas.errors import Refused, error
from schemas.heading import checked_key
from schemas.message import Inbound, Receipt

if TYPE_CHECKING:
    from hub.node import Hub

MAX_STATUS_CODE_CHARS = 8


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls, from where."""

    hub: Hub
    principal: Principal
    peer: str
    size: int  # bytes of the request


async def send_package(caller: Caller, call: Call) -> list[Field]:
    """Takes a packet in; its bytes are what the base64 decodes to."""
    key = checked_key(call.text("idempotencyKey").strip(), "idempotencyKey", caller.hub.limits.max_header_chars)
    return _receipt(await _take(caller, call, key))


async def list_pending(caller: Caller, call: Call) -> list[Field]:
    """What waits for the caller."""
    limit, after = call.number("limit", 100), call.number("after", 0)
    items, cursor = await asyncio.to_thread(caller.hub.mailbox.pending, caller.principal, limit=limit, after=after)
    return [*(("item", dict([*_item(item), *_mark(item)])) for item in items), ("next", cursor)]


async def get_package(caller: Caller, call: Call) -> list[Field]:
    """One packet, byte for byte."""
    item, raw, content_type = await asyncio.to_thread(caller.hub.mailbox.fetch, caller.principal, _delivery(call), at=caller.hub.clock())
    return [*_item(item), ("contentType", content_type), ("package", raw), *_mark(item)]


async def confirm_received(caller: Caller, call: Call) -> list[Field]:
    """The caller has stored the packet, or refuses it."""
    hub, reason = caller.hub, call.text("refusedReason").strip()
    begun = await asyncio.to_thread(hub.mailbox.acknowledge, caller.principal, _delivery(call), at=hub.clock(), refused_reason=reason)
    state = await outcome(begun)
    return [("state", state)]


async def update_status(caller: Caller, call: Call) -> list[Field]:
    """A status: told by its code, or as a status packet of the caller's own."""
    told, packet = call.has("deliveryId") and call.has("statusCode"), call.has("package")
    if told == packet or (packet and (call.has("deliveryId") or call.has("statusCode"))):
        one = error(
            "parameter-invalid",
            path="UpdateStatus",
            got=", ".join(name for name in ("deliveryId", "statusCode", "package") if call.has(name)) or "none of them",
            expected="either deliveryId and statusCode, or package",
        )
        raise Refused("invalid-request", got=one.got, expected=one.expected, violations=(one,))
    if packet:
        return _receipt(await _take(caller, call, ""))
    begun = await asyncio.to_thread(
        status.report,
        caller.hub,
        caller.principal,
        _delivery(call),
        code=call.text("statusCode").strip()[:MAX_STATUS_CODE_CHARS],
        description=call.text("description").strip(),
        staff={name: text.strip() for name, text in call.fields("staff").items() if text.strip()},
        at=caller.hub.clock(),
    )
    return _receipt(await outcome(begun))


OPERATIONS: dict[str, Callable[[Caller, Call], Awaitable[list[Field]]]] = {
    "SendPackage": send_package,
    "ListPending": list_pending,
    "GetPackage": get_package,
    "ConfirmReceived": confirm_received,
    "UpdateStatus": update_status,
}


async def _take(caller: Caller, call: Call, key: str) -> Receipt:
    hub = caller.hub
    raw = await in_place_of(caller.size, call.binary, "package")
    inbound = Inbound(raw, "application/xml", "", caller.peer, hub.clock(), key)
    return await outcome(await in_place_of(len(raw), hub.intake.begin, inbound, caller.principal))


def _delivery(call: Call) -> UUID:
    return UUID(call.text("deliveryId"))


def _receipt(receipt: Receipt) -> list[Field]:
    return [
        ("messageId", str(receipt.message_id)),
        ("index", receipt.index),
        ("receipt", receipt.body),
        ("repeated", receipt.repeated),
    ]


def _item(item: Item) -> list[Field]:
    return [
        ("deliveryId", str(item.delivery_id)),
        ("messageId", str(item.message_id)),
        ("kind", item.kind),
        ("sender", item.sender),
        ("recipient", item.recipient),
        ("documentId", item.document_id),
        ("title", item.title),
        ("acceptedAt", item.accepted_at),
        ("size", item.size),
        ("sha256", item.sha256),
    ]


def _mark(item: Item) -> list[Field]:
    """Behind all the rest: software that was built before these stood there passes over them."""
    return [("legalValue", item.legal_value), *([("verification", item.verification)] if item.verification else [])]
