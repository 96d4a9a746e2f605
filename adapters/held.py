"""Messages that were collected and not answered yet: tried again until there is an answer, one after the other for each user.

The hub says HALT when its store fails, and then every packet has to wait. But a store may also fail at one packet, for what is in it; its
sender would wait for ever, and everything it sends afterwards. Whether it is the packet shows in what becomes of others: one that was
refused so `MOST_OVERTAKEN` times, while each time some other packet was taken meanwhile, is given up with an answer.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from time import monotonic

import structlog

from adapters.packets import Published, Reply, give_up
from adapters.topology import Topology
from schemas.errors import Disposition, HubError

MOST_OVERTAKEN = 10
_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Held:
    """One message. Times are those of `time.monotonic`."""

    names: Topology
    published: Published
    tag: int  # the broker's, on its channel
    due: float = 0.0
    taken_before: int | None = None  # packets taken by all threads, when this one was last refused
    overtaken: int = 0


class Desk:
    """Where messages get their answers. Used by all threads of a collector; a message by one of them."""

    def __init__(self, answer: Callable[[Published, str], Reply | HubError], retry_delay_s: float) -> None:
        self._answer = answer
        self._retry_delay_s = retry_delay_s
        self._lock = threading.Lock()
        self._taken = 0
        self._held: dict[str, str] = {}

    def held(self) -> dict[str, str]:
        """User → the code for which its packet waits."""
        with self._lock:
            return dict(self._held)

    def forget(self, messages: Iterable[Held]) -> None:
        """They went back to the broker."""
        with self._lock:
            for one in messages:
                self._held.pop(one.names.user, None)

    def answer(self, one: Held) -> Reply | None:
        """The answer to `one`, None where it has to wait until it is `due` again."""
        user = one.names.user
        answer = self._answer(one.published, user)
        if isinstance(answer, HubError):
            if not self._is_overtaken(one, answer):
                _log.warning("the hub cannot take a packet now", user=user, code=answer.code)
                one.due = monotonic() + self._retry_delay_s
                return None
            answer = give_up(one.published, user, answer)
        with self._lock:
            self._held.pop(user, None)
            self._taken += not answer.code
        return answer

    def _is_overtaken(self, one: Held, fault: HubError) -> bool:
        with self._lock:
            self._held[one.names.user] = fault.code
            if fault.disposition is Disposition.HALT:
                one.overtaken += one.taken_before is not None and self._taken > one.taken_before
                one.taken_before = self._taken
        return one.overtaken >= MOST_OVERTAKEN
