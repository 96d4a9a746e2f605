"""What surrounds every request: a trace id, a bound on the headers, one structured log line. Pure ASGI.

No body, query, credential or header value is ever logged; a request is named by method, path, caller and trace id.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TextIO
from uuid import uuid4

import structlog
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.typing import FilteringBoundLogger

from schemas.errors import Refused, shown

_KEY = "lgsp.note"


@dataclass(slots=True)
class Note:
    """What is known about one request while it runs; the endpoints write it, the log line reads it."""

    trace_id: str  # 32 lower hex
    system: str = ""  # the authenticated caller
    named: str = ""  # the system whose key id was given, rightly or not
    code: str = ""  # of the error it was answered with
    message_id: str = ""


def note_of(scope: Scope) -> Note:
    """The note of this request; made on first use."""
    if _KEY not in scope:
        scope[_KEY] = Note(uuid4().hex)
    note: Note = scope[_KEY]
    return note


def request_log(stream: TextIO) -> FilteringBoundLogger:
    """A logger that writes one JSON object per line to `stream`, without touching structlog's global settings."""
    log: FilteringBoundLogger = structlog.wrap_logger(
        structlog.WriteLogger(stream),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(20),
        cache_logger_on_first_use=True,
    )
    return log


@dataclass(frozen=True, slots=True)
class Traced:
    """ASGI middleware: numbers the request, returns `X-Trace-Id`, logs how it ended."""

    app: ASGIApp
    log: FilteringBoundLogger
    refused: Callable[[str, str, str], None]  # told of every call that ends with an error: code, system, address

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request; other ASGI scopes pass untouched."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        note, started, status = note_of(scope), time.perf_counter(), 0

        async def traced_send(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                _mark(MutableHeaders(scope=message), note.trace_id)
            await send(message)

        try:
            await self.app(scope, receive, traced_send)
        finally:
            self._log(scope, note, status, time.perf_counter() - started)
            if note.code:
                self.refused(note.code, note.named, str((scope.get("client") or ("unknown",))[0]))

    def _log(self, scope: Scope, note: Note, status: int, seconds: float) -> None:
        self.log.info(
            "request",
            trace_id=note.trace_id,
            method=shown(scope["method"]),
            path=shown(scope["path"]),
            status=status or 500,
            ms=round(seconds * 1000, 1),
            **{name: value for name, value in (("system", note.system), ("code", note.code), ("message_id", note.message_id)) if value},
        )


def check_header_size(scope: Scope, max_bytes: int) -> None:
    """Raises `Refused("headers-too-large")` when request line and headers together exceed `max_bytes`."""
    size = sum(len(name) + len(value) for name, value in _headers(scope)) + len(scope.get("raw_path", b"")) + len(scope["query_string"])
    if size > max_bytes:
        raise Refused("headers-too-large", got=f"{size} bytes", expected=f"at most {max_bytes} bytes")


def _headers(scope: Scope) -> Iterable[tuple[bytes, bytes]]:
    headers: Any = scope["headers"]
    return list(headers)


def _mark(headers: MutableHeaders, trace_id: str) -> None:
    headers["X-Trace-Id"] = trace_id
    headers["X-Content-Type-Options"] = "nosniff"
    headers.setdefault("Cache-Control", "no-store")
