"""Everything a judgement on a signer depends on besides the signature itself, as one frozen value: the same context gives the same answer.

Nothing here is fetched, and no clock is read: what was not put in does not exist.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from signing import certificate, limits
from signing.algorithms import CURRENT, AlgorithmPolicy
from signing.certificate import Certificate
from signing.trust import TrustStore


class Status(StrEnum):
    """One step's answer. `UNKNOWN`: nothing speaks against it, and something that should speak for it is missing."""

    OK = "ok"
    FAILED = "failed"
    UNKNOWN = "unknown"


class Purpose(StrEnum):
    """What a certificate at the beginning of a path is to be good for."""

    DOCUMENT = "document"
    TIMESTAMP = "timestamp"  # RFC 3161 §2.3
    CRL = "crl"
    OCSP = "ocsp"  # RFC 6960 §4.2.2.2


class Demand(StrEnum):
    """For which certificates of a path the status has to be known."""

    ALL = "all"
    PUBLISHED = "published"  # those that name where their status is published, or that a CRL or an OCSP answer was handed in for
    NONE = "none"  # what is handed in still convicts


@dataclass(frozen=True, slots=True)
class PolicyDemand:
    """The inputs (c) to (g) of RFC 5280 §6.1.1 that an agency may set. The defaults accept any certificate policy, or none."""

    accepted: frozenset[str] = frozenset()  # dotted OIDs; empty: any
    explicit: bool = False  # one accepted policy has to hold along the whole path
    inhibit_mapping: bool = False
    inhibit_any: bool = False


ANY_POLICY = PolicyDemand()


@dataclass(frozen=True, slots=True)
class Context:
    """What a judgement is made with, as of `at`.

    `proven_time` is when an RFC 3161 token that was itself judged valid says the signature existed; `claimed_time` is what the signer
    says. Only the first moves the judgement into the past. `intermediates`, `crls` and `ocsps` are DER, from wherever: each is believed
    only as far as its own signature leads to an anchor.
    """

    trust: TrustStore
    at: datetime
    intermediates: tuple[bytes, ...] = ()
    crls: tuple[bytes, ...] = field(default=(), repr=False)
    ocsps: tuple[bytes, ...] = field(default=(), repr=False)
    algorithm_policy: AlgorithmPolicy = CURRENT
    proven_time: datetime | None = None
    claimed_time: datetime | None = None
    policies: PolicyDemand = ANY_POLICY
    demand: Demand = Demand.ALL

    def __post_init__(self) -> None:
        if any(moment is not None and moment.tzinfo is None for moment in (self.at, self.proven_time, self.claimed_time)):
            raise RuntimeError("times of a context need a time zone")

    @property
    def judged_at(self) -> datetime:
        """The moment that path and revocation are judged for: proven, or that of the question."""
        return self.proven_time or self.at

    @property
    def proven(self) -> bool:
        """Whether a time-stamp stands for `judged_at`."""
        return self.proven_time is not None

    @property
    def claimed(self) -> bool:
        """Whether all that is known of the signing time is what the signer says."""
        return self.proven_time is None and self.claimed_time is not None

    def known(self) -> tuple[Certificate, ...]:
        """The intermediates, read; those that cannot be read, and those beyond the limit, do not exist."""
        return _read(self.intermediates[: limits.MAX_INTERMEDIATES])


def _read(ders: tuple[bytes, ...]) -> tuple[Certificate, ...]:
    found = (certificate.readable(der) for der in ders)
    return tuple(dict.fromkeys(cert for cert in found if cert is not None))
