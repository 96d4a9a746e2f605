"""Receiving systems inside this process: the shipped adapters and simulators, joined by a pair of sockets that no network knows of.

A parcel goes through the real adapter of a kind, set as the simulator's own profile has it, to the real protocol of the simulator. What is
simulated is the receiver; its address, its credentials and its own arguments are not tried. Nothing is connected to, resolved, listened
on or written to disk: the adapter's connection is one end of `socket.socketpair`.
"""

from __future__ import annotations

import socket
import threading
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from adapters import registry
from adapters.contract import Adapter
from adapters.egress import EgressPolicy
from adapters.systems.face import Desk, Serve, exchange
from adapters.systems.ledger import Arrival, MemoryLedger
from adapters.systems.motcua.simulator import documents
from adapters.systems.qlvb.simulator import service
from schemas.message import Accepted, Parcel

_FOLDER = Path(__file__).parent
_TOKEN = "sandbox"  # noqa: S105 – both ends are ours, in one process
_PORT = 8082  # in the simulator's own profile; nothing listens there


@dataclass(frozen=True, slots=True)
class InProcess(EgressPolicy):
    """An egress policy that lets nothing out: whatever is dialled, the simulator answers."""

    own: Serve = field(default=lambda request: None, repr=False)
    desk: Desk | None = field(default=None, repr=False)

    def connect(self, host: str, port: int, *, timeout_s: float) -> socket.socket:
        """One end of a pair; a thread serves the other until it is closed."""
        if self.desk is None:
            raise OSError("nobody is here")
        ours, theirs = (_Pipe(fileno=one.detach()) for one in socket.socketpair())
        threading.Thread(target=_serve, args=(self.desk, self.own, theirs), name="sandbox", daemon=True).start()
        return ours


@dataclass(slots=True)
class Sandbox:
    """Stand-ins by the name of the system that they stand in for. Threads may share it."""

    clock: Callable[[], datetime]
    _desks: dict[str, Desk] = field(default_factory=dict)
    _adapters: dict[str, Adapter] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def deliver(self, system: str, kind: str, parcel: Parcel) -> tuple[Accepted, Arrival]:
        """Delivers to the stand-in of `system`, which its profile reaches by `kind`. Raises what the adapter raises."""
        with self._lock:
            desk = self._desks.setdefault(system, Desk(MemoryLedger(self.clock)))
            if kind in _MAKERS and system not in self._adapters:
                self._adapters[system] = _MAKERS[kind](desk)
        adapter = self._adapters.get(system)
        if adapter is None:  # fetched by the receiver, or by a broker's queue: taken from the desk as it comes
            desk.take(parcel.key, parcel.body, message_id=str(parcel.message_id), document_id=parcel.document_id, kind=str(parcel.kind))
            accepted = Accepted("")
        else:
            accepted = adapter.deliver(parcel)
        return accepted, next(one for one in desk.ledger.rows() if one.key == parcel.key)

    def close(self) -> None:
        """Ends the connections; their threads end with them."""
        for adapter in self._adapters.values():
            adapter.close()


class _Pipe(socket.socket):
    """One end of a pair, which has no TCP to set options of."""

    def setsockopt(self, *options: Any) -> None:
        """Nothing to set."""


def _serve(desk: Desk, own: Serve, connection: socket.socket) -> None:
    try:
        exchange(desk, own)(connection, ("sandbox", 0), None)  # type: ignore[arg-type]  # the handler never asks for its server
    except OSError:
        return  # the adapter hung up
    finally:
        connection.close()


def _rest(desk: Desk) -> Adapter:
    return _built("motcua", desk, documents(desk, _TOKEN))


def _soap(desk: Desk) -> Adapter:
    return _built("qlvb", desk, service(desk, _TOKEN, _PORT))


def _built(simulator: str, desk: Desk, own: Serve) -> Adapter:
    settings = tomllib.loads((_FOLDER / simulator / "profile.toml").read_text("utf-8"))
    return registry.build(settings["kind"], settings, lambda reference: _TOKEN, egress=InProcess(own=own, desk=desk))


_MAKERS: Mapping[str, Callable[[Desk], Adapter]] = {"rest": _rest, "soap": _soap}
