"""Whatever comes: nothing but `Refused` is raised, JSON → model → JSON → model is identity, and reading twice says the same."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.dvcqg.kinds import MessageKind, kinds
from schemas.dvcqg.reader import read_json
from schemas.dvcqg.response import classify_response
from schemas.dvcqg.shape import FieldSpec, Kind, Shape, fields_of
from schemas.dvcqg.strict_json import parse
from schemas.dvcqg.validate import judge, validate
from schemas.dvcqg.values import DossierCode, ProcedureCode, format_of, time_of
from schemas.errors import Refused, catalogue
from schemas.honesty.check import check
from schemas.lgsp.reader import read_xml
from schemas.lgsp.writer import write_xml
from tests.schemas.dvcqg.messages import progress, raw, sync

JSON_KINDS = [kind for kind in kinds().values() if kind.encoding == "json"]
NAMES = sorted({spec.name for kind in kinds().values() for spec in fields_of(kind.shape)})
VALUES = ("", "0", "1", "9", "20260302081500", "20260231000000", "16 /03/2026", "H99.14-260302-0001", "Chuyên viên", "000000001", "True")

texts = st.one_of(st.sampled_from(VALUES), st.text(max_size=20))
leaves = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), texts)
anything = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.one_of(st.sampled_from(NAMES), st.text(max_size=5)), inner, max_size=8)
    ),
    max_leaves=30,
)
envelopes = st.builds(
    lambda service, rest: {"service": service, **rest},
    st.sampled_from([name for kind in JSON_KINDS for name in kind.services]),
    st.dictionaries(st.sampled_from(["data", "session", "madonvi", "isUpdating", "mahoso", "khac"]), anything),
)
# Characters that JSON and XML both hold, and XML gives back as they are.
plain = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs"), exclude_characters="\ufffe\uffff"), max_size=12)


@settings(max_examples=60, deadline=None)
@given(st.one_of(anything, envelopes))
def test_any_json_is_judged_and_never_raises(value: Any) -> None:
    text = json.dumps(value, ensure_ascii=True).encode()  # with NaN, Infinity and lone surrogates as Python writes them
    judged = judge(text, "application/json")
    assert all(one.code in catalogue() for one in judged.violations)
    assert judged == judge(text, "application/json")
    if judged.model is not None:
        json.dumps(judged.model.as_json(), ensure_ascii=False).encode("utf-8")


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_judged_and_never_raise(octets: bytes) -> None:
    for content_type in ("", "application/json", "application/xml"):
        assert all(one.code in catalogue() for one in validate(octets, content_type))
    classify_response(octets)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from((sync(), progress())), st.integers(0, 2000), st.integers(0, 255), st.booleans())
def test_a_damaged_message_is_judged_and_never_raises(message: dict[str, Any], at: int, octet: int, cut: bool) -> None:
    octets = bytearray(raw(message))
    octets[at % len(octets)] = octet
    validate(bytes(octets[: at % len(octets)] if cut else octets), "application/json")


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(JSON_KINDS), envelopes)
def test_any_object_as_any_message_is_read(kind: MessageKind, value: dict[str, Any]) -> None:
    try:
        reading = read_json(json.dumps(value).encode(), kind.name)
    except Refused as fault:
        assert fault.code == "malformed-json"  # NaN and Infinity
        return
    assert type(reading.model) is kind.shape
    check(reading.model, [reading.model])


def of_shape(shape: type[Shape], texts_of: st.SearchStrategy[str], *, full: bool = False) -> st.SearchStrategy[dict[str, Any]]:
    """Members of `shape`, any of them left out unless `full`."""
    members = {spec.name: _of_field(spec, texts_of) for spec in fields_of(shape)}
    return st.fixed_dictionaries(members) if full else st.fixed_dictionaries({}, optional=members)


def _of_field(spec: FieldSpec, texts_of: st.SearchStrategy[str]) -> st.SearchStrategy[Any]:
    if spec.kind is Kind.ROWS and spec.shape is not None:
        return st.lists(of_shape(spec.shape, texts_of), max_size=2)
    if spec.kind is Kind.OBJECT and spec.shape is not None:
        return of_shape(spec.shape, texts_of)
    if spec.kind is Kind.NUMBER:
        return st.one_of(texts_of, st.integers(-(10**17), 10**17))
    return st.one_of(texts_of, st.booleans()) if spec.kind is Kind.FLAG else texts_of


@pytest.mark.parametrize("kind", JSON_KINDS, ids=lambda kind: kind.name)
@settings(max_examples=6, deadline=None)
@given(data=st.data())
def test_json_to_model_to_json_to_model_is_identity(kind: MessageKind, data: st.DataObject) -> None:
    value = data.draw(of_shape(kind.shape, plain))
    first = read_json(raw(value), kind.name)
    assert first.model.as_json() == value
    again = read_json(raw(first.model.as_json()), kind.name)
    assert again.model == first.model
    assert {replace(one, line=0) for one in again.violations} == {replace(one, line=0) for one in first.violations}
    assert kind.shape.model_validate_json(first.model.model_dump_json(exclude_unset=True)) == first.model


@pytest.mark.parametrize("kind", [one for one in kinds().values() if one.encoding == "xml"], ids=lambda kind: kind.title)
@settings(max_examples=6, deadline=None)
@given(data=st.data())
def test_xml_to_model_to_xml_to_model_is_identity(kind: MessageKind, data: st.DataObject) -> None:
    value = data.draw(of_shape(kind.shape, plain))
    model = kind.shape.model_validate_json(json.dumps(value))
    reading = read_xml(write_xml(model))
    assert reading.model.as_json() == _without_empty_lists(model.as_json())
    assert read_xml(write_xml(reading.model)).model == reading.model


def _without_empty_lists(value: Any) -> Any:
    """XML has no empty list: no row is no element."""
    if isinstance(value, list):
        return [_without_empty_lists(one) for one in value]
    return {name: _without_empty_lists(one) for name, one in value.items() if one != []} if isinstance(value, dict) else value


@settings(max_examples=60, deadline=None)
@given(
    st.recursive(
        st.one_of(st.none(), st.booleans(), plain), lambda inner: st.one_of(st.lists(inner), st.dictionaries(plain, inner)), max_leaves=20
    )
)
def test_every_place_has_the_line_on_which_it_stands(value: Any) -> None:
    text = json.dumps(value, ensure_ascii=False, indent=0)
    parsed = parse(text.encode()) if text.strip() else None
    assert parsed is not None
    assert parsed.value == value
    places = dict(_places(value, ""))
    lines = parsed.lines(frozenset(places))
    assert set(lines) == set(places)
    rows = text.split("\n")
    for pointer, one in places.items():
        if not isinstance(one, dict | list):
            assert json.dumps(one, ensure_ascii=False) in rows[lines[pointer] - 1]


def _places(value: Any, pointer: str) -> list[tuple[str, Any]]:
    found = [(pointer, value)]
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, one in inner:
        found += _places(one, f"{pointer}/{str(name).replace('~', '~0').replace('/', '~1')}")
    return found


@given(st.text())
def test_any_text_is_a_code_and_perhaps_a_date(text: str) -> None:
    assert DossierCode.of(text).text == ProcedureCode.of(text).text == text
    assert (time_of(text) is not None) == (format_of(text) == "yyyyMMddHHmmss")
