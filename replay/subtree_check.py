"""Checking proofs about a subtree of a log, entries [start, end): draft-ietf-plants-merkle-tree-certs §4.3 and §4.4.

The hub makes no such proofs. They are here because the folder of published vectors has them beside those of RFC 6962, and a folder is
judged whole. As in `replay.merkle_check`, nothing is shared with what makes proofs but the hash functions.
"""

from __future__ import annotations

from collections.abc import Sequence

from replay.hashing import EMPTY_ROOT, HASH_BYTES, node_hash
from replay.merkle_check import verify_inclusion

Span = tuple[int, int]  # [start, end)


def is_subtree(span: Span) -> bool:
    """Whether `span` is a subtree that is not empty: its start is a multiple of its width, rounded up to a power of two."""
    start, end = span
    return 0 <= start < end and start % (1 << (end - start - 1).bit_length()) == 0


def verify_in_subtree(hash_of_leaf: bytes, index: int, span: Span, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether the leaf stands at `index` of the log, in the subtree with `root`."""
    return is_subtree(span) and verify_inclusion(hash_of_leaf, index - span[0], span[1] - span[0], proof, root)


def verify_subtree(span: Span, subtree_root: bytes, size: int, root: bytes, proof: Sequence[bytes]) -> bool:
    """Whether the tree of `size` with `root` has the subtree with `subtree_root` at `span`."""
    start, end = span
    if not is_subtree(span) or end > size or any(len(each) != HASH_BYTES for each in proof):
        return False
    first, last, edge = start, end - 1, size - 1
    while first != last and (last == edge or last & 1):  # levels on which the path meets nothing outside
        first, last, edge = first >> 1, last >> 1, edge >> 1
    path = list(proof) if first != last else [subtree_root, *proof]
    if not path:
        return False
    below = above = path[0]
    for sibling in path[1:]:
        if edge == 0:
            return False
        if last & 1 or last == edge:
            below = node_hash(sibling, below) if first < last else below
            above = node_hash(sibling, above)
            while not last & 1 and last:
                first, last, edge = first >> 1, last >> 1, edge >> 1
        else:
            above = node_hash(above, sibling)
        first, last, edge = first >> 1, last >> 1, edge >> 1
    return edge == 0 and (below, above) == (subtree_root, root)


def verify_empty_subtree(end: int, subtree_root: bytes, size: int, proof: Sequence[bytes]) -> bool:
    """The same for [end, end), by drafts since July 2026: it has the root of the empty tree, and an empty proof; earlier ones refuse it."""
    return end <= size and subtree_root == EMPTY_ROOT and not proof
