"""`lgsp validate FILE…`: is this a packet the hub would take, and if not, what has to be corrected, where, and how.

Exit codes: 0 all valid, 1 at least one is not, 2 usage (a file is missing).
"""

from __future__ import annotations

import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from schemas.dvcqg.shape import Shape
    from schemas.errors import Text, Violation
    from schemas.validate import Report


class Language(StrEnum):
    """Which texts are shown."""

    VI = "vi"
    EN = "en"
    BOTH = "both"


def validate_command(
    files: Annotated[list[Path], typer.Argument(exists=True, dir_okay=False, readable=True, help="gói tin, thông điệp / messages")],
    *,
    json_output: Annotated[bool, typer.Option("--json", help="mỗi tệp một dòng JSON / one line of JSON per file")] = False,
    lang: Annotated[Language, typer.Option(help="ngôn ngữ của thông báo / language of the texts")] = Language.BOTH,
    kind: Annotated[str, typer.Option(help="tên thông điệp / its name, by lgsp formats list")] = "",
    history: Annotated[
        list[Path] | None,
        typer.Option(exists=True, dir_okay=False, help="thông điệp hồ sơ đã gửi trước, cũ trước / sent before, oldest first"),
    ] = None,
    repair: Annotated[bool, typer.Option("--repair", help="đề xuất bản sửa dưới dạng diff / propose corrections as a diff")] = False,
    write: Annotated[Path | None, typer.Option(dir_okay=False, help="ghi bản sửa vào tệp khác / write the corrected packet here")] = None,
) -> None:
    """Kiểm tra gói tin edXML, thông điệp hồ sơ, nghiệp vụ. / Check packets and messages; name everything that is wrong."""
    from datetime import UTC, datetime

    from schemas.business.every_kind import kind_named
    from schemas.validate import validate_file

    if kind and kind_named(kind) is None:
        raise typer.BadParameter(f"không có thông điệp / no such message: {kind} (lgsp formats list)", param_hint="--kind")
    if repair:
        raise typer.Exit(0 if _propose(files, write, kind) else 1)
    if write is not None:
        raise typer.BadParameter("--write cần --repair / needs --repair")
    before = [_model(path) for path in history or ()]
    all_valid = True
    for path in files:
        report = validate_file(path, kind=kind, history=before, at=datetime.now(UTC))
        all_valid = all_valid and report.ok
        if json_output:
            print(json.dumps({"file": str(path), **report.as_json()}, ensure_ascii=False))
        else:
            print("\n".join(_lines(path, report, lang)))
    raise typer.Exit(0 if all_valid else 1)


command = validate_command


def _model(path: Path) -> Shape:
    from schemas.dvcqg.validate import judge

    model = judge(path.read_bytes()).model
    if model is None:
        raise typer.BadParameter(f"không phải thông điệp hồ sơ / no dossier message: {path}", param_hint="--history")
    return model


def _propose(files: list[Path], write: Path | None, kind: str) -> bool:
    """Prints the corrections as a unified diff on stdout, and what they are on stderr. Never writes over what it was given."""
    from datetime import UTC, datetime

    from schemas.dvcqg.validate import is_json
    from schemas.edxml.repair import Proposal, propose
    from schemas.message import Inbound
    from schemas.validate import validate

    if write is not None and (len(files) > 1 or (write.exists() and write.samefile(files[0]))):
        raise typer.BadParameter("--write cần một tệp đầu vào và một tệp đích khác / needs one input, and another file to write to")
    all_ok, at = True, datetime.now(UTC)
    for path in files:
        raw = path.read_bytes()
        if is_json(raw):  # what is wrong in a message is a value, and that its sender alone knows
            proposal = Proposal(raw, (), validate(raw, kind=kind, at=at).violations, "")
        else:
            proposal = propose(Inbound(raw, "", "", "validate", at), name=path.name)
        all_ok = all_ok and proposal.ok
        print(proposal.diff, end="")
        for step in proposal.steps:
            print(f"{path}: {step.defect} {step.path}", file=sys.stderr)
        for violation in proposal.left:
            print("\n".join(_explained(violation, Language.BOTH)), file=sys.stderr)
        if write is not None:
            write.write_bytes(proposal.raw)
    return all_ok


def _lines(path: Path, report: Report, lang: Language) -> list[str]:
    from schemas.errors import Text

    verdict = Text("HỢP LỆ", "VALID") if report.ok else Text("KHÔNG HỢP LỆ", "NOT VALID")
    lines = [f"{path}: {_said(verdict, lang)}"]
    if report.sender:
        lines.append(f"  {report.kind or '?'}  {report.sender} → {', '.join(report.recipients)}  {report.document_id}")
    elif report.kind:
        lines.append(f"  {report.kind}")
    lines += [f"  + {one.name} ({one.media_type}, {one.packing}, {one.size_bytes} bytes)" for one in report.attachments]
    for violation in report.violations:
        lines += _explained(violation, lang)
    return lines


def _explained(violation: Violation, lang: Language) -> list[str]:
    from schemas.edxml.defects import known
    from schemas.errors import Severity, Text, spec

    defect = known(violation)
    about = spec(violation.code)
    refuses = violation.severity is Severity.ERROR
    word = Text("Lỗi", "Error") if refuses else Text("Cảnh báo", "Warning")
    line = _said(Text(f"dòng {violation.line}", f"line {violation.line}"), lang)
    place = f"{violation.path} ({line})" if violation.line else violation.path
    lines = [f"  {'✗' if refuses else '!'} [{violation.code}] {_said(word, lang)}: {_said(about.title, lang)}"]
    lines += [f"      {_said(Text('tại', 'at'), lang)}: {place}"] if place else []
    lines += [f"      {_said(Text('nhận được', 'got'), lang)}: {violation.got}"] if violation.got else []
    lines += [f"      {_said(Text('cần', 'expected'), lang)}: {violation.expected}"] if violation.expected else []
    lines += [f"      ≈ {_said(defect.title, lang)} [{defect.label}]"] if defect else []
    return [*lines, f"      → {_said(about.remedy, lang)}"]


def _said(text: Text, lang: Language) -> str:
    if lang is Language.BOTH:
        return f"{text.vi} / {text.en}"
    return text.vi if lang is Language.VI else text.en
