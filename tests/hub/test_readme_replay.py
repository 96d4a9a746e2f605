"""The READMEs' way of an auditor, word by word: what they show is run, in order, in one home."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from uuid import UUID

import pytest
from typer.testing import CliRunner

from hub.cli import app
from hub.keys import Keyring
from tests.architecture.documents import commands, read
from tests.hub.stage import DATDAI, MOTCUA, open_stage, profile
from tests.packets import document

PASSWORD = "trăng lên khỏi núi – 7816"
ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@pytest.mark.parametrize("path", ["README.md", "README.vi.md"])
def test_an_auditor_can_follow_the_readme(path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = [words for words in map(shlex.split, map(" ".join, commands(read(path)))) if words[1:2] in (["person"], ["login"], ["replay"])]
    assert [words[2] for words in shown if words[1] == "replay"] == ["create", "run", "items", "report", "report", "verify-report"]
    home = tmp_path / "home"
    stage = open_stage(home, profiles={"motcua": profile([MOTCUA]), "datdai": profile([DATDAI])})
    stage.hub.start()
    for number in range(2):
        stage.send(document(MOTCUA, (DATDAI,), f"{MOTCUA},2026/11/22,{number}/X"))
    stage.hub.stop()
    monkeypatch.chdir(tmp_path)
    receipt = next(one for one in Keyring.load(home / "keys").records if one.purpose == "receipt")
    told = {"REPLAY": "", "$RECEIPT_KEY": f"{receipt.id}={receipt.public}"}
    environment = {"LGSP_HOME": str(home), "LGSP_SESSION": str(tmp_path / "session")}
    for words in shown:
        given = [told.get(word, word) for word in words[1:]]
        done = CliRunner().invoke(app, given, env=environment, input=f"{PASSWORD}\n{PASSWORD}\n")
        assert done.exit_code == 0, (words, done.output, done.exception)
        if words[1:3] == ["replay", "create"]:
            found = ID.search(done.output)
            assert found is not None
            told["REPLAY"] = str(UUID(found.group()))
    assert json.loads((tmp_path / "bao-cao.json").read_bytes())["outcomes"] == {"same": 2}
    assert "BÁO CÁO PHÁT LẠI" in (tmp_path / "bao-cao.html").read_text("utf-8")
