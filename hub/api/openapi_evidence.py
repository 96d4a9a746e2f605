"""What the OpenAPI document says of evidence."""

from __future__ import annotations

from hub.api.operation import Operation
from signing.asic import EXTENDED

OPERATIONS = (
    Operation(
        "get",
        "/api/v1/messages/{message}/evidence",
        "Bằng chứng về một thông điệp (bộ chứa ASiC-E), cho kiểm toán viên; mỗi lần lấy được ghi nhật ký",
        "Evidence of a message (an ASiC-E container), for auditors; each export is journalled",
        {200: (EXTENDED, {"type": "string", "format": "binary"})},
        [{"name": "message", "in": "path", "required": True, "schema": {"type": "string", "format": "uuid"}}],
    ),
)
