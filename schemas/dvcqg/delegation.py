"""Who decided in whose place, and why. Ours: no system was found to exchange it, but the rule asks for it.

Decision 000 (QĐ 2947/QĐ-UBND Khánh Hòa 2016) article 9.1 b: the head of an agency decides on dossiers in person and does not delegate,
except in sudden or objective cases. So every delegation names its kind of reason and the reason itself.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from schemas.dvcqg.shape import About, Need, Shape
from schemas.dvcqg.values import time_of


class Delegation(Shape):
    """UyQuyenXuLy: a decision that is taken by another than the head."""

    MaUyQuyen: Annotated[str, About("Mã ủy quyền", "id of the delegation, given by the sender", Need.KEY)] = ""
    MaHoSo: Annotated[str, About("Mã hồ sơ", "dossier code; blank for all in the period", form="dossier-code")] = ""
    MaDonVi: Annotated[str, About("Mã đơn vị", "code of the agency", Need.KEY, form="agency")] = ""
    NguoiUyQuyen: Annotated[str, About("Người ủy quyền", "the head", Need.KEY)] = ""
    ChucVuNguoiUyQuyen: Annotated[str, About("Chức vụ người ủy quyền", "position of the head", Need.VALUE)] = ""
    NguoiDuocUyQuyen: Annotated[str, About("Người được ủy quyền", "who decides instead", Need.KEY)] = ""
    ChucVuNguoiDuocUyQuyen: Annotated[str, About("Chức vụ người được ủy quyền", "position of who decides", Need.VALUE)] = ""
    NoiDungUyQuyen: Annotated[str, About("Nội dung ủy quyền", "what may be decided", Need.VALUE)] = ""
    LoaiLyDo: Annotated[str, About("Loại lý do", "kind of reason", Need.KEY, codes="hub/LoaiLyDo")] = ""
    LyDo: Annotated[str, About("Lý do", "the reason", Need.KEY, form="reason")] = ""
    SoVanBan: Annotated[str, About("Số văn bản ủy quyền", "number of the document")] = ""
    TuThoiDiem: Annotated[str, About("Từ thời điểm", "from", Need.KEY, form="time")] = ""
    DenThoiDiem: Annotated[str, About("Đến thời điểm", "until; blank where it is for one decision", form="time")] = ""

    @property
    def begins_at(self) -> datetime | None:
        """TuThoiDiem, +07:00."""
        return time_of(self.TuThoiDiem)

    @property
    def ends_at(self) -> datetime | None:
        """DenThoiDiem, +07:00."""
        return time_of(self.DenThoiDiem)

    def covers(self, moment: datetime) -> bool:
        """Whether a decision at `moment` falls under it. Without an end it is for its day; without a begin it covers nothing."""
        begin, end = self.begins_at, self.ends_at
        if begin is None:
            return False
        return begin <= moment <= end if end else begin.date() == moment.astimezone(begin.tzinfo).date()
