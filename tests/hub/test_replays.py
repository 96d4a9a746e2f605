"""Replays: frozen selections, each mode's findings, approvals, pausing and cancelling, reports whose counts add up."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from sqlalchemy import delete, select, update

from hub import reports_replay
from hub.rework.looking import Revalidate
from replay.job import JobState, Mode
from replay.report import commitment
from replay.selection import Query
from replay.store.jobs import approvals, replay_items, replays
from replay.store.tables import deliveries, messages, openings, payloads
from schemas.errors import Refused
from signing.sign import verify_report
from tests.hub.people import Staff
from tests.hub.replaying import HERE, approved, delivered, journalled, made, ran, report, run, send, staffed, start
from tests.hub.stage import DATDAI, QLVB, open_stage


@pytest.fixture
def staff(tmp_path: Path) -> Iterator[Staff]:
    with staffed(tmp_path) as one:
        yield one


# --- what is looked at -----------------------------------------------------------------------------------------------------------


def test_the_selection_is_frozen_and_new_traffic_never_enters(staff: Staff) -> None:
    first = delivered(staff.stage, 3)
    job = made(staff, Mode.VERIFY)
    more = [send(staff.stage, number) for number in range(100, 110)]
    staff.shop.replays.start(staff.session("an"), job.id)
    send(staff.stage, 200)
    assert run(staff, job).state is JobState.DONE
    with staff.stage.hub.store.read() as conn:
        found = conn.execute(select(replay_items.c.message_id).order_by(replay_items.c.position)).scalars().all()
    assert found == first
    assert not set(found) & set(more)


def test_items_are_in_the_order_of_the_journal_however_they_were_asked_for(staff: Staff) -> None:
    sent = delivered(staff.stage, 4)
    job = made(staff, Mode.VERIFY, Query(ids=tuple(reversed(sent))))
    with staff.stage.hub.store.read() as conn:
        rows = conn.execute(select(replay_items).where(replay_items.c.replay_id == job.id).order_by(replay_items.c.position)).all()
    assert [row.message_id for row in rows] == sent
    assert [row.entry for row in rows] == sorted(row.entry for row in rows)


QUERIES: dict[str, tuple[Callable[[list[UUID], list[int]], Query], list[int]]] = {
    "all": (lambda ids, at: Query(), [0, 1, 2]),
    "an id": (lambda ids, at: Query(ids=(ids[1],)), [1]),
    "a range of indexes": (lambda ids, at: Query(first=at[1], last=at[2]), [1, 2]),
    "a recipient, in its other form": (lambda ids, at: Query(agency=f"000.00.{DATDAI.split('.')[1]}.{DATDAI.split('.')[0]}"), [2]),
    "a system": (lambda ids, at: Query(system="datdai"), [2]),
    "a state": (lambda ids, at: Query(state="delivered"), [0, 1]),
    "a kind": (lambda ids, at: Query(kind="document.new"), [0, 1, 2]),
    "a document": (lambda ids, at: Query(document=f"{HERE},1/X"), [1]),
}


@pytest.mark.parametrize(("query", "wanted"), QUERIES.values(), ids=QUERIES.keys())
def test_a_query_finds(staff: Staff, query: Callable[[list[UUID], list[int]], Query], wanted: list[int]) -> None:
    sent = [*delivered(staff.stage, 2), send(staff.stage, 2, (DATDAI,))]
    with staff.stage.hub.store.read() as conn:
        indexes = list(conn.execute(select(messages.c.index.label("i")).order_by(messages.c.index)).scalars())
    job = made(staff, Mode.VERIFY, query(sent, indexes))
    with staff.stage.hub.store.read() as conn:
        found = conn.execute(select(replay_items.c.message_id).where(replay_items.c.replay_id == job.id)).scalars().all()
    assert set(found) == {sent[place] for place in wanted}


@pytest.mark.parametrize("query", [Query(agency=DATDAI), Query(system="datdai")], ids=["agency", "system"])
def test_a_replay_of_transmissions_takes_all_of_a_message_that_an_agency_or_a_system_had(staff: Staff, query: Query) -> None:
    """The condition picks messages, not transmissions: the one to the other recipient comes along, once."""
    send(staff.stage, 0)
    both = send(staff.stage, 1, (QLVB, DATDAI))
    staff.stage.settle(both, **{QLVB.replace(".", "_"): "delivered"})
    jobs = [made(staff, mode, query, reason="khôi phục") for mode in (Mode.REDELIVER, Mode.SANDBOX, Mode.RETRANSLATE)]
    with staff.stage.hub.store.read() as conn:
        carriers = conn.execute(select(deliveries.c.carrier_id).where(deliveries.c.message_id == both).distinct()).scalars().all()
        found = [conn.execute(select(replay_items).where(replay_items.c.replay_id == job.id)).all() for job in jobs]
    assert len(carriers) == 2
    for rows in found:
        assert {row.message_id for row in rows} == {both}
        assert sorted(row.carrier_id for row in rows) == sorted(carriers)


NOTHING: dict[str, tuple[Query, str]] = {
    "a message that is not there": (Query(ids=(uuid4(),)), "unknown-entry"),
    "an index that is not there": (Query(first=1_000_000), "unknown-entry"),
    "a range that ends before it begins": (Query(first=2, last=1), "invalid-request"),
    "a state that is none": (Query(state="lost"), "invalid-request"),
    "conditions that nothing meets": (Query(state="parked"), "selection-empty"),
}


@pytest.mark.parametrize(("query", "code"), NOTHING.values(), ids=NOTHING.keys())
def test_nothing_found_is_told(staff: Staff, query: Query, code: str) -> None:
    delivered(staff.stage, 1)
    with pytest.raises(Refused) as fault:
        made(staff, Mode.VERIFY, query)
    assert fault.value.code == code
    with staff.stage.hub.store.read() as conn:
        assert conn.execute(select(replays)).first() is None


# --- the modes that look ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", [Mode.VERIFY, Mode.REVALIDATE, Mode.RETRANSLATE, Mode.SANDBOX])
def test_what_nobody_touched_comes_out_as_it_was(staff: Staff, mode: Mode) -> None:
    delivered(staff.stage, 3)
    parcels = len(staff.stage.systems["qlvb"].parcels)
    told = ran(staff, mode)
    assert told["outcomes"] == {"same": 3}
    assert told["exceptions"] == []
    assert len(staff.stage.systems["qlvb"].parcels) == parcels  # nobody was given anything


def _swap_payloads(staff: Staff, sent: list[UUID]) -> None:
    with staff.stage.hub.store.write() as conn:
        conn.execute(update(payloads).where(payloads.c.message_id == sent[1]).values(body=b"something else"))


def _edit_opening(staff: Staff, sent: list[UUID]) -> None:
    with staff.stage.hub.store.write() as conn:
        mine = (openings.c.message_id == sent[1], openings.c.event == "accepted")
        body = conn.execute(select(openings.c.body).where(*mine)).scalar_one()
        conn.execute(update(openings).where(*mine).values(body=body.replace(b'"document.new"', b'"document.old"')))


def _erase_opening(staff: Staff, sent: list[UUID]) -> None:
    with staff.stage.hub.store.write() as conn:
        conn.execute(update(openings).where(openings.c.message_id == sent[1], openings.c.event == "accepted").values(body=None))


DAMAGE = {
    "other bytes": (_swap_payloads, "different"),
    "another opening": (_edit_opening, "different"),
    "an erased opening": (_erase_opening, "impossible"),
}


@pytest.mark.parametrize("mode", [Mode.VERIFY, Mode.REVALIDATE, Mode.RETRANSLATE, Mode.SANDBOX])
@pytest.mark.parametrize(("damage", "outcome"), DAMAGE.values(), ids=DAMAGE.keys())
def test_what_was_touched_is_named(staff: Staff, mode: Mode, damage: Callable[[Staff, list[UUID]], None], outcome: str) -> None:
    sent = delivered(staff.stage, 3)
    damage(staff, sent)
    told = ran(staff, mode)
    assert told["outcomes"] == {"same": 2, outcome: 1}
    assert [one["message_id"] for one in told["exceptions"]] == [str(sent[1])]


def test_verify_asks_with_the_artefacts_of_then_and_with_those_of_today(staff: Staff, tmp_path: Path) -> None:
    """A policy that is stricter today changes the answer of today, not that of then."""
    delivered(staff.stage, 2)
    assert ran(staff, Mode.VERIFY)["as_of_now"] == {"same": 2}
    staff.stage.hub.stop()
    (tmp_path / "home" / "hub.toml").write_text('sweep_s = 0.1\n[signature]\nmode = "require"\n', "utf-8")
    again = open_stage(tmp_path / "home", fresh=False)
    staff.stage = again
    again.hub.start()
    try:
        told = ran(staff, Mode.VERIFY)
    finally:
        again.hub.stop()
    assert told["outcomes"] == {"same": 2}
    assert told["as_of_now"] == {"changed": 2}
    assert told["exceptions"][0]["now"]["fields"] == {"/policy": ["check", "require"]}


def test_without_the_artefact_of_then_the_question_is_not_answered(staff: Staff) -> None:
    from replay.in_force import latest
    from replay.store.tables import artefacts

    delivered(staff.stage, 1)
    with staff.stage.hub.store.write() as conn:
        conn.execute(delete(artefacts).where(artefacts.c.digest == latest(conn, "trust")))
    told = ran(staff, Mode.VERIFY)
    assert told["outcomes"] == {"impossible": 1}
    assert told["exceptions"][0]["code"] == "not-found"


def test_nothing_leaves_the_process_but_by_a_redelivery(staff: Staff, monkeypatch: pytest.MonkeyPatch) -> None:
    delivered(staff.stage, 2)

    def forbidden(*_: object, **__: object) -> None:
        raise AssertionError("something was let out")

    for name in ("connect", "connect_ex", "sendto", "sendmsg", "bind", "listen"):
        monkeypatch.setattr(socket.socket, name, forbidden)
    for name in ("create_connection", "create_server", "getaddrinfo"):
        monkeypatch.setattr(socket, name, forbidden)
    for mode in (Mode.VERIFY, Mode.REVALIDATE, Mode.RETRANSLATE, Mode.SANDBOX):
        assert ran(staff, mode)["outcomes"] == {"same": 2}
    assert ran(staff, Mode.REDELIVER, reason="thử / trial")["outcomes"] == {"planned": 2}  # a dry run
    with pytest.raises(AssertionError, match="let out"):
        socket.create_connection(("127.0.0.1", 1))  # the guard guards


# --- the job ----------------------------------------------------------------------------------------------------------------------


def test_a_job_pauses_goes_on_and_does_each_item_once(staff: Staff) -> None:
    delivered(staff.stage, 6)
    job = made(staff, Mode.VERIFY, rate_per_s=2.0)  # chunks of two
    staff.shop.replays.start(staff.session("an"), job.id)
    seen: list[int] = []

    def stop_after_the_first(done: int, _: int) -> None:
        seen.append(done)
        if len(seen) == 1:
            staff.shop.replays.pause(staff.session("an"), job.id)

    assert run(staff, job, progress=stop_after_the_first).state is JobState.PAUSED
    with staff.stage.hub.store.read() as conn:
        times = {row.position: row.done_at for row in conn.execute(select(replay_items).where(replay_items.c.outcome != ""))}
    assert 0 < len(times) < 6
    staff.shop.replays.start(staff.session("an"), job.id)
    assert run(staff, job, progress=stop_after_the_first).state is JobState.DONE
    with staff.stage.hub.store.read() as conn:
        after = {row.position: row.done_at for row in conn.execute(select(replay_items))}
    assert {place: after[place] for place in times} == times
    assert seen == sorted(seen)
    assert [one["what"] for one in journalled(staff)] == ["created", "started", "paused", "resumed", "done"]
    assert report(staff, job)["outcomes"] == {"same": 6}


def test_a_cancelled_job_reports_what_was_done_and_what_was_not(staff: Staff) -> None:
    delivered(staff.stage, 4)
    job = made(staff, Mode.VERIFY, rate_per_s=2.0)
    staff.shop.replays.start(staff.session("an"), job.id)

    def cancel(done: int, _: int) -> None:
        staff.shop.replays.cancel(staff.session("an"), job.id)

    assert run(staff, job, progress=cancel).state is JobState.CANCELLED
    assert report(staff, job)["outcomes"] == {"not-done": 2, "same": 2}
    with pytest.raises(Refused) as fault:
        start(staff, job)
    assert fault.value.code == "wrong-state"


def test_two_runners_do_each_item_once_and_write_one_report(staff: Staff) -> None:
    delivered(staff.stage, 5)
    job = made(staff, Mode.VERIFY, rate_per_s=1.0)
    staff.shop.replays.start(staff.session("an"), job.id)

    def another(done: int, _: int) -> None:
        if done == 1:
            assert run(staff, job, progress=lambda d, a: None).state is JobState.DONE

    assert run(staff, job, progress=another).state is JobState.DONE
    assert [one["what"] for one in journalled(staff)].count("done") == 1
    assert report(staff, job)["outcomes"] == {"same": 5}


def test_the_hubs_own_runner_takes_a_started_job_up(tmp_path: Path) -> None:
    stage = open_stage(tmp_path / "home")
    stage.hub.start()
    staff = Staff(stage)
    delivered(stage, 2)
    job = made(staff, Mode.REVALIDATE)
    staff.shop.replays.start(staff.session("an"), job.id)
    stage.wait_for(lambda: staff.shop.reader.status(staff.session("an"), job.id)["state"] == "done", 30)
    assert report(staff, job)["outcomes"] == {"same": 2}
    stage.hub.stop()


def test_the_hubs_own_runner_holds_what_may_not_go_on(tmp_path: Path) -> None:
    stage = open_stage(tmp_path / "home")
    stage.hub.start()
    staff = Staff(stage)
    delivered(stage, 1)
    job = approved(staff)
    with stage.hub.store.write() as conn:  # as if somebody had set it running by hand
        conn.execute(update(replays).values(state="running"))
        conn.execute(delete(approvals))
    stage.wait_for(lambda: staff.shop.reader.status(staff.session("an"), job.id)["state"] == "paused", 30)
    assert journalled(staff)[-1]["cause"] == "approval-missing"
    stage.hub.stop()


# --- the report -------------------------------------------------------------------------------------------------------------------


def test_a_report_is_signed_over_its_bytes(staff: Staff) -> None:
    delivered(staff.stage, 1)
    job = made(staff, Mode.VERIFY)
    staff.shop.replays.start(staff.session("an"), job.id)
    run(staff, job)
    signed = staff.shop.reader.report(staff.session("cuc"), job.id)
    keys = staff.stage.hub.keyring.public("receipt")
    for edited in (signed.replace(b'"same":1', b'"same":2'), signed + b" ", signed[:-2]):
        with pytest.raises(Refused) as fault:
            verify_report(edited, keys)
        assert fault.value.code == "report-invalid"
    assert journalled(staff)[-1]["results_sha256"] == json.loads(signed)["results_sha256"]


def test_the_page_prints_what_the_report_says_and_nothing_runs_in_it(staff: Staff) -> None:
    sent = delivered(staff.stage, 2)
    _swap_payloads(staff, sent)
    job = made(staff, Mode.REDELIVER, reason="<script>alert(1)</script> khôi phục")
    staff.shop.replays.start(staff.session("an"), job.id)
    run(staff, job)
    signed = staff.shop.reader.report(staff.session("cuc"), job.id)
    page = reports_replay.page(signed)
    assert "<script" not in page
    assert "://" not in page
    told = json.loads(signed)
    for text in (told["replay"], told["request_sha256"], told["results_sha256"], "khôi phục", "An (an)"):
        assert text in page


def test_states_of_work_are_not_the_engines_to_change(staff: Staff) -> None:
    """Every mode that looks leaves the deliveries as they were."""
    delivered(staff.stage, 2)
    with staff.stage.hub.store.read() as conn:
        before = conn.execute(select(deliveries).order_by(deliveries.c.id)).all()
    for mode in (Mode.VERIFY, Mode.REVALIDATE, Mode.RETRANSLATE, Mode.SANDBOX):
        ran(staff, mode)
    with staff.stage.hub.store.read() as conn:
        assert conn.execute(select(deliveries).order_by(deliveries.c.id)).all() == before
    staff.stage.check()


def test_what_a_replay_found_is_erased_with_the_message(staff: Staff, monkeypatch: pytest.MonkeyPatch) -> None:
    """The values lie in the table of results, which an erasure blanks; the signed report never had them."""
    read_now = Revalidate._now
    monkeypatch.setattr(Revalidate, "_now", lambda self, envelope: {**read_now(self, envelope), "title": "otherwise"})
    mine, other = delivered(staff.stage, 2)
    hub = staff.stage.hub
    with hub.store.read() as conn:
        title = conn.execute(select(messages.c.title).where(messages.c.id == mine)).scalar_one()
    told = ran(staff, Mode.REVALIDATE)
    assert told["outcomes"] == {"different": 2}
    shut = told["exceptions"][0]["fields"]["/title"]
    found_then = staff.shop.reader.items(staff.session("cuc"), UUID(told["replay"]), values=True)["items"][0]
    assert found_then["fields"]["/title"] == [title, "otherwise"]
    assert [commitment(one, found_then["salt"]) for one in found_then["fields"]["/title"]] == shut
    findings = select(replay_items.c.message_id, replay_items.c.finding)
    with hub.store.read() as conn:
        assert all(title in row.finding for row in conn.execute(findings))
    hub.eraser.erase(mine, by="văn thư", reason="theo quyết định 12", at=hub.clock())
    with hub.store.read() as conn:
        found = {row.message_id: row.finding for row in conn.execute(findings)}
        assert found[mine] == "" and title in found[other]
        assert all(title.encode() not in bytes(row) for row in conn.execute(select(replays.c.report)).scalars())
    assert ran(staff, Mode.REVALIDATE)["outcomes"] == {"different": 1, "impossible": 1}
    staff.stage.check()
