"""The page at `/api/v1/docs`: every address in Vietnamese and English. Self-contained: it loads nothing from anywhere."""

from __future__ import annotations

from html import escape

from hub.api.openapi import OPERATIONS
from hub.api.operation import Operation
from hub.api.soap.wsdl import OPERATION_TEXTS

CONTENT_SECURITY_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"

_PAGE = """<!DOCTYPE html>
<html lang="vi"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>LGSP hub – API</title>
<style>body{{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}}
code,pre{{font:14px ui-monospace,monospace}}
table{{border-collapse:collapse;width:100%}}td,th{{border-bottom:1px solid #ccc;padding:.4rem;text-align:left;vertical-align:top}}
pre{{background:#f4f4f4;padding:.8rem;overflow:auto}}.en{{color:#555}}</style></head><body>
<h1>LGSP hub – API</h1>
<p>Mô tả cho máy đọc: <a href="/api/v1/openapi.json">OpenAPI</a>, <a href="/soap/v1?wsdl">WSDL</a>.
<span class="en">Machine-readable: OpenAPI, WSDL.</span></p>
<h2>Xác thực <span class="en">· Authentication</span></h2>
<p>Khóa API dạng <code>keyid.secret</code>: <code>Authorization: Bearer keyid.secret</code>, hoặc Basic (người dùng
<code>keyid</code>, mật khẩu <code>secret</code>), hoặc <code>X-API-Key</code>.
<span class="en">The API key in one of these three headers, REST and SOAP alike.</span></p>
<p>Người dùng: <code>POST /api/v1/sessions</code>, rồi <code>Authorization: Bearer</code> với mã phiên nhận được.
<span class="en">People: log in, then the session's token as bearer.</span></p>
<h2>REST</h2><table><tr><th>Địa chỉ <span class="en">· Address</span></th>
<th>Ý nghĩa <span class="en">· Meaning</span></th></tr>{rest}</table>
<pre>curl -H "Authorization: Bearer $KEY" -H "Content-Type: application/xml" --data-binary @goi-tin.edxml $HUB/api/v1/messages</pre>
<h2>SOAP 1.1, 1.2 – <code>POST /soap/v1</code></h2><table><tr><th>Thao tác <span class="en">· Operation</span></th>
<th>Ý nghĩa <span class="en">· Meaning</span></th></tr>{soap}</table>
<h2>Lỗi <span class="en">· Errors</span></h2>
<p>REST: RFC 9457 (<code>application/problem+json</code>); SOAP: Fault, phần tử <code>HubFault</code> trong detail. Cùng một
<code>code</code>, cách khắc phục tiếng Việt và tiếng Anh, danh sách mọi vi phạm, mã truy vết <code>trace_id</code>.
<span class="en">The same code, remedy, violations and trace id at both faces.</span></p></body></html>
"""


def page() -> bytes:
    """The whole page, UTF-8."""
    rest = "".join(_row(f"{one.method.upper()} {one.path}", one) for one in OPERATIONS)
    soap = "".join(_line(name, vi, en) for name, (vi, en) in OPERATION_TEXTS.items())
    return _PAGE.format(rest=rest, soap=soap).encode("utf-8")


def _row(address: str, one: Operation) -> str:
    return _line(address, one.vi, one.en)


def _line(name: str, vi: str, en: str) -> str:
    return f'<tr><td><code>{escape(name)}</code></td><td>{escape(vi)}<br><span class="en">{escape(en)}</span></td></tr>'
