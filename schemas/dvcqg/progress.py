"""CapNhatTienDoHoSoMC: the steps of a dossier. QCVN 120:2019, Table 3 (9 fields) [C facts §2.3]."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, ClassVar

from schemas.dvcqg.codes import State
from schemas.dvcqg.shape import About, Need, Shape
from schemas.dvcqg.values import DossierCode, time_of

CHUNK = 10  # steps that senders put in one message [C §2.3]


class ProgressStep(Shape):
    """One step: who did what when, and the state it led to."""

    MaHoSo: Annotated[str, About("Mã hồ sơ", "dossier code", Need.KEY, form="dossier-code")] = ""
    NguoiXuLy: Annotated[str, About("Người xử lý", "who acted", Need.VALUE, max_chars=50)] = ""
    ChucDanh: Annotated[str, About("Chức danh", "position")] = ""
    ThoiDiemXuLy: Annotated[str, About("Thời điểm xử lý", "when", Need.VALUE, form="time")] = ""
    PhongBanXuLy: Annotated[str, About("Phòng ban xử lý", "department")] = ""
    NoiDungXuLy: Annotated[str, About("Nội dung xử lý", "what was done", Need.VALUE)] = ""
    TrangThai: Annotated[str, About("Trạng thái", "state after the step", Need.KEY, codes="dvcqg/TrangThaiHoSo")] = ""
    NgayBatDau: Annotated[str, About("Ngày bắt đầu", "begin", form="time")] = ""
    NgayKetThucTheoQuyDinh: Annotated[str, About("Ngày kết thúc theo quy định", "due", form="time")] = ""

    @property
    def code(self) -> DossierCode:
        """MaHoSo with its parts."""
        return DossierCode.of(self.MaHoSo)

    @property
    def state(self) -> State | None:
        """TrangThai, None where it is none of the ten."""
        return State.of(self.TrangThai)

    @property
    def happened_at(self) -> datetime | None:
        """ThoiDiemXuLy, +07:00."""
        return time_of(self.ThoiDiemXuLy)


class ProgressUpdate(Shape):
    """The request of CapNhatTienDoHoSoMC. It is sent only after the dossier's own message was accepted [C §2.2]."""

    SERVICE: ClassVar[str] = "CapNhatTienDoHoSoMC"

    session: Annotated[str, About("Mã phiên", "session", Need.VALUE, secret=True)] = ""
    madonvi: Annotated[str, About("Mã đơn vị gửi", "code of the sending unit", Need.VALUE, form="agency")] = ""
    service: Annotated[str, About("Tên dịch vụ", "service", Need.VALUE, form="service")] = ""
    data: Annotated[tuple[ProgressStep, ...], About("Các bước xử lý", "the steps", Need.KEY, note="senders put 10 in one message")] = ()
