"""The demo as people start it: one run that is kept serving, and short ones that go wrong or are ended early. Nothing is left behind."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import urllib3

from hub.demo import bus
from hub.demo.scenario import SCENARIO
from tests.ports import closed_port

LIMIT_S = 240.0
FEW_STEPS = """
import sys
from dataclasses import replace
from hub.demo.run import play
from hub.demo.scenario import SCENARIO
steps = [*SCENARIO[:4], replace(SCENARIO[7], expected="something else")]
sys.exit(play(scenario=steps, as_json=True, use_broker=False))
"""


@contextmanager
def demo(tmp_path: Path, *command: str) -> Iterator[subprocess.Popen[str]]:
    """The demo with temporary files of its own; should the test fail, it is ended like any other program."""
    (tmp_path / "tmp").mkdir()
    environment = {**os.environ, "TMPDIR": str(tmp_path / "tmp"), "LGSP_LISTEN": "192.0.2.1:1"}  # settings of another hub do not reach it
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job's children would ignore it
    with subprocess.Popen(
        [sys.executable, *command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, process_group=0
    ) as process:
        signal.signal(signal.SIGINT, before)
        try:
            yield process
        finally:
            if process.poll() is None:
                process.terminate()


def children_of(pid: int) -> set[int]:
    """Process ids, from /proc."""
    found = set()
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                parent = (folder / "stat").read_text().rpartition(")")[2].split()[1]
            except OSError:
                continue
            found |= {int(folder.name)} if int(parent) == pid else set()
    return found


def alive(pids: set[int]) -> set[int]:
    return {pid for pid in pids if Path(f"/proc/{pid}").exists()}


def children_after_the_first_step(process: subprocess.Popen[str]) -> set[int]:
    assert process.stdout is not None
    while "1/" not in process.stdout.readline():
        assert process.poll() is None
    found = children_of(process.pid)
    assert len(found) == 6, "three systems, two witnesses and the hub"
    return found


def read_document(process: subprocess.Popen[str]) -> dict[str, Any]:
    """The JSON document that comes first; its last line is a brace alone."""
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if line == "}\n":
            break
    assert lines, process.stderr.read() if process.stderr is not None else ""
    document: dict[str, Any] = json.loads("".join(lines))
    return document


def test_every_outcome_is_as_expected_and_the_stage_stays_until_it_is_told_to_go(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with demo(tmp_path, "-m", "hub.cli", "demo", "--json", "--keep", "--home", str(home)) as process:
        told = read_document(process)
        wrong = [(step["id"], step["expected"], step["actual"]) for step in told["steps"] if not step["ok"]]
        assert wrong == []
        assert told["ok"]
        assert [step["id"] for step in told["steps"]] == [step.id for step in SCENARIO]
        assert told["seconds"] > 0
        assert told["outsider"]["valid"]
        assert told["fsck"]["intact"]
        assert told["receipt"]["index"] == told["proof"]["index"]
        assert {one["protocol"] for one in told["systems"].values()} >= {"REST", "SOAP"}
        inbox = urllib3.request(
            "GET", f"{told['hub']}/api/v1/inbox", headers={"Authorization": f"Bearer {told['api_keys']['hopthu']}"}, retries=False
        )
        assert inbox.json()["items"] == []
        children = children_of(process.pid)
        assert len(children) == 6, "three systems, two witnesses and the hub"
        process.send_signal(signal.SIGINT)
        assert process.wait(LIMIT_S) == 0
    assert alive(children) == set()
    assert (home / "home" / "hub.toml").exists(), "what --home names stays"


def test_one_outcome_that_is_not_as_expected_makes_it_fail_and_no_broker_is_needed(tmp_path: Path) -> None:
    with demo(tmp_path, "-c", FEW_STEPS) as process:
        out, err = process.communicate(timeout=LIMIT_S)
    assert process.returncode == 1, err
    assert out, err
    told = json.loads(out)
    assert not told["ok"]
    assert [step["ok"] for step in told["steps"]] == [True, True, True, True, False]
    assert told["systems"]["chuyennganh"]["protocol"] == "REST"
    assert "REST" in told["steps"][3]["vi"]
    assert list((tmp_path / "tmp").iterdir()) == []


def test_ended_half_way_it_leaves_no_process_and_no_file(tmp_path: Path) -> None:
    with demo(tmp_path, "-m", "hub.cli", "demo") as process:
        children = children_after_the_first_step(process)
        process.terminate()
        process.communicate(timeout=LIMIT_S)
    assert process.returncode == 128 + signal.SIGTERM
    assert alive(children) == set()
    assert list((tmp_path / "tmp").iterdir()) == []


def test_killed_outright_it_takes_its_processes_along(tmp_path: Path) -> None:
    if sys.platform != "linux":
        pytest.skip("only Linux ends children with their parent")
    with demo(tmp_path, "-c", "from hub.demo.run import play; play(use_broker=False)") as process:
        children = children_after_the_first_step(process)
        process.kill()
        process.communicate(timeout=LIMIT_S)
    until = time.monotonic() + 60
    while alive(children) and time.monotonic() < until:
        time.sleep(0.05)
    assert alive(children) == set()


def test_a_port_that_is_taken_is_told(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with demo(tmp_path, "-m", "hub.cli", "demo", "--port", str(port)) as process:
            _, err = process.communicate(timeout=LIMIT_S)
    assert process.returncode == 1
    assert f"127.0.0.1:{port}" in err


def test_a_folder_with_something_in_it_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "kept.txt").write_text("kept")
    with demo(tmp_path, "-m", "hub.cli", "demo", "--home", str(tmp_path)) as process:
        process.communicate(timeout=LIMIT_S)
    assert process.returncode == 2
    assert sorted(one.name for one in tmp_path.iterdir()) == ["kept.txt", "tmp"]


@contextmanager
def answering(what: bytes | None) -> Iterator[str]:
    """Something on a port that is no broker: says `what`, or nothing at all."""

    def serve() -> None:
        with suppress_closed(), listener.accept()[0] as sock:
            if what is None:
                ended.wait(60)
            else:
                sock.sendall(what)

    ended = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield f"amqp://guest:guest@127.0.0.1:{listener.getsockname()[1]}/"
        finally:
            ended.set()
            thread.join(5)


@contextmanager
def suppress_closed() -> Iterator[None]:
    try:
        yield
    except OSError:
        return


@pytest.mark.parametrize("what", [None, b"", b"HTTP/1.1 400 Bad Request\r\n\r\n"], ids=["silence", "hangs up", "something else"])
def test_what_is_no_broker_is_not_taken_for_one(what: bytes | None) -> None:
    with answering(what) as url:
        assert not bus.is_usable("lgsp-demo-test", url)


def test_nobody_listening_and_a_login_that_is_refused_both_mean_no_broker() -> None:
    assert not bus.is_usable("lgsp-demo-test", f"amqp://guest:guest@127.0.0.1:{closed_port()}/")
    assert not bus.is_usable("lgsp-demo-test", bus.URL.replace("guest:guest", "nobody:wrong"))
