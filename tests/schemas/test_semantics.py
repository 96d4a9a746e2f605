"""Rules between messages and of time: what is told, never what is refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.edxml import semantics
from schemas.edxml.packet import OtherInfo, PromulgationInfo
from schemas.message import VIETNAM
from tests.packets import document_packet, status_packet

# 2026-11-20 is a Friday.
SENT = {
    "the same afternoon": ("2026/11/20", "0", datetime(2026, 11, 20, 16, 0, tzinfo=VIETNAM), None),
    "at the week-end": ("2026/11/20", "0", datetime(2026, 11, 22, 9, 0, tzinfo=VIETNAM), None),
    "the next working morning": ("2026/11/20", "0", datetime(2026, 11, 23, 9, 0, tzinfo=VIETNAM), None),
    "the next working afternoon": ("2026/11/20", "0", datetime(2026, 11, 23, 15, 0, tzinfo=VIETNAM), "sent-late"),
    "a year later": ("2026/11/20", "0", datetime(2027, 11, 20, 9, 0, tzinfo=VIETNAM), "sent-late"),
    "urgent, the same evening": ("2026/11/20", "2", datetime(2026, 11, 20, 23, 0, tzinfo=VIETNAM), None),
    "urgent, the next day": ("2026/11/20", "3", datetime(2026, 11, 21, 8, 0, tzinfo=VIETNAM), "urgent-sent-late"),
    "a day that never was": ("2026/02/30", "0", datetime(2026, 11, 20, 16, 0, tzinfo=VIETNAM), None),
    "no date": ("", "0", datetime(2026, 11, 20, 16, 0, tzinfo=VIETNAM), None),
    "a year the calendar does not have": ("1999/11/19", "0", datetime(2026, 11, 20, 16, 0, tzinfo=VIETNAM), None),
}


@pytest.mark.parametrize(("promulgated", "priority", "received", "code"), SENT.values(), ids=SENT.keys())
def test_a_document_sent_late_is_told(promulgated: str, priority: str, received: datetime, code: str | None) -> None:
    packet = replace(document_packet(), promulgation=PromulgationInfo("", promulgated), other_info=OtherInfo(priority=priority))
    told = semantics.timeliness(packet, received)
    assert [one.code for one in told] == ([code] if code else [])


@given(st.text(max_size=30), st.text(max_size=5))
def test_no_date_and_no_priority_is_too_odd(promulgated: str, priority: str) -> None:
    packet = replace(document_packet(), promulgation=PromulgationInfo("", promulgated), other_info=OtherInfo(priority=priority))
    semantics.timeliness(packet, datetime(2026, 11, 20, tzinfo=VIETNAM))


@pytest.mark.parametrize(("code", "told"), {"02": True, "13": True, "16": True, "03": False, "15": False}.items())
def test_a_no_gives_its_reason(code: str, told: bool) -> None:
    assert bool(semantics.missing_reason(replace(status_packet(code=code), description=" "))) is told
    assert not semantics.missing_reason(replace(status_packet(code=code), description="vì sai nơi nhận"))
