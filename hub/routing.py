"""Step 5: which system takes each recipient's copy. Pure: systems, the directory, recipients and days in, routes out.

For each recipient, the first that gives a system:

1. its code stands in a profile as it is written, unless the directory says that it meant another body on the document's day
2. the directory's entry for it (`code102`, aliases): a profile has one of its codes
3. arithmetic on the code (``H32.1`` ≡ ``000.00.01.H32``), never against the directory
4. the body is closed: the same for the one that goes on in its place
5. the nearest system above it that serves its subtree
6. the fallback

Nothing is refused for its form. How it was decided is a part of the route, and of the journal.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from hub.systems import Profile, Systems
from schemas.agency import AgencyCode
from schemas.directory import Directory
from schemas.edxml.packet import DocumentPacket, Packet
from schemas.errors import Refused, error
from schemas.message import VIETNAM


class By(StrEnum):
    """What a route stands on."""

    PROFILE = "profile"  # the code as a profile has it
    DIRECTORY = "directory"
    ARITHMETIC = "arithmetic"
    SUCCESSOR = "successor"  # of a closed body, by the directory
    SUBTREE = "subtree"
    FALLBACK = "fallback"


@dataclass(frozen=True, slots=True)
class Route:
    """One recipient and the system that takes its copy."""

    recipient: AgencyCode
    profile: Profile
    ours: bool = True  # False: it would go back through the fallback to the system that brought it; that is its own to deliver
    by: By = By.PROFILE
    path: tuple[str, ...] = ()  # codes from the one addressed to the one that the directory gave
    directory: str = ""  # its version, where it was decisive

    def decision(self) -> dict[str, object]:
        """What the journal says of it."""
        return {"by": str(self.by), "path": list(self.path), "directory": self.directory}


class Routing:
    """The routes of all profiles, indexed once."""

    def __init__(self, systems: Systems, fallback: str = "", directory: Directory | None = None) -> None:
        self.directory = directory or Directory.load()
        self._written: dict[str, Profile] = {}
        self._exact: dict[tuple[str, ...], tuple[AgencyCode, Profile]] = {}
        self._subtree: dict[tuple[str, ...], Profile] = {}
        self._fallback = systems.by_name.get(fallback)
        for profile in systems.by_name.values():
            for code in profile.codes:
                self._written[code.text.upper()] = profile
                self._exact[code.groups] = code, profile
                if profile.serves_subtree:
                    self._subtree[code.groups] = profile

    def route(
        self, recipients: Sequence[AgencyCode], brought_by: str = "", *, today: date, written: date | None = None
    ) -> tuple[Route, ...]:
        """A route for every recipient. `written` is the document's day, where it has one.

        What the fallback itself has `brought` for recipients that nobody here serves is not ours to deliver (the axis delivers by To).

        Raises `Refused("unknown-recipient")` listing *all* recipients without one: a message is never accepted in part.
        """
        routes = [(recipient, self._find(recipient, written or today, today)) for recipient in recipients]
        missing = [recipient for recipient, found in routes if found is None and self._fallback is None]
        back = [recipient for recipient, found in routes if found is None and self._comes_from(brought_by)]
        if len(back) == len(routes):
            missing = back  # nothing in it is ours
        if missing or not routes:
            violations = tuple(
                error("unknown-recipient", path="To/OrganId", got=str(one), expected="a registered agency") for one in missing
            )
            raise Refused("unknown-recipient", got=", ".join(str(one) for one in missing[:20]), violations=violations)
        by_fallback = [Route(one, self._fallback, one not in back, By.FALLBACK) for one, found in routes if not found and self._fallback]
        return tuple(found or by_fallback.pop(0) for _, found in routes)

    def _comes_from(self, system: str) -> bool:
        return self._fallback is not None and self._fallback.name == system

    def _find(self, recipient: AgencyCode, written: date, today: date) -> Route | None:
        book = self.directory
        answering = book.answering(recipient.text, written, today)
        moved = len(answering.path) > 1
        now = book.look_up(recipient.text, today)
        if not (moved and now):  # else the code is another body's by now
            direct = self._direct(recipient, recipient, today)
            if direct is not None:
                return direct
        if moved and answering.entry is not None:
            ahead = self._direct(recipient, AgencyCode.of(answering.entry.code), today) or self._above(
                recipient, AgencyCode.of(answering.entry.code)
            )
            return ahead and Route(recipient, ahead.profile, True, By.SUCCESSOR, answering.path, book.version)
        named = AgencyCode.of(answering.entry.code) if answering.entry else recipient
        return self._above(recipient, named) or self._above(recipient, recipient) or self._above_closed(recipient, today)

    def _direct(self, recipient: AgencyCode, code: AgencyCode, today: date) -> Route | None:
        """The system that has the body of `code` itself."""
        profile = self._written.get(code.text.upper())
        if profile is not None:
            return Route(recipient, profile)
        entry = self.directory.look_up(code.text, today)
        for text in entry.texts if entry else ():
            if text in self._written:
                return Route(recipient, self._written[text], True, By.DIRECTORY, (recipient.text, text), self.directory.version)
        own, alike = self._exact.get(code.groups, (None, None))
        if own is None or alike is None:
            return None
        other = self.directory.look_up(own.text, today)
        if entry is not None and other is not None and entry.code != other.code:
            return None  # alike by arithmetic, and the directory knows better
        return Route(recipient, alike, True, By.ARITHMETIC)

    def _above(self, recipient: AgencyCode, code: AgencyCode, *, itself: bool = False) -> Route | None:
        groups = code.groups
        for length in range(len(groups) if itself else len(groups) - 1, 0, -1):
            if groups[:length] in self._subtree:
                return Route(recipient, self._subtree[groups[:length]], True, By.SUBTREE)
        return None

    def _above_closed(self, recipient: AgencyCode, today: date) -> Route | None:
        """A sub-code that nobody lists, below a body that is closed: whoever serves all that is below the one that goes on."""
        higher = self.directory.above(recipient.text, today)
        if higher is None or higher.entry is None or len(higher.path) < 2:
            return None
        found = self._above(recipient, AgencyCode.of(higher.entry.code), itself=True)
        return found and Route(recipient, found.profile, True, By.SUCCESSOR, (recipient.text, *higher.path), self.directory.version)


def days_of(packet: Packet, received_at: datetime) -> tuple[date, date | None]:
    """The day of receiving, in Vietnam, and the document's own (its promulgation), None where it has none or it is still to come."""
    today = received_at.astimezone(VIETNAM).date()
    if not isinstance(packet, DocumentPacket):
        return today, None
    try:
        written = date.fromisoformat(packet.promulgation.promulgation_date[:10].replace("/", "-"))
    except ValueError:
        return today, None
    return today, written if written <= today else None
