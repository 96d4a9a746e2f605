"""Draws cases, lets fsck look at each, and tells which it has not found."""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from random import Random

from tests.tamper import cases, forgeries, payload_files
from tests.tamper.cases import Case
from tests.tamper.store import Base

# How often each kind is drawn. A verifier who holds an older checkpoint is asked only about what no store can tell of itself.
ALONE: Mapping[Case, int] = {
    cases.edit: 30,
    cases.bit_of_a_proof: 12,
    cases.value_in_json: 6,
    cases.delete_rows: 8,
    cases.insert_row: 8,
    cases.exchange: 8,
    cases.swap_payloads: 3,
    cases.another_payload: 2,
    cases.another_receipt: 3,
    cases.message_gone: 2,
    cases.unsaid_erasure: 2,
    cases.erasure_undone: 3,
    cases.state_row: 4,
    cases.search_index: 3,
    payload_files.payload_file: 4,
    payload_files.row_to_another_file: 1,
    payload_files.another_payload_file: 1,
    forgeries.signature_kept: 2,
    forgeries.signed_by_another: 2,
}
WITH_CHECKPOINT: Mapping[Case, int] = {
    cases.leaf_forged: 4,
    cases.entries_reordered: 4,
    cases.entries_cut_out: 4,
    cases.entry_put_in: 2,
    cases.rolled_back: 2,
    cases.forked: 2,
    forgeries.signed_by_the_hub: 3,
}
# What has to be said of it, whatever else is found: the lie itself, not a thread that hangs out elsewhere.
MUST_TELL: Mapping[Case, str] = {
    forgeries.signature_kept: "published-changed",
    forgeries.signed_by_another: "published-changed",
    forgeries.signed_by_the_hub: "checkpoint-mismatch",
}
KINDS = {**ALONE, **WITH_CHECKPOINT}
GROWN_SHARE = 0.1  # so many cases act on the store with a full tile


@dataclass
class Tally:
    """What came of a run."""

    seed: int
    found: Counter[str] = field(default_factory=Counter)  # by kind of case
    harmless: int = 0  # drawn, and without effect on anything promised: not counted
    missed: list[str] = field(default_factory=list)

    @property
    def total(self) -> int:
        """Cases that counted."""
        return self.found.total() + len(self.missed)


def run(small: Base, grown: Base, seed: int, count: int) -> Tally:
    """`count` cases that changed something promised; each is drawn from a seed of its own, which repeats it."""
    tally = Tally(seed)
    for number, case in _drawn(seed):
        if tally.total == count:
            return tally
        draw = Random(f"{seed}/{number}")
        _one(grown if draw.random() < GROWN_SHARE else small, case, draw, tally, f"seed {seed}, case {number}")
    raise RuntimeError("unreachable")


def _one(base: Base, case: Case, draw: Random, tally: Tally, name: str) -> None:
    base.db.execute("SAVEPOINT untouched")
    try:
        told = case(base, draw)
        if not told:
            tally.harmless += 1
        else:
            wrong = _look(base, case)
            if not wrong and case is forgeries.signed_by_the_hub and not forgeries.unmasked(base):
                wrong = "taken by who kept an older checkpoint"
            if wrong:
                tally.missed.append(f"{name}, {case.__name__}: {wrong}; {told}"[:400])
            else:
                tally.found[case.__name__] += 1
    finally:
        base.db.execute("ROLLBACK TO untouched")
        base.db.execute("RELEASE untouched")
        if case.__module__ == payload_files.__name__:
            base.put_files_back()


def _look(base: Base, case: Case) -> str:
    """What is wrong with what fsck says; "" if it names a difference, the one that it must name included."""
    try:
        report = base.fsck(with_checkpoint=case in WITH_CHECKPOINT)
        wanted = MUST_TELL.get(case)
        told = wanted is None or wanted in {each.code for each in report.differences}
        return "not found" if report.is_intact else "" if told else f"found, but no {wanted}"
    except Exception as fault:  # noqa: BLE001 - whatever stands in the store, fsck ends with a report
        return f"{type(fault).__name__} {fault}"


def _drawn(seed: int) -> Iterator[tuple[int, Case]]:
    kinds, weights = list(KINDS), list(KINDS.values())
    number = 0
    while True:
        draw = Random(zlib.crc32(f"{seed}:{number}".encode()))
        yield number, draw.choices(kinds, weights)[0]
        number += 1
