"""An embedded store has one process: a lock beside the database keeps a second one out."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from sqlalchemy.engine import make_url

from hub.settings import Settings
from schemas.errors import Halted


def sole_process(settings: Settings) -> int | None:
    """An embedded store has one process; the lock keeps a second one out. None where the store is a server."""
    if not settings.resolved_store_url.startswith("sqlite"):
        return None
    database = Path(make_url(settings.resolved_store_url).database or "")  # beside the database: two homes may name one
    try:
        database.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(database.with_name(database.name + ".lock"), os.O_CREAT | os.O_RDWR, 0o600)
    except OSError as fault:
        raise Halted("store-unavailable", got=f"{database.parent}: {fault.strerror}", expected="a writable folder") from fault
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as fault:
        os.close(handle)
        raise Halted(
            "settings-invalid", got="another hub process uses this store", expected="one process per SQLite store; use PostgreSQL"
        ) from fault
    return handle
