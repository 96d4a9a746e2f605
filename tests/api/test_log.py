"""The log as standard clients read it: rebuilt from tiles alone, entries for auditors, caching, and what is not there."""

from __future__ import annotations

import gzip
import socket
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from hub.access import new_api_key
from hub.commit import Transaction
from replay.checkpoint import Checkpoint
from replay.entry import Entry, EntryDraft
from replay.hashing import leaf_hash
from replay.merkle import root_of
from tests.api.face import Answer, Face, serving

ENTRIES = 300


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Face]:
    """A served hub of its own, with more than one tile published."""
    with serving(tmp_path_factory.mktemp("log") / "home") as face:
        at = face.hub.clock()

        def change(tx: Transaction) -> None:
            for number in range(ENTRIES):
                tx.append(EntryDraft("test", at, (), {"number": number}, None))

        face.hub.committer.submit(change).result(60)
        face.hub.keeper._publish()
        yield face


def size_of(answer: Answer) -> Checkpoint:
    return Checkpoint.parse(answer.body.decode().partition("\n\n")[0] + "\n")


def test_the_tree_is_rebuilt_from_tiles_alone(log: Face) -> None:
    answer = log.ask("GET", "/log/checkpoint")
    assert (answer.status, answer.headers["Content-Type"]) == (200, "text/plain; charset=utf-8")
    assert "immutable" not in answer.headers["Cache-Control"]
    keys = log.hub.keyring.log_verifiers(log.hub.settings.origin)
    published = Checkpoint.opened(answer.body, keys)
    assert published.size >= ENTRIES
    full, rest = divmod(published.size, 256)
    tiles = [log.ask("GET", f"/log/tile/0/{n:03}") for n in range(full)]
    if rest:
        tiles.append(log.ask("GET", f"/log/tile/0/{full:03}.p/{rest}"))
    assert {tile.status for tile in tiles} == {200}
    assert {tile.headers["Content-Type"] for tile in tiles} == {"application/octet-stream"}
    assert {tile.headers["Cache-Control"] for tile in tiles} == {"public, max-age=31536000, immutable"}
    hashes = b"".join(tile.body for tile in tiles)
    assert root_of([hashes[at : at + 32] for at in range(0, len(hashes), 32)]) == published.root
    above = log.ask("GET", f"/log/tile/1/000.p/{full}").body
    assert above == b"".join(root_of([tile.body[at : at + 32] for at in range(0, 8192, 32)]) for tile in tiles[:full])


@pytest.mark.parametrize(
    "tile", ["0/002", "0/001.p/255", "5/000", "0/1", "64/000", "nothing", "0/000.p/0", "..%2f..%2fcheckpoint", "0/%ff"]
)
def test_what_is_not_there_is_a_clear_404(log: Face, tile: str) -> None:
    answer = log.ask("GET", f"/log/tile/{tile}")
    assert (answer.status, answer.json()["code"]) == (404, "unknown-tile")
    assert "immutable" not in answer.headers.get("Cache-Control", "")


def test_entries_are_for_auditors_only(log: Face) -> None:
    path = "/log/tile/entries/000"
    assert (log.ask("GET", path).status, log.ask("GET", path).json()["code"]) == (401, "not-authenticated")
    assert log.ask("GET", path, headers={"Authorization": "Bearer lgsp-0.no"}).status == 401
    assert (log.ask("GET", path, system="qlvb").status, log.ask("GET", path, system="qlvb").json()["code"]) == (403, "not-permitted")


def test_an_auditor_reads_the_entries_that_the_tiles_hash(tmp_path: Path) -> None:
    key, kept = new_api_key()
    profile = f'agencies = []\n[access]\nroles = ["auditor"]\nkeys = [{{ id = "{kept.id}", sha256 = "{kept.sha256}" }}]\n'
    with serving(tmp_path / "home", {"kiem-toan": profile}) as face:
        at = face.hub.clock()
        face.hub.committer.submit(lambda tx: [tx.append(EntryDraft("test", at, (), {"n": n}, None)) for n in range(3)]).result(60)
        face.hub.keeper._publish()
        size = face.hub.keeper.current.checkpoint.size
        headers = {"Authorization": f"Bearer {key}"}
        answer = face.ask("GET", f"/log/tile/entries/000.p/{size}", headers=headers)
        assert (answer.status, answer.headers["Cache-Control"]) == (200, "private, max-age=31536000, immutable")
        packed = face.ask("GET", f"/log/tile/entries/000.p/{size}", headers={**headers, "Accept-Encoding": "gzip"})
        assert packed.headers["Content-Encoding"] == "gzip"
        assert packed.body in (answer.body, gzip.compress(answer.body, 6, mtime=0))
        leaves, rest = [], answer.body
        while rest:
            length = int.from_bytes(rest[:2], "big")
            leaves.append(rest[2 : 2 + length])
            rest = rest[2 + length :]
        assert [Entry.from_leaf(leaf).event for leaf in leaves][-3:] == ["test"] * 3
        hashed = face.ask("GET", f"/log/tile/0/000.p/{size}").body
        assert hashed == b"".join(leaf_hash(leaf) for leaf in leaves)
        assert len(sha256(hashed).digest()) == 32


def test_the_health_page_tells_how_far_the_log_is(log: Face) -> None:
    told = log.ask("GET", "/health/ready").json()["log"]
    assert told["published"] >= ENTRIES
    assert (told["fault"], told["quorum"], told["evidence_debt"]) == ("", "0 of 0", 0)
    assert socket.gethostname() not in str(told)
