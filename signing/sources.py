"""Everything that is said of a certificate's status in the lists and answers at hand, independent of time and remembered.

Who signed a list other than the key that issued the certificate must lead to the same anchor, and must have been named for it: by the same
parent, by the issuing key itself (RFC 5280 §6.3.3 (f), key rollover), or, for an indirect list, by the certificate's distribution point.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace

from cryptography import x509

from schemas.errors import Refused, Violation, error
from signing import crl, ocsp, scope
from signing.certificate import Certificate, issued
from signing.context import Purpose
from signing.crl import RevocationList
from signing.limits import MAX_CRL_CACHE_BYTES, MAX_CRLS, MAX_OCSPS
from signing.path import Demands, find
from signing.remembered import Remembered
from signing.statement import HOLD, REMOVED, Question, Said, Statement
from signing.trust import TrustStore

_LISTS = Demands(Purpose.CRL, dated_algorithms=True)


@dataclass(frozen=True, slots=True, eq=False)
class Sources:
    """Lists and answers as read, the unreadable ones named. `digest` stands for all that was handed in."""

    lists: tuple[RevocationList, ...]
    answers: tuple[ocsp.Answers, ...]
    faults: tuple[Violation, ...]
    digest: str


_sources: Remembered[tuple[tuple[bytes, ...], tuple[bytes, ...]], Sources] = Remembered(MAX_CRL_CACHE_BYTES)
_said: Remembered[tuple[str, ...], tuple[Statement, ...]] = Remembered(4096)


def read(crls: tuple[bytes, ...], ocsps: tuple[bytes, ...]) -> Sources:
    """Reads what can be read, up to the limits on number and size. Raises nothing."""
    found = _sources.found((crls, ocsps))
    if found is None:
        found = _read(crls, ocsps)
        _sources.put((crls, ocsps), found, 1 + sum(map(len, crls)) + sum(map(len, ocsps)))
    return found


def _read(crls: tuple[bytes, ...], ocsps: tuple[bytes, ...]) -> Sources:
    lists: dict[str, RevocationList] = {}
    answers: dict[str, ocsp.Answers] = {}
    faults: list[Violation] = []
    for der in crls[:MAX_CRLS]:
        try:
            listed = crl.load(der)
            lists[listed.sha256] = listed
        except Refused as fault:
            faults.append(error(fault.code, got=fault.got, expected=fault.expected))
    for der in ocsps[:MAX_OCSPS]:
        try:
            answered = ocsp.load(der)
            answers[answered.sha256] = answered
        except Refused as fault:
            faults.append(error(fault.code, got=fault.got, expected=fault.expected))
    for name, count, limit in (("CRLs", len(crls), MAX_CRLS), ("OCSP responses", len(ocsps), MAX_OCSPS)):
        if count > limit:
            faults.append(error("resource-limit", got=f"{count} {name}", expected=f"at most {limit}"))
    digest = hashlib.sha256("\n".join((*sorted(lists), "", *sorted(answers))).encode()).hexdigest()
    return Sources(tuple(lists.values()), tuple(answers.values()), tuple(faults), digest)


def statements(question: Question, sources: Sources, known: tuple[Certificate, ...], trust: TrustStore) -> tuple[Statement, ...]:
    """All that is said of the certificate by someone who may."""
    others = hashlib.sha256("".join(c.sha256 for c in known).encode()).hexdigest()
    key = (sources.digest, trust.fingerprint, others, *(c.sha256 for c in question.path))
    return _said.of(key, lambda: tuple(_statements(question, sources, known, trust)))


def _statements(question: Question, sources: Sources, known: tuple[Certificate, ...], trust: TrustStore) -> Iterator[Statement]:
    for answers in sources.answers:
        yield from ocsp.statements(answers, question, known)
    signed = []
    for listed in sources.lists:
        covered = scope.reasons_covered(listed, question.certificate)
        if covered:
            signers = _signers(listed, question, known, trust)
            if signers:
                signed.append((listed, covered, signers))
    for listed, covered, signers in signed:
        deltas = [one for one, _, _ in signed if _builds_on(one, listed)]
        yield _from_list(listed, deltas, covered, signers, question)


def _builds_on(delta: RevocationList, complete: RevocationList) -> bool:
    if delta.base is None or complete.base is not None or delta.number is None or complete.number is None:
        return False
    same = delta.issuer_key == complete.issuer_key and delta.scope == complete.scope
    return same and delta.base <= complete.number <= delta.number


def _from_list(
    listed: RevocationList, deltas: list[RevocationList], covered: frozenset[str], signers: tuple[Certificate, ...], question: Question
) -> Statement:
    silent = Said.GOOD if listed.sound and listed.base is None else Said.NOTHING
    statement = Statement(
        kind="crl",
        sha256=listed.sha256,
        said=silent,
        this_update=listed.this_update,
        next_update=listed.next_update,
        key_holder=signers[0],
        hash_name=listed.hash_name,
        signers=() if signers[0].key_der == question.issuer.key_der else signers,
        reasons=covered,
        keeps_since=listed.keeps_since,
    )
    entry = listed.entry(question.certificate)
    if entry is None:
        return statement
    at, reason, invalid_since = crl.details(entry)
    if reason == REMOVED:
        return replace(statement, said=Said.NOTHING)
    if reason == HOLD and any(_ends_hold(delta, question.certificate) for delta in deltas):
        return statement
    return replace(statement, said=Said.REVOKED, revoked_at=at, reason=reason, invalid_since=invalid_since)


def _ends_hold(delta: RevocationList, cert: Certificate) -> bool:
    entry = delta.entry(cert)
    return delta.sound and entry is not None and crl.details(entry)[1] == REMOVED


def _signers(listed: RevocationList, question: Question, known: tuple[Certificate, ...], trust: TrustStore) -> tuple[Certificate, ...]:
    """The path of who signed the list, from his certificate to the anchor of the question; empty where nobody who may did."""
    issuer, anchor = question.issuer, question.path[-1]
    if issuer.subject_key == listed.issuer_key and _may_sign_lists(issuer) and listed.signed_by(issuer):
        return question.path[1:]
    named = (*trust.issuers.get(listed.issuer_key, ()), *(c for c in (*question.path, *known) if c.subject_key == listed.issuer_key))
    for cert in dict.fromkeys(named):
        if cert == issuer or not listed.signed_by(cert):
            continue
        for chain in find(cert, known, trust, _LISTS).chains:
            if chain.certificates[-1].key_der == anchor.key_der and (_was_named(cert, question) or _is_indirect(listed, question)):
                return chain.certificates
    return ()


def _may_sign_lists(cert: Certificate) -> bool:
    usage = cert.extension(x509.KeyUsage)
    return usage is None or usage.crl_sign


def _was_named(cert: Certificate, question: Question) -> bool:
    """Whether a namesake of the issuer with another key is the same authority: named by its parent, by itself, or the one that named it."""
    issuer = question.issuer
    parent = question.path[2] if len(question.path) > 2 else issuer
    return cert.subject_key == issuer.subject_key and (issued(cert, issuer) or issued(cert, parent) or issued(issuer, cert))


def _is_indirect(listed: RevocationList, question: Question) -> bool:
    return listed.issuer_key != question.certificate.issuer_key  # `scope` has found it named in a distribution point
