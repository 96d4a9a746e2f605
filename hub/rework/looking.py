"""The modes that look and touch nothing: verify and revalidate."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from hub.access import Principal
from hub.artefacts import policies_of, trust_of
from hub.grounds import Grounds
from hub.policies import Policies
from hub.rework.recorded import Recorded, differences, recorded, told_of
from hub.systems import SendFor
from replay.artefacts import fetch
from replay.engine import Writing
from replay.job import Finding, Outcome
from replay.payloads import PayloadStore
from replay.selection import Item
from replay.store.engine import Store
from replay.store.index_key import index_key
from schemas.edxml import reader
from schemas.edxml.fingerprint import fingerprint
from schemas.edxml.packet import DocumentPacket, StatusPacket
from schemas.errors import Halted, Refused
from schemas.limits import Limits
from schemas.message import Envelope
from signing import algorithms
from signing.context import Context
from signing.verify import PROCEDURE, judge_envelope

MAX_REMEMBERED = 64  # artefacts that are kept read


@dataclass(frozen=True, slots=True)
class Today:
    """What a hub would judge with now."""

    grounds: Grounds
    policies: Policies
    limits: Limits
    clock: Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Verify:
    """Signatures, twice: with the trust, policies and moment of then (the outcome), and with those of today (``now``)."""

    store: Store
    payloads: PayloadStore
    today: Today
    remembered: dict[str, Any]

    def look(self, item: Item) -> Finding:
        """See `replay.engine.Work`."""
        known = recorded(self.store, self.payloads, item)
        if isinstance(known, Finding):
            return known
        try:
            envelope = reader.read(known.inbound, self.today.limits)
        except Refused as fault:
            return Finding(Outcome.DIFFERENT, {"code": fault.code, "got": fault.got})
        was = dict(known.values["verdict"])
        now = self._judged(known, envelope, self.today.grounds.context, self.today.policies, at=self.today.clock())
        told: dict[str, Any] = {"now": _changes(was, now)}
        try:
            then = self._as_of_then(known, envelope)
        except (Refused, Halted) as fault:
            if fault.code not in ("artefact-missing", "artefact-changed", "not-found"):
                raise
            return Finding(Outcome.IMPOSSIBLE, {**told, "code": fault.code, "got": fault.got})
        fields = differences(was, then)
        return Finding(Outcome.DIFFERENT if fields else Outcome.SAME, {**told, **({"fields": fields} if fields else {})})

    def settle(self, tx: Writing, item: Item, finding: Finding) -> Finding:
        """Nothing happens."""
        return finding

    def end_of(self, conn: Connection, item: Item) -> Finding | None:
        """Nothing is handed on."""
        return None

    def _as_of_then(self, known: Recorded, envelope: Envelope) -> Mapping[str, Any]:
        named = known.artefacts
        if named["procedure"] != PROCEDURE or named.get("algorithms", algorithms.VERSION) != algorithms.VERSION:
            got = f"procedure {named['procedure']}, algorithms {named.get('algorithms')}"
            raise Refused("artefact-missing", got=got, expected=f"{PROCEDURE}, {algorithms.VERSION}")
        if known.is_composed:
            return dict(known.values["verdict"])
        trust = self._artefact(named, "trust", trust_of)
        policies = self._artefact(named, "policies", policies_of)
        return self._judged(known, envelope, trust.context, policies, at=datetime.fromisoformat(named["judged-at"]))

    def _judged(
        self, known: Recorded, envelope: Envelope, context: Callable[[datetime, str], Context], policies: Policies, *, at: datetime
    ) -> Mapping[str, Any]:
        if known.is_composed:  # the hub's own word: there is nobody else's signature to judge
            return dict(known.values["verdict"])
        principal = Principal(known.values["principal"], (), SendFor.OWN, frozenset())
        try:
            policy = policies.of(principal, envelope.sender)
        except KeyError as fault:
            raise Refused("artefact-missing", got=f"policy of {principal.system}", expected="a policy") from fault
        return judge_envelope(envelope, policy, context(at, policy.domain), self.today.limits).verdict.as_json()

    def _artefact(self, named: Mapping[str, str], kind: str, read: Callable[[bytes], Any]) -> Any:
        digest = named.get(f"{kind}-sha256", "")
        if digest not in self.remembered:
            if len(self.remembered) >= MAX_REMEMBERED:
                self.remembered.clear()
            with self.store.read() as conn:
                self.remembered[digest] = read(fetch(conn, digest))
        return self.remembered[digest]


@dataclass(frozen=True, slots=True)
class Revalidate:
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

    def settle(self, tx: Writing, item: Item, finding: Finding) -> Finding:
        """Nothing happens."""
        return finding

    def end_of(self, conn: Connection, item: Item) -> Finding | None:
        """Nothing is handed on."""
        return None

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


def _changes(was: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, Any]:
    """The verdict of today beside that of then; the moment that it is judged for is another in any case."""
    fields = {path: pair for path, pair in differences(was, now).items() if not path.endswith("/signed_at")}
    told = {"verdict": now["verdict"], "reasons": now["reasons"], "changed": bool(fields)}
    return {**told, "fields": fields} if fields else told
