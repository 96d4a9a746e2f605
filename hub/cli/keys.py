"""`lgsp keys`: making, listing and replacing the hub's own keys."""

from __future__ import annotations

import json
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hub.cli.home import DEFAULT_HOME, Home
from hub.cli.opened import open_erased

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hub.keys import Keyring
    from hub.settings import Settings

Json = Annotated[bool, typer.Option("--json", help="in JSON / print JSON")]
app = typer.Typer(no_args_is_help=True, help="Khóa của hub: tạo, liệt kê, thay. / The hub's own keys.")


class Purpose(StrEnum):
    """What can be rotated. Party keys cannot: every tag in the journal is derived from them."""

    MASTER = "master"
    LOG = "log"
    RECEIPT = "receipt"


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
    ring = Keyring.load(settings.keys_folder)
    _show(ring, settings.origin, settings.keys_folder, as_json, _payloads_under(settings))


@app.command()
def rotate(
    purpose: Annotated[Purpose, typer.Argument(help="khóa nào / which key")] = Purpose.MASTER,
    home: Home = DEFAULT_HOME,
    as_json: Json = False,
) -> None:
    """Thay một khóa, hub vẫn chạy; chạy lại nếu bị ngắt. / Replace a key while the hub runs; run again if interrupted."""
    from hub.cli.desk import administrator, opened
    from hub.node import utc_now
    from hub.rotation import rotate_master, rotate_signing

    with opened(home) as desk:
        folder, by, at = desk.settings.keys_folder, administrator(), utc_now()
        if purpose is Purpose.MASTER:
            done = rotate_master(desk.store, desk.committer, folder, by=by, at=at)
        else:
            done = rotate_signing(desk.committer, folder, purpose, by=by, at=at)
    if as_json:
        print(json.dumps(done.as_json()))
        return
    print(f"khóa mới / new key {done.purpose} {done.key_id}")
    for one in done.retired:
        print(f"đã ngừng dùng / retired {one}")
    for line in _NEXT[purpose]:
        print(line)
    if purpose is Purpose.MASTER:
        print(f"{done.wrapped} khóa gói tin được bọc lại / keys of packets wrapped anew")


@app.command()
def retire(key_id: Annotated[str, typer.Argument(help="mã khóa / the key's id")], home: Home = DEFAULT_HOME) -> None:
    """Ngừng dùng một khóa ký cũ. / End the signing of an older key; what it signed stays verifiable."""
    from hub.cli.desk import administrator, opened
    from hub.node import utc_now
    from hub.rotation import retire_signing

    with opened(home) as desk:
        retire_signing(desk.committer, desk.settings.keys_folder, key_id, by=administrator(), at=utc_now())
    print(f"đã ngừng dùng / retired {key_id}")


_NEXT = {
    Purpose.MASTER: (
        "Sao lưu thư mục khóa. Khi không còn bản sao lưu nào cũ hơn, có thể hủy tệp khóa cũ.",
        "Back the key folder up. Once no older backup is kept, the old key's file may be destroyed.",
    ),
    Purpose.LOG: (
        "Cả hai khóa cùng ký. Đưa khóa mới (`lgsp keys list`) cho nhân chứng và kiểm toán, rồi `lgsp keys retire` khóa cũ.",
        "Both keys sign. Give the new one (`lgsp keys list`) to witnesses and auditors, then `lgsp keys retire` the old one.",
    ),
    Purpose.RECEIPT: (
        "Khóa mới ký biên nhận từ nay; khóa cũ vẫn dùng để kiểm tra biên nhận đã phát. Sao lưu thư mục khóa.",
        "The new one signs receipts from now on; the old one's public part verifies those that are out. Back the key folder up.",
    ),
}


def _payloads_under(settings: Settings) -> dict[str, int]:
    """How many payloads each master key wraps; nothing where there is no store yet."""
    from hub.rotation import wrapped_by
    from schemas.errors import Halted

    try:
        store = open_erased(settings)
    except Halted as fault:
        if fault.code != "store-missing":
            raise
        return {}
    try:
        with store.read() as conn:
            return wrapped_by(conn)
    finally:
        store.close()


def _show(ring: Keyring, origin: str, folder: Path, as_json: bool, payloads: Mapping[str, int] = MappingProxyType({})) -> None:
    from signing.note import NoteVerifier

    verifier_keys = {key_id: NoteVerifier(origin, key).text for key_id, key in ring.public("log").items()}
    rows: list[dict[str, Any]] = [asdict(record) for record in ring.records]
    for row in rows:
        if row["id"] in verifier_keys:
            row["log_key"] = verifier_keys[row["id"]]  # what `lgsp log verify-proof --log-key` takes
        if row["purpose"] == "master":
            row["payloads"] = payloads.get(row["id"], 0)
    if as_json:
        print(json.dumps({"origin": origin, "keys": rows}, ensure_ascii=False, indent=2))
        return
    print(f"{folder}")
    for row in rows:
        until = row["retired"] or ("…" if row["status"] == "active" else "?")  # "?": retired before the time was written down
        more = row.get("log_key") or (f"{row['payloads']} gói tin / packets" if "payloads" in row else "")
        print(f"  {row['purpose']:8} {row['id']}  {row['status']:8} {row['created']} – {until}  {more}".rstrip())
    print("Sao lưu thư mục khóa tách khỏi cơ sở dữ liệu; mất khóa master là mất nội dung đã lưu.")
    print("Back the key folder up apart from the database; who loses the master key loses the stored packets.")
