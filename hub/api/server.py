"""How the HTTP server is set up for `build_app`, wherever it runs: `lgsp serve`, the demo, the tests."""

from __future__ import annotations

import uvicorn
from starlette.applications import Starlette
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MAX_HEAD_BYTES = 64 * 1024  # request line and headers; above `Limits.max_request_header_bytes`, so that callers mostly get a clear answer
GRACE_S = 20  # for requests under way when the server is asked to stop


class BoundedHttp(HttpToolsProtocol):
    """uvicorn's protocol with a bound on the request line and headers: its parser collects them without one."""

    _in_head = True
    _head_bytes = 0  # of the head that is arriving; a piece that also ends the message before it is not counted

    def data_received(self, data: bytes) -> None:
        """Bytes from the socket; the connection ends when a head does not."""
        self._head_bytes += len(data) if self._in_head else 0
        super().data_received(data)
        if self._in_head and self._head_bytes > MAX_HEAD_BYTES and not self.transport.is_closing():
            self.send_400_response("Request head too large.")

    def on_headers_complete(self) -> None:
        """The head is complete; what follows is a body, which the endpoints bound."""
        self._in_head = False
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The next bytes are a head again."""
        self._in_head, self._head_bytes = True, 0
        super().on_message_complete()


def server(app: Starlette) -> uvicorn.Server:
    """A server for `app`: `.run(sockets=[listener])` blocks until a signal, or until `.should_exit` is set from another thread."""
    config = uvicorn.Config(
        app,
        http=BoundedHttp,
        ws="none",
        lifespan="off",  # whoever opened the hub starts and stops it
        log_config=None,
        access_log=False,  # `hub.api.trace` logs requests
        server_header=False,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=GRACE_S,
    )
    return uvicorn.Server(config)
