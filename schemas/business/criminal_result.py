"""Criminal records: the result, with judgments. Sensitive personal data throughout.

Names and declared types: facts on the one-stop shop §2.5 [C].
"""

from __future__ import annotations

from typing import Annotated

from schemas.business.fields import NESTED, Key, Text, explained
from schemas.dvcqg.shape import Shape


@explained("lltp", "DsToiDanh")
class Offence(Shape):
    """dsToiDanh: an offence."""

    toiDanh: Text = ""
    tenToiDanh: Text = ""


@explained("lltp", "DsHinhPhatChinh")
class PrincipalPenalty(Shape):
    """dsHinhPhatChinh: a principal penalty."""

    maHinhPhat: Text = ""
    tenHinhPhat: Text = ""
    ghiChu: Text = ""


@explained("lltp", "DsHinhPhatBoSung")
class AdditionalPenalty(Shape):
    """dsHinhPhatBoSung: an additional penalty."""

    maHinhPhat: Text = ""
    tenHinhPhat: Text = ""
    noiDungHinhPhatBoSung: Text = ""


@explained("lltp", "DsCDNCV")
class Ban(Shape):
    """dsCDNCV: a ban from office, by a decision in a bankruptcy."""

    soQuyetDinh: Text = ""
    ngayQuyetDinh: Text = ""
    toaAnQD: Text = ""
    chucVuCam: Text = ""
    thoiHanCam: Text = ""
    camTuNgay: Text = ""


@explained("lltp", "ThongTinAn")
class Judgment(Shape):
    """thongTinAn: a judgment."""

    soBanAn: Text = ""
    ngayBanAn: Text = ""
    toaDaTuyen: Text = ""
    tenToaDaTuyen: Text = ""
    dsToiDanh: Annotated[tuple[Offence, ...], NESTED] = ()
    dsHinhPhatChinh: Annotated[tuple[PrincipalPenalty, ...], NESTED] = ()
    dsHinhPhatBoSung: Annotated[tuple[AdditionalPenalty, ...], NESTED] = ()
    ngayChapHanh: Text = ""
    ngayXoaAn: Text = ""
    dieuKhoan: Text = ""
    anPhi: Text = ""
    nghiaVuDanSu: Text = ""
    tinhTrangThiHanh: Text = ""


@explained("lltp", "KetQuaXuLy")
class CriminalRecord(Shape):
    """ketQuaXuLy: the certificate."""

    soPhieuLLTP: Text = ""
    ngayCapPhieu: Text = ""
    loaiPhieu: Text = ""
    nguoiLapPhieu: Text = ""
    nguoiKy: Text = ""
    chucVu: Text = ""
    tinhTrangAnTich: Text = ""
    tenTinhTrangAnTich: Text = ""
    thongTinCDNCV: Text = ""
    tenThongTinCDNCV: Text = ""
    thongTinAn: Annotated[tuple[Judgment, ...], NESTED] = ()
    dsCDNCV: Annotated[tuple[Ban, ...], NESTED] = ()
    phieuLLTP: Text = ""
    quyetDinhThuHoi: Text = ""


@explained("lltp", "DongBoTrangThaiParam")
class CriminalRecordState(Shape):
    """Where the dossier stands; with the certificate when it is done. trangThaiXuLy: 9, 10 are known."""

    maTinh: Text = ""
    tenTinh: Text = ""
    maHoSoMCDT: Key = ""
    trangThaiXuLy: Text = ""
    tenTrangThaiXuLy: Text = ""
    lyDoTuChoi: Text = ""
    ngayHenTraKetQua: Text = ""
    type: Text = ""
    ketQuaXuLy: Annotated[CriminalRecord | None, NESTED] = None


@explained("lltp", "ThuHoiQuyetDinhLLTP")
class Withdrawal(Shape):
    """The decision to withdraw a certificate."""

    LyDoThuHoi: Text = ""
    SoQuyetDinh: Text = ""
    NgayQuyetDinh: Text = ""
    TrichYeuQuyetDinh: Text = ""
    FileQuyetDinh: Text = ""
