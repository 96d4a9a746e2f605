"""Filling a profile's arguments with a parcel's values. Templates name fields; they cannot compute, call or read anything else."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence

from adapters.outcome import ProfileMismatch
from schemas.message import Parcel

Template = str | int | bool | Mapping[str, "Template"] | Sequence["Template"]

FIELDS = frozenset(
    {"body", "body_base64", "body_text", "key", "message_id", "document_id", "kind", "sender", "recipients", "content_type"}
    | {"legal_value", "verification"}
)
_PLACE = re.compile(r"\{([^{}]*)\}")


def unknown_places(template: Template) -> Iterator[str]:
    """Names in braces that no parcel has, anywhere in `template`."""
    if isinstance(template, str):
        yield from (name for name in _PLACE.findall(template) if name not in FIELDS)
    elif isinstance(template, Mapping):
        for inner in template.values():
            yield from unknown_places(inner)
    elif isinstance(template, Sequence):
        for inner in template:
            yield from unknown_places(inner)


def filled(template: Template, parcel: Parcel) -> object:
    """`template` with the parcel's values in place. Raises `ProfileMismatch`."""
    if isinstance(template, Mapping):
        return {name: filled(inner, parcel) for name, inner in template.items()}
    if not isinstance(template, str):
        return [filled(inner, parcel) for inner in template] if isinstance(template, Sequence) else template
    return _PLACE.sub(lambda place: _value(place.group(1), parcel), template)


def _value(name: str, parcel: Parcel) -> str:
    if name == "body_base64":
        return b64encode(parcel.body).decode("ascii")
    if name == "body_text":
        return _text(parcel.body)
    if name == "recipients":
        return ",".join(code.text for code in parcel.recipients)
    return str(getattr(parcel, name))


def _text(body: bytes) -> str:
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        raise ProfileMismatch("profile-mismatch", got=str(fault), expected="a packet in UTF-8, or {body_base64} in the profile") from fault
