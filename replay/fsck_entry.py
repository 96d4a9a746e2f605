"""fsck, leaf and opening of an entry: as `replay.entry` reads them, for entries that are as they should be in a third of the time.

Nothing is judged here otherwise than by `replay.entry`: what is not taken at once goes there, which then says what is wrong, or takes it
after all (numbers with a fraction, names beyond ASCII).

* A leaf of version 1 is a regular language but for the order of its names and tags.
* An opening is cut at its fields. What stands between two cuts is the canonical form of a value if it is a string without escapes, a
  literal, a small integer, or what the standard encoder makes of its value where that writes RFC 8785; and it is the value if it hashes
  to its commitment.
"""

from __future__ import annotations

import json
import re
from binascii import a2b_base64, b2a_base64
from collections.abc import Sequence
from hashlib import sha256
from itertools import pairwise
from typing import Any, NamedTuple

from replay.entry import MAX_LEAF_BYTES, Entry, number

_NAME = rb"[a-z][a-z0-9_]{0,63}"
_HASH = rb'"[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]="'
_SALT = rb"[A-Za-z0-9+/]{21}[AQgw]=="
_PAIR = rb'"' + _NAME + rb'":' + _HASH
_LEAF = re.compile(
    rb'\{"at":"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z)","commitments":\{((?:' + _PAIR + rb"(?:," + _PAIR + rb")*)?)\}"
    rb',"event":"([a-z][a-z0-9.-]{0,63})","nonce":"' + _SALT + rb'","tags":\[((?:' + _HASH + rb"(?:," + _HASH + rb')*)?)\],"v":1\}'
)
_CUT = re.compile(rb'\},"(' + _NAME + rb')":\{"salt":"(' + _SALT + rb')","value":')
_STRING = re.compile(rb'"([^"\\\x00-\x1f]*)"')
_INTEGER = re.compile(rb"0|-?[1-9][0-9]{0,14}")
_LITERALS = {b"null": None, b"true": True, b"false": False}
_ODD = re.compile("[\ue000-\U0010ffff]")  # names that hold these sort otherwise by code point than by UTF-16
_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)
_MAX_ORDERS = 4_096  # remembered


class _Fraction:
    """Stands for a number that the standard encoder may write otherwise than RFC 8785: encoding it fails."""

    def __init__(self, text: str) -> None:
        self.text = text


_decode = json.JSONDecoder(parse_int=number, parse_float=_Fraction, parse_constant=_Fraction).raw_decode


class Leaf(NamedTuple):
    """A leaf that has the form of one."""

    event: str
    at: str  # RFC 3339
    names: Sequence[bytes]  # of its fields, in order
    commitments: Sequence[bytes]  # base64, in the same order


class LeafReader:
    """Reads one leaf after another; remembers which orders of names it has seen."""

    __slots__ = ("_orders",)

    def __init__(self) -> None:
        self._orders: set[tuple[bytes, ...]] = set()

    def read(self, leaf: bytes) -> Leaf | Entry:
        """Raises `Refused("entry-malformed")`."""
        found = _LEAF.fullmatch(leaf)
        if found is None or len(leaf) > MAX_LEAF_BYTES:
            return Entry.from_leaf(leaf)
        at, pairs, event, tags = found.groups()
        parts = pairs.split(b'"')
        names = tuple(parts[1::4])
        if not (names in self._orders or self._is_ordered(names)) or not _are_ordered(tags):
            return Entry.from_leaf(leaf)
        return Leaf(event.decode("ascii"), at.decode("ascii"), names, parts[3::4])

    def _is_ordered(self, names: tuple[bytes, ...]) -> bool:
        if any(one >= other for one, other in pairwise(names)):
            return False
        if len(self._orders) >= _MAX_ORDERS:
            self._orders.clear()
        self._orders.add(names)
        return True


def values_of(known: Leaf | Entry, leaf: bytes, opening: bytes) -> dict[str, Any]:
    """The values behind every commitment. Raises `Refused("opening-mismatch")`."""
    if isinstance(known, Leaf):
        values = _values(known, opening)
        if values is not None:
            return values
        known = Entry.from_leaf(leaf)
    return known.opened(opening)


def _values(leaf: Leaf, opening: bytes) -> dict[str, Any] | None:
    if not opening.startswith(b'{"') or not opening.endswith(b"}}"):
        return None
    parts = _CUT.split(b"}," + opening[1:-2])
    names, raws = parts[1::3], parts[3::3]
    if parts[0] or tuple(names) != leaf.names:
        return None
    made = [b2a_base64(sha256(a2b_base64(salt) + raw).digest(), newline=False) for salt, raw in zip(parts[2::3], raws, strict=True)]
    if made != leaf.commitments:
        return None
    values: dict[str, Any] = {}
    texts, read = list[str](), list[Any]()  # of values that are not of the plainest
    try:
        for name, raw in zip(names, raws, strict=True):
            if found := _STRING.fullmatch(raw):
                value = found[1].decode("utf-8")
            elif raw in _LITERALS:
                value = _LITERALS[raw]
            elif _INTEGER.fullmatch(raw):
                value = int(raw)
            else:
                text = raw.decode("utf-8")
                value, end = _decode(text)
                if end != len(text):
                    return None
                texts.append(text)
                read.append(value)
            values[name.decode("ascii")] = value
        return values if _are_canonical(read, f"[{','.join(texts)}]") else None
    except (ValueError, TypeError, RecursionError):
        return None


def _are_canonical(read: Sequence[Any], text: str) -> bool:
    """Whether the joined texts of the values read are surely their RFC 8785 forms. No complete value of JSON is the beginning of another,
    so that joined texts are the same only if each is."""
    return _ENCODER.encode(read) == text and (text.isascii() or not _ODD.search(text))


def _are_ordered(tags: bytes) -> bool:
    """By what they stand for, not by their base64."""
    if len(tags) < 50:
        return True
    decoded = [a2b_base64(tag) for tag in tags[1:-1].split(b'","')]
    return all(one < other for one, other in pairwise(decoded))
