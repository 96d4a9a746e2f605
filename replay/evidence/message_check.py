"""Checking the evidence of one message. After the container's own points (`box`):

5. entries    every entry's proof leads to the checkpoint
6. openings   every value is what the leaf commits to
7. chain      all are about this message, and none that another follows is missing
8. stamp      a time-stamping authority attests that the acceptance existed at a time (`stamp`)
9. message    the bytes are those that were received
10. files     the attachments are those in the packet
11. receipt   the sender was told the same
12. verdict   what was recorded is what was committed to, and is reached again from the evidence with it
13. today     what the reader's own trust says now, where there is any
"""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import sha256
from typing import Any

from replay.evidence.box import PROOF, Box
from replay.evidence.report import State
from replay.evidence.stamp import check_stamp
from replay.hashing import leaf_hash
from replay.proof import Proven, check_proof
from replay.tlog_proof import from_text
from schemas.edxml import reader
from schemas.errors import Refused
from schemas.message import Envelope, Inbound
from signing import kept
from signing.context import Context, Demand
from signing.policy import SignatureMode, SignaturePolicy
from signing.sign import verify_receipt
from signing.trust import TrustStore
from signing.verify import Judgement, judge_envelope

RAW, RECEIPT, VERDICT = "message/raw", "message/receipt.json", "verdict/verdict.json"
EVIDENCE, ATTACHMENTS = "verdict/evidence/", "message/attachments/"
COMPOSED = "composed-by-hub"  # policy of verdicts on what the hub itself wrote


@dataclass(slots=True)
class MessageCheck:
    """The steps, over one container."""

    box: Box
    proven: dict[int, Proven] = field(default_factory=dict)
    leaves: dict[int, bytes] = field(default_factory=dict)
    _envelope: Envelope | None = None

    def run(self) -> None:
        """All of them, as far as each has what it needs."""
        step = self.box.report.step
        if not (step("entries", self.entries) and step("openings", self.openings) and step("chain", self.chain)):
            return
        step("stamp", lambda: check_stamp(self.box, self.accepted[0] + 1))
        if step("message", self.message):
            step("files", self.attachments)
            step("receipt", self.receipt)
            step("verdict", self.verdict)
            if self.box.known.has_trust:
                step("today", self.today)

    def entries(self) -> tuple[State, str]:
        """5."""
        for proof in self.box.proofs():
            self.proven[proof.index] = check_proof(replace(proof, opening=None), self.box.known.log_keys)
            self.leaves[proof.index] = proof.leaf
        if not self.proven:
            raise Refused("proof-invalid", got="no entry", expected="the entries of the message")
        return State.OK, ", ".join(f"{index} {one.entry.event}" for index, one in sorted(self.proven.items()))

    def openings(self) -> tuple[State, str]:
        """6."""
        for index, one in self.proven.items():
            opening = from_text(self.box.files[f"journal/{index}{PROOF}"]).opening
            if opening is None:
                raise Refused("opening-mismatch", got=f"entry {index} is closed", expected="every entry of the message opened")
            self.proven[index] = replace(one, values=one.entry.opened(opening))
        return State.OK, f"{len(self.proven)} entries"

    @property
    def accepted(self) -> tuple[int, Mapping[str, Any]]:
        """The acceptance: index and values. Raises `Refused("evidence-invalid")` where there is not one."""
        found = [(index, one.values) for index, one in self.proven.items() if one.entry.event == "accepted" and one.values is not None]
        if len(found) != 1:
            raise Refused("evidence-invalid", got=f"{len(found)} acceptances", expected="one")
        return found[0]

    def chain(self) -> tuple[State, str]:
        """7."""
        ours = self.accepted[1]["message_id"]
        if self.box.index["message_id"] != ours:
            raise Refused("evidence-invalid", got=f"message {self.box.index['message_id']}", expected=str(ours))
        for index, one in self.proven.items():
            values = one.values or {}
            if ours not in (values.get("message_id"), values.get("first")):
                raise Refused("evidence-invalid", got=f"entry {index} about another message", expected=f"entries about {ours}")
            before = values.get("previous")
            if before is not None and before not in self.proven:
                raise Refused("evidence-invalid", got=f"no entry {before}", expected=f"it, for entry {index} follows it")
        return State.OK, f"message {ours}"

    def message(self) -> tuple[State, str]:
        """9."""
        values, raw = self.accepted[1], self.box.files[RAW]
        found = sha256(raw).hexdigest()
        if (found, len(raw)) != (values["raw_digest"], values["size"]):
            raise Refused("evidence-invalid", got=f"{len(raw)} bytes, {found}", expected=f"{values['size']} bytes, {values['raw_digest']}")
        return State.OK, f"{len(raw)} bytes, SHA-256 {found}"

    @property
    def envelope(self) -> Envelope:
        """The packet, read again as it was received."""
        if self._envelope is None:
            told = self.accepted[1]["received"]
            at = datetime.fromisoformat(told["at"])
            inbound = Inbound(self.box.files[RAW], told["content_type"], told["charset"], told["by"], at, told["idempotency_key"])
            self._envelope = reader.read(inbound)
        return self._envelope

    def attachments(self) -> tuple[State, str]:
        """10."""
        from replay.evidence.message import attachments_of

        meant = attachments_of(self.envelope.packet)
        found = {name: body for name, body in self.box.files.items() if name.startswith(ATTACHMENTS)}
        if found != {one.file: one.body for one in meant}:
            raise Refused("evidence-invalid", got=", ".join(found) or "no attachment", expected="the files that the packet carries")
        return State.OK, ", ".join(one.name for one in meant) or "none"

    def receipt(self) -> tuple[State, str]:
        """11."""
        index, values = self.accepted
        body = self.box.files[RECEIPT]
        told = json.loads(body)
        facts = (told["index"], b64decode(told["leaf_hash"]), told["raw_sha256"], told["message_id"], told["origin"])
        if facts != (index, leaf_hash(self.leaves[index]), values["raw_digest"], values["message_id"], self.box.head.origin):
            raise Refused("receipt-invalid", got="a receipt for another entry", expected=f"one for entry {index}")
        if not self.box.known.receipt_keys:
            return State.OPEN, "it says the same; without --receipt-key nobody says whose it is"
        verify_receipt(body, self.box.known.receipt_keys)
        return State.OK, f"signed by key {told['key_id']}"

    def verdict(self) -> tuple[State, str]:
        """12."""
        values, recorded = self.accepted[1], json.loads(self.box.files[VERDICT])
        if recorded != values["verdict"]:
            raise Refused("evidence-invalid", got="another verdict", expected="the one that the journal commits to")
        for name, body in self.box.files.items():
            if name.startswith(EVIDENCE) and kept.sha256(body) != name.removeprefix(EVIDENCE):
                raise Refused("evidence-invalid", got=name, expected="its own SHA-256 as its name")
        if recorded["policy"] == COMPOSED:
            return State.OPEN, "the hub wrote this packet itself, on behalf of its sender: evidence of transport, nobody's signature"
        again = self._judge("then").verdict.as_json()
        if again != recorded:
            differing = sorted(name for name in again.keys() | recorded.keys() if again.get(name) != recorded.get(name))
            raise Refused("evidence-invalid", got=f"reached again, it differs in {', '.join(differing)}", expected="the recorded verdict")
        return State.OK, f"{recorded['verdict']}, reached again: {', '.join(recorded['reasons']) or recorded['legal_value']}"

    def today(self) -> tuple[State, str]:
        """13. Says what it is now; only a verdict that was valid and is not any more speaks against the evidence."""
        recorded = self.accepted[1]["verdict"]
        if recorded["policy"] == COMPOSED:
            return State.OPEN, "composed by the hub"
        found = self._judge("now").verdict
        told = f"{found.status} by the trust given, {', '.join(found.reasons) or found.legal_value}"
        if recorded["verdict"] == "valid" and found.status == "invalid":
            raise Refused("evidence-invalid", got=told, expected="valid, as recorded")
        return (State.OK if found.status == recorded["verdict"] else State.OPEN), told

    def _judge(self, as_of: str) -> Judgement:
        """The judgement of then, or by the reader's trust. Where nobody signed nothing is kept, for the answer rests on no trust."""
        values = self.accepted[1]
        address = values["artefacts"].get("evidence", "")
        if not address:
            policy = SignaturePolicy(SignatureMode(values["verdict"]["policy"]))
            return judge_envelope(self.envelope, policy, Context(TrustStore(), self.envelope.inbound.received_at, demand=Demand.ALL))
        files, now = self.box.files, self.box.known.now

        def blob(digest: str) -> bytes:
            return files[EVIDENCE + digest]

        if as_of == "then":
            return kept.reverify(blob(address), blob, self.envelope, "then")
        return kept.reverify(blob(address), blob, self.envelope, "now", now)
