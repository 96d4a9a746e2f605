"""What becomes of a packet: verdict and policy together, and the message that goes on."""

from __future__ import annotations

import threading
from datetime import datetime
from pathlib import Path

import pytest

from hub.demo.pki import STRANGER, Identity, Pki
from schemas.agency import AgencyCode
from schemas.edxml.reader import read
from schemas.errors import Refused
from schemas.message import Envelope, Inbound, LegalValue, VerdictStatus
from signing.context import Context
from signing.policy import SignatureMode, SignaturePolicy
from signing.trust import TrustStore
from signing.verify import compose, judge, judge_envelope, verify
from tests import packets
from tests.signing.material import AT, ELLIPTIC, LATER, SENDER, policy

FIXTURES = Path(__file__).parents[2].parent / "shared" / "fixtures" / "edxml"
PACKET = packets.document(SENDER, (ELLIPTIC,))
DUMMY = PACKET.replace(b"</edXML:edXMLHeader>", b"<Signature><SignatureValue>GbVb8n9+</SignatureValue></Signature></edXML:edXMLHeader>", 1)
REQUIRE, CHECK, IGNORE = SignatureMode.REQUIRE, SignatureMode.CHECK, SignatureMode.IGNORE


def envelope(raw: bytes) -> Envelope:
    return read(Inbound(raw, "application/xml", "", "test", AT))


def context(trust: TrustStore, pki: Pki, at: datetime = AT) -> Context:
    return Context(trust, at, crls=pki.lists())


@pytest.fixture(scope="module")
def raw_by_name(agency: Identity, pki: Pki) -> dict[str, bytes]:
    signed = agency.sign(PACKET)
    return {
        "signed": signed,
        "tampered": signed.replace(b"V/v", b"W/v", 1),
        "by a stranger": pki.identities[STRANGER].sign(PACKET),
        "unsigned": PACKET,
        "dummy": DUMMY,
    }


LEGAL_VALUES = {"signed": LegalValue.ORIGINAL, "tampered": LegalValue.NONE, "by a stranger": LegalValue.NONE}

# packet, policy → None where it goes on, else the deciding reason
OUTCOMES = {
    ("signed", REQUIRE): None,
    ("signed", CHECK): None,
    ("signed", IGNORE): None,
    ("tampered", REQUIRE): "tampered",
    ("tampered", CHECK): "tampered",
    ("tampered", IGNORE): None,
    ("by a stranger", REQUIRE): "untrusted-chain",
    ("by a stranger", CHECK): "untrusted-chain",
    ("by a stranger", IGNORE): None,
    ("unsigned", REQUIRE): "no-signature",
    ("unsigned", CHECK): None,
    ("unsigned", IGNORE): None,
    ("dummy", REQUIRE): "no-signature",
    ("dummy", CHECK): None,
    ("dummy", IGNORE): None,
}


@pytest.mark.parametrize(("case", "reason"), OUTCOMES.items(), ids=[f"{name}, {mode}" for name, mode in OUTCOMES])
def test_the_policy_decides_what_goes_on(
    case: tuple[str, SignatureMode], reason: str | None, raw_by_name: dict[str, bytes], trust: TrustStore, pki: Pki
) -> None:
    name, mode = case
    given = envelope(raw_by_name[name])
    if reason is None:
        message = verify(given, policy(mode), context(trust, pki))
        assert message.envelope is given
        assert (message.verdict.status is VerdictStatus.VALID) == (name == "signed")
        assert message.verdict.legal_value is LEGAL_VALUES.get(name, LegalValue.FOR_INFORMATION)
        assert message.verdict.policy == mode
        assert message.artefacts["trust"] == trust.fingerprint
        return
    with pytest.raises(Refused) as caught:
        verify(given, policy(mode), context(trust, pki))
    assert caught.value.code == reason == caught.value.violations[0].code
    assert ("signature-required" in {v.code for v in caught.value.violations}) == (mode is REQUIRE)
    assert caught.value.as_json()["verdict"]["reason"] == reason


def test_a_placeholder_is_reported_and_not_trusted(trust: TrustStore, pki: Pki) -> None:
    found = verify(envelope(DUMMY), policy(CHECK), context(trust, pki)).verdict
    assert found.reasons == ("no-signature", "decorative-signature")
    assert [(s.kind, s.integrity, s.status) for s in found.signatures] == [("decorative", "not checked", VerdictStatus.INVALID)]


@pytest.mark.fixtures
@pytest.mark.skipif(not FIXTURES.is_dir(), reason="needs ../shared/fixtures/edxml")
@pytest.mark.parametrize("name", ["edoc_new.edxml", "edoc_recall.edxml"])
def test_the_samples_of_the_official_sdk_carry_a_placeholder(name: str, trust: TrustStore, pki: Pki) -> None:
    found = verify(envelope((FIXTURES / name).read_bytes()), policy(CHECK), context(trust, pki)).verdict
    assert found.reasons == ("no-signature", "decorative-signature")


def test_a_certificate_signs_only_for_the_agency_it_is_bound_to(pki: Pki, trust: TrustStore) -> None:
    bound = SignaturePolicy(CHECK, pki.bindings())
    own = verify(envelope(pki.identities[SENDER].sign(PACKET)), bound, context(trust, pki))
    assert own.verdict.signatures[0].organ_id == AgencyCode.of(SENDER).key
    with pytest.raises(Refused) as caught:
        verify(envelope(pki.identities[ELLIPTIC].sign(PACKET)), bound, context(trust, pki))
    assert caught.value.code == "sender-mismatch"


# (bindings, whether binding is required) → the agency named, or None for sender-mismatch; the sender is H32.05
BINDINGS: dict[str, tuple[dict[str, str], bool, str | None]] = {
    "nobody is bound": ({}, False, ""),
    "nobody is bound, though all should be": ({}, True, None),
    "the sender": ({"H32.5": "mine"}, False, "H32.5"),
    "the sender and others": ({"H1": "mine", "H32.5": "mine"}, False, "H32.5"),
    "the sender, another certificate": ({"H32.5": "other"}, False, None),
    "the body above, which has the certificate": ({"H32": "mine"}, False, "H32"),
    "the body above, required": ({"H32": "mine"}, True, "H32"),
    "the body above, but the sender has its own": ({"H32": "mine", "H32.5": "other"}, False, None),
    "someone else": ({"H40": "mine"}, False, None),
    "someone below": ({"H32.5.1": "mine"}, False, None),
}


@pytest.mark.parametrize(("bound", "required", "named"), BINDINGS.values(), ids=BINDINGS.keys())
def test_bindings(bound: dict[str, str], required: bool, named: str | None) -> None:
    given = SignaturePolicy(REQUIRE, {key: frozenset({digest}) for key, digest in bound.items()}, required)
    sender = AgencyCode.of("000.00.05.H32")
    if named is not None:
        assert given.bound_to("mine", sender) == named
        return
    with pytest.raises(Refused) as caught:
        given.bound_to("mine", sender)
    assert caught.value.code == "sender-mismatch"


def test_where_there_is_no_sender_the_owner_is_named() -> None:
    given = SignaturePolicy(REQUIRE, {"H40": frozenset({"mine"})})
    assert given.bound_to("mine", None) == "H40"
    assert given.bound_to("unknown", None) == ""


def test_what_the_hub_composes_is_never_the_agencys(trust: TrustStore) -> None:
    message = compose(envelope(packets.status()), AT)
    assert (message.verdict.status, message.verdict.legal_value) == (VerdictStatus.INVALID, LegalValue.FOR_INFORMATION)
    assert message.verdict.policy == "composed-by-hub"
    assert message.verdict.signatures == ()
    assert trust.fingerprint not in message.artefacts.values()


def test_verdicts_are_judged_anew_for_every_time_though_paths_are_remembered(agency: Identity, trust: TrustStore, pki: Pki) -> None:
    tree = envelope(agency.sign(PACKET)).tree
    sender = AgencyCode.of(SENDER)
    answers = [judge(tree, sender, policy(), context(trust, pki, at)).reasons for at in (AT, LATER, AT, LATER)]
    assert answers == [(), ("expired",), (), ("expired",)]


def test_a_judgement_before_spares_the_reading_and_no_answer(trust: TrustStore, pki: Pki, raw_by_name: dict[str, bytes]) -> None:
    contexts = [context(trust, pki), context(TrustStore(), pki), context(trust, pki, LATER), context(trust, pki)]
    for raw in (*raw_by_name.values(), *raw_by_name.values()):  # the second time in words that are familiar
        packet, before = envelope(raw), None
        for ctx in contexts:
            before = judge_envelope(packet, policy(), ctx, before=before)
            assert before.verdict == judge_envelope(packet, policy(), ctx).verdict


def test_a_judgement_on_another_packet_answers_nothing(agency: Identity, trust: TrustStore, pki: Pki) -> None:
    ctx, raw = context(trust, pki), agency.sign(packets.document())
    for _ in range(2):  # the second one is in familiar words
        good = judge_envelope(envelope(raw), policy(), ctx)
    assert good.own is not None and good.own.lasting
    changed = judge_envelope(envelope(raw.replace(b"</edXML:Subject>", b"!</edXML:Subject>")), policy(), ctx, before=good)
    assert (good.verdict.status, changed.verdict.reasons[:1]) == (VerdictStatus.VALID, ("tampered",))


def test_one_tree_may_be_judged_by_several_threads_at_once(agency: Identity, trust: TrustStore, pki: Pki) -> None:
    trees = [envelope(agency.sign(PACKET)).tree, envelope(agency.sign(PACKET, exclusive=False)).tree]
    found: list[VerdictStatus] = []

    def work() -> None:
        for _ in range(50):
            found.extend(judge(tree, AgencyCode.of(SENDER), policy(), context(trust, pki)).status for tree in trees)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(found) == {VerdictStatus.VALID}
    assert len(found) == 400
