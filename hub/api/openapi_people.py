"""What the OpenAPI document says of the addresses for people. Their bearer token comes from `POST /api/v1/sessions`."""

from __future__ import annotations

from pydantic import BaseModel

from hub.api.operation import DICT, Operation, ref
from hub.api.shapes_people import Login

MODELS: dict[str, type[BaseModel]] = {"Login": Login}

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
)
