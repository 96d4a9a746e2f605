"""One served hub per test process: starting it costs more than any test, and every test uses documents of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.api.face import Face, serving


@pytest.fixture(scope="session")
def face(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Face]:
    """A running hub with three systems that fetch from their mailboxes."""
    with serving(tmp_path_factory.mktemp("hub") / "home") as running:
        yield running
