"""The container around evidence: which files it has, and the points that both kinds of evidence share.

1. the container opens within bounds and is an ASiC-E; its index is of a known format
2. the hub's certificate signed the manifest, and the manifest lists every file (`signing.asic`)
3. the checkpoint is a note of the log whose key the reader holds
4. the witnesses whom the reader knows cosigned it
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from replay.checkpoint import Checkpoint
from replay.evidence.report import Report, State
from replay.hashing import HASH_BYTES
from replay.proof import InclusionProof
from replay.tlog_proof import from_text
from schemas.errors import Refused
from schemas.limits import DEFAULT_LIMITS, MIB
from signing.archive import open_archive
from signing.asic_writer import MANIFEST, SIGNATURE, manifest_of
from signing.container import Kind
from signing.context import Context
from signing.cosignature import CosignatureVerifier, cosigned_at
from signing.note import NoteVerifier
from signing.policy import SignatureMode, SignaturePolicy
from signing.reasons import REASONS, Step
from signing.verify import verify_file

PROOF = ".tlog-proof"
MESSAGE, PERIOD = "lgsp-hub/evidence/1", "lgsp-hub/completeness/1"
INDEX, README, CHECKPOINT = "evidence.json", "README.md", "journal/checkpoint"
MAX_CONTAINER_BYTES = 512 * MIB
LIMITS = replace(DEFAULT_LIMITS, max_attachment_bytes=640 * MIB)
WHOSE = frozenset({Step.PATH, Step.REVOCATION})  # what is asked of a signer, not of the signature


def hashes_in(data: bytes) -> list[bytes]:
    """Hashes side by side. Raises `Refused("proof-malformed")`."""
    if len(data) % HASH_BYTES or len(data) > 128 * HASH_BYTES:
        raise Refused("proof-malformed", got=f"{len(data)} bytes of hashes", expected=f"up to 128 of {HASH_BYTES} bytes")
    return [data[at : at + HASH_BYTES] for at in range(0, len(data), HASH_BYTES)]


@dataclass(frozen=True, slots=True)
class Known:
    """What the reader knows from elsewhere. Nothing of it comes out of the container."""

    log_keys: Sequence[NoteVerifier]
    now: Context  # the moment, and `--trust`
    has_trust: bool = False
    witnesses: Sequence[CosignatureVerifier] = ()
    quorum: int = 0  # 0: all
    receipt_keys: Mapping[str, Ed25519PublicKey] = field(default_factory=dict)
    accepts_unsigned: bool = False


@dataclass(slots=True)
class Box:
    """A container while it is checked."""

    known: Known
    report: Report = field(default_factory=Report)
    files: Mapping[str, bytes] = field(default_factory=dict)
    index: dict[str, Any] = field(default_factory=dict)
    head: Checkpoint = field(default_factory=lambda: Checkpoint("", 0, b""))
    witnessed: Mapping[str, int] = field(default_factory=dict)

    def open(self, data: bytes) -> bool:
        """Steps 1 to 4; whether what is inside can be checked."""
        step = self.report.step
        if not step("container", lambda: self._container(data)):
            return False
        step("signature", lambda: self._signature(data))
        if not step("checkpoint", self._checkpoint):
            return False
        step("witnesses", self._witnesses)
        return True

    def proofs(self) -> Iterator[InclusionProof]:
        """The proofs of single entries, read. Raises `Refused("proof-invalid")` for one under another name or checkpoint."""
        for name, body in self.files.items():
            if name.startswith("journal/") and name.endswith(PROOF):
                proof = from_text(body)
                if name != f"journal/{proof.index}{PROOF}" or proof.checkpoint != self.files[CHECKPOINT]:
                    raise Refused("proof-invalid", got=name, expected="a proof of that index against the container's checkpoint")
                yield proof

    def _container(self, data: bytes) -> tuple[State, str]:
        if len(data) > MAX_CONTAINER_BYTES:
            raise Refused("resource-limit", got=f"{len(data)} bytes", expected=f"at most {MAX_CONTAINER_BYTES}")
        archive = open_archive(data, LIMITS)
        if next(iter(archive.files), "") != "mimetype" or "mimetype" not in archive.stored:
            raise Refused("malformed-container", got="a mimetype that is not first and stored", expected="an ASiC-E container")
        self.files = archive.files
        strangers = {name for name in self.files if name.startswith("META-INF/")} - {MANIFEST, SIGNATURE}
        if strangers:
            raise Refused("malformed-container", got=", ".join(sorted(strangers)), expected=f"{MANIFEST} and {SIGNATURE} alone in META-INF")
        index = json.loads(self.files[INDEX])
        if not isinstance(index, dict) or index.get("format") not in (MESSAGE, PERIOD):
            raise Refused("evidence-invalid", got="an index of another form", expected=f"{MESSAGE} or {PERIOD}")
        self.index = index
        return State.OK, f"{len(self.files)} files, {index['format']}"

    def _signature(self, data: bytes) -> tuple[State, str]:
        if SIGNATURE not in self.files:
            if not self.known.accepts_unsigned:
                raise Refused("no-signature", got="a container that nobody signed", expected=SIGNATURE)
            return State.OPEN, "nobody signed the container"
        meant = {name: body for name, body in self.files.items() if name != "mimetype" and not name.startswith("META-INF/")}
        if self.files.get(MANIFEST) != manifest_of(meant):
            raise Refused("malformed-container", got="a manifest of other files", expected="one that lists exactly the files that are here")
        judged = verify_file(data, SignaturePolicy(SignatureMode.REQUIRE), self.known.now, kind=Kind.ASIC, limits=LIMITS)
        verdict = judged.verdict
        told = ", ".join(one.signer or one.kind for one in verdict.signatures)
        certain = [code for code in verdict.reasons if self.known.has_trust or REASONS.get(code) not in WHOSE]
        if certain and not (self.known.has_trust and verdict.is_pending):
            raise Refused("evidence-invalid", got=f"{told}: {', '.join(certain)}", expected="a signature of the hub's that holds")
        if not self.known.has_trust:
            return State.OPEN, f"by {told}; without --trust nobody says whose certificate that is"
        return (State.OPEN if verdict.reasons else State.OK), f"by {told}" + (f": {', '.join(verdict.reasons)}" if verdict.reasons else "")

    def _checkpoint(self) -> tuple[State, str]:
        self.head = Checkpoint.opened(self.files[CHECKPOINT], self.known.log_keys)
        return State.OK, f"{self.head.origin}, {self.head.size} entries, root {self.head.root.hex()}"

    def _witnesses(self) -> tuple[State, str]:
        known = self.known
        if not known.witnesses:
            return State.OPEN, "no witness's key was given"
        self.witnessed = cosigned_at(self.files[CHECKPOINT], known.witnesses)
        quorum = known.quorum or len(known.witnesses)
        if len(self.witnessed) < quorum:
            raise Refused(
                "quorum-missing", got=", ".join(self.witnessed) or "no cosignature", expected=f"{quorum} of {len(known.witnesses)}"
            )
        return State.OK, ", ".join(f"{name} at {at_s}" for name, at_s in self.witnessed.items())
