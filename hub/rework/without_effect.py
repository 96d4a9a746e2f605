"""What the modes share that look at an item and change nothing: all but `redeliver`."""

from __future__ import annotations

from sqlalchemy import Connection

from replay.engine import Writing
from replay.job import Finding
from replay.selection import Item


class WithoutEffect:
    """The second half of `replay.engine.Work`, for work that is done when it has looked."""

    __slots__ = ()

    def settle(self, tx: Writing, item: Item, finding: Finding) -> Finding:
        """Nothing happens."""
        return finding

    def end_of(self, conn: Connection, item: Item) -> Finding | None:
        """Nothing is handed on."""
        return None
