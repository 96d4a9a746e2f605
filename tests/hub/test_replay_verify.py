"""Verifying again: as of then, as of now, and as if it came today; after revocations, an algorithm's date, another trust store."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import delete, update

from adapters.systems.sandbox import Sandbox
from hub.demo.pki import Pki, build_pki
from replay.job import JobState, Mode
from replay.store.tables import artefacts, evidence
from signing.algorithms import TABLE, AlgorithmPolicy
from signing.trust import LISTS
from tests.hub.people import Staff
from tests.hub.replaying import made, report
from tests.hub.stage import MOTCUA, QLVB, open_stage
from tests.packets import document

LATER = timedelta(days=1)
START = datetime.now(UTC) - timedelta(days=3)  # certificates of these tests are younger than the machine's clock by no more than that


@dataclass
class Clock:
    """Stands until it is moved."""

    at: datetime = START

    def __call__(self) -> datetime:
        return self.at


@dataclass
class Then:
    """A hub that accepted signed packets at `START`; what the tests change happens a day later."""

    staff: Staff
    clock: Clock
    pki: Pki
    home: Path
    sent: list[UUID] = field(default_factory=list)

    def publish(self, revoked: Mapping[str, datetime]) -> None:
        self.pki.publish(self.clock(), revoked)
        shutil.copytree(self.pki.trust / LISTS, self.home / "trust" / LISTS, dirs_exist_ok=True)
        self.staff.shop.today.grounds.refresh()

    def report(self, algorithms: AlgorithmPolicy | None = None) -> dict[str, Any]:
        """Of a replay a day later, with another table of algorithms in force if one is given."""
        staff = self.staff
        staff.tokens.clear()  # sessions are of the day
        shop = staff.shop if algorithms is None else replace(staff.shop, today=replace(staff.shop.today, algorithms=algorithms))
        job = made(staff, Mode.VERIFY)
        staff.shop.replays.start(staff.session("an"), job.id)
        sandbox = Sandbox(self.clock)
        try:
            assert shop.engine(sandbox).run(job.id).state is JobState.DONE
        finally:
            sandbox.close()
        return report(staff, job)


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return build_pki(tmp_path_factory.mktemp("pki"), (MOTCUA,), START, elliptic=[MOTCUA], root_bits=2048)


@pytest.fixture
def then(tmp_path: Path, pki: Pki) -> Iterator[Then]:
    clock = Clock()
    pki.publish(START, {})
    stage = open_stage(tmp_path / "home", trust=pki.trust, hub_toml="sweep_s = 0.1\n", clock=clock)
    stage.hub.start()
    found = Then(Staff(stage), clock, pki, tmp_path / "home")
    for number in range(2):
        raw = pki.identities[MOTCUA].sign(document(MOTCUA, (QLVB,), f"{MOTCUA},2026/03/02,{number}/X"))
        found.sent.append(stage.send(raw, at=clock()).message_id)
        stage.settle(found.sent[-1], H32_02="delivered")
    clock.at += LATER
    yield found
    found.staff.stage.hub.stop()


def _table(until: datetime | None, version: str = "of-tomorrow") -> AlgorithmPolicy:
    """The table in force with an end for SHA-256."""
    text = TABLE.read_text("utf-8")
    head, row, rest = text.partition('[[hash]]\nname = "sha256"\n')
    ends = f"until = {until.isoformat()}\nproven = true\n" if until else ""
    table = AlgorithmPolicy.parse(head.replace('version = "', f'version = "{version} ', 1) + row + ends + rest)
    assert table.rows["hash", "sha256"].until == until
    return table


def test_with_the_lists_of_tomorrow_everything_is_as_it_was(then: Then) -> None:
    then.publish({})
    told = then.report()
    assert (told["outcomes"], told["as_of_now"], told["if_it_came_today"]) == ({"same": 2}, {"same": 2}, {"same": 2})


def test_a_certificate_revoked_since_is_good_for_what_the_journal_had_before(then: Then) -> None:
    then.publish({MOTCUA: START + timedelta(hours=1)})
    told = then.report()
    assert (told["outcomes"], told["as_of_now"], told["if_it_came_today"]) == ({"same": 2}, {"same": 2}, {"changed": 2})
    today = told["exceptions"][0]["today"]
    assert (today["verdict"], today["reasons"], today["because"]) == ("invalid", ["revoked"], ["time"])
    assert today["fields"]["/verdict"] == ["valid", "invalid"]


def test_what_a_run_has_learnt_does_not_answer_for_the_next_one(then: Then) -> None:
    """The same packets on the same grounds are answered from memory; other lists, and evidence that is gone, are not."""
    then.publish({})
    assert then.report()["if_it_came_today"] == {"same": 2}
    then.publish({MOTCUA: START + timedelta(hours=1)})
    told = then.report()
    assert (told["as_of_now"], told["if_it_came_today"]) == ({"same": 2}, {"changed": 2})
    with then.staff.stage.hub.store.write() as conn:
        conn.execute(delete(evidence))
    assert then.report()["outcomes"] == {"impossible": 2}


def test_a_revocation_that_turns_out_to_be_older_is_named(then: Then) -> None:
    then.publish({MOTCUA: START - timedelta(hours=1)})
    told = then.report()
    assert (told["outcomes"], told["as_of_now"]) == ({"same": 2}, {"changed": 2}), "the verdict of then was right with what was known"
    now = told["exceptions"][0]["now"]
    assert (now["reasons"], now["because"]) == (["revoked"], ["lists"])
    assert now["fields"]["/signatures/0/revocation"] == ["ok", "failed"]


def test_an_algorithm_whose_date_has_passed_is_good_for_what_the_journal_had_before(then: Then) -> None:
    then.publish({})
    told = then.report(_table(START + timedelta(hours=1)))
    assert (told["outcomes"], told["as_of_now"], told["if_it_came_today"]) == ({"same": 2}, {"same": 2}, {"changed": 2})
    today = told["exceptions"][0]["today"]
    assert ("alg-forbidden" in today["reasons"], today["because"]) == (True, ["time"])


def test_an_algorithm_that_is_found_to_have_been_weak_before_is_named(then: Then) -> None:
    then.publish({})
    told = then.report(_table(START - timedelta(hours=1)))
    assert (told["outcomes"], told["as_of_now"]) == ({"same": 2}, {"changed": 2})
    now = told["exceptions"][0]["now"]
    assert ("alg-forbidden" in now["reasons"], now["because"]) == (True, ["algorithms"])


def test_another_trust_store_is_named(then: Then) -> None:
    stage = then.staff.stage
    stage.hub.stop()
    shutil.rmtree(then.home / "trust")
    (then.home / "trust").mkdir()
    then.staff.stage = open_stage(then.home, fresh=False, clock=then.clock)
    then.staff.stage.hub.start()
    told = then.report()
    assert (told["outcomes"], told["as_of_now"], told["if_it_came_today"]) == ({"same": 2}, {"changed": 2}, {"changed": 2})
    now = told["exceptions"][0]["now"]
    assert ("untrusted-chain" in now["reasons"], now["because"]) == (True, ["trust"])


def test_a_system_without_a_profile_today_is_verified_as_of_then(then: Then) -> None:
    stage = then.staff.stage
    stage.hub.stop()
    (then.home / "systems" / "motcua.toml").unlink()
    then.staff.stage = open_stage(then.home, fresh=False, clock=then.clock)
    then.staff.stage.hub.start()
    told = then.report()
    assert (told["outcomes"], told["as_of_now"]) == ({"same": 2}, {"changed": 2})
    assert told["exceptions"][0]["now"] == {"changed": True, "code": "artefact-missing", "because": ["policy"]}


DAMAGE: dict[str, tuple[Callable[[], Any], str]] = {
    "the evidence is gone": (lambda: delete(evidence), "evidence-invalid"),
    "the evidence was changed": (lambda: update(evidence).values(body=b"{}"), "evidence-invalid"),
    "the table of algorithms is gone": (lambda: delete(artefacts), "not-found"),
}


@pytest.mark.parametrize(("damage", "code"), DAMAGE.values(), ids=DAMAGE.keys())
def test_what_cannot_be_asked_is_not_answered(then: Then, damage: Callable[[], Any], code: str) -> None:
    with then.staff.stage.hub.store.write() as conn:
        conn.execute(damage())
    told = then.report()
    assert told["outcomes"] == {"impossible": 2}
    assert {one["code"] for one in told["exceptions"]} == {code}
