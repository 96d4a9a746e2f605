"""How much there is of what, for whoever asks after the hub's health."""

from __future__ import annotations

import threading
from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from hub.outbox import BLOCKING
from replay.store.engine import Store
from replay.store.tables import deliveries, log_head

COUNTS_S = 5


class Counts:
    """How much there is of what, counted anew when asked after `COUNTS_S`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._at: datetime | None = None
        self._found: dict[str, Any] = {}

    def get(self, store: Store, at: datetime) -> dict[str, Any]:
        """Entries, deliveries by state, and undelivered ones by system. Raises `Halted("store-unavailable")`."""
        with self._lock:
            if self._at is None or abs((at - self._at).total_seconds()) > COUNTS_S:
                with store.read() as conn:
                    size = conn.execute(select(log_head.c.size)).scalar()
                    states = conn.execute(select(deliveries.c.state, func.count()).group_by(deliveries.c.state)).all()
                    open_ones = deliveries.c.state.in_(BLOCKING)
                    systems = conn.execute(select(deliveries.c.system, func.count()).where(open_ones).group_by(deliveries.c.system)).all()
                self._found = {"entries": size, "deliveries": dict(map(tuple, states)), "unserved": dict(map(tuple, systems))}
                self._at = at
            return self._found
