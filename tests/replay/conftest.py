"""A store of each kind, empty and one's own, and a set of keys."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.exc import OperationalError

from hub.keys import Keyring
from replay.store.engine import Store, open_store
from tests.replay.world import World

POSTGRES_URL = os.environ.get("LGSP_TEST_POSTGRES_URL", "postgresql+psycopg://postgres@127.0.0.1:5432/postgres?connect_timeout=2")


@pytest.fixture(scope="session")
def ring(tmp_path_factory: pytest.TempPathFactory) -> Keyring:
    """Keys as `lgsp keys init` makes them."""
    return Keyring.init(tmp_path_factory.mktemp("keys") / "keys")


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """Where no store is yet."""
    return f"sqlite:///{tmp_path / 'data' / 'hub.sqlite'}"


@pytest.fixture
def postgres_url() -> Iterator[str]:
    """A schema of one's own in the server that answers; the test is skipped by name where none does."""
    yield from _own_schema()


@pytest.fixture(scope="module")
def module_postgres_url() -> Iterator[str]:
    """The same, for all tests of a module."""
    yield from _own_schema()


def _own_schema() -> Iterator[str]:
    schema = f"lgsp_test_{uuid4().hex}"
    admin = create_engine(POSTGRES_URL, isolation_level="AUTOCOMMIT")
    try:
        with admin.connect() as conn:
            conn.execute(text(f"CREATE SCHEMA {schema}"))
    except OperationalError as fault:
        admin.dispose()
        pytest.skip(f"no PostgreSQL answers: {str(fault.orig).splitlines()[0]}")
    url = make_url(POSTGRES_URL).update_query_dict({"options": f"-csearch_path={schema}"})
    yield url.render_as_string(hide_password=False)
    with admin.connect() as conn:
        conn.execute(text(f"DROP SCHEMA {schema} CASCADE"))
    admin.dispose()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest) -> str:
    """Each kind of store in turn."""
    fixture = "sqlite_url" if request.param == "sqlite" else "postgres_url"
    found: str = request.getfixturevalue(fixture)
    return found


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    """An open store of each kind."""
    opened = open_store(url)
    yield opened
    opened.close()


@pytest.fixture
def world(store: Store, ring: Keyring, tmp_path: Path) -> World:
    """A hub's store, journal and payloads without the hub."""
    return World(store, ring, tmp_path / "payloads")


@pytest.fixture
def sqlite_world(sqlite_url: str, ring: Keyring, tmp_path: Path) -> Iterator[World]:
    """The same on SQLite alone, where the kind of database makes no difference."""
    opened = open_store(sqlite_url)
    yield World(opened, ring, tmp_path / "payloads")
    opened.close()
