"""The tests. Each takes a fixture `stand_in` (`adapters.conformance.stand_in.StandIn`) and uses nothing else.

Keys are new in every run, so a stand-in may keep what it had before and one may serve all tests.
"""

# ruff: noqa: S101 - these are tests, shipped

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from time import monotonic, sleep
from unicodedata import normalize
from uuid import NAMESPACE_OID, uuid4, uuid5

import pytest

from adapters.conformance.stand_in import Received, StandIn, Weather
from adapters.contract import AgencyInDoubt, AgencyRefused, AgencyUnavailable, Idempotency
from schemas.agency import AgencyCode
from schemas.message import Kind, Parcel

__all__ = [
    "test_a_busy_system_is_unavailable_and_takes_the_same_parcel_later",
    "test_a_refusal_is_refused_and_leaves_nothing_behind",
    "test_a_silent_system_costs_no_more_than_the_timeout",
    "test_a_system_that_is_down_is_unavailable",
    "test_bytes_and_marks_arrive_unchanged",
    "test_fifty_megabytes_arrive_intact",
    "test_the_same_key_twice_arrives_once",
    "test_two_at_once_arrive_both",
]

PATIENCE_S = 15.0
GRACE_S = 1.5  # for a busy machine
LARGE_BYTES = 50_000_000
_SENTENCE = "Quyết định về việc phê duyệt Đề án “Chuyển đổi số” – Uỷ ban nhân dân tỉnh; ơ ư ă â đ Ỹ ỵ"

BODIES = {
    "Vietnamese, composed (NFC)": normalize("NFC", f"<edXML>{_SENTENCE}</edXML>").encode(),
    "Vietnamese, decomposed (NFD)": normalize("NFD", f"<edXML>{_SENTENCE}</edXML>").encode(),
    "a byte-order mark and DOS line ends": b"\xef\xbb\xbf<edXML>\r\n\t<a/>\r\n</edXML>\r\n",
    "UTF-16": f"<edXML>{_SENTENCE}</edXML>".encode("utf-16"),
    "every byte there is": bytes(range(256)) * 3,
    "trailing zeros and newlines": b"<edXML/>\x00\n\n",
}


def parcel_of(body: bytes = b"<edXML/>", document_id: str = "000.00.13.H53,2026/11/21,123/QĐ-UBND") -> Parcel:
    """A parcel as the hub makes them, with a key of its own."""
    key = f"conformance-{uuid4()}"
    return Parcel(
        key=key,
        message_id=uuid5(NAMESPACE_OID, key),
        recipients=(AgencyCode.of("H32.01"),),
        sender=AgencyCode.of("000.00.13.H53"),
        kind=Kind.DOCUMENT_NEW,
        document_id=document_id,
        content_type="application/xml",
        body=body,
    )


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
def test_bytes_and_marks_arrive_unchanged(stand_in: StandIn, body: bytes) -> None:
    parcel = parcel_of(body)
    with closing(stand_in.adapter(PATIENCE_S)) as adapter:
        adapter.deliver(parcel)
    one = _arrived(stand_in, parcel)
    assert (one.document_id, one.sha256) == (parcel.document_id, _digest(parcel))


def test_the_same_key_twice_arrives_once(stand_in: StandIn) -> None:
    parcel = parcel_of()
    with closing(stand_in.adapter(PATIENCE_S)) as adapter:
        promised = adapter.idempotency is Idempotency.KEY
        first = adapter.deliver(parcel)
        if promised:
            assert adapter.deliver(parcel).remote_id == first.remote_id, "a repetition is answered with the first id"
    assert _arrived(stand_in, parcel, times=2 if promised else 1).sha256 == _digest(parcel)


def test_a_system_that_is_down_is_unavailable(stand_in: StandIn) -> None:
    stand_in.set(Weather.DOWN)
    with closing(stand_in.adapter(2.0)) as adapter, pytest.raises(AgencyUnavailable):
        adapter.deliver(parcel_of())


def test_a_busy_system_is_unavailable_and_takes_the_same_parcel_later(stand_in: StandIn) -> None:
    parcel = parcel_of()
    stand_in.set(Weather.BUSY)
    with closing(stand_in.adapter(5.0)) as adapter, pytest.raises(AgencyUnavailable):
        adapter.deliver(parcel)
    stand_in.set(Weather.UP)
    with closing(stand_in.adapter(5.0)) as adapter:
        adapter.deliver(parcel)
    assert _arrived(stand_in, parcel).times_seen == 1


def test_a_refusal_is_refused_and_leaves_nothing_behind(stand_in: StandIn) -> None:
    parcel = parcel_of()
    stand_in.set(Weather.REFUSING)
    with closing(stand_in.adapter(5.0)) as adapter, pytest.raises(AgencyRefused):
        adapter.deliver(parcel)
    assert _of(stand_in, parcel) is None


def test_a_silent_system_costs_no_more_than_the_timeout(stand_in: StandIn) -> None:
    stand_in.set(Weather.SILENT)
    with closing(stand_in.adapter(0.5)) as adapter:
        started = monotonic()
        with pytest.raises((AgencyUnavailable, AgencyInDoubt)):
            adapter.deliver(parcel_of())
        assert monotonic() - started < 0.5 + GRACE_S


def test_fifty_megabytes_arrive_intact(stand_in: StandIn) -> None:
    parcel = parcel_of(b"<edXML>" + _noise(LARGE_BYTES) + b"</edXML>")
    with closing(stand_in.adapter(60.0)) as adapter:
        adapter.deliver(parcel)
    assert _arrived(stand_in, parcel).sha256 == _digest(parcel)


def test_two_at_once_arrive_both(stand_in: StandIn) -> None:
    parcels = [parcel_of(f"<edXML>{n}</edXML>".encode()) for n in range(8)]
    with closing(stand_in.adapter(PATIENCE_S)) as adapter, ThreadPoolExecutor(2) as both:
        list(both.map(adapter.deliver, parcels))
    for parcel in parcels:
        one = _arrived(stand_in, parcel)
        assert (one.sha256, one.times_seen) == (_digest(parcel), 1)


def _digest(parcel: Parcel) -> str:
    return hashlib.sha256(parcel.body).hexdigest()


def _noise(size: int) -> bytes:
    """Text of `size` bytes in which a lost or doubled block shows, as base64 in a packet would be."""
    block = "".join(hashlib.sha256(b"%d" % n).hexdigest() for n in range(1_000)).encode()
    return (block * (size // len(block) + 1))[:size]


def _of(stand_in: StandIn, parcel: Parcel) -> Received | None:
    found = [row for row in stand_in.received() if row.key == parcel.key]
    assert len(found) <= 1, "one key, one row"
    return found[0] if found else None


def _arrived(stand_in: StandIn, parcel: Parcel, times: int = 1) -> Received:
    """What the stand-in has under the parcel's key, once it came `times`."""
    end = monotonic() + PATIENCE_S
    while monotonic() < end:
        one = _of(stand_in, parcel)
        if one is not None and one.times_seen >= times:
            return one
        sleep(0.02)
    raise AssertionError(f"not in {PATIENCE_S} s; the stand-in has {_of(stand_in, parcel)}")
