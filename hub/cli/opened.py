"""A hub's store for a command, beside a hub that may be running."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hub.keys import Keyring
    from hub.settings import Settings
    from replay.store.engine import Store


@contextmanager
def opened(home: Path) -> Iterator[tuple[Settings, Keyring, Store]]:
    """Settings, keys and the store, which must exist. It may be in use by a hub that runs."""
    from hub.keys import Keyring
    from hub.settings import load_settings
    from replay.store.engine import open_store
    from schemas.errors import Halted

    try:
        settings = load_settings(home)
    except OSError as fault:
        raise Halted("settings-invalid", got=f"{home}: {fault.strerror}", expected="a folder that this user may read") from fault
    ring = Keyring.load(settings.keys_folder)
    store = open_store(settings.resolved_store_url, create=False)
    try:
        yield settings, ring, store
    finally:
        store.close()
