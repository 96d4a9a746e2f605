"""One finding, judged: steps 7 to 10 of `verify`, and step 3 once more for the time that is left when a time-stamp is not believed.

1. the time-stamps, the latest first: each authority's own path and status, as of a later stamp over it, else as of now
2. the proven time is the earliest of those that hold; a stamp of the signature's own that does not hold refuses the signature
3. the signer's path and status for that time; without one for now, whatever the signer claims
4. the algorithms again where the reader had believed another time

Nothing is fetched, no clock is read: the same finding in the same context gives the same answer.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from schemas.errors import Refused, Violation, error
from schemas.message import SignatureReport, VerdictStatus, rfc3339
from signing import certificate, reasons
from signing.context import Context, Purpose, Status
from signing.evidence import Evidence, gather
from signing.finding import STAMPS, Coverage, Finding, Integrity, Stamp, StampKind, codes, forbidden
from signing.path import period_faults
from signing.reasons import REASONS, Step
from signing.signer import Judged, judge_signer

_COVERED = {
    Coverage.WHOLE: "ok",
    Coverage.EXTENDED: "ok",
    Coverage.FILLED: "ok",
    Coverage.PART: "part",  # others answer for the rest, or there is a reason
    Coverage.MODIFIED: "failed",
    Coverage.UNKNOWN: "unknown",
}
_NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Basis:
    """One certificate's judgement and what it was made with."""

    signer: bytes
    others: tuple[bytes, ...]
    ctx: Context
    judged: Judged
    purpose: Purpose
    tokens: tuple[bytes, ...] = ()

    def evidence(self, software: str) -> Evidence:
        """To be kept."""
        return gather(self.signer, self.others, self.ctx, self.judged, software=software, tokens=self.tokens, purpose=self.purpose)


@dataclass(frozen=True, slots=True)
class Answer:
    """`hard` faults refuse, `soft` ones leave it open; both in order of telling."""

    finding: Finding
    hard: tuple[Violation, ...]
    soft: tuple[Violation, ...]
    judged: Judged | None  # the signer; None where nobody is named
    ctx: Context  # with the time that was judged for
    bases: tuple[Basis, ...]  # what each certificate was judged with
    stamped: bool  # a time-stamp proves the time

    @property
    def faults(self) -> tuple[Violation, ...]:
        """All, in order of telling."""
        return reasons.ranked((*self.hard, *self.soft))

    @property
    def status(self) -> VerdictStatus:
        """Valid only where nothing is open."""
        if self.hard:
            return VerdictStatus.INVALID
        return VerdictStatus.INDETERMINATE if self.soft else VerdictStatus.VALID

    def evidence(self, software: str) -> tuple[Evidence, ...]:
        """What was used, for each certificate that was judged: the signer's first."""
        return tuple(basis.evidence(software) for basis in self.bases)

    @property
    def is_signature(self) -> bool:
        """Whether it says who signed; a time-stamp alone does not."""
        return self.finding.kind not in STAMPS


@dataclass(frozen=True, slots=True)
class _Time:
    """What the time-stamps prove."""

    proven: datetime | None = None
    hard: tuple[Violation, ...] = ()
    soft: tuple[Violation, ...] = ()
    bases: tuple[Basis, ...] = ()
    tokens: tuple[bytes, ...] = ()


def judge(finding: Finding, given: Context, later: tuple[Stamp, ...] = ()) -> Answer:
    """The answer on `finding`. `given` is the question's own context; `later` are time-stamps over all of it, for a time-stamp. Raises
    nothing.
    """
    ctx = _with_evidence(given, finding)
    is_stamp = finding.kind in STAMPS
    time = _time_of(finding, later if is_stamp else finding.stamps, ctx)
    known = [one for one in (time.proven, given.proven_time) if one is not None]  # the caller may know when it was there at the latest
    ctx = _at(ctx, min(known, default=None), None if is_stamp else finding.claimed_time)
    hard, soft = list(finding.violations), list(time.soft)
    if not is_stamp:
        hard += time.hard
        hard += _algorithms_again(finding, ctx)
    judged = None
    own: tuple[Basis, ...] = ()
    if finding.signer:
        purpose = Purpose.TIMESTAMP if is_stamp else Purpose.DOCUMENT
        judged = judge_signer(finding.signer, finding.evidence, ctx, purpose)
        (soft if judged.path.status is Status.UNKNOWN else hard).extend(judged.path.faults)
        if judged.revocation:
            hard.extend(_certain(judged, hard=True))
            soft.extend(_certain(judged, hard=False))
        if judged.path.chain is None:  # its own period can be judged all the same
            hard.extend(_period_faults(finding.signer, ctx))
        own = (Basis(finding.signer, finding.evidence, ctx, judged, purpose, time.tokens),)
    _demand_whole(finding, hard, soft)
    return Answer(finding, reasons.ranked(hard), reasons.ranked(soft), judged, ctx, (*own, *time.bases), time.proven is not None)


def _with_evidence(given: Context, finding: Finding) -> Context:
    """`given` with the lists and answers that travel with the signature, each once; itself where there are none."""
    crls = tuple(dict.fromkeys((*finding.crls, *(c for s in finding.stamps for c in s.crls), *given.crls)))
    ocsps = tuple(dict.fromkeys((*finding.ocsps, *given.ocsps)))
    return given if (crls, ocsps) == (given.crls, given.ocsps) else replace(given, crls=crls, ocsps=ocsps)


def _at(ctx: Context, proven: datetime | None, claimed: datetime | None) -> Context:
    same = ctx.proven_time == proven and ctx.claimed_time == claimed
    return ctx if same else replace(ctx, proven_time=proven, claimed_time=claimed)


def _period_faults(signer: bytes, ctx: Context) -> tuple[Violation, ...]:
    cert = certificate.readable(signer)
    return period_faults((cert,), ctx.judged_at) if cert else ()


def _certain(judged: Judged, *, hard: bool) -> Iterator[Violation]:
    """The faults of the certificates whose status is known to be bad, or is not known."""
    wanted = Status.FAILED if hard else Status.UNKNOWN
    for one in judged.revocation.certificates if judged.revocation else ():
        if one.status is wanted:
            yield from one.faults


def _demand_whole(finding: Finding, hard: list[Violation], soft: list[Violation]) -> None:
    """What the reader's answers mean where it gave no reason: nothing is good by silence."""
    if finding.integrity is Integrity.UNKNOWN:
        missing = [one for one in hard if one.code == "reference-missing" and not finding.gone]
        hard[:] = [one for one in hard if one not in missing]
        if missing or not hard:
            nothing = error("reference-missing", path=finding.name, got="nothing to compare with", expected="what was signed")
            soft.extend(missing or [nothing])
    elif finding.integrity is Integrity.FAILED and not hard:
        hard.append(error("tampered", path=finding.name, got="a signature that does not fit", expected="one that does"))
    if finding.coverage is Coverage.MODIFIED and not hard:
        hard.append(error("coverage", path=finding.name, got=str(finding.coverage), expected="all of it"))
    if finding.coverage is Coverage.UNKNOWN and finding.integrity is Integrity.OK and not hard:
        soft.append(error("coverage", path=finding.name, got="unknown", expected="all of it"))
    if not finding.signer and not hard:
        hard.append(error("no-key", path=finding.name, got="no certificate", expected="the signer's certificate"))


def _algorithms_again(finding: Finding, ctx: Context) -> tuple[Violation, ...]:
    believed = finding.stamp.at if finding.stamp else None
    if believed == ctx.proven_time:
        return ()
    return forbidden(finding.algorithms, ctx.algorithm_policy, ctx.judged_at, proven=ctx.proven)


def _time_of(finding: Finding, stamps: tuple[Stamp, ...], ctx: Context) -> _Time:
    proven: datetime | None = None
    hard: list[Violation] = []
    soft: list[Violation] = []
    bases: list[Basis] = []
    tokens: list[bytes] = []
    usable = [stamp for stamp in stamps if stamp.fits and stamp.at and stamp.kind is not StampKind.CONTENT]
    for stamp in sorted(usable, key=lambda one: one.at or _NEVER, reverse=True):  # the latest first: it protects those before it
        if forbidden(stamp.algorithms, ctx.algorithm_policy, stamp.at or ctx.at, proven=False):
            continue  # proves nothing and harms nothing; its reader has noted it
        as_of = replace(ctx, proven_time=proven, claimed_time=None)
        others = (*stamp.certificates, *finding.certificates)
        judged = judge_signer(stamp.authority, others, as_of, Purpose.TIMESTAMP)
        open_ones = tuple(_certain(judged, hard=False))
        bad = (*judged.path.faults, *_certain(judged, hard=True), *_future(stamp, ctx))
        own = stamp.kind is not StampKind.DOCUMENT
        if bad:
            got = ", ".join(dict.fromkeys(codes(bad)))
            if own:
                hard.append(error("timestamp-invalid", path=str(stamp.kind), got=f"{_name(stamp)}: {got}", expected="a trusted authority"))
            continue
        bases.append(Basis(stamp.authority, others, as_of, judged, Purpose.TIMESTAMP, (stamp.token,)))
        if open_ones:
            soft.extend(open_ones if own else ())
            if not own:
                continue  # a document time-stamp whose authority is not known to be good proves nothing, and has its own finding
        proven = stamp.at
        tokens.append(stamp.token)
    return _Time(proven, tuple(hard), tuple(soft), tuple(bases), tuple(tokens))


def _future(stamp: Stamp, ctx: Context) -> Iterator[Violation]:
    if stamp.at and stamp.at > ctx.at:
        yield error("not-yet-valid", got=rfc3339(stamp.at), expected=f"before {rfc3339(ctx.at)}")


def _name(stamp: Stamp) -> str:
    try:
        return certificate.load(stamp.authority).subject
    except Refused:
        return "an authority that cannot be read"


def report(answer: Answer, organ_id: str = "", more: tuple[Violation, ...] = (), where: str = "") -> SignatureReport:
    """The answer as reports have it; `more` are faults of step 10, `where` is the file that it stands in."""
    finding, judged, ctx = answer.finding, answer.judged, answer.ctx
    hard, soft = (*answer.hard, *more), answer.soft
    status = VerdictStatus.INVALID if hard else answer.status
    failed = {REASONS[one.code] for one in reasons.ranked(hard)}
    signer = _subject(finding.signer)
    return SignatureReport(
        kind=finding.kind,
        signer=signer.subject if signer else "",
        organ_id=organ_id,
        integrity=str(finding.integrity),
        coverage="failed" if Step.COVERAGE in failed else _COVERED[finding.coverage],
        path=_path_word(answer, failed),
        revocation=_revocation_word(judged),
        time=_time_word(answer, failed),
        algorithms="failed" if Step.ALGORITHMS in failed else "ok",
        status=status,
        reasons=reasons.codes((*hard, *soft)),
        certificate_sha256=signer.sha256 if signer else "",
        signed_at=rfc3339(ctx.judged_at),
        time_source=_time_source(answer),
        claimed_at=rfc3339(ctx.claimed_time) if ctx.claimed_time else "",
        name=" / ".join(part for part in (where, finding.name) if part),
        notes=codes(finding.notes),
    )


def _time_source(answer: Answer) -> str:
    if answer.stamped:
        return "rfc3161"
    if answer.ctx.proven:
        return "received"
    return "claimed" if answer.ctx.claimed else "none"


def _path_word(answer: Answer, failed: set[Step]) -> str:
    if answer.judged is None:
        return "not checked"
    if Step.PATH in failed or Step.KEY in failed:
        return "failed"
    return "ok" if answer.judged.path.chain else "failed"


def _revocation_word(judged: Judged | None) -> str:
    return str(judged.revocation.status) if judged and judged.revocation else "not checked"


def _time_word(answer: Answer, failed: set[Step]) -> str:
    if answer.judged is None:
        return "not checked"
    if Step.TIME in failed:
        return "failed"
    return "unknown" if any(REASONS[one.code] is Step.TIME for one in answer.soft) else "ok"


def _subject(der: bytes) -> certificate.Certificate | None:
    return certificate.readable(der) if der else None
