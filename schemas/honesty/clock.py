"""Times written by a 12-hour clock: ``yyyyMMddhhmmss`` loses morning and afternoon [C §2.4, item 8].

Nobody can tell 02:15 from 14:15 in one such value. So a time is suspected where what an officer did stands in the small hours, or stands
before what came first on that day, and twelve hours more put it right. Working hours: 07:00–11:30 and 13:30–17:00 [C §2.6].
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from schemas.dvcqg.dossier import Dossier
from schemas.dvcqg.findings import step
from schemas.dvcqg.shape import Shape, fields_of
from schemas.dvcqg.values import time_of
from schemas.errors import Violation, warning
from schemas.honesty.history import Taken, past_steps, steps
from schemas.honesty.signs import signs
from schemas.honesty.values import objects

# Pairs of one dossier: what the second names cannot come before what the first names.
ORDERED = (
    ("NgayNopHoSo", "NgayTiepNhan"),
    ("NgayTiepNhan", "NgayKetThucXuLy"),
    ("NgayKetThucXuLy", "NgayTra"),
    ("NgayTiepNhan", "NgayTra"),
)
ANY_HOUR = frozenset({"NgayNopHoSo"})  # what applicants do online may happen at night
HALF_A_DAY = timedelta(hours=12)


def half_day_errors(message: Shape, history: Sequence[Shape]) -> Iterator[Violation]:
    """Times of `message` that look as if a 12-hour clock had written them."""
    suspected: set[str] = set()
    for pointer, one in objects(message):
        if isinstance(one, Dossier):
            for found in _out_of_order(one, pointer):
                suspected.add(found.path)
                yield found
    for found in _steps_out_of_order(message, history):
        suspected.add(found.path)
        yield found
    for pointer, one in objects(message):
        for spec in fields_of(type(one)):
            place = step(pointer, spec.name)
            if spec.about.form == "time" and spec.name not in ANY_HOUR and place not in suspected:
                yield from _small_hours(getattr(one, spec.name), place)


def _small_hours(text: str, place: str) -> Iterator[Violation]:
    moment = time_of(text)
    if moment is not None and moment.hour in signs().suspicious_hours:
        got = f"{text}: {moment:%H:%M}, when offices are closed; {moment + HALF_A_DAY:%H:%M} would be within hours"
        yield warning("honesty-12-hour-clock", path=place, got=got, expected="yyyyMMddHHmmss, hours from 00 to 23")


def _out_of_order(dossier: Dossier, pointer: str) -> Iterator[Violation]:
    for first, second in ORDERED:
        before, after = time_of(getattr(dossier, first)), time_of(getattr(dossier, second))
        if before and after and _cured(before, after):
            got = f"{getattr(dossier, second)} is before {first} {getattr(dossier, first)}, 12 hours more would not be"
            yield warning("honesty-12-hour-clock", path=step(pointer, second), got=got, expected="yyyyMMddHHmmss, hours from 00 to 23")


def _steps_out_of_order(message: Shape, history: Sequence[Shape]) -> Iterator[Violation]:
    last: dict[str, Taken] = {one.step.MaHoSo: one for one in past_steps(history)}
    for taken in steps(message):
        previous = last.get(taken.step.MaHoSo)
        before = previous.step.happened_at if previous else None
        after = taken.step.happened_at
        if previous and before and after and _cured(before, after):
            got = f"{taken.step.ThoiDiemXuLy} is before the step of {previous.step.ThoiDiemXuLy}, 12 hours more would not be"
            yield warning(
                "honesty-12-hour-clock", path=step(taken.pointer, "ThoiDiemXuLy"), got=got, expected="yyyyMMddHHmmss, hours from 00 to 23"
            )
        last[taken.step.MaHoSo] = taken


def _cured(before: datetime, after: datetime) -> bool:
    """Whether the two stand the wrong way round on one day, as a 12-hour clock puts morning and afternoon."""
    return before.date() == after.date() and after < before and 1 <= after.hour <= 11 and after + HALF_A_DAY >= before
