"""The ministry's LGSP adapter of 2026: GetToken → GetNextValue → UploadFile → CreateDossier → CapNhatTienTrinh → CapNhatTrangThai.

[C facts §2.5]. `LoaiDoiTuong` has other codes here (0, 1, 2) than at the national portal (1 to 4): never copy it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, ClassVar

from schemas.dvcqg.codes import State
from schemas.dvcqg.shape import About, Need, Shape, WireNumber
from schemas.dvcqg.values import DossierCode, time_of


class TokenRequest(Shape):
    """GetToken."""

    client_id: Annotated[str, About("Định danh ứng dụng", "client", Need.KEY)] = ""
    client_secret: Annotated[str, About("Khóa bí mật", "its secret", Need.KEY, secret=True)] = ""


class NextValueRequest(Shape):
    """GetNextValue: asks for the next MaHoSo. What `code` names was not told beyond that."""

    code: Annotated[str, About("Mã bộ đếm", "code of the counter", Need.KEY)] = ""


class UploadedFile(Shape):
    """What UploadFile answers: the file's id, and its digest, which a paper of the dossier repeats."""

    IdTepTin: Annotated[str, About("Định danh tệp tin", "id of the file", Need.KEY)] = ""
    HashTepTin: Annotated[str, About("Giá trị băm tệp tin", "digest of the file", Need.VALUE)] = ""


class AttachedPaper(Shape):
    """GiayToDinhKem: a file of a required paper."""

    IdGiayTo: Annotated[str, About("Định danh giấy tờ", "id of the paper")] = ""
    MaKetQua: Annotated[str, About("Mã kết quả", "code of the result")] = ""
    TenGiayTo: Annotated[str, About("Tên giấy tờ", "name of the paper", Need.VALUE)] = ""
    HashTepTin: Annotated[str, About("Giá trị băm tệp tin", "digest of the file", Need.PRESENT)] = ""


class RequiredPaper(Shape):
    """ThanhPhanHoSo: a required paper, with what was handed in for it."""

    MaThanhPhanHoSo: Annotated[str, About("Mã thành phần hồ sơ", "code of the required paper", Need.PRESENT)] = ""
    Ten: Annotated[str, About("Tên", "name", Need.VALUE)] = ""
    SoLuong: Annotated[WireNumber, About("Số lượng", "how many", form="integer")] = ""
    LoaiBan: Annotated[WireNumber, About("Loại bản", "original, copy or electronic", codes="ministry/LoaiBan")] = ""
    GiayToDinhKem: Annotated[tuple[AttachedPaper, ...], About("Giấy tờ đính kèm", "files")] = ()


class Submitter(Shape):
    """ThongTinNguoiNop: who hands it in. Its members were not told."""

    OPEN: ClassVar[bool] = True


class MinistryDossier(Shape):
    """NoiHoSo: the dossier itself."""

    MaHoSo: Annotated[str, About("Mã hồ sơ", "dossier code, from GetNextValue", Need.KEY, form="dossier-code")] = ""
    MaTTHC: Annotated[str, About("Mã thủ tục hành chính", "procedure code", Need.KEY, form="procedure-code")] = ""
    MaDichVuCong: Annotated[str, About("Mã dịch vụ công", "code of the public service")] = ""
    ChuHoSo: Annotated[str, About("Chủ hồ sơ", "owner of the dossier", Need.VALUE)] = ""
    LoaiDoiTuong: Annotated[WireNumber, About("Loại đối tượng", "kind of applicant", Need.VALUE, codes="ministry/LoaiDoiTuong")] = ""
    MaDonViTiepNhan: Annotated[str, About("Mã đơn vị tiếp nhận", "code of the receiving unit", Need.VALUE, form="agency")] = ""
    NgayNop: Annotated[str, About("Ngày nộp", "when it was handed in; its format was not told", Need.PRESENT)] = ""
    NgayTiepNhan: Annotated[str, About("Ngày tiếp nhận", "when it was received; its format was not told", Need.PRESENT)] = ""
    ThanhPhanHoSo: Annotated[tuple[RequiredPaper, ...], About("Thành phần hồ sơ", "required papers")] = ()
    ThongTinNguoiNop: Annotated[Submitter | None, About("Thông tin người nộp", "who hands it in")] = None

    @property
    def code(self) -> DossierCode:
        """MaHoSo with its parts."""
        return DossierCode.of(self.MaHoSo)


class CreateDossier(Shape):
    """CreateDossier."""

    NoiHoSo: Annotated[MinistryDossier | None, About("Nội dung hồ sơ", "the dossier", Need.KEY)] = None


class MinistryStep(Shape):
    """CapNhatTienTrinh: the nine fields of CapNhatTienDoHoSoMC and the id that CreateDossier gave."""

    IDHoSo: Annotated[str, About("Định danh hồ sơ", "id that CreateDossier gave", Need.KEY)] = ""
    MaHoSo: Annotated[str, About("Mã hồ sơ", "dossier code", Need.KEY, form="dossier-code")] = ""
    NguoiXuLy: Annotated[str, About("Người xử lý", "who acted", Need.VALUE)] = ""
    ChucDanh: Annotated[str, About("Chức danh", "position")] = ""
    ThoiDiemXuLy: Annotated[str, About("Thời điểm xử lý", "when", Need.VALUE, form="time")] = ""
    PhongBanXuLy: Annotated[str, About("Phòng ban xử lý", "department")] = ""
    NoiDungXuLy: Annotated[str, About("Nội dung xử lý", "what was done", Need.VALUE)] = ""
    TrangThai: Annotated[str, About("Trạng thái", "state after the step", Need.KEY, codes="dvcqg/TrangThaiHoSo")] = ""
    NgayBatDau: Annotated[str, About("Ngày bắt đầu", "begin", form="time")] = ""
    NgayKetThucTheoQuyDinh: Annotated[str, About("Ngày kết thúc theo quy định", "due", form="time")] = ""

    @property
    def state(self) -> State | None:
        """TrangThai, None where it is none of the ten."""
        return State.of(self.TrangThai)

    @property
    def happened_at(self) -> datetime | None:
        """ThoiDiemXuLy, +07:00."""
        return time_of(self.ThoiDiemXuLy)
