"""`kill -9` during load: whatever was acknowledged is there afterwards, whole (DESIGN §2.1)."""

from __future__ import annotations

import subprocess
import sys
import time
from hashlib import sha256
from pathlib import Path

import pytest
from sqlalchemy import select

from hub.keys import Keyring
from replay.checkpoint import Checkpoint
from replay.merkle_check import verify_consistency
from replay.published import CheckpointFile, Publisher
from replay.store.engine import open_store
from replay.store.tables import messages
from replay.tiles import Tiles
from tests.replay.world import ORIGIN, World, draft, message_id

ROOT = Path(__file__).parents[2]


def test_what_was_published_is_continued_after_a_kill(url: str, tmp_path: Path) -> None:
    """Between append and publication: the start hashes the rest, publishes it, and everything is provable."""
    ring, store = Keyring.init(tmp_path / "keys"), open_store(url)
    world = World(store, ring, tmp_path / "payloads")
    publisher = Publisher(store, world.journal, ring.log_verifiers(ORIGIN), CheckpointFile(tmp_path / "published" / "checkpoint"))
    arguments = ["-m", "tests.replay.load", url, str(tmp_path / "keys"), str(tmp_path / "payloads"), str(publisher.file.path)]
    before = publisher.open().checkpoint
    world.append(*(draft(number) for number in range(250)))  # the next entries close a tile
    child = subprocess.Popen([sys.executable, *arguments], stdout=subprocess.PIPE, cwd=ROOT)
    assert child.stdout is not None
    for _ in range(10):
        child.stdout.readline()
    child.kill()
    child.communicate()
    kept = Checkpoint.opened(publisher.file.read() or b"", publisher.log_keys)
    now = publisher.open().checkpoint
    assert before.size < kept.size <= now.size
    with store.read() as conn:
        tiles = Tiles(conn, now.size)
        assert verify_consistency(kept.size, kept.root, now.size, now.root, tiles.consistency(kept.size))
    assert world.fsck(publisher.file.read()).is_intact
    store.close()


@pytest.mark.parametrize("seconds", [0.3, 0.9], ids=["soon", "later"])
def test_nothing_acknowledged_is_lost(url: str, tmp_path: Path, seconds: float) -> None:
    ring = Keyring.init(tmp_path / "keys")
    arguments = ["-m", "tests.replay.load", url, str(tmp_path / "keys"), str(tmp_path / "payloads")]
    child = subprocess.Popen([sys.executable, *arguments], stdout=subprocess.PIPE, cwd=ROOT)
    assert child.stdout is not None
    first = child.stdout.readline()  # it is under way
    time.sleep(seconds)
    child.kill()
    out = first + child.communicate()[0]
    acknowledged = [int(line) for line in out.splitlines(keepends=True) if line.endswith(b"\n")]
    assert acknowledged

    store = open_store(url, create=False)
    world = World(store, ring, tmp_path / "payloads")
    report = world.fsck()
    assert report.is_intact, report.differences
    with store.read() as conn:
        digests = {row.id: row.raw_digest for row in conn.execute(select(messages.c.id, messages.c.raw_digest))}
        for number in acknowledged:
            assert sha256(world.payload(conn, number)).digest() == digests[message_id(number)]
    assert len(digests) >= len(acknowledged)
    world.append(draft(1))  # and it goes on where it stopped
    assert world.fsck().is_intact
    store.close()
