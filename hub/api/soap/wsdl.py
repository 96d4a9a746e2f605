"""The WSDL 1.1 document of the SOAP face, with the schema inlined and the service's address filled in.

Document/literal wrapped, elements qualified, one port per SOAP version at one address (WS-I Basic Profile 1.1; R2204, R2716): what zeep,
PHP's SoapClient, Java and .NET read without settings. A wrapper is always a plain sequence, because Java and .NET unwrap nothing else.
"""

from __future__ import annotations

import re
from functools import cache
from html import escape
from pathlib import Path

NAMESPACE = "urn:lgsp-hub:exchange:1"
PATH = "/soap/v1"

# name → what it does, in the order of the WSDL
OPERATION_TEXTS = {
    "SendPackage": (
        "Gửi một gói tin edXML (base64); trả biên nhận đã ký sau khi đã ghi bền vững.",
        "Send an edXML packet (base64); answers the signed receipt once it is durable.",
    ),
    "ListPending": (
        "Danh sách gói tin đang chờ lấy, theo thứ tự tiếp nhận; next = 0 là hết.",
        "Packets waiting to be fetched, in order of acceptance; next = 0 means no more.",
    ),
    "GetPackage": (
        "Lấy nguyên văn một gói tin, từng byte như bên gửi đã gửi.",
        "One packet, byte for byte as its sender sent it.",
    ),
    "ConfirmReceived": (
        "Xác nhận đã lưu gói tin, hoặc từ chối tiếp nhận khi có refusedReason.",
        "Confirm that the packet is stored, or refuse it by giving refusedReason.",
    ),
    "UpdateStatus": (
        "Báo trạng thái xử lý: hoặc deliveryId, statusCode (và description, staff), hoặc package là gói tin trạng thái.",
        "Report a status: either deliveryId, statusCode (with description, staff), or package holding a status packet.",
    ),
}

_SCHEMA_FILE = Path(__file__).with_name("exchange.xsd")
_HOST = re.compile(r"([A-Za-z0-9]([A-Za-z0-9.-]{0,252})|\[[0-9A-Fa-f:.]{2,45}\])(:[0-9]{1,5})?")
_BINDINGS = (("Soap11", "soap"), ("Soap12", "soap12"))
_HEAD = f"""<?xml version="1.0" encoding="UTF-8"?>
<wsdl:definitions name="Exchange" targetNamespace="{NAMESPACE}" xmlns:tns="{NAMESPACE}" xmlns:wsdl="http://schemas.xmlsoap.org/wsdl/"
 xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/" xmlns:soap12="http://schemas.xmlsoap.org/wsdl/soap12/">
"""


@cache
def schema() -> bytes:
    """The schema that bodies are checked against, as it is published."""
    return _SCHEMA_FILE.read_bytes()


def wsdl(address: str) -> bytes:
    """The WSDL with `address` as the location of both ports."""
    types = schema().decode("utf-8").partition("?>")[2].strip()
    parts = [
        _HEAD,
        f"<wsdl:types>\n{types}\n</wsdl:types>\n",
        *(_message(element) for name in OPERATION_TEXTS for element in (name, f"{name}Response")),
        _message("HubFault", part="fault"),
        _port_type(),
        *(_binding(name, prefix) for name, prefix in _BINDINGS),
        _service(address),
        "</wsdl:definitions>\n",
    ]
    return "".join(parts).encode("utf-8")


def service_address(public_url: str, scheme: str, host: str, server: tuple[str, int | None] | None) -> str:
    """Where clients should call: the configured URL, else the request's own Host if it is one, else the socket's address."""
    if public_url:
        return public_url.rstrip("/") + PATH
    if not _HOST.fullmatch(host):
        name, port = server or ("localhost", None)
        host = f"{f'[{name}]' if ':' in name else name}{f':{port}' if port else ''}"
    return f"{'https' if scheme == 'https' else 'http'}://{host}{PATH}"


def _message(element: str, part: str = "parameters") -> str:
    return f'<wsdl:message name="{element}"><wsdl:part name="{part}" element="tns:{element}"/></wsdl:message>\n'


def _port_type() -> str:
    operations = "".join(
        f'<wsdl:operation name="{name}"><wsdl:documentation>{escape(vi)} {escape(en)}</wsdl:documentation>'
        f'<wsdl:input message="tns:{name}"/><wsdl:output message="tns:{name}Response"/>'
        '<wsdl:fault name="HubFault" message="tns:HubFault"/></wsdl:operation>\n'
        for name, (vi, en) in OPERATION_TEXTS.items()
    )
    return f'<wsdl:portType name="Exchange">\n{operations}</wsdl:portType>\n'


def _binding(name: str, prefix: str) -> str:
    body = f'<{prefix}:body use="literal"/>'
    operations = "".join(
        f'<wsdl:operation name="{operation}"><{prefix}:operation soapAction="{NAMESPACE}#{operation}" style="document"/>'
        f"<wsdl:input>{body}</wsdl:input><wsdl:output>{body}</wsdl:output>"
        f'<wsdl:fault name="HubFault"><{prefix}:fault name="HubFault" use="literal"/></wsdl:fault></wsdl:operation>\n'
        for operation in OPERATION_TEXTS
    )
    transport = f'<{prefix}:binding style="document" transport="http://schemas.xmlsoap.org/soap/http"/>'
    return f'<wsdl:binding name="{name}" type="tns:Exchange">{transport}\n{operations}</wsdl:binding>\n'


def _service(address: str) -> str:
    ports = "".join(
        f'<wsdl:port name="{name}" binding="tns:{name}"><{prefix}:address location="{escape(address)}"/></wsdl:port>\n'
        for name, prefix in _BINDINGS
    )
    return f'<wsdl:service name="ExchangeService">\n{ports}</wsdl:service>\n'
