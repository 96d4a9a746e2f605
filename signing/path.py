"""From a signer's certificate to a trust anchor (RFC 5280 §6), judged apart from time so that it can be remembered.

Two readings must agree (ADR 0011). A walk of our own finds the paths and names what is wrong with each in the hub's vocabulary;
`rfc5280.py` has the final word on the path found: signatures, names and their constraints, policies, critical extensions. The walk alone
never makes a path good.

`find` answers without a time, `check_path` for one: then the periods and the dated table of algorithms count. Revocation is
`revocation.py`'s.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes

from schemas.errors import Refused, Violation, error
from schemas.message import rfc3339
from signing import certificate, rfc5280
from signing.algorithms import CERTIFICATE_HASHES, CURRENT, check_key
from signing.certificate import Certificate, issued
from signing.context import ANY_POLICY, Context, PolicyDemand, Purpose, Status
from signing.limits import MAX_CAS, MAX_PATHS_BYTES, MAX_STEPS
from signing.purpose import authority_faults, extension_faults, purpose_faults
from signing.remembered import Remembered
from signing.trust import TrustStore

_ENTRY_BYTES = 4096  # of a remembered answer without the certificates
CLOCK_TOLERANCE = timedelta(days=1)  # how far a signer's own clock may be wrong before his claim contradicts his certificate


@dataclass(frozen=True, slots=True)
class Chain:
    """A path from the signer's certificate (first) to an anchor (last) that holds from `not_before` to `not_after`, if that is later."""

    certificates: tuple[Certificate, ...]
    not_before: datetime  # the latest of the first moments
    not_after: datetime  # the earliest of the last moments

    def holds(self, at: datetime) -> bool:
        """Whether all certificates are in their periods."""
        return self.not_before <= at <= self.not_after


@dataclass(frozen=True, slots=True)
class Paths:
    """All good chains; where there is none, what is wrong with the best of the bad ones."""

    chains: tuple[Chain, ...]
    faults: tuple[Violation, ...]


@dataclass(frozen=True, slots=True)
class Demands:
    """What is asked of a path. `dated_algorithms`: the caller judges keys and hashes for a time; else today's table judges them."""

    purpose: Purpose = Purpose.DOCUMENT
    policies: PolicyDemand = ANY_POLICY
    dated_algorithms: bool = False


ORDINARY = Demands()


@dataclass(frozen=True, slots=True)
class PathAnswer:
    """Whether a path holds at the time judged for, and what it is made of. `faults` is empty exactly when `status` is ok."""

    status: Status
    faults: tuple[Violation, ...]
    chain: Chain | None  # the one that holds; else the one that came nearest, None where none was found
    judged_at: datetime
    claimed: bool  # all that is known of the signing time is the signer's word
    domain: str  # of the trust store
    chains: tuple[Chain, ...] = field(compare=False, repr=False, default=())  # all that were judged

    @property
    def reasons(self) -> tuple[str, ...]:
        """Their codes, each once."""
        return tuple(dict.fromkeys(fault.code for fault in self.faults))

    @property
    def certificates(self) -> tuple[Certificate, ...]:
        """Those of the chain, the signer's first."""
        return self.chain.certificates if self.chain else ()


@lru_cache(maxsize=1024)
def weakness(cert: Certificate) -> tuple[Violation, ...]:
    """Why the certificate's key is not to be believed: `weak-key` or `alg-forbidden`; empty for a good key."""
    try:
        check_key(cert.key, cert.subject)
    except Refused as fault:
        return (error(fault.code, got=fault.got, expected=fault.expected),)
    return ()


def check_path(signer_der: bytes, others: tuple[bytes, ...], ctx: Context, purpose: Purpose = Purpose.DOCUMENT) -> PathAnswer:
    """The answer for the certificate in `signer_der` over `others` (as sent, in DER) and what `ctx` knows. Raises nothing."""
    try:
        signer = certificate.load(signer_der)
    except Refused as fault:
        return _answer(ctx, (error(fault.code, got=fault.got, expected=fault.expected),), None)
    sent = (cert for cert in map(certificate.readable, others) if cert is not None and cert != signer)
    known = tuple(dict.fromkeys((*sent, *ctx.known())))
    paths = find(signer, known, ctx.trust, Demands(purpose, ctx.policies, dated_algorithms=True))
    if not paths.chains:
        unusable = tuple(_unusable_issuers(signer, known, (*others, *ctx.intermediates)))
        return _answer(ctx, (*_key_faults(signer.key, signer.subject, ctx), *unusable, *paths.faults), None)
    judged = [(_faults_in_time(chain, ctx), chain) for chain in paths.chains]
    faults, chain = min(judged, key=lambda pair: len(pair[0]))
    return _answer(ctx, faults, chain, paths.chains)


def _unusable_issuers(signer: Certificate, known: tuple[Certificate, ...], ders: tuple[bytes, ...]) -> Iterator[Violation]:
    """What is wrong with certificates that bear an issuer's name and cannot be used for their key or algorithm: `certificate.load` refuses
    them, so that no path leads over them, and the reason would be lost.
    """
    names, above = {signer.issuer_key}, True
    while above:
        above = bool({cert.issuer_key for cert in known if cert.subject_key in names} - names)
        names |= {cert.issuer_key for cert in known if cert.subject_key in names}
    for der in dict.fromkeys(ders):
        try:
            certificate.load(der)
        except Refused as fault:
            if fault.code in ("weak-key", "alg-forbidden") and certificate.subject_of(der) in names:
                yield error(fault.code, got=fault.got, expected=fault.expected)


def _answer(ctx: Context, faults: tuple[Violation, ...], chain: Chain | None, chains: tuple[Chain, ...] = ()) -> PathAnswer:
    status = Status.FAILED if faults else Status.OK
    if chain and ctx.claimed and {f.code for f in faults} == {"expired"} and ctx.claimed_time and chain.holds(ctx.claimed_time):
        status = Status.UNKNOWN  # he may have signed in time, and cannot prove it
    return PathAnswer(status, faults, chain, ctx.judged_at, ctx.claimed, ctx.trust.domain, chains)


def _faults_in_time(chain: Chain, ctx: Context) -> tuple[Violation, ...]:
    at = ctx.judged_at
    faults = [fault for cert in chain.certificates for fault in _key_faults(cert.key, cert.subject, ctx)]
    for cert in chain.certificates[:-1]:  # an anchor's own signature is not used
        allowed = not cert.hash_name or ctx.algorithm_policy.allows("hash", cert.hash_name, at=at, proven=ctx.proven).ok
        if not allowed:
            faults.extend(_signature_fault(cert))
    faults.extend(period_faults(chain.certificates, at))
    if ctx.claimed_time and ctx.claimed and chain.not_before - ctx.claimed_time > CLOCK_TOLERANCE:
        got = f"signed at {rfc3339(ctx.claimed_time)}, as claimed"
        faults.append(error("not-yet-valid", got=got, expected=f"after {rfc3339(chain.not_before)}"))
    return tuple(faults)


def period_faults(certificates: tuple[Certificate, ...], at: datetime) -> tuple[Violation, ...]:
    """`expired` and `not-yet-valid` of each that is not in its period at `at`."""
    faults = []
    for cert in certificates:
        if at < cert.not_before:
            faults.append(error("not-yet-valid", got=f"{cert.subject} from {rfc3339(cert.not_before)}", expected=rfc3339(at)))
        elif at > cert.not_after:
            faults.append(error("expired", got=f"{cert.subject} until {rfc3339(cert.not_after)}", expected=rfc3339(at)))
    return tuple(faults)


def _key_faults(key: CertificatePublicKeyTypes, whose: str, ctx: Context) -> tuple[Violation, ...]:
    answer = ctx.algorithm_policy.allows_key(key, at=ctx.judged_at, proven=ctx.proven)
    if answer.ok:
        return ()
    size = getattr(key, "key_size", "")
    return (error(answer.reason, got=f"{type(key).__name__.removesuffix('PublicKey')} {size} ({whose})", expected=answer.source),)


_found: Remembered[Hashable, Paths] = Remembered(MAX_PATHS_BYTES)


def find(signer: Certificate, others: tuple[Certificate, ...], trust: TrustStore, demands: Demands = ORDINARY) -> Paths:
    """Chains from `signer` over `others` (as sent, believed for nothing) and the store's certificates to one of its anchors.

    Independent of time; remembered by signer, others, store and demands, so that a packet of a known sender costs one look-up, and up to
    a weight, for what is sent along is the sender's choice. Thread-safe.
    """
    weight = _ENTRY_BYTES + len(signer.der) + sum(len(cert.der) for cert in others)
    return _found.of((signer, others, trust, demands), lambda: _find(signer, others, trust, demands), weight)


def _find(signer: Certificate, others: tuple[Certificate, ...], trust: TrustStore, demands: Demands) -> Paths:
    purpose = purpose_faults(signer, demands.purpose)
    chains: list[Chain] = []
    best: tuple[Violation, ...] | None = None
    for path in _walk(signer, others, trust):
        faults = (*purpose, *_path_faults(path, demands))
        if not faults:
            faults = _validator_faults(path, demands)
        if not faults:
            chains.append(_chain(path))
        elif best is None or len(faults) < len(best):
            best = faults
    if chains:
        return Paths(tuple(chains), ())
    forbidden = _signature_fault(signer) if is_by_forbidden_algorithm(signer) and not signer.self_issued else ()
    return Paths((), best if best is not None else (*forbidden, _no_anchor(signer), *purpose))


def _signature_fault(cert: Certificate) -> tuple[Violation, ...]:
    name = cert.hash_name or cert.parsed.signature_algorithm_oid.dotted_string
    return (error("alg-forbidden", got=f"{name} ({cert.subject})", expected="SHA-2 or SHA-3"),)


def _chain(path: tuple[Certificate, ...]) -> Chain:
    return Chain(path, max(c.not_before for c in path), min(c.not_after for c in path))


def _no_anchor(signer: Certificate) -> Violation:
    if signer.self_issued:
        return error("self-signed", got=signer.subject, expected="a certificate issued by a configured CA")
    return error("untrusted-chain", got=signer.parsed.issuer.rfc4514_string(), expected="an issuer that leads to a trust anchor")


def _walk(signer: Certificate, others: tuple[Certificate, ...], trust: TrustStore) -> Iterator[tuple[Certificate, ...]]:
    """Depth first, the likeliest issuer first: what a crowd of namesakes costs is taken from the paths over them alone."""
    steps = 0
    pending: list[tuple[tuple[Certificate, ...], Iterator[Certificate]]] = [((signer,), iter(_candidates(signer, others, trust)))]
    if signer.sha256 in trust.anchor_ids:
        yield (signer,)
        return
    while pending:
        path, issuers = pending[-1]
        issuer = next((one for one in issuers if not _goes_round(path, one)), None)
        if issuer is None:
            pending.pop()
            continue
        steps += 1
        if steps > MAX_STEPS:
            return
        if not (issued(path[-1], issuer) or is_by_forbidden_algorithm(path[-1])):
            continue
        longer = (*path, issuer)
        if issuer.sha256 in trust.anchor_ids:
            yield longer
        elif len(longer) <= MAX_CAS:
            pending.append((longer, iter(_candidates(issuer, others, trust))))


def is_by_forbidden_algorithm(cert: Certificate) -> bool:
    """Whether the signature on it is by something that the table has in no row (MD5, DSA): nobody checks such. A path over it is followed
    for the word that is owed, and is never good (`_path_faults`).
    """
    known = cert.parsed.signature_algorithm_oid.dotted_string in CURRENT.identifiers
    return not known or (bool(cert.hash_name) and ("hash", cert.hash_name) not in CURRENT.rows)


def _candidates(child: Certificate, others: tuple[Certificate, ...], trust: TrustStore) -> list[Certificate]:
    """Who may have issued it, by name; the likeliest first."""
    named = [*trust.issuers.get(child.issuer_key, ()), *(cert for cert in others if cert.subject_key == child.issuer_key)]
    about = child.extension(x509.AuthorityKeyIdentifier)
    wanted = about.key_identifier if about else None

    def likelihood(cert: Certificate) -> tuple[bool, bool]:
        own = cert.extension(x509.SubjectKeyIdentifier)
        return (wanted is None or own is None or own.digest == wanted, cert.sha256 in trust.anchor_ids)

    return sorted(dict.fromkeys(named), key=likelihood, reverse=True)


def _goes_round(path: tuple[Certificate, ...], issuer: Certificate) -> bool:
    return any(c.key_der == issuer.key_der and c.subject_key == issuer.subject_key for c in path[1:]) or issuer in path


def _path_faults(path: tuple[Certificate, ...], demands: Demands) -> tuple[Violation, ...]:
    faults: list[Violation] = []
    for depth, cert in enumerate(path):
        faults.extend(extension_faults(cert))
        if depth + 1 < len(path) and _is_signed_badly(cert, demands):  # an anchor's own is not used
            faults.extend(_signature_fault(cert))
        if depth:
            faults.extend(() if demands.dated_algorithms else weakness(cert))  # the signer's key is judged by itself, step 3 of `verify`
            below = sum(not c.self_issued for c in path[1:depth])
            faults.extend(authority_faults(cert, below, demands.purpose, is_anchor=depth + 1 == len(path)))
    return tuple(faults)


def _is_signed_badly(cert: Certificate, demands: Demands) -> bool:
    if is_by_forbidden_algorithm(cert):
        return True
    dated = demands.dated_algorithms  # then `check_path` asks the table for its time
    return not dated and bool(cert.hash_name) and cert.hash_name not in CERTIFICATE_HASHES


def _validator_faults(path: tuple[Certificate, ...], demands: Demands) -> tuple[Violation, ...]:
    chain = _chain(path)
    apart = max(chain.not_before - chain.not_after, timedelta(0))  # then it holds at no time, and `period_faults` says what is wrong when
    fault = rfc5280.fault(path, chain.not_before, demands.policies, apart)
    return (error("path-constraint", got=fault, expected="a path that RFC 5280 §6 accepts"),) if fault else ()
