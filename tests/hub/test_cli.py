"""A system registered, the hub started, packets sent and fetched: all by the command, as an operator and an agency would."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.packets import document

LGSP = [sys.executable, "-m", "hub.cli"]


def lgsp(*words: object, code: int = 0, **environment: str) -> str:
    done = subprocess.run(
        [*LGSP, *map(str, words)], check=False, capture_output=True, text=True, env={**os.environ, **environment}, timeout=240
    )
    assert done.returncode == code, f"{words}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    assert "Traceback" not in done.stderr
    return done.stdout + done.stderr


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "hub"
    (folder / "trust").mkdir(parents=True)
    lgsp("keys", "init", "--home", folder)
    return folder


def add(home: Path, name: str, agency: str) -> str:
    found = re.search(r"API key: (\S+)", lgsp("agency", "add", name, "--agency", agency, "--title", f"Hệ thống {name}", "--home", home))
    assert found
    return found.group(1)


@pytest.fixture
def url(home: Path) -> Iterator[str]:
    with (home / "log").open("w") as log:
        process = subprocess.Popen(
            [*LGSP, "serve", "--home", str(home), "--listen", "127.0.0.1:0"], stdout=subprocess.PIPE, stderr=log, text=True
        )
    assert process.stdout is not None
    with process.stdout:
        line = process.stdout.readline()
        assert line, (home / "log").read_text()
        yield json.loads(line)["url"]
        process.terminate()
        assert process.wait(100) == 0, (home / "log").read_text()


@pytest.fixture
def keys(home: Path) -> dict[str, str]:
    return {"a": add(home, "van-phong", "H32.01"), "b": add(home, "noi-vu", "H32.02")}


def test_send_follow_fetch(tmp_path: Path, home: Path, keys: dict[str, str], url: str) -> None:
    packet = tmp_path / "van-ban.edxml"
    packet.write_bytes(document("H32.01", ("H32.02",)))
    receipt = json.loads(lgsp("send", packet, LGSP_HUB=url, LGSP_KEY=keys["a"]))
    assert json.loads(lgsp("send", packet, LGSP_HUB=url, LGSP_KEY=keys["a"])) == receipt
    lgsp("send", packet, code=1, LGSP_HUB=url, LGSP_KEY=keys["b"])
    lgsp("send", packet, code=1, LGSP_HUB=url, LGSP_KEY="nobody.secret")
    waiting = json.loads(lgsp("inbox", LGSP_HUB=url, LGSP_KEY=keys["b"]))
    assert [item["message_id"] for item in waiting["items"]] == [receipt["message_id"]]
    lgsp("inbox", "--save", tmp_path / "in", LGSP_HUB=url, LGSP_KEY=keys["b"])
    (saved,) = (tmp_path / "in").iterdir()
    assert saved.read_bytes() == packet.read_bytes()
    told = json.loads(lgsp("status", receipt["message_id"], LGSP_HUB=url, LGSP_KEY=keys["a"]))
    assert told["state"] == "delivered"
    lgsp("log", "fsck", "--home", home)
    proof = json.loads(lgsp("log", "prove", receipt["message_id"], "--json", "--home", home))
    assert proof["index"] == receipt["index"]
    assert json.loads(lgsp("delivery", "list", "--json", "--home", home)) == []
    lgsp("delivery", "decide", waiting["items"][0]["delivery_id"], "arrived", "--reason", "thử", "--home", home, code=1)
    lgsp("serve", "--home", home, "--listen", "127.0.0.1:0", code=2)  # one process per embedded store


def test_a_hub_that_does_not_answer_is_unavailable(tmp_path: Path) -> None:
    packet = tmp_path / "p.edxml"
    packet.write_bytes(document())
    lgsp("send", packet, "--hub", "http://127.0.0.1:1", "--key", "a.b", code=3)


USAGE = {
    "a hub without keys": (["serve"], 3),
    "an agency code that is none": (["agency", "add", "x", "--agency", "null"], 2),
    "a name that cannot be a file's": (["agency", "add", "../x", "--agency", "H32.01"], 2),
    "an unknown system": (["agency", "key", "nobody"], 2),
    "an unknown option": (["serve", "--colour", "red"], 2),
    "an unknown command": (["dance"], 2),
}


@pytest.mark.parametrize(("words", "code"), USAGE.values(), ids=USAGE.keys())
def test_what_is_asked_wrongly_is_answered(tmp_path: Path, words: list[str], code: int) -> None:
    lgsp(*words, code=code, LGSP_HOME=str(tmp_path / "none"))


def test_a_second_key_works_beside_the_first(home: Path, keys: dict[str, str]) -> None:
    found = re.search(r"API key: (\S+)", lgsp("agency", "key", "noi-vu", "--home", home))
    assert found and found.group(1) != keys["b"]
    text = (home / "systems" / "noi-vu.toml").read_text("utf-8")
    assert text.count("sha256") == 2
    assert found.group(1).partition(".")[2] not in text
    assert "noi-vu" in lgsp("agency", "list", "--home", home)


def test_a_name_is_not_taken_twice(home: Path, keys: dict[str, str]) -> None:
    lgsp("agency", "add", "noi-vu", "--agency", "H32.09", "--home", home, code=2)
    lgsp("agency", "add", "khac", "--agency", "000.00.02.H32", "--home", home, code=2)


def test_a_home_that_cannot_be_read_is_told_and_is_no_stack_trace(tmp_path: Path) -> None:
    """The longest names have no file: to the code it is an `OSError` like that of a closed folder, and root meets it as well."""
    told = lgsp("delivery", "list", "--home", tmp_path / ("x" * 300), code=2)
    assert "settings-invalid" in told
