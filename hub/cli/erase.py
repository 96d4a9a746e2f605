"""`lgsp erase`, `lgsp hold` and `lgsp retention`: what is kept, what must be, and what is destroyed. Work beside a running hub."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from hub.cli.home import DEFAULT_HOME, Home
from hub.cli.opened import opened_store

if TYPE_CHECKING:
    from hub.cli.desk import Desk
    from hub.erase import Eraser

Json = Annotated[bool, typer.Option("--json", help="in JSON / print JSON")]
Reason = Annotated[
    str,
    typer.Option(
        help="lý do, ghi vào nhật ký; không nêu nội dung bị xóa / the reason, journalled; it must name nothing of what is erased",
        prompt=True,
    ),
]
Message = Annotated[UUID, typer.Argument(metavar="MESSAGE", help="mã thông điệp / the message's id")]
hold_app = typer.Typer(no_args_is_help=True, help="Lệnh giữ: thông điệp không được xóa. / Legal holds: what must not be erased.")
retention_app = typer.Typer(no_args_is_help=True, help="Thời hạn lưu. / How long messages are kept.")
_RESIDUE = {
    "sqlite": (
        "Còn ngoài tầm với: các bản sao lưu cũ và bản đã chuyển cho nơi nhận.",
        "Out of reach: older backups (the hub erases again before it serves from one), and what was delivered to its receivers.",
    ),
    "postgresql": (
        "Còn ngoài tầm với: WAL của PostgreSQL và kho lưu WAL, chỗ trống trong bảng trên 64 MB (chạy lại với --rewrite để ghi lại),"
        " các bản sao lưu cũ, bản đã chuyển cho nơi nhận.",
        "Out of reach: PostgreSQL's write-ahead log and its archive until they are recycled, holes in tables above 64 MB (run again with"
        " --rewrite to write those anew), older backups (the hub erases again before it serves from one), and what was delivered to its"
        " receivers.",
    ),
}


def erase(
    message_id: Message,
    reason: Reason,
    rewrite: Annotated[
        bool,
        typer.Option("--rewrite", help="PostgreSQL: ghi lại cả bảng lớn, hub chờ / write large tables anew, too; the hub waits meanwhile"),
    ] = False,
    home: Home = DEFAULT_HOME,
    as_json: Json = False,
) -> None:
    """Xóa vĩnh viễn nội dung một thông điệp; nhật ký vẫn chứng minh được. / Erase a message for good; every proof still holds."""
    from hub.cli.desk import administrator, opened
    from hub.node import utc_now

    with opened(home) as desk:
        done = _eraser(desk).erase(message_id, by=administrator(), reason=reason, at=utc_now(), rewrite=rewrite)
        residue = _RESIDUE[desk.store.dialect]
    if as_json:
        print(json.dumps({**done.as_json(), "residue": {"vi": residue[0], "en": residue[1]}}, ensure_ascii=False))
        return
    told = "đã xóa trước đây / erased before" if done.index is None else f"đã xóa, mục nhật ký {done.index} / erased, entry {done.index}"
    print(f"{message_id}: {told}")
    for one in done.related:
        print(f"  có liên quan, còn nguyên / about it, and still there: {one}")
    print("\n".join(residue))


@hold_app.command("set")
def hold_set(message_id: Message, reason: Reason, home: Home = DEFAULT_HOME) -> None:
    """Đặt lệnh giữ. / Set a hold."""
    from hub.cli.desk import administrator, opened
    from hub.node import utc_now

    with opened(home) as desk:
        _eraser(desk).hold(message_id, by=administrator(), reason=reason, at=utc_now())
    print(f"{message_id}: đã giữ / held")


@hold_app.command("release")
def hold_release(message_id: Message, reason: Reason, home: Home = DEFAULT_HOME) -> None:
    """Gỡ lệnh giữ. / Release a hold."""
    from hub.cli.desk import administrator, opened
    from hub.node import utc_now

    with opened(home) as desk:
        _eraser(desk).release(message_id, by=administrator(), reason=reason, at=utc_now())
    print(f"{message_id}: đã gỡ / released")


@hold_app.command("list")
def hold_list(home: Home = DEFAULT_HOME, as_json: Json = False) -> None:
    """Liệt kê lệnh giữ còn hiệu lực. / List the holds that stand."""
    from hub.erase import standing_holds

    with opened_store(home) as store, store.read() as conn:
        rows = [{"message_id": str(one.message_id), "at": one.at, "by": one.by, "reason": one.reason} for one in standing_holds(conn)]
    if as_json:
        print(json.dumps(rows, ensure_ascii=False))
        return
    for row in rows:
        print(f"{row['message_id']}  {row['at']}  {row['by']}  {row['reason']}")


@retention_app.command("run")
def retention_run(
    home: Home = DEFAULT_HOME,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="chỉ liệt kê / only list what is due")] = False,
    as_json: Json = False,
) -> None:
    """Xóa những gì đã hết thời hạn lưu. / Erase what has been kept for long enough."""
    from hub import retention
    from hub.cli.desk import administrator, opened
    from hub.node import utc_now

    with opened(home) as desk:
        eraser, rules, at = _eraser(desk), desk.settings.retention, utc_now()
        if dry_run:
            found = [one.as_json() for one in retention.due(eraser, rules, at)]
            lines = [f"{one['message_id']}  {one['accepted_at']}  {one['class']}" for one in found]
            print(json.dumps({"due": found}) if as_json else "\n".join([f"đến hạn / due: {len(found)}", *lines]))
            return
        done = retention.run(eraser, rules, by=administrator(), at=at)
    if as_json:
        print(json.dumps(done.as_json(), ensure_ascii=False))
        return
    print(f"đã xóa / erased: {len(done.erased)}")
    for one, code in done.passed_over:
        print(f"  để lại / passed over: {one.message_id} {code}")


def _eraser(desk: Desk) -> Eraser:
    from hub.erase import Eraser
    from hub.erasures import ErasuresFile
    from replay.payloads import PayloadStore

    kept = PayloadStore(desk.ring.master(), desk.settings.data_folder / "payloads", desk.ring.older_masters())
    return Eraser(desk.store, desk.committer, kept, desk.ring.parties(), ErasuresFile(desk.settings.erasures_path))
