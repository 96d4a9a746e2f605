"""A recall and what it takes back: whatever the moment, the document never follows its own recall, and answers find the recall."""

from __future__ import annotations

from adapters.contract import AgencyUnavailable
from hub.query import trace
from tests.hub.stage import MOTCUA, QLVB, Stage
from tests.packets import document, recall, status

DOC, OWN = "H32.01,2026/03/02,7/X", "H32.01,2026/03/02,8/X"


def test_what_was_on_its_way_when_it_was_recalled_and_failed_is_not_tried_again(stage: Stage) -> None:
    qlvb = stage.systems["qlvb"]
    qlvb.gate.clear()
    qlvb.answers.append(AgencyUnavailable("agency-unavailable", got="test"))
    sent = stage.send(document(MOTCUA, (QLVB,), document_id=DOC))
    stage.settle(sent.message_id, H32_02="delivering")
    back = stage.send(recall(MOTCUA, (QLVB,), DOC))
    assert stage.states(sent.message_id) == {QLVB: "delivering"}
    qlvb.gate.set()
    stage.settle(back.message_id, H32_02="delivered")
    stage.settle(sent.message_id, H32_02="cancelled")
    assert [parcel.message_id for parcel in qlvb.parcels] == [sent.message_id, back.message_id]
    stage.check()


def test_what_was_on_its_way_when_it_was_recalled_and_arrived_counts_as_delivered(stage: Stage) -> None:
    qlvb = stage.systems["qlvb"]
    qlvb.gate.clear()
    sent = stage.send(document(MOTCUA, (QLVB,), document_id=DOC))
    stage.settle(sent.message_id, H32_02="delivering")
    back = stage.send(recall(MOTCUA, (QLVB,), DOC))
    qlvb.gate.set()
    stage.settle(back.message_id, H32_02="delivered")
    stage.settle(sent.message_id, H32_02="delivered")
    stage.check()


def test_the_answer_to_a_recall_is_found_at_the_recall(stage: Stage) -> None:
    sent = stage.send(document(MOTCUA, (QLVB,), document_id=DOC))
    back = stage.send(recall(MOTCUA, (QLVB,), DOC, own_id=OWN))
    about_recall = stage.send(status(QLVB, MOTCUA, OWN, code="15"), "qlvb")
    about_document = stage.send(status(QLVB, MOTCUA, DOC, code="03"), "qlvb")
    caller = stage.principal("motcua")
    told = {one.message_id: trace(stage.hub.store, caller, one.message_id)["statuses"] for one in (sent, back)}
    assert [one["message_id"] for one in told[back.message_id]] == [str(about_recall.message_id)]
    assert [one["message_id"] for one in told[sent.message_id]] == [str(about_document.message_id)]
