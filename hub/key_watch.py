"""How a process that serves follows what is done to the key folder: its manifest is read again when it was replaced.

A folder that cannot be read just now changes nothing; the keys that are known go on working.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from hub.keys import MANIFEST, Keyring
from replay.payloads import MasterKey
from schemas.errors import Halted
from signing.sign import sign_receipt, sign_report


class WatchedKeyring:
    """All keys of a folder, as they are now. The same value as long as nothing changed."""

    def __init__(self, folder: Path) -> None:
        self._manifest = folder / MANIFEST
        self._folder = folder
        self._known: tuple[tuple[int, ...], Keyring] | None = None

    def __call__(self) -> Keyring:
        """The keys. Raises `Halted`, the first time only, as `Keyring.load` does."""
        known = self._known
        try:
            found = self._manifest.stat()
            stamp = (found.st_mtime_ns, found.st_ino, found.st_size)
            if known is None or known[0] != stamp:
                known = self._known = stamp, Keyring.load(self._folder)
        except (OSError, Halted) as fault:
            if known is None:
                raise Halted("keys-missing", got=type(fault).__name__, expected=f"{MANIFEST} and its key files") from fault
        return known[1]

    def sign_receipt(self, payload: Mapping[str, object]) -> bytes:
        """A receipt, by the key that signs them now."""
        key = self().receipt()
        return sign_receipt(payload, key.private, key.id)

    def sign_report(self, payload: Mapping[str, object]) -> bytes:
        """A report, by the same key."""
        key = self().receipt()
        return sign_report(payload, key.private, key.id)


class WatchedMasters:
    """The master keys of a watched folder."""

    def __init__(self, watched: WatchedKeyring) -> None:
        self._watched = watched
        self._known: tuple[Keyring, tuple[MasterKey, ...]] | None = None

    def __call__(self) -> tuple[MasterKey, ...]:
        """The one that wraps first. Raises as `WatchedKeyring` does."""
        ring, known = self._watched(), self._known
        if known is None or known[0] is not ring:
            known = self._known = ring, (ring.master(), *ring.older_masters())
        return known[1]
