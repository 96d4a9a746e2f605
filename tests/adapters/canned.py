"""A real HTTP server that gives one answer to everything and remembers what it was asked."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Server:
    """Answers what it is told and remembers what it was asked."""

    status: int = 200
    body: bytes = b'{"id": "R-1", "status": "OK", "n": 0, "ok": true, "deep": {"list": [{"id": "x"}]}}'
    content_type: str = "application/json"
    headers: list[Mapping[str, str]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    connections: set[int] = field(default_factory=set)
    port: int = 0
    clings: bool = False  # keeps the connection open even where the request says "Connection: close"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/in?a=b"


@contextmanager
def serving(server: Server) -> Iterator[Server]:
    class Exchange(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def log_message(self, format: str, *args: Any) -> None:
            pass

        def do_POST(self) -> None:
            self._remember()
            server.bodies.append(self.rfile.read(int(self.headers.get("Content-Length") or 0)))
            self._answer()

        def do_GET(self) -> None:
            self._remember()
            self._answer()

        def _remember(self) -> None:
            pseudo = {":path": self.path, ":method": self.command}
            server.headers.append({name.lower(): value for name, value in self.headers.items()} | pseudo)
            server.connections.add(self.client_address[1])

        def _answer(self) -> None:
            self.send_response(server.status)
            if server.status != 204:
                self.send_header("Content-Type", server.content_type)
                self.send_header("Content-Length", str(len(server.body)))
            self.end_headers()
            self.close_connection = self.close_connection and not server.clings
            if server.status != 204:
                self.wfile.write(server.body)

    http = ThreadingHTTPServer(("127.0.0.1", 0), Exchange)
    http.daemon_threads = True
    server.port = int(http.server_address[1])
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        http.shutdown()
        http.server_close()
