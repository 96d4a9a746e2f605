"""XML signatures: every vector by name, every covered byte, and what other libraries say of the same documents."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

import pytest
import xmlsec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from schemas.errors import Refused
from signing.finding import Coverage, Finding, Integrity
from signing.xml_signature import examine_xml
from tests.signing.signed_files import around, told, world
from tests.vectors import build_xml, build_xml_canonical, build_xml_defects
from tests.vectors.case import Case, flipped
from tests.vectors.sign_xml import DS, exclusive

HONEST = {case.name: case for case in (*build_xml.honest(world()), *build_xml_canonical.honest(world()))}
DEFECTS = {case.name: case for case in (*build_xml_defects.defects(world()), *build_xml_canonical.defects(world()))}


def examine(case: Case) -> tuple[Finding, ...]:
    return examine_xml(case.data, replace(around(), content=case.content))


@pytest.mark.parametrize("case", HONEST.values(), ids=HONEST.keys())
def test_an_honest_signature_is_not_refused(case: Case) -> None:
    found = examine(case)
    assert [one.violations for one in found] == [()] * case.findings
    assert {(one.integrity, one.coverage, one.kind) for one in found} == {(Integrity.OK, Coverage.WHOLE, "xmldsig")}
    assert told(lambda: found, case) == told(None, case)


@pytest.mark.parametrize("case", DEFECTS.values(), ids=DEFECTS.keys())
def test_a_defect_is_told(case: Case) -> None:
    assert told(lambda: examine(case), case) == told(None, case)


def test_two_signers_are_told_apart() -> None:
    first, second = examine(HONEST["two signers of one element"])
    assert (first.signer, second.signer) == (world().elliptic.der, world().person.der)
    assert first.covers == second.covers == ("/Goi/Noi-dung #b",)


def test_a_second_signature_that_does_not_fit_refuses_the_document() -> None:
    case = HONEST["two signers of one element"]
    at = case.data.rindex(b"<ds:SignatureValue>") + 30
    first, second = examine_xml(flipped(case.data, at), around())
    assert (first.reasons, second.reasons) in (((), ("bad-signature-value",)), ((), ("malformed-signature",)))


WITHOUT_OPENSSL = (
    "rsa-pss",
    "key by",
    "sha3",
    "SHA-3",
    "Ed25519",
    "detached, ",
    "two signers who",
    "MGF1",
    "in base64",
    "#xpointer",
    "p521 ",
)


@pytest.mark.parametrize("name", [name for name in HONEST if not any(word in name for word in WITHOUT_OPENSSL)])
def test_libxmlsec_agrees(name: str) -> None:
    root = etree.fromstring(HONEST[name].data)
    xmlsec.tree.add_ids(root, ["Id"])
    for signature in root.iter(f"{{{DS}}}Signature"):
        manager = xmlsec.KeysManager()
        manager.add_key(xmlsec.Key.from_file(world().ca.certificate_path, xmlsec.constants.KeyDataFormatCertPem))
        der = signature.find(f".//{{{DS}}}X509Certificate")
        assert der is not None and der.text
        context = xmlsec.SignatureContext()
        pem = "-----BEGIN CERTIFICATE-----\n" + der.text.strip() + "\n-----END CERTIFICATE-----\n"
        context.key = xmlsec.Key.from_memory(pem.encode(), xmlsec.constants.KeyDataFormatCertPem)
        context.verify(signature)


_ORIGINAL, _STANDING = build_xml_defects.small(world())
_SIGNED = exclusive(_STANDING.replace(b"\0", b""))
_COVERED = [at for at, byte in enumerate(_STANDING) if byte]


def _accepted(data: bytes) -> bool:
    with suppress(Refused):
        return all(not one.violations and one.coverage is Coverage.WHOLE for one in examine_xml(data, around()))
    return False


def _bare(data: bytes) -> bytes:
    root = etree.fromstring(data)
    for signature in list(root.iter(f"{{{DS}}}Signature")):
        root.remove(signature)
    return etree.tostring(root.getroottree(), method="c14n", exclusive=True, with_comments=False)


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(at=st.sampled_from(_COVERED), bits=st.integers(1, 255))
def test_one_byte_of_what_is_signed_changed_is_refused(at: int, bits: int) -> None:
    changed = flipped(_ORIGINAL, at, bits)
    if _accepted(changed):  # then the byte says the same in another way
        assert _bare(changed) == _SIGNED


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(at=st.integers(0, len(_ORIGINAL) - 1), bits=st.integers(1, 255))
def test_one_byte_changed_anywhere_never_shows_other_content(at: int, bits: int) -> None:
    changed = flipped(_ORIGINAL, at, bits)
    if _accepted(changed):
        assert _bare(changed) == _SIGNED


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(cut=st.integers(0, len(_ORIGINAL)), junk=st.binary(max_size=60))
def test_bytes_cut_and_put_never_raise_anything_else(cut: int, junk: bytes) -> None:
    with suppress(Refused):
        examine_xml(_ORIGINAL[:cut] + junk + _ORIGINAL[cut:], around())
