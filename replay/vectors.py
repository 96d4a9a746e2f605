"""Test vectors of Merkle proofs in JSON, as github.com/transparency-dev/merkle publishes them, run against the checkers.

One file, one vector; numbers are unsigned 64-bit, hashes base64 of any length, `proof` a list or null, and so may every hash be::

    {"leafIdx": 0, "treeSize": 8, "root": …, "leafHash": …, "proof": […], "desc": "happy path", "wantErr": false}
    {"size1": 1, "size2": 8, "root1": …, "root2": …, "proof": […], "desc": "happy path", "wantErr": false}
    {"leafIdx": 9, "start": 8, "end": 16, "root": …, "leafHash": …, "proof": […], …}          of a subtree, since June 2026
    {"start": 8, "end": 16, "size": 20, "root1": …, "root2": …, "proof": […], …}              of a subtree, since July 2026

The first editions say `leafIndex` for `leafIdx`.

Of an empty old tree RFC 6962 §2.1.2 says nothing (it defines consistency for 0 < size1), and editions want different things:

* ``always``: an empty proof is good for every tree, whatever its root (until September 2024)
* ``same``:   only from the empty tree to itself, with the same root (until June 2026)
* ``never``:  it is refused

and likewise of an empty subtree: ``never``, or ``empty-root`` since July 2026. A folder is one edition: all its vectors of that kind have
to want what one and the same edition wants. It is the one that most of them agree with; a vector that wants something else has failed.
"""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from replay.merkle_check import verify_consistency, verify_inclusion
from replay.subtree_check import verify_empty_subtree, verify_in_subtree, verify_subtree
from schemas.errors import Refused

MAX_VECTOR_BYTES = 1_000_000
INCLUSION, CONSISTENCY = "inclusion", "consistency"
SUBTREE_INCLUSION, SUBTREE_CONSISTENCY = "subtree-inclusion", "subtree-consistency"
KINDS = (INCLUSION, CONSISTENCY, SUBTREE_INCLUSION, SUBTREE_CONSISTENCY)
# The newest first: it is taken where a folder has nothing that tells them apart.
EDITIONS: Mapping[str, Sequence[str]] = {CONSISTENCY: ("never", "same", "always"), SUBTREE_CONSISTENCY: ("empty-root", "never")}
_MEMBERS: Mapping[str, frozenset[str]] = {
    INCLUSION: frozenset({"leafIdx", "treeSize", "root", "leafHash", "proof", "wantErr"}),
    CONSISTENCY: frozenset({"size1", "size2", "root1", "root2", "proof", "wantErr"}),
    SUBTREE_INCLUSION: frozenset({"leafIdx", "start", "end", "root", "leafHash", "proof", "wantErr"}),
    SUBTREE_CONSISTENCY: frozenset({"start", "end", "size", "root1", "root2", "proof", "wantErr"}),
}


@dataclass(frozen=True, slots=True)
class VectorOutcome:
    """How one file came out."""

    path: str  # below the folder
    kind: str  # one of `KINDS`, "" where it is none
    passed: bool
    detail: str = ""

    def as_json(self) -> dict[str, Any]:
        """For `--json` output."""
        return {"path": self.path, "kind": self.kind, "passed": self.passed, "detail": self.detail}


@dataclass(frozen=True, slots=True)
class VectorRun:
    """How a folder came out."""

    outcomes: Sequence[VectorOutcome]
    editions: Mapping[str, str]  # kind → which edition decided where the RFC says nothing; without the kinds where none had to
    undefined: int  # how many vectors it decided

    @property
    def failed(self) -> Sequence[VectorOutcome]:
        """Those that did not pass, in order."""
        return [one for one in self.outcomes if not one.passed]

    def as_json(self) -> dict[str, Any]:
        """For `--json` output."""
        counts = {kind: sum(one.kind == kind for one in self.outcomes) for kind in KINDS}
        told = {"passed": len(self.outcomes) - len(self.failed), "failed": len(self.failed), **counts}
        return {**told, "undefined": self.undefined, "editions": dict(self.editions), "failures": [one.as_json() for one in self.failed]}


@dataclass(frozen=True, slots=True)
class _Vector:
    """A vector that could be read, with the checkers' answer: whether the proof holds, by each edition of its kind."""

    path: str
    kind: str
    description: str
    is_refusal: bool  # what it wants
    answers: Mapping[str, bool]  # edition → accepted; only "" where the RFC decides

    def outcome(self, edition: str) -> VectorOutcome:
        """By that edition."""
        is_refused = not self.answers.get(edition, self.answers.get("", False))
        words = {True: "refused", False: "accepted"}
        detail = "" if is_refused == self.is_refusal else f"{self.description}: {words[is_refused]}, wanted {words[self.is_refusal]}"
        return VectorOutcome(self.path, self.kind, not detail, detail)


def run_vectors(folder: Path) -> VectorRun:
    """Every ``*.json`` below `folder`, in order. Raises `Refused("invalid-request")` where there is none."""
    files = sorted(folder.rglob("*.json")) if folder.is_dir() else []
    if not files:
        raise Refused("invalid-request", got=f"{folder.name}: no .json file", expected="a folder with test vectors, such as testdata")
    read = [_read(path.relative_to(folder).as_posix(), path) for path in files]
    vectors = [one for one in read if isinstance(one, _Vector)]
    editions = {kind: edition for kind in EDITIONS if (edition := _edition(vectors, kind))}
    outcomes = [one.outcome(editions.get(one.kind, "")) if isinstance(one, _Vector) else one for one in read]
    return VectorRun(outcomes, editions, sum("" not in one.answers for one in vectors))


def _edition(vectors: Sequence[_Vector], kind: str) -> str:
    """The edition that most vectors of `kind` agree with where editions differ; "" where there is no such vector."""
    asked = [one for one in vectors if one.kind == kind and "" not in one.answers]
    if not asked:
        return ""
    return max(EDITIONS[kind], key=lambda edition: sum(one.outcome(edition).passed for one in asked))


def _read(name: str, path: Path) -> _Vector | VectorOutcome:
    """One file. What cannot be read as a vector has not passed."""
    try:
        if path.stat().st_size > MAX_VECTOR_BYTES:
            raise ValueError(f"more than {MAX_VECTOR_BYTES} bytes")
        return _vector(name, json.loads(path.read_bytes()))
    except (OSError, ValueError, TypeError, AttributeError, RecursionError) as fault:
        return VectorOutcome(name, "", passed=False, detail=f"not a vector: {type(fault).__name__} {fault}"[:200])


def _vector(name: str, found: Mapping[str, Any]) -> _Vector:
    told = {"leafIdx" if member == "leafIndex" else member: value for member, value in found.items()}
    kind = next((kind for kind, members in _MEMBERS.items() if told.keys() >= members), "")
    if not kind or type(told["wantErr"]) is not bool:
        raise ValueError(f"members {', '.join(sorted(found))}")
    answer = {
        INCLUSION: _inclusion,
        CONSISTENCY: _consistency,
        SUBTREE_INCLUSION: _subtree_inclusion,
        SUBTREE_CONSISTENCY: _subtree_consistency,
    }[kind]
    answers = answer(told, tuple(map(_hash, told["proof"] or ())))
    agreed = set(answers.values())
    return _Vector(name, kind, str(told.get("desc", "")), told["wantErr"], answers if len(agreed) > 1 else {"": agreed.pop()})


def _inclusion(told: Mapping[str, Any], proof: Sequence[bytes]) -> Mapping[str, bool]:
    index, size = _number(told["leafIdx"]), _number(told["treeSize"])
    return {"": verify_inclusion(_hash(told["leafHash"]), index, size, proof, _hash(told["root"]))}


def _consistency(told: Mapping[str, Any], proof: Sequence[bytes]) -> Mapping[str, bool]:
    old, size = _number(told["size1"]), _number(told["size2"])
    old_root, root = _hash(told["root1"]), _hash(told["root2"])
    if old > 0:
        return {"": verify_consistency(old, old_root, size, root, proof)}
    is_same = size == 0 and old_root == root and not proof
    return {"never": False, "same": is_same, "always": is_same if size == 0 else not proof}


def _subtree_inclusion(told: Mapping[str, Any], proof: Sequence[bytes]) -> Mapping[str, bool]:
    index, start, end = (_number(told[name]) for name in ("leafIdx", "start", "end"))
    return {"": verify_in_subtree(_hash(told["leafHash"]), index, (start, end), proof, _hash(told["root"]))}


def _subtree_consistency(told: Mapping[str, Any], proof: Sequence[bytes]) -> Mapping[str, bool]:
    start, end, size = (_number(told[name]) for name in ("start", "end", "size"))
    subtree_root, root = _hash(told["root1"]), _hash(told["root2"])
    if start == end:
        return {"never": False, "empty-root": verify_empty_subtree(end, subtree_root, size, proof)}
    return {"": verify_subtree((start, end), subtree_root, size, root, proof)}


def _hash(text: str | None) -> bytes:
    return b"" if text is None else b64decode(text, validate=True)  # Go writes an empty slice as null


def _number(value: object) -> int:
    if type(value) is not int or not 0 <= value < 1 << 64:
        raise ValueError(f"{value!r} is not an unsigned number of 64 bits")
    return value
