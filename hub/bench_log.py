"""What the journal costs: appending with the tree that proofs come from, and proving one entry of a long log. On SQLite, on this disk.

* append: entries with two parties and four fields each, `batch` to a transaction, committed and synced (WAL, synchronous=FULL)
* prove: a log of `size` entries, filled with bare leaves so that it is there in seconds; entries at random, each proof from scratch (head,
  entry, tiles, check) in a read transaction of its own, signing left out and in
"""

from __future__ import annotations

import statistics
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random

from sqlalchemy import insert, update

from hub.keys import Keyring
from hub.node import utc_now
from replay.entry import EntryDraft, JsonValue
from replay.hashing import leaf_hash
from replay.journal import Journal
from replay.merkle import Frontier
from replay.store.engine import Store, open_store
from replay.store.tables import entries, log_head, tree_nodes

ORIGIN = "bench.lgsp-hub.local/journal"
_CHUNK = 10_000
_LEAF_BYTES = 600  # about what a leaf of the hub has


@dataclass(frozen=True, slots=True)
class Figures:
    """Rates per second of wall time, times in milliseconds."""

    batch: int
    appended: int
    append_per_s: float
    append_cpu_us: float  # per entry, whole process
    size: int
    prove_median_ms: float
    prove_p99_ms: float
    prove_cpu_ms: float  # median, of the process
    prove_unsigned_median_ms: float  # against a checkpoint that is there already

    def as_json(self) -> dict[str, object]:
        """The form that `--json` prints."""
        return asdict(self)


def run(appended: int = 50_000, batch: int = 1_000, size: int = 1_000_000, proofs: int = 300) -> Figures:
    """Measures in a temporary folder."""
    with tempfile.TemporaryDirectory(prefix="lgsp-bench-") as folder:
        ring = Keyring.init(Path(folder) / "keys")
        journal = Journal(ring.journal_keys(), ORIGIN)
        store = open_store(f"sqlite:///{Path(folder) / 'append.sqlite'}")
        wall_s, cpu_s = _append(store, journal, appended, batch)
        store.close()
        store = open_store(f"sqlite:///{Path(folder) / 'long.sqlite'}")
        _fill(store, size)
        signed, unsigned, cpu = _prove(store, journal, size, proofs)
        store.close()
    return Figures(
        batch=batch,
        appended=appended,
        append_per_s=round(appended / wall_s),
        append_cpu_us=round(cpu_s / appended * 1e6, 1),
        size=size,
        prove_median_ms=round(statistics.median(signed) * 1e3, 2),
        prove_p99_ms=round(sorted(signed)[int(len(signed) * 0.99)] * 1e3, 2),
        prove_cpu_ms=round(statistics.median(cpu) * 1e3, 2),
        prove_unsigned_median_ms=round(statistics.median(unsigned) * 1e3, 2),
    )


def _append(store: Store, journal: Journal, count: int, batch: int) -> tuple[float, float]:
    at = utc_now()
    fields: dict[str, JsonValue] = {
        "message_id": "b659c493-5d1e-5f3a-9d8f-3f4a5b6c7d8e",
        "state": "delivered",
        "attempt": 1,
        "remote_id": "2026/11/22-000123",
    }
    drafts = [EntryDraft("delivery", at, ("H32.1", "H32.2"), fields, None)] * batch
    wall, cpu = time.perf_counter(), time.process_time()
    for _ in range(0, count, batch):
        with store.write() as conn:
            journal.append(conn, drafts)
    return time.perf_counter() - wall, time.process_time() - cpu


def _fill(store: Store, size: int) -> None:
    frontier = Frontier()
    for first in range(0, size, _CHUNK):
        frontier.closed = []
        leaves = [b"%0*d" % (_LEAF_BYTES, n) for n in range(first, min(first + _CHUNK, size))]
        hashes = [leaf_hash(leaf) for leaf in leaves]
        for each in hashes:
            frontier.append(each)
        rows = [{"index": first + n, "leaf": leaf, "leaf_hash": hashes[n]} for n, leaf in enumerate(leaves)]
        with store.write() as conn:
            conn.execute(insert(entries), rows)
            conn.execute(insert(tree_nodes), [{"level": level, "index": n, "hash": made} for level, n, made in frontier.closed])
    with store.write() as conn:
        conn.execute(update(log_head).values(origin=ORIGIN, size=size, frontier=frontier.to_bytes()))


def _prove(store: Store, journal: Journal, size: int, proofs: int) -> tuple[list[float], list[float], list[float]]:
    """Seconds per proof: with the head signed each time, against a note that is there, and the CPU of the former."""
    draw = Random(1)  # noqa: S311 - which entries are asked for
    signed, unsigned, cpu_s = list[float](), list[float](), list[float]()
    with store.read() as conn:
        ready = journal.checkpoint(conn)
    for _ in range(proofs):
        for note, times in ((None, signed), (ready, unsigned)):
            index, begun, cpu = draw.randrange(size), time.perf_counter(), time.process_time()
            with store.read() as conn:
                journal.prove(conn, index, note=note)
            times.append(time.perf_counter() - begun)
            if note is None:
                cpu_s.append(time.process_time() - cpu)
    return signed, unsigned, cpu_s
