"""`lgsp replay` as people use it: processes, terminals, exit codes (0 yes, 1 no, 2 usage, 3 not done), texts in both languages."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from typer.testing import CliRunner

from hub import cli
from hub.cli import replay as commands
from hub.keys import Keyring
from schemas.errors import HubError
from tests.hub.people import Staff
from tests.hub.stage import DATDAI, MOTCUA, open_stage
from tests.packets import document

LETTERS = re.compile("[ăâđêôơưạảấầẩẫậắằẳẵặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹ]", re.IGNORECASE)
LIMIT_S = 120


@dataclass(frozen=True)
class Desk:
    """A home whose hub does not run, with six messages that were fetched, and a session file for each person."""

    home: Path
    ids: tuple[UUID, ...]
    key: str  # of receipts, as `verify-report` takes it

    def arguments(self, login: str, *arguments: str) -> list[str]:
        return [*arguments, "--home", str(self.home), "--session", str(self.home / f"session-{login}")]

    def command(self, login: str, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "hub.cli", "replay", *self.arguments(login, *arguments)]

    def lgsp(self, login: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        ended = subprocess.run(
            self.command(login, *arguments), capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, timeout=LIMIT_S
        )
        assert "Traceback" not in ended.stderr
        return ended

    def told(self, login: str, *arguments: str, process: bool = False) -> dict[str, Any]:
        """What a command answers in JSON: in this process, which is quicker, or in one of its own."""
        if process:
            ended = self.lgsp(login, *arguments, "--json")
            assert ended.returncode == 0, ended.stdout + ended.stderr
            out = ended.stdout
        else:
            here = CliRunner().invoke(commands.app, self.arguments(login, *arguments, "--json"))
            assert here.exit_code == 0, (here.output, here.exception)
            out = here.stdout
        found: dict[str, Any] = json.loads(out)
        return found

    def refused(self, login: str, *arguments: str) -> str:
        """The code of the error that a command ends with, in this process."""
        here = CliRunner().invoke(commands.app, self.arguments(login, *arguments), input="")
        assert isinstance(here.exception, HubError), (here.output, here.exception)
        assert cli.exit_code(here.exception) == 1
        return here.exception.code

    def at_terminal(self, login: str, *arguments: str, typed: str = "") -> tuple[int, str]:
        """Exit code and all that a terminal shows; `typed` as soon as something is asked."""
        ours, theirs = pty.openpty()
        process = subprocess.Popen(self.command(login, *arguments), stdin=theirs, stdout=theirs, stderr=theirs, close_fds=True)
        os.close(theirs)
        shown, until = b"", time.monotonic() + LIMIT_S
        while time.monotonic() < until:
            if select.select([ours], [], [], 0.2)[0]:
                try:
                    shown += os.read(ours, 65_536)
                except OSError:  # the other end is closed
                    break
            if typed and "»".encode() in shown:
                os.write(ours, typed.encode() + b"\n")
                typed = ""
        os.close(ours)
        return process.wait(LIMIT_S), shown.decode()


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    home = tmp_path_factory.mktemp("desk") / "home"
    stage = open_stage(home)
    hub = stage.hub
    hub.start()
    ids = tuple(stage.send(document(MOTCUA, (DATDAI,), f"{MOTCUA},2026/11/22,{number}/X")).message_id for number in range(6))
    who = stage.principal("datdai")
    for item in hub.mailbox.pending(who)[0]:
        hub.mailbox.fetch(who, item.delivery_id, at=hub.clock())
        hub.mailbox.acknowledge(who, item.delivery_id, at=hub.clock()).result()
    staff = Staff(stage)
    for login in ("an", "binh", "cuc", "em"):
        staff.session(login)
        file = home / f"session-{login}"
        file.touch(mode=0o600)
        file.write_text(staff.tokens[login])
    hub.stop()
    for name in ("motcua", "qlvb", "truc"):  # a command opens the profiles, too, and knows no adapter of a test's
        profile = home / "systems" / f"{name}.toml"
        profile.write_text(re.sub(r'kind = "recorder"', 'kind = "mailbox"', profile.read_text("utf-8")), "utf-8")
    record = next(one for one in Keyring.load(home / "keys").records if one.purpose == "receipt")
    yield Desk(home, ids, f"{record.id}={record.public}")


def test_a_verification_from_request_to_report(desk: Desk, tmp_path: Path) -> None:
    made = desk.told("cuc", "create", "verify", "--message", str(desk.ids[0]), "--message", str(desk.ids[3]), process=True)
    assert (made["state"], made["items"], made["outcomes"]) == ("ready", 2, {"waiting": 2})
    code, shown = desk.at_terminal("cuc", "run", made["id"])
    assert code == 0, shown
    assert "phát lại / replay" in shown and "100%" in shown, "a bar where somebody looks"
    assert f"{made['id']}  verify: done, 2 mục / items" in shown
    items = desk.told("cuc", "items", made["id"], process=True)["items"]
    assert [(one["message_id"], one["outcome"]) for one in items] == [(str(desk.ids[0]), "same"), (str(desk.ids[3]), "same")]
    out = tmp_path / "report.json"
    assert desk.lgsp("binh", "report", made["id"], "--out", str(out)).returncode == 0
    page = CliRunner().invoke(commands.app, desk.arguments("cuc", "report", made["id"], "--format", "html")).output
    assert "BÁO CÁO PHÁT LẠI" in page and "Replay report" in page
    proven = subprocess.run([*VERIFY, str(out), "--key", desk.key], capture_output=True, text=True, check=False)
    assert (proven.returncode, proven.stdout) == (0, f"{made['id']} done: {{'same': 2}}\n")
    out.write_bytes(out.read_bytes().replace(b'"same":2', b'"same":3'))
    edited = CliRunner().invoke(commands.app, ["verify-report", str(out), "--key", desk.key]).exception
    assert isinstance(edited, HubError) and edited.code == "report-invalid"
    assert desk.told("cuc", "list", "--limit", "1", process=True)["items"][0]["id"] == made["id"]


VERIFY = (sys.executable, "-m", "hub.cli", "replay", "verify-report")


def test_a_redelivery_is_a_dry_run_unless_it_is_executed(desk: Desk) -> None:
    made = desk.told("an", "create", "redeliver", "--reason", "thử / a trial")
    ran = desk.lgsp("an", "run", made["id"])
    assert ran.returncode == 0, ran.stderr
    assert "(chạy thử / dry run): done, 6 mục / items" in ran.stdout and "planned 6" in ran.stdout
    assert "%" not in ran.stderr, "no bar where nobody looks"


def test_a_redelivery_needs_another_person_and_the_words_typed(desk: Desk) -> None:
    made = desk.told("an", "create", "redeliver", "--execute", "--reason", "khôi phục / restored")
    run = ("run", made["id"])
    assert desk.refused("an", *run, "--confirm", "redeliver 6") == "approval-missing"
    assert desk.refused("an", "approve", made["id"], made["digest"]) == "role-missing"
    assert desk.refused("binh", "approve", made["id"], "0" * 64) == "approval-digest"
    approved = desk.lgsp("binh", "approve", made["id"], made["digest"])
    assert approved.returncode == 0
    for wanted in ("xác nhận / confirm: «redeliver 6»", "lý do / reason: khôi phục / restored", made["digest"]):
        assert wanted in approved.stdout, "what an approver has to read"
    unconfirmed = desk.lgsp("an", *run)
    assert (unconfirmed.returncode, unconfirmed.stderr.partition(":")[0]) == (1, "confirmation-needed"), "nobody is there to type"
    assert LETTERS.search(unconfirmed.stderr) and " / " in unconfirmed.stderr, "in both languages"
    code, shown = desk.at_terminal("an", *run, typed="yes")
    assert (code, "confirmation-needed" in shown) == (1, True), shown
    code, shown = desk.at_terminal("an", *run, typed="redeliver 6")
    assert code == 0 and "redeliver: done, 6 mục / items" in shown, shown


def test_a_slow_replay_is_paused_goes_on_and_is_cancelled(desk: Desk) -> None:
    job = desk.told("cuc", "create", "verify", "--rate", "0.1")["id"]
    with running(desk, job) as process:
        _until(lambda: desk.told("cuc", "status", job)["outcomes"].get("same", 0) >= 1)
        assert desk.told("cuc", "pause", job, process=True)["state"] == "paused"
        assert process.wait(LIMIT_S) == 3
    done = desk.told("cuc", "status", job, process=True)["outcomes"]
    assert 0 < done["same"] < 6 and sum(done.values()) == 6
    assert desk.refused("cuc", "pause", job) == "wrong-state"
    with running(desk, job) as process:
        _until(lambda: desk.told("cuc", "status", job)["outcomes"]["same"] > done["same"])
        assert desk.told("cuc", "cancel", job, process=True)["state"] == "cancelled"
        assert process.wait(LIMIT_S) == 3
    report = json.loads(CliRunner().invoke(commands.app, desk.arguments("cuc", "report", job)).output)
    same = desk.told("cuc", "status", job)["outcomes"]["same"]
    assert (report["state"], report["outcomes"]) == ("cancelled", {"not-done": 6 - same, "same": same})
    assert done["same"] < same < 6


@contextmanager
def running(desk: Desk, job: str) -> Iterator[subprocess.Popen[bytes]]:
    """A command that runs the job."""
    with subprocess.Popen(desk.command("cuc", "run", job), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        yield process


def _until(condition: Any) -> None:
    until = time.monotonic() + LIMIT_S
    while not condition():
        assert time.monotonic() < until, "it did not come to that in time"


JOB = "{job}"
BAD: dict[str, tuple[str, tuple[str, ...], int, str]] = {
    "a replay that is not there": ("cuc", ("status", str(uuid4())), 1, "not-found"),
    "an id that is none": ("cuc", ("status", "x"), 2, ""),
    "a mode that is none": ("cuc", ("create", "repeat"), 2, "invalid-request"),
    "an index that is not there": ("cuc", ("create", "verify", "--from", "99999"), 1, "unknown-entry"),
    "an index below none": ("cuc", ("create", "verify", "--from", "-1"), 2, ""),
    "a range that ends before it begins": ("cuc", ("create", "verify", "--from", "3", "--to", "1"), 2, "invalid-request"),
    "a message that is not there": ("cuc", ("create", "verify", "--message", str(uuid4())), 1, "unknown-entry"),
    "an empty selection": ("cuc", ("create", "verify", "--state", "parked"), 1, "selection-empty"),
    "a state that is none": ("cuc", ("create", "verify", "--state", "lost"), 2, "invalid-request"),
    "a rate that is none": ("cuc", ("create", "verify", "--rate", "nan"), 2, "invalid-request"),
    "a redelivery without a reason": ("an", ("create", "redeliver"), 2, "invalid-request"),
    "a redelivery by an auditor": ("cuc", ("create", "redeliver", "--reason", "x"), 1, "role-missing"),
    "nobody's session": ("nobody", ("list",), 1, "session-invalid"),
    "a report of what has not ended": ("cuc", ("report", JOB), 1, "wrong-state"),
    "values for an integrator": ("em", ("items", JOB, "--values"), 1, "role-missing"),
    "an outcome that is none": ("cuc", ("items", JOB, "--outcome", "fine"), 2, "invalid-request"),
    "values in signed bytes": ("cuc", ("report", JOB, "--values"), 2, "invalid-request"),
    "a page that is none": ("cuc", ("items", JOB, "--limit", "0"), 2, ""),
    "a page after nothing": ("cuc", ("list", "--before", str(uuid4())), 1, "not-found"),
}


@pytest.fixture(scope="module")
def ready(desk: Desk) -> str:
    return str(desk.told("cuc", "create", "verify")["id"])


@pytest.mark.parametrize("case", BAD.values(), ids=BAD.keys())
def test_bad_input_is_a_clear_no(
    desk: Desk, ready: str, case: tuple[str, tuple[str, ...], int, str], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """As the process does it, in this one: `main` with its arguments."""
    login, arguments, code, said = case
    given = [one.format(job=ready) for one in arguments]
    monkeypatch.setattr(sys, "argv", ["lgsp", "replay", *desk.arguments(login, *given)])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    told = capfd.readouterr().err
    assert ended.value.code == code, told
    assert "Traceback" not in told
    if said:
        assert told.startswith(f"{said}: ") and LETTERS.search(told)


REPORTS = {
    "no JSON": b"\x00",
    "another document": b"{}",
    "deep JSON": b"[" * 100_000,
    "a report that is cut": b'{"v":1,"kind":"replay-report"',
}


@pytest.mark.parametrize("body", REPORTS.values(), ids=REPORTS.keys())
def test_a_report_that_is_none_is_refused(
    desk: Desk, tmp_path: Path, body: bytes, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "report.json"
    file.write_bytes(body)
    for key, code in ((desk.key, 1), ("x=not base64", 2), ("x=AAAA", 2)):
        monkeypatch.setattr(sys, "argv", ["lgsp", "replay", "verify-report", str(file), "--key", key])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        assert (ended.value.code, "Traceback" in capfd.readouterr().err) == (code, False)


def test_every_command_explains_itself_in_both_languages() -> None:
    names = [str(one.name) for one in commands.app.registered_commands]
    assert set(names) == {"create", "approve", "run", "pause", "cancel", "status", "list", "items", "report", "verify-report"}
    for name in names:
        shown = CliRunner().invoke(commands.app, [name, "--help"], env={"COLUMNS": "200"})
        assert shown.exit_code == 0
        about = next(line for line in shown.output.splitlines()[2:] if line.strip())
        vi, _, en = about.partition(" / ")
        assert LETTERS.search(vi) and en.isascii() and en.strip(), about
