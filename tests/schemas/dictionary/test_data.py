"""The dictionary's own data: whole, consistent, and saying where it comes from."""

from __future__ import annotations

import re
import tomllib
from collections import Counter

import pytest

from schemas.converters.registry import converters
from schemas.dictionary.aliases import ANY_MESSAGE, alias, aliases, systems
from schemas.dictionary.code_lists import code_lists
from schemas.dictionary.entry import Entry, FieldType
from schemas.dictionary.store import DATA, dictionary
from schemas.errors import Refused

KEY = re.compile(r"[a-z0-9_]+\.[a-z0-9_]+(\.[a-z0-9_]+)?")
LABEL = re.compile(r"\[[LCSGDJ]\]")  # D and J are of the page on edXML
ENTRIES = dictionary().entries


def test_every_key_has_the_one_form() -> None:
    assert [key for key in ENTRIES if not KEY.fullmatch(key)] == []


def test_every_definition_is_written_in_both_languages() -> None:
    assert [one.key for one in ENTRIES.values() if not one.definition.vi.strip() or not one.definition.en.strip()] == []


def test_vietnamese_definitions_are_vietnamese() -> None:
    whole = [one for one in ENTRIES.values() if one.key.count(".") == 1]
    assert [one.key for one in whole if one.definition.vi == one.definition.en or one.definition.vi.isascii()] == []


def test_every_entry_says_where_it_comes_from_and_how_sure_it_is() -> None:
    assert [one.key for one in ENTRIES.values() if not LABEL.search(one.source)] == []


def test_every_code_list_that_an_entry_names_exists() -> None:
    assert {one.code_list for one in ENTRIES.values()} - {""} <= set(code_lists())


def test_only_codes_have_a_code_list() -> None:
    assert [one.key for one in ENTRIES.values() if one.code_list and one.type is not FieldType.CODE] == []


def test_every_pattern_compiles() -> None:
    assert all(re.compile(one.pattern).groups >= 0 for one in ENTRIES.values())


def test_dates_of_use_are_dates() -> None:
    form = re.compile(r"|\d{4}|\d{4}-\d{2}-\d{2}")
    assert [one.key for one in ENTRIES.values() if not (form.fullmatch(one.since) and form.fullmatch(one.until))] == []


def test_no_key_stands_twice_in_the_data() -> None:
    found = Counter(
        (subject, name)
        for path in (DATA / "domains").glob("*.toml")
        for subject, rows in tomllib.loads(path.read_text("utf-8")).items()
        for name in rows
    )
    assert [key for key, count in found.items() if count > 1] == []


def test_every_alias_names_a_key() -> None:
    assert [f"{one.system} {one.name} → {one.key}" for one in aliases() if one.key not in ENTRIES] == []


def test_every_converter_that_an_alias_names_exists() -> None:
    assert [f"{one.system} {one.name}: {name}" for one in aliases() for name in one.convert if name not in converters()] == []


def test_no_name_of_a_message_is_mapped_twice() -> None:
    counted = Counter((one.system, one.message, one.name) for one in aliases())
    assert [place for place, count in counted.items() if count > 1] == []


def test_exceptions_and_what_could_not_be_told_are_of_messages_that_are_listed() -> None:
    lost = [
        f"{one.name} {message}.{name}"
        for one in systems().values()
        for message, name in (*one.exceptions, *one.ambiguous)
        if message != ANY_MESSAGE and message not in one.messages
    ]
    assert lost == []


def test_nothing_is_both_mapped_and_could_not_be_told() -> None:
    both = [
        f"{one.name} {message}.{name}"
        for one in systems().values()
        for message, name in one.ambiguous
        if (message, name) in one.exceptions or (message == ANY_MESSAGE and name in one.names)
    ]
    assert both == []


def test_an_exception_says_something_else_than_the_rule() -> None:
    same = [
        f"{one.name} {message}.{name}"
        for one in systems().values()
        for (message, name), found in one.exceptions.items()
        if name in one.names and (one.names[name].key, one.names[name].convert) == (found.key, found.convert)
    ]
    assert same == []


def test_every_list_of_an_endpoint_maps_to_codes_of_its_common_list() -> None:
    lists = code_lists()
    wrong = [
        f"{one.name} {code} → {common}"
        for one in lists.values()
        if not one.is_common
        for code, common in one.to.items()
        if code not in one.codes or (not lists[one.common].open and common not in lists[one.common].codes)
    ]
    assert wrong == []


def test_a_list_that_is_closed_has_codes() -> None:
    assert [one.name for one in code_lists().values() if not one.open and not one.codes] == []


SAME_NAME_OTHER_MEANING = {
    "a state of a step": (("dvcqg", "CapNhatTienDoHoSoMC", "TrangThai"), "tien_trinh.trang_thai"),
    "a state of a fee": (("dvcqg", "LePhi", "TrangThai"), "le_phi.trang_thai"),
    "a name in an address of land": (("vbdlis", "VBDLISThongTinThuaDat", "DiaChiChiTiet"), "dat_dai.dia_chi_thua"),
    "a name in an address of a person": (("vbdlis", "VBDLISThongTinNguoiNop", "DiaChiChiTiet"), "nguoi_nop.dia_chi.chi_tiet"),
    "the subject of a criminal record": (("lltp", "DeclarationForm", "fullName"), "ndc.ho_ten"),
    "who gives the mandate": (("lltp", "MandatorForm", "fullName"), "nuq.ho_ten"),
    "the beneficiary": (("sld", "ThoiHuongTroCapXaHoi", "HoVaTen"), "doi_tuong.ho_ten"),
    "who arranges the burial": (("sld", "HoTroMaiTangPhi", "HoVaTen"), "nguoi_mai_tang.ho_ten"),
    "a province in an address": (("hotich", "KhaiSinhKhaiTu_DiaChi", "maTinh"), "dia_chi.ma_tinh"),
    "the province of a system": (("hotich", "ScanHoTichRequest", "maTinh"), "co_quan.tinh"),
    "residence then": (("lltp", "QuaTrinhCuTru", "NoiThuongTru"), "cu_tru.noi_cu_tru"),
    "residence now": (("lltp", "DataEform", "NoiThuongTru"), "ndc.thuong_tru"),
    "a typo of the wire": (("lltp", "ToKhaiLGSP", "nyqQuanHe"), "nuq.quan_he"),
    "the newborn's number": (("hotich", "HoTich_KhaiSinh_KetQuaXuLy", "soDinhDanh"), "nks.so_dinh_danh"),
}


@pytest.mark.parametrize(("place", "key"), SAME_NAME_OTHER_MEANING.values(), ids=SAME_NAME_OTHER_MEANING)
def test_a_name_means_what_its_message_makes_it_mean(place: tuple[str, str, str], key: str) -> None:
    found = alias(*place)
    assert found is not None
    assert found.key == key


UNKNOWN = {
    "a system nobody knows": ("nowhere", "DongBoHoSoMC", "MaHoSo"),
    "a message that was not looked at": ("dvcqg", "DongBoDanhGia", "MaHoSo"),
    "a name that was never seen": ("dvcqg", "DongBoHoSoMC", "TenMoi"),
    "a name that could not be told": ("dvcqg", "HoSoDto", "SoDinhDanh"),
}


@pytest.mark.parametrize("place", UNKNOWN.values(), ids=UNKNOWN)
def test_nothing_is_guessed(place: tuple[str, str, str]) -> None:
    assert alias(*place) is None


def test_what_could_not_be_told_says_why() -> None:
    assert systems()["dvcqg"].why_not("HoSoDto", "SoDinhDanh")
    assert [one.name for one in systems().values() if not all(why.strip() for why in one.ambiguous.values())] == []


def test_a_role_and_a_part_are_told_in_the_definition() -> None:
    entry = dictionary().entry("me.noi_cu_tru.ma_huyen")
    assert (entry.role, entry.type, entry.until) == ("me", FieldType.CODE, "2025-06-30")
    assert "mẹ" in entry.definition.vi
    assert "quận, huyện" in entry.definition.vi


def test_a_field_of_one_role_is_of_no_other() -> None:
    assert "nkt.ngay_chet" in ENTRIES
    assert "nks.ngay_chet" not in ENTRIES


def test_an_unknown_key_is_refused() -> None:
    with pytest.raises(Refused, match="dictionary-key-unknown"):
        dictionary().entry("nks.mau_mat")


@pytest.mark.parametrize("words", ["ngày sinh mẹ", "NGAY SINH me", "ngay_sinh me", "date birth mother"])
def test_finding_works_with_and_without_accents(words: str) -> None:
    assert "me.ngay_sinh" in [one.key for one in dictionary().find(words)]


@pytest.mark.parametrize("words", ["", "   ", "không có gì như vậy"])
def test_finding_nothing_gives_nothing(words: str) -> None:
    assert dictionary().find(words) == ()


def test_secrets_and_convictions_are_marked() -> None:
    marks = {key: ENTRIES[key].privacy for key in ("ket_noi.mat_khau", "ban_an.toi_danh", "nks.ho_ten", "ho_so.ma")}
    assert [str(mark) for mark in marks.values()] == ["secret", "sensitive", "personal", "plain"]


def test_the_json_form_has_every_member() -> None:
    members = {"key", "type", "definition", "code_list", "pattern", "unit", "privacy", "since", "until", "role", "source"}
    assert set(ENTRIES["ho_so.ma"].as_json()) == members
    assert all(isinstance(one, Entry) for one in ENTRIES.values())
