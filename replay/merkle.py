"""Merkle tree of RFC 6962 §2.1 (RFC 9162 §2.1), pure: growing it, and the definitions of root and proofs.

* `Frontier` grows a tree from its right edge, as the writer does;
* `root_of`, `inclusion_proof`, `consistency_proof` follow the recursive definitions over a list of leaf hashes.

Proofs of a log in a store come from `replay.tiles`; they are checked by `replay.merkle_check`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from replay.hashing import EMPTY_ROOT, HASH_BYTES, node_hash

TILE_HEIGHT = 8  # C2SP tlog-tiles: a tile is the subtree of 256 hashes
TILE_WIDTH = 1 << TILE_HEIGHT


class Frontier:
    """The right edge of a growing tree: the roots of its complete subtrees, largest first, one per one-bit of `size`."""

    __slots__ = ("_peaks", "_size", "closed")

    def __init__(self) -> None:
        self._size = 0
        self._peaks: list[bytes] = []
        # Roots of the full tiles that appending closes: (level that they stand at, index there, hash). Whoever wants them sets a list.
        self.closed: list[tuple[int, int, bytes]] | None = None

    @property
    def size(self) -> int:
        """Number of leaves."""
        return self._size

    def append(self, hash_of_leaf: bytes) -> int:
        """Add one leaf; returns its index. Costs one hash per complete subtree that it closes."""
        index = self._size
        carry, rest, height = hash_of_leaf, index, 0
        while rest & 1:
            carry = node_hash(self._peaks.pop(), carry)
            rest >>= 1
            height += 1
            if self.closed is not None and height % TILE_HEIGHT == 0:
                self.closed.append((height // TILE_HEIGHT, index >> height, carry))
        self._peaks.append(carry)
        self._size = index + 1
        return index

    def root(self) -> bytes:
        """Root of the tree so far."""
        return folded(self._peaks)

    def to_bytes(self) -> bytes:
        """The subtree roots, left to right, 32 bytes each (`log_head.frontier`)."""
        return b"".join(self._peaks)

    @classmethod
    def from_bytes(cls, size: int, peaks: bytes) -> Frontier:
        """The frontier of `size` leaves. ValueError where the number of hashes does not fit the size."""
        if size < 0 or len(peaks) != HASH_BYTES * size.bit_count():
            raise ValueError(f"a tree of {size} leaves does not have {len(peaks)} bytes of subtree roots")
        return cls.from_peaks(size, [peaks[at : at + HASH_BYTES] for at in range(0, len(peaks), HASH_BYTES)])

    @classmethod
    def from_peaks(cls, size: int, peaks: Sequence[bytes]) -> Frontier:
        """The same from a list, one hash per one-bit of `size`."""
        made = cls()
        made._size = size
        made._peaks = list(peaks)
        return made


def folded(peaks: Sequence[bytes]) -> bytes:
    """The root over complete subtrees, largest first, none of the same size as another."""
    if not peaks:
        return EMPTY_ROOT
    root = peaks[-1]
    for peak in reversed(peaks[:-1]):
        root = node_hash(peak, root)
    return root


Subtree = Callable[[int, int], bytes]  # MTH(D[start:stop]) of a range that the definitions ask for


def root_of(hashes: Sequence[bytes]) -> bytes:
    """MTH(D[n]) of RFC 6962 §2.1 over leaf hashes."""
    return _subtree(hashes, 0, len(hashes)) if hashes else EMPTY_ROOT


def inclusion_proof(hashes: Sequence[bytes], index: int, size: int) -> tuple[bytes, ...]:
    """PATH(index, D[size]) of RFC 6962 §2.1.1, lowest sibling first. IndexError outside 0 ≤ index < size ≤ len(hashes)."""
    if not 0 <= index < size <= len(hashes):
        raise IndexError(f"no leaf {index} in a tree of {size} (of {len(hashes)})")
    return inclusion_path(partial(_subtree, hashes), index, size)


def consistency_proof(hashes: Sequence[bytes], old_size: int, size: int) -> tuple[bytes, ...]:
    """PROOF(old_size, D[size]) of RFC 6962 §2.1.2; empty for equal sizes and for an empty old tree.

    IndexError outside 0 ≤ old_size ≤ size ≤ len(hashes).
    """
    if not 0 <= old_size <= size <= len(hashes):
        raise IndexError(f"no tree of {old_size} before {size} (of {len(hashes)})")
    return consistency_path(partial(_subtree, hashes), old_size, size)


def inclusion_path(subtree: Subtree, index: int, size: int) -> tuple[bytes, ...]:
    """PATH(index, D[size]) over whatever knows the tree's subtrees, 0 ≤ index < size."""
    return tuple(_path(subtree, index, 0, size))


def consistency_path(subtree: Subtree, old_size: int, size: int) -> tuple[bytes, ...]:
    """PROOF(old_size, D[size]) over the same, 0 ≤ old_size ≤ size."""
    if old_size in (0, size):
        return ()
    return tuple(_subproof(subtree, old_size, 0, size, whole=True))


def split(width: int) -> int:
    """The largest power of two smaller than `width` (RFC 6962 §2.1: k)."""
    return 1 << ((width - 1).bit_length() - 1)


def _subtree(hashes: Sequence[bytes], start: int, stop: int) -> bytes:
    if stop - start == 1:
        return hashes[start]
    middle = start + split(stop - start)
    return node_hash(_subtree(hashes, start, middle), _subtree(hashes, middle, stop))


def _path(subtree: Subtree, index: int, start: int, stop: int) -> list[bytes]:
    if stop - start == 1:
        return []
    middle = start + split(stop - start)
    if index < middle:
        return [*_path(subtree, index, start, middle), subtree(middle, stop)]
    return [*_path(subtree, index, middle, stop), subtree(start, middle)]


def _subproof(subtree: Subtree, old_stop: int, start: int, stop: int, *, whole: bool) -> list[bytes]:
    """SUBPROOF; `whole` while the old tree is a complete subtree the verifier already knows."""
    if old_stop == stop:
        return [] if whole else [subtree(start, stop)]
    middle = start + split(stop - start)
    if old_stop <= middle:
        return [*_subproof(subtree, old_stop, start, middle, whole=whole), subtree(middle, stop)]
    return [*_subproof(subtree, old_stop, middle, stop, whole=False), subtree(start, middle)]
