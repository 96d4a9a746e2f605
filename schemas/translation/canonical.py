"""The pivot: a canonical document. Canonical JSON (RFC 8785) of what it is, the dictionary's version, and data in the dictionary's keys.

``{"canonical": "1", "data": {…}, "dictionary": "1.0.0", "kind": "dossiers"}``. Members of `data` are keys of the shared dictionary with
canonical values; a key of type object holds such members again, a key of type list rows of them, or texts. Parts of an address stand flat:
``nguoi_nop.dia_chi.chi_tiet``. What has no value is absent. Secrets never stand here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final

import rfc8785

from schemas.dictionary.entry import FieldType, Privacy
from schemas.dictionary.store import dictionary
from schemas.dictionary.values import fault_of
from schemas.dvcqg.findings import step
from schemas.dvcqg.strict_json import Literal, parse
from schemas.errors import Refused, Text, Violation, error, warning
from schemas.limits import Limits
from schemas.translation.mapping import CANONICAL
from schemas.translation.table import item_fault

VERSION: Final = "1"
KINDS: Final[Mapping[str, Text]] = MappingProxyType(
    {
        "document": Text("Văn bản điện tử", "A document"),
        "status": Text("Phản hồi về văn bản", "A status of a document"),
        "dossiers": Text("Hồ sơ thủ tục hành chính", "Dossiers"),
        "progress": Text("Tiến trình giải quyết hồ sơ", "Steps of dossiers"),
        "birth": Text("Tờ khai đăng ký khai sinh", "Declaration of a birth"),
        "death": Text("Tờ khai đăng ký khai tử", "Declaration of a death"),
        "marriage": Text("Tờ khai đăng ký kết hôn", "Declaration of a marriage"),
        "criminal-record": Text("Yêu cầu cấp phiếu lý lịch tư pháp", "Request for a criminal record certificate"),
        "land-dossier": Text("Hồ sơ đất đai chuyển đi giải quyết", "A dossier handed to the land system"),
        "construction-permit": Text("Đề nghị cấp giấy phép xây dựng", "Application to build"),
        "task": Text("Nhiệm vụ được giao", "A directive task"),
    }
)
_MEMBERS = frozenset({"canonical", "data", "dictionary", "kind"})
_EXACT_INTEGER = 2**53 - 1  # RFC 8785 §3.2.2.3, RFC 7493: beyond it JSON readers lose digits
_MAX_LEVELS = 16


def write(kind: str, data: Mapping[str, Any]) -> bytes:
    """The canonical document of `kind`. Raises `Refused` with `canonical-malformed` for a number that JSON cannot keep."""
    whole: dict[str, Any] = {"canonical": VERSION, "data": data, "dictionary": dictionary().version, "kind": kind}
    try:
        return rfc8785.dumps(whole)
    except rfc8785.CanonicalizationError as fault:
        raise Refused("canonical-malformed", got=str(fault), expected="whole numbers below 2^53") from fault


def kind_of(value: Any) -> str:
    """The format's name if `value` calls itself a canonical document, "" if not."""
    kind = value.get("kind") if isinstance(value, dict) and "canonical" in value else None
    return f"{CANONICAL}{kind}" if isinstance(kind, str) else ""


def read(raw: bytes, kind: str, limits: Limits) -> tuple[dict[str, Any], tuple[Violation, ...]]:
    """The data of a canonical document of `kind`, and warnings.

    Raises `Refused`: what `strict_json.parse` raises, else the code of the first of all violations: `canonical-malformed`,
    `dictionary-key-unknown`, `canonical-value`.
    """
    parsed = parse(raw, limits=replace(limits, max_dossier_bytes=limits.max_body_bytes))
    value = _numbered(parsed.value)
    found = [*parsed.violations, *_envelope(value, kind)]
    if not found:
        found = list(_members(value["data"], "/data", _MAX_LEVELS))
    if found:
        first, listed = found[0], tuple(found[: limits.max_violations])
        raise Refused(first.code, got=first.got, expected=first.expected, violations=listed)
    known = dictionary().version
    if value["dictionary"] != known:
        return value["data"], (warning("canonical-other-dictionary", path="/dictionary", got=value["dictionary"], expected=known),)
    return value["data"], ()


def _numbered(value: Any) -> Any:
    """Numbers as integers; one that is none stays a `Literal`, which no key takes."""
    if isinstance(value, Literal):
        digits = value.removeprefix("-")
        whole = digits.isdigit() and len(digits) < 18 and value != "-0"
        return int(value) if whole and abs(int(value)) <= _EXACT_INTEGER else value
    if isinstance(value, dict):
        return {name: _numbered(one) for name, one in value.items()}
    return [_numbered(one) for one in value] if isinstance(value, list) else value


def _envelope(value: Any, kind: str) -> Iterator[Violation]:
    if not isinstance(value, dict):
        yield error("canonical-malformed", got=type(value).__name__, expected="an object")
        return
    for name in sorted(_MEMBERS - value.keys()):
        yield error("canonical-malformed", path=step("", name), got="nothing", expected=name)
    for name in sorted(value.keys() - _MEMBERS):
        yield error("canonical-malformed", path=step("", name), got=name, expected=", ".join(sorted(_MEMBERS)))
    for name, wanted in (("canonical", VERSION), ("kind", kind)):
        if name in value and value[name] != wanted:
            yield error("canonical-malformed", path=step("", name), got=value[name], expected=wanted)
    if not isinstance(value.get("dictionary", ""), str):
        yield error("canonical-malformed", path="/dictionary", got="no text", expected=dictionary().version)
    if not isinstance(value.get("data", {}), dict):
        yield error("canonical-malformed", path="/data", got="no object", expected="an object of dictionary keys")


def _members(data: Mapping[str, Any], pointer: str, levels: int) -> Iterator[Violation]:
    if levels == 0:
        yield error("canonical-malformed", path=pointer, got="more levels", expected=f"at most {_MAX_LEVELS}")
        return
    known = dictionary().entries
    for key, value in data.items():
        place, entry = step(pointer, key), known.get(key)
        if entry is None:
            yield error("dictionary-key-unknown", path=place, got=key, expected="a key that lgsp dictionary find knows")
        elif entry.privacy is Privacy.SECRET:
            yield error("canonical-value", path=place, got="a secret", expected="no passwords or tokens")
        elif entry.type is FieldType.OBJECT and isinstance(value, dict):
            yield from _members(value, place, levels - 1)
        elif entry.type is FieldType.LIST and isinstance(value, list):
            yield from _rows(value, place, levels)
        elif isinstance(value, dict | list):  # an address in an object of its own is not the one canonical form
            yield error("canonical-value", path=place, got="a box", expected="one value")
        elif isinstance(value, Literal) or (expected := fault_of(entry, value)):
            said = "a whole number below 2^53, or decimals as text" if isinstance(value, Literal) else expected
            yield error("canonical-value", path=place, got=type(value).__name__, expected=said)


def _rows(rows: list[Any], pointer: str, levels: int) -> Iterator[Violation]:
    for n, row in enumerate(rows):
        if isinstance(row, dict):
            yield from _members(row, step(pointer, n), levels - 1)
        elif isinstance(row, Literal) or (expected := item_fault(row)):
            said = "an object or a text" if isinstance(row, Literal) else expected
            yield error("canonical-value", path=step(pointer, n), got=type(row).__name__, expected=said)
