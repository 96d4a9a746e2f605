"""Where a password or a PIN comes from: an environment variable by its name, a private file, or a question. Never from the command line
itself, where every process of the machine could read it.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

SecretEnv = Annotated[
    str, typer.Option("--secret-env", help="TÊN biến môi trường giữ mật khẩu hoặc mã PIN / NAME of the variable with the password or PIN")
]
SecretFile = Annotated[
    Path | None, typer.Option("--secret-file", help="tệp (0600) giữ mật khẩu hoặc mã PIN / file of mode 0600 with the password or PIN")
]


def read_secret(env: str, file: Path | None, question: str) -> str:
    """The secret, "" for none. Raises `typer.BadParameter`, and `Halted` with `keys-exposed` for a file that others may read."""
    from schemas.errors import Halted

    if env and file:
        raise typer.BadParameter("--secret-env, --secret-file: chọn một / one of them")
    if env:
        if env not in os.environ:
            raise typer.BadParameter(f"không có biến {env} / no such variable", param_hint="--secret-env")
        return os.environ[env]
    if file:
        try:
            if file.is_file() and file.stat().st_mode & 0o077:
                raise Halted("keys-exposed", got=f"{file.name} mode {file.stat().st_mode & 0o777:o}", expected="600")
            return file.read_text("utf-8").splitlines()[0]
        except (OSError, UnicodeDecodeError, IndexError) as fault:
            raise typer.BadParameter(f"{file.name}: {type(fault).__name__}", param_hint="--secret-file") from fault
    if not sys.stdin.isatty():
        raise typer.BadParameter(f"{question}: --secret-env, --secret-file")
    answer: str = typer.prompt(question, default="", hide_input=True, show_default=False)
    return answer
