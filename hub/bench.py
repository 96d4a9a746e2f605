"""What an acceptance costs beside the raw primitives it cannot do without, measured interleaved in one run.

Raw, for the same packet: parse + XSD + canonicalisation of the whole + digest of it + SHA-256 of the bytes + one RSA verification +
one append of 400 bytes with fdatasync. The hub: `Intake.accept` from bytes to signed receipt, one at a time (each waits for its own
commit), and many at once (group commit). Ratios travel between machines; absolute numbers are this machine's.
"""

from __future__ import annotations

import hashlib
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256

from hub.access import Principal, principal_of
from hub.demo.pki import Identity, build_pki
from hub.keys import Keyring
from hub.node import Hub, open_hub, utc_now
from hub.settings import load_settings
from schemas import xml
from schemas.edxml.packet import Bussiness, Code, DocumentPacket, Organization, PromulgationInfo, TraceHeader
from schemas.edxml.packing import File, with_files
from schemas.edxml.structure import DOCUMENT_XSD, XSD_FOLDER
from schemas.edxml.writer import write_document
from schemas.message import Inbound, Receipt

SENDER, RECIPIENT = "H32.01", "H32.02"
ATTACHMENT_BYTES = 10_500  # makes a signed packet of about 20 KB
JOURNAL_BYTES = 400  # what one entry appends, about
IN_FLIGHT = 64
SYSTEMS = {
    "sender": f'agencies = ["{SENDER}"]\n[signature]\nmode = "require"\n',
    "receiver": f'agencies = ["{RECIPIENT}"]\n',
}


@dataclass(frozen=True, slots=True)
class Figures:
    """Medians over the rounds, in microseconds per packet. CPU is of the whole process, all threads."""

    packet_bytes: int
    packets: int
    raw_cpu_us: float
    raw_wall_us: float
    one_by_one_cpu_us: float
    one_by_one_wall_us: float
    at_once_cpu_us: float
    at_once_wall_us: float

    def as_json(self) -> dict[str, float]:
        """The figures and the ratios."""
        return {
            "packet_bytes": self.packet_bytes,
            "packets": self.packets,
            "raw_cpu_us": round(self.raw_cpu_us),
            "raw_wall_us": round(self.raw_wall_us),
            "one_by_one_cpu_us": round(self.one_by_one_cpu_us),
            "one_by_one_wall_us": round(self.one_by_one_wall_us),
            "at_once_cpu_us": round(self.at_once_cpu_us),
            "at_once_wall_us": round(self.at_once_wall_us),
            "one_by_one_cpu_ratio": round(self.one_by_one_cpu_us / self.raw_cpu_us, 2),
            "at_once_cpu_ratio": round(self.at_once_cpu_us / self.raw_cpu_us, 2),
            "one_by_one_wall_ratio": round(self.one_by_one_wall_us / self.raw_wall_us, 2),
            "at_once_wall_ratio": round(self.at_once_wall_us / self.raw_wall_us, 2),
            "at_once_per_s": round(1e6 / self.at_once_wall_us),
        }


@dataclass(frozen=True, slots=True)
class _Spent:
    cpu_us: float
    wall_us: float


def run(rounds: int = 7, per_round: int = 100) -> Figures:
    """Measures `rounds` × `per_round` packets each way; every packet is new to the hub."""
    with tempfile.TemporaryDirectory(prefix="lgsp-bench-") as folder, opened_hub(Path(folder)) as (hub, identity):
        principal = principal_of(hub.systems.by_name["sender"])
        fresh = signed_packets(identity)
        raw, single, many = [], [], []
        primitives = _Primitives(identity, Path(folder) / "raw.log")
        sample = next(fresh)
        for _ in range(rounds):
            batch = [next(fresh) for _ in range(per_round)]
            raw.append(_timed(primitives.work_all, batch))
            single.append(_timed(lambda packets: _one_by_one(hub, principal, packets), batch))
            many.append(_timed(lambda packets: accept_at_once(hub, principal, packets), [next(fresh) for _ in range(per_round)]))
        return Figures(
            len(sample),
            rounds * per_round,
            *(value(spent) for spent in (raw, single, many) for value in (_median_cpu, _median_wall)),
        )


class _Primitives:
    """The work that no hub can avoid, with nothing around it."""

    def __init__(self, identity: Identity, path: Path) -> None:
        key = identity.key
        if not isinstance(key, RSAPrivateKey):
            raise RuntimeError("the benchmark signs with RSA")
        self._signed = b"SignedInfo, canonical" * 20
        self._signature = key.sign(self._signed, padding.PKCS1v15(), SHA256())
        self._public = key.public_key()
        xsd = XSD_FOLDER / DOCUMENT_XSD
        self._schema = xml.load_schema(xsd.read_bytes(), base_url=str(xsd))
        self._log = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)

    def work_all(self, packets: list[bytes]) -> None:
        """One packet's worth for each."""
        for packet in packets:
            self.work(packet)

    def work(self, packet: bytes) -> None:
        """One packet's worth."""
        hashlib.sha256(packet).digest()
        root = xml.reread(packet)
        self._schema.validate(root)
        hashlib.sha256(xml.canonical(root, exclusive=True)).digest()
        self._public.verify(self._signature, self._signed, padding.PKCS1v15(), SHA256())
        os.write(self._log, b"x" * JOURNAL_BYTES)
        os.fdatasync(self._log)


@contextmanager
def opened_hub(home: Path) -> Iterator[tuple[Hub, Identity]]:
    """A hub that serves, without deliveries, and who signs for it."""
    pki = build_pki(home, (SENDER,), utc_now(), root_bits=2048)
    Keyring.init(home / "keys")
    (home / "systems").mkdir()
    for name, text in SYSTEMS.items():
        (home / "systems" / f"{name}.toml").write_text(text, "utf-8")
    hub = open_hub(load_settings(home, {}), deliver=False)
    hub.start()
    try:
        yield hub, pki.identities[SENDER]
    finally:
        hub.stop()


def signed_packets(identity: Identity) -> Iterator[bytes]:
    """Signed packets of about 20 KB, each with a number of its own."""
    number = 0
    while True:
        number += 1
        packet = DocumentPacket(
            sender=Organization(organ_id=SENDER, organ_name="Văn phòng UBND tỉnh"),
            to=(Organization(organ_id=RECIPIENT, organ_name="Sở Nội vụ"),),
            document_id=f"{SENDER},2026/03/02,{number}/VPUB-TTĐT",
            code=Code(str(number), "VPUB-TTĐT"),
            promulgation=PromulgationInfo("Nha Trang", "2026/03/02"),
            subject="V/v kết nối, liên thông phần mềm quản lý văn bản và điều hành",
            trace=(TraceHeader(SENDER, "2026/03/02 08:00:00"),),
            bussiness=Bussiness(bussiness_doc_type="0"),
        )
        yield identity.sign(write_document(with_files(packet, (File("van-ban.pdf", b"%PDF-1.7\n" + os.urandom(ATTACHMENT_BYTES)),))))


def _one_by_one(hub: Hub, principal: Principal, packets: list[bytes]) -> None:
    for packet in packets:
        hub.intake.accept(_inbound(hub, packet), principal)


def accept_at_once(hub: Hub, principal: Principal, packets: list[bytes]) -> None:
    """Hands all of them in, many on the way at a time, and waits for the receipts."""
    waiting: list[Future[Receipt]] = []
    for packet in packets:
        if len(waiting) >= IN_FLIGHT:
            waiting.pop(0).result()
        waiting.append(hub.intake.begin(_inbound(hub, packet), principal))
    for receipt in waiting:
        receipt.result()


def _inbound(hub: Hub, packet: bytes) -> Inbound:
    return Inbound(packet, "application/xml", "", "bench", hub.clock())


def _timed(work: Callable[[list[bytes]], object], packets: list[bytes]) -> _Spent:
    cpu, wall = time.process_time(), time.perf_counter()
    work(packets)
    return _Spent((time.process_time() - cpu) / len(packets) * 1e6, (time.perf_counter() - wall) / len(packets) * 1e6)


def _median_cpu(spent: list[_Spent]) -> float:
    return statistics.median(one.cpu_us for one in spent)


def _median_wall(spent: list[_Spent]) -> float:
    return statistics.median(one.wall_us for one in spent)
