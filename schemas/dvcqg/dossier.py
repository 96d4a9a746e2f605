"""DongBoHoSoMC: a dossier as one-stop systems report it to the national portal, with its papers, fees, supplements and results.

QCVN 120:2019/BTTTT, Table 2 (27 fields) and the extension in use since 2023. The table itself could not be retrieved: the fields, their
need and their lengths are those of two independent code bases [C facts §2.3].
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, ClassVar

from schemas.dvcqg.codes import State
from schemas.dvcqg.shape import About, Need, Shape, WireFlag, WireNumber
from schemas.dvcqg.values import DossierCode, ProcedureCode, time_of, truth, whole_number

EXTENSION = "2023"


class SubmittedPaper(Shape):
    """TaiLieuNop: a paper that the applicant handed in."""

    TepDinhKemId: Annotated[str, About("Định danh tệp đính kèm", "id of the file")] = ""
    TenTepDinhKem: Annotated[str, About("Tên tệp đính kèm", "name of the file", Need.VALUE, max_chars=4000)] = ""
    IsDeleted: Annotated[WireFlag, About("Đã xóa", "deleted", codes="dvcqg/DungSai")] = ""
    MaThanhPhanHoSo: Annotated[str, About("Mã thành phần hồ sơ", "code of the required paper", Need.PRESENT)] = ""
    DuongDanTaiTepTin: Annotated[str, About("Đường dẫn tải tệp tin", "where the file can be fetched", Need.VALUE, form="url")] = ""
    DuocSoHoa: Annotated[str, About("Được số hóa", "digitised", codes="dvcqg/CoKhong", since=EXTENSION)] = ""
    DuocTaiSuDung: Annotated[str, About("Được tái sử dụng", "reused", codes="dvcqg/DuocTaiSuDung", since=EXTENSION)] = ""
    DuocLayTuKhoDMQG: Annotated[
        str, About("Lấy từ kho dữ liệu quốc gia", "taken from the national repository", codes="dvcqg/CoKhong", since=EXTENSION)
    ] = ""
    MaKetQuaThayThe: Annotated[str, About("Mã kết quả thay thế", "code of the result used instead", since=EXTENSION)] = ""

    @property
    def is_deleted(self) -> bool:
        """Whether the sender took the paper back."""
        return truth(self.IsDeleted) is True


class Fee(Shape):
    """DanhSachLePhi: a fee of the dossier."""

    TenPhiLePhi: Annotated[str, About("Tên phí, lệ phí", "name of the fee", Need.VALUE)] = ""
    MaPhiLePhi: Annotated[str, About("Mã phí, lệ phí", "code of the fee", Need.VALUE)] = ""
    HinhThucThu: Annotated[str, About("Hình thức thu", "how it is collected", Need.VALUE)] = ""
    Gia: Annotated[WireNumber, About("Số tiền (đồng)", "amount in đồng", Need.VALUE, form="amount")] = ""
    LoaiPhiLePhi: Annotated[str, About("Loại phí, lệ phí", "kind of fee", Need.VALUE)] = ""

    @property
    def amount_vnd(self) -> int | None:
        """The amount in đồng, None where it is no number."""
        return whole_number(self.Gia)


class OtherFile(Shape):
    """DanhSachTepDinhKemKhac: a paper beside the required ones."""

    TenGiayTo: Annotated[str, About("Tên giấy tờ", "name of the paper", Need.VALUE)] = ""
    SoLuong: Annotated[WireNumber, About("Số lượng", "how many", form="integer")] = ""
    LoaiGiayTo: Annotated[WireNumber, About("Loại giấy tờ", "kind of paper", form="integer")] = ""


class Supplement(Shape):
    """DanhSachHoSoBoSung: one request for supplements and what came of it."""

    HoSoBoSungId: Annotated[WireNumber, About("Định danh lần bổ sung", "id of the request", Need.VALUE)] = ""
    NguoiYeuCauBoSung: Annotated[str, About("Người yêu cầu bổ sung", "who requests", Need.VALUE)] = ""
    NoiDungBoSung: Annotated[str, About("Nội dung bổ sung", "what is to be supplied", Need.VALUE)] = ""
    NgayBoSung: Annotated[str, About("Ngày yêu cầu bổ sung", "when it was requested", Need.VALUE, form="time")] = ""
    NguoiTiepNhanBoSung: Annotated[str, About("Người tiếp nhận bổ sung", "who received the supplement")] = ""
    ThongTinTiepNhan: Annotated[str, About("Thông tin tiếp nhận", "remark on the reception")] = ""
    NgayTiepNhanBoSung: Annotated[str, About("Ngày tiếp nhận bổ sung", "when it was received", form="time")] = ""
    TrangThaiBoSung: Annotated[WireFlag, About("Đã bổ sung", "supplied", form="boolean")] = ""
    DanhSachGiayToBoSung: Annotated[tuple[SubmittedPaper, ...], About("Giấy tờ bổ sung", "papers supplied")] = ()
    DanhSachLePhiBoSung: Annotated[tuple[Fee, ...], About("Phí, lệ phí bổ sung", "further fees")] = ()
    NgayHenTraTruoc: Annotated[str, About("Ngày hẹn trả trước đó", "appointment before", form="time")] = ""
    NgayHenTraMoi: Annotated[str, About("Ngày hẹn trả mới", "appointment after", form="time")] = ""

    @property
    def is_answered(self) -> bool:
        """Whether the supplement has come."""
        return bool(self.NgayTiepNhanBoSung.strip()) or truth(self.TrangThaiBoSung) is True


class ResultPaper(Shape):
    """DanhSachGiayToKetQua: a paper that the agency gives in the end."""

    TenGiayTo: Annotated[str, About("Tên giấy tờ kết quả", "name of the result", Need.VALUE, max_chars=2000)] = ""
    MaThanhPhanHoSo: Annotated[str, About("Mã thành phần hồ sơ", "code of the required paper")] = ""
    GiayToId: Annotated[str, About("Định danh giấy tờ", "id of the paper")] = ""
    DuongDanTepTinKetQua: Annotated[str, About("Đường dẫn tệp tin kết quả", "where it can be fetched", Need.VALUE, form="url")] = ""
    MaGiayToKetQua: Annotated[str, About("Mã giấy tờ kết quả", "code of the kind of result", since=EXTENSION)] = ""


class OwnerId(Shape):
    """DinhDanhCHS: an identity number of the dossier's owner."""

    LoaiDinhDanh: Annotated[str, About("Loại định danh", "kind of number", Need.VALUE, codes="dvcqg/LoaiDinhDanh")] = ""
    SoDinhDanh: Annotated[str, About("Số định danh", "the number", Need.VALUE, secret=True)] = ""


class DatabaseLink(Shape):
    """DSKetNoiCSDL: a national database that was used."""

    MaCSDL: Annotated[str, About("Mã cơ sở dữ liệu", "code of the database", Need.VALUE)] = ""


class Dossier(Shape):
    """One dossier of the one-stop shop, as it stands."""

    MaHoSo: Annotated[str, About("Mã hồ sơ", "dossier code", Need.KEY, form="dossier-code")] = ""
    MaTTHC: Annotated[str, About("Mã thủ tục hành chính", "procedure code", Need.KEY, form="procedure-code")] = ""
    TenTTHC: Annotated[str, About("Tên thủ tục hành chính", "name of the procedure", Need.VALUE)] = ""
    MaLinhVuc: Annotated[str, About("Mã lĩnh vực", "code of the field", Need.VALUE)] = ""
    TenLinhVuc: Annotated[str, About("Tên lĩnh vực", "name of the field", Need.VALUE)] = ""
    SoBienNhan: Annotated[str, About("Số biên nhận", "number of the receipt")] = ""
    KenhThucHien: Annotated[str, About("Kênh thực hiện", "channel", codes="dvcqg/KenhThucHien", since=EXTENSION)] = ""
    SoGiayToChuHoSo: Annotated[str, About("Số giấy tờ của chủ hồ sơ", "identity number of the owner", since=EXTENSION, secret=True)] = ""
    ChuHoSo: Annotated[str, About("Chủ hồ sơ", "owner of the dossier")] = ""
    LoaiDoiTuong: Annotated[str, About("Loại đối tượng", "kind of applicant", Need.VALUE, codes="dvcqg/LoaiDoiTuong")] = ""
    MaDoiTuong: Annotated[str, About("Mã đối tượng (TechID)", "the applicant's TechID")] = ""
    ThongTinKhac: Annotated[str, About("Thông tin khác", "other information")] = ""
    Email: Annotated[str, About("Thư điện tử", "e-mail", Need.PRESENT)] = ""
    Fax: Annotated[str, About("Fax", "fax")] = ""
    SoDienThoai: Annotated[str, About("Số điện thoại", "telephone", Need.PRESENT)] = ""
    TrichYeuHoSo: Annotated[str, About("Trích yếu hồ sơ", "summary", Need.VALUE, max_chars=1000)] = ""
    NgayTiepNhan: Annotated[str, About("Ngày tiếp nhận", "when it was received", Need.VALUE, form="time")] = ""
    NgayHenTra: Annotated[str, About("Ngày hẹn trả", "when the result is promised", Need.PRESENT, form="time")] = ""
    TrangThaiHoSo: Annotated[str, About("Trạng thái hồ sơ", "state", Need.KEY, codes="dvcqg/TrangThaiHoSo")] = ""
    NgayTra: Annotated[str, About("Ngày trả kết quả", "when the result was returned", form="time")] = ""
    ThongTinTra: Annotated[str, About("Thông tin trả kết quả", "remark on the return")] = ""
    HinhThuc: Annotated[str, About("Hình thức nhận kết quả", "how the result is received", Need.VALUE, codes="dvcqg/HinhThuc")] = ""
    NgayKetThucXuLy: Annotated[str, About("Ngày kết thúc xử lý", "when processing ended", form="time")] = ""
    DonViXuLy: Annotated[str, About("Đơn vị xử lý", "the unit in charge", Need.VALUE)] = ""
    GhiChu: Annotated[str, About("Ghi chú", "note")] = ""
    TaiLieuNop: Annotated[tuple[SubmittedPaper, ...], About("Tài liệu nộp", "papers handed in")] = ()
    DanhSachLePhi: Annotated[tuple[Fee, ...], About("Danh sách lệ phí", "fees")] = ()
    DanhSachTepDinhKemKhac: Annotated[tuple[OtherFile, ...], About("Tệp đính kèm khác", "other files")] = ()
    DanhSachHoSoBoSung: Annotated[tuple[Supplement, ...], About("Các lần bổ sung", "requests for supplements")] = ()
    DanhSachGiayToKetQua: Annotated[tuple[ResultPaper, ...], About("Giấy tờ kết quả", "results")] = ()
    NoiNopHoSo: Annotated[str, About("Nơi nộp hồ sơ", "where it was handed in", since=EXTENSION)] = ""
    HoSoCoThanhPhanSoHoa: Annotated[
        str, About("Hồ sơ có thành phần số hóa", "has digitised papers", codes="dvcqg/CoKhong", since=EXTENSION)
    ] = ""
    TaiKhoanDuocXacThucVoiVNeID: Annotated[
        str, About("Tài khoản được xác thực với VNeID", "account confirmed by VNeID", codes="dvcqg/CoKhong", since=EXTENSION)
    ] = ""
    DuocThanhToanTrucTuyen: Annotated[
        str, About("Được thanh toán trực tuyến", "can be paid online", codes="dvcqg/CoKhong", since=EXTENSION)
    ] = ""
    NgayTuChoi: Annotated[str, About("Ngày từ chối", "when it was refused", form="time", since=EXTENSION)] = ""
    DinhDanhCHS: Annotated[tuple[OwnerId, ...], About("Định danh chủ hồ sơ", "identity of the owner", since=EXTENSION)] = ()
    NgayNopHoSo: Annotated[str, About("Ngày nộp hồ sơ", "when it was handed in", form="time", since=EXTENSION)] = ""
    DSKetNoiCSDL: Annotated[tuple[DatabaseLink, ...], About("Kết nối cơ sở dữ liệu", "databases used", since=EXTENSION)] = ()

    @property
    def code(self) -> DossierCode:
        """MaHoSo with its parts."""
        return DossierCode.of(self.MaHoSo)

    @property
    def procedure(self) -> ProcedureCode:
        """MaTTHC with its parts."""
        return ProcedureCode.of(self.MaTTHC)

    @property
    def state(self) -> State | None:
        """TrangThaiHoSo, None where it is none of the ten."""
        return State.of(self.TrangThaiHoSo)

    @property
    def submitted_at(self) -> datetime | None:
        """NgayNopHoSo, +07:00."""
        return time_of(self.NgayNopHoSo)

    @property
    def received_at(self) -> datetime | None:
        """NgayTiepNhan, +07:00."""
        return time_of(self.NgayTiepNhan)

    @property
    def due_at(self) -> datetime | None:
        """NgayHenTra, +07:00."""
        return time_of(self.NgayHenTra)

    @property
    def returned_at(self) -> datetime | None:
        """NgayTra, +07:00."""
        return time_of(self.NgayTra)


class DossierSync(Shape):
    """The request of DongBoHoSoMC: session, unit, and dossiers that are new or stand there already."""

    SERVICE: ClassVar[str] = "DongBoHoSoMC"

    session: Annotated[str, About("Mã phiên", "session", Need.VALUE, secret=True)] = ""
    madonvi: Annotated[str, About("Mã đơn vị gửi", "code of the sending unit", Need.VALUE, form="agency")] = ""
    service: Annotated[str, About("Tên dịch vụ", "service", Need.VALUE, form="service")] = ""
    isUpdating: Annotated[
        WireFlag, About("Là cập nhật", "the dossiers are known there", Need.VALUE, codes="dvcqg/DungSai", note="TraCuuHoSo tells")
    ] = ""
    data: Annotated[tuple[Dossier, ...], About("Các hồ sơ", "the dossiers", Need.KEY)] = ()

    @property
    def is_updating(self) -> bool | None:
        """Whether the sender says that the portal knows these dossiers; None where it does not say."""
        return truth(self.isUpdating)
