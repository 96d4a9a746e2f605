"""Mapping files into mappings: everything that is wrong with one is listed before anything is translated by it.

A file is TOML; `docs/translation.md` describes it. `load` checks its members, paths, keys and converters, that no two fields have one
target, that every field of a message is mapped, constant or named as lost, and that an inverse has a way back for every field.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import rfc8785

from schemas.converters.converter import Converter
from schemas.converters.registry import chain
from schemas.dictionary.entry import Entry, FieldType, Privacy
from schemas.dictionary.store import dictionary
from schemas.errors import Refused, Text, Violation, error
from schemas.limits import DEFAULT_LIMITS
from schemas.translation import stylesheet
from schemas.translation.formats import formats
from schemas.translation.mapping import CANONICAL, Condition, Constant, Field, Gone, Mapping, MappingKind, Side
from schemas.translation.paths import EACH, Path, path_of, text_of

MAX_FILE_BYTES: Final = 1024 * 1024
_NEEDED: Final = ("name", "version", "kind", "source", "target", "vi", "en", "basis")
_MEMBERS: Final = frozenset(
    {*_NEEDED, "inverse", "unknown", "refused", "defaults", "block", "constant", "loss", "when", "carried", "namespaces"}
)
_BLOCK: Final = frozenset({"source", "target", "fields", "blank", "when"})
Table = dict[str, Any]


def load(raw: bytes, sheet: bytes = b"") -> Mapping:
    """The mapping in a TOML file, with its stylesheet where it has one.

    Raises `Refused` with `mapping-invalid` and every violation.
    """
    try:
        data: Table = tomllib.loads(raw[: MAX_FILE_BYTES + 1].decode("utf-8"))
        canonical = rfc8785.dumps({"mapping": data, "stylesheet": hashlib.sha256(sheet).hexdigest()})
    except (ValueError, TypeError, RecursionError) as fault:  # TOMLDecodeError, UnicodeDecodeError, CanonicalizationError are ValueErrors
        raise invalid([error("mapping-malformed", got=str(fault), expected="TOML in UTF-8, no dates, no fractions")]) from fault
    return checked(data, canonical, sheet)


def checked(data: Table, content: bytes, sheet: bytes) -> Mapping:
    """The mapping of a file's members; `content` is their canonical form. Raises as `load`."""
    found = _Reader(data, content)
    mapping = found.mapping(hashlib.sha256(content).hexdigest(), sheet)
    if found.faults or mapping is None:
        raise invalid(found.faults)
    return mapping


def invalid(faults: list[Violation]) -> Refused:
    """All that is wrong with a mapping."""
    return Refused("mapping-invalid", faults[0].got, faults[0].expected, tuple(faults[: DEFAULT_LIMITS.max_violations]))


@dataclass(slots=True)
class _Reader:
    """One file being read; what is wrong is kept."""

    data: Table
    content: bytes
    faults: list[Violation] = field(default_factory=list)

    def mapping(self, digest: str, sheet: bytes) -> Mapping | None:
        """The mapping, None where it is not even known what it is."""
        data = self.data
        for name in sorted(data.keys() - _MEMBERS):
            self.fault("mapping-malformed", name, name, ", ".join(sorted(_MEMBERS)))
        for name in _NEEDED:
            if not isinstance(data.get(name), str) or not data[name].strip():
                self.fault("mapping-malformed", name, "nothing", "a text")
        if self.faults:
            return None
        for end in ("source", "target"):
            if data[end] not in formats():
                self.fault("translation-unknown-format", end, data[end], "a format")
        if data["kind"] not in set(MappingKind):
            self.fault("mapping-malformed", "kind", data["kind"], ", ".join(MappingKind))
        if self.faults:
            return None
        return self._made(digest, sheet)

    def _made(self, digest: str, sheet: bytes) -> Mapping:
        data, kind = self.data, MappingKind(self.data["kind"])
        fields, blanks = self._blocks()
        made = Mapping(
            id=digest,
            name=data["name"],
            version=data["version"],
            kind=kind,
            source=data["source"],
            target=data["target"],
            inverse=data.get("inverse") is True,
            text=Text(data["vi"], data["en"]),
            basis=data["basis"],
            fields=tuple(fields),
            constants=tuple(self._constants()),
            gone=tuple(self._gone()),
            blanks=tuple(blanks),
            unknown_refused=data.get("unknown", "refuse") != "lose",
            stylesheet=sheet,
            when=self._condition(data.get("when"), "when"),
            carried=tuple(str(one) for one in _list(data.get("carried"))),
            content=self.content,
        )
        self._check(made)
        return made

    # --- parts --------------------------------------------------------------------------------------------------------------------

    def _blocks(self) -> tuple[list[Field], list[Path]]:
        fields: list[Field] = []
        blanks: list[Path] = []
        for n, block in enumerate(_tables(self.data.get("block"))):
            place = f"block[{n}]"
            for name in sorted(block.keys() - _BLOCK):
                self.fault("mapping-malformed", f"{place}.{name}", name, ", ".join(sorted(_BLOCK)))
            above = [str(block.get(end, "")) for end in ("source", "target")]
            when = self._condition(block.get("when"), place)
            for row, one in enumerate(_list(block.get("fields"))):
                made = self._field(one, above, when, f"{place}.fields[{row}]")
                fields += [made] if made else []
            blanks += [path for one in _list(block.get("blank")) if (path := self._path(above[0], one, f"{place}.blank", "source"))]
        return fields, blanks

    def _field(self, row: Any, above: list[str], when: Condition | None, place: str) -> Field | None:
        if not isinstance(row, list) or len(row) < 2:
            self.fault("mapping-malformed", place, row, "[source, target, converters …]")
            return None
        source, target = self._path(above[0], row[0], place, "source"), self._path(above[1], row[1], place, "target")
        if source is None or target is None:
            return None
        if source.count(EACH) != target.count(EACH):
            self.fault("mapping-malformed", place, f"{text_of(source)} → {text_of(target)}", "as many [] on both sides")
        entry = self._entry(target, place) if self.data["target"].startswith(CANONICAL) else None
        ways = row[2:] or _list(_table(self.data.get("defaults")).get(str(entry.type) if entry else "", [[]]))
        made = tuple(way for one in ways if (way := self._way(one, place)))
        if not ways:
            self.fault("mapping-malformed", place, "no converters", "alternatives, [] for none")
        elif self.data.get("inverse") is True and made and not any(way.backward for way in made):
            self.fault(
                "mapping-one-way", place, " | ".join(way.name for way in made), "a converter with a way back, for an inverse mapping"
            )
        return Field(source, target, made, entry, when)

    def _way(self, names: Any, place: str) -> Converter | None:
        try:
            return chain(tuple(str(one) for one in names) if isinstance(names, list) else (str(names),))
        except Refused as fault:
            self.fault(fault.code, place, fault.got, fault.expected)
            return None

    def _path(self, above: str, below: Any, place: str, end: str) -> Path | None:
        text = "/".join(one for one in (above, str(below)) if one)
        path = path_of(text) if isinstance(below, str) else None
        known = formats()[self.data[end]].leaves
        if path is None:
            self.fault("mapping-malformed", place, text, "a path like data[]/MaHoSo")
        elif known is not None and _general(path) not in known:
            self.fault("mapping-field-unknown", place, text, f"a field of {self.data[end]}")
        else:
            return path
        return None

    def _entry(self, path: Path, place: str) -> Entry | None:
        """The entry of the last key; every key on the way has to be a list or an object."""
        found: Entry | None = None
        for n, name in enumerate(path):
            if isinstance(name, int):
                continue
            found = dictionary().entries.get(name)
            if found is None:
                self.fault("dictionary-key-unknown", place, name, "a key that lgsp dictionary find knows")
                return None
            rows = n + 1 < len(path) and isinstance(path[n + 1], int)
            wanted = FieldType.LIST if rows else FieldType.OBJECT if n + 1 < len(path) else None
            if (wanted and found.type is not wanted) or (wanted is None and found.type in (FieldType.LIST, FieldType.OBJECT)):
                self.fault("mapping-key-type", place, f"{name}: {found.type}", str(wanted or "a key of one value"))
        if found is not None and found.privacy is Privacy.SECRET:
            self.fault("mapping-secret", place, found.key, "a declared loss")
        return found

    def _constants(self) -> Iterator[Constant]:
        for n, row in enumerate(_tables(self.data.get("constant"))):
            path = self._path("", row.get("path"), f"constant[{n}]", "source")
            if path is not None and isinstance(row.get("value"), str | int):
                yield Constant(path, row["value"])
            elif path is not None:
                self.fault("mapping-malformed", f"constant[{n}].value", "nothing", "a text, a whole number, or true or false")

    def _gone(self) -> Iterator[Gone]:
        for n, row in enumerate(_tables(self.data.get("loss"))):
            side, texts = str(row.get("side")), (row.get("vi"), row.get("en"))
            if side not in set(Side) or not all(isinstance(one, str) and one.strip() for one in texts):
                self.fault("mapping-malformed", f"loss[{n}]", side, "side = source or target, paths, vi and en")
                continue
            for text in _list(row.get("paths")):
                path = path_of(str(text))
                if path is None or not self._is_known(path, side):
                    self.fault("mapping-field-unknown", f"loss[{n}]", text, f"a place in {self.data[side]}")
                else:
                    yield Gone(Side(side), path, Text(str(row["vi"]), str(row["en"])))

    def _is_known(self, path: Path, side: str) -> bool:
        known = formats()[self.data[side]].leaves
        if known is None:
            return all(isinstance(name, int) or name in dictionary().entries for name in path)
        return any(one[: len(path)] == _general(path) for one in known)

    def _condition(self, row: Any, place: str) -> Condition | None:
        if row is None:
            return None
        table = _table(row)
        ends = [path_of(str(table.get(end, ""))) for end in ("source", "target")]
        values = tuple(str(one) for one in _list(table.get("values")))
        if ends[0] is None or EACH in ends[0] or EACH in (ends[1] or ()) or not values:
            self.fault("mapping-malformed", place, row, "when = { source = path, target = path, values = [texts] }, no []")
            return None
        return Condition(ends[0], ends[1] or (), values)

    # --- the whole ------------------------------------------------------------------------------------------------------------------

    def _check(self, made: Mapping) -> None:
        if made.kind is MappingKind.TABLE:
            self._check_table(made)
        elif made.kind is MappingKind.XSLT:
            spaces = frozenset(str(one) for one in _list(self.data.get("namespaces")))
            self.faults += stylesheet.check(made.stylesheet, spaces)
        elif made.when is None or not made.carried or not set(made.carried) <= set(formats()) - {made.source}:
            self.fault("mapping-malformed", "carried", list(made.carried), "when, and the formats that the file may be of")

    def _check_table(self, made: Mapping) -> None:
        for end in ("source", "target"):
            for path in _twice((getattr(one, end), one.when) for one in made.fields):
                self.fault("mapping-duplicate", end, text_of(path), "each place once, or under conditions")
        ends = [(one.source, one.target) for one in made.fields]
        self._check_lists("target", ends)
        if made.inverse:
            self._check_lists("source", [(target, source) for source, target in ends])
        said = {_general(one.source) for one in made.fields} | {_general(one.path) for one in made.constants}
        refused = (self._path("", one, "refused", "source") for one in _list(self.data.get("refused")))
        said |= {_general(path) for path in refused if path}
        gone = [_general(one.path) for one in made.gone if one.side is Side.SOURCE]
        for leaf in sorted(formats()[made.source].leaves or (), key=text_of):
            if leaf not in said and not any(leaf[: len(path)] == path for path in gone):
                self.fault("mapping-incomplete", text_of(leaf), text_of(leaf), "a field, a constant or a declared loss")

    def _check_lists(self, end: str, ends: list[tuple[Path, Path]]) -> None:
        """Rows of one list come from rows of one list: two would be laid side by side by their number alone."""
        lists: dict[Path, Path] = {}
        for there, here in ends:
            for one, other in zip(_lists(there), _lists(here), strict=False):
                if lists.setdefault(other, one) != one:
                    self.fault("mapping-duplicate", end, text_of(other), f"rows of one list, {text_of(lists[other])}")

    def fault(self, code: str, place: str, got: object, expected: str) -> None:
        """Something is wrong with the file."""
        self.faults.append(error(code, path=place, got=got, expected=expected))


def _general(path: Path) -> Path:
    return tuple(EACH if isinstance(one, int) else one for one in path)


def _lists(path: Path) -> Iterator[Path]:
    return (path[:n] for n, one in enumerate(path) if one == EACH)


def _twice(found: Iterable[tuple[Path, Condition | None]]) -> list[Path]:
    """Places that two rows have, unless each of them holds under values that the other does not have."""
    pairs = list(found)
    places = [path for path, count in Counter(path for path, _ in pairs).items() if count > 1]
    return [path for path in places if not _apart([when for other, when in pairs if other == path])]


def _apart(conditions: list[Condition | None]) -> bool:
    known = [one for one in conditions if one is not None]
    values = [value for one in known for value in one.values]
    return len(known) == len(conditions) and len({(one.source, one.target) for one in known}) == 1 and len(values) == len(set(values))


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _table(value: Any) -> Table:
    return value if isinstance(value, dict) else {}


def _tables(value: Any) -> list[Table]:
    return [_table(one) for one in _list(value)]
