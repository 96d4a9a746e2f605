"""Whether the certificates of a path were revoked at the time judged for.

 * Revoked at or before that time: failed. The date of invalidity counts where it is the earlier one.
 * Revoked after it: no matter, if a time-stamp proves the time. If the signer only claims an earlier one: failed where the key is
   compromised; else unknown, for he may have signed in time and cannot prove it.
 * Silence of a list, or "good", acquits if the statement was current at that time or is younger than it, and the certificate had not yet
   expired then (a CA may drop expired ones). Statements younger than the question convict and never acquit.
 * A hold ends when a later statement no longer shows it; every other revocation stays.

What is missing is `revocation-unknown`: pending, never good.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.x509.oid import AuthorityInformationAccessOID

from schemas.errors import Violation, error
from schemas.message import rfc3339
from signing import certificate, sources
from signing.certificate import Certificate, name_key
from signing.context import Context, Demand, Status
from signing.limits import MAX_NESTING
from signing.sources import Sources
from signing.statement import ALL_REASONS, HOLD, Question, Said, Statement

CLOCK_TOLERANCE = timedelta(minutes=5)  # between the clocks of an authority and of the hub
WITHOUT_NEXT = timedelta(hours=24)  # how long a statement is current that names no next one [G]
_EARLIEST, _LATEST = datetime.min.replace(tzinfo=UTC) + CLOCK_TOLERANCE, datetime.max.replace(tzinfo=UTC) - WITHOUT_NEXT
_COMPROMISED = frozenset(
    flag.value for flag in (x509.ReasonFlags.key_compromise, x509.ReasonFlags.ca_compromise, x509.ReasonFlags.aa_compromise)
)


@dataclass(frozen=True, slots=True)
class CertificateStatus:
    """The answer for one certificate; `used` are the statements it rests on."""

    certificate: Certificate
    status: Status
    faults: tuple[Violation, ...]
    used: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class RevocationAnswer:
    """The answer for a path: that of its worst certificate. `faults` is empty exactly when `status` is ok."""

    status: Status
    faults: tuple[Violation, ...]
    notes: tuple[Violation, ...]  # what was handed in and could not be read: no reason by itself
    certificates: tuple[CertificateStatus, ...]
    judged_at: datetime
    claimed: bool  # all that is known of the signing time is the signer's word
    turns: tuple[datetime, ...] = field(compare=False, repr=False, default=())  # every date that the time was compared with

    @property
    def reasons(self) -> tuple[str, ...]:
        """Codes of the faults, each once."""
        return tuple(dict.fromkeys(fault.code for fault in self.faults))

    @property
    def used(self) -> tuple[str, ...]:
        """SHA-256 of the lists and answers it rests on, sorted."""
        return tuple(sorted({statement.sha256 for one in self.certificates for statement in one.used}))


def check_revocation(chain: tuple[Certificate, ...], ctx: Context, others: tuple[bytes, ...] = ()) -> RevocationAnswer:
    """The answer for `chain` (the signer first, an anchor last: its status nobody is asked for). Raises nothing.

    `others` are certificates sent along, in DER; they may only lead to who signed a list.
    """
    sent = (cert for cert in map(certificate.readable, others) if cert is not None)
    known = tuple(dict.fromkeys((*chain, *sent, *ctx.known())))
    asked = _Inquiry(ctx, sources.read(ctx.crls, ctx.ocsps), known)
    found = tuple(asked.status(Question(chain[depth:]), frozenset(), 0) for depth in range(len(chain) - 1))
    faults = tuple(fault for one in found for fault in one.faults)
    return RevocationAnswer(_worst(found), faults, asked.sources.faults, found, ctx.judged_at, ctx.claimed, tuple(asked.turns))


def _worst(found: tuple[CertificateStatus, ...]) -> Status:
    seen = {one.status for one in found}
    return next((status for status in (Status.FAILED, Status.UNKNOWN) if status in seen), Status.OK)


@dataclass(frozen=True, slots=True)
class _Inquiry:
    """One context's question to its sources."""

    ctx: Context
    sources: Sources
    known: tuple[Certificate, ...]
    turns: set[datetime] = field(default_factory=set)  # dates of all statements that were looked at

    def status(self, question: Question, without: frozenset[str], depth: int) -> CertificateStatus:
        """The answer for one certificate, statements by the keys of `without` (SHA-256 of certificates) left out."""
        said = sources.statements(question, self.sources, self.known, self.ctx.trust)
        self.turns.update(moment for statement in said for moment in _turns(statement))
        heard = tuple(s for s in said if s.key_holder.sha256 not in without and self._is_sound(s, without, depth))
        cert = question.certificate
        guilty, doubtful = self._convictions(heard)
        if guilty or doubtful:
            statement = (guilty or doubtful)[0]
            got = f"{cert.subject}: {statement.reason or 'revoked'} since {rfc3339(statement.since or statement.this_update)}"
            faults = (error("revoked", got=got, expected=f"not revoked at {rfc3339(self.ctx.judged_at)}"),)
            return CertificateStatus(cert, Status.FAILED if guilty else Status.UNKNOWN, faults, guilty or doubtful)
        good = tuple(s for s in heard if self._acquits(s, cert))
        covered = frozenset(reason for s in good for reason in s.reasons)
        if covered >= ALL_REASONS or self._is_excused(cert, said):
            return CertificateStatus(cert, Status.OK, (), good)
        return CertificateStatus(cert, Status.UNKNOWN, (self._missing(cert, said, heard),), good)

    def _convictions(self, heard: tuple[Statement, ...]) -> tuple[tuple[Statement, ...], tuple[Statement, ...]]:
        guilty: list[Statement] = []
        doubtful: list[Statement] = []
        for statement in heard:
            since = statement.since
            if statement.said is not Said.REVOKED or since is None or since > self.ctx.judged_at:
                continue
            if statement.reason == HOLD and any(_ends_hold(s, statement) for s in heard):
                continue
            claimed = self.ctx.claimed_time if self.ctx.claimed else None
            doubt = claimed is not None and claimed < since and statement.reason not in _COMPROMISED
            (doubtful if doubt else guilty).append(statement)
        return tuple(guilty), tuple(doubtful)

    def _acquits(self, statement: Statement, cert: Certificate) -> bool:
        if statement.said is Said.NOTHING or statement.this_update - self.ctx.at > CLOCK_TOLERANCE or not self._is_strong(statement):
            return False
        if statement.said is Said.REVOKED and statement.since and statement.since <= self.ctx.judged_at:
            return False
        if statement.this_update > cert.not_after and not (statement.keeps_since and statement.keeps_since <= cert.not_after):
            return False
        return self.ctx.judged_at <= _current_until(statement)

    def _is_strong(self, statement: Statement) -> bool:
        """Whether its algorithms were good when it was made. Those of a weak one may be forged, which is no reason to let anybody pass."""
        policy, made = self.ctx.algorithm_policy, statement.this_update
        if not policy.allows_key(statement.key_holder.key, at=made, proven=self.ctx.proven).ok:
            return False
        return not statement.hash_name or policy.allows("hash", statement.hash_name, at=made, proven=self.ctx.proven).ok

    def _is_sound(self, statement: Statement, without: frozenset[str], depth: int) -> bool:
        """Whether whoever made it could be believed then."""
        made, signers = statement.this_update, statement.signers
        if not all(cert.not_before - made <= CLOCK_TOLERANCE and made <= cert.not_after for cert in signers):
            return False
        if len(signers) < 2 or statement.no_check:
            return True
        return depth < MAX_NESTING and self._are_good(statement, without, depth)

    def _are_good(self, statement: Statement, without: frozenset[str], depth: int) -> bool:
        """Whether who made it, and each above, was good then."""
        signers = statement.signers
        first, *above = (
            self.status(Question(signers[n:]), without | {signers[0].sha256}, depth + 1).status for n in range(len(signers) - 1)
        )
        if first is Status.UNKNOWN and _is_its_own_authority(signers[0]):
            first = Status.OK if self._own_word(Question(signers)) else Status.FAILED
        if first is Status.UNKNOWN and statement.kind == "ocsp" and not self._is_asked_about(Question(signers)):
            first = Status.OK  # RFC 6960 §4.2.2.2.1, the third way: its CA has named no place to ask, and nothing speaks against it
        return {first, *above} == {Status.OK}

    def _is_asked_about(self, question: Question) -> bool:
        """Whether its status is published, or spoken of by anything at hand."""
        said = sources.statements(question, self.sources, self.known, self.ctx.trust)
        return is_published(question.certificate) or any(s.key_holder != question.certificate for s in said)

    def _own_word(self, question: Question) -> bool:
        """Whether lists by the certificate's own key say that it is good, and none that it is not."""
        said = sources.statements(question, self.sources, self.known, self.ctx.trust)
        own = [s for s in said if s.key_holder == question.certificate]
        if any(s.said is Said.REVOKED and s.since and s.since <= self.ctx.judged_at for s in own):
            return False
        return frozenset(reason for s in own if self._acquits(s, question.certificate) for reason in s.reasons) >= ALL_REASONS

    def _is_excused(self, cert: Certificate, said: tuple[Statement, ...]) -> bool:
        demand = self.ctx.demand
        return demand is Demand.NONE or (demand is Demand.PUBLISHED and not said and not is_published(cert))

    def _missing(self, cert: Certificate, said: tuple[Statement, ...], heard: tuple[Statement, ...]) -> Violation:
        if not said:
            got = "no list and no answer that is about it and signed by who may"
        elif not heard:
            got = "no statement by a signer that could be believed"
        else:
            newest = max(statement.this_update for statement in heard)
            got = f"{len(heard)} statements, none that covers the time; the newest of {rfc3339(newest)}"
        return error("revocation-unknown", got=f"{cert.subject}: {got}", expected=f"its status at {rfc3339(self.ctx.judged_at)}")


def _current_until(statement: Statement) -> datetime:
    return max(statement.next_update or min(statement.this_update, _LATEST) + WITHOUT_NEXT, statement.this_update)


def _turns(statement: Statement) -> Iterator[datetime]:
    """The dates on it that the moment judged for, or that of the question, is compared with above."""
    yield max(statement.this_update, _EARLIEST) - CLOCK_TOLERANCE
    yield _current_until(statement)
    if statement.since is not None:
        yield statement.since


def _ends_hold(later: Statement, hold: Statement) -> bool:
    return later.said is Said.GOOD and HOLD in later.reasons and later.this_update > hold.this_update


def _is_its_own_authority(cert: Certificate) -> bool:
    """Whether its issuer has named nobody for its status but itself: every distribution point has it as cRLIssuer. Then its lists speak
    of it, as those of a CA that signs its own lists do (NIST PKITS 4.14.30).
    """
    points = cert.extension(x509.CRLDistributionPoints)
    return points is not None and all(
        any(isinstance(name, x509.DirectoryName) and name_key(name.value) == cert.subject_key for name in point.crl_issuer or ())
        for point in points
    )


def is_published(cert: Certificate) -> bool:
    """Whether the certificate says where its status can be asked."""
    about = cert.extension(x509.AuthorityInformationAccess)
    answered = about is not None and any(one.access_method == AuthorityInformationAccessOID.OCSP for one in about)
    return answered or any(cert.extension(kind) is not None for kind in (x509.CRLDistributionPoints, x509.FreshestCRL))
