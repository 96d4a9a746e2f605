"""Every line-of-business message by name: ``system.Message``."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Final

from schemas.business import (
    civil_status,
    civil_status_exchange,
    construction,
    criminal_record,
    criminal_record_old,
    criminal_result,
    enterprise,
    forms,
    land,
    marriage,
    tasks,
)
from schemas.dvcqg.kinds import MessageKind
from schemas.dvcqg.shape import Shape

SEEN, OURS = "[C] §2.5", "[G] own"


def _seen(name: str, shape: type[Shape], vi: str, en: str) -> MessageKind:
    return MessageKind(name, shape, vi, en, SEEN)


_ALL: Final = (
    _seen("hotich.KhaiSinh", civil_status.BirthDeclaration, "Tờ khai đăng ký khai sinh", "Declaration of a birth"),
    _seen("hotich.KhaiTu", civil_status.DeathDeclaration, "Tờ khai đăng ký khai tử", "Declaration of a death"),
    _seen("hotich.KetHon", marriage.MarriageDeclaration, "Tờ khai đăng ký kết hôn", "Declaration of a marriage"),
    _seen("hotich.KetHonBieuMau", marriage.MarriageForm, "Biểu mẫu kết hôn gửi Bộ Tư pháp", "A marriage form on its way"),
    _seen("hotich.HoSo", civil_status_exchange.CivilStatusDossier, "Hồ sơ hộ tịch liên thông", "A civil status dossier"),
    _seen("hotich.TraCuuKetQua", civil_status_exchange.ResultRequest, "Tra cứu kết quả hộ tịch", "Asking for results"),
    _seen("hotich.KetQuaKhaiSinh", civil_status_exchange.BirthState, "Trạng thái, kết quả khai sinh", "State and result of a birth"),
    _seen("hotich.KetQuaKhaiTu", civil_status_exchange.DeathState, "Trạng thái, kết quả khai tử", "State and result of a death"),
    _seen(
        "hotich.CapNhatTrangThai", civil_status_exchange.StateUpdate, "Cập nhật trạng thái hồ sơ liên thông", "State of a linked dossier"
    ),
    _seen("lltp.YeuCau", criminal_record.CriminalRecordRequest, "Yêu cầu cấp phiếu lý lịch tư pháp", "Request for a certificate"),
    _seen("lltp.YeuCauLGSP", criminal_record_old.LgspRequest, "Yêu cầu cấp phiếu qua LGSP", "Request through a provincial LGSP"),
    _seen("lltp.YeuCauCu", criminal_record_old.EnglishForm, "Yêu cầu cấp phiếu theo mẫu cũ", "Request in the older form"),
    _seen("lltp.TrangThai", criminal_result.CriminalRecordState, "Trạng thái, kết quả lý lịch tư pháp", "State and result"),
    _seen("lltp.ThuHoi", criminal_result.Withdrawal, "Thu hồi phiếu lý lịch tư pháp", "Withdrawal of a certificate"),
    _seen("vbdlis.TiepNhanHoSo", land.LandReception, "Tiếp nhận hồ sơ đất đai", "A dossier handed to the land system"),
    _seen("vbdlis.CapNhatTrangThaiBoSungHoSo", land.SupplementReceived, "Hồ sơ đất đai đã bổ sung", "The supplement came"),
    _seen("vbdlis.PhanHoiHoSoSaiKetQua", land.WrongResult, "Phản hồi hồ sơ sai kết quả", "The result is wrong"),
    _seen("vbdlis.CapNhatKetQuaTraHoSo", land.ResultReturned, "Cập nhật kết quả trả hồ sơ", "The result was handed out"),
    _seen("vbdlis.CungCapSoBienNhan", land.ReceiptNumber, "Cung cấp số biên nhận", "A dossier the land system received"),
    _seen("vbdlis.DongBoTrangThaiLuanChuyenHoSo", land.Passing, "Luân chuyển hồ sơ đất đai", "The dossier is passed on"),
    _seen("vbdlis.DongBoTrangThaiChoBoSung", land.AwaitsSupplement, "Hồ sơ đất đai chờ bổ sung", "A supplement is awaited"),
    _seen("vbdlis.DongBoTrangThaiDaBoSung", land.SupplementTaken, "Hồ sơ đất đai đã nhận bổ sung", "The supplement was taken"),
    _seen("vbdlis.DongBoTrangThaiKetThuc", land.Ended, "Kết thúc hồ sơ đất đai", "The dossier ended"),
    _seen("vbdlis.DongBoKetQuaThue", land.TaxResult, "Kết quả thuế", "Tax notices"),
    _seen("vbdlis.ThongBaoNhapSaiThuTuc", land.WrongProcedure, "Thông báo nhập sai thủ tục", "Wrong procedure"),
    _seen("vbdlis.ThueChuyenTraHoSoDoSai", land.TaxReturned, "Thuế chuyển trả hồ sơ", "The tax office sends it back"),
    _seen("vbdlis.YeuCauCapNhatHoSo", land.UpdateAsked, "Yêu cầu cập nhật hồ sơ", "An update is asked for"),
    _seen("ilis.TiepNhanHoSo", land.LandReception, "Tiếp nhận hồ sơ đất đai (ILIS)", "A dossier handed to ILIS"),
    MessageKind(
        "dkkd.TraCuu", enterprise.EnterpriseRequest, "Tra cứu doanh nghiệp", "Look-up of an enterprise", "[C] name, [S] detail, §2.5"
    ),
    MessageKind("dkkd.KetQua", enterprise.EnterpriseAnswer, "Thông tin doanh nghiệp", "An enterprise", "[C] name, [S] detail, §2.5"),
    MessageKind("hub.HoSoCapPhepXayDung", construction.PermitApplication, "Đề nghị cấp giấy phép xây dựng", "Application to build", OURS),
    MessageKind("hub.GiayPhepXayDung", construction.Permit, "Giấy phép xây dựng", "Construction permit", OURS),
    MessageKind("hub.NhiemVu", tasks.TaskNotice, "Nhiệm vụ được giao", "A directive task", "[C] id and attributes §2.5, [G] the rest"),
    MessageKind("hub.GoiBieuMau", forms.FormPackage, "Gói dữ liệu biểu mẫu trực tuyến", "Package of an online form", OURS),
)


@cache
def business_kinds() -> Mapping[str, MessageKind]:
    """All of them by name, in the order of the table."""
    return MappingProxyType({one.name: one for one in _ALL})
