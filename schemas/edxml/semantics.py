"""Rules between messages, and of time: pure checks whose findings are warnings, because no text found makes them refusals.

Statuses (edxml.md §1.5 [S][D], §3.2): the sequence is not enforced by anybody; 03 and 05 come back to back, 04 and 06 may be missing. So
only what cannot be true is told: anything after an end, an end that was left again, an answer to a request that nobody made.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from schemas.calendar.read import calendar_of
from schemas.calendar.rules import send_by
from schemas.edxml.packet import DocumentPacket, StatusPacket
from schemas.errors import Refused, Violation, warning
from schemas.message import VIETNAM

ARRIVED, REFUSED, TAKEN_IN, ASSIGNED, IN_PROGRESS, COMPLETED = "01", "02", "03", "04", "05", "06"
TAKE_BACK, AGREED, DECLINED = "13", "15", "16"

URGENT = frozenset({"1", "2", "3", "4"})  # khẩn, thượng khẩn, hỏa tốc, hỏa tốc hẹn giờ (edxml.md §1.4 [D])
_PROGRESS = {ARRIVED: 0, TAKEN_IN: 1, ASSIGNED: 2, IN_PROGRESS: 3, COMPLETED: 4}
_NEEDS_REASON = {REFUSED: "why it is returned", TAKE_BACK: "why it is taken back", DECLINED: "why not"}  # §1.5: "reason in Description"


def missing_reason(packet: StatusPacket) -> tuple[Violation, ...]:
    """02, 13 and 16 say why, in `Description`."""
    expected = _NEEDS_REASON.get(packet.status_code)
    if expected is None or packet.description.strip():
        return ()
    return (warning("reason-missing", path="Description", got=f"status {packet.status_code} without a reason", expected=expected),)


def status_order(before: Sequence[str], code: str) -> tuple[Violation, ...]:
    """Whether `code` can follow the statuses `before`, of the same agency about the same document, in order of acceptance."""
    if code not in _PROGRESS or not before:
        return ()
    if REFUSED in before and code != ARRIVED:
        return (_out_of_order(before, code, "nothing after 02 (returned) but a new document"),)
    reached = max((_PROGRESS.get(one, 0) for one in before), default=0)
    if _PROGRESS[code] < reached:
        return (_out_of_order(before, code, "a later state than those reported"),)
    return ()


def timeliness(packet: DocumentPacket, received_at: datetime) -> tuple[Violation, ...]:
    """QĐ 28/2018 art. 6.2 [L]: sent on the day of signing, at the latest the next working morning; an urgent one at once.

    The packet names no day of signing; the day of promulgation stands for it [G]. Where that is no date, or the calendar does not have
    its year, there is nothing to say.
    """
    written = packet.promulgation.promulgation_date
    urgent = packet.other_info.priority.strip() in URGENT
    try:
        signed_on = date.fromisoformat(written.replace("/", "-"))
        latest = send_by(signed_on, urgent, calendar_of(packet.sender.agency.groups[0]))
    except (ValueError, Refused):
        return ()
    if received_at <= latest:
        return ()
    code = "urgent-sent-late" if urgent else "sent-late"
    got = f"promulgated {written}, received {received_at.astimezone(VIETNAM):%Y/%m/%d %H:%M}"
    return (warning(code, path="PromulgationInfo/PromulgationDate", got=got, expected=f"by {latest:%Y/%m/%d %H:%M}"),)


def _out_of_order(before: Sequence[str], code: str, expected: str) -> Violation:
    return warning("status-order", path="StatusCode", got=f"{code} after {', '.join(before[-10:])}", expected=expected)
