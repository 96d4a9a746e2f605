"""`lgsp translate FILE --to FORMAT`: the message in another format, and everything that does not get across.

The body goes to standard output as it is, what was lost to standard error; `--json` puts both into one object. Exit codes: 0 translated,
1 refused, 2 usage (no such file, no such format).
"""

from __future__ import annotations

import base64
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from schemas.translation.engine import Translation


def command(
    file: Annotated[Path | None, typer.Argument(exists=True, dir_okay=False, readable=True, help="thông điệp / the message")] = None,
    to: Annotated[str, typer.Option("--to", help="định dạng đích / target format")] = "",
    source: Annotated[str, typer.Option("--from", help="định dạng nguồn, mặc định nhận theo nội dung / default: by content")] = "auto",
    listed: Annotated[bool, typer.Option("--list", help="các ánh xạ có sẵn / the mappings there are")] = False,
    json_output: Annotated[bool, typer.Option("--json", help="kết quả JSON / JSON output")] = False,
) -> None:
    """Chuyển thông điệp sang định dạng khác, nêu mọi mất mát. / Translate a message and name everything that is lost."""
    from schemas.translation.engine import translate
    from schemas.translation.shipped import shipped

    if listed:
        print(_listing(json_output))
        return
    if file is None or not to:
        raise typer.BadParameter("cần FILE và --to FORMAT, hoặc --list / FILE and --to FORMAT are needed, or --list")
    _check_format(to)
    if source != "auto":
        _check_format(source)
    made = translate(file.read_bytes(), source, to, shipped())
    if json_output:
        print(json.dumps(_members(made), ensure_ascii=False))
        return
    sys.stdout.buffer.write(made.body)
    sys.stdout.buffer.flush()
    for line in _told(made):
        print(line, file=sys.stderr)


def _check_format(name: str) -> None:
    from schemas.translation.formats import formats

    if name not in formats():
        ends = sorted({one for mapping in _mappings() for one in (mapping["source"], mapping["target"])})
        raise typer.BadParameter(f"không có định dạng / no such format: {name}. {', '.join(ends)}")


def _mappings() -> list[dict[str, Any]]:
    from schemas.translation.shipped import shipped

    return [
        {
            "name": one.name,
            "version": one.version,
            "id": one.id,
            "source": one.source,
            "target": one.target,
            "inverse": one.inverse,
            "text": {"vi": one.text.vi, "en": one.text.en},
            "basis": one.basis,
        }
        for one in shipped().by_name.values()
    ]


def _listing(as_json: bool) -> str:
    rows = _mappings()
    if as_json:
        return json.dumps(rows, ensure_ascii=False)
    return "\n".join(_line(row) for row in rows)


def _line(row: dict[str, Any]) -> str:
    ends = f"{row['source']:<26} {'↔' if row['inverse'] else '→'} {row['target']:<30}"
    return f"{ends} {row['id'][:12]}  {row['text']['vi']} / {row['text']['en']}"


def _members(made: Translation) -> dict[str, Any]:
    try:
        body: dict[str, Any] = {"body": made.body.decode("utf-8")}
    except UnicodeDecodeError:  # a packet in UTF-16 that nothing was to be done to
        body = {"body_base64": base64.b64encode(made.body).decode("ascii")}
    return {**made.as_json(), **body}


def _told(made: Translation) -> list[str]:
    lines = [f"{made.source} → {made.target}: {len(made.losses)} mất mát / losses"]
    lines += [f"  - {one.path} [{one.kind}] {one.reason.vi} / {one.reason.en}" for one in made.losses]
    lines += [f"  ! {one.code} {one.path}" for one in made.violations]
    return lines + [f"  → {one.code} {one.path}" for one in made.remarks]
