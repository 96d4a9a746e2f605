"""A port of loopback where nobody listens, and nobody will."""

from __future__ import annotations

import socket

_HELD: list[socket.socket] = []  # bound but not listening: refused to who connects, and not given to anybody else


def closed_port() -> int:
    """Stays closed until this process ends."""
    held = socket.socket()
    held.bind(("127.0.0.1", 0))
    _HELD.append(held)
    return int(held.getsockname()[1])
