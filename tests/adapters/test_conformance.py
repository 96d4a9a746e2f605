"""The shipped suite over the shipped adapters, against simulators that run as processes of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace

import pytest

from adapters.amqp import AmqpAdapter, declare_topology
from adapters.broker import Broker
from adapters.condition import Condition
from adapters.conformance.stand_in import Received, StandIn, Weather
from adapters.conformance.suite import *  # noqa: F403
from adapters.contract import Adapter, Idempotency
from adapters.credentials import Auth, AuthKind
from adapters.hostile import HostileServer
from adapters.rest import RestAdapter
from adapters.soap import SoapAdapter
from adapters.topology import Topology
from tests.adapters.conftest import namespace
from tests.adapters.simulators import Simulator, simulator
from tests.ports import closed_port

MODES = {Weather.UP: "up", Weather.BUSY: "busy", Weather.REFUSING: "refuse", Weather.SILENT: "silent"}
TOKEN = "conformance-token"
ARGUMENTS = {
    "maGoi": "{key}",
    "soKyHieu": "{document_id}",
    "loai": "{kind}",
    "maThongDiep": "{message_id}",
    "noiDung": "{body_base64}",
}


@dataclass
class HttpStandIn:
    """A simulator that is told its mode over HTTP."""

    system: Simulator
    make: Callable[[int, float], Adapter]
    down: bool = False

    def set(self, weather: Weather) -> None:
        self.down = weather is Weather.DOWN
        if not self.down:
            self.system.mode(MODES[weather])

    def adapter(self, timeout_s: float) -> Adapter:
        return self.make(closed_port() if self.down else self.system.port, timeout_s)

    def received(self) -> Sequence[Received]:
        return [Received(row["key"], row["document_id"], row["sha256"], row["times_seen"]) for row in self.system.received()]


@dataclass
class AmqpStandIn:
    """The simulator behind a broker. A broker has its own ways to be busy (nobody's queue is bound) and to say no (no right)."""

    system: Simulator
    settings: AmqpAdapter
    stack: ExitStack
    present: AmqpAdapter = field(init=False)

    def __post_init__(self) -> None:
        self.present = self.settings

    def set(self, weather: Weather) -> None:
        broker = self.settings.broker
        self.present = {
            Weather.UP: lambda: self.settings,
            Weather.DOWN: lambda: replace(self.settings, broker=replace(broker, port=closed_port())),
            Weather.BUSY: lambda: replace(self.settings, routing_key="nobody"),
            Weather.REFUSING: lambda: replace(self.settings, exchange="amq.rabbitmq.trace"),  # internal: the broker lets nobody publish
            Weather.SILENT: lambda: replace(self.settings, broker=replace(broker, port=self._silent())),
        }[weather]()

    def _silent(self) -> int:
        return self.stack.enter_context(HostileServer("never reads")).port

    def adapter(self, timeout_s: float) -> Adapter:
        return replace(self.present, timeout_s=timeout_s)

    def received(self) -> Sequence[Received]:
        return [Received(row["key"], row["document_id"], row["sha256"], row["times_seen"]) for row in self.system.received()]


def rest(port: int, timeout_s: float, idempotency: Idempotency = Idempotency.KEY) -> Adapter:
    return RestAdapter(
        f"http://127.0.0.1:{port}/documents",
        auth=Auth(AuthKind.BEARER, secret=TOKEN),
        timeout_s=timeout_s,
        idempotency=idempotency,
        remote_id="maTiepNhan",
    )


def rest_none(port: int, timeout_s: float) -> Adapter:
    return rest(port, timeout_s, Idempotency.NONE)


def soap(version: str) -> Callable[[int, float], Adapter]:
    def make(port: int, timeout_s: float) -> Adapter:
        return SoapAdapter(
            f"http://127.0.0.1:{port}/tiepnhan?wsdl",
            "NhanVanBan",
            ARGUMENTS,
            version=version,
            auth=Auth(AuthKind.BASIC, user="lgsp", secret=TOKEN),
            timeout_s=timeout_s,
            remote_id="maTiepNhan",
            success=Condition("trangThai", "OK"),
            retry_faults=("Server.Busy", "Busy"),
        )

    return make


HTTP_KINDS: dict[str, tuple[str, Callable[[int, float], Adapter]]] = {
    "REST": ("motcua", rest),
    "REST, nothing promised": ("motcua", rest_none),
    "SOAP 1.1": ("qlvb", soap("1.1")),
    "SOAP 1.2": ("qlvb", soap("1.2")),
    "line of business by REST": ("chuyennganh", rest),
}


@pytest.fixture(params=[*HTTP_KINDS, pytest.param("AMQP", marks=pytest.mark.rabbitmq)], scope="module")
def standing(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    """One stand-in per kind of adapter, for all tests."""
    folder = tmp_path_factory.mktemp("received")
    with ExitStack() as stack:
        if request.param == "AMQP":
            broker, prefix = request.getfixturevalue("broker"), stack.enter_context(namespace())
            declare_topology(broker, ["guest"], prefix=prefix, queue_type="classic")
            system = stack.enter_context(simulator("chuyennganh", folder, "--broker", broker, "--prefix", prefix))
            yield AmqpStandIn(system, AmqpAdapter(Broker.of(broker), Topology("guest", prefix).in_exchange), stack)
        else:
            name, make = HTTP_KINDS[request.param]
            yield HttpStandIn(stack.enter_context(simulator(name, folder, "--token", TOKEN)), make)


@pytest.fixture
def stand_in(standing: StandIn) -> StandIn:
    """The stand-in, in good weather."""
    standing.set(Weather.UP)
    return standing
