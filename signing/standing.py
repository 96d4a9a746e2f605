"""A packet's signature that was found valid stands until the next date that could change it, and is told again for another moment.

Steps 7 to 9 answer from the finding, the context and the time (`judging`). For one plain signature, without time-stamp or claim, the time
counts only by dates that `signer.Good` knows: between two of them the whole report is the same but for the moment that it names. So what
is remembered holds for an equal finding, the very same trust store and table, equal intermediates, lists, answers and demands, a moment
between those dates, be it proven by the caller (the journal) or not, as it was. Whether the signer may sign for the sender (step 10) is
asked of the policy each time.

Only what was found valid is remembered; anything else is worked out anew, with all its reasons.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

from schemas.agency import AgencyCode
from schemas.errors import Refused
from schemas.message import SignatureReport, VerdictStatus, rfc3339
from signing import sources
from signing.context import Context
from signing.finding import Finding
from signing.forms import Read
from signing.limits import MAX_STANDING
from signing.part import Part
from signing.policy import SignaturePolicy
from signing.remembered import Remembered
from signing.signer import Good, good_of


@dataclass(frozen=True, slots=True, eq=False)
class _Standing:
    """One report, and for which question it stands."""

    finding: Finding
    asked: tuple[object, ...]
    good: Good
    report: SignatureReport


_standing: Remembered[Hashable, _Standing] = Remembered(MAX_STANDING)


def report(own: Read, policy: SignaturePolicy, sender: AgencyCode | None, ctx: Context) -> SignatureReport | None:
    """The report on the one signature of `own`, nothing being wrong with it; None where that has to be worked out. Raises nothing."""
    finding = _plain(own, ctx)
    known = _standing.found(_key(finding, ctx)) if finding is not None else None
    if known is None or finding is None or not known.good.holds(ctx):
        return None
    if known.asked != _asked(ctx) or not (known.finding is finding or known.finding == finding):
        return None
    try:
        organ_id = policy.bound_to(known.report.certificate_sha256, sender)
    except Refused:
        return None
    return _told(known.report, organ_id, rfc3339(ctx.judged_at))


def remember(own: Read, whole: Part, ctx: Context) -> None:
    """Remembers what was said of the signature of `own`, where it is valid and nothing but the time could change that."""
    finding = _plain(own, ctx)
    if finding is None or [one.status for one in whole.answers] != [VerdictStatus.VALID] or any(whole.mismatches):
        return
    good = good_of(finding.signer, finding.evidence, ctx)
    if good is not None:
        (told,) = whole.reports()
        _standing.put(_key(finding, ctx), _Standing(finding, _asked(ctx), good, told))


def _plain(own: Read, ctx: Context) -> Finding | None:
    if len(own.findings) != 1 or own.refused or own.decorative:
        return None
    finding = own.findings[0]
    timed = finding.claimed_time is not None or finding.stamps or finding.crls or finding.ocsps
    return None if timed or finding.violations else finding


def _key(finding: Finding, ctx: Context) -> Hashable:
    return finding.signer, finding.certificates, finding.name, ctx.trust, ctx.proven


def _asked(ctx: Context) -> tuple[object, ...]:
    read = sources.read(ctx.crls, ctx.ocsps)
    return ctx.algorithm_policy, ctx.intermediates, ctx.policies, ctx.demand, read.digest, read.faults


def _told(known: SignatureReport, organ_id: str, signed_at: str) -> SignatureReport:
    return SignatureReport(
        known.kind,
        known.signer,
        organ_id,
        known.integrity,
        known.coverage,
        known.path,
        known.revocation,
        known.time,
        known.algorithms,
        known.status,
        known.reasons,
        known.certificate_sha256,
        signed_at,
        known.time_source,
        known.claimed_at,
        known.name,
        known.notes,
    )
