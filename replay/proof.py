"""The inclusion proof of one entry as a document of its own, and checking it with nothing but the log's public key.

JSON, so that it can be mailed to whoever doubts::

    {"format": "lgsp-hub/inclusion-proof/1", "index": 6, "size": 8, "leaf": "{…}", "path": [base64, …], "checkpoint": "…signed note…",
     "opening": {field: {"salt": …, "value": …}}}          (`opening` only where the values are disclosed)

Steps of checking:

1. the checkpoint is a note signed by the key the reader holds
2. its size is the proof's size
3. the leaf has the form of an entry, and its hash leads along the path to the checkpoint's root
4. disclosed values agree with the leaf's commitments
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from replay.checkpoint import Checkpoint
from replay.entry import Entry, JsonValue, canonical, open_entry
from replay.hashing import leaf_hash
from replay.merkle_check import verify_inclusion
from schemas.errors import Refused
from signing.note import NoteVerifier

FORMAT = "lgsp-hub/inclusion-proof/1"
MAX_PATH = 64  # levels; a log of 2⁶⁴ entries has no more


@dataclass(frozen=True, slots=True)
class InclusionProof:
    """Shows that `leaf` is entry `index` of the log whose checkpoint is `checkpoint`."""

    index: int
    size: int
    leaf: bytes
    path: tuple[bytes, ...]  # lowest sibling first
    checkpoint: bytes  # a signed note
    opening: bytes | None = None  # salts and values, where they are disclosed

    @property
    def leaf_hash(self) -> bytes:
        """SHA-256(0x00 ‖ leaf)."""
        return leaf_hash(self.leaf)

    def as_json(self) -> dict[str, Any]:
        """The document above."""
        document: dict[str, Any] = {
            "format": FORMAT,
            "index": self.index,
            "size": self.size,
            "leaf": self.leaf.decode("utf-8"),
            "leaf_hash": b64encode(self.leaf_hash).decode("ascii"),
            "path": [b64encode(each).decode("ascii") for each in self.path],
            "checkpoint": self.checkpoint.decode("utf-8"),
        }
        if self.opening is not None:
            document["opening"] = json.loads(self.opening)
        return document

    @classmethod
    def from_json(cls, document: object) -> InclusionProof:
        """Reads what `as_json` wrote. Raises `Refused("proof-malformed")`."""
        try:
            return cls._checked(document)
        except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as fault:
            raise Refused("proof-malformed", got=f"{type(fault).__name__}: {fault}", expected=FORMAT) from fault

    @classmethod
    def _checked(cls, document: Any) -> InclusionProof:
        if not isinstance(document, Mapping) or document["format"] != FORMAT or len(document["path"]) > MAX_PATH:
            raise ValueError("not a document of this format")
        index, size = document["index"], document["size"]
        if type(index) is not int or type(size) is not int:
            raise ValueError("index and size are numbers")
        path = tuple(b64decode(each, validate=True) for each in document["path"])
        opening: JsonValue = document.get("opening")
        leaf, checkpoint = document["leaf"].encode("utf-8"), document["checkpoint"].encode("utf-8")
        return cls(index, size, leaf, path, checkpoint, None if opening is None else canonical(opening, "opening"))


@dataclass(frozen=True, slots=True)
class Proven:
    """What a proof shows once it has been checked."""

    index: int
    entry: Entry
    checkpoint: Checkpoint
    values: Mapping[str, Any] | None  # None where nothing was disclosed

    def as_json(self) -> dict[str, Any]:
        """For `--json` output."""
        return {
            "origin": self.checkpoint.origin,
            "size": self.checkpoint.size,
            "root": b64encode(self.checkpoint.root).decode("ascii"),
            "index": self.index,
            "event": self.entry.event,
            "at": self.entry.at,
            "values": self.values,
        }


def check_proof(proof: InclusionProof, log_keys: Sequence[NoteVerifier]) -> Proven:
    """What `proof` shows to whoever trusts one of `log_keys`.

    Raises `Refused`: ``note-invalid``, ``checkpoint-invalid``, ``entry-malformed``, ``proof-invalid``, ``opening-mismatch``.
    """
    checkpoint = Checkpoint.opened(proof.checkpoint, log_keys)  # 1
    if checkpoint.size != proof.size:  # 2
        raise Refused("proof-invalid", got=f"a proof for size {proof.size}", expected=f"one for size {checkpoint.size}")
    entry = Entry.from_leaf(proof.leaf)
    if not verify_inclusion(leaf_hash(proof.leaf), proof.index, proof.size, proof.path, checkpoint.root):  # 3
        raise Refused("proof-invalid", got=f"entry {proof.index}", expected=f"a path to the root of size {checkpoint.size}")
    values = None if proof.opening is None else open_entry(proof.leaf, proof.opening)  # 4
    return Proven(proof.index, entry, checkpoint, values)
