"""`lgsp delivery`: deliveries that wait for a person – list them, and say what is to be done. Works beside a running hub."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from hub.cli.home import DEFAULT_HOME, Home
from hub.cli.opened import opened_store

app = typer.Typer(no_args_is_help=True, help="Lượt chuyển cần người xử lý. / Deliveries that need a person.")


@app.command("list")
def list_stuck(home: Home = DEFAULT_HOME, json_output: Annotated[bool, typer.Option("--json")] = False) -> None:
    """Liệt kê lượt chuyển bị giữ lại hoặc chưa rõ. / List what is parked or in doubt."""
    from hub.redrive import stuck

    with opened_store(home) as store:
        found = [one.as_json() for one in stuck(store)]
    if json_output:
        print(json.dumps(found, ensure_ascii=False))
        return
    for one in found:
        print(f"{one['delivery_id']}  {one['state']:<9} {one['system']:<20} {one['recipient']:<16} {one['cause']:<20} {one['document_id']}")
        print(f"    {one['detail']}")


@app.command("decide")
def decide(
    delivery_id: UUID,
    decision: Annotated[str, typer.Argument(help="retry | arrived | give-up")],
    reason: Annotated[str, typer.Option(help="lý do, ghi vào nhật ký / the reason, journalled", prompt=True)],
    session_file: Annotated[
        Path | None,
        typer.Option(
            "--session",
            envvar="LGSP_SESSION",
            help="tệp phiên của `lgsp login`; không có thì ghi tên người dùng của máy / of `lgsp login`; else the machine's user is named",
        ),
    ] = None,
    home: Home = DEFAULT_HOME,
) -> None:
    """Quyết định: chuyển lại, xác nhận đã đến, hoặc bỏ; nhật ký ghi ai quyết định. / Decide: again, arrived, or give up."""
    from hub.cli.desk import administrator, opened
    from hub.node import utc_now
    from hub.redrive import Decision, operator
    from hub.redrive import decide as carry_out
    from schemas.errors import Refused

    if decision not in set(Decision):
        raise Refused("invalid-request", got=decision, expected=" | ".join(Decision))
    with opened(home) as desk:
        by = administrator() if session_file is None else operator(desk.session(session_file))
        wanted, at = Decision(decision), utc_now()
        print(desk.committer.submit(lambda tx: carry_out(tx, delivery_id, wanted, reason, at, by=by)).result())
