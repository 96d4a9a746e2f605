"""What the tests of adapters share: a broker where one answers, and users at it where this account may create them."""

from __future__ import annotations

import secrets
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import amqp
import pytest

from adapters.topology import Topology, broker_commands

pytest.register_assert_rewrite("adapters.conformance.suite")

HOST, PORT = "127.0.0.1", 5672
GUEST = f"amqp://guest:guest@{HOST}:{PORT}//"


@pytest.fixture(scope="session")
def broker() -> str:
    """The address of a RabbitMQ on loopback, as guest; skips where none answers."""
    try:
        socket.create_connection((HOST, PORT), timeout=1).close()
    except OSError:
        pytest.skip(f"no RabbitMQ answers at {HOST}:{PORT}")
    return GUEST


@contextmanager
def namespace() -> Iterator[str]:
    """A prefix of the caller's own; what was declared under it for guest and the two users below is removed afterwards."""
    name = f"test{secrets.token_hex(4)}"
    yield name
    with amqp.Connection(f"{HOST}:{PORT}") as connection:
        for user in ("guest", *user_names(name)):
            names = Topology(user, name)
            for queue in (names.out_queue, names.reply_queue, names.in_queue, f"{names.reply_queue}.own"):
                with suppress(amqp.exceptions.ChannelError):
                    connection.channel().queue_delete(queue)
            for exchange in (names.out_exchange, names.reply_exchange, names.in_exchange):
                with suppress(amqp.exceptions.ChannelError):
                    connection.channel().exchange_delete(exchange)


def user_names(prefix: str) -> tuple[str, str]:
    return f"{prefix}a", f"{prefix}b"


@pytest.fixture
def prefix(broker: str) -> Iterator[str]:
    """A namespace of this test's own."""
    with namespace() as name:
        yield name


@pytest.fixture(scope="module")
def users(broker: str) -> Iterator[tuple[str, tuple[str, str]]]:
    """A prefix, and two users of the broker with exactly the rights that `broker_commands` gives; the password is the name."""
    if shutil.which("rabbitmqctl") is None:
        pytest.skip("rabbitmqctl is not here: users cannot be created")
    with namespace() as prefix:
        names = user_names(prefix)
        try:
            for command in broker_commands(names, prefix=prefix):
                password = f"{command[2]}\n" if command[1] == "add_user" else ""
                done = subprocess.run(command, input=password, capture_output=True, text=True, timeout=240, check=False)
                if done.returncode:
                    pytest.skip(f"rabbitmqctl may not be used by this account: {done.stderr.strip()[:200]}")
            yield prefix, names
        finally:
            for name in names:
                subprocess.run(("rabbitmqctl", "delete_user", name), capture_output=True, timeout=240, check=False)


@pytest.fixture
def connect() -> Iterator[Callable[..., Any]]:
    """Opens py-amqp connections as a user: `connect("name")`; closed afterwards."""
    opened: list[Any] = []

    def open_as(user: str = "guest") -> Any:
        connection = amqp.Connection(f"{HOST}:{PORT}", userid=user, password=user, confirm_publish=True)
        connection.connect()
        opened.append(connection)
        return connection

    yield open_as
    for connection in opened:
        with suppress(OSError, amqp.exceptions.AMQPError):
            connection.close()
