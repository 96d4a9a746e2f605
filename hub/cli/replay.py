"""`lgsp replay`: look again at what was exchanged, or deliver it again. Every command is a person's: `lgsp login` first."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from hub.cli.desk import DEFAULT_SESSION, SessionFile, opened
from hub.cli.home import DEFAULT_HOME, Home

if TYPE_CHECKING:
    from hub.cli.desk import Desk
    from hub.rework.workshop import Workshop
    from hub.sessions import Session
    from replay.job import Job

app = typer.Typer(
    no_args_is_help=True, help="Phát lại: xét lại, dịch lại, chuyển lại. / Replay: look again, translate again, deliver again."
)
Json = Annotated[bool, typer.Option("--json", help="in JSON / print JSON")]
JobId = Annotated[UUID, typer.Argument(metavar="REPLAY", help="mã lần phát lại / the replay's id")]


class Form(StrEnum):
    """How a report is written."""

    JSON = "json"
    HTML = "html"
    PDF = "pdf"


@app.command("create")
def create(
    mode: Annotated[str, typer.Argument(help="verify | revalidate | retranslate | sandbox | redeliver")],
    *,
    message: Annotated[list[UUID] | None, typer.Option(help="mã thông điệp; nhiều lần / message id; repeatable")] = None,
    first: Annotated[int | None, typer.Option("--from", min=0, help="từ số thứ tự / from this index of the journal")] = None,
    last: Annotated[int | None, typer.Option("--to", min=0, help="đến số thứ tự (kể cả) / to this index, included")] = None,
    agency: Annotated[str, typer.Option(help="mã cơ quan gửi hoặc nhận / agency code, sender or recipient")] = "",
    system: Annotated[str, typer.Option(help="hệ thống gửi hoặc nhận / system")] = "",
    kind: Annotated[str, typer.Option(help="loại, ví dụ document.new / kind")] = "",
    state: Annotated[str, typer.Option(help="trạng thái lượt chuyển / state of a delivery")] = "",
    cause: Annotated[str, typer.Option(help="mã lỗi của lượt chuyển / code of a delivery's failure")] = "",
    document: Annotated[str, typer.Option(help="DocumentId")] = "",
    since: Annotated[datetime | None, typer.Option(help="tiếp nhận từ (UTC) / accepted from")] = None,
    until: Annotated[datetime | None, typer.Option(help="tiếp nhận trước (UTC) / accepted before")] = None,
    execute: Annotated[
        bool, typer.Option("--execute", help="chuyển lại thật; mặc định là chạy thử / really redeliver; else a dry run")
    ] = False,
    new_key: Annotated[bool, typer.Option("--new-key", help="khóa chống trùng mới / under a new idempotency key")] = False,
    rate: Annotated[float, typer.Option(help="nhiều nhất mỗi giây, 0 = không giới hạn / most per second")] = 0.0,
    reason: Annotated[str, typer.Option(help="lý do (bắt buộc khi chuyển lại) / the reason")] = "",
    session: SessionFile = DEFAULT_SESSION,
    home: Home = DEFAULT_HOME,
    as_json: Json = False,
) -> None:
    """Lập một lần phát lại trên danh sách được chốt ngay lúc này. / Make a replay over a selection that is frozen now."""
    from hub.replays import Asked
    from replay.job import mode_of
    from replay.selection import Query

    query = Query(tuple(message or ()), first, last, agency, system, kind, state, cause, document, _utc(since), _utc(until))
    asked = Asked(mode_of(mode), query, dry_run=not execute, new_key=new_key, rate_per_s=rate, reason=reason)
    _show(_with(home, session, lambda shop, who: _told(shop, who, shop.replays.create(who, asked))), as_json)


@app.command("approve")
def approve(
    replay: JobId,
    digest: Annotated[str, typer.Argument(help="mã băm của yêu cầu, như `lgsp replay status` in ra / digest of the request")],
    session: SessionFile = DEFAULT_SESSION,
    home: Home = DEFAULT_HOME,
    as_json: Json = False,
) -> None:
    """Phê duyệt một yêu cầu chuyển lại của người khác. / Approve a redelivery that somebody else asked for."""
    _show(_with(home, session, lambda shop, who: _told(shop, who, shop.replays.approve(who, replay, digest))), as_json)


@app.command("run")
def run(
    replay: JobId,
    *,
    confirm: Annotated[str, typer.Option(help="câu xác nhận khi chuyển lại nhiều mục / the confirmation of a bulk redelivery")] = "",
    wait: Annotated[float, typer.Option(min=0, help="chờ kết quả chuyển lại, giây / how long ends are awaited, seconds")] = 60.0,
    session: SessionFile = DEFAULT_SESSION,
    home: Home = DEFAULT_HOME,
    as_json: Json = False,
) -> None:
    """Bắt đầu, hoặc làm nốt phần còn lại; 0 = xong và không có khác biệt, 1 = có, 3 = chưa xong. / Start it, or do the rest."""
    told = _with(home, session, lambda shop, who: _run(shop, who, replay, confirm, wait))
    _show(told, as_json)
    if told["state"] != "done":
        raise typer.Exit(3)
    raise typer.Exit(0 if set(told["outcomes"]) <= {"same", "planned"} else 1)


@app.command("pause")
def pause(replay: JobId, session: SessionFile = DEFAULT_SESSION, home: Home = DEFAULT_HOME, as_json: Json = False) -> None:
    """Tạm dừng; `run` làm tiếp. / Pause; `run` goes on."""
    _show(_with(home, session, lambda shop, who: _told(shop, who, shop.replays.pause(who, replay))), as_json)


@app.command("cancel")
def cancel(replay: JobId, session: SessionFile = DEFAULT_SESSION, home: Home = DEFAULT_HOME, as_json: Json = False) -> None:
    """Hủy phần chưa làm; báo cáo nêu phần đã làm. / Cancel what is not done; the report says what was."""
    _show(_with(home, session, lambda shop, who: _told(shop, who, shop.replays.cancel(who, replay))), as_json)


@app.command("status")
def status(replay: JobId, session: SessionFile = DEFAULT_SESSION, home: Home = DEFAULT_HOME, as_json: Json = False) -> None:
    """Một lần phát lại: yêu cầu, mã băm, kết quả đến nay. / One replay: its request, digest, outcomes so far."""
    _show(_with(home, session, lambda shop, who: shop.reader.status(who, replay)), as_json)


@app.command("list")
def list_replays(
    before: Annotated[UUID | None, typer.Option(help="trang sau lần phát lại này / the page after this replay")] = None,
    limit: Annotated[int, typer.Option(min=1, max=200, help="nhiều nhất / at most")] = 200,
    session: SessionFile = DEFAULT_SESSION,
    home: Home = DEFAULT_HOME,
    as_json: Json = False,
) -> None:
    """Các lần phát lại, mới nhất trước. / The replays, newest first."""
    found = _with(home, session, lambda shop, who: shop.reader.all(who, before=before, limit=limit))
    if as_json:
        print(json.dumps(found, ensure_ascii=False))
        return
    for one in found["items"]:
        print(f"{one['id']}  {one['mode']:<11} {one['state']:<9} {one['items']:>7}  {one['created_at']}")
    if found["next"]:
        print(f"… --before {found['next']}")


@app.command("items")
def items(
    replay: JobId,
    *,
    outcome: Annotated[str, typer.Option(help="chỉ các mục có kết quả này / only items of this outcome: different, not-done …")] = "",
    values: Annotated[
        bool, typer.Option("--values", help="hiện giá trị hai phía (operator, auditor) / show what fields were and are")
    ] = False,
    after: Annotated[int, typer.Option(min=-1, help="sau mục này / after this item")] = -1,
    limit: Annotated[int, typer.Option(min=1, max=200, help="nhiều nhất / at most")] = 50,
    session: SessionFile = DEFAULT_SESSION,
    home: Home = DEFAULT_HOME,
    as_json: Json = False,
) -> None:
    """Từng mục và điều tìm thấy; giá trị chỉ hiện khi yêu cầu. / Item by item what was found; values only when asked for."""
    wanted: dict[str, Any] = {"outcome": outcome, "after": after, "limit": limit, "values": values}
    found = _with(home, session, lambda shop, who: shop.reader.items(who, replay, **wanted))
    if as_json:
        print(json.dumps(found, ensure_ascii=False))
        return
    for one in found["items"]:
        print(f"{one['position']:>7}  {one['index']:>8}  {one.get('delivery', one['message_id'])}  {one['outcome']}")
        for when in ("", "now", "today"):
            for path, (then, now) in (one.get(when, {}) if when else one).get("fields", {}).items():
                print(
                    f"           {when or 'then':<6} {path}: {json.dumps(then, ensure_ascii=False)} → {json.dumps(now, ensure_ascii=False)}"
                )
    if found["next"] is not None:
        print(f"… --after {found['next']}")


@app.command("report")
def report(
    replay: JobId,
    *,
    form: Annotated[Form, typer.Option("--format", help="json (có chữ ký / signed) | html | pdf")] = Form.JSON,
    out: Annotated[Path | None, typer.Option(dir_okay=False, help="ghi vào tệp / write to this file")] = None,
    values: Annotated[
        bool, typer.Option("--values", help="html, pdf: hiện cả giá trị (operator, auditor) / show values beside the commitments")
    ] = False,
    session: SessionFile = DEFAULT_SESSION,
    home: Home = DEFAULT_HOME,
) -> None:
    """Báo cáo có chữ ký của hub; HTML và PDF để in. / The signed report; HTML and PDF to print."""
    from hub import reports_replay
    from schemas.errors import Refused

    if values and form is Form.JSON:
        raise Refused(
            "invalid-request", got="--values --format json", expected="lgsp replay items --values --json; the signed report has none"
        )
    signed, found = _with(
        home, session, lambda shop, who: (shop.reader.report(who, replay), shop.reader.values(who, replay) if values else {})
    )
    made: dict[Form, Callable[[], bytes]] = {
        Form.JSON: lambda: signed,
        Form.HTML: lambda: reports_replay.page(signed, found).encode(),
        Form.PDF: lambda: reports_replay.pdf(signed, found),
    }
    body = made[form]()
    if out is None:
        sys.stdout.buffer.write(body)
        return
    try:
        out.write_bytes(body)
    except OSError as fault:
        raise Refused("invalid-request", got=f"{out}: {fault.strerror}", expected="a file that may be written") from fault


@app.command("verify-report")
def verify_report(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="báo cáo JSON / the JSON report")],
    key: Annotated[list[str], typer.Option("--key", help="khóa công khai của hub: id=base64 / the hub's public key")],
    as_json: Json = False,
) -> None:
    """Kiểm tra chữ ký và số liệu của báo cáo, không cần hub; 0 = đúng, 1 = sai. / Check a report without a hub."""
    from base64 import b64decode

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    from schemas.errors import Refused
    from signing.sign import verify_report as check

    try:
        keys = {name: Ed25519PublicKey.from_public_bytes(b64decode(value)) for name, _, value in (one.partition("=") for one in key)}
    except ValueError as fault:
        raise Refused("invalid-request", got=str(fault), expected="--key id=base64 of 32 bytes (lgsp keys list --json)") from fault
    told = check(file.read_bytes(), keys)
    if sum(told["outcomes"].values()) != told["items"]:
        raise Refused("report-invalid", got=f"{sum(told['outcomes'].values())} outcomes", expected=f"{told['items']} items")
    print(json.dumps(told["outcomes"]) if as_json else f"{told['replay']} {told['state']}: {told['outcomes']}")


def _run(shop: Workshop, who: Session, replay: UUID, confirm: str, wait: float) -> dict[str, Any]:
    from adapters.systems.sandbox import Sandbox
    from hub.cli.progress import bar

    told = shop.reader.status(who, replay)
    if told["state"] in ("ready", "paused"):
        wanted = told["confirm"] if told["state"] == "ready" else None
        if wanted and not confirm and sys.stdin.isatty():
            confirm = typer.prompt(f"Gõ / type «{wanted}»", err=True)
        shop.replays.start(who, replay, confirm)
    elif told["state"] == "running":
        shop.replays.may_steer(who, replay)
    sandbox = Sandbox(shop.clock)
    try:
        with bar("phát lại / replay", told["items"]) as progress:
            shop.engine(sandbox).run(replay, progress=progress, wait_s=wait)
    finally:
        sandbox.close()
    return shop.reader.status(who, replay)


def _with(home: Path, session: Path, work: Callable[[Workshop, Session], Any]) -> Any:
    with opened(home) as desk:
        who = desk.session(session)
        return work(_workshop(desk), who)


def _workshop(desk: Desk) -> Workshop:
    from hub.key_watch import WatchedKeyring
    from hub.node import utc_now
    from hub.rework.workshop import of_home

    return of_home(desk.settings, WatchedKeyring(desk.settings.keys_folder), desk.store, desk.committer, utc_now)


def _told(shop: Workshop, who: Session, job: Job) -> dict[str, Any]:
    return shop.reader.status(who, job.id)


def _utc(at: datetime | None) -> datetime | None:
    from datetime import UTC

    return None if at is None else at.replace(tzinfo=UTC) if at.tzinfo is None else at


def _show(told: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print(json.dumps(told, ensure_ascii=False))
        return
    dry = " (chạy thử / dry run)" if told["mode"] == "redeliver" and told["dry_run"] else ""
    print(f"{told['id']}  {told['mode']}{dry}: {told['state']}, {told['items']} mục / items")
    print("  " + ", ".join(f"{name} {number}" for name, number in told["outcomes"].items()))
    request = told["request"]
    conditions = json.dumps({**request["query"], **told.get("typed", {})}, ensure_ascii=False)
    key = "; khóa chống trùng mới / under new idempotency keys" if request["new_key"] else ""
    print(f"  điều kiện / conditions: {conditions}; lý do / reason: {request['reason'] or '–'}{key}")
    print(f"  mã băm yêu cầu / digest of the request: {told['digest']}")
    if told["confirm"]:
        approved = told["approved"]
        print(f"  phê duyệt / approved: {approved['at'] if approved else 'chưa / not yet'}; xác nhận / confirm: «{told['confirm']}»")
