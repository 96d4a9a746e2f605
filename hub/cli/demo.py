"""`lgsp demo`: the main job end to end on this machine, with real keys, real processes and nothing outside loopback."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(
    keep: Annotated[bool, typer.Option("--keep", help="để hub và các mô phỏng chạy tiếp đến khi Ctrl-C / leave it serving")] = False,
    port: Annotated[
        int, typer.Option(min=0, max=65_535, help="cổng của hub, 0 = cổng trống bất kỳ / the hub's port, 0 = any free one")
    ] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="in kết quả dạng JSON / print JSON")] = False,
    home: Annotated[
        Path | None,
        typer.Option("--home", file_okay=False, help="thư mục trống để giữ lại mọi thứ / an empty folder that keeps everything"),
    ] = None,
) -> None:
    """Trình diễn: văn bản đi qua hub theo ba giao thức, có lỗi, có sự cố, có bằng chứng. / The demo; exits 0 if all is as expected."""
    from hub.demo.run import play

    if home is not None and home.exists() and any(home.iterdir()):
        raise typer.BadParameter("thư mục phải trống / the folder must be empty", param_hint="--home")
    raise typer.Exit(play(home=home, port=port, keep=keep, as_json=as_json))
