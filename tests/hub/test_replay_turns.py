"""Who is at work on a replay, what becomes of messages that are erased meanwhile, and all modes on each kind of database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import delete, select

from adapters.systems.sandbox import Sandbox
from hub.rework.looking import Revalidate
from replay.job import JobState, Mode
from replay.selection import Query
from replay.store.jobs import replay_items, replay_typed, replays
from replay.store.tables import deliveries
from tests.hub.people import Staff
from tests.hub.replaying import HERE, approved, delivered, journalled, made, ran, report, run, staffed, start
from tests.hub.stage import open_stage
from tests.replay.conftest import postgres_url as postgres_url  # noqa: PLC0414 - a fixture


@pytest.fixture
def staff(tmp_path: Path) -> Iterator[Staff]:
    with staffed(tmp_path) as one:
        yield one


def erase(staff: Staff, message_id: UUID) -> None:
    hub = staff.stage.hub
    hub.eraser.erase(message_id, by="văn thư", reason="theo quyết định 12", at=hub.clock())


def test_who_asks_politely_waits_for_the_turn_and_gets_it_when_it_is_given_back(staff: Staff) -> None:
    delivered(staff.stage, 3)
    job = made(staff, Mode.VERIFY, rate_per_s=1.0)
    staff.shop.replays.start(staff.session("an"), job.id)
    seen: list[int] = []

    def another(done: int, _: int) -> None:
        seen.append(done)
        assert run(staff, job, politely=True).state is JobState.RUNNING
        with staff.stage.hub.store.read() as conn:
            left = conn.execute(select(replay_items.c.position).where(replay_items.c.outcome == "")).scalars().all()
        assert len(left) == 3 - done, "nothing was done by somebody else"

    run(staff, job, progress=another, stopped=lambda: len(seen) == 1)
    assert seen == [1] and staff.shop.replays.due() == [job.id], "given back at once, not after its lease"
    assert run(staff, job, politely=True).state is JobState.DONE
    assert report(staff, job)["outcomes"] == {"same": 3}


def test_a_message_that_is_erased_before_its_turn_is_impossible(staff: Staff) -> None:
    sent = delivered(staff.stage, 3)
    job = made(staff, Mode.VERIFY, rate_per_s=1.0)
    staff.shop.replays.start(staff.session("an"), job.id)
    run(staff, job, progress=lambda done, _: erase(staff, sent[2]) if done == 1 else None)
    told = report(staff, job)
    assert told["outcomes"] == {"impossible": 1, "same": 2}
    assert [(one["message_id"], one["code"]) for one in told["exceptions"]] == [(str(sent[2]), "payload-erased")]
    staff.stage.check()


def test_an_erased_message_is_not_delivered_again(staff: Staff) -> None:
    sent = delivered(staff.stage, 2)
    parcels = staff.stage.systems["qlvb"].parcels
    job = approved(staff, rate_per_s=1.0)
    start(staff, job)
    run(staff, job, progress=lambda done, _: erase(staff, sent[1]) if done == 1 else None)
    assert report(staff, job)["outcomes"] == {"impossible": 1, "same": 1}
    assert [one.message_id for one in parcels[2:]] == [sent[0]]
    staff.stage.check()


def test_the_end_of_a_redelivery_says_nothing_of_a_message_erased_meanwhile(staff: Staff) -> None:
    (sent,) = delivered(staff.stage, 1)
    gate = staff.stage.systems["qlvb"].gate
    gate.clear()
    job = approved(staff)
    start(staff, job)
    sandbox = Sandbox(staff.shop.clock)
    assert staff.shop.engine(sandbox).run(job.id).state is JobState.RUNNING, "its end is awaited"
    gate.set()
    staff.stage.settle(sent, H32_02="delivered")
    erase(staff, sent)
    assert run(staff, job).state is JobState.DONE
    assert report(staff, job)["outcomes"] == {"same": 1}
    staff.stage.check()


def test_a_defect_holds_one_replay_and_stops_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(Revalidate, "_now", broken)
    stage = open_stage(tmp_path / "home")
    stage.hub.start()
    staff = Staff(stage)
    delivered(stage, 1)
    broken_one, other = made(staff, Mode.REVALIDATE), made(staff, Mode.VERIFY)
    for job in (broken_one, other):
        staff.shop.replays.start(staff.session("an"), job.id)

    def states() -> list[str]:
        return [staff.shop.reader.status(staff.session("an"), job.id)["state"] for job in (broken_one, other)]

    stage.wait_for(lambda: states() == ["paused", "done"])
    assert [one["cause"] for one in journalled(staff) if one["what"] == "paused"] == ["internal-error"]
    stage.hub.stop()


@pytest.mark.parametrize("mode", [Mode.RETRANSLATE, Mode.SANDBOX, Mode.REDELIVER])
def test_a_transmission_whose_row_is_gone_is_impossible(staff: Staff, mode: Mode) -> None:
    sent = delivered(staff.stage, 2)
    job = made(staff, mode, reason="thử / trial" if mode is Mode.REDELIVER else "")
    with staff.stage.hub.store.write() as conn:
        conn.execute(delete(deliveries).where(deliveries.c.message_id == sent[0]))
    staff.shop.replays.start(staff.session("an"), job.id)
    assert run(staff, job).state is JobState.DONE
    told = report(staff, job)
    assert told["outcomes"] == {"impossible": 1, ("planned" if mode is Mode.REDELIVER else "same"): 1}
    assert [(one["message_id"], one["code"]) for one in told["exceptions"]] == [(str(sent[0]), "not-found")]


@pytest.mark.parametrize("database", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def test_every_mode_on_each_database(database: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """With what only the tables can do wrong: order, paging, typed conditions, erasure, the journal's proof."""
    toml = "sweep_s = 0.1\n" + (f'store_url = "{request.getfixturevalue("postgres_url")}"\n' if database == "postgresql" else "")
    stage = open_stage(tmp_path / "home", hub_toml=toml)
    stage.hub.start()
    if stage.hub._replays is not None:
        stage.hub._replays.stop()
    staff = Staff(stage)
    try:
        sent = delivered(stage, 3)
        for mode in (Mode.VERIFY, Mode.REVALIDATE, Mode.RETRANSLATE, Mode.SANDBOX):
            assert ran(staff, mode)["outcomes"] == {"same": 3}
        job = approved(staff, query=Query(document=f"{HERE},1/X"))
        start(staff, job)
        assert run(staff, job).state is JobState.DONE
        assert (report(staff, job)["outcomes"], len(stage.systems["qlvb"].parcels)) == ({"same": 1}, 4)
        assert staff.shop.reader.status(staff.session("cuc"), job.id)["typed"] == {"document": f"{HERE},1/X"}
        first = staff.shop.reader.all(staff.session("cuc"), limit=3)
        rest = staff.shop.reader.all(staff.session("cuc"), before=UUID(first["next"]), limit=3)
        with stage.hub.store.read() as conn:
            known = conn.execute(select(replays.c.id).order_by(replays.c.created_at.desc())).scalars().all()
        assert [one["id"] for one in (*first["items"], *rest["items"])] == list(map(str, known)) and rest["next"] is None
        erase(staff, sent[1])
        with stage.hub.store.read() as conn:
            assert conn.execute(select(replay_typed)).first() is None
            findings = select(replay_items.c.finding).where(replay_items.c.message_id == sent[1])
            assert set(conn.execute(findings).scalars()) == {""}
        stage.check()
    finally:
        stage.hub.stop()
