"""`lgsp witness`: a small witness that cosigns the checkpoints of the logs it is configured with."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path
from typing import Annotated

import typer

Folder = Annotated[Path, typer.Argument(help="thư mục của bên làm chứng / the witness's folder", file_okay=False)]
LogKeys = Annotated[list[str] | None, typer.Option("--log-key", help="khóa công khai của nhật ký / a log's name+hash+key; nhiều lần")]
app = typer.Typer(no_args_is_help=True, help="Bên làm chứng độc lập của nhật ký. / An independent witness of logs.")


@app.command()
def init(
    folder: Folder,
    *,
    name: Annotated[str, typer.Option(help="tên, theo lệ là URL không có giao thức / by convention a URL without its scheme")],
    listen: Annotated[str, typer.Option(help="host:port")] = "127.0.0.1:8091",
    log_key: LogKeys = None,
    as_json: Annotated[bool, typer.Option("--json", help="in JSON / print JSON")] = False,
) -> None:
    """Tạo khóa và cấu hình; in khóa công khai. / Make key and settings; print the public key."""
    from hub.witness_home import init_witness

    made = init_witness(folder, name, listen, tuple(log_key or ()))
    print(json.dumps({"name": made.name, "key": made.verifier.text}) if as_json else made.verifier.text)


@app.command()
def serve(folder: Folder, listen: Annotated[str, typer.Option(help="host:port, cổng 0 = bất kỳ / port 0 = any free one")] = "") -> None:
    """Chạy bên làm chứng: POST /add-checkpoint (C2SP tlog-witness). / Run the witness."""
    from hub.api.server import server
    from hub.api.witness import build_witness
    from hub.cli.serve import listen_on
    from hub.witness_home import open_witness

    witness, settings = open_witness(folder, lambda: int(time.time()))
    listener = listen_on(listen or settings.listen)
    http = server(build_witness(witness))
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: setattr(http, "should_exit", True))
    host, port = listener.getsockname()[:2]
    ready = {"ready": True, "url": f"http://{host}:{port}", "port": port, "key": witness.cosigner.verifier.text, "logs": list(witness.logs)}
    print(json.dumps(ready), flush=True)
    try:
        http.run(sockets=[listener])
    finally:
        witness.state.close()
