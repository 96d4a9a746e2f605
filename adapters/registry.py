"""From a profile's table to an adapter. Configuration names a kind from this list, never a class.

A server may add the kinds of installed packages (entry points that its settings list); they come in as `extra_kinds`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from adapters.amqp import AmqpAdapter
from adapters.broker import Broker
from adapters.contract import Adapter
from adapters.egress import EgressPolicy
from adapters.profile import Fields, Secrets
from adapters.rest import RestAdapter
from adapters.soap import SoapAdapter
from schemas.errors import Halted, error

Make = Callable[[Fields, EgressPolicy], Callable[[], Adapter]]
"""Reads all its fields first, faults and all, and gives what will make the adapter once none was found."""


def build(
    kind: str,
    settings: Mapping[str, Any],
    secrets: Secrets,
    *,
    extra_kinds: Mapping[str, Make] = {},
    egress: EgressPolicy | None = None,
    path: str = "",
    folder: Path = Path(),
) -> Adapter:
    """The adapter of `kind` with `settings`.

    `secrets` gives the value of a reference and raises `LookupError` where there is none; `path` is the table's place in its file,
    for error messages; `folder` is what file names in it are relative to. Without `egress` only loopback can be reached.

    Raises `Halted("settings-invalid")` with every violation and its TOML path.
    """
    kinds = {**extra_kinds, **KINDS}  # an installed package cannot take the place of a shipped kind
    make = kinds.get(kind)
    if make is None:
        place = f"{path}.kind" if path else "kind"
        violation = error("profile-unknown-kind", path=place, got=kind, expected="one of " + ", ".join(sorted(kinds)))
        raise Halted("settings-invalid", got=f"{place}: {kind}", expected=violation.expected, violations=(violation,))
    fields = Fields({name: value for name, value in settings.items() if name != "kind"}, path, secrets, folder)
    adapter = make(fields, egress or EgressPolicy())
    fields.finish()
    fields.refuse_if_wrong()
    return adapter()


def _rest(fields: Fields, egress: EgressPolicy) -> Callable[[], Adapter]:
    return partial(
        RestAdapter,
        url=fields.url("url", ("http", "https")),
        auth=fields.auth(),
        idempotency=fields.idempotency(),
        timeout_s=fields.seconds("timeout_s", 60.0),
        connect_timeout_s=fields.seconds("connect_timeout_s", 10.0),
        max_answer_bytes=fields.count("max_answer_bytes", 65_536, low=0, high=16 * 1024 * 1024),
        method=fields.choice("method", ("POST", "PUT"), "POST"),
        headers=fields.headers(),
        remote_id=fields.text("remote_id", ""),
        success=fields.condition(),
        answer_types=fields.texts("answer_types"),
        accept_statuses=fields.statuses("accept_statuses"),
        retry_statuses=fields.statuses("retry_statuses"),
        ca_file=fields.ca_file(),
        egress=egress,
    )


def _soap(fields: Fields, egress: EgressPolicy) -> Callable[[], Adapter]:
    return partial(
        SoapAdapter,
        wsdl=fields.place("wsdl"),
        operation=fields.text("operation"),
        arguments=fields.templates("arguments"),
        service=fields.text("service", ""),
        port=fields.text("port", ""),
        version=fields.choice("version", ("", "1.1", "1.2"), ""),
        endpoint=fields.url("endpoint", ("http", "https"), ""),
        auth=fields.auth(),
        idempotency=fields.idempotency(),
        timeout_s=fields.seconds("timeout_s", 60.0),
        connect_timeout_s=fields.seconds("connect_timeout_s", 10.0),
        max_answer_bytes=fields.count("max_answer_bytes", 65_536, low=0, high=16 * 1024 * 1024),
        remote_id=fields.text("remote_id", ""),
        success=fields.condition(),
        refuse_faults=fields.texts("refuse_faults", ("Client", "Sender")),
        retry_faults=fields.texts("retry_faults"),
        ca_file=fields.ca_file(),
        egress=egress,
    )


def _amqp(fields: Fields, egress: EgressPolicy) -> Callable[[], Adapter]:
    url = fields.url("url", ("amqp", "amqps"))
    user, password = fields.text("user"), fields.secret("password_ref")
    ca_file = fields.ca_file()
    return partial(
        AmqpAdapter,
        broker=Broker.of(url, user=user, password=password, ca_file=ca_file) if not fields.found else _NOWHERE,
        exchange=fields.text("exchange", pattern=".{1,255}", expected="an exchange; publishing to the default exchange is not offered"),
        routing_key=fields.text("routing_key", "", pattern=".{0,255}"),
        idempotency=fields.idempotency(),
        timeout_s=fields.seconds("timeout_s", 60.0),
        connect_timeout_s=fields.seconds("connect_timeout_s", 10.0),
        egress=egress,
    )


_NOWHERE = Broker("", 0, "", "", "")  # stands in for an address that was found wrong; no adapter is made of it
KINDS: Mapping[str, Make] = {"rest": _rest, "soap": _soap, "amqp": _amqp}
