"""Feedback, petitions, questions and ratings between the agencies and the national portal, as far as anyone has told.

LayTaiLieuPAKN is Table 11 of QCVN 120:2019: one member, mandatory [C §2.1]; the other packets of petitions are named there and nowhere
described. Questions and answers: the members that OpenCPS reads and writes [C]. DongBoDanhGia is known by name only [C §2.2].
"""

from __future__ import annotations

from typing import Annotated, ClassVar

from schemas.dvcqg.shape import About, Need, Shape, WireNumber

LIST_SERVICES = ("LayDanhSachHoiDapGuiTuDVCQG", "LayDanhSachHoiDapBoCoQuan")


class PetitionFileRequest(Shape):
    """LayTaiLieuPAKN: a file that belongs to a petition (phản ánh, kiến nghị)."""

    SERVICE: ClassVar[str] = "LayTaiLieuPAKN"

    session: Annotated[str, About("Mã phiên", "session", Need.VALUE, secret=True)] = ""
    madonvi: Annotated[str, About("Mã đơn vị gửi", "code of the sending unit", Need.VALUE, form="agency")] = ""
    service: Annotated[str, About("Tên dịch vụ", "service", Need.VALUE, form="service")] = ""
    TepTinPhanAnh: Annotated[str, About("Tệp tin phản ánh", "the file of the petition", Need.KEY, note="QCVN 120:2019, Table 11")] = ""


class QuestionsRequest(Shape):
    """LayDanhSachHoiDapGuiTuDVCQG (asked at the portal) and LayDanhSachHoiDapBoCoQuan (written by the agencies)."""

    session: Annotated[str, About("Mã phiên", "session", Need.VALUE, secret=True)] = ""
    madonvi: Annotated[str, About("Mã đơn vị gửi", "code of the sending unit", Need.VALUE, form="agency")] = ""
    service: Annotated[str, About("Tên dịch vụ", "service", Need.KEY, note=" or ".join(LIST_SERVICES))] = ""


class AnswerLookup(Shape):
    """LayNoiDungTraLoiTheoCauHoi: the answers to one question."""

    SERVICE: ClassVar[str] = "LayNoiDungTraLoiTheoCauHoi"

    session: Annotated[str, About("Mã phiên", "session", Need.VALUE, secret=True)] = ""
    madonvi: Annotated[str, About("Mã đơn vị gửi", "code of the sending unit", Need.VALUE, form="agency")] = ""
    service: Annotated[str, About("Tên dịch vụ", "service", Need.VALUE, form="service")] = ""
    cauhoiid: Annotated[WireNumber, About("Định danh câu hỏi", "id of the question", Need.KEY)] = ""


class AskedQuestion(Shape):
    """A question as the portal lists it, with the answer where there is one."""

    HOIDAPID: Annotated[WireNumber, About("Định danh hỏi đáp", "id of the question", Need.KEY)] = ""
    MALINHVUC: Annotated[str, About("Mã lĩnh vực", "code of the field")] = ""
    TENDONVI: Annotated[str, About("Tên đơn vị", "name of the agency")] = ""
    NOIDUNG: Annotated[str, About("Nội dung câu hỏi", "the question")] = ""
    MADONVI: Annotated[str, About("Mã đơn vị", "code of the agency", form="agency")] = ""
    NOIDUNGTRALOI: Annotated[str, About("Nội dung trả lời", "the answer")] = ""
    TRALOIID: Annotated[WireNumber, About("Định danh trả lời", "id of the answer")] = ""
    HOVATEN: Annotated[str, About("Họ và tên người hỏi", "who asks")] = ""
    DIACHI: Annotated[str, About("Địa chỉ", "address")] = ""
    THUDIENTU: Annotated[str, About("Thư điện tử", "e-mail")] = ""
    SODIENTHOAI: Annotated[str, About("Số điện thoại", "telephone")] = ""
    MATTHCDP: Annotated[str, About("Mã thủ tục địa phương", "local code of the procedure")] = ""
    TRANGTHAI: Annotated[WireNumber, About("Trạng thái", "state; 0 is left out by a known reader")] = ""


class QuestionsAnswer(Shape):
    """What the two lists and LayNoiDungTraLoiTheoCauHoi are answered."""

    error_code: Annotated[WireNumber, About("Mã lỗi, 0 là thành công", "0 for success", Need.KEY)] = ""
    result: Annotated[tuple[AskedQuestion, ...], About("Các câu hỏi", "the questions", Need.PRESENT)] = ()


class PublishedQuestion(Shape):
    """A question that an agency publishes. `MaLinhVuc` alone is not in capitals: that is how a known sender writes it."""

    HOIDAPID: Annotated[WireNumber, About("Định danh hỏi đáp", "id of the question", Need.KEY)] = ""
    MaLinhVuc: Annotated[str, About("Mã lĩnh vực", "code of the field")] = ""
    NOIDUNG: Annotated[str, About("Nội dung câu hỏi", "the question", Need.VALUE)] = ""
    MADONVI: Annotated[str, About("Mã đơn vị", "code of the agency", form="agency")] = ""
    TENDONVI: Annotated[str, About("Tên đơn vị", "name of the agency")] = ""


class QuestionsSync(Shape):
    """DongBoHoiDap: questions that an agency publishes."""

    SERVICE: ClassVar[str] = "DongBoHoiDap"

    session: Annotated[str, About("Mã phiên", "session", Need.VALUE, secret=True)] = ""
    madonvi: Annotated[str, About("Mã đơn vị gửi", "code of the sending unit", Need.VALUE, form="agency")] = ""
    service: Annotated[str, About("Tên dịch vụ", "service", Need.VALUE, form="service")] = ""
    data: Annotated[tuple[PublishedQuestion, ...], About("Các câu hỏi", "the questions", Need.KEY)] = ()


class GivenAnswer(Shape):
    """An answer that an agency gives to a question of the portal."""

    HOIDAPID: Annotated[WireNumber, About("Định danh hỏi đáp", "id of the question", Need.KEY)] = ""
    MADONVI: Annotated[str, About("Mã đơn vị", "code of the agency", form="agency")] = ""
    NGUOITRALOI: Annotated[str, About("Người trả lời", "who answers")] = ""
    CHUCVUNGUOITRALOI: Annotated[str, About("Chức vụ người trả lời", "position", note='a known sender always writes "cb"')] = ""
    NGAYTRALOI: Annotated[str, About("Ngày trả lời", "when; its format was not told")] = ""
    NOIDUNGTRALOI: Annotated[str, About("Nội dung trả lời", "the answer", Need.VALUE)] = ""


class AnswersSync(Shape):
    """DongBoKetQuaHoiDapGuiTuDVCQG: answers to questions of the portal."""

    SERVICE: ClassVar[str] = "DongBoKetQuaHoiDapGuiTuDVCQG"

    session: Annotated[str, About("Mã phiên", "session", Need.VALUE, secret=True)] = ""
    madonvi: Annotated[str, About("Mã đơn vị gửi", "code of the sending unit", Need.VALUE, form="agency")] = ""
    service: Annotated[str, About("Tên dịch vụ", "service", Need.VALUE, form="service")] = ""
    data: Annotated[tuple[GivenAnswer, ...], About("Các câu trả lời", "the answers", Need.KEY)] = ()


class RatingRow(Shape):
    """One rating; its members were not told."""

    OPEN: ClassVar[bool] = True


class RatingSync(Shape):
    """DongBoDanhGia: ratings of the service. Only its name is known."""

    OPEN: ClassVar[bool] = True
    SERVICE: ClassVar[str] = "DongBoDanhGia"

    session: Annotated[str, About("Mã phiên", "session", Need.VALUE, secret=True)] = ""
    madonvi: Annotated[str, About("Mã đơn vị gửi", "code of the sending unit", Need.VALUE, form="agency")] = ""
    service: Annotated[str, About("Tên dịch vụ", "service", Need.VALUE, form="service")] = ""
    data: Annotated[tuple[RatingRow, ...], About("Các đánh giá", "the ratings")] = ()
