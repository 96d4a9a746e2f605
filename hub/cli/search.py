"""`lgsp search`: finding messages in the store of this home, running or not."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from hub.cli.home import DEFAULT_HOME, Home
from hub.cli.opened import opened_store


def command(
    words: Annotated[
        list[str] | None, typer.Argument(help="chữ trong trích yếu, có dấu hay không / words of the subject, accents or not")
    ] = None,
    *,
    number: Annotated[str, typer.Option(help="số, ký hiệu, hoặc số/ký hiệu / number, notation, or both")] = "",
    document_id: Annotated[str, typer.Option(help="DocumentId")] = "",
    dossier: Annotated[str, typer.Option(help="mã hồ sơ / MaHoSo")] = "",
    agency: Annotated[str, typer.Option(help="nơi gửi hoặc nơi nhận, mã dạng nào cũng được / sender or recipient, either form")] = "",
    sender: Annotated[str, typer.Option(help="nơi gửi / sender")] = "",
    recipient: Annotated[str, typer.Option(help="nơi nhận / recipient")] = "",
    kind: Annotated[str, typer.Option(help="document.new, …")] = "",
    state: Annotated[str, typer.Option(help="trạng thái một lượt chuyển / state of a copy")] = "",
    code: Annotated[str, typer.Option(help="mã lỗi hoặc cảnh báo / code of a failure or warning")] = "",
    since: Annotated[str, typer.Option(help="từ ngày, hoặc thời điểm có múi giờ / from that day or time on")] = "",
    until: Annotated[str, typer.Option(help="hết ngày, hoặc trước thời điểm / to the end of that day, or before that time")] = "",
    limit: Annotated[int, typer.Option(min=1, max=100_000)] = 50,
    before: Annotated[int | None, typer.Option(min=0, help="`next` của trang trước / of the page before")] = None,
    home: Home = DEFAULT_HOME,
    as_json: Annotated[bool, typer.Option("--json", help="in JSON / print JSON")] = False,
) -> None:
    """Tìm thông điệp, mới nhất trước; 0 = có, 1 = không có. / Find messages, newest first; 0 found, 1 none."""
    given = {
        "q": " ".join(words or ()),
        **{"number": number, "document_id": document_id, "dossier": dossier, "agency": agency, "sender": sender},
        **{"recipient": recipient, "kind": kind, "state": state, "code": code, "since": since, "until": until},
    }
    items, following = _collected({name: text for name, text in given.items() if text}, limit, before, home)
    if as_json:
        print(json.dumps({"items": items, "next": following}, ensure_ascii=False))
    else:
        for one in items:
            print(f"{one['message_id']}  {one['accepted_at'][:19]}  {one['state']:<11} {one['sender']:<16} {one['document_id']}")
            print(f"    {one['kind']}: {one['title']}")
        if following is not None:
            print(f"--before {following}")
    raise typer.Exit(0 if items else 1)


def _collected(given: dict[str, str], limit: int, before: int | None, home: Any) -> tuple[list[dict[str, Any]], int | None]:
    """As many as are wanted, page by page."""
    from dataclasses import replace

    from hub import find
    from replay.search import MAX_PAGE

    wanted = find.asked(given, None)
    items: list[dict[str, Any]] = []
    with opened_store(home) as store:
        while True:
            page = find.found(store, replace(wanted, limit=min(limit - len(items), MAX_PAGE), before=before))
            items += page["items"]
            before = page["next"]
            if before is None or len(items) >= limit:
                return items, before
