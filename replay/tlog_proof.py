"""The proof of one entry as C2SP tlog-proof has it, so that standard tools check it offline::

    c2sp.org/tlog-proof@v1
    extra <base64>              canonical JSON {"leaf": "…"} and, where values are disclosed, {"leaf": "…", "opening": {…}}
    index 6
    <base64 of a hash>          the inclusion proof, lowest sibling first
                                (an empty line)
    <checkpoint>                with the log's signature and the witnesses' cosignatures

The extra data is not authenticated by the format: the leaf in it is what is hashed, the opening what is compared with its commitments.
"""

from __future__ import annotations

import json
import re
from base64 import b64decode, b64encode
from typing import Any

from replay.checkpoint import Checkpoint
from replay.entry import canonical
from replay.proof import MAX_PATH, InclusionProof
from schemas.errors import Refused
from signing.note import note_text

HEADER = "c2sp.org/tlog-proof@v1"
_INDEX = re.compile(r"index (0|[1-9][0-9]{0,18})")


def to_text(proof: InclusionProof) -> str:
    """The document. Raises `Refused("proof-malformed")` where the opening is no JSON."""
    extra: dict[str, Any] = {"leaf": proof.leaf.decode("utf-8")}
    if proof.opening is not None:
        extra["opening"] = json.loads(proof.opening)
    lines = [HEADER, f"extra {_encoded(canonical(extra, 'extra'))}", f"index {proof.index}", *map(_encoded, proof.path), ""]
    return "\n".join(lines) + "\n" + proof.checkpoint.decode("utf-8")


def is_tlog_proof(data: bytes) -> bool:
    """Whether `data` says that it is one."""
    return data.startswith(HEADER.encode())


def from_text(data: bytes) -> InclusionProof:
    """Reads a document of ours, nothing in it believed. Raises `Refused`: ``proof-malformed``, ``note-invalid``, ``checkpoint-invalid``."""
    head, gap, note = data.partition(b"\n\n")
    try:
        lines = head.decode("ascii").split("\n")
        if not gap or lines.pop(0) != HEADER:
            raise ValueError("no checkpoint, or another first line")
        if not lines or not lines[0].startswith("extra "):
            raise ValueError("no extra data: the entry itself is needed to check it")
        extra = json.loads(b64decode(lines.pop(0).removeprefix("extra "), validate=True))
        index = _INDEX.fullmatch(lines.pop(0))
        if index is None or len(lines) > MAX_PATH:
            raise ValueError("no index, or too many hashes")
        path = tuple(b64decode(line, validate=True) for line in lines)
        opening = canonical(extra["opening"], "opening") if "opening" in extra else None
        leaf = extra["leaf"].encode("utf-8")
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError) as fault:
        raise Refused("proof-malformed", got=f"{type(fault).__name__}: {fault}"[:200], expected=HEADER) from fault
    return InclusionProof(int(index.group(1)), Checkpoint.parse(note_text(note)).size, leaf, path, note, opening)


def _encoded(data: bytes) -> str:
    return b64encode(data).decode("ascii")
