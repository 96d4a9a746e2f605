"""Civil status: marriages (đăng ký kết hôn). Names and declared types: facts on the one-stop shop §2.5 [C]."""

from __future__ import annotations

from typing import Annotated

from schemas.business.fields import NESTED, Due, Key, Number, Text, explained
from schemas.dvcqg.shape import Shape


@explained("hotich", "NoiCuTruDKKH")
class Residence(Shape):
    """NoiCuTru of a marriage: an address by codes, and the rest as text."""

    maTinh: Text = ""
    maHuyen: Text = ""
    maXa: Text = ""
    dcChiTiet: Text = ""


@explained("hotich", "DataDKKH")
class MarriageDeclaration(Shape):
    """Đăng ký kết hôn: the declaration of a marriage. Both parties, neither has a role beyond wife or husband."""

    chongLoaiTinhTrangHonNhan: Text = ""
    voLoaiTinhTrangHonNhan: Text = ""
    chongYeuCauXNTTHN: Text = ""
    chongTinhTrangHonNhan: Text = ""
    voTinhTrangHonNhan: Text = ""
    voYeuCauXNTTHN: Text = ""
    voNoiXNTTHN: Text = ""
    chongNoiXNTTHN: Text = ""
    loaiDangKy: Text = ""
    noiDangKy: Text = ""
    ngayXacLapQuanHeHonNhan: Text = ""
    ghiChu: Text = ""
    soBanSao: Number = ""
    soLuongBanSao: Text = ""
    chongHoTen: Due = ""
    chongNgaySinh: Text = ""
    chongDanToc: Text = ""
    chongDanTocKhac: Text = ""
    chongQuocTich: Text = ""
    chongCuTruNuocNgoai: Text = ""
    chongLoaiCuTru: Text = ""
    chongNoiCuTru: Annotated[Residence | None, NESTED] = None
    chongLoaiGiayToTuyThan: Text = ""
    chongGiayToKhac: Text = ""
    chongSoGiayToTuyThan: Text = ""
    chongNgayCapGiayToTuyThan: Text = ""
    chongNoiCapGiayToTuyThan: Text = ""
    chongSoDDCN: Text = ""
    chongSoLanKH: Number = ""
    voHoTen: Due = ""
    voNgaySinh: Text = ""
    voDanToc: Text = ""
    voDanTocKhac: Text = ""
    voQuocTich: Text = ""
    voLoaiCuTru: Text = ""
    voNoiCuTru: Annotated[Residence | None, NESTED] = None
    voLoaiGiayToTuyThan: Text = ""
    voGiayToKhac: Text = ""
    voSoGiayToTuyThan: Text = ""
    voNgayCapGiayToTuyThan: Text = ""
    voNoiCapGiayToTuyThan: Text = ""
    voSoDDCN: Text = ""
    voSoLanKH: Number = ""


@explained("hotich", "LienThongBTPDangKyKetHonRequest")
class MarriageForm(Shape):
    """A marriage form on its way: the dossier code, and the form as JSON in base64."""

    MaHoSo: Key = ""
    EformBase64Data: Key = ""
