"""A document management system (QLVB&ĐH) with a SOAP service: ``NhanVanBan``, SOAP 1.1 and 1.2, repetitions known by ``maGoi``."""

from __future__ import annotations

import binascii
import hmac
from base64 import b64decode, b64encode
from pathlib import Path
from xml.sax.saxutils import escape

from adapters.systems.command import open_desk, parser, run
from adapters.systems.face import MAX_BODY_BYTES, Desk, Mode, Reply, Request, Serve
from schemas import xml
from schemas.errors import HubError

NAMESPACE = "urn:qlvb:tiep-nhan"
USER = "lgsp"
_SOAP11 = "http://schemas.xmlsoap.org/soap/envelope/"
_SOAP12 = "http://www.w3.org/2003/05/soap-envelope"
_WSDL = Path(__file__).with_name("service.wsdl")


def service(desk: Desk, token: str, port: int) -> Serve:
    """The system's own protocol."""
    wsdl = _WSDL.read_bytes().replace(b"@ADDRESS@", f"http://127.0.0.1:{port}/tiepnhan".encode())

    def answer(request: Request) -> Reply:
        if request.path != "/tiepnhan":
            return Reply.of(404, {"loi": "khong-tim-thay"})
        if request.method == "GET":
            return Reply(200, wsdl, "text/xml; charset=utf-8")
        basic = b64encode(f"{USER}:{token}".encode())
        if token and not hmac.compare_digest(request.headers.get("authorization", "").encode(), b"Basic " + basic):
            return Reply(401, headers={"WWW-Authenticate": 'Basic realm="qlvb"'})
        try:
            envelope = xml.parse(request.body, max_bytes=MAX_BODY_BYTES).root
        except HubError as fault:
            return _fault(_SOAP11, "Client", str(fault))
        return _called(desk, envelope)

    return answer


def _called(desk: Desk, envelope: xml.Element) -> Reply:
    soap = xml.namespace(envelope)
    if soap not in (_SOAP11, _SOAP12) or xml.local_name(envelope) != "Envelope":
        return _fault(_SOAP11, "VersionMismatch", "SOAP 1.1 hoặc 1.2")
    if desk.mode is Mode.BUSY:
        return _fault(soap, "Server", "Hệ thống đang bận", detail="Busy", status=503)
    body = next((part for part in xml.child_elements(envelope) if part.tag == f"{{{soap}}}Body"), None)
    call = next(iter(xml.child_elements(body)), None) if body is not None else None
    if call is None or call.tag != f"{{{NAMESPACE}}}NhanVanBan":
        return _fault(soap, "Client", "Không có thao tác này")
    values = {xml.local_name(part): xml.text_of(part) for part in xml.child_elements(call)}
    return _received(desk, soap, values)


def _received(desk: Desk, soap: str, values: dict[str, str]) -> Reply:
    if desk.mode is Mode.REFUSE:
        return _result(soap, trangThai="TU_CHOI", moTa="Văn bản không thuộc thẩm quyền")
    try:
        packet = b64decode("".join(values["noiDung"].split()), validate=True)
        key = values["maGoi"]
    except (KeyError, binascii.Error) as fault:
        return _fault(soap, "Client", f"Tham số không hợp lệ: {fault}")
    arrival = desk.take(
        key, packet, message_id=values.get("maThongDiep", ""), document_id=values.get("soKyHieu", ""), kind=values.get("loai", "")
    )
    more = {"moTa": "Gói tin đã có"} if arrival.times_seen > 1 else {}
    return _result(soap, trangThai="OK", maTiepNhan=f"VB-{arrival.sha256[:12]}", **more)


def _result(soap: str, **values: str) -> Reply:
    parts = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in values.items())
    return _envelope(soap, f'<NhanVanBanResponse xmlns="{NAMESPACE}">{parts}</NhanVanBanResponse>', 200)


def _fault(soap: str, code: str, text: str, *, detail: str = "", status: int = 500) -> Reply:
    """`code` in the words of SOAP 1.1; 1.2 calls Client and Server Sender and Receiver, and has subcodes instead of dots."""
    if soap == _SOAP12:
        code12 = {"Client": "Sender", "Server": "Receiver"}.get(code, code)
        sub = f"<s:Subcode><s:Value xmlns:q='{NAMESPACE}'>q:{detail}</s:Value></s:Subcode>" if detail else ""
        reason = f"<s:Reason><s:Text xml:lang='vi'>{escape(text)}</s:Text></s:Reason>"
        return _envelope(soap, f"<s:Fault><s:Code><s:Value>s:{code12}</s:Value>{sub}</s:Code>{reason}</s:Fault>", status)
    dotted = f"{code}.{detail}" if detail else code
    return _envelope(soap, f"<s:Fault><faultcode>s:{dotted}</faultcode><faultstring>{escape(text)}</faultstring></s:Fault>", status)


def _envelope(soap: str, inside: str, status: int) -> Reply:
    text = f'<?xml version="1.0" encoding="UTF-8"?><s:Envelope xmlns:s="{soap}"><s:Body>{inside}</s:Body></s:Envelope>'
    kind = "application/soap+xml" if soap == _SOAP12 else "text/xml"
    return Reply(status, text.encode(), f"{kind}; charset=utf-8")


def main() -> None:
    """The command."""
    options = parser("qlvb", f"A document management system that takes packets by SOAP (Basic, user {USER}).").parse_args()
    desk = open_desk(options)
    run(desk, lambda port: service(desk, options.token, port), options)


if __name__ == "__main__":
    main()
