"""fsck, what verdicts rest on: the evidence that entries name is kept and is what it was; verdicts that were not certain at first stand
as their last entry says.

A bundle names certificates, lists and answers, each by its SHA-256. A message accepted as pending has a row in `verifications` until it
is erased: without it nobody would verify it again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, select

from replay.derived import hexadecimal
from replay.findings import Findings
from replay.store.loose import loose
from replay.store.tables import evidence, verifications
from schemas.errors import Refused
from signing.kept import named_in

CHUNK = 500
_WAITING = ("pending", "given-up")  # states of which no entry tells: nobody has given an answer
_EVIDENCE = select(*loose(evidence, "sha256", "body"))
_VERIFICATIONS = select(*loose(verifications, "message_id", "state", "verdict", "evidence"))


@dataclass(frozen=True, slots=True)
class _Standing:
    states: Sequence[str]
    verdict: bytes  # SHA-256 of its JSON, sorted
    evidence: str


@dataclass(slots=True)
class Evidence:
    """Folds ``accepted`` and ``verified-again`` entries and compares at the end."""

    findings: Findings
    named: set[str] = field(default_factory=set)  # bundles
    standing: dict[str, _Standing] = field(default_factory=dict)  # by message (hexadecimal), of those that were pending
    unknown: set[str] = field(default_factory=set)  # messages of which an entry cannot be read any more: erased, or a difference by itself

    def pending(self, values: Mapping[str, Any]) -> None:
        """An ``accepted`` entry whose verdict was to be reached again."""
        bundle = values["artefacts"].get("evidence", "")
        self.standing[hexadecimal(values["message_id"])] = _Standing(_WAITING, _digest(values["verdict"]), bundle)

    def again(self, values: Mapping[str, Any]) -> None:
        """A ``verified-again`` entry."""
        self.named.add(values["evidence"])
        self.standing[hexadecimal(values["message_id"])] = _Standing((values["state"],), _digest(values["verdict"]), values["evidence"])

    def check(self, conn: Connection) -> None:
        """After the last entry."""
        self._check_kept(conn)
        self._check_verifications(conn)

    def _check_kept(self, conn: Connection) -> None:
        """Every row is what its key says; every bundle that is named is there, and all that it names."""
        needed, kept = self.named - {""}, set[str]()
        for rows in conn.execute(_EVIDENCE, execution_options={"yield_per": CHUNK}).partitions(CHUNK):
            for row in rows:
                self.findings.counts["evidence"] += 1
                now = sha256(row.body).hexdigest()
                if now != row.sha256:
                    self.findings.differ("evidence-changed", f"evidence/{row.sha256}", got=now, expected=row.sha256)
                    continue
                kept.add(now)
                if now in self.named:
                    needed.update(self._named_in(now, row.body))
        for digest in sorted(map(str, needed - kept)):
            self.findings.differ("evidence-changed", f"evidence/{digest}", got="nothing", expected="evidence that an entry leads to")

    def _named_in(self, digest: str, bundle: bytes) -> Sequence[str]:
        try:
            return named_in(bundle)
        except Refused as fault:
            self.findings.differ("evidence-changed", f"evidence/{digest}", got=fault.got, expected=fault.expected)
            return ()

    def _check_verifications(self, conn: Connection) -> None:
        rows = {row.message_id: row for row in conn.execute(_VERIFICATIONS)}
        for one in sorted((rows.keys() | self.standing.keys()) - self.unknown, key=str):
            row, expected = rows.get(one), self.standing.get(one)
            path = f"verifications/{one}"
            if row is None or expected is None:
                got, wanted = ("no row", "one row") if row is None else ("a row", "none: its verdict was certain")
                self.findings.differ("evidence-changed", path, got=got, expected=wanted)
                continue
            self.findings.counts["verifications"] += 1
            if row.state not in expected.states:
                self.findings.differ("evidence-changed", f"{path}/state", got=row.state, expected=" or ".join(expected.states))
            if row.evidence != expected.evidence:
                self.findings.differ("evidence-changed", f"{path}/evidence", got=row.evidence, expected=expected.evidence)
            if _digest_of_text(row.verdict) != expected.verdict:
                self.findings.differ("evidence-changed", f"{path}/verdict", got=row.verdict, expected="the verdict of its last entry")


def _digest(verdict: object) -> bytes:
    return sha256(json.dumps(verdict, sort_keys=True).encode("ascii")).digest()


def _digest_of_text(text: object) -> bytes:
    try:
        return _digest(json.loads(str(text)))
    except (ValueError, RecursionError):
        return b""
