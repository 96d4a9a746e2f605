"""`lgsp slip MESSAGE`: the slip "Phiếu giải quyết văn bản đến" of a document, as HTML or PDF."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from hub.cli.files import print_json
from hub.cli.home import DEFAULT_HOME, Home

if TYPE_CHECKING:
    from schemas.calendar.deadline import Deadline

_HELP_SET = "TÊN=GIÁ_TRỊ: điền trường mà gói tin không có, như so_den=10861 / NAME=VALUE: a field that no packet says; repeatable"
_HELP_TERM = "thời hạn thay cho DueDate: “5 ngày làm việc” / a term instead of the packet's DueDate"


def command(
    message: Annotated[UUID, typer.Argument(metavar="MESSAGE", help="mã thông điệp / the message's id")],
    *,
    recipient: Annotated[str, typer.Option("--recipient", help="nơi nhận, nếu có nhiều / the recipient, where there are several")] = "",
    html: Annotated[bool, typer.Option("--html", help="HTML (mặc định / default)")] = False,
    as_pdf: Annotated[bool, typer.Option("--pdf", help="PDF, cần chromium / needs chromium")] = False,
    out: Annotated[Path | None, typer.Option("--out", help="tệp kết quả; mặc định đầu ra chuẩn / default: standard output")] = None,
    given: Annotated[list[str] | None, typer.Option("--set", help=_HELP_SET)] = None,
    term: Annotated[str, typer.Option("--term", help=_HELP_TERM)] = "",
    received: Annotated[str, typer.Option("--received", help="tính --term từ lúc / count --term from: 2026-02-13T15:30")] = "",
    province: Annotated[str, typer.Option("--province", help="mã tỉnh của lịch / code of the province, for its calendar")] = "",
    home: Home = DEFAULT_HOME,
    as_json: Annotated[bool, typer.Option("--json", help="in JSON / print JSON")] = False,
) -> None:
    """Lập phiếu giải quyết văn bản đến từ nhật ký. / The slip of an incoming document, from the journal."""
    from hub.cli.opened import opened
    from hub.node import utc_now
    from hub.printing import pdf
    from hub.slip import SlipMaker
    from hub.slip_page import page
    from replay.payloads import PayloadStore

    if html and as_pdf:
        raise typer.BadParameter("--html | --pdf")
    pairs = [one.partition("=") for one in given or ()]
    if any(not mark for _, mark, _ in pairs):
        raise typer.BadParameter("NAME=VALUE", param_hint="--set")
    deadline = _deadline(term, received, province)
    with opened(home) as (settings, ring, store), store.read() as conn:
        kept = PayloadStore(ring.master(), settings.data_folder / "payloads", ring.older_masters())
        values = {name: value for name, _, value in pairs}
        made = SlipMaker(conn, kept).make(message, recipient, values, utc_now(), deadline)
    if as_json:
        print_json(made.as_json())
        return
    body = pdf(page(made)) if as_pdf else page(made).encode()
    if out is None:
        sys.stdout.buffer.write(body)
    else:
        _write(out, body)


def _deadline(term: str, received: str, province: str) -> Deadline | None:
    from hub.cli.deadline import moment_of
    from schemas.calendar.deadline import due
    from schemas.calendar.read import calendar_of
    from schemas.calendar.term import term_of

    if bool(term) != bool(received):
        raise typer.BadParameter("--term TERM --received TIME", param_hint="--term")
    return due(moment_of(received), term_of(term), calendar_of(province, [])) if term else None


def _write(out: Path, body: bytes) -> None:
    from schemas.errors import Refused

    try:
        with out.open("xb") as file:
            file.write(body)
    except OSError as fault:
        raise Refused("invalid-request", got=f"{out}: {fault.strerror}", expected="a new file in a writable folder") from fault
    print(out)
