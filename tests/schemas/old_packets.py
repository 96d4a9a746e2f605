"""Packets of the 2014 generation, as the facts about them describe (Công văn 2803): made here, because no real one may be kept."""

from __future__ import annotations

import base64

from tests.packets import PDF, zipped

EDOC, INET = "http://www.e-doc.vn/Schema/", "http://www.inetcloud.vn/ns/edxml"
ZIP = zipped([("6c1f5b1e-2a3d-4c77-9a0e-0f2d5b8f1a11.pdf", PDF)])

MESSAGE = """<edXML:MessageHeader OriginalBodyRequested="false" ImmediateResponseRequired="true">
 <edXML:From><edXML:OrganId>000.00.01.H32</edXML:OrganId><edXML:OrganName>Văn phòng UBND tỉnh</edXML:OrganName></edXML:From>
 <edXML:To><edXML:OrganId>000.00.02.H32</edXML:OrganId><edXML:DueDate>30/11/2014</edXML:DueDate></edXML:To>
 <edXML:Code><edXML:CodeNumber>0267</edXML:CodeNumber><edXML:CodeNotation>VPUB-TH</edXML:CodeNotation></edXML:Code>
 <edXML:PromulgationInfo><edXML:Place>Nha Trang</edXML:Place>
  <edXML:PromulgationDate>05/11/2014</edXML:PromulgationDate></edXML:PromulgationInfo>
 <edXML:DocumentType><edXML:Type>1</edXML:Type><edXML:TypeName>Công văn</edXML:TypeName></edXML:DocumentType>
 <edXML:Subject>V/v liên thông &amp; kết nối</edXML:Subject><edXML:Content>Kính gửi</edXML:Content>
 {document_id}
 <edXML:SignerInfo><edXML:FullName>Nguyễn Văn A</edXML:FullName></edXML:SignerInfo>
 <edXML:DueDate>1/12/2014</edXML:DueDate>
 <edXML:ResponseFor><edXML:OrganId>000.00.05.H32</edXML:OrganId><edXML:Code>12/SNV</edXML:Code>
  <edXML:PromulgationDate>01/10/2014</edXML:PromulgationDate></edXML:ResponseFor>
</edXML:MessageHeader>"""
DOCUMENT_ID = "<edXML:DocumentId>000.00.01.H32,2014/11/05,0267/VPUB-TH</edXML:DocumentId>"
TRACE = """<edXML:TraceHeaderList id="t" version="1.0" mustUnderstand="1">
 <edXML:TraceHeader><edXML:OrganId>000.00.01.H32</edXML:OrganId><edXML:Timestamp>05/11/2014 08:30:15</edXML:Timestamp></edXML:TraceHeader>
</edXML:TraceHeaderList>"""
ASIDE = """<edXML:ErrorList Id="e" HighestSeverity="error" Version="1.0"/>
<edXML:Signature><edXML:KeyInfo><edXML:OrganId>000.00.01.H32</edXML:OrganId><edXML:Token>s3cret-token</edXML:Token></edXML:KeyInfo></edXML:Signature>"""
MANIFEST = """<edXML:edXMLManifest xmlns:xlink="http://www.w3.org/1999/xlink" version="1.0">
 <edXML:Reference xlink:href="cid:part-1" xlink:role="XLinkRole" xlink:type="simple">
  <edXML:AttachmentName>Công văn.pdf</edXML:AttachmentName><edXML:Description>Công văn</edXML:Description></edXML:Reference>
</edXML:edXMLManifest>"""
STATUS = """<edXML:Status>
 <edXML:From><edXML:OrganId>000.00.02.H32</edXML:OrganId></edXML:From>
 <edXML:ResponseFor><edXML:OrganId>000.00.01.H32</edXML:OrganId><edXML:Code>0267/VPUB-TH</edXML:Code>
  <edXML:PromulgationDate>05/11/2014</edXML:PromulgationDate></edXML:ResponseFor>
 <edXML:StatusCode>03</edXML:StatusCode><edXML:Description>Đã tiếp nhận</edXML:Description>
 <edXML:Timestamp>06/11/2014 09:00:00</edXML:Timestamp></edXML:Status>"""


def soap(header: str, body: str, space: str = EDOC) -> bytes:
    """The SOAP envelope of the generation."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<SOAP-ENV:Envelope xmlns:SOAP-ENV="http://schemas.xmlsoap.org/soap/envelope/">'
        f'<SOAP-ENV:Header xmlns:edXML="{space}">{header}</SOAP-ENV:Header>'
        f'<SOAP-ENV:Body xmlns:edXML="{space}">{body}</SOAP-ENV:Body></SOAP-ENV:Envelope>'
    ).encode()


def document(space: str = EDOC, *, document_id: str = DOCUMENT_ID, manifest: str = MANIFEST) -> bytes:
    """The SOAP part of a document."""
    return soap(MESSAGE.format(document_id=document_id) + TRACE + ASIDE, manifest, space)


def status(space: str = EDOC) -> bytes:
    """A status, which stood in the SOAP body."""
    return soap("", STATUS, space)


def attachment_xml(space: str = EDOC) -> bytes:
    """An attachment's part as XML: name, FieldName, MimeType, value."""
    value = base64.b64encode(ZIP).decode("ascii")
    return (
        f'<edXML:Document xmlns:edXML="{space}"><edXML:Attach>'
        '<edXML:Attachment Content-Type="application/zip" Content-Transfer-Encoding="base64">'
        f"<edXML:name>Công văn.pdf</edXML:name><edXML:FieldName>f1</edXML:FieldName><edXML:MimeType>application/pdf</edXML:MimeType>"
        f"<edXML:value>{value}</edXML:value></edXML:Attachment></edXML:Attach></edXML:Document>"
    ).encode()


def multipart(*parts: tuple[str, bytes], newline: bytes = b"\r\n", boundary: bytes = b"=_Part_7") -> bytes:
    """A multipart file, its first line the boundary; each part is (headers, body)."""
    made = b""
    for headers, body in parts:
        made += b"--" + boundary + newline + headers.encode().replace(b"\n", newline) + newline + newline + body + newline
    return made + b"--" + boundary + b"--" + newline


START = "Content-Type: text/xml; charset=UTF-8\nContent-Transfer-Encoding: 8bit\nContent-ID: <Start>"
PART = "Content-Type: {kind}\nContent-Transfer-Encoding: {encoding}\nContent-ID: <part-1>"


def with_xml_part(space: str = EDOC, newline: bytes = b"\r\n") -> bytes:
    """The SDK's file: attachments as XML parts."""
    part = PART.format(kind="text/xml; charset=UTF-8", encoding="8bit")
    return multipart((START, document(space)), (part, attachment_xml(space)), newline=newline)


def with_binary_part() -> bytes:
    """SOAP with attachments: the file itself is the part."""
    headers = PART.format(kind="application/pdf", encoding="binary") + '\nContent-Disposition: attachment; filename="Công văn.pdf"'
    return multipart((START, document()), (headers, PDF))


def with_base64_part() -> bytes:
    """The same, in base64."""
    return multipart((START, document()), (PART.format(kind="application/pdf", encoding="base64"), base64.encodebytes(PDF)))


def archive() -> bytes:
    """Before 2014: header.xml and Attachment.xml in a zip. The attachment is named by the part of the manifest."""
    return zipped([("header.xml", document("urn:various")), ("Attachment.xml", attachment_xml("urn:various"))])
