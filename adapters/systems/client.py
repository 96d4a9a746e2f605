"""A small client of the hub's REST face, as an agency's software would have one."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import quote

from urllib3 import PoolManager, Timeout
from urllib3.exceptions import HTTPError

from schemas.errors import TryLater


@dataclass(frozen=True, slots=True)
class HubAnswer:
    """Status and body, whatever they are; an error is problem details (RFC 9457)."""

    status: int
    body: bytes

    @property
    def ok(self) -> bool:
        """Whether the hub did what was asked."""
        return 200 <= self.status < 300

    def json(self) -> Any:
        """The body as JSON, None where it is not."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None


class Hub(Protocol):
    """Any way to hand a packet in: REST here, AMQP elsewhere."""

    def send(self, packet: bytes, idempotency_key: str = "") -> HubAnswer: ...


@dataclass(frozen=True, slots=True)
class HubClient:
    """`key` is an API key ``keyid.secret``. Every call raises `TryLater("hub-unreachable")` where the hub does not answer."""

    base_url: str
    key: str = field(repr=False)
    timeout_s: float = 60.0
    _pool: PoolManager = field(default_factory=lambda: PoolManager(retries=False), init=False, repr=False)

    def send(self, packet: bytes, idempotency_key: str = "", *, content_type: str = "application/xml") -> HubAnswer:
        """Hand in a packet: POST /api/v1/messages. Repeating it with the same bytes is harmless."""
        headers = {"Content-Type": content_type, **({"Idempotency-Key": idempotency_key} if idempotency_key else {})}
        return self._ask("POST", "messages", packet, headers)

    def status(self, message_id: str) -> HubAnswer:
        """State and events of a message: GET /api/v1/messages/{id}."""
        return self._ask("GET", f"messages/{quote(message_id, safe='')}")

    def inbox(self) -> HubAnswer:
        """What waits for this system: GET /api/v1/inbox."""
        return self._ask("GET", "inbox")

    def fetch(self, delivery: str) -> HubAnswer:
        """The packet of a delivery, byte for byte: GET /api/v1/inbox/{delivery}."""
        return self._ask("GET", f"inbox/{quote(delivery, safe='')}")

    def ack(self, delivery: str) -> HubAnswer:
        """Confirm that it is safely here: POST /api/v1/inbox/{delivery}/ack."""
        return self._ask("POST", f"inbox/{quote(delivery, safe='')}/ack")

    def close(self) -> None:
        """Give back connections."""
        self._pool.clear()

    def _ask(self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None) -> HubAnswer:
        url = f"{self.base_url.rstrip('/')}/api/v1/{path}"
        try:
            answer = self._pool.request(
                method,
                url,
                body=body,
                headers={"Authorization": f"Bearer {self.key}", **(headers or {})},
                timeout=Timeout(total=self.timeout_s),
                redirect=False,
            )
        except HTTPError as fault:
            raise TryLater("hub-unreachable", got=f"{url}: {type(fault).__name__}", expected="an answer of the hub") from fault
        return HubAnswer(answer.status, answer.data)
