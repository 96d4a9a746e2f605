"""Mappings as a journal keeps them: found by their id, restored to do the same work again when a delivery is replayed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator

from schemas.errors import error
from schemas.translation.load import checked, invalid
from schemas.translation.mapping import Mapping


def artefacts_of(mapping: Mapping) -> Iterator[tuple[str, bytes]]:
    """What has to be kept to restore `mapping`, by SHA-256 in lower hex: its canonical form, and its stylesheet where it has one."""
    yield mapping.id, mapping.content
    if mapping.stylesheet:
        yield hashlib.sha256(mapping.stylesheet).hexdigest(), mapping.stylesheet


def stylesheet_of(content: bytes) -> str:
    """SHA-256 of the stylesheet that a kept mapping names, lower hex; of nothing where it has none.

    Raises `Refused` with `mapping-invalid`.
    """
    try:
        return str(json.loads(content)["stylesheet"])
    except (ValueError, TypeError, KeyError, RecursionError) as fault:
        raise invalid([error("mapping-malformed", got=type(fault).__name__, expected="a mapping's canonical form")]) from fault


def restore(content: bytes, sheet: bytes = b"") -> Mapping:
    """The mapping whose `Mapping.content` this is, with the stylesheet it names: the same id, the same work.

    Raises `Refused` with `mapping-invalid`: `content` is no such thing, `sheet` is not its stylesheet, or this release cannot do it.
    """
    named, given = stylesheet_of(content), hashlib.sha256(sheet).hexdigest()
    if named != given:
        raise invalid([error("mapping-stylesheet", got=given, expected=named)])
    data = json.loads(content).get("mapping")
    if not isinstance(data, dict):
        raise invalid([error("mapping-malformed", got=type(data).__name__, expected="a table")])
    return checked(data, content, sheet)
