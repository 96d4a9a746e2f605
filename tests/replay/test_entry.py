"""Leaves reveal nothing, can be opened, and are recognised by whoever holds a party's key."""

from __future__ import annotations

import hmac
import json
import os
from base64 import b64decode, b64encode
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from replay.entry import MAX_LEAF_BYTES, MAX_REMEMBERED, Entry, EntryDraft, PartyKeys, canonical, has_tag, open_entry, seal
from schemas.errors import Refused

AT = datetime(2026, 11, 21, 3, 4, 5, 6, tzinfo=UTC)
KEYS = PartyKeys(bytes(range(32)))
FIELDS = {"sender": "H32", "raw_digest": "ab" * 32, "verdict": {"verdict": "valid", "reasons": []}, "attempt": 1, "note": None}


def draft(fields: Any = FIELDS, parties: tuple[str, ...] = ("H32", "H53.13")) -> EntryDraft:
    return EntryDraft("accepted", AT, parties, fields)


SEALED = seal(draft(), KEYS, os.urandom)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
NAMES = st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True)


@given(JSON)
def test_canonical_json_is_what_rfc_8785_says(value: Any) -> None:
    assert canonical(value) == rfc8785.dumps(value)


@given(st.dictionaries(NAMES, JSON, max_size=6))
def test_what_was_sealed_can_be_opened(fields: dict[str, Any]) -> None:
    sealed = seal(draft(fields), KEYS, os.urandom)
    assert rfc8785.dumps(open_entry(sealed.leaf, sealed.opening)) == rfc8785.dumps(fields)


@given(st.integers(0, len(SEALED.opening) - 1), st.integers(1, 255))
def test_a_changed_opening_is_refused(at: int, change: int) -> None:
    opening = bytearray(SEALED.opening)
    opening[at] ^= change
    with pytest.raises(Refused, match="opening-mismatch"):
        open_entry(SEALED.leaf, bytes(opening))


@given(st.integers(0, len(SEALED.leaf) - 1), st.integers(1, 255))
def test_a_changed_leaf_is_malformed_or_another_leaf(at: int, change: int) -> None:
    leaf = bytearray(SEALED.leaf)
    leaf[at] ^= change
    try:
        entry = Entry.from_leaf(bytes(leaf))
    except Refused as fault:
        assert fault.code == "entry-malformed"
    else:
        assert entry != Entry.from_leaf(SEALED.leaf)


def test_the_leaf_has_the_published_form() -> None:
    sealed = seal(draft({"sender": "H32"}, ("H32",)), KEYS, lambda n: b"\x07" * n)
    table = json.loads(sealed.leaf)
    assert rfc8785.dumps(table) == sealed.leaf
    assert table == {
        "v": 1,
        "event": "accepted",
        "at": "2026-11-21T03:04:05.000006Z",
        "nonce": b64encode(b"\x07" * 16).decode(),
        "tags": ["fqJt91OdeOJJCX0xuQlv9wkl26Cy5Y9OC663uuBWo6Q="],
        "commitments": {"sender": b64encode(sha256(b"\x07" * 16 + b'"H32"').digest()).decode()},
    }
    assert json.loads(sealed.opening) == {"sender": {"salt": b64encode(b"\x07" * 16).decode(), "value": "H32"}}


def test_a_partys_key_is_derived_as_published() -> None:
    extracted = hmac.digest(bytes(32), bytes(range(32)), "sha256")  # RFC 5869 §2.2 without salt
    expanded = hmac.digest(extracted, b"lgsp-hub/party/v1\x00H53.13" + b"\x01", "sha256")  # §2.3, one block
    assert KEYS.of("000.00.13.H53") == expanded


def test_the_same_value_twice_makes_other_commitments() -> None:
    one, two = (json.loads(seal(draft({"a": "H32", "b": "H32"}), KEYS, os.urandom).leaf) for _ in range(2))
    seen = [table["commitments"][name] for table in (one, two) for name in ("a", "b")]
    assert len(set(seen)) == 4
    assert not set(one["tags"]) & set(two["tags"])


def test_the_leaf_holds_no_value_and_no_party() -> None:
    secret = "Nguyễn Thị Bích Ngọc"
    leaf = seal(draft({"signer": secret, "number": 20261121}, ("H53.13",)), KEYS, os.urandom).leaf
    for hidden in (secret.encode(), b"20261121", b"H53", sha256(b"H53.13").digest()):
        assert hidden not in leaf
        assert b64encode(hidden).rstrip(b"=") not in leaf


def test_only_the_holder_of_a_partys_key_recognises_its_entries() -> None:
    assert has_tag(SEALED.leaf, KEYS.of("H32"))
    assert has_tag(SEALED.leaf, KEYS.of("000.00.13.H53"))  # the other form of H53.13
    assert not has_tag(SEALED.leaf, KEYS.of("H54"))
    assert not has_tag(SEALED.leaf, PartyKeys(bytes(32)).of("H32"))


def test_equivalent_parties_count_once_and_the_order_says_nothing() -> None:
    one = json.loads(seal(draft(parties=("H32", "000.00.00.H32", "H53")), KEYS, lambda n: b"\x01" * n).leaf)["tags"]
    two = json.loads(seal(draft(parties=("H53", "H32")), KEYS, lambda n: b"\x01" * n).leaf)["tags"]
    assert one == two
    assert len(one) == 2
    assert sorted(map(b64decode, one)) == list(map(b64decode, one))


def test_party_keys_stay_right_when_there_are_very_many() -> None:
    keys = PartyKeys(bytes(range(32)))
    for number in range(MAX_REMEMBERED + 5):
        keys.of(f"H53.{number}")
    assert keys.of("H53.13") == KEYS.of("H53.13")


def test_a_thousand_recipients_fit_and_too_many_are_refused() -> None:
    fitting = seal(draft(parties=tuple(f"H{n:02d}.{m}" for n in range(10) for m in range(1, 121))), KEYS, os.urandom)
    assert len(fitting.leaf) <= MAX_LEAF_BYTES
    with pytest.raises(Refused, match="entry-too-large"):
        seal(draft(parties=tuple(f"H{n:02d}.{m}" for n in range(10) for m in range(1, 141))), KEYS, os.urandom)


@pytest.mark.parametrize(
    "value",
    [2**53, -(2**60), float("nan"), float("inf"), "\ud800", {"a": {"b": "\udfff"}}],
    ids=["2^53", "-2^60", "NaN", "∞", "lone", "deep"],
)
def test_a_value_that_json_cannot_carry_is_refused(value: Any) -> None:
    with pytest.raises(Refused, match="entry-value"):
        seal(draft({"value": value}), KEYS, os.urandom)


@pytest.mark.parametrize(("event", "name"), [("Accepted", "a"), ("accepted", "Tên"), ("", "a"), ("accepted", "a b")], ids=repr)
def test_a_name_that_the_journal_does_not_take_is_a_mistake(event: str, name: str) -> None:
    with pytest.raises(RuntimeError):
        seal(EntryDraft(event, AT, (), {name: 1}), KEYS, os.urandom)


GOOD: dict[str, Any] = json.loads(SEALED.leaf)
MALFORMED: dict[str, bytes] = {
    "empty": b"",
    "not JSON": b"{",
    "not UTF-8": b"\xff\xfe",
    "not an object": b"[]",
    "another version": rfc8785.dumps({**GOOD, "v": 2}),
    "a version that is true": rfc8785.dumps({**GOOD, "v": True}),
    "a member more": rfc8785.dumps({**GOOD, "x": 1}),
    "a member less": rfc8785.dumps({k: v for k, v in GOOD.items() if k != "tags"}),
    "spaces": json.dumps(GOOD).encode(),
    "another order": b'{"v":1,' + SEALED.leaf[1:-7] + b"}",
    "a name twice": SEALED.leaf[:-1] + b',"v":1}',
    "tags out of order": rfc8785.dumps({**GOOD, "tags": GOOD["tags"][::-1]}),
    "a tag twice": rfc8785.dumps({**GOOD, "tags": [GOOD["tags"][0]] * 2}),
    "a tag too short": rfc8785.dumps({**GOOD, "tags": ["AAAA"]}),
    "tags that are no list": rfc8785.dumps({**GOOD, "tags": 7}),
    "tags that are a text": rfc8785.dumps({**GOOD, "tags": ""}),
    "a version in another spelling": SEALED.leaf.replace(b'"v":1', b'"v":1.0'),
    "digits of another script": rfc8785.dumps({**GOOD, "at": GOOD["at"].replace("2", "٢")}),
    "a nonce that is no text": rfc8785.dumps({**GOOD, "nonce": 7}),
    "a time of another form": rfc8785.dumps({**GOOD, "at": "2026-11-21"}),
    "an event of another form": rfc8785.dumps({**GOOD, "event": "<b>"}),
    "commitments that are no object": rfc8785.dumps({**GOOD, "commitments": []}),
    "base64 with stray bits": rfc8785.dumps({**GOOD, "nonce": "AAAAAAAAAAAAAAAAAAAAAB=="}),
    "nested without end": b'{"a":' + b"[" * 100_000,
    "a number without end": b'{"v":' + b"1" * 10_000 + b"}",
}


@pytest.mark.parametrize("leaf", MALFORMED.values(), ids=MALFORMED.keys())
def test_anything_but_the_canonical_form_is_malformed(leaf: bytes) -> None:
    with pytest.raises(Refused, match="entry-malformed"):
        Entry.from_leaf(leaf)


OPENING: dict[str, Any] = json.loads(SEALED.opening)
BAD_OPENINGS: dict[str, bytes] = {
    "empty": b"",
    "not an object": b"[]",
    "a field less": rfc8785.dumps({k: v for k, v in OPENING.items() if k != "sender"}),
    "a field more": rfc8785.dumps({**OPENING, "x": OPENING["sender"]}),
    "values swapped": rfc8785.dumps({**OPENING, "sender": OPENING["note"]}),
    "no salt": rfc8785.dumps({**OPENING, "sender": {"value": "H32"}}),
    "something beside the value": rfc8785.dumps({**OPENING, "sender": {**OPENING["sender"], "x": 1}}),
    "no object": rfc8785.dumps({**OPENING, "sender": "H32"}),
    "bytes moved from value to salt": rfc8785.dumps(
        {**OPENING, "attempt": {"salt": b64encode(b64decode(OPENING["attempt"]["salt"]) + b"1").decode(), "value": 1}}
    ),
}


@pytest.mark.parametrize("opening", BAD_OPENINGS.values(), ids=BAD_OPENINGS.keys())
def test_an_opening_of_another_form_is_refused(opening: bytes) -> None:
    with pytest.raises(Refused, match="opening-mismatch"):
        open_entry(SEALED.leaf, opening)


def test_keys_are_not_shown() -> None:
    assert bytes(range(32)).hex() not in repr(KEYS)
    assert "root" not in repr(KEYS)
