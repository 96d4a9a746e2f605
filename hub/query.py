"""What became of a message: the state of every recipient's copy and the events, for its sender and its recipients only."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select

from hub.access import Principal
from hub.verification import standing
from replay.store.engine import Store
from replay.store.tables import AnyRow, deliveries, links, messages, openings
from schemas.agency import AgencyCode
from schemas.errors import Refused
from schemas.message import DeliveryState


def trace(store: Store, principal: Principal, message_id: UUID) -> dict[str, Any]:
    """The message with its deliveries, its events in order, and the statuses that answer it.

    Its sender sees all; a recipient its own copies, events and statuses, for what others answer is none of its business.

    Raises `Refused("not-found")` for an unknown message and for one that is none of the caller's business alike.
    """
    with store.read() as conn:
        row = conn.execute(select(messages).where(messages.c.id == message_id)).first()
        copies = conn.execute(
            select(deliveries).where(deliveries.c.message_id == message_id).order_by(deliveries.c.sequence, deliveries.c.recipient_key)
        ).all()
        if row is None:
            raise Refused("not-found", got=str(message_id))
        mine = row.principal == principal.system or principal.serves(AgencyCode.of(row.sender))
        seen = copies if mine else [copy for copy in copies if copy.system == principal.system]
        if not seen:
            raise Refused("not-found", got=str(message_id))
        told = {
            **_message(row),
            "state": summary([copy.state for copy in seen]),
            "deliveries": [_copy(copy) for copy in seen],
            "statuses": _statuses(conn, message_id, None if mine else {AgencyCode.of(copy.recipient).key for copy in seen}),
            "links": _links(conn, message_id),
            "verification": standing(conn, message_id),
        }
        return told | {"events": _events(conn, message_id, None if mine else {str(copy.id) for copy in seen})}


def summary(states: Sequence[str]) -> str:
    """One word for all copies: `delivered` or `cancelled` when all are, `attention` when a person is needed, `refused`,
    else `under-way`."""
    if any(state in (DeliveryState.PARKED, DeliveryState.IN_DOUBT) for state in states):
        return "attention"
    live = {state for state in states if state != DeliveryState.CANCELLED}
    if not live:
        return "cancelled"
    if live == {DeliveryState.DELIVERED}:
        return "delivered"
    return "refused" if live <= {DeliveryState.DELIVERED, DeliveryState.REFUSED} else "under-way"


def _message(row: AnyRow) -> dict[str, Any]:
    return {
        "message_id": str(row.id),
        "kind": row.kind,
        "sender": row.sender,
        "document_id": row.document_id,
        "title": row.title,
        "status_code": row.status_code,
        "index": row._mapping["index"],  # `Row.index` is the tuple's method
        "raw_sha256": row.raw_digest.hex(),
        "size": row.size,
        "received_at": row.received_at,
        "accepted_at": row.accepted_at,
        "verdict": json.loads(row.verdict),
        "warnings": json.loads(row.warnings),
        "second_route_of": str(row.second_route_of) if row.second_route_of else None,
        "about": str(row.about) if row.about else None,
    }


def _copy(row: AnyRow) -> dict[str, Any]:
    return {
        "delivery_id": str(row.id),
        "recipient": row.recipient,
        "system": row.system,
        "state": row.state,
        "attempt": row.attempt,
        "due_at": row.due_at if row.state == DeliveryState.DEFERRED else None,
        "cause": row.cause,
        "detail": row.detail,
        "remote_id": row.remote_id,
        "updated_at": row.updated_at,
    }


def _statuses(conn: Connection, message_id: UUID, senders: set[str] | None) -> list[dict[str, Any]]:
    columns = [messages.c[name] for name in ("id", "sender", "sender_key", "status_code", "title", "accepted_at")]
    rows = conn.execute(select(*columns).where(messages.c.about == message_id).order_by(messages.c.index))
    return [
        {
            "message_id": str(row.id),
            "from": row.sender,
            "code": row.status_code,
            "description": row.title,
            "accepted_at": row.accepted_at,
        }
        for row in rows
        if senders is None or row.sender_key in senders
    ]


def _links(conn: Connection, message_id: UUID) -> list[dict[str, Any]]:
    """What this message does to documents, and what later ones did to it (``replaced`` and so on, as ``by``)."""
    own = conn.execute(select(links).where(links.c.message_id == message_id)).all()
    later = conn.execute(select(links).where(links.c.target == message_id)).all()
    return [
        {"relation": row.relation, "document_id": row.document_id, "target": str(row.target) if row.target else None} for row in own
    ] + [{"relation": row.relation, "by": str(row.message_id)} for row in later]


def _events(conn: Connection, message_id: UUID, delivery_ids: set[str] | None) -> list[dict[str, Any]]:
    rows = conn.execute(
        select(openings.c.index.label("position"), openings.c.event, openings.c.at, openings.c.body)
        .where(openings.c.message_id == message_id)
        .order_by(openings.c.index)
    )
    told = [{"index": row.position, "event": row.event, "at": row.at, **_shown(row.event, row.body)} for row in rows]
    return [
        one
        for one in told
        if delivery_ids is None or one.get("delivery_id", "") in delivery_ids or one["event"] in ("accepted", "verified-again")
    ]


def _shown(event: str, body: bytes | None) -> dict[str, Any]:
    """Of what happened to a copy, what it was; salts stay with the auditors."""
    if body is None or event not in ("delivery", "fetched"):
        return {}
    opened = json.loads(body)
    return {name: opened[name]["value"] for name in ("delivery_id", "state", "attempt", "cause", "remote_id") if name in opened}
