"""Reading what surrounds the body: caller, headers, path and query. Everything wrong is a `HubError`, never a surprise."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from uuid import UUID

from starlette.requests import Request

from hub.access import Principal, api_key_from
from hub.api.trace import check_header_size, note_of
from schemas import heading
from schemas.errors import Refused, error, shown

if TYPE_CHECKING:
    from hub.node import Hub

_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_LARGEST = 2**63 - 1


def caller(hub: Hub, request: Request) -> Principal:
    """Step 1: who calls, by HTTP credentials alone; nothing of the body has been read.

    Raises `Refused` with `headers-too-large`, `not-authenticated`, or `invalid-request` for credentials given twice.
    """
    check_header_size(request.scope, hub.limits.max_request_header_bytes)
    key = api_key_from(header(request, "authorization"), header(request, "x-api-key"))
    if not key:
        raise Refused("not-authenticated")
    note_of(request.scope).named = hub.access.named_by(key)
    principal = hub.access.authenticate(key)
    note_of(request.scope).system = principal.system
    return principal


def header(request: Request, name: str) -> str:
    """The one value of a header field, "" where absent. Given twice it is ambiguous, so refused."""
    values = request.headers.getlist(name)
    if len(values) > 1:
        raise _invalid(f"header {name}", f"{len(values)} times", "at most once")
    return values[0].strip() if values else ""


def media_type(request: Request) -> tuple[str, str]:
    """Content-Type as (media type in lower case, charset parameter); ("", "") where absent. Raises for one that cannot be read."""
    return heading.media_type(header(request, "content-type"))


def refuse_content_encoding(request: Request) -> None:
    """Compressed bodies are not taken: received bytes are evidence, and a small one could unpack to anything."""
    encoding = header(request, "content-encoding").lower()
    if encoding not in ("", "identity"):
        raise Refused("unsupported-media-type", got=f"Content-Encoding: {encoding}", expected="no Content-Encoding")


def idempotency_key(request: Request, max_chars: int) -> str:
    """The sender's own id of this message, "" where none was given."""
    return heading.checked_key(header(request, "idempotency-key"), "header idempotency-key", max_chars)


def uuid_in_path(request: Request, name: str) -> UUID:
    """The path parameter `name` as a UUID in its canonical form."""
    return checked_uuid(f"path {{{name}}}", str(request.path_params[name]))


def whole_number(request: Request, name: str, default: int, least: int, most: int = _LARGEST) -> int:
    """The query parameter `name`, between `least` and `most`."""
    values = request.query_params.getlist(name)
    if not values:
        return default
    text = values[0]
    if len(values) > 1 or not (text.isascii() and text.isdigit() and len(text) <= 19) or not least <= int(text) <= most:
        raise _invalid(f"query {name}", ", ".join(values), f"one whole number from {least} to {most}")
    return int(text)


def parameters(request: Request, *known: str) -> dict[str, str]:
    """The query parameters, each given once, none but those `known`. Raises `Refused("invalid-request")`."""
    found: dict[str, str] = {}
    for name, value in request.query_params.multi_items():
        if name not in known:
            raise _invalid(f"query {shown(name)[:64]}", "a parameter that nobody asks for", ", ".join(known))
        if name in found:
            raise _invalid(f"query {name}", "more than once", "at most once")
        found[name] = value
    return found


def checked_uuid(place: str, text: str) -> UUID:
    """`text`, given at `place`, as a UUID in its canonical form. Raises `Refused("invalid-request")`."""
    if not _UUID.fullmatch(text):
        raise _invalid(place, shown(text)[:64], "a UUID such as 0190b5d2-6d3c-7cc1-8a6e-3f4a5b6c7d8e")
    return UUID(text)


def peer(request: Request, protocol: str) -> str:
    """Where it came from, for the record: ``rest 127.0.0.1``."""
    return f"{protocol} {shown(request.client.host)[:64] if request.client else 'unknown'}"


def _invalid(place: str, got: str, expected: str) -> Refused:
    one = error("parameter-invalid", path=place, got=got, expected=expected)
    return Refused("invalid-request", got=f"{place} = {one.got}", expected=one.expected, violations=(one,))
