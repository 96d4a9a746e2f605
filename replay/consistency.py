"""The proof that one state of the log only adds to another, as a document, and checking it with nothing but the log's public key::

    {"format": "lgsp-hub/consistency-proof/1", "old_size": 8, "size": 20, "proof": [base64, …], "checkpoint": "…signed note…"}

The older state is not in it: whoever checks holds its checkpoint, and believes that one.

1. both checkpoints are notes signed by a key the reader holds, of one log
2. their sizes are the proof's
3. the proof leads from the older root to the newer (`replay.merkle_check`)
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from replay.checkpoint import Checkpoint
from replay.merkle_check import verify_consistency
from schemas.errors import Refused
from signing.note import NoteVerifier

FORMAT = "lgsp-hub/consistency-proof/1"
MAX_PROOF = 64


@dataclass(frozen=True, slots=True)
class ConsistencyProof:
    """Shows that the log of `checkpoint` continues the one of `old_size`."""

    old_size: int
    size: int
    proof: tuple[bytes, ...]
    checkpoint: bytes  # the newer one, a signed note

    def as_json(self) -> dict[str, Any]:
        """The document above."""
        proof = [b64encode(each).decode("ascii") for each in self.proof]
        note = self.checkpoint.decode("utf-8")
        return {"format": FORMAT, "old_size": self.old_size, "size": self.size, "proof": proof, "checkpoint": note}

    @classmethod
    def from_json(cls, document: Any) -> ConsistencyProof:
        """Reads what `as_json` wrote. Raises `Refused("proof-malformed")`."""
        try:
            if document["format"] != FORMAT or len(document["proof"]) > MAX_PROOF:
                raise ValueError("not a document of this format")
            old_size, size = document["old_size"], document["size"]
            if type(old_size) is not int or type(size) is not int:
                raise ValueError("sizes are numbers")
            proof = tuple(b64decode(each, validate=True) for each in document["proof"])
            return cls(old_size, size, proof, document["checkpoint"].encode("utf-8"))
        except (KeyError, TypeError, ValueError, AttributeError) as fault:
            raise Refused("proof-malformed", got=f"{type(fault).__name__}: {fault}"[:200], expected=FORMAT) from fault


def check_consistency(proof: ConsistencyProof, older: bytes, log_keys: Sequence[NoteVerifier]) -> tuple[Checkpoint, Checkpoint]:
    """Both checkpoints, the older first, if the newer continues it. `older`: the note that the reader kept.

    Raises `Refused`: ``note-invalid``, ``checkpoint-invalid``, ``inconsistent``.
    """
    old, new = Checkpoint.opened(older, log_keys), Checkpoint.opened(proof.checkpoint, log_keys)  # 1
    if (old.origin, old.size, new.size) != (new.origin, proof.old_size, proof.size):  # 2
        expected = f"a proof of {old.origin} from {old.size} to {new.size}"
        raise Refused("inconsistent", got=f"one of {new.origin} from {proof.old_size} to {proof.size}", expected=expected)
    if not verify_consistency(old.size, old.root, new.size, new.root, proof.proof):  # 3
        raise Refused("inconsistent", got=f"size {new.size}", expected=f"a log that continues its size {old.size}")
    return old, new
