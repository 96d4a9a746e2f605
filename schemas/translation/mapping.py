"""A mapping: which field of one format is which of another, by which converters, and what does not get across."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from schemas.converters.converter import Converter
from schemas.dictionary.entry import Entry
from schemas.errors import Text
from schemas.translation.paths import Path

CANONICAL = "canonical."


class MappingKind(StrEnum):
    """How a mapping works."""

    TABLE = "table"  # field by field
    XSLT = "xslt"  # a stylesheet
    EXTRACT = "extract"  # takes the one message that a packet carries as a file


class Side(StrEnum):
    """Which end of a mapping."""

    SOURCE = "source"
    TARGET = "target"


class LossKind(StrEnum):
    """How something got lost."""

    READING = "reading"  # below what a format's values hold: signatures of the packet, unknown elements
    DECLARED = "declared"  # the mapping says so
    UNKNOWN = "unknown"  # a member that the format does not have, where the mapping lets those go
    FORM = "form"  # the value is there, how it was written is not


@dataclass(frozen=True, slots=True)
class Condition:
    """A block holds only where the source (or the target, on the way back) has one of the values at the path."""

    source: Path
    target: Path
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Field:
    """One row of a table. `ways` are tried in order; each is a chain of converters, source → target."""

    source: Path
    target: Path
    ways: tuple[Converter, ...]
    entry: Entry | None  # of the dictionary, where the target is canonical
    when: Condition | None = None


@dataclass(frozen=True, slots=True)
class Constant:
    """What always stands at a path of the source: checked when it is read, written on the way back."""

    path: Path
    value: str | int | bool


@dataclass(frozen=True, slots=True)
class Gone:
    """A declared loss: whatever stands at or below the path of that side does not get across."""

    side: Side
    path: Path
    reason: Text


@dataclass(frozen=True, slots=True, eq=False)
class Mapping:
    """One mapping, checked. Two of one id do the same."""

    id: str  # SHA-256 of its canonical form (RFC 8785), with the digest of its stylesheet, lower hex
    name: str
    version: str
    kind: MappingKind
    source: str
    target: str
    inverse: bool  # also serves target → source
    text: Text
    basis: str  # label and place of the facts
    fields: tuple[Field, ...] = ()
    constants: tuple[Constant, ...] = ()
    gone: tuple[Gone, ...] = ()
    blanks: tuple[Path, ...] = ()  # of the source: written blank on the way back where there is no value
    unknown_refused: bool = True  # a member that the source's format does not have refuses the message
    stylesheet: bytes = b""
    when: Condition | None = None  # of an extract
    carried: tuple[str, ...] = ()  # of an extract: formats that the file may be of
    content: bytes = b""  # its canonical form, whose SHA-256 is `id`: what is kept so that a translation can be made again


@dataclass(frozen=True, slots=True)
class Loss:
    """Something that did not get across. Never the value: it may be personal."""

    path: str  # JSON pointer in the tree of `format`, or the element's path for what was lost in reading
    kind: LossKind
    reason: Text
    format: str
    mapping: str = ""  # its name, "" for what was lost in reading

    def as_json(self) -> dict[str, Any]:
        """The form that `--json` prints."""
        return {
            "path": self.path,
            "kind": str(self.kind),
            "reason": {"vi": self.reason.vi, "en": self.reason.en},
            "format": self.format,
            "mapping": self.mapping,
        }
