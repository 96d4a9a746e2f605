"""The other services of the national portal: login, look-up, catalogues, and what it answers and pushes.

Call protocol [C facts §2.2]: login gives a session; look-ups and synchronisations carry it in the body with `madonvi` and `service`.
"""

from __future__ import annotations

from typing import Annotated, ClassVar

from schemas.dvcqg.shape import About, Need, Shape, WireNumber

# Catalogue services whose requests are the bare envelope [C §2.2].
CATALOGUES = (
    "LayDanhSachTTHC",
    *(
        f"LayDanhMuc{name}"
        for name in (
            *("CoQuan", "LinhVuc", "GioiTinh", "TinhThanh", "QuanHuyen", "PhuongXa", "QuocGia", "DanToc", "TonGiao"),
            *("TinhTrangHonNhan", "DoiTuong", "CapThucHien", "CanCuPhapLy", "LePhi", "NhomThuTuc", "ThuTucThuocLoai"),
        )
    ),
)


class Login(Shape):
    """The first call."""

    username: Annotated[str, About("Tên đăng nhập", "user name", Need.KEY)] = ""
    password: Annotated[str, About("Mật khẩu", "password", Need.KEY, secret=True)] = ""


class LoginResponse(Shape):
    """The session, where the login was right."""

    session: Annotated[str, About("Mã phiên", "session", Need.PRESENT, secret=True)] = ""
    error_code: Annotated[WireNumber, About("Mã lỗi, 0 là thành công", "0 for success", Need.KEY)] = ""
    message: Annotated[str, About("Thông báo", "text for people")] = ""


class Answer(Shape):
    """What a synchronisation is answered: the code decides, the text never (`response.classify_response`)."""

    error_code: Annotated[WireNumber, About("Mã lỗi, 0 là thành công", '"0" for success; proxies also "00"', Need.KEY)] = ""
    message: Annotated[str, About("Thông báo", "text for people")] = ""


class DossierLookup(Shape):
    """TraCuuHoSo: is the dossier known there? It decides `isUpdating`."""

    SERVICE: ClassVar[str] = "TraCuuHoSo"

    session: Annotated[str, About("Mã phiên", "session", Need.VALUE, secret=True)] = ""
    madonvi: Annotated[str, About("Mã đơn vị gửi", "code of the sending unit", Need.VALUE, form="agency")] = ""
    service: Annotated[str, About("Tên dịch vụ", "service", Need.VALUE, form="service")] = ""
    mahoso: Annotated[str, About("Mã hồ sơ", "dossier code", Need.KEY, form="dossier-code")] = ""


class ProcedureLookup(Shape):
    """LayThuTuc: one procedure of the national catalogue."""

    SERVICE: ClassVar[str] = "LayThuTuc"

    session: Annotated[str, About("Mã phiên", "session", Need.VALUE, secret=True)] = ""
    madonvi: Annotated[str, About("Mã đơn vị gửi", "code of the sending unit", Need.VALUE, form="agency")] = ""
    service: Annotated[str, About("Tên dịch vụ", "service", Need.VALUE, form="service")] = ""
    maTTHC: Annotated[str, About("Mã thủ tục hành chính", "procedure code", Need.KEY, form="procedure-code")] = ""


class CatalogueRequest(Shape):
    """LayDanhMuc… and LayDanhSachTTHC: a whole catalogue. Some take further members that nobody told."""

    OPEN: ClassVar[bool] = True

    session: Annotated[str, About("Mã phiên", "session", Need.VALUE, secret=True)] = ""
    madonvi: Annotated[str, About("Mã đơn vị gửi", "code of the sending unit", Need.VALUE, form="agency")] = ""
    service: Annotated[str, About("Tên dịch vụ", "service", Need.KEY, note="one of: " + ", ".join(CATALOGUES))] = ""


class DecisionLookup(Shape):
    """LayQDCB: the decision that published a procedure."""

    SERVICE: ClassVar[str] = "LayQDCB"

    session: Annotated[str, About("Mã phiên", "session", Need.VALUE, secret=True)] = ""
    madonvi: Annotated[str, About("Mã đơn vị gửi", "code of the sending unit", Need.VALUE, form="agency")] = ""
    service: Annotated[str, About("Tên dịch vụ", "service", Need.VALUE, form="service")] = ""
    idQDCB: Annotated[WireNumber, About("Định danh quyết định công bố", "id of the publishing decision", Need.KEY)] = ""


class TechIdLookup(Shape):
    """TraCuuTechID: the national id of an applicant, which goes into MaDoiTuong."""

    SERVICE: ClassVar[str] = "TraCuuTechID"

    session: Annotated[str, About("Mã phiên", "session", Need.VALUE, secret=True)] = ""
    madonvi: Annotated[str, About("Mã đơn vị gửi", "code of the sending unit", Need.VALUE, form="agency")] = ""
    service: Annotated[str, About("Tên dịch vụ", "service", Need.VALUE, form="service")] = ""
    provider: Annotated[str, About("Nhà cung cấp", "provider", Need.VALUE, note="wso2is")] = ""
    mstorcmnd: Annotated[str, About("Mã số thuế hoặc số định danh", "tax code or identity number", Need.KEY, secret=True)] = ""


class PortalAddress(Shape):
    """An enterprise's address in what the portal pushes."""

    MaTinh: Annotated[str, About("Mã tỉnh", "code of the province")] = ""
    MaHuyen: Annotated[str, About("Mã huyện", "code of the district")] = ""
    MaXa: Annotated[str, About("Mã xã", "code of the commune")] = ""
    DiaChiChiTiet: Annotated[str, About("Địa chỉ chi tiết", "address in detail")] = ""


class PortalPaper(Shape):
    """TaiLieuNop of what the portal pushes; its members were not told."""

    OPEN: ClassVar[bool] = True


class PortalDossier(Shape):
    """A dossier that the portal pushes to the one-stop system. Only some members are known; the answer is an `Answer`."""

    OPEN: ClassVar[bool] = True

    MaHoSo: Annotated[str, About("Mã hồ sơ", "dossier code", Need.KEY, form="dossier-code")] = ""
    MaTTHC: Annotated[str, About("Mã thủ tục hành chính", "procedure code", Need.KEY, form="procedure-code")] = ""
    NgayNopHoSo: Annotated[str, About("Ngày nộp hồ sơ", "when it was handed in", Need.VALUE, form="time")] = ""
    MaSoThue: Annotated[str, About("Mã số thuế", "tax code")] = ""
    TepDonDangKy: Annotated[str, About("Tệp đơn đăng ký", "the application form")] = ""
    TaiLieuNop: Annotated[tuple[PortalPaper, ...], About("Tài liệu nộp", "papers handed in")] = ()
    DiaChiDoanhNghiep: Annotated[PortalAddress | None, About("Địa chỉ doanh nghiệp", "address of the enterprise")] = None
