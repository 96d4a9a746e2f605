"""What every converter promises: comes back, or names what it loses; and never raises anything but `Refused`."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.converters.registry import chain, converter, converters
from schemas.errors import Refused
from tests.schemas.converters.domains import ANYTHING, EMPTY, WIRE

NAMES = sorted(converters())
CODES = {"value-not-convertible", "value-ambiguous"}
RELAXED = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])


def test_every_converter_is_tried() -> None:
    assert set(NAMES) == set(WIRE)


@pytest.mark.parametrize("name", [name for name in NAMES if name not in EMPTY])
@RELAXED
@given(data=st.data())
def test_it_comes_back_or_names_its_loss(name: str, data: st.DataObject) -> None:
    one = converter(name)
    wire = data.draw(WIRE[name])
    common = one.forward(wire)
    assert common == one.forward(wire)
    if one.backward is None:
        assert one.loss is not None, "no way back and nothing said of it"
        return
    again = one.backward(common)
    assert one.forward(again) == common
    if one.loss is None:
        assert (type(again), again) == (type(wire), wire)


@pytest.mark.parametrize("name", NAMES)
@RELAXED
@given(value=ANYTHING)
def test_it_raises_nothing_but_a_refusal(name: str, value: object) -> None:
    one = converter(name)
    for step in (one.forward, one.backward):
        try:
            found = step(value) if step else None
        except Refused as fault:
            assert fault.code in CODES
            continue
        if step is one.backward and step is not None:
            assert one.forward(found) == value
        if step is one.forward and one.loss is None and one.backward is not None:
            assert one.backward(found) == value


@pytest.mark.parametrize("name", NAMES)
def test_a_loss_is_said_in_both_languages(name: str) -> None:
    loss = converter(name).loss
    assert loss is None or (loss.vi.strip() and loss.en.strip())


@pytest.mark.parametrize("name", ["", "date:", "date:MM/dd/yyyy", "code:nothing", "DATE:yyyy"])
def test_an_unknown_name_is_refused(name: str) -> None:
    with pytest.raises(Refused, match="converter-unknown"):
        converter(name)


def test_a_chain_works_both_ways_and_carries_the_loss() -> None:
    both = chain(("text:from-integer", "code:trang_thai_ho_so.hotich"))
    assert both.forward(4) == "9"
    assert both.backward is not None
    assert both.backward("9") == 4
    assert both.loss is None
    one_way = chain(("date:recognised", "date:yyyy-MM-dd"))
    assert one_way.forward("05/03/1990") == "1990-03-05"
    assert one_way.backward is None
    assert one_way.loss is not None


def test_an_empty_chain_changes_nothing() -> None:
    assert chain(()).forward(7) == 7
