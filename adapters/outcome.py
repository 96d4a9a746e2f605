"""The four ways a delivery can fail, each made in one place so that all adapters judge alike.

=============================== ============================ ===========================================
what happened                   idempotency = key            idempotency = none
=============================== ============================ ===========================================
nothing was sent                `AgencyUnavailable`          `AgencyUnavailable`
asked for patience (not taken)  `AgencyUnavailable` (busy)   `AgencyUnavailable` (busy)
answered no                     `AgencyRefused`              `AgencyRefused`
sent, and no clear answer       `AgencyUnavailable`          `AgencyInDoubt`
=============================== ============================ ===========================================
"""

from __future__ import annotations

from adapters.contract import AgencyInDoubt, AgencyRefused, AgencyUnavailable, Idempotency
from schemas.errors import Parked


class ProfileMismatch(Parked):
    """The profile does not fit the service: nothing was sent, and a person has to correct it. Code `profile-mismatch`."""


def unavailable(got: str) -> AgencyUnavailable:
    """Surely not arrived."""
    return AgencyUnavailable("agency-unavailable", got=got)


def busy(got: str) -> AgencyUnavailable:
    """It said "not now"."""
    return AgencyUnavailable("agency-busy", got=got)


def refused(got: str, expected: str = "") -> AgencyRefused:
    """It said no, and will again."""
    return AgencyRefused("agency-refused", got=got, expected=expected)


def ambiguous(idempotency: Idempotency, got: str, expected: str = "") -> AgencyUnavailable | AgencyInDoubt:
    """Something was sent and nobody knows what became of it."""
    if idempotency is Idempotency.KEY:
        return AgencyUnavailable("agency-unavailable", got=got, expected=expected)
    return AgencyInDoubt("agency-in-doubt", got=got, expected=expected)
