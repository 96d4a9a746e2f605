"""One hub process, put together from its settings. The clock is read here and handed to everything else."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from queue import SimpleQueue
from types import MappingProxyType
from typing import Any

import structlog

from adapters import registry
from adapters.amqp import AmqpCollector
from adapters.contract import Adapter
from adapters.egress import EgressPolicy
from hub.accept import Intake
from hub.access import Access
from hub.access_log import AccessLog
from hub.artefacts import JUDGING, of_hub
from hub.commit import Committer
from hub.counts import Counts
from hub.deliver import Courier, Lane
from hub.directories import load_directory
from hub.erase import Eraser, erase_again, erase_and_release
from hub.erasures import ErasuresFile
from hub.key_watch import WatchedKeyring, WatchedMasters
from hub.keys import Keyring
from hub.log_keeper import BACKWARDS, LogKeeper
from hub.log_opening import open_log
from hub.mailbox import Mailbox
from hub.outbox import REPUBLISH, Pointer
from hub.queue import PointerQueue
from hub.replay_runner import ReplayRunner
from hub.retry import Circuit
from hub.rework.workshop import Workshop, of_home
from hub.routing import Routing
from hub.sessions import Sessions
from hub.settings import Settings
from hub.signer import HubSigner, open_signer, secret_texts
from hub.sole_process import sole_process
from hub.systems import MAILBOX, Profile, Systems
from hub.translating import Translator
from hub.verification import Reverifier
from hub.worker import Workers
from replay.in_force import Artefact, digests, keep
from replay.journal import Journal
from replay.payloads import PayloadStore
from replay.store.engine import Store, open_store
from schemas.errors import Halted, HubError
from schemas.limits import Limits
from schemas.message import Inbound

Clock = Callable[[], datetime]
log = structlog.get_logger(__name__)


def utc_now() -> datetime:
    """The wall clock, in UTC."""
    return datetime.now(UTC)


@dataclass
class Hub:
    """A hub that can take messages in (`start` makes it deliver, too). Made by `open_hub`."""

    settings: Settings
    systems: Systems
    access: Access
    access_log: AccessLog
    sessions: Sessions
    intake: Intake
    mailbox: Mailbox
    eraser: Eraser
    payloads: PayloadStore
    keyring: Keyring
    journal: Journal
    store: Store
    committer: Committer
    workers: Workers
    reverifier: Reverifier
    workshop: Workshop
    artefacts: Mapping[str, Artefact]
    limits: Limits
    clock: Clock
    keeper: LogKeeper
    signer: HubSigner | None = None  # of what the hub composes itself; None = it stays unsigned
    delivers: bool = True  # False: other processes on the same store do
    _lock: int | None = None  # file descriptor that keeps a second process off an embedded store
    _collectors: list[AmqpCollector] = field(default_factory=list)
    _replays: ReplayRunner | None = None
    _counts: Counts = field(default_factory=Counts)

    def start(self) -> None:
        """Starts the committer, the threads that deliver (if this process does), and those that collect."""
        self.begin()
        self.keeper.start()
        if self.delivers:
            self._replays = ReplayRunner(self.workshop)
            self._replays.start()
        if self.delivers or self.settings.broker_url:
            self.workers.start(deliver=self.delivers)
        self.reverifier.start()
        self.access_log.start()
        if self.delivers and self.settings.amqp.url and self.access.amqp_users:
            self._collectors.append(self._collector())
            self._collectors[-1].start()

    def begin(self) -> None:
        """Starts the committer alone: messages can be accepted, for what they are judged with is kept now."""
        self.committer.start()
        at = self.clock()
        self.committer.submit(lambda tx: keep(tx, self.artefacts, at)).result()

    def stop(self) -> None:
        """Ends in order: nothing new in, deliveries under way to their end, then the store."""
        for collector in self._collectors:
            collector.stop()
        self.reverifier.stop()
        if self._replays is not None:
            self._replays.stop()
        self.workers.stop()
        for lane in self.workers.courier.lanes.values():
            lane.adapter.close()
        self.access_log.stop()
        self.committer.stop()
        self.keeper.stop()
        if self.signer:
            self.signer.close()
        _release(self.store, self._lock)
        self._lock = None

    def health(self) -> dict[str, Any]:
        """What an operator asks first: can it write, do its threads live, how long is the journal, what waits, what needs a person.

        The counts are at most `COUNTS_S` old: counting is not free, and anybody may ask.
        """
        try:
            counts = self._counts.get(self.store, self.clock())
        except HubError as fault:
            return {"ready": False, "reason": fault.code}
        waiting = {name: count for name, count in counts["unserved"].items() if name not in self.systems.by_name}
        return {
            "ready": self.committer.is_alive and self.workers.is_well() and self.keeper.fault not in BACKWARDS,
            "committer": self.committer.is_alive,
            "threads": self.workers.health(),
            "amqp": [collector.health() for collector in self._collectors],
            "entries": counts["entries"],
            "deliveries": counts["deliveries"],
            "signing": self.signer.health() if self.signer else {},
            "log": self.keeper.health(),
            "unserved": waiting,  # deliveries to systems whose profile is gone
        }

    def _collector(self) -> AmqpCollector:
        return AmqpCollector(
            url=self.settings.amqp.url,
            users=self.access.amqp_users,
            prefix=self.settings.amqp.prefix,
            take=self._take,
            clock=self.clock,
            limits=self.limits,
        )

    def _take(self, inbound: Inbound, user: str) -> bytes:
        return self.intake.accept(inbound, self.access_log.admitted(partial(self.access.of_amqp_user, user), "amqp")).body


def open_hub(
    settings: Settings, *, clock: Clock = utc_now, deliver: bool = True, ready_adapters: Mapping[str, Adapter] = MappingProxyType({})
) -> Hub:
    """The hub that `settings` describe. Raises `Halted` with everything that is wrong before anything is started.

    `deliver` off: this process takes in, others on the same store deliver. `ready_adapters` are adapters by system name that an embedding
    program has made itself; they take the place of the profile's kind.
    """
    systems = Systems.load(settings.home / "systems")
    _check_fallback(settings, systems)
    watched = WatchedKeyring(settings.keys_folder)
    keyring = watched()
    signer = open_signer(settings, clock())
    lanes = _lanes(systems, _builder(settings), ready_adapters)
    translator = Translator.load(systems, settings.home / "mappings", settings.effective_limits)
    lock = sole_process(settings)
    store = open_store(settings.resolved_store_url)
    journal = Journal(keyring.journal_keys(), settings.origin)
    committer = Committer(store, journal)
    payloads = PayloadStore(keyring.master(), settings.data_folder / "payloads", keyring.older_masters(), WatchedMasters(watched))
    eraser = Eraser(store, committer, payloads, keyring.parties(), ErasuresFile(settings.erasures_path))
    given_up = partial(erase_and_release, eraser, journal, clock(), partial(_release, store, lock))
    keeper = open_log(settings, watched, store, journal, clock=clock, on_backwards=committer.stop, release=given_up)
    erase_again(eraser, journal, clock())
    published = deliver or bool(settings.broker_url)  # else whoever delivers finds it in the database
    wakeups: SimpleQueue[tuple[Pointer, ...]] = SimpleQueue()  # from whoever frees a delivery to the publisher
    courier = Courier(store, committer, payloads, lanes, translator, clock, wake=wakeups.put)
    namespace = settings.origin.replace("/", ".")
    workers = Workers(
        courier=courier,
        store=store,
        committer=committer,
        new_queue=lambda: PointerQueue(settings.broker_url, namespace if settings.broker_url else str(settings.home)),
        clock=clock,
        sweep_s=settings.sweep_s,
        widest=settings.workers,
        alone=lock is not None,
        wakeups=wakeups,
    )
    workshop = of_home(settings, watched, store, committer, clock)
    grounds, policies = workshop.today.grounds, workshop.today.policies
    found = of_hub(settings, systems, keyring, grounds, policies)
    intake = Intake(
        store=store,
        committer=committer,
        routing=Routing(systems, settings.fallback, load_directory(settings.home / "directory")),
        grounds=grounds,
        policies=policies,
        artefacts=digests({kind: found[kind] for kind in JUDGING}),
        payloads=payloads,
        sign_receipt=watched.sign_receipt,
        origin=settings.origin,
        limits=settings.effective_limits,
        clock=clock,
        wake=wakeups.put if published else _nobody,
        fetched=frozenset(name for name, profile in systems.by_name.items() if profile.delivery.kind == MAILBOX),
        handover=REPUBLISH if published else timedelta(0),
        parties=keyring.parties(),
    )
    return Hub(
        settings=settings,
        systems=systems,
        access=Access(systems),
        access_log=AccessLog(committer, clock, {name: one.codes for name, one in systems.by_name.items()}),
        sessions=Sessions(store, committer, settings.persons, clock),
        intake=intake,
        mailbox=Mailbox(store, committer, payloads, translator),
        eraser=eraser,
        payloads=payloads,
        keyring=keyring,
        journal=journal,
        store=store,
        committer=committer,
        workers=workers,
        reverifier=Reverifier(settings, store, committer, payloads, grounds, clock, works=deliver),
        workshop=workshop,
        artefacts=found,
        limits=settings.effective_limits,
        clock=clock,
        signer=signer,
        keeper=keeper,
        delivers=deliver,
        _lock=lock,
    )


def _lanes(systems: Systems, build: Callable[[Profile], Adapter], ready: Mapping[str, Adapter]) -> dict[str, Lane]:
    fetched = {name for name, profile in systems.by_name.items() if profile.delivery.kind == MAILBOX}
    return {
        name: Lane(profile, ready.get(name) or build(profile), Circuit(profile.delivery.retry))
        for name, profile in systems.by_name.items()
        if name not in fetched
    }


def _builder(settings: Settings) -> Callable[[Profile], Adapter]:
    """Makes a profile's adapter, inside the egress policy: never to the hub's own listener, only to what `[egress]` allows."""
    secrets = secret_texts(settings)
    listeners = ((settings.host, settings.port),) if settings.port else ()
    egress = EgressPolicy(settings.egress.allow, listeners)

    def build(profile: Profile) -> Adapter:
        return registry.build(
            profile.delivery.kind,
            profile.delivery.settings,
            secrets,
            egress=egress,
            path=f"{profile.name}.toml: delivery.settings",
            folder=settings.home / "systems",
        )

    return build


def _nobody(_: tuple[Pointer, ...]) -> None:
    """Nobody here to wake."""


def _check_fallback(settings: Settings, systems: Systems) -> None:
    if settings.fallback and settings.fallback not in systems.by_name:
        expected = "the name of a system: " + ", ".join(systems.by_name)
        raise Halted("settings-invalid", got=f"fallback = {settings.fallback}", expected=expected)


def _release(store: Store, lock: int | None) -> None:
    store.close()
    if lock is not None:
        os.close(lock)
