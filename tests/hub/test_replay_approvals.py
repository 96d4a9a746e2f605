"""Redeliveries: what is delivered again, under which key, and whose approval lets it happen."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import delete, select, update

from hub import persons
from hub.replays import Asked
from hub.rework.sending import new_key
from replay.job import Job, JobState, Mode
from replay.store.jobs import approvals, replay_items, replays
from replay.store.people import persons as person_table
from schemas.errors import Refused
from tests.hub.people import Staff
from tests.hub.replaying import HERE, approved, delivered, journalled, made, report, run, send, staffed, start
from tests.hub.stage import DATDAI, MOTCUA, QLVB
from tests.packets import recall


@pytest.fixture
def staff(tmp_path: Path) -> Iterator[Staff]:
    with staffed(tmp_path) as one:
        yield one


@pytest.mark.parametrize("fresh", [False, True], ids=["under the same key", "under a new key"])
def test_an_approved_redelivery_is_delivered_again(staff: Staff, fresh: bool) -> None:
    delivered(staff.stage, 3)
    before = list(staff.stage.systems["qlvb"].parcels)
    job = approved(staff, new_key=fresh)
    start(staff, job)
    assert run(staff, job).state is JobState.DONE
    told = report(staff, job)
    assert told["outcomes"] == {"same": 3}
    assert (told["approved"]["by"]["login"], told["requested_by"]["login"]) == ("binh", "an")
    again = staff.stage.systems["qlvb"].parcels[len(before) :]
    assert sorted(one.body for one in again) == sorted(one.body for one in before)
    wanted = [str(new_key(UUID(one.key), job.id)) if fresh else one.key for one in before]
    assert sorted(one.key for one in again) == sorted(wanted)
    assert [one["what"] for one in journalled(staff)] == ["created", "approved", "started", "done"]
    assert sum(one.get("replay") == str(job.id) for one in journalled(staff, "delivery")) == 3
    staff.stage.check()


def test_a_redelivery_to_a_mailbox_waits_there_again(staff: Staff) -> None:
    sent = send(staff.stage, 1, (DATDAI,))
    mailbox, who = staff.stage.hub.mailbox, staff.stage.principal("datdai")
    (item,), _ = mailbox.pending(who)
    mailbox.acknowledge(who, item.delivery_id, at=staff.stage.hub.clock()).result()
    assert mailbox.pending(who)[0] == ()
    job = approved(staff)
    start(staff, job)
    assert run(staff, job).state is JobState.DONE
    assert [one.message_id for one in mailbox.pending(who)[0]] == [sent]
    staff.stage.check()


def test_what_was_recalled_or_is_under_way_is_skipped(staff: Staff) -> None:
    (sent,) = delivered(staff.stage, 1)
    staff.stage.systems["qlvb"].gate.clear()
    back = staff.stage.send(recall(MOTCUA, (QLVB,), f"{HERE},0/X")).message_id
    job = approved(staff)
    start(staff, job)
    assert run(staff, job).state is JobState.DONE
    told = report(staff, job)
    assert told["outcomes"] == {"skipped": 2}
    assert {one["message_id"] for one in told["exceptions"]} == {str(sent), str(back)}
    staff.stage.systems["qlvb"].gate.set()


Attempt = Callable[[Staff, Job], object]


def _disable_approver(staff: Staff, login: str = "binh") -> None:
    hub = staff.stage.hub
    hub.committer.submit(lambda tx: persons.disable(tx, login, by="test", at=hub.clock())).result()


def _approve(login: str, digest: str = "") -> Attempt:
    return lambda staff, job: staff.shop.replays.approve(staff.session(login), job.id, digest or job.digest)


def _disabled_approver(staff: Staff, job: Job) -> object:
    session = staff.session("binh")  # taken before, as a call that is under way has it
    _disable_approver(staff)
    return staff.shop.replays.approve(session, job.id, job.digest)


def _disabled_session(staff: Staff, job: Job) -> object:
    staff.session("binh")
    _disable_approver(staff)
    return staff.session("binh")


def _ended_session(staff: Staff, job: Job) -> object:
    staff.sessions.log_out(staff.session("binh"))
    return staff.session("binh")


def _changed_request(staff: Staff, job: Job) -> object:
    """Somebody edits what is asked for after the approver has read it."""
    with staff.stage.hub.store.write() as conn:
        raw = bytes(conn.execute(select(replays.c.request)).scalar_one())
        conn.execute(update(replays).values(request=raw.replace(b'"new_key":false', b'"new_key":true')))
    return staff.shop.replays.approve(staff.session("binh"), job.id, job.digest)


def _cancelled(staff: Staff, job: Job) -> object:
    staff.shop.replays.cancel(staff.session("an"), job.id)
    return staff.shop.replays.approve(staff.session("binh"), job.id, job.digest)


def _own(staff: Staff, job: Job) -> object:
    mine = made(staff, Mode.REDELIVER, login="dung", dry_run=False, reason="x")
    return staff.shop.replays.approve(staff.session("dung"), mine.id, mine.digest)


def _dry(staff: Staff, job: Job) -> object:
    dry = made(staff, Mode.REDELIVER, reason="x")
    return staff.shop.replays.approve(staff.session("binh"), dry.id, dry.digest)


APPROVALS: dict[str, tuple[Attempt, str]] = {
    "by the same person, who is an approver too": (_own, "approval-same-person"),
    "of another digest": (_approve("binh", "0" * 64), "approval-digest"),
    "of a request that was changed": (_changed_request, "replay-changed"),
    "in a session that has ended": (_ended_session, "session-invalid"),
    "by somebody disabled, in a session of before": (_disabled_session, "session-invalid"),
    "by somebody disabled while the call was under way": (_disabled_approver, "session-invalid"),
    "by an operator": (_approve("an"), "role-missing"),
    "by an auditor": (_approve("cuc"), "role-missing"),
    "of a job that was cancelled": (_cancelled, "wrong-state"),
    "of a dry run": (_dry, "invalid-request"),
    "of no job": (lambda staff, job: staff.shop.replays.approve(staff.session("binh"), uuid4(), job.digest), "not-found"),
}


@pytest.mark.parametrize(("attempt", "code"), APPROVALS.values(), ids=APPROVALS.keys())
def test_an_approval_is_refused(staff: Staff, attempt: Attempt, code: str) -> None:
    delivered(staff.stage, 1)
    job = made(staff, Mode.REDELIVER, dry_run=False, reason="hệ thống nhận khôi phục dữ liệu")
    with pytest.raises(Refused) as fault:
        attempt(staff, job)
    assert fault.value.code == code
    if code != "replay-changed":
        with pytest.raises(Refused):
            start(staff, job)
    with staff.stage.hub.store.read() as conn:
        assert conn.execute(select(approvals)).first() is None


def _sql(*statements: Callable[[Job, Staff], Any]) -> Attempt:
    def edit(staff: Staff, job: Job) -> None:
        with staff.stage.hub.store.write() as conn:
            for statement in statements:
                conn.execute(statement(job, staff))

    return edit


def _id(staff: Staff, login: str) -> Any:
    return select(person_table.c.id).where(person_table.c.login == login).scalar_subquery()


BEFORE_START: dict[str, tuple[Attempt, str]] = {
    "the approver was disabled": (lambda staff, job: _disable_approver(staff), "approval-missing"),
    "the approval was taken away": (_sql(lambda job, staff: delete(approvals)), "approval-missing"),
    "the approval is another person's by SQL": (
        _sql(lambda job, staff: update(approvals).values(person_id=_id(staff, "dung"))),
        "approval-missing",
    ),
    "the approval is of another entry": (_sql(lambda job, staff: update(approvals).values(entry=0)), "approval-missing"),
    "the approval is of another digest": (_sql(lambda job, staff: update(approvals).values(digest="0" * 64)), "approval-missing"),
    "the confirmation is wrong": (lambda staff, job: start(staff, job, "redeliver 3"), "confirmation-needed"),
    "the confirmation is missing": (lambda staff, job: start(staff, job, ""), "confirmation-needed"),
    "the approver starts it": (
        lambda staff, job: staff.shop.replays.start(staff.session("binh"), job.id, job.confirmation),
        "role-missing",
    ),
    "the auditor starts it": (lambda staff, job: staff.shop.replays.start(staff.session("cuc"), job.id, job.confirmation), "role-missing"),
}


@pytest.mark.parametrize(("spoil", "code"), BEFORE_START.values(), ids=BEFORE_START.keys())
def test_an_approved_redelivery_is_not_started_when(staff: Staff, spoil: Attempt, code: str) -> None:
    delivered(staff.stage, 2)
    job, parcels = approved(staff), len(staff.stage.systems["qlvb"].parcels)
    with pytest.raises(Refused) as fault:
        spoil(staff, job)
        start(staff, job)
    assert fault.value.code == code
    assert len(staff.stage.systems["qlvb"].parcels) == parcels


RUNNING: dict[str, tuple[Attempt, str]] = {
    "an item more by SQL": (
        _sql(lambda job, staff: update(replay_items).where(replay_items.c.position == 1).values(carrier_id=uuid4())),
        "replay-changed",
    ),
    "an item less by SQL": (_sql(lambda job, staff: delete(replay_items).where(replay_items.c.position == 1)), "replay-changed"),
    "the approver disabled since it was started": (lambda staff, job: _disable_approver(staff), "approval-missing"),
}


@pytest.mark.parametrize(("spoil", "code"), RUNNING.values(), ids=RUNNING.keys())
def test_a_started_redelivery_is_not_taken_up_with(staff: Staff, spoil: Attempt, code: str) -> None:
    delivered(staff.stage, 2)
    job, parcels = approved(staff), len(staff.stage.systems["qlvb"].parcels)
    start(staff, job)
    spoil(staff, job)
    with pytest.raises(Refused) as fault:
        run(staff, job)
    assert fault.value.code == code
    assert len(staff.stage.systems["qlvb"].parcels) == parcels


RIGHTS = {
    (Mode.VERIFY, "em"): "role-missing",
    (Mode.VERIFY, "binh"): "role-missing",
    (Mode.VERIFY, "cuc"): "",
    (Mode.RETRANSLATE, "em"): "",
    (Mode.REDELIVER, "cuc"): "role-missing",
    (Mode.REDELIVER, "em"): "role-missing",
    (Mode.REDELIVER, "an"): "",
}


@pytest.mark.parametrize(("mode", "login"), RIGHTS)
def test_who_may_make_what(staff: Staff, mode: Mode, login: str) -> None:
    send(staff.stage, 1)
    code = ""
    try:
        made(staff, mode, login=login, reason="x" if mode is Mode.REDELIVER else "")
    except Refused as fault:
        code = fault.code
    assert code == RIGHTS[mode, login]


ASKED = {
    "a redelivery without reason": Asked(Mode.REDELIVER),
    "a rate that is none": Asked(Mode.VERIFY, rate_per_s=0.01),
    "an endless reason": Asked(Mode.REDELIVER, reason="x" * 2_001),
    "a verification that is executed": Asked(Mode.VERIFY, dry_run=False),
    "a verification under a new key": Asked(Mode.VERIFY, new_key=True),
}


@pytest.mark.parametrize("asked", ASKED.values(), ids=ASKED.keys())
def test_a_request_that_means_nothing_is_refused(staff: Staff, asked: Asked) -> None:
    with pytest.raises(Refused) as fault:
        staff.shop.replays.create(staff.session("an"), asked)
    assert fault.value.code == "invalid-request"
