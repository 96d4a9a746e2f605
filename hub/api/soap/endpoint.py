"""The one SOAP address: POST for calls, GET for the WSDL (`?wsdl`) and its schema (`?xsd`).

Order of a call: media type, caller (HTTP credentials, before any of the body is read), body within its limit, envelope, operation.
Every refusal on the way is a fault in the caller's own version of SOAP, as far as that is known by then.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hub.api.body import Budget, read_body
from hub.api.pace import in_place_of
from hub.api.request import caller, media_type, peer, refuse_content_encoding
from hub.api.soap.answer import fault, response
from hub.api.soap.envelope import Version, read_call, version_of
from hub.api.soap.operations import OPERATIONS, Caller
from hub.api.soap.wsdl import PATH, schema, service_address, wsdl
from schemas.errors import HubError, Refused
from schemas.limits import MIB, Limits
from schemas.xml import parse

if TYPE_CHECKING:
    from hub.node import Hub


@dataclass(frozen=True, slots=True)
class Soap:
    """The endpoint; `routes` is what the app mounts."""

    hub: Hub
    budget: Budget

    def routes(self) -> list[Route]:
        """The SOAP address."""
        return [Route(PATH, self.serve, methods=["GET", "POST"])]

    async def serve(self, request: Request) -> Response:
        """A call, or a look at the description."""
        return await self.call(request) if request.method == "POST" else self.describe(request)

    def describe(self, request: Request) -> Response:
        """The WSDL or the schema; open to all, so that clients can be generated before a key is handed out."""
        wanted = request.url.query.lower()
        if wanted.startswith(("wsdl", "singlewsdl")):
            host, server = request.headers.get("host", ""), request.scope.get("server")
            address = service_address(self.hub.settings.public_url, request.url.scheme, host, server)
            return Response(wsdl(address), media_type="text/xml")
        if wanted.startswith("xsd"):
            return Response(schema(), media_type="text/xml")
        refused = Refused("method-not-allowed", got=request.method, expected="POST, or GET with ?wsdl or ?xsd")
        return fault(request, Version.SOAP11, refused, allow="POST")

    async def call(self, request: Request) -> Response:
        """One call."""
        version = assumed_version(request)
        try:
            who = caller(self.hub, request)
            charset = _charset(request)
            limits = self.hub.limits
            with self.budget.hold() as held:
                raw = await read_body(request, held, max_bytes=max_soap_bytes(limits), max_idle_s=limits.max_body_idle_s)
                document = await in_place_of(len(raw), parse, raw, charset=charset, limits=limits, max_bytes=max_soap_bytes(limits))
                version = version_of(document)
                call = await in_place_of(len(raw), read_call, document, version, limits)
                fields = await OPERATIONS[call.operation](Caller(self.hub, who, peer(request, "soap"), len(raw)), call)
        except HubError as error:
            return fault(request, version, error)
        size = sum(len(value) for _, value in fields if isinstance(value, bytes))
        return await in_place_of(size, response, version, call.operation, fields)


def assumed_version(request: Request) -> Version:
    """The version to answer in as long as the envelope has not been read."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return Version.SOAP12 if kind == Version.SOAP12.media_type else Version.SOAP11


def max_soap_bytes(limits: Limits) -> int:
    """The largest request: a packet of `max_body_bytes` as base64, with line breaks, and the envelope around it."""
    return limits.max_body_bytes * 4 // 3 * 78 // 76 + MIB


def _charset(request: Request) -> str:
    """The protocol's charset, once the media type is one that is taken here."""
    kind, charset = media_type(request)
    if kind not in (version.media_type for version in Version):
        expected = "text/xml or application/soap+xml; the packet inline as base64, not as MTOM or SwA attachment"
        raise Refused("unsupported-media-type", got=kind or "no Content-Type", expected=expected)
    refuse_content_encoding(request)
    return charset
