"""Checking Merkle proofs, from nothing but roots, sizes and the proof: RFC 9162 §2.1.3.2 and §2.1.4.2, walking index bits upwards.

Shares no code with what grows the tree and makes the proofs (`replay.merkle`, `replay.tiles`) but the two hash functions; a test
holds the imports to that. A mistake over there is not repeated here.
"""

from __future__ import annotations

from collections.abc import Sequence

from replay.hashing import EMPTY_ROOT, HASH_BYTES, node_hash


def verify_inclusion(hash_of_leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether `proof` shows that the leaf stands at `index` of the tree of `size` with `root` (RFC 9162 §2.1.3.2)."""
    if not 0 <= index < size or not _all_hashes(proof, hash_of_leaf, root):
        return False
    node, last, running = index, size - 1, hash_of_leaf
    for sibling in proof:
        if last == 0:
            return False
        if node & 1 or node == last:
            running = node_hash(sibling, running)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            running = node_hash(running, sibling)
        node, last = node >> 1, last >> 1
    return last == 0 and running == root


def verify_consistency(old_size: int, old_root: bytes, size: int, root: bytes, proof: Sequence[bytes]) -> bool:
    """Whether `proof` shows that the tree of `size` only adds to the tree of `old_size` (RFC 9162 §2.1.4.2).

    An empty old tree is a prefix of every tree, with its own root and an empty proof.
    """
    if not 0 <= old_size <= size:
        return False
    if old_size == size:  # nothing is computed from the roots: that they are the same is all there is to show
        return not proof and old_root == root and (size > 0 or root == EMPTY_ROOT)
    if not _all_hashes(proof, old_root, root):
        return False
    if old_size == 0:
        return not proof and old_root == EMPTY_ROOT
    path = list(proof)
    if old_size & (old_size - 1) == 0:  # step 1: a complete old tree is its own first node
        path.insert(0, old_root)
    return bool(path) and _walk_up(old_size - 1, size - 1, path) == (old_root, root)


def _walk_up(node: int, last: int, path: Sequence[bytes]) -> tuple[bytes, bytes] | None:
    """Steps 2–7: both roots that the path leads to; None where it is too long or too short."""
    while node & 1:
        node, last = node >> 1, last >> 1
    old = new = path[0]
    for sibling in path[1:]:
        if last == 0:
            return None
        if node & 1 or node == last:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            new = node_hash(new, sibling)
        node, last = node >> 1, last >> 1
    return (old, new) if last == 0 else None


def _all_hashes(proof: Sequence[bytes], *others: bytes) -> bool:
    return all(len(each) == HASH_BYTES for each in (*proof, *others))
