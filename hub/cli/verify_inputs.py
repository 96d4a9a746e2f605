"""What `lgsp verify` is told besides the file: folders, time, policy, agencies. Wrong use is told apart from a bad file (exit code 2)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from schemas.errors import Violation
    from signing.context import Context
    from signing.policy import SignatureMode


@dataclass(frozen=True, slots=True)
class Folders:
    """Folders (or single files) of certificates, lists and answers; None where the option was not given."""

    trust: Path | None
    domain: str
    intermediates: Path | None
    crl: Path | None
    ocsp: Path | None

    def context(self, at: datetime) -> tuple[Context, tuple[Violation, ...]]:
        """What to judge with, and what was left out of the folders."""
        from schemas.errors import Halted, warning
        from signing import collected
        from signing.collected import Collected
        from signing.context import Context
        from signing.limits import MAX_INTERMEDIATES
        from signing.trust import TrustStore

        for place, option in ((self.trust, "--trust"), (self.intermediates, "--intermediates"), (self.crl, "--crl"), (self.ocsp, "--ocsp")):
            if place is not None and not place.exists():
                raise typer.BadParameter(f"{place}: không có / not there", param_hint=option)
        try:
            store, notes = collected.trust_in(self.trust, self.domain) if self.trust else (TrustStore(), ())
            others = collected.certificates_in(self.intermediates) if self.intermediates else Collected()
            lists, answers = collected.beside(self.trust) if self.trust else (Collected(), Collected())
            lists = collected.lists_in(self.crl) if self.crl else lists
            answers = collected.answers_in(self.ocsp) if self.ocsp else answers
        except OSError as fault:
            raise typer.BadParameter(f"{fault.filename}: {fault.strerror}") from fault
        except Halted as fault:
            raise typer.BadParameter(fault.got, param_hint="--trust") from fault
        if len(others.ders) > MAX_INTERMEDIATES:
            over = f"{len(others.ders)} certificates"
            notes = (*notes, warning("resource-limit", path="--intermediates", got=over, expected=f"at most {MAX_INTERMEDIATES}"))
        ctx = Context(store, at, others.ders, lists.ders, answers.ders)
        return ctx, (*notes, *others.notes, *lists.notes, *answers.notes)


def moment_of(text: str, now: datetime) -> datetime:
    """The time in `text`, `now` where there is none."""
    if not text:
        return now
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as fault:
        raise typer.BadParameter(f"{text!r}: RFC 3339, 2026-11-21T10:00:00+07:00", param_hint="--at") from fault
    if moment.tzinfo is None:
        raise typer.BadParameter(f"{text!r}: thiếu múi giờ / without zone", param_hint="--at")
    try:
        return moment.astimezone(UTC)
    except OverflowError as fault:
        raise typer.BadParameter(f"{text!r}: ngoài phạm vi / out of range", param_hint="--at") from fault


def mode_of(text: str) -> SignatureMode:
    """The signature mode by name."""
    from signing.policy import SignatureMode

    try:
        return SignatureMode(text)
    except ValueError as fault:
        raise typer.BadParameter(f"{text!r}: {', '.join(SignatureMode)}", param_hint="--policy") from fault


def bindings(file: Path | None) -> dict[str, frozenset[str]]:
    """Which certificates may sign for which agency: agency key → SHA-256 in lower hex."""
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
