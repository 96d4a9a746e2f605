"""Civil status exchanged with the Ministry of Justice: births, marriages, deaths (hộ tịch).

Names and declared types: facts on the one-stop shop §2.5 [C]. Roles stand as prefixes of names: nks, me, cha, nkt, nyc, vo, chong.
How dates are written is not known, so they are told by their shape.
"""

from __future__ import annotations

from typing import Annotated

from schemas.business.fields import NESTED, Due, Number, Text, explained
from schemas.dvcqg.shape import Shape


@explained("hotich", "KhaiSinhKhaiTu_DiaChi")
class Address(Shape):
    """DiaChi: an address by codes, and the rest as text."""

    maTinh: Text = ""
    maHuyen: Text = ""
    maXa: Text = ""
    dcChiTiet: Text = ""


@explained("hotich", "KhaiSinhKhaiTu_FileDinhKem")
class AttachedFile(Shape):
    """fileDinhKem: a paper, its file in base64."""

    id: Number = ""
    loaiGiayTo: Number = ""
    tenGiayTo: Text = ""
    tenTepDinhKem: Text = ""
    huyGiayTo: Number = ""
    duLieuTepDinhKem: Text = ""


@explained("hotich", "HoTichKhaiSinh")
class BirthDeclaration(Shape):
    """Khai sinh: the declaration of a birth, with the child, both parents and who asks."""

    maGCS: Text = ""
    ngayCapGCS: Text = ""
    loaiDangKy: Text = ""
    noiDangKy: Text = ""
    soLuongBanSao: Text = ""
    nksHoTen: Due = ""
    nksGioiTinh: Text = ""
    nksNgaySinh: Due = ""
    nksNgaySinhBangChu: Text = ""
    nksNoiSinhNuocNgoai: Text = ""
    nksNoiSinh: Annotated[Address | None, NESTED] = None
    nksQueQuan: Annotated[Address | None, NESTED] = None
    nksDanToc: Text = ""
    nksDanTocKhac: Text = ""
    nksQuocTich: Text = ""
    nksLoaiKhaiSinh: Text = ""
    nksLoaiGiayToTuyThan: Text = ""
    nksSoGiayToTuyThan: Text = ""
    nksNgayCapGiayToTuyThan: Text = ""
    nksNoiCapGiayToTuyThan: Text = ""
    meHoTen: Text = ""
    meNgaySinh: Text = ""
    meDanToc: Text = ""
    meDanTocKhac: Text = ""
    meQuocTich: Text = ""
    meQuocTichKhac: Text = ""
    meLoaiCuTru: Text = ""
    meNoiCuTru: Annotated[Address | None, NESTED] = None
    meLoaiGiayToTuyThan: Text = ""
    meGiayToKhac: Text = ""
    meSoGiayToTuyThan: Text = ""
    meSoDDCN: Text = ""
    meXacThucThongTin: Text = ""
    chaHoTen: Text = ""
    chaNgaySinh: Text = ""
    chaDanToc: Text = ""
    chaDanTocKhac: Text = ""
    chaQuocTich: Text = ""
    chaQuocTichKhac: Text = ""
    chaLoaiCuTru: Text = ""
    chaNoiCuTru: Annotated[Address | None, NESTED] = None
    chaLoaiGiayToTuyThan: Text = ""
    chaSoDDCN: Text = ""
    chaGiayToKhac: Text = ""
    chaSoGiayToTuyThan: Text = ""
    chaXacThucThongTin: Text = ""
    nycHoTen: Due = ""
    nycQuanHe: Text = ""
    nycLoaiGiayToTuyThan: Text = ""
    nycSoDDCN: Text = ""
    nycGiayToKhac: Text = ""
    nycSoGiayToTuyThan: Text = ""
    nycNgayCapGiayToTuyThan: Text = ""
    nycNoiCapGiayToTuyThan: Text = ""
    nycSoDienThoai: Text = ""
    nycEmail: Text = ""
    nycLoaiCuTru: Text = ""
    nycNoiCuTru: Annotated[Address | None, NESTED] = None
    nycXacThucThongTin: Text = ""
    soDangKyNuocNgoai: Text = ""
    ngayDangKyNuocNgoai: Text = ""
    cqNuocNgoaiDaDangKy: Text = ""
    qgNuocNgoaiDaDangKy: Text = ""


@explained("hotich", "HoTichKhaiTu")
class DeathDeclaration(Shape):
    """Khai tử: the declaration of a death, with the deceased, the notice of death and who asks."""

    maGBT: Text = ""
    ngayCapGBT: Text = ""
    loaiDangKy: Text = ""
    noiDangKy: Text = ""
    soLuongBanSao: Text = ""
    nktHoTen: Due = ""
    nktGioiTinh: Text = ""
    nktNgaySinh: Text = ""
    nktDanToc: Text = ""
    nktDanTocKhac: Text = ""
    nktQuocTich: Text = ""
    nktQuocTichKhac: Text = ""
    nktLoaiCuTru: Text = ""
    nktNoiCuTru: Annotated[Address | None, NESTED] = None
    nktLoaiGiayToTuyThan: Text = ""
    nktSoGiayToTuyThan: Text = ""
    nktNgayCapGiayToTuyThan: Text = ""
    nktNoiCapGiayToTuyThan: Text = ""
    nktNgayChet: Due = ""
    nktGioPhutChet: Text = ""
    nktNoiChet: Annotated[Address | None, NESTED] = None
    nktNguyenNhanChet: Text = ""
    nktXacThucThongTin: Text = ""
    gbtLoai: Text = ""
    gbtSo: Text = ""
    gbtNgay: Text = ""
    gbtCoQuanCap: Text = ""
    nycHoTen: Due = ""
    nycQuanHe: Text = ""
    nycLoaiGiayToTuyThan: Text = ""
    nycGiayToKhac: Text = ""
    nycSoGiayToTuyThan: Text = ""
    nycNgayCapGiayToTuyThan: Text = ""
    nycNoiCapGiayToTuyThan: Text = ""
    nycSoDienThoai: Text = ""
    nycEmail: Text = ""
    nycXacThucThongTin: Text = ""
    nktGiayToKhac: Text = ""
    nycNoiCuTru: Annotated[Address | None, NESTED] = None
