"""What waits for a certificate's status: pending, then confirmed or withdrawn, held where the receiver wants it so, and provable later."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, update

from hub.demo.pki import Pki, build_pki
from hub.query import trace
from hub.verification import LONGEST_WAIT, Pace, blob
from replay.store.tables import deliveries, evidence, messages, verifications
from schemas.edxml import reader
from schemas.errors import Refused
from schemas.message import Envelope, Inbound, Receipt, rfc3339
from signing import kept
from signing.trust import LISTS, TrustStore
from tests.hub.stage import DATDAI, MOTCUA, PROFILES, QLVB, RETRY, Stage, open_stage, profile
from tests.packets import document

HOLD = '[signature]\npending = "hold"\n'


@dataclass(frozen=True)
class Waiting:
    """A hub whose trust folder has no lists yet. motcua signs; datdai (mailbox) wants what is pending held, qlvb does not."""

    stage: Stage
    pki: Pki
    trust: Path

    def send(self, number: str = "1") -> tuple[bytes, Receipt]:
        raw = self.pki.identities[MOTCUA].sign(document(MOTCUA, (QLVB, DATDAI), f"{MOTCUA},2026/03/02,{number}/X"))
        return raw, self.stage.send(raw)

    def publish(self, revoked: Mapping[str, datetime] | None = None) -> None:
        self.pki.publish(self.stage.hub.clock(), revoked or {})
        (self.trust / LISTS).mkdir(exist_ok=True)
        for path in (self.pki.trust / LISTS).iterdir():
            part = self.trust / LISTS / f".{path.name}"
            shutil.copy(path, part)
            part.replace(self.trust / LISTS / path.name)

    def verification(self, receipt: Receipt, system: str = "motcua") -> dict[str, Any]:
        found: dict[str, Any] = trace(self.stage.hub.store, self.stage.principal(system), receipt.message_id)["verification"]
        return found

    def becomes(self, receipt: Receipt, state: str) -> None:
        self.stage.wait_for(lambda: self.verification(receipt)["state"] == state)

    def cause(self, receipt: Receipt, recipient: str) -> str:
        wanted = (deliveries.c.message_id == receipt.message_id, deliveries.c.recipient == recipient)
        with self.stage.hub.store.read() as conn:
            return str(conn.execute(select(deliveries.c.cause).where(*wanted)).scalar_one())

    def bundle(self, message_id: UUID) -> tuple[bytes, Callable[[str], bytes]]:
        with self.stage.hub.store.read() as conn:
            address = conn.execute(select(verifications.c.evidence).where(verifications.c.message_id == message_id)).scalar_one()
            rows = {row.sha256: bytes(row.body) for row in conn.execute(select(evidence)).all()}
            assert blob(conn, address) == rows[address]
        return rows[address], rows.__getitem__

    def envelope(self, raw: bytes, receipt: Receipt) -> Envelope:
        with self.stage.hub.store.read() as conn:
            received = conn.execute(select(messages.c.received_at).where(messages.c.id == receipt.message_id)).scalar_one()
        return reader.read(Inbound(raw, "application/xml", "", "test", datetime.fromisoformat(received)))


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return build_pki(tmp_path_factory.mktemp("pki"), (MOTCUA,), datetime.now(UTC), elliptic=[MOTCUA], root_bits=2048)


@pytest.fixture
def waiting(tmp_path: Path, pki: Pki) -> Iterator[Waiting]:
    profiles = {**PROFILES, "datdai": profile([DATDAI], more=HOLD), "motcua": profile([MOTCUA], "recorder", delivery=RETRY)}
    bare = tmp_path / "trust"
    shutil.copytree(pki.trust, bare, ignore=shutil.ignore_patterns(LISTS))
    stage = open_stage(tmp_path / "home", profiles=profiles, trust=bare, hub_toml="sweep_s = 0.05\n")
    stage.hub.start()
    yield Waiting(stage, pki, tmp_path / "home" / "trust")
    stage.hub.stop()


def test_it_is_accepted_as_pending_and_confirmed_when_the_lists_come(waiting: Waiting) -> None:
    raw, receipt = waiting.send()
    told = json.loads(receipt.body)
    assert (told["verdict"], told["legal_value"]) == ("indeterminate", "pending")
    waiting.stage.settle(receipt.message_id, H32_02="delivered", H32_03="parked")
    assert waiting.cause(receipt, DATDAI) == "verification-pending"
    assert waiting.verification(receipt)["state"] == "pending"
    waiting.publish()
    waiting.becomes(receipt, "confirmed")
    found = waiting.verification(receipt, "datdai")  # its recipients are told, too
    assert (found["verdict"]["accepted"], found["verdict"]["legal_value"]) == (True, "original")
    items, _ = waiting.stage.hub.mailbox.pending(waiting.stage.principal("datdai"))
    assert [(item.message_id, item.legal_value, item.verification) for item in items] == [(receipt.message_id, "original", "confirmed")]
    (sent,) = waiting.stage.systems["qlvb"].parcels  # which went out before, marked
    assert (sent.legal_value, sent.verification) == ("pending", "pending")
    assert waiting.stage.events().count("verified-again") == 1
    assert waiting.stage.send(raw).repeated  # the first receipt, byte for byte
    assert waiting.stage.send(raw).body == receipt.body
    waiting.stage.check()


def test_it_is_withdrawn_when_the_signer_had_been_revoked(waiting: Waiting) -> None:
    _, receipt = waiting.send()
    waiting.stage.settle(receipt.message_id, H32_02="delivered", H32_03="parked")
    waiting.publish({MOTCUA: waiting.stage.hub.clock() - timedelta(hours=1)})
    waiting.becomes(receipt, "withdrawn")
    waiting.stage.settle(receipt.message_id, H32_02="delivered", H32_03="cancelled")
    assert waiting.cause(receipt, DATDAI) == "signature-withdrawn"
    assert waiting.verification(receipt, "qlvb")["verdict"]["reasons"] == ["revoked"]  # whoever has it already is told
    with pytest.raises(Refused, match="revoked"):
        waiting.send("2")
    waiting.stage.check()


def test_what_was_revoked_after_it_had_come_stays_valid(waiting: Waiting) -> None:
    _, receipt = waiting.send()
    waiting.publish({MOTCUA: waiting.stage.hub.clock() + timedelta(seconds=1)})
    waiting.becomes(receipt, "confirmed")
    assert waiting.verification(receipt)["verdict"]["signatures"][0]["time_source"] == "received"


def test_nobody_waits_for_ever(waiting: Waiting) -> None:
    _, receipt = waiting.send()
    long_ago = rfc3339(waiting.stage.hub.clock() - timedelta(days=60))

    def age(tx: Any) -> None:
        tx.conn.execute(update(verifications).values(due_at=long_ago))

    hub = waiting.stage.hub
    hub.reverifier.pace = Pace(timedelta(seconds=60), timedelta(0))
    hub.committer.submit(age).result()
    waiting.becomes(receipt, "given-up")
    assert waiting.verification(receipt)["verdict"]["legal_value"] == "pending"
    assert waiting.stage.events().count("verified-again") == 1
    waiting.stage.check()


def test_attempts_come_at_growing_distances() -> None:
    pace = Pace(timedelta(seconds=60), timedelta(days=30))
    assert [pace.wait(attempt).total_seconds() for attempt in (0, 1, 2)] == [60, 120, 240]
    assert pace.wait(10_000) == LONGEST_WAIT


def test_the_evidence_reaches_the_verdict_again_offline(waiting: Waiting) -> None:
    waiting.publish()
    waiting.stage.hub.intake.grounds.refresh()
    raw, receipt = waiting.send()
    envelope = waiting.envelope(raw, receipt)
    policy = waiting.stage.hub.intake.policies.of(waiting.stage.principal("motcua"), envelope.sender)
    ctx = waiting.stage.hub.intake.grounds.context(envelope.inbound.received_at)
    with waiting.stage.hub.store.read() as conn:
        rows = {row.sha256: bytes(row.body) for row in conn.execute(select(evidence)).all()}
    (bundle,) = (body for body in rows.values() if body.startswith(b"{"))
    assert rows.keys() == {hashlib.sha256(body).hexdigest() for body in rows.values()}
    assert set(kept.named_in(bundle)) < rows.keys()

    again = kept.reverify(bundle, rows.__getitem__, envelope, "then")
    assert kept.impersonal(again.verdict) == kept.verdict_in(bundle)
    assert b"Agency" not in bundle
    assert again.verdict.as_json()["accepted"]
    assert kept.policy_in(bundle).mode is policy.mode

    years_later = replace(ctx, at=ctx.at + timedelta(days=365 * 5))
    assert kept.reverify(bundle, rows.__getitem__, envelope, "now", years_later).verdict.as_json()["accepted"]  # the journal proves when
    distrusted = replace(years_later, trust=TrustStore())
    assert "untrusted-chain" in kept.reverify(bundle, rows.__getitem__, envelope, "now", distrusted).verdict.reasons

    other = reader.read(Inbound(raw.replace(b"V/v", b"W/v", 1), "application/xml", "", "test", ctx.at))
    damaged: tuple[Callable[[], object], ...] = (
        lambda: kept.reverify(bundle, rows.__getitem__, other, "then"),
        lambda: kept.reverify(bundle, lambda digest: rows[digest] + b"\0", envelope, "then"),
        lambda: kept.reverify(bundle.replace(b"lgsp-verification-1", b"lgsp-verification-9"), rows.__getitem__, envelope, "then"),
        lambda: kept.reverify(b"[" * 100_000, rows.__getitem__, envelope, "then"),
    )
    for damage in damaged:
        with pytest.raises(Refused, match="evidence-invalid"):
            damage()
