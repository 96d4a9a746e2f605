"""The store: one schema, two databases, and the two ways in: `read` (a snapshot) and `write` (the one writer's transaction).

=========== ==================================================== =================================================
            SQLite (embedded)                                    PostgreSQL (production)
=========== ==================================================== =================================================
`write`     one connection, ``BEGIN IMMEDIATE``, WAL,            ``SELECT … FOR UPDATE`` on the tree head, which is
            ``synchronous=FULL``                                 the sequencer across nodes
`read`      ``query_only`` connections, a WAL snapshot each      ``REPEATABLE READ READ ONLY``
=========== ==================================================== =================================================

Readers never hold the writer up. A database that fails becomes `Halted("store-unavailable")` here and nowhere else; its message
names the fault's class and code only, for it reaches senders. What one statement did wrong (a violated constraint, a value that no
column takes, one that is too long for an index) passes unchanged: it is ours to answer for, and no reason to stop.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, exc, insert, inspect, select, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.pool import ConnectionPoolEntry

from replay.store import in_force, jobs, people
from replay.store.tables import SCHEMA_VERSION, log_head, metadata, schema_version
from schemas.errors import Halted

ELSEWHERE = (
    people.persons,
    jobs.replays,
    in_force.in_force,
)  # tables of other modules: naming them here makes theirs known to `metadata`
BUSY_TIMEOUT_S = 10.0  # how long another process may hold SQLite's write lock
READERS = 8  # connections kept open for reading
MORE_READERS = 56  # further ones under load
_SCHEMA_LOCK = 0x4C475350  # "LGSP": PostgreSQL's advisory lock while tables are made
IDLE_TIMEOUT_S = 15  # how long a process that has died or hangs may keep a transaction, and with it the tree head
# After some 10 s without a sign of the other side it is gone, for both ends: a node that loses its power sends no farewell.
_KEEPALIVE = {"keepalives": 1, "keepalives_idle": 5, "keepalives_interval": 2, "keepalives_count": 3, "tcp_user_timeout": 10_000}
_SESSION = {
    "lock_timeout": f"{BUSY_TIMEOUT_S:.0f}s",
    "idle_in_transaction_session_timeout": f"{IDLE_TIMEOUT_S}s",
    "tcp_keepalives_idle": "5",
    "tcp_keepalives_interval": "2",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "10s",
}
# `secure_delete`: what is deleted is overwritten, in the pages of the full-text index, too; erasure relies on it.
_PRAGMAS = ("synchronous=FULL", "foreign_keys=ON", "trusted_schema=OFF", "secure_delete=ON")
_DATABASE_FILE = "a database file, in a folder, both readable and writable by this user"
# SQLSTATEs of a database that cannot do what is asked of it now, whatever is asked: connection, resources (but for a value that is
# configured too low), operator, its disk, damage, a rolled-back or timed-out transaction, a server that has become a read-only one.
_UNAVAILABLE_CLASSES = frozenset({"08", "40", "53", "57", "58"})
_UNAVAILABLE_STATES = frozenset({"25006", "25P03", "25P04", "55P03", "XX001", "XX002"})
_NOT_UNAVAILABLE_STATES = frozenset({"53400"})
_UNAVAILABLE_SQLITE = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_PROTOCOL,
        sqlite3.SQLITE_NOTADB,
    }
)


class Store:
    """An open store. Made by `open_store`; safe to share between threads."""

    def __init__(self, url: URL, reader: Engine, writer: Engine) -> None:
        self.url = url
        self._reader = reader
        self._writer = writer

    @property
    def dialect(self) -> str:
        """``sqlite`` or ``postgresql``."""
        return self._writer.dialect.name

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A consistent snapshot that cannot write. Raises `Halted("store-unavailable")`."""
        with _faults_named(), self._reader.connect() as conn:
            yield conn

    @contextmanager
    def write(self, *, sequenced: bool = True) -> Iterator[Connection]:
        """One transaction: committed to disk when the block ends, rolled back when it raises. Raises `Halted("store-unavailable")`.

        `sequenced` takes the lock of the tree head first, and MUST be left on by whoever appends to the journal. A writer that does
        not (a lease, a state that is not journalled) may turn it off, and then runs beside the journal's writer on PostgreSQL.
        """
        with _faults_named(), self._writer.begin() as conn:
            if sequenced and self.dialect == "postgresql":
                conn.execute(select(log_head.c.id).with_for_update())
            yield conn
            _check_unbroken(conn)

    @contextmanager
    def aside(self) -> Iterator[Connection]:
        """A connection without a transaction, for what PostgreSQL does only outside one. Raises `Halted("store-unavailable")`."""
        with _faults_named(), self._writer.execution_options(isolation_level="AUTOCOMMIT").connect() as conn:
            yield conn

    def close(self) -> None:
        """Give back all connections. SQLite folds its WAL into the database file."""
        self._reader.dispose()
        self._writer.dispose()


def open_store(url: str, *, create: bool = True) -> Store:
    """The store at `url` (``sqlite:///path`` or ``postgresql+psycopg://…``), its tables made where they are missing.

    Raises `Halted`: ``settings-invalid`` (another kind of URL), ``store-missing`` (`create` is off and there is none),
    ``store-version`` (made by another version), ``store-unavailable``.
    """
    where = _checked_url(url)
    if where.get_backend_name() == "sqlite":
        _prepare_file(Path(where.database or ""), create)
        store = Store(where, _sqlite(where, for_writing=False), _sqlite(where, for_writing=True))
    else:
        engine = _postgresql(where)
        store = Store(where, engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True), engine)
    try:
        with _faults_named(), store._writer.begin() as conn:
            _ensure_schema(conn, create)
    except Halted as fault:
        store.close()
        if fault.code != "store-unavailable" or store.dialect != "sqlite":
            raise
        raise Halted(fault.code, got=f"{where.database}: {fault.got}", expected=_DATABASE_FILE) from fault.__cause__
    return store


def _checked_url(url: str) -> URL:
    wanted = "sqlite:///path/of/file or postgresql+psycopg://user@host/database"
    try:
        where = make_url(url)
    except (exc.ArgumentError, ValueError) as fault:
        raise Halted("settings-invalid", got="a store URL that cannot be read", expected=wanted) from fault
    if where.drivername == "postgresql":
        where = where.set(drivername="postgresql+psycopg")
    on_disk = where.database not in (None, "", ":memory:") and not (where.database or "").startswith("file:")
    if where.drivername != "postgresql+psycopg" and not (where.get_backend_name() == "sqlite" and on_disk):
        raise Halted("settings-invalid", got=where.drivername, expected=wanted)
    return where


def _prepare_file(path: Path, create: bool) -> None:
    """Makes the file first, for its owner alone: SQLite gives its WAL the same mode."""
    try:
        if create:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        elif path.parent.exists() and not path.parent.is_dir():
            raise Halted("store-unavailable", got=f"{path.parent} is not a folder", expected=_DATABASE_FILE)
        elif path.exists() and not path.is_file():
            raise Halted("store-unavailable", got=f"{path} is not a file", expected=_DATABASE_FILE)
        elif not path.is_file():
            raise Halted("store-missing", got=str(path))
    except OSError as fault:
        raise Halted("store-unavailable", got=f"{path}: {fault.strerror}", expected=_DATABASE_FILE) from fault


def _sqlite(url: URL, *, for_writing: bool) -> Engine:
    """One engine each for reading and writing. A pool of one writer is the queue of this process's writers."""
    sizes = {"pool_size": 1, "max_overflow": 0} if for_writing else {"pool_size": READERS, "max_overflow": MORE_READERS}
    arguments = {"timeout": BUSY_TIMEOUT_S, "check_same_thread": False}
    engine = create_engine(url, connect_args=arguments, hide_parameters=True, **sizes)

    def set_up(connection: sqlite3.Connection, _: ConnectionPoolEntry) -> None:
        # Until Python 3.12 the driver opens transactions by itself, deferred and only before some statements. None switches that
        # off, so that the BEGIN below is the only one; `connection.commit()` still ends it.
        connection.isolation_level = None
        if connection.execute("PRAGMA journal_mode=WAL").fetchone()[0] != "wal":
            raise Halted("store-unavailable", got="a file system without shared memory", expected="one that SQLite's WAL works on")
        for pragma in (*_PRAGMAS, f"query_only={'OFF' if for_writing else 'ON'}"):
            connection.execute(f"PRAGMA {pragma}")

    def begin(conn: Connection) -> None:
        conn.exec_driver_sql("BEGIN IMMEDIATE" if for_writing else "BEGIN")

    event.listen(engine, "connect", set_up)
    event.listen(engine, "begin", begin)
    return engine


def _postgresql(url: URL) -> Engine:
    arguments = {name: value for name, value in _KEEPALIVE.items() if name not in url.query}
    engine = create_engine(
        url, connect_args=arguments, pool_pre_ping=True, pool_size=READERS, max_overflow=MORE_READERS, hide_parameters=True
    )

    def set_up(connection: Any, _: ConnectionPoolEntry) -> None:
        # A server may be set to answer before it has flushed; an acknowledgement may not (DESIGN §2.1). Stricter settings stay.
        names = ", ".join(f"set_config('{name}', %({name})s, false)" for name in _SESSION)
        durable = "set_config('synchronous_commit', replace(current_setting('synchronous_commit'), 'off', 'on'), false)"
        connection.execute(f"SELECT {durable}, {names}", _SESSION)
        connection.commit()

    event.listen(engine, "connect", set_up)
    return engine


def _ensure_schema(conn: Connection, create: bool) -> None:
    """Makes the tables, once, whoever else does so at the same time; refuses those of another version."""
    if conn.dialect.name == "postgresql":
        conn.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _SCHEMA_LOCK})
    exists = inspect(conn).has_table(schema_version.name)
    if not exists and not create:
        raise Halted("store-missing", got="a database without the hub's tables")
    found = conn.execute(select(schema_version.c.version)).scalars().all() if exists else []
    if exists and found != [SCHEMA_VERSION]:
        raise Halted("store-version", got=str(list(found)), expected=str(SCHEMA_VERSION))
    metadata.create_all(conn)  # a store of this version may lack tables that were added without changing others
    if not exists:
        conn.execute(insert(schema_version).values(version=SCHEMA_VERSION))
        conn.execute(insert(log_head).values(id=1, origin="", size=0, frontier=b""))  # the journal names itself when it first writes


@contextmanager
def _faults_named() -> Iterator[None]:
    try:
        yield
    except exc.SQLAlchemyError as fault:
        if not is_unavailable(fault):
            raise
        raise Halted("store-unavailable", got=fault_name(fault)) from fault


def _check_unbroken(conn: Connection) -> None:
    """PostgreSQL answers the COMMIT of a transaction in which a statement failed with a silent ROLLBACK; nothing may take it for one."""
    driver: Any = conn.connection.driver_connection
    if conn.dialect.name == "postgresql" and driver.info.transaction_status.name == "INERROR":
        raise RuntimeError("a statement of this transaction failed, and whoever made it went on")


def is_unavailable(fault: BaseException) -> bool:
    """Whether `fault`, raised inside `read` or `write`, means that the database itself failed: the whole transaction is lost.

    Told by SQLSTATE or SQLite's code, not by the driver's classes: "a row is too large for an index" is an `OperationalError` like a
    server that went away, and would be one for ever.
    """
    if isinstance(fault, Halted):
        return fault.code == "store-unavailable"
    if not isinstance(fault, exc.DBAPIError):
        return isinstance(fault, (exc.TimeoutError, exc.PendingRollbackError))
    if fault.connection_invalidated:
        return True
    if isinstance(fault.orig, sqlite3.Error):
        return getattr(fault.orig, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF in _UNAVAILABLE_SQLITE
    state = getattr(fault.orig, "sqlstate", None)
    if state is None:  # the driver's own: no server was there to give one
        return isinstance(fault, (exc.OperationalError, exc.InterfaceError))
    return state in _UNAVAILABLE_STATES or (state[:2] in _UNAVAILABLE_CLASSES and state not in _NOT_UNAVAILABLE_STATES)


def fault_name(fault: Exception) -> str:
    """Class and code of a fault, without its text: that may name hosts, users or values."""
    cause = getattr(fault, "orig", None) or fault
    code = getattr(cause, "sqlite_errorname", None) or getattr(cause, "sqlstate", None) or ""
    return f"{type(cause).__name__} {code}".strip()
