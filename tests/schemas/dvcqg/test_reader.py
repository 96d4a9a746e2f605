"""What the JSON reader makes of good and bad dossier messages: the code, the place and the severity of everything it finds."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from schemas.dvcqg.delegation import Delegation
from schemas.dvcqg.dossier import DossierSync
from schemas.dvcqg.reader import read_json
from schemas.errors import Refused, errors_of
from schemas.limits import DEFAULT_LIMITS
from tests.schemas.dvcqg.messages import dossier, paper, progress, raw, read, request, sync, taken

ERROR, WARNING = "error", "warning"


def without(row: dict[str, Any], name: str) -> dict[str, Any]:
    """`row` without one member."""
    return {key: value for key, value in row.items() if key != name}


def delegation(**other: Any) -> dict[str, Any]:
    """A delegation with its reason."""
    return {
        "MaUyQuyen": "UQ-01",
        "MaDonVi": "H99.14",
        "NguoiUyQuyen": "Lê Văn Mẫu",
        "ChucVuNguoiUyQuyen": "Chủ tịch",
        "NguoiDuocUyQuyen": "Trần Thị Thử",
        "ChucVuNguoiDuocUyQuyen": "Phó Chủ tịch",
        "NoiDungUyQuyen": "Ký kết quả hồ sơ hộ tịch",
        "LoaiLyDo": "dot-xuat",
        "LyDo": "Chủ tịch dự họp đột xuất",
        "TuThoiDiem": "20260302070000",
        **other,
    }


# sentence → (message, severity, code, place)
FAULTS: dict[str, tuple[Any, str, str, str]] = {
    "no dossier code": (sync(without(dossier(), "MaHoSo")), ERROR, "dossier-missing-field", "/data/0/MaHoSo"),
    "a blank dossier code": (sync(dossier(MaHoSo="  ")), ERROR, "dossier-empty-field", "/data/0/MaHoSo"),
    "no state": (sync(without(dossier(), "TrangThaiHoSo")), ERROR, "dossier-missing-field", "/data/0/TrangThaiHoSo"),
    "no name of the procedure": (sync(without(dossier(), "TenTTHC")), WARNING, "dossier-missing-field", "/data/0/TenTTHC"),
    "a blank name of the procedure": (sync(dossier(TenTTHC="")), WARNING, "dossier-empty-field", "/data/0/TenTTHC"),
    "no e-mail at all": (sync(without(dossier(), "Email")), WARNING, "dossier-missing-field", "/data/0/Email"),
    "no dossier in the list": (request("DongBoHoSoMC", isUpdating="False", data=[]), ERROR, "dossier-missing-field", "/data"),
    "a field nobody knows": (sync(dossier(MauHoSo="x")), WARNING, "dossier-unknown-field", "/data/0/MauHoSo"),
    "a number for a string": (sync(dossier(HinhThuc=0)), WARNING, "dossier-not-a-string", "/data/0/HinhThuc"),
    "true for a string": (sync(dossier(GhiChu=True)), WARNING, "dossier-not-a-string", "/data/0/GhiChu"),
    "null for a string": (sync(dossier(GhiChu=None)), WARNING, "dossier-not-a-string", "/data/0/GhiChu"),
    "null for the dossier code": (sync(dossier(MaHoSo=None)), ERROR, "dossier-missing-field", "/data/0/MaHoSo"),
    "an object for a string": (sync(dossier(TenTTHC={"a": "b"})), ERROR, "dossier-wrong-shape", "/data/0/TenTTHC"),
    "a string for a list": (sync(dossier(TaiLieuNop="x")), ERROR, "dossier-wrong-shape", "/data/0/TaiLieuNop"),
    "one paper without its list": (sync(dossier(TaiLieuNop=paper())), WARNING, "dossier-wrong-shape", "/data/0/TaiLieuNop"),
    "a text among the dossiers": (request("DongBoHoSoMC", isUpdating="False", data=["x"]), ERROR, "dossier-wrong-shape", "/data/0"),
    "a date of another format": (sync(dossier(NgayHenTra="16/03/2026")), WARNING, "dossier-date-format", "/data/0/NgayHenTra"),
    "a date by the broken pattern": (sync(dossier(NgayHenTra="16 /03/2026")), WARNING, "honesty-broken-date-pattern", "/data/0/NgayHenTra"),
    "a day that does not exist": (sync(dossier(NgayHenTra="20260231170000")), ERROR, "dossier-bad-date", "/data/0/NgayHenTra"),
    "hour 24": (sync(dossier(NgayHenTra="20260316240000")), ERROR, "dossier-bad-date", "/data/0/NgayHenTra"),
    "no date at all": (sync(dossier(NgayHenTra="mai")), ERROR, "dossier-bad-date", "/data/0/NgayHenTra"),
    "a state 11": (sync(dossier(TrangThaiHoSo="11")), WARNING, "dossier-unknown-code", "/data/0/TrangThaiHoSo"),
    "a kind of applicant of the ministry": (sync(dossier(LoaiDoiTuong="0")), WARNING, "dossier-unknown-code", "/data/0/LoaiDoiTuong"),
    "a summary of 1,001 characters": (sync(dossier(TrichYeuHoSo="ă" * 1001)), WARNING, "dossier-too-long", "/data/0/TrichYeuHoSo"),
    "an officer of 51 characters": (progress(taken(NguoiXuLy="ă" * 51)), WARNING, "dossier-too-long", "/data/0/NguoiXuLy"),
    "a local dossier code": (sync(dossier(MaHoSo="HS2026/0001")), WARNING, "dossier-code-form", "/data/0/MaHoSo"),
    "a code of another day": (sync(dossier(MaHoSo="H99.14-250101-0001")), WARNING, "dossier-code-date", "/data/0/MaHoSo"),
    "a local procedure code": (sync(dossier(MaTTHC="HT-01")), WARNING, "procedure-code-form", "/data/0/MaTTHC"),
    "a file's address that is none": (
        sync(dossier(TaiLieuNop=[paper(DuongDanTaiTepTin="C:\\tep.pdf")])),
        WARNING,
        "dossier-bad-url",
        "/data/0/TaiLieuNop/0/DuongDanTaiTepTin",
    ),
    "a citizen's number of 9 digits": (
        sync(dossier(DinhDanhCHS=[{"LoaiDinhDanh": "1", "SoDinhDanh": "225123987"}])),
        WARNING,
        "dossier-identity-form",
        "/data/0/DinhDanhCHS/0/SoDinhDanh",
    ),
    "promised before it was received": (sync(dossier(NgayHenTra="20260301170000")), WARNING, "dossier-dates-order", "/data/0/NgayHenTra"),
    "an unusable unit": (sync() | {"madonvi": "null"}, WARNING, "dossier-bad-agency", "/madonvi"),
    "a fee with separators": (
        sync(
            dossier(
                DanhSachLePhi=[{"TenPhiLePhi": "Lệ phí", "MaPhiLePhi": "LP", "HinhThucThu": "1", "Gia": "50.000đ", "LoaiPhiLePhi": "2"}]
            )
        ),
        WARNING,
        "dossier-bad-number",
        "/data/0/DanhSachLePhi/0/Gia",
    ),
    "a bare list of dossiers": ([dossier()], WARNING, "dossier-bare-list", ""),
    "a fault in a bare list": ([dossier(TenTTHC="")], WARNING, "dossier-empty-field", "/0/TenTTHC"),
    "a bare list of steps": ([taken()], WARNING, "dossier-bare-list", ""),
    "a delegation without reason": (delegation(LyDo="Không"), ERROR, "delegation-no-reason", "/LyDo"),
    "a delegation with a blank reason": (delegation(LyDo=""), ERROR, "dossier-empty-field", "/LyDo"),
    "a delegation for a reason of another kind": (delegation(LoaiLyDo="ban"), WARNING, "dossier-unknown-code", "/LoaiLyDo"),
    "a delegation to oneself": (delegation(NguoiDuocUyQuyen="Lê Văn mẫu"), WARNING, "delegation-to-oneself", "/NguoiDuocUyQuyen"),
    "a delegation that ends before it begins": (delegation(DenThoiDiem="20260301070000"), WARNING, "dossier-dates-order", "/DenThoiDiem"),
}


@pytest.mark.parametrize(("message", "severity", "code", "place"), FAULTS.values(), ids=FAULTS.keys())
def test_a_fault_is_found_and_nothing_else(message: Any, severity: str, code: str, place: str) -> None:
    found = read(message).violations
    assert (severity, code, place) in {(one.severity, one.code, one.path) for one in found}
    assert {one.code for one in found} <= {code, "dossier-bare-list", "dossier-dates-order" if code == "dossier-bad-date" else code}
    assert all(one.line > 0 for one in found)


@pytest.mark.parametrize("message", [sync(), progress(), delegation()], ids=["dossiers", "progress", "a delegation"])
def test_of_a_good_message_nothing_is_said(message: Any) -> None:
    assert read(message).violations == ()


def test_all_faults_are_named_with_their_lines() -> None:
    reading = read(sync(dossier(MaHoSo="", TenTTHC="", NgayTiepNhan="x", la="lạ")))
    assert len(reading.violations) == 4
    assert [one.severity for one in reading.violations] == [ERROR, ERROR, WARNING, WARNING]
    text = raw(sync(dossier(MaHoSo="", TenTTHC="", NgayTiepNhan="x", la="lạ"))).decode().split("\n")
    for one in reading.violations:
        assert one.path.rpartition("/")[2] in text[one.line - 1]
    assert not reading.ok


def test_a_member_in_another_case_is_pointed_out() -> None:
    (found,) = [one for one in read(sync(dossier(ghichu="x"))).violations if one.code == "dossier-unknown-field"]
    assert found.expected == "GhiChu"


def test_unknown_members_and_numbers_that_known_senders_write_are_kept() -> None:
    files = [{"TenGiayTo": "Giấy khác", "SoLuong": 1, "LoaiGiayTo": "1"}]
    model = read(sync(dossier(DanhSachTepDinhKemKhac=files, MaHoSoKhac="A1", them={"a": [1, "2", None]}))).model
    assert isinstance(model, DossierSync)
    assert model.data[0].DanhSachTepDinhKemKhac[0].SoLuong == 1
    assert model.as_json()["data"][0]["them"] == {"a": [1, "2", None]}


def test_no_secret_and_no_identity_number_is_repeated() -> None:
    bad = sync(dossier(DinhDanhCHS=[{"LoaiDinhDanh": "2", "SoDinhDanh": "068090004321"}])) | {"session": 123456}
    reading = read(bad)
    assert {"dossier-identity-form", "dossier-not-a-string"} == {one.code for one in reading.violations}
    assert not any("068090004321" in one.got or "123456" in one.got for one in reading.violations)
    assert "phien-thu" not in repr(read(sync()).model)


@pytest.mark.parametrize(
    ("text", "code", "line"),
    [
        (b"", "empty-body", 0),
        (b" \n ", "empty-body", 0),
        (b'{"a": }', "malformed-json", 1),
        (b'{"a": 1,}', "malformed-json", 1),
        (b'{"a":\n NaN}', "malformed-json", 2),
        (b'["NaN",\n\n -Infinity]', "malformed-json", 3),
        (b'{"a": "\x01"}', "malformed-json", 1),
        (b'{"a": 1} {}', "malformed-json", 1),
        (b'{"a":\n"\xff"}', "encoding", 2),
        ('{"service": "LayThuTuc"}'.encode("utf-16"), "encoding", 1),
        (b"[" * 65 + b"]" * 65, "resource-limit", 0),
        (b"[" * 100_000, "resource-limit", 0),
        (b'{"a":' * 100_000, "resource-limit", 0),
        (b"[" + b"0," * 400_000 + b"0]", "resource-limit", 0),
        (b" " * (8 * 1024 * 1024 + 1), "too-large", 0),
        (b'{"service": "KhongCo"}', "dossier-unknown-kind", 0),
        (b'"x"', "dossier-unknown-kind", 0),
        (b"[]", "dossier-unknown-kind", 0),
        (b"[[]]", "dossier-unknown-kind", 0),
    ],
    ids=[
        *("nothing", "blanks", "no value", "a comma too many", "NaN", "Infinity behind a string that says NaN", "a control character"),
        *("two values", "latin bytes", "UTF-16", "depth 65", "depth 100,000, unclosed", "depth 100,000 of objects", "400,000 numbers"),
        *("8 MB and a byte", "a service nobody knows", "a string", "an empty list", "a list of lists"),
    ],
)
def test_what_cannot_be_read_is_refused(text: bytes, code: str, line: int) -> None:
    with pytest.raises(Refused) as caught:
        read_json(text)
    assert caught.value.code == code
    assert line == 0 or caught.value.violations[0].line == line


@pytest.mark.parametrize(
    ("text", "places"),
    [
        (b'{"error_code": "0",\n"error_code": "1"}', {("/error_code", 2)}),
        (b'{"error_code": "0", "error\\u005fcode": "1"}', {("/error_code", 1)}),
        (b'{"error_code": "0", "a": [{"b": 1,\n"b": 2}, {"b": 1}]}', {("/a/0/b", 2)}),
    ],
    ids=["at the top", "behind an escape", "inside, where others are single"],
)
def test_a_name_that_stands_twice_is_an_error_with_its_place(text: bytes, places: set[tuple[str, int]]) -> None:
    found = errors_of(read_json(text).violations)
    assert {(one.path, one.line) for one in found} == places
    assert {one.code for one in found} == {"json-duplicate-name"}


@pytest.mark.parametrize("escape", ["\\ud800", "\\udc00x", "\\u0000", "\\u001b", "\\uffff"])
def test_a_character_that_no_text_may_hold_is_an_error_and_does_not_come_through(escape: str) -> None:
    reading = read_json(b'{"error_code": "0", "message": "a' + escape.encode() + b'"}')
    assert [(one.code, one.path) for one in errors_of(reading.violations)] == [("json-bad-text", "/message")]
    assert "\ufffd" in str(reading.model.as_json()["message"])


def test_an_escaped_pair_of_surrogates_is_a_character() -> None:
    assert read_json(b'{"error_code": "0", "message": "\\ud83d\\ude00"}').violations == ()


def test_a_number_of_a_million_digits_is_a_text() -> None:
    reading = read_json(b'{"error_code": ' + b"9" * 1_000_000 + b"}")
    assert [one.code for one in reading.violations] == ["dossier-not-a-string"]


def test_violations_are_bounded_and_errors_are_not_pushed_out() -> None:
    rows = [{f"x{n}": "" for n in range(300)}, {}]
    reading = read_json(raw(request("DongBoHoSoMC", isUpdating="False", data=rows)), limits=replace(DEFAULT_LIMITS, max_violations=10))
    assert len(reading.violations) == 10
    assert len(errors_of(reading.violations)) == 6


def test_a_kind_can_be_demanded() -> None:
    assert read(dossier(), "dvcqg.HoSoTuCong").kind.name == "dvcqg.HoSoTuCong"
    assert read({}, "TraCuuHoSo").kind.name == "dvcqg.TraCuuHoSo"
    for name in ("MSyncDocument", "khong.co"):
        with pytest.raises(Refused):
            read({}, name)


def test_a_delegation_says_when_it_holds() -> None:
    model = read(delegation()).model
    assert isinstance(model, Delegation)
    begin = model.begins_at
    assert begin is not None
    assert model.covers(begin.replace(hour=16))
    assert not model.covers(begin.replace(day=3))
