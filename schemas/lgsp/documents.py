"""MSyncDocument, MDocumentTraces, MStatistic, MVotes, MResult and Mtoken [C facts §2.5: the XSD that OpenCPS exchanges by].

Names with their typing errors ("Attachmentld", "PreExtisting", "OrganizationInchargeIdlevel1") are the wire format. Types are those of
that schema; dates are plain strings there, and no format was told.
"""

from __future__ import annotations

from typing import Annotated, ClassVar

from schemas.dvcqg.shape import About, Need, Shape
from schemas.dvcqg.values import truth, whole_number


class DocPaper(Shape):
    """A paper."""

    PaperName: Annotated[str, About("Tên giấy tờ", "name of the paper", Need.PRESENT)] = ""
    Amount: Annotated[str, About("Số lượng", "how many", Need.PRESENT, form="int")] = ""
    PaperType: Annotated[str, About("Loại giấy tờ", "kind of paper", Need.PRESENT, form="int")] = ""


class DocFee(Shape):
    """A fee."""

    FeeName: Annotated[str, About("Tên phí, lệ phí", "name of the fee", Need.PRESENT)] = ""
    FeeType: Annotated[str, About("Loại phí, lệ phí", "kind of fee", Need.PRESENT, form="int")] = ""
    Price: Annotated[str, About("Số tiền", "amount", Need.PRESENT, form="double")] = ""


class Attachment(Shape):
    """A file, inside the message. "Attachmentld", with a small L, is how it is written."""

    Attachmentld: Annotated[str, About("Định danh tệp", "id of the file", Need.PRESENT, form="int")] = ""
    AttachmentName: Annotated[str, About("Tên tệp", "name of the file", Need.PRESENT)] = ""
    IsDeleted: Annotated[str, About("Đã xóa", "deleted", form="bool")] = ""
    Base64: Annotated[str, About("Nội dung Base64", "the file in Base64", Need.PRESENT)] = ""
    IsVerified: Annotated[str, About("Đã kiểm tra", "verified, says the sender", Need.PRESENT, form="bool")] = ""


class Supplementary(Shape):
    """One request for supplements and what came of it."""

    SupplementaryId: Annotated[str, About("Định danh lần bổ sung", "id of the request", Need.PRESENT, form="int")] = ""
    SendUser: Annotated[str, About("Người yêu cầu", "who requests", Need.PRESENT)] = ""
    SendComment: Annotated[str, About("Nội dung yêu cầu", "what is requested", Need.PRESENT)] = ""
    SendDate: Annotated[str, About("Ngày yêu cầu", "when", Need.PRESENT)] = ""
    ReceivedUser: Annotated[str, About("Người tiếp nhận", "who received it")] = ""
    ReceivedComment: Annotated[str, About("Thông tin tiếp nhận", "remark on the reception")] = ""
    ReceivedDate: Annotated[str, About("Ngày tiếp nhận", "when it was received", Need.PRESENT)] = ""
    IsReceived: Annotated[str, About("Đã tiếp nhận", "received", Need.PRESENT, form="bool")] = ""
    Papers: Annotated[tuple[DocPaper, ...], About("Giấy tờ", "papers")] = ()
    Fees: Annotated[tuple[DocFee, ...], About("Phí, lệ phí", "fees")] = ()
    OldDateAppointed: Annotated[str, About("Ngày hẹn trả trước", "appointment before", Need.PRESENT)] = ""
    NewDateAppointed: Annotated[str, About("Ngày hẹn trả mới", "appointment after")] = ""


class MSyncDocument(Shape):
    """A dossier as it stands: /Document/SyncDocument."""

    ROOT: ClassVar[str] = "MSyncDocument"

    DocTypeCode: Annotated[str, About("Mã thủ tục", "procedure code", Need.KEY)] = ""
    DocTypeName: Annotated[str, About("Tên thủ tục", "name of the procedure", Need.PRESENT)] = ""
    DocCode: Annotated[str, About("Mã hồ sơ", "dossier code", Need.KEY)] = ""
    CitizenName: Annotated[str, About("Tên công dân", "name of the applicant", Need.PRESENT)] = ""
    CitizenInfo: Annotated[str, About("Thông tin công dân", "about the applicant")] = ""
    ApplicantsId: Annotated[str, About("Số định danh người nộp", "identity number", Need.PRESENT, secret=True)] = ""
    ApplicantsType: Annotated[str, About("Loại đối tượng", "kind of applicant", Need.PRESENT, "int", "lgsp/ApplicantsType")] = ""
    Address: Annotated[str, About("Địa chỉ", "address")] = ""
    Email: Annotated[str, About("Thư điện tử", "e-mail")] = ""
    Phone: Annotated[str, About("Số điện thoại", "telephone", Need.PRESENT)] = ""
    Compendium: Annotated[str, About("Trích yếu", "summary")] = ""
    DateReceived: Annotated[str, About("Ngày tiếp nhận", "when it was received", Need.PRESENT)] = ""
    DateAppointed: Annotated[str, About("Ngày hẹn trả", "when the result is promised", Need.PRESENT)] = ""
    IsSuccess: Annotated[str, About("Đã duyệt", "approved", Need.PRESENT, form="bool")] = ""
    SuccessDate: Annotated[str, About("Ngày duyệt", "when it was approved", Need.PRESENT)] = ""
    ApproverName: Annotated[str, About("Người duyệt", "who approved")] = ""
    ApproverPosition: Annotated[str, About("Chức vụ người duyệt", "position of who approved")] = ""
    SuccessNote: Annotated[str, About("Ghi chú duyệt", "note on the approval")] = ""
    IsReturned: Annotated[str, About("Đã trả", "returned", Need.PRESENT)] = ""
    ReturnedDate: Annotated[str, About("Ngày trả", "when it was returned", Need.PRESENT)] = ""
    ReturnNote: Annotated[str, About("Ghi chú trả", "note on the return")] = ""
    ReturnedType: Annotated[str, About("Hình thức trả", "how it was returned", Need.PRESENT, form="int")] = ""
    FinishedDate: Annotated[str, About("Ngày kết thúc", "when it was finished")] = ""
    Status: Annotated[str, About("Trạng thái", "state", Need.PRESENT, "int", "lgsp/Status")] = ""
    ProcessingOrganName: Annotated[str, About("Cơ quan xử lý", "agency in charge", Need.PRESENT)] = ""
    HasSupplementary: Annotated[str, About("Có bổ sung", "has supplements")] = ""
    RequireSupplementaryDate: Annotated[str, About("Ngày yêu cầu bổ sung", "when a supplement was requested")] = ""
    Note: Annotated[str, About("Ghi chú", "note")] = ""
    Attachments: Annotated[tuple[Attachment, ...], About("Tệp đính kèm", "files", Need.PRESENT)] = ()
    DocFees: Annotated[tuple[DocFee, ...], About("Phí, lệ phí", "fees")] = ()
    DocPapers: Annotated[tuple[DocPaper, ...], About("Giấy tờ", "papers")] = ()
    Supplementaries: Annotated[tuple[Supplementary, ...], About("Các lần bổ sung", "requests for supplements")] = ()
    OrganInchargeIdLevel1: Annotated[str, About("Mã cơ quan phụ trách", "code of the agency in charge", Need.PRESENT)] = ""
    OrganInchargeName: Annotated[str, About("Tên cơ quan phụ trách", "name of the agency in charge", Need.PRESENT)] = ""

    @property
    def is_finished(self) -> bool:
        """Whether Status is 2, finished."""
        return whole_number(self.Status) == 2

    @property
    def is_success(self) -> bool | None:
        """IsSuccess, None where it is neither."""
        return truth(self.IsSuccess)


class MDocumentTraces(Shape):
    """One step of a dossier: /Document/UpdateDocumentTraces."""

    ROOT: ClassVar[str] = "MDocumentTraces"

    DocumentId: Annotated[str, About("Định danh hồ sơ", "id of the dossier", Need.KEY)] = ""
    DocCode: Annotated[str, About("Mã hồ sơ", "dossier code", Need.KEY)] = ""
    UserName: Annotated[str, About("Người xử lý", "who acted", Need.PRESENT)] = ""
    UserPosition: Annotated[str, About("Chức danh", "position", Need.PRESENT)] = ""
    DateCreated: Annotated[str, About("Thời điểm", "when", Need.PRESENT)] = ""
    Comment: Annotated[str, About("Nội dung", "what was done")] = ""
    Status: Annotated[str, About("Trạng thái", "state", form="int")] = ""
    OrganizationInchargeIdLevel1: Annotated[str, About("Mã cơ quan phụ trách", "code of the agency in charge", Need.PRESENT)] = ""
    OrganizationInchargeName: Annotated[str, About("Tên cơ quan phụ trách", "name of the agency in charge", Need.PRESENT)] = ""


class MStatistic(Shape):
    """The figures of a month, or of a year: /Statistic."""

    ROOT: ClassVar[str] = "MStatistic"

    Month: Annotated[str, About("Tháng", "month", Need.KEY, form="int")] = ""
    Year: Annotated[str, About("Năm", "year", Need.KEY, form="int")] = ""
    IsMonthStatistic: Annotated[str, About("Là số liệu tháng", "figures of a month", Need.PRESENT, form="bool")] = ""
    NewReception: Annotated[str, About("Tiếp nhận mới", "newly received", Need.PRESENT, form="int")] = ""
    PreExtisting: Annotated[str, About("Kỳ trước chuyển sang", "carried over", Need.PRESENT, form="int")] = ""
    Total: Annotated[str, About("Tổng số", "total", Need.PRESENT, form="int")] = ""
    TotalSolved: Annotated[str, About("Đã giải quyết", "solved", Need.PRESENT, form="int")] = ""
    SolvedInTime: Annotated[str, About("Giải quyết đúng hạn", "solved in time", Need.PRESENT, form="int")] = ""
    SolvedInTimePercent: Annotated[str, About("Tỷ lệ đúng hạn", "their share", Need.PRESENT, form="double")] = ""
    SolvedLate: Annotated[str, About("Giải quyết trễ hạn", "solved late", Need.PRESENT, form="int")] = ""
    SolvedLatePercent: Annotated[str, About("Tỷ lệ trễ hạn", "their share", Need.PRESENT, form="double")] = ""
    TotalPending: Annotated[str, About("Đang giải quyết", "pending", Need.PRESENT, form="int")] = ""
    Pending: Annotated[str, About("Đang giải quyết trong hạn", "pending in time", Need.PRESENT, form="int")] = ""
    PendingLate: Annotated[str, About("Đang giải quyết quá hạn", "pending late", Need.PRESENT, form="int")] = ""
    PendingLatePercent: Annotated[str, About("Tỷ lệ quá hạn", "their share", Need.PRESENT, form="double")] = ""
    PendingPercent: Annotated[str, About("Tỷ lệ trong hạn", "their share", Need.PRESENT, form="double")] = ""
    Note: Annotated[str, About("Ghi chú", "note", Need.PRESENT)] = ""
    OrganizationInchargeIdlevel1: Annotated[str, About("Mã cơ quan phụ trách", "code of the agency in charge", Need.PRESENT)] = ""
    OrganizationInchargeName: Annotated[str, About("Tên cơ quan phụ trách", "name of the agency in charge", Need.PRESENT)] = ""


class VoteQuestion(Shape):
    """One question of a vote."""

    DocTypeCode: Annotated[str, About("Mã thủ tục", "procedure code")] = ""
    Content: Annotated[str, About("Nội dung câu hỏi", "the question", Need.PRESENT)] = ""
    PercentVeryGood: Annotated[str, About("Tỷ lệ rất hài lòng", "very good", Need.PRESENT, form="double")] = ""
    PercentGood: Annotated[str, About("Tỷ lệ hài lòng", "good", Need.PRESENT, form="double")] = ""
    PercentBad: Annotated[str, About("Tỷ lệ không hài lòng", "bad", Need.PRESENT, form="double")] = ""


class MVotes(Shape):
    """What people say of the service: /Vote."""

    ROOT: ClassVar[str] = "MVotes"

    DateCreated: Annotated[str, About("Ngày lập", "when it was made", Need.PRESENT)] = ""
    TotalVoted: Annotated[str, About("Tổng lượt đánh giá", "votes", Need.PRESENT, form="int")] = ""
    PercentVeryGood: Annotated[str, About("Tỷ lệ rất hài lòng", "very good", Need.PRESENT, form="double")] = ""
    PercentGood: Annotated[str, About("Tỷ lệ hài lòng", "good", Need.PRESENT, form="double")] = ""
    PercentBad: Annotated[str, About("Tỷ lệ không hài lòng", "bad", Need.PRESENT, form="double")] = ""
    Questions: Annotated[tuple[VoteQuestion, ...], About("Các câu hỏi", "questions")] = ()
    OrganizationInchargeIdLevel1: Annotated[str, About("Mã cơ quan phụ trách", "code of the agency in charge", Need.PRESENT)] = ""
    OrganizationInchargeName: Annotated[str, About("Tên cơ quan phụ trách", "name of the agency in charge", Need.PRESENT)] = ""


class MResult(Shape):
    """What an LGSP answers. Which Status is success was not told."""

    ROOT: ClassVar[str] = "MResult"

    Status: Annotated[str, About("Trạng thái", "status", form="int")] = ""
    Message: Annotated[str, About("Thông báo", "text for people")] = ""


class Mtoken(Shape):
    """The answer of /token (OAuth 2.0 client credentials)."""

    ROOT: ClassVar[str] = "Mtoken"

    access_token: Annotated[str, About("Mã truy cập", "access token", Need.KEY, secret=True)] = ""
    token_type: Annotated[str, About("Loại mã", "type", Need.PRESENT)] = ""
    expires_in: Annotated[str, About("Thời hạn (giây)", "seconds it is good for", Need.PRESENT, form="int")] = ""
    scope: Annotated[str, About("Phạm vi", "scope", Need.PRESENT)] = ""
