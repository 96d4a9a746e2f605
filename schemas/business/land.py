"""Land (đất đai): dossiers between the one-stop shop and VBDLIS, both ways; ILIS takes the same reception.

Names and declared types: facts on the one-stop shop §2.5 [C]. The one-stop shop calls TiepNhanHoSo and three more; VBDLIS calls back
with the others, a `SecurityCode` in the body. Answers are ``{Result, Message}``. The values of MaTrangThai
and TrangThaiKetThuc and the unit of HanXuLy are not known.
"""

from __future__ import annotations

from typing import Annotated

from schemas.business.fields import NESTED, Due, Flag, Key, Number, Text, explained
from schemas.dvcqg.shape import Shape


@explained("vbdlis", "VBDLISThongTinNguoiNop")
class Applicant(Shape):
    """ThongTinNguoiNopDon: who hands in."""

    HoTen: Due = ""
    SoChungMinh: Text = ""
    DiaChiChiTiet: Text = ""
    SoDienThoai: Text = ""
    Email: Text = ""


@explained("vbdlis", "VBDLISThongTinQuyTrinh")
class Workflow(Shape):
    """ThongTinQuyTrinh: the workflow."""

    MaQuyTrinh: Text = ""
    TenQuyTrinh: Text = ""


@explained("vbdlis", "VBDLISThongTinThuaDat")
class Parcel(Shape):
    """ThongTinThuaDat: a parcel of land."""

    SoThuTuThua: Text = ""
    SoHieuBanDo: Text = ""
    DienTich: Text = ""
    DiaChiChiTiet: Text = ""


@explained("vbdlis", "VBDLISThongTinTapTin")
class FileContents(Shape):
    """TapTin: a file, its contents in base64."""

    name: Text = ""
    data: Text = ""


@explained("vbdlis", "VBDLISThongTinGiayToDinhKem")
class PaperWithFile(Shape):
    """DanhSachGiayToDinhKem: a paper with its file."""

    TenGiayTo: Text = ""
    SoBanChinh: Number = ""
    SoBanSao: Number = ""
    TapTin: Annotated[FileContents | None, NESTED] = None


@explained("vbdlis", "VBDLISThongTinTapTinDinhKem")
class PaperWithLink(Shape):
    """A paper with a link to its file."""

    TenGiayTo: Text = ""
    KieuFile: Text = ""
    LinkFile: Text = ""
    SoBanSao: Number = ""
    SoBanChinh: Number = ""


@explained("vbdlis", "VBDLISThongBaoThueElement")
class TaxNotice(Shape):
    """DanhSachThongBaoThue: a tax notice."""

    HoTenChu: Text = ""
    LoaiThue: Text = ""
    SoThongBaoThue: Text = ""
    DuongDanThongBaoThue: Text = ""


@explained("vbdlis", "VBDLISTiepNhanHoSoRequest")
class LandReception(Shape):
    """TiepNhanHoSo: a dossier that was received, handed to the land system."""

    LaQuyTrinhCapTinh: Flag = ""
    TinhId: Number = ""
    HuyenId: Number = ""
    XaId: Number = ""
    SoBienNhan: Key = ""
    MaHoSoMotCua: Text = ""
    NguoiTiepNhan: Text = ""
    NgayTiepNhan: Due = ""
    NgayHenTra: Text = ""
    DiaChiTaiSan: Text = ""
    ThongTinNguoiNopDon: Annotated[Applicant | None, NESTED] = None
    ThongTinQuyTrinh: Annotated[Workflow | None, NESTED] = None
    ThongTinThuaDat: Annotated[tuple[Parcel, ...], NESTED] = ()
    DanhSachGiayToDinhKem: Annotated[tuple[PaperWithFile, ...], NESTED] = ()


@explained("vbdlis", "VBDLISCapNhatTrangThaiBoSungHoSoRequest")
class SupplementReceived(Shape):
    """CapNhatTrangThaiBoSungHoSo: the supplement came."""

    SoBienNhan: Key = ""
    NgayHenTraMoi: Text = ""
    GhiChu: Text = ""
    DanhSachGiayToBoSung: Annotated[tuple[PaperWithFile, ...], NESTED] = ()


@explained("vbdlis", "VBDLISPhanHoiHoSoSaiKetQuaRequest")
class WrongResult(Shape):
    """PhanHoiHoSoSaiKetQua: the result is wrong."""

    SoBienNhan: Key = ""
    NoiDung: Text = ""
    DanhSachGiayToDinhKem: Annotated[tuple[PaperWithFile, ...], NESTED] = ()


@explained("vbdlis", "VBDLISCapNhatKetQuaTraHoSoRequest")
class ResultReturned(Shape):
    """CapNhatKetQuaTraHoSo: the result was handed out."""

    SoBienNhan: Key = ""
    NgayTra: Text = ""


@explained("vbdlis", "VBDLISCungCapSoBienNhanRequest")
class ReceiptNumber(Shape):
    """CungCapSoBienNhan: a dossier that the land system received itself."""

    SoBienNhan: Key = ""
    TinhId: Number = ""
    HuyenId: Number = ""
    XaId: Number = ""
    NguoiTiepNhan: Text = ""
    NgayTiepNhan: Text = ""
    NgayHenTra: Text = ""
    DiaChiTaiSan: Text = ""
    ThongTinNguoiNopDon: Annotated[Applicant | None, NESTED] = None
    ThongTinThuaDat: Annotated[Parcel | None, NESTED] = None
    ThongTinQuyTrinh: Annotated[Workflow | None, NESTED] = None
    DanhSachGiayToDinhKem: Annotated[tuple[PaperWithLink, ...], NESTED] = ()
    SecurityCode: Text = ""


@explained("vbdlis", "VBDLISDongBoTrangThaiLuanChuyenHoSoRequest")
class Passing(Shape):
    """DongBoTrangThaiLuanChuyenHoSo: the dossier goes from one official to another."""

    SoBienNhan: Key = ""
    MaCanBoChuyen: Text = ""
    MaCanBoNhan: Text = ""
    MaTrangThai: Text = ""
    LaTrangThaiChuyenLai: Flag = ""
    NoiDungXuLy: Text = ""
    NgayChuyen: Text = ""
    HanXuLy: Number = ""
    DanhSachTapTin: Annotated[tuple[PaperWithLink, ...], NESTED] = ()
    SecurityCode: Text = ""


@explained("vbdlis", "VBDLISDongBoTrangThaiChoBoSungRequest")
class AwaitsSupplement(Shape):
    """DongBoTrangThaiChoBoSung: a supplement is awaited; the clock may stand."""

    SoBienNhan: Key = ""
    NgayChoBoSung: Text = ""
    MaCanBoXuLy: Text = ""
    LaTamDung: Flag = ""
    GhiChu: Text = ""
    TapTin: Annotated[PaperWithLink | None, NESTED] = None
    SecurityCode: Text = ""


@explained("vbdlis", "VBDLISDongBoTrangThaiDaBoSungRequest")
class SupplementTaken(Shape):
    """DongBoTrangThaiDaBoSung: the supplement was taken; there is a new appointment."""

    SoBienNhan: Key = ""
    NgayNhanBoSung: Text = ""
    NgayHenTraMoi: Text = ""
    GhiChu: Text = ""
    TapTin: Annotated[PaperWithLink | None, NESTED] = None
    SecurityCode: Text = ""


@explained("vbdlis", "VBDLISDongBoTrangThaiKetThucRequest")
class Ended(Shape):
    """DongBoTrangThaiKetThuc: the dossier ended, with the result papers."""

    SoBienNhan: Key = ""
    NgayKetThuc: Text = ""
    MaCanBoXuLy: Text = ""
    TrangThaiKetThuc: Number = ""
    GhiChu: Text = ""
    DanhSachGiayToKetQua: Annotated[tuple[PaperWithLink, ...], NESTED] = ()
    SecurityCode: Text = ""


@explained("vbdlis", "VBDLISDongBoKetQuaThueRequest")
class TaxResult(Shape):
    """DongBoKetQuaThue: tax notices."""

    SoBienNhan: Key = ""
    NguoiXuLy: Text = ""
    NgayCoKetQuaThue: Text = ""
    GhiChu: Text = ""
    DanhSachThongBaoThue: Annotated[tuple[TaxNotice, ...], NESTED] = ()
    SecurityCode: Text = ""


@explained("vbdlis", "VBDLISThongBaoNhapSaiThuTucRequest")
class WrongProcedure(Shape):
    """ThongBaoNhapSaiThuTuc: the dossier was entered under the wrong procedure."""

    SoBienNhan: Key = ""
    MaCanBoXuLy: Text = ""
    GhiChu: Text = ""
    SecurityCode: Text = ""


@explained("vbdlis", "VBDLISThueChuyenTraHoSoDoSaiRequest")
class TaxReturned(Shape):
    """ThueChuyenTraHoSoDoSai: the tax office sends the dossier back."""

    SoBienNhan: Key = ""
    GhiChu: Text = ""
    SecurityCode: Text = ""


@explained("vbdlis", "VBDLISYeuCauCapNhatHoSoRequest")
class UpdateAsked(Shape):
    """YeuCauCapNhatHoSo: an update of the dossier is asked for."""

    SoBienNhan: Key = ""
    MaCanBoXuLy: Text = ""
    GhiChu: Text = ""
    SecurityCode: Text = ""
