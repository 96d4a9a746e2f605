"""A real hub in a temporary folder: real keys, real store, real threads. Receiving systems in this process keep the adapter contract."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import select

from adapters.contract import Idempotency
from hub.access import Principal, principal_of
from hub.keys import Keyring
from hub.node import Hub, open_hub, utc_now
from hub.settings import load_settings
from replay.fsck import FsckKeys, fsck
from replay.store.tables import deliveries, messages, openings
from schemas.errors import HubError
from schemas.message import Accepted, Inbound, Parcel, Receipt

NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)

MOTCUA, QLVB, DATDAI, TRUC = "H32.01", "H32.02", "H32.03", "G22.99"


@dataclass(frozen=True)
class Recorder:
    """A receiving system in this process. It keeps what it is given; `answers` says, attempt by attempt, what it does."""

    idempotency: Idempotency = Idempotency.KEY
    timeout_s: float = 5.0
    parcels: list[Parcel] = field(default_factory=list)
    answers: list[HubError] = field(default_factory=list)  # raised one by one; empty = accepts
    gate: threading.Event = field(default_factory=threading.Event)  # deliveries wait here while it is not set

    def deliver(self, parcel: Parcel) -> Accepted:
        self.gate.wait(60)
        self.parcels.append(parcel)
        if self.answers:
            raise self.answers.pop(0)
        return Accepted(f"remote-{len(self.parcels)}")

    def close(self) -> None:
        """Nothing to give back."""

    @property
    def bodies(self) -> list[bytes]:
        return [parcel.body for parcel in self.parcels]


@dataclass
class Stage:
    """The hub and its receiving systems."""

    hub: Hub
    systems: Mapping[str, Recorder]

    def principal(self, system: str) -> Principal:
        return principal_of(self.hub.systems.by_name[system])

    def send(self, raw: bytes, system: str = "motcua", *, key: str = "", charset: str = "", at: datetime | None = None) -> Receipt:
        inbound = Inbound(raw, "application/xml", charset, "test", at or self.hub.clock(), key)
        return self.hub.intake.accept(inbound, self.principal(system))

    def states(self, message_id: UUID) -> dict[str, str]:
        with self.hub.store.read() as conn:
            rows = conn.execute(select(deliveries.c.recipient, deliveries.c.state).where(deliveries.c.message_id == message_id)).all()
        return {row.recipient: row.state for row in rows}

    def wait_for(self, condition: Callable[[], Any], limit_s: float = 60.0) -> None:
        until = time.monotonic() + limit_s
        while not condition():
            if time.monotonic() > until:
                raise AssertionError("it did not come to that in time")
            time.sleep(0.01)

    def settle(self, message_id: UUID, **states: str) -> None:
        """Waits until the recipients' states are these; keys are codes with `_` for the dot."""
        wanted = {code.replace("_", "."): state for code, state in states.items()}
        try:
            self.wait_for(lambda: wanted.items() <= self.states(message_id).items())
        except AssertionError:
            raise AssertionError(f"wanted {wanted}, found {self.states(message_id)}") from None

    def check(self) -> None:
        """The journal proves itself."""
        ring = self.hub.keyring
        keys = FsckKeys(ring.log_verifiers(self.hub.settings.origin), ring.public("receipt"), self.hub.payloads)
        report = fsck(self.hub.store, keys)
        assert report.is_intact, report.as_json()

    def events(self) -> list[str]:
        """What happened to messages: the artefacts that a hub keeps at its start are left out."""
        with self.hub.store.read() as conn:
            return list(conn.execute(select(openings.c.event).where(openings.c.event != "artefact").order_by(openings.c.index)).scalars())

    def count_messages(self) -> int:
        with self.hub.store.read() as conn:
            return len(conn.execute(select(messages.c.id)).all())


def home(folder: Path, profiles: Mapping[str, str], hub_toml: str = "") -> Path:
    """A home folder with keys, an empty trust store and these profiles."""
    (folder / "systems").mkdir(parents=True)
    (folder / "trust").mkdir()
    (folder / "hub.toml").write_text(hub_toml, "utf-8")
    for name, text in profiles.items():
        (folder / "systems" / f"{name}.toml").write_text(text, "utf-8")
    Keyring.init(folder / "keys")
    return folder


def profile(agencies: Sequence[str], kind: str = "mailbox", access: str = "", delivery: str = "", more: str = "") -> str:
    codes = ", ".join(f'"{code}"' for code in agencies)
    return f'agencies = [{codes}]\n[access]\n{access}\n[delivery]\nkind = "{kind}"\n{delivery}\n{more}\n'


RETRY = "[delivery.retry]\nbase_s = 0.05\nmax_s = 0.1\nmax_attempts = 3\nopen_after = 50\nopen_s = 0.2"
PROFILES = {
    "motcua": profile([MOTCUA], "recorder", delivery=RETRY),
    "qlvb": profile([QLVB], "recorder", delivery=RETRY),
    "datdai": profile([DATDAI]),
    "truc": profile([TRUC], "recorder", 'may_send_for = "any"', f"one_packet_for_all = true\n{RETRY}"),
}


def open_stage(
    folder: Path,
    *,
    profiles: Mapping[str, str] = PROFILES,
    hub_toml: str = "sweep_s = 0.1\n",
    recorders: Mapping[str, Recorder] | None = None,
    clock: Callable[[], datetime] | None = None,
    fresh: bool = True,
    deliver: bool = True,
    trust: Path | None = None,
) -> Stage:
    """A hub over `folder`, not started. `fresh` makes the home first; off, it opens what an earlier one left."""
    where = home(folder, profiles, hub_toml) if fresh else folder
    if trust is not None:
        shutil.copytree(trust, where / "trust", dirs_exist_ok=True)
    named = dict(recorders or {})
    for name, text in profiles.items():
        if '"recorder"' in text:
            named.setdefault(name, Recorder())
    for recorder in named.values():
        recorder.gate.set()
    hub = open_hub(load_settings(where, {}), clock=clock or utc_now, deliver=deliver, ready_adapters=named)
    return Stage(hub, named)
