"""What one CRL or one OCSP answer says of one certificate: signature-checked, in scope, and free of any question of time.

Whether a statement counts at a moment, and against whom, is `revocation.py`'s.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from cryptography.x509 import ReasonFlags

from signing.certificate import Certificate

ALL_REASONS = frozenset(flag.value for flag in ReasonFlags) - {ReasonFlags.unspecified.value, ReasonFlags.remove_from_crl.value}
HOLD = ReasonFlags.certificate_hold.value
REMOVED = ReasonFlags.remove_from_crl.value
UNSPECIFIED = ReasonFlags.unspecified.value


class Said(StrEnum):
    """What is said."""

    GOOD = "good"
    REVOKED = "revoked"
    NOTHING = "nothing"  # the source may not, or does not, say


@dataclass(frozen=True, slots=True)
class Statement:
    """`signers` is empty where the key that issued the certificate made the statement; else the path of who made it, an anchor last."""

    kind: str  # "crl" or "ocsp"
    sha256: str  # of the list or the answer in DER, lower hex
    said: Said
    this_update: datetime
    next_update: datetime | None
    key_holder: Certificate  # whose key made it
    hash_name: str  # of its signature, "" where the algorithm has none
    signers: tuple[Certificate, ...] = ()
    reasons: frozenset[str] = ALL_REASONS  # for which of them silence means that it was not revoked
    revoked_at: datetime | None = None
    reason: str = ""
    invalid_since: datetime | None = None  # RFC 5280 §5.3.2
    keeps_since: datetime | None = None  # certificates that expired after it are still spoken of
    no_check: bool = False  # the signer's certificate says that its own status need not be asked (RFC 6960 §4.2.2.2.1)

    @property
    def since(self) -> datetime | None:
        """From when on the certificate is not to be believed; the earlier of both dates."""
        if self.revoked_at is None or self.invalid_since is None:
            return self.revoked_at
        return min(self.revoked_at, self.invalid_since)


@dataclass(frozen=True, slots=True)
class Question:
    """Whose status is asked: a certificate, and its path (the certificate first, an anchor last)."""

    path: tuple[Certificate, ...]

    @property
    def certificate(self) -> Certificate:
        """The one asked about."""
        return self.path[0]

    @property
    def issuer(self) -> Certificate:
        """Who issued it."""
        return self.path[1]
