"""Places in a tree of JSON values: the paths that mappings are written in, looking them up, putting values there.

A path is ``data[]/TaiLieuNop[]/TenTepDinhKem``: members joined by ``/``, ``[]`` for each row of a list, ``[0]`` for one row. The n-th
``[]`` of a source and the n-th of its target are the same row.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final, Generic, TypeVar

from schemas.dvcqg.findings import step

EACH: Final = -1  # "[]" in a path
MAX_STEPS = 16

Path = tuple[str | int, ...]
T = TypeVar("T")

_SEGMENT = re.compile(r"([^/\[\]]+)(?:\[(\d{0,3})\])?")


def path_of(text: str) -> Path | None:
    """The path that `text` writes; None where it is none."""
    steps: list[str | int] = []
    for segment in text.split("/"):
        match = _SEGMENT.fullmatch(segment)
        if match is None:
            return None
        steps.append(match[1])
        if match[2] is not None:
            steps.append(int(match[2]) if match[2] else EACH)
    return tuple(steps) if len(steps) <= MAX_STEPS else None


def text_of(path: Path) -> str:
    """How `path` is written."""
    pieces = [f"/{one}" if isinstance(one, str) else "[]" if one == EACH else f"[{one}]" for one in path]
    return "".join(pieces).removeprefix("/")


def pointer(path: Path) -> str:
    """The JSON pointer (RFC 6901) of a concrete path."""
    place = ""
    for one in path:
        place = step(place, one)
    return place


def is_blank(value: object) -> bool:
    """Whether `value` says nothing: absent, blank, or a box of nothing. In every format here, blank is no value."""
    return value is None or (isinstance(value, str) and not value.strip()) or (isinstance(value, dict | list) and not value)


def leaves(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every value in the tree that says something, with its concrete path."""
    if isinstance(value, dict):
        for name, one in value.items():
            yield from leaves(one, (*path, name))
    elif isinstance(value, list):
        for n, one in enumerate(value):
            yield from leaves(one, (*path, n))
    elif not is_blank(value):
        yield path, value


@dataclass(slots=True)
class Trie(Generic[T]):
    """What is said of paths, found while walking down a tree."""

    said: list[T] = field(default_factory=list)
    below: dict[str | int, Trie[T]] = field(default_factory=dict)

    def add(self, path: Path, one: T) -> None:
        """Says `one` of `path`."""
        node = self
        for name in path:
            node = node.below.setdefault(name, Trie())
        node.said.append(one)

    def child(self, name: str | int) -> Trie[T] | None:
        """What is said below the member or row `name`: of that row, else of each."""
        found = self.below.get(name)
        return found if found is not None or isinstance(name, str) else self.below.get(EACH)


def placed(path: Path, rows: Iterable[int]) -> Path:
    """`path` with each ``[]`` replaced by a row, in order."""
    left = iter(rows)
    return tuple(next(left) if one == EACH else one for one in path)


class Tree:
    """A tree that is being put together. Rows keep their order; rows that nothing was put into are left out."""

    __slots__ = ("_root",)

    def __init__(self) -> None:
        self._root: dict[str | int, Any] = {}

    def put(self, path: Path, value: Any) -> None:
        """Puts `value` at a concrete path."""
        node = self._root
        for name in path[:-1]:
            node = node.setdefault(name, {})
        node[path[-1]] = value

    def built(self) -> dict[str, Any]:
        """The tree as JSON values."""
        found: dict[str, Any] = _closed(self._root)
        return found


def _closed(node: Any) -> Any:
    if not isinstance(node, dict):
        return node
    if node and all(isinstance(name, int) for name in node):
        return [_closed(node[n]) for n in sorted(node)]
    return {name: _closed(one) for name, one in node.items()}


def fill(tree: Any, path: Path, value: Any) -> None:
    """Puts `value` at `path` in every row that is there, where nothing stands yet. Rows are all or none: no ``[0]``."""
    here, rest = path[0], path[1:]
    if here == EACH:
        for row in tree if isinstance(tree, list) else ():
            fill(row, rest, value)
    elif not rest:
        if isinstance(tree, dict):
            tree.setdefault(here, value)
    elif isinstance(tree, dict) and here in tree:
        fill(tree[here], rest, value)
