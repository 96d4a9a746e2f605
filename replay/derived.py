"""What the rows and the receipt of an accepted message must be, by what its acceptance in the journal commits to. Pure.

Ids are 32 hexadecimal digits, as `replay.store.loose` reads them. An acceptance of another form than `hub.record` writes raises
`KeyError`, `TypeError`, `ValueError` or `AttributeError`.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from replay.store.index_key import index_key
from schemas.agency import AgencyCode

_PLAIN_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")  # reading another spelling takes five times as long
# Columns of `messages` that the acceptance has under their own names.
FACTS = (
    "principal",
    "kind",
    "sender",
    "document_id",
    "subject",
    "natural_id",
    "fingerprint",
    "title",
    "status_code",
    "priority",
    "paper",
    "size",
    "warnings",
    "verdict",
)


@dataclass(frozen=True, slots=True)
class Acceptance:
    """An ``accepted`` entry."""

    index: int
    leaf_hash: bytes
    at: str  # RFC 3339
    values: Mapping[str, Any] | None  # None once erased, or where the opening is not to be believed


@dataclass(frozen=True, slots=True)
class Binding:
    """A sender's id and what it means."""

    principal: str
    sender_id: str
    message_id: str  # hexadecimal
    digest: bytes  # of the content that the id stands for


def message(accepted: Acceptance, values: Mapping[str, Any]) -> dict[str, Any]:
    """The row of `messages` by column, without the receipt; the verdict as its JSON value."""
    received = values["received"]
    return {
        **{name: values[name] for name in FACTS},
        "id": hexadecimal(values["message_id"]),
        "sender_key": AgencyCode.of(values["sender"]).key,
        "document_key": index_key(values["document_id"]),
        "subject_key": index_key(values["subject"]),
        "raw_digest": bytes.fromhex(values["raw_digest"]),
        "content_type": received["content_type"],
        "charset": received["charset"],
        "protocol": received["by"].partition(" ")[0],
        "received_at": received["at"],
        "accepted_at": accepted.at,
        "second_route_of": hexadecimal(values["second_route_of"]),
        "about": hexadecimal(values["about"]),
    }


def receipt(accepted: Acceptance, values: Mapping[str, Any], origin: str) -> dict[str, Any]:
    """What the receipt says, without its signature and the name of its key."""
    return {
        "v": 1,
        "origin": origin,
        "message_id": values["message_id"],
        "index": accepted.index,
        "leaf_hash": b64encode(accepted.leaf_hash).decode("ascii"),
        "raw_sha256": values["raw_digest"],
        "document_id": values["document_id"],
        "kind": values["kind"],
        "sender": values["sender"],
        "recipients": values["recipients"],
        "verdict": values["verdict"]["verdict"],
        "legal_value": values["verdict"]["legal_value"],
        "accepted_at": accepted.at,
    }


def deliveries(accepted: Acceptance, values: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """What never changes in the rows of `deliveries`, by id."""
    return {
        hexadecimal(copy["id"]): {
            "carrier_id": hexadecimal(copy["carrier"]),
            "message_id": hexadecimal(values["message_id"]),
            "recipient": copy["recipient"],
            "recipient_key": AgencyCode.of(copy["recipient"]).key,
            "system": copy["system"],
            "order_key": copy["order_key"],
            "sequence": accepted.index,
        }
        for copy in values["deliveries"]
    }


def links(values: Mapping[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    """The rows of `links` by relation and document; of two links of one key the later one stands."""
    return {
        (relation, index_key(document_id)): {"document_id": document_id, "target": hexadecimal(target)}
        for relation, document_id, target in values["links"]
    }


def first_binding(values: Mapping[str, Any]) -> Binding:
    """The id under which the message came."""
    digest = bytes.fromhex(values["content_digest"])
    return Binding(values["principal"], values["sender_id"], hexadecimal(values["message_id"]), digest)


def later_binding(values: Mapping[str, Any]) -> Binding:
    """The id that a ``duplicate-key`` entry adds. Only bytes that were received come twice, so the digest is theirs."""
    digest = bytes.fromhex(values["raw_digest"])
    return Binding(values["principal"], values["sender_id"], hexadecimal(values["message_id"]), digest)


def hexadecimal(text: str | None) -> Any:
    """A UUID's text as 32 hexadecimal digits; None stays None."""
    if text is None:
        return None
    return text.replace("-", "") if _PLAIN_UUID.fullmatch(text) else UUID(text).hex
