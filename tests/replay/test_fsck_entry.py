"""fsck's quick reading of leaves and openings takes what `replay.entry` takes, and nothing else."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import sha256
from random import Random
from typing import Any

import pytest

from replay.entry import Entry, EntryDraft, JsonValue, PartyKeys, SealedEntry, canonical, open_entry, seal
from replay.fsck_entry import Leaf, LeafReader, values_of
from schemas.errors import Refused

AT = datetime(2026, 11, 22, 3, 4, 5, 6, tzinfo=UTC)
PLAIN: dict[str, JsonValue] = {
    "document_id": "H32.01,2026/03/02,7/VPUB-TTĐT",
    "warnings": '[{"code": "sent-late"}]\n',
    "size": 19_702,
    "about": None,
    "signed": True,
    "links": [["recalls", "7/VPUB", None]],
    "verdict": {"verdict": "valid", "signatures": [{"signer": "CN=Trần Thị Bưởi", "ok": True, "line": 5}], "reasons": []},
}
ODD: dict[str, dict[str, JsonValue]] = {
    "a fraction": {"share": 0.5},
    "a fraction inside": {"verdict": {"share": [1.0]}},
    "an integer beyond a double": {"size": float(2**60)},
    "names beyond the basic plane": {"verdict": {"\U0001f600": 1, "\uffee": 2}},
    "no field": {},
    "a negative number": {"size": -3},
}


def sealed(fields: dict[str, JsonValue], parties: tuple[str, ...] = ("H32.01", "H32.02", "H05")) -> SealedEntry:
    return seal(EntryDraft("accepted", AT, parties, fields, None), PartyKeys(b"k" * 32), Random(1).randbytes)


def quick(leaf: bytes, opening: bytes) -> Any:
    """As fsck reads them."""
    return values_of(LeafReader().read(leaf), leaf, opening)


def outcome(read: Callable[[bytes, bytes], Any], leaf: bytes, opening: bytes) -> tuple[str, Any]:
    try:
        return "", read(leaf, opening)
    except Refused as fault:
        return fault.code, fault.got


@pytest.mark.parametrize("fields", [PLAIN, *ODD.values()], ids=["plain", *ODD])
def test_the_same_values_come_out(fields: dict[str, JsonValue]) -> None:
    made = sealed(fields)
    assert quick(made.leaf, made.opening) == open_entry(made.leaf, made.opening)
    assert quick(made.leaf, made.opening).keys() == fields.keys()


def test_an_ordinary_entry_is_read_quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    made = sealed(PLAIN)
    monkeypatch.setattr(Entry, "from_leaf", None)  # would be called if the quick reader did not take it
    assert isinstance(LeafReader().read(made.leaf), Leaf)
    assert quick(made.leaf, made.opening) == PLAIN


@pytest.mark.parametrize("what", ["leaf", "opening"])
def test_changed_bytes_are_judged_alike(what: str) -> None:
    made, draw, refused = sealed(PLAIN), Random(what), 0
    for _ in range(1_500):
        data = bytearray(getattr(made, what))
        at = draw.randrange(len(data))
        match draw.randrange(4):
            case 0:
                data[at] ^= 1 << draw.randrange(8)
            case 1:
                del data[at : at + draw.choice((1, 2, 30))]
            case 2:
                data[at:at] = draw.choice((b" ", b'"', b",", b"}", b"\\", b"0", b"\n", "ắ".encode(), b"\xff"))
            case _:
                data[at:at] = data[draw.randrange(len(data)) :][:60]
        changed = bytes(data)
        leaf, opening = (changed, made.opening) if what == "leaf" else (made.leaf, changed)
        expected = outcome(open_entry, leaf, opening)
        assert outcome(quick, leaf, opening) == expected, changed
        refused += expected[0] != ""
    assert refused > 1_300


# What only whoever writes the journal could do: commitments to bytes that are not the one canonical form of a value.
FORMS = {
    "a space": b'{"a": 1}',
    "members out of order": b'{"b":1,"a":2}',
    "a member twice": b'{"a":1,"a":1}',
    "an escape without need": rb'"\u0061"',
    "a fraction of nothing": b"1.0",
    "minus nothing": b"-0",
    "a number with an exponent": b"1e3",
    "a control character": b'"\x01"',
    "two values": b"1,2",
    "half a value": b'{"x":{"k":1',
    "not a number": b"NaN",
    "nothing": b"",
    "a lone surrogate": rb'["\ud800"]',
    "a large number": b"90071992547409930",
    "a value and a space": b"[1] ",
}


@pytest.mark.parametrize("raw", FORMS.values(), ids=FORMS.keys())
def test_a_commitment_to_another_form_opens_nothing(raw: bytes) -> None:
    made = sealed({"a": 1, "z": "x"})
    leaf, opening = json.loads(made.leaf), json.loads(made.opening)
    salt = opening["a"]["salt"]
    leaf["commitments"]["a"] = b64encode(sha256(b64decode(salt) + raw).digest()).decode()
    forged = canonical(leaf)
    written = made.opening.replace(b'"value":1}', b'"value":' + raw + b"}", 1)
    assert outcome(open_entry, forged, written)[0] == "opening-mismatch"
    assert outcome(quick, forged, written)[0] == "opening-mismatch"
