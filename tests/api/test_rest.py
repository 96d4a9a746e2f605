"""The REST face at work: send, follow, fetch, acknowledge, report a status."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest

from hub.api.openapi import OPERATIONS
from tests.api.documents import document
from tests.api.face import SYSTEMS, Face, sha256

JSON = {"Content-Type": "application/json"}


def test_a_first_receipt_is_created_and_a_repetition_replayed_byte_for_byte(face: Face) -> None:
    raw = document()
    first, again = face.send(raw), face.send(raw)
    assert (first.status, again.status) == (201, 200)
    assert first.body == again.body
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"
    assert first.headers["Location"] == f"/api/v1/messages/{first.json()['message_id']}"
    assert first.headers["Content-Type"] == "application/json"


def test_the_same_key_with_other_content_is_a_conflict_that_names_the_first(face: Face) -> None:
    key = {"Idempotency-Key": f"k-{uuid4()}"}
    first = face.send(document(), headers=key).json()
    conflict = face.send(document(), headers=key)
    assert (conflict.status, conflict.json()["code"], conflict.json()["first"]) == (409, "id-conflict", first["message_id"])


def test_a_message_is_followed_by_its_sender_and_its_recipient_only(face: Face) -> None:
    location = face.send(document()).headers["Location"]
    for system in ("mot-cua", "qlvb"):
        seen = face.ask("GET", location, system=system)
        assert seen.status == 200
        assert [copy["recipient"] for copy in seen.json()["deliveries"]] == ["000.00.13.H53"]
        assert seen.json()["events"]
    assert face.ask("GET", location, system="chuyen-nganh").json()["code"] == "not-found"


FORMS = {"composed (NFC)": "NFC", "decomposed (NFD)": "NFD"}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
@pytest.mark.parametrize("content_type", ["application/xml", "text/xml", "application/xml; charset=utf-8", 'text/xml;charset="UTF-8"'])
def test_vietnamese_arrives_byte_for_byte(face: Face, form: str, content_type: str) -> None:
    subject = "Về việc tiếp nhận và trả kết quả giải quyết thủ tục – Ủy ban nhân dân xã Hòa Tiến"
    raw = document(subject=unicodedata.normalize("NFC" if form == "NFC" else "NFD", subject))
    receipt = face.send(raw, headers={"Content-Type": content_type}).json()
    item = face.waiting("qlvb", receipt["message_id"])
    fetched = face.ask("GET", f"/api/v1/inbox/{item['delivery_id']}", system="qlvb")
    assert fetched.body == raw
    digest = base64.b64encode(hashlib.sha256(raw).digest()).decode()
    assert fetched.headers["ETag"] == f'"{sha256(raw)}"' == f'"{item["sha256"]}"'
    assert fetched.headers["Digest"] == f"sha-256={digest}"
    assert fetched.headers["Content-Digest"] == f"sha-256=:{digest}:"
    assert fetched.headers["Content-Type"].startswith(("application/xml", "text/xml"))
    assert item["size"] == len(raw)


def test_what_is_acknowledged_waits_no_longer_and_repeating_changes_nothing(face: Face) -> None:
    message = face.send(document(to=["H53.14"])).json()["message_id"]
    delivery = face.waiting("chuyen-nganh", message)["delivery_id"]
    for _ in range(2):
        answer = face.ask("POST", f"/api/v1/inbox/{delivery}/ack", system="chuyen-nganh")
        assert (answer.status, answer.json()) == (200, {"delivery_id": delivery, "state": "delivered"})
    assert message not in [item["message_id"] for item in face.pending("chuyen-nganh")]
    refusal = json.dumps({"outcome": "refused", "reason": "sai nơi nhận"}).encode()
    late = face.ask("POST", f"/api/v1/inbox/{delivery}/ack", system="chuyen-nganh", body=refusal, headers=JSON)
    assert (late.status, late.json()["code"]) == (409, "wrong-state")


def test_a_refusal_reaches_the_trace_with_its_reason(face: Face) -> None:
    receipt = face.send(document())
    delivery = face.waiting("qlvb", receipt.json()["message_id"])["delivery_id"]
    body = json.dumps({"outcome": "refused", "reason": "Không thuộc thẩm quyền"}).encode()
    answer = face.ask("POST", f"/api/v1/inbox/{delivery}/ack", system="qlvb", body=body, headers=JSON)
    assert answer.json()["state"] == "refused"
    copy = face.ask("GET", receipt.headers["Location"], system="mot-cua").json()["deliveries"][0]
    assert (copy["state"], copy["detail"]) == ("refused", "Không thuộc thẩm quyền")


def test_a_status_goes_back_to_the_sender_as_a_message_of_its_own(face: Face) -> None:
    message = face.send(document(subject="Hồ sơ chờ tiếp nhận")).json()["message_id"]
    delivery = face.waiting("qlvb", message)["delivery_id"]
    body = json.dumps({"code": "03", "description": "Đã vào sổ", "staff": {"department": "Văn thư", "staff": "Lê Thị Hoa"}}).encode()
    answer = face.ask("POST", f"/api/v1/inbox/{delivery}/status", system="qlvb", body=body, headers=JSON)
    assert answer.status == 201
    item = face.waiting("mot-cua", answer.json()["message_id"])
    assert item["kind"] == "document.status"
    packet = face.ask("GET", f"/api/v1/inbox/{item['delivery_id']}", system="mot-cua").body.decode()
    assert "Đã vào sổ" in packet
    assert "Lê Thị Hoa" in packet


def test_the_inbox_is_read_page_by_page_in_order_of_acceptance(face: Face) -> None:
    sent = [face.send(document(to=["H53.14"])).json()["message_id"] for _ in range(5)]
    seen: list[str] = []
    after: int | None = 0
    while after is not None:
        page = face.ask("GET", f"/api/v1/inbox?limit=2&after={after}", system="chuyen-nganh").json()
        seen += [item["message_id"] for item in page["items"]]
        after = page["next"]
    assert [one for one in seen if one in sent] == sent
    assert len(seen) == len(set(seen))


def test_a_large_packet_passes_and_a_body_in_pieces_too(face: Face) -> None:
    raw = document(subject="Gói lớn").replace(b"</edXML>", (b"<!--" + b"a" * 900_000 + b"-->") * 3 + b"</edXML>")
    receipt = face.ask(
        "POST",
        "/api/v1/messages",
        system="mot-cua",
        body=(raw[at : at + 50_000] for at in range(0, len(raw), 50_000)),
        headers={"Content-Type": "application/xml"},
    )
    assert receipt.status == 201
    item = face.waiting("qlvb", receipt.json()["message_id"])
    assert face.ask("GET", f"/api/v1/inbox/{item['delivery_id']}", system="qlvb").body == raw


def test_many_at_once_all_get_receipts_of_their_own(face: Face) -> None:
    packets = [document(to=["H53.14"]) for _ in range(40)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(face.send, packets * 2))
    assert {answer.status for answer in answers} <= {200, 201}
    assert len({answer.json()["message_id"] for answer in answers}) == len(packets)
    assert all(answers[at].body == answers[at + len(packets)].body for at in range(len(packets)))


KEYS = ("Bearer", "Basic", "X-API-Key")


@pytest.mark.parametrize("scheme", KEYS)
def test_the_key_is_taken_in_each_form(face: Face, scheme: str) -> None:
    key = face.keys["qlvb"]
    basic = base64.b64encode(key.replace(".", ":", 1).encode()).decode()
    headers = {"Bearer": {"Authorization": f"Bearer {key}"}, "Basic": {"Authorization": f"Basic {basic}"}, "X-API-Key": {"X-API-Key": key}}
    assert face.ask("GET", "/api/v1/inbox", headers=headers[scheme]).status == 200


def test_health_and_documents_are_open_to_all_and_load_nothing_from_elsewhere(face: Face) -> None:
    assert face.ask("GET", "/health/live").json() == {"status": "alive"}
    assert face.ask("GET", "/health/ready").json()["ready"] is True
    page = face.ask("GET", "/api/v1/docs")
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert b"<script" not in page.body
    assert b"://" not in page.body
    assert all(one.path in page.body.decode() for one in OPERATIONS)


def test_the_openapi_document_has_exactly_the_addresses_that_are_served(face: Face) -> None:
    described = face.ask("GET", "/api/v1/openapi.json").json()
    assert described["openapi"].startswith("3.1")
    for path, methods in described["paths"].items():
        concrete = re.sub(r"\{\w+\}", lambda _: str(uuid4()), path)
        wrong = face.ask("DELETE", concrete, system="qlvb")
        assert wrong.status == 405
        allowed = {one.strip().lower() for one in wrong.headers["Allow"].split(",")} - {"head"}
        assert allowed == set(methods)
    references = json.dumps(described)
    names = {part.split('"')[0] for part in references.split("#/components/schemas/")[1:]}
    assert names <= set(described["components"]["schemas"])


def test_every_answer_carries_a_trace_id_of_its_own(face: Face) -> None:
    ids = {face.ask("GET", "/health/live").headers["X-Trace-Id"] for _ in range(5)}
    assert len(ids) == 5
    assert all(len(one) == 32 for one in ids)


def test_systems_see_only_their_own_inboxes(face: Face) -> None:
    message = face.send(document(to=["000.00.13.H53", "H53.14"])).json()["message_id"]
    assert {name: [i["recipient"] for i in face.pending(name) if i["message_id"] == message] for name in SYSTEMS} == {
        "mot-cua": [],
        "qlvb": ["000.00.13.H53"],
        "chuyen-nganh": ["H53.14"],
    }
    foreign = face.waiting("chuyen-nganh", message)["delivery_id"]
    assert face.ask("GET", f"/api/v1/inbox/{foreign}", system="qlvb").json()["code"] == "not-found"
    assert face.ask("POST", f"/api/v1/inbox/{foreign}/ack", system="qlvb").json()["code"] == "not-found"
