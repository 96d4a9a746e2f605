"""Two bodies field by field: what was given to a receiver and what would be given now, as paths and values.

XML: ``/edXML/edXMLEnvelope/…``, with ``[n]`` from the second of the same name, ``@name`` for attributes; names without their namespace.
JSON: members and places. What is neither, or says the same in other bytes, differs at an offset.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from hub.rework.recorded import short
from schemas.errors import Refused
from schemas.limits import Limits
from schemas.xml import local_name, parse

BODY = "/body"  # before every path, so that no field of a body is taken for one of the hub's own


def body_differences(then: bytes, now: bytes, limits: Limits) -> dict[str, list[Any]]:
    """Every field of the bodies that differs, with both values; {} where they are the same bytes."""
    if then == now:
        return {}
    one, other = _leaves(then, limits), _leaves(now, limits)
    if one is not None and other is not None:
        paths = [path for path in {**one, **other} if one.get(path) != other.get(path)]
        if paths:
            return {f"{BODY}{path}": [short(one.get(path)), short(other.get(path))] for path in paths}
    place = next((at for at, (a, b) in enumerate(zip(then, now, strict=False)) if a != b), min(len(then), len(now)))
    return {f"{BODY}@{place}": [_around(then, place), _around(now, place)]}


def _leaves(body: bytes, limits: Limits) -> Mapping[str, Any] | None:
    """Values by path; None for what is neither XML nor JSON."""
    try:
        if body.lstrip()[:1] in (b"{", b"["):
            return dict(_of_json(json.loads(body), ""))
        return dict(_of_xml(parse(body, limits=limits).root, ""))
    except (ValueError, RecursionError, Refused):
        return None


def _of_json(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict) and value:
        for name, one in value.items():
            yield from _of_json(one, f"{path}/{name}")
    elif isinstance(value, list) and value:
        for place, one in enumerate(value):
            yield from _of_json(one, f"{path}/{place}")
    else:
        yield path or "/", value


def _of_xml(root: Any, path: str) -> Iterator[tuple[str, Any]]:
    waiting = [(root, f"{path}/{local_name(root)}")]
    while waiting:
        element, mine = waiting.pop()
        for name, value in element.attrib.items():
            yield f"{mine}/@{str(name).rpartition('}')[2]}", value
        children = [child for child in element if isinstance(child.tag, str)]
        text = (element.text or "").strip()
        if text or not children:
            yield mine, text
        times: Counter[str] = Counter()
        for child in children:
            name = local_name(child)
            times[name] += 1
            waiting.append((child, f"{mine}/{name}" if times[name] == 1 else f"{mine}/{name}[{times[name]}]"))


def _around(body: bytes, place: int) -> str:
    return body[place : place + 40].decode("utf-8", "backslashreplace")
