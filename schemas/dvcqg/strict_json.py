"""JSON text into values, strictly and within limits: what RFC 8259 leaves open is a violation, never a silent choice.

Procedure of `parse`:

1. size; 2. UTF-8, with or without a byte-order mark; 3. counts on the bytes bound what a tree can cost
4. parse, numbers kept as they are written (`Literal`), so no number is too large; no NaN, no Infinity
5. depth; duplicate names; characters that no text may hold

Lines are looked for in a second pass, and only where something is wrong.
"""

from __future__ import annotations

import codecs
import json
import re
from dataclasses import dataclass
from typing import Any

from schemas.dvcqg.findings import Findings, step
from schemas.errors import Refused, Violation, error
from schemas.limits import DEFAULT_LIMITS, Limits

MAX_LINED_CHARS = 500_000  # a longer text is answered without lines

_TOKEN = re.compile(r'[ \t\r\n]*(?:("(?:[^"\\]++|\\.)*+")|([{}\[\]:,])|([^\s"{}\[\]:,]+))', re.DOTALL)
_BAD_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_CONSTANT = re.compile(r"-?(?:NaN|Infinity)")


class Literal(str):
    """A JSON number as it was written."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class ParsedJson:
    """A text that passed `parse`, perhaps with violations that refuse it. Texts in `value` hold no forbidden character."""

    value: Any  # dict, list, str, Literal, bool or None
    text: str
    violations: tuple[Violation, ...]

    def lines(self, places: frozenset[str]) -> dict[str, int]:
        """The line on which each of the places (JSON pointers) begins, where it is known."""
        return _scan(self.text, places)[0] if len(self.text) <= MAX_LINED_CHARS else {}


class _NotFinite(ValueError):
    """NaN or an Infinity, seen by the parser."""


def parse(raw: bytes, *, charset: str = "", limits: Limits = DEFAULT_LIMITS) -> ParsedJson:
    """The values of `raw`.

    `charset` is the parameter of the protocol's Content-Type, "" where there was none.

    Raises `Refused` with code `empty-body`, `too-large`, `encoding`, `resource-limit` or `malformed-json`.
    """
    if len(raw) > limits.max_dossier_bytes:  # 1
        raise Refused("too-large", got=f"{len(raw)} bytes", expected=f"at most {limits.max_dossier_bytes} bytes")
    text = _decoded(raw, charset)  # 2
    if not text.strip(" \t\r\n\x00"):
        raise Refused("empty-body", got=f"{len(raw)} bytes", expected="a JSON text")
    _check_counts(raw, limits)  # 3
    doubled: list[str] = []
    value = _loaded(text, doubled)  # 4
    found = Findings(limits.max_violations)
    _check_depth(value, limits.max_depth)  # 5
    if "\\u" in text or _BAD_TEXT.search(text):
        value = _cleaned(value, "", found)
    if doubled:
        found.extend(_doubled(text, doubled))
    return ParsedJson(value, text, found.listed())


def _check_counts(raw: bytes, limits: Limits) -> None:
    """Every object needs a brace, every value a bracket or a comma; texts may hold them too, so the bounds are generous."""
    objects, values = raw.count(b"{"), raw.count(b",") + raw.count(b"[") + raw.count(b"{")
    if objects > limits.max_dossier_objects:
        raise Refused("resource-limit", got=f"{objects} objects", expected=f"at most {limits.max_dossier_objects}")
    if values > limits.max_elements:
        raise Refused("resource-limit", got=f"{values} values", expected=f"at most {limits.max_elements}")


def _decoded(raw: bytes, charset: str) -> str:
    if charset and charset.lower() not in ("utf-8", "utf8", "us-ascii"):
        raise Refused("encoding", got=charset, expected="UTF-8 (RFC 8259 §8.1)")
    try:
        return raw.removeprefix(codecs.BOM_UTF8).decode("utf-8")
    except UnicodeDecodeError as fault:
        line = raw.count(b"\n", 0, fault.start) + 1
        one = error("encoding", line=line, got=raw[fault.start : fault.start + 4].hex(" "), expected="UTF-8 (RFC 8259 §8.1)")
        raise Refused("encoding", got=one.got, expected=one.expected, violations=(one,)) from fault


def _loaded(text: str, doubled: list[str]) -> Any:
    def pairs(members: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(members)
        if len(found) != len(members):
            doubled.extend(_repeated(members))
        return found

    def constant(name: str) -> Any:
        raise _NotFinite(name)

    try:
        return json.loads(text, object_pairs_hook=pairs, parse_int=Literal, parse_float=Literal, parse_constant=constant)
    except RecursionError as fault:
        raise Refused("resource-limit", got="a very deep nesting", expected="less") from fault
    except json.JSONDecodeError as fault:
        raise _malformed(f"{fault.msg} at column {fault.colno}", fault.lineno) from fault
    except _NotFinite as fault:
        raise _malformed(str(fault), _line_of_constant(text)) from fault


def _repeated(members: list[tuple[str, Any]]) -> set[str]:
    seen: set[str] = set()
    twice: set[str] = set()
    for name, _ in members:
        (twice if name in seen else seen).add(name)
    return twice


def _malformed(got: str, line: int) -> Refused:
    one = error("malformed-json", line=line, got=got, expected="JSON (RFC 8259)")
    return Refused("malformed-json", got=one.got, expected=one.expected, violations=(one,))


def _line_of_constant(text: str) -> int:
    for match in _TOKEN.finditer(text):
        if match.group(3) and _CONSTANT.fullmatch(match.group(3)):
            return text.count("\n", 0, match.start(3)) + 1
    return 0


def _check_depth(value: Any, levels: int) -> None:
    if not isinstance(value, dict | list):
        return
    if levels == 0:
        raise Refused("resource-limit", got="a very deep nesting", expected="less")
    for one in value.values() if isinstance(value, dict) else value:
        _check_depth(one, levels - 1)


def _cleaned(value: Any, pointer: str, found: Findings) -> Any:
    """`value` without forbidden characters; each place that had one is found. Names are places too."""
    if isinstance(value, str):
        return _mended(value, pointer, found) if _BAD_TEXT.search(value) else value
    if isinstance(value, list):
        return [_cleaned(one, step(pointer, n), found) for n, one in enumerate(value)]
    if isinstance(value, dict):
        return {_cleaned(name, pointer, found): _cleaned(one, step(pointer, name), found) for name, one in value.items()}
    return value


def _mended(value: str, pointer: str, found: Findings) -> str:
    bad = _BAD_TEXT.search(value)
    got = f"U+{ord(bad.group()):04X}" if bad else ""
    found.add(error("json-bad-text", path=_BAD_TEXT.sub("\ufffd", pointer), got=got, expected="characters that any text may hold"))
    return _BAD_TEXT.sub("\ufffd", value)


def _doubled(text: str, names: list[str]) -> list[Violation]:
    places = _scan(text, frozenset())[1] if len(text) <= MAX_LINED_CHARS else {}
    if not places:
        return [error("json-duplicate-name", got=name, expected="each name once in an object") for name in sorted(set(names))]
    return [error("json-duplicate-name", path=place, line=line, got=place, expected="once in its object") for place, line in places.items()]


@dataclass(slots=True)
class _Level:
    """One open object or array of the scan."""

    pointer: str
    is_object: bool
    index: int = 0
    name: str | None = None  # of the member whose value comes next
    seen: set[str] | None = None


def _scan(text: str, places: frozenset[str]) -> tuple[dict[str, int], dict[str, int]]:
    """(pointer → line) of the values asked for, and of members whose name stood in their object before. `text` is valid JSON."""
    lines: dict[str, int] = {}
    doubled: dict[str, int] = {}
    levels: list[_Level] = []
    line, at = 1, 0
    for match in _TOKEN.finditer(text):
        start = match.start(match.lastindex or 0)
        line, at = line + text.count("\n", at, start), start
        piece = match.group(match.lastindex or 0)
        top = levels[-1] if levels else None
        if piece in ("}", "]"):
            levels.pop()
        elif piece == ",":
            _next(top)
        elif top is not None and top.is_object and top.name is None and piece[0] == '"':
            _name(top, json.loads(piece), line, doubled)
        elif piece != ":":
            pointer = _pointer(top)
            if pointer in places:
                lines.setdefault(pointer, line)
            if piece in ("{", "["):
                levels.append(_Level(pointer, piece == "{", seen=set() if piece == "{" else None))
    return lines, doubled


def _next(top: _Level | None) -> None:
    if top is not None:
        top.index, top.name = top.index + 1, None


def _name(top: _Level, name: str, line: int, doubled: dict[str, int]) -> None:
    top.name = name
    if top.seen is not None and name in top.seen:
        doubled.setdefault(step(top.pointer, _BAD_TEXT.sub("\ufffd", name)), line)
    elif top.seen is not None:
        top.seen.add(name)


def _pointer(top: _Level | None) -> str:
    if top is None:
        return ""
    return step(top.pointer, top.name or "") if top.is_object else step(top.pointer, top.index)
