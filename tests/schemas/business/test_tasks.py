"""Ids of directive tasks: written back as they were read, and nothing assumed of their recipients."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.business.tasks import TaskId
from schemas.errors import Refused

REAL_SHAPES = {
    "a province": ("443122_H32-NV-G22-2024-011227055", "H32", "G22", 2024),
    "another province": ("1_H52-NV-G22-2023-000000001", "H52", "G22", 2023),
    "a state corporation": ("5_I02-NV-G22-2024-000000002", "I02", "G22", 2024),
    "another kind of body": ("5_J26-NV-G22-2024-000000002", "J26", "G22", 2024),
    "a tax code": ("77_0100109106-NV-G22-2024-000000003", "0100109106", "G22", 2024),
    "twelve digits": ("77_010010910612-NV-G22-2024-000000003", "010010910612", "G22", 2024),
    "a department": ("9_H32.14-NV-H32-2024-000000004", "H32.14", "H32", 2024),
}


@pytest.mark.parametrize(("text", "recipient", "assigner", "year"), REAL_SHAPES.values(), ids=REAL_SHAPES)
def test_an_id_is_read_and_written_back(text: str, recipient: str, assigner: str, year: int) -> None:
    found = TaskId.of(text)
    assert (found.recipient.text, found.assigner.text, found.year) == (recipient, assigner, year)
    assert str(found) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "H32",
        "443122_H32-NV-G22-2024-01122705",
        "443122_H32-NV-G22-24-011227055",
        "443122_H32-XX-G22-2024-011227055",
        " 443122_H32-NV-G22-2024-011227055",
        "443122_h32-NV-G22-2024-011227055",
        "٤_H32-NV-G22-2024-011227055",
        "1_" + "H" * 40 + "-NV-G22-2024-000000001",
    ],
)
def test_what_is_no_id_is_refused(text: str) -> None:
    with pytest.raises(Refused, match="task-id-malformed"):
        TaskId.of(text)


@given(st.text(max_size=60))
def test_nothing_else_is_raised(text: str) -> None:
    try:
        assert str(TaskId.of(text)) == text
    except Refused as fault:
        assert fault.code == "task-id-malformed"
