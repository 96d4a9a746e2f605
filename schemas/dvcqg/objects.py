"""From parsed values to a model: every member looked at, what does not fit reported, nothing dropped without a word.

Works for JSON and for XML alike; both hand in dictionaries, lists and texts.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Any

from pydantic import ValidationError

from schemas.dvcqg import rules
from schemas.dvcqg.findings import Findings, step
from schemas.dvcqg.shape import FieldSpec, Kind, Need, Shape, fields_of, is_open, names_of
from schemas.dvcqg.strict_json import Literal
from schemas.errors import Violation, error, warning

MAX_INT_DIGITS = 18  # a longer JSON number is kept as text


def build(shape: type[Shape], value: Any, pointer: str, found: Findings, *, bare: bool = False) -> Shape:
    """`value` as a `shape`. What is wrong goes into `found`; the model holds what could be taken.

    `bare`: the envelope was left out by the sender, so that missing members of this object are no news.
    """
    if not isinstance(value, Mapping):
        found.add(error("dossier-wrong-shape", path=pointer, got=_kind_of(value), expected="an object"))
        value, bare = {}, True
    taken: dict[str, Any] = {}
    for spec in fields_of(shape):
        if spec.name in value:
            _take(spec, value[spec.name], step(pointer, spec.name), found, taken)
        elif not bare:
            _missing(spec, step(pointer, spec.name), found)
    known = names_of(shape)
    for name, one in value.items():
        if name not in known:
            taken[name] = _plain(one)
            if found.takes_warnings and not is_open(shape):
                hint = _similar(shape, name)
                found.add(warning("dossier-unknown-field", path=step(pointer, name), got=name, expected=hint or "a field of the format"))
    model = _made(shape, taken)
    found.extend(rules.on_object(model, pointer))
    return model


def _made(shape: type[Shape], taken: dict[str, Any]) -> Shape:
    try:
        return shape.model_validate(taken)
    except ValidationError as fault:  # everything above makes what the model takes, so this is a defect of ours
        raise RuntimeError(f"{shape.__name__} does not take what was read: {fault.error_count()} faults") from fault


def _take(spec: FieldSpec, value: Any, pointer: str, found: Findings, taken: dict[str, Any]) -> None:
    if value is None:
        if spec.about.need is Need.OPTIONAL:
            found.add(warning("dossier-not-a-string", path=pointer, got="null", expected=_expected(spec)))
        _missing(spec, pointer, found, "null")
        return
    if spec.kind is Kind.ROWS and spec.shape is not None:
        taken[spec.name] = _rows(spec, spec.shape, value, pointer, found)
    elif spec.kind is Kind.OBJECT and spec.shape is not None:
        taken[spec.name] = build(spec.shape, value, pointer, found)
    elif spec.kind is Kind.TEXTS:
        taken[spec.name] = tuple(
            str(_text(spec, one, step(pointer, n), found)) for n, one in enumerate(_listed(spec, value, pointer, found))
        )
    else:
        taken[spec.name] = _text(spec, value, pointer, found)


def _rows(spec: FieldSpec, shape: type[Shape], value: Any, pointer: str, found: Findings) -> tuple[Shape, ...]:
    listed = _listed(spec, value, pointer, found)
    if not listed and spec.about.need is Need.KEY:
        found.add(error("dossier-missing-field", path=pointer, got="an empty list", expected=_expected(spec)))
    return tuple(build(shape, one, step(pointer, n), found) for n, one in enumerate(listed))


def _listed(spec: FieldSpec, value: Any, pointer: str, found: Findings) -> list[Any]:
    if isinstance(value, list):
        return value
    if isinstance(value, Mapping):  # one row without its list: XML converters write it so
        found.add(warning("dossier-wrong-shape", path=pointer, got="an object", expected="a list of objects"))
        return [value]
    if value != "":  # blank for none is common
        found.add(error("dossier-wrong-shape", path=pointer, got=_kind_of(value), expected=_expected(spec)))
    return []


def _text(spec: FieldSpec, value: Any, pointer: str, found: Findings) -> str | int | bool:
    if isinstance(value, dict | list):
        found.add(error("dossier-wrong-shape", path=pointer, got=_kind_of(value), expected=_expected(spec)))
        return ""
    kept = _scalar(spec, value)
    if isinstance(kept, str) and not (isinstance(value, str) and value.__class__ is not Literal):
        got = "no string" if spec.about.secret else _kind_of(value)
        found.add(warning("dossier-not-a-string", path=pointer, got=got, expected=_expected(spec)))
    text = str(kept)
    if not text.strip():
        if spec.about.need in (Need.KEY, Need.VALUE):
            _blank(spec, pointer, found)
        elif spec.about.form in ("int", "double", "bool"):  # an element that is there has to be of its type
            found.extend(_placed(spec, text, pointer))
        return kept
    found.extend(_placed(spec, text, pointer))
    return kept


def _scalar(spec: FieldSpec, value: Any) -> str | int | bool:
    """The value as the model keeps it: numbers and flags where the field allows them, else their text."""
    if isinstance(value, bool):
        return value if spec.kind is Kind.FLAG else ("True" if value else "False")
    if isinstance(value, Literal):
        return int(value) if spec.kind is Kind.NUMBER and _is_whole(value) else str(value)
    return str(value)


def _placed(spec: FieldSpec, text: str, pointer: str) -> list[Violation]:
    found = [replace(one, path=pointer) for one in rules.on_value(spec, text)]
    return [replace(one, got=f"{len(text)} characters") for one in found] if spec.about.secret else found


def _missing(spec: FieldSpec, pointer: str, found: Findings, got: str = "") -> None:
    if spec.about.need is Need.KEY:
        found.add(error("dossier-missing-field", path=pointer, got=got, expected=_expected(spec)))
    elif spec.about.need is not Need.OPTIONAL and found.takes_warnings:
        found.add(warning("dossier-missing-field", path=pointer, got=got, expected=_expected(spec)))


def _blank(spec: FieldSpec, pointer: str, found: Findings) -> None:
    make = error if spec.about.need is Need.KEY else warning
    found.add(make("dossier-empty-field", path=pointer, expected=_expected(spec)))


def _expected(spec: FieldSpec) -> str:
    kinds = {
        Kind.TEXT: "a string",
        Kind.NUMBER: "a string or a number",
        Kind.FLAG: "a string or true/false",
        Kind.ROWS: "a list of objects",
        Kind.OBJECT: "an object",
        Kind.TEXTS: "a list of strings",
    }
    return f"{spec.about.vi}: {kinds[spec.kind]}"


def _kind_of(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Literal):
        return f"the number {value}"
    if isinstance(value, str):
        return "a string"
    return "a list" if isinstance(value, list) else "an object"


def _plain(value: Any) -> Any:
    """An unknown member as it is kept: JSON values, numbers that fit, else their text."""
    if isinstance(value, Literal):
        return int(value) if _is_whole(value) else str(value)
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if isinstance(value, Mapping):
        return {name: _plain(one) for name, one in value.items()}
    return value


def _is_whole(number: Literal) -> bool:
    """Whether the number can be kept as an `int` that is written the same again."""
    digits = number.removeprefix("-")
    return digits.isdigit() and len(digits) <= MAX_INT_DIGITS and number != "-0"


def _similar(shape: type[Shape], name: str) -> str:
    """The field that was perhaps meant: the same letters but for case and accents."""
    return _folded_names(shape).get(_folded(name), "")


@cache
def _folded_names(shape: type[Shape]) -> Mapping[str, str]:
    return {_folded(spec.name): spec.name for spec in fields_of(shape)}


def _folded(name: str) -> str:
    bare = unicodedata.normalize("NFD", name[:100]).replace("đ", "d").replace("Đ", "D")
    return "".join(ch for ch in bare if ch.isalnum()).lower()
