"""What the hub writes into the journal: the events and their fields, in one place, because a log cannot be changed later.

Every function takes the transaction and returns the position; parties are agency keys, so that each party's holder of the key
recognises the leaves that concern it (DESIGN §6).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from importlib.metadata import version
from typing import Any
from uuid import UUID

from hub.access import Principal
from hub.commit import Transaction
from hub.ledger import Claim
from hub.lineage import Lineage
from hub.outbox import Outcome
from replay.entry import EntryDraft
from replay.journal import Position
from schemas.agency import AgencyCode
from schemas.dictionary.store import dictionary
from schemas.errors import HubError
from schemas.message import Inbound, Message, rfc3339
from schemas.translation.engine import Translation

SOFTWARE = f"lgsp-hub {version('lgsp-hub')}"


@dataclass(frozen=True, slots=True)
class Arrival:
    """Bytes that an authenticated system handed in."""

    inbound: Inbound
    principal: Principal
    digest: bytes  # SHA-256 of the bytes


def accepted(
    tx: Transaction,
    arrival: Arrival,
    *,
    message_id: UUID,
    message: Message,
    facts: Mapping[str, str],
    lineage: Lineage,
    claim: Claim,
    artefacts: Mapping[str, str],
    copies: Sequence[Mapping[str, Any]],
    named: Mapping[str, Any],
    at: datetime,
) -> Position:
    """The acceptance of a message: `facts` as its row has them, what it is `named` by besides, and the copies it owes, each with its
    recipient and system."""
    envelope = message.envelope
    return tx.append(
        EntryDraft(
            event="accepted",
            at=at,
            parties=_parties(envelope.sender, *envelope.recipients),
            fields={
                **facts,
                **_arrival(arrival),
                "message_id": str(message_id),
                "recipients": [str(one) for one in envelope.recipients],
                "verdict": message.verdict.as_json(),
                "artefacts": dict(artefacts),
                "about": str(lineage.about) if lineage.about else None,
                "second_route_of": str(lineage.second_route_of) if lineage.second_route_of else None,
                "links": [[str(one.relation), one.document_id, str(one.target) if one.target else None] for one in lineage.links],
                "sender_id": claim.sender_id,
                "content_digest": claim.raw_digest.hex(),
                "deliveries": [dict(copy) for copy in copies],
                "named": dict(named),
            },
            message_id=message_id,
        )
    )


def bound(tx: Transaction, arrival: Arrival, message_id: UUID, sender_id: str) -> Position:
    """A further id of the sender's that means a message known already."""
    return tx.append(
        EntryDraft(
            event="duplicate-key",
            at=arrival.inbound.received_at,
            parties=_parties(*arrival.principal.agencies),
            fields={**_arrival(arrival), "message_id": str(message_id), "sender_id": sender_id},
            message_id=message_id,
        )
    )


def refused(tx: Transaction, arrival: Arrival, fault: HubError) -> Position:
    """A refusal: digest and reasons, never the body."""
    return tx.append(
        EntryDraft(
            event="refused",
            at=arrival.inbound.received_at,
            parties=_parties(*arrival.principal.agencies),
            fields={
                **_arrival(arrival),
                "code": fault.code,
                "reasons": sorted({violation.code for violation in fault.violations} | {fault.code}),
            },
        )
    )


def conflict(tx: Transaction, arrival: Arrival, first: UUID) -> Position:
    """An id that was used before, now with other bytes."""
    return tx.append(
        EntryDraft(
            event="conflict",
            at=arrival.inbound.received_at,
            parties=_parties(*arrival.principal.agencies),
            fields={**_arrival(arrival), "first": str(first)},
            message_id=first,
        )
    )


def delivery(
    tx: Transaction,
    *,
    message_id: UUID,
    delivery_id: UUID,
    recipient: AgencyCode,
    attempt: int,
    outcome: Outcome,
    at: datetime,
    reason: str = "",
    by: str = "",
    replay: str = "",
) -> None:
    """How an attempt to deliver ended, why a delivery was cancelled, or what a person decided (`reason` is theirs, `by` who it was).

    `replay` is the approved job that has it delivered again.
    """
    fields: dict[str, Any] = {
        "message_id": str(message_id),
        "delivery_id": str(delivery_id),
        "state": str(outcome.state),
        "attempt": attempt,
        "cause": outcome.cause,
        "remote_id": outcome.remote_id,
        "previous": tx.previous(message_id),
    }
    fields |= {name: text for name, text in (("reason", reason), ("by", by), ("replay", replay)) if text}
    tx.append(EntryDraft(event="delivery", at=at, parties=_parties(recipient), fields=fields, message_id=message_id))


def fetched(
    tx: Transaction, *, message_id: UUID, delivery_id: UUID, recipient: AgencyCode, system: str, attempt: int, at: datetime
) -> None:
    """A system came for its copy and was given it. From here on it may have it, whatever it says afterwards."""
    fields: dict[str, Any] = {
        "message_id": str(message_id),
        "delivery_id": str(delivery_id),
        "system": system,
        "attempt": attempt,
        "previous": tx.previous(message_id),
    }
    tx.append(EntryDraft(event="fetched", at=at, parties=_parties(recipient), fields=fields, message_id=message_id))


def translated(
    tx: Transaction,
    *,
    message_id: UUID,
    carrier_id: UUID,
    recipients: Sequence[AgencyCode],
    made: Translation,
    artefacts: Sequence[str],
    at: datetime,
) -> Position:
    """What a transmission was translated to, before it leaves: by which mappings (content-addressed), to which bytes, with which losses.

    Only places are named, never values. With `artefacts` (mappings and their stylesheets) and this release, the same bytes come out again.
    """
    return tx.append(
        EntryDraft(
            event="translated",
            at=at,
            parties=_parties(*recipients),
            fields={
                "message_id": str(message_id),
                "carrier": str(carrier_id),
                "recipients": [str(one) for one in recipients],
                "source": made.source,
                "target": made.target,
                "content_type": made.content_type,
                "mappings": list(made.mapping_ids),
                "artefacts": list(artefacts),
                "dictionary": [dictionary().version, dictionary().digest],
                "software": SOFTWARE,
                "digest": sha256(made.body).hexdigest(),
                "size": len(made.body),
                "losses": [[one.path, str(one.kind), one.format, one.mapping] for one in made.losses],
                "previous": tx.previous(message_id),
            },
            message_id=message_id,
        )
    )


def erased(
    tx: Transaction,
    *,
    message_id: UUID,
    parties: Sequence[AgencyCode],
    by: str,
    reason: str,
    entries: Sequence[int],
    tombstones: Sequence[bytes],
    left: Any,
    at: datetime,
) -> Position:
    """A message was erased: who decided it and why, which entries it closes, what it will be recognised by, what is left of its rows."""
    fields = {
        "message_id": str(message_id),
        "by": by,
        "reason": reason,
        "entries": list(entries),
        "tombstones": [tag.hex() for tag in tombstones],
        "left": left,
        "previous": tx.previous(message_id),
    }
    return tx.append(EntryDraft(event="erased", at=at, parties=_parties(*parties), fields=fields, message_id=message_id))


def hold(tx: Transaction, *, message_id: UUID, parties: Sequence[AgencyCode], state: str, by: str, reason: str, at: datetime) -> Position:
    """A legal hold was ``set`` or ``released``."""
    fields = {"message_id": str(message_id), "state": state, "by": by, "reason": reason, "previous": tx.previous(message_id)}
    return tx.append(EntryDraft(event="hold", at=at, parties=_parties(*parties), fields=fields, message_id=message_id))


def key_change(tx: Transaction, *, purpose: str, key_id: str, state: str, by: str, at: datetime) -> Position:
    """A key of the hub was ``added`` or ``retired``; the id says nothing of the key."""
    return tx.append(EntryDraft(event="key", at=at, parties=(), fields={"purpose": purpose, "key_id": key_id, "state": state, "by": by}))


def verified_again(
    tx: Transaction, *, message_id: UUID, parties: Sequence[AgencyCode], state: str, verdict: Mapping[str, Any], evidence: str, at: datetime
) -> None:
    """A verdict that was reached again: what it is now, by the evidence named."""
    fields = {
        "message_id": str(message_id),
        "state": state,
        "verdict": dict(verdict),
        "evidence": evidence,
        "previous": tx.previous(message_id),
    }
    tx.append(EntryDraft(event="verified-again", at=at, parties=_parties(*parties), fields=fields, message_id=message_id))


def exported(
    tx: Transaction, *, parties: Sequence[AgencyCode], by: str, what: Mapping[str, Any], message_id: UUID | None, at: datetime
) -> Position:
    """Evidence was handed out: of what, and by whom."""
    return tx.append(EntryDraft(event="evidence", at=at, parties=_parties(*parties), fields={**what, "by": by}, message_id=message_id))


def _arrival(arrival: Arrival) -> dict[str, Any]:
    inbound = arrival.inbound
    return {
        "principal": arrival.principal.system,
        "received": {
            "by": inbound.peer,
            "at": rfc3339(inbound.received_at),
            "content_type": inbound.content_type,
            "charset": inbound.charset,
            "idempotency_key": inbound.idempotency_key,
        },
        "raw_digest": arrival.digest.hex(),
        "size": len(inbound.raw),
    }


def _parties(*codes: AgencyCode) -> tuple[str, ...]:
    return tuple(sorted({code.key for code in codes}))
