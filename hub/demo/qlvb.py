"""The QLVB simulator as the demo runs it: it takes packets by SOAP, as ever, and hands its own to the hub by SOAP, too."""

from __future__ import annotations

from dataclasses import dataclass

from urllib3.exceptions import HTTPError

from adapters.systems.client import HubAnswer
from adapters.systems.command import open_desk, parser, run
from adapters.systems.qlvb.simulator import service
from hub.demo.faces import Caller
from schemas.errors import TryLater


@dataclass(frozen=True, slots=True)
class SoapHub:
    """The hub's SOAP face, as `adapters.systems.client.Hub`."""

    caller: Caller

    def send(self, packet: bytes, idempotency_key: str = "") -> HubAnswer:
        """The receipt's own bytes, or the fault. Raises `TryLater` where the hub does not answer."""
        try:
            sent = self.caller.send_by_soap(packet, idempotency_key)
        except HTTPError as fault:
            raise TryLater("agency-unavailable", got=type(fault).__name__, expected="an answer of the hub") from fault
        return HubAnswer(sent.status, sent.answer)


def main() -> None:
    """The command; its options are those of every simulator."""
    options = parser("qlvb", "A document management system that speaks SOAP both ways.").parse_args()
    desk = open_desk(options)
    desk.hub = SoapHub(Caller(options.hub, options.key))
    run(desk, lambda port: service(desk, options.token, port), options)


if __name__ == "__main__":
    main()
