"""The command line that all simulators share, and their life: say ``{"ready": true, "port": …}``, serve, end on SIGTERM or SIGINT."""

from __future__ import annotations

import argparse
import json
import signal
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from adapters.systems.answers import Answering, AnsweringThread
from adapters.systems.client import HubClient
from adapters.systems.face import Desk, Serve, serve
from adapters.systems.ledger import Ledger
from schemas.edxml.names import STATUS_CODES


def now() -> datetime:
    """The clock; a simulator is a program of its own, so this is its edge."""
    return datetime.now(UTC)


def parser(name: str, what: str) -> argparse.ArgumentParser:
    """The options that every simulator has."""
    options = argparse.ArgumentParser(prog=f"python -m adapters.systems.{name}.simulator", description=what)
    options.add_argument("--port", type=int, default=0, help="port on 127.0.0.1; 0 takes a free one")
    options.add_argument("--folder", type=Path, required=True, help="where received packets are kept")
    options.add_argument("--agency", default="", help="the system's own OrganId, for statuses")
    options.add_argument("--token", default="", help="credential that the hub must show; empty accepts anyone")
    options.add_argument("--hub", default="", help="base URL of the hub, to send to it")
    options.add_argument("--key", default="", help="API key keyid.secret for the hub")
    options.add_argument("--answer", type=_codes, default=(), help="statuses to answer a document with, e.g. 01,03,06")
    options.add_argument("--answer-pause", type=float, default=0.0, help="seconds before each of them")
    return options


def open_desk(options: argparse.Namespace) -> Desk:
    """The desk that the options describe, not yet answering."""
    hub = HubClient(options.hub, options.key) if options.hub else None
    return Desk(Ledger(options.folder, now), hub)


def run(desk: Desk, own: Callable[[int], Serve], options: argparse.Namespace) -> None:
    """Serve until told to stop. `own` is given the port."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    answers = _answers(desk, options)
    server = serve(desk, own, options.port)
    port = int(server.server_address[1])
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
    thread.start()
    print(json.dumps({"ready": True, "port": port}), flush=True)  # whoever started us waits for this line
    stop.wait()
    desk.stopped.set()
    server.shutdown()
    server.server_close()
    if answers is not None:
        answers.stop()


def _answers(desk: Desk, options: argparse.Namespace) -> AnsweringThread | None:
    if desk.hub is None or not options.agency or not options.answer:
        return None
    answers = AnsweringThread(desk.hub, Answering(options.agency, options.answer, pause_s=options.answer_pause), now)
    desk.on_arrival = answers.arrived
    answers.start()
    return answers


def _codes(text: str) -> tuple[str, ...]:
    codes = tuple(code.strip() for code in text.split(",") if code.strip())
    unknown = [code for code in codes if code not in STATUS_CODES]
    if unknown:
        raise argparse.ArgumentTypeError(f"unknown status {', '.join(unknown)}; known are {', '.join(STATUS_CODES)}")
    return codes
