"""Line-of-business messages among all others: told by their members, validated, documented."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from schemas.business.every_kind import TITLES, business_kind_of, every_kind, kind_named
from schemas.business.examples import example_of
from schemas.business.fields import place_of
from schemas.business.kinds import business_kinds
from schemas.dictionary.aliases import alias
from schemas.dvcqg.examples import example_of as one_stop_example
from schemas.dvcqg.json_schema import json_schema
from schemas.dvcqg.kinds import MessageKind, kinds
from schemas.dvcqg.pages import files, markdown
from schemas.dvcqg.shape import Kind, Shape, fields_of
from schemas.dvcqg.xsd import xsd
from schemas.lgsp.writer import write_xml
from schemas.validate import validate

AT = datetime(2026, 3, 20, tzinfo=UTC)
EXAMPLES = Path(__file__).parents[3] / "schemas" / "translation" / "mappings"
KINDS = business_kinds().values()
TWINS = {"vbdlis.TiepNhanHoSo", "ilis.TiepNhanHoSo", "vbdlis.ThongBaoNhapSaiThuTuc", "vbdlis.YeuCauCapNhatHoSo"}  # same members


def test_no_message_hides_another_and_each_system_has_a_title() -> None:
    assert len(every_kind()) == len(kinds()) + len(business_kinds()) == len(set(every_kind()))
    assert {one.endpoint for one in every_kind().values()} == set(TITLES)
    assert kind_named("khaisinh") is every_kind()["hotich.KhaiSinh"]
    assert kind_named("TiepNhanHoSo") is None


@pytest.mark.parametrize("kind", KINDS, ids=lambda one: one.name)
def test_each_has_a_page_and_schemas_that_can_be_used(kind: MessageKind) -> None:
    made = files()
    assert f"## {kind.name}\n" in made[f"{kind.endpoint}.md"]
    assert json.loads(made[f"schema/{kind.name}.json"]) == json_schema(kind)
    etree.XMLSchema(etree.fromstring(xsd(kind).encode()))


def whole(shape: type[Shape]) -> dict[str, Any]:
    """Every member, inner ones too, without values."""
    made: dict[str, Any] = {}
    for one in fields_of(shape):
        inner = "" if one.shape is None else whole(one.shape)
        made[one.name] = [inner] if one.kind is Kind.ROWS else inner
    return made


@pytest.mark.parametrize("kind", KINDS, ids=lambda one: one.name)
def test_a_message_with_all_its_members_is_told_or_its_twin_is_named(kind: MessageKind) -> None:
    value = whole(kind.shape)
    report = validate(json.dumps(value).encode(), at=AT)
    if kind.name in TWINS:
        assert [one.code for one in report.violations] == ["business-ambiguous-kind"]
        assert validate(json.dumps(value).encode(), kind=kind.name, at=AT).kind == kind.name
    else:
        told = business_kind_of(value)
        assert told is not None and told.name == kind.name


def known(shape: type[Shape]) -> set[str]:
    """The members whose meaning the dictionary has, and those that hold objects."""
    return {one.name for one in fields_of(shape) if one.shape or alias(*place_of(shape), one.name)}


@pytest.mark.parametrize("kind", KINDS, ids=lambda one: one.name)
def test_each_has_an_example_that_nothing_is_wrong_with(kind: MessageKind) -> None:
    example = example_of(kind)
    shown = json.dumps(example.as_json(), ensure_ascii=False, indent=1)
    assert f"```json\n{shown}\n```\n" in markdown(kind)
    report = validate(shown.encode(), kind=kind.name, at=AT)
    assert (report.ok, report.violations) == (True, ())
    assert example.as_json().keys() == known(kind.shape)
    if kind.name not in TWINS:
        assert validate(shown.encode(), at=AT).kind == kind.name


@pytest.mark.parametrize("kind", kinds().values(), ids=lambda one: one.name)
def test_the_examples_of_the_one_stop_exchange_have_nothing_wrong_either(kind: MessageKind) -> None:
    model = one_stop_example(kind)
    raw = write_xml(model, kind.title) if kind.encoding == "xml" else json.dumps(model.as_json()).encode()
    report = validate(raw, kind=kind.name, at=AT)
    assert (report.ok, report.violations) == (True, ())


def test_an_example_breaks_where_the_dictionary_s_form_is_broken() -> None:
    spoiled = {**example_of(business_kinds()["hotich.KhaiSinh"]).as_json(), "nycEmail": "khong phai thu"}
    assert [one.path for one in validate(json.dumps(spoiled).encode(), kind="hotich.KhaiSinh", at=AT).violations] == ["/nycEmail"]


@pytest.mark.parametrize("folder", ["hotich_birth", "lltp_request", "hub_permit"])
def test_whole_messages_are_valid(folder: str) -> None:
    for path in sorted((EXAMPLES / folder / "examples").glob("*.in")):
        report = validate(path.read_bytes(), at=AT)
        assert (report.ok, report.kind in business_kinds()) == (True, True), path


def test_all_that_is_wrong_is_told_at_once() -> None:
    wrong = json.dumps({"MaNhiemVu": "sai", "NoiDung": "", "HanHoanThanh": "ngày mai"}).encode()
    codes = [one.code for one in validate(wrong, kind="hub.NhiemVu", at=AT).violations]
    assert len(codes) >= 2 and "task-id-malformed" in codes


@given(st.recursive(st.none() | st.integers() | st.text(max_size=8), lambda one: st.dictionaries(st.text(max_size=8), one, max_size=4)))
def test_no_value_raises_anything(value: Any) -> None:
    validate(json.dumps(value).encode(), at=AT)
    for kind in ("hotich.KhaiSinh", "dvcqg.DongBoHoSoMC"):
        validate(json.dumps(value).encode(), kind=kind, at=AT)
