"""One attempt to talk to another system: how long it may take, and whether anything has been sent yet.

A socket's own time-out bounds one read, so a peer that trickles a byte a second can hold it for ever. An `Attempt` bounds the whole:
at its end every socket it watches is shut down, and whatever waits on them returns. It works below TLS and below any client library.
"""

from __future__ import annotations

import os
import socket
import threading
from contextlib import suppress
from contextvars import ContextVar, Token
from time import monotonic
from types import TracebackType

_MIN_WAIT_S = 0.001  # a socket time-out of 0 would mean "do not block"


class Attempt:
    """Use as ``with Attempt(timeout_s) as attempt``; inside, `current()` gives it to code that a library calls back.

    `sent` says whether a byte of the request may have reached the other side: before that a failure means "surely not arrived".
    """

    def __init__(self, timeout_s: float) -> None:
        self.sent = False
        self._end = monotonic() + timeout_s
        self._timer = threading.Timer(timeout_s, self._expire)
        self._timer.daemon = True
        self._lock = threading.Lock()
        self._watched: list[socket.socket] = []
        self._expired = False
        self._token: Token[Attempt | None] | None = None

    @property
    def expired(self) -> bool:
        """Whether time has run out, so that what was read may have been cut."""
        return self._expired or monotonic() >= self._end

    def remaining_s(self) -> float:
        """Seconds left, never 0 or less."""
        return max(self._end - monotonic(), _MIN_WAIT_S)

    def watch(self, sock: socket.socket) -> None:
        """Shut `sock` down when time runs out. A duplicate descriptor is kept: wrapping `sock` in TLS takes the original away."""
        copy = socket.socket(sock.family, sock.type, sock.proto, fileno=os.dup(sock.fileno()))  # a TLS socket has no dup() of its own
        with self._lock:
            self._watched.append(copy)
            if self._expired:
                _shut(copy)

    def _expire(self) -> None:
        with self._lock:
            self._expired = True
            for sock in self._watched:
                _shut(sock)

    def __enter__(self) -> Attempt:
        self._timer.start()
        self._token = _CURRENT.set(self)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._timer.cancel()
        if self._token is not None:
            _CURRENT.reset(self._token)
        with self._lock:
            for sock in self._watched:
                sock.close()
            self._watched.clear()


_CURRENT: ContextVar[Attempt | None] = ContextVar("attempt", default=None)


def current() -> Attempt:
    """The attempt under way in this thread."""
    attempt = _CURRENT.get()
    if attempt is None:
        raise RuntimeError("a connection was opened outside an Attempt")
    return attempt


def _shut(sock: socket.socket) -> None:
    with suppress(OSError):  # the peer was quicker
        sock.shutdown(socket.SHUT_RDWR)
