"""`lgsp verify FILE`: who signed a packet or a file, and whether that holds. Exit codes: 0 valid, 1 invalid, 2 usage, 3 indeterminate."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from schemas.errors import Violation
    from signing.container import Kind
    from signing.context import Context
    from signing.policy import SignaturePolicy
    from signing.verify import Judgement

_EXIT = {"valid": 0, "invalid": 1, "indeterminate": 3}
KINDS = ("auto", "edxml", "xml", "pdf", "cms", "asic", "ooxml", "tsr")
MAX_FILE_BYTES = 256 * 1024 * 1024
_ROUNDS = 3  # a fetched answer may name a signer whose status is asked next
AUTHORITIES = ("http://ca.gov.vn", "http://ocsp.ca.gov.vn")  # of the Government-dedicated hierarchy, as its certificates name them


def command(
    file: Annotated[Path, typer.Argument(help="Tệp cần kiểm tra / the file to verify", exists=True, dir_okay=False, readable=True)],
    *,
    kind: Annotated[str, typer.Option("--kind", help=f"{', '.join(KINDS)}; auto: theo nội dung / as the bytes tell")] = "auto",
    content: Annotated[Path | None, typer.Option("--content", help="Nội dung của chữ ký rời hoặc dấu thời gian / what it is over")] = None,
    trust: Annotated[
        Path | None, typer.Option("--trust", help="Thư mục chứng thư tin cậy / folder of trust anchors (none: nobody is trusted)")
    ] = None,
    domain: Annotated[str, typer.Option("--domain", help="Miền tin cậy: thư mục con của --trust / subfolder of --trust")] = "",
    intermediates: Annotated[
        Path | None, typer.Option("--intermediates", help="Thư mục chứng thư CA trung gian / folder of CA certificates")
    ] = None,
    crl: Annotated[Path | None, typer.Option("--crl", help="Thư mục danh sách thu hồi / folder of CRLs; default: crl/ of --trust")] = None,
    ocsp: Annotated[
        Path | None, typer.Option("--ocsp", help="Thư mục trả lời OCSP / folder of OCSP responses; default: ocsp/ of --trust")
    ] = None,
    online: Annotated[
        bool, typer.Option("--online", help="Hỏi CRL và OCSP ở các địa chỉ --allow / ask for CRL and OCSP at --allow")
    ] = False,
    allow: Annotated[
        list[str] | None, typer.Option("--allow", help=f"http://host[:port]; mặc định / default: {', '.join(AUTHORITIES)}")
    ] = None,
    agencies: Annotated[
        Path | None,
        typer.Option("--agencies", help='JSON {"OrganId": ["sha256", …]}: chứng thư của từng cơ quan / who may sign for whom'),
    ] = None,
    at: Annotated[str, typer.Option("--at", help="Thời điểm xét, RFC 3339 / time to judge for, RFC 3339; default: now")] = "",
    policy: Annotated[str, typer.Option("--policy", help="require, check hoặc/or ignore")] = "require",
    as_json: Annotated[bool, typer.Option("--json", help="In kết quả dạng JSON / print JSON")] = False,
) -> None:
    """Kiểm tra chữ ký số của gói tin, PDF, CMS, ASiC, XML, dấu thời gian. / Verify the signatures of a packet or a file."""
    from hub.cli.verify_inputs import Folders, bindings, mode_of, moment_of
    from hub.cli.verify_text import lines
    from signing.policy import SignaturePolicy

    ctx, notes = Folders(trust, domain, intermediates, crl, ocsp).context(moment_of(at, datetime.now(UTC)))
    job = _Job(file, content, _kind(kind), SignaturePolicy(mode_of(policy), bindings(agencies)))
    judged, missed = _asked_online(job, ctx, allow or AUTHORITIES) if online else (job.judge(ctx), ())
    notes = (*notes, *missed)
    if as_json:
        told = judged.verdict.as_json() | {"violations": [one.as_json() for one in (*judged.violations, *notes)]}
        typer.echo(json.dumps(told, ensure_ascii=False, indent=2))
    else:
        typer.echo("\n".join(lines(judged.verdict, (*judged.violations, *notes))))
    raise typer.Exit(_EXIT[judged.verdict.status])


@dataclass(frozen=True, slots=True)
class _Job:
    """What is to be verified, whatever it is judged with."""

    file: Path
    content: Path | None
    kind: Kind | None
    policy: SignaturePolicy

    def judge(self, ctx: Context) -> Judgement:
        """The judgement, a file that is too large or cannot be read included."""
        from schemas.errors import Refused
        from signing.verify import refuse, verify_file

        try:
            content = _read(self.content) if self.content else None
            return verify_file(_read(self.file), self.policy, ctx, kind=self.kind, content=content)
        except Refused as fault:
            return refuse(fault, self.policy, ctx)


def _read(path: Path) -> bytes:
    from schemas.errors import Refused

    try:
        size = path.stat().st_size
        if size > MAX_FILE_BYTES:
            raise Refused("resource-limit", got=f"{path.name}: {size} bytes", expected=f"at most {MAX_FILE_BYTES}")
        return path.read_bytes()
    except OSError as fault:
        raise typer.BadParameter(f"{path.name}: {fault.strerror}") from fault


def _kind(text: str) -> Kind | None:
    from signing.container import Kind

    if text not in KINDS:
        raise typer.BadParameter(f"{text!r}: {', '.join(KINDS)}", param_hint="--kind")
    return None if text == "auto" else Kind(text)


def _asked_online(job: _Job, ctx: Context, places: Sequence[str]) -> tuple[Judgement, tuple[Violation, ...]]:
    """The judgement after the authorities on the allow-list were asked for what is missing, and what they did not give."""
    from schemas.errors import Halted
    from signing.fetch import AllowList, Fetcher

    try:
        fetcher = Fetcher(AllowList.of(places))
    except Halted as fault:
        raise typer.BadParameter(fault.got, param_hint="--allow") from fault
    judged = job.judge(ctx)
    missed: dict[Violation, None] = {}
    for _ in range(_ROUNDS):
        if "revocation-unknown" not in judged.verdict.reasons:
            break
        gathered = [fetcher.gather(chain, ctx.at) for chain in judged.chains()]
        missed |= {note: None for one in gathered for note in one.notes}
        crls = tuple(dict.fromkeys((*ctx.crls, *(der for one in gathered for der in one.crls))))
        ocsps = tuple(dict.fromkeys((*ctx.ocsps, *(der for one in gathered for der in one.ocsps))))
        if (crls, ocsps) == (ctx.crls, ctx.ocsps):
            break
        ctx = replace(ctx, crls=crls, ocsps=ocsps)
        judged = job.judge(ctx)
    return judged, tuple(missed)
