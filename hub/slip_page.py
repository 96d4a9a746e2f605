"""The slip as one page of HTML that prints on A4 and loads nothing from anywhere, laid out as the form in use. Everything in it is escaped.

From top to bottom: VBĐT and the agency on the left, the stamp ĐẾN on the right; the title; the facts in rows of three; subject; the three
opinions, with room for the pen; progress; the assessment; what has to be told; every status.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from hub.slip import FIELDS, Slip
from schemas.calendar.assess import Slip as Grade

# By their own names: what a system takes for Times New Roman may lack letters of Vietnamese, and sets words in two fonts then.
_NAMES = ("Times New Roman", "Tinos", "Noto Serif", "DejaVu Serif Condensed", "DejaVu Serif")


def _local(of: str) -> str:
    return ",".join(f"local('{name}{of}')" for name in _NAMES)


_FONTS = "".join(
    f"@font-face{{font-family:Phieu;font-weight:{weight};font-style:{style};src:{_local(of)}}}"
    for weight, style, of in (("400", "normal", ""), ("700", "normal", " Bold"), ("400", "italic", " Italic"))
)
_STYLE = """@page{size:A4;margin:12mm 15mm 12mm 20mm}
*{box-sizing:border-box}
body{font:11.5pt/1.25 Phieu,'Times New Roman',Tinos,'DejaVu Serif',serif;color:#000;max-width:175mm;margin:auto}
.top{display:flex;justify-content:space-between;align-items:flex-start}
.agency{text-align:center;width:92mm}
.agency b{display:block;text-transform:uppercase;overflow-wrap:anywhere}
.agency hr{width:28mm;border:0;border-top:1px solid #000;margin:1mm auto 2mm}
.flag{display:inline-block;border:1.5px solid #000;padding:.5mm 3mm;font-weight:bold}
.stamp{border:2px solid #b00;color:#b00;width:58mm}
.stamp b{display:block;text-align:center;font-size:15pt;letter-spacing:4mm;padding-left:4mm;border-bottom:1px solid #b00}
.stamp div{padding:.6mm 2mm;border-bottom:1px dotted #b00;overflow-wrap:anywhere}
.stamp div:last-child{border:0}
h1{font-size:15pt;text-align:center;margin:4mm 0 0}
.sub{text-align:center;margin:0 0 3mm}
table{border-collapse:collapse;width:100%;table-layout:fixed}
td,th{border:1px solid #000;padding:1mm 1.8mm;text-align:left;vertical-align:top;overflow-wrap:anywhere;font-weight:normal}
tr{break-inside:avoid}
.key{font-weight:bold;font-size:11pt}
.en{display:block;color:#555;font-size:7.5pt;font-style:italic;font-weight:normal;line-height:1.1}
.val{min-height:5mm}
.free .val{min-height:16mm}
.box{white-space:nowrap;margin-right:8mm}
section{break-inside:avoid}
h2{font-size:11pt;margin:4mm 0 1mm}
.list td,.list th{font-size:10pt}
.list th{font-weight:bold}
.note{font-style:italic;margin:2mm 0}
.foot{font-size:8pt;color:#333;overflow-wrap:anywhere;margin-top:4mm}"""
_POLICY = "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
_TITLE = "Phiếu giải quyết văn bản đến"
# The rows of the form, and which fields stand side by side in each. A test holds that every field stands in one.
_ROWS: Sequence[tuple[str, ...]] = (
    ("so_den", "ngay_den", "luu_ho_so"),
    ("noi_ban_hanh", "ngay_ban_hanh", "so_ky_hieu"),
    ("don_vi_chu_tri", "don_vi_phoi_hop", "thoi_han_xu_ly"),
    ("trich_yeu",),
    ("y_kien_lanh_dao_co_quan", "ngay_y_kien_lanh_dao"),
    ("y_kien_truong_pho_don_vi",),
    ("y_kien_de_xuat_nguoi_giai_quyet",),
    ("ngay_chuyen_vb", "ngay_trinh_vb_tra_loi"),
    ("ngay_ban_hanh_vb_tra_loi", "so_ky_hieu_vb_tra_loi"),
    ("danh_gia_thoi_gian_hoan_thanh",),
)
_COLUMNS = 6  # of the table: rows of one, two and three fields divide it
_WIDE = {"y_kien_lanh_dao_co_quan": 4}  # columns, where a row is not divided evenly
_FREE = frozenset({"y_kien_lanh_dao_co_quan", "y_kien_truong_pho_don_vi", "y_kien_de_xuat_nguoi_giai_quyet"})  # written by hand
_GRADES = (("Trước hạn", Grade.EARLY), ("Đúng hạn", Grade.ON_TIME), ("Trễ hạn", Grade.LATE))
_ASSESSMENT = "danh_gia_thoi_gian_hoan_thanh"


def page(slip: Slip) -> str:
    """The document."""
    head = f'<!DOCTYPE html>\n<html lang="vi"><head><meta charset="utf-8">{_POLICY}<title>{_TITLE}</title><style>{_FONTS}{_STYLE}</style>'
    title = '<h1>PHIẾU GIẢI QUYẾT VĂN BẢN ĐẾN</h1><p class="sub"><span class="en">Slip for an incoming document</span></p>'
    rows = "".join(_row(keys, slip) for keys in _ROWS)
    notes = "".join(f'<p class="note">{escape(note.vi)} <span class="en">{escape(note.en)}</span></p>' for note in slip.notes)
    return f"{head}</head><body>{_top(slip)}{title}<table>{rows}</table>{notes}{_progress(slip)}{_foot(slip)}</body></html>\n"


def _top(slip: Slip) -> str:
    number, day, unit = (escape(slip.fields[key]) for key in ("so_den", "ngay_den", "don_vi_chu_tri"))
    name = escape(slip.recipient_name or slip.recipient)
    return (
        f'<div class="top"><div><span class="flag">VBĐT</span></div><div class="agency"><b>{name}</b><hr></div>'
        f'<div class="stamp"><b>ĐẾN</b><div>Số: {number}</div><div>Ngày: {day}</div><div>Chuyển: {unit}</div></div></div>'
    )


def _row(keys: Sequence[str], slip: Slip) -> str:
    rest = _COLUMNS - sum(_WIDE.get(key, 0) for key in keys)
    even = rest // max(1, sum(key not in _WIDE for key in keys))
    cells = "".join(_cell(key, _WIDE.get(key, even), slip) for key in keys)
    kind = ' class="free"' if _FREE & set(keys) else ""
    return f"<tr{kind}>{cells}</tr>"


def _cell(key: str, columns: int, slip: Slip) -> str:
    caption, value = FIELDS[key], escape(slip.fields[key]).replace("\n", "<br>")
    if key == _ASSESSMENT:
        value = _grades(slip)
    told = f'<span class="key">{escape(caption.vi)}</span><span class="en">{escape(caption.en)}</span>'
    return f'<td colspan="{columns}">{told}<div class="val">{value}</div></td>'


def _grades(slip: Slip) -> str:
    chosen = slip.fields[_ASSESSMENT]
    boxes = "".join(f'<span class="box">{"☒" if chosen == grade else "☐"} {label}</span>' for label, grade in _GRADES)
    if chosen and chosen not in {str(grade) for _, grade in _GRADES}:
        boxes += escape(chosen)
    if slip.assessment is None:
        return boxes
    reason = slip.assessment.reason
    return f'{boxes}<br>{escape(reason.vi)} <span class="en">{escape(reason.en)}</span>'


def _progress(slip: Slip) -> str:
    if not slip.progress:
        return ""
    heads = (("Lúc", "At"), ("Trạng thái", "Status"), ("Nội dung", "Description"), ("Người xử lý", "By"))
    head = "".join(f'<th>{vi}<span class="en">{en}</span></th>' for vi, en in heads)
    rows = "".join(
        f"<tr><td>{escape(one.at)}</td><td>{escape(one.code)}</td><td>{escape(one.description)}</td><td>{escape(one.staff)}</td></tr>"
        for one in slip.progress
    )
    title = '<h2>Tiến độ theo trạng thái <span class="en">Progress, as the recipient reported it</span></h2>'
    return f'<section>{title}<table class="list"><tr>{head}</tr>{rows}</table></section>'


def _foot(slip: Slip) -> str:
    told = f"Thông điệp / message {slip.message_id}, nơi nhận / recipient {escape(slip.recipient)}, mục nhật ký / entry {slip.index}"
    return f'<p class="foot">{told}</p>'
