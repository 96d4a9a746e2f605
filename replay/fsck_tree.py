"""fsck, the tree above the leaves: `tree_nodes`, from which tiles and proofs are made, derived anew by the definition of the root.

Not by `Frontier`, which wrote them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, func, select

from replay.findings import Findings
from replay.merkle import TILE_WIDTH, root_of
from replay.store.loose import loose
from replay.store.tables import AnyRow, tree_nodes

CHUNK = 5_000
_NODES = select(*loose(tree_nodes)).limit(CHUNK)


@dataclass(slots=True)
class TreeCheck:
    """Takes every leaf hash in order, then compares. Holds one hash per full tile: 32 bytes per 256 entries."""

    findings: Findings
    _levels: list[list[bytes]] = field(default_factory=lambda: [[]])  # hashes of the tile that is being filled, per level
    _expected: dict[int, list[bytes]] = field(default_factory=dict)  # by level, from 1

    def add(self, digest: bytes, level: int = 0) -> None:
        """The next hash of `level`."""
        tile = self._levels[level]
        tile.append(digest)
        if len(tile) == TILE_WIDTH:
            made = root_of(tile)
            tile.clear()
            if len(self._levels) == level + 1:
                self._levels.append([])
            self._expected.setdefault(level + 1, []).append(made)
            self.add(made, level + 1)

    def finish(self, conn: Connection) -> None:
        """Every node is there, as it must be, and no other."""
        for level, wanted in sorted(self._expected.items()):
            for first in range(0, len(wanted), CHUNK):
                self._compare(level, first, wanted[first : first + CHUNK], _rows(conn, level, first))
        number, total = sum(map(len, self._expected.values())), conn.execute(select(func.count()).select_from(tree_nodes)).scalar()
        if number:
            self.findings.counts["tiles"] = number
        if total != number:
            self.findings.differ("tree-changed", "tree_nodes", got=f"{total} rows", expected=f"{number}, as the entries have it")

    def _compare(self, level: int, first: int, wanted: Sequence[bytes], rows: Sequence[AnyRow]) -> None:
        stored = {row.position: row.hash for row in rows}
        for at, hashed in enumerate(wanted, start=first):
            if stored.get(at) != hashed:
                got = stored.get(at)
                self.findings.differ("tree-changed", f"tree_nodes/{level}/{at}", got=got.hex() if got else "none", expected=hashed.hex())


def _rows(conn: Connection, level: int, first: int) -> Sequence[AnyRow]:
    at = tree_nodes.c.index
    return conn.execute(_NODES.where(tree_nodes.c.level == level, at >= first, at < first + CHUNK)).all()
