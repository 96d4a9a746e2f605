"""`kill -9` under load: whatever was acknowledged is there after the restart, is delivered once, and the journal proves itself."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, TextIO

import pytest
import urllib3

from hub.access import new_api_key
from hub.keys import Keyring
from tests.packets import document

SENDER, BY_REST, BY_MAILBOX = "H32.01", "H32.02", "H32.03"
ROUNDS = 3
SENDERS = 4


@dataclass
class Receiver:
    """A system that takes packets over REST and recognises repetitions by their key, as a real one does."""

    seen: Counter[str] = field(default_factory=Counter)  # key → how often it came
    documents: dict[str, bytes] = field(default_factory=dict)  # key → bytes
    lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, key: str, body: bytes) -> bool:
        with self.lock:
            self.seen[key] += 1
            return self.documents.setdefault(key, body) == body


@contextmanager
def receiving() -> Iterator[tuple[Receiver, str]]:
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            body = self.rfile.read(length)
            if len(body) < length:  # the hub died half-way: nothing has arrived
                self.close_connection = True
                return
            answer = b'{"id": "r"}' if receiver.take(self.headers["Idempotency-Key"], body) else b""
            self.send_response(200 if answer else 500)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: Any) -> None:
            return

    class Server(ThreadingHTTPServer):
        def handle_error(self, request: Any, client_address: Any) -> None:
            """A killed hub hangs up in the middle; that is the point."""

    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield receiver, f"http://127.0.0.1:{server.server_address[1]}/documents"
    server.shutdown()
    server.server_close()
    thread.join()


@dataclass
class Serving:
    process: subprocess.Popen[str]
    url: str


def serve(home: Path) -> Serving:
    with (home / "log").open("a") as log:
        process = _start(home, log)
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, (home / "log").read_text()
    return Serving(process, json.loads(line)["url"])


def _start(home: Path, log: TextIO) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "hub.cli", "serve", "--home", str(home), "--listen", "127.0.0.1:0"],
        stdout=subprocess.PIPE,
        stderr=log,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )


def kill(serving: Serving) -> None:
    serving.process.send_signal(signal.SIGKILL)
    serving.process.wait()
    if serving.process.stdout is not None:
        serving.process.stdout.close()


def end(serving: Serving) -> None:
    serving.process.terminate()
    assert serving.process.wait(100) == 0
    if serving.process.stdout is not None:
        serving.process.stdout.close()


@pytest.fixture
def home(tmp_path: Path) -> Iterator[tuple[Path, Receiver, dict[str, str]]]:
    with receiving() as (receiver, url):
        (tmp_path / "systems").mkdir()
        (tmp_path / "trust").mkdir()
        keys = {}
        retry = "[delivery.retry]\nbase_s = 0.1\nmax_s = 0.5\nopen_s = 0.5\n"
        delivery = f'kind = "rest"\n{retry}[delivery.settings]\nurl = "{url}"\nidempotency = "key"\n'
        for name, agency, how in (("a", SENDER, ""), ("b", BY_REST, delivery), ("c", BY_MAILBOX, "")):
            text, key = new_api_key()
            keys[name] = text
            profile = f'agencies = ["{agency}"]\n[access]\nkeys = [{{ id = "{key.id}", sha256 = "{key.sha256}" }}]\n'
            (tmp_path / "systems" / f"{name}.toml").write_text(profile + (f"[delivery]\n{how}" if how else ""), "utf-8")
        (tmp_path / "hub.toml").write_text("sweep_s = 0.2\n", "utf-8")
        Keyring.init(tmp_path / "keys")
        yield tmp_path, receiver, keys


@dataclass
class Load:
    """Senders that never stop, and what they were told is safe."""

    acknowledged: dict[int, bytes] = field(default_factory=dict)  # number of the document → packet
    numbers: Iterator[int] = field(default_factory=lambda: iter(range(1_000_000)))
    lock: threading.Lock = field(default_factory=threading.Lock)

    def next(self) -> int:
        with self.lock:
            return next(self.numbers)


def send(load: Load, url: str, key: str, stop: threading.Event) -> None:
    pool = urllib3.PoolManager(retries=False, timeout=10)
    while not stop.is_set():
        number = load.next()
        packet = document(SENDER, (BY_REST, BY_MAILBOX), document_id=f"{SENDER},2026/03/02,{number}/X")
        try:
            answer = pool.request("POST", f"{url}/api/v1/messages", body=packet, headers=headers(key))
        except urllib3.exceptions.HTTPError:
            return
        if answer.status in (200, 201):
            load.acknowledged[number] = packet


def headers(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}", "Content-Type": "application/xml"}


def inbox(url: str, key: str) -> list[dict[str, Any]]:
    pool = urllib3.PoolManager(retries=False, timeout=10)
    items: list[dict[str, Any]] = []
    after = 0
    while True:
        page = pool.request("GET", f"{url}/api/v1/inbox?limit=500&after={after}", headers=headers(key)).json()
        items += page["items"]
        after = page["next"]
        if not after:
            return items


def test_what_was_acknowledged_survives_kill_9_and_is_delivered_once(home: tuple[Path, Receiver, dict[str, str]]) -> None:
    folder, receiver, keys = home
    load = Load()
    for round_number in range(ROUNDS):
        serving, stop = serve(folder), threading.Event()
        threads = [threading.Thread(target=send, args=(load, serving.url, keys["a"], stop)) for _ in range(SENDERS)]
        for thread in threads:
            thread.start()
        time.sleep(0.7 + 0.37 * round_number)  # somewhere in the middle of it
        kill(serving)
        stop.set()
        for thread in threads:
            thread.join()
    assert len(load.acknowledged) > 50, "the load was too light to mean anything"

    serving = serve(folder)
    wanted = set(load.acknowledged.values())
    until = time.monotonic() + 60
    while time.monotonic() < until and not wanted <= set(receiver.documents.values()):
        time.sleep(0.2)
    assert wanted <= set(receiver.documents.values()), "an acknowledged message was lost"
    per_document = Counter(receiver.documents.values())
    assert max(per_document.values()) == 1, "one message reached the receiver under two keys"
    waiting = Counter(item["document_id"] for item in inbox(serving.url, keys["c"]))
    assert {f"{SENDER},2026/03/02,{number}/X" for number in load.acknowledged} <= set(waiting)
    assert max(waiting.values()) == 1
    end(serving)

    fsck = [sys.executable, "-m", "hub.cli", "log", "fsck", "--home", str(folder)]
    proof = subprocess.run(fsck, check=False, capture_output=True, text=True)
    assert proof.returncode == 0, proof.stdout + proof.stderr


def test_a_repetition_after_the_crash_gets_a_receipt_and_has_no_second_effect(home: tuple[Path, Receiver, dict[str, str]]) -> None:
    """The sender whose connection died does not know; it sends again, and either way there is one message."""
    folder, _, keys = home
    pool = urllib3.PoolManager(retries=False, timeout=10)
    packet = document(SENDER, (BY_MAILBOX,))
    serving = serve(folder)
    first = pool.request("POST", f"{serving.url}/api/v1/messages", body=packet, headers=headers(keys["a"]))
    kill(serving)
    serving = serve(folder)
    again = pool.request("POST", f"{serving.url}/api/v1/messages", body=packet, headers=headers(keys["a"]))
    assert (first.status, again.status) == (201, 200)
    assert again.data == first.data
    assert len(inbox(serving.url, keys["c"])) == 1
    end(serving)
