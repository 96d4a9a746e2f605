"""What the OpenAPI document says of the addresses for people. Their bearer token comes from `POST /api/v1/sessions`."""

from __future__ import annotations

from pydantic import BaseModel

from hub.api.operation import DICT, Operation, ref
from hub.api.shapes_people import Login
from hub.api.shapes_replay import Approval, NewReplay, Start

MODELS: dict[str, type[BaseModel]] = {"Login": Login, "NewReplay": NewReplay, "Approval": Approval, "Start": Start}
_ONE = "/api/v1/replays/{replay}"

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
    Operation("get", "/api/v1/replays", "Các lần phát lại", "The replays", {200: DICT}, of_person=True),
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
        f"{_ONE}/report",
        "Báo cáo có chữ ký của hub (JSON), hoặc trang in (Accept: text/html)",
        "The report signed by the hub (JSON), or a page to print (Accept: text/html)",
        {200: DICT},
        of_person=True,
    ),
)
