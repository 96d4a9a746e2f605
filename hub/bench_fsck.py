"""What fsck costs, on SQLite: of a log of plain entries, and of a store of accepted packets.

* entries: appended with two parties and four fields each; leaf, opening, commitments and tree are derived anew
* packets: signed ones of 20 KB, accepted and not yet delivered; per packet one entry of some thirty fields, one receipt to verify, one
  payload to decrypt and digest, a message, its deliveries, links, ids, search terms and evidence
"""

from __future__ import annotations

import itertools
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from hub.access import principal_of
from hub.bench import accept_at_once, opened_hub, signed_packets
from hub.keys import Keyring
from hub.node import utc_now
from replay.entry import EntryDraft, JsonValue
from replay.fsck import FsckKeys, fsck
from replay.journal import Journal
from replay.store.engine import open_store

ORIGIN = "bench.lgsp-hub.local/journal"
_BATCH = 1_000


@dataclass(frozen=True, slots=True)
class Figures:
    """Entries per second of one whole check, by wall time and by CPU time of the process."""

    entries: int
    entries_per_s: float
    entries_per_cpu_s: float
    packets: int
    packets_per_s: float
    packets_per_cpu_s: float

    def as_json(self) -> dict[str, object]:
        """The form that `--json` prints."""
        return asdict(self)


def run(entries: int = 50_000, packets: int = 1_000) -> Figures:
    """Measures in a temporary folder."""
    return Figures(entries, *_of_entries(entries), packets, *_of_packets(packets))


def _of_entries(count: int) -> tuple[float, float]:
    fields: dict[str, JsonValue] = {"note": "b659c493-5d1e-5f3a-9d8f-3f4a5b6c7d8e", "state": "noted", "attempt": 1, "place": "22-000123"}
    drafts = [EntryDraft("noted", utc_now(), ("H32.1", "H32.2"), fields, None)] * _BATCH
    with tempfile.TemporaryDirectory(prefix="lgsp-bench-") as folder:
        ring = Keyring.init(Path(folder) / "keys")
        journal, store = Journal(ring.journal_keys(), ORIGIN), open_store(f"sqlite:///{Path(folder) / 'hub.sqlite'}")
        for first in range(0, count, _BATCH):
            with store.write() as conn:
                journal.append(conn, drafts[: count - first])
        try:
            return _rate(count, lambda: fsck(store, FsckKeys(ring.log_verifiers(ORIGIN), ring.public("receipt"), None)).is_intact)
        finally:
            store.close()


def _of_packets(count: int) -> tuple[float, float]:
    with tempfile.TemporaryDirectory(prefix="lgsp-bench-") as folder, opened_hub(Path(folder)) as (hub, identity):
        accept_at_once(hub, principal_of(hub.systems.by_name["sender"]), list(itertools.islice(signed_packets(identity), count)))
        keys = FsckKeys(hub.keyring.log_verifiers(hub.settings.origin), hub.keyring.public("receipt"), hub.payloads)
        return _rate(count, lambda: fsck(hub.store, keys).is_intact)


def _rate(count: int, check: Callable[[], bool]) -> tuple[float, float]:
    """Per second of wall time and of CPU. A store that is not intact is a programmer's mistake here."""
    wall, cpu = time.perf_counter(), time.process_time()
    if not check():
        raise RuntimeError("the store of the measurement is not intact")
    return round(count / (time.perf_counter() - wall)), round(count / (time.process_time() - cpu))
