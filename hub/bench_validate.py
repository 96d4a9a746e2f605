"""What validating a packet costs beside the bare schema, and what a large one costs in a stream.

Bare, for the same bytes: one lxml parse with safe flags and `XMLSchema.validate`. The hub: `examination.examine`, from bytes to all
violations, attachments opened. Interleaved in one run, thread CPU; the ratio is the median of the rounds' ratios, which neighbours disturb
least.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random

from hub.node import utc_now
from schemas import xml
from schemas.edxml import examination
from schemas.edxml.packet import (
    Bussiness,
    Code,
    DocumentPacket,
    DocumentType,
    Organization,
    OtherInfo,
    PromulgationInfo,
    SignerInfo,
    StaffInfo,
    TraceHeader,
)
from schemas.edxml.packing import File, with_files
from schemas.edxml.structure import DOCUMENT_XSD, XSD_FOLDER
from schemas.edxml.writer import write_document
from schemas.message import Inbound
from schemas.validate import validate_file

SMALL_BYTES, LARGE_BYTES = 11_600, 37_500_000  # of the attachment: packets of about 20 KB and 50 MB


@dataclass(frozen=True, slots=True)
class Figures:
    """Medians over the rounds; CPU in microseconds per packet, seconds for the large one."""

    packet_bytes: int
    bare_us: float
    parse_us: float  # our parse with its checks, alone
    examine_us: float
    ratio: float  # examine : bare
    large_bytes: int
    stream_cpu_s: float
    stream_peak_bytes: int  # over what the process held before; -1 unknown

    def as_json(self) -> dict[str, float]:
        """The form that `--json` prints."""
        return asdict(self)


def run(rounds: int = 15, per_round: int = 100) -> Figures:
    """Measures `rounds` × `per_round` validations each way, and one large packet."""
    raw = _packet(SMALL_BYTES)
    inbound = Inbound(raw, "application/xml", "", "bench", utc_now())
    path = XSD_FOLDER / DOCUMENT_XSD
    schema = xml.load_schema(path.read_bytes(), base_url=str(path))

    def bare() -> None:
        schema.validate(xml.reread(raw))

    ways: tuple[Callable[[], object], ...] = (bare, lambda: xml.parse(raw), lambda: examination.examine(inbound))
    for way in ways:
        _timed(way, 10)
    taken = [[_timed(way, per_round) for way in ways] for _ in range(rounds)]
    bare_us, parse_us, examine_us = (statistics.median(one[n] for one in taken) for n in range(3))
    ratio = statistics.median(one[2] / one[0] for one in taken)
    return Figures(len(raw), bare_us, parse_us, examine_us, ratio, *_large())


def _timed(work: Callable[[], object], times: int) -> float:
    start = time.thread_time()
    for _ in range(times):
        work()
    return (time.thread_time() - start) / times * 1e6


def _large() -> tuple[int, float, int]:
    with tempfile.TemporaryDirectory(prefix="lgsp-bench-") as folder:
        path = Path(folder) / "large.edxml"
        path.write_bytes(_packet(LARGE_BYTES))
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


def _packet(attachment_bytes: int) -> bytes:
    data = b"%PDF-1.7\n" + Random(attachment_bytes).randbytes(attachment_bytes)  # noqa: S311 - to be the same each time, not secret
    packet = DocumentPacket(
        sender=Organization("H32.01", "UBND tỉnh Khánh Hòa", "Văn phòng UBND tỉnh", "Số 1 Trần Phú", "vp@example.gov.vn"),
        to=(Organization("H32.02", "UBND tỉnh Khánh Hòa", "Sở Nội vụ", "Số 2 Trần Phú", "snv@example.gov.vn"),),
        document_id="H32.01,2026/03/02,7816/VPUB-TTĐT",
        code=Code("7816", "VPUB-TTĐT"),
        promulgation=PromulgationInfo("Nha Trang", "2026/03/02"),
        subject="V/v kết nối, liên thông phần mềm quản lý văn bản và điều hành",
        signer=SignerInfo("KT. CHÁNH VĂN PHÒNG", "Phó Chánh Văn phòng", "Nguyễn Thị Ánh Tuyết"),
        document_type=DocumentType("1", "0", "Công văn"),
        content="Đề nghị các đơn vị kết nối phần mềm theo hướng dẫn, báo cáo trước ngày 30/3",
        due_date="2026/03/30",
        other_info=OtherInfo("1", "Công nghệ thông tin", "TVC", "2", "22"),
        steering_type="1",
        to_places=("Như trên", "Lưu: VT"),
        trace=(TraceHeader("H32.01", "2026/03/02 08:00:00"),),
        bussiness=Bussiness("", "0", "Văn bản điện tử", "0", staff=(StaffInfo("Phòng Văn thư", "P01", "Trần Văn Bình", "NV07"),)),
    )
    return write_document(with_files(packet, (File("van-ban.pdf", data),)))
