"""What a transmission was, and what it would be now: the parcel made again from what is stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select

from hub.rework.recorded import Recorded, differences, recorded
from hub.translating import Translator, translated_before
from replay import artefacts
from replay.engine import Writing
from replay.job import Finding, Outcome
from replay.payloads import PayloadStore
from replay.selection import Item
from replay.store.engine import Store
from replay.store.tables import AnyRow, deliveries, messages
from schemas.errors import HubError, Parked, Refused
from schemas.translate import Made
from schemas.translation.engine import Mappings
from schemas.translation.kept import restore, stylesheet_of

_NO_SHEET = sha256(b"").hexdigest()


@dataclass(frozen=True, slots=True)
class Sent:
    """A transmission made again."""

    made: Made
    carrier: UUID
    rows: Sequence[AnyRow] = field(repr=False)
    message: AnyRow = field(repr=False)
    known: Recorded = field(repr=False)

    @property
    def output(self) -> dict[str, Any]:
        """What the receiver would be given now."""
        translation = self.made.translation
        body = sha256(self.made.parcel.body).hexdigest()
        return {"body_sha256": body, "mappings": list(translation.mapping_ids) if translation else []}


def sent(store: Store, payloads: PayloadStore, translator: Translator, item: Item) -> Sent | Finding:
    """The parcel of `item`, a transmission, as `translator` makes it; or why it cannot be made."""
    known = recorded(store, payloads, item)
    if isinstance(known, Finding):
        return known
    carrier = item.carrier_id or item.message_id
    with store.read() as conn:
        rows = conn.execute(select(deliveries).where(deliveries.c.carrier_id == carrier).order_by(deliveries.c.recipient_key)).all()
        message = conn.execute(select(messages).where(messages.c.id == item.message_id)).one()
    try:
        made = _make(translator, rows, message, known)
    except (Refused, Parked) as fault:
        return Finding(Outcome.DIFFERENT, {"code": fault.code, "got": fault.got})
    return Sent(made, carrier, rows, message, known)


def _make(translator: Translator, rows: Sequence[AnyRow], message: AnyRow, known: Recorded) -> Made:
    recipients = [row.recipient for row in rows]
    return translator.make(rows[0].system, message, known.raw, carrier_id=rows[0].carrier_id, recipients=recipients)


@dataclass(frozen=True, slots=True)
class Retranslate:
    """Byte for byte, twice: with the mappings of then, as they were kept (the outcome), and with those of today (``now``), each against the
    digest that the journal has of what the receiver was given."""

    store: Store
    payloads: PayloadStore
    translator: Translator

    def look(self, item: Item) -> Finding:
        """See `replay.engine.Work`."""
        again = sent(self.store, self.payloads, self.translator, item)
        if isinstance(again, Finding):
            return again
        with self.store.read() as conn:
            before = translated_before(conn, item.message_id, again.carrier)
        if before is None:  # the receiver speaks the sender's format: the received bytes themselves are what it was given
            was = {"body_sha256": again.known.values["raw_digest"], "mappings": []}
            then = {**was, "body_sha256": sha256(again.known.raw).hexdigest()}
        else:
            was = {"body_sha256": before["digest"], "mappings": list(before["mappings"])}
            try:
                then = self._then(again, before)
            except HubError as fault:
                return Finding(Outcome.IMPOSSIBLE, {"code": fault.code, "got": fault.got})
        changes = differences(was, again.output)
        now = {"changed": bool(changes), **({"fields": changes} if changes else {})}
        fields = differences(was, then)
        told: dict[str, Any] = {"now": now, **({"fields": fields} if fields else {})}
        return Finding(Outcome.DIFFERENT if fields else Outcome.SAME, told)

    def settle(self, tx: Writing, item: Item, finding: Finding) -> Finding:
        """Nothing happens."""
        return finding

    def end_of(self, conn: Connection, item: Item) -> Finding | None:
        """Nothing is handed on."""
        return None

    def _then(self, again: Sent, before: Mapping[str, Any]) -> dict[str, Any]:
        with self.store.read() as conn:
            contents = [artefacts.fetch(conn, one) for one in before["mappings"]]
            sheets = [b"" if (name := stylesheet_of(one)) == _NO_SHEET else artefacts.fetch(conn, name) for one in contents]
        pinned = Mappings.of(restore(content, sheet) for content, sheet in zip(contents, sheets, strict=True))
        made = _make(replace(self.translator, mappings=pinned), again.rows, again.message, again.known)
        return replace(again, made=made).output
