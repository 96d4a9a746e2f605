"""Evidence: what was used, canonical and addressed by its content; the same answer again, offline; then and now are two questions."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from schemas.errors import Refused
from signing.algorithms import CURRENT
from signing.context import Context, PolicyDemand, Status
from signing.evidence import Evidence, gather, judge_again
from signing.signer import judge_signer
from signing.trust import TrustStore
from tests.vectors.build_pki import CA, POLICY, ROOT, ROOT_NAME, SIGNER
from tests.vectors.build_status import Crl, Entry
from tests.vectors.certificates import AT, DAY, YEAR

SERIAL = 1001
ROOT_CERT, CA_CERT = ROOT.make(), CA.make()
SIGNER_DER, CA_DER = (c.public_bytes(Encoding.DER) for c in (SIGNER.but(serial=SERIAL).make(), CA_CERT))
ROOT_CRL = Crl(issuer=ROOT_NAME, key_name="root", next_update=AT + 9 * YEAR).make()
OTHER_CRL = Crl(issuer=ROOT_NAME, key_name="thief").make()
CTX = Context(
    TrustStore((ROOT_CERT,), domain="government"),
    AT,
    crls=(ROOT_CRL, Crl().make(), OTHER_CRL),
    proven_time=AT - timedelta(hours=3),
    claimed_time=AT - timedelta(hours=4),
    policies=PolicyDemand(frozenset({POLICY.dotted_string})),
)


def evidence(ctx: Context = CTX) -> Evidence:
    judged = judge_signer(SIGNER_DER, (CA_DER,), ctx)
    return gather(SIGNER_DER, (CA_DER,), ctx, judged, software="lgsp-hub 0.1.0", tokens=(b"token",))


def test_it_is_read_as_it_was_written() -> None:
    stored = evidence().to_json()
    again = Evidence.from_json(stored)
    assert again == evidence()
    assert again.to_json() == stored
    assert again.digest == evidence().digest
    assert again.domain == "government"


def test_it_holds_what_was_used_and_no_more() -> None:
    assert set(evidence().crls) == {ROOT_CRL, CTX.crls[1]}
    assert set(evidence(replace(CTX, crls=(OTHER_CRL,))).crls) == {OTHER_CRL}  # not enough: all that was at hand


def test_the_answer_of_then_is_the_same_again() -> None:
    judged = judge_signer(SIGNER_DER, (CA_DER,), CTX)
    again = judge_again(Evidence.from_json(evidence().to_json()), "then")
    assert (again.path.status, again.reasons) == (Status.OK, ())
    assert again.path.certificates == judged.path.certificates
    assert again.revocation is not None
    assert judged.revocation is not None
    assert again.revocation.used == judged.revocation.used


def test_a_revocation_after_the_proven_time_changes_nothing_now() -> None:
    today = Context(
        CTX.trust, AT + YEAR, crls=(Crl((Entry(SERIAL, at=AT + 9 * DAY),), this_update=AT + 300 * DAY, next_update=AT + 400 * DAY).make(),)
    )
    assert judge_again(evidence(), "now", today).reasons == ()


def test_then_and_now_differ_by_what_became_known() -> None:
    compromised = Entry(SERIAL, at=AT + 9 * DAY, reason="keyCompromise", invalid_since=AT - 9 * DAY)
    today = Context(CTX.trust, AT + YEAR, crls=(Crl((compromised,), this_update=AT + 300 * DAY, next_update=AT + 400 * DAY).make(),))
    assert judge_again(evidence(), "then").reasons == ()
    assert judge_again(evidence(), "now", today).reasons == ("revoked",)


def test_trust_that_was_withdrawn_counts_now_and_not_then() -> None:
    today = Context(TrustStore(), AT + DAY)
    assert judge_again(evidence(), "then").reasons == ()
    assert judge_again(evidence(), "now", today).reasons == ("untrusted-chain",)


def test_an_expired_certificate_with_a_proven_time_is_good_now() -> None:
    assert judge_again(evidence(), "now", Context(CTX.trust, AT + 5 * YEAR)).path.status is Status.OK
    unproven = replace(evidence(), proven_time=None)
    assert judge_again(unproven, "now", Context(CTX.trust, AT + 5 * YEAR)).path.status is Status.UNKNOWN


def test_a_table_of_algorithms_that_is_not_at_hand_is_named() -> None:
    with pytest.raises(Refused) as caught:
        judge_again(replace(evidence(), algorithms="2031-01-01"), "then")
    assert caught.value.code == "evidence-invalid"
    assert "2031-01-01" in caught.value.got
    assert judge_again(replace(evidence(), algorithms="2031-01-01"), "then", policies={"2031-01-01": CURRENT}).reasons == ()


def _without(name: str) -> bytes:
    rows = json.loads(evidence().to_json())
    del rows[name]
    return json.dumps(rows).encode()


def _with(**fields: object) -> bytes:
    return json.dumps(json.loads(evidence().to_json()) | fields).encode()


BROKEN: dict[str, bytes] = {
    "no JSON": b"\xff",
    "a list": b"[]",
    "another form": _with(form="x"),
    "no signer": _without("signer"),
    "no time": _with(at=None),
    "a time without a zone": _with(at="2026-11-21T03:04:05"),
    "no base64": _with(crls=["*"]),
    "a field too many": _with(more=1),
    "a purpose nobody has": _with(purpose="x"),
}


@pytest.mark.parametrize("raw", BROKEN.values(), ids=BROKEN.keys())
def test_broken_evidence_is_refused(raw: bytes) -> None:
    with pytest.raises(Refused) as caught:
        Evidence.from_json(raw)
    assert caught.value.code == "evidence-invalid"


def test_trust_that_was_exchanged_in_the_evidence_is_noticed() -> None:
    other = ROOT.but(key_name="thief").make().public_bytes(Encoding.DER)
    for anchors in ((other,), (b"rubbish",)):
        with pytest.raises(Refused) as caught:
            judge_again(replace(evidence(), anchors=anchors), "then")
        assert caught.value.code == "evidence-invalid"
