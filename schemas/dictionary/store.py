"""The entries, loaded once from package data, with the keys that roles and parts make of them."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from schemas.dictionary.entry import Entry, FieldType, Privacy, Role
from schemas.errors import Refused, Text
from schemas.folding import folded

DATA = Path(__file__).parent
PERSON = "nguoi"  # the subject that is multiplied by the roles
ADDRESS = "dia_chi"  # the subject whose attributes are the parts of an address


@dataclass(frozen=True, slots=True)
class Dictionary:
    """Every key there is. Two of one version and digest are the same."""

    version: str
    digest: str  # SHA-256 of the data files, lower hex
    roles: Mapping[str, Role]
    entries: Mapping[str, Entry]  # by key, in the order of the files; parts after what they are parts of

    def entry(self, key: str) -> Entry:
        """What the dictionary says of `key`. Raises `Refused` with `dictionary-key-unknown`."""
        found = self.entries.get(key)
        if found is None:
            raise Refused("dictionary-key-unknown", got=key, expected="a key like nks.ho_ten, ho_so.ma, me.noi_cu_tru.ma_tinh")
        return found

    def find(self, words: str) -> tuple[Entry, ...]:
        """The entries whose key or definition has all the words, with or without accents and case."""
        wanted = folded(words).split()
        return tuple(one for one in self.entries.values() if wanted and all(word in _searched(one) for word in wanted))


def _searched(one: Entry) -> str:
    return folded(f"{one.key} {one.key.replace('_', ' ')} {one.definition.vi} {one.definition.en}")


@cache
def dictionary() -> Dictionary:
    """The dictionary of this release, read once."""
    about = tomllib.loads((DATA / "dictionary.toml").read_text("utf-8"))
    roles = {name: Role(name, Text(row["vi"], row["en"])) for name, row in about["roles"].items()}
    entries: dict[str, Entry] = {}
    for one in _all_entries(about["parts"], roles):
        if one.key in entries:
            raise RuntimeError(f"{one.key} stands twice: {entries[one.key].domain} and {one.domain}")
        entries[one.key] = one
    return Dictionary(about["version"], _digest(), MappingProxyType(roles), MappingProxyType(entries))


def _all_entries(parts: dict[str, Any], roles: Mapping[str, Role]) -> Iterator[Entry]:
    for name, row in parts["address"].items():
        yield _entry(f"{ADDRESS}.{name}", row | {"source": "onestop.md §2.5 [C]", "privacy": "personal"}, "dictionary")
    for path in sorted((DATA / "domains").glob("*.toml")):
        for subject, rows in tomllib.loads(path.read_text("utf-8")).items():
            for name, row in rows.items():
                for whole in _in_roles(subject, name, row, path.stem, roles):
                    yield whole
                    yield from _parts_of(whole, parts.get(str(whole.type), {}))


def _in_roles(subject: str, name: str, row: dict[str, Any], domain: str, roles: Mapping[str, Role]) -> Iterator[Entry]:
    if subject != PERSON:
        yield _entry(f"{subject}.{name}", row, domain)
        return
    for role in (roles[one] for one in row.get("roles", roles)):
        one = _entry(f"{role.name}.{name}", row, domain)
        definition = Text(f"{one.definition.vi} – {role.text.vi}", f"{one.definition.en} – {role.text.en}")
        yield replace(one, definition=definition, role=role.name)


def _parts_of(whole: Entry, parts: dict[str, Any]) -> Iterator[Entry]:
    for name, row in parts.items():
        one = _entry(f"{whole.key}.{name}", row | {"source": whole.source}, whole.domain)
        definition = Text(f"{whole.definition.vi}: {one.definition.vi}", f"{whole.definition.en}: {one.definition.en}")
        yield replace(one, definition=definition, role=whole.role, privacy=whole.privacy, since=whole.since)


def _entry(key: str, row: dict[str, Any], domain: str) -> Entry:
    return Entry(
        key=key,
        type=FieldType(row["type"]),
        definition=Text(row["vi"], row["en"]),
        source=row["source"],
        code_list=row.get("code_list", ""),
        pattern=row.get("format", ""),
        unit=row.get("unit", ""),
        privacy=Privacy(row.get("privacy", Privacy.PLAIN)),
        since=row.get("since", ""),
        until=row.get("until", ""),
        domain=domain,
    )


def _digest() -> str:
    found = hashlib.sha256()
    for path in sorted(DATA.rglob("*.toml")):
        found.update(path.relative_to(DATA).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return found.hexdigest()
