"""Construction permits (giấy phép xây dựng), as this hub defines them.

No public payload of construction permits exists (facts on the one-stop shop §7: a gap). These two messages are this project's own [G]:
their names and types are the dictionary's (`schemas/dictionary/aliases/hub.toml`), values are canonical, and because the form is ours, what
breaks it is an error rather than a warning. A province that has a form of its own maps it to this one.
"""

from __future__ import annotations

from typing import Annotated

from schemas.business.fields import NESTED, Due, Key, Number, Text, explained
from schemas.dvcqg.dossier import SubmittedPaper
from schemas.dvcqg.shape import Shape


@explained("hub", "ChuDauTu")
class Builder(Shape):
    """ChuDauTu: a person or an organisation that builds."""

    HoTen: Key = ""
    LoaiDoiTuong: Text = ""
    LoaiGiayTo: Text = ""
    SoGiayTo: Text = ""
    MaSoThue: Text = ""
    DiaChi: Due = ""
    DienThoai: Text = ""
    Email: Text = ""


@explained("hub", "CongTrinh")
class Works(Shape):
    """CongTrinh: what is built, and where. Areas in m², height in m."""

    TenCongTrinh: Text = ""
    LoaiCongTrinh: Due = ""
    CapCongTrinh: Text = ""
    DiaDiem: Due = ""
    MaTinh: Text = ""
    MaXa: Text = ""
    SoThua: Text = ""
    SoToBanDo: Text = ""
    DienTichXayDung: Text = ""
    TongDienTichSan: Text = ""
    ChieuCao: Text = ""
    SoTang: Number = ""
    SoTangHam: Number = ""


@explained("hub", "HoSoCapPhepXayDung")
class PermitApplication(Shape):
    """HoSoCapPhepXayDung: an application for a permit."""

    MaHoSo: Key = ""
    MaTTHC: Due = ""
    NgayLamDon: Text = ""
    LoaiGiayPhep: Key = ""
    ChuDauTu: Annotated[Builder | None, NESTED] = None
    CongTrinh: Annotated[Works | None, NESTED] = None
    DonViThietKe: Text = ""
    NgayKhoiCong: Text = ""
    NgayHoanThanh: Text = ""
    TaiLieuNop: Annotated[tuple[SubmittedPaper, ...], NESTED] = ()


@explained("hub", "GiayPhepXayDung")
class Permit(Shape):
    """GiayPhepXayDung: the permit that was granted."""

    MaHoSo: Key = ""
    SoGiayPhep: Key = ""
    NgayCapPhep: Key = ""
    CoQuanCapPhep: Due = ""
    LoaiGiayPhep: Text = ""
    ChuDauTu: Annotated[Builder | None, NESTED] = None
    CongTrinh: Annotated[Works | None, NESTED] = None
