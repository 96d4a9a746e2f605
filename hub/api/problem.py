"""Errors as REST answers: RFC 9457 problem details, always `application/problem+json`, in both languages."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import Response

from hub.api.trace import note_of
from schemas.errors import Disposition, HubError, shown

RETRY_AFTER_S = 5
CHALLENGES = ('Basic realm="lgsp-hub", charset="UTF-8"', 'Bearer realm="lgsp-hub"')


def problem(request: Request, fault: HubError, *, allow: str = "") -> Response:
    """`fault` as the answer to `request`. `allow` lists the methods of a 405 (RFC 9110 §15.5.6)."""
    note = note_of(request.scope)
    note.code = fault.code
    members = {**fault.as_json(), "instance": shown(request.url.path), "trace_id": note.trace_id}
    response = Response(as_json(members), fault.spec.http_status, media_type="application/problem+json")
    add_error_headers(response.headers, fault, allow)
    return response


def add_error_headers(headers: MutableHeaders, fault: HubError, allow: str = "") -> None:
    """The header fields that a status asks for, the same at both faces."""
    if fault.spec.http_status == 401:
        for challenge in CHALLENGES:
            headers.append("WWW-Authenticate", challenge)
    if fault.spec.http_status == 405 and allow:
        headers["Allow"] = allow
    if fault.disposition is Disposition.RETRY or fault.spec.http_status == 503:
        headers["Retry-After"] = str(RETRY_AFTER_S)


def json_response(members: Mapping[str, Any], status: int = 200) -> Response:
    """A JSON answer in UTF-8, Vietnamese unescaped."""
    return Response(as_json(members), status, media_type="application/json")


def as_json(members: Mapping[str, Any]) -> bytes:
    """Compact JSON; a lone surrogate of a hostile input is escaped rather than failing."""
    text = json.dumps(members, ensure_ascii=False, separators=(",", ":"), default=str)
    return text.encode("utf-8", "backslashreplace")
