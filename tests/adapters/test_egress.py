"""Where the hub may connect to, and that it goes to the address that was judged."""

from __future__ import annotations

import socket
import threading
from ipaddress import ip_address, ip_network
from time import monotonic, sleep
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.egress import FORBIDDEN, EgressDenied, EgressPolicy, is_of_this_machine
from adapters.rest import RestAdapter
from adapters.soap import SoapAdapter
from schemas.errors import Disposition
from tests.adapters.parcels import parcel

EVERYWHERE = (ip_network("0.0.0.0/0"), ip_network("::/0"))
PROVINCE = (ip_network("10.32.0.0/16"), ip_network("2001:db8:32::/48"))

JUDGED: dict[str, tuple[EgressPolicy, str, int, bool]] = {
    "loopback by default": (EgressPolicy(), "127.0.0.1", 80, True),
    "loopback of IPv6 by default": (EgressPolicy(), "::1", 80, True),
    "nothing else by default": (EgressPolicy(), "10.0.0.1", 80, False),
    "an empty list allows nothing": (EgressPolicy(allowed=()), "127.0.0.1", 80, False),
    "inside the list": (EgressPolicy(PROVINCE), "10.32.7.7", 443, True),
    "beside the list": (EgressPolicy(PROVINCE), "10.33.0.1", 443, False),
    "inside the list in IPv6": (EgressPolicy(PROVINCE), "2001:db8:32::1", 443, True),
    "an IPv4 address spelled as IPv6": (EgressPolicy(PROVINCE), "::ffff:10.32.7.7", 443, True),
    "cloud metadata, even when all is allowed": (EgressPolicy(EVERYWHERE), "169.254.169.254", 80, False),
    "cloud metadata spelled as IPv6": (EgressPolicy(EVERYWHERE), "::ffff:169.254.169.254", 80, False),
    "cloud metadata by 6to4": (EgressPolicy(EVERYWHERE), "2002:a9fe:a9fe::", 80, False),
    "cloud metadata by NAT64": (EgressPolicy(EVERYWHERE), "64:ff9b::a9fe:a9fe", 80, False),
    "cloud metadata of AWS in IPv6": (EgressPolicy(EVERYWHERE), "fd00:ec2::254", 80, False),
    "link-local in IPv6": (EgressPolicy(EVERYWHERE), "fe80::1", 80, False),
    "the unspecified address, which is this machine": (EgressPolicy(EVERYWHERE), "0.0.0.0", 80, False),
    "the unspecified address of IPv6": (EgressPolicy(EVERYWHERE), "::", 80, False),
    "multicast": (EgressPolicy(EVERYWHERE), "224.0.0.251", 80, False),
    "broadcast": (EgressPolicy(EVERYWHERE), "255.255.255.255", 80, False),
    "the hub's own listener": (EgressPolicy(listeners=(("127.0.0.1", 8080),)), "127.0.0.1", 8080, False),
    "another port of the same address": (EgressPolicy(listeners=(("127.0.0.1", 8080),)), "127.0.0.1", 8081, True),
    "another address at the same port": (EgressPolicy(listeners=(("127.0.0.1", 8080),)), "127.0.0.2", 8080, True),
    "any address of this machine, when the hub listens on all": (EgressPolicy(listeners=(("0.0.0.0", 8080),)), "127.0.0.2", 8080, False),
    "the same in IPv6": (EgressPolicy(listeners=(("::", 8080),)), "::1", 8080, False),
}


@pytest.mark.parametrize(("policy", "address", "port", "allowed"), JUDGED.values(), ids=JUDGED)
def test_judgements(policy: EgressPolicy, address: str, port: int, allowed: bool) -> None:
    assert (policy.objection(ip_address(address), port) == "") is allowed


@given(st.ip_addresses(v=4), st.integers(1, 65_535))
def test_every_spelling_of_an_address_is_judged_alike(address: Any, port: int) -> None:
    policy = EgressPolicy(PROVINCE)
    for spelled in (f"::ffff:{address}", str(ip_address(int(ip_address("64:ff9b::")) + int(address)))):
        assert policy.objection(ip_address(spelled), port) == policy.objection(address, port)


@given(st.sampled_from(FORBIDDEN), st.data())
def test_no_allow_list_opens_a_forbidden_network(row: Any, data: Any) -> None:
    network, _ = row
    address = ip_address(data.draw(st.integers(int(network[0]), int(network[-1]))).to_bytes(network.max_prefixlen // 8, "big"))
    if not getattr(address, "ipv4_mapped", None):
        assert EgressPolicy(EVERYWHERE).objection(address, 80) in {text for net, text in FORBIDDEN if address in net}


def test_every_refusal_says_which_address_and_why_and_parks() -> None:
    with pytest.raises(EgressDenied) as caught:
        RestAdapter("http://169.254.169.254/latest/meta-data/", egress=EgressPolicy(EVERYWHERE)).deliver(parcel())
    assert caught.value.disposition is Disposition.PARK
    assert "169.254.169.254" in caught.value.got and "metadata" in caught.value.got


def test_the_soap_adapter_asks_before_it_loads_the_wsdl_and_before_it_posts(tmp_path: Any) -> None:
    with pytest.raises(EgressDenied):
        SoapAdapter("http://10.0.0.1/?wsdl", "NhanVanBan", {}).deliver(parcel())


def test_a_name_is_looked_up_once_and_the_judged_address_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second look-up would give the attacker's second answer."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = int(server.getsockname()[1])
        answers = iter(["127.0.0.1", "169.254.169.254"])
        real = socket.getaddrinfo

        def rebinding(host: str, *rest: Any, **named: Any) -> Any:
            return real(next(answers) if host == "system.example.vn" else host, *rest, **named)

        monkeypatch.setattr(socket, "getaddrinfo", rebinding)
        with EgressPolicy().connect("system.example.vn", port, timeout_s=2.0) as sock:
            assert sock.getpeername() == ("127.0.0.1", port)


def test_of_several_addresses_only_permitted_ones_are_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, 80)) for host in ("10.0.0.1", "127.0.0.1", "169.254.169.254")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: rows)
    assert EgressPolicy().addresses("system.example.vn", 80, timeout_s=10.0) == (ip_address("127.0.0.1"),)


def test_a_resolver_that_hangs_costs_no_more_than_the_time_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    released = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: released.wait(60) and [])
    started = monotonic()
    with pytest.raises(TimeoutError):
        EgressPolicy().connect("slow.example.vn", 80, timeout_s=0.2)
    assert monotonic() - started < 30
    released.set()
    sleep(0.05)


def test_the_kernel_knows_this_machines_addresses() -> None:
    assert is_of_this_machine(ip_address("127.0.0.1"))
    assert not is_of_this_machine(ip_address("192.0.2.1"))
