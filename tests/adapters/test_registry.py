"""Profiles: every example builds, and everything wrong in one is found at once, with its place."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import adapters.systems
from adapters.amqp import AmqpAdapter
from adapters.contract import Adapter, Idempotency
from adapters.egress import EgressPolicy
from adapters.profile import Fields
from adapters.registry import KINDS, build
from adapters.rest import RestAdapter
from schemas.errors import Halted

SECRETS = {"motcua.token": "t0k3n-of-motcua", "qlvb.password": "p4ss-of-qlvb", "broker.password": "p4ss-of-hub", "bad": "a\nb"}
EXAMPLES = sorted(Path(adapters.systems.__path__[0]).glob("*/profile.toml"))
REST = {"url": "http://127.0.0.1/in", "idempotency": "key"}


@pytest.mark.parametrize("example", EXAMPLES, ids=[path.parent.name for path in EXAMPLES])
def test_the_example_of_each_system_builds_and_shows_no_secret(example: Path) -> None:
    table = tomllib.loads(example.read_text("utf-8"))
    adapter = build(table["kind"], table, SECRETS.__getitem__, folder=example.parent)
    assert adapter.idempotency is Idempotency.KEY
    assert adapter.timeout_s == 30.0
    assert not any(secret in repr(adapter) for secret in SECRETS.values())
    adapter.close()


WRONG: dict[str, tuple[str, Mapping[str, Any], set[tuple[str, str]]]] = {
    "a kind that is not shipped": ("adapters.hostile.HostileServer", {}, {("profile-unknown-kind", "s.kind")}),
    "nothing at all": (
        "rest",
        {},
        {("profile-missing-field", "s.url"), ("profile-missing-field", "s.idempotency")},
    ),
    "all at once": (
        "rest",
        {"url": 7, "idempotency": "maybe", "timeout": 3, "timeout_s": 0, "max_answer_bytes": 1.5, "auth": "bearer"},
        {
            ("profile-wrong-type", "s.url"),
            ("profile-bad-value", "s.idempotency"),
            ("profile-unknown-field", "s.timeout"),
            ("profile-bad-value", "s.timeout_s"),
            ("profile-wrong-type", "s.max_answer_bytes"),
            ("profile-wrong-type", "s.auth"),
        },
    ),
    "a secret in the profile itself": (
        "rest",
        {**REST, "auth": {"kind": "bearer", "token": "abc"}},
        {("profile-missing-field", "s.auth.token_ref"), ("profile-unknown-field", "s.auth.token")},
    ),
    "a reference to nothing": (
        "rest",
        {**REST, "auth": {"kind": "bearer", "token_ref": "nobody"}},
        {("profile-secret-missing", "s.auth.token_ref")},
    ),
    "a secret that would split a header": (
        "rest",
        {**REST, "auth": {"kind": "api-key", "key_ref": "bad"}},
        {("profile-bad-value", "s.auth.key_ref")},
    ),
    "a header that is not one": (
        "rest",
        {**REST, "headers": {"X Y": "1", "Host": "x", "X-A": "a\r\nb", "X-B": 1}},
        {("profile-bad-value", f"s.headers.{name}") for name in ("X Y", "Host", "X-A", "X-B")},
    ),
    "a password in the address": (
        "rest",
        {**REST, "url": "http://user:pass@127.0.0.1/"},
        {("profile-bad-value", "s.url")},
    ),
    "an address that is none": ("rest", {**REST, "url": "file:///etc/passwd"}, {("profile-bad-value", "s.url")}),
    "a port that is none": ("rest", {**REST, "url": "http://127.0.0.1:99999/"}, {("profile-bad-value", "s.url")}),
    "a boolean for a number": ("rest", {**REST, "timeout_s": True}, {("profile-wrong-type", "s.timeout_s")}),
    "success without a value": ("rest", {**REST, "success": {"path": "a"}}, {("profile-missing-field", "s.success.equals")}),
    "statuses that are none": (
        "rest",
        {**REST, "retry_statuses": [404, 1000, "x"]},
        {("profile-bad-value", "s.retry_statuses[1]"), ("profile-bad-value", "s.retry_statuses[2]")},
    ),
    "a file that is not there": ("rest", {**REST, "ca_file": "no.pem"}, {("profile-bad-value", "s.ca_file")}),
    "a template over what no parcel has": (
        "soap",
        {"wsdl": "http://127.0.0.1/?wsdl", "operation": "X", "idempotency": "key", "arguments": {"a": {"b": ["{key} {__class__}"]}}},
        {("profile-bad-value", "s.arguments")},
    ),
    "a WSDL that is not there": (
        "soap",
        {"wsdl": "no.wsdl", "operation": "X", "idempotency": "none", "arguments": {}, "version": "1.3"},
        {("profile-bad-value", "s.wsdl"), ("profile-bad-value", "s.version")},
    ),
    "publishing to the default exchange": (
        "amqp",
        {"url": "amqp://127.0.0.1/", "user": "hub", "password_ref": "broker.password", "exchange": "", "idempotency": "key"},
        {("profile-bad-value", "s.exchange")},
    ),
    "a broker that is none": (
        "amqp",
        {"url": "redis://127.0.0.1/", "user": "hub", "password_ref": "nobody", "exchange": "x", "idempotency": "key"},
        {("profile-bad-value", "s.url"), ("profile-secret-missing", "s.password_ref")},
    ),
}


@pytest.mark.parametrize(("kind", "table", "expected"), WRONG.values(), ids=WRONG)
def test_everything_wrong_is_reported_with_its_place(kind: str, table: Mapping[str, Any], expected: set[tuple[str, str]]) -> None:
    with pytest.raises(Halted) as caught:
        build(kind, table, SECRETS.__getitem__, path="s")
    assert caught.value.code == "settings-invalid"
    assert {(violation.code, violation.path) for violation in caught.value.violations} == expected
    assert "pass@" not in str([violation.as_json() for violation in caught.value.violations]) + str(caught.value)


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
_NAMES = st.sampled_from(
    ["url", "auth", "idempotency", "timeout_s", "headers", "success", "wsdl", "operation", "arguments", "exchange", "user", "password_ref"]
)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(KINDS)), st.dictionaries(_NAMES | st.text(max_size=6), _VALUES, max_size=8))
def test_no_table_makes_anything_but_an_adapter_or_a_halt(kind: str, table: Mapping[str, Any]) -> None:
    try:
        build(kind, table, SECRETS.__getitem__).close()
    except Halted as fault:
        assert fault.violations


def test_an_installed_kind_is_offered_but_cannot_replace_a_shipped_one() -> None:
    def make(fields: Fields, egress: EgressPolicy) -> Any:
        url = fields.url("url", ("http", "https"))
        return lambda: RestAdapter(url, method="PUT", egress=egress)

    extra = {"folder": make, "rest": make}
    own: Adapter = build("folder", {"url": "http://127.0.0.1/"}, SECRETS.__getitem__, extra_kinds=extra)
    shipped = build("rest", REST, SECRETS.__getitem__, extra_kinds=extra)
    assert isinstance(own, RestAdapter) and isinstance(shipped, RestAdapter)
    assert (own.method, shipped.method) == ("PUT", "POST")


def test_the_address_and_the_rights_of_a_broker_are_taken_apart() -> None:
    table = {
        "url": "amqps://broker.example.vn/tinh%2Fa",
        "user": "hub",
        "password_ref": "broker.password",
        "exchange": "agency.x.in",
        "idempotency": "none",
    }
    adapter = build("amqp", table, SECRETS.__getitem__)
    assert isinstance(adapter, AmqpAdapter)
    broker = adapter.broker
    assert (broker.host, broker.port, broker.vhost, broker.user, broker.tls) == ("broker.example.vn", 5671, "tinh/a", "hub", True)
