"""The data of `signs.toml`, read once, and the way texts are compared with it."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Filler:
    """A member and values of it that say nothing."""

    field: str
    values: frozenset[str]
    beside: Mapping[str, str]  # other members that must have these values


@dataclass(frozen=True, slots=True)
class Copy:
    """A member that should not be equal to another."""

    field: str
    of: str
    unless: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Signs:
    """Everything that is looked for."""

    ids: frozenset[str]
    id_patterns: tuple[re.Pattern[str], ...]
    times: frozenset[str]
    fillers: tuple[Filler, ...]
    copies: tuple[Copy, ...]
    synthetic: frozenset[str]
    hidden: Mapping[str, tuple[str, ...]]  # state → words
    unless: tuple[str, ...]
    suspicious_hours: frozenset[int]

    def is_sentinel(self, number: str) -> bool:
        """Whether an identity number is one that stands for none."""
        bare = number.strip()
        return bare in self.ids or any(pattern.fullmatch(bare) for pattern in self.id_patterns)

    def is_synthetic(self, text: str) -> bool:
        """Whether the content of a step is that of one nobody took."""
        return folded(text).rstrip(".") in self.synthetic

    def hidden_state(self, text: str) -> str:
        """The state that the content of a step speaks of, "" for none."""
        said = folded(text)
        if any(words in said for words in self.unless):
            return ""
        return next((state for state, wording in self.hidden.items() if any(words in said for words in wording)), "")


def folded(text: str) -> str:
    """`text` in NFC, in lower case, with single spaces."""
    return " ".join(unicodedata.normalize("NFC", text).casefold().split())


@cache
def signs() -> Signs:
    """What is looked for."""
    data = tomllib.loads(Path(__file__).with_name("signs.toml").read_text("utf-8"))
    return Signs(
        ids=frozenset(data["sentinel"]["ids"]),
        id_patterns=tuple(re.compile(one) for one in data["sentinel"]["patterns"]),
        times=frozenset(data["sentinel"]["times"]),
        fillers=tuple(Filler(row["field"], frozenset(row["values"]), row.get("with", {})) for row in data["filler"]),
        copies=tuple(Copy(row["field"], row["of"], row["unless"]) for row in data["copy"]),
        synthetic=frozenset(data["steps"]["synthetic"]),
        hidden={state: tuple(words) for state, words in data["steps"]["hidden"].items()},
        unless=tuple(data["steps"]["unless"]),
        suspicious_hours=frozenset(data["clock"]["suspicious_hours"]),
    )
