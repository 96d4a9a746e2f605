"""Ports on loopback that stay free until a process of the demo takes them, and again while it is down.

A port that the kernel picked may be given to anybody's next connection as soon as it is let go. One below the range of such ports
(ip(7), ``ip_local_port_range``) goes only to who asks for it by number.
"""

from __future__ import annotations

import secrets
import socket
from pathlib import Path

from hub.demo.children import ChildFailed

HOST = "127.0.0.1"
_LOWEST = 10_240
_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")
_TRIES = 50


def free_port(wanted: int = 0) -> int:
    """`wanted`, or any free one for 0. Raises `ChildFailed` if it is taken."""
    lowest_of_kernel = _lowest_of_kernel()
    if wanted == 0 and lowest_of_kernel > _LOWEST:
        for _ in range(_TRIES):
            port = _LOWEST + secrets.randbelow(lowest_of_kernel - _LOWEST)
            if _bound(port) == port:
                return port
    port = _bound(wanted)
    if port == 0:
        raise ChildFailed(f"{HOST}:{wanted}: the address is in use or not ours to take")
    return port


def _bound(port: int) -> int:
    """The port that `port` led to, let go again; 0 if it cannot be had."""
    try:
        with socket.create_server((HOST, port)) as listener:
            return int(listener.getsockname()[1])
    except OSError:
        return 0


def _lowest_of_kernel() -> int:
    try:
        return int(_RANGE.read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return 0
