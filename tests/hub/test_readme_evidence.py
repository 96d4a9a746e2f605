"""The READMEs' walk through evidence, command by command as it stands there, on a hub with traffic."""

from __future__ import annotations

import base64
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hub.cli import app
from hub.demo.pki import build_pki
from hub.node import utc_now
from tests.architecture.documents import Document, commands, read
from tests.hub.evidence_world import World, build
from tests.hub.stage import MOTCUA, QLVB


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    pki = build_pki(tmp_path_factory.mktemp("pki"), (MOTCUA,), utc_now() - timedelta(days=1), elliptic=[MOTCUA], root_bits=2048)
    made = build(tmp_path_factory.mktemp("world"), pki)
    yield made
    made.stage.hub.stop()


def test_every_command_of_the_section_does_what_it_says(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    section = read("README.md").text.partition("\n## Evidence for outsiders\n")[2].partition("\n## ")[0]
    walk = list(commands(Document("README.md", section)))
    assert len(walk) == 11
    hub = world.stage.hub
    given = {
        "$MESSAGE": str(world.message_id),
        "$LOG_KEY": world.known.log_keys[0].text,
        "$FROM": world.started.isoformat(),
        "$TO": world.ended.isoformat(),
        "$PARTY_KEY": base64.b64encode(hub.keyring.parties().of(MOTCUA)).decode(),
        "$RECIPIENT": QLVB,
    }
    monkeypatch.chdir(tmp_path)
    for words in walk:
        asked = [given.get(word.strip('"'), word.strip('"')) for word in words[1:]]
        target = asked[asked.index(">") + 1] if ">" in asked else ""
        asked = asked[: asked.index(">")] if target else asked
        needs_home = asked[:2] not in (["evidence", "verify"], ["evidence", "script"])
        done = CliRunner().invoke(app, [*asked, *(["--home", str(hub.settings.home)] if needs_home else [])])
        assert done.exit_code == 0, (words, done.output, done.exception)
        if target:
            (tmp_path / target).write_text(done.stdout, "utf-8")
    for container in ("bang-chung.asice", "day-du.asice"):
        command = [sys.executable, "-I", "-S", "verify.py", container, "--log-key", given["$LOG_KEY"]]
        checked = subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=240, check=False)
        assert checked.returncode == 0, checked.stdout.decode()
    assert "Phiếu giải quyết văn bản đến" in (tmp_path / "phieu.html").read_text("utf-8")
