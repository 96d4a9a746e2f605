"""A replay's report for people: one page of HTML that prints, in both languages, and a PDF of it where a browser is installed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from html import escape
from typing import Any

from hub import printing
from schemas.errors import TryLater

_STYLE = """@page{size:A4;margin:18mm}body{font:11pt/1.45 'Times New Roman',Tinos,serif;color:#000;max-width:180mm;margin:auto}
h1{font-size:15pt;text-align:center}h2{font-size:12pt}table{border-collapse:collapse;width:100%;font-size:10pt}
td,th{border:1px solid #777;padding:2mm;text-align:left;vertical-align:top;overflow-wrap:anywhere}tr{break-inside:avoid}
.en{color:#444;font-style:italic}code{font:9pt monospace;overflow-wrap:anywhere}"""
_FACTS = (
    ("mode", "Chế độ", "Mode"),
    ("dry_run", "Chạy thử", "Dry run"),
    ("reason", "Lý do", "Reason"),
    ("at", "Lập lúc", "Made at"),
    ("items", "Số mục", "Items"),
    ("log_size", "Độ dài nhật ký khi chọn", "Length of the journal at selection"),
    ("selection_sha256", "SHA-256 danh sách chọn", "SHA-256 of the selection"),
)


def page(report: bytes) -> str:
    """The report as HTML. It loads nothing from anywhere; the signed JSON is the report, this is a picture of it."""
    told = json.loads(report)
    request = told["request"]
    rows = [(vi, en, request.get(name)) for name, vi, en in _FACTS]
    rows += [
        ("Người lập", "Asked for by", _who(told["requested_by"])),
        ("Người phê duyệt", "Approved by", _who(told["approved"]["by"]) if told["approved"] else "–"),
        ("Trạng thái", "State", told["state"]),
        ("Kết thúc lúc", "Ended at", told["ended_at"]),
        ("SHA-256 yêu cầu", "SHA-256 of the request", told["request_sha256"]),
        ("SHA-256 kết quả", "SHA-256 of the results", told["results_sha256"]),
    ]
    parts = [
        _table(rows),
        "<h2>Kết quả <span class=en>· Outcomes</span></h2>",
        _counts(told["outcomes"], told["items"]),
    ]
    if told.get("as_of_now"):
        parts += [
            "<h2>Xét theo hiện tại <span class=en>· As of now</span></h2>",
            _counts(told["as_of_now"], sum(told["as_of_now"].values())),
        ]
    parts += [_exceptions(told), f"<p>Chữ ký của hub <span class=en>· the hub's signature</span>, <code>{_text(told['key_id'])}</code>:"]
    parts += [f"<code>{_text(told['signature'])}</code></p>"]
    title = f"Báo cáo phát lại {told['replay']}"
    head = f'<!DOCTYPE html><html lang="vi"><head><meta charset="utf-8"><title>{_text(title)}</title><style>{_STYLE}</style></head>'
    heading = f"<h1>BÁO CÁO PHÁT LẠI<br><span class=en>Replay report</span></h1><p><code>{_text(told['replay'])}</code></p>"
    return f"{head}<body>{heading}{''.join(parts)}</body></html>\n"


def pdf(report: bytes) -> bytes:
    """`page`, printed by a browser of this machine without network. Raises `TryLater("no-printer")` where there is none."""
    try:
        return printing.pdf(page(report))
    except TryLater as fault:
        raise TryLater("no-printer", got=fault.got, expected="a browser that prints, or --format html") from fault


def _exceptions(told: Mapping[str, Any]) -> str:
    found = told["exceptions"]
    heading = "<h2>Mục khác thường <span class=en>· What did not come out as it was</span></h2>"
    if not found:
        return f"{heading}<p>Không có <span class=en>· none</span></p>"
    known = ("index", "message_id", "delivery", "outcome")
    rows = [
        f"<tr><td>{one['index']}</td><td><code>{_text(one.get('delivery', one['message_id']))}</code></td><td>{_text(one['outcome'])}</td>"
        f"<td><code>{_text(json.dumps({k: v for k, v in one.items() if k not in known}, ensure_ascii=False))}</code></td></tr>"
        for one in found
    ]
    more = "<p>… còn nữa <span class=en>· and more, see the counts</span></p>" if told["exceptions_left_out"] else ""
    heads = "<tr><th>Số</th><th>Thông điệp · lượt chuyển</th><th>Kết quả</th><th>Chi tiết</th></tr>"
    return f"{heading}<table>{heads}{''.join(rows)}</table>{more}"


def _counts(outcomes: Mapping[str, int], total: int) -> str:
    rows = "".join(f"<tr><td>{_text(name)}</td><td>{number}</td></tr>" for name, number in outcomes.items())
    return f"<table>{rows}<tr><th>Tổng <span class=en>· total</span></th><th>{total}</th></tr></table>"


def _table(rows: list[tuple[str, str, Any]]) -> str:
    return (
        "<table>"
        + "".join(f"<tr><th>{vi} <span class=en>· {en}</span></th><td>{_text(value)}</td></tr>" for vi, en, value in rows)
        + "</table>"
    )


def _who(person: Mapping[str, Any]) -> str:
    return f"{person['name']} ({person['login']})" if person["login"] else str(person["id"])


def _text(value: Any) -> str:
    return escape({True: "có · yes", False: "không · no"}[value] if isinstance(value, bool) else str(value))
