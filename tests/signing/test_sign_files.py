"""PDFs and CMS that are signed here, verified by pyHanko, pdfsig and openssl; and by our own readers."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko_certvalidator import ValidationContext

from schemas.errors import Refused
from signing.algorithms import CURRENT
from signing.cms import examine_cms
from signing.finding import Coverage, Finding, Given
from signing.pdf import examine_pdf
from signing.sign_files import sign_cms, sign_pdf
from signing.sign_key import Credential
from signing.sign_token import TokenKey, from_token
from tests.signing.authority import Running, openssl, serving
from tests.signing.signers import NOW, PIN, TOKEN, credential, folder, needs_softhsm, token, world
from tests.vectors import paper
from tests.vectors.case import run
from tests.vectors.sign_pdf import BASE, loaded

CONTENT = "Phụ lục kèm theo\r\n".encode() * 100


@pytest.fixture(scope="module")
def tsa() -> Iterator[Running]:
    with serving(openssl(world().authority, folder())) as running:
        yield running


def given() -> Given:
    return Given(NOW, CURRENT)


def said(findings: tuple[Finding, ...]) -> list[tuple[str, Coverage, tuple[str, ...], bool]]:
    return [(str(one.integrity), one.coverage, one.reasons, one.stamp is not None) for one in findings]


def pyhanko_says(data: bytes) -> list[tuple[bool, bool, bool, str, bool]]:
    """Of each signature: intact, valid, trusted, subfilter, time-stamp valid."""
    told = []
    for field in PdfFileReader(BytesIO(data)).embedded_signatures:
        context = ValidationContext(trust_roots=[loaded(world().ca)], allow_fetching=False)
        status = validate_pdf_signature(field, signer_validation_context=context, ts_validation_context=context)
        stamp = status.timestamp_validity
        told.append((status.intact, status.valid, status.trusted, field.sig_object["/SubFilter"], bool(stamp and stamp.valid)))
    return told


def test_pades_b_b_and_b_t_by_two_signers(tsa: Running) -> None:
    once = sign_pdf(BASE, credential(world().person), reason="Ban hành", location="Nha Trang")
    twice = sign_pdf(once, credential(world().elliptic), authority=tsa.client())
    assert twice.startswith(once)
    assert said(examine_pdf(twice, given())) == [("ok", Coverage.FILLED, (), False), ("ok", Coverage.WHOLE, (), True)]
    assert pyhanko_says(twice) == [(True, True, True, "/ETSI.CAdES.detached", False), (True, True, True, "/ETSI.CAdES.detached", True)]
    assert "Ban hành" in str(PdfFileReader(BytesIO(once)).embedded_signatures[0].sig_object["/Reason"])


@pytest.mark.skipif(not shutil.which("pdfsig"), reason="pdfsig (poppler-utils) is not installed")
def test_pdfsig_finds_them_valid(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(sign_pdf(sign_pdf(BASE, credential(world().person)), credential(world().elliptic)))
    told = run("pdfsig", "-nocert", tmp_path / "a.pdf").decode()
    assert told.count("Signature is Valid") == 2
    assert told.count("Total document signed") == 1


def test_an_empty_field_is_signed_by_its_name() -> None:
    signed = sign_pdf(BASE, credential(world().elliptic), field="ChuKyLanhDao")
    assert [one.field_name for one in PdfFileReader(BytesIO(signed)).embedded_signatures] == ["ChuKyLanhDao"]
    with pytest.raises(Refused) as caught:
        sign_pdf(signed, credential(world().elliptic), field="ChuKyLanhDao")
    assert caught.value.code == "cannot-sign"


UNSIGNABLE = {
    "no PDF": b"%PDF-1.7\nnothing",
    "cut short": BASE[:-40],
    "empty": b"",
    "references that lead nowhere": BASE.replace(b"startxref\n", b"startxref\n9"),
    "no catalogue": paper.written({2: paper.OBJECTS[2]}, trailer="/Root 9 0 R"),
}


@pytest.mark.parametrize("data", UNSIGNABLE.values(), ids=UNSIGNABLE.keys())
def test_what_is_no_pdf_is_refused(data: bytes) -> None:
    with pytest.raises(Refused) as caught:
        sign_pdf(data, credential(world().elliptic))
    assert caught.value.code == "cannot-sign"


def _verified_by_openssl(signed: bytes, content: bytes | None, folder: Path) -> bytes:
    (folder / "signed").write_bytes(signed)
    (folder / "content").write_bytes(content or b"")
    more = ("-content", folder / "content") if content is not None else ()
    trust = ("-CAfile", world().ca.certificate_path, "-purpose", "any")
    return run("openssl", "cms", "-verify", "-binary", "-inform", "DER", "-in", folder / "signed", *trust, *more)


@pytest.mark.parametrize("name", ["person", "elliptic"])
@pytest.mark.parametrize("detached", [True, False], ids=["detached", "attached"])
@pytest.mark.parametrize("cades", [True, False], ids=["CAdES", "CMS"])
def test_openssl_verifies_cms(tmp_path: Path, name: str, detached: bool, cades: bool) -> None:
    signed = sign_cms(CONTENT, credential(getattr(world(), name)), at=NOW, detached=detached, cades=cades)
    assert _verified_by_openssl(signed, CONTENT if detached else None, tmp_path) == CONTENT
    (finding,) = examine_cms(signed, CONTENT if detached else None, given())
    assert (finding.reasons, finding.claimed_time) == ((), NOW.replace(microsecond=0))


def test_cades_names_the_certificate_and_carries_a_time_stamp(tsa: Running, tmp_path: Path) -> None:
    signed = sign_cms(CONTENT, credential(world().person), at=NOW, authority=tsa.client())
    assert _verified_by_openssl(signed, CONTENT, tmp_path) == CONTENT
    (finding,) = examine_cms(signed, CONTENT, given())
    assert (finding.kind, finding.reasons, finding.stamp is not None) == ("cades", (), True)
    told = run("openssl", "cms", "-cmsout", "-print", "-inform", "DER", given=signed).decode()
    assert "id-smime-aa-signingCertificateV2" in told
    assert "id-smime-aa-timeStampToken" in told


@needs_softhsm
@pytest.mark.parametrize("name", ["person", "elliptic"])
def test_a_key_in_a_token_signs_them_all(name: str, tmp_path: Path) -> None:
    found: Credential = from_token(TokenKey(token().library, TOKEN, name), PIN)
    try:
        assert _verified_by_openssl(sign_cms(CONTENT, found, at=NOW), CONTENT, tmp_path) == CONTENT
        assert pyhanko_says(sign_pdf(BASE, found))[0][:3] == (True, True, True)
    finally:
        found.custody.close()


def test_a_signature_that_would_not_verify_is_not_handed_out() -> None:
    wrong = Credential((world().person.certificate,), credential(world().agency).custody)  # another's key
    with pytest.raises(Refused) as cms:
        sign_cms(CONTENT, wrong, at=NOW)
    with pytest.raises(Refused) as pdf:
        sign_pdf(BASE, wrong)
    assert (cms.value.code, pdf.value.code) == ("cannot-sign", "cannot-sign")
