"""The way in: one effect per message, refusals that burn no id, order of the checks, what the journal says of it all."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import select

from replay.store.tables import messages, openings
from schemas.errors import HubError, Refused
from signing.sign import verify_receipt
from tests.hub.stage import DATDAI, MOTCUA, PROFILES, QLVB, TRUC, Stage, open_stage, profile
from tests.packets import document, in_csharp_order, recall, status


def refusal(stage: Stage, raw: bytes, system: str = "motcua", *, key: str = "") -> HubError:
    with pytest.raises(HubError) as caught:
        stage.send(raw, system, key=key)
    return caught.value


def test_a_receipt_is_signed_and_names_the_entry(stage: Stage) -> None:
    raw = document(MOTCUA, (QLVB,))
    receipt = stage.send(raw)
    told = verify_receipt(receipt.body, stage.hub.keyring.public("receipt"))
    assert told["message_id"] == str(receipt.message_id)
    assert told["index"] == receipt.index
    assert told["sender"] == MOTCUA and told["recipients"] == [QLVB]
    stage.settle(receipt.message_id, H32_02="delivered")
    assert stage.systems["qlvb"].bodies == [raw]
    stage.check()


def test_the_same_bytes_again_get_the_first_receipt_byte_for_byte(stage: Stage) -> None:
    raw = document(MOTCUA, (QLVB,))
    first, again = stage.send(raw), stage.send(raw)
    assert again.body == first.body and again.repeated and not first.repeated
    assert stage.count_messages() == 1
    stage.settle(first.message_id, H32_02="delivered")
    assert len(stage.systems["qlvb"].parcels) == 1


def test_the_same_bytes_under_a_key_get_the_first_receipt_and_the_key_is_taken(stage: Stage) -> None:
    raw, other = document(MOTCUA, (QLVB,)), document(MOTCUA, (QLVB,), document_id="H32.01,2026/03/02,99/X")
    first = stage.send(raw)
    assert stage.send(raw, key="k-1").body == first.body
    fault = refusal(stage, other, key="k-1")
    assert fault.code == "id-conflict" and fault.extra["first"] == str(first.message_id)
    stage.check()


CONFLICTS = {
    "the packet's own id, other content": ("", ""),
    "the same key, other content": ("k-1", "k-1"),
}


@pytest.mark.parametrize(("first_key", "second_key"), CONFLICTS.values(), ids=CONFLICTS.keys())
def test_the_same_id_with_other_bytes_is_a_conflict_and_journalled(stage: Stage, first_key: str, second_key: str) -> None:
    first = stage.send(document(MOTCUA, (QLVB,), subject="V/v một"), key=first_key)
    fault = refusal(stage, document(MOTCUA, (QLVB,), subject="V/v hai"), key=second_key)
    assert fault.code == "id-conflict" and fault.spec.http_status == 409
    assert fault.extra["first"] == str(first.message_id)
    assert stage.events().count("conflict") == 1
    assert stage.count_messages() == 1
    stage.check()


def test_a_refused_message_burns_no_id(stage: Stage) -> None:
    wrong = document(MOTCUA, ("H52.99",))
    assert refusal(stage, wrong, key="k-1").code == "unknown-recipient"
    assert not stage.send(document(MOTCUA, (QLVB,)), key="k-1").repeated
    assert stage.events()[:2] == ["refused", "accepted"]


def test_a_refusal_is_journalled_without_the_body(stage: Stage) -> None:
    fault = refusal(stage, document(MOTCUA, ("H52.98", QLVB, "H52.99"), subject="bí mật nhà nước"))
    assert [violation.got for violation in fault.violations] == ["H52.98", "H52.99"]
    with stage.hub.store.read() as conn:
        body = conn.execute(select(openings.c.body).where(openings.c.event == "refused")).scalar_one()
    assert b"unknown-recipient" in body
    assert "bí mật".encode() not in body
    stage.check()


REFUSED = {
    "a sender that is not the caller's": (lambda: document(QLVB, (DATDAI,)), "sender-not-permitted"),
    "no route": (lambda: document(MOTCUA, ("H52.99",)), "unknown-recipient"),
    "malformed": (lambda: document(MOTCUA, (QLVB,))[:-20], "malformed-xml"),
    "empty": (lambda: b"", "empty-body"),
    "another namespace": (lambda: document(MOTCUA, (QLVB,)).replace(b"QCVN_102_2016", b"QCVN_102_2099"), "wrong-namespace"),
    "a DOCTYPE": (lambda: document(MOTCUA, (QLVB,)).replace(b"<edXML ", b"<!DOCTYPE edXML><edXML ", 1), "dtd-forbidden"),
}


@pytest.mark.parametrize(("raw", "code"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_refused_leaves_a_journal_entry_and_nothing_else(stage: Stage, raw: object, code: str) -> None:
    assert callable(raw)
    assert refusal(stage, raw()).code == code
    assert stage.events() == ["refused"]
    assert stage.count_messages() == 0
    stage.check()


def test_either_form_of_a_code_is_the_sender_s(stage: Stage) -> None:
    receipt = stage.send(document("000.00.01.H32", ("000.00.02.H32",)))
    stage.settle(receipt.message_id, **{"000_00_02_H32": "delivered"})


def test_duplicates_that_come_at_once_have_one_effect(stage: Stage) -> None:
    raw = document(MOTCUA, (QLVB,))
    with ThreadPoolExecutor(16) as pool:
        receipts = list(pool.map(lambda _: stage.send(raw), range(64)))
    assert len({receipt.body for receipt in receipts}) == 1
    assert stage.count_messages() == 1
    assert sum(not receipt.repeated for receipt in receipts) == 1
    stage.check()


def test_the_same_document_by_a_second_route_is_linked_and_not_delivered_twice(stage: Stage) -> None:
    first = stage.send(document(MOTCUA, (QLVB, DATDAI)))
    axis = in_csharp_order(document(MOTCUA, (QLVB, DATDAI)))  # re-serialised: other bytes, the same document
    second = stage.send(axis, "truc")
    assert second.message_id != first.message_id
    with stage.hub.store.read() as conn:
        linked = conn.execute(select(messages.c.second_route_of).where(messages.c.id == second.message_id)).scalar_one()
    assert linked == first.message_id
    stage.settle(first.message_id, H32_02="delivered")
    stage.settle(second.message_id, H32_02="cancelled", H32_03="cancelled")
    assert len(stage.systems["qlvb"].parcels) == 1
    stage.check()


def test_a_second_document_with_a_used_number_is_carried_with_a_warning(stage: Stage) -> None:
    stage.send(document(MOTCUA, (QLVB,)), key="k-1")
    receipt = stage.send(document(MOTCUA, (QLVB,), subject="V/v khác"), key="k-2")
    with stage.hub.store.read() as conn:
        warnings = json.loads(conn.execute(select(messages.c.warnings).where(messages.c.id == receipt.message_id)).scalar_one())
    assert "duplicate-document" in {warning["code"] for warning in warnings}


def test_a_status_goes_back_to_the_sender_and_is_linked(stage: Stage) -> None:
    sent = stage.send(document(MOTCUA, (QLVB,), document_id="H32.01,2026/03/02,7/X"))
    answer = stage.send(status(QLVB, MOTCUA, "H32.01,2026/03/02,7/X", code="03"), "qlvb")
    stage.settle(answer.message_id, H32_01="delivered")
    with stage.hub.store.read() as conn:
        row = conn.execute(select(messages.c.about, messages.c.status_code).where(messages.c.id == answer.message_id)).one()
    assert row.about == sent.message_id and row.status_code == "03"


def test_the_same_status_twice_is_one_and_a_later_one_another(stage: Stage) -> None:
    at = {"timestamp": "2026/03/02 08:00:00"}, {"timestamp": "2026/03/02 09:00:00"}
    first = stage.send(status(QLVB, MOTCUA, "H32.01,2026/03/02,7/X", code="05", **at[0]), "qlvb")
    assert stage.send(status(QLVB, MOTCUA, "H32.01,2026/03/02,7/X", code="05", **at[0]), "qlvb").repeated
    assert stage.send(status(QLVB, MOTCUA, "H32.01,2026/03/02,7/X", code="05", **at[1]), "qlvb").message_id != first.message_id


def test_a_recall_cancels_what_has_not_left_and_is_delivered(stage: Stage) -> None:
    stage.systems["qlvb"].gate.clear()
    blocker = stage.send(document(MOTCUA, (DATDAI,), document_id="H32.01,2026/03/02,8/X"))
    back = stage.send(recall(MOTCUA, (DATDAI,), "H32.01,2026/03/02,8/X"))
    stage.settle(blocker.message_id, H32_03="cancelled")
    items, _ = stage.hub.mailbox.pending(stage.principal("datdai"))
    assert [item.message_id for item in items] == [back.message_id]
    stage.check()


def test_a_recall_of_another_agency_s_document_cancels_nothing(stage: Stage) -> None:
    sent = stage.send(document(MOTCUA, (DATDAI,), document_id="H32.01,2026/03/02,8/X"))
    stage.send(recall(QLVB, (DATDAI,), "H32.01,2026/03/02,8/X"), "qlvb")
    assert stage.states(sent.message_id) == {DATDAI: "queued"}


def test_a_fallback_takes_all_unknown_recipients_in_one_packet(tmp_path: Path) -> None:
    stage = open_stage(tmp_path / "home", hub_toml='sweep_s = 0.1\nfallback = "truc"\n')
    stage.hub.start()
    receipt = stage.send(document(MOTCUA, ("H52.01", "H52.02", QLVB)))
    stage.settle(receipt.message_id, H52_01="delivered", H52_02="delivered", H32_02="delivered")
    stage.hub.stop()
    assert len(stage.systems["truc"].parcels) == 1
    assert [str(one) for one in stage.systems["truc"].parcels[0].recipients] == ["H52.01", "H52.02"]


def test_nothing_is_acknowledged_that_cannot_be_written(stage: Stage) -> None:
    stage.hub.committer.stop()
    fault = refusal(stage, document(MOTCUA, (QLVB,)))
    assert fault.spec.http_status == 503


def test_the_sum_of_deliveries_is_what_was_accepted(stage: Stage) -> None:
    recipients = (QLVB, DATDAI, TRUC)
    receipt = stage.send(document(MOTCUA, recipients))
    assert set(stage.states(receipt.message_id)) == set(recipients)


def test_a_signature_is_required_where_the_profile_says_so(tmp_path: Path) -> None:
    profiles = {**PROFILES, "motcua": profile([MOTCUA], "recorder", more='[signature]\nmode = "require"')}
    stage = open_stage(tmp_path / "home", profiles=profiles)
    stage.hub.start()
    with pytest.raises(Refused) as caught:
        stage.send(document(MOTCUA, (QLVB,)))
    stage.hub.stop()
    assert caught.value.code == "no-signature"


def test_a_system_without_the_role_neither_sends_nor_fetches(tmp_path: Path) -> None:
    profiles = {**PROFILES, "datdai": profile([DATDAI], access='roles = ["auditor"]')}
    stage = open_stage(tmp_path / "home", profiles=profiles)
    stage.hub.start()
    try:
        assert refusal(stage, document(DATDAI, (QLVB,)), "datdai").code == "not-permitted"
        with pytest.raises(Refused, match="not-permitted"):
            stage.hub.mailbox.pending(stage.principal("datdai"))
    finally:
        stage.hub.stop()
