"""People at the REST face, and on the command line."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from hub.cli import app
from hub.keys import Keyring
from schemas.errors import HubError
from tests.api.face import Answer, Face

PASSWORD = "trăng lên khỏi núi – 7816"


def lgsp(*arguments: str, home: Path, typed: str = "") -> Result:
    """The command, with `typed` on its standard input."""
    return CliRunner().invoke(app, [*arguments, "--home", str(home)], input=typed)


@pytest.fixture(scope="module")
def person(face: Face) -> str:
    """An operator's login."""
    home = face.hub.settings.home
    made = lgsp(
        "person", "add", "an", "--role", "operator", "--name", "Nguyễn An", "--password-file", "-", home=home, typed=PASSWORD + "\n"
    )
    assert made.exit_code == 0, made.output
    return "an"


def log_in(face: Face, login: str, password: str) -> Answer:
    body = json.dumps({"login": login, "password": password}).encode()
    return face.ask("POST", "/api/v1/sessions", body=body, headers={"Content-Type": "application/json"})


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def test_a_session_from_login_to_logout(face: Face, person: str) -> None:
    opened = log_in(face, person, PASSWORD)
    assert opened.status == 201
    token = opened.json()["token"]
    who = face.ask("GET", "/api/v1/sessions/current", headers=bearer(token))
    assert (who.status, who.json()["person"]["roles"]) == (200, ["operator"])
    assert face.ask("POST", "/api/v1/sessions/current/end", headers=bearer(token)).status == 204
    ended = face.ask("GET", "/api/v1/sessions/current", headers=bearer(token))
    assert (ended.status, ended.json()["code"]) == (401, "session-invalid")
    assert PASSWORD not in face.log.getvalue()
    assert token.partition(".")[2] not in face.log.getvalue()


def test_a_persons_token_is_no_systems_key_and_the_other_way_round(face: Face, person: str) -> None:
    token = log_in(face, person, PASSWORD).json()["token"]
    assert face.ask("GET", "/api/v1/inbox", headers=bearer(token)).json()["code"] == "not-authenticated"
    assert face.ask("GET", "/api/v1/sessions/current", system="qlvb").json()["code"] == "session-invalid"
    assert face.ask("GET", "/api/v1/sessions/current").json()["code"] == "session-invalid"


BODIES = {
    "no password": b'{"login": "an"}',
    "a password that is a list": b'{"login": "an", "password": ["hush hush hush"]}',
    "more than is asked": b'{"login": "an", "password": "hush hush hush", "extra": "hush hush hush"}',
    "not JSON": b"hush hush hush",
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
def test_a_login_that_cannot_be_read_repeats_nothing(face: Face, body: bytes) -> None:
    answer = face.ask("POST", "/api/v1/sessions", body=body, headers={"Content-Type": "application/json"})
    assert (answer.status, answer.json()["code"]) == (400, "json-invalid")
    assert b"hush" not in answer.body


def test_a_failed_login_says_nothing_of_why(face: Face, person: str) -> None:
    wrong, nobody = log_in(face, person, "wrong wrong wrong"), log_in(face, "nobody-here", PASSWORD)
    assert wrong.status == nobody.status == 401
    same = {name: value for name, value in wrong.json().items() if name != "trace_id"}
    assert same == {name: value for name, value in nobody.json().items() if name != "trace_id"}


def test_the_commands_keep_a_session_in_a_file_of_ones_own(tmp_path: Path) -> None:
    home, file = tmp_path / "home", tmp_path / "private" / "session"
    Keyring.init(home / "keys")
    add = ("person", "add", "binh", "--role", "approver", "--password-file", "-")
    assert lgsp(*add, home=home, typed=PASSWORD).exit_code == 0
    assert fault_of(lgsp(*add, home=home, typed=PASSWORD)) == "person-exists"
    login = ("login", "binh", "--session", str(file), "--password-file", "-")
    assert fault_of(lgsp(*login, home=home, typed="not this one")) == "login-failed"
    right = lgsp(*login, home=home, typed=PASSWORD)
    assert right.exit_code == 0, right.output
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.read_text().strip() not in right.output
    assert lgsp("logout", "--session", str(file), home=home).exit_code == 0
    assert not file.exists()
    assert fault_of(lgsp("logout", "--session", str(file), home=home)) == "session-invalid"
    listed = json.loads(lgsp("person", "list", "--json", home=home).stdout)
    assert [(one["login"], one["roles"]) for one in listed] == [("binh", ["approver"])]


def fault_of(result: Result) -> str:
    """The code of the error that the command ended with."""
    assert isinstance(result.exception, HubError)
    return result.exception.code


def test_a_session_file_that_others_may_read_is_refused(tmp_path: Path) -> None:
    home, file = tmp_path / "home", tmp_path / "session"
    Keyring.init(home / "keys")
    file.write_text("lgsp-0000000000000000.x")
    file.chmod(0o644)
    assert fault_of(lgsp("logout", "--session", str(file), home=home)) == "session-invalid"


def test_no_command_takes_a_password_as_an_argument() -> None:
    for command in ("add", "password"):
        shown = CliRunner().invoke(app, ["person", command, "--help"], env={"COLUMNS": "200"})
        assert shown.exit_code == 0
        assert not re.search(r"--password(?!-file)", shown.output)


UNREADABLE = {"nothing there": None, "a folder": "", "not UTF-8": b"\xff\xfe bytes"}


@pytest.mark.parametrize("content", UNREADABLE.values(), ids=UNREADABLE.keys())
@pytest.mark.parametrize(
    "command", [["login", "an"], ["person", "add", "em", "--role", "auditor"], ["person", "password", "an"]], ids=" ".join
)
def test_a_password_file_that_cannot_be_read_is_named(
    face: Face, person: str, tmp_path: Path, command: list[str], content: bytes | str | None
) -> None:
    file = tmp_path / "mat-khau"
    if isinstance(content, bytes):
        file.write_bytes(content)
    elif content is not None:
        file.mkdir()
    done = lgsp(*command, "--password-file", str(file), home=face.hub.settings.home)
    assert isinstance(done.exception, HubError)
    assert (done.exception.code, str(done.exception.got).startswith("mat-khau: ")) == ("invalid-request", True)


def test_a_session_file_that_cannot_be_written_is_named(face: Face, person: str, tmp_path: Path) -> None:
    done = lgsp("login", person, "--password-file", "-", "--session", str(tmp_path), home=face.hub.settings.home, typed=PASSWORD + "\n")
    assert isinstance(done.exception, HubError)
    assert (done.exception.code, str(tmp_path) in str(done.exception.got)) == ("invalid-request", True)
