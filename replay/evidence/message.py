"""The evidence of one message as files: what was received, what the journal says of it, and what its verdict rests on."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select

from replay.entry import canonical
from replay.evidence.box import CHECKPOINT, INDEX, MESSAGE, PROOF, README
from replay.evidence.guide import message_guide
from replay.evidence.message_check import ATTACHMENTS, EVIDENCE, RAW, RECEIPT, VERDICT
from replay.evidence.stamp import stamp_files
from replay.journal import Journal
from replay.payloads import PayloadStore
from replay.store.tables import evidence, messages, openings
from replay.tlog_proof import to_text
from schemas.edxml import reader
from schemas.edxml.attachments import Budget, base_name, opened
from schemas.edxml.packet import DocumentPacket, Packet
from schemas.errors import Refused
from schemas.limits import DEFAULT_LIMITS
from schemas.message import Inbound
from signing import kept


@dataclass(frozen=True, slots=True)
class File:
    """An attachment as it is unpacked. `file` is its plain name in the container, `name` what the packet calls it."""

    file: str
    name: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Source:
    """Where evidence is taken from."""

    journal: Journal
    payloads: PayloadStore
    note: bytes  # the checkpoint, cosigned
    log_keys: Sequence[str]  # name+hash+key: for convenience, a verifier brings his own
    at: str  # RFC 3339, when it is exported
    software: str

    def message(self, conn: Connection, message_id: UUID) -> dict[str, bytes]:
        """The files, in order. Raises `Refused`: ``unknown-entry``, ``payload-erased``, `message-erased`; `Halted` for damage."""
        row = conn.execute(select(messages).where(messages.c.id == message_id)).first()
        if row is None:
            raise Refused("unknown-entry", got=str(message_id))
        raw = self.payloads.get(conn, message_id)
        rows = conn.execute(
            select(openings.c.index.label("at"), openings.c.event, openings.c.body)
            .where(openings.c.message_id == message_id)
            .order_by(openings.c.index)
        ).all()
        values = {one.at: {name: each["value"] for name, each in json.loads(one.body).items()} for one in rows if one.body}
        attached = self._attachments(raw, values[row._mapping["index"]])
        proofs = {
            f"journal/{one.at}{PROOF}": to_text(self.journal.prove(conn, one.at, disclose=True, note=self.note)).encode() for one in rows
        }
        blobs = _verdicts(conn, [told for told in values.values() if "artefacts" in told or "evidence" in told])
        index: dict[str, Any] = {
            "format": MESSAGE,
            "origin": self.journal.origin,
            "message_id": str(message_id),
            "made_at": self.at,
            "software": self.software,
            "log_keys": list(self.log_keys),
            "entries": [{"index": one.at, "event": one.event} for one in rows],
            "attachments": [{"file": one.file, "name": one.name} for one in attached],
        }
        verdict = canonical(values[row._mapping["index"]]["verdict"], "verdict")
        return {
            README: message_guide(index),
            INDEX: canonical(index, "index"),
            RAW: raw,
            **{one.file: one.body for one in attached},
            RECEIPT: row.receipt,
            CHECKPOINT: self.note,
            **stamp_files(conn, row._mapping["index"] + 1, self.note),
            **proofs,
            VERDICT: verdict,
            **blobs,
        }

    def _attachments(self, raw: bytes, accepted: dict[str, Any]) -> tuple[File, ...]:
        told = accepted["received"]
        inbound = Inbound(raw, told["content_type"], told["charset"], told["by"], _moment(told["at"]))
        return attachments_of(reader.read(inbound).packet)


def attachments_of(packet: Packet) -> tuple[File, ...]:
    """What a packet carries, unpacked, in order; what cannot be opened is left in the packet. Raises nothing."""
    if not isinstance(packet, DocumentPacket):
        return ()
    listed = {one.content_id: one.attachment_name for one in packet.references}
    budget, found = Budget(DEFAULT_LIMITS.max_attachment_bytes), []
    for number, one in enumerate(packet.attachments[: DEFAULT_LIMITS.max_attachments], 1):
        declared = one.attachment_name or listed.get(one.content_id, "")
        try:
            body = b"".join(opened(one, declared, DEFAULT_LIMITS, budget)[1])
        except Refused:
            if budget.left_bytes < 0:
                break
            continue
        suffix = base_name(declared).rpartition(".")[2].lower()
        plain = f".{suffix}" if suffix.isascii() and suffix.isalnum() and len(suffix) <= 5 else ""
        found.append(File(f"{ATTACHMENTS}{number:03}{plain}", base_name(declared), body))
    return tuple(found)


def _verdicts(conn: Connection, entries: Sequence[dict[str, Any]]) -> dict[str, bytes]:
    """What every verdict on the message rests on, by SHA-256: of its acceptance, and of those that were reached again."""
    found: dict[str, bytes] = {}
    for told in entries:
        address = told.get("evidence") or told.get("artefacts", {}).get("evidence", "")
        if address and isinstance(address, str):
            bundle = _blob(conn, address)
            found |= {EVIDENCE + address: bundle}
            found |= {EVIDENCE + digest: _blob(conn, digest) for digest in kept.named_in(bundle)}
    return found


def _blob(conn: Connection, digest: str) -> bytes:
    body = conn.execute(select(evidence.c.body).where(evidence.c.sha256 == digest)).scalar()
    if body is None:
        raise Refused("evidence-invalid", got=f"nothing under {digest}", expected="evidence that was stored")
    return bytes(body)


def _moment(text: str) -> Any:
    from datetime import datetime

    return datetime.fromisoformat(text)
