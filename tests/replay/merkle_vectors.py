"""Writes the whole folder of Merkle vectors that is published, in any of its editions: every kind, each happy path with all its mutations,
the static cases. Made anew by the definitions of RFC 6962 §2.1, slowly, so that neither maker nor checker of the project has a part in it.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

EMPTY = sha256(b"").digest()
SOME = bytes.fromhex("abacaba000000000000000000000000000000000000000000060061e00123456")
ONE, OTHER = b"don't care 1", b"don't care 2"
LEAVES = [sha256(b"\x00" + bytes([number])).digest() for number in range(20)]
WRAP = 1 << 64
Proof = tuple[bytes, ...]


@dataclass(frozen=True)
class Edition:
    """What changed from one to the next."""

    index_name: str = "leafIdx"
    zero_to_some: bool = False  # an empty proof from size 0 to another size is wanted
    zero_to_zero: bool = False
    has_subtrees: bool = True
    empty_subtree: bool = True
    indent: int | None = 2


EDITIONS = {
    "2023": Edition("leafIndex", zero_to_some=True, zero_to_zero=True, has_subtrees=False, indent=None),
    "2024": Edition(zero_to_zero=True, has_subtrees=False),
    "2026-06": Edition(empty_subtree=False),
    "2026-09": Edition(),
}


def root_of(leaves: Sequence[bytes]) -> bytes:
    """MTH."""
    if len(leaves) < 2:
        return leaves[0] if leaves else EMPTY
    middle = 1 << (len(leaves) - 1).bit_length() - 1
    return sha256(b"\x01" + root_of(leaves[:middle]) + root_of(leaves[middle:])).digest()


def path_of(index: int, leaves: Sequence[bytes]) -> Proof:
    """PATH(m, D[n])."""
    if len(leaves) < 2:
        return ()
    middle = 1 << (len(leaves) - 1).bit_length() - 1
    if index < middle:
        return (*path_of(index, leaves[:middle]), root_of(leaves[middle:]))
    return (*path_of(index - middle, leaves[middle:]), root_of(leaves[:middle]))


def subtree_proof(start: int, end: int, leaves: Sequence[bytes], *, is_known: bool = True) -> Proof:
    """SUBTREE_PROOF(start, end, D[n]) of the draft, §4.4.1; PROOF(m, D[n]) of RFC 6962 for `start` 0."""
    if (start, end) == (0, len(leaves)):
        return () if is_known else (root_of(leaves),)
    middle = 1 << (len(leaves) - 1).bit_length() - 1
    left, right = leaves[:middle], leaves[middle:]
    if end <= middle:
        return (*subtree_proof(start, end, left, is_known=is_known), root_of(right))
    if start >= middle:
        return (*subtree_proof(start - middle, end - middle, right, is_known=is_known), root_of(left))
    return (*subtree_proof(0, end - middle, right, is_known=False), root_of(left))


@dataclass(frozen=True)
class Inclusion:
    """Of a leaf in [start, end)."""

    index: int
    start: int
    end: int
    root: bytes
    leaf: bytes
    proof: Proof | None

    def members(self, edition: Edition, *, is_subtree: bool) -> dict[str, Any]:
        where = {"start": self.start, "end": self.end} if is_subtree else {"treeSize": self.end}
        rest = {"root": _text(self.root), "leafHash": _text(self.leaf), "proof": _list(self.proof)}
        return {edition.index_name: self.index, **where, **rest}

    def wrong(self) -> Iterable[tuple[str, Inclusion]]:
        """Every mutation."""
        proof, size = self.proof or (), self.end - self.start
        yield "leafIdx-sub-@1", replace(self, index=(self.index - 1) % WRAP)
        yield "leafIdx-plus-@1", replace(self, index=self.index + 1)
        yield "leafIdx-XOR-@2", replace(self, index=self.index ^ 2)
        yield "treeSize-mul-@2", replace(self, end=self.start + size * 2)
        yield "treeSize-div-@2", replace(self, end=self.start + size // 2)
        yield "wrong-leaf", replace(self, leaf=b"WrongLeaf")
        yield "empty-root", replace(self, root=EMPTY)
        yield "random-root", replace(self, root=SOME)
        for name, change in _spoiled(proof, self.root, bit=8):
            yield name, replace(self, proof=change)
        if len(proof) > 1:
            yield "inserted-component", replace(self, proof=(proof[0], SOME, *proof[1:]))


@dataclass(frozen=True)
class Consistency:
    """Of [start, end) with the tree of `size`."""

    start: int
    end: int
    size: int
    root1: bytes
    root2: bytes
    proof: Proof | None

    def members(self, edition: Edition, *, is_subtree: bool) -> dict[str, Any]:
        named = {"start": self.start, "end": self.end, "size": self.size} if is_subtree else {"size1": self.end, "size2": self.size}
        return {**named, "root1": _text(self.root1), "root2": _text(self.root2), "proof": _list(self.proof)}

    def wrong(self) -> Iterable[tuple[str, Consistency]]:
        """Every mutation; of an empty proof there is none."""
        proof = self.proof or ()
        if not proof:
            return
        yield "size1-sub-@1", replace(self, end=self.end - 1, root1=self.root1 if self.end - 1 > self.start else SOME)
        yield "size1-plus-@1", replace(self, end=self.end + 1)
        yield "size1-XOR-@2", replace(self, end=self.end ^ 2)
        yield "size2-mul-@2", replace(self, size=self.size * 2)
        yield "size2-div-@2", replace(self, size=self.size // 2)
        yield "wrong-root1", replace(self, root1=b"WrongRoot")
        yield "wrong-root2", replace(self, root2=b"WrongRoot")
        yield "swapped-roots", replace(self, root1=self.root2, root2=self.root1)
        yield "empty-proof", replace(self, proof=())
        yield "trailing-root1", replace(self, proof=(*proof, self.root1))
        yield "preceding-root1", replace(self, proof=(self.root1, *proof))
        yield "preceding-proof-@0", replace(self, proof=(proof[0], *proof))
        for name, change in _spoiled(proof, self.root2, bit=16):
            yield name, replace(self, proof=change)


Vector = Inclusion | Consistency


def write(folder: Path, edition: Edition) -> dict[str, int]:
    """The folder of `edition`; kind → how many vectors."""
    counts: dict[str, int] = {}

    def put(kind: str, name: str, vector: Vector, *, wants_error: bool) -> None:
        members = vector.members(edition, is_subtree=kind.startswith("subtree"))
        path = folder / kind / f"{name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({**members, "desc": name, "wantErr": wants_error}, indent=edition.indent))
        counts[kind] = counts.get(kind, 0) + 1

    for is_subtree in (False, True)[: 1 + edition.has_subtrees]:
        mark = "subtree-" if is_subtree else ""
        consistencies = list(_consistencies(is_subtree=is_subtree)), list(_static_consistencies(edition, is_subtree=is_subtree))
        inclusions = list(_inclusions(is_subtree=is_subtree)), list(_static_inclusions())
        folders: dict[str, tuple[Sequence[Vector], Sequence[tuple[str, Vector, bool]]]] = {}
        folders["inclusion"], folders["consistency"] = inclusions, consistencies
        for kind, (happy, static) in folders.items():
            for number, good in enumerate(happy):
                put(mark + kind, f"{number}/happy-path", good, wants_error=False)
                for name, bad in good.wrong():
                    put(mark + kind, f"{number}/{name}", bad, wants_error=True)
            for name, vector, is_good in static:
                put(mark + kind, f"additional/{name}", vector, wants_error=not is_good)
    if edition.has_subtrees:
        for name, empty, is_good in _empty_subtrees(edition):
            put("subtree-consistency", f"additional/{name}", empty, wants_error=not is_good)
    return counts


def _inclusions(*, is_subtree: bool) -> Iterable[Inclusion]:
    for index, size in [(0, 1), (0, 8), (5, 8), (2, 3), (1, 5), (7, 9), (3, 4)]:
        shift = (1 << (size - 1).bit_length()) if is_subtree and size + (1 << (size - 1).bit_length()) <= len(LEAVES) else 0
        leaves = LEAVES[shift : shift + size]
        yield Inclusion(shift + index, shift, shift + size, root_of(leaves), leaves[index], path_of(index, leaves) or None)


def _consistencies(*, is_subtree: bool) -> Iterable[Consistency]:
    ranges = [(4, 8, 13), (8, 11, 20), (4, 6, 6), (12, 15, 16), (0, 6, 20), (19, 20, 20)] if is_subtree else []
    for start, end, size in [(0, 1, 1), (0, 1, 8), (0, 6, 8), (0, 2, 5), (0, 6, 7), (0, 8, 20), (0, 19, 20), *ranges]:
        leaves = LEAVES[:size]
        yield Consistency(start, end, size, root_of(leaves[start:end]), root_of(leaves), subtree_proof(start, end, leaves) or None)


def _static_inclusions() -> Iterable[tuple[str, Inclusion, bool]]:
    for number, (index, size) in enumerate([(0, 0), (0, 1), (1, 0), (2, 1)]):
        yield f"{number}/random-leaf", Inclusion(index, 0, size, b"", SOME, ()), False
        yield f"{number}/empty-root", Inclusion(index, 0, size, EMPTY, b"", ()), False
        yield f"{number}/empty-root-and-random-leaf", Inclusion(index, 0, size, EMPTY, SOME, ()), False
    for name, root, leaf in [("matching", SOME, SOME), ("empty-leaf", SOME, b""), ("empty-root", b"", SOME), ("both-empty", b"", b"")]:
        yield f"single-{name}", Inclusion(0, 0, 1, root, leaf, ()), name == "matching"


def _static_consistencies(edition: Edition, *, is_subtree: bool) -> Iterable[tuple[str, Consistency, bool]]:
    yield "zero-but-roots-are-not", Consistency(0, 0, 0, ONE, OTHER, ()), False
    yield "one-but-roots-are-not", Consistency(0, 1, 1, ONE, OTHER, ()), False
    yield "zero-and-proof-is-empty", Consistency(0, 0, 0, ONE, ONE, ()), edition.zero_to_zero
    yield "zero-and-does-not-equal-size2", Consistency(0, 0, 1, ONE, OTHER, ()), edition.zero_to_some
    if edition.has_subtrees:
        yield "zero-and-size2-is-not", Consistency(0, 0, 1, EMPTY, OTHER, ()), is_subtree and edition.empty_subtree
    yield "one-and-proof-is-empty", Consistency(0, 1, 1, OTHER, OTHER, ()), True
    yield "size1-is-greater", Consistency(0, 1, 0, ONE, OTHER, ()), False
    yield "size1-is-greater-again", Consistency(0, 2, 1, ONE, OTHER, ()), False
    yield "sizes-do-not-match-and-proof-is-empty", Consistency(0, 1, 2, ONE, OTHER, ()), False
    yield "zero-roots-do-not-match", Consistency(0, 0, 0, EMPTY, OTHER, ()), is_subtree and edition.empty_subtree
    yield "one-roots-do-not-match", Consistency(0, 1, 1, EMPTY, OTHER, ()), False
    yield "zero-but-proof-is-not-empty", Consistency(0, 0, 0, EMPTY, EMPTY, (EMPTY,)), False
    yield "one-but-proof-is-not-empty", Consistency(0, 1, 1, EMPTY, EMPTY, (EMPTY,)), False
    yield "empty-tree-is-useless", Consistency(0, 0, 1, EMPTY, EMPTY, (EMPTY,)), False


def _empty_subtrees(edition: Edition) -> Iterable[tuple[str, Consistency, bool]]:
    for start, size in [(0, 0), (1, 1), (1, 2)]:
        yield f"empty-{start}-{size}-root-valid", Consistency(start, start, size, EMPTY, ONE, ()), edition.empty_subtree
        yield f"empty-{start}-{size}-roots-match-but-not-valid", Consistency(start, start, size, ONE, ONE, ()), False
        yield f"empty-{start}-{size}-proof-is-not-empty", Consistency(start, start, size, EMPTY, EMPTY, (EMPTY,)), False
    for start, end, size in [(1, 3, 8), (2, 5, 8), (2, 6, 8), (1, 15, 15), (WRAP - 1, 1, 8), (0, 9, 8)]:
        yield f"invalid-{start}-{end}-{size}", Consistency(start, end, size, SOME, SOME, ()), False


def _spoiled(proof: Proof, root: bytes, *, bit: int) -> Iterable[tuple[str, Proof]]:
    yield "trailing-garbage", (*proof, b"")
    yield "trailing-root", (*proof, root)
    yield "preceding-garbage", (b"", *proof)
    yield "preceding-root", (root, *proof)
    for at, each in enumerate(proof):
        yield f"modified-proof@{at}-bit", (*proof[:at], bytes([each[0] ^ bit]) + each[1:], *proof[at + 1 :])
    if proof:
        yield "truncated-proof", proof[:-1]


def _text(digest: bytes) -> str:
    return b64encode(digest).decode("ascii")


def _list(proof: Proof | None) -> list[str] | None:
    return None if proof is None else list(map(_text, proof))
