"""Every request a REST caller can get wrong: a status, a code, Vietnamese text, a trace id, and never a traceback."""

from __future__ import annotations

import pytest

from tests.api.documents import document
from tests.api.face import Face
from tests.api.judging import JSON, XML, Ask, check_problem

ID = "0190b5d2-6d3c-7cc1-8a6e-3f4a5b6c7d8e"
SEND, ACK, STATUS = "/api/v1/messages", f"/api/v1/inbox/{ID}/ack", f"/api/v1/inbox/{ID}/status"
REST = {
    "no key": Ask("not-authenticated", system=""),
    "no key, before the body is looked at": Ask("not-authenticated", "POST", SEND, b"<", XML, system=""),
    "an unknown key": Ask("not-authenticated", headers={"Authorization": "Bearer nobody.secret"}, system=""),
    "a key without secret": Ask("not-authenticated", headers={"Authorization": "Bearer nobody"}, system=""),
    "Basic that is not base64": Ask("not-authenticated", headers={"Authorization": "Basic %%%"}, system=""),
    "another scheme": Ask("not-authenticated", headers={"Authorization": "Digest a=b"}, system=""),
    "an empty header": Ask("not-authenticated", headers={"Authorization": ""}, system=""),
    "an address that is not there": Ask("unknown-address", path="/api/v2/messages"),
    "an address with a slash too many": Ask("unknown-address", path="/api/v1/inbox/"),
    "the root": Ask("unknown-address", path="/"),
    "an address of odd characters": Ask("unknown-address", path="/api/v1/%00%ff%0d%0aX:%20y"),
    "a climbing address": Ask("unknown-address", path="/api/v1/..%2f..%2fetc/passwd"),
    "GET where deliveries are acknowledged": Ask("method-not-allowed", "GET", f"/api/v1/inbox/{ID}/ack"),
    "DELETE of a message": Ask("method-not-allowed", "DELETE", f"{SEND}/{ID}"),
    "OPTIONS": Ask("method-not-allowed", "OPTIONS", SEND),
    "PUT": Ask("method-not-allowed", "PUT", SEND, b"<a/>", XML),
    "an unknown method": Ask("method-not-allowed", "PROPFIND", SEND),
    "a message id that is no UUID": Ask("invalid-request", path=f"{SEND}/17"),
    "a message id in braces": Ask("invalid-request", path=f"{SEND}/%7B{ID}%7D"),
    "a message id with a NUL": Ask("invalid-request", path=f"{SEND}/{ID}%00"),
    "a message nobody sent": Ask("not-found", path=f"{SEND}/{ID}"),
    "a delivery that is not there": Ask("not-found", path=f"/api/v1/inbox/{ID}"),
    "a delivery id that is no UUID": Ask("invalid-request", "POST", "/api/v1/inbox/x/ack"),
    "a limit of nothing": Ask("invalid-request", path="/api/v1/inbox?limit=0"),
    "a limit too high": Ask("invalid-request", path="/api/v1/inbox?limit=501"),
    "a limit in words": Ask("invalid-request", path="/api/v1/inbox?limit=mười"),
    "a limit in other digits": Ask("invalid-request", path="/api/v1/inbox?limit=%D9%A1"),
    "a limit twice": Ask("invalid-request", path="/api/v1/inbox?limit=1&limit=2"),
    "a cursor beyond any integer": Ask("invalid-request", path=f"/api/v1/inbox?after={'9' * 300}"),
    "a negative cursor": Ask("invalid-request", path="/api/v1/inbox?after=-1"),
    "no content type": Ask("unsupported-media-type", "POST", SEND, document()),
    "a form": Ask("unsupported-media-type", "POST", SEND, b"a=b", {"Content-Type": "application/x-www-form-urlencoded"}),
    "a packet sent as JSON": Ask("unsupported-media-type", "POST", SEND, document(), JSON),
    "a content type that is none": Ask("unsupported-media-type", "POST", SEND, document(), {"Content-Type": ";;;"}),
    "a compressed body": Ask("unsupported-media-type", "POST", SEND, b"\x1f\x8b", {**XML, "Content-Encoding": "gzip"}),
    "a charset nobody knows": Ask("encoding", "POST", SEND, document(), {"Content-Type": "application/xml; charset=x-martian"}),
    "a charset that the text is not in": Ask("encoding", "POST", SEND, document(), {"Content-Type": "application/xml; charset=us-ascii"}),
    "an over-long Idempotency-Key": Ask("invalid-request", "POST", SEND, document(), {**XML, "Idempotency-Key": "k" * 600}),
    "an Idempotency-Key in Vietnamese": Ask(
        "invalid-request", "POST", SEND, document(), {**XML, "Idempotency-Key": "khóa".encode().decode("latin-1")}
    ),
    "headers too large": Ask("headers-too-large", headers={"X-Filler": "a" * 40_000}),
    "an acknowledgement that is no JSON": Ask("json-invalid", "POST", ACK, b"{", JSON),
    "an acknowledgement that is a list": Ask("json-invalid", "POST", ACK, b"[]", JSON),
    "an acknowledgement with an unknown member": Ask("json-invalid", "POST", ACK, b'{"outcom": "received"}', JSON),
    "an outcome nobody knows": Ask("json-invalid", "POST", ACK, b'{"outcome": "lost"}', JSON),
    "a refusal without reason": Ask("json-invalid", "POST", ACK, b'{"outcome": "refused"}', JSON),
    "JSON nested without end": Ask("json-invalid", "POST", ACK, b"[" * 5_000, JSON),
    "JSON that is not UTF-8": Ask("json-invalid", "POST", ACK, b'{"reason": "\xff"}', JSON),
    "an acknowledgement in XML": Ask("unsupported-media-type", "POST", ACK, b"<ack/>", XML),
    "a JSON body beyond its limit": Ask("too-large", "POST", ACK, b" " * 100_000, JSON),
    "an acknowledgement of nothing": Ask("not-found", "POST", ACK),
    "a status without body": Ask("json-invalid", "POST", STATUS, b"", JSON),
    "a status code in words": Ask("json-invalid", "POST", STATUS, b'{"code": "done"}', JSON),
    "a status with control characters": Ask("json-invalid", "POST", STATUS, b'{"code": "03", "description": "\\u0000"}', JSON),
    "a status with half a character": Ask("json-invalid", "POST", STATUS, b'{"code": "03", "description": "\\ud800"}', JSON),
    "a status of nothing": Ask("not-found", "POST", STATUS, b'{"code": "03"}', JSON),
}


@pytest.mark.parametrize("ask", REST.values(), ids=REST.keys())
def test_a_bad_request_has_a_problem(face: Face, ask: Ask) -> None:
    answer = face.ask(ask.method, ask.path, system=ask.system, body=ask.body, headers=ask.headers)
    check_problem(answer, ask.code)
    if answer.status == 401:
        assert [one.partition(" ")[0] for one in answer.headers.getlist("WWW-Authenticate")] == ["Basic", "Bearer"]
    if answer.status == 405:
        assert answer.headers["Allow"]


def test_a_head_request_gets_the_status_and_no_body(face: Face) -> None:
    answer = face.ask("HEAD", "/api/v1/inbox", system="qlvb")
    assert (answer.status, answer.body) == (200, b"")
    assert face.ask("HEAD", f"/api/v1/inbox/{ID}/ack").status == 405


def test_an_unknown_status_code_is_refused_with_the_list(face: Face) -> None:
    message = face.send(document()).json()["message_id"]
    delivery = face.waiting("qlvb", message)["delivery_id"]
    answer = face.ask("POST", f"/api/v1/inbox/{delivery}/status", system="qlvb", body=b'{"code": "77"}', headers=JSON)
    check_problem(answer, "unknown-status-code")
