"""The way out: every failure has a state, order holds per subject, one system's trouble is nobody else's, a restart resumes."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from sqlalchemy import select, update

from adapters.contract import AgencyInDoubt, AgencyRefused, AgencyUnavailable, Idempotency
from hub import outbox
from hub.query import trace
from hub.redrive import Decision, decide, stuck
from replay.store.tables import deliveries
from schemas.errors import HubError, Parked
from schemas.message import DeliveryState
from tests.hub.stage import DATDAI, MOTCUA, PROFILES, QLVB, Recorder, Stage, open_stage, profile
from tests.packets import document, recall

DOC = "H32.01,2026/03/02,{}/X"


def down() -> HubError:
    return AgencyUnavailable("agency-unavailable", got="test")


ENDS: dict[str, tuple[list[HubError], str, int]] = {
    "it answers": ([], "delivered", 1),
    "down twice, then up": ([down(), down()], "delivered", 3),
    "down for good": ([down(), down(), down(), down()], "parked", 3),
    "it says no": ([AgencyRefused("agency-refused", got="test")], "refused", 1),
    "nobody knows": ([AgencyInDoubt("agency-in-doubt", got="test")], "in_doubt", 1),
    "a person has to look": ([Parked("attempts-exhausted")], "parked", 1),
}


@pytest.mark.parametrize(("answers", "state", "attempts"), ENDS.values(), ids=ENDS.keys())
def test_every_end_has_a_state(stage: Stage, answers: list[HubError], state: str, attempts: int) -> None:
    stage.systems["qlvb"].answers.extend(answers)
    receipt = stage.send(document(MOTCUA, (QLVB,)))
    stage.settle(receipt.message_id, H32_02=state)
    assert len(stage.systems["qlvb"].parcels) == attempts
    assert len({parcel.key for parcel in stage.systems["qlvb"].parcels}) == 1, "one key for every attempt"
    told = trace(stage.hub.store, stage.principal("motcua"), receipt.message_id)
    assert told["deliveries"][0]["state"] == state
    assert [event["state"] for event in told["events"] if event["event"] == "delivery"][-1] == state
    stage.check()


def test_a_defect_in_an_adapter_parks_one_delivery_and_stops_no_other(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = stage.send(document(MOTCUA, (QLVB,), document_id=DOC.format(1)))
    stage.settle(broken.message_id, H32_02="delivered")
    monkeypatch.setattr(Recorder, "deliver", lambda self, parcel: 1 / 0)
    parked = stage.send(document(MOTCUA, (QLVB,), document_id=DOC.format(2)))
    stage.settle(parked.message_id, H32_02="parked")
    monkeypatch.undo()
    fine = stage.send(document(MOTCUA, (QLVB,), document_id=DOC.format(3)))
    stage.settle(fine.message_id, H32_02="delivered")


def test_messages_about_one_document_arrive_in_order_of_acceptance(stage: Stage) -> None:
    stage.systems["qlvb"].answers.extend([down(), down()])
    first = stage.send(document(MOTCUA, (QLVB,), document_id=DOC.format(5)))
    later = [stage.send(document(MOTCUA, (QLVB,), document_id=DOC.format(5), subject=f"V/v lần {n}"), key=f"k-{n}") for n in range(4)]
    for receipt in (first, *later):
        stage.settle(receipt.message_id, H32_02="delivered")
    arrived = [parcel.message_id for parcel in stage.systems["qlvb"].parcels]
    assert arrived == [first.message_id] * 3 + [receipt.message_id for receipt in later]


def test_a_parked_one_blocks_its_successors_and_nobody_else(stage: Stage) -> None:
    stage.systems["qlvb"].answers.append(AgencyInDoubt("agency-in-doubt"))
    stuck = stage.send(document(MOTCUA, (QLVB,), document_id=DOC.format(5)))
    stage.settle(stuck.message_id, H32_02="in_doubt")
    behind = stage.send(document(MOTCUA, (QLVB,), document_id=DOC.format(5), subject="V/v sau"), key="k-2")
    other = stage.send(document(MOTCUA, (QLVB,), document_id=DOC.format(6)))
    stage.settle(other.message_id, H32_02="delivered")
    time.sleep(0.3)
    assert stage.states(behind.message_id) == {QLVB: "pending"}


def test_a_recall_overtakes_what_is_deferred(stage: Stage) -> None:
    stage.systems["qlvb"].answers.extend([down()] * 2)
    sent = stage.send(document(MOTCUA, (QLVB,), document_id=DOC.format(7)))
    stage.wait_for(lambda: stage.states(sent.message_id)[QLVB] in ("deferred", "delivered"))
    back = stage.send(recall(MOTCUA, (QLVB,), DOC.format(7)))
    stage.settle(back.message_id, H32_02="delivered")
    assert stage.states(sent.message_id)[QLVB] in ("cancelled", "delivered")
    stage.check()


def test_a_dead_system_slows_nobody_else(stage: Stage) -> None:
    stage.systems["qlvb"].gate.clear()  # every worker of its lane hangs
    for n in range(20):
        stage.send(document(MOTCUA, (QLVB,), document_id=DOC.format(n)))
    there = stage.send(document(QLVB, (MOTCUA,), document_id="H32.02,2026/03/02,1/Y"), "qlvb")
    stage.settle(there.message_id, H32_01="delivered")
    stage.systems["qlvb"].gate.set()


def test_a_circuit_that_is_open_lets_a_dead_system_rest(tmp_path: Path) -> None:
    retry = "[delivery.retry]\nbase_s = 0.01\nmax_s = 0.02\nmax_attempts = 500\nopen_after = 2\nopen_s = 1.5"
    stage = open_stage(tmp_path / "home", profiles={**PROFILES, "qlvb": profile([QLVB], "recorder", "", f"concurrency = 1\n{retry}")})
    stage.hub.start()
    stage.systems["qlvb"].answers.extend([down()] * 3)
    sent = [stage.send(document(MOTCUA, (QLVB,), document_id=DOC.format(n))) for n in range(5)]
    try:
        time.sleep(0.4)
        assert len(stage.systems["qlvb"].parcels) <= 3
        events = stage.events().count("delivery")
        assert events <= 3, "an open circuit costs no write per waiting delivery"
        for receipt in sent:
            stage.wait_for(lambda receipt=receipt: stage.states(receipt.message_id) == {QLVB: "delivered"}, 30)  # type: ignore[misc]
    finally:
        stage.hub.stop()


def test_a_restart_resumes_where_the_process_died(tmp_path: Path) -> None:
    stage = open_stage(tmp_path / "home", deliver=False)
    stage.hub.start()
    raw = document(MOTCUA, (QLVB, DATDAI))
    receipt = stage.send(raw)
    stage.hub.stop()
    again = open_stage(tmp_path / "home", fresh=False)
    again.hub.start()
    again.settle(receipt.message_id, H32_02="delivered", H32_03="queued")
    assert again.systems["qlvb"].bodies == [raw]
    assert again.send(raw).body == receipt.body
    again.check()
    again.hub.stop()


ORPHANS = {
    "one that recognises a repetition gets it again, by the same key": (Idempotency.KEY, "delivered", 1),
    "one that promises nothing is left to a person": (Idempotency.NONE, "in_doubt", 0),
}


@pytest.mark.parametrize(("idempotency", "state", "attempts"), ORPHANS.values(), ids=ORPHANS.keys())
def test_a_delivery_whose_process_died(tmp_path: Path, idempotency: Idempotency, state: str, attempts: int) -> None:
    stage = open_stage(tmp_path / "home", deliver=False)
    stage.hub.start()
    receipt = stage.send(document(MOTCUA, (QLVB,)))
    with stage.hub.store.write() as conn:  # as a killed process leaves it
        conn.execute(update(deliveries).values(state=DeliveryState.DELIVERING, attempt=1, lease_until="2099-01-01T00:00:00.000000Z"))
    stage.hub.stop()
    again = open_stage(tmp_path / "home", fresh=False, recorders={"qlvb": Recorder(idempotency=idempotency)})
    again.hub.start()
    again.settle(receipt.message_id, H32_02=state)
    assert len(again.systems["qlvb"].parcels) == attempts
    again.hub.stop()


def test_the_inbox_lists_in_order_until_it_is_acknowledged(stage: Stage) -> None:
    caller = stage.principal("datdai")
    sent = [stage.send(document(MOTCUA, (DATDAI,), document_id=DOC.format(n))) for n in range(5)]
    items, more = stage.hub.mailbox.pending(caller, limit=3)
    assert [item.message_id for item in items] == [receipt.message_id for receipt in sent[:3]]
    rest, end = stage.hub.mailbox.pending(caller, limit=3, after=more)
    assert [item.message_id for item in rest] == [receipt.message_id for receipt in sent[3:]] and end == 0
    item, raw, content_type = stage.hub.mailbox.fetch(caller, items[0].delivery_id, at=stage.hub.clock())
    assert raw == document(MOTCUA, (DATDAI,), document_id=DOC.format(0)) and content_type == "application/xml"
    assert stage.hub.mailbox.pending(caller)[0][0] == item, "fetched is not acknowledged"
    for _ in range(2):
        done = stage.hub.mailbox.acknowledge(caller, item.delivery_id, at=stage.hub.clock())
        assert done.result() == "delivered"
    assert len(stage.hub.mailbox.pending(caller)[0]) == 4
    refused = stage.hub.mailbox.acknowledge(caller, items[1].delivery_id, at=stage.hub.clock(), refused_reason="sai nơi nhận")
    assert refused.result() == "refused"
    stage.check()


def test_nobody_sees_another_s_inbox_or_message(stage: Stage) -> None:
    sent = stage.send(document(MOTCUA, (DATDAI,)))
    (item,), _ = stage.hub.mailbox.pending(stage.principal("datdai"))
    stranger = stage.principal("qlvb")
    assert stage.hub.mailbox.pending(stranger) == ((), 0)
    for attempt in (
        lambda: stage.hub.mailbox.fetch(stranger, item.delivery_id, at=stage.hub.clock()),
        lambda: stage.hub.mailbox.acknowledge(stranger, item.delivery_id, at=stage.hub.clock()),
        lambda: trace(stage.hub.store, stranger, sent.message_id),
    ):
        with pytest.raises(HubError, match="not-found"):
            attempt()


def test_what_was_fetched_is_not_recalled_silently(stage: Stage) -> None:
    sent = stage.send(document(MOTCUA, (DATDAI,), document_id=DOC.format(9)))
    caller = stage.principal("datdai")
    (item,), _ = stage.hub.mailbox.pending(caller)
    stage.hub.mailbox.fetch(caller, item.delivery_id, at=stage.hub.clock())
    back = stage.send(recall(MOTCUA, (DATDAI,), DOC.format(9)))
    assert stage.states(sent.message_id) == {DATDAI: "delivering"}
    assert [one.message_id for one in stage.hub.mailbox.pending(caller)[0]] == [sent.message_id, back.message_id]


def test_a_profile_that_disappeared_leaves_its_deliveries_visible(tmp_path: Path) -> None:
    stage = open_stage(tmp_path / "home", deliver=False)
    stage.hub.start()
    receipt = stage.send(document(MOTCUA, (QLVB,)))
    stage.hub.stop()
    (tmp_path / "home" / "systems" / "qlvb.toml").unlink()
    again = open_stage(tmp_path / "home", fresh=False)
    again.hub.start()
    time.sleep(0.3)
    assert again.states(receipt.message_id) == {QLVB: "queued"}
    again.hub.stop()


def test_vietnamese_in_either_normal_form_arrives_byte_for_byte(stage: Stage) -> None:
    import unicodedata

    for n, form in enumerate(("NFC", "NFD")):
        subject = unicodedata.normalize(form, "V/v kết nối, liên thông phần mềm")  # type: ignore[arg-type]
        raw = document(MOTCUA, (QLVB,), document_id=DOC.format(20 + n), subject=subject)
        receipt = stage.send(raw)
        stage.settle(receipt.message_id, H32_02="delivered")
        assert stage.systems["qlvb"].bodies[-1] == raw


DECISIONS = {
    "try again": (Decision.RETRY, "delivered", 2),
    "it has arrived": (Decision.ARRIVED, "delivered", 1),
    "give it up": (Decision.GIVE_UP, "refused", 1),
}


@pytest.mark.parametrize(("decision", "state", "attempts"), DECISIONS.values(), ids=DECISIONS.keys())
def test_a_person_decides_about_what_is_in_doubt(stage: Stage, decision: Decision, state: str, attempts: int) -> None:
    stage.systems["qlvb"].answers.append(AgencyInDoubt("agency-in-doubt"))
    stuck_one = stage.send(document(MOTCUA, (QLVB,), document_id=DOC.format(5)))
    stage.settle(stuck_one.message_id, H32_02="in_doubt")
    behind = stage.send(document(MOTCUA, (QLVB,), document_id=DOC.format(5), subject="V/v sau"), key="k-2")
    (waiting,) = stuck(stage.hub.store)
    assert (waiting.message_id, waiting.cause) == (stuck_one.message_id, "agency-in-doubt")
    at = stage.hub.clock()
    with pytest.raises(HubError, match="invalid-request"):
        stage.hub.committer.submit(lambda tx: decide(tx, waiting.delivery_id, decision, "  ", at, by="văn thư")).result()
    stage.hub.committer.submit(lambda tx: decide(tx, waiting.delivery_id, decision, "đã gọi hỏi văn thư", at, by="văn thư")).result()
    stage.settle(stuck_one.message_id, H32_02=state)
    stage.settle(behind.message_id, H32_02="delivered")
    assert [parcel.message_id for parcel in stage.systems["qlvb"].parcels].count(stuck_one.message_id) == attempts
    with pytest.raises(HubError, match="wrong-state"):
        stage.hub.committer.submit(lambda tx: decide(tx, waiting.delivery_id, decision, "lần nữa", at, by="văn thư")).result()
    stage.check()


def test_what_was_recalled_while_in_doubt_is_not_tried_again(stage: Stage) -> None:
    stage.systems["qlvb"].answers.append(AgencyInDoubt("agency-in-doubt"))
    sent = stage.send(document(MOTCUA, (QLVB,), document_id=DOC.format(5)))
    stage.settle(sent.message_id, H32_02="in_doubt")
    back = stage.send(recall(MOTCUA, (QLVB,), DOC.format(5)))
    stage.settle(back.message_id, H32_02="delivered")
    (waiting,) = stuck(stage.hub.store)
    at = stage.hub.clock()
    with pytest.raises(HubError, match="recalled by its sender"):
        stage.hub.committer.submit(lambda tx: decide(tx, waiting.delivery_id, Decision.RETRY, "thử lại", at, by="văn thư")).result()
    stage.hub.committer.submit(lambda tx: decide(tx, waiting.delivery_id, Decision.GIVE_UP, "đã thu hồi", at, by="văn thư")).result()
    stage.check()


def test_several_pointers_are_marked_in_one_statement(stage: Stage) -> None:
    """What a sweep finds is marked together; a sweep that failed would publish everything anew, for ever."""
    for number in range(3):
        stage.send(document(MOTCUA, (DATDAI,), f"{MOTCUA},2026/11/20,{number}/M"))
    at = stage.hub.clock()
    with stage.hub.store.write() as conn:
        carriers = conn.execute(select(deliveries.c.carrier_id)).scalars().all()
        conn.execute(update(deliveries).values(state="deferred"))
        outbox.mark_queued(conn, [outbox.Pointer("datdai", one, at) for one in carriers], at)
        assert set(conn.execute(select(deliveries.c.state)).scalars()) == {"queued"}
