"""What fsck asks of an accepted message: its row, receipt, payload, deliveries and links, each against the acceptance in the journal."""

from __future__ import annotations

import json
import re
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import rfc8785
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from replay import derived
from replay.derived import Acceptance
from replay.findings import Findings
from replay.fsck_rows import Chunk
from replay.payloads import PayloadStore
from replay.store.loose import uuid_of
from replay.store.tables import AnyRow
from replay.terms import terms_of
from schemas.canonical import canonical_json
from schemas.errors import Halted, Refused
from signing.sign import RECEIPT_DOMAIN, verify_receipt

T = TypeVar("T")
_MALFORMED = (KeyError, TypeError, ValueError, AttributeError)
# In canonical JSON: what stands between quotes cannot look like a member, for its own quotes are escaped. 64 bytes of signature.
_KEY_AND_SIGNATURE = re.compile(rb'"key_id":"([A-Za-z0-9._-]+)".*(,"signature":"([A-Za-z0-9+/]{85}[AQgw]==)")', re.DOTALL)
_RECEIPT_FRAME = frozenset({"key_id", "signature"})


@dataclass(frozen=True, slots=True)
class AcceptedCheck:
    """Steps 3 to 6 of fsck for a few acceptances at a time. Without `payloads` step 5 is left out."""

    receipt_keys: Mapping[str, Ed25519PublicKey]
    payloads: PayloadStore | None
    origins: Sequence[str]  # names of the log
    findings: Findings

    def run(self, chunk: Chunk, accepted: Sequence[Acceptance]) -> None:
        """Checks each acceptance of the chunk; findings go to `findings`."""
        rows = {row.position: row for row in chunk.rows("messages")} if accepted else {}
        found_by = {row.position: row.terms for row in chunk.rows("search")}
        copies, relations = _by_message(chunk.rows("deliveries")), _by_message(chunk.rows("links"))
        held = {row.message_id: row for row in chunk.rows("payloads")}
        for each in accepted:
            row = rows.get(each.index)
            if row is None:
                self.findings.differ("message-changed", f"entries/{each.index}", got="no message row", expected="the accepted message")
                continue
            self._message(each, row)
            self._receipt(each, row)
            self._payload(row, held)
            self._deliveries(each, row.id, copies.get(row.id, ()))
            self._links(each, row.id, relations.get(row.id, ()))
            self._found_by(each, found_by.get(each.index))

    def _message(self, accepted: Acceptance, row: AnyRow) -> None:
        self.findings.counts["messages"] += 1
        expected = self._derived(accepted, lambda values: derived.message(accepted, values))
        for name, value in (expected or {}).items():
            found = _json(row.verdict) if name == "verdict" else getattr(row, name)
            if found != value:
                self.findings.differ("message-changed", f"messages/{row.id}/{name}", got=found, expected=value)

    def _receipt(self, accepted: Acceptance, row: AnyRow) -> None:
        self.findings.counts["receipts"] += 1
        path = f"messages/{row.id}/receipt"
        if accepted.values is None and row.receipt == b"":  # erased, if an entry says so
            self.findings.absent.append((row.id, "receipt-changed", path))
            return
        if self._is_the_receipt(accepted, row.receipt):
            return
        try:
            receipt = verify_receipt(row.receipt, self.receipt_keys)
        except Refused as fault:
            self.findings.differ("receipt-changed", path, got=f"{fault.code} {fault.got}", expected="a receipt signed by the hub")
            return
        origin = receipt.get("origin") if receipt.get("origin") in self.origins else " or ".join(self.origins)
        expected = self._derived(accepted, lambda values: derived.receipt(accepted, values, str(origin)))
        if expected is None:  # what can still be said without the values
            leaf = b64encode(accepted.leaf_hash).decode("ascii")
            expected = {"index": accepted.index, "leaf_hash": leaf, "raw_sha256": row.raw_digest.hex(), "accepted_at": accepted.at}
        else:
            for name in receipt.keys() - expected.keys() - _RECEIPT_FRAME:
                self.findings.differ("receipt-changed", f"{path}/{name}", got=receipt[name], expected="nothing of that name")
        for name, value in expected.items():
            found = receipt.get(name)
            if found != value or type(found) is not type(value):
                self.findings.differ("receipt-changed", f"{path}/{name}", got=found, expected=value)

    def _is_the_receipt(self, accepted: Acceptance, body: bytes) -> bool:
        """Whether it is surely the one that the acceptance leads to, byte for byte, signed by a key of the hub. Most are; what the others
        say and should say is asked after."""
        found = _KEY_AND_SIGNATURE.search(body)
        if accepted.values is None or found is None:
            return False
        key, unsigned = self.receipt_keys.get(found[1].decode("ascii")), body.replace(found[2], b"", 1)
        frame = {"key_id": found[1].decode("ascii")}
        try:
            made = (derived.receipt(accepted, accepted.values, origin) for origin in self.origins)
            if key is None or not any(canonical_json({**one, **frame}) == unsigned for one in made):
                return False
            key.verify(b64decode(found[3]), RECEIPT_DOMAIN + unsigned)
        except (*_MALFORMED, rfc8785.CanonicalizationError, RecursionError, InvalidSignature):
            return False
        return True

    def _payload(self, row: AnyRow, held: Mapping[str, AnyRow]) -> None:
        message_id = uuid_of(row.id)
        if self.payloads is None or message_id is None:
            return
        path = f"payloads/{row.id}"
        self.findings.counts["payloads"] += 1
        try:
            digest = self.payloads.digest_of(message_id, held.get(row.id))
        except Halted as fault:
            self.findings.differ("payload-damaged", path, got=fault.got, expected=fault.expected)
        except Refused:
            self.findings.absent.append((row.id, "payload-damaged", path))
        else:
            if digest != row.raw_digest:
                self.findings.differ("payload-damaged", path, got=digest.hex(), expected=row.raw_digest.hex())

    def _deliveries(self, accepted: Acceptance, message_id: str, copies: Sequence[AnyRow]) -> None:
        """6, but for what changes while a delivery is under way (`replay.standing`)."""
        self.findings.counts["deliveries"] += len(copies)
        expected = self._derived(accepted, lambda values: derived.deliveries(accepted, values))
        if expected is None or accepted.values is None:
            return
        path, found = f"messages/{message_id}/deliveries", {copy.id: copy for copy in copies}
        if found.keys() != expected.keys():
            self.findings.differ("delivery-changed", path, got=sorted(map(str, found)), expected=sorted(expected))
        for delivery_id in sorted(found.keys() & expected.keys()):
            for name, value in expected[delivery_id].items():
                if getattr(found[delivery_id], name) != value:
                    got = getattr(found[delivery_id], name)
                    self.findings.differ("delivery-changed", f"deliveries/{delivery_id}/{name}", got=got, expected=value)

    def _links(self, accepted: Acceptance, message_id: str, rows: Sequence[AnyRow]) -> None:
        self.findings.counts["links"] += len(rows)
        expected = self._derived(accepted, derived.links)
        found = {(row.relation, row.document_key): {"document_id": row.document_id, "target": row.target} for row in rows}
        if expected is not None and found != expected:
            got, wanted = (json.dumps(sorted(map(str, each.items())), ensure_ascii=False) for each in (found, expected))
            self.findings.differ("message-changed", f"messages/{message_id}/links", got=got, expected=wanted)

    def _found_by(self, accepted: Acceptance, found: str | None) -> None:
        """What it can be found by; an erased one by nothing."""
        self.findings.counts["search"] += found is not None
        expected = self._derived(accepted, terms_of)
        if found != expected:
            self.findings.differ("message-changed", f"search/{accepted.index}", got=found or "nothing", expected=expected or "nothing")

    def _derived(self, accepted: Acceptance, derive: Callable[[Mapping[str, Any]], T]) -> T | None:
        """What `derive` makes of the acceptance's values; None where they are erased or, which is a difference, of another form."""
        if accepted.values is None:
            return None
        try:
            return derive(accepted.values)
        except _MALFORMED as fault:
            got = f"an acceptance of another form: {type(fault).__name__} {fault}"
            self.findings.differ("message-changed", f"entries/{accepted.index}", got=got, expected="what this version of the hub writes")
            return None


def _by_message(rows: Iterable[Any]) -> Mapping[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for row in rows:
        found.setdefault(row.message_id, []).append(row)
    return found


def _json(text: object) -> Any:
    try:
        return json.loads(str(text))
    except ValueError:
        return text
