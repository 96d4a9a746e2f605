"""`lgsp delivery`: deliveries that wait for a person – list them, and say what is to be done. Works beside a running hub."""

from __future__ import annotations

import json
from typing import Annotated
from uuid import UUID

import typer

from hub.cli.home import DEFAULT_HOME, Home
from hub.cli.opened import open_erased, opened_store

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
    home: Home = DEFAULT_HOME,
) -> None:
    """Quyết định: chuyển lại, xác nhận đã đến, hoặc bỏ. / Decide: again, arrived, or give up."""
    from hub.commit import Committer
    from hub.keys import Keyring
    from hub.node import utc_now
    from hub.redrive import Decision
    from hub.redrive import decide as carry_out
    from hub.settings import load_settings
    from replay.journal import Journal
    from schemas.errors import Refused

    if decision not in set(Decision):
        raise Refused("invalid-request", got=decision, expected=" | ".join(Decision))
    settings = load_settings(home)
    store = open_erased(settings)
    committer = Committer(store, Journal(Keyring.load(settings.keys_folder).journal_keys(), settings.origin))
    committer.start()
    try:
        at = utc_now()
        print(committer.submit(lambda tx: carry_out(tx, delivery_id, Decision(decision), reason, at)).result())
    finally:
        committer.stop()
        store.close()
