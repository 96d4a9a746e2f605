"""Mapping files: everything that is wrong with one is listed, and nothing else is ever raised."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.errors import Refused
from schemas.translation.engine import Mappings
from schemas.translation.load import load
from schemas.translation.shipped import FOLDER, shipped

GOOD = """
name = "trial"
version = "1"
kind = "table"
source = "dvcqg.CapNhatTienDoHoSoMC"
target = "canonical.progress"
inverse = true
vi = "thử"
en = "trial"
basis = "[G]"
[defaults]
text = ["text:nfc"]
[[constant]]
path = "service"
value = "CapNhatTienDoHoSoMC"
[[block]]
fields = [["madonvi", "co_quan.ma", "agency:any"]]
[[block]]
source = "data[]"
target = "ho_so.tien_trinh[]"
fields = [
  ["MaHoSo", "ho_so.ma"],
  ["NguoiXuLy", "tien_trinh.nguoi_xu_ly"],
  ["ThoiDiemXuLy", "tien_trinh.thoi_diem", "datetime:yyyyMMddHHmmss"],
  ["TrangThai", "tien_trinh.trang_thai", "code:trang_thai_ho_so"],
]
[[loss]]
side = "source"
paths = ["session", "data[]/ChucDanh", "data[]/PhongBanXuLy", "data[]/NoiDungXuLy", "data[]/NgayBatDau", "data[]/NgayKetThucTheoQuyDinh"]
vi = "thử"
en = "trial"
"""

BAD = {
    "a key nobody knows": ("ho_so.ma", "ho_so.ma_la", "dictionary-key-unknown"),
    "a converter nobody knows": ("agency:any", "agency:none", "converter-unknown"),
    "a field the message does not have": ('"MaHoSo"', '"MaHoSoo"', "mapping-field-unknown"),
    "a field of no list": ('source = "data[]"', 'source = "data"', "mapping-field-unknown"),
    "two fields of one target": ("tien_trinh.nguoi_xu_ly", "ho_so.ma", "mapping-duplicate"),
    "two fields of one source": ('"NguoiXuLy"', '"MaHoSo"', "mapping-duplicate"),
    "a field that nobody mentions": ('"session", ', "", "mapping-incomplete"),
    "a secret in the canonical document": ("co_quan.ma", "ket_noi.phien", "mapping-secret"),
    "a list where one value stands": ('"ho_so.tien_trinh[]"', '"ho_so.ma[]"', "mapping-key-type"),
    "one value where a list stands": ("tien_trinh.nguoi_xu_ly", "ho_so.tien_trinh", "mapping-key-type"),
    "rows on one side only": ('target = "ho_so.tien_trinh[]"', 'target = "ho_so.tien_trinh[0]"', "mapping-malformed"),
    "no way back": ("datetime:yyyyMMddHHmmss", "date:recognised", "mapping-one-way"),
    "a format that does not exist": ("canonical.progress", "canonical.poem", "translation-unknown-format"),
    "a member nobody reads": ('basis = "[G]"', 'basis = "[G]"\nbases = 1', "mapping-malformed"),
    "no basis": ('basis = "[G]"', 'basis = " "', "mapping-malformed"),
    "a loss without a reason": ('vi = "thử"\nen = "trial"\n', 'vi = "thử"\n', "mapping-malformed"),
    "a loss of nothing": ('"session"', '"sessions"', "mapping-field-unknown"),
    "a kind that is none": ('kind = "table"', 'kind = "python"', "mapping-malformed"),
    "a stylesheet that is none": ('kind = "table"', 'kind = "xslt"', "mapping-stylesheet"),
    "an extract of nothing": ('kind = "table"', 'kind = "extract"', "mapping-malformed"),
    "no converters": ('text = ["text:nfc"]', "text = []", "mapping-malformed"),
    "a date, which has no canonical form": ('version = "1"', "version = 2026-01-01", "mapping-malformed"),
    "no TOML": ('name = "trial"', "name = ", "mapping-malformed"),
}


def faults(text: str) -> set[str]:
    """The codes of everything that is wrong with a file."""
    with pytest.raises(Refused) as fault:
        load(text.encode())
    assert fault.value.code == "mapping-invalid"
    return {one.code for one in fault.value.violations}


def test_the_trial_mapping_is_well() -> None:
    assert load(GOOD.encode()).name == "trial"


@pytest.mark.parametrize(("old", "new", "code"), BAD.values(), ids=BAD)
def test_a_bad_mapping_is_told(old: str, new: str, code: str) -> None:
    assert old in GOOD
    assert code in faults(GOOD.replace(old, new) if old != 'vi = "thử"\nen = "trial"\n' else new.join(GOOD.rsplit(old, 1)))


def test_everything_is_told_at_once() -> None:
    text = GOOD.replace("agency:any", "agency:none").replace("ho_so.ma", "ho_so.ma_la").replace('"session", ', "")
    assert {"converter-unknown", "dictionary-key-unknown", "mapping-incomplete"} <= faults(text)


def test_two_lists_may_not_share_rows() -> None:
    text = (FOLDER / "dvcqg_dossiers" / "mapping.toml").read_text("utf-8")
    mixed = text.replace('target = "goi_tin.ho_so[]/ho_so.ket_noi_csdl[]"', 'target = "goi_tin.ho_so[]/ho_so.dinh_danh_chu_ho_so[]"')
    assert mixed != text
    assert "mapping-duplicate" in faults(mixed)


def test_the_id_is_of_the_content_not_of_the_layout() -> None:
    spaced = GOOD.replace(" = ", "   =  ").replace("\n[[", "\n# a remark\n\n[[")
    assert load(spaced.encode()).id == load(GOOD.encode()).id
    assert load(GOOD.replace('"1"', '"2"').encode()).id != load(GOOD.encode()).id


def test_a_stylesheet_is_part_of_the_id() -> None:
    folder = FOLDER / "edxml_numbered"
    raw, sheet = (folder / "mapping.toml").read_bytes(), (folder / "shape.xslt").read_bytes()
    assert load(raw, sheet).id != load(raw, sheet.replace(b"C# software", b"other software")).id


def test_the_order_of_members_is_not_part_of_the_id() -> None:
    data = tomllib.loads(GOOD)
    assert rfc8785.dumps(data) == rfc8785.dumps(dict(reversed(data.items())))


def test_two_mappings_may_not_do_the_same() -> None:
    one = load(GOOD.encode())
    with pytest.raises(Refused, match="mapping-invalid"):
        Mappings.of([one, one])
    with pytest.raises(Refused, match="mapping-invalid"):
        Mappings.of([one, shipped().by_name["dvcqg_progress"]])


def test_two_ways_of_one_length_are_not_chosen_between() -> None:
    shapes = {"a": ("GetToken", "GetNextValue"), "b": ("GetToken", "UploadFileTraLoi")}
    fields = {"a": '[["client_id", "code"]]', "b": '[["client_id", "IdTepTin"]]'}
    made = [_direct(name, *shapes[name], fields[name], '["client_secret"]') for name in shapes]
    made.append(_direct("c", "GetNextValue", "CapNhatTienTrinh", '[["code", "IDHoSo"]]', "[]"))
    made.append(_direct("d", "UploadFileTraLoi", "CapNhatTienTrinh", '[["IdTepTin", "IDHoSo"]]', '["HashTepTin"]'))
    with pytest.raises(Refused, match="translation-several-ways"):
        Mappings.of(made).way("ministry.GetToken", "ministry.CapNhatTienTrinh")


def _direct(name: str, source: str, target: str, fields: str, lost: str) -> Any:
    head = f'name = "{name}"\nversion = "1"\nkind = "table"\nsource = "ministry.{source}"\ntarget = "ministry.{target}"\n'
    body = f'vi = "thử"\nen = "trial"\nbasis = "[G]"\n[[block]]\nfields = {fields}\n'
    return load((head + body + f'[[loss]]\nside = "source"\npaths = {lost}\nvi = "thử"\nen = "trial"\n').encode())


TEXTS = st.text(max_size=8) | st.sampled_from(
    ["data[]", "a/b", "service", "canonical.progress", "ho_so.ma", "text:nfc", "source", "target", "[]"]
)
VALUES: st.SearchStrategy[Any] = st.recursive(
    TEXTS | st.integers(-5, 5) | st.booleans(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(sorted(tomllib.loads(GOOD))), VALUES)
def test_a_file_with_any_value_in_any_place_is_loaded_or_refused(name: str, value: Any) -> None:
    text = _toml({**tomllib.loads(GOOD), name: value})
    try:
        load(text.encode("utf-8", "surrogatepass"))
    except Refused as fault:
        assert fault.code == "mapping-invalid"


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=60))
def test_any_bytes_are_loaded_or_refused(raw: bytes) -> None:
    with pytest.raises(Refused, match="mapping-invalid"):
        load(raw)


def _toml(data: dict[str, Any]) -> str:
    return "\n".join(f"{_text(name)} = {_value(value)}" for name, value in data.items())


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_text(name)} = {_value(one)}" for name, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_value(one) for one in value) + "]"
    return str(value) if isinstance(value, int) else _text(value)


def _text(value: str) -> str:
    return '"' + "".join(ch if ch.isalnum() or ch in " []./:_-" else f"\\U{ord(ch):08x}" for ch in value) + '"'
