"""fsck, or a verifier who holds an older checkpoint, finds every one of some thousand ways to change a store.

``make tamper`` draws 10,000 new ones. A defect that a run has found gets a named case here or in tests/replay.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import Random

import pytest

from replay.cosigned import newest_cosigned
from replay.findings import FsckReport
from signing.cosignature import cosigned_at
from tests.tamper import cases, forgeries, run
from tests.tamper.store import WITNESS, Base, build

SEEDS = (20261122, 20261123)  # two tests, so that two cores share them
CASES = 1_000  # of each


@pytest.fixture(scope="module")
def bases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Base, Base]]:
    small, grown = build(tmp_path_factory.mktemp("tamper"))
    yield small, grown
    small.close()
    grown.close()


@contextmanager
def after(base: Base, *statements: str) -> Iterator[FsckReport]:
    """What fsck says once somebody has run these."""
    base.db.execute("SAVEPOINT untouched")
    try:
        for statement in statements:
            base.db.execute(statement)
        yield base.fsck(with_checkpoint=False)
    finally:
        base.db.execute("ROLLBACK TO untouched")
        base.db.execute("RELEASE untouched")


def test_the_stores_are_intact_and_have_of_everything(bases: tuple[Base, Base]) -> None:
    for base in bases:
        report = base.fsck(with_checkpoint=True)
        assert report.is_intact, report.as_json()
        empty = [table for table in cases.TABLES if not base.db.execute(f"SELECT 1 FROM {table} LIMIT 1").fetchone()]
        assert empty == (["tree_nodes"] if base is bases[0] else [])


@pytest.mark.parametrize("seed", SEEDS)
def test_every_change_is_found(bases: tuple[Base, Base], seed: int) -> None:
    tally = run.run(*bases, seed, CASES)
    assert not tally.missed, "\n".join(tally.missed)
    assert tally.total == CASES
    assert set(tally.found) == {case.__name__ for case in run.KINDS}
    assert all(base.fsck(with_checkpoint=True).is_intact for base in bases)  # nothing of a case is left


def test_a_case_is_repeated_by_its_seed(bases: tuple[Base, Base]) -> None:
    assert [run.run(*bases, 7, 5).found for _ in range(2)] == [run.run(*bases, 7, 5).found] * 2


@pytest.mark.parametrize("how", [cases.rolled_back, cases.forked], ids=["rolled back", "forked"])
def test_an_older_checkpoint_tells_of_whatever_was_rewritten(bases: tuple[Base, Base], how: cases.Case) -> None:
    base = bases[0]
    for number in range(8):
        base.db.execute("SAVEPOINT untouched")
        assert how(base, Random(number))
        assert {each.code for each in base.fsck(with_checkpoint=True).differences} >= {"checkpoint-mismatch"}
        base.db.execute("ROLLBACK TO untouched")
        base.db.execute("RELEASE untouched")


def test_whoever_holds_the_hubs_own_key_deceives_the_store_but_not_who_kept_a_checkpoint(bases: tuple[Base, Base]) -> None:
    """Of a log whose entries nothing else tells of, fsck alone has nothing to say: this is what witnesses and kept checkpoints are for."""
    base, alone = bases[1], 0
    for number in range(16):
        base.db.execute("SAVEPOINT untouched")
        if forgeries.signed_by_the_hub(base, Random(number)):
            alone += base.fsck(with_checkpoint=False).is_intact
            assert "checkpoint-mismatch" in {each.code for each in base.fsck(with_checkpoint=True).differences}
            assert forgeries.unmasked(base)
        base.db.execute("ROLLBACK TO untouched")
        base.db.execute("RELEASE untouched")
    assert alone
    assert not forgeries.unmasked(base)  # an honest log is taken


@pytest.mark.parametrize("field", ["by", "replay"])
def test_a_forged_replay_entry_that_names_nobody_is_a_difference(bases: tuple[Base, Base], field: str) -> None:
    """It was an internal error of fsck: the entry was read as if the hub had written it."""
    base = bases[0]
    base.db.execute("SAVEPOINT untouched")
    try:
        query = 'SELECT e."index", leaf, body FROM entries e JOIN openings o ON o."index" = e."index" WHERE o.event = \'replay\' LIMIT 1'
        [index, leaf, body] = base.db.execute(query).fetchone()
        opening = json.loads(body)
        opening[field]["value"] = "nobody"
        forgeries.rewrite(base.db, index, json.loads(leaf), opening)
        assert {"opening-changed", "replay-changed"} <= {each.code for each in base.fsck(with_checkpoint=False).differences}
    finally:
        base.db.execute("ROLLBACK TO untouched")
        base.db.execute("RELEASE untouched")


# What the harness found that fsck did not know of, or fell over: a sentence → what is done, and what fsck must say.
DEFECTS: dict[str, tuple[str, tuple[str, ...]]] = {
    "evidence of a verdict edited": ("evidence-changed", ("UPDATE evidence SET body = x'00' WHERE rowid = 1",)),
    "evidence of a verdict deleted": ("evidence-changed", ("DELETE FROM evidence WHERE rowid = 1",)),
    "a verdict that was reached again edited": ("evidence-changed", ("UPDATE verifications SET verdict = '{}'",)),
    "a verdict that was withdrawn called confirmed": ("evidence-changed", ("UPDATE verifications SET state = 'withdrawn'",)),
    "a verdict made to rest on other evidence": ("evidence-changed", ("UPDATE verifications SET evidence = 'x'",)),
    "a verdict that nobody reaches again": ("evidence-changed", ("DELETE FROM verifications",)),
    "a checkpoint edited": ("published-changed", ("UPDATE checkpoints SET note = x'00'",)),
    "a checkpoint called one of another size": ("published-changed", ("UPDATE checkpoints SET size = size - 1",)),
    "a checkpoint that was cosigned left out": ("published-changed", ("DELETE FROM checkpoints",)),
    "a cosignature edited": ("published-changed", ("UPDATE cosignatures SET line = replace(line, 'AAAA', 'AAAB')",)),
    "a cosignature called another's": ("published-changed", ("UPDATE cosignatures SET witness = 'witness.test/two'",)),
    "a cosignature of another time": ("published-changed", ("UPDATE cosignatures SET at_s = at_s - 1",)),
    "a payload of a size that is none": ("payload-damaged", ("UPDATE payloads SET size = x'0102' WHERE body IS NOT NULL",)),
    "a payload's key that is none": ("payload-damaged", ("UPDATE message_keys SET wrapped = 7 WHERE wrapped IS NOT NULL",)),
    "a message that the index does not find": (
        "search-changed",
        ("INSERT INTO search_terms(search_terms, rowid, terms) SELECT 'delete', position, terms FROM search LIMIT 1",),
    ),
    "a message that the index invents": ("search-changed", ("INSERT INTO search_terms(rowid, terms) VALUES (999, 'tbidat')",)),
    "a session that nobody opened": (
        "person-changed",
        ("INSERT INTO sessions SELECT 'invented', person_id, secret_sha256, created_at, expires_at, '' FROM sessions LIMIT 1",),
    ),
    "a session with another secret": ("person-changed", ("UPDATE sessions SET secret_sha256 = zeroblob(32)",)),
    "a session that lasts longer": ("person-changed", ("UPDATE sessions SET expires_at = '2099-01-01T00:00:00.000000Z'",)),
    "a session that was ended": ("person-changed", ("UPDATE sessions SET ended_at = '' WHERE ended_at != ''",)),
    "a person by another name": ("person-changed", ("UPDATE persons SET name = 'Bình' WHERE login = 'an'",)),
    "an approval by somebody else": ("replay-changed", ("UPDATE replay_approvals SET person_id = '00000000000000000000000000000000'",)),
    "an approval that nobody gave": (
        "replay-changed",
        (
            "INSERT INTO replay_approvals SELECT r.id, a.person_id, r.digest, a.at, a.entry FROM replays r, replay_approvals a"
            " WHERE r.id != a.replay_id LIMIT 1",
        ),
    ),
    "a replay that is called done": ("replay-changed", ("UPDATE replays SET state = 'done' WHERE state = 'ready'",)),
    "a report of another replay": (
        "replay-changed",
        ("UPDATE replays SET report = (SELECT report FROM replays WHERE state = 'cancelled') WHERE state = 'done'",),
    ),
    "a result that was edited": ("replay-changed", ("UPDATE replay_items SET finding = '{}' WHERE outcome = 'same'",)),
    "a selection with an item less": ("replay-changed", ("DELETE FROM replay_items WHERE position = 0",)),
    "an idempotency key that nobody asked for": ("replay-changed", ("UPDATE delivery_keys SET key = 'x'",)),
    "a time stamp of another checkpoint": ("published-changed", ("UPDATE checkpoints SET stamp = substr(stamp, 1, 500)",)),
    "checkpoints that are not counted on": ("published-changed", ("UPDATE checkpoints SET number = number + 1",)),
    "an index that cannot be read": ("search-changed", ("UPDATE search_terms_data SET block = x'00ff00ff' WHERE id > 10",)),
}


@pytest.mark.parametrize(("code", "statements"), DEFECTS.values(), ids=DEFECTS.keys())
def test_what_the_harness_has_found_stays_found(bases: tuple[Base, Base], code: str, statements: tuple[str, ...]) -> None:
    with after(bases[0], *statements) as report:
        assert code in {each.code for each in report.differences}, report.as_json()
        assert report.as_error() is not None


SAME: dict[str, Callable[[Base], object]] = {
    "the same bytes again": lambda base: base.db.execute("UPDATE entries SET leaf = leaf, leaf_hash = leaf_hash"),
    "the index rebuilt": lambda base: base.db.execute("INSERT INTO search_terms(search_terms) VALUES ('rebuild')"),
    "work put off": lambda base: base.db.execute("UPDATE deliveries SET due_at = '2030-01-01T00:00:00.000000Z' WHERE order_key != ''"),
}


@pytest.mark.parametrize("how", SAME.values(), ids=SAME.keys())
def test_what_changes_nothing_promised_is_no_difference(bases: tuple[Base, Base], how: Callable[[Base], object]) -> None:
    base = bases[0]
    base.db.execute("SAVEPOINT untouched")
    how(base)
    report = base.fsck(with_checkpoint=True)
    base.db.execute("ROLLBACK TO untouched")
    base.db.execute("RELEASE untouched")
    assert report.is_intact, report.as_json()


def test_a_cosignature_that_is_gone_deceives_nobody(bases: tuple[Base, Base]) -> None:
    """fsck cannot tell it from one never given. A verifier who asks for the quorum does not take the checkpoint without it."""
    base = bases[1]
    with base.store.read() as conn:
        before = newest_cosigned(conn, [WITNESS.name], 1)
    assert before is not None
    assert WITNESS.name in cosigned_at(before.note, [WITNESS.verifier])
    base.db.execute("SAVEPOINT untouched")
    try:
        base.db.execute("DELETE FROM cosignatures WHERE size = ?", (before.size,))
        assert base.fsck(with_checkpoint=True).is_intact
        with base.store.read() as conn:
            after = newest_cosigned(conn, [WITNESS.name], 1)
            bare = conn.exec_driver_sql("SELECT note FROM checkpoints WHERE size = ?", (before.size,)).scalar_one()
        assert after is None or after.size < before.size  # an older one is shown, which its witness did sign
        assert cosigned_at(bare, [WITNESS.verifier]) == {}
    finally:
        base.db.execute("ROLLBACK TO untouched")
        base.db.execute("RELEASE untouched")
