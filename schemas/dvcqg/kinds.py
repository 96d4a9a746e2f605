"""Every message there is, by name: ``endpoint.Name``. What reads, documents and validates works from this table.

A message names itself by its `service`, by members that only it has (`marks`), or, in XML, by its root element.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any, Final

from schemas.dvcqg import delegation, dossier, feedback, ministry, monitoring, portal, procedure, progress
from schemas.dvcqg.shape import Shape
from schemas.lgsp import documents

AUTO: Final = "auto"


@dataclass(frozen=True, slots=True)
class MessageKind:
    """One message. `encoding` is "json" or "xml"; `certainty` the label of the facts it rests on."""

    name: str
    shape: type[Shape]
    vi: str
    en: str
    certainty: str
    encoding: str = "json"
    services: tuple[str, ...] = ()  # values of `service` that name it
    marks: tuple[str, ...] = ()  # members that tell it, "result/MATTHC" = of the first row of `result`; tried after `services`

    @property
    def endpoint(self) -> str:
        """The part of the name before the dot."""
        return self.name.partition(".")[0]

    @property
    def title(self) -> str:
        """The part of the name after the dot."""
        return self.name.partition(".")[2]


ENDPOINTS: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "dvcqg": ("Cổng Dịch vụ công quốc gia (QCVN 120:2019/BTTTT)", "National public service portal (QCVN 120:2019/BTTTT)"),
        "ministry": ("Bộ kết nối LGSP cấp bộ (2026)", "LGSP adapter of a ministry (2026)"),
        "emc": ("Hệ thống giám sát một cửa quốc gia (EMC)", "National monitoring of one-stop shops (EMC)"),
        "repository": ("Kho dữ liệu số hóa cá nhân (Cổng DVCQG)", "Personal repository of the national portal"),
        "lgsp": ("Nền tảng LGSP cấp tỉnh (XML)", "Provincial LGSP (XML)"),
        "hub": ("Thông điệp riêng của hub", "The hub's own messages"),
    }
)


def _service(name: str, shape: type[Shape], vi: str, en: str, certainty: str = "[C] §2.2") -> MessageKind:
    return MessageKind(f"dvcqg.{name}", shape, vi, en, certainty, services=(name,))


def _lgsp(shape: type[Shape], vi: str, en: str) -> MessageKind:
    return MessageKind(f"lgsp.{shape.__name__}", shape, vi, en, "[C] §2.5", encoding="xml")


_ALL: Final = (
    MessageKind("dvcqg.DangNhap", portal.Login, "Đăng nhập", "Login", "[C] §2.2", marks=("username", "password")),
    MessageKind(
        "dvcqg.DangNhapTraLoi", portal.LoginResponse, "Trả lời đăng nhập", "Answer to a login", "[C] §2.2", marks=("session", "error_code")
    ),
    _service("DongBoHoSoMC", dossier.DossierSync, "Đồng bộ hồ sơ một cửa", "Dossiers of the one-stop shop", "[C] §2.3"),
    _service("CapNhatTienDoHoSoMC", progress.ProgressUpdate, "Cập nhật tiến độ hồ sơ một cửa", "Progress of dossiers", "[C] §2.3"),
    _service("TraCuuHoSo", portal.DossierLookup, "Tra cứu hồ sơ", "Look-up of a dossier"),
    _service("LayThuTuc", portal.ProcedureLookup, "Lấy thủ tục hành chính", "Look-up of a procedure"),
    MessageKind(
        "dvcqg.LayThuTucTraLoi", procedure.ProcedureAnswer, "Thông tin thủ tục", "A procedure", "[C]", marks=("error_code", "result/MATTHC")
    ),
    MessageKind("dvcqg.TraLoi", portal.Answer, "Trả lời đồng bộ", "Answer to a synchronisation", "[C] §2.2", marks=("error_code",)),
    MessageKind(
        "dvcqg.LayDanhMuc", portal.CatalogueRequest, "Lấy danh mục", "Look-up of a catalogue", "[C] §2.2", services=portal.CATALOGUES
    ),
    _service("LayQDCB", portal.DecisionLookup, "Lấy quyết định công bố", "Look-up of a publishing decision"),
    _service("TraCuuTechID", portal.TechIdLookup, "Tra cứu TechID", "Look-up of a TechID"),
    MessageKind(
        "dvcqg.HoSoTuCong",
        portal.PortalDossier,
        "Hồ sơ Cổng DVCQG chuyển đến",
        "A dossier pushed by the portal",
        "[C] §2.2",
        marks=("MaHoSo", "MaTTHC", "NgayNopHoSo"),
    ),
    _service("LayTaiLieuPAKN", feedback.PetitionFileRequest, "Lấy tài liệu phản ánh, kiến nghị", "File of a petition", "[C] §2.1"),
    MessageKind(
        "dvcqg.LayDanhSachHoiDap",
        feedback.QuestionsRequest,
        "Lấy danh sách hỏi đáp",
        "Look-up of questions",
        "[C] §2.2",
        services=feedback.LIST_SERVICES,
    ),
    _service("LayNoiDungTraLoiTheoCauHoi", feedback.AnswerLookup, "Lấy nội dung trả lời theo câu hỏi", "Answers to a question", "[C]"),
    MessageKind(
        "dvcqg.HoiDapTraLoi", feedback.QuestionsAnswer, "Danh sách hỏi đáp", "Questions", "[C]", marks=("error_code", "result/HOIDAPID")
    ),
    _service("DongBoHoiDap", feedback.QuestionsSync, "Đồng bộ hỏi đáp", "Questions published by an agency", "[C]"),
    _service("DongBoKetQuaHoiDapGuiTuDVCQG", feedback.AnswersSync, "Đồng bộ kết quả trả lời", "Answers given by an agency", "[C]"),
    _service("DongBoDanhGia", feedback.RatingSync, "Đồng bộ đánh giá", "Ratings", "[C] name only"),
    MessageKind("ministry.GetToken", ministry.TokenRequest, "Lấy mã truy cập", "Token", "[C] §2.5", marks=("client_id", "client_secret")),
    MessageKind(
        "ministry.GetNextValue", ministry.NextValueRequest, "Lấy mã hồ sơ kế tiếp", "Next dossier code", "[C] §2.5", marks=("code",)
    ),
    MessageKind(
        "ministry.UploadFileTraLoi",
        ministry.UploadedFile,
        "Tệp đã tải lên",
        "An uploaded file",
        "[C] §2.5",
        marks=("IdTepTin", "HashTepTin"),
    ),
    MessageKind("ministry.CreateDossier", ministry.CreateDossier, "Tạo hồ sơ", "A new dossier", "[C] §2.5", marks=("NoiHoSo",)),
    MessageKind(
        "ministry.CapNhatTienTrinh",
        ministry.MinistryStep,
        "Cập nhật tiến trình",
        "A step",
        "[C] §2.5",
        marks=("IDHoSo", "MaHoSo", "ThoiDiemXuLy"),
    ),
    MessageKind(
        "emc.TrackingMCDT",
        monitoring.MonitoringEvent,
        "Giám sát một cửa",
        "An event of a dossier",
        "[C] §2.5",
        marks=("CodeProfile", "CodeTTHC"),
    ),
    MessageKind(
        "repository.LayKetQua",
        monitoring.RepositoryRequest,
        "Lấy kết quả đã có",
        "Results a person holds",
        "[C] §2.5",
        marks=("SoDinhDanhChuSoHuu", "MaThuTuc"),
    ),
    MessageKind(
        "repository.KetQua", monitoring.RepositoryAnswer, "Kết quả đã có", "Those results", "[C] §2.5", marks=("errorCode", "signature")
    ),
    MessageKind(
        "hub.UyQuyenXuLy",
        delegation.Delegation,
        "Ủy quyền xử lý hồ sơ",
        "Delegation of a decision",
        "own; decision 000, article 9.1 b",
        marks=("MaUyQuyen", "LyDo"),
    ),
    _lgsp(documents.MSyncDocument, "Đồng bộ hồ sơ", "A dossier"),
    _lgsp(documents.MDocumentTraces, "Quá trình xử lý hồ sơ", "A step of a dossier"),
    _lgsp(documents.MStatistic, "Số liệu thống kê", "Figures of a period"),
    _lgsp(documents.MVotes, "Kết quả đánh giá", "Votes"),
    _lgsp(documents.MResult, "Trả lời", "Answer"),
    _lgsp(documents.Mtoken, "Mã truy cập", "Token"),
)


@cache
def kinds() -> Mapping[str, MessageKind]:
    """All messages by name, in the order of the table."""
    return MappingProxyType({one.name: one for one in _ALL})


def named(name: str) -> MessageKind | None:
    """The message ``endpoint.Name``, or the one message whose name after the dot is `name`."""
    found = kinds().get(name)
    if found is not None:
        return found
    alike = [one for one in _ALL if one.title.lower() == name.lower()]
    return alike[0] if len(alike) == 1 else None


def of_json(body: Mapping[str, Any]) -> MessageKind | None:
    """The message that a JSON object is; of several whose members are all there, the one with most."""
    service = body.get("service")
    if isinstance(service, str):
        for one in _ALL:
            if service in one.services:
                return one
    fitting = [one for one in _ALL if one.marks and all(_has(body, mark) for mark in one.marks)]
    return max(fitting, key=lambda one: len(one.marks), default=None)


def of_root(name: str) -> MessageKind | None:
    """The message whose XML root element is `name`."""
    return next((one for one in _ALL if one.encoding == "xml" and one.title == name), None)


def _has(body: Mapping[str, Any], mark: str) -> bool:
    name, _, inner = mark.partition("/")
    value = body.get(name)
    if not inner:
        return name in body
    return isinstance(value, list) and bool(value) and isinstance(value[0], dict) and inner in value[0]
