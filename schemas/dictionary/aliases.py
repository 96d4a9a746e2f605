"""Names on the wire → keys: (system, message, field name), with the converters between the system's form and the canonical one.

Only messages that were looked at are known; the same name in another message is not taken to mean the same. What could not be told is
listed with the reason, and is no alias.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any

from schemas.dictionary.store import DATA, dictionary

ANY_MESSAGE = "*"


@dataclass(frozen=True, slots=True)
class Alias:
    """One name of one system, in one message or (``*``) in all of its messages that do not say otherwise."""

    system: str
    message: str
    name: str
    key: str
    convert: tuple[str, ...] = ()  # names of converters, wire → canonical; () where the system's form is not known


@dataclass(frozen=True, slots=True)
class System:
    """One system's names."""

    name: str
    vi: str
    en: str
    source: str  # label and place of the facts
    paths: tuple[str, ...]  # beginnings of paths in a survey of source code
    messages: frozenset[str]
    names: Mapping[str, Alias]  # in every message of `messages`
    exceptions: Mapping[tuple[str, str], Alias]  # (message, name), before `names`
    ambiguous: Mapping[tuple[str, str], str]  # (message or ``*``, name) → why it is not mapped

    def alias(self, message: str, name: str) -> Alias | None:
        """What `name` means in `message`; None where it is unknown or could not be told."""
        if message not in self.messages or self.why_not(message, name):
            return None
        return self.exceptions.get((message, name)) or self.names.get(name)

    def why_not(self, message: str, name: str) -> str:
        """Why `name` is not mapped, "" where it is or was never seen."""
        if message not in self.messages:
            return ""
        return self.ambiguous.get((message, name), "") or self.ambiguous.get((ANY_MESSAGE, name), "")


@cache
def systems() -> Mapping[str, System]:
    """All systems by name, read once."""
    found = (_system(tomllib.loads(path.read_text("utf-8"))) for path in sorted((DATA / "aliases").glob("*.toml")))
    return MappingProxyType({one.name: one for one in found})


def alias(system: str, message: str, name: str) -> Alias | None:
    """What the field `name` of `message` means in `system`; None where that is not known."""
    known = systems().get(system)
    return known.alias(message, name) if known else None


def aliases() -> Iterator[Alias]:
    """Every alias once, as it stands in the data."""
    for one in systems().values():
        yield from one.names.values()
        yield from one.exceptions.values()


def aliases_of(key: str) -> tuple[Alias, ...]:
    """The names that systems have for `key`."""
    return tuple(one for one in aliases() if one.key == key)


def _system(data: dict[str, Any]) -> System:
    name, defaults = data["system"], data.get("convert", {})
    names = {field: _alias(name, ANY_MESSAGE, field, row, defaults) for field, row in data["names"].items()}
    exceptions = {
        (message, field): _alias(name, message, field, row, defaults)
        for message, rows in data.get("message", {}).items()
        for field, row in rows.items()
    }
    ambiguous = {_placed(place): why for place, why in data.get("ambiguous", {}).items()}
    return System(
        name=name,
        vi=data["vi"],
        en=data["en"],
        source=data["source"],
        paths=tuple(data["paths"]),
        messages=frozenset(data["messages"]),
        names=MappingProxyType(names),
        exceptions=MappingProxyType(exceptions),
        ambiguous=MappingProxyType(ambiguous),
    )


def _placed(place: str) -> tuple[str, str]:
    message, _, field = place.partition(".")
    return message, field


def _alias(system: str, message: str, name: str, row: Any, defaults: dict[str, list[str]]) -> Alias:
    key = row if isinstance(row, str) else row["key"]
    if isinstance(row, str):
        entry = dictionary().entries.get(key)
        convert = defaults.get(str(entry.type), []) if entry else []
    else:
        convert = row["convert"]
    return Alias(system, message, name, key, tuple(convert))
