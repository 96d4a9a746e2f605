"""The models are the messages that were seen: every field, under its own name, explained by the dictionary."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import ValidationError

from schemas.business.fields import place_of
from schemas.business.kinds import business_kinds
from schemas.dictionary.aliases import alias, systems
from schemas.dvcqg.kinds import kinds
from schemas.dvcqg.shape import Shape, fields_of

SURVEY = Path(__file__).parents[4] / "shared" / "fixtures" / "onestop" / "field_names_by_message.csv"
LINES = {"hộ tịch": "hotich.", "lý lịch tư pháp": "lltp.", "đất đai": "vbdlis.", "doanh nghiệp": "dkkd.", "của hub": "hub."}


def _shapes(shape: type[Shape]) -> Iterator[type[Shape]]:
    yield shape
    for spec in fields_of(shape):
        if spec.shape is not None:
            yield from _shapes(spec.shape)


SHAPES = sorted({one for kind in business_kinds().values() for one in _shapes(kind.shape)}, key=lambda one: (one.__module__, one.__name__))
EXPLAINED = [one for one in SHAPES if place_of(one)[0]]


@pytest.mark.parametrize("line", LINES.values(), ids=LINES)
def test_every_line_of_business_has_messages(line: str) -> None:
    assert [name for name in business_kinds() if name.startswith(line)]


def test_no_message_has_the_name_of_a_dossier_message() -> None:
    assert set(business_kinds()) & set(kinds()) == set()


@pytest.mark.parametrize("shape", EXPLAINED, ids=lambda shape: f"{shape.__module__.rpartition('.')[2]}.{shape.__name__}")
def test_every_field_is_explained_by_the_dictionary_or_said_to_be_unclear(shape: type[Shape]) -> None:
    system, message = place_of(shape)
    lost = [
        spec.name
        for spec in fields_of(shape)
        if alias(system, message, spec.name) is None and not systems()[system].why_not(message, spec.name)
    ]
    assert lost == []
    assert all(spec.about.vi and spec.about.en for spec in fields_of(shape))


@pytest.mark.fixtures
@pytest.mark.skipif(not SURVEY.exists(), reason="needs ../shared/fixtures")
def test_the_models_have_the_fields_of_the_survey_and_no_others() -> None:
    seen: dict[tuple[str, str], set[str]] = {}
    for row in csv.DictReader(SURVEY.read_text("utf-8").splitlines()):
        system = next((one.name for one in systems().values() if any(row["source_path"].startswith(path) for path in one.paths)), "")
        seen.setdefault((system, row["message"]), set()).add(row["field"])
    compared = [one for one in EXPLAINED if place_of(one) in seen]
    assert len(compared) >= 60
    differing = {one.__name__ for one in compared if {spec.name for spec in fields_of(one)} != seen[place_of(one)]}
    assert differing == set()


def test_models_are_frozen() -> None:
    model = business_kinds()["hub.NhiemVu"].shape()
    with pytest.raises(ValidationError):
        model.MaNhiemVu = "1"  # type: ignore[attr-defined]


def test_what_nobody_published_says_that_it_is_ours() -> None:
    ours = [one for name, one in business_kinds().items() if name.startswith("hub.")]
    assert all("[G]" in one.certainty for one in ours)
