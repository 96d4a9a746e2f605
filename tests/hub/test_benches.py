"""Every measurement can be run: a tiny one, whose figures are those of a rate."""

from __future__ import annotations

import json
from typing import Any

from typer.testing import CliRunner

from hub.cli.bench import app


def measured(*arguments: str) -> dict[str, Any]:
    result = CliRunner().invoke(app, [*arguments, "--json"])
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def test_fsck_is_measured() -> None:
    found = measured("fsck", "--entries", "30", "--packets", "3", "--exchanges", "2", "--rounds", "1")
    # beside the exchanges' own entries stand those of what is in force
    assert (found["packets"]["messages"], found["exchanges"]["messages"]) == (3, 8)
    assert found["exchanges"]["entries"] - (found["packets"]["entries"] - 3) >= 2 * 8
    assert all(found[name]["entries_per_cpu_s"] > 0 for name in ("entries", "packets", "exchanges"))


def test_the_log_is_measured() -> None:
    found = measured("log", "--appended", "40", "--batch", "20", "--size", "600", "--proofs", "5")
    assert found["appended"] == 40
    assert found["append_per_s"] > 0
    assert found["prove_median_ms"] > 0


def test_verifying_again_is_measured() -> None:
    found = measured("replay", "--rounds", "2", "--packets", "3")
    assert found["packets"] == 6
    assert found["replay_us"] > found["look_up_us"] > 0 < found["raw_us"]
