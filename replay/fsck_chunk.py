"""fsck, steps 1 to 6 as far as a chunk of rows can be judged by itself: entries, openings, and all of the messages that they accept.

What only the whole journal tells – the tree, where deliveries stand, who has which role – is handed back, for whoever goes through the
chunks in order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from replay import derived
from replay.accepted import AcceptedCheck
from replay.derived import Acceptance, Binding
from replay.findings import Findings
from replay.fsck_entry import LeafReader, values_of
from replay.fsck_rows import Chunk
from replay.hashing import leaf_hash
from replay.in_force import named_by
from replay.payloads import PayloadStore
from schemas.errors import Refused

MALFORMED = (KeyError, TypeError, ValueError, AttributeError)  # what values of another form raise
_OF_DELIVERY = ("delivery_id",)  # of what a ``delivery`` entry says, this is needed to find its last entry again


@dataclass(frozen=True, slots=True)
class Fact:
    """An entry of which more than its chunk has to know."""

    index: int
    event: str
    at: str  # RFC 3339
    message_id: str  # hexadecimal; "None" where it is about none
    values: Mapping[str, Any] | None  # None once erased, or where the opening is not to be believed


@dataclass(slots=True)
class Examined:
    """What a chunk has told. Made to be sent."""

    last: int  # index of the last entry
    findings: Findings = field(default_factory=Findings)
    digests: list[bytes] = field(default_factory=list)  # of every leaf, in order
    bindings: list[Binding] = field(default_factory=list)
    facts: list[Fact] = field(default_factory=list)
    artefacts: set[str] = field(default_factory=set)  # that entries say messages were worked with
    evidence: set[str] = field(default_factory=set)  # bundles that acceptances name


@dataclass(frozen=True, slots=True)
class Examiner:
    """Examines chunks, one after the other. Without `payloads` step 5 is left out."""

    receipt_keys: Mapping[str, Ed25519PublicKey]
    payloads: PayloadStore | None
    origins: Sequence[str]  # names of the log
    facts: frozenset[str]  # events that are handed back
    reader: LeafReader = field(default_factory=LeafReader)

    def examine(self, chunk: Chunk) -> Examined:
        """All that the chunk tells by itself."""
        made = Examined(chunk.expected - 1)
        accepted: list[Acceptance] = []
        for row in chunk.rows("entries"):
            known = self._entry(row, made)
            values = None if known is None else _opening(row, known, made.findings)
            event, at = (row.event, row.at) if known is None else (known.event, known.at)
            if event == "accepted":
                accepted.append(Acceptance(row.position, made.digests[-1], at, values))
            self._note(made, Fact(row.position, event, at, str(row.message_id), values))
        AcceptedCheck(self.receipt_keys, self.payloads, self.origins, made.findings).run(chunk, accepted)
        return made

    def _entry(self, row: Any, made: Examined) -> Any:
        """1: the entry, if its leaf has the form of one."""
        path, findings = f"entries/{row.position}", made.findings
        findings.counts["entries"] += 1
        if row.position != made.last + 1:
            findings.differ("journal-gap", path, got=f"index {row.position}", expected=f"index {made.last + 1}")
        made.last = row.position
        digest = leaf_hash(row.leaf)
        if digest != row.leaf_hash:
            findings.differ("leaf-changed", path, got=digest.hex(), expected=row.leaf_hash.hex())
        made.digests.append(digest)
        try:
            return self.reader.read(row.leaf)
        except Refused as fault:
            findings.differ("leaf-changed", path, got=fault.got, expected=fault.expected)
            return None

    def _note(self, made: Examined, fact: Fact) -> None:
        """What has to be known of it beyond its chunk."""
        values = fact.values
        try:
            if values is None:
                made.facts.append(fact)
            elif fact.event == "accepted":
                made.bindings.append(derived.first_binding(values))
                made.artefacts |= named_by(values)
                made.evidence.add(values["artefacts"].get("evidence", ""))
                if is_pending(values):
                    made.facts.append(fact)
            elif fact.event == "delivery":
                made.facts.append(Fact(fact.index, fact.event, fact.at, fact.message_id, {name: values[name] for name in _OF_DELIVERY}))
            elif fact.event == "translated":
                made.artefacts.update(values["artefacts"])
            elif fact.event == "duplicate-key":
                made.bindings.append(derived.later_binding(values))
            elif fact.event in self.facts:
                made.facts.append(fact)
        except MALFORMED as fault:
            made.findings.differ("opening-changed", f"openings/{fact.index}", *of_another_form(fault, fact.event))


def of_another_form(fault: Exception, event: str) -> tuple[str, str]:
    """What was got and expected where the values of an event are not those that this version writes."""
    return f"{type(fault).__name__} {fault}", f"the values of {event}"


def is_pending(values: Mapping[str, Any]) -> bool:
    """Whether the verdict of an acceptance was to be reached again."""
    verdict = values["verdict"]
    return (verdict["verdict"], verdict["legal_value"]) == ("indeterminate", "pending")


def _opening(row: Any, known: Any, findings: Findings) -> Mapping[str, Any] | None:
    """2: the entry's values, if they can be believed."""
    path = f"openings/{row.position}"
    if row.opened is None:
        findings.differ("opening-changed", path, got="none", expected="one opening per entry")
        return None
    findings.counts["openings"] += 1
    if (row.event, row.at) != (known.event, known.at):
        findings.differ("opening-changed", path, got=f"{row.event} {row.at}", expected=f"{known.event} {known.at}")
    if row.body is None:
        findings.absent.append((str(row.message_id), "opening-changed", path))
        return None
    try:
        values = values_of(known, row.leaf, row.body)
    except Refused as fault:
        findings.differ("opening-changed", path, got=fault.got, expected=fault.expected)
        return None
    about = values.get("message_id", values.get("first"))  # the message that it is about, or is in conflict with
    if str(about).replace("-", "") != str(row.message_id):
        findings.differ("opening-changed", path, got=row.message_id, expected=about)
    return values
