"""edXML packets for the faces' tests: small, valid, each with an id of its own."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from os import getpid

NAMESPACE = "http://www.mic.gov.vn/TBT/QCVN_102_2016"
_NUMBERS = count(1)


def document(
    *, sender: str = "H32.5", to: Sequence[str] = ("000.00.13.H53",), subject: str = "V/v kiểm tra liên thông", number: str = ""
) -> bytes:
    """A new document; without `number` it is another one on every call."""
    number = number or f"{next(_NUMBERS)}-{getpid()}"
    receivers = "".join(f"<x:To><x:OrganId>{one}</x:OrganId><x:OrganName>Nơi nhận {one}</x:OrganName></x:To>" for one in to)
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<edXML xmlns="{NAMESPACE}"><x:edXMLEnvelope xmlns:x="{NAMESPACE}"><x:edXMLHeader><x:MessageHeader>
<x:From><x:OrganId>{sender}</x:OrganId><x:OrganName>Sở Nội vụ</x:OrganName></x:From>{receivers}
<x:DocumentId>{sender},2026/11/20,{number}/SNV-VP</x:DocumentId>
<x:Code><x:CodeNumber>{number}</x:CodeNumber><x:CodeNotation>SNV-VP</x:CodeNotation></x:Code>
<x:PromulgationInfo><x:Place>Hà Nội</x:Place><x:PromulgationDate>2026/11/20</x:PromulgationDate></x:PromulgationInfo>
<x:DocumentType><x:Type>1</x:Type><x:TypeName>Công văn</x:TypeName></x:DocumentType><x:Subject>{subject}</x:Subject>
<x:SignerInfo><x:FullName>Nguyễn Văn An</x:FullName></x:SignerInfo></x:MessageHeader>
<x:TraceHeaderList><x:TraceHeader><x:OrganId>{sender}</x:OrganId><x:Timestamp>2026/11/20 08:00:00</x:Timestamp></x:TraceHeader>
<x:Bussiness><x:BussinessDocType>0</x:BussinessDocType></x:Bussiness></x:TraceHeaderList></x:edXMLHeader>
<x:edXMLBody><x:edXMLManifest version="1.0"/></x:edXMLBody></x:edXMLEnvelope></edXML>""".encode()


def status_packet(*, of: bytes, sender: str, code: str = "03") -> bytes:
    """A status packet from `sender` about the document packet `of`, written by the sender's own software."""
    text = of.decode("utf-8")

    def value(name: str) -> str:
        return text.partition(f"<x:{name}>")[2].partition(f"</x:{name}>")[0]

    return f"""<?xml version="1.0" encoding="UTF-8"?>
<edXML xmlns="{NAMESPACE}"><x:edXMLEnvelope xmlns:x="{NAMESPACE}"><x:edXMLHeader><x:MessageHeader>
<x:From><x:OrganId>{sender}</x:OrganId><x:OrganName>Nơi nhận</x:OrganName></x:From>
<x:ResponseFor><x:OrganId>{value("OrganId")}</x:OrganId><x:Code>{value("CodeNumber")}/{value("CodeNotation")}</x:Code>
<x:PromulgationDate>{value("PromulgationDate")}</x:PromulgationDate><x:DocumentId>{value("DocumentId")}</x:DocumentId></x:ResponseFor>
<x:StaffInfo><x:Staff>Trần Thị Bình</x:Staff></x:StaffInfo><x:StatusCode>{code}</x:StatusCode>
<x:Description>Đã tiếp nhận</x:Description><x:Timestamp>2026/11/20 09:00:00</x:Timestamp>
</x:MessageHeader></x:edXMLHeader></x:edXMLEnvelope></edXML>""".encode()
