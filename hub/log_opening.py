"""Opens the log of a hub: the comparison with what was published, then whoever publishes, witnesses and stamps it from then on."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from adapters.egress import EgressPolicy
from hub.key_watch import WatchedKeyring
from hub.keys import Keyring
from hub.log_keeper import LogKeeper
from hub.settings import Settings, WitnessSettings
from hub.stamps import StampClient
from hub.witnesses import WitnessClient
from replay.checkpoint import Checkpoint
from replay.journal import Journal
from replay.log_standing import Asked, LogStanding, standing
from replay.published import CheckpointFile, Publisher
from replay.store.engine import Store
from schemas.errors import Halted, Refused
from signing.cosignature import CosignatureVerifier
from signing.note import note_text


def open_log(
    settings: Settings,
    watched: WatchedKeyring,
    store: Store,
    journal: Journal,
    *,
    clock: Callable[[], datetime],
    on_backwards: Callable[[], None],
    release: Callable[[], None],
) -> LogKeeper:
    """A keeper that is not started. Raises as `Publisher.open` does, after `release`: a store that is refused is not held."""
    try:
        publisher = publisher_of(settings, watched(), store, journal)
        current = publisher.open()
        egress = EgressPolicy(settings.egress.allow, ((settings.host, settings.port),) if settings.port else ())
        return LogKeeper(
            publisher,
            store,
            clock,
            current,
            publish_s=settings.log.publish_s,
            witnesses=[WitnessClient(one.url, verifier, egress) for one, verifier in witnesses_of(settings)],
            quorum=settings.log.quorum,
            authority=StampClient(settings.log.tsa_url, egress) if settings.log.tsa_url else None,
            stamp_every=settings.log.stamp_every,
            thin_after_s=settings.log.thin_after_s,
            renewed=_Renewing(settings, watched, store, publisher),
            on_backwards=on_backwards,
        )
    except Halted:
        release()
        raise


class _Renewing:
    """The publisher with the log keys of the folder as it is now: a rotation takes effect in a hub that runs."""

    def __init__(self, settings: Settings, watched: WatchedKeyring, store: Store, publisher: Publisher) -> None:
        self._settings, self._watched, self._store = settings, watched, store
        self._known = watched(), publisher

    def __call__(self) -> Publisher:
        ring = self._watched()
        if ring is not self._known[0]:
            journal = Journal(ring.journal_keys(), self._settings.origin)
            self._known = ring, publisher_of(self._settings, ring, self._store, journal)
        return self._known[1]


def publisher_of(settings: Settings, keyring: Keyring, store: Store, journal: Journal) -> Publisher:
    """What publishes the log that `settings` name."""
    return Publisher(store, journal, keyring.log_verifiers(settings.origin), CheckpointFile(settings.checkpoint_path))


def standing_of(settings: Settings, store: Store, now: datetime) -> LogStanding:
    """How it stands with witnesses and time stamps. Raises `Halted`: ``published-unavailable``, ``store-unavailable``."""
    note = CheckpointFile(settings.checkpoint_path).read()
    published = 0 if note is None else Checkpoint.parse(note_text(note)).size
    asked = Asked([verifier.name for _, verifier in witnesses_of(settings)], settings.log.quorum, bool(settings.log.tsa_url))
    with store.read() as conn:
        return standing(conn, asked, published, now)


def witnesses_of(settings: Settings) -> list[tuple[WitnessSettings, CosignatureVerifier]]:
    """The configured witnesses with their keys. Raises `Halted("settings-invalid")` for a key that is none."""
    try:
        return [(one, CosignatureVerifier.of(one.key)) for one in settings.log.witnesses]
    except Refused as fault:
        raise Halted("settings-invalid", got=f"log.witnesses: {fault.got}", expected=fault.expected) from fault
