"""`lgsp keys`: making and listing the hub's own keys."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hub.cli.home import DEFAULT_HOME, Home

if TYPE_CHECKING:
    from hub.keys import Keyring

Json = Annotated[bool, typer.Option("--json", help="in JSON / print JSON")]
app = typer.Typer(no_args_is_help=True, help="Khóa của hub: tạo, liệt kê. / The hub's own keys.")


@app.command()
def init(home: Home = DEFAULT_HOME, as_json: Json = False) -> None:
    """Tạo khóa cho nhật ký, biên nhận, kho nội dung và các bên; không ghi đè khóa đã có. / Create the keys; never overwrites."""
    from hub.keys import Keyring
    from hub.settings import load_settings

    settings = load_settings(home)
    for folder in (settings.trust_folder, settings.home / "systems"):  # empty, but there: the home is complete
        folder.mkdir(parents=True, exist_ok=True)
    _show(Keyring.init(settings.keys_folder), settings.origin, settings.keys_folder, as_json)


@app.command("list")
def list_(home: Home = DEFAULT_HOME, as_json: Json = False) -> None:
    """Liệt kê khóa (không in phần bí mật). / List the keys; secrets are never printed."""
    from hub.keys import Keyring
    from hub.settings import load_settings

    settings = load_settings(home)
    _show(Keyring.load(settings.keys_folder), settings.origin, settings.keys_folder, as_json)


@app.command()
def rotate(home: Home = DEFAULT_HOME, as_json: Json = False) -> None:
    """Thay khóa master, hub vẫn chạy; chạy lại nếu bị ngắt. / Replace the master key while the hub runs; run again if interrupted."""
    from hub.cli.desk import administrator, opened
    from hub.node import utc_now
    from hub.rotation import rotate_master

    with opened(home) as desk:
        done = rotate_master(desk.store, desk.committer, desk.settings.keys_folder, by=administrator(), at=utc_now())
    if as_json:
        print(json.dumps(done.as_json()))
        return
    print(f"khóa mới / new key {done.key_id}; {done.wrapped} khóa gói tin được bọc lại / keys of packets wrapped anew")
    for one in done.retired:
        print(f"đã ngừng dùng / retired {one}")
    print("Sao lưu thư mục khóa. Khi không còn bản sao lưu nào cũ hơn, có thể hủy tệp khóa cũ.")
    print("Back the key folder up. Once no older backup is kept, the old key's file may be destroyed.")


def _show(ring: Keyring, origin: str, folder: Path, as_json: bool) -> None:
    from signing.note import NoteVerifier

    verifier_keys = {key_id: NoteVerifier(origin, key).text for key_id, key in ring.public("log").items()}
    rows: list[dict[str, Any]] = [asdict(record) for record in ring.records]
    for row in rows:
        if row["id"] in verifier_keys:
            row["log_key"] = verifier_keys[row["id"]]  # what `lgsp log verify-proof --log-key` takes
    if as_json:
        print(json.dumps({"origin": origin, "keys": rows}, ensure_ascii=False, indent=2))
        return
    print(f"{folder}")
    for row in rows:
        print(f"  {row['purpose']:8} {row['id']}  {row['status']:8} {row['created']}  {row.get('log_key', '')}".rstrip())
    print("Sao lưu thư mục khóa tách khỏi cơ sở dữ liệu; mất khóa master là mất nội dung đã lưu.")
    print("Back the key folder up apart from the database; who loses the master key loses the stored packets.")
