"""`lgsp verify FILE`: who signed a packet, and whether that holds. Exit codes: 0 valid, 1 invalid, 2 usage, 3 indeterminate."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from schemas.agency import AgencyCode
    from schemas.errors import Violation
    from schemas.message import Verdict
    from schemas.xml import ParsedXml
    from signing.policy import SignatureMode
    from signing.trust import TrustStore

_EXIT = {"valid": 0, "invalid": 1, "indeterminate": 3}
_STATUS = {
    "valid": "HỢP LỆ / VALID",
    "invalid": "KHÔNG HỢP LỆ / INVALID",
    "indeterminate": "KHÔNG XÁC ĐỊNH / INDETERMINATE",
}
_LEGAL = {
    "original": "có giá trị như bản gốc / value of the original",
    "for information": "để biết, tham khảo / for information",
    "pending": "chờ xác minh / pending",
}
_ANSWERS = (
    ("integrity", "toàn vẹn / integrity"),
    ("coverage", "phạm vi ký / coverage"),
    ("path", "đường dẫn chứng thực / path"),
    ("revocation", "thu hồi / revocation"),
    ("time", "thời gian / time"),
    ("algorithms", "thuật toán / algorithms"),
)
_FROM = (("edXMLEnvelope",), ("edXMLHeader",), ("MessageHeader", "Status"), ("From",), ("OrganId",))


def command(
    file: Annotated[Path, typer.Argument(help="Gói tin cần kiểm tra / the packet to verify", exists=True, dir_okay=False, readable=True)],
    *,
    trust: Annotated[
        Path | None, typer.Option("--trust", help="Thư mục chứng thư tin cậy / folder of trust anchors (none: nobody is trusted)")
    ] = None,
    at: Annotated[str, typer.Option("--at", help="Thời điểm xét, RFC 3339 / time to judge for, RFC 3339; default: now")] = "",
    agencies: Annotated[
        Path | None,
        typer.Option("--agencies", help='JSON {"OrganId": ["sha256", …]}: chứng thư của từng cơ quan / who may sign for whom'),
    ] = None,
    policy: Annotated[str, typer.Option("--policy", help="require, check hoặc/or ignore")] = "require",
    as_json: Annotated[bool, typer.Option("--json", help="In kết quả dạng JSON / print JSON")] = False,
) -> None:
    """Kiểm tra chữ ký số của một gói tin. / Verify the signature of a packet."""
    from signing.trust import TrustStore

    moment, mode = _moment(at), _mode(policy)
    store = _store(trust) if trust else TrustStore()
    verdict, violations = _judged(file.read_bytes(), store, _bindings(agencies), mode, moment)
    if as_json:
        typer.echo(json.dumps(verdict.as_json(), ensure_ascii=False, indent=2))
    else:
        typer.echo("\n".join(_lines(verdict, violations)))
    raise typer.Exit(_EXIT[verdict.status])


def _moment(text: str) -> datetime:
    if not text:
        return datetime.now(UTC)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as fault:
        raise typer.BadParameter(f"{text!r}: RFC 3339, 2026-11-21T10:00:00+07:00", param_hint="--at") from fault
    if moment.tzinfo is None:
        raise typer.BadParameter(f"{text!r}: thiếu múi giờ / without zone", param_hint="--at")
    return moment


def _mode(text: str) -> SignatureMode:
    from signing.policy import SignatureMode

    try:
        return SignatureMode(text)
    except ValueError as fault:
        raise typer.BadParameter(f"{text!r}: {', '.join(SignatureMode)}", param_hint="--policy") from fault


def _store(folder: Path) -> TrustStore:
    from schemas.errors import Halted
    from signing.trust import TrustStore

    try:
        return TrustStore.load(folder)
    except Halted as fault:
        raise typer.BadParameter(f"{fault.spec.title.vi} / {fault}", param_hint="--trust") from fault


def _bindings(file: Path | None) -> dict[str, frozenset[str]]:
    from schemas.agency import AgencyCode

    if file is None:
        return {}
    try:
        rows = json.loads(file.read_bytes())
        if not isinstance(rows, dict):
            raise ValueError("not an object")
        bound: dict[str, frozenset[str]] = {}
        for code, digests in rows.items():
            key = AgencyCode.of(code).key
            bound[key] = bound.get(key, frozenset()) | {_digest(d) for d in ([digests] if isinstance(digests, str) else digests)}
    except (OSError, ValueError, TypeError, RecursionError) as fault:
        raise typer.BadParameter(f'{file.name}: {fault}; {{"OrganId": ["sha256", …]}}', param_hint="--agencies") from fault
    return bound


def _digest(text: str) -> str:
    digest = text.replace(":", "").strip().lower()
    if len(bytes.fromhex(digest)) != 32:
        raise ValueError(f"{text!r} is not a SHA-256 in hex")
    return digest


def _judged(
    raw: bytes, store: TrustStore, bindings: Mapping[str, frozenset[str]], mode: SignatureMode, at: datetime
) -> tuple[Verdict, tuple[Violation, ...]]:
    from schemas.errors import Refused, error
    from schemas.message import LegalValue, Verdict, VerdictStatus
    from schemas.xml import parse
    from signing.policy import SignaturePolicy
    from signing.verify import examine

    policy = SignaturePolicy(mode, bindings)
    try:
        tree = parse(raw)
    except Refused as fault:
        violations = fault.violations or (error(fault.code, got=fault.got, expected=fault.expected),)
        return Verdict(VerdictStatus.INVALID, (fault.code,), (), LegalValue.FOR_INFORMATION, policy.name), violations
    judged = examine(tree, declared_sender(tree), policy, store, at)
    return judged.verdict, judged.violations


def declared_sender(tree: ParsedXml) -> AgencyCode | None:
    """From/OrganId of a packet, an unusable code where there are several, None for what is no packet."""
    from schemas.agency import AgencyCode
    from schemas.xml import child_elements, local_name, text_of

    nodes = [tree.root]
    for names in _FROM:
        nodes = [child for node in nodes for child in child_elements(node) if local_name(child) in names]
    if not nodes:
        return None
    return AgencyCode.of(text_of(nodes[0])) if len(nodes) == 1 else AgencyCode.of("")


def _lines(verdict: Verdict, violations: tuple[Violation, ...]) -> list[str]:
    from schemas.errors import spec

    lines = [f"{_STATUS[verdict.status]} – {_LEGAL[verdict.legal_value]}"]
    for report in verdict.signatures:
        told: dict[str, Any] = report.as_json()
        lines.append(f"\n{report.kind}: {report.signer or 'không rõ người ký / unknown signer'}")
        lines += [f"  cơ quan / agency: {report.organ_id}"] if report.organ_id else []
        lines += [f"  {label}: {told[name]}" for name, label in _ANSWERS]
    for violation in violations:
        about = spec(violation.code)
        lines.append(f"\n{violation.code}: {about.title.vi}\n  {about.title.en}")
        lines += [f"  {violation.path} (dòng / line {violation.line})"] if violation.line else []
        lines += [f"  nhận được / got: {violation.got}"] if violation.got else []
        lines += [f"  mong đợi / expected: {violation.expected}"] if violation.expected else []
        lines.append(f"  → {about.remedy.vi}\n  → {about.remedy.en}")
    return lines
