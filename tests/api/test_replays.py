"""Replays over REST: every address, who may call it, and what is said of calls that are wrong."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import update

from replay.store.people import sessions
from signing.sign import verify_report
from tests.api.face import Answer, Face
from tests.hub.people import PASSWORD, Staff
from tests.hub.stage import Stage
from tests.packets import document

SENDER, RECEIVER = "H32.5", "000.00.13.H53"
AT = "/api/v1/replays"


@dataclass(frozen=True)
class Office:
    """People at the REST face, and three messages that were delivered."""

    face: Face
    staff: Staff
    ids: tuple[str, ...]

    def ask(self, login: str, method: str, path: str, body: object = None, headers: Mapping[str, str] | None = None) -> Answer:
        if login not in self.staff.tokens:
            self.staff.session(login)
        fields = {
            "Authorization": f"Bearer {self.staff.tokens[login]}",
            **({} if body is None else {"Content-Type": "application/json"}),
            **(headers or {}),
        }
        return self.face.ask(method, path, body=b"" if body is None else json.dumps(body).encode(), headers=fields)

    def make(self, login: str = "cuc", **wanted: Any) -> dict[str, Any]:
        answer = self.ask(login, "POST", AT, {"mode": "verify", "query": {"ids": self.ids}, **wanted})
        assert answer.status == 201, answer.body
        made = answer.json()
        assert answer.headers["Location"] == f"{AT}/{made['id']}"
        return made

    def redelivery(self) -> dict[str, Any]:
        return self.make("an", mode="redeliver", dry_run=False, reason="khôi phục")

    def finished(self, job: str) -> dict[str, Any]:
        until = time.monotonic() + 60
        while (told := self.ask("cuc", "GET", f"{AT}/{job}").json())["state"] != "done":
            assert time.monotonic() < until, told
            time.sleep(0.1)
        return told


@pytest.fixture(scope="module")
def office(face: Face) -> Office:
    # Others of this process may have made people of these names.
    staff = Staff(Stage(face.hub, {}), prefix="r-")
    ids = []
    for number in range(3):
        sent = face.send(document(SENDER, (RECEIVER,), f"{SENDER},2026/11/22,R{number}/X"))
        ids.append(sent.json()["message_id"])
    for item in face.pending("qlvb"):
        face.ask("POST", f"/api/v1/inbox/{item['delivery_id']}/ack", system="qlvb")
    return Office(face, staff, tuple(ids))


def test_a_replay_from_request_to_report(office: Office) -> None:
    made = office.make(mode="revalidate")
    assert (made["state"], made["items"], made["outcomes"]) == ("ready", 3, {"waiting": 3})
    job = f"{AT}/{made['id']}"
    early = office.ask("cuc", "GET", f"{job}/report")
    assert (early.status, early.json()["code"]) == (409, "wrong-state")
    assert office.ask("cuc", "POST", f"{job}/run").json()["state"] in ("running", "done")
    assert office.finished(made["id"])["outcomes"] == {"same": 3}
    signed = office.ask("binh", "GET", f"{job}/report")
    told = verify_report(signed.body, office.face.hub.keyring.public("receipt"))
    assert (told["outcomes"], told["items"], told["request_sha256"]) == ({"same": 3}, 3, made["digest"])
    page = office.ask("cuc", "GET", f"{job}/report", headers={"Accept": "text/html"})
    assert page.headers["Content-Type"].startswith("text/html") and "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert told["results_sha256"] in page.body.decode()


@pytest.mark.skipif(not shutil.which("chromium"), reason="no chromium that prints")
def test_a_report_comes_as_pdf_for_whoever_asks_for_that(office: Office) -> None:
    made = office.make(mode="revalidate")
    office.ask("cuc", "POST", f"{AT}/{made['id']}/run")
    office.finished(made["id"])
    printed = office.ask("cuc", "GET", f"{AT}/{made['id']}/report", headers={"Accept": "application/pdf"})
    assert (printed.status, printed.headers["Content-Type"], printed.body[:5]) == (200, "application/pdf", b"%PDF-")


def test_a_redelivery_over_rest_from_request_to_receiver(office: Office) -> None:
    made = office.redelivery()
    job = f"{AT}/{made['id']}"
    assert made["confirm"] == "redeliver 3"
    asked = office.ask("binh", "GET", job).json()
    assert (asked["request"]["reason"], asked["digest"]) == ("khôi phục", made["digest"])
    approved = office.ask("binh", "POST", f"{job}/approval", {"digest": asked["digest"]})
    assert (approved.status, approved.json()["approved"]["digest"]) == (200, made["digest"])
    unconfirmed = office.ask("an", "POST", f"{job}/run", {"confirm": "redeliver 2"})
    assert (unconfirmed.status, unconfirmed.json()["code"]) == (409, "confirmation-needed")
    assert office.ask("an", "POST", f"{job}/run", {"confirm": "redeliver 3"}).status == 200
    assert office.finished(made["id"])["outcomes"] == {"same": 3}
    waiting = [item for item in office.face.pending("qlvb") if item["message_id"] in office.ids]
    assert [item["message_id"] for item in waiting] == list(office.ids), "there again, in the order of then"
    for item in waiting:
        office.face.ask("POST", f"/api/v1/inbox/{item['delivery_id']}/ack", system="qlvb")


def test_without_execute_a_redelivery_is_a_dry_run(office: Office) -> None:
    made = office.make("an", mode="redeliver", reason="khôi phục")
    assert made["dry_run"] is True
    office.ask("an", "POST", f"{AT}/{made['id']}/run")
    assert office.finished(made["id"])["outcomes"] == {"planned": 3}
    assert not [item for item in office.face.pending("qlvb") if item["message_id"] in office.ids]


def test_paused_resumed_and_cancelled(office: Office) -> None:
    made = office.make(rate_per_s=0.1)
    job = f"{AT}/{made['id']}"
    assert office.ask("cuc", "POST", f"{job}/pause").json()["code"] == "wrong-state"
    assert office.ask("cuc", "POST", f"{job}/run").json()["state"] == "running"
    assert office.ask("cuc", "POST", f"{job}/pause").json()["state"] == "paused"
    assert office.ask("cuc", "POST", f"{job}/run").json()["state"] == "running"
    cancelled = office.ask("cuc", "POST", f"{job}/cancel").json()
    assert cancelled["state"] == "cancelled"
    told = office.ask("cuc", "GET", f"{job}/report").json()
    assert (told["state"], sum(told["outcomes"].values())) == ("cancelled", 3)
    assert office.ask("cuc", "POST", f"{job}/run").json()["code"] == "wrong-state"


ADDRESSES = {
    "make": ("POST", "", {"mode": "verify"}),
    "list": ("GET", "", None),
    "one": ("GET", "/{job}", None),
    "approve": ("POST", "/{job}/approval", {"digest": "0" * 64}),
    "run": ("POST", "/{job}/run", {}),
    "pause": ("POST", "/{job}/pause", None),
    "cancel": ("POST", "/{job}/cancel", None),
    "items": ("GET", "/{job}/items", None),
    "values": ("GET", "/{job}/items?values=true", None),
    "report": ("GET", "/{job}/report", None),
}
# What each role is told of a redelivery that an operator has asked for and nobody has approved. 200: it may, and it is done.
RIGHTS = {
    "make": {"an": 201, "cuc": 201, "em": 403, "binh": 403},
    "list": {"an": 200, "cuc": 200, "em": 200, "binh": 200},
    "one": {"an": 200, "cuc": 200, "em": 200, "binh": 200},
    "approve": {"an": 403, "cuc": 403, "em": 403, "binh": 409, "dung": 409},
    "run": {"an": 409, "cuc": 403, "em": 403, "binh": 403},
    "pause": {"an": 409, "cuc": 403, "em": 403, "binh": 403},
    "cancel": {"cuc": 403, "em": 403, "binh": 403, "an": 200},
    "items": {"an": 200, "cuc": 200, "em": 200, "binh": 200},
    "values": {"an": 200, "cuc": 200, "em": 403, "binh": 403},
    "report": {"an": 409, "cuc": 409, "em": 409, "binh": 409},
}


@pytest.mark.parametrize("address", RIGHTS)
def test_what_each_role_may_do(office: Office, address: str) -> None:
    job = office.redelivery()["id"]
    method, path, body = ADDRESSES[address]
    answers = {login: office.ask(login, method, AT + path.format(job=job), body) for login in RIGHTS[address]}
    assert {login: answer.status for login, answer in answers.items()} == RIGHTS[address]
    for answer in answers.values():
        if answer.status == 403:
            assert (answer.json()["code"], answer.headers["Content-Type"]) == ("role-missing", "application/problem+json")


@pytest.mark.parametrize("address", ADDRESSES)
def test_nobody_without_a_session(office: Office, address: str) -> None:
    """No token, one that nobody was given, a system's key, and one that has expired."""
    job = office.make()["id"]
    method, path, body = ADDRESSES[address]
    place, fields = AT + path.format(job=job), {"Content-Type": "application/json"} if body is not None else {}
    token = office.staff.sessions.log_in("r-cuc", PASSWORD, "test").token
    with office.face.hub.store.write() as conn:
        mine = sessions.c.id == token.removeprefix("lgsp-").partition(".")[0]
        assert conn.execute(update(sessions).where(mine).values(expires_at="2020-01-01T00:00:00Z")).rowcount == 1
    for credentials in ("", "Bearer lgsp-0000000000000000.x", f"Bearer {office.face.keys['qlvb']}", f"Bearer {token}"):
        given = {**fields, "Authorization": credentials} if credentials else fields
        answer = office.face.ask(method, place, body=b"" if body is None else json.dumps(body).encode(), headers=given)
        assert (answer.status, answer.json()["code"]) == (401, "session-invalid"), credentials


@pytest.mark.parametrize("address", [one for one in ADDRESSES if "{job}" in ADDRESSES[one][1]])
def test_a_replay_that_is_not_there(office: Office, address: str) -> None:
    method, path, body = ADDRESSES[address]
    login = "binh" if address == "approve" else "an"
    missing = office.ask(login, method, AT + path.format(job=uuid4()), body)
    assert (missing.status, missing.json()["code"]) == (404, "not-found")
    garbled = office.ask(login, method, AT + path.format(job="not-a-uuid"), body)
    assert (garbled.status, garbled.json()["code"]) == (400, "invalid-request")


def test_approvals_that_are_none(office: Office) -> None:
    job = office.redelivery()
    other = office.redelivery()
    wrong = office.ask("binh", "POST", f"{AT}/{job['id']}/approval", {"digest": other["digest"]})
    assert (wrong.status, wrong.json()["code"], wrong.json()["expected"]) == (409, "approval-digest", job["digest"])
    own = office.make("dung", mode="redeliver", dry_run=False, reason="x")
    mine = office.ask("dung", "POST", f"{AT}/{own['id']}/approval", {"digest": own["digest"]})
    assert (mine.status, mine.json()["code"]) == (403, "approval-same-person")
    started = office.ask("an", "POST", f"{AT}/{job['id']}/run", {"confirm": "redeliver 3"})
    assert (started.status, started.json()["code"]) == (409, "approval-missing")
    short = office.ask("binh", "POST", f"{AT}/{job['id']}/approval", {"digest": "abc"})
    assert (short.status, short.json()["code"]) == (400, "json-invalid")


WRONG: dict[str, tuple[dict[str, Any], int, str]] = {
    "a mode that is none": ({"mode": "repeat"}, 400, "json-invalid"),
    "no mode": ({}, 400, "json-invalid"),
    "a member too many": ({"mode": "verify", "execute": True}, 400, "json-invalid"),
    "an id that is none": ({"mode": "verify", "query": {"ids": ["x"]}}, 400, "json-invalid"),
    "a time that is none": ({"mode": "verify", "query": {"since": "2026-13-45T00:00:00Z"}}, 400, "json-invalid"),
    "a message that is not there": ({"mode": "verify", "query": {"ids": [str(UUID(int=7))]}}, 404, "unknown-entry"),
    "an index that is not there": ({"mode": "verify", "query": {"first": 10_000_000}}, 404, "unknown-entry"),
    "an index below none": ({"mode": "verify", "query": {"first": -1}}, 400, "json-invalid"),
    "an empty selection": ({"mode": "verify", "query": {"document": "nothing/of/this"}}, 422, "selection-empty"),
    "an agency that is none": ({"mode": "verify", "query": {"agency": "???"}}, 422, "selection-empty"),
    "a state that is none": ({"mode": "verify", "query": {"state": "lost"}}, 400, "invalid-request"),
    "a redelivery without a reason": ({"mode": "redeliver"}, 400, "invalid-request"),
    "a rate that is none": ({"mode": "verify", "rate_per_s": 0.001}, 400, "invalid-request"),
    "a verification that is executed": ({"mode": "verify", "dry_run": False}, 400, "invalid-request"),
}


@pytest.mark.parametrize(("body", "status", "code"), WRONG.values(), ids=WRONG.keys())
def test_a_request_that_is_wrong_is_told_so(office: Office, body: dict[str, Any], status: int, code: str) -> None:
    logged = len(office.face.log.getvalue())  # others make faults of ours on purpose
    answer = office.ask("an", "POST", AT, body)
    assert (answer.status, answer.json()["code"]) == (status, code), answer.body
    assert "Traceback" not in answer.body.decode() + office.face.log.getvalue()[logged:]


def test_pages_of_replays_and_of_items(office: Office) -> None:
    made = [office.make()["id"] for _ in range(5)]
    seen: list[str] = []
    following = ""
    while len(seen) < 5:
        page = office.ask("cuc", "GET", f"{AT}?limit=2{following}").json()
        seen += [one["id"] for one in page["items"]]
        following = f"&before={page['next']}"
    assert seen[:5] == made[::-1], "newest first, each once"
    job, after, positions = made[0], "", []
    for wanted in ([0, 1], [2]):
        page = office.ask("cuc", "GET", f"{AT}/{job}/items?limit=2&outcome=not-done{after}").json()
        assert [one["position"] for one in page["items"]] == wanted
        positions += wanted
        after = f"&after={page['next']}"
    assert page["next"] is None
    assert [one["message_id"] for one in office.ask("cuc", "GET", f"{AT}/{job}/items").json()["items"]] == list(office.ids)


PAGES = ("?limit=0", "?limit=201", "?limit=x", "?before=x", "?page=2", "?limit=1&limit=2")
OF_ITEMS = ("?limit=0", "?after=-1", "?after=x", "?outcome=fine", "?values=yes", "?all=1")


@pytest.mark.parametrize(("path", "query"), [("", one) for one in PAGES] + [("/{job}/items", one) for one in OF_ITEMS])
def test_a_page_that_is_none_is_told_so(office: Office, path: str, query: str) -> None:
    answer = office.ask("cuc", "GET", AT + path.format(job=office.make()["id"]) + query)
    assert (answer.status, answer.json()["code"]) == (400, "invalid-request")


def test_a_typed_document_is_shown_to_who_may_see_it(office: Office) -> None:
    made = office.make(query={"document": f"{SENDER},2026/11/22,R1/X"})
    assert made["items"] == 1 and set(made["request"]["query"]["document"]) == {"commitment"}
    told = {login: office.ask(login, "GET", f"{AT}/{made['id']}").json().get("typed") for login in ("an", "cuc", "binh", "em")}
    shown = {"document": f"{SENDER},2026/11/22,R1/X"}
    assert told == {"an": shown, "cuc": shown, "binh": shown, "em": None}
