"""XAdES: every level and every defect by name; what the signer says beside the content; one byte of the properties changed."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree
from signxml.algorithms import CanonicalizationMethod, SignatureConstructionMethod
from signxml.xades.xades import XAdESSigner

from schemas.errors import Refused
from signing.finding import Coverage, StampKind
from signing.xml_signature import examine_xml
from tests.signing.signed_files import around, told, world
from tests.vectors import build_xades, build_xades_stamps
from tests.vectors.case import Case, flipped

methods = SignatureConstructionMethod
FORMS = (build_xades, build_xades_stamps)
HONEST = {case.name: (level, case) for form in FORMS for level, case in form.honest(world())}
DEFECTS = {case.name: case for form in FORMS for case in form.defects(world())}


@pytest.mark.parametrize(("level", "case"), HONEST.values(), ids=HONEST.keys())
def test_an_honest_signature_has_its_level(level: str, case: Case) -> None:
    (found,) = examine_xml(case.data, around())
    assert found.violations == ()
    assert told(lambda: (found,), case) == told(None, case)
    assert (found.kind, found.coverage, found.signer) == ("xades", Coverage.WHOLE, world().person.der)
    assert f"level {level}" in found.details
    assert found.claimed_time is not None and found.claimed_time.isoformat() == "2026-11-20T01:01:00+00:00"


@pytest.mark.parametrize("case", DEFECTS.values(), ids=DEFECTS.keys())
def test_a_defect_is_told(case: Case) -> None:
    assert told(lambda: examine_xml(case.data, around()), case) == told(None, case)


def test_evidence_is_handed_on_and_the_earliest_time_stamp_is_the_proof() -> None:
    (found,) = examine_xml(HONEST["B-LTA, archived twice"][1].data, around())
    assert found.stamp is not None and found.stamp.at == build_xades.MOMENT
    assert [one.kind for one in found.stamps] == [StampKind.SIGNATURE, StampKind.ARCHIVE, StampKind.ARCHIVE]
    assert world().ca.der in found.certificates and world().agency.der in found.certificates
    assert len(found.crls) == 1


def test_what_the_signer_says_is_told() -> None:
    details = [examine_xml(HONEST[name][1].data, around())[0].details for name in ("B-B with format and commitment", "an explicit policy")]
    assert details[0] == ("commitment urn:ok", "data object of type text/xml", "level B-B")
    assert details[1] == ("policy urn:oid:1.2.3", "level B-B")


def test_a_countersignature_says_who_made_it() -> None:
    (found,) = examine_xml(HONEST["a countersignature is told"][1].data, around())
    assert "CN=agency" in str(found.notes[0].got) and "it fits" in str(found.notes[0].got)
    (found,) = examine_xml(
        HONEST["a countersignature is told"][1].data.replace(b"CountersignedSignature", b"countersignedSignature"), around()
    )
    assert "bad-signature-value" in str(found.notes[0].got)


_LTA = HONEST["B-LTA"][1].data
_SIGNED = range(_LTA.index(b"<x:SignedProperties"), _LTA.index(b"</x:SignedProperties>"))


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(at=st.sampled_from(_SIGNED), bits=st.integers(1, 255))
def test_one_byte_of_the_signed_properties_changed_is_refused(at: int, bits: int) -> None:
    try:
        (found,) = examine_xml(flipped(_LTA, at, bits), around())
    except Refused:
        return
    assert found.violations


@pytest.mark.parametrize("method", [methods.enveloped, methods.enveloping], ids=lambda one: one.name)
def test_what_signxml_signs_is_of_level_b_b(method: SignatureConstructionMethod) -> None:
    person = world().person
    signed = XAdESSigner(method=method, c14n_algorithm=CanonicalizationMethod.CANONICAL_XML_1_1).sign(
        etree.fromstring("<Van-ban><Ten>Công văn</Ten></Van-ban>"), key=person.key, cert=[person.certificate]
    )
    (found,) = examine_xml(etree.tostring(signed), around())
    assert (found.violations, found.kind, found.coverage) == ((), "xades", Coverage.WHOLE)
    assert "level B-B" in found.details
