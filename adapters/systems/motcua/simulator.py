"""A one-stop shop (một cửa điện tử) with a REST interface: ``POST /documents``, a bearer token, repetitions known by Idempotency-Key."""

from __future__ import annotations

import hmac
from urllib.parse import unquote

from adapters.systems.command import open_desk, parser, run
from adapters.systems.face import Desk, Mode, Reply, Request, Serve


def documents(desk: Desk, token: str) -> Serve:
    """The system's own protocol."""

    def answer(request: Request) -> Reply:
        if (request.method, request.path) != ("POST", "/documents"):
            return Reply.of(404, {"loi": "khong-tim-thay"})
        shown = request.headers.get("authorization", "")
        if token and not hmac.compare_digest(shown.encode(), f"Bearer {token}".encode()):
            return Reply.of(401, {"loi": "chua-xac-thuc"})
        if desk.mode is Mode.BUSY:
            return Reply(503, b'{"loi": "dang-ban"}', headers={"Retry-After": "1"})
        if desk.mode is Mode.REFUSE:
            return Reply.of(422, {"loi": "khong-thuoc-tham-quyen", "moTa": "Hồ sơ không thuộc thẩm quyền giải quyết"})
        key = request.headers.get("idempotency-key", "")
        if not key or not request.body:
            return Reply.of(400, {"loi": "thieu-khoa-hoac-noi-dung"})
        arrival = desk.take(
            key,
            request.body,
            message_id=request.headers.get("x-lgsp-message-id", ""),
            document_id=unquote(request.headers.get("x-lgsp-document-id", "")),
            kind=unquote(request.headers.get("x-lgsp-kind", "")),
        )
        repeated = arrival.times_seen > 1
        return Reply.of(200 if repeated else 201, {"maTiepNhan": f"MC-{arrival.sha256[:12]}", "daCo": repeated})

    return answer


def main() -> None:
    """The command."""
    options = parser("motcua", "A one-stop shop that takes packets by REST.").parse_args()
    desk = open_desk(options)
    run(desk, lambda _: documents(desk, options.token), options)


if __name__ == "__main__":
    main()
