"""What stands at the broker for each agency user, by name, and how an operator sets it up. Data only; nothing here connects.

For a user ``motcua`` and the prefix ``agency``::

    agency.motcua.out      exchange   the agency publishes packets here, with user_id = motcua (the broker checks it)
    hub.agency.motcua.out  queue      … and the hub takes them from here; no agency can read it
    agency.motcua.reply    exchange   the hub publishes receipts and refusals here, by routing key
    agency.motcua.replies  queue      … and they wait here, unless reply_to names another queue of the same namespace
    agency.motcua.in       exchange   the hub publishes deliveries here
    agency.motcua.in       queue      … and the agency takes them from here

A user may touch only its own names, and never the default exchange, which would reach every queue of the broker (DESIGN §10).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from schemas.errors import Halted, error

_USER = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")  # no dot: "a.b" would stand inside the namespace of "a"
_PREFIX = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")


@dataclass(frozen=True, slots=True)
class Topology:
    """The names of one user. Raises `Halted("settings-invalid")` for a user or prefix that cannot be part of a namespace."""

    user: str
    prefix: str = "agency"

    def __post_init__(self) -> None:
        if not _USER.fullmatch(self.user):
            raise _invalid("amqp_user", self.user, "a-z, 0-9, - and _, at most 63 characters, no dot")
        if not _PREFIX.fullmatch(self.prefix):
            raise _invalid("amqp.prefix", self.prefix, "a-z, 0-9, -, _ and dots, at most 63 characters")

    @property
    def namespace(self) -> str:
        """What all names that the user may touch begin with."""
        return f"{self.prefix}.{self.user}."

    @property
    def out_exchange(self) -> str:
        return f"{self.namespace}out"

    @property
    def out_queue(self) -> str:
        return f"hub.{self.namespace}out"

    @property
    def reply_exchange(self) -> str:
        return f"{self.namespace}reply"

    @property
    def reply_queue(self) -> str:
        return f"{self.namespace}replies"

    @property
    def in_exchange(self) -> str:
        return f"{self.namespace}in"

    @property
    def in_queue(self) -> str:
        return f"{self.namespace}in"

    def reply_key(self, reply_to: str) -> str:
        """The routing key for an answer: `reply_to` inside the user's own namespace, else the queue that is always there."""
        return reply_to if reply_to.startswith(self.namespace) else self.reply_queue

    @property
    def permissions(self) -> tuple[str, str, str]:
        """RabbitMQ's configure, write and read patterns: own reply queues; publish and bind; take deliveries and replies."""
        own = re.escape(self.namespace)
        replies = rf"{own}replies(\..+)?"
        return f"^{replies}$", f"^({own}out|{replies})$", f"^({own}in|{own}reply|{replies})$"


def broker_commands(users: Iterable[str], *, vhost: str = "/", prefix: str = "agency") -> list[tuple[str, ...]]:
    """The `rabbitmqctl` commands that create the users and their rights, as argument lists.

    ``add_user`` reads the password from standard input: passwords do not belong on a command line. No tag is set; in particular not
    ``impersonator``, which would let a user claim another's ``user_id``.
    """
    commands: list[tuple[str, ...]] = []
    for user in users:
        configure, write, read = Topology(user, prefix).permissions
        commands += [
            ("rabbitmqctl", "add_user", user),
            ("rabbitmqctl", "set_user_tags", user),
            ("rabbitmqctl", "set_permissions", "-p", vhost, user, configure, write, read),
        ]
    return commands


def _invalid(path: str, got: str, expected: str) -> Halted:
    return Halted(
        "settings-invalid", got=got, expected=expected, violations=(error("settings-invalid", path=path, got=got, expected=expected),)
    )
