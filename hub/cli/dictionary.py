"""`lgsp dictionary`: the shared field dictionary – look a key up, find a name, say how much of a survey of real fields is covered."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from schemas.dictionary.aliases import Alias
    from schemas.dictionary.coverage import Coverage
    from schemas.dictionary.entry import Entry

app = typer.Typer(no_args_is_help=True, help="Từ điển các trường dữ liệu dùng chung. / The shared field dictionary.")
Json = Annotated[bool, typer.Option("--json", help="cho máy đọc / for machines")]
SHOWN = 40  # rows of a list for people


@app.command("show")
def show(key: Annotated[str, typer.Argument(help="khóa / key: nks.ho_ten, ho_so.ma")], json_output: Json = False) -> None:
    """Một khóa: định nghĩa, kiểu, danh mục, tên ở từng hệ thống. / One key, with the names that systems have for it."""
    from schemas.dictionary.aliases import aliases_of
    from schemas.dictionary.store import dictionary

    entry, named = dictionary().entry(key), aliases_of(key)
    if json_output:
        print(json.dumps({**entry.as_json(), "aliases": [_members(one) for one in named]}, ensure_ascii=False))
        return
    print("\n".join(_lines(entry)))
    for one in named:
        print(f"  = {one.system:<10} {one.message:<40} {one.name}{'  ← ' + ' | '.join(one.convert) if one.convert else ''}")


@app.command("find")
def find(
    name: Annotated[str, typer.Argument(help="tên trường hoặc từ trong định nghĩa / a field name or words")], json_output: Json = False
) -> None:
    """Tìm theo tên trường của hệ thống hoặc từ trong định nghĩa, có dấu hay không dấu. / Find by wire name or by words."""
    from schemas.dictionary.aliases import aliases
    from schemas.dictionary.store import dictionary

    entries = dictionary().find(name)
    named = [one for one in aliases() if one.name.casefold() == name.casefold()]
    if json_output:
        print(json.dumps({"aliases": [_members(one) for one in named], "keys": [one.as_json() for one in entries]}, ensure_ascii=False))
    else:
        for alias in named:
            print(f"{alias.name}: {alias.system} {alias.message} = {alias.key}")
        for entry in entries[:SHOWN]:
            print(f"{entry.key:<40} {entry.definition.vi} / {entry.definition.en}")
        if len(entries) > SHOWN:
            print(f"… {len(entries) - SHOWN} khóa nữa / more keys (--json)")
    raise typer.Exit(0 if entries or named else 1)


@app.command("coverage")
def coverage(
    survey: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="CSV: source_path, message, field, declared_type")
    ],
    json_output: Json = False,
) -> None:
    """Từ điển phủ được bao nhiêu trường của một bảng khảo sát. / How much of a survey of real fields the dictionary covers."""
    from schemas.dictionary.coverage import coverage as measured

    found = measured(survey.read_bytes())
    if json_output:
        print(json.dumps(found.as_json(), ensure_ascii=False))
        return
    print("\n".join(_figures(found)))


@app.command("markdown")
def markdown() -> None:
    """Phần sinh tự động của docs/dictionary.md. / The generated part of docs/dictionary.md."""
    from schemas.dictionary.page import tables

    print(tables(), end="")


def _figures(found: Coverage) -> list[str]:
    rows = (
        ("trường / fields", found.fields),
        ("tên, ở mọi thông điệp / names, wherever they stand", found.names),
        ("tên, ở ít nhất một thông điệp / names, somewhere", found.names_somewhere),
        ("thông điệp, mọi trường / messages, every field", found.messages),
    )
    lines = [f"{title:<54} {share.covered:>6} / {share.total:<6} {share.percent:>5.1f} %" for title, share in rows]
    lines.append(f"\nChưa rõ nghĩa nên không ánh xạ / could not be told, so not mapped: {len(found.ambiguous)}")
    lines += [f"  {one.system:<10} {one.message}.{one.name}: {one.reason}" for one in found.ambiguous[:SHOWN]]
    unknown = {one.name for one in found.ambiguous}
    left = [(name, count) for name, count in found.uncovered if name not in unknown]
    lines.append(f"\nChưa có trong từ điển, nhiều nhất trước / not in the dictionary, most frequent first: {len(left)}")
    return lines + [f"  {count:>4}  {name}" for name, count in left[:SHOWN]]


def _lines(entry: Entry) -> list[str]:
    about = [str(entry.type), str(entry.privacy)]
    about += [f"danh mục / list {entry.code_list}"] if entry.code_list else []
    about += [entry.unit] if entry.unit else []
    about += [f"{entry.since or '…'} – {entry.until or '…'}"] if entry.since or entry.until else []
    return [entry.key, f"  {entry.definition.vi}", f"  {entry.definition.en}", f"  {', '.join(about)}", f"  {entry.source}"]


def _members(one: Alias) -> dict[str, Any]:
    return {"system": one.system, "message": one.message, "name": one.name, "key": one.key, "convert": list(one.convert)}
