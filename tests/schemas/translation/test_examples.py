"""Every mapping by its examples: what comes out, what is lost, and that the way back brings all but that."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from schemas.errors import Refused
from schemas.limits import DEFAULT_LIMITS
from schemas.translation import formats
from schemas.translation.engine import AUTO, translate
from schemas.translation.formats import MARKS
from schemas.translation.mapping import MappingKind
from schemas.translation.shipped import shipped
from tests.schemas.translation.examples import EXAMPLES, Example, differences, forward, lost, tree_of

FIXTURES = Path(__file__).parents[3].parent / "shared" / "fixtures"
INVERSE = [one for one in EXAMPLES if one.mapping.inverse]

# Prints name, digest of what came out both ways, and the losses, of every example.
PROBE = """
from hashlib import sha256
from schemas.translation.engine import translate
from schemas.translation.shipped import shipped
from tests.schemas.translation.examples import EXAMPLES, forward
for one in EXAMPLES:
    made = forward(one)
    back = translate(made.body, one.mapping.target, one.mapping.source, shipped()).body if one.mapping.inverse else b""
    print(one, sha256(made.body).hexdigest(), sha256(back).hexdigest(), sha256(repr(made.losses).encode()).hexdigest(), *made.mapping_ids)
"""


def test_every_mapping_has_an_example() -> None:
    assert {one.mapping.name for one in EXAMPLES} == set(shipped().by_name)


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_an_example_comes_out_as_it_stands(example: Example) -> None:
    made = forward(example)
    assert made.body == example.made
    assert [f"{one.kind} {one.path}" for one in made.losses] == example.losses
    assert made.mapping_ids[0] == example.mapping.id


@pytest.mark.parametrize("example", INVERSE, ids=str)
def test_the_way_back_brings_everything_but_what_is_named_as_lost(example: Example) -> None:
    made = forward(example)
    again = translate(made.body, example.mapping.target, example.mapping.source, shipped())
    assert differences(tree_of(example.mapping.source, example.given), tree_of(example.mapping.source, again.body)) == lost(made)


@pytest.mark.parametrize("example", INVERSE, ids=str)
def test_a_canonical_document_comes_back_byte_by_byte(example: Example) -> None:
    there = translate(example.made, example.mapping.target, example.mapping.source, shipped())
    again = translate(there.body, example.mapping.source, example.mapping.target, shipped())
    assert again.body == example.made
    assert there.losses == again.losses == ()


@pytest.mark.parametrize("example", [one for one in INVERSE if one.mapping.name.startswith("edxml") and not one.losses], ids=str)
def test_a_packet_of_the_strict_writer_comes_back_byte_by_byte(example: Example) -> None:
    assert translate(example.made, example.mapping.target, example.mapping.source, shipped()).body == example.given


@pytest.mark.parametrize("example", [one for one in EXAMPLES if one.mapping.kind is MappingKind.XSLT], ids=str)
def test_a_stylesheet_changes_no_value(example: Example) -> None:
    assert differences(tree_of(example.mapping.source, example.given), tree_of(example.mapping.target, forward(example).body)) == set()


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_the_format_is_told_by_the_content_or_not_at_all(example: Example) -> None:
    same = [name for name, marks in MARKS.items() if marks == MARKS.get(example.mapping.source, ()) and marks]
    if len(same) > 1:
        with pytest.raises(Refused, match="translation-format-ambiguous"):
            translate(example.given, AUTO, example.mapping.target, shipped())
    else:
        assert translate(example.given, AUTO, example.mapping.target, shipped()).source == example.mapping.source
    if example.mapping.inverse:
        assert translate(example.made, AUTO, example.mapping.source, shipped()).source == example.mapping.target


def test_processes_with_other_hashes_make_the_same_bytes() -> None:
    said = [
        subprocess.run([sys.executable, "-c", PROBE], env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, check=True).stdout
        for seed in ("0", "4242")
    ]
    assert said[0] == said[1]
    assert said[0].count(b"\n") == len(EXAMPLES)


def _fixtures() -> list[Path]:
    return sorted(path for name in ("edxml/*.edxml", "onestop/*request.json") for path in FIXTURES.glob(name))


@pytest.mark.fixtures
@pytest.mark.skipif(not FIXTURES.exists(), reason="../shared/fixtures is not there")
@pytest.mark.parametrize("path", _fixtures(), ids=lambda path: path.name)
def test_a_real_shaped_message_comes_back_but_for_what_is_named(path: Path) -> None:
    source = formats.detect(path.read_bytes(), DEFAULT_LIMITS)
    pivots = [one.target for one in shipped().by_name.values() if one.source == source and one.inverse]
    for pivot in pivots:
        made = translate(path.read_bytes(), AUTO, pivot, shipped())
        again = translate(made.body, pivot, source, shipped())
        assert differences(tree_of(source, path.read_bytes()), tree_of(source, again.body)) == lost(made)
    assert pivots or source not in {one.source for one in shipped().by_name.values()}
