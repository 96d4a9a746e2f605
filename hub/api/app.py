"""The HTTP application: all faces over one hub. Thin and async; the core under it is synchronous.

Whatever goes wrong, at whatever address, is answered in the shape of its face: problem details, or a SOAP fault under `/soap`.
"""

from __future__ import annotations

import asyncio
import sys
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TextIO, cast

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from structlog.typing import FilteringBoundLogger

from hub.api.body import Budget
from hub.api.evidence import Evidence
from hub.api.log import Log
from hub.api.openapi import document
from hub.api.page import CONTENT_SECURITY_POLICY, page
from hub.api.people import People
from hub.api.problem import as_json, json_response, problem
from hub.api.replays import ReplayFace
from hub.api.rest import Rest
from hub.api.soap.answer import fault
from hub.api.soap.endpoint import Soap, assumed_version
from hub.api.soap.wsdl import PATH as SOAP_PATH
from hub.api.trace import Traced, note_of, request_log
from hub.api.verification import Verification
from schemas.errors import HubError, Parked, Refused, TryLater

if TYPE_CHECKING:
    from fastapi.telemetry import TelemetryConfig

    from hub.node import Hub


# FastAPI can export traces, metrics and logs to wherever the environment says; this hub's observability is its own.
_NO_EXPORT: dict[str, Any] = {"tracing": False, "metrics": False, "logs": False, "auto_configure": False}


def build_app(hub: Hub, log_to: TextIO | None = None) -> FastAPI:
    """The application over `hub`, which the caller starts and stops. One JSON line per request goes to `log_to` (standard error)."""
    log = request_log(log_to or sys.stderr)
    budget = Budget(hub.limits.max_in_flight_bytes)
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False, telemetry=cast("TelemetryConfig", _NO_EXPORT))
    people = (People(hub, budget), ReplayFace(hub, budget))
    faces = (Rest(hub, budget), Verification(hub, budget), *people, Soap(hub, budget), Evidence(hub), Log(hub))
    app.router.routes.extend([*(route for one in faces for route in one.routes()), *_about(hub)])
    app.add_exception_handler(HubError, _on_hub_error)
    app.add_exception_handler(HTTPException, _on_http_error)
    app.add_exception_handler(ClientDisconnect, _on_disconnect)
    app.add_exception_handler(Exception, _Unexpected(log))
    app.add_middleware(Traced, log=log, refused=hub.access_log.note)
    return app


def _about(hub: Hub) -> list[Route]:
    """Health and documentation: open to all, and telling nothing about messages."""
    described, shown_page = as_json(document()), page()

    async def live(request: Request) -> Response:
        return json_response({"status": "alive"})

    async def ready(request: Request) -> Response:
        health = await asyncio.to_thread(hub.health)
        return json_response(health, 200 if health["ready"] else 503)

    async def openapi(request: Request) -> Response:
        return Response(described, media_type="application/json")

    async def docs(request: Request) -> Response:
        return Response(shown_page, media_type="text/html", headers={"Content-Security-Policy": CONTENT_SECURITY_POLICY})

    endpoints = {"/health/live": live, "/health/ready": ready, "/api/v1/openapi.json": openapi, "/api/v1/docs": docs}
    return [Route(path, endpoint, methods=["GET"]) for path, endpoint in endpoints.items()]


def _answer(request: Request, error: HubError, allow: str = "") -> Response:
    if request.url.path == SOAP_PATH or request.url.path.startswith("/soap/"):
        return fault(request, assumed_version(request), error, allow=allow)
    return problem(request, error, allow=allow)


async def _on_hub_error(request: Request, error: Exception) -> Response:
    if not isinstance(error, HubError):
        raise RuntimeError("registered for HubError") from error
    return _answer(request, error)


async def _on_http_error(request: Request, error: Exception) -> Response:
    """What the router itself refuses: no such address, no such method."""
    if not isinstance(error, HTTPException):
        raise RuntimeError("registered for HTTPException") from error
    allow = (error.headers or {}).get("Allow", "")
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        return _answer(request, Refused("method-not-allowed", got=request.method, expected=allow), allow)
    if error.status_code == HTTPStatus.NOT_FOUND:
        return _answer(request, Refused("unknown-address", got=request.url.path))
    return _answer(request, Refused("invalid-request", got=error.detail))


async def _on_disconnect(request: Request, error: Exception) -> Response:
    """The caller hung up in the middle of its body; nobody reads this answer, the log line does."""
    return _answer(request, TryLater("request-interrupted"))


class _Unexpected:
    """A fault of ours: logged with its traceback under the trace id; the caller gets the id and nothing else."""

    def __init__(self, log: FilteringBoundLogger) -> None:
        self._log = log

    async def __call__(self, request: Request, error: Exception) -> Response:
        """Starlette raises the error again after this answer, so that the server stops the connection."""
        trace_id = note_of(request.scope).trace_id
        self._log.error("unexpected", trace_id=trace_id, path=request.url.path, exc_info=error)
        answer = _answer(request, Parked("internal-error", got=trace_id))
        answer.headers.update({"X-Trace-Id": trace_id, "Connection": "close"})
        return answer
