"""What the readers of signed files hand to the judges of path, revocation and time: values, believed for what is written on them only.

A `Finding` is one signature with what can be said of it from the file alone: what it covers, whether it fits, who holds the key, which
algorithms made it, what it claims, what evidence travels with it. Whether the signer is anybody, and was so at the time, is judged later
from these values; nothing in them has been believed for that.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Literal, Protocol

from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes

from schemas.errors import Violation, error
from schemas.limits import DEFAULT_LIMITS, Limits

Kind = Literal["hash", "key", "scheme", "identifier"]  # rows of the table
STAMPS = frozenset({"tsr", "pdf-timestamp", "asic-timestamp"})  # kinds of finding that are about a time, not about who said something


class Allowed(Protocol):
    """An answer of the table of algorithms."""

    @property
    def ok(self) -> bool:
        """Whether it may be used."""

    @property
    def reason(self) -> str:
        """An error code, "" where it may."""

    @property
    def source(self) -> str:
        """The text that says so."""


class Algorithms(Protocol):
    """The dated table of algorithms (`algorithms.AlgorithmPolicy`)."""

    def allows(self, kind: Kind, name: str, size: int = 0, *, at: datetime, proven: bool = False) -> Allowed:
        """Whether `name` may be used at `at`; `proven` says that a time-stamp stands for that time."""

    def allows_key(self, key: CertificatePublicKeyTypes, *, at: datetime, proven: bool = False) -> Allowed:
        """The same of a public key."""


@dataclass(frozen=True, slots=True)
class Given:
    """What a reader is given beside the file."""

    at: datetime  # the moment of judgement: what is not proven to be older is as old as this
    algorithms: Algorithms
    certificates: tuple[bytes, ...] = ()  # DER, of configured stores: complete what a signature leaves out, believed for nothing
    limits: Limits = DEFAULT_LIMITS
    content: bytes | None = field(repr=False, default=None)  # what a detached XML signature is over


@dataclass(frozen=True, slots=True, order=True)
class Used:
    """One algorithm that a signature rests on, in the table's words. `what` is what it did: ``signature``, ``content``, ``imprint`` …"""

    kind: Kind
    name: str
    what: str


class Integrity(StrEnum):
    """Whether the signature fits its content and its key."""

    OK = "ok"
    FAILED = "failed"
    UNKNOWN = "unknown"  # could not be asked: content or key is missing, or the form is only recognised


class Coverage(StrEnum):
    """What of the file the signature is about."""

    WHOLE = "whole"  # all of it
    EXTENDED = "extended"  # all of it as signed; later came only what leaves it as it was: signatures, time-stamps, evidence
    FILLED = "filled"  # the same, and form fields that the signature lets be filled, or that a later signature answers for
    PART = "part"  # not all of it
    MODIFIED = "modified"  # the file was changed afterwards
    UNKNOWN = "unknown"


class StampKind(StrEnum):
    """What a time-stamp was made over."""

    SIGNATURE = "signature"  # the signature's value
    CONTENT = "content"  # what is signed, before it was
    DOCUMENT = "document"  # a whole document with all its signatures
    FILE = "file"  # a file that stands by itself
    REFERENCES = "references"  # references to certificates and status alone (XAdES): no proof of the signature
    ARCHIVE = "archive"  # a whole signature with its evidence


@dataclass(frozen=True, slots=True)
class Stamp:
    """One RFC 3161 token. `fits` says that it is about this data and that the key in `authority` signed it as an authority must.

    Whether that authority is trusted is judged by others.
    """

    kind: StampKind
    fits: bool
    at: datetime | None  # genTime, None where it could not be read
    authority: bytes  # the authority's certificate in DER, b"" where there is none
    certificates: tuple[bytes, ...]  # DER, as found in the token
    crls: tuple[bytes, ...]
    token: bytes  # the token in DER
    algorithms: tuple[Used, ...]
    violations: tuple[Violation, ...]  # why it does not fit, the deciding one first


@dataclass(frozen=True, slots=True)
class Finding:
    """One signature, as far as the file itself can tell. `violations` refuse it, the deciding one first; `notes` only say.

    Algorithms were judged for the time in `stamp`, whoever its authority is. Whoever finds that authority not trusted MUST ask `forbidden`
    again for the time that is left: anybody can make a token of long ago. A file is good only where all its findings are.
    """

    kind: str  # cms, cades, pdf, pdf-timestamp, asic-cades, asic-timestamp, tsr, ooxml …
    name: str  # where it stands: field, entry, number
    integrity: Integrity
    coverage: Coverage
    signer: bytes  # certificate in DER of the key that fits, or that is named where none fits; b"" for none
    certificates: tuple[bytes, ...] = field(repr=False, default=())  # DER, all that travel with the signature
    crls: tuple[bytes, ...] = field(repr=False, default=())  # DER, evidence to be judged, not believed
    ocsps: tuple[bytes, ...] = field(repr=False, default=())  # OCSPResponse in DER
    claimed_time: datetime | None = None  # the signer's own word
    stamp: Stamp | None = field(repr=False, default=None)  # the earliest that fits and proves that the signature existed
    stamps: tuple[Stamp, ...] = field(repr=False, default=())  # all of them, later ones that protect the evidence included
    algorithms: tuple[Used, ...] = ()
    violations: tuple[Violation, ...] = ()
    notes: tuple[Violation, ...] = ()
    covers: tuple[str, ...] = ()  # entries of a container that the signature answers for
    details: tuple[str, ...] = ()  # for people, in English
    gone: bool = False  # something that was signed is missing from the file itself, so that nobody can hand it in

    @property
    def reasons(self) -> tuple[str, ...]:
        """Codes, the deciding one first."""
        return codes(self.violations)

    @property
    def evidence(self) -> tuple[bytes, ...]:
        """Certificates of the signature and of its time-stamps, each once."""
        return tuple(dict.fromkeys((*self.certificates, *(der for stamp in self.stamps for der in stamp.certificates))))


def codes(violations: Iterable[Violation]) -> tuple[str, ...]:
    """Their codes in order, each once."""
    return tuple(dict.fromkeys(violation.code for violation in violations))


def ordered(violations: Iterable[Violation], order: tuple[str, ...]) -> tuple[Violation, ...]:
    """The violations, each once, in the order of these codes; others behind them, as they came."""
    ranks = {code: rank for rank, code in enumerate(order)}
    return tuple(sorted(dict.fromkeys(violations), key=lambda violation: ranks.get(violation.code, len(ranks))))


def forbidden(used: Iterable[Used], table: Algorithms, at: datetime, *, proven: bool) -> tuple[Violation, ...]:
    """What the table says against these algorithms at `at`. Asked again by whoever knows the time better."""
    found = []
    for one in dict.fromkeys(used):
        answer = table.allows(one.kind, one.name, at=at, proven=proven)
        if not answer.ok:
            found.append(error(answer.reason, path=one.what, got=one.name, expected=answer.source or "an algorithm of the list"))
    return tuple(found)
