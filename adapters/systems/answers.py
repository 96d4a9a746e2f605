"""The statuses with which a system answers a document (QĐ 28/2018; QCVN 102:2016), composed and sent in the background.

A real receiver answers 01 at once, then 03 (taken in) or 02 (refused), then 04, 05, 06; a recall is answered 15 (agreed).
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from adapters.systems.client import Hub
from adapters.systems.ledger import Arrival
from schemas.edxml.dates import timestamp
from schemas.edxml.names import STATUS_CODES
from schemas.edxml.packet import DocumentPacket, Organization, ResponseFor, StatusPacket
from schemas.edxml.reader import examine
from schemas.edxml.writer import write_status
from schemas.errors import HubError
from schemas.message import Inbound, Kind

_PAUSE_S = 0.5
_MOST_TRIES = 60
_COME_AGAIN = frozenset({429, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class Answering:
    """What a system answers to a document, as whom, and how long it works between two answers."""

    agency: str  # its own OrganId
    codes: tuple[str, ...]  # for a document that it takes in
    name: str = ""
    pause_s: float = 0.0


def statuses(packet: bytes, about: Answering, at: datetime) -> list[tuple[str, bytes]]:
    """(code, status packet) for a document; nothing for a status or for what cannot be read."""
    try:
        document = examine(Inbound(packet, "application/xml", "", "simulator", at)).packet
    except HubError:
        return []
    if not isinstance(document, DocumentPacket):
        return []
    codes = ("15",) if document.kind is Kind.DOCUMENT_RECALL else about.codes
    return [(code, write_status(_status(document, code, about, at))) for code in codes]


def _status(document: DocumentPacket, code: str, about: Answering, at: datetime) -> StatusPacket:
    code_text = "/".join(part for part in (document.code.code_number, document.code.code_notation) if part)
    return StatusPacket(
        sender=Organization(organ_id=about.agency, organ_name=about.name),
        response_for=ResponseFor(
            organ_id=document.sender.organ_id,
            code=code_text,
            promulgation_date=document.promulgation.promulgation_date,
            document_id=document.document_id,
        ),
        status_code=code,
        description=STATUS_CODES[code],
        timestamp=timestamp(at),
    )


class AnsweringThread:
    """Sends the statuses of each new arrival in order, again and again until the hub answers. `sign` may sign a status packet."""

    def __init__(self, hub: Hub, about: Answering, clock: Callable[[], datetime], sign: Callable[[bytes], bytes] = bytes) -> None:
        self._hub = hub
        self._about = about
        self._clock = clock
        self._sign = sign
        self._todo: queue.SimpleQueue[tuple[Arrival, bytes]] = queue.SimpleQueue()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="answers", daemon=True)

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self) -> None:
        """Stop after the answer at hand."""
        self._stop.set()
        self._thread.join(10)

    def arrived(self, arrival: Arrival, packet: bytes) -> None:
        """Answer this one, once."""
        self._todo.put((arrival, packet))

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                arrival, packet = self._todo.get(timeout=_PAUSE_S)
            except queue.Empty:
                continue
            for code, status in statuses(packet, self._about, self._clock()):
                self._stop.wait(self._about.pause_s)
                self._send(f"{arrival.key}:{code}", self._sign(status))

    def _send(self, key: str, status: bytes) -> None:
        for _ in range(_MOST_TRIES):
            try:
                if self._hub.send(status, key).status not in _COME_AGAIN:
                    return
            except HubError:
                pass  # nobody answered
            if self._stop.wait(_PAUSE_S):
                return
