"""What validating a packet costs beside the bare schema, and what a large one costs in a stream.

Bare, for the same bytes: one lxml parse with safe flags and `XMLSchema.validate`, schema compiled once. The hub: all of `schemas.validate`,
from bytes to report – the checks on the bytes, one parse, values, structure, rules, attachments unpacked and their kinds told. Every packet
is made for the run and passes once each way (`hub.bench_packets`), so nothing that was remembered of one helps with it again. Interleaved
batch by batch, thread CPU; the ratio is the median of the batches' ratios, which neighbours disturb least.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random

from hub import bench_packets
from hub.demo.pki import build_pki
from hub.node import utc_now
from schemas import xml
from schemas.edxml.structure import DOCUMENT_XSD, STATUS_XSD, XSD_FOLDER
from schemas.edxml.writer import write_document
from schemas.validate import validate, validate_file

LARGE_BYTES = 37_500_000  # of the attachment: a packet of about 50 MB
_SIGNER = "H32.01"


@dataclass(frozen=True, slots=True)
class Figure:
    """One kind of packet. Medians over the batches; CPU in microseconds per packet."""

    packet_bytes: int
    bare_us: float
    validate_us: float
    ratio: float  # validate : bare


@dataclass(frozen=True, slots=True)
class Figures:
    """By kind of packet, and the large one."""

    kinds: dict[str, Figure]
    large_bytes: int
    stream_cpu_s: float
    stream_peak_bytes: int  # over what the process held before; -1 unknown

    def as_json(self) -> dict[str, object]:
        """The form that `--json` prints."""
        return asdict(self)


def run(rounds: int = 15, per_round: int = 100, seed: int = 1) -> Figures:
    """Measures `rounds` × `per_round` packets of each kind each way, and one large packet."""
    with tempfile.TemporaryDirectory(prefix="lgsp-bench-") as folder:
        sign = build_pki(Path(folder), (_SIGNER,), utc_now(), root_bits=2048).identities[_SIGNER].sign
    kinds = {
        "ordinary": (bench_packets.ordinary, DOCUMENT_XSD),
        "signed": (bench_packets.signed_by(sign), DOCUMENT_XSD),
        "with warnings": (bench_packets.with_warnings, DOCUMENT_XSD),
        "status": (bench_packets.status, STATUS_XSD),
    }
    return Figures({name: _figure(make, xsd, rounds, per_round, Random(seed)) for name, (make, xsd) in kinds.items()}, *_large())  # noqa: S311


def _figure(make: bench_packets.Make, xsd: str, rounds: int, per_round: int, at: Random) -> Figure:
    path = XSD_FOLDER / xsd
    schema = xml.load_schema(path.read_bytes(), base_url=str(path))
    now = utc_now()

    def bare(raw: bytes) -> None:
        schema.validate(xml.reread(raw))

    def ours(raw: bytes) -> None:
        if not validate(raw, at=now).ok:
            raise RuntimeError("the benchmark's packet is not valid")

    taken: list[tuple[float, float]] = []
    size = 0
    for number in range(rounds + 1):
        batch = [make(at) for _ in range(per_round)]
        ways = (bare, ours) if number % 2 else (ours, bare)
        spent = {way: _timed(way, batch) for way in ways}
        if number:  # the first one warms up
            taken.append((spent[bare], spent[ours]))
            size += sum(map(len, batch))
    median = statistics.median
    return Figure(
        size // (rounds * per_round), median(one for one, _ in taken), median(one for _, one in taken), median(b / a for a, b in taken)
    )


def _timed(work: Callable[[bytes], None], batch: Sequence[bytes]) -> float:
    start = time.thread_time()
    for raw in batch:
        work(raw)
    return (time.thread_time() - start) / len(batch) * 1e6


def _large() -> tuple[int, float, int]:
    with tempfile.TemporaryDirectory(prefix="lgsp-bench-") as folder:
        path = Path(folder) / "large.edxml"
        path.write_bytes(write_document(bench_packets.document(Random(1), LARGE_BYTES)))  # noqa: S311 - to be the same each time, not secret
        _forget_peak()
        before, start = _memory("VmRSS"), time.process_time()
        if not validate_file(path, at=utc_now()).ok:
            raise RuntimeError("the benchmark's packet is not valid")
        spent, peak = time.process_time() - start, _memory("VmHWM")
        return path.stat().st_size, spent, peak - before if before >= 0 else -1


def _forget_peak() -> None:
    """Lets the kernel count the peak from here on (Linux 4.0)."""
    peak = Path("/proc/self/clear_refs")
    if peak.exists():
        peak.write_text("5")


def _memory(name: str) -> int:
    status = Path("/proc/self/status")
    if not status.exists():
        return -1
    return next(int(line.split()[1]) * 1024 for line in status.read_text().splitlines() if line.startswith(name))
