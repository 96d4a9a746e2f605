"""Signed PDFs: every vector by name, what is told of them, and bytes turned over at random."""

from __future__ import annotations

import re
import socket
from functools import cache

import pytest
from cryptography import x509
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.errors import Refused
from signing.finding import Coverage, Finding, Integrity
from signing.pdf import examine_pdf
from tests.signing.signed_files import around, told, world
from tests.vectors import build_cms, build_pdf, build_pdf_updates, paper, sign_pdf
from tests.vectors.build_pdf import Builder
from tests.vectors.case import flipped

_HONEST = build_pdf.honest_builders()


def _named(builders: tuple[Builder, ...]) -> list[str]:
    return [build.__name__.replace("_", " ") for build in builders]


@pytest.mark.parametrize("build", _HONEST.values(), ids=_HONEST.keys())
def test_an_honest_file_is_not_refused(build: Builder) -> None:
    case = build(world())
    found = examine_pdf(case.data, around())
    assert [one.violations for one in found] == [()] * case.findings
    assert not found or told(lambda: found, case) == told(None, case)


@pytest.mark.parametrize("build", build_pdf.DEFECTS, ids=_named(build_pdf.DEFECTS))
def test_a_forgery_is_told(build: Builder) -> None:
    case = build(world())
    assert told(lambda: examine_pdf(case.data, around()), case) == told(None, case)


@pytest.mark.parametrize("build", build_pdf_updates.DEFECTS, ids=_named(build_pdf_updates.DEFECTS))
def test_what_came_after_signing_is_told(build: Builder) -> None:
    case = build(world())
    assert told(lambda: examine_pdf(case.data, around()), case) == told(None, case)


def test_byte_ranges_are_read_with_suspicion() -> None:
    for case in build_pdf.ranges(world()):
        assert told(lambda case=case: examine_pdf(case.data, around()), case) == told(None, case), case.name  # type: ignore[misc]


def test_person_and_agency_are_told_apart() -> None:
    first, second = examine_pdf(build_pdf.seal(world()), around())
    assert (first.name, first.signer, first.coverage) == ("Signature1", world().person.der, Coverage.FILLED)
    assert (second.name, second.signer, second.coverage) == ("Seal", world().agency.der, Coverage.WHOLE)
    assert "Seal" in " ".join(first.details)


def test_an_archived_file_brings_its_evidence() -> None:
    found = examine_pdf(sign_pdf.archived(world(), build_pdf.MOMENT), around())
    assert [one.kind for one in found] == ["pdf", "pdf-timestamp"]
    signature = found[0]
    assert signature.coverage is Coverage.EXTENDED
    assert [x509.load_der_x509_crl(der).issuer for der in signature.crls] == [world().ca.certificate.subject]
    assert world().ca.der in signature.certificates
    assert signature.stamp is not None and signature.stamp.at == build_pdf.MOMENT and signature.stamp.authority == world().authority.der
    assert len(signature.stamps) == 2  # over the signature, and over the document


def test_a_decomposed_field_name_is_composed() -> None:
    (found,) = examine_pdf(_HONEST["a decomposed field name"](world()).data, around())
    assert found.name == "Chữ ký"


def test_nothing_is_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    data = sign_pdf.archived(world(), build_pdf.MOMENT)

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "create_connection", refuse)
    assert len(examine_pdf(data, around())) == 2


@cache
def _original() -> tuple[bytes, int, int]:
    data = sign_pdf.embedded(lambda content: build_cms.openssl(world().person, "-cades", content=content), size=4000)
    gap = re.search(rb"<[0-9A-Fa-f]{3000,}>", data)
    assert gap
    return data, gap.start(), gap.end()


_SHARED = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def _clean(found: tuple[Finding, ...]) -> bool:
    return bool(found) and all(one.integrity is Integrity.OK and not one.reasons for one in found)


@_SHARED
@given(where=st.floats(0, 1, exclude_max=True), bits=st.integers(1, 255))
def test_a_byte_turned_over_outside_the_signature_is_never_overlooked(where: float, bits: int) -> None:
    data, start, end = _original()
    at = int(where * (len(data) - (end - start)))
    at = at if at < start else at + (end - start)
    try:
        found = examine_pdf(flipped(data, at, bits), around())
    except Refused:
        return
    assert not _clean(found)


@_SHARED
@given(where=st.floats(0, 1, exclude_max=True), digit=st.sampled_from(b"0123456789abcdef>< %"))
def test_a_digit_of_the_signature_changed_shows_no_other_signer(where: float, digit: int) -> None:
    data, start, end = _original()
    at = start + int(where * (end - start))
    try:
        found = examine_pdf(data[:at] + bytes([digit]) + data[at + 1 :], around())
    except Refused:
        return
    assert not _clean(found) or found[0].signer == world().person.der


@_SHARED
@given(tail=st.binary(min_size=1, max_size=60), table=st.booleans())
def test_bytes_appended_are_never_overlooked(tail: bytes, table: bool) -> None:
    data, _, _ = _original()
    spoilt = data + tail + (f"\nstartxref\n{paper.startxref(data)}\n%%EOF\n".encode() if table else b"")
    try:
        found = examine_pdf(spoilt, around())
    except Refused:
        return
    assert not _clean(found) or not re.sub(rb"%[^\r\n]*", b"", tail).strip(b"\0\t\n\x0c\r ")
