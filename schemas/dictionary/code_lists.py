"""The code lists of the dictionary, and of endpoints that code the same thing otherwise. Data: `code_lists.toml`.

The lists that a message itself is checked against stand with its format (`schemas/dvcqg/codelists.toml`); these are what values are
translated by.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType

_DATA = Path(__file__).with_name("code_lists.toml")


@dataclass(frozen=True, slots=True)
class CodeList:
    """One list. ``name`` is that of a common list, or ``list.endpoint``."""

    name: str
    vi: str
    source: str  # label and place of the fact
    codes: Mapping[str, str]  # code → Vietnamese label
    to: Mapping[str, str]  # code → code of the common list; of endpoints' lists
    open: bool  # kept by others and not known here in full: codes pass unchecked

    @property
    def is_common(self) -> bool:
        """Whether it is a common list, not an endpoint's."""
        return "." not in self.name

    @property
    def common(self) -> str:
        """Name of the common list."""
        return self.name.partition(".")[0]


@cache
def code_lists() -> Mapping[str, CodeList]:
    """All lists by name, read once."""
    rows = tomllib.loads(_DATA.read_text("utf-8"))
    return MappingProxyType(
        {
            name: CodeList(
                name=name,
                vi=row["vi"],
                source=row["source"],
                codes=MappingProxyType(row.get("codes", {})),
                to=MappingProxyType(row.get("to", {})),
                open=row.get("open", False),
            )
            for name, row in rows.items()
        }
    )
