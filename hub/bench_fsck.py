"""What fsck costs, on SQLite: of a log of plain entries, of accepted packets, and of whole exchanges.

* entries: appended with two parties and four fields each; leaf, opening, commitments and tree are derived anew
* packets: signed ones of 20 KB, accepted and not yet delivered; per packet one entry of some thirty fields, one receipt to verify, one
  payload to decrypt and digest, a message, its deliveries, links, ids, search terms and evidence
* exchanges: what a document leaves behind once it was dealt with: it and the three statuses of its receiver are accepted, fetched and
  acknowledged
"""

from __future__ import annotations

import itertools
import resource
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from uuid import UUID

from hub.access import principal_of
from hub.bench import accept_at_once, opened_hub, signed_packets
from hub.keys import Keyring
from hub.node import Hub, utc_now
from hub.status import report
from replay.entry import EntryDraft, JsonValue
from replay.findings import FsckReport
from replay.fsck import FsckKeys, fsck
from replay.journal import Journal
from replay.store.engine import open_store

ORIGIN = "bench.lgsp-hub.local/journal"
STATUSES = ("01", "03", "06")
_BATCH = 1_000


@dataclass(frozen=True, slots=True)
class Rate:
    """One whole check. CPU is of the process and those that it starts."""

    entries: int
    messages: int
    wall_s: float
    cpu_s: float

    def as_json(self) -> dict[str, float]:
        """With entries per second."""
        rates = {"entries_per_s": round(self.entries / self.wall_s), "entries_per_cpu_s": round(self.entries / self.cpu_s)}
        return {**asdict(self), **rates}


@dataclass(frozen=True, slots=True)
class Figures:
    """Each the best of `rounds` checks."""

    rounds: int
    entries: Rate
    packets: Rate
    exchanges: Rate

    def as_json(self) -> dict[str, object]:
        """The form that `--json` prints."""
        rates = {"entries": self.entries, "packets": self.packets, "exchanges": self.exchanges}
        return {"rounds": self.rounds, **{name: rate.as_json() for name, rate in rates.items()}}


def run(entries: int = 50_000, packets: int = 1_000, exchanges: int = 500, rounds: int = 3, processes: int | None = None) -> Figures:
    """Measures in a temporary folder. `processes` as `replay.fsck.fsck` takes them."""

    def best(check: Callable[[int | None], FsckReport]) -> Rate:
        return min((_timed(lambda: check(processes)) for _ in range(rounds)), key=lambda one: one.cpu_s)

    return Figures(rounds, _of_entries(entries, best), _of_packets(packets, best), _of_exchanges(exchanges, best))


Best = Callable[[Callable[[int | None], FsckReport]], Rate]


def _of_entries(count: int, best: Best) -> Rate:
    fields: dict[str, JsonValue] = {"note": "b659c493-5d1e-5f3a-9d8f-3f4a5b6c7d8e", "state": "noted", "attempt": 1, "place": "22-000123"}
    drafts = [EntryDraft("noted", utc_now(), ("H32.1", "H32.2"), fields, None)] * _BATCH
    with tempfile.TemporaryDirectory(prefix="lgsp-bench-") as folder:
        ring = Keyring.init(Path(folder) / "keys")
        journal, store = Journal(ring.journal_keys(), ORIGIN), open_store(f"sqlite:///{Path(folder) / 'hub.sqlite'}")
        for first in range(0, count, _BATCH):
            with store.write() as conn:
                journal.append(conn, drafts[: count - first])
        keys = FsckKeys(ring.log_verifiers(ORIGIN), ring.public("receipt"), None)
        try:
            return best(lambda processes: fsck(store, keys, processes=processes))
        finally:
            store.close()


def _of_packets(count: int, best: Best) -> Rate:
    with tempfile.TemporaryDirectory(prefix="lgsp-bench-") as folder, opened_hub(Path(folder)) as (hub, identity):
        accept_at_once(hub, principal_of(hub.systems.by_name["sender"]), list(itertools.islice(signed_packets(identity), count)))
        return _of_hub(hub, best)


def _of_exchanges(count: int, best: Best) -> Rate:
    with tempfile.TemporaryDirectory(prefix="lgsp-bench-") as folder, opened_hub(Path(folder)) as (hub, identity):
        accept_at_once(hub, principal_of(hub.systems.by_name["sender"]), list(itertools.islice(signed_packets(identity), count)))
        receiver = principal_of(hub.systems.by_name["receiver"])
        for delivery_id in _emptied(hub, "receiver"):
            reported = [
                report(hub, receiver, delivery_id, code=code, description="Đã tiếp nhận", staff={}, at=utc_now()) for code in STATUSES
            ]
            for one in reported:
                one.result()
        _emptied(hub, "sender")
        return _of_hub(hub, best)


def _emptied(hub: Hub, system: str) -> list[UUID]:
    """Everything in a system's inbox is fetched and acknowledged; what that was."""
    caller, cursor, found = principal_of(hub.systems.by_name[system]), 0, list[UUID]()
    while True:
        items, cursor = hub.mailbox.pending(caller, limit=1_000, after=cursor)
        for item in items:
            hub.mailbox.fetch(caller, item.delivery_id, at=utc_now())
        for done in [hub.mailbox.acknowledge(caller, item.delivery_id, at=utc_now()) for item in items]:
            done.result()
        found += [item.delivery_id for item in items]
        if not cursor:
            return found


def _of_hub(hub: Hub, best: Best) -> Rate:
    keys = FsckKeys(hub.keyring.log_verifiers(hub.settings.origin), hub.keyring.public("receipt"), hub.payloads)
    return best(lambda processes: fsck(hub.store, keys, processes=processes))


def _timed(check: Callable[[], FsckReport]) -> Rate:
    """A store that is not intact is a programmer's mistake here."""
    wall, cpu = time.perf_counter(), _cpu_s()
    found = check()
    if not found.is_intact:
        raise RuntimeError(f"the store of the measurement is not intact: {found.differences[0]}")
    return Rate(found.counts["entries"], found.counts.get("messages", 0), time.perf_counter() - wall, _cpu_s() - cpu)


def _cpu_s() -> float:
    used = [resource.getrusage(which) for which in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)
