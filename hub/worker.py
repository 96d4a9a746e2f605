"""The threads that move deliveries: a keeper, a publisher, a receiver, and a pool per system.

* the keeper frees what a dead process left `delivering`, every `sweep_s`; it needs no broker;
* the publisher owns one broker connection: it publishes what has just been accepted or set free, and looks every `sweep_s` for what is
  due and for lost pointers;
* the receiver owns another: it hands each pointer to its system's pool, and acknowledges when the pool is done;
* a pool per system, as wide as its profile allows, so that a slow system holds up nobody else (DESIGN §2.8).

The broker may come and go at any time: both its threads start over with a new connection, and the sweep finds what was lost.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import structlog

from hub import outbox
from hub.commit import Committer, Transaction
from hub.deliver import Courier
from hub.outbox import Pointer
from hub.queue import PointerQueue
from replay.store.engine import Store
from schemas.errors import HubError

SWEEP_LIMIT = 500
DRAIN_S = 0.2  # how long the receiver blocks at most; acknowledgements wait no longer
PREFETCH_PER_WORKER = 8
SILENT_S = 60.0  # a thread that has not come round for so long is not well
log = structlog.get_logger(__name__)


@dataclass
class Workers:
    """All threads of one hub process. `start` once, `stop` once."""

    courier: Courier
    store: Store
    committer: Committer
    new_queue: Callable[[], PointerQueue]
    clock: Callable[[], datetime]
    sweep_s: float
    widest: int  # the most deliveries to one system at a time, whatever its profile says
    alone: bool  # no other process shares the store: what is `delivering` at start has lost its worker
    wakeups: queue.SimpleQueue[tuple[Pointer, ...]]  # what may be delivered now, put in after COMMIT by whoever freed it
    _acks: queue.SimpleQueue[Callable[[], None]] = field(default_factory=queue.SimpleQueue, init=False)
    _stopping: threading.Event = field(default_factory=threading.Event, init=False)
    _threads: list[threading.Thread] = field(default_factory=list, init=False)
    _pools: dict[str, ThreadPoolExecutor] = field(default_factory=dict, init=False)
    _last_round: dict[str, float] = field(default_factory=dict, init=False)  # thread → monotonic time of its last round
    _connected: dict[str, bool] = field(default_factory=dict, init=False)

    def start(self, *, deliver: bool = True) -> None:
        """Frees what a dead process left behind, then starts the threads; without `deliver` only the publisher, for other processes."""
        if deliver:
            for name in self.courier.lanes:
                self._pools[name] = ThreadPoolExecutor(self._width(name), thread_name_prefix=f"deliver-{name}")
            self._free_lost(everything=self.alone)
            self._begin("keeper", self._keep)
            self._begin("receiver", self._receive)
        self._begin("publisher", self._publish)

    def stop(self, timeout_s: float = 30.0) -> None:
        """Ends after the deliveries under way have ended; what is not started stays queued."""
        self._stopping.set()
        self.wakeups.put(())
        for pool in self._pools.values():
            pool.shutdown(wait=True, cancel_futures=True)
        for thread in self._threads:
            thread.join(timeout_s)

    def health(self) -> dict[str, Any]:
        """Whether every thread lives and comes round, and whether the broker's two are connected."""
        now = time.monotonic()
        return {
            thread.name: {
                "alive": thread.is_alive(),
                "silent_s": round(now - self._last_round.get(thread.name, now), 1),
                **({"connected": self._connected[thread.name]} if thread.name in self._connected else {}),
            }
            for thread in self._threads
        }

    def is_well(self) -> bool:
        """False if a thread is dead or stuck. A broker that is away does not count: deliveries wait, nothing is lost."""
        return all(one["alive"] and one["silent_s"] < SILENT_S for one in self.health().values())

    def _begin(self, name: str, rounds: Callable[[], None]) -> None:
        def forever() -> None:
            while not self._stopping.is_set():
                try:
                    self._last_round[name] = time.monotonic()
                    rounds()
                except HubError as fault:
                    log.warning(name, code=fault.code)
                except Exception as fault:
                    log.error(f"{name}-defect", fault=type(fault).__name__, exc_info=fault)
                self._stopping.wait(self.sweep_s)

        thread = threading.Thread(target=forever, name=name, daemon=True)
        thread.start()
        self._threads.append(thread)

    def _keep(self) -> None:
        self._free_lost(everything=False)

    def _publish(self) -> None:
        """One connection's life."""
        while not self.wakeups.empty():  # they are in the database, and due again at once when the connection stands
            self.wakeups.get_nowait()
        with self._connection("publisher") as pointers:
            self._write(lambda tx: outbox.forget_pointers(tx.conn, self.courier.lanes, self.clock()))
            while not self._stopping.is_set():
                self._last_round["publisher"] = time.monotonic()
                self._sweep(pointers)
                self._publish_woken(pointers)

    def _publish_woken(self, pointers: PointerQueue) -> None:
        until = time.monotonic() + self.sweep_s
        while (left := until - time.monotonic()) > 0 and not self._stopping.is_set():
            try:
                pointers.publish(self.wakeups.get(timeout=left))
            except queue.Empty:
                return

    def _sweep(self, pointers: PointerQueue) -> None:
        lanes = self.courier.lanes.items()
        widths = {name: lane.circuit.width(self.clock(), SWEEP_LIMIT) for name, lane in lanes}
        for name in (name for name, width in widths.items() if width == 1):
            self._publish_due(pointers, [name], 1)  # the probe
        well = [name for name, width in widths.items() if width > 1]
        while well and self._publish_due(pointers, well, SWEEP_LIMIT) == SWEEP_LIMIT and not self._stopping.is_set():
            pass

    def _publish_due(self, pointers: PointerQueue, systems: Iterable[str], limit: int) -> int:
        now = self.clock()
        with self.store.read() as conn:
            found = outbox.due(conn, systems, now, limit)
        if found:
            pointers.publish(found)
            self._write(lambda tx: outbox.mark_queued(tx.conn, found, now))
        return len(found)

    def _free_lost(self, *, everything: bool) -> None:
        with self.store.read() as conn:
            lost = outbox.overdue_leases(conn, self.courier.lanes, None if everything else self.clock())
        for claimed in lost:
            log.warning("lease-lost", carrier=str(claimed.carrier_id), system=claimed.system)
            self.courier.orphan(claimed)

    def _receive(self) -> None:
        """One connection's life."""
        self._acks = queue.SimpleQueue()  # acknowledgements belong to the connection that brought the pointers
        with self._connection("receiver") as pointers:
            pointers.consume(self._pools, self._prefetch, self._received)
            while not self._stopping.is_set():
                self._last_round["receiver"] = time.monotonic()
                pointers.wait(DRAIN_S)
                self._acknowledge(pointers)

    def _connection(self, name: str) -> _Connected:
        return _Connected(self, name)

    def _prefetch(self, system: str) -> int:
        return self._width(system) * PREFETCH_PER_WORKER

    def _width(self, system: str) -> int:
        return min(self.widest, self.courier.lanes[system].profile.delivery.concurrency)

    def _received(self, pointer: Pointer, acknowledge: Callable[[], None]) -> None:
        acks = self._acks

        def done(work: Future[None]) -> None:
            fault = None if work.cancelled() else work.exception()
            if fault is not None:
                log.error("delivery-not-recorded", delivery=str(pointer.delivery_id), fault=str(fault))
            acks.put(acknowledge)  # also after a fault: the sweep publishes again what is still waiting

        try:
            self._pools[pointer.system].submit(self.courier.deliver, pointer).add_done_callback(done)
        except RuntimeError:  # the pool is shut down: the hub is stopping, the pointer stays with the broker
            return

    def _acknowledge(self, pointers: PointerQueue) -> None:
        while not self._acks.empty():
            pointers.acknowledge(self._acks.get_nowait())

    def _write(self, change: Callable[[Transaction], None]) -> None:
        self.committer.submit(change, reserved=True).result()


@dataclass
class _Connected:
    """A broker connection for the length of a `with`, and the note of it that health shows."""

    workers: Workers
    name: str
    _queue: PointerQueue | None = None

    def __enter__(self) -> PointerQueue:
        self._queue = self.workers.new_queue()
        self._queue.connect()
        self.workers._connected[self.name] = True
        return self._queue

    def __exit__(self, *_: object) -> None:
        self.workers._connected[self.name] = False
        if self._queue is not None:
            self._queue.close()
