"""The HTTP side of a simulator: its own protocol, and beside it loopback end points to look inside and to give it a bad day.

======================== ==========================================================================================
``GET /received``        what arrived: key, message_id, document_id, kind, sha256, at, times_seen
``GET /packets/<sha256>``  one packet, byte for byte
``POST /mode``           ``{"mode": …}``: how it behaves from now on (`Mode`)
``POST /send``           hand the body to the hub as this system; ``Idempotency-Key`` goes with it
======================== ==========================================================================================
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from adapters.systems.client import Hub
from adapters.systems.ledger import Arrival, Book
from schemas.errors import HubError

MAX_BODY_BYTES = 96 * 1024 * 1024  # 50 MB in base64 with its envelope
_SHA256_CHARS = 64


class Mode(StrEnum):
    """How a simulator behaves."""

    UP = "up"
    BUSY = "busy"  # asks for patience, takes nothing
    REFUSE = "refuse"  # says no
    SILENT = "silent"  # accepts connections, never answers
    LOST = "lost"  # takes the packet, then hangs up without a word


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request. Header names in lower case."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Reply:
    """One HTTP answer."""

    status: int
    body: bytes = b""
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, status: int, document: Any) -> Reply:
        """`document` as JSON."""
        return cls(status, json.dumps(document, ensure_ascii=False).encode())


@dataclass(slots=True)
class Desk:
    """Where packets come in, whatever the protocol: the book, the mode, and who is told of a new arrival."""

    ledger: Book
    hub: Hub | None = None
    on_arrival: Callable[[Arrival, bytes], None] | None = None
    mode: Mode = Mode.UP
    stopped: threading.Event = field(default_factory=threading.Event)

    def take(self, key: str, packet: bytes, **about: str) -> Arrival:
        """Enter the packet and, if it is new, have it answered."""
        arrival = self.ledger.enter(key, packet, **about)
        if arrival.times_seen == 1 and self.on_arrival is not None:
            self.on_arrival(arrival, packet)
        return arrival


Serve = Callable[[Request], Reply | None]
"""A system's own protocol: the answer, or None to hang up without one."""


def exchange(desk: Desk, own: Serve) -> type[BaseHTTPRequestHandler]:
    """The HTTP side of one connection: what http.server makes for each."""

    class Exchange(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 120
        disable_nagle_algorithm = True

        def log_message(self, format: str, *args: Any) -> None:  # http.server's name for it
            pass

        def do_GET(self) -> None:
            self._answer(b"")

        def do_POST(self) -> None:
            length = self.headers.get("Content-Length", "")
            if not length.isascii() or not length.isdigit() or int(length) > MAX_BODY_BYTES:
                self.close_connection = True
                self._write(Reply.of(411 if not length else 413, {"error": "Content-Length"}))
                return
            self._answer(self.rfile.read(int(length)))

        def _answer(self, body: bytes) -> None:
            parts = urlsplit(self.path)
            headers = {name.lower(): value for name, value in self.headers.items()}
            request = Request(self.command, parts.path, parts.query, headers, body)
            reply = _inspect(desk, request) or _in_mode(desk, own, request)
            if reply is None:
                self.close_connection = True
            else:
                self._write(reply)

        def _write(self, reply: Reply) -> None:
            self.send_response(reply.status)
            for name, value in {"Content-Type": reply.content_type, "Content-Length": str(len(reply.body)), **reply.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(reply.body)

    return Exchange


def serve(desk: Desk, own: Callable[[int], Serve], port: int) -> ThreadingHTTPServer:
    """A server on loopback that listens but does not serve yet: run ``serve_forever`` in a thread. `own` is given its port."""
    protocol: list[Serve] = []

    def answer(request: Request) -> Reply | None:
        return protocol[0](request)

    server = ThreadingHTTPServer(("127.0.0.1", port), exchange(desk, answer))
    server.daemon_threads = True
    protocol.append(own(int(server.server_address[1])))
    return server


def _in_mode(desk: Desk, own: Serve, request: Request) -> Reply | None:
    if desk.mode is Mode.SILENT and request.method == "POST":
        desk.stopped.wait()
        return None
    reply = own(request)
    return None if desk.mode is Mode.LOST and request.method == "POST" else reply


def _inspect(desk: Desk, request: Request) -> Reply | None:
    match request.method, request.path.strip("/").split("/"):
        case "GET", ["received"]:
            return Reply.of(200, [asdict(row) for row in desk.ledger.rows()])
        case "GET", ["packets", sha256] if len(sha256) == _SHA256_CHARS and sha256.isalnum():
            return Reply(200, desk.ledger.packet(sha256), "application/xml")
        case "POST", ["mode"]:
            return _set_mode(desk, request)
        case "POST", ["send"]:
            return _send(desk, request)
    return None


def _set_mode(desk: Desk, request: Request) -> Reply:
    try:
        desk.mode = Mode(json.loads(request.body)["mode"])
    except (ValueError, KeyError, TypeError):
        return Reply.of(400, {"error": "mode", "expected": [str(mode) for mode in Mode]})
    return Reply.of(200, {"mode": desk.mode})


def _send(desk: Desk, request: Request) -> Reply:
    if desk.hub is None:
        return Reply.of(409, {"error": "started without a way to the hub"})
    try:
        answer = desk.hub.send(request.body, request.headers.get("idempotency-key", ""))
    except HubError as fault:
        return Reply.of(502, fault.as_json())
    return Reply(answer.status, answer.body)
