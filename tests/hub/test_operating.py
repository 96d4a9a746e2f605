"""What the documents tell operators to type works as it stands: the README's block on keeping, and the restoring of a backup."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hub.cli import app
from tests.architecture.documents import read
from tests.hub.stage import DATDAI, MOTCUA, Stage, open_stage
from tests.hub.test_erase import delivered, erase, found_in, packet
from tests.packets import document

PLACE = "var/lgsp"  # the home, where a command names none


def block(page: str, first: str) -> list[str]:
    """The lines of the page's console block that begins with the command `first`."""
    (found,) = [body for body in read(page).fences("console") if body.startswith(f"$ .venv/bin/lgsp {first}")]
    return [line[2:] for line in found.splitlines() if line.startswith("$ ")]


def typed(line: str, folder: Path, variables: Mapping[str, str]) -> int:
    """Runs one line in `folder`, where `var/lgsp` is the home; its exit code."""
    words = [re.sub(r"\$(\w+)", lambda found: variables[found.group(1)], word) for word in shlex.split(line)]
    if not words[0].endswith("lgsp"):
        return subprocess.run(words, cwd=folder, check=False, capture_output=True).returncode
    before = Path.cwd()
    os.chdir(folder)
    try:
        done = CliRunner().invoke(app, words[1:])
    finally:
        os.chdir(before)
    return done.exit_code


def log_key(stage: Stage) -> str:
    return stage.hub.keyring.log_verifiers(stage.hub.settings.origin)[0].text


@pytest.fixture
def started(tmp_path: Path) -> Stage:
    stage = open_stage(tmp_path / PLACE)
    stage.hub.start()
    return stage


@pytest.mark.parametrize("page", ["README.md", "README.vi.md"])
def test_the_block_of_a_readme_on_keeping_works(started: Stage, tmp_path: Path, page: str) -> None:
    message = delivered(started, packet())
    started.send(document(MOTCUA, (DATDAI,), f"{MOTCUA},2026/03/02,9/A", subject="V/v đất đai"))
    variables = {"MESSAGE": str(message), "LOG_KEY": log_key(started)}
    lines = block(page, "search")
    try:
        assert {line: typed(line, tmp_path, variables) for line in lines} == {line: 0 if "search" not in line else 1 for line in lines}
        assert found_in(tmp_path / "sao-luu") == {}
        started.check()
    finally:
        started.hub.stop()


def test_a_backup_is_restored_as_the_page_says(started: Stage, tmp_path: Path) -> None:
    """Nothing was published since, so it goes on, erasing included."""
    mine = delivered(started, packet())
    variables = {"LOG_KEY": log_key(started)}
    assert typed("lgsp backup --out sao-luu --keys-out sao-luu-khoa", tmp_path, variables) == 0
    started.hub.stop()
    *lines, serve = block("docs/operations.md", "backup verify")
    assert {line: typed(line, tmp_path, variables) for line in lines} == dict.fromkeys(lines, 0)
    assert serve == ".venv/bin/lgsp serve --home var/lgsp-moi"
    again = open_stage(tmp_path / "var/lgsp-moi", fresh=False)
    again.hub.start()
    try:
        sent = again.send(document(MOTCUA, (DATDAI,), f"{MOTCUA},2026/03/02,9/A"))
        assert json.loads(sent.body)["index"] > 0
        assert found_in(tmp_path / "var/lgsp-moi" / "data")
        assert erase(again, mine) is not None
        assert found_in(tmp_path / "var/lgsp-moi") == {}
        again.check()
    finally:
        again.hub.stop()


def test_an_older_backup_is_told_by_the_check_and_holds_nothing_that_was_erased(started: Stage, tmp_path: Path) -> None:
    mine = delivered(started, packet())
    variables = {"LOG_KEY": log_key(started)}
    assert typed("lgsp backup --out sao-luu --keys-out sao-luu-khoa", tmp_path, variables) == 0
    erase(started, mine)
    started.hub.stop()
    *lines, _ = block("docs/operations.md", "backup verify")
    codes = [typed(line, tmp_path, variables) for line in lines]
    assert codes == [0] * (len(lines) - 1) + [1], "fsck says that the store is behind what was published"
    assert found_in(tmp_path / "var/lgsp-moi" / "data") == {}
