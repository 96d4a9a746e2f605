"""A hub's store for a command, beside a hub that may be running.

What was erased is erased again first: a command must not show from a restored backup what a hub would not serve from it.
"""

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
    from schemas.errors import Halted

    try:
        settings = load_settings(home)
    except OSError as fault:
        raise Halted("settings-invalid", got=f"{home}: {fault.strerror}", expected="a folder that this user may read") from fault
    ring = Keyring.load(settings.keys_folder)
    store = open_erased(settings)
    try:
        yield settings, ring, store
    finally:
        store.close()


@contextmanager
def opened_store(home: Path) -> Iterator[Store]:
    """The store alone, which must exist. The keys are read only if something has to be erased again."""
    from hub.settings import load_settings

    store = open_erased(load_settings(home))
    try:
        yield store
    finally:
        store.close()


def open_erased(settings: Settings, *, create: bool = False) -> Store:
    """The store, without what the file of erasures names. Raises as `open_store` and `Eraser.reapply` do."""
    from hub.erasures import ErasuresFile
    from replay import erasure
    from replay.store.engine import open_store
    from schemas.errors import HubError

    store = open_store(settings.resolved_store_url, create=create)
    try:
        told = ErasuresFile(settings.erasures_path).read()
        with store.read() as conn:
            left = erasure.unerased(conn, [one.message_id for one in told])
        if left:
            _erase(settings, store)
    except HubError:
        store.close()
        raise
    return store


def _erase(settings: Settings, store: Store) -> None:
    from hub.commit import Committer
    from hub.erase import Eraser, erase_again
    from hub.erasures import ErasuresFile
    from hub.keys import Keyring
    from hub.node import utc_now
    from replay.journal import Journal
    from replay.payloads import PayloadStore

    ring = Keyring.load(settings.keys_folder)
    journal = Journal(ring.journal_keys(), settings.origin)
    payloads = PayloadStore(ring.master(), settings.data_folder / "payloads", ring.older_masters())
    eraser = Eraser(store, Committer(store, journal), payloads, ring.parties(), ErasuresFile(settings.erasures_path))
    erase_again(eraser, journal, utc_now())
