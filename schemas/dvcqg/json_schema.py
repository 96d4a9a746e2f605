"""JSON Schema (draft 2020-12) of a message: the strict form, for those who write. The reader takes more, with warnings."""

from __future__ import annotations

import re
from typing import Any

from schemas.dvcqg.codes import code_list
from schemas.dvcqg.kinds import MessageKind
from schemas.dvcqg.shape import FieldSpec, Kind, Need, Shape, fields_of, is_open

PATTERNS = {
    "time": r"^([0-9]{14})?$",
    "dossier-code": r"^([0-9A-Z.]+-[0-9]{6}([0-9]{2})?-[0-9]{4,9})?$",
    "procedure-code": r"^([0-9]\.[0-9]{6}(\.[0-9A-Z.]+)?)?$",
    "amount": r"^([0-9]{1,15}(\.[0-9]{1,2})?)?$",
    "integer": r"^(-?[0-9]{1,18})?$",
    "int": r"^[+-]?[0-9]{1,10}$",
    "bool": r"^(true|false|0|1)$",
}
_TYPES = {Kind.TEXT: ["string"], Kind.NUMBER: ["string", "integer"], Kind.FLAG: ["string", "boolean"]}


def json_schema(kind: MessageKind) -> dict[str, Any]:
    """The schema of `kind`."""
    shapes: dict[str, type[Shape]] = {}
    _collect(kind.shape, shapes)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:lgsp-hub:format:{kind.name}",
        "title": kind.name,
        "description": f"{kind.vi} / {kind.en}. {kind.certainty}",
        "$ref": f"#/$defs/{kind.shape.__name__}",
        "$defs": {name: _object(shape, kind) for name, shape in shapes.items()},
    }


def _collect(shape: type[Shape], shapes: dict[str, type[Shape]]) -> None:
    if shape.__name__ in shapes:
        return
    shapes[shape.__name__] = shape
    for spec in fields_of(shape):
        if spec.shape is not None:
            _collect(spec.shape, shapes)


def _object(shape: type[Shape], kind: MessageKind) -> dict[str, Any]:
    specs = fields_of(shape)
    told: dict[str, Any] = {
        "type": "object",
        "description": " ".join((shape.__doc__ or "").split()),
        "properties": {spec.name: _property(spec, kind) for spec in specs},
        "required": [spec.name for spec in specs if spec.about.need is not Need.OPTIONAL],
    }
    if not is_open(shape):
        told["additionalProperties"] = False
    return told


def _property(spec: FieldSpec, kind: MessageKind) -> dict[str, Any]:
    about = spec.about
    told: dict[str, Any] = {"title": about.vi, "description": f"{about.en}. {about.note}".strip(". ") + "."}
    if spec.kind is Kind.ROWS and spec.shape is not None:
        told |= {"type": "array", "items": {"$ref": f"#/$defs/{spec.shape.__name__}"}}
        return told | ({"minItems": 1} if about.need is Need.KEY else {})
    if spec.kind is Kind.OBJECT and spec.shape is not None:
        return told | {"$ref": f"#/$defs/{spec.shape.__name__}"}
    if spec.kind is Kind.TEXTS:
        return told | {"type": "array", "items": {"type": "string"}}
    types = _TYPES[spec.kind]
    told["type"] = types[0] if len(types) == 1 else types
    told |= {"minLength": 1} if about.need in (Need.KEY, Need.VALUE) else {}
    told |= {"maxLength": about.max_chars} if about.max_chars else {}
    return told | _restriction(spec, kind)


def _restriction(spec: FieldSpec, kind: MessageKind) -> dict[str, Any]:
    about = spec.about
    if spec.name == "service" and kind.services:
        return {"enum": list(kind.services)}
    if about.codes:
        codes = [re.escape(code) for code in code_list(about.codes).codes]
        blank = "" if about.need in (Need.KEY, Need.VALUE) else "?"
        return {"pattern": f"^({'|'.join(codes)}){blank}$"}
    return {"pattern": PATTERNS[about.form]} if about.form in PATTERNS else {}
