"""The server's own start on a store that was rolled back, forked, run ahead, or lost its published checkpoint, on both kinds of store."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Table, delete, insert, select

from hub.keys import Keyring
from hub.node import utc_now
from hub.settings import load_settings
from replay.checkpoint import Checkpoint
from replay.entry import EntryDraft
from replay.journal import Journal, read_head
from replay.store.engine import Store, open_store
from replay.store.tables import entries, log_head, openings, tree_nodes
from schemas.errors import catalogue
from signing.note import note_text
from tests.hub.stage import home as home_of

LOG: tuple[Table, ...] = (entries, openings, tree_nodes, log_head)
Rows = dict[str, list[dict[str, Any]]]


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def home(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """A home that has served once: its log is published."""
    url = "" if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    folder = home_of(tmp_path / "home", {}, f'listen = "127.0.0.1:0"\nstore_url = "{url}"\n')
    assert served(folder) == ""
    yield folder


def served(folder: Path) -> str:
    """Starts the server and ends it in order: "" if it came up, else what it said; it must have exited with 3."""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    command = [sys.executable, "-m", "hub.cli", "serve", "--home", str(folder)]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        if running.stdout.readline():  # {"ready": true, …}
            running.send_signal(signal.SIGTERM)
        _, said = running.communicate(timeout=120)
        if running.returncode == 0:
            return ""
        assert running.returncode == 3, said
        assert "Traceback" not in said
        return said


def refused(folder: Path, code: str) -> None:
    """The start says this code, what it means and what to do, in both languages."""
    spec, said = catalogue()[code], served(folder)
    for text in (f"{code}: ", spec.title.vi, spec.title.en, spec.remedy.vi, spec.remedy.en):
        assert text in said, said


class Log:
    """The journal in the store of a home, without the hub."""

    def __init__(self, folder: Path) -> None:
        self.settings = load_settings(folder, {})
        self.ring = Keyring.load(self.settings.keys_folder)
        self.store: Store = open_store(self.settings.resolved_store_url)

    def rows(self) -> Rows:
        with self.store.read() as conn:
            return {table.name: [dict(row) for row in conn.execute(select(table)).mappings()] for table in LOG}

    def put(self, rows: Rows) -> None:
        with self.store.write() as conn:
            for table in (openings, entries, tree_nodes, log_head):
                conn.execute(delete(table))
            for table in LOG:
                if rows[table.name]:
                    conn.execute(insert(table), rows[table.name])

    def append(self, count: int, what: str) -> int:
        """Entries that nobody publishes; the size then."""
        journal = Journal(self.ring.journal_keys(), self.settings.origin)
        with self.store.write() as conn:
            journal.append(conn, [EntryDraft("test", utc_now(), (), {what: number}, None) for number in range(count)])
            return read_head(conn)[1].size

    def published(self) -> int:
        return Checkpoint.parse(note_text(self.settings.checkpoint_path.read_bytes())).size


def test_it_starts_only_on_what_continues_what_was_published(home: Path) -> None:
    log, kept = Log(home), load_settings(home, {}).checkpoint_path
    backup, before = log.rows(), log.published()
    # ahead: committed before a machine died, and never published
    size = log.append(300, "ahead")
    assert log.published() == before < size
    assert served(home) == ""
    assert log.published() >= size
    newest, note = log.rows(), kept.read_bytes()
    # behind: an old backup
    log.put(backup)
    refused(home, "store-behind")
    # forked: an old backup that went on by itself, to the same size and beyond
    log.append(400, "forked")
    refused(home, "checkpoint-mismatch")
    # the newest state again, without the nodes of its tree, which are made again: all is well
    log.put({**newest, tree_nodes.name: []})
    assert served(home) == ""
    # the published checkpoint is garbled, or gone
    kept.write_bytes(note.replace(b"\n\n", b"\n", 1))
    refused(home, "published-damaged")
    kept.unlink()
    refused(home, "published-missing")
    log.store.close()
