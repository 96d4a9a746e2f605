"""The log as tiles (C2SP tlog-tiles): reading them from the store, and every proof from a few of them.

A tile is up to 256 consecutive hashes of one level. Level 0 are the leaf hashes of `entries`; a hash of level L ≥ 1 is the root of one full
tile below it, kept in `tree_nodes` by the transaction of the entry that filled that tile. So no tile can be there without its entries,
a partial tile is the beginning of the full one, and any proof takes at most three tiles per level: O(log n).

Paths: ``<L>/<N>`` and ``entries/<N>``, with ``.p/<W>`` for a partial tile of W hashes; N in groups of three digits, all but the last
with an ``x`` before it: 1234067 is ``x001/x234/067``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import BindParameter, Connection, bindparam, select

from replay.hashing import EMPTY_ROOT, HASH_BYTES, node_hash
from replay.merkle import TILE_HEIGHT, TILE_WIDTH, consistency_path, folded, inclusion_path, split
from replay.store.tables import entries, tree_nodes
from schemas.errors import Halted, Refused

MAX_LEVEL = 63
_PATH = re.compile(r"(entries|0|[1-9][0-9]?)((?:/x[0-9]{3}){0,6}/[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?", re.ASCII)
_FIRST: BindParameter[int] = bindparam("first")  # statements are built once: building one costs more than running it
_STOP: BindParameter[int] = bindparam("stop")
_LEAF_HASHES = select(entries.c.leaf_hash).where(entries.c.index >= _FIRST, entries.c.index < _STOP).order_by(entries.c.index)
_NODE_HASHES = (
    select(tree_nodes.c.hash)
    .where(tree_nodes.c.level == bindparam("of_level"), tree_nodes.c.index >= _FIRST, tree_nodes.c.index < _STOP)
    .order_by(tree_nodes.c.index)
)


@dataclass(frozen=True, slots=True)
class TilePath:
    """Which tile, or which bundle of entries, is asked for."""

    level: int  # of the hashes; 0 for bundles
    index: int
    width: int  # hashes or entries, 1 to 256
    is_entries: bool = False

    @classmethod
    def parse(cls, text: str) -> TilePath:
        """Reads the part behind ``/log/tile/``. Raises `Refused("unknown-tile")` for every other spelling."""
        matched = _PATH.fullmatch(text)
        if matched is None:
            raise Refused("unknown-tile", got=text[:100], expected="<L>/<N>, entries/<N>, or either with .p/<W>")
        kind, number, partial_width = matched.groups()
        width = int(partial_width) if partial_width else TILE_WIDTH
        is_entries = kind == "entries"
        found = cls(0 if is_entries else int(kind), int(number.replace("/", "").replace("x", "")), width, is_entries)
        if found.level > MAX_LEVEL or (partial_width and width >= TILE_WIDTH) or found.text() != text:
            raise Refused("unknown-tile", got=text[:100], expected=f"a level to {MAX_LEVEL}, a width to 255, no needless zeros")
        return found

    def text(self) -> str:
        """The path."""
        groups = f"{self.index % 1000:03}"
        rest = self.index // 1000
        while rest:
            groups = f"x{rest % 1000:03}/{groups}"
            rest //= 1000
        kind = "entries" if self.is_entries else str(self.level)
        return f"{kind}/{groups}" + (f".p/{self.width}" if self.width < TILE_WIDTH else "")

    def is_within(self, size: int) -> bool:
        """Whether a log of `size` entries has it."""
        return self.index * TILE_WIDTH + self.width <= size >> (TILE_HEIGHT * self.level)


class Tiles:
    """The first `size` entries of the log, as `conn` sees it. Keeps what it has read: make one per question."""

    __slots__ = ("_conn", "_read", "_size")

    def __init__(self, conn: Connection, size: int) -> None:
        self._conn = conn
        self._size = size
        self._read: dict[tuple[int, int], Sequence[bytes]] = {}

    def tile(self, level: int, index: int) -> Sequence[bytes]:
        """All hashes of the tile, fewer than 256 at the right edge, none beyond it. Raises `Halted("journal-damaged")` for a gap."""
        found = self._read.get((level, index))
        if found is None:
            first = index * TILE_WIDTH
            width = min(TILE_WIDTH, (self._size >> (TILE_HEIGHT * level)) - first)
            found = self._read[level, index] = self._hashes(level, first, width) if width > 0 else ()
        return found

    def root(self, size: int | None = None) -> bytes:
        """Root of the first `size` entries (all of them)."""
        return folded(self.peaks(self._size if size is None else size))

    def peaks(self, size: int) -> list[bytes]:
        """Roots of the complete subtrees of the first `size` entries, largest first: the frontier of that tree."""
        made, start = [], 0
        for height in reversed(range(size.bit_length())):
            if size >> height & 1:
                made.append(self._complete(height, start))
                start += 1 << height
        return made

    def inclusion(self, index: int) -> tuple[bytes, ...]:
        """PATH(index, D[size]), 0 ≤ index < size."""
        return inclusion_path(self._range, index, self._size)

    def consistency(self, old_size: int) -> tuple[bytes, ...]:
        """PROOF(old_size, D[size]), 0 ≤ old_size ≤ size."""
        return consistency_path(self._range, old_size, self._size)

    def _range(self, start: int, stop: int) -> bytes:
        """MTH(D[start:stop]) of a range as the definitions cut them: `start` is a multiple of the first subtree's width."""
        width = stop - start
        if width <= 0:
            return EMPTY_ROOT
        if width & (width - 1) == 0:
            return self._complete(width.bit_length() - 1, start)
        middle = start + split(width)
        return node_hash(self._complete(split(width).bit_length() - 1, start), self._range(middle, stop))

    def _complete(self, height: int, start: int) -> bytes:
        """Root of the complete subtree of 2^height entries from `start`, out of one tile."""
        level, rest = divmod(height, TILE_HEIGHT)
        first = start >> (TILE_HEIGHT * level)
        hashes = self.tile(level, first // TILE_WIDTH)[first % TILE_WIDTH :][: 1 << rest]
        while len(hashes) > 1:
            hashes = [node_hash(hashes[at], hashes[at + 1]) for at in range(0, len(hashes), 2)]
        return hashes[0]

    def _hashes(self, level: int, first: int, width: int) -> Sequence[bytes]:
        found = hashes(self._conn, level, first, width)
        if len(found) != width or any(len(each) != HASH_BYTES for each in found):
            raise Halted("journal-damaged", got=f"{len(found)} hashes of level {level} from {first}", expected=f"{width} of 32 bytes")
        return found


def hashes(conn: Connection, level: int, first: int, width: int) -> Sequence[bytes]:
    """Up to `width` hashes of `level` from index `first`, those that are there."""
    values = {"first": first, "stop": first + width}
    found = conn.execute(_LEAF_HASHES, values) if level == 0 else conn.execute(_NODE_HASHES, {**values, "of_level": level})
    return found.scalars().all()


def content(conn: Connection, path: TilePath, size: int) -> bytes:
    """The resource at `path` of a log of which `size` entries are published: hashes side by side, or entries each behind its length in
    two bytes, big endian. Raises `Refused("unknown-tile")`; `Halted("journal-damaged")`."""
    if not path.is_within(size):
        raise Refused("unknown-tile", got=path.text(), expected=f"one of a log of {size} entries")
    first = path.index * TILE_WIDTH
    if not path.is_entries:
        return b"".join(Tiles(conn, size).tile(path.level, path.index)[: path.width])
    at = entries.c.index
    leaves = conn.execute(select(entries.c.leaf).where(at >= first, at < first + path.width).order_by(at)).scalars().all()
    if len(leaves) != path.width:
        raise Halted("journal-damaged", got=f"{len(leaves)} entries from {first}", expected=str(path.width))
    return b"".join(len(leaf).to_bytes(2, "big") + leaf for leaf in leaves)
