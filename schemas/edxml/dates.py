"""Dates and times as packets write them. The official form is ``yyyy/MM/dd`` and ``yyyy/MM/dd HH:mm:ss``, in Vietnamese time."""

from __future__ import annotations

import re
from datetime import datetime
from enum import StrEnum
from functools import lru_cache

from schemas.message import VIETNAM, utc

_OFFICIAL = re.compile(r"(\d{4})/(\d{2})/(\d{2})(?: (\d{2}):(\d{2}):(\d{2}))?", re.ASCII)
_OTHER = re.compile(
    r"(?:\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{4}|\d{8})"  # 2018-9-28, 28/09/2018, 20180928
    r"(?:[ T]+\d{1,2}:\d{2}.{0,20})?",
    re.ASCII,
)
_MOST_REMEMBERED = 40  # characters


class DateForm(StrEnum):
    """What a written date is like."""

    OFFICIAL = "official"
    IMPOSSIBLE = "impossible"  # official form, but no such day: 2014/02/30 stands in official samples
    OTHER = "other"  # recognisably a date, in another form
    NONE = "none"  # no date at all


def form_of(text: str) -> DateForm:
    """What `text` is like, as a date with or without a time."""
    return _remembered(text) if len(text) <= _MOST_REMEMBERED else _form_of(text)


def _form_of(text: str) -> DateForm:
    official = _OFFICIAL.fullmatch(text)
    if official:
        try:
            year, month, day, hour, minute, second = [int(part) for part in official.groups(default="0")]
            datetime(year, month, day, hour, minute, second, tzinfo=VIETNAM)
        except ValueError:
            return DateForm.IMPOSSIBLE
        return DateForm.OFFICIAL
    return DateForm.OTHER if _OTHER.fullmatch(text) else DateForm.NONE


_remembered = lru_cache(maxsize=2048)(_form_of)  # a day's packets carry few dates


def timestamp(at: datetime) -> str:
    """`at` as `Timestamp` has it: ``yyyy/MM/dd HH:mm:ss`` in Vietnamese time (QĐ 28/2018 art. 14.4)."""
    return utc(at).astimezone(VIETNAM).strftime("%Y/%m/%d %H:%M:%S")
