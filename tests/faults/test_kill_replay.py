"""`kill -9` in the middle of replays: the next run does exactly the rest, nothing has two effects, and there is one report that adds up."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import urllib3
from sqlalchemy import func, select

from hub.access import new_api_key, principal_of
from hub.keys import Keyring
from hub.node import Hub, open_hub
from hub.settings import load_settings
from replay.store.engine import Store, open_store
from replay.store.jobs import replay_items
from replay.store.tables import openings
from schemas.message import Inbound
from signing.sign import verify_report
from tests.faults.test_kill import Receiver, end, kill, receiving, serve
from tests.hub.people import Staff
from tests.hub.stage import Stage
from tests.packets import document
from tests.replay.conftest import postgres_url as postgres_url  # noqa: PLC0414 - a fixture

SENDER, RECEIVER = "H32.01", "H32.02"
MESSAGES = 200
RATE = 20.0  # so that there is a middle to be killed in, on a busy machine, too
KILLS = (20, 70)  # items done
SETTLED_S = 180
pytestmark = pytest.mark.timeout(900)  # a dozen processes, each started on what a busy machine has left


@dataclass
class Home:
    """A hub's home with messages that were delivered to a real server, people with sessions, and how to look into the store."""

    folder: Path
    receiver: Receiver
    key: str
    tokens: dict[str, str] = field(default_factory=dict)
    sent: list[UUID] = field(default_factory=list)
    opened: Store | None = None

    @property
    def store(self) -> Store:
        """The hub's, read beside it."""
        if self.opened is None:
            self.opened = open_store(load_settings(self.folder, {}).resolved_store_url, create=False)
        return self.opened

    def done(self, job: str) -> dict[int, str]:
        """Items that have an outcome, by position: when."""
        with self.store.read() as conn:
            rows = conn.execute(select(replay_items).where(replay_items.c.replay_id == UUID(job), replay_items.c.outcome != "")).all()
        return {row.position: row.done_at for row in rows}

    def count(self, job: str) -> int:
        """How many have an outcome."""
        mine = (replay_items.c.replay_id == UUID(job), replay_items.c.outcome != "")
        with self.store.read() as conn:
            return int(conn.execute(select(func.count()).select_from(replay_items).where(*mine)).scalar_one())

    def journalled(self, event: str) -> list[dict[str, Any]]:
        with self.store.read() as conn:
            rows = conn.execute(select(openings.c.body).where(openings.c.event == event).order_by(openings.c.index)).scalars().all()
        return [{name: one["value"] for name, one in json.loads(row).items()} for row in rows if row]

    def session(self, login: str) -> Path:
        file = self.folder / f"session-{login}"
        if not file.exists():
            file.touch(mode=0o600)
            file.write_text(self.tokens[login])
        return file

    def lgsp(self, login: str, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "hub.cli", "replay", *arguments, "--home", str(self.folder), "--session", str(self.session(login))]

    def report(self, job: str) -> dict[str, Any]:
        """Signature checked, counts added up, and told by one entry."""
        out = self.folder / f"{job}.json"
        subprocess.run(self.lgsp("cuc", "report", job, "--out", str(out)), check=True)
        told = verify_report(out.read_bytes(), Keyring.load(self.folder / "keys").public("receipt"))
        assert sum(told["outcomes"].values()) == told["items"] == MESSAGES
        steps = [one["what"] for one in self.journalled("replay") if one["replay"] == job]
        assert steps.count("done") == 1
        return told

    def fsck(self) -> None:
        command = [sys.executable, "-m", "hub.cli", "log", "fsck", "--home", str(self.folder)]
        proof = subprocess.run(command, check=False, capture_output=True, text=True)
        assert proof.returncode == 0, proof.stdout + proof.stderr


def _filled(hub: Hub, home: Home) -> None:
    """Messages, delivered; people, logged in."""
    stage = Stage(hub, {})
    hub.start()
    sender = principal_of(hub.systems.by_name["a"])
    for number in range(MESSAGES):
        raw = document(SENDER, (RECEIVER,), document_id=f"{SENDER},2026/03/02,{number}/X")
        inbound = Inbound(raw, "application/xml", "", "test", hub.clock())
        home.sent.append(hub.intake.accept(inbound, sender).message_id)
    staff = Staff(stage)
    for login in ("an", "binh", "cuc"):
        staff.session(login)
    home.tokens = staff.tokens
    stage.wait_for(lambda: len(home.receiver.documents) == MESSAGES, SETTLED_S)
    stage.wait_for(lambda: all(stage.states(one) == {RECEIVER: "delivered"} for one in home.sent), SETTLED_S)
    hub.stop()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def home(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Home]:
    toml = "sweep_s = 0.2\n"
    if request.param == "postgresql":
        toml += f'store_url = "{request.getfixturevalue("postgres_url")}"\n'
    with receiving() as (receiver, url):
        folder = tmp_path / "home"
        for name in ("systems", "trust"):
            (folder / name).mkdir(parents=True)
        text, key = new_api_key()
        access = f'[access]\nkeys = [{{ id = "{key.id}", sha256 = "{key.sha256}" }}]\n'
        retry = "[delivery.retry]\nbase_s = 0.1\nmax_s = 0.5\nopen_s = 0.5\n"
        delivery = f'[delivery]\nkind = "rest"\n{retry}[delivery.settings]\nurl = "{url}"\nidempotency = "key"\n'
        (folder / "systems" / "a.toml").write_text(f'agencies = ["{SENDER}"]\n{access}', "utf-8")
        (folder / "systems" / "b.toml").write_text(f'agencies = ["{RECEIVER}"]\n{delivery}', "utf-8")
        (folder / "hub.toml").write_text(toml, "utf-8")
        Keyring.init(folder / "keys")
        made = Home(folder, receiver, text)
        _filled(open_hub(load_settings(folder, {})), made)
        yield made
        made.store.close()


def wait_for(condition: Callable[[], Any], process: subprocess.Popen[Any] | None = None) -> None:
    until = time.monotonic() + SETTLED_S
    while not condition():
        assert process is None or process.poll() is None, "it ended before it was killed"
        assert time.monotonic() < until, "it did not come to that in time"
        time.sleep(0.1)


def test_a_command_that_is_killed_again_and_again_does_each_item_once(home: Home) -> None:
    """Beside a hub that serves. First a verification; then a redelivery, which the hub's couriers deliver."""
    serving = serve(home.folder)
    job = ask(home, serving.url, "cuc", "/api/v1/replays", {"mode": "verify", "rate_per_s": RATE})["id"]
    _killed_in_the_middle(home, job, "cuc")
    assert home.report(job)["outcomes"] == {"same": MESSAGES}
    assert sum(home.receiver.seen.values()) == MESSAGES, "a verification let something out"

    job = _approved(home, serving.url, new_key=False)
    _killed_in_the_middle(home, job, "an", "--confirm", f"redeliver {MESSAGES}")
    assert home.report(job)["outcomes"] == {"same": MESSAGES}
    handed = Counter(one["delivery_id"] for one in home.journalled("delivery") if one.get("replay") == job)
    assert len(handed) == MESSAGES and set(handed.values()) == {1}, "each was put into the outbox once"
    assert len(home.receiver.documents) == MESSAGES, "the keys stayed what they were"
    assert set(home.receiver.seen.values()) == {2}, "each was delivered once more"
    end(serving)
    home.fsck()


def _killed_in_the_middle(home: Home, job: str, login: str, *options: str) -> None:
    """Run by commands that are killed, and by a last one that is not: what was done once stays as it is."""
    kept: dict[int, str] = {}
    for least in KILLS:
        running = subprocess.Popen(home.lgsp(login, "run", job, *options), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        wait_for(lambda least=least: home.count(job) >= least, running)  # type: ignore[misc]
        running.send_signal(signal.SIGKILL)
        running.communicate()
        now = home.done(job)
        assert len(now) < MESSAGES, "it was done before it was killed"
        assert kept.items() <= now.items(), "an item was done again"
        kept = now
    last = subprocess.run(home.lgsp(login, "run", job, "--json"), capture_output=True, text=True, check=False)
    assert last.returncode == 0, last.stdout + last.stderr
    told = json.loads(last.stdout)
    assert (told["state"], told["outcomes"]) == ("done", {"same": MESSAGES})
    steps = [one["what"] for one in home.journalled("replay") if one["replay"] == job]
    assert [one for one in steps if one != "approved"] == ["created", "started", "done"]


@dataclass
class Traffic:
    """A system that goes on sending while a replay runs."""

    url: str
    key: str
    stop: threading.Event = field(default_factory=threading.Event)
    packets: list[bytes] = field(default_factory=list)

    def run(self) -> None:
        pool = urllib3.PoolManager(retries=False, timeout=10)
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/xml"}
        while not self.stop.wait(0.2):
            packet = document(SENDER, (RECEIVER,), document_id=f"{SENDER},2026/03/02,{len(self.packets)}-{id(self)}/NEW")
            try:
                answer = pool.request("POST", f"{self.url}/api/v1/messages", body=packet, headers=headers)
            except urllib3.exceptions.HTTPError:
                return
            if answer.status in (200, 201):
                self.packets.append(packet)


def ask(home: Home, url: str, login: str, path: str, body: object = None) -> dict[str, Any]:
    """POST where there is a body."""
    headers = {"Authorization": f"Bearer {home.tokens[login]}", "Content-Type": "application/json"}
    sent = None if body is None else json.dumps(body)
    method = "GET" if sent is None else "POST"
    answer = urllib3.PoolManager(retries=False, timeout=60).request(method, f"{url}{path}", headers=headers, body=sent)
    assert answer.status in (200, 201), answer.data
    found: dict[str, Any] = answer.json()
    return found


def _approved(home: Home, url: str, *, new_key: bool) -> str:
    wanted = {"mode": "redeliver", "dry_run": False, "reason": "khôi phục", "rate_per_s": RATE, "new_key": new_key}
    made = ask(home, url, "an", "/api/v1/replays", wanted)
    ask(home, url, "binh", f"/api/v1/replays/{made['id']}/approval", {"digest": made["digest"]})
    return str(made["id"])


@pytest.mark.parametrize("home", ["sqlite"], indirect=True)
def test_a_hub_that_is_killed_while_it_delivers_again_has_one_more_effect_for_each(home: Home) -> None:
    """Under new keys, with traffic that goes on: what is new never enters, and is delivered once."""
    serving = serve(home.folder)
    job = _approved(home, serving.url, new_key=True)
    at = f"/api/v1/replays/{job}"
    ask(home, serving.url, "an", f"{at}/run", {"confirm": f"redeliver {MESSAGES}"})
    new: list[bytes] = []
    for least in KILLS:
        traffic = Traffic(serving.url, home.key)
        thread = threading.Thread(target=traffic.run)
        thread.start()
        wait_for(lambda least=least: home.count(job) >= least)  # type: ignore[misc]
        kill(serving)
        traffic.stop.set()
        thread.join()
        new += traffic.packets
        assert len(home.done(job)) < MESSAGES, "it was done before it was killed"
        serving = serve(home.folder)
    wait_for(lambda: ask(home, serving.url, "an", at)["state"] == "done")
    wait_for(lambda: set(new) <= set(home.receiver.documents.values()))
    end(serving)

    assert home.report(job)["outcomes"] == {"same": MESSAGES}
    handed = Counter(one["delivery_id"] for one in home.journalled("delivery") if one.get("replay") == job)
    assert len(handed) == MESSAGES and set(handed.values()) == {1}, "each was put into the outbox once"
    bodies = Counter(home.receiver.documents.values())
    old = [document(SENDER, (RECEIVER,), document_id=f"{SENDER},2026/03/02,{number}/X") for number in range(MESSAGES)]
    assert new, "no traffic to speak of"
    assert ({bodies[one] for one in new}, {bodies[one] for one in old}) == ({1}, {2})
    home.fsck()
