"""The slip as one page of HTML that prints on A4 and loads nothing from anywhere. Everything in it is escaped."""

from __future__ import annotations

from html import escape

from hub.slip import FIELDS, Slip
from schemas.calendar.assess import Slip as Grade

_STYLE = """@page{size:A4;margin:15mm 18mm}
body{font:11pt/1.3 'Times New Roman',Tinos,'Liberation Serif',serif;color:#000;max-width:175mm;margin:auto}
h1{font-size:15pt;text-align:center;margin:4mm 0}
table{border-collapse:collapse;width:100%}
td,th{border:1px solid #000;padding:1mm 2mm;text-align:left;vertical-align:top;overflow-wrap:anywhere;font-weight:normal}
th{width:42%}
.en{color:#444;font-size:8.5pt;font-style:italic}
.top{display:flex;justify-content:space-between}
.flag{display:inline-block;border:2px solid #000;padding:1mm 3mm;font-weight:bold;align-self:flex-start}
.stamp{border:2px solid #a00;color:#a00;padding:1mm 3mm;min-width:45mm}
.stamp b{display:block;text-align:center}
tr.free td{height:13mm}
tr{break-inside:avoid}
small{font-size:8pt;overflow-wrap:anywhere}
.note{font-style:italic}"""
_POLICY = "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
_TITLE = "Phiếu giải quyết văn bản đến"
_FREE = frozenset({"y_kien_lanh_dao_co_quan", "y_kien_truong_pho_don_vi", "y_kien_de_xuat_nguoi_giai_quyet"})  # written by hand
_GRADES = (("Trước hạn", Grade.EARLY), ("Đúng hạn", Grade.ON_TIME), ("Trễ hạn", Grade.LATE))
_ASSESSMENT = "danh_gia_thoi_gian_hoan_thanh"


def page(slip: Slip) -> str:
    """The document."""
    head = f'<!DOCTYPE html>\n<html lang="vi"><head><meta charset="utf-8">{_POLICY}<title>{_TITLE}</title><style>{_STYLE}</style>'
    title = '<h1>PHIẾU GIẢI QUYẾT VĂN BẢN ĐẾN<br><span class="en">Slip for an incoming document</span></h1>'
    rows = "".join(_row(key, slip) for key in FIELDS)
    notes = "".join(f'<p class="note">{escape(note.vi)} <span class="en">{escape(note.en)}</span></p>' for note in slip.notes)
    return f"{head}</head><body>{_top(slip)}{title}<table>{rows}</table>{_progress(slip)}{notes}{_foot(slip)}</body></html>\n"


def _top(slip: Slip) -> str:
    number, day = (escape(slip.fields[key]) for key in ("so_den", "ngay_den"))
    name = escape(slip.recipient_name or slip.recipient)
    return (
        f'<div class="top"><div><span class="flag">VBĐT</span> {name}</div>'
        f'<div class="stamp"><b>ĐẾN</b>Số: {number}<br>Ngày: {day}<br>Chuyển: {escape(slip.fields["don_vi_chu_tri"])}</div></div>'
    )


def _row(key: str, slip: Slip) -> str:
    caption, value = FIELDS[key], escape(slip.fields[key]).replace("\n", "<br>")
    if key == _ASSESSMENT:
        value = _grades(slip)
    kind = ' class="free"' if key in _FREE else ""
    return f'<tr{kind}><th>{escape(caption.vi)} <span class="en">{escape(caption.en)}</span></th><td>{value}</td></tr>'


def _grades(slip: Slip) -> str:
    chosen = slip.fields[_ASSESSMENT]
    boxes = " &nbsp; ".join(f"{'☒' if chosen == grade else '☐'} {label}" for label, grade in _GRADES)
    if chosen and chosen not in {str(grade) for _, grade in _GRADES}:
        boxes += f" &nbsp; {escape(chosen)}"
    if slip.assessment is None:
        return boxes
    reason = slip.assessment.reason
    return f'{boxes}<br>{escape(reason.vi)} <span class="en">{escape(reason.en)}</span>'


def _progress(slip: Slip) -> str:
    if not slip.progress:
        return ""
    rows = "".join(
        f"<tr><td>{escape(one.at)}</td><td>{escape(one.code)}</td><td>{escape(one.description)}</td><td>{escape(one.staff)}</td></tr>"
        for one in slip.progress
    )
    return f'<p>Tiến độ theo trạng thái <span class="en">Progress, as the recipient reported it</span></p><table>{rows}</table>'


def _foot(slip: Slip) -> str:
    told = f"Thông điệp / message {slip.message_id}, nơi nhận / recipient {escape(slip.recipient)}, mục nhật ký / entry {slip.index}"
    return f"<p><small>{told}</small></p>"
