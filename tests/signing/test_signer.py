"""An answer on a signer is remembered for exactly the question that it was given to, and never longer than it holds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signing import signer
from signing.algorithms import CURRENT
from signing.context import Context, Demand, PolicyDemand, Purpose
from signing.remembered import Remembered
from signing.signer import judge_signer
from signing.trust import TrustStore
from tests.signing.test_revocation import ANSWER, CA_CERT, GOOD, HOUR, REVOKED, ROOT_CERT, ROOT_CRL, SERIAL, SIGNER_CERT, STORE, der
from tests.vectors.build_pki import ROOT
from tests.vectors.build_status import Crl, Entry
from tests.vectors.certificates import AT, DAY

SIGNER_DER, CA_DER = der(SIGNER_CERT), der(CA_CERT)
HOUR_LONG = GOOD.but(this_update=AT - HOUR, next_update=AT + HOUR)
CTX = Context(STORE, AT, crls=(ROOT_CRL.make(), HOUR_LONG.make()))
SHA2_ENDS = replace(
    CURRENT,
    version="ends",
    rows=dict(CURRENT.rows) | {("hash", "sha256"): replace(CURRENT.rows["hash", "sha256"], until=AT + timedelta(minutes=30))},
)


@pytest.fixture(autouse=True)
def _forgetful(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(signer, "_good", Remembered(1 << 20))
    yield


@pytest.fixture
def worked_out(monkeypatch: pytest.MonkeyPatch) -> list[datetime]:
    """The moments for which an answer was worked out rather than remembered."""
    moments: list[datetime] = []
    judge = signer._judge

    def noting(one: bytes, others: tuple[bytes, ...], ctx: Context, purpose: Purpose) -> signer.Judged:
        moments.append(ctx.at)
        return judge(one, others, ctx, purpose)

    monkeypatch.setattr(signer, "_judge", noting)
    return moments


def reasons(ctx: Context, others: tuple[bytes, ...] = (), purpose: Purpose = Purpose.DOCUMENT) -> tuple[str, ...]:
    return judge_signer(SIGNER_DER, others, ctx, purpose).reasons


def with_lists(*more: Crl, only: bool = False) -> Context:
    return replace(CTX, crls=(*(() if only else CTX.crls), *(one.make() for one in more)))


def test_a_good_answer_is_remembered_and_says_the_moment_that_was_asked_for(worked_out: list[datetime]) -> None:
    first = judge_signer(SIGNER_DER, (), CTX)
    later = judge_signer(SIGNER_DER, (), replace(CTX, at=AT + timedelta(minutes=1), claimed_time=AT))
    assert (first.reasons, later.reasons, worked_out) == ((), (), [AT])
    assert later.revocation is not None
    assert {later.path.judged_at, later.revocation.judged_at} == {AT + timedelta(minutes=1)}
    assert later.path.claimed and later.revocation.claimed and not first.path.claimed
    assert later.revocation.used == (first.revocation.used if first.revocation else ())


OTHERS: dict[str, tuple[tuple[str, ...], Callable[[], tuple[str, ...]]]] = {
    "a list arrives on which it stands": (("revoked",), lambda: reasons(with_lists(REVOKED))),
    "the CA's own revocation arrives": (("revoked",), lambda: reasons(with_lists(ROOT_CRL.but(entries=(Entry(55),))))),
    "the list is gone": (("revocation-unknown",), lambda: reasons(with_lists(ROOT_CRL, only=True))),
    "another trust store": (("untrusted-chain",), lambda: reasons(replace(CTX, trust=TrustStore()))),
    "another store of the same certificates": ((), lambda: reasons(replace(CTX, trust=TrustStore((ROOT_CERT,), (CA_CERT,))))),
    "a store without the intermediate": (("untrusted-chain",), lambda: reasons(replace(CTX, trust=TrustStore((ROOT_CERT,))))),
    "the intermediate sent along": ((), lambda: reasons(CTX, (CA_DER,))),
    "the intermediate configured beside": ((), lambda: reasons(replace(CTX, intermediates=(CA_DER,)))),
    "a demand for a policy": (
        ("path-constraint",),
        lambda: reasons(replace(CTX, policies=PolicyDemand(frozenset({"1.2.3"}), explicit=True))),
    ),
    "nobody's status is demanded": ((), lambda: reasons(replace(CTX, demand=Demand.NONE))),
    "another purpose": (("key-usage",), lambda: reasons(CTX, purpose=Purpose.TIMESTAMP)),
    "another table of algorithms": ((), lambda: reasons(replace(CTX, algorithm_policy=SHA2_ENDS))),
    "the list has run out": (("revocation-unknown",), lambda: reasons(replace(CTX, at=AT + HOUR + timedelta(seconds=1)))),
    "the certificate has run out": (
        ("expired", "revocation-unknown"),
        lambda: reasons(replace(CTX, at=SIGNER_CERT.not_valid_after_utc + DAY)),
    ),
    "before the certificate": (
        ("not-yet-valid", "revocation-unknown"),
        lambda: reasons(replace(CTX, at=SIGNER_CERT.not_valid_before_utc - DAY)),
    ),
    "before the list": (("revocation-unknown",), lambda: reasons(replace(CTX, at=AT - 2 * HOUR))),
    "a claim before the certificate": (
        ("not-yet-valid",),
        lambda: reasons(replace(CTX, claimed_time=SIGNER_CERT.not_valid_before_utc - 2 * DAY)),
    ),
    "a time that a stamp proves": ((), lambda: reasons(replace(CTX, proven_time=AT - timedelta(minutes=1)))),
}


@pytest.mark.parametrize("name", OTHERS)
def test_what_is_remembered_answers_no_other_question(name: str, worked_out: list[datetime]) -> None:
    expected, other = OTHERS[name]
    assert reasons(CTX) == ()
    assert (other(), len(worked_out)) == (expected, 2)
    assert (reasons(CTX), len(worked_out)) == ((), 2)  # and the other answer does not stand in for the first


def test_an_answer_for_a_proven_time_stands_between_the_dates_of_both_times(worked_out: list[datetime]) -> None:
    proven = replace(CTX, proven_time=AT - timedelta(minutes=10))
    assert reasons(proven) == ()
    later = judge_signer(SIGNER_DER, (), replace(proven, at=AT + timedelta(minutes=1), proven_time=AT))
    assert (later.reasons, later.path.judged_at, later.revocation and later.revocation.judged_at) == ((), AT, AT)
    assert worked_out == [AT]
    assert reasons(replace(proven, at=AT + DAY)) == ()  # the question is beyond the end of the list, the time judged for is not
    assert len(worked_out) == 2
    assert reasons(replace(proven, at=AT - 2 * HOUR)) == ("revocation-unknown",)
    assert reasons(replace(proven, proven_time=AT + 2 * HOUR)) == ("revocation-unknown",)


def test_no_bad_or_open_answer_is_remembered(worked_out: list[datetime]) -> None:
    for ctx in (with_lists(REVOKED), with_lists(ROOT_CRL, only=True)):
        assert reasons(ctx) == reasons(ctx) != ()
    assert len(worked_out) == 4


def test_a_revocation_of_tomorrow_is_felt_tomorrow() -> None:
    ctx = with_lists(REVOKED.but(entries=(Entry(SERIAL, at=AT + timedelta(minutes=20)),), this_update=AT - HOUR, next_update=AT + HOUR))
    assert reasons(ctx) == ()
    assert reasons(replace(ctx, at=AT + timedelta(minutes=21))) == ("revoked",)


def test_a_row_of_the_table_ends_in_the_middle() -> None:
    ctx = replace(CTX, algorithm_policy=SHA2_ENDS)
    assert reasons(ctx) == ()
    assert "alg-forbidden" in reasons(replace(ctx, at=AT + timedelta(minutes=31)))


def test_dates_at_the_ends_of_the_calendar_do_no_harm() -> None:
    first, last = datetime(1951, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
    answers = tuple(ANSWER.but(this_update=moment, next_update=None).make() for moment in (first, last))
    ctx = replace(CTX, ocsps=answers, claimed_time=datetime.max.replace(tzinfo=UTC))
    assert reasons(ctx) == ()


_MOMENTS = st.integers(-150, 150).map(lambda minutes: timedelta(minutes=minutes))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(_MOMENTS, st.none() | _MOMENTS, st.none() | _MOMENTS), min_size=2, max_size=6), st.none() | _MOMENTS)
def test_asked_in_any_order_the_answers_are_those_of_somebody_who_remembers_nothing(
    asked: list[tuple[timedelta, timedelta | None, timedelta | None]], revoked: timedelta | None
) -> None:
    entries = (Entry(SERIAL, at=AT + revoked),) if revoked is not None else ()
    lists = (ROOT_CRL.make(), HOUR_LONG.but(entries=entries).make(), GOOD.but(this_update=AT + HOUR, next_update=AT + 2 * HOUR).make())
    store = TrustStore((ROOT_CERT, ROOT.make()), (CA_CERT,))
    for moment, claimed, proven in asked:
        ctx = Context(
            store,
            AT + moment,
            crls=lists,
            algorithm_policy=SHA2_ENDS,
            claimed_time=None if claimed is None else AT + claimed,
            proven_time=None if proven is None else AT + proven,
        )
        assert judge_signer(SIGNER_DER, (), ctx) == signer._judge(SIGNER_DER, (), ctx, Purpose.DOCUMENT)
