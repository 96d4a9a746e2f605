"""The `--home` option that every command shares."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Home = Annotated[
    Path,
    typer.Option("--home", envvar="LGSP_HOME", help="Thư mục cấu hình và dữ liệu của hub. / The hub's folder."),
]
DEFAULT_HOME = Path("var/lgsp")
