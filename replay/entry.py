"""A journal entry: the leaf, which says nothing by itself, and the opening beside it, which can be destroyed.

The leaf (version 1) is canonical JSON (RFC 8785), at most 65,535 bytes (C2SP tlog-tiles carries its length in 16 bits)::

    {"at": "2026-11-21T03:04:05.000006Z", "commitments": {field: base64, …}, "event": "accepted", "nonce": base64,
     "tags": [base64, …], "v": 1}

tag         HMAC-SHA256(k_party, nonce), one per party, sorted; whoever holds k_party recognises every leaf of that party
k_party     HKDF-SHA256(party root key, info = "lgsp-hub/party/v1" ‖ 0x00 ‖ AgencyCode.key)
commitment  SHA-256(salt ‖ canonical JSON of the value), with a salt of exactly 16 bytes for each field of each entry. The length is
            fixed because a committer who may choose it could move bytes between salt and value and open one commitment in two ways.

The opening is canonical JSON ``{field: {"salt": base64, "value": …}}``. base64 is RFC 4648 §4, padded. This shape is there from
the first version, for a log cannot be changed later.
"""

from __future__ import annotations

import hmac
import json
import re
from base64 import b64encode
from binascii import a2b_base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from json.encoder import encode_basestring
from typing import Any, TypeAlias
from uuid import UUID

import rfc8785
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from schemas.agency import AgencyCode
from schemas.canonical import canonical_json
from schemas.errors import Refused
from schemas.message import rfc3339

JsonValue: TypeAlias = "bool | int | float | str | Sequence[JsonValue] | Mapping[str, JsonValue] | None"

VERSION = 1
MAX_LEAF_BYTES = 65_535
NONCE_BYTES = SALT_BYTES = 16
MAX_REMEMBERED = 10_000  # party keys
TAG_BYTES = COMMITMENT_BYTES = 32
_EVENT = re.compile(r"[a-z][a-z0-9.-]{0,63}")
_FIELD = re.compile(r"[a-z][a-z0-9_]{0,63}")
_AT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", re.ASCII)
_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)
# base64 of 16 and of 32 bytes, in the one spelling that has no bits left over
_BASE64 = {16: re.compile(r"[A-Za-z0-9+/]{21}[AQgw]=="), 32: re.compile(r"[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=")}
_LEAF_MEMBERS = {"at", "commitments", "event", "nonce", "tags", "v"}


@dataclass(frozen=True, slots=True)
class EntryDraft:
    """What shall be journalled. `fields` must survive a round through JSON: no integers beyond 2⁵³, no lone surrogates."""

    event: str  # lower case, dots and dashes: "accepted", "delivery"
    at: datetime
    parties: tuple[str, ...]  # agency codes in either form; equivalent ones count once
    fields: Mapping[str, JsonValue]
    message_id: UUID | None = None  # beside the log only: finds the entries of a message


@dataclass(frozen=True, slots=True)
class Entry:
    """A leaf, read."""

    event: str
    at: str  # RFC 3339, UTC, microseconds
    nonce: bytes
    tags: tuple[bytes, ...]
    commitments: Mapping[str, bytes]

    @classmethod
    def from_leaf(cls, leaf: bytes) -> Entry:
        """Reads a leaf. Raises `Refused("entry-malformed")` for anything but the one canonical form."""
        try:
            table = _DECODER.decode(leaf.decode("utf-8"))
            entry = cls._checked(table)
            if _ENCODER.encode(table).encode("utf-8") != leaf:  # all of it is ASCII and plain, so this is RFC 8785
                raise ValueError("not in canonical form")
            return entry
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError, Refused) as fault:
            raise Refused("entry-malformed", got=str(fault), expected="a leaf of version 1") from fault

    @classmethod
    def _checked(cls, table: Mapping[str, Any]) -> Entry:
        if set(table) != _LEAF_MEMBERS or type(table["v"]) is not int or table["v"] != VERSION:
            raise ValueError("other members or another version")
        if not _EVENT.fullmatch(table["event"]) or not _AT.fullmatch(table["at"]) or not all(map(_FIELD.fullmatch, table["commitments"])):
            raise ValueError("a name or time of another form")
        if type(table["tags"]) is not list:
            raise ValueError("tags that are no list")
        tags = tuple(_decoded(tag, TAG_BYTES) for tag in table["tags"])
        if list(tags) != sorted(set(tags)):
            raise ValueError("tags that are not in order")
        commitments = {name: _decoded(value, COMMITMENT_BYTES) for name, value in table["commitments"].items()}
        return cls(table["event"], table["at"], _decoded(table["nonce"], NONCE_BYTES), tags, commitments)

    def opened(self, opening: bytes) -> dict[str, Any]:
        """The values behind every commitment. Raises `Refused("opening-mismatch")` naming the field."""
        try:
            table = _DECODER.decode(opening.decode("utf-8"))
            names = sorted(table.keys())
        except (ValueError, TypeError, AttributeError, RecursionError) as fault:
            raise Refused("opening-mismatch", got="an opening that cannot be read", expected="canonical JSON") from fault
        if names != sorted(self.commitments):
            raise Refused("opening-mismatch", got=", ".join(names), expected=", ".join(sorted(self.commitments)))
        written = [_opened(name, table[name], self.commitments[name]) for name in names]
        if b"{" + b",".join(written) + b"}" != opening:
            raise Refused("opening-mismatch", got="another form", expected="canonical JSON")
        return {name: table[name]["value"] for name in names}


@dataclass(frozen=True, slots=True)
class SealedEntry:
    """Ready for the log."""

    leaf: bytes
    opening: bytes


@dataclass(frozen=True, slots=True)
class PartyKeys:
    """Derives the key by which a party recognises its entries. `root` is 32 secret bytes outside the database."""

    root: bytes = field(repr=False)
    _derived: dict[str, bytes] = field(default_factory=dict, repr=False, compare=False)

    def of(self, party: str) -> bytes:
        """k_party of an agency code in either form, 32 bytes. Remembered."""
        derived = self._derived.get(party)
        if derived is None:
            if len(self._derived) >= MAX_REMEMBERED:  # a sender with a subtree may name codes without end
                self._derived.clear()
            info = b"lgsp-hub/party/v1\x00" + AgencyCode.of(party).key.encode()
            derived = self._derived[party] = HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(self.root)
        return derived

    def tombstone(self, about: bytes) -> bytes:
        """32 bytes that stand for `about`, to whoever has the root and to nobody else."""
        return hmac.digest(hmac.digest(self.root, b"lgsp-hub/tombstone/v1", "sha256"), about, "sha256")


def seal(draft: EntryDraft, keys: PartyKeys, random: Callable[[int], bytes]) -> SealedEntry:
    """The leaf of `draft` and its opening; `random(n)` gives n unpredictable bytes.

    Raises `Refused`: ``entry-value`` (a value JSON cannot carry), ``entry-too-large`` (more than some 1,300 parties).
    """
    names = sorted(draft.fields)
    if not _EVENT.fullmatch(draft.event) or not all(map(_FIELD.fullmatch, names)):
        raise RuntimeError(f"{draft.event!r} or one of its fields {names} is not a name that the journal takes")
    drawn = random(NONCE_BYTES + SALT_BYTES * len(names))
    nonce = drawn[:NONCE_BYTES]
    commitments: dict[str, str] = {}
    opened: list[bytes] = []
    for at, name in enumerate(names, start=1):
        salt, value = drawn[at * SALT_BYTES : (at + 1) * SALT_BYTES], canonical(draft.fields[name], name)
        commitments[name] = _encoded(_commitment(salt, value))
        opened.append(_disclosure(name, b64encode(salt), value))
    tags = sorted({_tag(keys.of(party), nonce) for party in draft.parties})
    leaf = _leaf(draft, nonce, tags, commitments)
    if len(leaf) > MAX_LEAF_BYTES:
        raise Refused("entry-too-large", got=f"{len(leaf)} bytes, {len(tags)} parties", expected=f"at most {MAX_LEAF_BYTES} bytes")
    return SealedEntry(leaf, b"{" + b",".join(opened) + b"}")


def open_entry(leaf: bytes, opening: bytes) -> dict[str, Any]:
    """The values behind every commitment of `leaf`. Raises `Refused`: ``entry-malformed``, or ``opening-mismatch`` naming the field."""
    return Entry.from_leaf(leaf).opened(opening)


def has_tag(leaf: bytes, k_party: bytes) -> bool:
    """Whether the party whose key this is takes part in the entry. Raises `Refused("entry-malformed")`."""
    entry = Entry.from_leaf(leaf)
    return _tag(k_party, entry.nonce) in entry.tags


def canonical(value: JsonValue, name: str = "value") -> bytes:
    """RFC 8785. Raises `Refused("entry-value")` for what JSON cannot carry."""
    try:
        if type(value) is str:
            return encode_basestring(value).encode("utf-8")
        return canonical_json(value)
    except (rfc8785.CanonicalizationError, UnicodeEncodeError, RecursionError) as fault:
        raise Refused("entry-value", got=f"{name}: {fault}", expected="a value of JSON") from fault


def _opened(name: str, disclosed: Any, commitment: bytes) -> bytes:
    """The disclosure of one field as an opening has it, if it opens the commitment."""
    try:
        salt, value = _decoded(disclosed["salt"], SALT_BYTES), canonical(disclosed["value"], name)
        agrees = len(disclosed) == 2 and hmac.compare_digest(_commitment(salt, value), commitment)
    except (ValueError, TypeError, KeyError, Refused) as fault:
        raise Refused("opening-mismatch", got=f"{name}: {fault}", expected="salt and value") from fault
    if not agrees:
        raise Refused("opening-mismatch", got=name, expected=_encoded(commitment))
    return _disclosure(name, disclosed["salt"].encode("ascii"), value)


def _disclosure(name: str, salt: bytes, value: bytes) -> bytes:
    return b'"%s":{"salt":"%s","value":%s}' % (name.encode(), salt, value)


def _leaf(draft: EntryDraft, nonce: bytes, tags: Sequence[bytes], commitments: Mapping[str, str]) -> bytes:
    return canonical(
        {
            "v": VERSION,
            "event": draft.event,
            "at": rfc3339(draft.at),
            "nonce": _encoded(nonce),
            "tags": [_encoded(tag) for tag in tags],
            "commitments": commitments,
        }
    )


def _commitment(salt: bytes, canonical_value: bytes) -> bytes:
    return sha256(salt + canonical_value).digest()


def _tag(k_party: bytes, nonce: bytes) -> bytes:
    return hmac.digest(k_party, nonce, "sha256")


def _encoded(data: bytes) -> str:
    return b64encode(data).decode("ascii")


def _decoded(text: str, length: int) -> bytes:
    """Strict base64 of exactly `length` bytes. ValueError for every other spelling."""
    if not _BASE64[length].fullmatch(text):
        raise ValueError(f"base64 of other than {length} bytes")
    return a2b_base64(text)


def number(digits: str) -> int | float:
    """A number of JSON as RFC 8785 means it: a double, which Python writes as an integer only where that is exact."""
    exact = int(digits)
    return exact if abs(exact) < 2**53 else float(exact)


_DECODER = json.JSONDecoder(parse_int=number)
