"""A real hub behind a real server on a free port, and the smallest client that can speak to it."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import urllib3
from starlette.applications import Starlette

from hub.access import new_api_key
from hub.api.app import build_app
from hub.api.server import server
from hub.keys import Keyring
from hub.node import Hub, open_hub
from hub.settings import load_settings

# name → the agencies it serves; all of them fetch from their mailboxes
SYSTEMS = {"mot-cua": ("H32.5", "H32.6"), "qlvb": ("000.00.13.H53",), "chuyen-nganh": ("H53.14",)}
LIMITS = {"max_in_flight_bytes": 200 * 1024 * 1024, "max_body_idle_s": 2}


@dataclass(frozen=True)
class Answer:
    """One HTTP answer."""

    status: int
    headers: urllib3.HTTPHeaderDict
    body: bytes

    def json(self) -> dict[str, Any]:
        """The body as a JSON object."""
        members: dict[str, Any] = json.loads(self.body)
        return members


@dataclass
class Face:
    """The running hub, as its callers see it."""

    port: int
    keys: Mapping[str, str]  # system → keyid.secret
    hub: Hub
    log: io.StringIO  # what the faces logged
    pool: urllib3.PoolManager = field(default_factory=lambda: urllib3.PoolManager(retries=False, maxsize=4))

    @property
    def url(self) -> str:
        """Of the server, without a path."""
        return f"http://127.0.0.1:{self.port}"

    def ask(
        self, method: str, path: str, *, system: str = "", body: bytes | Iterator[bytes] = b"", headers: Mapping[str, str] | None = None
    ) -> Answer:
        """One request; authenticated as `system` unless that is ""."""
        fields = dict(headers or {})
        if system:
            fields["Authorization"] = f"Bearer {self.keys[system]}"
        answer = self.pool.request(
            method, self.url + path, body=body or None, headers=fields, redirect=False, timeout=240, chunked=not isinstance(body, bytes)
        )
        return Answer(answer.status, answer.headers, answer.data)

    def send(self, raw: bytes, *, system: str = "mot-cua", headers: Mapping[str, str] | None = None) -> Answer:
        """Hands a packet in by REST."""
        return self.ask("POST", "/api/v1/messages", system=system, body=raw, headers={"Content-Type": "application/xml", **(headers or {})})

    def pending(self, system: str) -> list[dict[str, Any]]:
        """Everything that waits for `system`."""
        found: list[dict[str, Any]] = []
        after: int | None = 0
        while after is not None:
            page = self.ask("GET", f"/api/v1/inbox?after={after}", system=system).json()
            found += page["items"]
            after = page["next"]
        return found

    def waiting(self, system: str, message_id: str) -> dict[str, Any]:
        """The item of `message_id` in the inbox of `system`."""
        return next(item for item in self.pending(system) if item["message_id"] == message_id)


@contextmanager
def serving(home: Path, more: Mapping[str, str] = MappingProxyType({}), trust: Path | None = None, toml: str = "") -> Iterator[Face]:
    """A hub in `home`, served until the block ends. `more`: further profiles by name, as TOML; `trust`: a folder of whom it trusts;
    `toml`: further settings."""
    keys = _write_home(home)
    settings = home / "hub.toml"
    settings.write_text(toml + settings.read_text("utf-8"), "utf-8")
    if trust:
        shutil.copytree(trust, home / "trust", dirs_exist_ok=True)
    for name, profile in more.items():
        (home / "systems" / f"{name}.toml").write_text(profile, "utf-8")
    hub = open_hub(load_settings(home, {}))
    hub.start()
    log = io.StringIO()
    try:
        with listening(build_app(hub, log)) as port:
            yield Face(port, keys, hub, log)
    finally:
        hub.stop()


@contextmanager
def listening(app: Starlette) -> Iterator[int]:
    """`app` on a free port, until the block ends."""
    listener = socket.create_server(("127.0.0.1", 0))
    running = server(app)
    thread = threading.Thread(target=running.run, kwargs={"sockets": [listener]}, name="face")
    thread.start()
    try:
        yield int(listener.getsockname()[1])  # the kernel queues connections until the server takes them
    finally:
        running.should_exit = True
        thread.join(20)
        listener.close()


def _write_home(home: Path) -> dict[str, str]:
    for folder in ("systems", "trust", "data"):
        (home / folder).mkdir(parents=True)
    Keyring.init(home / "keys")
    (home / "hub.toml").write_text("[limits]\n" + "".join(f"{name} = {most}\n" for name, most in LIMITS.items()), "utf-8")
    keys: dict[str, str] = {}
    for name, agencies in SYSTEMS.items():
        keys[name], record = new_api_key()
        key_table = f'[[access.keys]]\nid = "{record.id}"\nsha256 = "{record.sha256}"\n'
        text = f'title = "Hệ thống {name}"\nagencies = {json.dumps(agencies)}\n{key_table}'
        (home / "systems" / f"{name}.toml").write_text(text, "utf-8")
    return keys


def sha256(raw: bytes) -> str:
    """Lower hex."""
    return hashlib.sha256(raw).hexdigest()
