"""The SOAP face with an ordinary client: zeep reads the WSDL as it is served and calls everything, in both versions of SOAP."""

from __future__ import annotations

import base64
import json
from typing import Any
from uuid import uuid4

import pytest
import requests
import zeep
from requests.auth import HTTPBasicAuth
from zeep.exceptions import Fault
from zeep.transports import Transport

from hub.api.soap.wsdl import NAMESPACE
from schemas.xml import parse
from tests.api.documents import document, status_packet
from tests.api.face import Face, sha256

ZEEP: Any = zeep.Client  # zeep has no annotations
TRANSPORT: Any = Transport
PORTS = ("Soap11", "Soap12")
BOTH = pytest.mark.parametrize("port", PORTS)


def client(face: Face, system: str, port: str) -> Any:
    """zeep's proxy for `port`, authenticated as `system`; without one when that is ""."""
    session = requests.Session()
    session.trust_env = False
    if system:
        key_id, _, secret = face.keys[system].partition(".")
        session.auth = HTTPBasicAuth(key_id, secret)
    return ZEEP(f"{face.url}/soap/v1?wsdl", transport=TRANSPORT(session=session, timeout=240)).bind("ExchangeService", port)


def detail_of(fault: Fault) -> dict[str, str]:
    """The fields of HubFault in a fault that zeep raised."""
    found = fault.detail.find(f"{{{NAMESPACE}}}HubFault")
    return {child.tag.rpartition("}")[2]: child.text or "" for child in found}


@BOTH
def test_a_package_goes_the_whole_way_there_and_its_status_back(face: Face, port: str) -> None:
    sender, receiver = client(face, "mot-cua", port), client(face, "qlvb", port)
    raw = document(subject="Gửi qua SOAP – đầy đủ dấu tiếng Việt")
    sent = sender.SendPackage(package=raw, idempotencyKey=f"soap-{uuid4()}")
    assert json.loads(sent.receipt)["message_id"] == sent.messageId
    assert sent.repeated is False

    item = next(one for one in receiver.ListPending(limit=500).item if one.messageId == sent.messageId)
    assert (item.kind, item.sender, item.recipient, item.size) == ("document.new", "H32.5", "000.00.13.H53", len(raw))
    assert item.acceptedAt.tzinfo is not None

    got = receiver.GetPackage(deliveryId=item.deliveryId)
    assert (got.package, got.sha256, got.title) == (raw, sha256(raw), "Gửi qua SOAP – đầy đủ dấu tiếng Việt")
    assert got.contentType.startswith("application/xml")

    told = receiver.UpdateStatus(deliveryId=item.deliveryId, statusCode="03", description="Đã vào sổ", staff={"staff": "Lê Thị Hoa"})
    assert receiver.ConfirmReceived(deliveryId=item.deliveryId) == "delivered"
    status = next(one for one in sender.ListPending(limit=500).item if one.messageId == told.messageId)
    assert status.kind == "document.status"
    assert "Đã vào sổ" in sender.GetPackage(deliveryId=status.deliveryId).package.decode()


@BOTH
def test_a_repetition_gets_the_first_receipt(face: Face, port: str) -> None:
    sender, raw = client(face, "mot-cua", port), document()
    first, again = sender.SendPackage(package=raw), sender.SendPackage(package=raw)
    assert (again.repeated, again.receipt, again.messageId, again.index) == (True, first.receipt, first.messageId, first.index)
    assert face.send(raw).body == first.receipt  # one effect, whichever face


@BOTH
def test_a_system_with_its_own_status_packets_hands_them_in(face: Face, port: str) -> None:
    raw = document(to=["H53.14"])
    message = face.send(raw).json()["message_id"]
    told = client(face, "chuyen-nganh", port).UpdateStatus(package=status_packet(of=raw, sender="H53.14"))
    seen = face.ask("GET", f"/api/v1/messages/{message}", system="mot-cua").json()
    assert [one["message_id"] for one in seen["statuses"]] == [told.messageId]


@BOTH
def test_a_refusal_has_its_reason(face: Face, port: str) -> None:
    message = face.send(document()).json()["message_id"]
    delivery = face.waiting("qlvb", message)["delivery_id"]
    assert client(face, "qlvb", port).ConfirmReceived(deliveryId=delivery, refusedReason="Sai thẩm quyền") == "refused"


@BOTH
def test_the_list_is_paged(face: Face, port: str) -> None:
    sent = [face.send(document(to=["H53.14"])).json()["message_id"] for _ in range(3)]
    receiver, seen, after = client(face, "chuyen-nganh", port), [], 0
    while True:
        page = receiver.ListPending(limit=2, after=after)
        seen += [one.messageId for one in page.item]
        after = page.next
        if not after:
            break
    assert [one for one in seen if one in sent] == sent


FAULTS = {
    "an agency without route": (lambda s, raw: s.SendPackage(package=raw(to=["Z99.1"])), "unknown-recipient"),
    "another agency's name as sender": (lambda s, raw: s.SendPackage(package=raw(sender="H53.14")), "sender-not-permitted"),
    "a packet that is no XML": (lambda s, raw: s.SendPackage(package=b"%PDF-1.7"), "malformed-xml"),
    "no packet at all": (lambda s, raw: s.SendPackage(package=b""), "empty-body"),
    "a delivery that is not there": (lambda s, raw: s.GetPackage(deliveryId=str(uuid4())), "not-found"),
    "a delivery id that is no UUID": (lambda s, raw: s.ConfirmReceived(deliveryId="1"), "soap-body"),
    "a status of nothing": (lambda s, raw: s.UpdateStatus(description="?"), "invalid-request"),
    "a status told twice": (
        lambda s, raw: s.UpdateStatus(deliveryId=str(uuid4()), statusCode="03", package=b"<a/>"),
        "invalid-request",
    ),
    "an over-long id": (lambda s, raw: s.SendPackage(package=raw(), idempotencyKey="k" * 600), "invalid-request"),
}


@BOTH
@pytest.mark.parametrize(("call", "code"), FAULTS.values(), ids=FAULTS.keys())
def test_a_fault_names_code_and_remedy_in_both_languages(face: Face, port: str, call: Any, code: str) -> None:
    with pytest.raises(Fault) as caught:
        call(client(face, "mot-cua", port), document)
    fields = detail_of(caught.value)
    assert fields["code"] == code
    assert fields["messageVi"] in caught.value.message
    assert fields["remedyVi"]
    assert fields["remedyEn"]
    assert len(fields["traceId"]) == 32
    assert caught.value.code.endswith("Client" if port == "Soap11" else "Sender")
    if port == "Soap12":
        assert [name.localname for name in caught.value.subcodes] == [code]


def test_every_fault_detail_follows_the_published_schema(face: Face) -> None:
    wsdl = ZEEP(f"{face.url}/soap/v1?wsdl")
    with pytest.raises(Fault) as caught:
        client(face, "mot-cua", "Soap11").SendPackage(package=document(to=["Z99.1", "Z99.2"]))
    read = wsdl.get_element(f"{{{NAMESPACE}}}HubFault").parse(caught.value.detail[0], wsdl.wsdl.types)
    assert [one.got for one in read.violation] == ["Z99.1", "Z99.2"]
    assert all(one.messageVi and one.remedyEn for one in read.violation)


def test_without_a_key_the_description_is_open_and_the_operations_are_not(face: Face) -> None:
    with pytest.raises(Fault, match="not-authenticated"):
        client(face, "", "Soap11").ListPending()


def test_the_description_names_the_address_it_was_asked_at(face: Face) -> None:
    assert f'location="{face.url}/soap/v1"'.encode() in face.ask("GET", "/soap/v1?WSDL").body
    hostile = face.ask("GET", "/soap/v1?wsdl", headers={"Host": 'x"/><evil'})
    assert b"evil" not in hostile.body
    assert hostile.status in (200, 400)
    assert parse(face.ask("GET", "/soap/v1?xsd=1").body).root.get("targetNamespace") == NAMESPACE


def test_a_large_package_passes(face: Face) -> None:
    raw = document().replace(b"</edXML>", (b"<!--" + b"a" * 900_000 + b"-->") * 4 + b"</edXML>")
    body = (
        f'<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body><SendPackage xmlns="{NAMESPACE}"><package>'
        f"{base64.encodebytes(raw).decode()}</package></SendPackage></s:Body></s:Envelope>"
    ).encode()
    answer = face.ask("POST", "/soap/v1", system="mot-cua", body=body, headers={"Content-Type": "application/soap+xml"})
    assert answer.status == 200
    message = parse(answer.body).root.findtext(f".//{{{NAMESPACE}}}messageId") or ""
    delivery = face.waiting("qlvb", message)["delivery_id"]
    assert face.ask("GET", f"/api/v1/inbox/{delivery}", system="qlvb").body == raw
