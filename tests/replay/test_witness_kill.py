"""A witness process that is killed while it cosigns for several logs: what it answered it remembers, its state whole."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hub.witness_home import init_witness
from replay.checkpoint import Checkpoint
from replay.hashing import leaf_hash
from replay.merkle import consistency_proof, root_of
from replay.witness import request_body
from signing.note import NoteSigner, NoteVerifier, sign_note

HASHES = [leaf_hash(bytes([number])) for number in range(60)]
LOGS = {f"log{number}.test/journal": Ed25519PrivateKey.from_private_bytes(bytes([number + 1]) * 32) for number in range(3)}


def asked(url: str, origin: str, old: int, size: int) -> tuple[int, str]:
    note = sign_note(Checkpoint(origin, size, root_of(HASHES[:size])).text(), [NoteSigner(origin, LOGS[origin])]).encode()
    body = request_body(old, consistency_proof(HASHES, old, size) if old else (), note)
    try:
        with urllib.request.urlopen(urllib.request.Request(f"{url}/add-checkpoint", body), timeout=60) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as answer:
        return answer.code, answer.read().decode()


def started(folder: Path) -> tuple[subprocess.Popen[str], str]:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    command = [sys.executable, "-m", "hub.cli", "witness", "serve", str(folder), "--listen", "127.0.0.1:0"]
    running = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
    assert running.stdout is not None
    return running, str(json.loads(running.stdout.readline())["url"])


def test_what_it_cosigned_survives_kill_9(tmp_path: Path) -> None:
    folder = tmp_path / "witness"
    init_witness(folder, "witness.test", "127.0.0.1:0", tuple(NoteVerifier(name, key.public_key()).text for name, key in LOGS.items()))
    running, url = started(folder)
    known = dict.fromkeys(LOGS, 0)

    def push(origin: str) -> None:
        for size in range(1, len(HASHES)):
            try:
                status, _ = asked(url, origin, known[origin], size)
            except OSError:  # killed
                return
            assert status == 200
            known[origin] = size
            if sum(known.values()) > 30:
                running.kill()

    threads = [threading.Thread(target=push, args=(origin,)) for origin in LOGS]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    running.communicate(timeout=60)
    assert running.returncode == -9
    assert min(known.values()) > 0
    again, url = started(folder)
    for origin, size in known.items():
        status, body = asked(url, origin, 0, size)
        assert status == 409
        assert size <= int(body) <= size + 1  # the last may have been kept and not answered
        assert asked(url, origin, int(body), 59)[0] == 200
    again.kill()
    again.communicate(timeout=60)
