"""A started hub per test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hub.stage import Stage, open_stage


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """motcua and qlvb (in-process receivers), datdai (mailbox), truc (the axis: may send for anyone, takes one packet for all)."""
    opened = open_stage(tmp_path / "home")
    opened.hub.start()
    yield opened
    opened.hub.stop()
