"""How long finding takes: a store filled with generated messages (rows and terms as an acceptance writes them, without journal and
payloads), then every kind of question by itself and combined, each asked many times.

The store lies in a folder, or a PostgreSQL database, that may be kept: a run goes on filling where the last one stopped. About 2.1 KB of
disk per message.
"""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, func, select, text

from hub.find import asked, found
from replay import terms
from replay.search import Viewer
from replay.store.engine import Store, open_store
from replay.store.index_key import index_key
from replay.store.tables import deliveries, log_head, messages, search
from schemas.agency import AgencyCode
from schemas.errors import Refused
from schemas.message import rfc3339

LOT = 5_000
AGENCIES = 400
ROUNDS = 60
_FIGURES = ("p50_ms", "p95_ms", "p95_cpu_ms")
_SIZES = {
    "sqlite": "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()",
    "postgresql": "SELECT pg_database_size(current_database())",
}
_START = datetime(2025, 1, 1, tzinfo=UTC)
_ABOUT = ("đất đai", "xây dựng", "hộ tịch", "y tế", "giáo dục", "giao thông", "môi trường", "thuế", "đầu tư", "an toàn thực phẩm")
_DOING = ("Báo cáo", "Về việc", "Quyết định", "Giấy mời họp", "Kế hoạch", "Thông báo", "Đề nghị phối hợp", "Công bố")
_WHERE = ("phường Ninh Hiệp", "xã Vạn Thắng", "huyện Diên Khánh", "thị xã Ninh Hòa", "thành phố Nha Trang", "phường Cam Linh")


def fill(store: Store, count: int, tell: Callable[[int], None] = lambda _: None) -> None:
    """Generates messages until there are `count`. Raises `Refused("invalid-request")` for the store of a hub: nothing is put into that."""
    with store.read() as conn:
        if conn.execute(select(log_head.c.origin)).scalar_one():
            raise Refused("invalid-request", got="the store of a hub", expected="an empty database, or one of an earlier run")
        have = conn.execute(select(func.count()).select_from(messages)).scalar_one()
    for first in range(have, count, LOT):
        with store.write() as conn:
            _insert(conn, [_values(number) for number in range(first, min(first + LOT, count))])
        tell(min(first + LOT, count))


def measure(store: Store, count: int) -> dict[str, tuple[float, float, float]]:
    """p50 and p95 in ms by kind of question, of a full first page; then p95 of this process's CPU (SQLite works in it)."""
    drawn = random.Random(7)  # noqa: S311 - the same questions every time
    figures = {}
    for name, make in _QUESTIONS.items():
        spent, worked = [], []
        for _ in range(ROUNDS):
            parameters, viewer = make(_values(drawn.randrange(count)))
            begun, busy = time.perf_counter(), time.thread_time()
            found(store, asked(parameters, viewer))
            worked.append((time.thread_time() - busy) * 1000)
            spent.append((time.perf_counter() - begun) * 1000)
        figures[name] = statistics.median(spent), _p95(spent), _p95(worked)
    return figures


def _p95(values: list[float]) -> float:
    return sorted(values)[int(0.95 * len(values)) - 1]


def run(url: str, count: int, tell: Callable[[int], None] = lambda _: None) -> dict[str, Any]:
    """Fills the store at `url` and measures; figures in ms."""
    store = open_store(url)
    try:
        begun = time.perf_counter()
        fill(store, count, tell)
        filled_s = time.perf_counter() - begun
        with store.aside() as conn:
            if store.dialect == "postgresql":
                conn.exec_driver_sql("VACUUM ANALYZE")  # as a server that lives does by itself
            size = conn.exec_driver_sql(_SIZES[store.dialect]).scalar_one()
        figures = measure(store, count)
    finally:
        store.close()
    return {
        "store": store.dialect,
        "messages": count,
        "fill_s": round(filled_s, 1),
        "database_bytes": size,
        "questions": {name: dict(zip(_FIGURES, (round(ms, 1) for ms in each), strict=True)) for name, each in figures.items()},
    }


def _values(number: int) -> dict[str, Any]:
    """Message `number`, always the same."""
    drawn = random.Random(number)  # noqa: S311
    sender, recipient = (f"H32.{int(drawn.paretovariate(0.6)) % AGENCIES}" for _ in range(2))
    at = _START + timedelta(seconds=30 * number)
    own = f"{1 + number % 9_000}"
    title = f"{drawn.choice(_DOING)} {drawn.choice(_ABOUT)} tại {drawn.choice(_WHERE)} số {drawn.randrange(100_000)}"
    kind = drawn.choices(("document.new", "document.status", "document.recall"), (60, 39, 1))[0]
    state = drawn.choices(("delivered", "queued", "refused", "parked"), (9_700, 200, 95, 5))[0]
    return {
        "position": number,
        "at": at,
        "title": title,
        "kind": kind,
        "sender": sender,
        "recipients": [recipient],
        "principal": f"system-{sender}",
        "deliveries": [{"system": f"system-{recipient}"}],
        "state": state,
        "cause": "agency-refused" if state == "refused" else "",
        "document_id": f"{sender},{at:%Y/%m/%d},{own}/UBND-VP",
        "named": terms.named(own, "UBND-VP", [f"H32.{number % AGENCIES}-{at:%y%m%d}-{number % 10_000:04}"] if number % 3 == 0 else []),
        "warnings": "[]",
    }


def _insert(conn: Connection, lot: list[dict[str, Any]]) -> None:
    conn.execute(messages.insert(), [_message(one) for one in lot])
    conn.execute(deliveries.insert(), [_delivery(one) for one in lot])
    rows = [{"position": one["position"], "terms": terms.terms_of(one)} for one in lot]
    conn.execute(search.insert(), rows)
    if conn.dialect.name == "sqlite":
        conn.execute(text("INSERT INTO search_terms(rowid, terms) VALUES (:position, :terms)"), rows)


def _message(one: Mapping[str, Any]) -> dict[str, Any]:
    at, key = rfc3339(one["at"]), index_key(one["document_id"])
    texts = dict.fromkeys(("status_code", "priority", "paper", "charset"), "")
    return {
        **{name: one[name] for name in ("principal", "kind", "sender", "document_id", "title", "warnings")},
        **texts,
        "id": UUID(int=one["position"] + 1),
        "sender_key": AgencyCode.of(one["sender"]).key,
        "document_key": key,
        "subject": one["document_id"],
        "subject_key": key,
        "natural_id": key,
        "fingerprint": key,
        "raw_digest": bytes.fromhex(key),
        "size": 20_000,
        "content_type": "application/xml",
        "protocol": "rest",
        "received_at": at,
        "accepted_at": at,
        "index": one["position"],
        "verdict": "{}",
        "receipt": b"{}",
        "second_route_of": None,
        "about": None,
    }


def _delivery(one: Mapping[str, Any]) -> dict[str, Any]:
    at, recipient = rfc3339(one["at"]), one["recipients"][0]
    own = UUID(int=one["position"] + 1)
    return {
        **dict.fromkeys(("lease_until", "detail", "remote_id"), ""),
        "id": own,
        "carrier_id": own,
        "message_id": own,
        "recipient": recipient,
        "recipient_key": AgencyCode.of(recipient).key,
        "system": one["deliveries"][0]["system"],
        "state": one["state"],
        "attempt": 1,
        "due_at": at,
        "order_key": index_key(recipient, one["document_id"]),
        "sequence": one["position"],
        "cause": one["cause"],
        "updated_at": at,
    }


def _viewer(one: Mapping[str, Any]) -> Viewer:
    return Viewer(one["principal"], (AgencyCode.of(one["sender"]).key,))


_Question = tuple[dict[str, str], Viewer | None]
_QUESTIONS: Mapping[str, Callable[[Mapping[str, Any]], _Question]] = {
    "number": lambda one: ({"number": one["named"]["number"]}, None),
    "number and notation": lambda one: ({"number": f"{one['named']['number']}/UBND-VP"}, None),
    "DocumentId": lambda one: ({"document_id": one["document_id"]}, None),
    "dossier": lambda one: ({"dossier": (one["named"]["dossiers"] or ["H32.1-250101-0000"])[0]}, None),
    "agency": lambda one: ({"agency": one["sender"]}, None),
    "kind": lambda one: ({"kind": one["kind"]}, None),
    "state": lambda one: ({"state": one["state"]}, None),
    "code": lambda one: ({"code": "agency-refused"}, None),
    "a day": lambda one: ({"since": f"{one['at']:%Y-%m-%d}", "until": f"{one['at']:%Y-%m-%d}"}, None),
    "common words": lambda one: ({"q": " ".join(one["title"].split()[:2])}, None),
    "all words": lambda one: ({"q": one["title"]}, None),
    "agency and words": lambda one: ({"agency": one["sender"], "q": one["title"].split()[1]}, None),
    "agency, kind and a day": lambda one: (
        {"agency": one["sender"], "kind": one["kind"], "since": f"{one['at']:%Y-%m-%d}", "until": f"{one['at']:%Y-%m-%d}"},
        None,
    ),
    "parked, of an agency": lambda one: ({"state": "parked", "agency": one["sender"]}, None),
    "a system's own": lambda one: ({}, _viewer(one)),
    "a system's own, by words": lambda one: ({"q": one["title"].split()[1]}, _viewer(one)),
    "recipient": lambda one: ({"recipient": one["recipients"][0]}, None),
    "sender and recipient": lambda one: ({"sender": one["sender"], "recipient": one["recipients"][0]}, None),
    "all of these and words": lambda one: (
        {"sender": one["sender"], "recipient": one["recipients"][0], "q": one["title"].split()[1], "state": "refused"},
        None,
    ),
    "words that never meet": lambda one: ({"q": "Báo cáo Quyết định"}, None),
    "a state and a code that never meet": lambda one: ({"state": "delivered", "code": "agency-refused"}, None),
    "refused, of an agency, long ago": lambda one: (
        {"state": "refused", "agency": one["sender"], "since": "2025-01-05", "until": "2025-01-20"},
        None,
    ),
    "a day and a word": lambda one: (
        {"q": one["title"].split()[1], "since": f"{one['at']:%Y-%m-%d}", "until": f"{one['at']:%Y-%m-%d}"},
        None,
    ),
    "a page far down": lambda one: ({"before": str(one["position"])}, None),
    "a page of 500": lambda one: ({"q": one["title"].split()[1], "limit": "500"}, None),
    "a system's own, refused": lambda one: ({"state": "refused"}, _viewer(one)),
    "a system's own, by code": lambda one: ({"code": "agency-refused"}, _viewer(one)),
    "a system's own, of a day": lambda one: ({"since": f"{one['at']:%Y-%m-%d}", "until": f"{one['at']:%Y-%m-%d}"}, _viewer(one)),
}
