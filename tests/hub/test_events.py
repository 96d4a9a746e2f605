"""Everything that happens is an entry of the journal: one row per kind of event, driven through a hub that serves, its commands and its
REST face; and the page `docs/journal.md` lists exactly these."""

from __future__ import annotations

import ast
import io
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import urllib3
from sqlalchemy import func, select, update
from typer.testing import CliRunner, Result

from adapters.contract import AgencyInDoubt, AgencyRefused, AgencyUnavailable
from hub.access import new_api_key
from hub.api.app import build_app
from hub.cli import app
from hub.rotation import rotate_signing
from hub.verification import Pace
from replay.job import Mode
from replay.selection import Query
from replay.store.tables import deliveries, entries, openings, verifications
from schemas.errors import HubError, Parked
from schemas.message import rfc3339
from tests.api.face import listening
from tests.architecture.documents import read
from tests.architecture.source import modules
from tests.hub.people import PASSWORD, Staff
from tests.hub.replaying import approved, made, run, start
from tests.hub.stage import DATDAI, MOTCUA, PROFILES, QLVB, Stage, open_stage, profile
from tests.hub.test_verification import Waiting
from tests.hub.test_verification import pki as pki  # noqa: PLC0414 - a fixture
from tests.hub.test_verification import waiting as waiting  # noqa: PLC0414 - a fixture
from tests.packets import document, recall, status

NHANH = "H32.07"
_PAGE = re.compile(r"^\| `([a-z-]+)` \| (?:`(\w+)`)? ?\| (?:`([\w-]+)`)? ?\|", re.MULTILINE)
_NUMBER = iter(range(1, 10_000))


@dataclass
class World:
    """A hub that serves, its people, and the keys of two systems."""

    stage: Stage
    staff: Staff
    port: int
    keys: Mapping[str, str]
    pool: urllib3.PoolManager = field(default_factory=lambda: urllib3.PoolManager(retries=False))

    def send(self, to: tuple[str, ...] = (QLVB,), *answers: HubError) -> Any:
        if answers:
            self.stage.wait_for(self.is_quiet)  # nothing else is to have these answers
            self.stage.systems["qlvb"].answers.extend(answers)
        return self.stage.send(document(MOTCUA, to, f"{MOTCUA},2026/03/02,{next(_NUMBER)}/E"))

    def is_quiet(self) -> bool:
        under_way = ("pending", "queued", "delivering", "deferred")
        with self.stage.hub.store.read() as conn:
            waits = select(deliveries.c.id).where(deliveries.c.system == "qlvb", deliveries.c.state.in_(under_way))
            return conn.execute(waits).first() is None

    def ended(self, state: str, *answers: HubError) -> Any:
        sent = self.send((QLVB,), *answers)
        self.stage.settle(sent.message_id, H32_02=state)
        return sent

    def ask(self, method: str, path: str, token: str = "", body: bytes = b"") -> int:
        headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {token}"} if token else {})}
        url = f"http://127.0.0.1:{self.port}{path}"
        return int(self.pool.request(method, url, body=body or None, headers=headers, timeout=240).status)

    def log_in(self, login: str, password: str = PASSWORD) -> int:
        return self.ask("POST", "/api/v1/sessions", body=json.dumps({"login": login, "password": password}).encode())

    def lgsp(self, *words: object, typed: str = "") -> Result:
        done = CliRunner().invoke(app, [*map(str, words), "--home", str(self.stage.hub.settings.home)], input=typed)
        assert done.exit_code == 0, (words, done.output, done.exception)
        return done

    def size(self) -> int:
        with self.stage.hub.store.read() as conn:
            return conn.execute(select(func.count()).select_from(entries)).scalar_one()

    def told(self, since: int, event: str) -> list[dict[str, Any]]:
        """The opened entries of that kind from index `since` on."""
        return told(self.stage, since, event)


def told(stage: Stage, since: int, event: str) -> list[dict[str, Any]]:
    wanted = (openings.c.index >= since, openings.c.event == event, openings.c.body.is_not(None))
    with stage.hub.store.read() as conn:
        rows = conn.execute(select(openings.c.body).where(*wanted).order_by(openings.c.index)).scalars().all()
    return [{name: one["value"] for name, one in json.loads(row).items()} for row in rows]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    keys, more = {}, {}
    for name, agency in (("datdai", DATDAI), ("motcua", MOTCUA)):
        keys[name], record = new_api_key()
        table = f'[[access.keys]]\nid = "{record.id}"\nsha256 = "{record.sha256}"'
        more[name] = profile([agency], "mailbox" if name == "datdai" else "recorder", access=table)
    translated = profile([NHANH], "recorder", delivery='format = ["canonical.document"]')
    retry = "[delivery.retry]\nbase_s = 0.05\nmax_s = 0.1\nmax_attempts = 30\nopen_after = 50\nopen_s = 0.2"
    profiles = {**PROFILES, **more, "qlvb": profile([QLVB], "recorder", delivery=retry), "nhanh": translated}
    stage = open_stage(tmp_path_factory.mktemp("events") / "home", profiles=profiles)
    stage.hub.start()
    if stage.hub._replays is not None:
        stage.hub._replays.stop()  # each row says itself when a job runs
    with listening(build_app(stage.hub, io.StringIO())) as port:
        yield World(stage, Staff(stage), port, keys)
    stage.check()
    stage.hub.stop()


def raising(code: str, send: Callable[[], object]) -> None:
    with pytest.raises(HubError, match=code):
        send()


def duplicate(w: World) -> None:
    raw = document(MOTCUA, (QLVB,), f"{MOTCUA},2026/03/02,{next(_NUMBER)}/E")
    w.stage.send(raw, key=f"a-{next(_NUMBER)}")
    w.stage.send(raw, key=f"b-{next(_NUMBER)}")


def conflict(w: World) -> None:
    key = f"k-{next(_NUMBER)}"
    one, other = (document(MOTCUA, (QLVB,), f"{MOTCUA},2026/03/02,{next(_NUMBER)}/E") for _ in range(2))
    w.stage.send(one, key=key)
    raising("id-conflict", lambda: w.stage.send(other, key=key))


def answer(w: World) -> None:
    sent = document(MOTCUA, (QLVB,), f"{MOTCUA},2026/03/02,{next(_NUMBER)}/E")
    w.stage.settle(w.stage.send(sent).message_id, H32_02="delivered")
    w.stage.send(status(QLVB, MOTCUA, re.findall(rb"DocumentId>([^<]+)", sent)[0].decode()), "qlvb")


def fetch(w: World) -> None:
    sent, since = w.send((DATDAI,)), w.size()
    item = next(one for one in w.stage.hub.mailbox.pending(w.stage.principal("datdai"))[0] if one.message_id == sent.message_id)
    for _ in range(3):
        assert w.ask("GET", f"/api/v1/inbox/{item.delivery_id}", w.keys["datdai"]) == 200
    assert len(w.told(since, "fetched")) == 1


def recalled(w: World) -> None:
    document_id = f"{MOTCUA},2026/03/02,{next(_NUMBER)}/E"
    w.stage.send(document(MOTCUA, (DATDAI,), document_id))
    w.stage.send(recall(MOTCUA, (DATDAI,), document_id))


def decided(w: World, *more: object) -> None:
    w.ended("in_doubt", AgencyInDoubt("agency-in-doubt"))
    stuck = json.loads(w.lgsp("delivery", "list", "--json").stdout)
    w.lgsp("delivery", "decide", stuck[-1]["delivery_id"], "arrived", "--reason", "đã gọi hỏi", *more)


def decided_by_a_person(w: World) -> None:
    w.staff.session("an")
    file = w.stage.hub.settings.home / "session"
    file.write_text(w.staff.tokens["an"])
    file.chmod(0o600)
    decided(w, "--session", file)


def redelivered(w: World) -> None:
    sent = w.ended("delivered")
    job = approved(w.staff, query=Query(ids=(sent.message_id,)))
    start(w.staff, job)
    run(w.staff, job)


def looked(w: World) -> Any:
    sent = w.ended("delivered")
    return made(w.staff, Mode.VERIFY, Query(ids=(sent.message_id,)))


def paused(w: World) -> None:
    job, replays = looked(w), w.staff.shop.replays
    replays.start(w.staff.session("an"), job.id)
    replays.pause(w.staff.session("an"), job.id)
    replays.start(w.staff.session("an"), job.id)
    run(w.staff, job)


def cancelled(w: World) -> None:
    w.staff.shop.replays.cancel(w.staff.session("an"), looked(w).id)


def held(w: World) -> None:
    sent = w.ended("delivered")
    w.lgsp("hold", "set", sent.message_id, "--reason", "thanh tra")
    w.lgsp("hold", "release", sent.message_id, "--reason", "đã kết luận")


def erased(w: World) -> None:
    w.lgsp("erase", w.ended("delivered").message_id, "--reason", "quyết định 12")


def exported(w: World) -> None:
    w.lgsp("evidence", "export", w.ended("delivered").message_id, "--unsigned", "--out", w.stage.hub.settings.home / f"e{next(_NUMBER)}")


def proven(w: World) -> None:
    out = w.stage.hub.settings.home / f"e{next(_NUMBER)}"
    to = w.stage.hub.clock() - timedelta(minutes=10)
    period = ("--from", rfc3339(to - timedelta(hours=1)), "--to", rfc3339(to))
    w.lgsp("evidence", "completeness", "--party", MOTCUA, *period, "--unsigned", "--out", out)


def account(w: World) -> None:
    login = f"p{next(_NUMBER)}"
    w.lgsp("person", "add", login, "--role", "auditor", "--password-file", "-", typed=PASSWORD)
    w.lgsp("person", "password", login, "--password-file", "-", typed=PASSWORD + "!")
    w.lgsp("person", "role", login, "--role", "operator")
    w.lgsp("person", "disable", login)
    w.lgsp("person", "disable", login, "--undo")


def knocked(w: World) -> None:
    key_id = w.keys["datdai"].partition(".")[0]
    assert [w.ask("GET", "/api/v1/inbox", f"{key_id}.wrong") for _ in range(3)] == [401] * 3


Row = tuple[str, str, str, Callable[[World], object], dict[str, Any]]
ROWS: dict[str, Row] = {
    "a message is accepted": ("accepted", "", "", lambda w: w.send(), {"principal": "motcua", "recipients": [QLVB]}),
    "a status is accepted": ("accepted", "", "", answer, {"kind": "document.status", "sender": QLVB}),
    "the same bytes under another key": ("duplicate-key", "", "", duplicate, {"principal": "motcua"}),
    "a packet is refused": ("refused", "", "", lambda w: raising("not-edxml", lambda: w.stage.send(b"<a/>")), {"principal": "motcua"}),
    "an id comes with other bytes": ("conflict", "", "", conflict, {"principal": "motcua"}),
    "a copy is translated": ("translated", "", "", lambda w: w.send((NHANH,)), {"target": "canonical.document"}),
    "a system fetches its copy": ("fetched", "", "", fetch, {"system": "datdai", "attempt": 1}),
    "an attempt succeeds": ("delivery", "state", "delivered", lambda w: w.ended("delivered"), {"attempt": 1}),
    "an attempt fails": (
        "delivery", "state", "deferred", lambda w: w.ended("delivered", AgencyUnavailable("agency-unavailable")), {"attempt": 1}
    ),
    "the receiver says no": (
        "delivery", "state", "refused", lambda w: w.ended("refused", AgencyRefused("agency-refused")), {"cause": "agency-refused"}
    ),
    "a copy is parked": (
        "delivery", "state", "parked", lambda w: w.ended("parked", Parked("attempts-exhausted")), {"cause": "attempts-exhausted"}
    ),
    "nobody knows": ("delivery", "state", "in_doubt", lambda w: w.ended("in_doubt", AgencyInDoubt("agency-in-doubt")), {}),
    "a copy is recalled": ("delivery", "state", "cancelled", recalled, {"cause": "recalled"}),
    "somebody at the machine decides": ("delivery", "state", "delivered", decided, {"reason": "đã gọi hỏi", "by": "console:*"}),
    "a person decides": ("delivery", "state", "delivered", decided_by_a_person, {"reason": "đã gọi hỏi", "by": "person:*"}),
    "an approved replay has it delivered again": ("delivery", "state", "deferred", redelivered, {"cause": "replayed", "replay": "*"}),
    "a message is erased": ("erased", "", "", erased, {"reason": "quyết định 12", "by": "console:*"}),
    "a hold is set": ("hold", "state", "set", held, {"reason": "thanh tra", "by": "console:*"}),
    "a hold is released": ("hold", "state", "released", held, {"reason": "đã kết luận"}),
    "a container is handed out": ("evidence", "message_id", "", exported, {"by": "*"}),
    "a period is handed out": ("evidence", "party", "", proven, {"by": "*"}),
    "a replay is made": ("replay", "what", "created", looked, {"by": "*"}),
    "a replay is approved": ("replay", "what", "approved", redelivered, {"by": "*"}),
    "a replay is started": ("replay", "what", "started", paused, {}),
    "a replay is paused": ("replay", "what", "paused", paused, {}),
    "a replay goes on": ("replay", "what", "resumed", paused, {}),
    "a replay is cancelled": ("replay", "what", "cancelled", cancelled, {}),
    "a replay is done": ("replay", "what", "done", paused, {"by": "hub"}),
    "a key is added": ("key", "state", "added", lambda w: w.lgsp("keys", "rotate", "receipt"), {"purpose": "receipt", "by": "console:*"}),
    "a key is retired": ("key", "state", "retired", lambda w: w.lgsp("keys", "rotate", "receipt"), {"purpose": "receipt"}),
    "an account is made": ("person", "what", "added", account, {"by": "console:*"}),
    "a password is set": ("person", "what", "password-set", account, {"by": "console:*"}),
    "roles are given": ("person", "what", "roles-set", account, {"before": ["auditor"], "roles": ["operator"]}),
    "an account is disabled": ("person", "what", "disabled", account, {}),
    "an account is enabled": ("person", "what", "enabled", account, {}),
    "a person logs in": ("login", "outcome", "opened", lambda w: w.log_in("an"), {"peer": "rest 127.0.0.1"}),
    "a wrong password": ("login", "outcome", "failed", lambda w: w.log_in("cuc", "x"), {"peer": "rest 127.0.0.1"}),
    "a login that nobody has": ("login", "outcome", "failed", lambda w: w.log_in("nobody", "x"), {"person": None}),
    "too many attempts": ("login", "outcome", "limited", lambda w: [w.log_in("em", "x") for _ in range(8)], {}),
    "a person logs out": (
        "logout", "", "", lambda w: w.stage.hub.sessions.log_out(w.staff.session("dung")), {"session": "*"}
    ),
    "a call is turned away": ("access-refused", "", "", knocked, {"system": "datdai", "codes": {"not-authenticated": 1}}),
}  # fmt: skip
KINDS_IN_FORCE = ("trust", "policies", "registry", "settings", "keys", "algorithms", "schemas", "mappings", "software")


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS.keys())
def test_it_is_an_entry_of_the_journal(world: World, row: Row) -> None:
    event, name, value, drive, more = row
    since = world.size()
    drive(world)
    wanted = {**({name: value or "*"} if name else {}), **more}
    world.stage.wait_for(lambda: any(_fits(one, wanted) for one in world.told(since, event)))


def _fits(found: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    return all(_alike(found.get(name), value) for name, value in wanted.items())


def _alike(found: object, wanted: object) -> bool:
    if isinstance(wanted, str) and wanted.endswith("*"):
        return isinstance(found, str) and found.startswith(wanted[:-1])
    return found == wanted


VERIFIED = ("confirmed", "withdrawn", "given-up")


@pytest.mark.parametrize("state", VERIFIED)
def test_a_verdict_that_was_reached_again_is_an_entry(waiting: Waiting, state: str) -> None:
    hub = waiting.stage.hub
    _, receipt = waiting.send()
    if state == "given-up":
        hub.reverifier.pace = Pace(timedelta(seconds=60), timedelta(0))
        long_ago = rfc3339(hub.clock() - timedelta(days=60))
        hub.committer.submit(lambda tx: tx.conn.execute(update(verifications).values(due_at=long_ago)).rowcount).result()
    else:
        waiting.publish({MOTCUA: hub.clock() - timedelta(hours=1)} if state == "withdrawn" else None)
    waiting.becomes(receipt, state)
    assert [one["state"] for one in told(waiting.stage, 0, "verified-again")] == [state]


def test_what_is_in_force_is_an_entry_when_it_changes(tmp_path: Path) -> None:
    """From the first start, and then what was changed in the files, by the start that reads them: systems, keys, trust, settings."""
    home = tmp_path / "home"
    first = open_stage(home)
    first.hub.start()
    assert sorted(one["kind"] for one in told(first, 0, "artefact")) == sorted(KINDS_IN_FORCE)
    since = len(told(first, 0, "artefact"))
    rotate_signing(first.hub.committer, first.hub.settings.keys_folder, "receipt", by="test", at=first.hub.clock())
    first.hub.stop()
    key, record = new_api_key()
    table = f'[[access.keys]]\nid = "{record.id}"\nsha256 = "{record.sha256}"'
    (home / "systems" / "datdai.toml").write_text(profile([DATDAI], access=table, more='[signature]\nmode = "require"'), "utf-8")
    (home / "hub.toml").write_text("sweep_s = 0.2\n", "utf-8")
    again = open_stage(home, fresh=False)
    again.hub.start()
    try:
        changed = told(again, 0, "artefact")[since:]
        assert sorted(one["kind"] for one in changed) == ["keys", "policies", "registry", "settings"]
        assert all(one["before"] for one in changed)
        assert key.partition(".")[2] not in json.dumps(changed)
        again.check()
    finally:
        again.hub.stop()


def test_whoever_knocks_a_thousand_times_adds_two_entries(world: World) -> None:
    since, log = world.size(), world.stage.hub.access_log

    def found() -> list[dict[str, Any]]:
        return [one for one in world.told(since, "access-refused") if one["system"] is None]

    for number in range(300):
        log.note("not-authenticated", "", f"10.0.0.{number % 50}")
    log.note("id-conflict", "", "10.0.0.1")  # no matter of access
    log._flush(everything=True)
    world.stage.wait_for(lambda: sum(one["count"] for one in found()) == 300)
    assert [one["count"] for one in found()] == [1, 299]
    assert len(found()[1]["peers"]) == 20


def test_the_page_lists_every_kind_of_event_and_no_other() -> None:
    page = set(_PAGE.findall(read("docs/journal.md").text))
    driven = {row[:3] for row in ROWS.values()}
    driven |= {("verified-again", "state", state) for state in VERIFIED} | {("artefact", "kind", kind) for kind in KINDS_IN_FORCE}
    assert page == driven
    assert {event for event, _, _ in page} == _journalled_by_the_code()


def _journalled_by_the_code() -> set[str]:
    """The first argument of every `EntryDraft` outside the benches."""
    found = set()
    for module in modules():
        if module.top in ("hub", "replay") and not module.name.startswith("hub.bench"):
            for node in ast.walk(module.tree):
                if isinstance(node, ast.Call) and ast.unparse(node.func) == "EntryDraft":
                    first = next((one.value for one in node.keywords if one.arg == "event"), node.args[0] if node.args else None)
                    found.add(ast.literal_eval(first) if first is not None else "")
    return found
