"""SOAP: what each answer means, what the system sees, and what a WSDL may not do."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

import adapters.systems.qlvb
from adapters.condition import Condition
from adapters.contract import AgencyInDoubt, AgencyRefused, AgencyUnavailable, Idempotency
from adapters.credentials import Auth, AuthKind
from adapters.hostile import BEHAVIOURS, HostileServer
from adapters.outcome import ProfileMismatch
from adapters.soap import SoapAdapter
from adapters.template import Template
from schemas import xml
from schemas.errors import HubError
from tests.adapters.canned import Server, serving
from tests.adapters.parcels import TOKEN, parcel

WSDL = (Path(adapters.systems.qlvb.__path__[0]) / "service.wsdl").read_text("utf-8")
ARGUMENTS: Mapping[str, Template] = {"maGoi": "{key}", "soKyHieu": "Số {document_id}", "noiDung": "{body_base64}"}
S11 = "http://schemas.xmlsoap.org/soap/envelope/"
S12 = "http://www.w3.org/2003/05/soap-envelope"


def enveloped(inside: str, soap: str = S11) -> bytes:
    return f'<?xml version="1.0"?><s:Envelope xmlns:s="{soap}"><s:Body>{inside}</s:Body></s:Envelope>'.encode()


def result(status: str = "OK", remote: str = "<maTiepNhan>VB-1</maTiepNhan>", soap: str = S11) -> bytes:
    return enveloped(f'<NhanVanBanResponse xmlns="urn:qlvb:tiep-nhan"><trangThai>{status}</trangThai>{remote}</NhanVanBanResponse>', soap)


def fault(code: str) -> bytes:
    return enveloped(f"<s:Fault><faultcode>{code}</faultcode><faultstring>lỗi</faultstring></s:Fault>")


def fault12(code: str, sub: str = "") -> bytes:
    inner = f"<s:Subcode><s:Value xmlns:q='urn:q'>q:{sub}</s:Value></s:Subcode>" if sub else ""
    reason = "<s:Reason><s:Text xml:lang='vi'>lỗi</s:Text></s:Reason>"
    return enveloped(f"<s:Fault><s:Code><s:Value>s:{code}</s:Value>{inner}</s:Code>{reason}</s:Fault>", S12)


@dataclass(frozen=True)
class Case:
    """One answer, and what it means where repeating is harmless and where it is not."""

    answer: Mapping[str, Any]
    key: type[HubError] | str
    none: type[HubError] | str
    settings: Mapping[str, Any] = field(default_factory=dict)


def both(body: bytes, outcome: type[HubError] | str, status: int = 200, **settings: Any) -> Case:
    return Case({"body": body, "status": status, "content_type": "text/xml; charset=utf-8"}, outcome, outcome, settings)


def unclear(body: bytes, status: int = 200, content_type: str = "text/xml", **settings: Any) -> Case:
    return Case({"body": body, "status": status, "content_type": content_type}, AgencyUnavailable, AgencyInDoubt, settings)


OK = Condition("trangThai", "OK")
BILLION = b'<!DOCTYPE s:Envelope [<!ENTITY a "aaaa">]>'
CASES: dict[str, Case] = {
    "a result is an acceptance": both(result(), ""),
    "a result with the id and the success named in the profile": both(result(), "VB-1", remote_id="maTiepNhan", success=OK),
    "success is one exact value": both(result("OK "), AgencyRefused, success=OK),
    "another value is a no": both(result("TU_CHOI"), AgencyRefused, success=OK),
    "a promised id that is missing is no answer": unclear(result(remote=""), remote_id="maTiepNhan"),
    "success that is not in the result is no answer": unclear(result(), success=Condition("ketQua", "OK")),
    "202 without a body is an acceptance": both(b"", "", 202),
    "Client is a no": both(fault("s:Client"), AgencyRefused, 500),
    "Client with a detail is a no": both(fault("s:Client.Authentication"), AgencyRefused, 500),
    "a no may come with status 200": both(fault("s:Client"), AgencyRefused),
    "MustUnderstand was not processed": both(fault("s:MustUnderstand"), AgencyRefused, 500),
    "Server may have taken it": unclear(fault("s:Server"), 500),
    "Server said busy, and the profile knows the word": both(fault("s:Server.Busy"), AgencyUnavailable, 500, retry_faults=("Server.Busy",)),
    "a code of its own may have been taken": unclear(fault("LOI-17"), 500),
    "a code of its own is a no where the profile says so": both(fault("LOI-17"), AgencyRefused, 500, refuse_faults=("LOI-17",)),
    "a fault without a code is unclear": unclear(enveloped("<s:Fault/>"), 500),
    "Sender is a no (1.2)": both(fault12("Sender"), AgencyRefused, 500, version="1.2"),
    "Receiver may have taken it (1.2)": unclear(fault12("Receiver"), 500, version="1.2"),
    "a known subcode is for later (1.2)": both(fault12("Receiver", "Busy"), AgencyUnavailable, 500, version="1.2", retry_faults=("Busy",)),
    "a broken fault is unclear (1.2)": unclear(enveloped("<s:Fault><s:Code><s:Subcode/></s:Code></s:Fault>", S12), 500, version="1.2"),
    "an answer in the other SOAP is no answer": unclear(result(soap=S12)),
    "a result of another operation is no answer": unclear(enveloped("<Other xmlns='urn:x'/>"), success=OK),
    "an empty body is no answer": unclear(enveloped(""), success=OK),
    "200 without a body is no answer": unclear(b""),
    "a web page is no answer": unclear(b"<html><body>OK</body></html>", content_type="text/html"),
    "text is no answer": unclear(b"OK"),
    "half an envelope is no answer": unclear(result()[:-20]),
    "an answer with a DTD is no answer": unclear(BILLION + result().partition(b"?>")[2]),
    "attachments are no answer": unclear(b"--x\r\n\r\n--x--", content_type="multipart/related; boundary=x"),
    "a broken multipart is no answer": unclear(b"junk", content_type="multipart/related"),
    "500 with a page may have been taken": unclear(b"<html/>", 500, "text/html"),
    "503 with a page was not taken": both(b"<html/>", AgencyUnavailable, 503),
    "401 without a body is a no": both(b"", AgencyRefused, 401),
    "404 with a page is a no": both(b"<html>not found</html>", AgencyRefused, 404),
    "a redirect is not followed": both(b"", AgencyRefused, 302),
}


def wsdl_file(folder: Path, address: str, change: Callable[[str], str] = str) -> str:
    path = folder / "service.wsdl"
    path.write_text(change(WSDL.replace("@ADDRESS@", address)), "utf-8")
    return str(path)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("idempotency", [Idempotency.KEY, Idempotency.NONE])
def test_outcomes(name: str, idempotency: Idempotency, tmp_path: Path) -> None:
    case = CASES[name]
    expected = case.key if idempotency is Idempotency.KEY else case.none
    with serving(Server(**case.answer)) as server:
        adapter = SoapAdapter(wsdl_file(tmp_path, server.url), "NhanVanBan", ARGUMENTS, idempotency=idempotency, **case.settings)
        if isinstance(expected, str):
            assert adapter.deliver(parcel()).remote_id == expected
        else:
            with pytest.raises(expected):
                adapter.deliver(parcel())
        adapter.close()
        assert len(server.bodies) == 1


@pytest.mark.parametrize(("version", "soap", "kind"), [("1.1", S11, "text/xml"), ("1.2", S12, "application/soap+xml")])
def test_what_the_system_sees(version: str, soap: str, kind: str, tmp_path: Path) -> None:
    auth = Auth(AuthKind.BASIC, user="lgsp", secret=TOKEN)
    body = "<edXML>Quyết định</edXML>".encode("utf-16")
    with serving(Server(body=result(soap=soap), content_type=kind)) as server:
        adapter = SoapAdapter(wsdl_file(tmp_path, server.url), "NhanVanBan", ARGUMENTS, version=version, auth=auth)
        adapter.deliver(parcel("k<1>&", body))
        adapter.close()
    assert server.headers[0]["content-type"].startswith(kind)
    assert server.headers[0]["authorization"].startswith("Basic ")
    root = xml.parse(server.bodies[0]).root
    assert xml.namespace(root) == soap
    values = {xml.local_name(part): xml.text_of(part) for part in root.iter("{urn:qlvb:tiep-nhan}*")}
    assert values["maGoi"] == "k<1>&"
    assert values["soKyHieu"] == f"Số {parcel().document_id}"
    assert b64decode(values["noiDung"], validate=True) == body


def test_a_profile_may_hand_on_what_the_packet_is_worth(tmp_path: Path) -> None:
    texts = wsdl_file(tmp_path, "@", lambda text: text.replace('"xs:base64Binary"', '"xs:string"'))
    arguments = {"maGoi": "{key}", "soKyHieu": "{legal_value}/{verification}", "noiDung": "{body_base64}"}
    with serving(Server(body=result(), content_type="text/xml")) as server:
        adapter = SoapAdapter(texts, "NhanVanBan", arguments, endpoint=server.url)
        adapter.deliver(replace(parcel(), legal_value="pending", verification="pending"))
        adapter.close()
    values = [xml.text_of(part) for part in xml.parse(server.bodies[0]).root.iter("{urn:qlvb:tiep-nhan}*")][1:]
    assert values[1] == "pending/pending"


def test_a_service_that_takes_text_gets_base64_or_the_packet_itself(tmp_path: Path) -> None:
    texts = wsdl_file(tmp_path, "@", lambda text: text.replace('"xs:base64Binary"', '"xs:string"'))
    arguments = {"maGoi": "{body_text}", "soKyHieu": "{recipients} {sender}", "noiDung": "{body_base64}"}
    with serving(Server(body=result(), content_type="text/xml")) as server:
        adapter = SoapAdapter(texts, "NhanVanBan", arguments, endpoint=server.url)
        adapter.deliver(parcel(body="<a>Ủy ban</a>".encode()))
        with pytest.raises(ProfileMismatch):
            adapter.deliver(parcel(body="<a>Ủy ban</a>".encode("utf-16")))
        adapter.close()
    root = xml.parse(server.bodies[0]).root
    values = [xml.text_of(part) for part in root.iter("{urn:qlvb:tiep-nhan}*")][1:]
    assert values == ["<a>Ủy ban</a>", "H32.01 000.00.13.H53", "PGE+4buYeSBiYW48L2E+".replace("4buY", "4bum")]
    assert len(server.bodies) == 1


MISFITS: dict[str, tuple[Callable[[str], str], Mapping[str, Any]]] = {
    "an operation that is not there": (str, {"operation": "GuiVanBan"}),
    "an argument that is not there": (str, {"arguments": {**ARGUMENTS, "khac": "1"}}),
    "an argument that is missing": (str, {"arguments": {"maGoi": "{key}"}}),
    "a port that is not there": (str, {"port": "Khac"}),
    "a service that is not there": (str, {"service": "Khac"}),
    "not a WSDL": (lambda _: "<html/>", {}),
    "not XML": (lambda _: "SOAP", {}),
    "a WSDL with a DTD": (lambda text: text.replace("<definitions", "<!DOCTYPE definitions><definitions", 1), {}),
    "a WSDL with an entity": (lambda text: text.replace("<definitions", '<!DOCTYPE d [<!ENTITY a "b">]><definitions', 1), {}),
    "an import from elsewhere on this machine": (
        lambda text: text.replace("<types>", '<import namespace="x" location="/etc/passwd"/><types>'),
        {},
    ),
    "an import from above its folder": (
        lambda text: text.replace("<types>", '<import namespace="x" location="../up.wsdl"/><types>'),
        {},
    ),
    "an import from the network": (
        lambda text: text.replace("<types>", '<import namespace="x" location="http://169.254.169.254/"/><types>'),
        {},
    ),
    "a schema from the network": (
        lambda text: text.replace('"qualified">', '"qualified"><xs:import namespace="y" schemaLocation="http://169.254.169.254/"/>', 1),
        {},
    ),
    "a service address that is a file": (lambda text: text.replace("http://127.0.0.1:1/", "file:///etc/passwd"), {}),
}


@pytest.mark.parametrize(("change", "settings"), MISFITS.values(), ids=MISFITS)
def test_a_profile_that_does_not_fit_its_wsdl_parks_and_sends_nothing(
    change: Callable[[str], str], settings: Mapping[str, Any], tmp_path: Path
) -> None:
    path = wsdl_file(tmp_path, "http://127.0.0.1:1/", change)
    with pytest.raises(ProfileMismatch) as caught:
        SoapAdapter(**{"wsdl": path, "operation": "NhanVanBan", "arguments": ARGUMENTS, "timeout_s": 3.0, **settings}).deliver(parcel())
    assert caught.value.code == "profile-mismatch"


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("@ADDRESS@", "http://10.0.0.1/in"),
        lambda text: text.replace("<types>", '<import namespace="x" location="http://localhost:1/x.wsdl"/><types>'),
        lambda text: text.replace("<types>", '<import namespace="x" location="file:///etc/passwd"/><types>'),
    ],
    ids=["its service is on another host", "it imports from another host", "it imports a file of this machine"],
)
def test_a_wsdl_from_the_network_leads_nowhere_but_to_its_own_host(change: Callable[[str], str]) -> None:
    with serving(Server(body=change(WSDL).encode(), content_type="text/xml")) as server:
        adapter = SoapAdapter(f"{server.url}&wsdl", "NhanVanBan", ARGUMENTS, auth=Auth(AuthKind.BEARER, secret=TOKEN))
        with pytest.raises(ProfileMismatch):
            adapter.deliver(parcel())
        assert server.bodies == []


def test_a_wsdl_is_loaded_once_and_again_only_after_a_failure() -> None:
    with serving(Server(status=503)) as server:
        adapter = SoapAdapter(server.url, "NhanVanBan", ARGUMENTS)
        with pytest.raises(AgencyUnavailable):
            adapter.deliver(parcel())
        server.status, server.body, server.content_type = 200, WSDL.replace("@ADDRESS@", server.url).encode(), "text/xml"
        for _ in range(2):
            with pytest.raises(HubError):
                adapter.deliver(parcel())  # the same canned answer, a WSDL, is no answer to a call
        adapter.close()
    assert [asked[":method"] for asked in server.headers] == ["GET", "GET", "POST", "POST"]


@pytest.mark.parametrize("behaviour", sorted(set(BEHAVIOURS) - {"redirect", "repeats what it was sent"}))
def test_a_hostile_service_is_met_in_time(behaviour: str, tmp_path: Path) -> None:
    with HostileServer(behaviour) as server:
        wsdl = wsdl_file(tmp_path, server.url)
        adapter = SoapAdapter(wsdl, "NhanVanBan", ARGUMENTS, timeout_s=1.0, idempotency=Idempotency.NONE)
        body = b"<edXML/>" * (500_000 if behaviour == "never reads" else 1)
        started = monotonic()
        with pytest.raises(AgencyInDoubt):
            adapter.deliver(parcel(body=body))
        assert monotonic() - started < 30
        assert server.requests == 1
        adapter.close()


@pytest.mark.parametrize("behaviour", ["silent", "trickled body", "endless body", "redirect", "closes before answering"])
def test_a_hostile_wsdl_is_met_in_time_and_nothing_was_sent(behaviour: str) -> None:
    with HostileServer(behaviour) as server:
        adapter = SoapAdapter(f"{server.url}?wsdl", "NhanVanBan", ARGUMENTS, timeout_s=1.0, idempotency=Idempotency.NONE)
        started = monotonic()
        with pytest.raises(AgencyUnavailable):
            adapter.deliver(parcel())
        assert monotonic() - started < 30


def test_no_secret_is_repeated(tmp_path: Path) -> None:
    with HostileServer("repeats what it was sent") as server:
        adapter = SoapAdapter(wsdl_file(tmp_path, server.url), "NhanVanBan", ARGUMENTS, auth=Auth(AuthKind.BEARER, secret=TOKEN))
        with pytest.raises(AgencyRefused) as caught:
            adapter.deliver(replace(parcel(), content_type="text/xml"))
        adapter.close()
    assert TOKEN not in str(caught.value) and TOKEN not in repr(adapter)
