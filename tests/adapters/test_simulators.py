"""The simulators: real processes that keep, recognise, answer and send as their kind of system does."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest

from adapters.amqp import AmqpCollector
from adapters.contract import AgencyRefused
from adapters.credentials import Auth, AuthKind
from adapters.rest import RestAdapter
from adapters.systems.answers import Answering, statuses
from adapters.systems.client import HubClient
from schemas.edxml.packet import (
    Bussiness,
    Code,
    DocumentPacket,
    Organization,
    PromulgationInfo,
    StatusPacket,
)
from schemas.edxml.reader import examine
from schemas.edxml.writer import write_document
from schemas.errors import Refused, TryLater
from schemas.message import Inbound
from tests.adapters.canned import Server, serving
from tests.adapters.parcels import TOKEN, parcel
from tests.adapters.simulators import Simulator, simulator

AT = datetime(2026, 11, 21, 3, 4, 5, tzinfo=UTC)


def document(doc_type: str = "0") -> bytes:
    return write_document(
        DocumentPacket(
            sender=Organization(organ_id="000.00.13.H53", organ_name="Sở Nội vụ"),
            to=(Organization(organ_id="H32.01", organ_name="Văn phòng"),),
            document_id="000.00.13.H53,2026/11/21,123/SNV",
            code=Code("123", "SNV"),
            promulgation=PromulgationInfo("Tây Ninh", "2026/11/21"),
            subject="Về việc thử nghiệm",
            bussiness=Bussiness(bussiness_doc_type=doc_type, document_id="000.00.13.H53,2026/11/20,122/SNV"),
        )
    )


def read_status(raw: bytes) -> StatusPacket:
    packet = examine(Inbound(raw, "application/xml", "", "test", AT)).packet
    assert isinstance(packet, StatusPacket)
    return packet


def wait_for(what: Callable[[], Any], seconds: float = 60.0) -> Any:
    end = monotonic() + seconds
    while not (found := what()):
        assert monotonic() < end, "not in time"
        sleep(0.02)
    return found


def to(system: Simulator, token: str = "") -> RestAdapter:
    return RestAdapter(system.url("/documents"), auth=Auth(AuthKind.BEARER, secret=token) if token else Auth(), remote_id="maTiepNhan")


def test_a_restarted_system_still_knows_what_it_had(tmp_path: Path) -> None:
    body = document()
    with simulator("motcua", tmp_path) as first:
        adapter = to(first)
        before = adapter.deliver(parcel("k1", body))
        port = first.port
    with simulator("motcua", tmp_path, "--port", str(port)) as second:
        after = adapter.deliver(parcel("k1", body))  # over a kept connection that is no more
        adapter.close()
        (row,) = second.received()
        assert second.packet(row["sha256"]) == body
    assert (row["key"], row["times_seen"], after.remote_id) == ("k1", 2, before.remote_id)
    assert set(row) == {"key", "message_id", "document_id", "kind", "sha256", "at", "times_seen"}


def test_a_wrong_credential_is_refused(tmp_path: Path) -> None:
    with simulator("motcua", tmp_path, "--token", TOKEN) as system:
        with pytest.raises(AgencyRefused):
            to(system, "wrong-token").deliver(parcel())
        assert system.received() == []


def test_a_connection_lost_after_the_packet_was_taken_brings_it_once(tmp_path: Path) -> None:
    with simulator("motcua", tmp_path) as system:
        adapter = to(system)
        system.mode("lost")
        with pytest.raises(TryLater):
            adapter.deliver(parcel("k1"))
        system.mode("up")
        adapter.deliver(parcel("k1"))
        adapter.close()
        (row,) = system.received()
    assert row["times_seen"] == 2


def test_a_document_is_answered_once_with_each_status_in_order(tmp_path: Path) -> None:
    with serving(Server(status=201)) as hub:
        options = ("--hub", f"http://127.0.0.1:{hub.port}", "--key", "k.secret", "--agency", "H32.01", "--answer", "01,03,06")
        with simulator("motcua", tmp_path, *options) as system:
            adapter = to(system)
            for _ in range(2):
                adapter.deliver(parcel("k1", document()))
            adapter.deliver(parcel("k2", b"not a packet"))
            wait_for(lambda: len(hub.bodies) >= 3)
            sleep(0.2)
            adapter.close()
    read = [read_status(body) for body in hub.bodies]
    assert [one.status_code for one in read] == ["01", "03", "06"]
    assert {(one.sender.organ_id, one.response_for.organ_id, one.response_for.code) for one in read} == {
        ("H32.01", "000.00.13.H53", "123/SNV")
    }
    assert [asked["idempotency-key"] for asked in hub.headers] == ["k1:01", "k1:03", "k1:06"]
    assert {(asked[":path"], asked["authorization"], asked["content-type"]) for asked in hub.headers} == {
        ("/api/v1/messages", "Bearer k.secret", "application/xml")
    }


def test_a_status_that_the_hub_cannot_take_yet_is_sent_again(tmp_path: Path) -> None:
    with serving(Server(status=503)) as hub:
        options = ("--hub", f"http://127.0.0.1:{hub.port}", "--key", "k.s", "--agency", "H32.01", "--answer", "03")
        with simulator("motcua", tmp_path, *options) as system:
            adapter = to(system)
            adapter.deliver(parcel("k1", document()))
            wait_for(lambda: len(hub.bodies) >= 1)
            hub.status = 201
            wait_for(lambda: len(hub.bodies) >= 2)
            adapter.close()
    assert len(set(hub.bodies)) == 1


ANSWERED = {"a new document": ("0", ["01", "03"]), "a recall": ("1", ["15"]), "an update": ("2", ["01", "03"])}


@pytest.mark.parametrize(("doc_type", "codes"), ANSWERED.values(), ids=ANSWERED)
def test_what_is_answered(doc_type: str, codes: list[str]) -> None:
    about = Answering("H32.01", ("01", "03"))
    answers = statuses(document(doc_type), about, AT)
    assert [code for code, _ in answers] == codes == [read_status(raw).status_code for _, raw in answers]
    assert read_status(answers[0][1]).timestamp == "2026/11/21 10:04:05"
    assert statuses(answers[0][1], about, AT) == [], "a status is not answered"


def test_a_system_hands_a_packet_to_the_hub(tmp_path: Path) -> None:
    with serving(Server(status=422, body=b'{"code": "unknown-recipient"}')) as hub:
        with simulator("qlvb", tmp_path, "--hub", f"http://127.0.0.1:{hub.port}", "--key", "k.s") as system:
            assert system.send(b"<edXML/>", "m-1") == (422, b'{"code": "unknown-recipient"}')
        assert (hub.bodies, hub.headers[0]["idempotency-key"]) == ([b"<edXML/>"], "m-1")


@pytest.mark.rabbitmq
def test_a_line_of_business_system_hands_packets_to_the_hub_through_the_broker(broker: str, prefix: str, tmp_path: Path) -> None:
    taken: list[bytes] = []

    def take(inbound: Inbound, user: str) -> bytes:
        if inbound.raw == b"bad":
            raise Refused("malformed-xml")
        taken.append(inbound.raw)
        return b'{"receipt": true}'

    collector = AmqpCollector(broker, ["guest"], take, clock=lambda: AT, prefix=prefix, queue_type="classic")
    collector.start()
    try:
        with simulator("chuyennganh", tmp_path, "--broker", broker, "--prefix", prefix) as system:
            wait_for(lambda: system.send(b"<edXML/>", "m-1") == (201, b'{"receipt": true}'))
            status, body = system.send(b"bad", "m-2")
    finally:
        collector.stop()
    assert (status, b'"malformed-xml"' in body) == (400, True)
    assert b"<edXML/>" in taken


def test_the_client_asks_where_the_hub_listens() -> None:
    with serving(Server()) as hub:
        client = HubClient(f"http://127.0.0.1:{hub.port}/", "keyid.secret")
        answers = [client.inbox(), client.fetch("a/b"), client.ack("d"), client.status("m")]
        client.close()
    assert [answer.status for answer in answers] == [200] * 4 and answers[0].json()["id"] == "R-1"
    assert [(asked[":method"], asked[":path"]) for asked in hub.headers] == [
        ("GET", "/api/v1/inbox"),
        ("GET", "/api/v1/inbox/a%2Fb"),
        ("POST", "/api/v1/inbox/d/ack"),
        ("GET", "/api/v1/messages/m"),
    ]
    assert "keyid.secret" not in repr(client)
    with pytest.raises(TryLater):
        client.inbox()


@pytest.mark.parametrize("name", ["motcua", "qlvb", "chuyennganh"])
def test_a_wrong_option_is_said_at_once(name: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", f"adapters.systems.{name}.simulator", "--folder", str(tmp_path), "--answer", "99"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 2 and "unknown status 99" in done.stderr
