"""`lgsp directory`: what an agency code names on a day, who goes on in its place, and how it reads in the other form.

Exit codes: 0 the code holds on that day (or was converted), 1 it does not or cannot be, 2 usage.
"""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from schemas.directory import Directory, Entry, Succession

app = typer.Typer(no_args_is_help=True, help="Danh mục mã định danh cơ quan (QCVN 102, QĐ 20/2020). / The directory of agency codes.")

Code = Annotated[str, typer.Argument(help="mã định danh / agency code: H32, 000.00.15.H32")]
At = Annotated[datetime | None, typer.Option("--at", formats=["%Y-%m-%d"], help="ngày cần tra, mặc định hôm nay / the day, default today")]
Overlays = Annotated[
    list[Path] | None,
    typer.Option("--overlay", exists=True, dir_okay=False, help="tệp bổ sung .toml, hoặc .json từ getAgenciesList; nhiều lần / repeatable"),
]
AsJson = Annotated[bool, typer.Option("--json", help="cho máy đọc / for machines")]

STANDINGS = {
    "current": "còn hiệu lực / valid",
    "unsure": "chưa rõ sau sáp nhập 2025, cần tệp bổ sung / not known since the mergers of 2025: give an overlay",
    "replaced": "đã đóng, có mã kế tiếp / closed, another code goes on",
    "closed": "đã đóng, chưa rõ mã kế tiếp / closed, what goes on is not known",
    "not-yet": "chưa có hiệu lực / not valid yet",
    "unlisted": "không có trong danh mục / not listed",
}


@app.command("show")
def show(code: Code, at: At = None, overlay: Overlays = None, as_json: AsJson = False) -> None:
    """Mã này là cơ quan nào, vào ngày nào, nay là mã nào. / Which body a code names, when, and which code goes on."""
    from schemas.errors import Refused

    book, day = load(overlay), _day(at)
    found, above, history = book.successor(code, day), book.above(code, day), book.history(code)
    if not history and above is None:
        raise Refused("directory-code-unknown", got=code)
    if as_json:
        print(json.dumps(_members(book, code, day), ensure_ascii=False, indent=2))
    else:
        print("\n".join(_lines(book, code, day)))
    raise typer.Exit(0 if found.standing in ("current", "unsure") or (above is not None and above.standing in ("current", "unsure")) else 1)


@app.command("convert")
def convert(
    code: Code,
    to: Annotated[str, typer.Option(help="qcvn102 | qd20")],
    at: At = None,
    overlay: Overlays = None,
    as_json: AsJson = False,
) -> None:
    """Đổi mã sang dạng kia: danh mục trước, tính toán sau cùng. / The code in the other form: directory first, arithmetic last."""
    from schemas.agency import Scheme
    from schemas.directory import Basis

    if to not in (Scheme.QCVN102, Scheme.QD20):
        raise typer.BadParameter("qcvn102 | qd20", param_hint="--to")
    result = load(overlay).convert(code, Scheme(to), _day(at))
    if as_json:
        print(json.dumps({"code": code, "to": to, **result.as_json()}, ensure_ascii=False))
    else:
        lossy = " (không đổi ngược lại được / not the same back)" if result.lossy and result.text else ""
        print("\n".join((f"{code} → {result.text or '–'}  [{result.basis}]{lossy}", *(f"  {one.vi} / {one.en}" for one in result.notes))))
    raise typer.Exit(1 if result.basis is Basis.NONE else 0)


def load(overlays: list[Path] | None) -> Directory:
    """The shipped directory with these files on top. Raises `Halted("directory-data-invalid")`."""
    from hub.directories import read_overlay
    from schemas.directory import Directory

    return Directory.load([read_overlay(path) for path in overlays or ()])


def _day(at: datetime | None) -> date:
    from schemas.directory.entries import day_of

    return at.date() if at else day_of(datetime.now(UTC))


def _lines(book: Directory, code: str, day: date) -> list[str]:
    from schemas.agency import AgencyCode, Scheme

    found = book.successor(code, day)
    lines = [f"{code}  [{AgencyCode.of(code).scheme}]  {day:%d/%m/%Y}: {STANDINGS[found.standing]}"]
    for entry in book.history(code):
        lines += _told(entry)
    lines += _way(found)
    above = book.above(code, day)
    if not book.history(code) and above is not None:
        lines.append(
            f"  thuộc / below {above.path[0]}: {STANDINGS[above.standing]}" + (f" → {above.path[-1]}" if len(above.path) > 1 else "")
        )
    for to in (Scheme.QCVN102, Scheme.QD20):
        result = book.convert(code, to, day)
        lines.append(f"  {to:<8} {result.text or '–'}  [{result.basis}]")
    return [*lines, f"  danh mục / directory {book.version}"]


def _told(entry: Entry) -> list[str]:
    since = f"{entry.valid_from:%d/%m/%Y}" if entry.valid_from else "…"
    until = f"< {entry.valid_until:%d/%m/%Y}" if entry.valid_until else "…"
    lines = [f"  {entry.code}  {entry.name or '(không rõ tên / not named)'}  [{since} – {until}]", f"    {entry.source} [{entry.label}]"]
    return [*lines, *([f"    {entry.note.vi} / {entry.note.en}"] if entry.note.vi else [])]


def _way(found: Succession) -> list[str]:
    if found.entry is None or len(found.path) < 2:
        return []
    return [f"  → {' → '.join(found.path[1:])}  {found.entry.name}"]


def _members(book: Directory, code: str, day: date) -> dict[str, Any]:
    from schemas.agency import AgencyCode, Scheme

    found, above = book.successor(code, day), book.above(code, day)
    return {
        "code": code,
        "scheme": str(AgencyCode.of(code).scheme),
        "at": day.isoformat(),
        "standing": str(found.standing),
        "entry": found.entry.as_json() if found.entry else None,
        "path": list(found.path),
        "above": {"standing": str(above.standing), "path": list(above.path)} if above else None,
        "history": [one.as_json() for one in book.history(code)],
        "qcvn102": book.convert(code, Scheme.QCVN102, day).as_json(),
        "qd20": book.convert(code, Scheme.QD20, day).as_json(),
        "directory_version": book.version,
    }
