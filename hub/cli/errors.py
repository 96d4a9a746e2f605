"""`lgsp errors`: the catalogue of error codes, for people and for machines; `docs/errors.md` is its output, held to it by a test."""

from __future__ import annotations

import json
from collections.abc import Iterable
from itertools import groupby
from typing import Annotated, Any

import typer

from schemas.errors import Disposition, ErrorSpec, Refused, Text, catalogue

# The areas of schemas/codes as headings; an area that is not here is headed by its file's name.
AREAS = {
    "adapters": Text("Chuyển đến hệ thống nhận", "Delivering to the receiving systems"),
    "api": Text("Giao diện REST và SOAP", "The REST and SOAP faces"),
    "amqp": Text("Tiếp nhận qua hàng đợi AMQP", "Taking in from AMQP queues"),
    "business": Text("Thông điệp nghiệp vụ", "Line-of-business messages"),
    "cli": Text("Dòng lệnh", "The command line"),
    "deadline": Text("Thời hạn giải quyết", "Deadlines"),
    "dictionary": Text("Từ điển dùng chung và chuyển đổi giá trị", "The shared dictionary and the converters"),
    "directory": Text("Danh mục mã định danh cơ quan", "The directory of agency codes"),
    "edxml": Text("Gói tin edXML", "The edXML packet"),
    "hub": Text("Hub: tiếp nhận, định tuyến, ghi nhận, chuyển phát", "The hub: access, routing, recording, delivery"),
    "journal": Text("Nhật ký, bằng chứng và kho gói tin", "Journal, proofs and the payload store"),
    "keys": Text("Khóa của hub", "The hub's keys"),
    "signing": Text("Chữ ký số và chứng thư số", "Signatures and certificates"),
    "xml": Text("XML và bảng mã", "XML and its encoding"),
}
NEXT = {
    Disposition.REFUSE: Text(
        "bên gửi sửa rồi gửi lại; thử lại y nguyên là vô ích", "the sender corrects and sends anew; the same again is no use"
    ),
    Disposition.RETRY: Text("có thể thành công nếu thử lại sau", "the same thing may work later"),
    Disposition.PARK: Text(
        "cần người xem xét; lượt chuyển được giữ lại, luôn nhìn thấy", "a person has to look; the delivery stands, visibly"
    ),
    Disposition.HALT: Text("hub không tiếp tục được; chưa có gì được tiếp nhận", "the hub cannot go on; nothing was accepted"),
}
_HEAD = """# Error codes · Mã lỗi

<!-- Written by `lgsp errors --markdown` from schemas/codes/*.toml; a test compares the two. Do not edit by hand. -->

Every error of the hub has one of these codes, at every face alike: `code` in REST's problem details (RFC 9457), `code` in the SOAP
fault's detail, in an AMQP refusal and in `--json` output. Codes never change their meaning. A violation inside an error carries a code of
the same list, with path, line, what was got and what was expected. HTTP is the status at the REST face; a code that never reaches a
caller (a delivery that is parked, a command that stops) has one all the same.

Mọi lỗi của hub đều mang một mã trong danh sách này, giống nhau ở mọi giao diện: trường `code` trong câu trả lời REST (RFC 9457), trong phần
detail của SOAP Fault, trong thư từ chối qua AMQP và trong kết quả `--json`. Ý nghĩa của một mã không bao giờ thay đổi. Mỗi vi phạm kèm theo
lỗi cũng dùng mã của danh sách này, có vị trí (đường dẫn, dòng), giá trị nhận được và giá trị mong đợi.
"""


def command(
    code: Annotated[str, typer.Argument(help="chỉ mã này / this code only")] = "",
    markdown: Annotated[bool, typer.Option("--markdown", help="nội dung docs/errors.md / the text of docs/errors.md")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="cho máy đọc / for machines")] = False,
    reasons: Annotated[bool, typer.Option("--reasons", help="bảng trong docs/verification.md / its table: reasons of verdicts")] = False,
) -> None:
    """Danh mục mã lỗi: ý nghĩa và cách khắc phục. / The catalogue of error codes: meaning and remedy."""
    if reasons:
        print(table_of_reasons(), end="")
        return
    specs = chosen(code)
    if as_json:
        print(json.dumps([_members(one) for one in specs], ensure_ascii=False, indent=2))
    elif markdown:
        print(document(specs), end="")
    else:
        print("\n\n".join(_lines(one) for one in specs))


def chosen(code: str) -> list[ErrorSpec]:
    """The catalogue by area and code, or the one line named. Raises `Refused("not-found")`."""
    specs = sorted(catalogue().values(), key=lambda one: (one.area, one.code))
    found = [one for one in specs if code in ("", one.code)]
    if not found:
        raise Refused("not-found", got=code, expected="a code of `lgsp errors`")
    return found


def document(specs: Iterable[ErrorSpec]) -> str:
    """`docs/errors.md`: what happens next, then a table per area."""
    parts = [_HEAD, "\n", _row("What happens next", "Ý nghĩa", "Meaning"), "|---|---|---|\n"]
    parts += [_row(f"`{disposition}`", text.vi, text.en) for disposition, text in NEXT.items()]
    for area, ours in groupby(specs, key=lambda one: one.area):
        title = AREAS.get(area, Text(area, area))
        parts.append(f"\n## {title.en} · {title.vi}\n\n")
        parts += [_row("Code", "HTTP", "Next", "Meaning · Ý nghĩa", "Remedy · Cách khắc phục"), "|---|---|---|---|---|\n"]
        parts += [_row(f"`{one.code}`", str(one.http_status), one.disposition, _both(one.title), _both(one.remedy)) for one in ours]
    return "".join(parts)


def table_of_reasons() -> str:
    """The reasons of verdicts, the most telling first, as `docs/verification.md` has them."""
    from signing.reasons import REASONS

    rows = [_row("Reason", "Step", "Meaning · Ý nghĩa", "Remedy · Cách khắc phục"), "|---|---|---|---|\n"]
    for code, step in REASONS.items():
        about = catalogue()[code]
        rows.append(_row(f"`{code}`", str(int(step)), _both(about.title), _both(about.remedy)))
    return "".join(rows)


def _both(text: Text) -> str:
    return f"{text.vi}<br>{text.en}"


def _row(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"


def _lines(one: ErrorSpec) -> str:
    head = f"{one.code}  ({one.disposition}, HTTP {one.http_status})"
    return "\n".join((head, f"  {one.title.vi}", f"  {one.title.en}", f"  → {one.remedy.vi}", f"  → {one.remedy.en}"))


def _members(one: ErrorSpec) -> dict[str, Any]:
    return {
        "code": one.code,
        "area": one.area,
        "disposition": str(one.disposition),
        "http_status": one.http_status,
        "message": {"vi": one.title.vi, "en": one.title.en},
        "remedy": {"vi": one.remedy.vi, "en": one.remedy.en},
    }
