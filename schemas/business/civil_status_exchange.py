"""Civil status: dossiers on their way to the Ministry of Justice, and what became of them.

Names and declared types: facts on the one-stop shop §2.5 [C]. `DataHoTich.data` carries the declaration as JSON in a text.
"""

from __future__ import annotations

from typing import Annotated

from schemas.business.civil_status import Address, AttachedFile
from schemas.business.fields import NESTED, Key, Number, Text, explained
from schemas.dvcqg.shape import Shape


@explained("hotich", "DataHoTich")
class CivilStatusDossier(Shape):
    """The envelope of a declaration on its way to the ministry; `data` is the declaration, JSON in a text."""

    maDonVi: Text = ""
    module: Text = ""
    maHoSoLT: Text = ""
    maHoSoMCDT: Key = ""
    ngayTiepNhan: Text = ""
    data: Text = ""
    fileDinhKem: Annotated[tuple[AttachedFile, ...], NESTED] = ()


@explained("hotich", "HoTich_KhaiSinh_KetQuaXuLy")
class BirthResult(Shape):
    """ketQuaXuLy of a birth: what stands in the register."""

    soDinhDanh: Text = ""
    ngayDangKy: Text = ""
    ndkksMaTinh: Text = ""
    ndkksMaHuyen: Text = ""
    ndkksMaXa: Text = ""
    nksHoTen: Text = ""
    nksGioiTinh: Number = ""
    nksNgaySinh: Text = ""
    nksNgaySinhBangChu: Text = ""
    nksDanToc: Text = ""
    nksQueQuan: Annotated[Address | None, NESTED] = None
    nksQuocTich: Text = ""
    nksNoiSinh: Annotated[Address | None, NESTED] = None
    meHoTen: Text = ""
    meNgaySinh: Text = ""
    meDanToc: Text = ""
    meQuocTich: Text = ""
    meLoaiCuTru: Number = ""
    meNoiCuTru: Annotated[Address | None, NESTED] = None
    meSoGiayTo: Text = ""
    chaHoTen: Text = ""
    chaNgaySinh: Text = ""
    chaDanToc: Text = ""
    chaQuocTich: Text = ""
    chaLoaiCuTru: Number = ""
    chaNoiCuTru: Annotated[Address | None, NESTED] = None
    chaSoGiayTo: Text = ""
    nycHoTen: Text = ""
    nycQuanHe: Text = ""
    nycSoGiayTo: Text = ""
    giayKhaiSinh: Text = ""
    soDangKy: Text = ""
    quyenSo: Text = ""
    trangSo: Text = ""


@explained("hotich", "HoTich_KhaiTu_KetQuaXuLy")
class DeathResult(Shape):
    """ketQuaXuLy of a death: what stands in the register."""

    nktHoTen: Text = ""
    nktGioiTinh: Number = ""
    nktNgaySinh: Text = ""
    nktDanToc: Text = ""
    nktQuocTich: Text = ""
    nktLoaiCuTru: Number = ""
    nktNoiCuTru: Annotated[Address | None, NESTED] = None
    nktSoGiayTo: Text = ""
    nktNgayChet: Text = ""
    nktNoiChet: Annotated[Address | None, NESTED] = None
    nktNguyenNhanChet: Text = ""
    giayBaoTuLoai: Text = ""
    giayBaoTuSo: Text = ""
    nycHoTen: Text = ""
    nycSoGiayTo: Text = ""
    nycQuanHe: Text = ""
    soDangKy: Text = ""
    quyenSo: Text = ""
    trangSo: Text = ""
    giayKhaiTu: Text = ""
    maGiayToKetQua: Text = ""


@explained("hotich", "ScanHoTichRequest")
class ResultRequest(Shape):
    """Which dossiers have a result? Up to a list of codes at once."""

    maDinhDanhHoSo: Annotated[tuple[str, ...], NESTED] = ()
    maTinh: Text = ""
    module: Text = ""


@explained("hotich", "KhaiSinhKhaiTu_HoTich_KhaiSinh_BTPScanResponse")
class BirthState(Shape):
    """Where the dossier of a birth stands at the ministry. trangThai: 1 to 7, list `trang_thai_ho_so.hotich`."""

    maDonVi: Text = ""
    maTinh: Text = ""
    module: Text = ""
    maHoSoLT: Text = ""
    maHoSoMCDT: Key = ""
    errors: Text = ""
    trangThai: Text = ""
    thoiGianThucHien: Text = ""
    ghiChu: Text = ""
    ketQuaXuLy: Annotated[BirthResult | None, NESTED] = None
    nguoiXuLy: Text = ""
    chucDanh: Text = ""
    phongBanXuLy: Text = ""
    noiDungXuLy: Text = ""
    hanBoSungHoSo: Text = ""


@explained("hotich", "KhaiSinhKhaiTu_HoTich_KhaiTu_BTPScanResponse")
class DeathState(Shape):
    """Where the dossier of a death stands at the ministry. trangThai: 1 to 7, list `trang_thai_ho_so.hotich`."""

    maDonVi: Text = ""
    maTinh: Text = ""
    module: Text = ""
    maHoSoLT: Text = ""
    maHoSoMCDT: Key = ""
    errors: Text = ""
    trangThai: Text = ""
    thoiGianThucHien: Text = ""
    ghiChu: Text = ""
    ketQuaXuLy: Annotated[DeathResult | None, NESTED] = None
    nguoiXuLy: Text = ""
    chucDanh: Text = ""
    phongBanXuLy: Text = ""
    noiDungXuLy: Text = ""
    hanBoSungHoSo: Text = ""


@explained("hotich", "KhaiSinhKhaiTu_DVCLT_CapNhatTrangThaiRequest")
class StateUpdate(Shape):
    """The state of a linked dossier, reported to the linked public service."""

    maTTHC: Text = ""
    soHoSoLT: Text = ""
    coQuanXuLy: Number = ""
    maHoSo: Key = ""
    trangThai: Number = ""
    thoiGianThucHien: Text = ""
    ghiChu: Text = ""
    ketQuaXuLy: Text = ""
    nguoiXuLy: Text = ""
    chucDanh: Text = ""
    phongBanXuLy: Text = ""
    noiDungXuLy: Text = ""
    ngayBatDau: Text = ""
    ngayKetThucTheoQuyDinh: Text = ""
    ngayHenTraTruoc: Text = ""
    ngayHenTraMoi: Text = ""
    hanBoSungHoSo: Text = ""
