"""What verifying stored packets again costs beside its raw primitives, as mode ``verify`` of a replay does it, on SQLite.

* raw, of the same stored packets: the payload read, decrypted, decompressed and digested; one parse; the canonical form of the document
  and of SignedInfo, two digests, one RSA verification
* replay: what the mode does with an item: the entry opened, all of the above, and two verdicts, of then and of now
* look-up: the first part of it alone: the entry and its opening checked, the payload opened and digested

Batches go through in turn; thread CPU of the quietest batch, medians of the batches' ratios.
"""

from __future__ import annotations

import base64
import hashlib
import itertools
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256

from hub.access import principal_of
from hub.bench import accept_at_once, opened_hub, signed_packets
from hub.node import Hub
from hub.rework.recorded import recorded
from hub.rework.verifying import Verify
from replay.job import Outcome
from replay.selection import Item, Query, freeze
from schemas import xml

_SIGNATURE = "{http://www.w3.org/2000/09/xmldsig#}"


@dataclass(frozen=True, slots=True)
class Figures:
    """CPU in microseconds per packet."""

    packets: int
    raw_us: float
    look_up_us: float
    replay_us: float
    look_up_ratio: float
    replay_ratio: float

    def as_json(self) -> dict[str, float]:
        """With how much of the raw primitives' rate is reached."""
        return {**asdict(self), "share_of_raw_rate": round(1 / self.replay_ratio, 2)}


def run(rounds: int = 10, per_round: int = 50) -> Figures:
    """Measures `rounds` × `per_round` packets each way; each is looked at once each way."""
    with tempfile.TemporaryDirectory(prefix="lgsp-bench-") as folder, opened_hub(Path(folder)) as (hub, identity):
        packets = list(itertools.islice(signed_packets(identity), rounds * per_round))
        accept_at_once(hub, principal_of(hub.systems.by_name["sender"]), packets)
        with hub.store.read() as conn:
            items = freeze(conn, Query(), transmissions=False)
        work = Verify(hub.store, hub.payloads, hub.workshop.today, {})
        public = identity.key.public_key()
        if not isinstance(public, RSAPublicKey):
            raise RuntimeError("the benchmark signs with RSA")
        ways: Sequence[Callable[[Item], object]] = (
            lambda item: _raw(hub, item, public),
            lambda item: recorded(hub.store, hub.payloads, item),
            lambda item: _same(work, item),
        )
        for way in ways:
            way(items[0])
        batches = [items[first : first + per_round] for first in range(0, len(items), per_round)]
        spent = [[_timed(way, batch) for way in ways] for batch in batches]
    raw, look_up, replay = (min(each) for each in zip(*spent, strict=True))
    ratios = [statistics.median(one[way] / one[0] for one in spent) for way in (1, 2)]
    return Figures(len(packets), round(raw), round(look_up), round(replay), *(round(one, 2) for one in ratios))


def _raw(hub: Hub, item: Item, public: RSAPublicKey) -> None:
    with hub.store.read() as conn:
        raw = hub.payloads.get(conn, item.message_id)
    hashlib.sha256(raw).digest()
    root = xml.reread(raw)
    hashlib.sha256(xml.canonical(root, exclusive=True)).digest()
    [signature] = root.iter(f"{_SIGNATURE}Signature")
    [signed_info], value = signature.iter(f"{_SIGNATURE}SignedInfo"), signature.findtext(f"{_SIGNATURE}SignatureValue")
    public.verify(_decoded(value), xml.canonical(signed_info, exclusive=True), padding.PKCS1v15(), SHA256())


def _decoded(text: str | None) -> bytes:
    return base64.b64decode(text or "")


def _same(work: Verify, item: Item) -> None:
    found = work.look(item)
    if found.outcome is not Outcome.SAME:
        raise RuntimeError(f"a packet of the measurement is verified otherwise: {found}")


def _timed(way: Callable[[Item], object], batch: Sequence[Item]) -> float:
    cpu = time.thread_time()
    for item in batch:
        way(item)
    return (time.thread_time() - cpu) / len(batch) * 1e6
