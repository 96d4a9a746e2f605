"""What each step of a deadline says, in both languages. The code is stable, for machines; the texts are for people."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from schemas.errors import Text

# Fields in braces: `at` and `day` are the step's own time; the others are given where the step is made.
_TEXTS = {
    "rule": Text("Quy tắc áp dụng theo ngày tiếp nhận: {vi} ({id}) [{label}].", "Rule of the day of reception: {en} ({id}) [{label}]."),
    "received": Text("Tiếp nhận lúc {at}.", "Received at {at}."),
    "received-off": Text(
        "Tiếp nhận vào ngày nghỉ: tính từ đầu ngày làm việc {day}.", "Received on a day off: counts from the working day {day}."
    ),
    "after-cutoff": Text(
        "Tiếp nhận sau giờ chốt {cutoff} của thủ tục: tính từ ngày làm việc tiếp theo {day}.",
        "Received after the procedure's cut-off {cutoff}: counts from the next working day, {day}.",
    ),
    "after-closing": Text(
        "Tiếp nhận sau giờ làm việc ({closing}): tính từ ngày làm việc tiếp theo {day}.",
        "Received after closing ({closing}): counts from the next working day, {day}.",
    ),
    "same-day": Text("Giải quyết trong ngày làm việc {day}.", "To be settled on the working day {day}."),
    "working-days": Text(
        "Đếm {amount} ngày làm việc, không tính ngày tiếp nhận: đến {day}.",
        "{amount} working days, the day of reception not counted: {day}.",
    ),
    "days": Text(
        "Đếm {amount} ngày (kể cả ngày nghỉ), không tính ngày tiếp nhận: đến {day}.",
        "{amount} calendar days, the day of reception not counted: {day}.",
    ),
    "hours": Text("Đếm {amount} làm việc trong giờ hành chính {hours}: đến {at}.", "{amount} of office hours {hours}: {at}."),
    "hours-plain": Text(
        "Thời hạn ghi “giờ”, được hiểu là giờ làm việc; nếu thủ tục quy định khác thì cần ghi rõ.",
        "The term says hours; read as working hours. Where the procedure means others, it has to say so.",
    ),
    "skipped": Text("Không tính {span}: {vi} ({source}) [{label}].", "Not counted, {span}: {en} ({source}) [{label}]."),
    "worked": Text("Có tính {span}: {vi} ({source}) [{label}].", "Counted, {span}: {en} ({source}) [{label}]."),
    "pause": Text(
        "Tạm dừng chờ bổ sung từ {since} đến {until} ({length_vi}): hạn lùi đến {at}.",
        "Stopped for a supplement from {since} to {until} ({length_en}): due {at}.",
    ),
    "pause-open": Text(
        "Đang chờ bổ sung từ {at}: thời hạn tạm dừng, hạn nêu dưới đây là sớm nhất có thể.",
        "Waiting for a supplement since {at}: the clock stands; the due date below is the earliest possible.",
    ),
    "pause-too-late": Text(
        "Yêu cầu bổ sung lúc {at} là sau hạn {due}: không tạm dừng được nữa.",
        "The supplement was asked for at {at}, after the due time {due}: nothing is left to stop.",
    ),
    "rolled": Text(
        "Ngày cuối {off} là ngày nghỉ: hạn là ngày làm việc tiếp theo {day}.",
        "The last day {off} is off: due on the next working day, {day}.",
    ),
    "uncertain-undecided": Text(
        "Chưa chắc chắn: {span} có thể là ngày nghỉ ({vi}); đang tính là ngày làm việc.",
        "Not certain: {span} may become a day off ({en}); counted as worked.",
    ),
    "uncertain-unconfirmed": Text(
        "Chưa kiểm chứng: {span}, {vi} ({source}) [G]; cần đối chiếu thông báo chính thức.",
        "Not confirmed: {span}, {en} ({source}) [G]; compare with the official notice.",
    ),
    "due": Text("Hạn trả kết quả: {at}.", "Due: {at}."),
}
_WEEKDAYS = Text("thứ Hai|thứ Ba|thứ Tư|thứ Năm|thứ Sáu|thứ Bảy|Chủ nhật", "Mon|Tue|Wed|Thu|Fri|Sat|Sun")


@dataclass(frozen=True, slots=True)
class Step:
    """One step towards the deadline. `at`: the moment it leads to or speaks of."""

    code: str
    at: datetime | None
    text: Text

    def as_json(self) -> dict[str, Any]:
        """For `--json` and the dossier."""
        return {"code": self.code, "at": self.at.isoformat() if self.at else None, "text": {"vi": self.text.vi, "en": self.text.en}}


def tell(code: str, moment: datetime | None, **details: object) -> Step:
    """The step `code`, its texts filled in."""
    template = _TEXTS[code]
    return Step(
        code, moment, Text(_filled(template.vi, _WEEKDAYS.vi, moment, details), _filled(template.en, _WEEKDAYS.en, moment, details))
    )


def _filled(template: str, weekdays: str, moment: datetime | None, details: dict[str, object]) -> str:
    if moment is None:
        return template.format(**details)
    day = f"{weekdays.split('|')[moment.weekday()]} {moment:%d/%m/%Y}"
    return template.format(**details, at=f"{moment:%H:%M} {day}", day=day)
