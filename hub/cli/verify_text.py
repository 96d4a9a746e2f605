"""A verdict for people, in Vietnamese and English."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from schemas.errors import Violation, shown, spec
from schemas.message import FileReport, SignatureReport, Verdict

_STATUS = {
    "valid": "HỢP LỆ / VALID",
    "invalid": "KHÔNG HỢP LỆ / INVALID",
    "indeterminate": "KHÔNG XÁC ĐỊNH / INDETERMINATE",
}
_LEGAL = {
    "original": "có giá trị như bản gốc / value of the original",
    "for information": "để biết, tham khảo / for information",
    "pending": "chờ xác minh / pending",
    "none": "chữ ký không chứng minh được giá trị / the signature proves no value",
}
_ANSWERS = (
    ("integrity", "toàn vẹn / integrity"),
    ("coverage", "phạm vi ký / coverage"),
    ("path", "đường dẫn chứng thực / path"),
    ("revocation", "thu hồi / revocation"),
    ("time", "thời gian / time"),
    ("algorithms", "thuật toán / algorithms"),
)
_SOURCES = {
    "rfc3161": "dấu thời gian RFC 3161 / RFC 3161 time-stamp",
    "received": "lúc hub tiếp nhận / when the hub received it",
    "claimed": "người ký tự khai / the signer's own word",
    "none": "không có / none",
}


def lines(verdict: Verdict, violations: Iterable[Violation]) -> list[str]:
    """The verdict, each signature, each attachment, each reason with its remedy."""
    told = [f"{_STATUS[verdict.status]} – {_LEGAL[verdict.legal_value]}"]
    for report in verdict.signatures:
        told += _signature(report)
    for file in verdict.attachments:
        told += _attachment(file)
    for violation in violations:
        told += _reason(violation)
    return told


def _signature(report: SignatureReport) -> Iterator[str]:
    said: dict[str, Any] = report.as_json()
    yield f"\n{report.kind}: {shown(report.signer) or 'không rõ người ký / unknown signer'}"
    if report.name:
        yield f"  ở / at: {shown(report.name)}"
    if report.organ_id:
        yield f"  cơ quan / agency: {report.organ_id}"
    yield from (f"  {label}: {said[name]}" for name, label in _ANSWERS)
    if report.time_source:
        yield f"  nguồn thời gian / source of the time: {_SOURCES.get(report.time_source, report.time_source)}"


def _attachment(file: FileReport) -> Iterator[str]:
    yield f"\ntệp đính kèm / attachment {shown(file.name)} ({file.kind}): {_STATUS[file.status]} – {_LEGAL[file.legal_value]}"
    if file.reasons:
        yield f"  {', '.join(file.reasons)}"


def _reason(violation: Violation) -> Iterator[str]:
    about = spec(violation.code)
    yield f"\n{violation.code}: {about.title.vi}\n  {about.title.en}"
    if violation.path:
        yield f"  {violation.path}" + (f" (dòng / line {violation.line})" if violation.line else "")
    if violation.got:
        yield f"  nhận được / got: {violation.got}"
    if violation.expected:
        yield f"  mong đợi / expected: {violation.expected}"
    yield f"  → {about.remedy.vi}\n  → {about.remedy.en}"
