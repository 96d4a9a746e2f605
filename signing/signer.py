"""One signer, judged: steps 7 and 8 of `verify`, remembered until the next moment at which anything in the answer could change.

Only good answers are remembered: whatever there is to tell is worked out anew. Every question of time in `path` and `revocation` compares
the time judged for, or that of the question, with a date on a certificate, a list, an answer or a row of the table; between two
neighbouring dates all of them have the same outcome. So an answer holds where both times stand between the same dates as they did. On such
a date itself nothing is remembered. What a signer claims can only speak against him: a claim before the first day of his certificates is
not answered from memory.

An answer is found again for the same certificates, the same store and table (the very objects), the same intermediates, lists, answers,
demands and purpose, for a time that is proven or for one that is not, as it was, and for nothing else.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from signing import sources
from signing.context import Context, Purpose, Status
from signing.limits import MAX_JUDGED_BYTES
from signing.path import PathAnswer, check_path
from signing.remembered import Remembered
from signing.revocation import RevocationAnswer, check_revocation

_BEGINNING, _END = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
_ENTRY_BYTES = 4096  # of an answer without the certificates that were sent


@dataclass(frozen=True, slots=True)
class Judged:
    """Both answers on one signer. `revocation` is None where no path was found whose certificates could be asked about."""

    path: PathAnswer
    revocation: RevocationAnswer | None

    @property
    def reasons(self) -> tuple[str, ...]:
        """Codes, those of the path first."""
        return tuple(dict.fromkeys((*self.path.reasons, *(self.revocation.reasons if self.revocation else ()))))


@dataclass(frozen=True, slots=True)
class Good:
    """A good answer, for every time judged for between `after` and `until`, every time of the question between `asked_after` and
    `asked_until`, all four excluded, and for claims of `claims_from` or later. The two times differ where the first is proven.
    """

    path: PathAnswer
    revocation: RevocationAnswer
    after: datetime
    until: datetime
    asked_after: datetime
    asked_until: datetime
    claims_from: datetime

    def holds(self, ctx: Context) -> bool:
        """Whether the answer is that of `ctx`, of which only the times are looked at."""
        claimed = ctx.claimed_time
        between = self.after < ctx.judged_at < self.until and self.asked_after < ctx.at < self.asked_until
        return between and (claimed is None or claimed >= self.claims_from)


_good: Remembered[Hashable, Good] = Remembered(MAX_JUDGED_BYTES)


def judge_signer(signer: bytes, others: tuple[bytes, ...], ctx: Context, purpose: Purpose = Purpose.DOCUMENT) -> Judged:
    """Path, then revocation along the chain that holds, or that came nearest. Raises nothing."""
    key = _key(signer, others, ctx, purpose)
    known = _good.found(key)
    if known is not None and known.holds(ctx):
        return Judged(_at(known.path, ctx), _of_now(known.revocation, ctx))
    judged = _judge(signer, others, ctx, purpose)
    good = _good_between(judged, ctx)
    if good is not None:
        _good.put(key, good, _ENTRY_BYTES + len(signer) + sum(map(len, others)))
    return judged


def good_of(signer: bytes, others: tuple[bytes, ...], ctx: Context, purpose: Purpose = Purpose.DOCUMENT) -> Good | None:
    """The good answer that is remembered for that question and holds at its time, None where there is none."""
    known = _good.found(_key(signer, others, ctx, purpose))
    return known if known is not None and known.holds(ctx) else None


def _key(signer: bytes, others: tuple[bytes, ...], ctx: Context, purpose: Purpose) -> Hashable:
    read = sources.read(ctx.crls, ctx.ocsps)
    asked = (signer, others, purpose, ctx.trust, ctx.algorithm_policy, ctx.intermediates, ctx.policies, ctx.demand, ctx.proven)
    return (asked, read.digest, read.faults)


def _judge(signer: bytes, others: tuple[bytes, ...], ctx: Context, purpose: Purpose) -> Judged:
    path = check_path(signer, others, ctx, purpose)
    return Judged(path, check_revocation(path.certificates, ctx, others) if path.chain else None)


def _at(path: PathAnswer, ctx: Context) -> PathAnswer:
    return PathAnswer(path.status, path.faults, path.chain, ctx.judged_at, ctx.claimed, path.domain, path.chains)


def _of_now(answer: RevocationAnswer, ctx: Context) -> RevocationAnswer:
    return RevocationAnswer(answer.status, answer.faults, answer.notes, answer.certificates, ctx.judged_at, ctx.claimed, answer.turns)


def _good_between(judged: Judged, ctx: Context) -> Good | None:
    """None for an answer that is not good, or was given on a date that is compared with."""
    path, revocation = judged.path, judged.revocation
    if path.status is not Status.OK or revocation is None or revocation.status is not Status.OK:
        return None
    turns = frozenset(_turns(path, revocation, ctx))
    (after, until), (asked_after, asked_until) = _between(turns, ctx.judged_at), _between(turns, ctx.at)
    good = Good(
        path=path,
        revocation=revocation,
        after=after,
        until=until,
        asked_after=asked_after,
        asked_until=asked_until,
        claims_from=max(chain.not_before for chain in path.chains),
    )
    return good if good.holds(ctx) else None


def _between(turns: frozenset[datetime], at: datetime) -> tuple[datetime, datetime]:
    """The dates before and after `at`, `at` itself where it is one."""
    return max((one for one in turns if one <= at), default=_BEGINNING), min((one for one in turns if one >= at), default=_END)


def _turns(path: PathAnswer, revocation: RevocationAnswer, ctx: Context) -> Iterator[datetime]:
    for chain in path.chains:
        for cert in chain.certificates:
            yield cert.not_before
            yield cert.not_after
    yield from revocation.turns
    yield from (row.until for row in ctx.algorithm_policy.rows.values() if row.until)
