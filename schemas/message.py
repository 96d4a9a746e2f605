"""The central values. One type per degree of trust: `Inbound` → `Envelope` → `Message` → `Parcel`.

All are frozen; times are aware and UTC; units stand in names. They live here, below every other layer, so that layers share
values without importing each other (ADR 0001).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum
from typing import TYPE_CHECKING, Any
from uuid import UUID

from schemas.agency import AgencyCode
from schemas.errors import Violation

if TYPE_CHECKING:
    from schemas.edxml.packet import Packet
    from schemas.xml import ParsedXml

VIETNAM = timezone(timedelta(hours=7), "ICT")  # QĐ 28/2018 art. 14.4: Vietnamese time; the country has no daylight saving


class Kind(StrEnum):
    """What a message is. Integrators may register more (a later capability)."""

    DOCUMENT_NEW = "document.new"
    DOCUMENT_RECALL = "document.recall"
    DOCUMENT_UPDATE = "document.update"
    DOCUMENT_REPLACE = "document.replace"
    DOCUMENT_STATUS = "document.status"


@dataclass(frozen=True, slots=True)
class Inbound:
    """Bytes as they came, and how. Nothing inside is believed."""

    raw: bytes
    content_type: str  # media type without parameters, lower case; "" where the protocol has none
    charset: str  # of the protocol's Content-Type; "" where none was given
    peer: str  # protocol and address or queue: "rest 127.0.0.1", "amqp agency.h32"
    received_at: datetime
    idempotency_key: str = ""  # the sender's own id, "" where none was given


@dataclass(frozen=True, slots=True)
class Envelope:
    """Parsed and schema-valid; who signed it is not known yet."""

    inbound: Inbound
    kind: Kind
    sender: AgencyCode  # From/OrganId as declared
    recipients: tuple[AgencyCode, ...]  # To/OrganId in order, or ResponseFor/OrganId of a status; no two equivalent
    document_id: str  # DocumentId (of a status: ResponseFor/DocumentId or its stand-in), NFC
    subject_key: str  # what order is kept by: the document this is about
    natural_id: str  # the sender's id where no Idempotency-Key is given (DESIGN §2.2)
    packet: Packet  # everything that was read, as values
    tree: ParsedXml  # the one parse; the verifier works on it, nobody else
    warnings: tuple[Violation, ...] = ()


class VerdictStatus(StrEnum):
    """Indeterminate is not valid."""

    VALID = "valid"
    INVALID = "invalid"
    INDETERMINATE = "indeterminate"


class LegalValue(StrEnum):
    """QĐ 28/2018 art. 4: signed = value of the original; unsigned = for information. `pending`: evidence is still awaited."""

    ORIGINAL = "original"
    FOR_INFORMATION = "for information"
    PENDING = "pending"
    NONE = "none"  # signed, and the signature does not hold: neither the one nor the other


@dataclass(frozen=True, slots=True)
class SignatureReport:
    """What was found out about one signature. Each answer is `ok`, `failed`, `unknown` or `not checked`."""

    kind: str  # "xmldsig", "pdf", "cades", "tsr" … (`signing.finding`); "decorative"
    signer: str  # subject of the certificate, RFC 4514; "" unknown
    organ_id: str  # agency that the certificate is bound to; "" unbound
    integrity: str
    coverage: str
    path: str
    revocation: str
    time: str
    algorithms: str
    status: VerdictStatus
    reasons: tuple[str, ...] = ()
    certificate_sha256: str = ""  # lower hex of the DER
    signed_at: str = ""  # RFC 3339; the time the judgement was made for, "" none
    time_source: str = ""  # "rfc3161": proven; "received": the hub has had it since; "claimed": the signer's word, moves nothing; "none"
    claimed_at: str = ""  # RFC 3339; the signer's word, "" none
    name: str = ""  # where it stands: attachment, field, entry
    notes: tuple[str, ...] = ()  # codes of what is worth knowing and refuses nothing

    def as_json(self) -> dict[str, Any]:
        """The member of `signatures` in `lgsp verify --json`."""
        return {
            "kind": self.kind,
            "signer": self.signer,
            "organ_id": self.organ_id,
            "integrity": self.integrity,
            "coverage": self.coverage,
            "path": self.path,
            "revocation": self.revocation,
            "time": self.time,
            "algorithms": self.algorithms,
            "verdict": str(self.status),
            "reasons": list(self.reasons),
            "certificate_sha256": self.certificate_sha256,
            "signed_at": self.signed_at,
            "time_source": self.time_source,
            "claimed_at": self.claimed_at,
            "name": self.name,
            "notes": list(self.notes),
        }


@dataclass(frozen=True, slots=True)
class FileReport:
    """The sum of one attachment's signatures."""

    name: str  # as declared; for people, never for a path
    kind: str  # told from the bytes: "pdf", "cms" …; "unknown"
    sha256: str  # lower hex of the file as unpacked
    status: VerdictStatus
    reasons: tuple[str, ...]
    legal_value: LegalValue

    def as_json(self) -> dict[str, Any]:
        """The member of `attachments` in `lgsp verify --json`."""
        return {
            "name": self.name,
            "kind": self.kind,
            "sha256": self.sha256,
            "verdict": str(self.status),
            "reasons": list(self.reasons),
            "legal_value": str(self.legal_value),
        }


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer of `signing.verify`. `reasons` are error codes, the most telling first; empty only for `valid`."""

    status: VerdictStatus
    reasons: tuple[str, ...]
    signatures: tuple[SignatureReport, ...]
    legal_value: LegalValue
    policy: str = ""  # name of the policy it was reached under
    kind: str = ""  # of the file: "edxml", "pdf" …
    attachments: tuple[FileReport, ...] = ()  # of a packet

    @property
    def is_pending(self) -> bool:
        """Indeterminate solely because nobody said whether a certificate was revoked: worth asking again (DESIGN §2.4)."""
        return self.status is VerdictStatus.INDETERMINATE and self.legal_value is LegalValue.PENDING

    def as_json(self) -> dict[str, Any]:
        """The document that `lgsp verify --json` prints and the journal commits to."""
        return {
            "verdict": str(self.status),
            "accepted": self.status is VerdictStatus.VALID,
            "reason": self.reasons[0] if self.reasons else "",
            "reasons": list(self.reasons),
            "legal_value": str(self.legal_value),
            "policy": self.policy,
            "kind": self.kind,
            "signatures": [s.as_json() for s in self.signatures],
            "attachments": [one.as_json() for one in self.attachments],
        }


@dataclass(frozen=True, slots=True)
class Message:
    """An envelope with its verdict. Made by `signing.verify` only (a test keeps it so)."""

    envelope: Envelope
    verdict: Verdict
    artefacts: Mapping[str, str] = field(default_factory=dict)  # name → version or digest of what it was judged with
    evidence: Mapping[str, bytes] = field(default_factory=dict, repr=False)  # SHA-256 → what is to be kept, `artefacts["evidence"]` first


class DeliveryState(StrEnum):
    """Where one recipient's copy stands. Accepted = the sum of these, always (DESIGN §2.5)."""

    PENDING = "pending"  # recorded, nobody has taken it up
    QUEUED = "queued"  # a pointer is with the broker, or it waits in the mailbox to be fetched
    DELIVERING = "delivering"  # an adapter has it
    DEFERRED = "deferred"  # failed for now, due again at `due_at`
    DELIVERED = "delivered"
    REFUSED = "refused"  # the receiving system said no for good
    PARKED = "parked"  # a person has to look; blocks its successors
    IN_DOUBT = "in_doubt"  # nobody knows whether it arrived; a person decides
    CANCELLED = "cancelled"  # recalled before it left, or brought by another route


FINAL_STATES = frozenset({DeliveryState.DELIVERED, DeliveryState.REFUSED, DeliveryState.CANCELLED})


@dataclass(frozen=True, slots=True)
class Delivery:
    """One recipient's copy of one message."""

    id: UUID
    message_id: UUID
    recipient: AgencyCode
    system: str  # name of the system (profile) it goes to
    state: DeliveryState
    attempt: int  # how many times an adapter was asked
    due_at: datetime
    order_key: str  # recipient's system and subject: one at a time, in order of acceptance
    sequence: int  # index of the acceptance in the journal
    cause: str = ""  # error code of the last failure


@dataclass(frozen=True, slots=True)
class Parcel:
    """What an adapter sees: nothing but what has been verified and translated for its system."""

    key: str  # the same for every attempt; receivers recognise a repetition by it
    message_id: UUID
    recipients: tuple[AgencyCode, ...]
    sender: AgencyCode
    kind: Kind
    document_id: str
    content_type: str  # with charset where the protocol that brought it named one
    body: bytes
    legal_value: str = ""  # of the newest verdict (`LegalValue`); "" where nothing is said of it
    verification: str = ""  # where a certificate's status was not known at first: pending, confirmed, withdrawn or given-up


@dataclass(frozen=True, slots=True)
class Accepted:
    """What an adapter returns: the other side has it durably, by its own word."""

    remote_id: str  # the receiver's id for it, "" where it gives none
    answer: str = ""  # a short excerpt of the answer, for the record; never secrets


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a sender gets, and only after everything is on disk. `body` is the signed canonical JSON, byte for byte."""

    message_id: UUID
    index: int  # of the acceptance in the journal
    leaf_hash: bytes  # 32 bytes
    body: bytes
    repeated: bool = False  # True when it was given before


def utc(at: datetime) -> datetime:
    """`at` in UTC. A naive time is a programmer's mistake."""
    if at.tzinfo is None:
        raise RuntimeError("a time without zone reached the hub's values")
    return at if at.tzinfo is UTC else at.astimezone(UTC)


def instant(text: str) -> datetime:
    """The time in `text`, RFC 3339 with its zone, in UTC. Raises `ValueError` for anything else, and for what UTC cannot hold."""
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError("without zone")
    try:
        return at.astimezone(UTC)
    except OverflowError as fault:
        raise ValueError("out of range") from fault


def rfc3339(at: datetime) -> str:
    """`at` as RFC 3339 in UTC with microseconds: ``2026-11-21T03:04:05.000006Z``."""
    return utc(at).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"
