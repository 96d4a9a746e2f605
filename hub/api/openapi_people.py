"""What the OpenAPI document says of the addresses for people. Their bearer token comes from `POST /api/v1/sessions`."""

from __future__ import annotations

from pydantic import BaseModel

from hub.api.operation import DICT, Json, Operation, ref
from hub.api.shapes_people import Login
from hub.api.shapes_replay import Approval, NewReplay, Start
from hub.replay_reader import MAX_PAGE, OUTCOMES

MODELS: dict[str, type[BaseModel]] = {"Login": Login, "NewReplay": NewReplay, "Approval": Approval, "Start": Start}
_ONE = "/api/v1/replays/{replay}"


def _query(name: str, schema: Json) -> Json:
    return {"name": name, "in": "query", "required": False, "schema": schema}


_LIMIT = _query("limit", {"type": "integer", "minimum": 1, "maximum": MAX_PAGE, "default": MAX_PAGE})

OPERATIONS = (
    Operation(
        "post",
        "/api/v1/sessions",
        "Đăng nhập của người dùng; trả mã phiên có thời hạn (số lần thử bị giới hạn)",
        "A person logs in; answers a token that expires (attempts are limited)",
        {201: DICT},
        (),
        {"application/json": {"schema": ref("Login")}},
        open_to_all=True,
    ),
    Operation(
        "get",
        "/api/v1/sessions/current",
        "Người dùng của phiên này, vai trò và thời hạn",
        "Whose session this is, roles and expiry",
        {200: DICT},
        of_person=True,
    ),
    Operation(
        "post",
        "/api/v1/sessions/current/end",
        "Đăng xuất",
        "Log out",
        {204: None},
        of_person=True,
    ),
    Operation(
        "post",
        "/api/v1/replays",
        "Lập một lần phát lại trên danh sách được chốt",
        "Make a replay over a selection that is frozen",
        {201: DICT},
        (),
        {"application/json": {"schema": ref("NewReplay")}},
        of_person=True,
    ),
    Operation(
        "get",
        "/api/v1/replays",
        "Các lần phát lại, mới nhất trước; trang sau: before = next",
        "The replays, newest first; the next page: before = next",
        {200: DICT},
        [_LIMIT, _query("before", {"type": "string", "format": "uuid"})],
        of_person=True,
    ),
    Operation("get", _ONE, "Một lần phát lại", "One replay", {200: DICT}, of_person=True),
    Operation(
        "post",
        f"{_ONE}/approval",
        "Người thứ hai phê duyệt đúng mã băm của yêu cầu chuyển lại",
        "A second person approves the digest of a redelivery's request",
        {200: DICT},
        (),
        {"application/json": {"schema": ref("Approval")}},
        of_person=True,
    ),
    Operation(
        "post",
        f"{_ONE}/run",
        "Bắt đầu hoặc tiếp tục",
        "Start it, or go on",
        {200: DICT},
        (),
        {"application/json": {"schema": ref("Start")}},
        of_person=True,
    ),
    Operation("post", f"{_ONE}/pause", "Tạm dừng", "Pause", {200: DICT}, of_person=True),
    Operation("post", f"{_ONE}/cancel", "Hủy phần chưa làm", "Cancel what is not done", {200: DICT}, of_person=True),
    Operation(
        "get",
        f"{_ONE}/items",
        "Từng mục và điều tìm thấy; values=true hiện giá trị hai phía (operator, auditor)",
        "What was found, item by item; values=true shows what fields were and are (operator, auditor)",
        {200: DICT},
        [
            _query("outcome", {"enum": list(OUTCOMES)}),
            _LIMIT,
            _query("after", {"type": "integer", "minimum": 0}),
            _query("values", {"type": "boolean", "default": False}),
        ],
        of_person=True,
    ),
    Operation(
        "get",
        f"{_ONE}/report",
        "Báo cáo có chữ ký của hub (JSON), hoặc trang in (Accept: text/html, application/pdf)",
        "The report signed by the hub (JSON), or a page to print (Accept: text/html, application/pdf)",
        {200: DICT},
        of_person=True,
    ),
)
