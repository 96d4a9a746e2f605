"""`lgsp login` and `lgsp logout`: a session for the commands that a person answers for. The token lies in a file of mode 600."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from hub.cli.desk import DEFAULT_SESSION, SessionFile, opened, secret_from
from hub.cli.home import DEFAULT_HOME, Home
from hub.cli.person import QUESTION, PasswordFile


def login(
    name: Annotated[str, typer.Argument(metavar="LOGIN", help="tên đăng nhập / login")],
    password_file: PasswordFile = None,
    session: SessionFile = DEFAULT_SESSION,
    home: Home = DEFAULT_HOME,
) -> None:
    """Đăng nhập; phiên được giữ trong tệp --session. / Log in; the session is kept in the file --session."""
    from schemas.errors import Refused

    password = secret_from(password_file, QUESTION, twice=False)
    with opened(home) as desk:
        made = desk.sessions.log_in(name, password, "console")
    try:
        session.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        session.unlink(missing_ok=True)
        with os.fdopen(os.open(session, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
            out.write(made.token + "\n")
    except OSError as fault:
        raise Refused(
            "invalid-request", got=f"{session}: {type(fault).__name__}", expected="--session: a file that can be written"
        ) from fault
    print(f"{made.person.login}: {', '.join(sorted(made.person.roles))}; đến / until {made.expires_at}")


def logout(session: SessionFile = DEFAULT_SESSION, home: Home = DEFAULT_HOME) -> None:
    """Kết thúc phiên và xóa tệp của nó. / End the session and delete its file."""
    with opened(home) as desk:
        desk.sessions.log_out(desk.session(session))
    session.unlink(missing_ok=True)
