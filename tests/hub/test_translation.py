"""Systems that take another format: what they get, what the journal says of it, and what happens to what cannot be translated."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from hub.redrive import Decision, decide, stuck
from replay import artefacts
from replay.store.tables import artefacts as kept
from replay.store.tables import openings
from schemas.errors import Halted, HubError
from schemas.translation.engine import Mappings, translate
from schemas.translation.kept import restore, stylesheet_of
from schemas.translation.packets import DOCUMENT
from tests.hub.stage import MOTCUA, QLVB, Stage, open_stage, profile
from tests.packets import document, status

NHANH, HOP = "H32.07", "H32.08"
RETRY = "[delivery.retry]\nbase_s = 0.05\nmax_s = 0.1\nmax_attempts = 3"
FORMATS = 'format = ["canonical.document", "canonical.status"]'
PROFILES = {
    "motcua": profile([MOTCUA]),
    "qlvb": profile([QLVB], "recorder"),
    "nhanh": profile([NHANH], "recorder", delivery=f"{FORMATS}\n{RETRY}"),
    "hop": profile([HOP], delivery=FORMATS),
}
UNKNOWN = b"<edXML:Subject>", b"<edXML:La>x</edXML:La><edXML:Subject>"


def opened(folder: Path, **profiles: str) -> Stage:
    stage = open_stage(folder, profiles={**PROFILES, **profiles})
    stage.hub.start()
    return stage


@pytest.fixture
def spoken(tmp_path: Path) -> Any:
    """qlvb takes packets; nhanh (asked by the hub) and hop (fetches) take canonical JSON."""
    stage = opened(tmp_path / "home")
    yield stage
    stage.hub.stop()


def told(stage: Stage, event: str = "translated") -> list[dict[str, Any]]:
    with stage.hub.store.read() as conn:
        bodies = conn.execute(select(openings.c.body).where(openings.c.event == event).order_by(openings.c.index)).scalars().all()
    return [{name: one["value"] for name, one in json.loads(body).items()} for body in bodies if body]


def test_each_system_gets_the_format_its_profile_names(spoken: Stage) -> None:
    raw = document(MOTCUA, (QLVB, NHANH))
    receipt = spoken.send(raw)
    spoken.settle(receipt.message_id, H32_02="delivered", H32_07="delivered")
    assert spoken.systems["qlvb"].bodies == [raw], "who speaks the sender's format gets the received bytes"
    parcel = spoken.systems["nhanh"].parcels[0]
    made = json.loads(parcel.body)
    assert (made["kind"], parcel.content_type) == ("document", "application/json")
    spoken.check()


def test_the_journal_says_how_and_the_kept_mappings_make_the_same_bytes_again(spoken: Stage) -> None:
    raw = document(MOTCUA, (NHANH,))
    receipt = spoken.send(raw)
    spoken.settle(receipt.message_id, H32_07="delivered")
    (entry,) = told(spoken)
    body = spoken.systems["nhanh"].bodies[0]
    assert (entry["source"], entry["target"], entry["digest"]) == (DOCUMENT, "canonical.document", sha256(body).hexdigest())
    with spoken.hub.store.read() as conn:
        contents = [artefacts.fetch(conn, one) for one in entry["mappings"]]
    assert all(stylesheet_of(one) == sha256(b"").hexdigest() for one in contents)
    again = Mappings.of(restore(one) for one in contents)
    assert translate(raw, entry["source"], entry["target"], again).body == body
    assert spoken.events().index("translated") < spoken.events().index("delivery"), "before anything leaves"


def test_a_second_attempt_journals_the_same_translation_once(spoken: Stage) -> None:
    spoken.systems["nhanh"].answers.append(unavailable())
    receipt = spoken.send(document(MOTCUA, (NHANH,)))
    spoken.settle(receipt.message_id, H32_07="delivered")
    assert len(set(spoken.systems["nhanh"].bodies)) == 1
    assert len(spoken.systems["nhanh"].parcels) == 2
    assert len(told(spoken)) == 1
    spoken.check()


def test_a_loss_that_the_profile_does_not_accept_waits_for_a_person(tmp_path: Path) -> None:
    stage = opened(tmp_path / "home")
    raw = document(MOTCUA, (NHANH,)).replace(*UNKNOWN)
    try:
        receipt = stage.send(raw)
        stage.settle(receipt.message_id, H32_07="parked")
        (held,) = stuck(stage.hub.store)
        assert held.cause == "translation-lossy"
        assert "reading /edXML" in held.detail and "/La" in held.detail
        assert stage.systems["nhanh"].parcels == [], "nothing left"
        assert [loss[1] for loss in told(stage)[0]["losses"]] == ["reading"], "the journal names it"
        stage.check()
    finally:
        stage.hub.stop()
    accepting = profile([NHANH], "recorder", delivery=f'{FORMATS}\naccept_losses = ["reading"]\n{RETRY}')
    (tmp_path / "home" / "systems" / "nhanh.toml").write_text(accepting, "utf-8")
    stage = open_stage(tmp_path / "home", profiles=PROFILES, fresh=False)
    stage.hub.start()
    try:
        decision = stage.hub.committer.submit(
            lambda tx: decide(tx, held.delivery_id, Decision.RETRY, "chấp nhận mất phần tử lạ", stage.hub.clock(), by="văn thư")
        )
        assert decision.result() == "deferred"
        stage.settle(receipt.message_id, H32_07="delivered")
        stage.check()
    finally:
        stage.hub.stop()


def test_what_cannot_be_translated_is_parked_with_the_cause_and_stops_nobody_else(tmp_path: Path) -> None:
    wants_dossiers = profile([NHANH], "recorder", delivery=f'format = "dvcqg.DongBoHoSoMC"\n{RETRY}')
    stage = opened(tmp_path / "home", nhanh=wants_dossiers)
    try:
        receipt = stage.send(document(MOTCUA, (NHANH, QLVB)))
        stage.settle(receipt.message_id, H32_07="parked", H32_02="delivered")
        (held,) = stuck(stage.hub.store)
        assert (held.cause, "translation-not-carried" in held.detail) == ("translation-failed", True)
        assert told(stage) == []
        stage.check()
    finally:
        stage.hub.stop()


def test_a_defect_in_translating_parks_that_delivery_only(spoken: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.translating.translate", lambda *_, **__: 1 / 0)
    receipt = spoken.send(document(MOTCUA, (NHANH,)))
    spoken.settle(receipt.message_id, H32_07="parked")
    monkeypatch.undo()
    assert stuck(spoken.hub.store)[0].cause == "internal-error"


def test_who_fetches_gets_the_translation_and_its_digest(spoken: Stage) -> None:
    receipt = spoken.send(document(MOTCUA, (HOP,)))
    mailbox, principal = spoken.hub.mailbox, spoken.principal("hop")
    (item,), _ = mailbox.pending(principal)
    assert (item.size, item.sha256) == (0, ""), "not made yet"
    got, body, content_type = mailbox.fetch(principal, item.delivery_id, at=spoken.hub.clock())
    assert (got.sha256, got.size, content_type) == (sha256(body).hexdigest(), len(body), "application/json")
    assert mailbox.fetch(principal, item.delivery_id, at=spoken.hub.clock())[1] == body
    assert len(told(spoken)) == 1
    (again,), _ = mailbox.pending(principal)
    assert again == got
    assert mailbox.acknowledge(principal, item.delivery_id, at=spoken.hub.clock()).result() == "delivered"
    assert spoken.states(receipt.message_id) == {HOP: "delivered"}
    assert told(spoken, "delivery")[-1]["attempt"] == 1
    spoken.check()


def test_who_fetches_what_would_lose_something_is_told_and_it_is_parked(spoken: Stage) -> None:
    receipt = spoken.send(document(MOTCUA, (HOP,)).replace(*UNKNOWN))
    (item,), _ = spoken.hub.mailbox.pending(spoken.principal("hop"))
    with pytest.raises(HubError, match="translation-lossy") as raised:
        spoken.hub.mailbox.fetch(spoken.principal("hop"), item.delivery_id, at=spoken.hub.clock())
    assert [one.code for one in raised.value.violations] == ["translation-loss"]
    assert spoken.states(receipt.message_id) == {HOP: "parked"}
    spoken.check()


def test_a_status_comes_back_in_the_format_of_who_gets_it(tmp_path: Path) -> None:
    stage = opened(tmp_path / "home")
    try:
        sent = stage.send(document(NHANH, (QLVB,)), "nhanh")
        stage.settle(sent.message_id, H32_02="delivered")
        answer = stage.send(status(QLVB, NHANH, code="01"), "qlvb")
        stage.settle(answer.message_id, H32_07="delivered")
        assert json.loads(stage.systems["nhanh"].bodies[0])["kind"] == "status"
    finally:
        stage.hub.stop()


WRONG = {
    "a format that does not exist": ('format = "khong-co"', "a format that docs/translation.md lists"),
    "one that no mapping leads to": ('format = "dvcqg.TraLoi"', "a format that a mapping leads to"),
    "a kind of loss that does not exist": (f'{FORMATS}\naccept_losses = ["moi-thu"]', ""),
}


@pytest.mark.parametrize(("lines", "expected"), WRONG.values(), ids=WRONG.keys())
def test_a_profile_that_cannot_be_kept_is_refused_at_the_start(tmp_path: Path, lines: str, expected: str) -> None:
    with pytest.raises(Halted, match="settings-invalid") as raised:
        open_stage(tmp_path / "home", profiles={**PROFILES, "nhanh": profile([NHANH], "recorder", delivery=lines)})
    assert expected in raised.value.expected


def test_the_provinces_own_mappings_are_loaded_and_what_is_wrong_with_them_is_told(tmp_path: Path) -> None:
    stage = open_stage(tmp_path / "home", profiles=PROFILES)
    stage.hub.start()
    stage.hub.stop()
    folder = tmp_path / "home" / "mappings" / "cua_tinh"
    folder.mkdir(parents=True)
    (folder / "mapping.toml").write_text('name = "cua_tinh"\n', "utf-8")
    with pytest.raises(Halted, match="settings-invalid") as raised:
        open_stage(tmp_path / "home", profiles=PROFILES, fresh=False)
    assert all(one.path.startswith("cua_tinh/mapping.toml") for one in raised.value.violations)
    assert len(raised.value.violations) > 3


def test_a_damaged_or_missing_artefact_is_found_by_fsck(spoken: Stage) -> None:
    receipt = spoken.send(document(MOTCUA, (NHANH,)))
    spoken.settle(receipt.message_id, H32_07="delivered")
    (entry,) = told(spoken)
    with spoken.hub.store.write() as conn:
        conn.execute(kept.update().values(content=b"khac"))
    with pytest.raises(AssertionError, match="artefact-changed"):
        spoken.check()
    with spoken.hub.store.read() as conn, pytest.raises(HubError, match="artefact-changed"):
        artefacts.fetch(conn, entry["mappings"][0])


def unavailable() -> HubError:
    from adapters.contract import AgencyUnavailable

    return AgencyUnavailable("agency-unavailable", got="test")
