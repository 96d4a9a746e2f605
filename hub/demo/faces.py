"""How the demo's agencies speak to the hub: plain HTTP, as any software of theirs would, and a SOAP envelope put together by hand."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from xml.sax.saxutils import escape

import urllib3

from hub.api.soap.wsdl import NAMESPACE, PATH
from hub.demo.play import Sent
from schemas.xml import child_elements, local_name, parse, text_of

TIMEOUT_S = 20.0
_ENVELOPE = (
    '<?xml version="1.0" encoding="UTF-8"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>'
    f'<SendPackage xmlns="{NAMESPACE}"><package>{{package}}</package>{{key}}</SendPackage></s:Body></s:Envelope>'
)


@dataclass(frozen=True, slots=True)
class Caller:
    """One agency system at the hub's faces, with its API key."""

    url: str  # of the hub
    key: str = field(repr=False)  # keyid.secret; "" = none
    pool: urllib3.PoolManager = field(default_factory=lambda: urllib3.PoolManager(retries=False, timeout=TIMEOUT_S), repr=False)

    def send(self, packet: bytes) -> Sent:
        """A packet by REST."""
        answer = self._call("POST", "/api/v1/messages", packet, {"Content-Type": "application/xml"})
        return Sent.of(packet, answer.status, answer.data)

    def send_by_soap(self, packet: bytes, idempotency_key: str = "") -> Sent:
        """A packet by SOAP 1.1. A fault has no receipt: its whole answer is kept."""
        key = f"<idempotencyKey>{escape(idempotency_key)}</idempotencyKey>" if idempotency_key else ""
        body = _ENVELOPE.format(package=b64encode(packet).decode("ascii"), key=key).encode("utf-8")
        headers = {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": f'"{NAMESPACE}#SendPackage"'}
        answer = self._call("POST", PATH, body, headers)
        fields = _leaves(answer.data)
        return Sent(packet, answer.status, b64decode(fields.get("receipt", "")) or answer.data, fields.get("messageId", ""))

    def trace(self, message_id: str) -> dict[str, Any]:
        """State and events of a message."""
        return self._json("GET", f"/api/v1/messages/{message_id}")

    def inbox(self) -> list[dict[str, Any]]:
        """What waits to be fetched."""
        items: list[dict[str, Any]] = self._json("GET", "/api/v1/inbox")["items"]
        return items

    def fetch(self, delivery_id: str) -> bytes:
        """One packet from the inbox."""
        return bytes(self._call("GET", f"/api/v1/inbox/{delivery_id}").data)

    def acknowledge(self, delivery_id: str) -> str:
        """The new state of the delivery."""
        return str(self._json("POST", f"/api/v1/inbox/{delivery_id}/ack")["state"])

    def report(self, delivery_id: str, code: str, description: str) -> int:
        """A status of a fetched document; the hub writes the packet. Gives the HTTP status."""
        body = json.dumps({"code": code, "description": description}).encode("utf-8")
        return self._call("POST", f"/api/v1/inbox/{delivery_id}/status", body, {"Content-Type": "application/json"}).status

    def health(self) -> dict[str, Any]:
        """What waits, and how long the journal is."""
        return self._json("GET", "/health/ready")

    def checkpoint(self) -> bytes:
        """The journal's published checkpoint, a signed note."""
        return bytes(self._call("GET", "/log/checkpoint").data)

    def _json(self, method: str, path: str) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(self._call(method, path).data)
        return answer

    def _call(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> urllib3.BaseHTTPResponse:
        given = {**(headers or {}), **({"Authorization": f"Bearer {self.key}"} if self.key else {})}
        return self.pool.request(method, f"{self.url}{path}", body=body, headers=given)


def problem(sent: Sent) -> dict[str, Any]:
    """The problem details of a refusal."""
    details: dict[str, Any] = json.loads(sent.answer)
    return details


def _leaves(envelope: bytes) -> dict[str, str]:
    """Local name → text of the elements in the answer's Body."""
    body = child_elements(parse(envelope).root)[-1]
    return {local_name(leaf): text_of(leaf) for answer in child_elements(body) for leaf in child_elements(answer)}
