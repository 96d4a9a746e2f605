"""CMS and CAdES signatures: every vector by name, and bytes turned over at random."""

from __future__ import annotations

from contextlib import suppress
from functools import cache

import pytest
from asn1crypto import cms, core
from asn1crypto import crl as asn1_crl
from asn1crypto import ocsp as asn1_ocsp
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.errors import Refused
from signing import ber
from signing.cms import examine_cms
from signing.finding import Finding
from tests.signing.signed_files import JUDGED_AT, around, told, world
from tests.vectors import build_cms
from tests.vectors.case import Case, flipped, names
from tests.vectors.forge_cms import Forger
from tests.vectors.statements import crl_of, ocsp_of, revocations


@cache
def vectors() -> list[Case]:
    return build_cms.cases(world())


@pytest.mark.parametrize("number", range(len(vectors())), ids=names(vectors()))
def test_a_vector_is_told(number: int) -> None:
    case = vectors()[number]
    assert told(lambda: examine_cms(case.data, case.content, around()), case) == told(None, case)


def _one(data: bytes, content: bytes | None = build_cms.CONTENT) -> Finding:
    return examine_cms(data, content, around())[0]


def test_the_signer_is_the_one_whose_key_fits() -> None:
    found = _one(build_cms.openssl(world().person))
    assert found.signer == world().person.der
    assert found.claimed_time is not None and abs((found.claimed_time - JUDGED_AT).days) < 3650


def test_two_signers_are_told_apart() -> None:
    data = build_cms.openssl(world().person, more=(world().agency,))
    found = examine_cms(data, build_cms.CONTENT, around())
    assert {one.signer for one in found} == {world().person.der, world().agency.der}
    assert len({one.name for one in found}) == 2


def test_the_algorithms_are_named_for_whoever_asks_again() -> None:
    used = {(one.kind, one.name) for one in _one(build_cms.openssl(world().person, "-md", "sha384")).algorithms}
    assert used == {("hash", "sha384"), ("scheme", "rsa-pkcs1")}


def test_the_time_stamp_brings_its_authority() -> None:
    case = next(case for case in vectors() if case.name == "signature time-stamp")
    found = _one(case.data)
    assert found.stamp is not None
    assert (found.stamp.at, found.stamp.authority) == (build_cms.MOMENT, world().authority.der)
    assert world().authority.der in found.evidence


def test_definite_lengths_leave_der_as_it_is() -> None:
    data = build_cms.openssl(world().person)
    assert ber.definite(data) == data
    assert ber.definite(build_cms.openssl(world().person, "-nodetach", "-stream")) != data


def test_evidence_among_the_attributes_is_handed_on() -> None:
    crl, answer = crl_of(world()), ocsp_of(world())
    basic = asn1_ocsp.OCSPResponse.load(answer)["response_bytes"]["response"].parsed.dump()
    adobe = revocations([crl], [answer])  # with whole responses
    cades = revocations([], [basic])  # with what is inside them
    unsigned = [("1.2.840.113583.1.1.8", adobe), ("1.2.840.113549.1.9.16.2.24", cades)]
    values = core.SequenceOf([core.Any.load(world().ca.der)], spec=core.Any).dump()
    found = _one(Forger(world().person, unsigned=[*unsigned, ("1.2.840.113549.1.9.16.2.23", values)]).sign(build_cms.CONTENT))
    assert found.crls == (crl,)
    assert found.ocsps == (answer,)
    assert found.certificates == (world().person.der, world().ca.der)


def test_lists_and_answers_beside_the_certificates_are_handed_on() -> None:
    """SignedData.crls (RFC 5652 §5.1, §10.2.1): a list, an OCSP response (RFC 5940), and a form that nobody here reads."""
    crl, answer = crl_of(world()), ocsp_of(world())
    info = cms.ContentInfo.load(build_cms.openssl(world().person))
    scvp = {"other_rev_info_format": "1.3.6.1.5.5.7.16.9", "other_rev_info": core.Null()}
    oid, response = core.ObjectIdentifier("1.3.6.1.5.5.7.16.2").dump(), answer
    info["content"]["crls"] = [
        cms.RevocationInfoChoice("crl", asn1_crl.CertificateList.load(crl)),
        cms.RevocationInfoChoice.load(_implicit(1, oid + response)),
        cms.RevocationInfoChoice("other", cms.OtherRevocationInfoFormat(scvp)),
    ]
    found = _one(info.dump(force=True))
    assert (found.reasons, found.crls, found.ocsps) == ((), (crl,), (answer,))


def _implicit(tag: int, contents: bytes) -> bytes:
    return bytes(core.Sequence(contents=contents, implicit=tag).dump())


_ORIGINAL = build_cms.openssl(world().person, "-cades", "-nodetach", content=build_cms.CONTENT[:100])
_SHARED = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@_SHARED
@given(at=st.integers(0, len(_ORIGINAL) - 1), bits=st.integers(1, 255))
def test_a_byte_turned_over_never_shows_other_content_or_another_signer(at: int, bits: int) -> None:
    try:
        found = examine_cms(flipped(_ORIGINAL, at, bits), build_cms.CONTENT[:100], around())
    except Refused:
        return
    for one in found:
        assert one.reasons or one.signer == world().person.der


@_SHARED
@given(cut=st.integers(0, len(_ORIGINAL)), junk=st.binary(max_size=40))
def test_bytes_cut_and_put_never_raise_anything_else(cut: int, junk: bytes) -> None:
    with suppress(Refused):
        examine_cms(_ORIGINAL[:cut] + junk + _ORIGINAL[cut + len(junk) :], None, around())
