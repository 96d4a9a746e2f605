"""`lgsp serve` and `lgsp worker`: the hub as a process. Ends in order on SIGTERM and SIGINT."""

from __future__ import annotations

import json
import signal
import socket
import sys
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from hub.cli.home import DEFAULT_HOME, Home

if TYPE_CHECKING:
    from pathlib import Path

    from hub.node import Hub
    from hub.settings import Settings


def command(
    home: Home = DEFAULT_HOME,
    listen: Annotated[str, typer.Option(help="host:port, cổng 0 = cổng trống bất kỳ / port 0 = any free one")] = "",
    deliver: Annotated[bool, typer.Option(help="cũng chuyển đi; tắt khi chạy `lgsp worker` riêng / also deliver")] = True,
) -> None:
    """Chạy hub: REST, SOAP, AMQP vào; chuyển phát ra. / Run the hub."""
    from hub.api.app import build_app
    from hub.api.server import server
    from hub.node import open_hub

    settings = _settings(home, listen)
    _configure_logging()
    listener = listen_on(settings.listen)
    host, port = listener.getsockname()[:2]
    hub = open_hub(settings.model_copy(update={"listen": f"{host}:{port}"}), deliver=deliver)
    http = server(build_app(hub))
    _on_end(lambda: setattr(http, "should_exit", True))
    try:
        hub.start()
        _announce(hub, f"http://{host}:{port}")
        http.run(sockets=[listener])
    finally:
        hub.stop()


def worker(home: Home = DEFAULT_HOME) -> None:
    """Chỉ chuyển phát, không mở cổng (PostgreSQL, nhiều tiến trình). / Deliver only, on a shared PostgreSQL store."""
    from hub.node import open_hub

    settings = _settings(home, "")
    _configure_logging()
    hub = open_hub(settings)
    ended = threading.Event()
    _on_end(ended.set)
    try:
        hub.start()
        _announce(hub, "")
        ended.wait()
    finally:
        hub.stop()


def _on_end(end: Callable[[], object]) -> None:
    """SIGTERM and SIGINT end in order. uvicorn raises them once more when it is done; a default handler would kill the hub before it has
    stopped."""
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: end())


def _settings(home: Path, listen: str) -> Settings:
    from hub.settings import load_settings

    settings = load_settings(home)
    return settings.model_copy(update={"listen": listen}) if listen else settings


def listen_on(place: str) -> socket.socket:
    """A listener at ``host:port``. Bound before anything else is opened: a port that is taken is told at once, without side effects."""
    from schemas.errors import Halted

    host, _, port = place.rpartition(":")
    try:
        listener = socket.create_server((host, int(port)), backlog=512, reuse_port=False)
    except (OSError, ValueError, OverflowError) as fault:
        raise Halted("settings-invalid", got=f"listen = {place}: {fault}", expected="a free address of this machine") from fault
    listener.set_inheritable(True)
    return listener


def _announce(hub: Hub, url: str) -> None:
    """One JSON line for whoever started the process; people read the log."""
    print(json.dumps({"ready": True, "url": url, "origin": hub.settings.origin, "systems": sorted(hub.systems.by_name)}), flush=True)


def _configure_logging() -> None:
    import structlog

    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
