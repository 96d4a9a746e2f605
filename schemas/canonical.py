"""Canonical JSON, RFC 8785: by the standard encoder where it writes the same, and five times as quick; by `rfc8785` otherwise."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any, cast

import rfc8785

_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def canonical_json(value: object) -> bytes:
    """The one canonical form of a value of JSON. Raises `rfc8785.CanonicalizationError`, `UnicodeEncodeError`, `RecursionError`."""
    return _ENCODER.encode(value).encode("utf-8") if is_plain(value) else rfc8785.dumps(cast("Any", value))


def is_plain(value: object) -> bool:
    """Whether the standard encoder writes `value` as RFC 8785 does: no floats, no integers that a double cannot hold, and names that
    sort alike by code point and by UTF-16 (ASCII). Lone surrogates fail in UTF-8 either way.
    """
    kind = type(value)
    if kind is str or kind is bool or value is None:
        return True
    if kind is int:
        return -(2**53) < cast("int", value) < 2**53
    if kind is dict:
        named = cast("dict[object, object]", value)
        return _are_ascii(named) and _are_plain(named.values())
    return (kind is list or kind is tuple) and _are_plain(cast("Sequence[object]", value))


def _are_ascii(names: Iterable[object]) -> bool:
    return all([type(name) is str and name.isascii() for name in names])  # noqa: C419 - a list is quicker, and this is asked often


def _are_plain(values: Iterable[object]) -> bool:
    return all([type(each) is str or is_plain(each) for each in values])  # noqa: C419
