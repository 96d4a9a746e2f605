"""The lunar dates of the calendar are calculated again, from the new moons: mean phase and its periodic terms, days at UTC+7."""

from __future__ import annotations

import math
from datetime import date, timedelta

import pytest

from schemas.calendar.read import calendar_of

CALENDAR = calendar_of()
MONTH = 29.530588861


def new_moon(number: int) -> float:
    """Julian day (TT) of new moon `number` since 6 January 2000, to about a minute (Meeus, Astronomical Algorithms, ch. 49)."""
    t = number / 1236.85
    sun, moon = math.radians(2.5534 + 29.10535670 * number), math.radians(201.5643 + 385.81693528 * number + 0.0107582 * t * t)
    node, omega = math.radians(160.7108 + 390.67050284 * number), math.radians(124.7746 - 1.56375588 * number)
    e = 1 - 0.002516 * t
    terms = (
        (-0.40720, moon),
        (0.17241 * e, sun),
        (0.01608, 2 * moon),
        (0.01039, 2 * node),
        (0.00739 * e, moon - sun),
        (-0.00514 * e, moon + sun),
        (0.00208 * e * e, 2 * sun),
        (-0.00111, moon - 2 * node),
        (-0.00057, moon + 2 * node),
        (0.00056 * e, 2 * moon + sun),
        (-0.00042, 3 * moon),
        (-0.00017, omega),
    )
    return 2451550.09766 + MONTH * number + sum(factor * math.sin(angle) for factor, angle in terms)


def first_day(number: int) -> date:
    """The day in Vietnam on which the month of that new moon begins."""
    days = math.floor(new_moon(number) - 70 / 86_400 + 7 / 24 - 2451544.5)
    return date(2000, 1, 1) + timedelta(days=days)


def holds(number: int, longitude: int) -> bool:
    """Whether the sun passes `longitude` (degrees) in that month: what numbers the months."""
    start, end = (_sun(first_day(one)) for one in (number, number + 1))
    return (longitude - start) % 360 < (end - start) % 360


def _sun(day: date) -> float:
    n = (day - date(2000, 1, 1)).days - 0.5 - 7 / 24
    anomaly = math.radians(357.528 + 0.9856003 * n)
    return 280.460 + 0.9856474 * n + 1.915 * math.sin(anomaly) + 0.020 * math.sin(2 * anomaly)


def month_of(year: int, longitude: int) -> date:
    """The first day of the month of `year`'s spring in which the sun passes `longitude`: 330° the first month, 30° the third."""
    about = int((year - 2000) * 12.3685)
    return next(first_day(one) for one in range(about - 1, about + 6) if first_day(one).year == year and holds(one, longitude))


@pytest.mark.parametrize("year", CALENDAR.years)
def test_tet_stands_where_the_moon_puts_it(year: int) -> None:
    new_year = month_of(year, 330)
    for day in range(-1, 3):
        assert new_year + timedelta(days=day) in CALENDAR.off


@pytest.mark.parametrize("year", CALENDAR.years)
def test_the_hung_kings_day_is_the_tenth_of_the_third_month(year: int) -> None:
    mark = CALENDAR.off[month_of(year, 30) + timedelta(days=9)]
    assert mark.name.vi.startswith("Giỗ Tổ")


@pytest.mark.parametrize(("year", "tet", "kings"), [(2025, (1, 29), (4, 7)), (2026, (2, 17), (4, 26))])
def test_the_calculation_gives_the_dates_that_are_known(year: int, tet: tuple[int, int], kings: tuple[int, int]) -> None:
    assert month_of(year, 330) == date(year, *tet)
    assert month_of(year, 30) + timedelta(days=9) == date(year, *kings)
