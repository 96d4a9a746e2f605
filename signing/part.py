"""One signed file with all its answers, and the sum of them: steps 7 to 11 of `verify` for a file, alone or in a packet."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from schemas.agency import AgencyCode
from schemas.errors import Refused, Violation, error
from schemas.message import FileReport, LegalValue, SignatureReport, VerdictStatus
from signing import certificate, judging, reasons
from signing.container import Kind
from signing.context import Context
from signing.finding import STAMPS, Finding, Stamp
from signing.forms import Read
from signing.judging import Answer
from signing.policy import UNSIGNED, SignaturePolicy

_NOBODYS = UNSIGNED | {"on-behalf-of"}  # of which nobody says that the agency signed it
_PENDING = frozenset({"revocation-unknown"})
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


@dataclass(frozen=True, slots=True)
class Part:
    """A packet's own signature, one attachment, or a file by itself. `mismatches` are the answers' faults of step 10, in their order."""

    name: str  # "" for the file itself
    kind: Kind
    answers: tuple[Answer, ...]
    refused: tuple[Violation, ...] = ()  # about the whole file
    decorative: int = 0
    sha256: str = ""  # of an attachment
    organ_ids: tuple[str, ...] = ()
    mismatches: tuple[tuple[Violation, ...], ...] = field(default=())

    @property
    def is_signed(self) -> bool:
        """Whether anybody signed it, well or badly."""
        return any(answer.is_signature for answer in self.answers)

    @property
    def hard(self) -> tuple[Violation, ...]:
        """What refuses it."""
        more = (one for found in self.mismatches for one in found)
        return reasons.ranked((*self.refused, *(one for answer in self.answers for one in answer.hard), *more))

    @property
    def soft(self) -> tuple[Violation, ...]:
        """What leaves it open."""
        return reasons.ranked(one for answer in self.answers for one in answer.soft)

    @property
    def says_nothing(self) -> bool:
        """Whether nobody signed it, and nothing else is to be told of it."""
        return not self.answers and {one.code for one in self.hard} <= UNSIGNED

    def reports(self) -> Iterator[SignatureReport]:
        """Of every signature and time-stamp in it."""
        for number, answer in enumerate(self.answers):
            organ_id = self.organ_ids[number] if self.organ_ids else ""
            yield judging.report(answer, organ_id, self.mismatches[number] if self.mismatches else (), self.name)
        for _ in range(self.decorative):
            yield _DECORATIVE

    def report(self) -> FileReport:
        """As an attachment."""
        total = Sum.of(self.hard, self.soft, is_signed=self.is_signed)
        return FileReport(self.name, str(self.kind), self.sha256, total.status, total.reasons, total.legal_value)


@dataclass(frozen=True, slots=True)
class Sum:
    """What all answers come to."""

    status: VerdictStatus
    reasons: tuple[str, ...]
    legal_value: LegalValue
    violations: tuple[Violation, ...]

    @classmethod
    def of(cls, hard: Iterable[Violation], soft: Iterable[Violation], *, is_signed: bool) -> Sum:
        """Step 11, QĐ 28/2018 art. 4: signed = value of the original; nobody signed = for information; what was signed and does not hold
        is neither. Pending where the only thing missing is whether a certificate was revoked.
        """
        refusing = tuple(hard)
        violations = reasons.ranked((*refusing, *soft))
        codes = reasons.codes(violations)
        if not codes:
            return cls(VerdictStatus.VALID, (), LegalValue.ORIGINAL if is_signed else LegalValue.FOR_INFORMATION, ())
        if refusing:
            value = LegalValue.FOR_INFORMATION if {one.code for one in refusing} <= _NOBODYS else LegalValue.NONE
            return cls(VerdictStatus.INVALID, codes, value, violations)
        value = LegalValue.PENDING if set(codes) == _PENDING else LegalValue.NONE
        return cls(VerdictStatus.INDETERMINATE, codes, value, violations)


def judged(found: Read, ctx: Context, *, name: str = "", data: bytes = b"") -> Part:
    """Steps 7 to 9 for all findings of one file."""
    return Part(
        name=name,
        kind=found.kind,
        answers=tuple(judging.judge(one, ctx, tuple(_later(one, found.findings))) for one in found.findings),
        refused=tuple(replace(one, path=f"{name}: {one.path}" if one.path else name) for one in found.refused) if name else found.refused,
        decorative=found.decorative,
        sha256=hashlib.sha256(data).hexdigest() if name else "",
    )


def _later(finding: Finding, others: Iterable[Finding]) -> Iterator[Stamp]:
    """Time-stamps of a document that were made over an earlier one of its own."""
    at = finding.claimed_time
    if finding.kind != "pdf-timestamp" or at is None:
        return
    for one in others:
        if one is not finding and one.kind == finding.kind and one.stamp and one.stamp.at and one.stamp.at > at:
            yield one.stamp


def with_senders(parts: tuple[Part, ...], policy: SignaturePolicy, sender: AgencyCode | None) -> tuple[Part, ...]:
    """Step 10: `parts` with the agencies that the signers' certificates are bound to. At least one signer may sign for `sender`; a
    document may carry others' signatures beside it (NĐ 30/2020 art. 5: the person's and the agency's; annexes of other agencies).
    """
    if not parts:
        return ()
    asked = [[_owner(answer, policy, sender) for answer in part.answers] for part in parts]
    matches = [
        fault is None
        for found, part in zip(asked, parts, strict=True)
        for (_, fault), a in zip(found, part.answers, strict=True)
        if a.is_signature
    ]
    spared = any(matches)
    return tuple(
        replace(
            part,
            organ_ids=tuple(organ for organ, _ in found),
            mismatches=tuple(
                (fault,) if fault is not None and answer.is_signature and not spared else ()
                for (_, fault), answer in zip(found, part.answers, strict=True)
            ),
        )
        for part, found in zip(parts, asked, strict=True)
    )


def _owner(answer: Answer, policy: SignaturePolicy, sender: AgencyCode | None) -> tuple[str, Violation | None]:
    signer = certificate.readable(answer.finding.signer) if answer.finding.signer else None
    if signer is None or answer.finding.kind in STAMPS:
        return "", None if signer is not None else _unknown(sender)
    try:
        return policy.bound_to(signer.sha256, sender), None
    except Refused as fault:
        owners = policy.bound_to(signer.sha256, None)
        return owners, error(fault.code, path=answer.finding.name, got=fault.got, expected=fault.expected)


def _unknown(sender: AgencyCode | None) -> Violation | None:
    return error("sender-mismatch", got="nobody", expected=sender.text) if sender else None
