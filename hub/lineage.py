"""What a message has to do with those before it: which document it is about, what it answers, whether it came before by another route.

Asked inside the transaction of its acceptance, under the tree head's lock, so that nothing comes between question and record. Nothing
here refuses: what cannot be decided is held for a person, what is odd travels as a warning (the sequence of statuses, for one, is not
enforced by anybody; edxml.md §1.5, §3).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import Connection, bindparam, select

from replay.store.index_key import index_key
from replay.store.tables import AnyRow, deliveries, messages
from schemas.agency import AgencyCode
from schemas.directory import Directory
from schemas.edxml import semantics
from schemas.edxml.packet import DocumentPacket, StatusPacket, nfc
from schemas.errors import Violation, warning
from schemas.message import VIETNAM, Kind, Message, VerdictStatus

DOCUMENTS = (str(Kind.DOCUMENT_NEW), str(Kind.DOCUMENT_UPDATE), str(Kind.DOCUMENT_REPLACE))
RECALLS = (str(Kind.DOCUMENT_RECALL),)

_BY_DOCUMENT = (
    select(messages.c.id, messages.c.sender, messages.c.sender_key, messages.c.document_id, messages.c.accepted_at)
    .where(messages.c.document_key == bindparam("document_key"), messages.c.kind.in_(bindparam("kinds", expanding=True)))
    .order_by(messages.c.index.desc())
    .limit(50)
)
_BY_OTHERS = (
    select(messages.c.id, messages.c.fingerprint, messages.c.verdict)
    .where(
        messages.c.natural_id == bindparam("natural_id"),
        messages.c.principal != bindparam("principal"),
        messages.c.second_route_of.is_(None),
    )
    .order_by(messages.c.index)
    .limit(10)
)
_RECEIVED_BY = (
    select(deliveries.c.recipient_key, deliveries.c.recipient).where(deliveries.c.message_id == bindparam("message_id")).distinct()
)
_STATUSES = (
    select(messages.c.status_code)
    .where(messages.c.about == bindparam("about"), messages.c.sender_key.in_(bindparam("sender_keys", expanding=True)))
    .order_by(messages.c.index)
)


class Relation(StrEnum):
    """What one message does to, or says of, a document."""

    RECALLS = "recalls"
    UPDATES = "updates"
    REPLACES = "replaces"
    TAKES_BACK = "takes-back"
    ANSWERS = "answers"


@dataclass(frozen=True, slots=True)
class Link:
    """A relation to the document of that id; `target` is the message that brought it, None where the hub never saw it."""

    relation: Relation
    document_id: str
    target: UUID | None


@dataclass(frozen=True, slots=True)
class Lineage:
    """The answers."""

    subject: str  # id of the document it is about
    owner: str  # agency key of that document's sender: two agencies' equal numbers are two subjects
    about: UUID | None = None  # the message that a status answers
    second_route_of: UUID | None = None  # brought before by another system: copies that arrived are not delivered again
    links: tuple[Link, ...] = ()
    warnings: tuple[Violation, ...] = ()
    hold: str = ""  # why a person has to look before it is delivered


@dataclass(frozen=True, slots=True)
class Bodies:
    """Who is who on one day: equal codes, codes that the directory lists for one body, and successors of closed bodies."""

    directory: Directory
    today: date

    def is_it(self, sender: AgencyCode, code: str, written: date) -> bool:
        """Whether `sender` is the body that `code` meant on the day `written`, or the one that goes on in its place today.

        The directory alone makes a successor: where it names none, or is not asked by a listed code, codes must be equal.
        """
        if AgencyCode.of(code).same_as(sender):
            return True
        answering, asked = self.directory.answering(code, written, self.today).entry, self.directory.look_up(sender.text, self.today)
        return answering is not None and asked is not None and answering.code == asked.code

    def day_of(self, row: AnyRow, packet: StatusPacket | None = None) -> date:
        """The document's day: when the hub accepted it, or before, where the status says when it was promulgated."""
        accepted = datetime.fromisoformat(row.accepted_at).astimezone(VIETNAM).date()
        try:
            told = date.fromisoformat(packet.response_for.promulgation_date[:10].replace("/", "-")) if packet else accepted
        except ValueError:
            return accepted
        return min(told, accepted)


def trace_back(conn: Connection, message: Message, principal: str, fingerprint: str, directory: Directory) -> Lineage:
    """The lineage of `message`, brought by the system `principal`. `directory` tells who goes on in a closed body's place."""
    packet = message.envelope.packet
    second, doubts = _second_route(conn, message, principal, fingerprint)
    if isinstance(packet, StatusPacket):
        found = _of_status(conn, message, packet, Bodies(directory, message.envelope.inbound.received_at.astimezone(VIETNAM).date()))
    elif message.envelope.kind is Kind.DOCUMENT_RECALL:
        found = _of_recall(conn, message, packet)
    else:
        found = _of_document(conn, message, packet, second)
    return Lineage(
        subject=found.subject,
        owner=found.owner,
        about=found.about,
        second_route_of=second,
        links=found.links,
        warnings=(*found.warnings, *doubts),
        hold=found.hold,
    )


def _second_route(conn: Connection, message: Message, principal: str, fingerprint: str) -> tuple[UUID | None, tuple[Violation, ...]]:
    """The same message by another system, if it says the same and was not verified less well; another one of that id is told of."""
    asked = {"natural_id": index_key(message.envelope.natural_id), "principal": principal}
    rows = conn.execute(_BY_OTHERS, asked).all()
    valid = message.verdict.status is VerdictStatus.VALID
    for row in rows:
        if row.fingerprint == fingerprint and (not valid or json.loads(row.verdict)["accepted"]):
            return row.id, ()
    if not rows:
        return None, ()
    same = any(row.fingerprint == fingerprint for row in rows)
    code = "second-route-unverified" if same else "route-conflict"
    return None, (warning(code, path="DocumentId", got=message.envelope.document_id, expected=f"the content of {rows[0].id}"),)


def _of_document(conn: Connection, message: Message, packet: DocumentPacket, second: UUID | None) -> Lineage:
    envelope, sender = message.envelope, message.envelope.sender
    links: tuple[Link, ...] = ()
    warnings = list(semantics.timeliness(packet, envelope.inbound.received_at)) if second is None else []
    if envelope.kind is Kind.DOCUMENT_UPDATE:
        links = (_link(conn, Relation.UPDATES, envelope.subject_key, sender.key),)
    elif envelope.kind is Kind.DOCUMENT_REPLACE:
        replaced = packet.bussiness.replacements if packet.bussiness else ()
        links = tuple(_link(conn, Relation.REPLACES, nfc(one.document_id), sender.key) for one in replaced if one.document_id)
    elif second is None and (first := _latest(conn, envelope.document_id, {sender.key})) is not None:  # NĐ 30/2020 Phụ lục VI: warn
        warnings.append(warning("duplicate-document", path="DocumentId", got=envelope.document_id, expected=f"not as in {first.id}"))
    warnings += [_unknown(link.document_id) for link in links if link.target is None]
    return Lineage(envelope.subject_key, sender.key, links=links, warnings=tuple(warnings))


def _of_recall(conn: Connection, message: Message, packet: DocumentPacket) -> Lineage:
    """Which document is recalled: `Bussiness/DocumentId`, else `ResponseFor/DocumentId`, else the packet's own `DocumentId`; it must be
    the sender's. Samples and glossary disagree on the order (edxml.md §3.2), so what stays ambiguous is held for a person."""
    envelope, sender = message.envelope, message.envelope.sender
    found = {candidate: _by_document(conn, candidate) for candidate in packet.recall_targets}
    own = [candidate for candidate, rows in found.items() if any(row.sender_key == sender.key for row in rows)]
    named = nfc(packet.bussiness.document_id) if packet.bussiness else ""
    if named and found.get(named) and named not in own:
        return Lineage(named, sender.key, links=(Link(Relation.RECALLS, named, None),), hold="recall-not-own")
    if len(own) > 1 and named not in own:
        return Lineage(own[0], sender.key, links=(_link(conn, Relation.RECALLS, own[0], sender.key),), hold="recall-ambiguous")
    target = named if named in own else next(iter(own), envelope.subject_key)
    link = _link(conn, Relation.RECALLS, target, sender.key)
    return Lineage(target, sender.key, links=(link,), warnings=(_unknown(target),) if link.target is None else ())


def _of_status(conn: Connection, message: Message, packet: StatusPacket, bodies: Bodies) -> Lineage:
    """What a status answers: a document, or the recall of that id (15, 16). Its sender must have received that message, or have sent it
    (13, lấy lại), or go on in the place of who did."""
    envelope, sender = message.envelope, message.envelope.sender
    parties = (*envelope.recipients, sender)
    taking_back = packet.status_code == semantics.TAKE_BACK
    owner = sender.key if taking_back else envelope.recipients[0].key
    target = _answered(conn, envelope.document_id, parties, bodies)
    warnings = list(semantics.missing_reason(packet))
    if target is None:
        warnings.append(warning("target-unknown", path="ResponseFor", got=envelope.document_id, expected="a document the hub has seen"))
        return Lineage(envelope.subject_key, owner, warnings=tuple(warnings))
    written = bodies.day_of(target, packet)
    is_owner = bodies.is_it(sender, target.sender, written)
    mine = {row.recipient_key: row.recipient for row in _recipients(conn, target.id) if bodies.is_it(sender, row.recipient, written)}
    if not is_owner and not mine:
        warnings.append(warning("status-stranger", path="From/OrganId", got=sender, expected="a recipient of the document"))
        return Lineage(envelope.subject_key, owner, warnings=tuple(warnings))
    if taking_back and not is_owner:
        warnings.append(warning("status-stranger", path="From/OrganId", got=sender, expected="the sender of the document (13, lấy lại)"))
        taking_back = False
    elif taking_back:
        owner = target.sender_key
    if not is_owner and sender.key not in mine:
        warnings.append(warning("status-by-successor", path="From/OrganId", got=sender, expected=", ".join(sorted(mine.values()))))
    before = conn.execute(_STATUSES, {"about": target.id, "sender_keys": sorted({sender.key, *mine})}).scalars().all()
    warnings += semantics.status_order(before, packet.status_code)
    relation = Relation.TAKES_BACK if taking_back else Relation.ANSWERS
    link = Link(relation, envelope.document_id, target.id)
    return Lineage(envelope.subject_key, owner, about=target.id, links=(link,), warnings=tuple(warnings))


def _answered(conn: Connection, document_id: str, parties: Sequence[AgencyCode], bodies: Bodies) -> AnyRow | None:
    """The newest document of that id that one of `parties` sent, else one whose sender's place a party has taken; else such a recall."""
    keys = {one.key for one in parties}
    for kinds in (DOCUMENTS, RECALLS):
        rows = _by_document(conn, document_id, kinds)
        taken_over = (row for row in rows if any(bodies.is_it(one, row.sender, bodies.day_of(row)) for one in parties))
        found = next((row for row in rows if row.sender_key in keys), None) or next(taken_over, None)
        if found is not None:
            return found
    return None


def _unknown(document_id: str) -> Violation:
    return warning("target-unknown", path="Bussiness", got=document_id, expected="a document this agency sent through the hub")


def _link(conn: Connection, relation: Relation, document_id: str, owner: str) -> Link:
    target = _latest(conn, document_id, {owner})
    return Link(relation, document_id, None if target is None else target.id)


def _latest(conn: Connection, document_id: str, senders: Iterable[str], kinds: Sequence[str] = DOCUMENTS) -> AnyRow | None:
    allowed = set(senders)
    return next((row for row in _by_document(conn, document_id, kinds) if row.sender_key in allowed), None)


def _by_document(conn: Connection, document_id: str, kinds: Sequence[str] = DOCUMENTS) -> Sequence[AnyRow]:
    return conn.execute(_BY_DOCUMENT, {"document_key": index_key(document_id), "kinds": list(kinds)}).all()


def _recipients(conn: Connection, message_id: UUID) -> Sequence[AnyRow]:
    return conn.execute(_RECEIVED_BY, {"message_id": message_id}).all()
