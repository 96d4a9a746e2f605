"""ASiC containers, and the ZIP beneath them: every vector by name, bytes turned over at random."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.errors import Refused
from signing.asic import examine_asic
from signing.container import Kind, kind_of
from signing.finding import Coverage, Finding, Integrity
from tests.signing.signed_files import around, told, world
from tests.vectors import build_asic, build_asic_xades
from tests.vectors.build_asic import Builder
from tests.vectors.case import Case, flipped


def xml(name: str, _: bytes, files: Mapping[str, bytes]) -> tuple[Finding, ...]:
    """Stands where the verifier of XML signatures will: it is over every file."""
    objects = tuple(one for one in files if not one.startswith(("META-INF/", "mimetype")))
    return (Finding("asic-xades", name, Integrity.OK, Coverage.WHOLE, b"", covers=objects),)


@pytest.mark.parametrize("build", build_asic.HONEST.values(), ids=build_asic.HONEST.keys())
def test_an_honest_container_is_not_refused(build: Builder) -> None:
    case = build(world())
    found = examine_asic(case.data, around(), xml)
    assert [one.violations for one in found] == [()] * case.findings
    assert told(lambda: found, case) == told(None, case)
    assert kind_of(case.data) is Kind.ASIC


@pytest.mark.parametrize("build", build_asic.DEFECTS, ids=[build.__name__.replace("_", " ") for build in build_asic.DEFECTS])
def test_a_defect_is_told(build: Builder) -> None:
    case = build(world())
    assert told(lambda: examine_asic(case.data, around(), xml), case) == told(None, case)


XADES = {case.name: case for case in build_asic_xades.honest(world())}
XADES_DEFECTS = {case.name: case for case in build_asic_xades.defects(world())}


@pytest.mark.parametrize("case", XADES.values(), ids=XADES.keys())
def test_xades_inside_is_over_the_files(case: Case) -> None:
    (found,) = examine_asic(case.data, around())
    assert found.violations == ()
    assert told(lambda: (found,), case) == told(None, case)
    assert (found.kind, found.coverage, found.signer) == ("asic-xades", Coverage.WHOLE, world().person.der)


@pytest.mark.parametrize("case", XADES_DEFECTS.values(), ids=XADES_DEFECTS.keys())
def test_a_defect_of_xades_inside_is_told(case: Case) -> None:
    assert told(lambda: examine_asic(case.data, around()), case) == told(None, case)


def test_two_signatures_say_what_they_are_over() -> None:
    first, second = examine_asic(build_asic.HONEST["ASiC-E, two signatures"](world()).data, around(), xml)
    assert (first.coverage, second.coverage) == (Coverage.WHOLE, Coverage.PART)
    assert second.covers == ("công văn.txt",)
    assert (first.signer, second.signer) == (world().person.der, world().agency.der)


def test_an_archive_time_stamp_proves_the_signature_that_it_names() -> None:
    signature, stamp = examine_asic(build_asic.HONEST["ASiC-E with an archive time-stamp"](world()).data, around(), xml)
    assert signature.stamp is not None and signature.stamp.at == build_asic.MOMENT
    assert stamp.kind == "asic-timestamp"


_ORIGINAL = build_asic.packed(build_asic.extended(world()))


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(at=st.integers(0, len(_ORIGINAL) - 1), bits=st.integers(1, 255))
def test_a_byte_turned_over_never_shows_other_files(at: int, bits: int) -> None:
    with suppress(Refused):
        for one in examine_asic(flipped(_ORIGINAL, at, bits), around(), xml):
            assert one.reasons or set(one.covers) == {"công văn.txt", "phụ lục/1.pdf"}


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(cut=st.integers(0, len(_ORIGINAL)), junk=st.binary(max_size=60))
def test_bytes_cut_and_put_never_raise_anything_else(cut: int, junk: bytes) -> None:
    with suppress(Refused):
        examine_asic(_ORIGINAL[:cut] + junk + _ORIGINAL[cut:], around(), xml)
