"""urllib3 connections that go only where the egress policy lets them, and live only as long as the `Attempt` under way."""

from __future__ import annotations

import ssl
from typing import Any

from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from adapters.attempt import current
from adapters.egress import EgressPolicy

_IDLE_CONNECTIONS = 8  # kept per system; a delivery beyond them opens its own


def connection_pool(
    scheme: str, host: str, port: int, *, egress: EgressPolicy, connect_timeout_s: float, tls: ssl.SSLContext | None = None
) -> HTTPConnectionPool:
    """A pool for one origin. `tls` is used where `scheme` is https; making it is dear, making a pool is not."""
    dial = _Dial(egress, connect_timeout_s)
    if scheme == "https":
        secure = HTTPSConnectionPool(host, port, maxsize=_IDLE_CONNECTIONS, ssl_context=tls, retries=False)
        secure.ConnectionCls = dial.secure()
        return secure
    plain = HTTPConnectionPool(host, port, maxsize=_IDLE_CONNECTIONS, retries=False)
    plain.ConnectionCls = dial.plain()
    return plain


class _Dial:
    """Makes connection classes bound to one policy: urllib3 takes a class, and builds it with its own arguments."""

    def __init__(self, egress: EgressPolicy, connect_timeout_s: float) -> None:
        self._egress = egress
        self._connect_timeout_s = connect_timeout_s

    def plain(self) -> type[HTTPConnection]:
        dial = self

        class CheckedHttp(HTTPConnection):
            def _new_conn(self) -> Any:
                return dial.open(self)

            def send(self, data: Any) -> None:
                _before_send(self)
                super().send(data)

        return CheckedHttp

    def secure(self) -> type[HTTPSConnection]:
        dial = self

        class CheckedHttps(HTTPSConnection):
            def _new_conn(self) -> Any:
                return dial.open(self)

            def send(self, data: Any) -> None:
                _before_send(self)
                super().send(data)

        return CheckedHttps

    def open(self, connection: HTTPConnection) -> Any:
        """What urllib3's `_new_conn` does, through the policy and under the attempt."""
        attempt = current()
        port = connection.port or connection.default_port
        try:
            sock = self._egress.connect(connection.host, port, timeout_s=min(self._connect_timeout_s, attempt.remaining_s()))
        except TimeoutError as fault:
            raise ConnectTimeoutError(connection, str(fault)) from fault
        except OSError as fault:
            raise NewConnectionError(connection, str(fault)) from fault
        for option in connection.socket_options or ():
            sock.setsockopt(*option)
        sock.settimeout(attempt.remaining_s())  # a TLS handshake follows
        attempt.watch(sock)
        return sock


def _before_send(connection: HTTPConnection) -> None:
    """From here on bytes may arrive. A connection taken from the pool is put under the present attempt."""
    attempt = current()
    if connection.sock is None:
        connection.connect()
    elif not attempt.sent:
        attempt.watch(connection.sock)
    attempt.sent = True
    if connection.sock is not None:
        connection.sock.settimeout(attempt.remaining_s())  # or a large body would have only the time meant for connecting
