"""Finding messages, as people and systems ask for it: named parameters of text become a question, rows become what may be shown."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from hub.access import EXCHANGE, Principal
from hub.persons import Person, Role
from hub.query import summary
from replay import search
from replay.search import Question, Viewer
from replay.store.engine import Store
from replay.store.tables import AnyRow
from schemas.errors import Refused, Violation, error
from schemas.message import VIETNAM, DeliveryState

DEFAULT_PAGE = 50
MAX_CHARS = 500  # of one parameter
TEXTS = ("q", "number", "document_id", "dossier", "agency", "sender", "recipient", "kind", "state", "code", "since", "until")
NUMBERS = ("limit", "before")
_NAMES = {"q": "words"}  # parameter → field of the question, where they differ
_CODE = re.compile(r"[a-z][a-z0-9-]{0,63}")
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_LARGEST = 2**53


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, and which page of its answer."""

    question: Question
    limit: int = DEFAULT_PAGE
    before: int | None = None


def asked(parameters: Mapping[str, str], viewer: Viewer | None) -> Asked:
    """The question in `parameters`. Raises `Refused("invalid-request")` with every violation; an unknown name is one, because leaving it
    out would find more than was asked for."""
    violations = [_wrong(name, "", f"one of {', '.join((*TEXTS, *NUMBERS))}") for name in parameters if name not in (*TEXTS, *NUMBERS)]
    values: dict[str, Any] = {}
    for name, text in parameters.items():
        read = _READ.get(name, _text)
        if name not in (*TEXTS, *NUMBERS):
            continue
        try:
            values[name] = read(text)
        except ValueError as fault:
            violations.append(_wrong(name, text, str(fault)))
    if violations:
        first = violations[0]
        raise Refused("invalid-request", got=f"{first.path} = {first.got}", expected=first.expected, violations=tuple(violations))
    limit, before = values.pop("limit", DEFAULT_PAGE), values.pop("before", None)
    return Asked(Question(**{_NAMES.get(name, name): value for name, value in values.items()}, viewer=viewer), limit, before)


def viewer_of(principal: Principal) -> Viewer:
    """A system finds what it brought, what its agencies sent, and what it gets a copy of. Raises `Refused("not-permitted")`."""
    principal.check_role(EXCHANGE)
    return Viewer(principal.system, tuple(code.key for code in principal.agencies))


def check_may_find(person: Person) -> None:
    """Raises `Refused("role-missing")` unless the person may see every message's summary."""
    person.check_role(Role.AUDITOR, Role.OPERATOR)


def found(store: Store, wanted: Asked) -> dict[str, Any]:
    """``{"items": […], "next": …}``: a page, newest first. `next` goes into `before`; it may be there although the page is not full, for
    a page costs no more than a bounded amount. Raises `Refused("invalid-request")`."""
    with store.read() as conn:
        page = search.find(conn, wanted.question, limit=wanted.limit, before=wanted.before)
        rows, copies = search.shown(conn, page.positions)
    return {"items": [_item(row, copies[row.id], wanted.question.viewer) for row in rows], "next": page.next}


def _item(row: AnyRow, copies: Any, viewer: Viewer | None) -> dict[str, Any]:
    mine = viewer is None or row.principal == viewer.system or row.sender_key in viewer.agencies
    seen = [copy for copy in copies if mine or (viewer is not None and copy.system == viewer.system)]
    return {
        "message_id": str(row.id),
        "index": row.position,
        "accepted_at": row.accepted_at,
        "kind": row.kind,
        "sender": row.sender,
        "document_id": row.document_id,
        "title": row.title,
        "state": summary([copy.state for copy in seen]),
        "copies": [{"recipient": copy.recipient, "state": copy.state, "cause": copy.cause} for copy in seen],
    }


def _text(text: str) -> str:
    if not text.strip() or len(text) > MAX_CHARS:
        raise ValueError(f"text of 1 to {MAX_CHARS} characters")
    return text


def _state(text: str) -> str:
    if text not in set(DeliveryState):
        raise ValueError(" | ".join(DeliveryState))
    return text


def _code(text: str) -> str:
    if not _CODE.fullmatch(text):
        raise ValueError("an error code, such as agency-unavailable")
    return text


def _since(text: str) -> datetime:
    return _moment(text, timedelta(0))


def _until(text: str) -> datetime:
    return _moment(text, timedelta(days=1))


def _moment(text: str, after_day: timedelta) -> datetime:
    """A time, or the beginning of a day in Vietnam; for `until` the end of it."""
    wanted = "a day (2026-11-22, in Vietnam) or a time with its zone (2026-11-22T08:00:00+07:00)"
    try:
        if _DAY.fullmatch(text) and "1900" < text[:4] < "9000":
            return datetime.combine(date.fromisoformat(text), time(), VIETNAM).astimezone(UTC) + after_day
        moment = datetime.fromisoformat(text.replace(" ", "+") if "T" in text else text)
        if moment.tzinfo is None or not 1900 < moment.year < 9000:
            raise ValueError(wanted)
        return moment.astimezone(UTC)
    except (ValueError, OverflowError) as fault:
        raise ValueError(wanted) from fault


def _limit(text: str) -> int:
    return _whole(text, 1, search.MAX_PAGE)


def _before(text: str) -> int:
    return _whole(text, 0, _LARGEST)


def _whole(text: str, least: int, most: int) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 16) or not least <= int(text) <= most:
        raise ValueError(f"a whole number from {least} to {most}")
    return int(text)


_READ: Mapping[str, Callable[[str], Any]] = {
    "state": _state,
    "code": _code,
    "since": _since,
    "until": _until,
    "limit": _limit,
    "before": _before,
}


def _wrong(name: str, got: str, expected: str) -> Violation:
    return error("parameter-invalid", path=f"query {name}", got=got, expected=expected)
