"""The contract between the hub and an adapter.

An adapter is a frozen dataclass: its fields are its settings, `deliver` is its work. There is no base class to inherit from.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Protocol

from schemas.errors import Parked, Refused, TryLater
from schemas.message import Accepted, Inbound, Parcel


class Idempotency(StrEnum):
    """What the receiving system promises about a parcel that reaches it twice."""

    KEY = "key"  # it recognises `Parcel.key`: an ambiguous failure may be retried
    LOOKUP = "lookup"  # it can be asked whether it has the parcel (a later capability)
    NONE = "none"  # it promises nothing: an ambiguous failure is in doubt, never retried blindly


class AgencyUnavailable(TryLater):
    """Down, slow, or asking for patience: try again later. Code `agency-unavailable` or `agency-busy`."""


class AgencyRefused(Refused):
    """It answered no, and will again. Code `agency-refused`."""


class AgencyInDoubt(Parked):
    """It may or may not have the parcel, and cannot be asked. Code `agency-in-doubt`."""


class Adapter(Protocol):
    """Delivers parcels to one system.

    `deliver`
        MUST return only after the receiver has acknowledged the parcel in its own protocol.
        MUST finish within `timeout_s`, whatever the other side does (trickled bytes and endless bodies included).
        MUST hand over `Parcel.body` unchanged, and `Parcel.key` where the protocol has a place for it.
        MUST raise `AgencyUnavailable`, `AgencyRefused` or `AgencyInDoubt`, and nothing else, for whatever the other side does.
        MUST raise `AgencyUnavailable` only if the parcel surely did not arrive, or if `idempotency` makes repeating it harmless;
        otherwise `AgencyInDoubt`.
        MUST NOT retry, follow a redirect, or fetch an address that the receiver's answer names.
        MUST NOT put credentials into errors, answers or logs.
        MAY be called from several threads at once.
    """

    @property
    def idempotency(self) -> Idempotency: ...

    @property
    def timeout_s(self) -> float: ...

    def deliver(self, parcel: Parcel) -> Accepted: ...

    def close(self) -> None:
        """Give back connections. Called once, after the last `deliver`."""


Take = Callable[[Inbound, str], bytes]
"""What a collecting adapter hands each message to: (inbound, name of the transport user) → the receipt's bytes; raises `HubError`."""
