"""Time-stamp tokens by themselves: every vector by name, and bytes turned over at random."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.errors import Refused
from signing.container import Kind, kind_of
from signing.timestamp import examine_token
from tests.signing.signed_files import around, told, world
from tests.vectors import build_tsr
from tests.vectors.build_tsr import Builder
from tests.vectors.case import flipped
from tests.vectors.forge_cms import token

_ALL = (*build_tsr.HONEST, *build_tsr.DEFECTS)


@pytest.mark.parametrize("build", _ALL, ids=[build.__name__.replace("_", " ") for build in _ALL])
def test_a_vector_is_told(build: Builder) -> None:
    case = build(world())
    given_around = around(world().authority.der)
    assert told(lambda: examine_token(case.data, case.content, given_around), case) == told(None, case)


@pytest.mark.parametrize("build", build_tsr.HONEST, ids=[build.__name__.replace("_", " ") for build in build_tsr.HONEST])
def test_a_token_is_recognised(build: Builder) -> None:
    assert kind_of(build(world()).data) is Kind.TSR


def test_the_time_and_the_authority_are_told() -> None:
    (found,) = examine_token(token(world().authority, build_tsr.CONTENT, build_tsr.MOMENT), build_tsr.CONTENT, around())
    assert found.stamp is not None
    assert (found.stamp.at, found.stamp.authority, found.signer) == (build_tsr.MOMENT, world().authority.der, world().authority.der)


_ORIGINAL = token(world().authority, build_tsr.CONTENT, build_tsr.MOMENT)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(at=st.integers(0, len(_ORIGINAL) - 1), bits=st.integers(1, 255))
def test_a_byte_turned_over_never_tells_another_time(at: int, bits: int) -> None:
    with suppress(Refused):
        (found,) = examine_token(flipped(_ORIGINAL, at, bits), build_tsr.CONTENT, around())
        assert found.stamp is None or found.stamp.at == build_tsr.MOMENT
