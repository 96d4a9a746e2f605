"""What an agency published by AMQP, judged and answered. Knows messages, not connections.

Procedure of `answer_to`:

1. the broker-checked ``user_id`` must be the queue's own user; size, key and content type as the other faces take them
2. hand it to the hub, which records it and gives the receipt
3. the answer: the receipt, or why it was refused

Every message gets an answer or is held; none may end the thread that reads it, nor come back for ever.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

import structlog

from adapters.contract import Take
from schemas.errors import Disposition, HubError, Parked, Refused, shown
from schemas.heading import checked_key, media_type
from schemas.limits import Limits
from schemas.message import Inbound

# What halts the hub whatever it is given. Any other HALT is about what this one message has touched: nobody would be helped by waiting.
_HUB_CANNOT = frozenset(
    (
        "store-unavailable",
        "store-missing",
        "store-version",
        "journal-origin",
        "journal-damaged",
        "journal-gap",
        "head-mismatch",
        "keys-missing",
        "keys-exposed",
    )
)
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Published:
    """One message as the broker hands it over. Only `user_id` is checked by the broker; the rest is the publisher's word."""

    body: bytes
    user_id: str = ""
    message_id: str = ""
    correlation_id: str = ""
    reply_to: str = ""
    content_type: str = ""

    @classmethod
    def of(cls, body: bytes, properties: Mapping[str, object]) -> Published:
        """From the properties of AMQP 0-9-1 §1.8.1; a missing one is "". (py-amqp's empty body is a text.)"""
        names = ("user_id", "message_id", "correlation_id", "reply_to", "content_type")
        return cls(body or b"", **{name: str(properties.get(name) or "") for name in names})

    @property
    def mark(self) -> str:
        """By which the publisher finds its message again."""
        return self.correlation_id or self.message_id


@dataclass(frozen=True, slots=True)
class Reply:
    """What goes to the publisher. `correlation_id` lets it find its message again."""

    body: bytes
    content_type: str
    correlation_id: str
    code: str  # "" for a receipt, else the refusal's code


def answer_to(published: Published, user: str, take: Take, *, clock: Callable[[], datetime], limits: Limits) -> Reply | HubError:
    """The answer for the publisher; a `HubError` (RETRY, HALT) means that the hub cannot take it now and nothing is answered yet."""
    try:
        _check(published, user, limits)  # 1
        receipt = take(_inbound(published, user, clock(), limits), user)  # 2
    except HubError as fault:
        if fault.disposition is Disposition.RETRY or fault.code in _HUB_CANNOT:
            return fault
        return give_up(published, user, fault) if fault.disposition is Disposition.HALT else _problem(published, fault)  # 3
    except Exception as fault:  # noqa: BLE001
        return give_up(published, user, fault)
    return Reply(receipt, "application/json", published.mark, "")


def give_up(published: Published, user: str, fault: Exception) -> Reply:
    """The answer to a message that the hub itself fails at: recorded in the log for the operator, without details for the publisher."""
    about = type(fault).__name__, shown(fault)
    _log.error("a message was given up", user=user, mark=shown(published.mark), fault=": ".join(about), exc_info=fault)
    return _problem(published, Parked("internal-error"))


def _problem(published: Published, fault: HubError) -> Reply:
    body = json.dumps(fault.as_json(), ensure_ascii=False).encode()
    return Reply(body, "application/problem+json", published.mark, fault.code)


def _check(published: Published, user: str, limits: Limits) -> None:
    if published.user_id != user:
        raise Refused("amqp-user-id", got=published.user_id or "no user_id that can be read", expected=user)
    if len(published.body) > limits.max_body_bytes:
        raise Refused("too-large", got=f"{len(published.body)} bytes", expected=f"at most {limits.max_body_bytes} bytes")


def _inbound(published: Published, user: str, at: datetime, limits: Limits) -> Inbound:
    content_type, charset = media_type(published.content_type)
    return Inbound(
        raw=published.body,
        content_type=content_type,
        charset=charset.lower(),
        peer=f"amqp {user}",
        received_at=at,
        idempotency_key=checked_key(published.message_id, "property message_id", limits.max_header_chars),
    )
