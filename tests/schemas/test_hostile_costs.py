"""What hostile packets cost: every one is refused by name, in less than a second, within 300 MB; read as a tree and in a stream alike."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from tests.schemas.hostile_costs import CASES

ROOT = Path(__file__).parents[2]
MAX_SECONDS = 1.0  # of CPU


@cache
def costs(path: str) -> dict[str, tuple[set[str], float]]:
    """All cases, judged in one process under its ceiling of memory."""
    command = [sys.executable, "-m", "tests.schemas.hostile_costs", path]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=240)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0, f"after {rows[-1]['name'] if rows else 'nothing'}: {done.stderr[-2000:]}"
    return {row["name"]: (set(row["codes"]), row["seconds"]) for row in rows}


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="no /proc: a process cannot tell what it holds")
@pytest.mark.parametrize("path", ["tree", "stream"])
def test_every_hostile_packet_is_refused_by_name_quickly_and_in_little_memory(path: str) -> None:
    found = costs(path)
    assert found.keys() == CASES.keys()
    wrong = {name: found[name][0] for name, (_, codes) in CASES.items() if not (found[name][0] & codes or not codes)}
    assert wrong == {}
    slow = {name: seconds for name, (_, seconds) in found.items() if seconds > MAX_SECONDS}
    assert slow == {}
