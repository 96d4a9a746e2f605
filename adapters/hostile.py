"""A server that behaves as badly as a named way says, for tests of adapters. It speaks raw sockets, so nothing tidies up after it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from types import TracebackType

_OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
_PAUSE_S = 0.05


class HostileServer:
    """``with HostileServer("endless body") as server: … server.url``. `BEHAVIOURS` names them all; `requests` counts connections."""

    def __init__(self, behaviour: str) -> None:
        self._behave = BEHAVIOURS[behaviour]
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []
        self._open: list[socket.socket] = []
        self.requests = 0

    @property
    def port(self) -> int:
        """Where it listens, on loopback."""
        return int(self._listener.getsockname()[1])

    @property
    def url(self) -> str:
        """The address to send to."""
        return f"http://127.0.0.1:{self.port}/documents"

    def __enter__(self) -> HostileServer:
        self._start(self._accept)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stop.set()
        for sock in (self._listener, *self._open):
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(5)
        for sock in (self._listener, *self._open):
            sock.close()

    def _start(self, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._stop.is_set():
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            self.requests += 1
            self._open.append(sock)
            self._start(lambda sock=sock: self._serve(sock))  # type: ignore[misc]

    def _serve(self, sock: socket.socket) -> None:
        with suppress(OSError):
            self._behave(sock, self._stop)
        with suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)


def _read_request(sock: socket.socket) -> bytes:
    """Headers and body by Content-Length, so that closing afterwards resets nothing."""
    data = b""
    while b"\r\n\r\n" not in data:
        got = sock.recv(65_536)
        if not got:
            return data
        data += got
    head, _, body = data.partition(b"\r\n\r\n")
    length = next((int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0)
    missing = length - len(body)
    while missing > 0 and (got := sock.recv(65_536)):
        missing -= len(got)
    return data


def _silent(sock: socket.socket, stop: threading.Event) -> None:
    _read_request(sock)
    stop.wait()


def _never_reads(sock: socket.socket, stop: threading.Event) -> None:
    stop.wait()


def _trickle(prefix: bytes, byte: bytes) -> Callable[[socket.socket, threading.Event], None]:
    def behave(sock: socket.socket, stop: threading.Event) -> None:
        _read_request(sock)
        sock.sendall(prefix)
        while not stop.wait(_PAUSE_S):
            sock.sendall(byte)

    return behave


def _answer(*parts: bytes) -> Callable[[socket.socket, threading.Event], None]:
    def behave(sock: socket.socket, stop: threading.Event) -> None:
        _read_request(sock)
        for part in parts:
            sock.sendall(part)

    return behave


def _flood(prefix: bytes, block: bytes) -> Callable[[socket.socket, threading.Event], None]:
    def behave(sock: socket.socket, stop: threading.Event) -> None:
        _read_request(sock)
        sock.sendall(prefix)
        while not stop.is_set():
            sock.sendall(block)

    return behave


def _echo(sock: socket.socket, stop: threading.Event) -> None:
    request = _read_request(sock).partition(b"\r\n\r\n")[0]
    sock.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % len(request) + request)


def _reset(sock: socket.socket, stop: threading.Event) -> None:
    _read_request(sock)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
    sock.close()


_PAGE = b"<html><body>Service temporarily unavailable</body></html>"

BEHAVIOURS: Mapping[str, Callable[[socket.socket, threading.Event], None]] = {
    "silent": _silent,
    "never reads": _never_reads,
    "trickled status line": _trickle(b"HTTP/1.1 2", b"0"),
    "trickled headers": _trickle(_OK + b"X-Slow: ", b"a"),
    "trickled body": _trickle(_OK + b"Content-Length: 60000\r\n\r\n", b" "),
    "trickled body without length": _trickle(_OK + b"Connection: close\r\n\r\n", b" "),
    "trickled chunks": _trickle(_OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\na\r\n"),
    "endless body": _flood(_OK + b"Connection: close\r\n\r\n", b" " * 65_536),
    "endless chunks": _flood(_OK + b"Transfer-Encoding: chunked\r\n\r\n", b"10\r\n" + b" " * 16 + b"\r\n"),
    "endless 100-continue": _trickle(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "endless headers": _flood(_OK, b"X-More: 1\r\n"),
    "huge header": _answer(_OK + b"X-Huge: " + b"a" * 1_000_000 + b"\r\n\r\n"),
    "closes before answering": _answer(),
    "resets before answering": _reset,
    "half an answer": _answer(_OK + b'Content-Length: 1000\r\n\r\n{"id": "'),
    "broken chunks": _answer(_OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n"),
    "not http": _answer(b"220 mail.example.vn ESMTP\r\n" * 3),
    "binary garbage": _answer(bytes(range(256)) * 8),
    "impossible length": _answer(_OK + b"Content-Length: -5\r\n\r\n"),
    "redirect": _answer(b"HTTP/1.1 307 Temporary Redirect\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n"),
    "error page with status 200": _answer(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n" % len(_PAGE), _PAGE),
    "gzip that was not asked for": _answer(_OK + b"Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\x1f\x8b\x08\x00"),
    "repeats what it was sent": _echo,
}
