"""What a message has to do with those before it: second routes, recalls, take-backs, replacements, statuses; and who may see what."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from adapters.contract import AgencyInDoubt
from hub.demo.pki import build_pki
from hub.query import trace
from hub.redrive import Decision, decide, stuck
from hub.status import report
from replay.store.tables import deliveries, messages
from schemas.edxml.packet import Bussiness, ResponseFor
from schemas.edxml.writer import write_document
from schemas.errors import HubError, Refused
from tests.hub.stage import DATDAI, MOTCUA, NOW, PROFILES, QLVB, RETRY, TRUC, Stage, home, open_stage, profile
from tests.packets import document, document_packet, in_csharp_order, prefixed, recall, replacement, status

DOC = "H32.01,2026/03/02,{}/X"


def warnings(stage: Stage, message_id: object) -> set[str]:
    with stage.hub.store.read() as conn:
        found = conn.execute(select(messages.c.warnings).where(messages.c.id == message_id)).scalar_one()
    return {one["code"] for one in json.loads(found)}


def second_route_of(stage: Stage, message_id: object) -> object:
    with stage.hub.store.read() as conn:
        return conn.execute(select(messages.c.second_route_of).where(messages.c.id == message_id)).scalar_one()


# --- second routes -------------------------------------------------------------------------------------------------------------


def test_a_forgery_by_another_route_does_not_take_the_genuine_one_s_place(stage: Stage) -> None:
    forged = stage.send(document(MOTCUA, (DATDAI,), subject="V/v GIẢ MẠO"), "truc")
    genuine = stage.send(document(MOTCUA, (DATDAI,)))
    assert second_route_of(stage, genuine.message_id) is None
    assert stage.states(genuine.message_id) == {DATDAI: "queued"}
    assert "route-conflict" in warnings(stage, genuine.message_id)
    assert stage.states(forged.message_id) == {DATDAI: "queued"}


@pytest.mark.parametrize("rewrite", [in_csharp_order, prefixed], ids=["another order of elements", "other prefixes"])
def test_the_axis_copy_is_recognised_however_it_is_written(stage: Stage, rewrite: object) -> None:
    assert callable(rewrite)
    raw = document(MOTCUA, (DATDAI,))
    first, second = stage.send(raw), stage.send(rewrite(raw), "truc")
    assert second_route_of(stage, second.message_id) == first.message_id
    assert stage.states(second.message_id) == {DATDAI: "cancelled"}


@pytest.fixture
def signing(tmp_path: Path) -> Iterator[tuple[Stage, object]]:
    pki = build_pki(tmp_path / "pki", (MOTCUA,), NOW, root_bits=2048)
    certificate = f'[signature]\nmode = "require"\n[signature.certificates]\n"{MOTCUA}" = ["{pki.identities[MOTCUA].sha256}"]\n'
    profiles = {**PROFILES, "motcua": profile([MOTCUA], "recorder", delivery=RETRY, more=certificate)}
    stage = open_stage(tmp_path / "home", profiles=profiles, trust=pki.trust)
    stage.hub.start()
    yield stage, pki.identities[MOTCUA]
    stage.hub.stop()


def test_what_an_agency_has_to_sign_nobody_else_brings_unsigned(signing: tuple[Stage, object]) -> None:
    stage, identity = signing
    with pytest.raises(Refused, match="no-signature"):
        stage.send(document(MOTCUA, (DATDAI,)), "truc", at=NOW)
    signed = identity.sign(document(MOTCUA, (DATDAI,)))  # type: ignore[attr-defined]
    assert stage.states(stage.send(signed, "truc", at=NOW).message_id) == {DATDAI: "queued"}


def test_an_exception_by_name_lets_the_axis_bring_what_it_re_serialised(tmp_path: Path) -> None:
    exception = f'[signature.by_agency]\n"{MOTCUA}" = "check"\n'
    profiles = {
        **PROFILES,
        "motcua": profile([MOTCUA], "recorder", more='[signature]\nmode = "require"'),
        "truc": profile([TRUC], "recorder", 'may_send_for = "any"', more=exception),
    }
    stage = open_stage(tmp_path / "home", profiles=profiles)
    stage.hub.start()
    try:
        assert stage.states(stage.send(document(MOTCUA, (DATDAI,)), "truc").message_id) == {DATDAI: "queued"}
        with pytest.raises(Refused, match="no-signature"):
            stage.send(document(MOTCUA, (QLVB,), document_id=DOC.format(2)))
    finally:
        stage.hub.stop()


def test_what_the_axis_brings_for_others_does_not_go_back_to_it(tmp_path: Path) -> None:
    stage = open_stage(tmp_path / "home", hub_toml='sweep_s = 0.1\nfallback = "truc"\n')
    stage.hub.start()
    try:
        receipt = stage.send(document("H52.01", (QLVB, "H52.07"), document_id="H52.01,2026/03/02,1/Y"), "truc")
        stage.settle(receipt.message_id, H32_02="delivered", H52_07="cancelled")
        assert stage.systems["truc"].parcels == []
        with pytest.raises(Refused, match="unknown-recipient"):
            stage.send(document("H52.01", ("H52.07",), document_id="H52.01,2026/03/02,2/Y"), "truc")
        stage.check()
    finally:
        stage.hub.stop()


def test_a_copy_recalled_on_its_first_route_does_not_come_by_the_second(stage: Stage) -> None:
    raw = document(MOTCUA, (DATDAI,), document_id=DOC.format(1))
    first = stage.send(raw)
    stage.send(recall(MOTCUA, (DATDAI,), DOC.format(1)))
    assert stage.states(first.message_id) == {DATDAI: "cancelled"}
    second = stage.send(in_csharp_order(raw), "truc")
    assert stage.states(second.message_id) == {DATDAI: "cancelled"}


def test_a_first_route_that_is_given_up_leaves_the_second(stage: Stage) -> None:
    stage.systems["qlvb"].answers.append(AgencyInDoubt("agency-in-doubt"))
    raw = document(MOTCUA, (QLVB,), document_id=DOC.format(1))
    first = stage.send(raw)
    stage.settle(first.message_id, H32_02="in_doubt")
    second = stage.send(in_csharp_order(raw), "truc")
    stage.settle(second.message_id, H32_02="cancelled")
    (waiting,) = stuck(stage.hub.store)
    at = stage.hub.clock()
    stage.hub.committer.submit(lambda tx: decide(tx, waiting.delivery_id, Decision.GIVE_UP, "hỏng", at, by="văn thư")).result()
    stage.settle(second.message_id, H32_02="delivered")
    stage.check()


# --- recalls, take-backs, replacements ------------------------------------------------------------------------------------------


def test_a_cancelled_item_is_not_handed_out(stage: Stage) -> None:
    caller = stage.principal("datdai")
    stage.send(document(MOTCUA, (DATDAI,), document_id=DOC.format(1)))
    (item,), _ = stage.hub.mailbox.pending(caller)
    stage.send(recall(MOTCUA, (DATDAI,), DOC.format(1)))
    with pytest.raises(Refused, match="wrong-state"):
        stage.hub.mailbox.fetch(caller, item.delivery_id, at=stage.hub.clock())


def test_a_recall_from_one_of_several_on_a_shared_transmission_follows_the_document(tmp_path: Path) -> None:
    stage = open_stage(tmp_path / "home", hub_toml='sweep_s = 0.1\nfallback = "truc"\n')
    stage.systems["truc"].gate.clear()
    stage.hub.start()
    try:
        blocker = stage.send(document(MOTCUA, ("K01",), document_id=DOC.format(0)))
        stage.wait_for(lambda: stage.states(blocker.message_id)["K01"] == "delivering")
        sent = stage.send(document(MOTCUA, ("K01", "K02"), document_id=DOC.format(1)))
        back = stage.send(recall(MOTCUA, ("K01",), DOC.format(1)))
        stage.systems["truc"].gate.set()
        stage.settle(back.message_id, K01="delivered")
        stage.settle(sent.message_id, K02="delivered")
        order = [parcel.message_id for parcel in stage.systems["truc"].parcels]
        assert order.index(sent.message_id) < order.index(back.message_id)
    finally:
        stage.systems["truc"].gate.set()
        stage.hub.stop()


def ambiguous_recall(sender: str, named: str, answered: str, own: str, to: str = DATDAI) -> bytes:
    packet = document_packet(sender, (to,), own, subject="Thu hồi", doc_type="1", attachments=())
    packet = replace(packet, response_for=(ResponseFor(sender, "1/X", "2026/03/02", answered),) if answered else ())
    return write_document(replace(packet, bussiness=Bussiness(named, "1", "sai thể thức", "0")))


HELD = {
    "two of its documents may be meant": ("", DOC.format(1), DOC.format(2), "recall-ambiguous"),
    "it names another agency's document": ("H32.02,2026/03/02,9/Z", "", DOC.format(3), "recall-not-own"),
}


@pytest.mark.parametrize(("named", "answered", "own", "cause"), HELD.values(), ids=HELD.keys())
def test_a_recall_that_is_not_clear_is_held_for_a_person(stage: Stage, named: str, answered: str, own: str, cause: str) -> None:
    sent = [stage.send(document(MOTCUA, (DATDAI,), document_id=DOC.format(n))) for n in (1, 2)]
    stage.send(document(QLVB, (DATDAI,), document_id="H32.02,2026/03/02,9/Z"), "qlvb")
    back = stage.send(ambiguous_recall(MOTCUA, named, answered, own))
    assert stage.states(back.message_id) == {DATDAI: "parked"}
    assert all(stage.states(one.message_id) == {DATDAI: "queued"} for one in sent), "nothing is cancelled meanwhile"
    (waiting,) = stuck(stage.hub.store)
    assert waiting.cause == cause
    at = stage.hub.clock()
    stage.hub.committer.submit(lambda tx: decide(tx, waiting.delivery_id, Decision.RETRY, "đã hỏi bên gửi", at, by="văn thư")).result()
    assert back.message_id in {item.message_id for item in stage.hub.mailbox.pending(stage.principal("datdai"))[0]}
    stage.check()


def test_taking_back_cancels_that_receiver_s_copy_and_no_other(stage: Stage) -> None:
    stage.systems["qlvb"].gate.clear()
    sent = stage.send(document(MOTCUA, (QLVB, DATDAI), document_id=DOC.format(1)))
    asked = stage.send(status(MOTCUA, DATDAI, DOC.format(1), code="13", description="gửi nhầm"))
    assert stage.states(sent.message_id)[DATDAI] == "cancelled"
    stage.systems["qlvb"].gate.set()
    stage.settle(sent.message_id, H32_02="delivered")
    assert [item.message_id for item in stage.hub.mailbox.pending(stage.principal("datdai"))[0]] == [asked.message_id]
    stage.check()


def test_nobody_takes_back_another_s_document(stage: Stage) -> None:
    sent = stage.send(document(MOTCUA, (DATDAI,), document_id=DOC.format(1)))
    asked = stage.send(status(QLVB, DATDAI, DOC.format(1), code="13", description="x"), "qlvb")
    assert stage.states(sent.message_id) == {DATDAI: "queued"}
    assert warnings(stage, asked.message_id) & {"status-stranger", "target-unknown"}


def test_a_replacement_is_seen_at_the_document_it_replaces(stage: Stage) -> None:
    old = stage.send(document(MOTCUA, (QLVB,), document_id=DOC.format(1)))
    new = stage.send(replacement(DOC.format(1), DOC.format(2), sender=MOTCUA))
    caller = stage.principal("motcua")
    assert trace(stage.hub.store, caller, old.message_id)["links"] == [{"relation": "replaces", "by": str(new.message_id)}]


# --- statuses -------------------------------------------------------------------------------------------------------------------


def test_a_stranger_s_status_is_delivered_but_says_nothing_of_the_document(stage: Stage) -> None:
    sent = stage.send(document(MOTCUA, (DATDAI,), document_id=DOC.format(1)))
    stray = stage.send(status(QLVB, MOTCUA, DOC.format(1), code="02", description="trả lại"), "qlvb")
    assert "status-stranger" in warnings(stage, stray.message_id)
    assert trace(stage.hub.store, stage.principal("motcua"), sent.message_id)["statuses"] == []


MERGED = """
[[agency]]
code = "H32.61"
valid_until = 2026-04-01
successor = "H32.62"
[[agency]]
code = "H32.62"
aliases = ["000.H32.062"]
valid_from = 2020-01-01
[[agency]]
code = "H32.63"
valid_until = 2026-04-01
successor = "unknown"
"""
ROOM, HEIR, ELSEWHERE = "H32.61", "H32.62", "H32.63"
BEFORE, SINCE = datetime(2026, 3, 2, 1, tzinfo=UTC), datetime(2026, 4, 2, 1, tzinfo=UTC)


@pytest.fixture
def merged(tmp_path: Path) -> Iterator[Stage]:
    """A hub of a province where one room was merged into another on 1 April; the heir's system has both codes, as profiles list them."""
    profiles = {"motcua": profile([MOTCUA]), "heir": profile([ROOM, HEIR, ELSEWHERE, "000.H32.062"]), "qlvb": profile([QLVB])}
    folder = home(tmp_path / "home", profiles) / "directory"
    folder.mkdir()
    (folder / "tinh.toml").write_text(MERGED, "utf-8")
    stage = open_stage(tmp_path / "home", profiles={}, fresh=False)
    stage.hub.start()
    yield stage
    stage.check()
    stage.hub.stop()


def linked(stage: Stage, message_id: object) -> list[tuple[str, str]]:
    """(from, code) of the statuses seen at a document."""
    statuses = trace(stage.hub.store, stage.principal("motcua"), message_id)["statuses"]  # type: ignore[arg-type]
    return [(one["from"], one["code"]) for one in statuses]


def test_the_status_of_who_goes_on_in_a_recipient_s_place_belongs_to_the_document(merged: Stage) -> None:
    sent = merged.send(document(MOTCUA, (ROOM,), document_id=DOC.format(1)), at=BEFORE)
    first = merged.send(status(ROOM, MOTCUA, DOC.format(1), code="03"), "heir", at=BEFORE)
    later = merged.send(status(HEIR, MOTCUA, DOC.format(1), code="06"), "heir", at=SINCE)
    assert linked(merged, sent.message_id) == [(ROOM, "03"), (HEIR, "06")]
    assert warnings(merged, first.message_id) & {"status-stranger", "status-by-successor"} == set()
    assert warnings(merged, later.message_id) & {"status-stranger", "status-by-successor"} == {"status-by-successor"}
    back = merged.send(status(HEIR, MOTCUA, DOC.format(1), code="01"), "heir", at=SINCE)
    assert "status-order" in warnings(merged, back.message_id), "one sequence, whatever the code"


# sentence → (recipient of the document, who reports, when)
STILL_STRANGERS = {
    "before the day of the merger": (ROOM, HEIR, BEFORE),
    "a successor that nobody names": (ELSEWHERE, HEIR, SINCE),
    "the other way round": (HEIR, ROOM, SINCE),
    "another body": (ROOM, QLVB, SINCE),
}


@pytest.mark.parametrize(("recipient", "reporter", "at"), STILL_STRANGERS.values(), ids=STILL_STRANGERS.keys())
def test_nobody_else_is_taken_for_the_recipient(merged: Stage, recipient: str, reporter: str, at: datetime) -> None:
    sent = merged.send(document(MOTCUA, (recipient,), document_id=DOC.format(1)), at=BEFORE)
    system = "qlvb" if reporter == QLVB else "heir"
    stray = merged.send(status(reporter, MOTCUA, DOC.format(1), code="06"), system, at=at)
    assert "status-stranger" in warnings(merged, stray.message_id)
    assert linked(merged, sent.message_id) == []


def test_another_code_of_the_same_body_is_no_stranger(merged: Stage) -> None:
    sent = merged.send(document(MOTCUA, ("000.H32.062",), document_id=DOC.format(1)), at=BEFORE)
    merged.send(status(HEIR, MOTCUA, DOC.format(1), code="03"), "heir", at=BEFORE)
    assert linked(merged, sent.message_id) == [(HEIR, "03")]


def test_a_document_s_sender_is_answered_under_its_successor_s_code_and_the_successor_takes_it_back(merged: Stage) -> None:
    sent = merged.send(document(ROOM, (QLVB, MOTCUA), document_id=DOC.format(1)), "heir", at=BEFORE)
    merged.send(status(MOTCUA, HEIR, DOC.format(1), code="03"), at=SINCE)
    assert linked(merged, sent.message_id) == [(MOTCUA, "03")]
    merged.send(status(HEIR, QLVB, DOC.format(1), code="13", description="gửi nhầm"), "heir", at=SINCE)
    assert merged.states(sent.message_id) == {QLVB: "cancelled", MOTCUA: "queued"}


ORDERS = {
    "as it should be": (["01", "03", "04", "05", "06"], []),
    "some left out": (["01", "06"], []),
    "twice in progress": (["03", "05", "05"], []),
    "back to the beginning": (["06", "03"], ["03"]),
    "after it was returned": (["01", "02", "05"], ["05"]),
}


@pytest.mark.parametrize(("codes", "odd"), ORDERS.values(), ids=ORDERS.keys())
def test_statuses_out_of_order_are_told_not_refused(stage: Stage, codes: list[str], odd: list[str]) -> None:
    stage.send(document(MOTCUA, (QLVB,), document_id=DOC.format(1)))
    told = []
    for n, code in enumerate(codes):
        one = stage.send(status(QLVB, MOTCUA, DOC.format(1), code=code, timestamp=f"2026/03/02 08:00:{n:02}"), "qlvb")
        told += [code] if "status-order" in warnings(stage, one.message_id) else []
    assert told == odd


def test_a_report_repeated_seconds_later_is_one_status(stage: Stage) -> None:
    stage.send(document(MOTCUA, (DATDAI,), document_id=DOC.format(1)))
    caller = stage.principal("datdai")
    (item,), _ = stage.hub.mailbox.pending(caller)
    told = {"code": "03", "description": "Đã tiếp nhận", "staff": {}}
    first = report(stage.hub, caller, item.delivery_id, at=NOW, **told).result()  # type: ignore[arg-type]
    later = report(stage.hub, caller, item.delivery_id, at=NOW.replace(second=30), **told).result()  # type: ignore[arg-type]
    assert later.body == first.body and later.repeated
    other = report(stage.hub, caller, item.delivery_id, at=NOW, code="05", description="Đang xử lý", staff={}).result()
    assert other.message_id != first.message_id


# --- who is kept apart from whom --------------------------------------------------------------------------------------------------


def test_a_recipient_sees_its_own_copy_and_statuses_only(stage: Stage) -> None:
    sent = stage.send(document(MOTCUA, (QLVB, DATDAI), document_id=DOC.format(1)))
    stage.settle(sent.message_id, H32_02="delivered")
    stage.send(status(QLVB, MOTCUA, DOC.format(1), code="03"), "qlvb")
    seen = trace(stage.hub.store, stage.principal("datdai"), sent.message_id)
    assert [one["recipient"] for one in seen["deliveries"]] == [DATDAI]
    assert seen["statuses"] == []
    assert QLVB not in json.dumps([seen["deliveries"], seen["statuses"], seen["events"]])


def test_the_right_to_send_for_anyone_is_no_right_to_read(stage: Stage) -> None:
    sent = stage.send(document(MOTCUA, (DATDAI,)))
    with pytest.raises(HubError, match="not-found"):
        trace(stage.hub.store, stage.principal("truc"), sent.message_id)


def test_another_s_trouble_with_a_number_blocks_nobody_else(stage: Stage) -> None:
    stage.systems["qlvb"].answers.append(AgencyInDoubt("agency-in-doubt"))
    squatter = stage.send(document(DATDAI, (QLVB,), document_id=DOC.format(1)), "datdai")
    stage.settle(squatter.message_id, H32_02="in_doubt")
    genuine = stage.send(document(MOTCUA, (QLVB,), document_id=DOC.format(1)))
    stage.settle(genuine.message_id, H32_02="delivered")


def test_long_ids_and_many_recipients_are_no_trouble(tmp_path: Path) -> None:
    stage = open_stage(tmp_path / "home", hub_toml='sweep_s = 0.1\nfallback = "truc"\n')
    stage.hub.start()
    recipients = tuple(f"H{n % 60:02}.{secrets.token_hex(8).upper()}" for n in range(600))
    try:
        receipt = stage.send(document(MOTCUA, recipients))
        stage.wait_for(lambda: set(stage.states(receipt.message_id).values()) == {"delivered"}, 20)
        with stage.hub.store.read() as conn:
            assert max(len(key) for key in conn.execute(select(deliveries.c.order_key)).scalars()) == 64
        stage.check()
    finally:
        stage.hub.stop()
