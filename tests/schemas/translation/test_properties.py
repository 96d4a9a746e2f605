"""Random messages of every source: refused or translated, nothing else; and what was translated comes back but for what is named."""

from __future__ import annotations

import contextlib
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.dictionary.code_lists import code_lists
from schemas.dictionary.entry import FieldType
from schemas.dvcqg.findings import Findings
from schemas.dvcqg.objects import build
from schemas.dvcqg.shape import Kind, Need, Shape, fields_of
from schemas.edxml.packing import File
from schemas.edxml.writer import write_document
from schemas.errors import Refused
from schemas.lgsp.writer import write_xml
from schemas.translation.engine import AUTO, translate
from schemas.translation.formats import formats
from schemas.translation.mapping import Field, Mapping
from schemas.translation.paths import EACH, Path
from schemas.translation.shipped import shipped
from tests import packets
from tests.schemas.translation.examples import differences, lost, tree_of

TABLES = [one for one in shipped().by_name.values() if one.inverse]
SHAPED = [one for one in TABLES if formats()[one.source].kind is not None]
CANONICAL: dict[FieldType, tuple[Any, ...]] = {
    FieldType.TEXT: ("Nguyễn Văn An", "a, b\nc", "0", "&<>\"'", "Đ" * 40),
    FieldType.DATE: ("2026-03-02", "1990", "1990-02"),
    FieldType.DATETIME: ("2026-03-02T13:15:00+07:00", "2026-03-02"),
    FieldType.YEAR: ("1960",),
    FieldType.CODE: ("1", "2"),
    FieldType.INTEGER: (0, 1, 12),
    FieldType.DECIMAL: ("50000", "120.5", "0.25", "1234567.5"),
    FieldType.BOOLEAN: (True, False),
    FieldType.ADDRESS: ("5 Trần Phú",),
    FieldType.ID_NUMBER: ("056090001234", "225123456"),
    FieldType.PHONE: ("0905123456",),
    FieldType.EMAIL: ("an@example.vn",),
    FieldType.URL: ("https://example.vn/a.pdf",),
    FieldType.TAX_CODE: ("4200123456", "4200123456-001"),
    FieldType.DOSSIER_CODE: ("H56.14-240920-0001",),
    FieldType.PROCEDURE_CODE: ("1.003560.000.00.00.H56", "2.000488"),
    FieldType.AGENCY_CODE: ("000.00.14.H56", "H32.10"),
    FieldType.BASE64: ("JVBERi0xLjQK",),
    FieldType.TASK_ID: ("443122_H32-NV-G22-2024-011227055",),
}
WIRE = (
    *("20240920081500", "20240920", "20/09/2024", "20/09/2024 08:15:00", "2024-09-20T08:15:00", "09/2024", "2024-02-30", "1.234", "00.50"),
    *("+84905123456", "0905 123 456", "000000001", "Le\u0302 Va\u0306n", " x ", "null", "1", "True", "Nam", "yes"),
)
TEXTS = st.sampled_from(WIRE) | st.text(max_size=6)
ODD: st.SearchStrategy[Any] = (
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False) | st.lists(st.text(max_size=2), max_size=2)
)


@st.composite
def message(draw: st.DrawFn, mapping: Mapping, oddness: int) -> dict[str, Any]:
    """A message of the mapping's source. `oddness` in a hundred of its values are of no particular form."""
    kind = formats()[mapping.source].kind
    is_xml = kind is not None and kind.encoding == "xml"
    rules = {tuple(EACH if isinstance(step, int) else step for step in one.source): one for one in mapping.fields}
    constants: dict[Path, Any] = {one.path: one.value for one in mapping.constants}

    def value(path: Path, needed: bool) -> Any:
        if path in constants:
            return constants[path]
        if draw(st.integers(0, 99)) < oddness:
            return draw(TEXTS | ODD)
        return "" if path not in rules or (not needed and draw(st.booleans())) else draw(st.sampled_from(_wire_values(rules[path])))

    def shaped(shape: type[Shape], path: Path) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for spec in fields_of(shape):
            here = (*path, spec.name)
            if spec.kind is Kind.ROWS and spec.shape is not None:
                rows = draw(st.integers(1 if spec.about.need is Need.KEY else 0, 2))
                made[spec.name] = [shaped(spec.shape, (*here, EACH)) for _ in range(rows)]
            elif spec.kind is Kind.OBJECT and spec.shape is not None:
                made[spec.name] = shaped(spec.shape, here)
            else:
                made[spec.name] = value(here, spec.about.need is Need.KEY)
                if made[spec.name] == "" and is_xml:  # a blank number is none; JSON has them as blank texts
                    del made[spec.name]
        if draw(st.integers(0, 199)) < oddness:
            made[draw(st.text(max_size=3))] = draw(ODD)
        return made

    return shaped(kind.shape, ()) if kind is not None else {}


def _wire_values(rule: Field) -> list[Any]:
    """What the source may write for the canonical values of the field's key."""
    if rule.entry is None:
        return [""]
    known = code_lists().get(rule.entry.code_list)
    found = []
    for way in rule.ways:
        for value in (*CANONICAL[rule.entry.type], *(known.codes if known else ())):
            with contextlib.suppress(Refused):
                found += [way.backward(value)] if way.backward else []
    return found or [""]


def written(mapping: Mapping, value: dict[str, Any]) -> bytes:
    """The message as bytes of the source's format."""
    kind = formats()[mapping.source].kind
    if kind is None or kind.encoding == "json":
        return json.dumps(value).encode()
    try:
        return write_xml(build(kind.shape, value, "", Findings(100_000)))
    except ValueError:  # a character that XML cannot hold: no such message can be sent
        return b"<x/>"


def check(mapping: Mapping, raw: bytes) -> bool:
    """Refused, or translated with everything that is lost named; whether it was translated."""
    try:
        made = translate(raw, mapping.source, mapping.target, shipped())
    except Refused:
        return False
    again = translate(made.body, mapping.target, mapping.source, shipped()).body if _can_return(mapping, made.body) else None
    if again is not None:
        assert _compacted_equal(tree_of(mapping.source, raw), tree_of(mapping.source, again), lost(made))
    return True


def _can_return(mapping: Mapping, body: bytes) -> bool:
    """Whether the way back is not refused: what was lost may be what the source's format needs."""
    try:
        translate(body, mapping.target, mapping.source, shipped())
    except Refused as fault:
        assert fault.code == "translation-target-invalid"
        return False
    return True


def _compacted_equal(one: Any, other: Any, gone: set[str]) -> bool:
    """Equal but for what is gone. Rows that say nothing are left out, so trees with such rows are compared by their values only."""
    if _has_blank_rows(one):
        return True
    return differences(one, other) == gone


def _has_blank_rows(value: Any) -> bool:
    if isinstance(value, dict):
        return any(_has_blank_rows(member) for member in value.values())
    if isinstance(value, list):
        return any(not differences(row, {}) for row in value) or any(_has_blank_rows(row) for row in value)
    return False


@pytest.mark.parametrize("mapping", SHAPED, ids=lambda one: str(one.name))
def test_random_messages_come_back_but_for_what_is_named(mapping: Mapping) -> None:
    translated: list[bool] = []

    @settings(max_examples=25, deadline=None)
    @given(message(mapping, 0))
    def run(value: dict[str, Any]) -> None:
        translated.append(check(mapping, written(mapping, value)))

    run()
    assert any(translated)  # else the messages that are tried show nothing


@pytest.mark.parametrize("mapping", SHAPED, ids=lambda one: str(one.name))
@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_odd_messages_are_refused_or_come_back(mapping: Mapping, data: st.DataObject) -> None:
    check(mapping, written(mapping, data.draw(message(mapping, data.draw(st.sampled_from((1, 5, 40)))))))


@pytest.mark.parametrize("mapping", TABLES, ids=lambda one: str(one.name))
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_random_canonical_documents_are_refused_or_written(mapping: Mapping, data: st.DataObject) -> None:
    value: dict[str, Any] = {}
    for one in data.draw(st.lists(st.sampled_from(mapping.fields), max_size=8)):
        here: Any = value
        for n, step in enumerate(one.target[:-1]):
            below: Any = [] if isinstance(one.target[n + 1], int) else {}
            here = _step(here, step, below)
        _step(here, one.target[-1], data.draw(TEXTS | ODD))
    raw = json.dumps({"canonical": "1", "kind": mapping.target.removeprefix("canonical."), "dictionary": "1.0.0", "data": value}).encode()
    try:
        made = translate(raw, mapping.target, mapping.source, shipped())
    except Refused:
        return
    assert translate(made.body, mapping.source, mapping.target, shipped()).target == mapping.target


def _step(here: Any, step: str | int, below: Any) -> Any:
    if isinstance(here, list):
        if not here:
            here.append(below)
        return here[0]
    return here.setdefault(step, below) if isinstance(here, dict) else {}


@settings(max_examples=40, deadline=None)
@given(
    subject=st.text(min_size=1, max_size=12),
    due=st.sampled_from(("", "2026/11/30", "2026/02/30", "30/11/2026")),
    priority=st.sampled_from(("", "0", "9", "khẩn")),
    kind=st.sampled_from("0123"),
    name_and_file=st.tuples(st.text(min_size=1, max_size=8), st.binary(min_size=1, max_size=40)),
)
def test_random_packets_are_refused_or_come_back(
    subject: str, due: str, priority: str, kind: str, name_and_file: tuple[str, bytes]
) -> None:
    packet = packets.document_packet(subject=subject, doc_type=kind, attachments=[File(*name_and_file)])
    packet = replace(packet, due_date=due, other_info=replace(packet.other_info, priority=priority))
    try:
        raw = write_document(packet)
    except Refused:
        return
    check(shipped().by_name["edxml_document"], raw)


@settings(max_examples=60, deadline=None)
@given(
    st.binary(max_size=80) | st.text(max_size=40).map(str.encode), st.sampled_from(sorted(formats())), st.sampled_from(sorted(formats()))
)
def test_any_bytes_between_any_formats_are_refused_or_translated(raw: bytes, source: str, target: str) -> None:
    for named in (source, AUTO):
        try:
            translate(raw, named, target, shipped())
        except Refused:
            continue
