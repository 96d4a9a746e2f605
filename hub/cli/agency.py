"""`lgsp agency`: systems and the agencies they serve – list them, register one, give it an API key. Writes profiles, never code."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Annotated

import typer

from hub.cli.home import DEFAULT_HOME, Home

if TYPE_CHECKING:
    from hub.systems import Profile

app = typer.Typer(no_args_is_help=True, help="Hệ thống kết nối và đơn vị. / Connected systems and their agencies.")
_KEYS = re.compile(r"^keys = \[$", re.MULTILINE)


@app.command("list")
def list_systems(home: Home = DEFAULT_HOME, json_output: Annotated[bool, typer.Option("--json")] = False) -> None:
    """Liệt kê các hệ thống. / List the systems."""
    from hub.systems import Systems

    profiles = Systems.load(home / "systems").by_name.values()
    if json_output:
        rows = [{"name": p.name, "title": p.title, "agencies": list(p.agencies), "delivery": p.delivery.kind} for p in profiles]
        print(json.dumps(rows, ensure_ascii=False))
        return
    for profile in profiles:
        print(f"{profile.name:<24} {profile.delivery.kind:<8} {', '.join(profile.agencies):<32} {profile.title}")


@app.command("add")
def add(
    name: Annotated[str, typer.Argument(help="tên ngắn / short name, a-z 0-9 -")],
    agency: Annotated[list[str], typer.Option("--agency", help="mã định danh / agency code; nhiều lần / repeatable")],
    title: Annotated[str, typer.Option(help="tên hiển thị / title")] = "",
    may_send_for: Annotated[str, typer.Option(help="own | subtree | any")] = "own",
    home: Home = DEFAULT_HOME,
) -> None:
    """Đăng ký một hệ thống lấy văn bản từ hộp thư (mailbox) và in khóa API của nó. / Register a system; prints its API key once."""
    from hub.access import new_api_key
    from hub.settings import checked
    from hub.systems import Profile, Systems
    from schemas.errors import Halted

    path = home / "systems" / f"{name}.toml"
    text, key = new_api_key()
    table = {
        "name": name,
        "title": title,
        "agencies": agency,
        "access": {"may_send_for": may_send_for, "keys": [{"id": key.id, "sha256": key.sha256}]},
    }
    profile = checked(Profile, table, path)
    if path.exists():
        raise Halted("settings-invalid", got=str(path.name), expected="a name that is not taken; edit the file to change it")
    Systems.of((*Systems.load(home / "systems").by_name.values(), profile))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(_profile_text(profile), "utf-8")
    print(f"{path}\nAPI key: {text}\nKhóa chỉ hiện một lần; khởi động lại hub. / Shown once; restart the hub.")


@app.command("key")
def key(name: str, home: Home = DEFAULT_HOME) -> None:
    """Cấp thêm một khóa API. / Give a system one more API key."""
    from hub.access import new_api_key
    from hub.systems import Systems
    from schemas.errors import Halted

    profile = Systems.load(home / "systems").by_name.get(name)
    if profile is None:
        raise Halted("settings-invalid", got=name, expected="the name of a system: lgsp agency list")
    path = home / "systems" / f"{name}.toml"
    source = path.read_text("utf-8")
    text, new = new_api_key()
    line = f'    {{ id = "{new.id}", sha256 = "{new.sha256}" }},'
    if not _KEYS.search(source):
        print(f"Thêm vào [access] của {path}: / Add to [access] of {path}:\nkeys = [\n{line}\n]")
    else:
        path.write_text(_KEYS.sub(f"keys = [\n{line}", source, count=1), "utf-8")
    print(f"API key: {text}")


def _profile_text(profile: Profile) -> str:
    codes = ", ".join(json.dumps(code) for code in profile.agencies)
    keys = "\n".join(f'    {{ id = "{one.id}", sha256 = "{one.sha256}" }},' for one in profile.access.keys)
    return (
        f"title = {json.dumps(profile.title, ensure_ascii=False)}\n"
        f"agencies = [{codes}]\n\n"
        f'[access]\nmay_send_for = "{profile.access.may_send_for}"\nkeys = [\n{keys}\n]\n\n'
        '[delivery]\nkind = "mailbox"\n'
    )
