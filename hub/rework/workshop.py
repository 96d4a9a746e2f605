"""The engine with its tools: what a hub, or a command beside one, runs replays with."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from adapters.systems.sandbox import Sandbox
from hub.approvals import check_approved
from hub.commit import Committer
from hub.grounds import Grounds
from hub.key_watch import WatchedKeyring, WatchedMasters
from hub.policies import Policies
from hub.replay_reader import ReplayReader
from hub.replays import Replays
from hub.rework.looking import Revalidate
from hub.rework.parcels import Retranslate
from hub.rework.sending import InSandbox, Redeliver
from hub.rework.verifying import Today, Verify
from hub.systems import Systems
from hub.translating import Translator
from replay.engine import Engine, Work
from replay.job import Job, Mode
from replay.payloads import PayloadStore
from replay.store.engine import Store
from signing.context import Demand

if TYPE_CHECKING:
    from hub.settings import Settings


@dataclass(frozen=True, slots=True)
class Workshop:
    """Made by `of_home`."""

    store: Store
    payloads: PayloadStore
    systems: Systems
    translator: Translator = field(repr=False)
    today: Today
    replays: Replays
    reader: ReplayReader
    committer: Committer = field(repr=False)
    clock: Callable[[], datetime] = field(repr=False)

    def engine(self, sandbox: Sandbox, pause: Callable[[float], object] = time.sleep) -> Engine:
        """An engine of its own turn. `sandbox` is closed by whoever made it."""
        return Engine(
            store=self.store,
            submit=self.committer.submit,
            clock=self.clock,
            work_of=partial(self._work, sandbox),
            check=check_approved,
            sign=self.replays.sign,
            pause=pause,
        )

    def _work(self, sandbox: Sandbox, job: Job) -> Work:
        match job.mode:
            case Mode.VERIFY:
                return Verify(self.store, self.payloads, self.today, {})
            case Mode.REVALIDATE:
                return Revalidate(self.store, self.payloads, self.today.limits)
            case Mode.RETRANSLATE:
                return Retranslate(self.store, self.payloads, self.translator)
            case Mode.SANDBOX:
                return InSandbox(self.store, self.payloads, self.translator, self.systems, sandbox)
            case Mode.REDELIVER:
                return Redeliver(self.store, self.systems, job, self.clock)


def of_home(settings: Settings, watched: WatchedKeyring, store: Store, committer: Committer, clock: Callable[[], datetime]) -> Workshop:
    """The workshop over an open store. Raises `Halted` for settings, profiles or trust that are not in order."""
    systems = Systems.load(settings.home / "systems")
    ring = watched()
    grounds = Grounds.load(settings.trust_folder, Demand(settings.signature.revocation))
    policies = Policies.of_systems(systems, settings.signature.mode, settings.signature.domain)
    today = Today(grounds, policies, settings.effective_limits, clock)
    return Workshop(
        store=store,
        payloads=PayloadStore(ring.master(), settings.data_folder / "payloads", ring.older_masters(), WatchedMasters(watched)),
        systems=systems,
        translator=Translator.load(systems, settings.home / "mappings", settings.effective_limits),
        today=today,
        replays=Replays(store, committer, clock, watched.sign_report),
        reader=ReplayReader(store),
        committer=committer,
        clock=clock,
    )
