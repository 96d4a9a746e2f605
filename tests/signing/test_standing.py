"""A signature that stands is told as if it had been judged anew, for its own question, between its dates, and for nobody else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.demo.pki import Identity, Pki
from schemas.agency import AgencyCode
from schemas.errors import error
from schemas.message import VerdictStatus
from schemas.xml import parse
from signing import forms, signer, standing, verify
from signing.algorithms import CURRENT
from signing.container import Kind
from signing.context import Context, Demand, PolicyDemand
from signing.finding import Coverage, Given, Integrity
from signing.policy import SignatureMode, SignaturePolicy
from signing.remembered import Remembered
from signing.trust import TrustStore
from tests.signing.material import AT, ELLIPTIC, SENDER, Forger
from tests.signing.test_familiar import OTHER, PLAIN
from tests.signing.test_signer import SHA2_ENDS

OURS = SignaturePolicy(SignatureMode.REQUIRE)
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


@pytest.fixture(autouse=True)
def _forgetful(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(standing, "_standing", Remembered(64))
    monkeypatch.setattr(signer, "_good", Remembered(1 << 20))
    yield


@pytest.fixture
def ctx(pki: Pki) -> Context:
    return Context(pki.store(), AT, crls=pki.lists())


def asked(raw: bytes, ctx: Context, policy: SignaturePolicy = OURS, sender: str = SENDER) -> Any:
    """The whole JSON of the verdict."""
    return verify.judge(parse(raw), AgencyCode.of(sender) if sender else None, policy, ctx).as_json()


def anew(raw: bytes, ctx: Context, policy: SignaturePolicy = OURS, sender: str = SENDER) -> Any:
    """The same of somebody who remembers nothing."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(standing, "_standing", Remembered(0))
        patch.setattr(signer, "_good", Remembered(0))
        return asked(raw, ctx, policy, sender)


@pytest.fixture
def worked_out(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The signatures that were judged rather than remembered."""
    judged: list[bytes] = []
    judge = verify._whole

    def noting(own: Any, question: Any) -> Any:
        judged.append(own.findings[0].signer if own.findings else b"")
        return judge(own, question)

    monkeypatch.setattr(verify, "_whole", noting)
    return judged


def test_the_next_packet_is_told_without_being_judged(forger: Forger, ctx: Context, worked_out: list[bytes]) -> None:
    first, second = forger.sign(PLAIN), forger.sign(OTHER)
    later = replace(ctx, at=AT + MINUTE, crls=tuple(ctx.crls))
    assert (asked(first, ctx)["verdict"], len(worked_out)) == ("valid", 1)
    told = asked(second, later)
    assert (told["verdict"], told["signatures"][0]["signed_at"], len(worked_out)) == ("valid", "2026-11-21T03:05:05.000000Z", 1)
    assert told == anew(second, later)


def test_a_time_that_the_caller_proves_stands_by_itself(forger: Forger, ctx: Context, worked_out: list[bytes]) -> None:
    raw, proven = forger.sign(PLAIN), replace(ctx, at=AT + DAY, proven_time=AT - MINUTE)
    for question, source, how_many in ((ctx, "none", 1), (proven, "received", 2), (replace(proven, proven_time=AT), "received", 2)):
        told = asked(raw, question)
        assert (told["verdict"], told["signatures"][0]["time_source"], len(worked_out)) == ("valid", source, how_many)
        assert told == anew(raw, question)
        del worked_out[how_many:]


Change = Callable[[Context, Identity], tuple[Context, SignaturePolicy, str]]


def of(**changes: Any) -> Change:
    return lambda ctx, _: (replace(ctx, **changes), OURS, SENDER)


# Another question after the first one was answered → the deciding reason
QUESTIONS: dict[str, tuple[Change, str]] = {
    "the same": (of(), ""),
    "a claim beside the question, which signatures without one do not share": (of(claimed_time=AT - 90 * DAY), ""),
    "a year later, the lists being current": (of(at=AT + timedelta(days=365)), ""),
    "after the certificate has run out": (of(at=AT + timedelta(days=365 * 4)), "expired"),
    "before the certificate": (of(at=AT - timedelta(days=30)), "not-yet-valid"),
    "with a time that is proven": (of(proven_time=AT - MINUTE), ""),
    "with a time that is proven, before the certificate": (of(proven_time=AT - timedelta(days=30)), "not-yet-valid"),
    "nobody is trusted": (of(trust=TrustStore()), "untrusted-chain"),
    "no lists": (of(crls=()), "revocation-unknown"),
    "no lists, and none demanded": (of(crls=(), demand=Demand.NONE), ""),
    "a policy of certificates is demanded": (of(policies=PolicyDemand(frozenset({"1.2.3"}), explicit=True)), "path-constraint"),
    "another table of algorithms, after its end": (of(algorithm_policy=SHA2_ENDS, at=AT + timedelta(hours=2)), "alg-forbidden"),
    "the sender is another agency, nobody being bound": (lambda ctx, _: (ctx, OURS, ELLIPTIC), ""),
    "nobody is named as sender": (lambda ctx, _: (ctx, OURS, ""), ""),
    "the certificate is bound to the sender": (lambda ctx, one: (ctx, bound(SENDER, one), SENDER), ""),
    "the certificate is bound to another": (lambda ctx, one: (ctx, bound(ELLIPTIC, one), SENDER), "sender-mismatch"),
    "binding is demanded": (lambda ctx, _: (ctx, replace(OURS, require_binding=True), SENDER), "sender-mismatch"),
    "another mode": (lambda ctx, _: (ctx, SignaturePolicy(SignatureMode.CHECK), SENDER), ""),
}


def bound(code: str, to: Identity) -> SignaturePolicy:
    """A policy by which `code` signs with the certificate of `to`."""
    return replace(OURS, bindings={AgencyCode.of(code).key: frozenset({to.chain[0].fingerprint(hashes.SHA256()).hex()})})


@pytest.mark.parametrize(("change", "owed"), QUESTIONS.values(), ids=QUESTIONS)
def test_another_question_gets_its_own_answer(change: Change, owed: str, forger: Forger, agency: Identity, ctx: Context) -> None:
    raw = forger.sign(PLAIN)
    assert asked(raw, ctx)["verdict"] == "valid"
    question = change(ctx, agency)
    said = asked(raw, *question)
    assert said == anew(raw, *question)
    assert said["reason"] == owed
    assert asked(raw, ctx) == anew(raw, ctx)


def test_bindings_that_change_in_place_are_asked_again(forger: Forger, agency: Identity, ctx: Context) -> None:
    bindings: dict[str, frozenset[str]] = {}
    policy, raw = replace(OURS, bindings=bindings), forger.sign(PLAIN)
    assert asked(raw, ctx, policy)["verdict"] == "valid"
    bindings |= bound(ELLIPTIC, agency).bindings
    assert asked(raw, ctx, policy)["reason"] == "sender-mismatch"


def test_a_list_arrives_on_which_the_signer_stands(forger: Forger, ctx: Context, pki: Pki) -> None:
    raw = forger.sign(PLAIN)
    assert asked(raw, ctx)["verdict"] == "valid"
    pki.publish(AT, {SENDER: AT - MINUTE})
    revoked = replace(ctx, crls=(*ctx.crls, *pki.lists()))
    pki.publish(AT)
    assert asked(raw, revoked)["reason"] == "revoked"
    assert asked(raw, ctx)["verdict"] == "valid"


def test_two_signers_do_not_answer_for_each_other(forger: Forger, elliptic: Identity, ctx: Context) -> None:
    for one in (forger, Forger.of(elliptic), forger, Forger.of(elliptic)):
        raw = one.sign(PLAIN)
        said = asked(raw, ctx)
        assert said == anew(raw, ctx)
        assert said["signatures"][0]["certificate_sha256"] == one.certificates[0].fingerprint(hashes.SHA256()).hex()


def test_what_does_not_fit_is_never_told_by_what_stands(forger: Forger, ctx: Context) -> None:
    raw = forger.sign(PLAIN)
    assert asked(raw, ctx)["verdict"] == "valid"
    changed = raw.replace("cáo".encode(), b"oan")
    assert asked(changed, ctx) == anew(changed, ctx)
    assert asked(changed, ctx)["reason"] == "tampered"
    assert asked(raw.replace(b"<edXML:Subject>", b"<edXML:Subject><!--x-->"), ctx)["reason"] == ""


_MOMENTS = st.integers(-5 * 1440, 5 * 1440 * 365).map(lambda minutes: timedelta(minutes=minutes))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(moments=st.lists(st.tuples(_MOMENTS, st.none() | _MOMENTS), min_size=2, max_size=5))
def test_asked_for_any_moments_the_answers_are_those_of_somebody_who_remembers_nothing(
    moments: list[tuple[timedelta, timedelta | None]], forger: Forger, ctx: Context
) -> None:
    raw = forger.sign(PLAIN)
    for moment, proven in moments:
        then = replace(ctx, at=AT + moment, proven_time=None if proven is None else AT + proven)
        assert asked(raw, then) == anew(raw, then)


def test_a_flood_of_signers_is_bounded(forger: Forger, ctx: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    kept: Remembered[Any, Any] = Remembered(3)
    monkeypatch.setattr(standing, "_standing", kept)
    raw = forger.sign(PLAIN)
    for number in range(8):
        fresh = replace(ctx, trust=TrustStore(ctx.trust.anchors, ctx.trust.intermediates, f"domain {number}"))
        assert asked(raw, fresh)["verdict"] == "valid"
        assert kept.weight <= 3
    assert kept.weight == 3


def test_threads_that_ask_at_once_are_told_their_own_moment(forger: Forger, ctx: Context) -> None:
    raw = forger.sign(PLAIN)
    moments = [replace(ctx, at=AT + n * MINUTE) for n in range(-3000, 3000, 60)]
    with ThreadPoolExecutor(4) as threads:
        told = list(threads.map(lambda then: asked(raw, then), moments))
    assert told == [anew(raw, then) for then in moments]


def test_the_judgement_says_what_it_rests_on_as_before(forger: Forger, ctx: Context) -> None:
    first, again = (verify.verify_file(forger.sign(PLAIN), OURS, ctx, kind=Kind.EDXML) for _ in range(2))
    assert first.verdict.status is again.verdict.status is VerdictStatus.VALID
    assert (first.parts, first.artefacts, first.chains()) == (again.parts, again.artefacts, again.chains())
    assert [answer.judged for part in again.parts for answer in part.answers] != [None]


def test_only_an_equal_finding_stands(forger: Forger, ctx: Context) -> None:
    tree = parse(forger.sign(PLAIN))
    own = forms.read_tree(Kind.EDXML, tree, Given(AT, CURRENT))
    assert asked(tree.raw, ctx)["verdict"] == "valid"
    (finding,) = own.findings
    assert standing.report(own, OURS, AgencyCode.of(SENDER), ctx) is not None
    changed: tuple[dict[str, Any], ...] = (
        {"integrity": Integrity.FAILED},
        {"coverage": Coverage.PART},
        {"kind": "xades"},
        {"name": "/edXML/Signature"},
        {"claimed_time": AT},
        {"violations": (error("tampered"),)},
        {"crls": ctx.crls},
    )
    for changes in changed:
        other = replace(own, findings=(replace(finding, **changes),))
        assert standing.report(other, OURS, AgencyCode.of(SENDER), ctx) is None, changes
