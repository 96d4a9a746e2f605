"""Exporting evidence: of one message, or that nothing about a party was withheld from a period. Each export is journalled.

The container is signed with the hub's own certificate (``[signing]``), the same as what it composes. The checkpoint is the newest that the
witnesses' quorum cosigned if it covers what is exported, else the newest.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, func, select

from hub import record
from hub.commit import Committer, Transaction
from hub.keys import Keyring
from hub.log_opening import publisher_of, witnesses_of
from hub.settings import Settings
from replay.cosigned import Cosigned, newest_cosigned, with_cosignatures
from replay.evidence.message import Source
from replay.evidence.period import Period, files_of, last_needed
from replay.journal import Journal, acceptance_of
from replay.payloads import PayloadStore
from replay.published import Publisher
from replay.store.engine import Store
from replay.store.tables import deliveries, messages, openings
from schemas.agency import AgencyCode
from schemas.errors import Halted
from schemas.message import rfc3339
from signing.asic_writer import write_asic
from signing.sign_key import Credential
from signing.sign_stamp import TimeAuthority


@dataclass(frozen=True, slots=True)
class Seal:
    """Who signs containers. `credential` None: nobody, which a reader has to accept expressly."""

    credential: Credential | None
    authority: TimeAuthority | None = None


@dataclass(frozen=True, slots=True)
class Exporter:
    """Makes containers from one home's store."""

    settings: Settings
    ring: Keyring
    store: Store
    committer: Committer
    clock: Callable[[], datetime]
    seal: Seal

    def message(self, message_id: UUID, by: str) -> bytes:
        """The container of one message. `by` as the journal names people.

        Raises `Refused`: ``unknown-entry``, ``payload-erased``, ``evidence-invalid``, ``cannot-sign``; `Halted`; `TryLater`.
        """
        at, journal = self.clock(), self._journal
        with self.store.read() as conn:
            acceptance_of(conn, message_id)
            last = conn.execute(select(func.max(openings.c.index)).where(openings.c.message_id == message_id)).scalar() or 0
            note = self._shown(conn, int(last) + 1).note
            payloads = PayloadStore(self.ring.master(), self.settings.data_folder / "payloads", self.ring.older_masters())
            source = Source(journal, payloads, note, self._log_keys, rfc3339(at), record.SOFTWARE)
            files = source.message(conn, message_id)
        made = write_asic(files, self.seal.credential, at, self.seal.authority)
        self.committer.submit(partial(_note_message, message_id=message_id, by=by, at=at)).result()
        return made

    def completeness(self, period: Period, by: str) -> bytes:
        """The container that shows that nothing about the party was withheld. Raises as `message` does; `Refused("evidence-period")`."""
        at = self.clock()
        period.check(at)
        self.committer.submit(partial(_note_period, period=period, by=by, at=at)).result()  # an entry behind the period's end
        with self.store.read() as conn:
            note = self._shown(conn, last_needed(conn, period) + 1).note
            files = files_of(conn, period, note, self._journal, log_keys=self._log_keys, at=rfc3339(at), software=record.SOFTWARE)
        return write_asic(files, self.seal.credential, at, self.seal.authority)

    @property
    def _journal(self) -> Journal:
        return Journal(self.ring.journal_keys(), self.settings.origin)

    @property
    def _publisher(self) -> Publisher:
        return publisher_of(self.settings, self.ring, self.store, self._journal)

    @property
    def _log_keys(self) -> list[str]:
        return [each.text for each in self.ring.log_verifiers(self.settings.origin)]

    def _shown(self, conn: Connection, least: int) -> Cosigned:
        """The newest checkpoint that the quorum cosigned, if it covers `least` entries; else the newest."""
        names = [verifier.name for _, verifier in witnesses_of(self.settings)]
        found = newest_cosigned(conn, names, max(self.settings.log.quorum, 1)) if names else None
        if found is not None and found.size >= least:
            return found
        return with_cosignatures(conn, self._publisher.publish(), names)


def seal_of(settings: Settings, at: datetime) -> Seal:
    """The hub's own certificate. Raises `Halted("evidence-signer-missing")` where there is none, and as `open_signer` does."""
    from hub.signer import open_signer

    signer = open_signer(settings, at)
    if signer is None:
        raise Halted("evidence-signer-missing", got="no [signing] in hub.toml")
    return Seal(signer.credential, signer.authority)


def _note_message(tx: Transaction, message_id: UUID, by: str, at: datetime) -> None:
    row = tx.conn.execute(select(messages.c.sender).where(messages.c.id == message_id)).one()
    recipients = tx.conn.execute(select(deliveries.c.recipient).where(deliveries.c.message_id == message_id)).scalars()
    fields = {"message_id": str(message_id), "previous": tx.previous(message_id)}
    parties = [AgencyCode.of(code) for code in (row.sender, *recipients)]
    record.exported(tx, parties=parties, by=by, what=fields, message_id=message_id, at=at)


def _note_period(tx: Transaction, period: Period, by: str, at: datetime) -> None:
    what: dict[str, Any] = {"party": str(period.party), "from": rfc3339(period.since), "to": rfc3339(period.until)}
    record.exported(tx, parties=[period.party], by=by, what=what, message_id=None, at=at)
