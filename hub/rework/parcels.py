"""What a transmission was, and what it would be now: the parcel made again from what is stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any

from sqlalchemy import select

from hub import record
from hub.rework.bodies import body_differences
from hub.rework.recorded import Recorded, differences, recorded, told_of
from hub.rework.without_effect import WithoutEffect
from hub.translating import Translator, translated_before
from replay import artefacts
from replay.job import Finding, Outcome
from replay.payloads import PayloadStore
from replay.selection import Item
from replay.store.engine import Store
from replay.store.tables import AnyRow, deliveries, messages
from schemas.dictionary.store import dictionary
from schemas.errors import HubError, Parked, Refused
from schemas.translate import Made
from schemas.translation.agreement import Agreement
from schemas.translation.engine import Mappings
from schemas.translation.kept import restore, stylesheet_of

_NOT_TRANSLATED = ("translation-failed", "translation-lossy")  # causes of what a system was never given
_NO_SHEET = sha256(b"").hexdigest()


@dataclass(frozen=True, slots=True)
class Kept:
    """What the database has of a transmission."""

    rows: Sequence[AnyRow] = field(repr=False)  # its copies
    message: AnyRow = field(repr=False)
    given: Mapping[str, Any] | None  # what the journal says of its translation; None: it says nothing of one

    @property
    def never_left(self) -> bool:
        """Whether the receiver was never given anything: no attempt, or none that came to more than a translation that failed."""
        return all((row.attempt == 0 and self.given is None) or row.cause in _NOT_TRANSLATED for row in self.rows)


@dataclass(frozen=True, slots=True)
class Body:
    """What a receiver is given."""

    raw: bytes = field(repr=False)
    mappings: Sequence[str]

    @property
    def output(self) -> dict[str, Any]:
        """As the journal has it."""
        return {"body_sha256": sha256(self.raw).hexdigest(), "mappings": list(self.mappings)}


@dataclass(frozen=True, slots=True)
class Sent:
    """A transmission made again."""

    made: Made
    rows: Sequence[AnyRow] = field(repr=False)


def sent(store: Store, payloads: PayloadStore, translator: Translator, item: Item) -> Sent | Finding:
    """The parcel of `item`, a transmission, as `translator` makes it; or why it cannot be made."""
    known = recorded(store, payloads, item)
    if isinstance(known, Finding):
        return known
    kept = _kept(store, item)
    try:
        return Sent(_make(translator, kept, known), kept.rows)
    except (Refused, Parked) as fault:
        return Finding(Outcome.DIFFERENT, {"code": fault.code, "got": fault.got})


def _kept(store: Store, item: Item) -> Kept:
    carrier = item.carrier_id or item.message_id
    with store.read() as conn:
        rows = conn.execute(select(deliveries).where(deliveries.c.carrier_id == carrier).order_by(deliveries.c.recipient_key)).all()
        message = conn.execute(select(messages).where(messages.c.id == item.message_id)).first()
        if not rows or message is None:  # lgsp log fsck says what is missing
            raise Refused("not-found", got=f"delivery {carrier} of message {item.message_id}", expected="what was selected")
        return Kept(rows, message, translated_before(conn, item.message_id, carrier))


def _make(translator: Translator, kept: Kept, known: Recorded, agreement: Agreement | None = None) -> Made:
    rows = kept.rows
    recipients = [row.recipient for row in rows]
    return translator.make(
        rows[0].system, kept.message, known.raw, carrier_id=rows[0].carrier_id, recipients=recipients, agreement=agreement
    )


@dataclass(frozen=True, slots=True)
class Retranslate(WithoutEffect):
    """Byte for byte, twice: with the mappings and the format of then, as they were kept (the outcome), and with those of today (``now``),
    each against the digest that the journal has of what the receiver was given; where today's is otherwise, field by field."""

    store: Store
    payloads: PayloadStore
    translator: Translator

    def look(self, item: Item) -> Finding:
        """See `replay.engine.Work`."""
        known = recorded(self.store, self.payloads, item)
        if isinstance(known, Finding):
            return known
        kept = _kept(self.store, item)
        if kept.never_left:
            return Finding(Outcome.SKIPPED, {"why": "nothing was given to the receiver"})
        try:
            then = self._then(kept, known)
        except HubError as fault:
            return Finding(Outcome.IMPOSSIBLE, {"code": fault.code, "got": fault.got})
        was = {"body_sha256": str(known.values["raw_digest"]), "mappings": []}
        if kept.given is not None:
            was = {"body_sha256": kept.given["digest"], "mappings": list(kept.given["mappings"])}
        fields = differences(was, then.output)
        told: dict[str, Any] = {"now": self._now(kept, known, then, was), **told_of(fields)}
        if fields:
            told["because"] = _made_with(kept.given)
        return Finding(Outcome.DIFFERENT if fields else Outcome.SAME, told)

    def _then(self, kept: Kept, known: Recorded) -> Body:
        given = kept.given
        if given is None:  # the receiver speaks the sender's format: the received bytes themselves are what it was given
            return Body(known.raw, [])
        with self.store.read() as conn:
            contents = [artefacts.fetch(conn, one) for one in given["mappings"]]
            sheets = [b"" if (name := stylesheet_of(one)) == _NO_SHEET else artefacts.fetch(conn, name) for one in contents]
        pinned = Mappings.of(restore(content, sheet) for content, sheet in zip(contents, sheets, strict=True))
        return _body(_make(replace(self.translator, mappings=pinned), kept, known, Agreement((given["target"],))))

    def _now(self, kept: Kept, known: Recorded, then: Body, was: Mapping[str, Any]) -> dict[str, Any]:
        try:
            body = _body(_make(self.translator, kept, known))
        except (Refused, Parked) as fault:
            return {"changed": True, "code": fault.code, "got": fault.got}
        fields = differences(was, body.output)
        if not fields:
            return {"changed": False}
        more = body_differences(then.raw, body.raw, self.translator.limits)
        return {"changed": True, **told_of({**fields, **more}), "because": _made_with(kept.given)}


def _body(made: Made) -> Body:
    return Body(made.parcel.body, list(made.translation.mapping_ids) if made.translation else [])


def _made_with(given: Mapping[str, Any] | None) -> dict[str, list[Any]]:
    """What else makes bytes, where it is not what it was: the release and the dictionary. Mappings are among the fields."""
    if given is None:
        return {}
    now = {"software": record.SOFTWARE, "dictionary": [dictionary().version, dictionary().digest]}
    return {name: [given[name], value] for name, value in now.items() if given[name] != value}
