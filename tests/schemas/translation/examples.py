"""The examples beside the mappings, and what two trees differ in."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from schemas.limits import DEFAULT_LIMITS
from schemas.translation import formats
from schemas.translation.engine import Translation, translate
from schemas.translation.mapping import LossKind, Mapping
from schemas.translation.paths import leaves, pointer
from schemas.translation.shipped import FOLDER, shipped


@dataclass(frozen=True)
class Example:
    """One example: what goes in, what comes out, what is lost."""

    path: Path  # of the ``.in``

    @property
    def mapping(self) -> Mapping:
        """The mapping it stands beside."""
        return shipped().by_name[self.path.parent.parent.name]

    @property
    def given(self) -> bytes:
        """What goes in."""
        return self.path.read_bytes()

    @property
    def made(self) -> bytes:
        """What has to come out."""
        return self.path.with_suffix(".out").read_bytes()

    @property
    def losses(self) -> list[str]:
        """What has to be named as lost: kind and path."""
        return self.path.with_suffix(".losses").read_text("utf-8").splitlines()

    def __str__(self) -> str:
        return f"{self.mapping.name}-{self.path.stem}"


EXAMPLES = [Example(path) for path in sorted(FOLDER.glob("*/examples/*.in"))]


def forward(example: Example) -> Translation:
    """The example, translated."""
    return translate(example.given, example.mapping.source, example.mapping.target, shipped())


def tree_of(name: str, raw: bytes) -> Any:
    """What `raw` says as a message of the format."""
    return formats.read(name, raw, DEFAULT_LIMITS).tree


def differences(one: Any, other: Any) -> set[str]:
    """Places that have another value, or a value in one tree only. Blank is no value."""
    here, there = dict(leaves(one)), dict(leaves(other))
    return {
        pointer(path)
        for path in here.keys() | there.keys()
        if here.get(path) != there.get(path) or type(here.get(path)) is not type(there.get(path))
    }


def lost(made: Translation) -> set[str]:
    """Places in the source's tree that are named as lost."""
    return {one.path for one in made.losses if one.kind is not LossKind.READING}
