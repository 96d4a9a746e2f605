"""Dates and times: the formats seen in one provincial code base (facts on the one-stop shop §2.4 item 8 [C]), edXML's, and ISO 8601.

Canonical: a date is ``yyyy-MM-dd``, or ``yyyy-MM`` or ``yyyy`` where no more is known; a moment is ``yyyy-MM-ddTHH:mm:ss+07:00``. A format
is always named. ``date:recognised`` tells the format from the shape, and refuses fourteen digits whose hour could come from a
12-hour clock: the bug ``yyyyMMddhhmmss`` writes 8 in the evening as 08.
"""

from __future__ import annotations

import re
from datetime import date, datetime, time

from schemas.converters.converter import Converter, outside, text
from schemas.errors import Refused, Text
from schemas.message import VIETNAM

# Formats with a way back. Written as the systems' own code writes them; "000000" stands for itself.
DATES = ("dd/MM/yyyy", "yyyy-MM-dd", "dd.MM.yyyy", "yyyyMMdd", "dd-MM-yyyy", "yyyy/MM/dd", "yyyyMMdd000000", "MM/yyyy", "yyyy")
MOMENTS = ("dd/MM/yyyy HH:mm:ss", "yyyyMMddHHmmss", "yyyy-MM-dd HH:mm:ss", "yyyy/MM/dd HH:mm:ss", "yyyy-MM-ddTHH:mm:ss")
HALF_DAY = "yyyyMMddhhmmss"  # bug: 12-hour clock, AM or PM lost
SPACED = "dd /MM/yyyy"  # bug: a blank in the pattern

_TOKENS = re.compile(r"yyyy|MM|dd|HH|hh|mm|ss|.", re.DOTALL)
_FIELDS = {"yyyy": "year", "MM": "month", "dd": "day", "HH": "hour", "hh": "hour", "mm": "minute", "ss": "second"}
_CANONICAL_DATE = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?", re.ASCII)
_CANONICAL_MOMENT = re.compile(r"(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})\+07:00", re.ASCII)
_ISO = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:Z|[+-]\d{2}:\d{2})", re.ASCII)

Parts = dict[str, int]


def _pattern(form: str) -> re.Pattern[str]:
    def piece(token: str) -> str:
        return rf"(?P<{_FIELDS[token]}>\d{{{len(token)}}})" if token in _FIELDS else re.escape(token)

    return re.compile("".join(piece(token) for token in _TOKENS.findall(form)), re.ASCII)


_PATTERNS = {form: _pattern(form) for form in (*DATES, *MOMENTS, HALF_DAY, SPACED)}


def _parts(value: object, form: str) -> Parts:
    """The numbers in `value`, of a day and a time that exist."""
    match = _PATTERNS[form].fullmatch(text(value, form))
    if match is None:
        raise outside(value, form)
    parts = {name: int(number) for name, number in match.groupdict().items()}
    try:
        date(parts["year"], parts.get("month", 1), parts.get("day", 1))
        time(parts.get("hour", 0), parts.get("minute", 0), parts.get("second", 0))
    except ValueError as fault:
        raise outside(value, f"{form}, a day that exists") from fault
    return parts


def _canonical(parts: Parts, *, with_time: bool) -> str:
    day = "-".join(f"{parts[name]:0{width}}" for name, width in (("year", 4), ("month", 2), ("day", 2)) if name in parts)
    return f"{day}T{parts['hour']:02}:{parts['minute']:02}:{parts['second']:02}+07:00" if with_time else day


def _written(form: str, parts: Parts) -> str:
    return "".join(f"{parts[_FIELDS[token]]:0{len(token)}}" if token in _FIELDS else token for token in _TOKENS.findall(form))


def _canonical_parts(value: object, form: str) -> Parts:
    """The numbers of a canonical value that has just what `form` writes."""
    moment = form in MOMENTS
    wanted = "a moment yyyy-MM-ddTHH:mm:ss+07:00" if moment else "a date yyyy-MM-dd, yyyy-MM or yyyy"
    match = (_CANONICAL_MOMENT if moment else _CANONICAL_DATE).fullmatch(text(value, wanted))
    names = [name for name in ("year", "month", "day", "hour", "minute", "second") if name in _PATTERNS[form].groupindex]
    if match is None or sum(one is not None for one in match.groups()) != len(names):
        raise outside(value, wanted)
    parts = dict(zip(names, (int(one) for one in match.groups() if one is not None), strict=True))
    _parts(_written(form, parts), form)
    return parts


def _formatted(form: str) -> Converter:
    with_time = form in MOMENTS

    def forward(value: object) -> object:
        return _canonical(_parts(value, form), with_time=with_time)

    def backward(value: object) -> object:
        return _written(form, _canonical_parts(value, form))

    return Converter(f"{'datetime' if with_time else 'date'}:{form}", forward, backward, form)


def _half_day(value: object) -> object:
    parts = _parts(value, HALF_DAY)
    if not 1 <= parts["hour"] <= 12:
        raise outside(value, f"{HALF_DAY}: an hour from 01 to 12")
    return _canonical(parts, with_time=False)


def _spaced(value: object) -> object:
    return _canonical(_parts(value, SPACED), with_time=False)


def _iso(value: object) -> object:
    wanted = "ISO 8601 with seconds and an offset"
    written = text(value, wanted)
    if not _ISO.fullmatch(written):
        raise outside(value, wanted)
    try:
        moment = datetime.fromisoformat(written).astimezone(VIETNAM)
    except (ValueError, OverflowError) as fault:
        raise outside(value, wanted) from fault
    return moment.replace(microsecond=0).isoformat()


def _iso_back(value: object) -> object:
    wanted = "a moment yyyy-MM-ddTHH:mm:ss+07:00"
    if not _CANONICAL_MOMENT.fullmatch(text(value, wanted)):
        raise outside(value, wanted)
    if _iso(value) != value:
        raise outside(value, wanted)
    return value


def _recognised(value: object) -> object:
    wanted = "one of the known formats of a date"
    written = text(value, wanted)
    half_day = _PATTERNS[HALF_DAY].fullmatch(written)
    if half_day and 1 <= int(half_day["hour"]) <= 12:
        raise Refused("value-ambiguous", got="fourteen digits, hour 01 to 12", expected=f"the format named: yyyyMMddHHmmss or {HALF_DAY}")
    if _ISO.fullmatch(written):
        return _iso(value)
    for form in (*MOMENTS, *DATES, SPACED):
        if form != "yyyyMMdd000000" and _PATTERNS[form].fullmatch(written):
            return _canonical(_parts(value, form), with_time=form in MOMENTS)
    raise outside(value, wanted)


def _day_of(value: object) -> object:
    wanted = "a moment yyyy-MM-ddTHH:mm:ss+07:00"
    return str(_iso_back(text(value, wanted)))[:10]


def _plain_date(value: object) -> object:
    wanted = "yyyy-MM-dd"
    written = text(value, wanted)
    match = _CANONICAL_DATE.fullmatch(written)
    if match is None or match[3] is None:
        raise outside(value, wanted)
    try:
        date.fromisoformat(written)
    except ValueError as fault:
        raise outside(value, "a day that exists") from fault
    return written


def _midnight(value: object) -> object:
    return f"{_plain_date(value)}T00:00:00+07:00"


def _from_midnight(value: object) -> object:
    day = str(_day_of(value))
    if _midnight(day) != value:
        raise outside(value, "a moment at midnight")
    return day


_LOST_HALF = Text(
    "Mất giờ: đồng hồ 12 giờ không ghi buổi sáng hay chiều; chỉ giữ ngày.", "The time: a 12-hour clock without AM or PM; the day is kept."
)
_LOST_BLANK = Text("Mất dấu cách thừa trong ngày.", "The stray blank in the date.")
_LOST_FORM = Text("Mất cách viết ban đầu của ngày, giờ.", "How the date was written.")
_LOST_OFFSET = Text("Mất múi giờ ban đầu và phần lẻ của giây.", "The original offset and fractions of a second.")
_LOST_TIME = Text("Mất giờ trong ngày.", "The time of day.")


CONVERTERS = (
    *(_formatted(form) for form in (*DATES, *MOMENTS)),
    Converter(f"datetime:{HALF_DAY}", _half_day, None, f"{HALF_DAY}, a 12-hour clock", _LOST_HALF),
    Converter(f"date:{SPACED}", _spaced, None, SPACED, _LOST_BLANK),
    Converter("datetime:iso", _iso, _iso_back, "ISO 8601 with seconds and an offset", _LOST_OFFSET),
    Converter("date:recognised", _recognised, None, "a date or moment in any named format but the 12-hour one", _LOST_FORM),
    Converter("date:of-moment", _day_of, None, "a canonical moment", _LOST_TIME),
    Converter("datetime:midnight", _midnight, _from_midnight, "yyyy-MM-dd"),
)
