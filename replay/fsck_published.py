"""fsck, checkpoints that were published and what witnesses say of them: signed, of this log, and of the tree that the entries make.

A row that is gone from the middle is told by the numbers of the others. What nobody signed cannot be told: that the last rows are gone, or
a witness's line, or a time stamp; nor can it deceive anybody. A verifier asks for its quorum of lines on the checkpoint that it is given,
and where they are not, refuses it; witnesses are asked again at the newest size alone (docs/operations.md). Lines of witnesses
whose keys are not at hand are looked at for their form alone, authorities of time stamps for the form of their certificate.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, select

from replay.checkpoint import Checkpoint
from replay.findings import Findings
from replay.store.loose import loose
from replay.store.tables import AnyRow, checkpoints, cosignatures
from schemas.errors import Refused
from signing.checked_token import checked_token
from signing.cosignature import COSIGNATURE, CosignatureVerifier
from signing.note import NoteVerifier, note_text, signature_lines

_CHECKPOINTS = select(*loose(checkpoints, "size", "number", "note", "at", "stamp")).order_by(checkpoints.c.size)
_COSIGNATURES = select(*loose(cosignatures), *loose(checkpoints, "note")).outerjoin(checkpoints, checkpoints.c.size == cosignatures.c.size)


@dataclass(slots=True)
class PublishedCheck:
    """`sizes` says at which sizes the tree's root is wanted; `at` is told it on the way; `finish` compares."""

    findings: Findings
    log_keys: Sequence[NoteVerifier]
    witnesses: Sequence[CosignatureVerifier]
    wanted: dict[int, bytes | None] = field(default_factory=dict)  # size → root, once the entries have come so far

    def begin(self, conn: Connection) -> None:
        """Before the first entry."""
        self.wanted = {row.size: None for row in conn.execute(_CHECKPOINTS) if isinstance(row.size, int)}

    def finish(self, conn: Connection) -> None:
        """After the last entry."""
        rows = conn.execute(_CHECKPOINTS).all()
        for row in rows:
            self.findings.counts["checkpoints"] += 1
            self._compare(row)
            self._stamp(row)
        numbers = {row.number for row in rows}  # two nodes may give the same number once
        if numbers and (not all(type(one) is int for one in numbers) or (min(numbers), max(numbers)) != (1, len(numbers))):
            self._differ("checkpoints/number", f"{len(numbers)} different numbers", "all from 1 to the last")
        for row in conn.execute(_COSIGNATURES).all():
            self.findings.counts["cosignatures"] += 1
            wrong = self._line(row)
            if wrong:
                self._differ(f"cosignatures/{row.size}/{row.witness}", wrong, "the witness's line for this checkpoint")

    def _compare(self, row: AnyRow) -> None:
        path = f"checkpoints/{row.size}"
        try:
            told = Checkpoint.opened(row.note, self.log_keys)
        except Refused as fault:
            self._differ(f"{path}/note", fault.got, fault.expected)
            return
        root = self.wanted.get(row.size)
        if told.size != row.size or root is None or told.root != root:
            tree = "no tree of that size" if root is None else f"root {b64encode(root).decode('ascii')}"
            self._differ(path, f"a checkpoint of size {told.size}, root {b64encode(told.root).decode('ascii')}", f"size {row.size}, {tree}")

    def _stamp(self, row: AnyRow) -> None:
        """A time stamp is over the note, by a key that stamps; what was believable when the checkpoint was signed stays so."""
        if row.stamp is None:
            return
        self.findings.counts["time_stamps"] += 1
        try:
            same = checked_token(row.stamp, row.note, datetime.fromisoformat(row.at)) == row.stamp
        except (Refused, ValueError, TypeError) as fault:
            self._differ(f"checkpoints/{row.size}/stamp", getattr(fault, "got", fault), "a time stamp of this checkpoint")
            return
        if not same:
            self._differ(f"checkpoints/{row.size}/stamp", "a response", "the token alone")

    def _line(self, row: AnyRow) -> str:
        """What is wrong with a witness's line; "" if nothing is."""
        if row.note is None or not isinstance(row.line, str) or not row.line.endswith("\n"):
            return "no checkpoint, or no line"
        try:
            [(name, raw)] = signature_lines([row.line[:-1]])
            text = note_text(row.note)
            known = [one for one in self.witnesses if one.is_mine(name, raw)]
            at_s = known[0].time_of(raw, text) if known else int.from_bytes(raw[4:12], "big")
        except Refused as fault:
            return fault.got
        if (name, at_s) != (row.witness, row.at_s) or len(raw) != len(COSIGNATURE) + 3 + 8 + 64:
            return f"{name} at {at_s}, {len(raw)} bytes"
        return ""

    def _differ(self, path: str, got: object, expected: object) -> None:
        self.findings.differ("published-changed", path, got=got, expected=expected)
