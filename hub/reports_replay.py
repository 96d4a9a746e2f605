"""A replay's report for people: one page of HTML that prints, in both languages, and a PDF of it where a browser is installed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from html import escape
from types import MappingProxyType
from typing import Any

from hub import printing
from replay.report import commitment
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
_QUESTIONS = (
    ("as_of_now", "Xét theo hiện tại", "As of now"),
    ("if_it_came_today", "Nếu hôm nay mới đến", "If it came today"),
)
_INNER = {"now": ("Xét theo hiện tại", "as of now"), "today": ("Nếu hôm nay mới đến", "if it came today")}
_FRAME = frozenset({"index", "message_id", "delivery", "outcome", "fields", *_INNER})
_OUTCOMES = {
    "same": "như cũ",
    "different": "khác",
    "impossible": "không xét được",
    "refused": "bị từ chối",
    "skipped": "bỏ qua",
    "planned": "sẽ chuyển",
    "not-done": "chưa làm",
    "changed": "đã đổi",
}
_WORDS = {
    "verify": "xác minh lại",
    "revalidate": "kiểm tra lại",
    "retranslate": "dịch lại",
    "sandbox": "chuyển thử",
    "redeliver": "chuyển lại",
    "done": "xong",
    "cancelled": "đã hủy",
}

Values = Mapping[tuple[int, str], Mapping[str, Any]]  # findings with their values, by index and transmission


def page(report: bytes, values: Values = MappingProxyType({})) -> str:
    """The report as HTML. It loads nothing from anywhere; the signed JSON is the report, this is a picture of it. Where `values` are given,
    they stand instead of the commitments that they open, and only those that do."""
    told = json.loads(report)
    request = told["request"]
    rows = [(vi, en, _word(request.get(name)) if name == "mode" else request.get(name)) for name, vi, en in _FACTS]
    rows += [
        ("Người lập", "Asked for by", _who(told["requested_by"])),
        ("Người phê duyệt", "Approved by", _who(told["approved"]["by"]) if told["approved"] else "–"),
        ("Trạng thái", "State", _word(told["state"])),
        ("Kết thúc lúc", "Ended at", told["ended_at"]),
        ("SHA-256 yêu cầu", "SHA-256 of the request", told["request_sha256"]),
        ("SHA-256 kết quả", "SHA-256 of the results", told["results_sha256"]),
    ]
    parts = [
        _table(rows),
        "<h2>Kết quả <span class=en>· Outcomes</span></h2>",
        _counts(told["outcomes"], told["items"]),
    ]
    for name, vi, en in _QUESTIONS:
        if told.get(name):
            parts += [f"<h2>{vi} <span class=en>· {en}</span></h2>", _counts(told[name], sum(told[name].values()))]
    parts += [
        _exceptions(told, values),
        f"<p>Chữ ký của hub <span class=en>· the hub's signature</span>, <code>{_text(told['key_id'])}</code>:",
    ]
    parts += [f"<code>{_text(told['signature'])}</code></p>"]
    title = f"Báo cáo phát lại {told['replay']}"
    head = f'<!DOCTYPE html><html lang="vi"><head><meta charset="utf-8"><title>{_text(title)}</title><style>{_STYLE}</style></head>'
    heading = f"<h1>BÁO CÁO PHÁT LẠI<br><span class=en>Replay report</span></h1><p><code>{_text(told['replay'])}</code></p>"
    return f"{head}<body>{heading}{''.join(parts)}</body></html>\n"


def pdf(report: bytes, values: Values = MappingProxyType({})) -> bytes:
    """`page`, printed by a browser of this machine without network. Raises `TryLater("no-printer")` where there is none."""
    try:
        return printing.pdf(page(report, values))
    except TryLater as fault:
        raise TryLater("no-printer", got=fault.got, expected="a browser that prints, or --format html") from fault


def _exceptions(told: Mapping[str, Any], values: Values) -> str:
    found = told["exceptions"]
    heading = "<h2>Mục khác thường <span class=en>· What did not come out as it was</span></h2>"
    if not found:
        return f"{heading}<p>Không có <span class=en>· none</span></p>"
    rows = [
        f"<tr><td>{one['index']}</td><td><code>{_text(one.get('delivery', one['message_id']))}</code></td>"
        f"<td>{_outcome(one['outcome'])}</td><td>{_detail(one, values.get((one['index'], one.get('delivery', '')), {}))}</td></tr>"
        for one in found
    ]
    left = told["exceptions_left_out"]
    more = f"<p>… còn {left} mục nữa <span class=en>· {left} more, see the counts</span></p>" if left else ""
    heads = "".join(
        f"<th>{vi} <span class=en>· {en}</span></th>"
        for vi, en in (
            ("Số", "Index"),
            ("Thông điệp, lượt chuyển", "Message, transmission"),
            ("Kết quả", "Outcome"),
            ("Chi tiết", "Detail"),
        )
    )
    return f"{heading}<table><tr>{heads}</tr>{''.join(rows)}</table>{more}"


def _detail(one: Mapping[str, Any], known: Mapping[str, Any]) -> str:
    """What is said of an item: first as of then, then each question about today, each with its fields."""
    salt = str(known.get("salt", ""))
    parts = [_said(one), _fields(one, known, salt)]
    for name, (vi, en) in _INNER.items():
        if name in one:
            heading = f"<p><b>{vi} <span class=en>· {en}</span></b></p>"
            parts += [heading, _said(one[name]), _fields(one[name], known.get(name, {}), salt)]
    return "".join(parts)


def _said(one: Mapping[str, Any]) -> str:
    plain = {name: value for name, value in one.items() if name not in _FRAME}
    return "".join(
        f"<div>{_text(name)}: <code>{_text(json.dumps(value, ensure_ascii=False))}</code></div>" for name, value in plain.items()
    )


def _fields(one: Mapping[str, Any], known: Mapping[str, Any], salt: str) -> str:
    """A line for each field: what it was → what it is."""
    shown = {path: _opened(pair, known.get("fields", {}).get(path, pair), salt) for path, pair in one.get("fields", {}).items()}
    lines = [
        f"<li><code>{_text(path)}</code>: <code>{_text(json.dumps(then, ensure_ascii=False))}</code> → "
        f"<code>{_text(json.dumps(now, ensure_ascii=False))}</code></li>"
        for path, (then, now) in shown.items()
    ]
    return f"<ul>{''.join(lines)}</ul>" if lines else ""


def _opened(signed: list[Any], found: list[Any], salt: str) -> list[Any]:
    """Values in the place of the commitments that they open."""
    return [value if salt and commitment(value, salt) == one else one for one, value in zip(signed, found, strict=False)]


def _counts(outcomes: Mapping[str, int], total: int) -> str:
    rows = "".join(f"<tr><td>{_outcome(name)}</td><td>{number}</td></tr>" for name, number in outcomes.items())
    return f"<table>{rows}<tr><th>Tổng <span class=en>· total</span></th><th>{total}</th></tr></table>"


def _word(name: Any) -> str:
    return f"{_WORDS[name]} · {name}" if name in _WORDS else str(name)


def _outcome(name: str) -> str:
    return f"{_OUTCOMES.get(name, name)} <span class=en>· {_text(name)}</span>"


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
