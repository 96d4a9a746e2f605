"""Line-of-business messages read: everything that is wrong is listed, nothing is repaired, and nothing else is ever raised."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.business.kinds import business_kinds
from schemas.business.reader import read_business
from schemas.dictionary.store import dictionary
from schemas.errors import Refused, Severity

BIRTH: dict[str, Any] = {
    "maGCS": "GCS-1",
    "nksHoTen": "Nguyễn Văn An",
    "nksNgaySinh": "05/03/2024",
    "nksNoiSinh": {"maTinh": "56", "maHuyen": "", "maXa": "22336", "dcChiTiet": "Bệnh viện tỉnh"},
    "meHoTen": "Trần Thị Bình",
    "meNgaySinh": "1995",
    "meSoDDCN": "056195001234",
    "nycHoTen": "Trần Thị Bình",
    "nycSoDienThoai": "0905 123 456",
    "nycEmail": "binh@example.vn",
}
DEATH = {"nktHoTen": "Lê Văn Cường", "nktNgaySinh": "01/01/1940", "nktNgayChet": "02/03/2024", "nycHoTen": "Lê Thị Dung"}
LAND: dict[str, Any] = {
    "LaQuyTrinhCapTinh": False,
    "TinhId": 56,
    "HuyenId": 568,
    "XaId": 22336,
    "SoBienNhan": "BN-01",
    "NguoiTiepNhan": "cb01",
    "NgayTiepNhan": "2024-09-20T08:15:00",
    "NgayHenTra": "2024-10-04T17:00:00",
    "ThongTinNguoiNopDon": {"HoTen": "Phạm Văn Em", "SoChungMinh": "225123456"},
    "ThongTinQuyTrinh": {"MaQuyTrinh": "QT1", "TenQuyTrinh": "Cấp đổi"},
    "ThongTinThuaDat": [{"SoThuTuThua": "12", "SoHieuBanDo": "3", "DienTich": "120,5", "DiaChiChiTiet": "xã Ninh Sơn"}],
    "DanhSachGiayToDinhKem": [{"TenGiayTo": "Đơn", "SoBanChinh": 1, "SoBanSao": 0, "TapTin": {"name": "don.pdf", "data": "UERG"}}],
}
PERMIT: dict[str, Any] = {
    "MaHoSo": "H32.14-240920-0001",
    "MaTTHC": "1.009994",
    "LoaiGiayPhep": "moi",
    "ChuDauTu": {"HoTen": "Công ty A", "DiaChi": "12 Trần Phú", "MaSoThue": "4200238383", "DienThoai": "0258123456"},
    "CongTrinh": {"LoaiCongTrinh": "Nhà ở riêng lẻ", "DiaDiem": "xã Ninh Sơn", "DienTichXayDung": "85.5", "SoTang": 3},
    "NgayKhoiCong": "2024-12-01",
    "NgayHoanThanh": "2025-06-30",
}
TASK = {"MaNhiemVu": "443122_H32-NV-G22-2024-011227055", "LoaiNhiemVu": "1", "DaDongBo": True, "CoQuanThucHien": "000.00.00.H32"}
FORM: dict[str, Any] = {
    "MaBieuMau": "BM-KS-01",
    "PhienBanBieuMau": "3",
    "PhienBanTuDien": dictionary().version,
    "DuLieu": {
        "nks.ho_ten": "Nguyễn Văn An",
        "nks.ngay_sinh": "2024-03-05",
        "nks.gioi_tinh": "1",
        "nks.noi_sinh": {"ma_tinh": "56", "chi_tiet": "Bệnh viện tỉnh"},
        "ho_tich.so_ban_sao": 2,
        "lltp.qua_trinh_cu_tru": [{"cu_tru.tu_ngay": "1990-05", "cu_tru.nghe_nghiep": "Nông dân"}],
    },
}
GOOD: dict[str, tuple[str, dict[str, Any]]] = {
    "a birth": ("hotich.KhaiSinh", BIRTH),
    "a death": ("hotich.KhaiTu", DEATH),
    "a marriage": ("hotich.KetHon", {"voHoTen": "A", "chongHoTen": "B", "voSoLanKH": 1, "chongSoLanKH": 1}),
    "a civil status dossier": ("hotich.HoSo", {"maHoSoMCDT": "H32.1-240920-0001", "data": "{}", "fileDinhKem": []}),
    "a result of a birth": ("hotich.KetQuaKhaiSinh", {"maHoSoMCDT": "x", "trangThai": "4", "ketQuaXuLy": {"soDinhDanh": "056224001234"}}),
    "a criminal record request": ("lltp.YeuCau", {"maHoSoMCDT": "x", "toKhai": {"nycHoTen": "A", "nycNgaySinh": "01/01/1990"}}),
    "a criminal record result": ("lltp.TrangThai", {"maHoSoMCDT": "x", "trangThaiXuLy": "9", "ketQuaXuLy": {"soPhieuLLTP": "1"}}),
    "land": ("vbdlis.TiepNhanHoSo", LAND),
    "an end of a land dossier": ("vbdlis.DongBoTrangThaiKetThuc", {"SoBienNhan": "BN-01", "NgayKetThuc": "2024-10-01T10:00:00"}),
    "an enterprise": ("dkkd.KetQua", {"data": {"MainInformation": {"Anything": 1}, "Representatives": [{"a": "b"}]}}),
    "a construction permit": ("hub.HoSoCapPhepXayDung", PERMIT),
    "a task": ("hub.NhiemVu", TASK),
    "a form": ("hub.GoiBieuMau", FORM),
}


@pytest.mark.parametrize(("kind", "body"), GOOD.values(), ids=GOOD)
def test_a_good_message_has_no_fault_and_stays_as_it_was(kind: str, body: dict[str, Any]) -> None:
    found = read_business(json.dumps(body, ensure_ascii=False).encode(), kind)
    assert found.violations == ()
    assert found.ok
    assert found.model.as_json() == body


def changed(body: dict[str, Any], **members: Any) -> dict[str, Any]:
    """`body` with some members changed."""
    return {**body, **members}


BAD: dict[str, tuple[str, dict[str, Any], tuple[str, str, str]]] = {
    "a birth before the mother's": (
        "hotich.KhaiSinh",
        changed(BIRTH, meNgaySinh="2025"),
        ("warning", "business-dates-order", "/nksNgaySinh"),
    ),
    "a death before the birth": (
        "hotich.KhaiTu",
        changed(DEATH, nktNgayChet="02/03/1939"),
        ("warning", "business-dates-order", "/nktNgayChet"),
    ),
    "a day that does not exist": (
        "hotich.KhaiSinh",
        changed(BIRTH, nksNgaySinh="30/02/2024"),
        ("warning", "business-odd-value", "/nksNgaySinh"),
    ),
    "a number that is none": ("hotich.KhaiSinh", changed(BIRTH, meSoDDCN="000000000000"), ("warning", "business-odd-value", "/meSoDDCN")),
    "ten digits": (
        "vbdlis.TiepNhanHoSo",
        changed(LAND, ThongTinNguoiNopDon={"HoTen": "E", "SoChungMinh": "1234567890"}),
        ("warning", "business-odd-value", "/ThongTinNguoiNopDon/SoChungMinh"),
    ),
    "no receipt number": ("vbdlis.TiepNhanHoSo", changed(LAND, SoBienNhan=""), ("error", "dossier-empty-field", "/SoBienNhan")),
    "a state nobody has": ("hotich.KetQuaKhaiTu", {"maHoSoMCDT": "x", "trangThai": "9"}, ("warning", "business-odd-value", "/trangThai")),
    "a member nobody knows": ("hotich.KhaiTu", changed(DEATH, mauMat="nâu"), ("warning", "dossier-unknown-field", "/mauMat")),
    "a list for an object": ("hotich.KhaiSinh", changed(BIRTH, nksNoiSinh=[]), ("error", "dossier-wrong-shape", "/nksNoiSinh")),
    "a kind of permit nobody has": (
        "hub.HoSoCapPhepXayDung",
        changed(PERMIT, LoaiGiayPhep="khac"),
        ("error", "business-bad-value", "/LoaiGiayPhep"),
    ),
    "a date in another form, in our own": (
        "hub.HoSoCapPhepXayDung",
        changed(PERMIT, NgayKhoiCong="01/12/2024"),
        ("error", "business-bad-value", "/NgayKhoiCong"),
    ),
    "an area with a comma, in our own": (
        "hub.HoSoCapPhepXayDung",
        changed(PERMIT, CongTrinh={"LoaiCongTrinh": "x", "DiaDiem": "y", "ChieuCao": "8,5"}),
        ("error", "business-bad-value", "/CongTrinh/ChieuCao"),
    ),
    "a task id cut short": ("hub.NhiemVu", changed(TASK, MaNhiemVu="443122_H32-NV-G22-2024"), ("error", "task-id-malformed", "/MaNhiemVu")),
    "a task for another": ("hub.NhiemVu", changed(TASK, CoQuanThucHien="H52"), ("warning", "business-odd-value", "/CoQuanThucHien")),
    "a form with a key nobody has": (
        "hub.GoiBieuMau",
        changed(FORM, DuLieu={"nks.mau_mat": "nâu"}),
        ("error", "dictionary-key-unknown", "/DuLieu/nks.mau_mat"),
    ),
    "the same, of a later dictionary": (
        "hub.GoiBieuMau",
        changed(FORM, PhienBanTuDien="9.0.0", DuLieu={"nks.mau_mat": "nâu"}),
        ("warning", "dictionary-key-unknown", "/DuLieu/nks.mau_mat"),
    ),
    "a form with a date as written": (
        "hub.GoiBieuMau",
        changed(FORM, DuLieu={"nks.ngay_sinh": "05/03/2024"}),
        ("error", "business-bad-value", "/DuLieu/nks.ngay_sinh"),
    ),
    "a form with a password": (
        "hub.GoiBieuMau",
        changed(FORM, DuLieu={"ket_noi.mat_khau": "x"}),
        ("error", "business-bad-value", "/DuLieu/ket_noi.mat_khau"),
    ),
    "a form with a text in a list": (
        "hub.GoiBieuMau",
        changed(FORM, DuLieu={"lltp.qua_trinh_cu_tru": ["x"]}),
        ("error", "business-bad-value", "/DuLieu/lltp.qua_trinh_cu_tru/0"),
    ),
    "a form without data": (
        "hub.GoiBieuMau",
        {key: value for key, value in FORM.items() if key != "DuLieu"},
        ("error", "business-bad-value", "/DuLieu"),
    ),
}


@pytest.mark.parametrize(("kind", "body", "fault"), BAD.values(), ids=BAD)
def test_what_is_wrong_is_named_with_its_place(kind: str, body: dict[str, Any], fault: tuple[str, str, str]) -> None:
    found = read_business(json.dumps(body, ensure_ascii=False, indent=1).encode(), kind)
    assert [(str(one.severity), one.code, one.path) for one in found.violations] == [fault]
    assert found.ok is (fault[0] == "warning")


def test_all_of_it_is_listed_errors_first_with_lines() -> None:
    body = changed(PERMIT, MaHoSo="", LoaiGiayPhep="khac", NgayKhoiCong="x", MaTTHC="")
    found = read_business(json.dumps(body, indent=1).encode(), "hub.HoSoCapPhepXayDung").violations
    assert [one.path for one in found if one.severity is Severity.ERROR] == ["/MaHoSo", "/LoaiGiayPhep", "/NgayKhoiCong"]
    assert [one.path for one in found if one.severity is Severity.WARNING] == ["/MaTTHC"]
    assert all(one.line for one in found)


def test_what_is_known_of_a_person_is_not_repeated() -> None:
    body = changed(BIRTH, meSoDDCN="05619500123X", nycEmail="bình tại nhà", nksNgaySinh="hôm qua")
    found = read_business(json.dumps(body).encode(), "hotich.KhaiSinh").violations
    assert {one.path for one in found} == {"/meSoDDCN", "/nycEmail", "/nksNgaySinh"}
    assert not [one for one in found if "05619500123X" in one.got or "bình" in one.got or "hôm qua" in one.got]


def test_an_ambiguous_date_is_carried_without_a_word() -> None:
    body = {"SoBienNhan": "1", "NgayTra": "20240920081500"}
    assert read_business(json.dumps(body).encode(), "vbdlis.CapNhatKetQuaTraHoSo").violations == ()


REFUSED = {
    "no such message": (b"{}", "hotich.LyHon", "business-unknown-kind"),
    "nothing": (b"", "hotich.KhaiSinh", "empty-body"),
    "no JSON": (b"<a/>", "hotich.KhaiSinh", "malformed-json"),
    "100 000 levels": (b"[" * 100_000, "hotich.KhaiSinh", "resource-limit"),
}


@pytest.mark.parametrize(("raw", "kind", "code"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_read_is_refused(raw: bytes, kind: str, code: str) -> None:
    with pytest.raises(Refused) as caught:
        read_business(raw, kind)
    assert caught.value.code == code


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=20)
    | st.sampled_from(["05/03/2024", "000000001", "1"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=10,
)


@pytest.mark.parametrize("kind", sorted(business_kinds()))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_bad_input_raises_nothing_but_a_refusal(kind: str, data: st.DataObject) -> None:
    names = st.sampled_from(list(business_kinds()[kind].shape.model_fields) or ["x"])
    body = data.draw(
        st.one_of(
            JSON,
            st.dictionaries(names, JSON, max_size=6),
            st.dictionaries(st.just("DuLieu"), st.dictionaries(st.sampled_from(list(dictionary().entries)), JSON, max_size=3)),
        )
    )
    raw = data.draw(
        st.sampled_from(
            [
                json.dumps(body).encode(),
                json.dumps(body).encode()[:-1],
                json.dumps(body, ensure_ascii=False).encode("utf-8", "surrogatepass"),
            ]
        )
    )
    try:
        found = read_business(raw, kind)
    except Refused:
        return
    assert found.model.as_json() is not None
