"""Step 5: which system takes each recipient's copy. Pure: systems and recipients in, routes out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hub.systems import Profile, Systems
from schemas.agency import AgencyCode
from schemas.errors import Refused, error


@dataclass(frozen=True, slots=True)
class Route:
    """One recipient and the system that takes its copy."""

    recipient: AgencyCode
    profile: Profile
    ours: bool = True  # False: it would go back through the fallback to the system that brought it; that is its own to deliver


class Routing:
    """The routes of all profiles, indexed once."""

    def __init__(self, systems: Systems, fallback: str = "") -> None:
        self._exact: dict[tuple[str, ...], Profile] = {}
        self._subtree: dict[tuple[str, ...], Profile] = {}
        self._fallback = systems.by_name.get(fallback)
        for profile in systems.by_name.values():
            for code in profile.codes:
                self._exact[code.groups] = profile
                if profile.serves_subtree:
                    self._subtree[code.groups] = profile

    def route(self, recipients: Sequence[AgencyCode], brought_by: str = "") -> tuple[Route, ...]:
        """A route for every recipient: its own system, else the nearest system above it that serves its subtree, else the fallback.

        What the fallback itself has `brought` for recipients that nobody here serves is not ours to deliver (the axis delivers by To).

        Raises `Refused("unknown-recipient")` listing *all* recipients without one: a message is never accepted in part.
        """
        routes = [(recipient, self._find(recipient)) for recipient in recipients]
        missing = [recipient for recipient, profile in routes if (profile or self._fallback) is None]
        back = [recipient for recipient, profile in routes if profile is None and self._comes_from(brought_by)]
        if len(back) == len(routes):
            missing = back  # nothing in it is ours
        if missing or not routes:
            violations = tuple(
                error("unknown-recipient", path="To/OrganId", got=str(one), expected="a registered agency") for one in missing
            )
            raise Refused("unknown-recipient", got=", ".join(str(one) for one in missing[:20]), violations=violations)
        found = [(recipient, profile or self._fallback) for recipient, profile in routes]
        return tuple(Route(recipient, profile, recipient not in back) for recipient, profile in found if profile is not None)

    def _comes_from(self, system: str) -> bool:
        return self._fallback is not None and self._fallback.name == system

    def _find(self, recipient: AgencyCode) -> Profile | None:
        groups = recipient.groups
        if groups in self._exact:
            return self._exact[groups]
        for length in range(len(groups) - 1, 0, -1):
            if groups[:length] in self._subtree:
                return self._subtree[groups[:length]]
        return None
