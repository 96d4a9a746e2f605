"""From bytes to a checked call: versions, structure, headers, dispatch, schema, strict base64. No server."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.api.soap.envelope import Call, Version, read_call, version_of
from hub.api.soap.wsdl import NAMESPACE, OPERATION_TEXTS
from schemas.errors import Refused
from schemas.limits import DEFAULT_LIMITS
from schemas.xml import parse

PACKAGE = "<h:SendPackage><h:package>QUJD</h:package></h:SendPackage>"
ID = "0190b5d2-6d3c-7cc1-8a6e-3f4a5b6c7d8e"
BOTH = pytest.mark.parametrize("version", list(Version), ids=["SOAP 1.1", "SOAP 1.2"])


def enveloped(version: Version, body: str, header: str = "") -> bytes:
    """A request as text, in `version`."""
    return (
        f'<s:Envelope xmlns:s="{version.value}" xmlns:h="{NAMESPACE}">{header and f"<s:Header>{header}</s:Header>"}'
        f"<s:Body>{body}</s:Body></s:Envelope>"
    ).encode()


def call_of(raw: bytes) -> Call:
    """What the endpoint makes of `raw`."""
    document = parse(raw)
    return read_call(document, version_of(document), DEFAULT_LIMITS)


def refused(raw: bytes) -> Refused:
    """The refusal of `raw`; fails when there is none."""
    with pytest.raises(Refused) as caught:
        call_of(raw)
    return caught.value


@BOTH
def test_a_call_is_dispatched_by_the_name_in_the_body(version: Version) -> None:
    call = call_of(enveloped(version, PACKAGE))
    assert (call.operation, call.binary("package"), call.text("idempotencyKey")) == ("SendPackage", b"ABC", "")


@BOTH
def test_comments_and_cdata_do_not_change_what_is_read(version: Version) -> None:
    body = "<h:SendPackage><h:package>QU<!-- cut -->J<![CDATA[D]]></h:package></h:SendPackage>"
    assert call_of(enveloped(version, body)).binary("package") == b"ABC"


ENVELOPES = {
    "not an envelope": (b"<edXML/>", "soap-malformed"),
    "an envelope of no version that exists": (b'<s:Envelope xmlns:s="urn:soap:9"><s:Body/></s:Envelope>', "soap-version"),
    "an envelope without namespace": (b"<Envelope><Body/></Envelope>", "soap-version"),
    "no body": (b'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"/>', "soap-malformed"),
    "an empty body": (enveloped(Version.SOAP11, ""), "soap-malformed"),
    "two elements in the body": (enveloped(Version.SOAP11, PACKAGE + PACKAGE), "soap-malformed"),
    "two bodies": (
        b'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body/><s:Body/></s:Envelope>',
        "soap-malformed",
    ),
    "a header after the body": (
        b'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body/><s:Header/></s:Envelope>',
        "soap-malformed",
    ),
    "a body of the other version": (
        b'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><t:Body xmlns:t="http://www.w3.org/2003/05/soap-envelope"/>'
        b"</s:Envelope>",
        "soap-malformed",
    ),
    "an operation that does not exist": (enveloped(Version.SOAP11, "<h:DropTables/>"), "soap-operation"),
    "an operation of another namespace": (enveloped(Version.SOAP11, '<SendPackage xmlns="urn:x"/>'), "soap-operation"),
    "a misspelt parameter": (enveloped(Version.SOAP11, "<h:SendPackage><h:pakage/></h:SendPackage>"), "soap-body"),
    "an unqualified parameter": (enveloped(Version.SOAP11, "<h:SendPackage><package>QQ==</package></h:SendPackage>"), "soap-body"),
    "an XOP include": (
        enveloped(
            Version.SOAP11,
            '<h:SendPackage><h:package><x:Include xmlns:x="http://www.w3.org/2004/08/xop/include" href="cid:a"/>'
            "</h:package></h:SendPackage>",
        ),
        "soap-body",
    ),
    "a delivery id that is no UUID": (
        enveloped(Version.SOAP12, "<h:GetPackage><h:deliveryId>7</h:deliveryId></h:GetPackage>"),
        "soap-body",
    ),
    "a page of no items": (enveloped(Version.SOAP12, "<h:ListPending><h:limit>0</h:limit></h:ListPending>"), "soap-body"),
    "a page size beyond any integer": (
        enveloped(Version.SOAP12, f"<h:ListPending><h:limit>{'9' * 400}</h:limit></h:ListPending>"),
        "soap-body",
    ),
}


@pytest.mark.parametrize(("raw", "code"), ENVELOPES.values(), ids=ENVELOPES.keys())
def test_what_is_not_a_call_is_refused_by_code(raw: bytes, code: str) -> None:
    fault = refused(raw)
    assert fault.code == code
    assert fault.got or fault.violations


def test_every_violation_of_the_schema_is_listed_with_its_place() -> None:
    body = "<h:UpdateStatus><h:deliveryId>x</h:deliveryId><h:statusCode>03</h:statusCode><h:staff><h:mail/></h:staff></h:UpdateStatus>"
    violations = refused(enveloped(Version.SOAP12, body)).violations
    assert [one.path for one in violations] == ["/Envelope/Body/UpdateStatus/deliveryId", "/Envelope/Body/UpdateStatus/staff/mail"]
    assert all(one.got and one.expected and "urn:" not in one.got for one in violations)


MUST = 's:mustUnderstand="1"'
HEADERS = {
    "must be understood": (f'<x:Security xmlns:x="urn:x" {MUST}/>', True),
    "must be understood, said in words": ('<x:A xmlns:x="urn:x" s:mustUnderstand="true"/>', True),
    "need not be understood": ('<x:A xmlns:x="urn:x" s:mustUnderstand="0"/>', False),
    "says nothing": ('<x:A xmlns:x="urn:x"/>', False),
}


@BOTH
@pytest.mark.parametrize(("block", "refuses"), HEADERS.values(), ids=HEADERS.keys())
def test_a_header_that(version: Version, block: str, refuses: bool) -> None:
    raw = enveloped(version, PACKAGE, block)
    if refuses:
        assert refused(raw).code == "soap-must-understand"
    else:
        assert call_of(raw).operation == "SendPackage"


def test_a_header_for_another_node_is_none_of_the_hubs_business() -> None:
    for version, role in ((Version.SOAP11, "actor"), (Version.SOAP12, "role")):
        assert call_of(enveloped(version, PACKAGE, f'<x:A xmlns:x="urn:x" {MUST} s:{role}="urn:other"/>')).operation == "SendPackage"


def test_a_header_larger_than_its_limit_is_refused() -> None:
    assert refused(enveloped(Version.SOAP11, PACKAGE, f'<x:A xmlns:x="urn:x">{"a" * 70_000}</x:A>')).code == "soap-header-size"


BASE64 = {
    "cut short": "QUJDR",
    "padding lost": "QUI",
    "foreign characters": "QU@#JD",
    "Vietnamese letters": "Gói tin",
    "the URL alphabet": "-_-_",
}


@pytest.mark.parametrize("text", BASE64.values(), ids=BASE64.keys())
def test_base64_is_decoded_strictly(text: str) -> None:
    raw = enveloped(Version.SOAP11, f"<h:SendPackage><h:package>{text}</h:package></h:SendPackage>")
    with pytest.raises(Refused) as caught:
        call_of(raw).binary("package")
    assert caught.value.code == "soap-base64"


@given(data=st.binary(max_size=400), width=st.integers(1, 90))
def test_any_bytes_survive_any_line_width(data: bytes, width: int) -> None:
    text = base64.b64encode(data).decode()
    lines = "\r\n".join(text[at : at + width] for at in range(0, len(text), width))
    raw = enveloped(Version.SOAP12, f"<h:SendPackage><h:package>\n{lines}\n</h:package></h:SendPackage>")
    assert call_of(raw).binary("package") == data


@given(tag=st.sampled_from([*OPERATION_TEXTS, "Envelope", "x"]), text=st.text(max_size=30), version=st.sampled_from(list(Version)))
def test_arbitrary_bodies_are_read_or_refused_never_worse(tag: str, text: str, version: Version) -> None:
    safe = text.translate({ord("<"): "&lt;", ord("&"): "&amp;"})
    raw = enveloped(version, f"<h:{tag}><h:package>{safe}</h:package></h:{tag}>").decode("utf-8", "replace").encode()
    try:
        call_of(raw)
    except Refused as fault:
        assert fault.code
