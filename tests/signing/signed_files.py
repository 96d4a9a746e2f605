"""What the tests of signed files share: one set of identities, one moment, and a finding in the words of a vector."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from schemas.errors import Refused
from signing.algorithms import CURRENT
from signing.finding import Finding, Given
from tests.vectors import identities
from tests.vectors.case import Case

JUDGED_AT = datetime(2026, 11, 21, 3, 4, 5, tzinfo=UTC)

Told = tuple[tuple[str, ...], str, int, tuple[str, ...], bool]


@cache
def world() -> identities.World:
    """Made once for each process: vectors are parameters, so they are there before any fixture is."""
    folder = Path(tempfile.mkdtemp(prefix="vectors-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return identities.build(folder, JUDGED_AT - timedelta(days=30))


def around(*certificates: bytes) -> Given:
    """What a reader is given: the moment, the table, and the certificate that some signatures leave out."""
    return Given(JUDGED_AT, CURRENT, (world().elliptic.der, *certificates))


def told(examine: Callable[[], tuple[Finding, ...]] | None, case: Case) -> Told:
    """What is said of `case`: reasons, integrity, how many findings, notes, proven time. Without `examine`, what ought to be."""
    if examine is None:
        return case.reasons, case.integrity, case.findings, case.notes, case.stamped
    try:
        found = examine()
    except Refused as fault:
        return (fault.code,), case.integrity, 0, case.notes, case.stamped
    worst = max(found, key=lambda one: len(one.reasons))
    return worst.reasons, str(worst.integrity), len(found), tuple(note.code for note in worst.notes), worst.stamp is not None
