"""`lgsp deadline`: when a dossier is due, why, and whether it was on time. Exit codes: 0 calculated, 1 refused, 2 usage.

Times without a zone are Vietnamese. `--pause FROM TO` may be given several times; TO is "-" while the supplement has not come.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

if TYPE_CHECKING:
    from schemas.calendar.assess import Assessment
    from schemas.calendar.days import Calendar
    from schemas.calendar.deadline import Deadline, Pause

STILL_OPEN = "-"


class PausesInPairs(TyperCommand):
    """The command with `--pause` taking two values each time: typer itself has no option that both repeats and takes several."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for parameter in self.params:
            if parameter.name == "pause":
                parameter.nargs = 2


def _pair(value: Any) -> Pause:
    from schemas.calendar.deadline import Pause

    since, until = value
    return Pause(moment_of(since), None if until == STILL_OPEN else moment_of(until))


def deadline_command(
    *,
    received: Annotated[str, typer.Option(help="thời điểm tiếp nhận / when it was received: 2026-02-13T15:30")],
    term: Annotated[str, typer.Option(help="thời hạn / term: “5 ngày làm việc”, “15 ngày”, “4 giờ làm việc”")],
    province: Annotated[str, typer.Option(help="mã tỉnh, để chọn lịch / code of the province, for its calendar: H32")] = "",
    cutoff: Annotated[str, typer.Option(help="giờ chốt tiếp nhận của thủ tục / the procedure's cut-off: 15:00")] = "",
    pause: Annotated[
        list[str] | None,
        typer.Option(
            parser=_pair, metavar="FROM TO", help="chờ bổ sung, nhiều lần được / waiting for a supplement, repeatable; TO “-”: chưa có"
        ),
    ] = None,
    finished: Annotated[str, typer.Option(help="thời điểm hoàn thành / when it was finished")] = "",
    overlay: Annotated[list[Path] | None, typer.Option(exists=True, dir_okay=False, help="tệp lịch bổ sung / calendar overlay")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="cho máy đọc / for machines")] = False,
) -> None:
    """Tính hạn trả kết quả, giải thích từng bước, đánh giá đúng hạn. / When a dossier is due, step by step, and whether it was on time."""
    from schemas.calendar.assess import assess
    from schemas.calendar.deadline import due
    from schemas.calendar.term import term_of

    calendar = _calendar(province, overlay)
    pauses: list[Any] = list(pause or ())
    answer = due(moment_of(received), term_of(term), calendar, cutoff=clock_of(cutoff) if cutoff else None, pauses=pauses)
    judged = assess(answer, finished=moment_of(finished) if finished else None, at=datetime.now(UTC))
    if as_json:
        print(json.dumps({**answer.as_json(), "province": province, "assessment": judged.as_json()}, ensure_ascii=False, indent=2))
    else:
        print("\n".join(_lines(answer, judged)))


command = deadline_command


def moment_of(text: str) -> datetime:
    """An ISO 8601 time, Vietnamese where it names no zone. Raises `Refused("deadline-time-unreadable")`."""
    from schemas.calendar.days import local
    from schemas.errors import Refused
    from schemas.message import VIETNAM

    try:
        moment = datetime.fromisoformat(text)
    except ValueError as fault:
        raise Refused("deadline-time-unreadable", got=text) from fault
    return local(moment if moment.tzinfo else moment.replace(tzinfo=VIETNAM))


def clock_of(text: str) -> time:
    """A time of the day. Raises `Refused("deadline-time-unreadable")`."""
    from schemas.errors import Refused

    try:
        clock = time.fromisoformat(text)
    except ValueError as fault:
        raise Refused("deadline-time-unreadable", got=text, expected="15:00") from fault
    if clock.tzinfo is not None:
        raise Refused("deadline-time-unreadable", got=text, expected="15:00, without a zone")
    return clock


def _calendar(province: str, overlays: list[Path] | None) -> Calendar:
    from schemas.calendar.read import calendar_of
    from schemas.errors import Halted

    texts = []
    for path in overlays or ():
        try:
            texts.append(path.read_text("utf-8"))
        except UnicodeDecodeError as fault:
            raise Halted("deadline-data-invalid", got=f"{path.name}: {fault}", expected="UTF-8") from fault
    return calendar_of(province, texts)


def _lines(answer: Deadline, judged: Assessment) -> list[str]:
    lines = [f"Hạn trả kết quả / Due: {answer.due:%H:%M %d/%m/%Y} (+07:00)"]
    lines += [f"  {number}. {step.text.vi}\n     {step.text.en}" for number, step in enumerate(answer.steps, start=1)]
    lines.append(f"Đánh giá / Assessment: {judged.reason.vi} / {judged.reason.en}")
    lines += [f"  phiếu / slip: {judged.slip}"] if judged.slip else []
    lines += [f"  cán bộ / staff: {judged.staff}"] if judged.staff else []
    return [*lines, f"Quy tắc / rule {answer.rule_version}; lịch / calendar {answer.calendar_version}"]
