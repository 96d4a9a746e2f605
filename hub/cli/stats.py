"""`lgsp stats`: figures on the documents that agencies sent, out of the store of this home, running or not."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from hub.cli.home import DEFAULT_HOME, Home

if TYPE_CHECKING:
    from hub.statistics import Figures

_HEADS = ("văn bản / documents", "điện tử / electronic", "giấy / paper", "không rõ / unsaid", "khẩn / urgent", "trễ / late", "xóa / erased")


def command(
    *,
    sender: Annotated[str, typer.Option(help="chỉ nơi gửi này / this sender alone")] = "",
    since: Annotated[str, typer.Option(help="từ ngày, hoặc thời điểm có múi giờ / from that day or time on")] = "",
    until: Annotated[str, typer.Option(help="hết ngày, hoặc trước thời điểm / to the end of that day, or before that time")] = "",
    home: Home = DEFAULT_HOME,
    as_json: Annotated[bool, typer.Option("--json", help="in JSON / print JSON")] = False,
) -> None:
    """Số văn bản đã gửi: chỉ điện tử, kèm giấy, khẩn, trễ. / Documents sent: without paper, with it, urgent, late."""
    from hub import find
    from hub.settings import load_settings
    from hub.statistics import Figures, documents_sent
    from replay.store.engine import open_store

    given = {name: text for name, text in (("sender", sender), ("since", since), ("until", until)) if text}
    wanted = find.asked(given, None).question
    store = open_store(load_settings(home).resolved_store_url, create=False)
    try:
        found = documents_sent(store, since=wanted.since, until=wanted.until, sender=wanted.sender)
    finally:
        store.close()
    total = sum(found.values(), Figures())
    if as_json:
        print(json.dumps({"senders": {name: one.as_json() for name, one in found.items()}, "all": total.as_json()}, ensure_ascii=False))
        return
    for name, one in (*found.items(), ("*", total)):
        print("\n".join((f"{name}", *_lines(one))))


def _lines(one: Figures) -> list[str]:
    values = (one.documents, one.electronic, one.paper, one.unsaid, one.urgent, one.late, one.erased)
    percent = "–" if one.electronic_percent is None else f"{one.electronic_percent} %"
    share = f"  {'chỉ điện tử / without paper':<28} {percent:>8}"
    return [*(f"  {head:<28} {value:>8}" for head, value in zip(_HEADS, values, strict=True)), share]
