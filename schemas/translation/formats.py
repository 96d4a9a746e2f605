"""The formats that can be translated: reading bytes to a tree, writing a tree to bytes, and telling a format by its content.

What is read has to be valid by the format's own reader, and so has what is written: it is read again before it is handed on.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from types import MappingProxyType
from typing import Any, Final

from schemas import xml
from schemas.business.kinds import business_kinds
from schemas.business.reader import read_business
from schemas.dvcqg.findings import Findings
from schemas.dvcqg.kinds import MessageKind, kinds, of_json, of_root
from schemas.dvcqg.objects import build
from schemas.dvcqg.shape import Kind, Shape, fields_of
from schemas.dvcqg.strict_json import Literal, parse
from schemas.dvcqg.validate import is_json, judge
from schemas.errors import Refused, Text, Violation, errors_of
from schemas.lgsp.writer import write_xml
from schemas.limits import Limits
from schemas.translation import canonical, packets
from schemas.translation.mapping import CANONICAL, Loss
from schemas.translation.paths import EACH, Path

JSON, XML = "application/json", "application/xml"
NUMBERED: Final = "edxml.numbered"

# Messages of line-of-business systems do not name themselves: the members that tell them, all of which have to be there.
MARKS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "hotich.KhaiSinh": ("nksHoTen",),
        "hotich.KhaiTu": ("nktHoTen", "nktNgayChet"),
        "hotich.KetHon": ("chongHoTen", "voHoTen"),
        "lltp.YeuCau": ("maHoSoMCDT", "toKhai"),
        "vbdlis.TiepNhanHoSo": ("SoBienNhan", "ThongTinNguoiNopDon", "ThongTinThuaDat"),
        "ilis.TiepNhanHoSo": ("SoBienNhan", "ThongTinNguoiNopDon", "ThongTinThuaDat"),  # the same members: only the caller can tell
        "hub.HoSoCapPhepXayDung": ("MaHoSo", "LoaiGiayPhep", "CongTrinh"),
        "hub.NhiemVu": ("MaNhiemVu",),
    }
)


@dataclass(frozen=True, slots=True)
class Format:
    """One format. `leaves` are the places that a value may stand at; None where the dictionary says it."""

    name: str
    content_type: str
    text: Text
    leaves: frozenset[Path] | None
    kind: MessageKind | None = None  # of messages with a shape


@dataclass(frozen=True, slots=True)
class Reading:
    """What a message says."""

    tree: Any
    violations: tuple[Violation, ...] = ()  # warnings only: errors refuse
    losses: tuple[Loss, ...] = field(default=())


@cache
def formats() -> Mapping[str, Format]:
    """Every format by name."""
    found = [
        _packet(packets.DOCUMENT, "Văn bản điện tử edXML (QCVN 102:2016)", "edXML document (QCVN 102:2016)"),
        _packet(packets.STATUS, "Phản hồi edXML (QCVN 102:2016)", "edXML status (QCVN 102:2016)"),
        _packet(NUMBERED, "Văn bản edXML theo thứ tự đánh số của quy chuẩn", "edXML document in the order of the standard's numbering"),
        *(Format(f"{CANONICAL}{name}", JSON, text, None) for name, text in canonical.KINDS.items()),
        *(_of_kind(one) for one in (*kinds().values(), *business_kinds().values())),
    ]
    return MappingProxyType({one.name: one for one in found})


def format_named(name: str) -> Format:
    """The format `name`. Raises `Refused` with `translation-unknown-format`."""
    found = formats().get(name)
    if found is None:
        raise Refused("translation-unknown-format", got=name, expected="a format that docs/translation.md lists")
    return found


def detect(raw: bytes, limits: Limits) -> str:
    """The name of the format that `raw` is of, told by its content.

    Raises `Refused`: what the parsers raise, `translation-format-unknown`, or `translation-format-ambiguous` where it fits several.
    """
    if not is_json(raw):
        root = xml.parse(raw, limits=limits).root
        name = xml.local_name(root)
        message = of_root(name)
        if message is not None:
            return message.name
        return packets.read(raw, "", limits)[0]  # refuses what is no packet, and says why
    value = parse(raw, limits=replace(limits, max_dossier_bytes=limits.max_body_bytes)).value
    fitting = list(_fitting(value))
    if len(fitting) > 1:
        raise Refused("translation-format-ambiguous", got=", ".join(fitting), expected="the format named by the caller")
    if not fitting:
        got = ", ".join(list(value)[:8]) if isinstance(value, dict) else type(value).__name__
        raise Refused("translation-format-unknown", got=got, expected="a message that names itself, or the format named by the caller")
    return fitting[0]


def read(name: str, raw: bytes, limits: Limits, charset: str = "") -> Reading:
    """What `raw` says as a message of the format. Raises `Refused` as the format's own reader does; any error refuses."""
    about = format_named(name)
    if about.kind is not None:
        return _read_shape(about.kind, raw, limits, charset)
    if name.startswith(CANONICAL):
        data, warnings = canonical.read(raw, name.removeprefix(CANONICAL), limits)
        return Reading(data, warnings)
    found, tree, violations, losses = packets.read(raw, charset, limits)
    if found != _tree_of(name):
        raise Refused("translation-format-unknown", got=found, expected=name)
    return Reading(tree, violations, losses)


def write(name: str, tree: Any, limits: Limits) -> bytes:
    """The bytes of `tree` in the format. Raises `Refused` with what the format's writer refuses, or `translation-target-invalid`."""
    about = format_named(name)
    if about.kind is not None:
        raw = _written_shape(about.kind, tree, limits)
    elif name.startswith(CANONICAL):
        return canonical.write(name.removeprefix(CANONICAL), tree)  # every value was checked by its key already
    else:
        raw = packets.write(tree, _tree_of(name))
    return raw


def check_written(name: str, raw: bytes, limits: Limits) -> Reading:
    """What was written, read by the target's own reader. Raises `Refused` with `translation-target-invalid` and all violations."""
    try:
        return read(name, raw, limits)
    except Refused as fault:
        got = f"{fault.code}: {fault.got}" if fault.got else fault.code
        raise Refused("translation-target-invalid", got=got, expected=f"a valid {name}", violations=fault.violations) from fault


def is_same_shape(one: str, other: str) -> bool:
    """Whether two formats are layouts of the same values."""
    return formats()[one].kind is None and not one.startswith(CANONICAL) and _tree_of(one) == _tree_of(other)


def _packet(name: str, vi: str, en: str) -> Format:
    return Format(name, XML, Text(vi, en), packets.leaves_of(_tree_of(name)))


def _of_kind(one: MessageKind) -> Format:
    return Format(one.name, XML if one.encoding == "xml" else JSON, Text(one.vi, one.en), frozenset(_leaves(one.shape, ())), one)


def _tree_of(name: str) -> str:
    return packets.DOCUMENT if name == NUMBERED else name


def _leaves(shape: type[Shape], path: Path) -> Iterator[Path]:
    for spec in fields_of(shape):
        here: Path = (*path, spec.name)
        if spec.kind in (Kind.ROWS, Kind.TEXTS):
            here = (*here, EACH)
        if spec.shape is not None:
            yield from _leaves(spec.shape, here)
        else:
            yield here


def _fitting(value: Any) -> Iterator[str]:
    named = canonical.kind_of(value)
    if named or not isinstance(value, dict):
        yield from [named] if named in formats() else []
        return
    message = of_json(value)
    if message is not None:
        yield message.name
    yield from (name for name, marks in MARKS.items() if all(mark in value for mark in marks))


def _read_shape(kind: MessageKind, raw: bytes, limits: Limits, charset: str) -> Reading:
    if kind.name in business_kinds():
        found = read_business(raw, kind.name, charset=charset, limits=limits)
        model: Shape | None = found.model
        violations = found.violations
    else:
        judged = judge(raw, JSON if kind.encoding == "json" else XML, kind=kind.name, charset=charset, limits=limits)
        model, violations = judged.model, judged.violations
    faults = errors_of(violations)
    if faults or model is None:
        first = faults[0]
        raise Refused(first.code, got=first.got, expected=first.expected, violations=violations)
    return Reading(model.as_json(), violations)


def _written_shape(kind: MessageKind, tree: Any, limits: Limits) -> bytes:
    found = Findings(limits.max_violations)
    model = build(kind.shape, _as_parsed(tree), "", found)  # what is wrong is told when it is read again
    if kind.encoding == "xml":
        return write_xml(model)
    return json.dumps(model.as_json(), ensure_ascii=False, separators=(",", ":")).encode("utf-8")


def _as_parsed(value: Any) -> Any:
    """`value` as the JSON reader hands it over: numbers are `Literal`."""
    if isinstance(value, dict):
        return {name: _as_parsed(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_as_parsed(one) for one in value]
    return Literal(value) if type(value) is int else value
