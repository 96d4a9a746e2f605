"""Finding messages as callers see it: `GET /api/v1/messages` and `lgsp search`, every filter, every right, whatever is typed; on both
databases."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlencode

import pytest
from typer.testing import CliRunner

from hub.cli import app
from schemas.errors import Refused
from tests.api.documents import document, status_packet
from tests.api.face import Answer, Face, serving
from tests.replay.conftest import module_postgres_url as module_postgres_url  # noqa: PLC0414 - a fixture

PASSWORD = "trăng lên khỏi núi – 7816"
DOSSIER = "000.00.05.H32-261120-0042"
LAND = unicodedata.normalize("NFD", f"V/v giải quyết hồ sơ ĐẤT ĐAI số {DOSSIER}")
LONG = random.Random(7).randbytes(9_000).hex()
ROLES = {"kiem-toan": "auditor", "van-hanh": "operator", "phe-duyet": "approver"}


@dataclass(frozen=True)
class World:
    """A served hub with messages, and people with sessions."""

    face: Face
    ids: Mapping[str, str]  # DocumentId by name
    tokens: Mapping[str, str]  # by role

    def ask(self, query: str, system: str = "", role: str = "") -> Answer:
        headers = {"Authorization": f"Bearer {self.tokens[role]}"} if role else {}
        return self.face.ask("GET", f"/api/v1/messages?{query}", system=system, headers=headers)

    def names(self, system: str = "", role: str = "", /, **parameters: str) -> set[str]:
        """Which messages are found: names of documents, `answer` for the status."""
        answer = self.ask(urlencode(parameters), system, role)
        assert answer.status == 200, answer.body
        of = {document_id: name for name, document_id in self.ids.items()}
        return {"answer" if one["kind"] == "document.status" else of[one["document_id"]] for one in answer.json()["items"]}


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Four documents and an answer: one fetched and acknowledged, one refused by its receiver, the others waiting."""
    toml = "sweep_s = 0.1\n"
    if request.param == "postgresql":
        toml += f'store_url = "{request.getfixturevalue("module_postgres_url")}"\n'
    with serving(tmp_path_factory.mktemp("finding") / "home", toml=toml) as face:
        packets = {
            "land": document(subject=LAND, number="0017", to=("000.00.13.H53", "H53.14")),
            "meeting": document(subject='Giấy mời họp "giao ban" 100% (tháng 3)', number="18", sender="H32.6"),
            "plan": document(subject="Kế hoạch đất nông nghiệp", number="19", sender="000.00.13.H53", to=("H53.14",)),
            "long": document(subject=f"Từ dài {LONG}", number="20", to=("H53.14",)),
        }
        for name, raw in packets.items():
            sent = face.send(raw, system="qlvb" if name == "plan" else "mot-cua")
            assert sent.status == 201, sent.body
            if name in ("land", "meeting"):
                item = face.waiting("qlvb", sent.json()["message_id"])
                ack = {"outcome": "received"} if name == "land" else {"outcome": "refused", "reason": "sai nơi nhận"}
                path, kind = f"/api/v1/inbox/{item['delivery_id']}", {"Content-Type": "application/json"}
                assert face.ask("GET", path, system="qlvb").body == raw
                assert face.ask("POST", f"{path}/ack", system="qlvb", body=json.dumps(ack).encode(), headers=kind).status == 200
        assert face.send(status_packet(of=packets["land"], sender="000.00.13.H53"), system="qlvb").status == 201
        ids = {name: raw.decode().partition("<x:DocumentId>")[2].partition("<")[0] for name, raw in packets.items()}
        yield World(face, ids, {role: _session(face, login, role) for login, role in ROLES.items()})


def _session(face: Face, login: str, role: str) -> str:
    home = str(face.hub.settings.home)
    made = CliRunner().invoke(app, ["person", "add", login, "--role", role, "--password-file", "-", "--home", home], input=PASSWORD)
    assert made.exit_code == 0, made.output
    body = json.dumps({"login": login, "password": PASSWORD}).encode()
    token: str = face.ask("POST", "/api/v1/sessions", body=body, headers={"Content-Type": "application/json"}).json()["token"]
    return token


ALL = {"land", "meeting", "plan", "long", "answer"}
FOUND: dict[str, tuple[dict[str, str], set[str]]] = {
    "nothing is asked": ({}, ALL),
    "words without accents": ({"q": "dat dai"}, {"land"}),
    "words with accents": ({"q": "đất đai"}, {"land"}),
    "words in capitals": ({"q": "ĐẤT ĐAI"}, {"land"}),
    "words decomposed": ({"q": unicodedata.normalize("NFD", "Đất Đai")}, {"land"}),
    "đ as d and d as đ": ({"q": "Dat đai"}, {"land"}),
    "a word that two have": ({"q": "đất"}, {"land", "plan"}),
    "words in another order": ({"q": "đai giải đất"}, {"land"}),
    "a part of a word": ({"q": "gia"}, set()),
    "quotes": ({"q": '"giao ban"'}, {"meeting"}),
    "an unclosed quote": ({"q": '"giao'}, {"meeting"}),
    "a percent sign": ({"q": "100%"}, {"meeting"}),
    "an underscore": ({"q": "giao_ban"}, {"meeting"}),
    "a star behind a word": ({"q": "giao*"}, {"meeting"}),
    "operators of a query language": ({"q": "giao NOT ban"}, set()),
    "a column of a query language": ({"q": "terms:giao"}, set()),
    "signs only": ({"q": "%"}, set()),
    "the beginning of a very long word": ({"q": LONG[:400]}, set()),
    "the number": ({"number": "17"}, {"land", "answer"}),
    "the number with zeros": ({"number": "000017"}, {"land", "answer"}),
    "number and notation": ({"number": "17/snv vp"}, {"land", "answer"}),
    "the notation": ({"number": "SNV-VP"}, ALL),
    "a DocumentId": ({"document_id": "H32.5,2026/11/20,0017/SNV-VP"}, {"land", "answer"}),
    "a DocumentId with a wildcard": ({"document_id": "H32.5,2026/11/20,%"}, set()),
    "the dossier": ({"dossier": DOSSIER.lower()}, {"land"}),
    "an agency as it is written": ({"agency": "H53.14"}, {"land", "plan", "long"}),
    "an agency in its other form": ({"agency": "000.00.14.H53"}, {"land", "plan", "long"}),
    "an agency that sends and receives": ({"agency": "H53.13"}, {"land", "meeting", "plan", "answer"}),
    "the sender": ({"sender": "H53.13"}, {"plan", "answer"}),
    "the recipient": ({"recipient": "H53.13"}, {"land", "meeting"}),
    "the kind": ({"kind": "document.status"}, {"answer"}),
    "what arrived": ({"state": "delivered"}, {"land"}),
    "what waits": ({"state": "queued"}, {"land", "plan", "long", "answer"}),
    "what was refused": ({"state": "refused"}, {"meeting"}),
    "by the code of a refusal": ({"code": "agency-refused"}, {"meeting"}),
    "by a code that nobody had": ({"code": "agency-unavailable"}, set()),
    "since a day": ({"since": "2020-01-01"}, ALL),
    "until a day": ({"until": "2020-01-01"}, set()),
    "since a moment to come": ({"since": "2125-01-01T00:00:00+07:00"}, set()),
    "all of it together": ({"q": "dat", "agency": "H53.14", "sender": "H32.5", "state": "queued", "kind": "document.new"}, {"land"}),
}


@pytest.mark.parametrize(("parameters", "expected"), FOUND.values(), ids=FOUND.keys())
def test_an_auditor_finds_by(world: World, parameters: dict[str, str], expected: set[str]) -> None:
    assert world.names("", "auditor", **parameters) == expected


SEEN: dict[str, tuple[str, dict[str, str], set[str]]] = {
    "its own and what it got": ("mot-cua", {}, {"land", "meeting", "long", "answer"}),
    "its own by the word of others": ("mot-cua", {"q": "đất"}, {"land"}),
    "both sides of an exchange": ("qlvb", {}, {"land", "meeting", "plan", "answer"}),
    "nothing by the agency of others": ("qlvb", {"recipient": "H53.14", "q": "từ dài"}, set()),
    "the receiver's own": ("chuyen-nganh", {}, {"land", "plan", "long"}),
    "no state of another's copy": ("chuyen-nganh", {"state": "delivered"}, set()),
    "no code of another's copy": ("chuyen-nganh", {"code": "agency-refused"}, set()),
    "the state of its own copy": ("chuyen-nganh", {"state": "queued"}, {"land", "plan", "long"}),
    "the sender, the state of every copy": ("mot-cua", {"state": "delivered"}, {"land"}),
    "the sender, why it was refused": ("mot-cua", {"code": "agency-refused"}, {"meeting"}),
}


@pytest.mark.parametrize(("system", "parameters", "expected"), SEEN.values(), ids=SEEN.keys())
def test_a_system_finds(world: World, system: str, parameters: dict[str, str], expected: set[str]) -> None:
    assert world.names(system, **parameters) == expected


def test_a_receiver_sees_its_own_copy_only(world: World) -> None:
    query = urlencode({"document_id": world.ids["land"], "kind": "document.new"})
    (own,) = world.ask(query, "chuyen-nganh").json()["items"]
    (whole,) = world.ask(query, "", "operator").json()["items"]
    assert [one["recipient"] for one in own["copies"]] == ["H53.14"]
    assert {one["recipient"]: one["state"] for one in whole["copies"]} == {"000.00.13.H53": "delivered", "H53.14": "queued"}
    assert (own["state"], own["title"]) == ("under-way", whole["title"])


NOT_ALLOWED = {
    "nobody": ({}, 401, "not-authenticated"),
    "a key that is none": ({"Authorization": "Bearer a.b"}, 401, "not-authenticated"),
    "a session that is none": ({"Authorization": "Bearer lgsp-0123456789abcdef.x"}, 401, "session-invalid"),
}


@pytest.mark.parametrize(("headers", "status", "code"), NOT_ALLOWED.values(), ids=NOT_ALLOWED.keys())
def test_who_may_not_ask(world: World, headers: dict[str, str], status: int, code: str) -> None:
    answer = world.face.ask("GET", "/api/v1/messages?q=dat", headers=headers)
    assert (answer.status, answer.json()["code"]) == (status, code)


def test_a_person_without_the_role_finds_nothing(world: World) -> None:
    answer = world.ask("q=dat", "", "approver")
    assert (answer.status, answer.json()["code"]) == (403, "role-missing")


REFUSED = {
    "an unknown name": "subject=x",
    "the same name twice": "q=a&q=b",
    "no limit": "limit=",
    "a limit of nothing": "limit=0",
    "a negative limit": "limit=-5",
    "an absurd limit": "limit=99999999999999999999999",
    "a limit beyond the page": "limit=501",
    "a limit in other digits": "limit=" + quote("٥"),
    "a limit that is a fraction": "limit=1.5",
    "a cursor beyond every journal": "before=99999999999999999999",
    "an unknown state": "state=lost",
    "a code with a wildcard": "code=%25",
    "a day that is none": "since=2026-02-30",
    "a time without its zone": "until=2026-02-03T00:00:00",
    "the end of the calendar": "until=9999-12-31T23:59:59-23:59",
    "an empty word": "q=%20",
    "too many words": "q=" + "+".join(map(str, range(41))),
    "too long": "q=" + "x" * 501,
}


@pytest.mark.parametrize("query", REFUSED.values(), ids=REFUSED.keys())
def test_what_cannot_be_asked_is_refused_with_its_place(world: World, query: str) -> None:
    answer = world.ask(query, "", "auditor")
    told = answer.json()
    assert (answer.status, told["code"]) == (400, "invalid-request"), told
    assert told["violations"] == [] or told["violations"][0]["path"].startswith("query ")


ODD = ("%00", "%FF%FE", "%ED%A0%80", "%F0%9F%98%80", "%E2%80%AE", "'%20OR%20'1'%3D'1", "%5B%5D", "%22%22%22", "a%00b", "%25%27%3B--")


@pytest.mark.parametrize("name", ["q", "number", "document_id", "dossier", "agency", "sender", "recipient", "kind"])
def test_odd_values_find_nothing_and_break_nothing(world: World, name: str) -> None:
    for odd in ODD:
        answer = world.ask(f"{name}={odd}", "", "auditor")
        assert answer.status in (200, 400), (odd, answer.body)
        assert answer.status == 400 or answer.json()["items"] == [], odd


@pytest.mark.parametrize("query", ["", "q=dat", "state=queued", "agency=H53.14&state=queued"])
def test_pages_follow_each_other_whatever_comes_in_between(world: World, query: str) -> None:
    whole = [one["message_id"] for one in world.ask(f"{query}&limit=500", "", "auditor").json()["items"]]
    found: list[str] = []
    cursor = ""
    for _ in range(len(whole) + 1):
        page = world.ask(f"{query}&limit=1{cursor}", "", "auditor").json()
        found += [one["message_id"] for one in page["items"]]
        if page["next"] is None:
            break
        cursor = f"&before={page['next']}"
    assert found == whole
    assert len(whole) > 1


COMMANDS: dict[str, tuple[tuple[str, ...], int, int]] = {
    "words, anywhere on the line": (("đất", "ĐAI", "--state", "queued", "--json"), 0, 1),
    "options of every kind": (
        ("--number", "17", "--sender", "H32.5", "--recipient", "H53.14", "--since", "2020-01-01", "--kind", "document.new", "--json"),
        0,
        1,
    ),
    "a limit over many pages": (("--limit", "1", "--json"), 0, 1),
    "nothing found": (("--document-id", "'; DROP TABLE messages; --", "--json"), 1, 0),
}


@pytest.mark.parametrize(("words", "code", "count"), COMMANDS.values(), ids=COMMANDS.keys())
def test_the_command_finds_beside_the_hub_that_serves(world: World, words: tuple[str, ...], code: int, count: int) -> None:
    done = CliRunner().invoke(app, ["search", *words, "--home", str(world.face.hub.settings.home)])
    assert done.exit_code == code, done.output
    assert len(json.loads(done.stdout)["items"]) == count


@pytest.mark.parametrize("words", [("--state", "lost"), ("--limit", "999999999999"), ("--since", "hôm qua"), ("--code", "%")])
def test_the_command_refuses_what_cannot_be_asked(world: World, words: tuple[str, ...]) -> None:
    done = CliRunner().invoke(app, ["search", *words, "--home", str(world.face.hub.settings.home)])
    assert done.exit_code == 2 or (isinstance(done.exception, Refused) and done.exception.code == "invalid-request")


def test_the_program_prints_what_it_found(world: World) -> None:
    home = str(world.face.hub.settings.home)
    command = [sys.executable, "-m", "hub.cli", "search", "giao", "ban", "--home", home]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=240)
    assert (done.returncode, done.stderr) == (0, "")
    assert world.ids["meeting"] in done.stdout
