"""What every refusal has to have, at each face: used by all tests of bad input."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from hub.api.soap.wsdl import NAMESPACE
from schemas.errors import catalogue
from schemas.xml import local_name, parse, text_of
from tests.api.face import Answer

SOAP = {
    "SOAP 1.1": ("http://schemas.xmlsoap.org/soap/envelope/", "text/xml; charset=utf-8"),
    "SOAP 1.2": ("http://www.w3.org/2003/05/soap-envelope", "application/soap+xml; charset=utf-8"),
}
XML = {"Content-Type": "application/xml"}
JSON = {"Content-Type": "application/json"}
_VIETNAMESE = re.compile("[ăâđêôơưàáảãạằắẳẵặầấẩẫậèéẻẽẹềếểễệìíỉĩịòóỏõọồốổỗộờớởỡợùúủũụừứửữựỳýỷỹỵ]")


def enveloped(package: str, version: str = "SOAP 1.1", operation: str = "SendPackage") -> bytes:
    """A SOAP call with `package` as the text of its package element."""
    return (
        f'<s:Envelope xmlns:s="{SOAP[version][0]}"><s:Body><{operation} xmlns="{NAMESPACE}"><package>{package}</package></{operation}>'
        "</s:Body></s:Envelope>"
    ).encode()


def check_problem(answer: Answer, code: str) -> None:
    """A problem document with everything that RFC 9457 and the issue ask for."""
    assert answer.headers["Content-Type"] == "application/problem+json"
    told = answer.json()
    assert (told["code"], told["status"]) == (code, answer.status)
    assert answer.status == catalogue()[code].http_status
    assert _VIETNAMESE.search(told["title_vi"])
    assert _VIETNAMESE.search(told["remedy"]["vi"])
    assert told["trace_id"] == answer.headers["X-Trace-Id"]
    assert told["instance"].startswith("/")
    assert told["type"] == f"urn:lgsp-hub:error:{code}"
    check_no_traces(answer)


def check_fault(answer: Answer, version: str, code: str) -> None:
    """A fault in the caller's version with everything a problem document has."""
    assert answer.headers["Content-Type"].partition(";")[0] == SOAP[version][1].partition(";")[0]
    root = parse(answer.body).root
    assert root.tag == f"{{{SOAP[version][0]}}}Envelope"
    detail = root.find(f".//{{{NAMESPACE}}}HubFault")
    assert detail is not None
    told = {local_name(child): text_of(child) for child in detail}
    assert told["code"] == code
    assert _VIETNAMESE.search(told["messageVi"])
    assert _VIETNAMESE.search(told["remedyVi"])
    assert told["traceId"] == answer.headers["X-Trace-Id"]
    check_no_traces(answer)


def check_no_traces(answer: Answer) -> None:
    """Nothing of the inside shows."""
    assert not re.search(rb"Traceback|File \"|\.py\b|Internal Server Error", answer.body)


@dataclass(frozen=True)
class Ask:
    """One bad request and its code."""

    code: str
    method: str = "GET"
    path: str = "/api/v1/inbox"
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    system: str = "qlvb"
