"""How a wire shape is written down: one frozen pydantic model per object, one `About` per field.

Everything else is derived from these: reading, JSON Schema, XSD, documentation, examples. Field names are the wire's own, typos
included. Values stay as the wire has them, mostly strings; the typed reading of a value is a property of the model.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, StrictBool, StrictInt, StrictStr

WireNumber = StrictInt | StrictStr  # numbers that known senders write as JSON numbers
WireFlag = StrictBool | StrictStr  # the same of true and false


class Need(StrEnum):
    """What is said where a field is missing, or blank."""

    KEY = "key"  # an error, blank or absent: without it the message is about nothing
    VALUE = "value"  # a warning, blank or absent
    PRESENT = "present"  # a warning where absent; may be blank
    OPTIONAL = "optional"  # nothing


class Kind(StrEnum):
    """What a field holds."""

    TEXT = "text"
    NUMBER = "number"  # a string or a JSON number
    FLAG = "flag"  # a string or a JSON boolean
    ROWS = "rows"  # a list of objects
    OBJECT = "object"
    TEXTS = "texts"  # a list of strings


@dataclass(frozen=True, slots=True)
class About:
    """One field. `form` names a rule of `rules.FORMS`; `codes` a list as ``endpoint/Name`` of `codes`."""

    vi: str
    en: str
    need: Need = Need.OPTIONAL
    form: str = ""
    codes: str = ""
    max_chars: int = 0  # 0: no limit known
    since: str = ""  # "2023": of the later extension; "" of the base
    secret: bool = False  # never repeated in an error
    note: str = ""  # what else a reader should know


class Shape(BaseModel):
    """An object of the wire. Unknown members are kept; the reader reports them."""

    model_config = ConfigDict(frozen=True, extra="allow", strict=True, protected_namespaces=())

    def as_json(self) -> dict[str, Any]:
        """The object as JSON values: what was set, in its order, unknown members last."""
        return self.model_dump(mode="json", exclude_unset=True)

    def __repr_args__(self) -> list[tuple[str | None, Any]]:
        """What `repr` shows: everything but secrets and identity numbers, for models end up in logs."""
        hidden = {spec.name for spec in fields_of(type(self)) if spec.about.secret}
        return [(name, "…" if name in hidden else value) for name, value in super().__repr_args__()]


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """A field as the reader and the generators see it."""

    name: str
    kind: Kind
    about: About
    shape: type[Shape] | None = None  # of ROWS and OBJECT


@cache
def fields_of(shape: type[Shape]) -> tuple[FieldSpec, ...]:
    """The fields of `shape` in the order of the wire. A field without `About` is a programmer's mistake."""
    return tuple(_spec(name, info.annotation, info.metadata) for name, info in shape.model_fields.items())


@cache
def names_of(shape: type[Shape]) -> dict[str, FieldSpec]:
    """`fields_of` by name."""
    return {spec.name: spec for spec in fields_of(shape)}


def is_open(shape: type[Shape]) -> bool:
    """Whether members of `shape` are known not to be all known, so that unknown ones are no news."""
    return bool(getattr(shape, "OPEN", False))


def _spec(name: str, annotation: Any, metadata: list[Any]) -> FieldSpec:
    about = next((one for one in metadata if isinstance(one, About)), None)
    if about is None:
        raise RuntimeError(f"{name}: no About")
    kind, shape = _kind(annotation)
    return FieldSpec(name, kind, about, shape)


def _kind(annotation: Any) -> tuple[Kind, type[Shape] | None]:
    if get_origin(annotation) is tuple:
        inner = get_args(annotation)[0]
        return (Kind.ROWS, inner) if _is_shape(inner) else (Kind.TEXTS, None)
    if get_origin(annotation) in (Union, UnionType):
        members = {get_args(one)[0] if get_origin(one) is Annotated else one for one in get_args(annotation)} - {NoneType}
        found = next((one for one in members if _is_shape(one)), None)
        if found is not None:
            return Kind.OBJECT, found
        return (Kind.FLAG if bool in members else Kind.NUMBER), None
    return Kind.TEXT, None


def _is_shape(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, Shape)
