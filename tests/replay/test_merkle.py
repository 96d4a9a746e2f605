"""The tree against published vectors, against itself by three routes, and against every kind of broken proof."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay.hashing import EMPTY_ROOT, leaf_hash, node_hash
from replay.merkle import Frontier, consistency_proof, inclusion_proof, root_of
from replay.merkle_check import verify_consistency, verify_inclusion

# The eight inputs that implementations of RFC 6962 have shared since the first one, with the root after each.
INPUTS = [bytes.fromhex(h) for h in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")]
ROOTS = {
    0: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    2: "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    3: "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    4: "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    5: "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    6: "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    7: "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
}
# RFC 6962's shared inclusion vectors over those inputs: leaf (from 1), size → the path.
PATHS = {
    (1, 1): [],
    (1, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    (6, 8): [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (3, 3): ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"],
}
CONSISTENCY = {
    (1, 1): [],
    (1, 8): PATHS[1, 8],
    (6, 8): [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (2, 5): [
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ],
}
MAX_SIZE = 70
HASHES = [leaf_hash(bytes([n])) for n in range(MAX_SIZE)]
SIZES = st.integers(1, MAX_SIZE)


@pytest.mark.parametrize("size", ROOTS, ids=lambda n: f"the tree of {n} has the published root")
def test_root(size: int) -> None:
    hashes = [leaf_hash(i) for i in INPUTS[:size]]
    assert root_of(hashes).hex() == ROOTS[size]
    grown = Frontier()
    for each in hashes:
        grown.append(each)
    assert grown.root().hex() == ROOTS[size]


@pytest.mark.parametrize(("leaf", "size"), PATHS, ids=str)
def test_published_inclusion_path(leaf: int, size: int) -> None:
    hashes = [leaf_hash(i) for i in INPUTS]
    path = inclusion_proof(hashes, leaf - 1, size)
    assert [h.hex() for h in path] == PATHS[leaf, size]
    assert verify_inclusion(hashes[leaf - 1], leaf - 1, size, path, bytes.fromhex(ROOTS[size]))


@pytest.mark.parametrize(("old", "size"), CONSISTENCY, ids=str)
def test_published_consistency_path(old: int, size: int) -> None:
    hashes = [leaf_hash(i) for i in INPUTS]
    path = consistency_proof(hashes, old, size)
    assert [h.hex() for h in path] == CONSISTENCY[old, size]
    assert verify_consistency(old, bytes.fromhex(ROOTS[old]), size, bytes.fromhex(ROOTS[size]), path)


def test_every_leaf_of_every_size_is_provable() -> None:
    grown = Frontier()
    for size in range(1, MAX_SIZE + 1):
        assert grown.append(HASHES[size - 1]) == size - 1
        root = root_of(HASHES[:size])
        assert grown.root() == root
        assert Frontier.from_bytes(size, grown.to_bytes()).root() == root
        for index in range(size):
            assert verify_inclusion(HASHES[index], index, size, inclusion_proof(HASHES, index, size), root)


def test_every_size_continues_every_smaller_one() -> None:
    roots = [root_of(HASHES[:n]) for n in range(MAX_SIZE + 1)]
    for size in range(MAX_SIZE + 1):
        for old in range(size + 1):
            assert verify_consistency(old, roots[old], size, roots[size], consistency_proof(HASHES, old, size))


def _flip(data: bytes, bit: int) -> bytes:
    return (int.from_bytes(data, "big") ^ (1 << bit)).to_bytes(len(data), "big")


@given(st.data(), SIZES, st.integers(0, 255))
def test_a_changed_inclusion_proof_is_refused(data: st.DataObject, size: int, bit: int) -> None:
    index = data.draw(st.integers(0, size - 1))
    path, root = list(inclusion_proof(HASHES, index, size)), root_of(HASHES[:size])
    leaf = HASHES[index]
    assert not verify_inclusion(_flip(leaf, bit), index, size, path, root)
    assert not verify_inclusion(leaf, index, size, path, _flip(root, bit))
    assert not verify_inclusion(leaf, index, size, [*path, HASHES[0]], root)
    assert not verify_inclusion(leaf, size, size, path, root)
    assert not verify_inclusion(leaf, -1, size, path, root)
    for at in range(len(path)):
        changed = [*path]
        changed[at] = _flip(changed[at], bit)
        assert not verify_inclusion(leaf, index, size, changed, root)
        assert not verify_inclusion(leaf, index, size, path[:at] + path[at + 1 :], root)
    other = data.draw(st.integers(0, size - 1))
    assert (other == index) == verify_inclusion(leaf, other, size, path, root)


@given(st.data(), st.integers(2, MAX_SIZE), st.integers(0, 255))
def test_a_changed_consistency_proof_is_refused(data: st.DataObject, size: int, bit: int) -> None:
    old = data.draw(st.integers(1, size - 1))
    path, root, old_root = list(consistency_proof(HASHES, old, size)), root_of(HASHES[:size]), root_of(HASHES[:old])
    assert not verify_consistency(old, _flip(old_root, bit), size, root, path)
    assert not verify_consistency(old, old_root, size, _flip(root, bit), path)
    assert not verify_consistency(old, old_root, size, root, [*path, HASHES[0]])
    assert not verify_consistency(size, root, old, old_root, path)
    for at in range(len(path)):
        changed = [*path]
        changed[at] = _flip(changed[at], bit)
        assert not verify_consistency(old, old_root, size, root, changed)
        assert not verify_consistency(old, old_root, size, root, path[:at] + path[at + 1 :])


@given(SIZES, SIZES, st.data())
def test_a_rewritten_past_is_not_consistent(one: int, two: int, data: st.DataObject) -> None:
    old, size = sorted((one, two))
    at = data.draw(st.integers(0, old - 1))
    forged = [*HASHES[:at], leaf_hash(b"forged"), *HASHES[at + 1 : size]]
    assert not verify_consistency(old, root_of(HASHES[:old]), size, root_of(forged), consistency_proof(forged, old, size))


def test_empty_trees_continue_into_anything_and_prove_nothing() -> None:
    assert verify_consistency(0, EMPTY_ROOT, 0, EMPTY_ROOT, [])
    assert verify_consistency(0, EMPTY_ROOT, 3, root_of(HASHES[:3]), [])
    assert not verify_consistency(0, HASHES[0], 3, root_of(HASHES[:3]), [])
    assert not verify_consistency(0, HASHES[0], 0, HASHES[0], [])
    assert not verify_inclusion(HASHES[0], 0, 0, [], EMPTY_ROOT)


def test_hashes_of_the_wrong_length_are_refused() -> None:
    root = node_hash(HASHES[0], HASHES[1])
    assert not verify_inclusion(HASHES[0], 0, 2, [HASHES[1] + b"\0"], root)
    assert not verify_inclusion(HASHES[0][:31], 0, 2, [HASHES[1]], root)
    assert not verify_consistency(1, HASHES[0], 2, root, [HASHES[1][:31]])


@pytest.mark.parametrize(("index", "size"), [(0, 0), (3, 3), (-1, 3), (0, MAX_SIZE + 1)], ids=str)
def test_there_is_no_proof_for_what_is_not_there(index: int, size: int) -> None:
    with pytest.raises(IndexError):
        inclusion_proof(HASHES, index, size)


def test_a_frontier_that_does_not_fit_its_size_is_refused() -> None:
    with pytest.raises(ValueError, match="3 leaves"):
        Frontier.from_bytes(3, HASHES[0])
