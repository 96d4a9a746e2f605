"""The last reader: has a container of evidence, three public keys, one Python file and nothing of the hub's."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.resources import files
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from hub.demo.home import ORIGIN
from hub.demo.play import Play
from hub.node import utc_now
from hub.settings import read_toml
from hub.trial import KEY_FILE, make_certificate
from signing.cosignature import CosignatureVerifier
from signing.note import NoteVerifier

_TIMEOUT_S = 60


def checks(play: Play) -> str:
    """`lgsp evidence export` of the first document, then `python -I verify.py` on it in an empty folder, with a witnesses' quorum."""
    folder = play.stage.home.path.parent / "outsider"
    folder.mkdir(exist_ok=True)
    container = folder / f"{play.sent['first'].message_id}.asice"
    container.unlink(missing_ok=True)
    _export(play, container)
    (folder / "verify.py").write_bytes(files("replay.standalone").joinpath("verify_evidence.py").read_bytes())  # lgsp evidence script
    log_key = NoteVerifier(ORIGIN, Ed25519PublicKey.from_public_bytes(play.stage.log_key())).text
    command = [sys.executable, "-I", "-S", str(folder / "verify.py"), str(container), "--json", "--log-key", log_key]
    for name, key in play.stage.witness_keys.items():
        command += ["--witness-key", CosignatureVerifier(name, Ed25519PublicKey.from_public_bytes(key)).text]
    done = subprocess.run(command, cwd=folder, env={"PATH": os.defpath}, capture_output=True, timeout=_TIMEOUT_S, check=False)
    report: dict[str, Any] = json.loads(done.stdout)
    play.evidence["outsider"] = report
    shown = {one["point"] for one in report["points"] if one["state"] == "ok"}
    proven = "message, entries and witnesses hold" if {"message", "entries", "openings", "witnesses"} <= shown else "something is not shown"
    return f"{'valid' if report['valid'] else 'not valid'} · {proven}"


def _export(play: Play, container: Path) -> None:
    """Signed with a trial certificate that the demo makes for it."""
    home = container.parent / "certificate"
    (home / "keys").mkdir(mode=0o700, parents=True, exist_ok=True)
    if not (home / "keys" / KEY_FILE).exists():
        make_certificate(home, utc_now())
    secret = home / "password"
    secret.touch(mode=0o600)
    secret.write_text(read_toml(home / "secrets.toml")["signing"]["password"], "utf-8")
    command = [sys.executable, "-m", "hub.cli", "evidence", "export", play.sent["first"].message_id, "--home", str(play.stage.home.path)]
    _run(play, [*command, "--out", str(container), "--pkcs12", str(home / "keys" / KEY_FILE), "--secret-file", str(secret)])


def _run(play: Play, command: list[str]) -> bytes:
    done = subprocess.run(command, capture_output=True, timeout=_TIMEOUT_S, check=False, env=dict(play.stage.children.environment))
    if done.returncode:
        raise RuntimeError(f"lgsp {' '.join(command[3:5])} ended with {done.returncode}: {done.stderr.decode('utf-8', 'replace')[-400:]}")
    return done.stdout
