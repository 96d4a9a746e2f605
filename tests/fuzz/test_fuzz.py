"""A short run of the fuzz target, in a process of its own; and that the fuzzer would find something if there were something."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from random import Random

from schemas.validate import validate
from tests.fuzz.guided import Guided
from tests.fuzz.seeds import MOST_BYTES, pieces, seeds
from tests.fuzz.target import AT, consume

ROOT = Path(__file__).parents[2]


def test_nothing_but_our_own_errors_comes_out_of_the_seeds() -> None:
    for seed in seeds():
        consume(seed)


def test_a_short_run_finds_nothing(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.fuzz", "--seconds", "5", "--findings", str(tmp_path / "findings")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=240)
    assert done.returncode == 0, done.stdout + done.stderr
    assert " edges, " in done.stdout


def test_a_fault_behind_several_branches_is_found_and_cut_down() -> None:
    def faulty(data: bytes) -> None:
        report = validate(data, at=AT)
        if report.kind == "document.status" and "doubled-element" in {one.code for one in report.violations}:
            raise KeyError("planted")

    run = Guided(faulty, pieces(), Random(7), MOST_BYTES)
    finding = run.run([seed for seed in seeds() if b"StatusCode" in seed][:2], 60.0)
    assert finding is not None
    assert finding.what == "KeyError: 'planted'"
    assert len(finding.data) < 1500
