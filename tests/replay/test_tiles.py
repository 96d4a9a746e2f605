"""Tiles from the store, and proofs from tiles, against a naive tree of the whole list, and their paths."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from hashlib import sha256

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, delete, insert, select

from replay.hashing import leaf_hash
from replay.journal import read_head
from replay.merkle import TILE_WIDTH, Frontier
from replay.merkle_check import verify_consistency, verify_inclusion
from replay.store.engine import open_store
from replay.store.tables import entries, tree_nodes
from replay.tiles import TilePath, Tiles, content
from schemas.errors import Halted, Refused
from tests.replay.world import World, draft

SIZE = 70_000  # the example of C2SP tlog-tiles
LEAVES = [b"leaf %d" % n for n in range(SIZE)]
WIDTHS = {0: 273 * 256 + 112, 1: 273, 2: 1}  # hashes per level, by the same example


def naive(start: int, stop: int) -> bytes:
    """MTH by the words of RFC 6962 §2.1, with nothing of ours."""
    return _naive(start, stop)


@cache
def _naive(start: int, stop: int) -> bytes:
    if stop == start:
        return sha256(b"").digest()
    if stop - start == 1:
        return sha256(b"\0" + LEAVES[start]).digest()
    k = 1
    while k * 2 < stop - start:
        k *= 2
    return sha256(b"\1" + _naive(start, start + k) + _naive(start + k, stop)).digest()


@pytest.fixture(scope="module")
def conn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connection]:
    """A log of 70,000 entries, its nodes as appending makes them."""
    store = open_store(f"sqlite:///{tmp_path_factory.mktemp('tiles') / 'log.sqlite'}")
    frontier = Frontier()
    frontier.closed = []
    hashes = [leaf_hash(leaf) for leaf in LEAVES]
    for each in hashes:
        frontier.append(each)
    with store.write() as write:
        rows = [{"index": n, "leaf": leaf, "leaf_hash": hashes[n]} for n, leaf in enumerate(LEAVES)]
        write.execute(insert(entries), rows)
        write.execute(insert(tree_nodes), [{"level": level, "index": n, "hash": made} for level, n, made in frontier.closed])
    with store.read() as read:
        yield read
    store.close()


def test_the_tiles_of_the_specifications_example(conn: Connection) -> None:
    tiles = Tiles(conn, SIZE)
    assert [len(tiles.tile(0, n)) for n in (0, 272, 273, 274)] == [256, 256, 112, 0]
    assert [len(tiles.tile(1, n)) for n in (0, 1, 2)] == [256, 17, 0]
    assert [len(tiles.tile(2, n)) for n in (0, 1)] == [1, 0]
    assert tiles.tile(3, 0) == ()
    for level, width in WIDTHS.items():
        for n in (0, width // 2, width - 1):
            span = TILE_WIDTH**level
            assert tiles.tile(level, n // TILE_WIDTH)[n % TILE_WIDTH] == naive(n * span, (n + 1) * span)


SIZES = st.one_of(st.integers(1, SIZE), st.sampled_from([1, 2, 255, 256, 257, 511, 512, 65_535, 65_536, 65_537, SIZE]))
FEW = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


@FEW
@given(st.data(), SIZES)
def test_proofs_from_tiles_lead_to_the_naive_root(conn: Connection, data: st.DataObject, size: int) -> None:
    tiles, root = Tiles(conn, size), naive(0, size)
    assert tiles.root() == root
    index = data.draw(st.integers(0, size - 1))
    path = tiles.inclusion(index)
    assert verify_inclusion(sha256(b"\0" + LEAVES[index]).digest(), index, size, path, root)
    old = data.draw(st.integers(0, size))
    proof = tiles.consistency(old)
    assert verify_consistency(old, naive(0, old), size, root, proof)
    assert Frontier.from_peaks(old, tiles.peaks(old)).root() == naive(0, old)
    if proof:
        assert not verify_consistency(old, naive(0, old), size, root, [*proof[:-1], bytes(32)])


def test_a_proof_reads_a_few_tiles_only(conn: Connection) -> None:
    tiles = Tiles(conn, SIZE)
    tiles.inclusion(12_345)
    tiles.consistency(54_321)
    assert len(tiles._read) <= 9


PATHS = {
    "0/000": (0, 0, 256),
    "0/x001/x234/067": (0, 1_234_067, 256),
    "63/005.p/1": (63, 5, 1),
    "entries/273.p/112": (0, 273, 112),
    "entries/x001/000": (0, 1_000, 256),
}


@pytest.mark.parametrize("text", PATHS)
def test_a_path_is_read_and_written(text: str) -> None:
    path = TilePath.parse(text)
    assert (path.level, path.index, path.width) == PATHS[text]
    assert path.is_entries == text.startswith("entries")
    assert path.text() == text


@pytest.mark.parametrize(
    "text",
    ["", "0", "0/", "0/1", "0/0000", "00/000", "64/000", "-1/000", "0/x000/001", "0/001/002", "0/000.p/0", "0/000.p/256", "0/000.p/01",
     "0/000.p/", "0/000.p/1/", "entries/000.p/256", "Entries/000", "0/٠٠٠", "0/000.q/1", "0/000?", "../0/000", "0/" + "x999/" * 9 + "000"],
)  # fmt: skip
def test_every_other_path_is_refused(text: str) -> None:
    with pytest.raises(Refused, match="unknown-tile"):
        TilePath.parse(text)


@pytest.mark.parametrize("text", ["0/274", "0/273", "0/273.p/113", "1/001", "1/001.p/18", "2/000.p/2", "2/000", "3/000.p/1", "entries/273"])
def test_what_the_published_size_does_not_cover_is_not_there(conn: Connection, text: str) -> None:
    with pytest.raises(Refused, match="unknown-tile"):
        content(conn, TilePath.parse(text), SIZE)


def test_a_bundle_holds_the_entries_behind_their_lengths(conn: Connection) -> None:
    bundle = content(conn, TilePath.parse("entries/273.p/112"), SIZE)
    found = []
    while bundle:
        length = int.from_bytes(bundle[:2], "big")
        found.append(bundle[2 : 2 + length])
        bundle = bundle[2 + length :]
    assert found == LEAVES[273 * 256 :]
    assert content(conn, TilePath.parse("0/273.p/112"), SIZE) == b"".join(sha256(b"\0" + leaf).digest() for leaf in found)
    assert content(conn, TilePath.parse("0/273.p/12"), SIZE) == content(conn, TilePath.parse("0/273.p/112"), SIZE)[: 12 * 32]


def test_appending_keeps_the_nodes_also_when_a_change_is_taken_back(world: World) -> None:
    world.append(*(draft(n) for n in range(250)))
    with world.store.write() as conn:
        appending = world.journal.begin(conn)
        mark = appending.mark()
        conn.exec_driver_sql("SAVEPOINT change")
        for n in range(10):
            appending.append(draft(n))
        appending.flush()
        conn.exec_driver_sql("ROLLBACK TO SAVEPOINT change")
        appending.rewind(mark)
        for n in range(300):
            appending.append(draft(n))
        appending.finish()
    with world.store.read() as conn:
        assert conn.execute(select(tree_nodes.c.level, tree_nodes.c.index)).all() == [(1, 0), (1, 1)]
        assert Tiles(conn, 550).root() == read_head(conn)[1].root()
    assert world.fsck().is_intact
    with world.store.write() as conn:
        conn.execute(delete(tree_nodes).where(tree_nodes.c.index == 1))
    report = world.fsck()
    assert [each.code for each in report.differences] == ["tree-changed", "tree-changed"]
    with world.store.read() as conn, pytest.raises(Halted, match="journal-damaged"):
        Tiles(conn, 550).root()
