"""When to try again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from hub.retry import Circuit, wait_before
from hub.systems import RetryProfile

T0 = datetime(2026, 1, 5, tzinfo=UTC)
PROFILE = RetryProfile(base_s=2, max_s=60, open_after=3, open_s=10)


@given(attempt=st.integers(1, 10_000), draw=st.floats(0, 1, exclude_max=True))
def test_a_wait_is_never_longer_than_its_ceiling_and_never_nothing(attempt: int, draw: float) -> None:
    wait = wait_before(attempt, PROFILE, draw).total_seconds()
    assert 0 < wait <= min(60, 2 * 2.0 ** min(attempt - 1, 30))


def test_waits_double_up_to_the_ceiling() -> None:
    assert [round(wait_before(n, PROFILE, 0.999999).total_seconds()) for n in (1, 2, 3, 4, 5, 6, 7)] == [2, 4, 8, 16, 32, 60, 60]


def test_the_circuit_opens_after_failures_in_a_row_and_lets_one_probe_through() -> None:
    circuit = Circuit(PROFILE)
    for _ in range(2):
        circuit.failed(T0)
        assert circuit.admits(T0)
    circuit.failed(T0)
    assert not circuit.admits(T0) and circuit.width(T0, 500) == 0
    later = T0 + timedelta(seconds=10)
    assert circuit.width(later, 500) == 1
    assert circuit.admits(later), "the probe"
    assert not circuit.admits(later), "nobody else meanwhile"
    assert circuit.succeeded(), "it was open: there is work to bring up"
    assert circuit.admits(later) and circuit.width(later, 500) == 500
    assert not circuit.succeeded()


def test_a_success_between_failures_keeps_the_circuit_closed() -> None:
    circuit = Circuit(PROFILE)
    for _ in range(5):
        circuit.failed(T0)
        circuit.failed(T0)
        circuit.succeeded()
    assert circuit.admits(T0)
