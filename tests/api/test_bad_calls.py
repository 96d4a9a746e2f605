"""Every call a SOAP caller can get wrong: a fault in the caller's version, with everything a problem document has."""

from __future__ import annotations

import pytest

from tests.api.documents import document
from tests.api.face import Face
from tests.api.judging import JSON, SOAP, Ask, check_fault, enveloped

S11, S12 = (SOAP[version][1] for version in SOAP)
SOAP_REQUESTS = {
    "no key": (Ask("not-authenticated", "POST", body=enveloped("QQ=="), headers={"Content-Type": S11}, system=""), "SOAP 1.1", 401),
    "no key, 1.2": (Ask("not-authenticated", "POST", body=b"<", headers={"Content-Type": S12}, system=""), "SOAP 1.2", 401),
    "GET where calls are posted": (Ask("method-not-allowed"), "SOAP 1.1", 405),
    "PUT": (Ask("method-not-allowed", "PUT", body=b"<a/>", headers={"Content-Type": S12}), "SOAP 1.2", 405),
    "an address below": (Ask("unknown-address", "POST", path="/soap/v1/x"), "SOAP 1.1", 404),
    "JSON": (Ask("unsupported-media-type", "POST", body=b"{}", headers=JSON), "SOAP 1.1", 415),
    "attachments": (
        Ask("unsupported-media-type", "POST", body=b"--b", headers={"Content-Type": 'multipart/related; boundary="b"'}),
        "SOAP 1.1",
        415,
    ),
    "an empty body": (Ask("empty-body", "POST", headers={"Content-Type": S11}), "SOAP 1.1", 500),
    "an empty body, 1.2": (Ask("empty-body", "POST", headers={"Content-Type": S12}), "SOAP 1.2", 400),
    "no XML": (Ask("malformed-xml", "POST", body=b"xin chao", headers={"Content-Type": S12}), "SOAP 1.2", 400),
    "a document type": (
        Ask("dtd-forbidden", "POST", body=b"<!DOCTYPE a>" + enveloped("QQ=="), headers={"Content-Type": S11}),
        "SOAP 1.1",
        500,
    ),
    "a packet without envelope": (Ask("soap-malformed", "POST", body=document(), headers={"Content-Type": S11}), "SOAP 1.1", 500),
    "an envelope of the future": (
        Ask("soap-version", "POST", body=b'<e:Envelope xmlns:e="urn:3"/>', headers={"Content-Type": S12}),
        "SOAP 1.2",
        500,
    ),
    "a header that must be understood": (
        Ask(
            "soap-must-understand",
            "POST",
            body=enveloped("QQ==", "SOAP 1.2").replace(
                b"<s:Body>", b'<s:Header><w:Security xmlns:w="urn:w" s:mustUnderstand="true"/></s:Header><s:Body>'
            ),
            headers={"Content-Type": S12},
        ),
        "SOAP 1.2",
        500,
    ),
    "an unknown operation": (
        Ask("soap-operation", "POST", body=enveloped("QQ==", operation="Nope"), headers={"Content-Type": S11}),
        "SOAP 1.1",
        500,
    ),
    "truncated base64": (Ask("soap-base64", "POST", body=enveloped("QUJDR"), headers={"Content-Type": S11}), "SOAP 1.1", 500),
    "base64 with foreign characters": (
        Ask("soap-base64", "POST", body=enveloped("@@@@", "SOAP 1.2"), headers={"Content-Type": S12}),
        "SOAP 1.2",
        400,
    ),
    "an action that names another operation is not believed": (
        Ask(
            "soap-base64",
            "POST",
            body=enveloped("@@"),
            headers={"Content-Type": S11, "SOAPAction": '"urn:lgsp-hub:exchange:1#ListPending"'},
        ),
        "SOAP 1.1",
        500,
    ),
    "the other version's content type": (
        Ask("soap-base64", "POST", body=enveloped("@@", "SOAP 1.2"), headers={"Content-Type": S11}),
        "SOAP 1.2",
        400,
    ),
}


@pytest.mark.parametrize(("ask", "version", "status"), SOAP_REQUESTS.values(), ids=SOAP_REQUESTS.keys())
def test_a_bad_call_has_a_fault(face: Face, ask: Ask, version: str, status: int) -> None:
    path = ask.path if ask.path.startswith("/soap") else "/soap/v1"
    answer = face.ask(ask.method, path, system=ask.system, body=ask.body, headers=ask.headers)
    assert answer.status == status
    check_fault(answer, version, ask.code)


def test_own_fault_codes_are_those_of_the_specification(face: Face) -> None:
    future = face.ask("POST", "/soap/v1", system="qlvb", body=b'<e:Envelope xmlns:e="urn:3"/>', headers={"Content-Type": S12})
    assert b"<soap:Value>soap:VersionMismatch</soap:Value>" in future.body
    assert b"SupportedEnvelope" in future.body
    denied = face.ask("POST", "/soap/v1", body=b"<", headers={"Content-Type": S11})
    assert denied.headers.getlist("WWW-Authenticate")
