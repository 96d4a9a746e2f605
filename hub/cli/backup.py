"""`lgsp backup`: a copy of an embedded hub while it serves, and its examination."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hub.cli.files import print_json
from hub.cli.home import DEFAULT_HOME, Home

Json = Annotated[bool, typer.Option("--json", help="in JSON / print JSON")]
app = typer.Typer()
_SIGNATURES = {
    "valid": "Chữ ký: đúng, bằng khóa của nhật ký. / Signature: valid, by the log's key.",
    "not-checked": "Chữ ký: chưa kiểm; thêm --log-key (lgsp keys list). / Signature: not checked; give --log-key (lgsp keys list).",
    "missing": "Chữ ký: KHÔNG CÓ; ai giữ bản này cũng sửa được. / Signature: NONE; whoever kept it could have changed it.",
}


@app.callback(invoke_without_command=True)
def make(
    context: typer.Context,
    out: Annotated[Path | None, typer.Option(help="thư mục mới hoặc trống / a new or empty folder", file_okay=False)] = None,
    home: Home = DEFAULT_HOME,
    keys_out: Annotated[
        Path | None,
        typer.Option(help="sao cả khóa, vào thư mục khác, trên thiết bị khác / the keys, too: elsewhere, on other media", file_okay=False),
    ] = None,
    as_json: Json = False,
) -> None:
    """Sao lưu hub (SQLite) khi đang chạy, không kèm khóa. / Back up a hub on SQLite while it serves, without its keys."""
    if context.invoked_subcommand is not None:
        return
    from hub.backup import make_backup
    from hub.cli.opened import opened
    from hub.node import utc_now
    from schemas.errors import Refused
    from signing.note import NoteSigner

    if out is None:
        raise Refused("invalid-request", got="no --out", expected="--out FOLDER, or: lgsp backup verify FOLDER")

    with opened(home) as (settings, ring, store):
        signers = [NoteSigner(settings.origin, key) for key in ring.journal_keys().log]
        done = make_backup(settings, store, out, at=utc_now(), signers=signers, keys_out=keys_out)
    if as_json:
        print_json(done.as_json())
        return
    print(f"{out}: {done.origin}, {done.size} mục / entries, {done.files} tệp / files, {done.total_bytes} byte")
    print("Không có trong bản sao: keys/, secrets.toml (trừ khi có --keys-out) và published/. Hãy giữ chúng ở nơi khác.")
    print("Not in it: keys/, secrets.toml (unless --keys-out is given) and published/. Keep those elsewhere.")


@app.command()
def verify(
    folder: Annotated[Path, typer.Argument(help="thư mục sao lưu / the backup")],
    log_key: Annotated[
        list[str] | None, typer.Option(help="khóa nhật ký, để kiểm chữ ký / name+hash+key of the log, for its signature")
    ] = None,
    as_json: Json = False,
) -> None:
    """Kiểm tra từng tệp, chữ ký và toàn bộ nhật ký của bản sao lưu; 0 = nguyên vẹn, 1 = không. / Check a backup; 0 intact, 1 not."""
    from hub.backup import verify_backup
    from hub.cli.log_proofs import log_keys

    found = verify_backup(folder, log_keys(log_key) if log_key else ())
    if as_json:
        print_json({"intact": True, **found.as_json()})
        return
    print(f"NGUYÊN VẸN / INTACT: {found.at}, {found.origin}, {found.size} mục / entries, {found.files} tệp / files")
    print(_SIGNATURES[found.signature])
