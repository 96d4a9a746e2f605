"""Merkle tree of RFC 6962 §2.1 (RFC 9162 §2.1), pure: growing it, proving from it, and checking such proofs.

Three ways of computing that share nothing but the two hash functions:

* `Frontier` grows a tree from its right edge, as the writer does;
* `root_of`, `inclusion_proof`, `consistency_proof` follow the recursive definitions over a list of leaf hashes;
* `verify_inclusion`, `verify_consistency` walk index bits upwards (RFC 9162 §2.1.3.2, §2.1.4.2) and see no leaf but their own.

All hashes are SHA-256, 32 bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

HASH_BYTES = 32
EMPTY_ROOT = sha256(b"").digest()  # RFC 6962 §2.1: the hash of an empty list is the hash of an empty string


def leaf_hash(leaf: bytes) -> bytes:
    """SHA-256(0x00 ‖ leaf)."""
    return sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01 ‖ left ‖ right)."""
    return sha256(b"\x01" + left + right).digest()


class Frontier:
    """The right edge of a growing tree: the roots of its complete subtrees, largest first, one per one-bit of `size`."""

    __slots__ = ("_peaks", "_size")

    def __init__(self) -> None:
        self._size = 0
        self._peaks: list[bytes] = []

    @property
    def size(self) -> int:
        """Number of leaves."""
        return self._size

    def append(self, hash_of_leaf: bytes) -> int:
        """Add one leaf; returns its index. Costs one hash per complete subtree that it closes."""
        index = self._size
        carry, rest = hash_of_leaf, index
        while rest & 1:
            carry = node_hash(self._peaks.pop(), carry)
            rest >>= 1
        self._peaks.append(carry)
        self._size = index + 1
        return index

    def root(self) -> bytes:
        """Root of the tree so far."""
        if not self._peaks:
            return EMPTY_ROOT
        root = self._peaks[-1]
        for peak in reversed(self._peaks[:-1]):
            root = node_hash(peak, root)
        return root

    def to_bytes(self) -> bytes:
        """The subtree roots, left to right, 32 bytes each (`log_head.frontier`)."""
        return b"".join(self._peaks)

    @classmethod
    def from_bytes(cls, size: int, peaks: bytes) -> Frontier:
        """The frontier of `size` leaves. ValueError where the number of hashes does not fit the size."""
        if size < 0 or len(peaks) != HASH_BYTES * size.bit_count():
            raise ValueError(f"a tree of {size} leaves does not have {len(peaks)} bytes of subtree roots")
        made = cls()
        made._size = size
        made._peaks = [peaks[at : at + HASH_BYTES] for at in range(0, len(peaks), HASH_BYTES)]
        return made


def root_of(hashes: Sequence[bytes]) -> bytes:
    """MTH(D[n]) of RFC 6962 §2.1 over leaf hashes."""
    return _subtree(hashes, 0, len(hashes)) if hashes else EMPTY_ROOT


def inclusion_proof(hashes: Sequence[bytes], index: int, size: int) -> tuple[bytes, ...]:
    """PATH(index, D[size]) of RFC 6962 §2.1.1, lowest sibling first. IndexError outside 0 ≤ index < size ≤ len(hashes)."""
    if not 0 <= index < size <= len(hashes):
        raise IndexError(f"no leaf {index} in a tree of {size} (of {len(hashes)})")
    return tuple(_path(hashes, index, 0, size))


def consistency_proof(hashes: Sequence[bytes], old_size: int, size: int) -> tuple[bytes, ...]:
    """PROOF(old_size, D[size]) of RFC 6962 §2.1.2; empty for equal sizes and for an empty old tree.

    IndexError outside 0 ≤ old_size ≤ size ≤ len(hashes).
    """
    if not 0 <= old_size <= size <= len(hashes):
        raise IndexError(f"no tree of {old_size} before {size} (of {len(hashes)})")
    if old_size in (0, size):
        return ()
    return tuple(_subproof(hashes, old_size, 0, size, whole=True))


def _split(width: int) -> int:
    """The largest power of two smaller than `width`."""
    return 1 << ((width - 1).bit_length() - 1)


def _subtree(hashes: Sequence[bytes], start: int, stop: int) -> bytes:
    if stop - start == 1:
        return hashes[start]
    middle = start + _split(stop - start)
    return node_hash(_subtree(hashes, start, middle), _subtree(hashes, middle, stop))


def _path(hashes: Sequence[bytes], index: int, start: int, stop: int) -> list[bytes]:
    if stop - start == 1:
        return []
    middle = start + _split(stop - start)
    if index < middle:
        return [*_path(hashes, index, start, middle), _subtree(hashes, middle, stop)]
    return [*_path(hashes, index, middle, stop), _subtree(hashes, start, middle)]


def _subproof(hashes: Sequence[bytes], old_stop: int, start: int, stop: int, *, whole: bool) -> list[bytes]:
    """SUBPROOF; `whole` while the old tree is a complete subtree the verifier already knows."""
    if old_stop == stop:
        return [] if whole else [_subtree(hashes, start, stop)]
    middle = start + _split(stop - start)
    if old_stop <= middle:
        return [*_subproof(hashes, old_stop, start, middle, whole=whole), _subtree(hashes, middle, stop)]
    return [*_subproof(hashes, old_stop, middle, stop, whole=False), _subtree(hashes, start, middle)]


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
    if not 0 <= old_size <= size or not _all_hashes(proof, old_root, root):
        return False
    if old_size == size:
        return not proof and old_root == root and (size > 0 or root == EMPTY_ROOT)
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
