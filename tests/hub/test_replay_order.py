"""Redeliveries and traffic at once: what is new never enters the selection, and every subject keeps its order."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import select

from replay.job import JobState
from replay.store.jobs import replay_items
from replay.store.tables import deliveries
from tests.hub.people import Staff
from tests.hub.replaying import HERE, approved, report, run, staffed, start
from tests.hub.stage import MOTCUA, QLVB
from tests.packets import NEW, UPDATE, document

SUBJECTS, UPDATES = 4, 3


@pytest.fixture
def staff(tmp_path: Path) -> Iterator[Staff]:
    with staffed(tmp_path) as one:
        yield one


def about(staff: Staff, subject: int, number: int) -> UUID:
    """A document, or one of the updates of it."""
    document_id = f"{HERE},{subject}/X"
    raw = document(MOTCUA, (QLVB,), document_id, subject=f"V/v lần {number}", doc_type=UPDATE if number else NEW)
    return staff.stage.send(raw, key=f"{subject}-{number}").message_id


def test_traffic_during_a_redelivery_stays_outside_and_in_order(staff: Staff) -> None:
    stage = staff.stage
    old = [about(staff, subject, number) for number in range(UPDATES) for subject in range(SUBJECTS)]
    for one in old:
        stage.settle(one, H32_02="delivered")
    parcels = stage.systems["qlvb"].parcels
    before = len(parcels)
    job = approved(staff, rate_per_s=4.0)
    start(staff, job)
    new: list[UUID] = []

    def send_more(done: int, _: int) -> None:
        new.extend(about(staff, subject, 100 + done) for subject in range(SUBJECTS))

    assert run(staff, job, progress=send_more).state is JobState.DONE
    for one in new:
        stage.settle(one, H32_02="delivered")
    with stage.hub.store.read() as conn:
        chosen = conn.execute(select(replay_items.c.message_id).where(replay_items.c.replay_id == job.id)).scalars().all()
        rows = {row.message_id: row for row in conn.execute(select(deliveries).order_by(deliveries.c.sequence))}
    assert sorted(map(str, chosen)) == sorted(map(str, old)), "the selection is what it was"
    assert new and report(staff, job)["outcomes"] == {"same": len(old)}

    again = [one.message_id for one in parcels[before:]]
    assert Counter(again) == Counter([*old, *new]), "each of the selection once more, each new one once"
    orders: dict[str, dict[bool, list[int]]] = defaultdict(lambda: {True: [], False: []})
    for one in again:
        orders[rows[one].order_key][one in set(old)].append(rows[one].sequence)
    assert len(orders) == SUBJECTS
    for subject in orders.values():
        assert subject[True] == sorted(subject[True]) and subject[False] == sorted(subject[False])
    stage.check()
