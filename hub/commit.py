"""Group commit: many changes, one transaction, one fsync (ADR: group commit and the tree head as sequencer).

One thread writes. It takes what is waiting (at most `max_batch` changes), runs them in order of submission in one `Store.write`, and
commits; only then do their futures resolve. A change sees what earlier ones of its batch wrote, so duplicates inside a batch find
each other like any others.

A change that raises fails alone, whatever it raises: its future gets its `HubError`, or `Parked("internal-error")` for anything else
(a constraint, a value that no column takes, a mistake of ours), because trying that again is no use. Only a database that is not
there fails the whole batch.

A batch is first run as it is, without savepoints: on PostgreSQL each would cost two round trips and, beyond 64, a spill of its
subtransaction cache; changes that fail are rare, because whatever can be refused is refused before. If one raises, the whole
transaction is rolled back and the batch is run again with a SAVEPOINT around each change; then only the failed one rolls back. Hence
the rule for a change:

A change MUST have no effect outside the transaction other than one that is harmless to repeat and to lose (a payload file named by
its digest); everything else belongs in `Transaction.after_commit`. It MAY be run twice, MUST NOT wait for another change's future,
and MUST NOT commit or roll back.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar
from uuid import UUID

import structlog
from sqlalchemy import Connection, func, select
from sqlalchemy.exc import SQLAlchemyError

from replay.entry import EntryDraft
from replay.journal import Appending, Journal, Position
from replay.store.engine import Store, fault_name, is_unavailable
from replay.store.tables import openings
from schemas.errors import Halted, HubError, Parked, TryLater

T = TypeVar("T")

MAX_BATCH = 64  # changes per transaction
MAX_WAITING = 1024  # changes in the queue; more are told to come back
_log = structlog.get_logger(__name__)


class Transaction:
    """What a change works on: the batch's transaction."""

    __slots__ = ("_appending", "_callbacks", "_conn", "_journal")

    def __init__(self, conn: Connection, journal: Journal) -> None:
        self._conn = conn
        self._journal = journal
        self._appending: Appending | None = None
        self._callbacks: list[Callable[[], object]] = []

    @property
    def conn(self) -> Connection:
        """The transaction's connection. Taking it writes the entries appended so far, so that statements see them."""
        if self._appending is not None:
            self._appending.flush()
        return self._conn

    def append(self, draft: EntryDraft) -> Position:
        """Appends to the journal; the position is final if the transaction commits. Raises as `Journal.append`."""
        if self._appending is None:
            self._appending = self._journal.begin(self._conn)
        return self._appending.append(draft)

    def previous(self, message_id: UUID) -> int | None:
        """Index of the latest entry about a message, those of this transaction included."""
        query = select(func.max(openings.c.index)).where(openings.c.message_id == message_id)
        found: int | None = self.conn.execute(query).scalar()
        return found

    def after_commit(self, callback: Callable[[], object]) -> None:
        """Has `callback` called on the writer's thread once everything is on disk and the futures have their results.

        It MUST be quick (it keeps the next batch waiting). Whatever it raises is logged.
        """
        self._callbacks.append(callback)

    def _isolated(self, change: Callable[[Transaction], T]) -> T:
        """Runs `change` so that its failure takes back its own work and nothing else."""
        if self._appending is None:
            self._appending = self._journal.begin(self._conn)
        mark, callbacks = self._appending.mark(), len(self._callbacks)
        self._conn.exec_driver_sql("SAVEPOINT change")
        try:
            result = change(self)
            self._appending.flush()
            self._conn.exec_driver_sql("RELEASE SAVEPOINT change")  # fails where the change has hidden a failure from us
        except Exception as fault:
            if not is_unavailable(fault):  # else the whole transaction is lost; SQLite has rolled it back by itself, savepoints and all
                self._take_back()
                self._appending.rewind(mark)
                del self._callbacks[callbacks:]
            raise
        return result

    def _take_back(self) -> None:
        try:
            self._conn.exec_driver_sql("ROLLBACK TO SAVEPOINT change")
            self._conn.exec_driver_sql("RELEASE SAVEPOINT change")
        except SQLAlchemyError as fault:  # nothing more may be written: there may be no transaction around it
            raise Halted("store-unavailable", got=fault_name(fault)) from fault

    def _finish(self) -> list[Callable[[], object]]:
        if self._appending is not None:
            self._appending.finish()
        return self._callbacks


@dataclass(frozen=True, slots=True)
class _Job(Generic[T]):
    change: Callable[[Transaction], T]
    future: Future[T]


@dataclass(frozen=True, slots=True)
class _Tried(Generic[T]):
    """What a call returned or raised."""

    result: T | None
    fault: Exception | None

    @classmethod
    def of(cls, call: Callable[[], T]) -> _Tried[T]:
        """Makes the call. The one place that catches everything: others wait for the writer's thread, so it must outlive any mistake."""
        try:
            return cls(call(), None)
        except Exception as fault:  # noqa: BLE001
            return cls(None, fault)


class Committer:
    """The one writer of this process."""

    def __init__(self, store: Store, journal: Journal, max_batch: int = MAX_BATCH) -> None:
        self._store = store
        self._journal = journal
        self._max_batch = max_batch
        self._waiting: queue.Queue[_Job[Any] | None] = queue.Queue()  # `submit` keeps the limit
        self._gate = threading.Lock()
        self._open = False
        self._thread = threading.Thread(target=self._run, name="committer", daemon=True)

    def start(self) -> None:
        """Begins to write. Once."""
        with self._gate:
            self._open = True
        self._thread.start()

    def stop(self) -> None:
        """Writes what is waiting, then ends. Later changes are refused with `TryLater("shutting-down")`. May be called again."""
        with self._gate:
            was_open, self._open = self._open, False
            if was_open:
                self._waiting.put(None)
        if self._thread.is_alive():
            self._thread.join()

    def submit(self, change: Callable[[Transaction], T], *, reserved: bool = False) -> Future[T]:
        """Has `change` run in the next batch. The future resolves after COMMIT, with what it returned or raised.

        `reserved` passes the limit on what may wait: for the ends of deliveries, which are few and must not be turned away by a crowd of
        new messages.

        The future raises the `HubError` that `change` raised; `Parked("internal-error")` for whatever else it raised; `TryLater`:
        ``shutting-down``, ``store-busy`` (the queue is full); `Halted("store-unavailable")` when the database failed: nothing of the
        batch was written then, or its fate is unknown and the sender's repetition finds out.
        """
        future: Future[T] = Future()
        with self._gate:
            if not self._open:
                future.set_exception(TryLater("shutting-down"))
            elif self._waiting.qsize() >= MAX_WAITING and not reserved:
                future.set_exception(TryLater("store-busy", got=f"{MAX_WAITING} changes waiting"))
            else:
                self._waiting.put(_Job(change, future))
        return future

    @property
    def is_alive(self) -> bool:
        """Whether the writer's thread lives; without it nothing can be accepted."""
        return self._thread.is_alive()

    def _run(self) -> None:
        try:
            while self._step():
                pass
        finally:  # normally nothing is left; after a defect nobody may wait for ever
            with self._gate:
                self._open = False
            while not self._waiting.empty():
                job = self._waiting.get_nowait()
                if job is not None:
                    job.future.set_exception(Halted("store-unavailable", got="the writer has ended"))

    def _step(self) -> bool:
        """One batch; False after the last. A function of its own so that nothing keeps its payloads alive while waiting."""
        batch, last = self._take()
        if batch:
            self._commit(batch)
        return not last

    def _take(self) -> tuple[list[_Job[Any]], bool]:
        """Waits for one job, then takes those that came meanwhile. True with it: the end mark was among them."""
        batch: list[_Job[Any]] = []
        job = self._waiting.get()
        while job is not None:
            if job.future.set_running_or_notify_cancel():
                batch.append(job)
            if len(batch) >= self._max_batch:
                return batch, False
            try:
                job = self._waiting.get_nowait()
            except queue.Empty:
                return batch, False
        return batch, True

    def _commit(self, batch: list[_Job[Any]]) -> None:
        tried = _Tried.of(lambda: self._attempt(batch, _plainly))
        if tried.fault is not None and not is_unavailable(tried.fault):
            tried = _Tried.of(lambda: self._attempt(batch, _each_by_itself))
        if tried.result is None:
            _fail(batch, tried.fault or RuntimeError("a batch without result"))
            return
        outcomes, callbacks = tried.result
        for job, outcome in zip(batch, outcomes, strict=True):
            if outcome.fault is not None:
                job.future.set_exception(_named(outcome.fault))
            else:
                job.future.set_result(outcome.result)
        for callback in callbacks:
            fault = _Tried.of(callback).fault
            if fault is not None:
                _log.error("a callback after commit failed", exc_info=fault)

    def _attempt(self, batch: list[_Job[Any]], run: _Run) -> tuple[list[_Tried[Any]], list[Callable[[], object]]]:
        with self._store.write() as conn:
            transaction = Transaction(conn, self._journal)
            outcomes = [run(transaction, job.change) for job in batch]
            return outcomes, transaction._finish()


_Change = Callable[[Transaction], Any]
_Run = Callable[[Transaction, _Change], _Tried[Any]]


def _plainly(transaction: Transaction, change: _Change) -> _Tried[Any]:
    tried = _Tried.of(lambda: change(transaction))
    if tried.fault is None:
        return tried
    raise tried.fault


def _each_by_itself(transaction: Transaction, change: _Change) -> _Tried[Any]:
    tried = _Tried.of(lambda: transaction._isolated(change))
    if tried.fault is not None and is_unavailable(tried.fault):
        raise tried.fault
    return tried


def _fail(batch: list[_Job[Any]], fault: Exception) -> None:
    """Nothing of the batch was written; everyone waiting gets an error of their own to raise."""
    named = _named(fault)
    for job in batch:
        own = replace(named)
        own.__cause__ = named.__cause__
        job.future.set_exception(own)


def _named(fault: Exception) -> HubError:
    """A fault as those outside may see it. What is no `HubError` is logged here, and named by its class only: texts of a database hold
    statements and values."""
    if isinstance(fault, HubError):
        return fault
    _log.error("a change failed", exc_info=fault)
    named = Parked("internal-error", got=fault_name(fault))
    named.__cause__ = fault
    return named
