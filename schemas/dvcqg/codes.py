"""Code lists, per endpoint: the same name means different codes at different ends. The lists are data: `codelists.toml`.

The ten national states and the graph of their transitions stand there too. The graph is inference [G §2.3]: no text prescribes one, so
whoever finds a transition outside it warns.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from schemas.errors import Text

_DATA = Path(__file__).with_name("codelists.toml")


@dataclass(frozen=True, slots=True)
class CodeList:
    """One list of one endpoint. A code whose meaning nobody told has an empty text."""

    endpoint: str
    name: str
    source: str  # label and place of the fact
    codes: Mapping[str, Text]
    national: Mapping[str, str]  # code → TrangThaiHoSo, "" where there is no national state; empty for lists that are no states

    @property
    def key(self) -> str:
        """How `About.codes` refers to it."""
        return f"{self.endpoint}/{self.name}"


class State(IntEnum):
    """TrangThaiHoSo, the ten national states of a dossier [C §2.3]. Names in Vietnamese: `code_list("dvcqg/TrangThaiHoSo")`."""

    NEW = 1
    RECEIVED = 2
    NOT_RECEIVED = 3
    PROCESSING = 4
    AWAITS_SUPPLEMENT = 5
    AWAITS_PAYMENT = 6
    WITHDRAWN = 7
    STOPPED = 8
    DONE = 9
    RETURNED = 10

    @classmethod
    def of(cls, text: str) -> State | None:
        """The state that a wire code names, None for none."""
        return _STATES.get(text.strip())


_STATES = {str(int(one)): one for one in State}


@cache
def code_lists() -> Mapping[str, CodeList]:
    """All lists by ``endpoint/Name``, read once."""
    found: dict[str, CodeList] = {}
    for row in _data()["list"]:
        codes = {code: Text(*told) if told else Text("", "") for code, told in row["codes"].items()}
        one = CodeList(row["endpoint"], row["name"], row["source"], MappingProxyType(codes), MappingProxyType(row.get("national", {})))
        found[one.key] = one
    return MappingProxyType(found)


def code_list(key: str) -> CodeList:
    """The list ``endpoint/Name``; one that is not there is a programmer's mistake."""
    found = code_lists().get(key)
    if found is None:
        raise RuntimeError(f"no code list {key}")
    return found


@cache
def transitions() -> Mapping[State, frozenset[State]]:
    """From each state, those that may follow it [G]. Terminal states have none."""
    table = _data()["transitions"]["after"]
    return MappingProxyType({state: frozenset(State(code) for code in table.get(str(int(state)), [])) for state in State})


@cache
def reachable(state: State) -> frozenset[State]:
    """Everything that may come after `state`, in any number of steps."""
    found: set[State] = set()
    ahead = set(transitions()[state])
    while ahead:
        found |= ahead
        ahead = {later for one in ahead for later in transitions()[one]} - found
    return frozenset(found)


def may_follow(before: State, after: State) -> bool:
    """Whether `after` may come next; the same state again is no transition."""
    return before == after or after in transitions()[before]


def is_regression(before: State, after: State) -> bool:
    """Whether `after` lies behind `before` with no way back to it: a finished dossier that is being processed again."""
    return before != after and before in reachable(after) and after not in reachable(before)


@cache
def _data() -> dict[str, Any]:
    return tomllib.loads(_DATA.read_text("utf-8"))
