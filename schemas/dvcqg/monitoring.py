"""What goes to the nation's other systems: EMC's monitoring of one-stop shops, and the personal repository of the national portal.

[C facts §2.5]; the types are those of a known sender's declarations.
"""

from __future__ import annotations

from typing import Annotated

from schemas.dvcqg.shape import About, Need, Shape, WireNumber


class MonitoringEvent(Shape):
    """TrackingMCDT: one event of one dossier, for the Government's monitoring."""

    CodeProfile: Annotated[str, About("Mã hồ sơ trên hệ thống", "code of the profile", Need.VALUE)] = ""
    SiteId: Annotated[WireNumber, About("Mã địa phương", "number of the province at EMC", Need.VALUE, form="integer")] = ""
    CodeTTHC: Annotated[str, About("Mã thủ tục hành chính", "procedure code", Need.KEY, form="procedure-code")] = ""
    NameTTHC: Annotated[str, About("Tên thủ tục hành chính", "name of the procedure", Need.VALUE)] = ""
    MaHoSo: Annotated[str, About("Mã hồ sơ", "dossier code", Need.KEY, form="dossier-code")] = ""
    Status: Annotated[str, About("Trạng thái", "state", Need.KEY, codes="emc/Status")] = ""
    FormsReception: Annotated[str, About("Hình thức tiếp nhận", "how it was received", codes="emc/FormsReception")] = ""
    FormsPayments: Annotated[str, About("Hình thức thanh toán", "how it was paid", Need.VALUE, codes="emc/FormsPayments")] = ""
    Level: Annotated[str, About("Mức độ dịch vụ công", "level of the online service", Need.VALUE, codes="emc/Level")] = ""
    IsFromDVCQG: Annotated[str, About("Từ Cổng Dịch vụ công quốc gia", "from the national portal", codes="emc/IsFromDVCQG")] = ""
    IsDVCBC: Annotated[str, About("Dịch vụ bưu chính", "by the postal service", codes="emc/IsDVCBC")] = ""
    Data: Annotated[str, About("Dữ liệu", "data")] = ""
    User: Annotated[str, About("Người dùng", "JSON in a string: ID_local, ID_QG, TYPE, LOCATION", secret=True)] = ""


class ResultKind(Shape):
    """DanhSachDanhMucKetQua: a kind of result that is looked for."""

    MaKetQua: Annotated[str, About("Mã kết quả", "code of the result", Need.VALUE)] = ""
    SoKyHieu: Annotated[str, About("Số ký hiệu", "number and notation")] = ""


class RepositoryRequest(Shape):
    """Results that a person already holds, so that nobody asks for them again."""

    SoDinhDanhChuSoHuu: Annotated[str, About("Số định danh chủ sở hữu", "identity number of the owner", Need.KEY, secret=True)] = ""
    HoTenNguoiYeuCau: Annotated[str, About("Họ tên người yêu cầu", "who asks", Need.VALUE)] = ""
    KenhThucHien: Annotated[str, About("Kênh thực hiện", "channel", Need.VALUE)] = ""
    SoDinhDanhNguoiYeuCau: Annotated[str, About("Số định danh người yêu cầu", "identity number of who asks", Need.VALUE, secret=True)] = ""
    MaThuTuc: Annotated[str, About("Mã thủ tục", "procedure code", Need.VALUE, form="procedure-code")] = ""
    DanhSachDanhMucKetQua: Annotated[tuple[ResultKind, ...], About("Các loại kết quả", "kinds of results")] = ()


class RepositoryFile(Shape):
    """DanhSachTepDinhKem: a file of a result."""

    TenTep: Annotated[str, About("Tên tệp", "name of the file")] = ""
    DuongDan: Annotated[str, About("Đường dẫn", "where it is")] = ""


class RepositoryPaper(Shape):
    """DanhSachGiayToKetQua: a result that the person holds."""

    MaKetQua: Annotated[str, About("Mã kết quả", "code of the result", Need.VALUE)] = ""
    TenGiayTo: Annotated[str, About("Tên giấy tờ", "name of the paper", Need.VALUE)] = ""
    SoKyHieu: Annotated[str, About("Số ký hiệu", "number and notation")] = ""
    CoQuanChuQuan: Annotated[str, About("Cơ quan chủ quản", "agency in charge")] = ""
    DanhSachTepDinhKem: Annotated[tuple[RepositoryFile, ...], About("Tệp đính kèm", "files")] = ()


class RepositoryResult(Shape):
    """`result` of the answer."""

    DanhSachGiayToKetQua: Annotated[tuple[RepositoryPaper, ...], About("Giấy tờ kết quả", "results")] = ()


class RepositoryAnswer(Shape):
    """The answer, with a signature whose form was not told: it is carried, nothing is concluded from it."""

    errorCode: Annotated[WireNumber, About("Mã lỗi", "error code; which value is success was not told", Need.KEY)] = ""
    message: Annotated[str, About("Thông báo", "text for people")] = ""
    signature: Annotated[str, About("Chữ ký", "signature")] = ""
    result: Annotated[RepositoryResult | None, About("Kết quả", "the results")] = None
