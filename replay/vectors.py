"""Test vectors of Merkle proofs in JSON, as github.com/transparency-dev/merkle publishes them, run against `replay.merkle_check`.

One file, one vector; numbers are unsigned 64-bit, hashes base64, `proof` a list or null::

    {"leafIdx": 0, "treeSize": 8, "root": …, "leafHash": …, "proof": […], "desc": "happy path", "wantErr": false}
    {"size1": 1, "size2": 8, "root1": …, "root2": …, "proof": […], "desc": "happy path", "wantErr": false}

RFC 6962 §2.1.2 defines consistency for 0 < size1 only. Editions of the vectors differ in what they want of an empty old tree
with an empty proof (accepted until 2024; refused for other sizes since then, and always since June 2026): such a vector passes whatever it
wants, and is counted as undefined.
"""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from replay.merkle_check import verify_consistency, verify_inclusion
from schemas.errors import Refused

MAX_VECTOR_BYTES = 1_000_000
_INCLUSION = {"leafIdx", "treeSize", "root", "leafHash", "proof", "wantErr"}
_CONSISTENCY = {"size1", "size2", "root1", "root2", "proof", "wantErr"}


@dataclass(frozen=True, slots=True)
class VectorOutcome:
    """How one file came out."""

    path: str  # below the folder
    kind: str  # "inclusion", "consistency", "" where it is neither
    passed: bool
    undefined: bool = False  # the RFC says nothing of it, and editions differ
    detail: str = ""

    def as_json(self) -> dict[str, Any]:
        """For `--json` output."""
        return {"path": self.path, "kind": self.kind, "passed": self.passed, "undefined": self.undefined, "detail": self.detail}


def run_vectors(folder: Path) -> Iterator[VectorOutcome]:
    """Every ``*.json`` below `folder`, in order. Raises `Refused("invalid-request")` where there is none."""
    files = sorted(folder.rglob("*.json")) if folder.is_dir() else []
    if not files:
        raise Refused("invalid-request", got=f"{folder.name}: no .json file", expected="a folder with test vectors, such as testdata")
    for path in files:
        yield run_vector(path.relative_to(folder).as_posix(), path)


def run_vector(name: str, path: Path) -> VectorOutcome:
    """One file. What cannot be read as a vector has not passed."""
    try:
        if path.stat().st_size > MAX_VECTOR_BYTES:
            raise ValueError(f"more than {MAX_VECTOR_BYTES} bytes")
        return _judged(name, json.loads(path.read_bytes()))
    except (OSError, ValueError, TypeError, AttributeError, RecursionError) as fault:
        return VectorOutcome(name, "", passed=False, detail=f"not a vector: {type(fault).__name__} {fault}"[:200])


def _judged(name: str, vector: Mapping[str, Any]) -> VectorOutcome:
    kind = "inclusion" if vector.keys() >= _INCLUSION else "consistency" if vector.keys() >= _CONSISTENCY else ""
    if not kind or type(vector["wantErr"]) is not bool:
        raise ValueError(f"members {', '.join(sorted(vector))}")
    proof = tuple(map(_hash, vector["proof"] or ()))
    if kind == "inclusion":
        index, size = _number(vector["leafIdx"]), _number(vector["treeSize"])
        accepted, undefined = verify_inclusion(_hash(vector["leafHash"]), index, size, proof, _hash(vector["root"])), False
    else:
        old, size = _number(vector["size1"]), _number(vector["size2"])
        accepted = verify_consistency(old, _hash(vector["root1"]), size, _hash(vector["root2"]), proof)
        undefined = old == 0 and not proof and (size > 0 or vector["root1"] == vector["root2"])
    refused = not accepted
    passed = refused == vector["wantErr"] or undefined
    wanted = f"{vector.get('desc', '')}: {'refused' if refused else 'accepted'}, wanted {'refused' if vector['wantErr'] else 'accepted'}"
    return VectorOutcome(name, kind, passed, undefined, "" if refused == vector["wantErr"] else wanted)


def _hash(text: str) -> bytes:
    return b64decode(text, validate=True)


def _number(value: object) -> int:
    if type(value) is not int or not 0 <= value < 1 << 64:
        raise ValueError(f"{value!r} is not an unsigned number of 64 bits")
    return value
