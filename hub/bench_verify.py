"""What verifying a signed packet costs beside its raw primitives, and what a large one takes of memory.

Raw, on the same tree: the canonical form of the document and of SignedInfo, one digest, one RSA verification. Beside them, on a tree of
their own that was parsed before: the signature (steps 1 to 6 of `signing.verify`), and the whole verdict with path and revocation.
Each packet is judged for a moment of its own, as the hub does, in a context made for it before.
Interleaved in one run, thread CPU; the ratios are medians of the rounds'.
"""

from __future__ import annotations

import hashlib
import os
import statistics
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256

from hub.demo.pki import Identity, build_pki
from hub.node import utc_now
from schemas import xml
from schemas.agency import AgencyCode
from schemas.edxml.packet import Code, DocumentPacket, Organization, PromulgationInfo
from schemas.edxml.packing import File, with_files
from schemas.edxml.writer import write_document
from schemas.message import VerdictStatus
from schemas.xml import ParsedXml
from signing import xmldsig
from signing.algorithms import CURRENT
from signing.context import Context
from signing.finding import Given
from signing.packet_signature import examine_packet
from signing.policy import SignatureMode, SignaturePolicy
from signing.verify import judge

SENDER, RECIPIENT = "H32.01", "H32.02"
WARM_UP = 10  # packets
SMALL_BYTES, LARGE_BYTES = 11_600, 3_750_000  # of the attachment: packets of about 20 KB and 5 MB


@dataclass(frozen=True, slots=True)
class Figures:
    """Medians over the rounds; CPU in microseconds per packet."""

    packet_bytes: int
    raw_us: float
    signature_us: float
    verdict_us: float
    signature_ratio: float
    verdict_ratio: float
    large_bytes: int
    large_ratio: float  # signature : raw primitives
    large_peak_bytes: int  # allocated by Python at once while it is verified; raw bytes and tree were there before

    def as_json(self) -> dict[str, float]:
        """The form that `--json` prints."""
        return asdict(self)


def run(rounds: int = 15, per_round: int = 100) -> Figures:
    """Measures `rounds` × `per_round` packets each way, and one large packet."""
    with tempfile.TemporaryDirectory(prefix="lgsp-bench-") as folder:
        pki = build_pki(Path(folder), (SENDER,), utc_now(), root_bits=2048)
        ctx = Context(pki.store(), utc_now(), crls=pki.lists())
    identity, at = pki.identities[SENDER], ctx.at
    policy, sender = SignaturePolicy(SignatureMode.REQUIRE), AgencyCode.of(SENDER)
    given = Given(at, CURRENT)
    contexts = [replace(ctx, at=at + timedelta(milliseconds=n)) for n in range(rounds * per_round + WARM_UP)]
    packet = _packet(identity, SMALL_BYTES)
    if judge(xml.parse(packet), sender, policy, ctx).status is not VerdictStatus.VALID:
        raise RuntimeError("the benchmark's packet is not valid")
    ways: tuple[Callable[[ParsedXml], object], ...] = (
        _primitives(identity, packet),
        lambda tree: examine_packet(tree, given),
        lambda tree: judge(tree, sender, policy, contexts.pop()),
    )
    for way in ways:
        _timed(way, packet, WARM_UP)
    taken = [[_timed(way, packet, per_round) for way in ways] for _ in range(rounds)]
    raw_us, signature_us, verdict_us = (statistics.median(one[n] for one in taken) for n in range(3))
    ratios = [statistics.median(one[n] / one[0] for one in taken) for n in (1, 2)]
    return Figures(len(packet), raw_us, signature_us, verdict_us, ratios[0], ratios[1], *_large(identity, given))


def _primitives(identity: Identity, packet: bytes) -> Callable[[ParsedXml], object]:
    """What no verifier can leave out, for packets of that signer."""
    signature = xmldsig.find(xml.parse(packet)).signature
    key = identity.key.public_key()
    if signature is None or not isinstance(key, RSAPublicKey):
        raise RuntimeError("the benchmark signs with RSA")
    value = xmldsig.value_of(signature)

    def work(tree: ParsedXml) -> None:
        hashlib.sha256(xml.canonical(tree.root, exclusive=True, light=True)).digest()
        info = next(tree.root.iter(f"{xmldsig.SIGNATURE[:-9]}SignedInfo"))
        key.verify(value, xml.canonical(info, exclusive=True, light=True), padding.PKCS1v15(), SHA256())

    return work


def _timed(work: Callable[[ParsedXml], object], packet: bytes, times: int) -> float:
    trees = [xml.parse(packet) for _ in range(times)]
    start = time.thread_time()
    for tree in trees:
        work(tree)
    return (time.thread_time() - start) / times * 1e6


def _large(identity: Identity, given: Given) -> tuple[int, float, int]:
    packet = _packet(identity, LARGE_BYTES)
    raw = _primitives(identity, packet)
    ratios = [_timed(lambda tree: examine_packet(tree, given), packet, 1) / _timed(raw, packet, 1) for _ in range(7)]
    tree = xml.parse(packet)
    tracemalloc.start()
    examine_packet(tree, given)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return len(packet), statistics.median(ratios), peak


def _packet(identity: Identity, attachment_bytes: int) -> bytes:
    packet = DocumentPacket(
        sender=Organization(organ_id=SENDER, organ_name="Văn phòng UBND tỉnh"),
        to=(Organization(organ_id=RECIPIENT, organ_name="Sở Nội vụ"),),
        document_id=f"{SENDER},2026/03/02,7816/VPUB-TTĐT",
        code=Code("7816", "VPUB-TTĐT"),
        promulgation=PromulgationInfo("Nha Trang", "2026/03/02"),
        subject="V/v kết nối, liên thông phần mềm quản lý văn bản và điều hành",
    )
    return identity.sign(write_document(with_files(packet, (File("van-ban.pdf", b"%PDF-1.7\n" + os.urandom(attachment_bytes)),))))
