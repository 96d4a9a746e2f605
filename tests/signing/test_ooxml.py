"""Signed Office documents: every vector by name, and one byte of any part changed."""

from __future__ import annotations

import pytest

from signing.finding import Coverage, Integrity
from signing.ooxml import examine_ooxml
from tests.signing.signed_files import around, told, world
from tests.vectors import build_asic, build_ooxml
from tests.vectors.case import Case, flipped

HONEST = {case.name: case for case in build_ooxml.honest(world())}
DEFECTS = {case.name: case for case in build_ooxml.defects(world())}


@pytest.mark.parametrize("case", HONEST.values(), ids=HONEST.keys())
def test_an_honest_document_is_not_refused(case: Case) -> None:
    (found,) = examine_ooxml(case.data, around())
    assert found.violations == ()
    assert told(lambda: (found,), case) == told(None, case)
    assert (found.kind, found.coverage, found.signer) == ("ooxml", Coverage.WHOLE, world().person.der)
    assert {"word/document.xml", "word/media/dấu.png", "_rels/.rels"} <= set(found.covers)
    assert found.claimed_time is not None and found.claimed_time.isoformat() == "2026-11-20T01:02:03+00:00"


@pytest.mark.parametrize("case", DEFECTS.values(), ids=DEFECTS.keys())
def test_a_defect_is_told(case: Case) -> None:
    assert told(lambda: examine_ooxml(case.data, around()), case) == told(None, case)


@pytest.mark.parametrize("name", [name for name in build_ooxml.FILES if name.startswith("word/") and not name.endswith(".rels")])
def test_one_byte_of_a_part_changed_is_refused(name: str) -> None:
    files = {**build_ooxml.FILES, "_xmlsignatures/sig1.xml": build_ooxml.signed(world())}
    for at in range(0, len(files[name]), 7):
        (found,) = examine_ooxml(build_asic.packed({**files, name: flipped(files[name], at)}), around())
        assert found.reasons == ("attachment-integrity",)
        assert found.integrity is Integrity.FAILED
