"""The store contract, on SQLite and, where a server answers, on PostgreSQL: the same tests."""

from __future__ import annotations

import sqlite3
import stat
import threading
from pathlib import Path

import pytest
from sqlalchemy import func, insert, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError

from replay.store.engine import Store, open_store
from replay.store.tables import log_head, schema_version
from schemas.errors import Halted


def size_of(store: Store) -> int:
    with store.read() as conn:
        found = conn.execute(select(log_head.c.size)).scalar()
    assert isinstance(found, int)
    return found


def test_a_write_is_there_for_later_readers(store: Store) -> None:
    with store.write() as conn:
        conn.execute(update(log_head).values(size=7))
    assert size_of(store) == 7


def test_a_write_that_raises_leaves_nothing(store: Store) -> None:
    with pytest.raises(ZeroDivisionError), store.write() as conn:
        conn.execute(update(log_head).values(size=7))
        raise ZeroDivisionError
    assert size_of(store) == 0


def test_a_reader_sees_one_moment_while_others_write(store: Store) -> None:
    with store.read() as reading:
        assert reading.execute(select(log_head.c.size)).scalar() == 0
        with store.write() as conn:
            conn.execute(update(log_head).values(size=7))
        assert reading.execute(select(log_head.c.size)).scalar() == 0
    assert size_of(store) == 7


def test_a_reader_is_not_kept_waiting_by_a_writer(store: Store) -> None:
    with store.write() as conn:
        conn.execute(update(log_head).values(size=7))
        assert size_of(store) == 0


def test_a_reader_cannot_write(store: Store) -> None:
    with pytest.raises(Halted, match=r"READONLY|25006"), store.read() as conn:
        conn.execute(update(log_head).values(size=7))


def test_writers_go_one_after_the_other(store: Store, url: str) -> None:
    other = open_store(url)  # as another process would

    def count(on: Store) -> None:
        for _ in range(25):
            with on.write() as conn:
                size = conn.execute(select(log_head.c.size)).scalar() or 0
                conn.execute(update(log_head).values(size=size + 1))

    threads = [threading.Thread(target=count, args=(on,)) for on in (store, other, store, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    other.close()
    assert size_of(store) == 100


def test_opening_again_changes_nothing(store: Store, url: str) -> None:
    with store.write() as conn:
        conn.execute(update(log_head).values(size=7, origin="hub.test/journal"))
    for create in (True, False):
        again = open_store(url, create=create)
        assert size_of(again) == 7
        again.close()


def test_several_may_open_a_new_store_at_once(url: str) -> None:
    faults: list[BaseException] = []

    def opening() -> None:
        try:
            open_store(url).close()
        except Halted as fault:
            faults.append(fault)

    threads = [threading.Thread(target=opening) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults
    store = open_store(url, create=False)
    with store.read() as conn:
        assert conn.execute(select(func.count()).select_from(log_head)).scalar() == 1
    store.close()


@pytest.mark.parametrize("version", [1, 3], ids=["older", "newer"])
def test_a_store_of_another_version_is_refused(store: Store, url: str, version: int) -> None:
    with store.write() as conn:
        conn.execute(update(schema_version).values(version=version))
    with pytest.raises(Halted, match="store-version"):
        open_store(url)


def test_a_store_that_is_not_there_is_not_made_unasked(url: str) -> None:
    with pytest.raises(Halted, match="store-missing"):
        open_store(url, create=False)


def test_a_failure_that_was_hidden_is_no_commit(postgres_url: str) -> None:
    store = open_store(postgres_url)
    with pytest.raises(RuntimeError, match="went on"), store.write() as conn:
        conn.execute(update(log_head).values(size=7))
        with pytest.raises(DBAPIError):
            conn.exec_driver_sql("SELECT nonsense")
    assert size_of(store) == 0
    store.close()


def test_a_broken_rule_of_a_table_stays_the_programmers(store: Store) -> None:
    with pytest.raises(IntegrityError), store.write() as conn:
        conn.execute(insert(log_head).values(id=1, origin="", size=0, frontier=b""))
    assert size_of(store) == 0


def test_a_savepoint_takes_back_its_own_and_nothing_else(store: Store) -> None:
    with store.write() as conn:
        conn.execute(update(log_head).values(size=1))
        savepoint = conn.begin_nested()
        conn.execute(update(log_head).values(size=2))
        savepoint.rollback()
    assert size_of(store) == 1


def test_writers_that_do_not_journal_need_not_wait_on_postgresql(postgres_url: str) -> None:
    store = open_store(postgres_url)
    with store.write(), store.write(sequenced=False) as beside:
        beside.execute(insert(schema_version).values(version=99))
    store.close()


UNAVAILABLE = ("08006", "40001", "40P01", "53100", "53300", "55P03", "57P01", "57014", "58030", "25P03", "25006", "XX001")
OURS = ("53400", "54000", "22001", "22P05", "23505", "25P02", "42P01", "XX000", "P0001")


@pytest.mark.parametrize("state", [*UNAVAILABLE, *OURS])
def test_postgresql_is_away_or_one_statement_was_wrong(postgres_url: str, state: str) -> None:
    store = open_store(postgres_url)
    wanted: tuple[type[Exception], str] = (Halted, f"store-unavailable.* {state}") if state in UNAVAILABLE else (DBAPIError, "secret")
    with pytest.raises(wanted[0], match=wanted[1]) as caught, store.write() as conn:
        conn.exec_driver_sql(f"DO $$ BEGIN RAISE EXCEPTION 'a secret' USING ERRCODE = '{state}'; END $$")
    assert (state in UNAVAILABLE) is ("secret" not in str(caught.value))
    store.close()


def test_whoever_hangs_in_a_transaction_does_not_keep_the_tree_head(postgres_url: str) -> None:
    store, other = open_store(postgres_url), open_store(postgres_url)
    with pytest.raises(Halted, match="store-unavailable"), store.write() as conn:
        assert conn.execute(text("SHOW idle_in_transaction_session_timeout")).scalar() == "15s"
        conn.execute(text("SET idle_in_transaction_session_timeout = '200ms'"))
        with other.write() as waiting:  # gets the lock once the server has ended the one that hangs
            waiting.execute(update(log_head).values(size=7))
        conn.execute(text("SELECT 1"))
    assert size_of(other) == 7
    store.close()
    other.close()


def test_both_ends_notice_soon_that_the_other_has_gone(postgres_url: str) -> None:
    store = open_store(postgres_url)
    with store.write() as conn:
        driver = conn.connection.driver_connection
        assert driver is not None
        told = driver.info.get_parameters()
        wanted = {"keepalives_idle": "5", "keepalives_interval": "2", "keepalives_count": "3", "tcp_user_timeout": "10000"}
        assert wanted.items() <= told.items()
        if conn.execute(text("SELECT inet_client_addr()")).scalar() is not None:  # by TCP
            assert conn.execute(text("SHOW tcp_keepalives_idle")).scalar() == "5"
            assert conn.execute(text("SHOW tcp_user_timeout")).scalar() == "10000"
    store.close()


@pytest.mark.parametrize(
    "url",
    ["", "no url", "sqlite://", "sqlite:///:memory:", "mysql://root@127.0.0.1/hub", "sqlite:///file:x?mode=memory&uri=true"],
    ids=["empty", "not a URL", "in memory", "in memory by name", "another database", "in memory by URI"],
)
def test_other_addresses_are_refused(url: str) -> None:
    with pytest.raises(Halted, match="settings-invalid"):
        open_store(url)


def test_a_password_in_the_url_is_in_no_error() -> None:
    with pytest.raises(Halted) as caught:
        open_store("postgresql+psycopg://lgsp:hunter2@127.0.0.1:1/hub?connect_timeout=1")
    assert caught.value.code == "store-unavailable"
    assert "hunter2" not in str(caught.value)


class TestSqlite:
    """What holds for the embedded store alone."""

    def test_commits_reach_the_disk(self, sqlite_url: str) -> None:
        store = open_store(sqlite_url)
        with store.write() as conn:
            assert conn.execute(text("PRAGMA journal_mode")).scalar() == "wal"
            assert conn.execute(text("PRAGMA synchronous")).scalar() == 2  # FULL
            assert conn.execute(text("PRAGMA foreign_keys")).scalar() == 1
            driver = conn.connection.driver_connection
            assert isinstance(driver, sqlite3.Connection)
            assert driver.in_transaction
        store.close()

    def test_the_lock_is_taken_at_the_beginning(self, sqlite_url: str) -> None:
        store = open_store(sqlite_url)
        other = sqlite3.connect(str(store.url.database), timeout=0, isolation_level=None)
        with store.write(), pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")
        other.execute("BEGIN IMMEDIATE")
        other.close()
        store.close()

    def test_files_are_the_owners_alone(self, sqlite_url: str) -> None:
        store = open_store(sqlite_url)
        with store.write() as conn:
            conn.execute(update(log_head).values(size=7))
        folder = Path(str(store.url.database)).parent
        assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
        assert len(list(folder.iterdir())) == 3
        store.close()

    def test_a_file_that_is_no_database_halts(self, tmp_path: Path) -> None:
        (tmp_path / "hub.sqlite").write_bytes(b"not a database, just text that is long enough to be read" * 50)
        with pytest.raises(Halted, match="store-unavailable"):
            open_store(f"sqlite:///{tmp_path}/hub.sqlite")
