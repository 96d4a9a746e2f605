"""What the OpenAPI document says of evidence."""

from __future__ import annotations

from hub.api.operation import DICT, Operation
from signing.asic import EXTENDED

MAX_CHARS = 200  # of a query parameter
_ASKED = (
    ("party", "mã cơ quan · the agency's code"),
    ("from", "từ lúc, RFC 3339 có múi giờ · from, with a zone"),
    ("to", "đến trước lúc · to before"),
)

OPERATIONS = (
    Operation(
        "get",
        "/api/v1/evidence/completeness",
        "Chứng minh không giữ lại gì của một cơ quan trong một khoảng thời gian, cho kiểm toán viên",
        "Proof that nothing about a party was withheld from a period, for auditors",
        {200: (EXTENDED, {"type": "string", "format": "binary"})},
        [
            {
                "name": name,
                "in": "query",
                "required": True,
                "description": about,
                "schema": {"type": "string", "minLength": 1, "maxLength": 200},
            }
            for name, about in _ASKED
        ],
    ),
    Operation(
        "get",
        "/api/v1/log/status",
        "Bên làm chứng và dấu thời gian đã đến đâu, còn nợ gì; cho kiểm toán viên, người vận hành",
        "How far witnesses and time stamps are, and what they owe; for auditors and operators",
        {200: DICT},
    ),
    Operation(
        "get",
        "/metrics",
        "Số đo cho Prometheus",
        "Figures for Prometheus",
        {200: ("text/plain", {"type": "string"})},
        open_to_all=True,
    ),
    Operation(
        "get",
        "/api/v1/messages/{message}/evidence",
        "Bằng chứng về một thông điệp (bộ chứa ASiC-E), cho kiểm toán viên; mỗi lần lấy được ghi nhật ký",
        "Evidence of a message (an ASiC-E container), for auditors; each export is journalled",
        {200: (EXTENDED, {"type": "string", "format": "binary"})},
        [{"name": "message", "in": "path", "required": True, "schema": {"type": "string", "format": "uuid"}}],
    ),
)
