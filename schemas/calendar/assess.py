"""Was it on time? Two scales that are kept apart: the slip of decision 000 (three values) and its art. 9.2d for staff (four)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from schemas.calendar.days import local
from schemas.calendar.deadline import Deadline
from schemas.errors import Text


class Slip(StrEnum):
    """`danh_gia_thoi_gian_hoan_thanh` of the slip "Phiếu giải quyết văn bản đến" (decision 000)."""

    EARLY = "trước hạn"
    ON_TIME = "đúng hạn"
    LATE = "trễ hạn"


class Staff(StrEnum):
    """Assessment of officials, decision 000 art. 9.2d. Late: finished after due; overdue: past due and not finished [G]."""

    EARLY = "sớm hạn"
    ON_TIME = "đúng hạn"
    LATE = "trễ hạn"
    OVERDUE = "quá hạn"


@dataclass(frozen=True, slots=True)
class Assessment:
    """Both values; None where there is none yet: nothing finished and the term still running, or the clock standing."""

    slip: Slip | None
    staff: Staff | None
    reason: Text
    rule_version: str

    def as_json(self) -> dict[str, Any]:
        """For `--json`."""
        reason = {"vi": self.reason.vi, "en": self.reason.en}
        return {"slip": self.slip, "staff": self.staff, "reason": reason, "rule_version": self.rule_version}


def assess(deadline: Deadline, *, finished: datetime | None, at: datetime) -> Assessment:
    """How a dossier stands at `at`; `finished` None: not finished by then.

    On time is the last day itself until 24:00 (for hours: until that hour), early any day before, late any moment after [G: rules.toml].
    """
    if finished is not None:
        return _finished(deadline, local(finished))
    now = local(at)
    if deadline.waiting_since is not None:
        return _open(deadline, None, Text("Đang chờ bổ sung: thời hạn tạm dừng.", "Waiting for a supplement: the clock stands."))
    if now > deadline.late_after:
        text = Text(f"Chưa xong, đã quá hạn {_said(deadline.due)}.", f"Not finished, past due {_said(deadline.due)}.")
        return _open(deadline, Staff.OVERDUE, text)
    return _open(deadline, None, Text(f"Chưa xong, còn trong hạn đến {_said(deadline.due)}.", f"Not finished, due {_said(deadline.due)}."))


def _finished(deadline: Deadline, finished: datetime) -> Assessment:
    done, due = _said(finished), _said(deadline.due)
    if finished > deadline.late_after:
        text = Text(f"Xong lúc {done}, sau hạn {due}.", f"Finished {done}, after due {due}.")
        return Assessment(Slip.LATE, Staff.LATE, text, deadline.rule_version)
    if finished.date() < deadline.due.date():
        text = Text(f"Xong lúc {done}, trước ngày đến hạn {due}.", f"Finished {done}, before the day due {due}.")
        return Assessment(Slip.EARLY, Staff.EARLY, text, deadline.rule_version)
    text = Text(f"Xong lúc {done}, trong ngày đến hạn {due}.", f"Finished {done}, on the day due {due}.")
    return Assessment(Slip.ON_TIME, Staff.ON_TIME, text, deadline.rule_version)


def _open(deadline: Deadline, staff: Staff | None, reason: Text) -> Assessment:
    return Assessment(None, staff, reason, deadline.rule_version)


def _said(moment: datetime) -> str:
    return f"{moment:%H:%M %d/%m/%Y}"
