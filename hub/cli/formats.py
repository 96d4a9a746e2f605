"""`lgsp formats`: the messages about dossiers and of line-of-business systems that the hub knows, with their fields and schemas.

Exit codes: 0 shown, 1 no such message, 2 usage.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="Định dạng thông điệp hồ sơ, nghiệp vụ. / Formats of dossier and line-of-business messages.")


@app.command("list")
def list_command(
    json_output: Annotated[bool, typer.Option("--json", help="dạng JSON / as JSON")] = False,
) -> None:
    """Liệt kê các thông điệp. / List the messages."""
    from schemas.business.every_kind import every_kind

    rows = [
        {"name": one.name, "vi": one.vi, "en": one.en, "encoding": one.encoding, "certainty": one.certainty, "services": list(one.services)}
        for one in every_kind().values()
    ]
    if json_output:
        print(json.dumps(rows, ensure_ascii=False))
        return
    width = max(len(str(row["name"])) for row in rows)
    print("\n".join(f"{row['name']:<{width}}  {row['encoding']:<4}  {row['vi']} / {row['en']}  {row['certainty']}" for row in rows))


@app.command("show")
def show_command(
    name: Annotated[str, typer.Argument(help="tên thông điệp / name of the message")],
    as_json_schema: Annotated[bool, typer.Option("--json-schema", help="lược đồ JSON / JSON Schema")] = False,
    as_xsd: Annotated[bool, typer.Option("--xsd", help="lược đồ XML / XML Schema")] = False,
    as_markdown: Annotated[bool, typer.Option("--markdown", help="tài liệu (mặc định) / documentation (the default)")] = False,
) -> None:
    """Mô tả một thông điệp. / Describe one message."""
    from schemas.business.every_kind import kind_named
    from schemas.dvcqg.json_schema import json_schema
    from schemas.dvcqg.pages import markdown
    from schemas.dvcqg.xsd import xsd
    from schemas.errors import Refused

    if as_json_schema + as_xsd + as_markdown > 1:
        raise typer.BadParameter("chỉ chọn một dạng / choose one form")
    kind = kind_named(name)
    if kind is None:
        raise Refused("not-found", got=name, expected="a message that `lgsp formats list` names")
    if as_json_schema:
        print(json.dumps(json_schema(kind), ensure_ascii=False, indent=1))
    else:
        print(xsd(kind) if as_xsd else markdown(kind), end="")


@app.command("write")
def write_command(
    folder: Annotated[Path, typer.Argument(file_okay=False, help="thư mục, ví dụ docs/formats / folder, such as docs/formats")],
) -> None:
    """Ghi mọi tài liệu và lược đồ. / Write all documentation and schemas."""
    from schemas.dvcqg.pages import files

    for path, text in files().items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, "utf-8")
    print(f"{len(files())} tệp / files → {folder}")
