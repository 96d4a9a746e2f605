"""edXML packets as trees of JSON values and back: members are named as the elements are, files are base64 with their digest.

What a tree does not hold is named as lost: signatures of the packet, elements nobody knows, how a file was packed. Where a
`ContentId` is missing, the writer makes one from the file's digest (UUIDv5), so the same tree is always the same bytes.
"""

from __future__ import annotations

import binascii
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from hashlib import sha256
from typing import Any, Final, Union, get_args, get_origin, get_type_hints
from uuid import NAMESPACE_URL, uuid5

import pybase64

from schemas import xml
from schemas.edxml import names
from schemas.edxml.attachments import Packing, attachments_of
from schemas.edxml.packet import Attachment, DocumentPacket, StaffInfo, StatusPacket
from schemas.edxml.packing import File, one_entry_zip
from schemas.edxml.reader import Examined, examine_tree
from schemas.edxml.writer import write_document, write_status
from schemas.errors import Refused, Text, Violation, errors_of
from schemas.limits import Limits
from schemas.translation.mapping import Loss, LossKind
from schemas.translation.paths import EACH, Path, is_blank, pointer

DOCUMENT: Final = "edxml.document"
STATUS: Final = "edxml.status"
CONTENT, DIGEST, SIZE, MEDIA = "Content", "Sha256", "Size", "MediaType"  # of a file, beside what the packet declares of it
# Values are named by their element; those whose field does not say it.
_ELEMENTS: Final = {
    "sender": "From",
    "promulgation": "PromulgationInfo",
    "signer": "SignerInfo",
    "task_codes": "TaskCode",
    "trace": "TraceHeader",
    "document_infos": "BussinessDocumentInfo",
    "replacements": "ReplacementInfo",
    "receivers": "Receiver",
    "organ_ids": "OrganId",
    "appendixes": "Appendix",
    "staff": "StaffInfo",
    "references": "Reference",
    "attachments": "Attachment",
}
_FILE_FACTS: Final = (CONTENT, DIGEST, SIZE, MEDIA)
SEAL = Text(
    "Chữ ký ở mức gói tin chỉ đúng với gói gốc; sau khi chuyển đổi không còn chứng minh điều gì.",
    "A signature of the packet holds for the original packet only; after translation it proves nothing.",
)
_STRANGE = Text("Phần tử lạ, không có trong định dạng nên không chuyển sang.", "An element that the format does not have is not carried.")
_PACKED = Text("Cách đóng gói tệp: khi ghi lại, tệp nằm trong một tệp nén.", "How the file was packed: written again, it stands in a zip.")
_ASIDE: Final = {"unknown-element": _STRANGE, "wrong-case": _STRANGE, "stray-text": _STRANGE}
_NAMESPACE: Final = uuid5(NAMESPACE_URL, names.QCVN102)


def read(raw: bytes, charset: str, limits: Limits) -> tuple[str, dict[str, Any], tuple[Violation, ...], tuple[Loss, ...]]:
    """The format, the tree, warnings and what the tree does not hold.

    Raises `Refused` as `schemas.edxml.reader.read` does, with all violations.
    """
    parsed = xml.parse(raw, charset=charset, limits=limits)
    examined = examine_tree(parsed, limits)
    faults = errors_of(examined.violations)
    if faults:
        first = faults[0]
        raise Refused(first.code, got=first.got, expected=first.expected, violations=examined.violations[: limits.max_violations])
    name = STATUS if examined.is_status else DOCUMENT
    tree = _tree(examined.packet)
    losses = [*_aside(examined, name)]
    if isinstance(examined.packet, DocumentPacket):
        files = zip(tree.get("Attachment", ()), attachments_of(examined.packet, limits), strict=True)
        for n, (row, one) in enumerate(files):
            row.update(_facts(one.data), **{MEDIA: one.media_type})
            if one.packing is not Packing.ZIP:
                losses.append(Loss(pointer(("Attachment", n)), LossKind.READING, _PACKED, name))
    return name, tree, examined.violations, tuple(losses)


def write(tree: Mapping[str, Any], name: str) -> bytes:
    """The packet of `tree`. Raises `Refused` as the strict writer does, or with `translation-file-damaged`."""
    if name == STATUS:
        return write_status(_value(StatusPacket, tree))
    return write_document(_value(DocumentPacket, tree))


@cache
def leaves_of(name: str) -> frozenset[Path]:
    """Every place that a tree of the format may have a value at."""
    return frozenset(_leaves(StatusPacket if name == STATUS else DocumentPacket))


def _aside(examined: Examined, name: str) -> Iterator[Loss]:
    for one in examined.violations:
        if one.code in _ASIDE:
            yield Loss(one.path, LossKind.READING, _ASIDE[one.code], name)
    for element in examined.tree.root.iter("{*}Signature", "{*}DigitalSignature"):
        yield Loss(xml.path_of(element), LossKind.READING, SEAL, name)


def _tree(value: Any) -> Any:
    if is_dataclass(value):
        shape: Any = type(value)
        members = {_element(shape, one.name): _tree(getattr(value, one.name)) for one in fields(shape) if one.name != "source"}
        return {name: one for name, one in members.items() if not is_blank(one)}
    if isinstance(value, tuple):
        return [_tree(one) for one in value]
    return value


def _element(shape: Any, field: str) -> str:
    if shape is StaffInfo and field == "staff":  # the one `staff` that is a text
        return "Staff"
    return _ELEMENTS.get(field) or "".join(word.capitalize() for word in field.split("_"))


def _facts(data: bytes) -> dict[str, Any]:
    return {CONTENT: pybase64.b64encode(data).decode("ascii"), DIGEST: sha256(data).hexdigest(), SIZE: len(data)}


def _value(shape: Any, tree: Any) -> Any:
    """`tree` as a value of `shape`: the shapes are the packet's own dataclasses. What is missing is left to the strict writer to refuse."""
    if shape is str:
        return str(tree)
    made: dict[str, Any] = {}
    for one in fields(shape):
        inner, repeated = _inner(shape, one.name)
        if one.name != "source" and (name := _element(shape, one.name)) in tree:
            made[one.name] = tuple(_value(inner, row) for row in tree[name]) if repeated else _value(inner, tree[name])
        elif one.default is MISSING and one.default_factory is MISSING:
            made[one.name] = () if repeated else _value(inner, {}) if is_dataclass(inner) else ""
    return _attachment(made, tree) if shape is Attachment else shape(**made)


def _attachment(made: dict[str, Any], tree: Mapping[str, Any]) -> Attachment:
    name, text = made.get("attachment_name", ""), str(tree.get(CONTENT, ""))
    try:
        data: bytes = pybase64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as fault:
        raise Refused("translation-file-damaged", got=f"{len(text)} characters", expected="base64") from fault
    facts: tuple[tuple[str, object], ...] = ((DIGEST, sha256(data).hexdigest()), (SIZE, len(data)))
    for told, is_so in facts:
        if told in tree and tree[told] != is_so:
            raise Refused("translation-file-damaged", got=str(tree[told]), expected=str(is_so))
    made.setdefault("content_id", str(uuid5(_NAMESPACE, f"{name} {sha256(data).hexdigest()}")))
    packed = pybase64.b64encode(one_entry_zip(File(name, data))).decode("ascii") if data else ""
    return Attachment(**made, source=packed)


def _leaves(shape: Any, path: Path = ()) -> Iterator[Path]:
    for one in fields(shape):
        if one.name == "source":
            yield from ((*path, name) for name in _FILE_FACTS)
            continue
        inner, repeated = _inner(shape, one.name)
        here: Path = (*path, _element(shape, one.name), EACH) if repeated else (*path, _element(shape, one.name))
        if is_dataclass(inner):
            yield from _leaves(inner, here)
        else:
            yield here


@cache
def _inner(shape: Any, field: str) -> tuple[Any, bool]:
    """What a field holds, and whether it holds several."""
    hint = get_type_hints(shape)[field]
    if get_origin(hint) is tuple:
        return get_args(hint)[0], True
    if get_origin(hint) is Union or type(None) in get_args(hint):
        return next(one for one in get_args(hint) if one is not type(None)), False
    return hint, False
