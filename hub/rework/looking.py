"""The mode that reads and validates again."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from hub.rework.recorded import Recorded, differences, recorded, told_of
from hub.rework.without_effect import WithoutEffect
from replay.job import Finding, Outcome
from replay.payloads import PayloadStore
from replay.selection import Item
from replay.store.engine import Store
from replay.store.index_key import index_key
from schemas.edxml import reader
from schemas.edxml.fingerprint import fingerprint
from schemas.edxml.packet import DocumentPacket, StatusPacket
from schemas.errors import Refused
from schemas.limits import Limits
from schemas.message import Envelope

MAX_REMEMBERED = 64  # artefacts that are kept read


@dataclass(frozen=True, slots=True)
class Revalidate(WithoutEffect):
    """Read and checked again by the reader of today: does it still pass, and is every fact that was recorded still what is read?"""

    store: Store
    payloads: PayloadStore
    limits: Limits

    def look(self, item: Item) -> Finding:
        """See `replay.engine.Work`."""
        known = recorded(self.store, self.payloads, item)
        if isinstance(known, Finding):
            return known
        try:
            envelope = reader.read(known.inbound, self.limits)
        except Refused as fault:
            codes = sorted({one.code for one in fault.violations} | {fault.code})
            return Finding(Outcome.DIFFERENT, {"code": fault.code, "got": fault.got, "violations": codes})
        fields = differences(self._then(known, envelope), self._now(envelope))
        return Finding(Outcome.DIFFERENT if fields else Outcome.SAME, told_of(fields))

    def _now(self, envelope: Envelope) -> dict[str, Any]:
        packet = envelope.packet
        return {
            "kind": str(envelope.kind),
            "sender": str(envelope.sender),
            "recipients": [str(one) for one in envelope.recipients],
            "document_id": envelope.document_id,
            "natural_id": index_key(envelope.natural_id),
            "fingerprint": fingerprint(packet, self.limits),
            "title": (packet.subject if isinstance(packet, DocumentPacket) else packet.description)[:500],
            "status_code": packet.status_code if isinstance(packet, StatusPacket) else "",
            "warnings": [one.code for one in envelope.warnings],
        }

    def _then(self, known: Recorded, envelope: Envelope) -> dict[str, Any]:
        """The same, as recorded. Warnings of the reader come first; those of what came before the message are not the reader's to give."""
        warnings = [one["code"] for one in json.loads(known.values["warnings"])]
        return {name: known.values[name] for name in self._now(envelope) if name != "warnings"} | {
            "warnings": warnings[: len(envelope.warnings)]
        }
