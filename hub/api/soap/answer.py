"""SOAP answers: responses, and faults that carry everything a problem document does (`HubFault`), in either version of SOAP."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from lxml import etree
from starlette.requests import Request
from starlette.responses import Response

from hub.api.problem import add_error_headers, as_json
from hub.api.soap.envelope import Version
from hub.api.soap.wsdl import NAMESPACE
from hub.api.trace import note_of
from schemas.errors import Disposition, HubError
from schemas.xml import Element

Value = str | int | bool | bytes | Mapping[str, "Value"]
Field = tuple[str, Value]

_LANG: Final = "{http://www.w3.org/XML/1998/namespace}lang"
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0 §2.2
_OF_HTTP = frozenset({401, 404, 405, 408, 413, 415, 431, 503})  # about the exchange of HTTP messages, so HTTP says it
# Codes that SOAP itself names: SOAP 1.1 §4.4.1, SOAP 1.2 part 1 §5.4.6
_OWN_FAULTCODES = {"soap-version": "VersionMismatch", "soap-must-understand": "MustUnderstand"}


def response(version: Version, operation: str, fields: Iterable[Field]) -> Response:
    """The answer of `operation`; fields stand in the order of the schema."""
    answer = etree.Element(f"{{{NAMESPACE}}}{operation}Response", nsmap={None: NAMESPACE})
    _add(answer, fields)
    return Response(_envelope(version, answer), media_type=version.media_type)


def fault(request: Request, version: Version, error: HubError, *, allow: str = "") -> Response:
    """`error` as a fault.

    The HTTP status is the error's own where it is about HTTP (401, 413, 415 …); otherwise 500 in SOAP 1.1 (§6.2) and, in SOAP 1.2
    (part 2 §7.5.2.2), 400 for what the sender has to correct and 500 for the rest.
    """
    note = note_of(request.scope)
    note.code = error.code
    mine = error.disposition is Disposition.REFUSE
    build = _fault11 if version is Version.SOAP11 else _fault12
    body = _envelope(version, build(error, mine, _detail(error, note.trace_id)), _upgrade(error, version))
    answer = Response(body, _status(error, version, mine), media_type=version.media_type)
    add_error_headers(answer.headers, error, allow)
    return answer


def _status(error: HubError, version: Version, mine: bool) -> int:
    if error.spec.http_status in _OF_HTTP:
        return error.spec.http_status
    return 400 if version is Version.SOAP12 and mine and error.code not in _OWN_FAULTCODES else 500


def _fault11(error: HubError, mine: bool, detail: Element) -> Element:
    made = etree.Element(f"{{{Version.SOAP11.value}}}Fault")
    etree.SubElement(made, "faultcode").text = "soap:" + _OWN_FAULTCODES.get(error.code, "Client" if mine else "Server")
    etree.SubElement(made, "faultstring", {_LANG: "vi"}).text = f"{error.code}: {error.spec.title.vi}"
    etree.SubElement(made, "detail").append(detail)
    return made


def _fault12(error: HubError, mine: bool, detail: Element) -> Element:
    space = Version.SOAP12.value
    made = etree.Element(f"{{{space}}}Fault")
    code = etree.SubElement(made, f"{{{space}}}Code")
    etree.SubElement(code, f"{{{space}}}Value").text = "soap:" + _OWN_FAULTCODES.get(error.code, "Sender" if mine else "Receiver")
    below = etree.SubElement(code, f"{{{space}}}Subcode", nsmap={"hub": NAMESPACE})
    etree.SubElement(below, f"{{{space}}}Value").text = f"hub:{error.code}"
    reason = etree.SubElement(made, f"{{{space}}}Reason")
    for lang, title in (("vi", error.spec.title.vi), ("en", error.spec.title.en)):
        etree.SubElement(reason, f"{{{space}}}Text", {_LANG: lang}).text = f"{error.code}: {title}"
    etree.SubElement(made, f"{{{space}}}Detail").append(detail)
    return made


def _detail(error: HubError, trace_id: str) -> Element:
    about = error.spec
    detail = etree.Element(f"{{{NAMESPACE}}}HubFault", nsmap={None: NAMESPACE})
    fields: list[Field] = [
        ("code", error.code),
        ("messageVi", about.title.vi),
        ("messageEn", about.title.en),
        ("got", error.got),
        ("expected", error.expected),
        ("remedyVi", about.remedy.vi),
        ("remedyEn", about.remedy.en),
        ("traceId", trace_id),
        *(("violation", _violation(one.as_json())) for one in error.violations),
        *(("extra", {"name": name, "value": value if isinstance(value, str) else _text(value)}) for name, value in error.extra.items()),
    ]
    _add(detail, fields)
    return detail


def _violation(one: Mapping[str, Any]) -> dict[str, Value]:
    plain = {name: one[name] for name in ("code", "severity", "path", "line", "got", "expected")}
    texts = {f"{name}{lang.title()}": one[name][lang] for name in ("message", "remedy") for lang in ("vi", "en")}
    return {**plain, **texts}


def _upgrade(error: HubError, version: Version) -> Element | None:
    """The header that tells a caller of an unknown version which ones there are (SOAP 1.2 part 1 §5.4.7)."""
    if error.code != "soap-version" or version is not Version.SOAP12:
        return None
    header = etree.Element(f"{{{version.value}}}Upgrade")
    for number, known in enumerate(Version, 1):
        prefix = f"v{number}"
        supported = etree.SubElement(header, f"{{{version.value}}}SupportedEnvelope", nsmap={prefix: known.value})
        supported.set("qname", f"{prefix}:Envelope")
    return header


def _envelope(version: Version, content: Element, header: Element | None = None) -> bytes:
    envelope = etree.Element(f"{{{version.value}}}Envelope", nsmap={"soap": version.value})
    if header is not None:
        etree.SubElement(envelope, f"{{{version.value}}}Header").append(header)
    etree.SubElement(envelope, f"{{{version.value}}}Body").append(content)
    return etree.tostring(envelope, xml_declaration=True, encoding="UTF-8")


def _add(parent: Element, fields: Iterable[Field]) -> None:
    for name, value in fields:
        child = etree.SubElement(parent, f"{{{NAMESPACE}}}{name}")
        if isinstance(value, Mapping):
            _add(child, value.items())
        else:
            child.text = _text(value)


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    text = value if isinstance(value, str) else str(value) if isinstance(value, int) else as_json({"value": value}).decode("utf-8")
    return _NOT_XML.sub("\ufffd", text)
