"""What one acceptance writes, in one transaction: message, payload, links, deliveries, journal entry, receipt (DESIGN §3 step 6)."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from hub import copies, record, verification
from hub.commit import Transaction
from hub.ledger import Claim
from hub.lineage import Lineage, Relation, trace_back
from hub.outbox import Pointer
from hub.record import Arrival
from hub.routing import Route
from replay import search, terms
from replay.journal import Position
from replay.payloads import PayloadStore, SealedPayload
from replay.store.index_key import index_key
from replay.store.tables import links, messages
from schemas.directory import Directory
from schemas.edxml.packet import DocumentPacket, StatusPacket
from schemas.message import Kind, Message, Receipt, rfc3339

MAX_TITLE_CHARS = 500  # NĐ 30/2020 Phụ lục VI: Subject; longer ones are whole in the packet, lists show the beginning
_INSERT_MESSAGE, _INSERT_LINKS = messages.insert(), links.insert()


@dataclass(frozen=True, slots=True)
class Acceptance:
    """Everything about a message that was found acceptable, prepared outside the transaction."""

    message_id: UUID
    message: Message
    arrival: Arrival
    claim: Claim
    routes: tuple[Route, ...]
    directory: Directory
    fingerprint: str
    sealed: SealedPayload
    origin: str
    fetched: frozenset[str]  # systems that come for their copies
    handover: timedelta  # how long the queue has for a pointer before it is published again
    artefacts: Mapping[str, str] = field(default_factory=dict)  # digests of what it was judged with

    def write(
        self, tx: Transaction, payloads: PayloadStore, sign: Callable[[Mapping[str, object]], bytes], at: datetime
    ) -> tuple[Receipt, tuple[Pointer, ...]]:
        """Writes all of it; returns the receipt and what may be delivered at once."""
        lineage = trace_back(tx.conn, self.message, self.arrival.principal.system, self.fingerprint, self.directory)
        planned = copies.plan(
            self.routes,
            subject=lineage.subject,
            owner=lineage.owner,
            hold=lineage.hold,
            pending=self.message.verdict.is_pending,
            arrived=copies.arrived_by(tx.conn, lineage.second_route_of),
        )
        facts, named, owed = self._facts(lineage), self._named(), [copy.as_json() for copy in planned]
        position = record.accepted(
            tx,
            self.arrival,
            message_id=self.message_id,
            message=self.message,
            facts=facts,
            lineage=lineage,
            claim=self.claim,
            artefacts={**self.message.artefacts, **self.artefacts},
            copies=owed,
            named=named,
            at=at,
        )
        body = sign(self._receipt(position, at))
        tx.conn.execute(_INSERT_MESSAGE, {**self._row(lineage, position, at), **facts, "receipt": body})
        search.add(tx.conn, position.index, {**facts, **self._parties(), "deliveries": owed, "named": named})
        verification.accepted(tx, self.message_id, self.message, at)
        payloads.put(tx.conn, self.sealed)
        self._relate(tx, lineage, at)
        pointers = copies.write(
            tx,
            planned,
            message_id=self.message_id,
            kind=self.message.envelope.kind,
            index=position.index,
            at=at,
            handover=self.handover,
            fetched=self.fetched,
        )
        return Receipt(self.message_id, position.index, position.leaf_hash, body), pointers

    def _facts(self, lineage: Lineage) -> dict[str, str]:
        """What the message's row says of itself and the journal commits to, under the same names."""
        envelope, packet = self.message.envelope, self.message.envelope.packet
        other, business = (packet.other_info, packet.bussiness) if isinstance(packet, DocumentPacket) else (None, None)
        return {
            "kind": str(envelope.kind),
            "sender": str(envelope.sender),
            "document_id": envelope.document_id,
            "natural_id": index_key(envelope.natural_id),
            "fingerprint": self.fingerprint,
            "subject": lineage.subject,
            "title": (packet.subject if isinstance(packet, DocumentPacket) else packet.description)[:MAX_TITLE_CHARS],
            "status_code": packet.status_code if isinstance(packet, StatusPacket) else "",
            "priority": other.priority[:16] if other else "",
            "paper": business.paper[:16] if business else "",
            "warnings": json.dumps([one.as_json() for one in (*envelope.warnings, *lineage.warnings)], ensure_ascii=False),
        }

    def _parties(self) -> dict[str, Any]:
        recipients = [str(one) for one in self.message.envelope.recipients]
        return {"recipients": recipients, "principal": self.arrival.principal.system}

    def _named(self) -> dict[str, Any]:
        """What it can be found by, besides its facts: number, notation, dossiers."""
        packet = self.message.envelope.packet
        if isinstance(packet, DocumentPacket):
            return terms.named(packet.code.code_number, packet.code.code_notation, (packet.subject, packet.content))
        number, _, notation = packet.response_for.code.partition("/")
        return terms.named(number, notation, (packet.description,))

    def _row(self, lineage: Lineage, position: Position, at: datetime) -> dict[str, object]:
        envelope, inbound = self.message.envelope, self.message.envelope.inbound
        return {
            "id": self.message_id,
            "principal": self.arrival.principal.system,
            "sender_key": envelope.sender.key,
            "document_key": index_key(envelope.document_id),
            "subject_key": index_key(lineage.subject),
            "raw_digest": self.arrival.digest,
            "size": len(inbound.raw),
            "content_type": inbound.content_type,
            "charset": inbound.charset,
            "protocol": inbound.peer.partition(" ")[0],
            "received_at": rfc3339(inbound.received_at),
            "accepted_at": rfc3339(at),
            "index": position.index,
            "verdict": json.dumps(self.message.verdict.as_json(), ensure_ascii=False),
            "second_route_of": lineage.second_route_of,
            "about": lineage.about,
        }

    def _receipt(self, position: Position, at: datetime) -> Mapping[str, object]:
        envelope = self.message.envelope
        return {
            "v": 1,
            "origin": self.origin,
            "message_id": str(self.message_id),
            "index": position.index,
            "leaf_hash": base64.b64encode(position.leaf_hash).decode("ascii"),
            "raw_sha256": self.arrival.digest.hex(),
            "document_id": envelope.document_id,
            "kind": str(envelope.kind),
            "sender": str(envelope.sender),
            "recipients": [str(one) for one in envelope.recipients],
            "verdict": str(self.message.verdict.status),
            "legal_value": str(self.message.verdict.legal_value),
            "accepted_at": rfc3339(at),
        }

    def _write_links(self, tx: Transaction, lineage: Lineage) -> None:
        rows = {
            (link.relation, link.document_id): {
                "message_id": self.message_id,
                "relation": str(link.relation),
                "document_key": index_key(link.document_id),
                "document_id": link.document_id,
                "target": link.target,
            }
            for link in lineage.links
        }
        if rows:
            tx.conn.execute(_INSERT_LINKS, list(rows.values()))

    def _relate(self, tx: Transaction, lineage: Lineage, at: datetime) -> None:
        """Writes the links. A recall, or 13 (lấy lại), cancels what has not left. Not while it is held for a person."""
        self._write_links(tx, lineage)
        recalled = self.message.envelope.kind is Kind.DOCUMENT_RECALL
        if lineage.hold or not (recalled or any(link.relation is Relation.TAKES_BACK for link in lineage.links)):
            return
        copies.cancel_undelivered(
            tx,
            subject=lineage.subject,
            owner=lineage.owner,
            recipients=[route.recipient for route in self.routes],
            cause="recalled" if recalled else "taken-back",
            by=self.message_id,
            at=at,
        )
