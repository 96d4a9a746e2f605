"""A hub with people and messages, for tests of replays."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import select

from adapters.systems.sandbox import Sandbox
from hub.replays import Asked
from replay.job import Job, JobState, Mode
from replay.selection import Query
from replay.store.tables import openings
from signing.sign import verify_report
from tests.hub.people import Staff
from tests.hub.stage import MOTCUA, QLVB, Stage, open_stage
from tests.packets import document

HERE = f"{MOTCUA},2026/11/20"


@contextmanager
def staffed(folder: Path) -> Iterator[Staff]:
    """A started hub with people; its own runner of replays is stopped, so that each test says when a job runs."""
    stage = open_stage(folder / "home")
    stage.hub.start()
    if stage.hub._replays is not None:
        stage.hub._replays.stop()
    try:
        yield Staff(stage)
    finally:
        stage.hub.stop()


def send(stage: Stage, number: int, to: tuple[str, ...] = (QLVB,)) -> UUID:
    return stage.send(document(MOTCUA, to, f"{HERE},{number}/X")).message_id


def delivered(stage: Stage, count: int) -> list[UUID]:
    sent = [send(stage, number) for number in range(count)]
    for one in sent:
        stage.settle(one, **{QLVB.replace(".", "_"): "delivered"})
    return sent


def run(staff: Staff, job: Job, **options: Any) -> Job:
    """In an engine of its own, to its end or as far as it goes."""
    sandbox = Sandbox(staff.shop.clock)
    try:
        return staff.shop.engine(sandbox).run(job.id, wait_s=30, **options)
    finally:
        sandbox.close()


def made(staff: Staff, mode: Mode, query: Query = Query(), login: str = "an", **options: Any) -> Job:  # noqa: B008 – frozen
    return staff.shop.replays.create(staff.session(login), Asked(mode, query, **options))


def ran(staff: Staff, mode: Mode, **options: Any) -> dict[str, Any]:
    job = made(staff, mode, **options)
    staff.shop.replays.start(staff.session("an"), job.id)
    assert run(staff, job).state is JobState.DONE
    return report(staff, job)


def report(staff: Staff, job: Job) -> dict[str, Any]:
    """The report, its signature checked and its counts added up."""
    told = verify_report(staff.shop.reader.report(staff.session("cuc"), job.id), staff.stage.hub.keyring.public("receipt"))
    assert sum(told["outcomes"].values()) == told["items"] == job.items
    return told


def journalled(staff: Staff, event: str = "replay") -> list[dict[str, Any]]:
    with staff.stage.hub.store.read() as conn:
        rows = conn.execute(select(openings.c.body).where(openings.c.event == event).order_by(openings.c.index)).scalars().all()
    return [{name: one["value"] for name, one in json.loads(row).items()} for row in rows]


def approved(staff: Staff, **options: Any) -> Job:
    """A real redelivery that `binh` has approved."""
    job = made(staff, Mode.REDELIVER, dry_run=False, reason="hệ thống nhận khôi phục dữ liệu", **options)
    return staff.shop.replays.approve(staff.session("binh"), job.id, job.digest)


def start(staff: Staff, job: Job, confirm: str | None = None) -> Job:
    return staff.shop.replays.start(staff.session("an"), job.id, job.confirmation if confirm is None else confirm)
