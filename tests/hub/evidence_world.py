"""A hub with a signed document, its deliveries and some traffic of others, a witness, and a clock that is moved by hand."""

from __future__ import annotations

import importlib
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hub.demo.pki import Pki
from hub.evidence import Exporter, Seal, seal_of
from hub.node import utc_now
from hub.trial import make_certificate
from replay.checkpoint import Checkpoint
from replay.cosigned import record_cosignature
from replay.evidence.box import CHECKPOINT, LIMITS, Known
from replay.evidence.check import check
from replay.evidence.period import Period
from replay.evidence.period_check import Asked
from replay.evidence.report import Report
from schemas.agency import AgencyCode
from signing.archive import open_archive
from signing.asic_writer import write_asic
from signing.context import Context
from signing.cosignature import Cosigner
from signing.note import note_text
from signing.sign_key import Credential
from signing.trust import TrustStore
from tests.hub.stage import DATDAI, MOTCUA, PROFILES, QLVB, Stage, home, open_stage
from tests.packets import document

WITNESS = Cosigner("witness.test/one", Ed25519PrivateKey.from_private_bytes(b"\x07" * 32))
Files = dict[str, bytes]


@dataclass
class Clock:
    """Real time, moved on by hand."""

    ahead: timedelta = timedelta(0)

    def __call__(self) -> datetime:
        return utc_now() + self.ahead


@dataclass
class World:
    """The hub, and what came of it: the message's id, and the hour that its traffic is in."""

    stage: Stage
    clock: Clock
    seal: Seal
    trust: Path
    witness_toml: str = ""
    message_id: UUID = field(default_factory=lambda: UUID(int=0))
    started: datetime = field(default_factory=utc_now)
    ended: datetime = field(default_factory=utc_now)

    @property
    def exporter(self) -> Exporter:
        hub = self.stage.hub
        return Exporter(hub.settings, hub.keyring, hub.store, hub.committer, self.clock, self.seal)

    def cosign(self) -> None:
        """The witness cosigns the newest checkpoint, and the hub keeps that."""
        hub = self.stage.hub
        published = hub.keeper.publisher.publish()
        size, line = published.checkpoint.size, WITNESS.line(note_text(published.note), int(self.clock().timestamp()))
        with hub.store.write(sequenced=False) as conn:
            from replay.cosigned import record_checkpoint
            from schemas.message import rfc3339

            record_checkpoint(conn, published, rfc3339(self.clock()), 0)
            record_cosignature(conn, size, WITNESS.name, line, int(self.clock().timestamp()))

    def message(self) -> bytes:
        return self.exporter.message(self.message_id, "console:test")

    def period(self, party: str = MOTCUA, since: datetime | None = None, until: datetime | None = None) -> bytes:
        return self.exporter.completeness(Period(AgencyCode.of(party), since or self.started, until or self.ended), "console:test")

    @property
    def known(self) -> Known:
        hub = self.stage.hub
        keys = hub.keyring.log_verifiers(hub.settings.origin)
        now = Context(TrustStore(), self.clock())
        return Known(keys, now, witnesses=(WITNESS.verifier,), receipt_keys=hub.keyring.public("receipt"))

    def script(self, data: bytes, folder: Path, *more: str, unsigned: bool = False, witness: bool = True) -> dict[str, Any]:
        """What the stand-alone checker says, run in this process: report and exit code."""
        import base64
        import contextlib
        import io
        import json

        program = importlib.import_module("replay.standalone.verify_evidence")
        file = folder / "checked.asice"
        file.write_bytes(data)
        receipt = base64.b64encode(self.stage.hub.keyring.receipt().private.public_key().public_bytes_raw()).decode()
        arguments = [str(file), "--json", "--log-key", self.known.log_keys[0].text, "--receipt-key", receipt, *more]
        arguments += ["--witness-key", WITNESS.verifier.text] if witness else []
        arguments += ["--accept-unsigned"] if unsigned else []
        out = io.TextIOWrapper(io.BytesIO(), "utf-8")
        with contextlib.redirect_stdout(out):
            code = program.main(arguments)
        out.flush()
        found: dict[str, Any] = json.loads(out.buffer.getvalue())
        return {**found, "exit": code}


def build(folder: Path, pki: Pki) -> World:
    """A hub that took a signed letter from motcua to qlvb and datdai, letters between others before and after, and is quiet since."""
    clock = Clock(-timedelta(hours=2))
    toml = f'sweep_s = 0.05\n[log]\nquorum = 1\n[[log.witnesses]]\nurl = "http://127.0.0.1:9"\nkey = "{WITNESS.verifier.text}"\n'
    where = home(folder / "home", PROFILES, toml)
    shutil.copytree(pki.trust, where / "trust", dirs_exist_ok=True)
    make_certificate(where, utc_now() - timedelta(days=1))
    stage = open_stage(where, fresh=False, clock=clock)
    world = World(stage, clock, Seal(None), where / "trust")
    stage.hub.begin()
    stage.hub.workers.start(deliver=True)
    world.seal = seal_of(stage.hub.settings, utc_now())
    stage.send(document(QLVB, (DATDAI,), f"{QLVB},2026/03/02,1/X"), "qlvb")
    clock.ahead += timedelta(minutes=20)
    world.started = clock() - timedelta(seconds=1)
    signed = pki.identities[MOTCUA].sign(document(MOTCUA, (QLVB, DATDAI), f"{MOTCUA},2026/03/02,7/X"))
    world.message_id = stage.send(signed).message_id
    stage.send(document(QLVB, (DATDAI,), f"{QLVB},2026/03/02,2/X"), "qlvb")
    stage.settle(world.message_id, H32_02="delivered", H32_03="queued")
    clock.ahead += timedelta(minutes=1)
    world.ended = clock()
    clock.ahead += timedelta(minutes=10)
    stage.send(document(QLVB, (DATDAI,), f"{QLVB},2026/03/02,3/X"), "qlvb")
    world.cosign()
    return world


def unpacked(data: bytes) -> Files:
    """The signed files of a container."""
    files = open_archive(data, LIMITS).files
    return {name: body for name, body in files.items() if name != "mimetype" and not name.startswith("META-INF/")}


def repacked(files: Mapping[str, bytes], credential: Credential | None = None) -> bytes:
    """What somebody else makes of them; without a key nobody signs."""
    return write_asic(files, credential, utc_now())


def failing(report: Report) -> list[str]:
    return [point.name for point in report.points if point.state == "failed"]


def judged(world: World, data: bytes, asked: Asked | None = None, *, unsigned: bool = True) -> Report:
    return check(data, replace(world.known, accepts_unsigned=unsigned), asked)


def size_of(files: Files) -> int:
    return Checkpoint.parse(note_text(files[CHECKPOINT])).size


Change = Callable[[Files], Files]
Sizes = Sequence[int]
