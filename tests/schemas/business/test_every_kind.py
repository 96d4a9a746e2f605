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
from schemas.business.kinds import business_kinds
from schemas.dvcqg.json_schema import json_schema
from schemas.dvcqg.kinds import MessageKind, kinds
from schemas.dvcqg.pages import files
from schemas.dvcqg.shape import Kind, Shape, fields_of
from schemas.dvcqg.xsd import xsd
from schemas.validate import validate

AT = datetime(2026, 3, 2, tzinfo=UTC)
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
