"""Criminal records (lý lịch tư pháp): the declaration, in the form of today.

Names and declared types: facts on the one-stop shop §2.5 [C]. An older declaration with English names is in `criminal_record_old`.
In these messages nyc is who asks and whom the certificate is about; nuq gives the mandate.
"""

from __future__ import annotations

from typing import Annotated

from schemas.business.fields import NESTED, Due, Key, Number, Text, explained
from schemas.dvcqg.shape import Shape


@explained("lltp", "DiaChi")
class Address(Shape):
    """DiaChi: an address by codes and names."""

    maTinhThanh: Text = ""
    tenTinhThanh: Text = ""
    maQuanHuyen: Text = ""
    tenQuanHuyen: Text = ""
    maPhuongXa: Text = ""
    tenPhuongXa: Text = ""
    chiTiet: Text = ""
    tenQuocGia: Text = ""


@explained("lltp", "DiaBanNoiSinh")
class BirthPlace(Shape):
    """DiaBanNoiSinh: a place of birth, which may be abroad. The detail has two names."""

    maQuocGia: Text = ""
    tenQuocGia: Text = ""
    maTinhThanh: Text = ""
    tenTinhThanh: Text = ""
    maQuanHuyen: Text = ""
    tenQuanHuyen: Text = ""
    maPhuongXa: Text = ""
    tenPhuongXa: Text = ""
    chiTiet: Text = ""
    dcChiTiet: Text = ""


@explained("lltp", "QuanHe")
class Relation(Shape):
    """QuanHe: a relation, by code and name."""

    ma: Number = ""
    ten: Text = ""


@explained("lltp", "ThongTinUyQuyen")
class Mandate(Shape):
    """thongTinUyQuyen: who gives the mandate."""

    nuqHoTen: Text = ""
    nuqGioiTinh: Number = ""
    nuqTenGioiTinh: Text = ""
    nuqNgaySinh: Text = ""
    nuqDienThoai: Text = ""
    nuqEmail: Text = ""
    nuqLoaiGiayTo: Number = ""
    nuqTenLoaiGiayTo: Text = ""
    nuqSoGiayTo: Text = ""
    nuqNgayCapGiayTo: Text = ""
    nuqNoiCapGiayTo: Text = ""
    nuqQuocTich: Text = ""
    nuqTenQuocTich: Text = ""
    nuqDanToc: Text = ""
    nuqTenDanToc: Text = ""
    nuqNoiDKKS: Annotated[Address | None, NESTED] = None
    nuqNoiOHienTai: Annotated[Address | None, NESTED] = None
    nuqQuanHe: Annotated[Relation | None, NESTED] = None
    nuqNgayKyVanBanUyQuyen: Text = ""


@explained("lltp", "QuaTrinhCTNNNLV")
class Period(Shape):
    """quaTrinhCTNNNLV: where somebody lived and worked from month to month."""

    tuThangNam: Text = ""
    denThangNam: Text = ""
    loaiCuTru: Text = ""
    diaChiCuTru: Annotated[Address | None, NESTED] = None
    ngheNghiep: Text = ""
    noiLamViec: Text = ""


@explained("lltp", "ThongTinThanhToan")
class Payment(Shape):
    """thongTinThanhToan: fees, and how the certificate is received."""

    nhomDoiTuong: Number = ""
    tenNhomDoiTuong: Text = ""
    phiLLTP: Text = ""
    phiCapThemBanGiay: Text = ""
    hinhThucNhanBanGiay: Number = ""
    tenHinhThucNhanBanGiay: Text = ""
    diaChiNhan: Text = ""
    tongPhi: Text = ""


@explained("lltp", "DanhSachGiayTo")
class PaperFile(Shape):
    """danhSach: one file of a paper."""

    loai: Text = ""
    duLieu: Text = ""


@explained("lltp", "GiayToDinhKem")
class Paper(Shape):
    """giayToDinhKem: a paper and its files."""

    ma: Text = ""
    ten: Text = ""
    danhSach: Annotated[tuple[PaperFile, ...], NESTED] = ()


@explained("lltp", "DSKhoanNop")
class PaidItem(Shape):
    """dSKhoanNop: one item that was paid."""

    NoiDung: Text = ""
    SoTien: Text = ""


@explained("lltp", "ThongTinBienLaiData")
class PaymentReceipt(Shape):
    """thongTinBienLai: the receipt of an online payment."""

    maDichVu: Number = ""
    maDVC: Text = ""
    tenDVC: Text = ""
    maTTHC: Text = ""
    tenTTHC: Text = ""
    maDonVi: Text = ""
    tenDonVi: Text = ""
    tkThuHuong: Text = ""
    maNhThuHuong: Text = ""
    tenTkThuHuong: Text = ""
    dSKhoanNop: Annotated[tuple[PaidItem, ...], NESTED] = ()
    trangThaiGD: Number = ""
    tenTrangThaiGD: Text = ""
    urlBienLai: Text = ""


@explained("lltp", "ToKhaiData")
class Declaration(Shape):
    """toKhai: the declaration."""

    loaiPhieu: Number = ""
    yeuCauCDNCV: Number = ""
    maMucDich: Number = ""
    tenMucDich: Text = ""
    mucDichKhac: Text = ""
    soLuongCap: Number = ""
    nycHoTen: Due = ""
    nycTenGoiKhac: Text = ""
    nycGioiTinh: Number = ""
    nycTenGioiTinh: Text = ""
    nycNgaySinh: Due = ""
    nycDoiTuongNopPhi: Text = ""
    nycTenDoiTuongNopPhi: Text = ""
    nycThuongTru: Annotated[Address | None, NESTED] = None
    nycTamTru: Annotated[Address | None, NESTED] = None
    nycDienThoai: Text = ""
    nycEmail: Text = ""
    nycLoaiGiayTo: Number = ""
    nycTenLoaiGiayTo: Text = ""
    nycSoGiayTo: Text = ""
    nycNgayCapGiayTo: Text = ""
    nycNoiCapGiayTo: Text = ""
    nycQuocTich: Text = ""
    nycTenQuocTich: Text = ""
    nycDanToc: Text = ""
    nycTenDanToc: Text = ""
    nycHoTenCha: Text = ""
    chaNamSinh: Number = ""
    nycHoTenMe: Text = ""
    meNamSinh: Number = ""
    nycHoTenVoChong: Text = ""
    voChongNamSinh: Number = ""
    nycNoiSinh: Annotated[BirthPlace | None, NESTED] = None
    uyQuyen: Number = ""
    thongTinUyQuyen: Annotated[Mandate | None, NESTED] = None
    thongTinAnTich: Text = ""
    quaTrinhCTNNNLV: Annotated[tuple[Period, ...], NESTED] = ()
    thongTinThanhToan: Annotated[Payment | None, NESTED] = None
    giayToDinhKem: Annotated[tuple[Paper, ...], NESTED] = ()


@explained("lltp", "Request")
class CriminalRecordRequest(Shape):
    """The request for a certificate. `authKey` is a secret inside the body."""

    authKey: Text = ""
    maTinh: Text = ""
    maHoSoMCDT: Key = ""
    tenTinh: Text = ""
    ngayTiepNhan: Text = ""
    nguonDangKy: Number = ""
    tenNguonDangKy: Text = ""
    toKhai: Annotated[Declaration | None, NESTED] = None
    thongTinBienLai: Annotated[PaymentReceipt | None, NESTED] = None
