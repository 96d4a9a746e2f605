"""Where the hub may connect to (DESIGN §10, egress).

Procedure of `EgressPolicy.connect`:

1. resolve the host, once, within the time allowed
2. judge every address: never the forbidden networks, never the hub's own listeners, only inside the allow-list
3. connect to an address that was judged, not to the name again: a second look-up could give another answer (DNS rebinding)

Empty means refuse: without an allow-list nothing is reachable but what the default names, loopback.
"""

from __future__ import annotations

import queue
import socket
import threading
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from time import monotonic

from schemas.errors import Parked

Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address

LOOPBACK: tuple[Network, ...] = (ip_network("127.0.0.0/8"), ip_network("::1/128"))

# Never, whatever the allow-list says. Source beside each.
FORBIDDEN: tuple[tuple[Network, str], ...] = (
    (ip_network("0.0.0.0/8"), "unspecified (RFC 1122 §3.2.1.3)"),
    (ip_network("::/128"), "unspecified (RFC 4291 §2.5.2)"),
    (ip_network("169.254.0.0/16"), "link-local and cloud metadata (RFC 3927)"),
    (ip_network("fe80::/10"), "link-local (RFC 4291 §2.5.6)"),
    (ip_network("100.100.100.200/32"), "cloud metadata (Alibaba)"),
    (ip_network("168.63.129.16/32"), "cloud metadata (Azure)"),
    (ip_network("192.0.0.192/32"), "cloud metadata (Oracle)"),
    (ip_network("fd00:ec2::254/128"), "cloud metadata (AWS)"),
    (ip_network("fd20:ce::254/128"), "cloud metadata (Google)"),
    (ip_network("224.0.0.0/4"), "multicast (RFC 5771)"),
    (ip_network("ff00::/8"), "multicast (RFC 4291 §2.7)"),
    (ip_network("240.0.0.0/4"), "reserved and broadcast (RFC 1112 §4)"),
)
_NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052: the last 32 bits are an IPv4 address


class EgressDenied(Parked):
    """The policy forbids the destination. Code `egress-denied`: a person corrects the profile or the allow-list."""


@dataclass(frozen=True, slots=True)
class EgressPolicy:
    """What may be connected to.

    `listeners` are the hub's own (address, port) pairs; ``0.0.0.0`` and ``::`` stand for every address of this machine.
    """

    allowed: tuple[Network, ...] = LOOPBACK
    listeners: tuple[tuple[str, int], ...] = ()

    def objection(self, address: Address, port: int) -> str:
        """Why `address` may not be connected to; "" when it may."""
        real = _unwrapped(address)
        for network, why in FORBIDDEN:
            if real in network:
                return why
        if self._is_own(real, port):
            return "the hub's own listener"
        if not any(real in network for network in self.allowed):
            return "not in the allow-list"
        return ""

    def addresses(self, host: str, port: int, *, timeout_s: float) -> tuple[Address, ...]:
        """Steps 1 and 2: the addresses of `host` that may be connected to.

        Raises `EgressDenied` where none may, `OSError` where the name cannot be resolved in time.
        """
        found = _resolve(host, port, timeout_s)
        objections = [(address, self.objection(address, port)) for address in found]
        permitted = tuple(address for address, why in objections if not why)
        if not permitted:
            got = "; ".join(f"{host} = {address} port {port}: {why}" for address, why in objections)
            raise EgressDenied("egress-denied", got=got, expected="an address inside the egress allow-list")
        return permitted

    def connect(self, host: str, port: int, *, timeout_s: float) -> socket.socket:
        """A TCP connection to a permitted address of `host`. Raises as `addresses` does, and `OSError` where nobody answers."""
        end = monotonic() + timeout_s
        last: OSError = TimeoutError(f"no connection to {host} port {port} in time")
        for address in self.addresses(host, port, timeout_s=timeout_s):
            left = end - monotonic()
            if left <= 0:
                break
            try:
                return socket.create_connection((str(address), port), timeout=left)
            except OSError as fault:
                last = fault
        raise last

    def _is_own(self, address: Address, port: int) -> bool:
        for host, listening in self.listeners:
            if listening != port:
                continue
            own = _unwrapped(ip_address(host))
            if address == own or (own.is_unspecified and is_of_this_machine(address)):
                return True
        return False


def is_of_this_machine(address: Address) -> bool:
    """Whether packets to `address` stay here: the kernel then picks it as its own source. Sends nothing."""
    if address.is_loopback:
        return True
    family = socket.AF_INET6 if address.version == 6 else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((str(address), 9))
            return ip_address(str(probe.getsockname()[0]).partition("%")[0]) == address
    except OSError:
        return False


def _unwrapped(address: Address) -> Address:
    """The IPv4 address that an IPv6 form carries (mapped, 6to4, NAT64), so that no rule is evaded by spelling."""
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address


def _resolve(host: str, port: int, timeout_s: float) -> tuple[Address, ...]:
    try:
        return (ip_address(host.strip("[]")),)
    except ValueError:
        pass
    answer: queue.Queue[list[str] | OSError] = queue.Queue(maxsize=1)
    # The resolver has no time-out of its own; a thread that outlives its use ends with the look-up.
    threading.Thread(target=_look_up, args=(host, port, answer), daemon=True).start()
    try:
        found = answer.get(timeout=timeout_s)
    except queue.Empty:
        raise TimeoutError(f"{host} was not resolved in time") from None
    if isinstance(found, OSError):
        raise found
    return tuple(ip_address(text) for text in found)


def _look_up(host: str, port: int, answer: queue.Queue[list[str] | OSError]) -> None:
    try:
        rows = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        answer.put(list(dict.fromkeys(str(row[4][0]).partition("%")[0] for row in rows)))
    except OSError as fault:
        answer.put(fault)
    except UnicodeError as fault:  # a label that IDNA cannot write
        answer.put(OSError(str(fault)))
