"""`lgsp send`, `lgsp status`, `lgsp inbox`: an agency system's side of the REST face, for people and scripts."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from adapters.systems.client import HubAnswer, HubClient


def _ascii(key: str) -> str:
    if not key.isascii() or not key.isprintable():
        raise typer.BadParameter("khóa API có dạng keyid.secret / an API key is keyid.secret")
    return key


Hub = Annotated[str, typer.Option("--hub", envvar="LGSP_HUB", help="địa chỉ hub / the hub's URL")]
Key = Annotated[str, typer.Option("--key", envvar="LGSP_KEY", help="khóa API / API key, keyid.secret", callback=_ascii)]
DEFAULT_HUB = "http://127.0.0.1:8080"


def send(
    files: Annotated[list[Path], typer.Argument(exists=True, dir_okay=False, readable=True)],
    key: Key,
    hub: Hub = DEFAULT_HUB,
    idempotency_key: Annotated[str, typer.Option(help="mã của bên gửi / the sender's own id")] = "",
) -> None:
    """Gửi gói tin edXML, in biên nhận. / Send edXML packets; prints each receipt."""
    from adapters.systems.client import HubClient

    client = HubClient(hub, key)
    answers = [client.send(path.read_bytes(), idempotency_key) for path in files]
    for answer in answers:
        print(answer.body.decode("utf-8", "replace"))
    raise typer.Exit(0 if all(answer.ok for answer in answers) else 1)


def status(message_id: str, key: Key, hub: Hub = DEFAULT_HUB) -> None:
    """Trạng thái và các sự kiện của một thông điệp. / State and events of one message."""
    from adapters.systems.client import HubClient

    answer = HubClient(hub, key).status(message_id)
    print(json.dumps(answer.json(), ensure_ascii=False, indent=2))
    raise typer.Exit(0 if answer.ok else 1)


def inbox(
    key: Key,
    hub: Hub = DEFAULT_HUB,
    save: Annotated[Path | None, typer.Option(help="lưu vào thư mục rồi xác nhận / save here, then acknowledge")] = None,
) -> None:
    """Hộp thư đến: liệt kê, hoặc lấy về và xác nhận. / The inbox: list it, or fetch and acknowledge."""
    from adapters.systems.client import HubClient

    client = HubClient(hub, key)
    page = client.inbox()
    if save is None or not page.ok:
        print(json.dumps(page.json(), ensure_ascii=False, indent=2))
        raise typer.Exit(0 if page.ok else 1)
    _make(save)
    while items := page.json()["items"]:
        for item in items:
            _keep(client, item, save)
        page = _done(client.inbox())  # what was acknowledged is gone; this is the next page


def _keep(client: HubClient, item: dict[str, str], folder: Path) -> None:
    """Stores the packet durably, and only then acknowledges it."""
    packet = _done(client.fetch(item["delivery_id"]))
    path = folder / f"{item['delivery_id']}.edxml"
    try:
        with path.open("wb") as file:
            file.write(packet.body)
            file.flush()
            os.fsync(file.fileno())
    except OSError as fault:
        raise typer.BadParameter(f"{path}: {fault.strerror}", param_hint="--save") from fault
    _done(client.ack(item["delivery_id"]))
    print(f"{path}  {item['document_id']}")


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as fault:
        raise typer.BadParameter(f"{folder}: {fault.strerror}", param_hint="--save") from fault


def _done(answer: HubAnswer) -> HubAnswer:
    """The answer, if it is a yes; else it is shown and the command ends."""
    if not answer.ok:
        print(answer.body.decode("utf-8", "replace"), file=sys.stderr)
        raise typer.Exit(1)
    return answer
