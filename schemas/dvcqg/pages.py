"""The documentation of the formats, in Markdown, and all files of `docs/formats` that are made from the models.

A test holds the committed files to this: `lgsp formats write docs/formats`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from schemas.business import examples as business_examples
from schemas.business.every_kind import TITLES, every_kind
from schemas.business.kinds import business_kinds
from schemas.dvcqg.codes import State, code_lists, transitions
from schemas.dvcqg.examples import example_of
from schemas.dvcqg.json_schema import json_schema
from schemas.dvcqg.kinds import MessageKind
from schemas.dvcqg.shape import FieldSpec, Kind, Need, Shape, fields_of, is_open
from schemas.dvcqg.xsd import xsd
from schemas.lgsp.writer import write_xml

_MADE = "<!-- Written by `lgsp formats write docs/formats` from the models; a test compares the two. Do not edit by hand. -->\n\n"
_NEEDS = {
    Need.KEY: "bắt buộc · key",
    Need.VALUE: "cần có giá trị · value",
    Need.PRESENT: "cần có mặt · present",
    Need.OPTIONAL: "",
}
_KINDS = {
    Kind.TEXT: "string",
    Kind.NUMBER: "string, number",
    Kind.FLAG: "string, boolean",
    Kind.ROWS: "list of",
    Kind.OBJECT: "object",
    Kind.TEXTS: "list of strings",
}

_INTRODUCTION = """\
Every message about dossiers, and of line-of-business systems, that the hub reads,
made from one set of models. JSON Schema and XML Schema are the strict form, for those who
write; the reader takes more and says what it disliked. Certainty: [C] read in real code or a legal text, [S] told by a third party, [G]
inference, with the place in the project's facts on the one-stop shop. The tables of QCVN 120:2019 itself could not be retrieved, so
what rests on them warns and does not refuse.

*Needed*: **key**, an error where it is missing or blank; **value**, a warning where it is missing or blank; **present**, a warning where
it is missing; blank, optional. Times of the one-stop exchange are `yyyyMMddHHmmss` in Vietnamese time. Code lists: [codes](codes.md).
"""
_OF_CODES = """\
Each list belongs to one endpoint: the same name means other codes elsewhere. A code without meaning was seen in use, but nobody told
what it says.
"""


def files() -> dict[str, str]:
    """Every generated file by its path below `docs/formats`."""
    made = {"README.md": _index(), "codes.md": _codes()}
    for endpoint in TITLES:
        made[f"{endpoint}.md"] = _page(endpoint)
    for kind in every_kind().values():
        made[f"schema/{kind.name}.json"] = json.dumps(json_schema(kind), ensure_ascii=False, indent=1) + "\n"
        made[f"xsd/{kind.name}.xsd"] = xsd(kind)
    return made


def markdown(kind: MessageKind) -> str:
    """One message: what it is, every field of every object, and an example."""
    shapes: dict[str, type[Shape]] = {}
    _collect(kind.shape, shapes)
    parts = [f"## {kind.name}\n\n{kind.vi} · {kind.en}. {_sentence(kind)}\n"]
    for name, shape in shapes.items():
        parts.append(f"\n**{name}** {' '.join((shape.__doc__ or '').split())}\n\n")
        rows = [_row(spec) for spec in fields_of(shape)]
        parts.append("| Field | Holds | Needed | Nghĩa | Meaning | Form |\n|---|---|---|---|---|---|\n" + "".join(rows) if rows else "")
        parts.append("\nNot all members are known.\n" if is_open(shape) else "")
    return "".join(parts) + f"\n{_example(kind)}"


def _sentence(kind: MessageKind) -> str:
    named = f"`service`: {', '.join(kind.services)}. " if kind.services else ""
    return f"{named}Certainty: {kind.certainty}."


def _row(spec: FieldSpec) -> str:
    about = spec.about
    holds = f"{_KINDS[spec.kind]} {spec.shape.__name__ if spec.shape else ''}".strip()
    limits = (about.form, f"codes {about.codes}" if about.codes else "", f"≤ {about.max_chars} characters" if about.max_chars else "")
    form = "; ".join(one for one in (*limits, f"since {about.since}" if about.since else "", about.note) if one)
    return f"| `{spec.name}` | {holds} | {_NEEDS[about.need]} | {about.vi} | {about.en} | {form.replace('|', '/')} |\n"


def _example(kind: MessageKind) -> str:
    model = business_examples.example_of(kind) if kind.name in business_kinds() else example_of(kind)
    if kind.encoding == "xml":
        return f"```xml\n{write_xml(model, kind.title).decode('utf-8')}\n```\n"
    return f"```json\n{json.dumps(model.as_json(), ensure_ascii=False, indent=1)}\n```\n"


def _collect(shape: type[Shape], shapes: dict[str, type[Shape]]) -> None:
    if shape.__name__ not in shapes:
        shapes[shape.__name__] = shape
        for spec in fields_of(shape):
            if spec.shape is not None:
                _collect(spec.shape, shapes)


def _page(endpoint: str) -> str:
    vi, en = TITLES[endpoint]
    ours = [kind for kind in every_kind().values() if kind.endpoint == endpoint]
    return f"# {en} · {vi}\n\n{_MADE}" + "\n".join(markdown(kind) for kind in ours)


def _index() -> str:
    head = f"# Formats of dossier messages · Định dạng thông điệp hồ sơ\n\n{_MADE}{_INTRODUCTION}\n"
    return head + "".join(_index_of(endpoint) for endpoint in TITLES)


def _index_of(endpoint: str) -> str:
    rows = "".join(
        f"| [{kind.name}]({endpoint}.md) | {kind.vi} | {kind.en} | {kind.encoding} | {kind.certainty} "
        f"| [JSON Schema](schema/{kind.name}.json), [XSD](xsd/{kind.name}.xsd) |\n"
        for kind in every_kind().values()
        if kind.endpoint == endpoint
    )
    return f"## {TITLES[endpoint][1]}\n\n| Message | Nghĩa | Meaning | Wire | Certainty | Schemas |\n|---|---|---|---|---|---|\n{rows}\n"


def _codes() -> str:
    return "".join((f"# Code lists · Danh mục mã\n\n{_MADE}{_OF_CODES}\n", *_graph(), *_lists()))


def _graph() -> Iterator[str]:
    yield "## States of a dossier, and what may follow\n\nInference [G]: no text prescribes it, so what lies outside it is a warning.\n\n"
    yield "| State | May be followed by |\n|---|---|\n"
    names = code_lists()["dvcqg/TrangThaiHoSo"].codes
    for state in State:
        after = ", ".join(str(int(one)) for one in sorted(transitions()[state])) or "nothing: the end"
        yield f"| {int(state)} {names[str(int(state))].vi} | {after} |\n"
    yield "\n"


def _lists() -> Iterator[str]:
    for one in code_lists().values():
        yield f"## {one.key}\n\n{one.source}.\n\n| Code | Nghĩa | Meaning |{' National state |' if one.national else ''}\n"
        yield f"|---|---|---|{'---|' if one.national else ''}\n"
        for code, text in one.codes.items():
            national = f" {one.national.get(code) or '–'} |" if one.national else ""
            yield f"| `{code}` | {text.vi} | {text.en} |{national}\n"
        yield "\n"
