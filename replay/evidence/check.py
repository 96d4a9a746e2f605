"""`check`: everything that a container of evidence shows to whoever holds the log's key. Needs no hub and no network."""

from __future__ import annotations

from replay.evidence.box import MESSAGE, Box, Known
from replay.evidence.message_check import MessageCheck
from replay.evidence.period_check import Asked, PeriodCheck
from replay.evidence.report import Report


def check(data: bytes, known: Known, asked: Asked | None = None) -> Report:
    """The report on `data`; `asked` is the question of a completeness proof. Raises nothing, whatever `data` is."""
    box = Box(known)
    if box.open(data):
        if box.index["format"] == MESSAGE:
            MessageCheck(box).run()
        else:
            PeriodCheck(box, asked or Asked()).run()
    return box.report
