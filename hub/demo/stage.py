"""The stage: a hub and three simulated systems, each a process of its own on loopback, in one folder. Built in order, taken down always.

1. a free port for the hub, because the others have to be told where it will be
2. is there a broker? (`hub.demo.bus`)
3. the simulators, each on a free port
4. keys and certificates
5. the home folder: it names the simulators' addresses
6. two witnesses, which know the log's public key
7. the hub
"""

from __future__ import annotations

import json
import os
import secrets
from base64 import b64decode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import urllib3

from hub.demo import bus
from hub.demo.children import Child, Children
from hub.demo.faces import TIMEOUT_S, Caller
from hub.demo.home import MEMBERS, ON_BUS, HomeFolder, Login, Member, new_pki, write_home
from hub.demo.packets import Body, Letter
from hub.demo.pki import STRANGER
from hub.demo.play import Sent
from hub.demo.ports import HOST, free_port
from hub.demo.watchers import start_witnesses

ANSWERS = "01,03,06"  # đã đến, đã tiếp nhận, hoàn thành


@dataclass(frozen=True, slots=True)
class Simulator:
    """One simulated system and how to start it again."""

    module: str
    arguments: tuple[str, ...]
    port: int

    @property
    def url(self) -> str:
        """Its own address, and its control end points."""
        return f"http://{HOST}:{self.port}"


@dataclass
class Stage:
    """What the steps act on."""

    url: str  # of the hub
    home: HomeFolder
    bus_prefix: str  # "" = no broker: the line-of-business system speaks REST
    simulators: Mapping[str, Simulator]
    children: Children
    witness_keys: Mapping[str, bytes]  # public, 32 raw bytes each, by the witness's name
    _running: dict[str, Child] = field(repr=False)
    _pool: urllib3.PoolManager = field(default_factory=lambda: urllib3.PoolManager(retries=False, timeout=TIMEOUT_S), repr=False)

    def caller(self, name: str) -> Caller:
        """The REST face with a member's key."""
        return Caller(self.url, self.home.logins[name].api_key)

    def stranger(self) -> Caller:
        """The REST face with a key that nobody gave out."""
        return Caller(self.url, "000000000000.wrong")

    def send(self, name: str, packet: bytes) -> Sent:
        """Has a simulated system hand `packet` to the hub, by its own protocol."""
        answer = self._pool.request("POST", f"{self.simulators[name].url}/send", body=packet)
        return Sent.of(packet, answer.status, answer.data)

    def received(self, name: str, sha256: str) -> int:
        """How often a simulated system was given these bytes; 0 also while it is down."""
        try:
            rows = json.loads(self._pool.request("GET", f"{self.simulators[name].url}/received").data)
        except urllib3.exceptions.HTTPError:
            return 0
        return sum(int(row["times_seen"]) for row in rows if row["sha256"] == sha256)

    @property
    def api_keys(self) -> dict[str, str]:
        """The members' API keys, ``keyid.secret``."""
        return {name: login.api_key for name, login in self.home.logins.items()}

    def way_to(self, name: str) -> str:
        """The protocol by which a system is reached."""
        return {"motcua": "REST", "qlvb": "SOAP", "chuyennganh": self.bus}[name]

    @property
    def bus(self) -> str:
        """AMQP, or REST where no broker lets us."""
        return "AMQP" if self.bus_prefix else "REST"

    def sign(self, letter: Letter) -> bytes:
        """A new document, signed by its sender."""
        return self.sign_bytes(letter.new(), letter.sender)

    def sign_bytes(self, packet: bytes, sender: Body) -> bytes:
        """`packet`, signed by `sender`."""
        return self.home.pki.identities[sender.code].sign(packet)

    def sign_as_stranger(self, letter: Letter) -> bytes:
        """A new document, signed with a certificate that leads to no configured root."""
        return self.home.pki.identities[STRANGER].sign(letter.new())

    def samples(self, signed: bytes, spoiled: bytes) -> tuple[Path, Path]:
        """Files to try the hub with: a packet that it takes, and one that was changed after signing."""
        folder = self.home.path.parent / "packets"
        folder.mkdir(exist_ok=True)
        paths = folder / "da-ky.edxml", folder / "bi-sua.edxml"
        for path, packet in zip(paths, (signed, spoiled), strict=True):
            path.write_bytes(packet)
        return paths

    def take_down(self, name: str) -> None:
        """Ends a system's process."""
        self.children.stop(self._running.pop(name))

    def bring_up(self, name: str) -> None:
        """Starts it again, at the same address, with what it had on disk."""
        one = self.simulators[name]
        self._running[name] = self.children.start(name, one.module, *one.arguments, "--port", str(one.port))

    def log_key(self) -> bytes:
        """The public key of the hub's log: 32 raw bytes, as its operator would publish them."""
        return next(iter(self._public_keys("log").values()))

    def receipt_keys(self) -> dict[str, bytes]:
        """The public keys of the hub's receipts by id, 32 raw bytes each."""
        return self._public_keys("receipt")

    def _public_keys(self, purpose: str) -> dict[str, bytes]:
        listing = json.loads((self.home.path / "keys" / "keys.json").read_bytes())
        return {key["id"]: b64decode(key["public"]) for key in listing["keys"] if key["purpose"] == purpose}


@contextmanager
def set_stage(folder: Path, at: datetime, *, port: int = 0, use_broker: bool = True) -> Iterator[Stage]:
    """A stage in `folder`, for as long as the block runs. Raises `ChildFailed` where something does not come up."""
    url = f"http://{HOST}:{free_port(port)}"  # 1
    prefix = f"lgsp-demo-{secrets.token_hex(4)}"
    if not (use_broker and bus.is_usable(prefix)):  # 2
        prefix = ""
    try:
        with Children(folder / "log", _environment()) as children:
            yield _built(folder, at, url, prefix, children)
    finally:
        if prefix:
            bus.tidy(prefix)


def _environment() -> dict[str, str]:
    """Of the processes: settings of another hub, or a terminal that knows no Vietnamese letters, do not reach them."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("LGSP_", "PYTHONIOENCODING"))}
    return {**kept, "PYTHONUTF8": "1"}


def _built(folder: Path, at: datetime, url: str, prefix: str, children: Children) -> Stage:
    logins = {member.name: Login.new() for member in MEMBERS}
    simulated = [member for member in MEMBERS if member.module]
    commands = {one.name: _arguments(one, folder / one.name, url, prefix, logins[one.name]) for one in simulated}
    ports = {one.name: free_port() for one in simulated}
    running = {
        one.name: children.launch(one.name, one.module, *commands[one.name], "--port", str(ports[one.name])) for one in simulated
    }  # 3
    pki = new_pki(folder / "home" / "pki", at)  # 4, while they come up
    for child in running.values():
        child.wait_ready()
    simulators = {one.name: Simulator(one.module, commands[one.name], ports[one.name]) for one in simulated}
    addresses = {name: one.url for name, one in simulators.items()}
    home = write_home(folder / "home", pki, listen=url.removeprefix("http://"), addresses=addresses, logins=logins, bus_prefix=prefix)  # 5
    witness_keys = start_witnesses(folder / "witnesses", home.path, children)  # 6
    children.start("hub", "hub.cli", "serve", "--home", str(home.path))  # 7
    return Stage(url, home, prefix, simulators, children, witness_keys, running)


def _arguments(member: Member, folder: Path, url: str, prefix: str, login: Login) -> tuple[str, ...]:
    """The command line of a simulator, but for its port."""
    answers = ("--answer", ANSWERS) if member.answers else ()
    own = ("--folder", str(folder), "--agency", member.body.code, f"--token={login.token}", *answers)  # = for what begins with a dash
    if member.name == ON_BUS and prefix:
        return (*own, "--broker", bus.URL, "--prefix", prefix)
    return (*own, "--hub", url, "--key", login.api_key)
