"""The hub's way in without its faces and threads: the real acceptance writes into the real store, journal and payload store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import ColumnElement, Connection, and_, select, update

from hub import ledger, record
from hub.acceptance import Acceptance
from hub.access import Principal
from hub.commit import Transaction
from hub.keys import Keyring
from hub.outbox import Outcome
from hub.record import Arrival
from hub.routing import Route
from hub.systems import Profile, SendFor
from replay.entry import EntryDraft
from replay.findings import FsckReport
from replay.fsck import FsckKeys, fsck
from replay.journal import Journal, Position
from replay.payloads import PayloadStore
from replay.store.engine import Store
from replay.store.tables import deliveries
from schemas.agency import AgencyCode
from schemas.directory import Directory
from schemas.edxml import reader
from schemas.edxml.fingerprint import fingerprint
from schemas.edxml.packet import DocumentPacket
from schemas.limits import DEFAULT_LIMITS
from schemas.message import DeliveryState, Inbound, Message, Receipt, rfc3339
from signing.sign import sign_receipt
from signing.verify import compose
from tests.packets import document

ORIGIN = "hub.test/journal"
NAMES = UUID("6ba7b811-9dad-11d1-80b4-00c04fd430c8")
START = datetime(2026, 11, 21, 3, 4, 5, 6, tzinfo=UTC)
SENDER = "000.00.00.H32"
RECIPIENTS = ("000.00.13.H53", "H05.7")
SYSTEM = Principal("qlvb", (AgencyCode.of(SENDER),), SendFor.OWN, frozenset({"exchange"}))
ROUTES = tuple(Route(AgencyCode.of(one), Profile(name=f"system-{place}", agencies=(one,))) for place, one in enumerate(RECIPIENTS))


def message_id(number: int) -> UUID:
    """The id of the test's message `number`."""
    return uuid5(NAMES, f"message {number}")


def copy_of(number: int, place: int) -> ColumnElement[bool]:
    """Its delivery to the recipient at `place`, as a condition."""
    return and_(deliveries.c.message_id == message_id(number), deliveries.c.recipient == RECIPIENTS[place])


def raw_of(number: int) -> bytes:
    """The received bytes of message `number`."""
    return f"<edXML>Công văn số {number}</edXML>".encode() * 20


def message(number: int, raw: bytes) -> Message:
    """Message `number` as verified: every one says the same, but for its id. `raw` stands for its bytes."""
    inbound = Inbound(raw, "application/xml", "utf-8", "rest 127.0.0.1", START + timedelta(seconds=number), f"{number}")
    document_id, known = f"{SENDER},2026/11/21,{number}/UBND", _template()
    packet = known.envelope.packet
    assert isinstance(packet, DocumentPacket)
    envelope = replace(
        known.envelope,
        inbound=inbound,
        document_id=document_id,
        subject_key=document_id,
        natural_id=f"document {number}",
        packet=replace(packet, document_id=document_id),
    )
    return replace(known, envelope=envelope)


@cache
def _template() -> Message:
    inbound = Inbound(document(SENDER, RECIPIENTS), "application/xml", "", "rest 127.0.0.1", START)
    return compose(reader.read(inbound), START)


@cache
def _fingerprint() -> str:
    return fingerprint(_template().envelope.packet, DEFAULT_LIMITS)


def draft(number: int = 0, event: str = "noted", parties: Sequence[str] = (SENDER,), **fields: Any) -> EntryDraft:
    """Some entry."""
    return EntryDraft(event, START + timedelta(seconds=number), tuple(parties), fields or {"number": number}, None)


class World:
    """What the tests of the journal act on."""

    def __init__(self, store: Store, ring: Keyring, folder: Path) -> None:
        self.store = store
        self.ring = ring
        self.journal = Journal(ring.journal_keys(), ORIGIN)
        self.payloads = PayloadStore(ring.master(), folder)

    def accept(self, tx: Transaction, number: int, raw: bytes = b"") -> UUID:
        """Message `number` to `RECIPIENTS`, as the hub accepts it under an Idempotency-Key."""
        return self.take(tx, number, message(number, raw or raw_of(number))).message_id

    def take(self, tx: Transaction, number: int, accepted: Message, content: bytes = b"") -> Receipt:
        """The same for any message; `content` is what its id stands for, if not the bytes."""
        inbound, mine = accepted.envelope.inbound, message_id(number)
        arrival = Arrival(inbound, SYSTEM, sha256(inbound.raw).digest())
        claim = ledger.Claim(SYSTEM.system, ledger.sender_id(accepted.envelope), sha256(content or inbound.raw).digest())
        key = self.ring.receipt()
        acceptance = Acceptance(
            message_id=mine,
            message=accepted,
            arrival=arrival,
            claim=claim,
            routes=ROUTES,
            directory=Directory.load(),
            fingerprint=_fingerprint(),
            sealed=self.payloads.seal(mine, inbound.raw),
            origin=ORIGIN,
            fetched=frozenset(),
            handover=timedelta(0),
        )
        sign = partial(sign_receipt, key=key.private, key_id=key.id)
        receipt, _ = acceptance.write(tx, self.payloads, sign, START + timedelta(seconds=number + 1))
        ledger.bind(tx.conn, claim, mine)
        return receipt

    def settle(self, tx: Transaction, number: int, place: int, state: str, *, cause: str = "", remote_id: str = "") -> None:
        """The delivery ends in `state`, as the hub writes and journals it."""
        at, outcome = START + timedelta(hours=1), Outcome(DeliveryState(state), cause, remote_id=remote_id)
        row = tx.conn.execute(select(deliveries.c.id, deliveries.c.attempt).where(copy_of(number, place))).one()
        values: dict[str, Any] = {"state": state, "cause": cause, "attempt": row.attempt + 1, "updated_at": rfc3339(at)}
        if remote_id:
            values["remote_id"] = remote_id
        tx.conn.execute(update(deliveries).where(deliveries.c.id == row.id).values(values))
        record.delivery(
            tx,
            message_id=message_id(number),
            delivery_id=row.id,
            recipient=AgencyCode.of(RECIPIENTS[place]),
            attempt=row.attempt + 1,
            outcome=outcome,
            at=at,
        )

    def fill(self, count: int, first: int = 0) -> None:
        """Accepts `count` messages in one transaction; every third is delivered to its first recipient."""
        with self.store.write() as conn:
            tx = Transaction(conn, self.journal)
            for number in range(first, first + count):
                self.accept(tx, number)
                if number % 3 == 0:
                    self.settle(tx, number, 0, "delivered", remote_id=f"remote {number}")
            tx._finish()

    def append(self, *drafts: EntryDraft) -> tuple[Position, ...]:
        """Appends entries and commits."""
        with self.store.write() as conn:
            return self.journal.append(conn, drafts)

    def checkpoint(self) -> bytes:
        """The present one."""
        with self.store.read() as conn:
            return self.journal.checkpoint(conn)

    def fsck_keys(self) -> FsckKeys:
        """What the whole check is made with."""
        return FsckKeys(self.ring.log_verifiers(ORIGIN), self.ring.public("receipt"), self.payloads)

    def fsck(self, expected_checkpoint: bytes | None = None) -> FsckReport:
        """The whole check."""
        keys = self.fsck_keys()
        return fsck(self.store, keys, expected_checkpoint)

    def payload(self, conn: Connection, number: int) -> bytes:
        """The stored bytes of message `number`."""
        return self.payloads.get(conn, message_id(number))
