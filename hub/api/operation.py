"""One operation of the OpenAPI document, and the pieces that its description is made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]
DICT: tuple[str, Json] = ("application/json", {"type": "object"})


@dataclass(frozen=True, slots=True)
class Operation:
    """One method at one address."""

    method: str
    path: str
    vi: str
    en: str
    answers: Mapping[int, tuple[str, Json] | None]  # status → (media type, schema), None for an answer without a body
    parameters: Sequence[Json] = ()
    body: Json | None = None
    open_to_all: bool = False
    of_person: bool = False  # needs a person's session, not a system's key


def ref(name: str) -> Json:
    """A schema of the document's components."""
    return {"$ref": f"#/components/schemas/{name}"}
