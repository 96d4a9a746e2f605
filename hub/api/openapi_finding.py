"""What the OpenAPI document says of finding messages."""

from __future__ import annotations

from hub.api.operation import DICT, Json, Operation
from hub.find import DEFAULT_PAGE, MAX_CHARS
from replay.search import MAX_PAGE
from schemas.message import DeliveryState

_TEXT: Json = {"type": "string", "minLength": 1, "maxLength": MAX_CHARS}
_ABOUT: dict[str, str] = {
    "q": "chữ trong trích yếu, có dấu hay không · words of the subject, with or without accents",
    "number": "số, ký hiệu, hoặc số/ký hiệu · number, notation, or both",
    "document_id": "DocumentId",
    "dossier": "mã hồ sơ · MaHoSo",
    "agency": "nơi gửi hoặc nơi nhận, mã dạng nào cũng được · sender or recipient, in either form of its code",
    "sender": "nơi gửi · sender",
    "recipient": "nơi nhận · recipient",
    "kind": "document.new, …",
    "state": "trạng thái một lượt chuyển · state of one of its copies",
    "code": "mã lỗi của lượt chuyển, hoặc mã cảnh báo · code of a copy's failure or of a warning",
    "since": "từ ngày (giờ Việt Nam) hoặc thời điểm · from that day (in Vietnam) or time on",
    "until": "đến hết ngày, hoặc trước thời điểm · to the end of that day, or before that time",
}


def _query(name: str, about: str, schema: Json) -> Json:
    return {"name": name, "in": "query", "required": False, "description": about, "schema": schema}


OPERATIONS = (
    Operation(
        "get",
        "/api/v1/messages",
        "Tìm thông điệp, mới nhất trước: hệ thống thấy thông điệp của mình, kiểm toán viên thấy tất cả; trang sau: before = next",
        "Find messages, newest first: a system its own, an auditor's session all; the next page: before = next",
        {200: DICT},
        [
            *(_query(name, about, {"enum": list(DeliveryState)} if name == "state" else _TEXT) for name, about in _ABOUT.items()),
            _query("limit", "", {"type": "integer", "minimum": 1, "maximum": MAX_PAGE, "default": DEFAULT_PAGE}),
            _query("before", "`next` của trang trước · of the page before", {"type": "integer", "minimum": 0}),
        ],
    ),
)
