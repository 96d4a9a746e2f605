"""The one procedure that says who signed a packet, and the only place where a `Message` is made.

 1. find: exactly one signature in the XML Signature namespace, in one of two places
 2. parse safely: SignedInfo from its canonical bytes, structure, base64
 3. algorithms: everything named is on the allow-list, the key is strong enough
 4. integrity: the value signs SignedInfo under the certificate's key; the digest is that of the packet without its signature
 5. coverage: the one Reference is the whole packet
 6. key binding: one certificate holds the key, and all else that is said of the key agrees
 7. path: from the certificate to an anchor of the trust store
 8. revocation at signing time: not asked yet; the answer says so
 9. time: the whole path was valid at the time judged for
10. signer = sender: the certificate may sign for the agency in From
11. legal value: signed = value of the original, else for information (QĐ 28/2018 art. 4)

Each step gives its own answer; a later step runs whenever it can, so that all reasons are named. The deciding reason is that of the
lowest step. The time judged for is the time of reception; a proven signing time takes its place when time-stamps are verified.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from cryptography import x509

from schemas.agency import AgencyCode
from schemas.errors import Refused, Violation, error
from schemas.limits import DEFAULT_LIMITS
from schemas.message import Envelope, LegalValue, Message, SignatureReport, Verdict, VerdictStatus, rfc3339
from schemas.xml import Element, ParsedXml, path_of
from signing import algorithms, cms_value, integrity, on_behalf, path, xml_key, xmldsig
from signing.certificate import Certificate
from signing.element import refused
from signing.policy import SignatureMode, SignaturePolicy
from signing.trust import TrustStore

_NEEDED = sum(1 << step for step in (1, 2, 3, 4, 5, 6, 7, 9, 10))  # a step that was not asked has not said yes
PROCEDURE = "1"  # version of the steps above; verdicts name it
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict with what it rests on: every violation in the order of the steps, and what it was judged with."""

    verdict: Verdict
    violations: tuple[Violation, ...]
    artefacts: Mapping[str, str]


@dataclass(slots=True)
class _Case:
    """The question, and the answers of the steps so far."""

    tree: ParsedXml
    sender: AgencyCode | None
    policy: SignaturePolicy
    trust: TrustStore
    at: datetime
    judged_at: str  # `at` as records have it
    found: list[tuple[int, Violation]] = field(default_factory=list)
    asked: int = 0  # one bit per step
    failed: int = 0

    def ask(self, step: int, work: Callable[[], T]) -> T | None:
        """What `work` answers, or None with the reasons noted."""
        self.asked |= 1 << step
        try:
            return work()
        except Refused as fault:
            self.note(step, fault.violations or (error(fault.code, got=fault.got, expected=fault.expected),))
            return None

    def note(self, step: int, violations: tuple[Violation, ...]) -> None:
        """Adds reasons, perhaps none; they decide in the order of the steps."""
        self.asked |= 1 << step
        if violations:
            self.failed |= 1 << step
            self.found.extend((step, violation) for violation in violations)

    def answer(self, steps: int) -> str:
        """`ok`, `failed` or `not checked`, as reports have it, for the bits in `steps`."""
        if self.failed & steps:
            return "failed"
        return "ok" if self.asked & steps == steps else "not checked"

    def violations(self) -> tuple[Violation, ...]:
        """All, the deciding one first."""
        if not self.found:
            return ()
        return tuple(violation for _, violation in sorted(self.found, key=lambda row: row[0]))


@dataclass(frozen=True, slots=True)
class _Said:
    """What one signature says, read and allowed."""

    info: xmldsig.SignedInfo
    how: integrity.Plan
    keys: xml_key.KeyInfo


def verify(envelope: Envelope, policy: SignaturePolicy, trust: TrustStore, at: datetime) -> Message:
    """`envelope` with its verdict, as of `at`.

    Raises `Refused` if `policy` does not carry the verdict: its code is the deciding reason, its violations are all of them.
    """
    judged = examine(envelope.tree, envelope.sender, policy, trust, at)
    verdict = judged.verdict
    if policy.carries(verdict):
        return Message(envelope, verdict, judged.artefacts)
    first, violations = judged.violations[0], judged.violations
    if policy.mode is SignatureMode.REQUIRE:
        violations = (*violations, error("signature-required", got=verdict.reasons[0], expected="a valid signature"))
    raise Refused(first.code, first.got, first.expected, violations, {"verdict": verdict.as_json()})


def judge(tree: ParsedXml, sender: AgencyCode | None, policy: SignaturePolicy, trust: TrustStore, at: datetime) -> Verdict:
    """The verdict on any packet. `sender` is its From, None where there is nobody to compare the signer with. Raises nothing."""
    return examine(tree, sender, policy, trust, at).verdict


def compose(envelope: Envelope, at: datetime, signer: x509.Certificate | None = None) -> Message:
    """A packet that the hub itself composed on behalf of a receiver: transport evidence, never that agency's signature.

    `signer` is the hub's certificate where it has just signed it, marked as such (`on_behalf.py`).
    """
    reports = (on_behalf.report(signer, at),) if signer else ()
    reason = "on-behalf-of" if signer else "no-signature"
    verdict = Verdict(VerdictStatus.INVALID, (reason,), reports, LegalValue.FOR_INFORMATION, "composed-by-hub")
    return Message(envelope, verdict, {"procedure": PROCEDURE, "judged-at": rfc3339(at)})


def examine(tree: ParsedXml, sender: AgencyCode | None, policy: SignaturePolicy, trust: TrustStore, at: datetime) -> Judgement:
    """`judge` with its reasons in full."""
    case = _Case(tree, sender, policy, trust, at, rfc3339(at))
    found = case.ask(1, lambda: _find(tree))  # 1
    if found is None:
        return _judgement(case, ())
    if found.signature is None:
        return _judgement(case, _note_absence(case, found))
    return _judgement(case, (_examine_signature(case, found.signature),))


def _find(tree: ParsedXml) -> xmldsig.Found:
    limit = DEFAULT_LIMITS.max_signed_bytes
    found = xmldsig.find(tree)
    if found.signature is not None and len(tree.raw) > limit:
        raise Refused("too-large", got=f"{len(tree.raw)} bytes", expected=f"a signed packet of at most {limit} bytes")
    return found


def _note_absence(case: _Case, found: xmldsig.Found) -> tuple[SignatureReport, ...]:
    case.note(1, (error("no-signature", path=path_of(case.tree.root)),))
    if found.decorative:
        case.note(1, refused("decorative-signature", *found.decorative, expected=algorithms.DSIG).violations)
    return tuple(_DECORATIVE for _ in found.decorative)


def _examine_signature(case: _Case, signature: Element) -> SignatureReport:
    info = case.ask(2, lambda: xmldsig.read_signed_info(signature))  # 2
    how = case.ask(3, lambda: integrity.plan(info)) if info else None  # 3
    keys = case.ask(6, lambda: xml_key.read_key_info(signature))
    if info:  # 5, before the digest is taken
        case.ask(5, lambda: integrity.check_coverage(case.tree, info))
    signer = _likely_signer(keys.certificates) if keys else None
    if keys and info and how:
        signer = _check_integrity(case, signature, _Said(info, how, keys)) or signer  # 4, 6
    organ_id = None
    if keys and signer:
        case.note(3, path.weakness(signer))
        _check_path(case, signer, tuple(c for c in keys.certificates if c != signer))  # 7, 9; 8 is not asked yet
        organ_id = case.ask(10, lambda: case.policy.bound_to(signer.sha256, case.sender))  # 10
    case.note(10, on_behalf.marks(signature))
    return _report(case, signer, organ_id or "")


def _check_integrity(case: _Case, signature: Element, said: _Said) -> Certificate | None:
    value = case.ask(2, lambda: xmldsig.value_of(signature))
    if value is None:
        return None
    certificates, method = said.keys.certificates, said.how.method
    holders = [c for c in certificates if cms_value.fits(c.key, method) and integrity.check_value(value, said.info.octets, method, c.key)]
    if holders:
        _check_binding(case, signature, holders, said.keys)
        if case.answer(1 << 5) == "ok":
            case.ask(4, lambda: integrity.check_digest(case.tree, signature, said.info, said.how))
        return holders[0]
    named = ", ".join(c.subject for c in certificates)
    if cms_value.fits(_likely_signer(certificates).key, method):
        case.note(4, refused("bad-signature-value", signature, got=named).violations)
    else:
        case.note(6, refused("key-confusion", signature, got=named, expected=f"a key for {said.info.method}").violations)
    return None


def _check_binding(case: _Case, signature: Element, holders: list[Certificate], keys: xml_key.KeyInfo) -> None:
    if len(holders) > 1:
        case.note(6, refused("key-confusion", signature, got="several certificates of one key", expected="one").violations)
    if any(hint != holders[0].key_der for hint in keys.key_hints):
        expected = f"the key of {holders[0].subject}"
        case.note(6, refused("key-confusion", signature, got="another KeyValue", expected=expected).violations)


def _likely_signer(certificates: tuple[Certificate, ...]) -> Certificate:
    issuers = {c.issuer_der for c in certificates if not c.self_issued}
    return next((c for c in certificates if c.subject_der not in issuers), certificates[0])


def _check_path(case: _Case, signer: Certificate, others: tuple[Certificate, ...]) -> None:
    paths, at = path.find(signer, others, case.trust), case.at
    case.note(7, paths.faults)
    case.note(9, ())
    if any(chain.not_before <= at <= chain.not_after for chain in paths.chains):
        return
    for cert in paths.chains[0].certificates if paths.chains else (signer,):
        if at < cert.not_before:
            case.note(9, (error("not-yet-valid", got=f"{cert.subject} from {rfc3339(cert.not_before)}", expected=case.judged_at),))
        elif at > cert.not_after:
            case.note(9, (error("expired", got=f"{cert.subject} until {rfc3339(cert.not_after)}", expected=case.judged_at),))


def _report(case: _Case, signer: Certificate | None, organ_id: str) -> SignatureReport:
    reasons = tuple(dict.fromkeys(violation.code for violation in case.violations()))
    return SignatureReport(
        kind="xmldsig",
        signer=signer.subject if signer else "",
        organ_id=organ_id,
        integrity=case.answer(1 << 4),
        coverage=case.answer(1 << 5),
        path=case.answer(1 << 6 | 1 << 7),
        revocation="not checked",
        time=case.answer(1 << 9),
        algorithms=case.answer(1 << 3),
        status=VerdictStatus.INVALID if reasons else VerdictStatus.VALID,
        reasons=reasons,
        certificate_sha256=signer.sha256 if signer else "",
        signed_at=case.judged_at,
    )


_DECORATIVE = SignatureReport(
    kind="decorative",
    signer="",
    organ_id="",
    integrity="not checked",
    coverage="failed",
    path="not checked",
    revocation="not checked",
    time="not checked",
    algorithms="not checked",
    status=VerdictStatus.INVALID,
    reasons=("decorative-signature",),
)


def _judgement(case: _Case, reports: tuple[SignatureReport, ...]) -> Judgement:
    violations = case.violations()
    reasons = tuple(dict.fromkeys(violation.code for violation in violations))
    valid = not reasons and case.asked & _NEEDED == _NEEDED
    verdict = Verdict(
        status=VerdictStatus.VALID if valid else VerdictStatus.INVALID,
        reasons=reasons,
        signatures=reports,
        legal_value=LegalValue.ORIGINAL if valid else LegalValue.FOR_INFORMATION,  # 11
        policy=case.policy.name,
    )
    artefacts = {"procedure": PROCEDURE, "algorithms": algorithms.VERSION, "trust": case.trust.fingerprint, "judged-at": case.judged_at}
    if reports and reports[0].certificate_sha256:
        artefacts["certificate"] = reports[0].certificate_sha256
    return Judgement(verdict, violations, artefacts)
