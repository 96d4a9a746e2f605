"""The one procedure that says who signed a file, for every form of it, and the only place where a `Message` is made.

 1. find: the signatures of the form that the bytes show, and in a packet those of its attachments (`forms`, `attached`)
 2. parse safely: one hardened parser for each form, bounded; what cannot be read is refused, never guessed (`schemas.xml`, readers)
 3. algorithms: everything named is in the dated table, keys are strong enough (`algorithms`)
 4. integrity: the value fits what was signed under the certificate's key, digests are those of the content
 5. coverage: what was signed is all of the file, and was not added to afterwards
 6. key binding: one certificate holds the key, and all else that is said of the key agrees
 7. path: from the certificate to an anchor of the trust store (`path`)
 8. revocation at signing time, from lists and answers at hand (`revocation`)
 9. time: proven by a trusted RFC 3161 time-stamp, else that of the question; a claimed time moves nothing (`judging`)
10. signer = sender: one of the signers may sign for the agency in From (`part`)
11. legal value: signed = original, unsigned = for information (QĐ 28/2018 art. 4); pending, where only a status is missing

Each step gives its own answer; a later step runs whenever it can, so that all reasons are named. Their order is that of `reasons`. A packet
is the sum of its own signature, where it is a real one, and of its attachments; a signature of the packet answers for attachments that
nobody signed, nothing else does. Nothing is fetched, no file is opened, no clock is read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial

from cryptography import x509

from schemas.agency import AgencyCode
from schemas.edxml.examination import examine_tree
from schemas.edxml.packet import Packet
from schemas.edxml.sender import declared_sender
from schemas.errors import Refused, Violation, error, errors_of
from schemas.limits import DEFAULT_LIMITS, Limits
from schemas.message import Envelope, LegalValue, Message, SignatureReport, Verdict, VerdictStatus, rfc3339
from schemas.xml import ParsedXml, local_name
from signing import forms, on_behalf, part, reasons, standing
from signing.attached import attached
from signing.certificate import Certificate
from signing.container import Kind
from signing.context import Context
from signing.finding import Given
from signing.forms import Read
from signing.part import Part, Sum, with_senders
from signing.policy import UNSIGNED, SignatureMode, SignaturePolicy

PROCEDURE = "2"  # version of the steps above; verdicts name it
# Of what a reader of packets finds, that which leaves open what the packet says; gaps and odd values leave nothing open.
_AMBIGUOUS = frozenset(
    {"doubled-element", "misplaced-element", "ambiguous-kind", "element-in-text", "doubled-content-id", "too-many-attachments"}
    | {"comment-in-value"}  # canonical forms leave comments out: anybody can put one into a signed value
)


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict with what it rests on: every violation in order of telling, the parts it sums, and what it was judged with."""

    verdict: Verdict
    violations: tuple[Violation, ...]
    ctx: Context
    whole: Callable[[], Part] | None = field(repr=False, default=None)  # works out the part before `others`, where nobody had to yet
    others: tuple[Part, ...] = ()
    own: Read | None = field(repr=False, compare=False, default=None)  # what was read of the packet itself

    @property
    def artefacts(self) -> Mapping[str, str]:
        """Name → version or digest of what it was judged with."""
        found = {
            "procedure": PROCEDURE,
            "algorithms": self.ctx.algorithm_policy.version,
            "trust": self.ctx.trust.fingerprint,
            "judged-at": rfc3339(self.ctx.at),
        }
        first = next((report.certificate_sha256 for report in self.verdict.signatures if report.certificate_sha256), "")
        return found | {"certificate": first} if first else found

    @property
    def parts(self) -> tuple[Part, ...]:
        """The packet itself and its attachments, or the one file."""
        return (self.whole(), *self.others) if self.whole else self.others

    @property
    def is_signed(self) -> bool:
        """Whether there is any signature or time-stamp to be judged."""
        return self.whole is not None or any(one.answers for one in self.others)

    def chains(self) -> tuple[tuple[Certificate, ...], ...]:
        """The paths that were judged, each once: whose status a fetcher may be sent to ask for."""
        found = (b.judged.path.certificates for one in self.parts for answer in one.answers for b in answer.bases)
        return tuple(dict.fromkeys(chain for chain in found if chain))


Keep = Callable[[Judgement], tuple[str, Mapping[str, bytes]]]  # the evidence's address, and all of it by SHA-256


@dataclass(frozen=True, slots=True)
class _Asked:
    """The question: everything besides the bytes."""

    sender: AgencyCode | None
    policy: SignaturePolicy
    ctx: Context
    given: Given


def verify(envelope: Envelope, policy: SignaturePolicy, ctx: Context, limits: Limits = DEFAULT_LIMITS, keep: Keep | None = None) -> Message:
    """`envelope` with its verdict, and with what `keep` makes of the judgement where anybody signed.

    Raises `Refused` if `policy` does not carry the verdict: its code is the deciding reason, its violations are all of them.
    """
    judged = judge_envelope(envelope, policy, ctx, limits)
    verdict = judged.verdict
    if policy.carries(verdict):
        address, evidence = keep(judged) if keep and judged.is_signed else ("", {})
        return Message(envelope, verdict, {**judged.artefacts, "evidence": address} if address else judged.artefacts, evidence)
    first, violations = judged.violations[0], judged.violations
    if policy.mode is SignatureMode.REQUIRE:
        violations = (*violations, error("signature-required", got=verdict.reasons[0], expected="a valid signature"))
    raise Refused(first.code, first.got, first.expected, violations, {"verdict": verdict.as_json()})


def compose(envelope: Envelope, at: datetime, signer: x509.Certificate | None = None) -> Message:
    """A packet that the hub itself composed on behalf of a receiver: transport evidence, never that agency's signature.

    `signer` is the hub's certificate where it has just signed it, marked as such (`on_behalf.py`).
    """
    reports = (on_behalf.report(signer, at),) if signer else ()
    reason = "on-behalf-of" if signer else "no-signature"
    verdict = Verdict(VerdictStatus.INVALID, (reason,), reports, LegalValue.FOR_INFORMATION, "composed-by-hub")
    return Message(envelope, verdict, {"procedure": PROCEDURE, "judged-at": rfc3339(at)})


def judge_envelope(
    envelope: Envelope, policy: SignaturePolicy, ctx: Context, limits: Limits = DEFAULT_LIMITS, before: Judgement | None = None
) -> Judgement:
    """The judgement on a packet that was read already, by the same tree. Raises nothing.

    `before` is a judgement on the same envelope, which nobody has changed since: what its reading found for any context is not looked for
    again. Everything that depends on the context is.
    """
    asked = _Asked(envelope.sender, policy, ctx, _given(ctx, limits))
    known = before.own if before is not None else None
    if known is None or not known.lasting or known.tree is not envelope.tree:
        known = forms.read_tree(Kind.EDXML, envelope.tree, asked.given)
    return _judge_packet(known, envelope.packet, asked)


def judge(tree: ParsedXml, sender: AgencyCode | None, policy: SignaturePolicy, ctx: Context) -> Verdict:
    """The verdict on the own signature of an XML document, attachments left out. `sender` is its From, None where there is none."""
    asked = _Asked(sender, policy, ctx, _given(ctx, DEFAULT_LIMITS))
    return _judge_packet(forms.read_tree(Kind.EDXML, tree, asked.given), None, asked).verdict


def verify_file(
    data: bytes,
    policy: SignaturePolicy,
    ctx: Context,
    *,
    kind: Kind | None = None,
    content: bytes | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> Judgement:
    """The judgement on any file. `kind` None: the bytes tell. `content` is what a detached signature or a time-stamp is over.

    Raises nothing: whatever is wrong with the bytes is a reason.
    """
    given = _given(ctx, limits)
    chosen = kind or forms.chosen(data)
    found = forms.read(chosen, data, content, given)
    asked = _Asked(declared_sender(found.tree) if found.tree is not None else None, policy, ctx, given)
    if found.tree is not None and (kind is Kind.EDXML or (kind is None and local_name(found.tree.root) == "edXML")):
        packet, faults = _packet_of(found.tree, limits, insist=kind is Kind.EDXML)
        return _judge_packet(replace(found, kind=Kind.EDXML, refused=(*found.refused, *faults)), packet, asked)
    parts = with_senders((part.judged(found, ctx),), policy, asked.sender)
    return _judgement(parts, parts[0].hard, asked, chosen)


def refuse(fault: Refused, policy: SignaturePolicy, ctx: Context) -> Judgement:
    """The judgement on something that cannot even be looked at, for the reason in `fault`."""
    hard = fault.violations or (error(reasons.of(fault.code), got=fault.got, expected=fault.expected),)
    return _judgement((), hard, _Asked(None, policy, ctx, _given(ctx, DEFAULT_LIMITS)), Kind.UNKNOWN)


def _given(ctx: Context, limits: Limits) -> Given:
    known = (*ctx.trust.ders, *ctx.intermediates)
    return Given(ctx.at, ctx.algorithm_policy, known, limits)


def _packet_of(tree: ParsedXml, limits: Limits, *, insist: bool) -> tuple[Packet | None, tuple[Violation, ...]]:
    """The packet in `tree`, and what leaves open what it says. Where nobody insists, something else is just something else."""
    try:
        examined = examine_tree(tree, limits)
    except Refused as fault:
        faults = fault.violations or (error(fault.code, got=fault.got, expected=fault.expected),)
        return None, reasons.ranked(faults) if insist or reasons.of(fault.code) != "schema" else ()
    return examined.packet, reasons.ranked(one for one in errors_of(examined.violations) if one.code in _AMBIGUOUS)


def _judge_packet(own: Read, packet: Packet | None, asked: _Asked) -> Judgement:
    policy, ctx = asked.policy, asked.ctx
    files = tuple(attached(packet, ctx, asked.given)) if packet is not None else ()
    stands = standing.report(own, policy, asked.sender, ctx)
    if stands is not None and all(one.says_nothing for one in files):
        return _valid(stands, files, own, asked)
    whole = _whole(own, asked)
    standing.remember(own, whole, ctx)
    files = with_senders(files, policy, None if whole.answers else asked.sender)  # who signed the packet answers for what it brings
    hard = [] if _signed_files(whole, files) else list(whole.hard)
    for one in files:
        covered = whole.is_signed and {v.code for v in one.hard} <= UNSIGNED
        hard.extend(() if covered else one.hard)
    return replace(_judgement((whole, *files), tuple(hard), asked, own.kind), own=own)


def _whole(own: Read, asked: _Asked) -> Part:
    (whole,) = with_senders((part.judged(own, asked.ctx),), asked.policy, asked.sender)
    return whole


def _valid(stands: SignatureReport, files: tuple[Part, ...], own: Read, asked: _Asked) -> Judgement:
    """The judgement on a packet whose own valid signature answers for all that it brings."""
    verdict = Verdict(
        status=VerdictStatus.VALID,
        reasons=(),
        signatures=(stands, *[report for one in files for report in one.reports()]),
        legal_value=LegalValue.ORIGINAL,
        policy=asked.policy.name,
        kind=str(own.kind),
        attachments=tuple([one.report() for one in files]),
    )
    return Judgement(verdict, (), asked.ctx, partial(_whole, own, asked), files, own)


def _signed_files(whole: Part, files: tuple[Part, ...]) -> bool:
    """Whether the packet has no signature of its own and needs none: its files answer."""
    return not whole.answers and {one.code for one in whole.hard} <= UNSIGNED and any(one.is_signed for one in files)


def _judgement(parts: tuple[Part, ...], hard: tuple[Violation, ...], asked: _Asked, kind: Kind) -> Judgement:
    soft = tuple(one for found in parts for one in found.soft)
    total = Sum.of(hard, soft, is_signed=any(one.is_signed for one in parts))  # 11
    reports = tuple(report for one in parts for report in one.reports())
    verdict = Verdict(
        status=total.status,
        reasons=total.reasons,
        signatures=reports,
        legal_value=total.legal_value,
        policy=asked.policy.name,
        kind=str(kind),
        attachments=tuple(one.report() for one in parts[1:]),
    )
    return Judgement(verdict, total.violations, asked.ctx, others=parts)
