"""The OpenAPI 3.1 document of the REST face. A test holds it to the routes that the app really has."""

from __future__ import annotations

from pydantic import BaseModel

from hub.api import openapi_evidence, openapi_finding, openapi_people
from hub.api.operation import DICT, Json, Operation, ref
from hub.api.shapes import Ack, StatusReport

VERSION = "1.0.0"

_TEXT: Json = {"type": "string"}
_UUID: Json = {"type": "string", "format": "uuid"}
_ITEM: Json = {
    "type": "object",
    "properties": {
        "delivery_id": _UUID,
        "message_id": _UUID,
        "kind": _TEXT,
        "sender": _TEXT,
        "recipient": _TEXT,
        "document_id": _TEXT,
        "title": _TEXT,
        "accepted_at": {"type": "string", "format": "date-time"},
        "size": {"type": "integer", "description": "bytes"},
        "sha256": {"type": "string", "description": "lower hex, of the bytes as received"},
        "legal_value": {"enum": ["original", "for information", "pending", "none"], "description": "of the newest verdict"},
        "verification": {
            "enum": ["", "pending", "confirmed", "withdrawn", "given-up"],
            "description": "where a certificate's status was not known at first; else empty",
        },
    },
}
_VIOLATION: Json = {
    "type": "object",
    "properties": {
        "code": _TEXT,
        "severity": {"enum": ["error", "warning"]},
        "path": _TEXT,
        "line": {"type": "integer"},
        "got": _TEXT,
        "expected": _TEXT,
        "message": {"$ref": "#/components/schemas/Text"},
        "remedy": {"$ref": "#/components/schemas/Text"},
    },
}
_SCHEMAS: Json = {
    "Text": {"type": "object", "properties": {"vi": _TEXT, "en": _TEXT}},
    "Violation": _VIOLATION,
    "Problem": {
        "type": "object",
        "description": "RFC 9457; `code` is stable and listed in docs/errors.md",
        "properties": {
            "type": {"type": "string", "format": "uri"},
            "title": _TEXT,
            "title_vi": _TEXT,
            "status": {"type": "integer"},
            "code": _TEXT,
            "detail": _TEXT,
            "got": _TEXT,
            "expected": _TEXT,
            "remedy": {"$ref": "#/components/schemas/Text"},
            "violations": {"type": "array", "items": {"$ref": "#/components/schemas/Violation"}},
            "instance": _TEXT,
            "trace_id": _TEXT,
        },
    },
    "Item": _ITEM,
    "Inbox": {
        "type": "object",
        "properties": {
            "items": {"type": "array", "items": {"$ref": "#/components/schemas/Item"}},
            "next": {"type": ["integer", "null"], "description": "value of `after` for the next page; null = no more"},
        },
    },
    "Receipt": {"type": "object", "description": "canonical JSON signed by the hub; given byte for byte, keep it as it is"},
    "Verdict": {"type": "object", "description": "as `lgsp verify --json` prints it: docs/verification.md"},
    "State": {"type": "object", "properties": {"delivery_id": _UUID, "state": _TEXT}},
}


def _json(name: str) -> tuple[str, Json]:
    return "application/json", ref(name)


def _query(name: str, schema: Json) -> Json:
    return {"name": name, "in": "query", "required": False, "schema": schema}


_RECEIPTS = {201: _json("Receipt"), 200: _json("Receipt")}
_PACKET: Json = {"type": "string", "format": "binary", "description": "edXML, QCVN 102:2016/BTTTT"}
_FILE: Json = {"type": "string", "format": "binary"}
_KEY: Json = {"name": "Idempotency-Key", "in": "header", "required": False, "schema": {"type": "string", "maxLength": 512}}

OPERATIONS = (
    Operation(
        "post",
        "/api/v1/messages",
        "Gửi một gói tin; trả biên nhận đã ký sau khi đã ghi bền vững (200 và Idempotent-Replayed nếu là gửi lại)",
        "Send a packet; answers the signed receipt once it is durable (200 and Idempotent-Replayed for a repetition)",
        _RECEIPTS,
        [_KEY],
        {"application/xml": {"schema": _PACKET}, "text/xml": {"schema": _PACKET}},
    ),
    Operation(
        "post",
        "/api/v1/verify",
        "Kiểm tra chữ ký của một tệp bất kỳ (gói tin, PDF, CMS, ASiC, XML, dấu thời gian); không lưu gì",
        "Verify the signatures of any file (packet, PDF, CMS, ASiC, XML, time-stamp); nothing is stored",
        {200: _json("Verdict")},
        [_query(name, {"type": "string"}) for name in ("kind", "at", "policy", "domain")],
        {
            "application/octet-stream": {"schema": _FILE},
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {"file": _FILE, "content": {**_FILE, "description": "what a detached signature or a time-stamp is over"}},
                }
            },
        },
    ),
    Operation(
        "get",
        "/api/v1/messages/{message}",
        "Trạng thái theo từng nơi nhận và các sự kiện của một thông điệp",
        "State per recipient and events of one message",
        {200: DICT},
    ),
    Operation(
        "get",
        "/api/v1/inbox",
        "Danh sách gói tin đang chờ lấy, theo thứ tự tiếp nhận",
        "Packets waiting to be fetched, in order of acceptance",
        {200: _json("Inbox")},
        [
            _query("limit", {"type": "integer", "minimum": 1, "maximum": 500, "default": 100}),
            _query("after", {"type": "integer", "minimum": 0, "default": 0}),
        ],
    ),
    Operation(
        "get",
        "/api/v1/inbox/{delivery}",
        "Lấy nguyên văn một gói tin (từng byte như bên gửi đã gửi; ETag, Digest, Content-Digest là SHA-256)",
        "One packet, byte for byte as its sender sent it (ETag, Digest, Content-Digest are SHA-256)",
        {200: ("application/xml", _PACKET)},
    ),
    Operation(
        "post",
        "/api/v1/inbox/{delivery}/ack",
        "Xác nhận đã lưu gói tin, hoặc từ chối tiếp nhận; gọi lại không đổi kết quả",
        "Confirm that the packet is stored, or refuse it; repeating changes nothing",
        {200: _json("State")},
        (),
        {"application/json": {"schema": ref("Ack")}},
    ),
    Operation(
        "post",
        "/api/v1/inbox/{delivery}/status",
        "Báo trạng thái xử lý văn bản; hub lập gói tin trạng thái gửi về nơi gửi",
        "Report the document's status; the hub writes the status packet to its sender",
        _RECEIPTS,
        (),
        {"application/json": {"schema": ref("StatusReport")}},
    ),
    Operation("get", "/health/live", "Tiến trình còn chạy", "The process runs", {200: DICT}, open_to_all=True),
    Operation(
        "get",
        "/log/checkpoint",
        "Điểm kiểm đã ký và đồng ký của nhật ký (C2SP tlog-checkpoint)",
        "The journal's checkpoint with its signatures and cosignatures (C2SP tlog-checkpoint)",
        {200: ("text/plain", _TEXT)},
        open_to_all=True,
    ),
    Operation(
        "get",
        "/log/tile/{tile}",
        "Mảnh cây băm: <L>/<N>[.p/<W>] (C2SP tlog-tiles); gói mục nhật ký entries/<N>[.p/<W>] cần vai trò auditor",
        "A tile of the journal's tree: <L>/<N>[.p/<W>] (C2SP tlog-tiles); bundles of entries, entries/<N>[.p/<W>], need the role auditor",
        {200: ("application/octet-stream", {"type": "string", "format": "binary"})},
        open_to_all=True,
    ),
    Operation(
        "get",
        "/health/ready",
        "Sẵn sàng tiếp nhận (503 nếu chưa)",
        "Ready to accept (503 if not)",
        {200: DICT, 503: DICT},
        open_to_all=True,
    ),
    *openapi_evidence.OPERATIONS,
    *openapi_finding.OPERATIONS,
    *openapi_people.OPERATIONS,
)


def document() -> Json:
    """The OpenAPI document."""
    paths: dict[str, Json] = {}
    for one in OPERATIONS:
        paths.setdefault(one.path, {})[one.method] = _described(one)
    schemas = {name: model.model_json_schema(ref_template="#/components/schemas/{model}") for name, model in _MODELS.items()}
    nested = {name: shape for schema in schemas.values() for name, shape in schema.pop("$defs", {}).items()}
    return {
        "openapi": "3.1.0",
        "info": {"title": "LGSP hub", "version": VERSION, "description": "SOAP: /soap/v1?wsdl"},
        "paths": paths,
        "components": {
            "schemas": {**_SCHEMAS, **nested, **schemas},
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "description": "keyid.secret"},
                "basic": {"type": "http", "scheme": "basic", "description": "user = keyid, password = secret"},
                "key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
                "session": {"type": "http", "scheme": "bearer", "description": "a person's token: POST /api/v1/sessions"},
            },
        },
        "security": [{"bearer": []}, {"basic": []}, {"key": []}],
    }


_MODELS: dict[str, type[BaseModel]] = {"Ack": Ack, "StatusReport": StatusReport, **openapi_people.MODELS}


def _described(one: Operation) -> Json:
    in_path = [
        {"name": name, "in": "path", "required": True, "schema": _TEXT if name == "tile" else _UUID}
        for name in ("message", "delivery", "replay", "tile")
        if f"{{{name}}}" in one.path
    ]
    answers: Json = {
        str(status): {"description": "OK" if status < 300 else "not ready"} | _content(answer) for status, answer in one.answers.items()
    }
    answers["default"] = {"description": "Lỗi · error", "content": {"application/problem+json": {"schema": ref("Problem")}}}
    described: Json = {
        "operationId": f"{one.method}{one.path.replace('/api/v1', '').replace('/', '_').replace('{', '').replace('}', '')}",
        "summary": f"{one.vi} · {one.en}",
        "parameters": [*in_path, *one.parameters],
        "responses": answers,
    }
    if one.body is not None:
        described["requestBody"] = {"required": "Ack" not in str(one.body), "content": one.body}
    if one.open_to_all or one.of_person:
        described["security"] = [] if one.open_to_all else [{"session": []}]
    return described


def _content(answer: tuple[str, Json] | None) -> Json:
    return {} if answer is None else {"content": {answer[0]: {"schema": answer[1]}}}
