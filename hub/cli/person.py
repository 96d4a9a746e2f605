"""`lgsp person`: accounts of the people who work with the hub. On the hub's own machine, beside a running hub."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hub.cli.desk import administrator, opened, secret_from
from hub.cli.home import DEFAULT_HOME, Home

if TYPE_CHECKING:
    from hub.persons import Person

app = typer.Typer(no_args_is_help=True, help="Người dùng và vai trò. / People and their roles.")
Roles = Annotated[list[str], typer.Option("--role", help="operator | auditor | integrator | approver; nhiều lần / repeatable")]
PasswordFile = Annotated[
    Path | None, typer.Option(help="đọc mật khẩu từ tệp, - là đầu vào chuẩn / read the password from a file, - is standard input")
]
Json = Annotated[bool, typer.Option("--json", help="in JSON / print JSON")]
QUESTION = "Mật khẩu / Password"


@app.command("add")
def add(
    login: str,
    *,
    role: Roles,
    name: Annotated[str, typer.Option(help="họ tên / full name")] = "",
    password_file: PasswordFile = None,
    home: Home = DEFAULT_HOME,
    as_json: Json = False,
) -> None:
    """Tạo tài khoản. / Make an account."""
    from hub import persons
    from hub.node import utc_now
    from hub.passwords import Passwords

    persons.checked_roles(role)
    kept = Passwords().hash(secret_from(password_file, QUESTION, twice=True), login)
    by, at = administrator(), utc_now()
    with opened(home) as desk:
        made = desk.committer.submit(lambda tx: persons.add(tx, login=login, name=name, roles=role, kept=kept, by=by, at=at)).result()
    _show([made], as_json)


@app.command("list")
def list_persons(home: Home = DEFAULT_HOME, as_json: Json = False) -> None:
    """Liệt kê tài khoản. / List the accounts."""
    from hub.persons import everybody

    with opened(home) as desk, desk.store.read() as conn:
        found = list(everybody(conn))
    _show(found, as_json)


@app.command("disable")
def disable(
    login: str, home: Home = DEFAULT_HOME, enable: Annotated[bool, typer.Option("--undo", help="mở lại / enable again")] = False
) -> None:
    """Khóa tài khoản và kết thúc mọi phiên của nó. / Disable an account; its sessions end."""
    from hub import persons
    from hub.node import utc_now

    change, by, at = persons.enable if enable else persons.disable, administrator(), utc_now()
    with opened(home) as desk:
        _show([desk.committer.submit(lambda tx: change(tx, login, by=by, at=at)).result()], as_json=False)


@app.command("password")
def password(login: str, password_file: PasswordFile = None, home: Home = DEFAULT_HOME) -> None:
    """Đặt lại mật khẩu; mọi phiên đang mở kết thúc. / Set another password; sessions end."""
    from hub import persons
    from hub.node import utc_now
    from hub.passwords import Passwords

    kept = Passwords().hash(secret_from(password_file, QUESTION, twice=True), login)
    by, at = administrator(), utc_now()
    with opened(home) as desk:
        _show([desk.committer.submit(lambda tx: persons.set_password(tx, login, kept, by=by, at=at)).result()], as_json=False)


@app.command("role")
def role(login: str, role: Roles, home: Home = DEFAULT_HOME) -> None:
    """Giao lại vai trò (thay các vai trò cũ). / Give other roles, in place of those of before."""
    from hub import persons
    from hub.node import utc_now

    by, at = administrator(), utc_now()
    with opened(home) as desk:
        _show([desk.committer.submit(lambda tx: persons.set_roles(tx, login, role, by=by, at=at)).result()], as_json=False)


def _show(found: list[Person], as_json: bool) -> None:
    if as_json:
        print(json.dumps([one.as_json() for one in found], ensure_ascii=False))
        return
    for one in found:
        state = "" if one.is_enabled else f"khóa / disabled {one.disabled_at}"
        print(f"{one.login:<20} {', '.join(sorted(one.roles)):<28} {one.name}  {state}".rstrip())
