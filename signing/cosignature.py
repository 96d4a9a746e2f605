"""Cosignatures of witnesses, C2SP tlog-cosignature (Ed25519, version 1): that at a time the checkpoint was the newest, consistent one seen.

A signature line of a note whose key hash is the first four bytes of SHA-256(name ‖ 0x0A ‖ 0x04 ‖ public key), and whose signature is eight
bytes of POSIX time, big endian, and 64 of Ed25519 over ``cosignature/v1``, a line ``time <seconds>`` and the note's text.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from schemas.errors import Refused
from signing.note import key_hash, split_note

COSIGNATURE = b"\x04"
_SIGNATURE_BYTES = 4 + 8 + 64
_MAX_TIME = 2**63 - 1
_NAME = re.compile(r"[^\s+]+")


@dataclass(frozen=True, slots=True)
class Cosigner:
    """A witness's key with the name under which it cosigns."""

    name: str
    key: Ed25519PrivateKey = field(repr=False)

    @property
    def verifier(self) -> CosignatureVerifier:
        """The public half."""
        return CosignatureVerifier(self.name, self.key.public_key())

    def line(self, text: str, at_s: int) -> str:
        """The signature line, with its newline, for a note with this text. `at_s`: POSIX seconds."""
        signature = self.key.sign(_message(text, at_s))
        raw = self.verifier.hash + at_s.to_bytes(8, "big") + signature
        return f"— {self.name} {base64.b64encode(raw).decode()}\n"


@dataclass(frozen=True, slots=True)
class CosignatureVerifier:
    """The public half of a witness's key."""

    name: str
    key: Ed25519PublicKey

    @classmethod
    def of(cls, text: str) -> CosignatureVerifier:
        """From ``name+hash+base64(0x04 ‖ public key)``. Raises `Refused("note-invalid")`."""
        try:
            name, hashed, encoded = text.split("+", 2)
            raw = base64.b64decode(encoded, validate=True)
            made = cls(name, Ed25519PublicKey.from_public_bytes(raw[1:]))
            if not _NAME.fullmatch(name) or raw[:1] != COSIGNATURE or made.hash.hex() != hashed:
                raise Refused("note-invalid", got=text[:200], expected="name+hash+key of a witness (type 0x04)")
            return made
        except ValueError as fault:
            raise Refused("note-invalid", got=text[:200], expected="name+hash+key of a witness (type 0x04)") from fault

    @property
    def text(self) -> str:
        """``name+hash+base64(0x04 ‖ public key)``."""
        return f"{self.name}+{self.hash.hex()}+{base64.b64encode(COSIGNATURE + self.key.public_bytes_raw()).decode()}"

    @property
    def hash(self) -> bytes:
        """Four bytes that lead to this key."""
        return key_hash(self.name, self.key.public_bytes_raw(), COSIGNATURE)

    def is_mine(self, name: str, raw: bytes) -> bool:
        """Whether a signature line claims to be by this key."""
        return name == self.name and raw[:4] == self.hash

    def time_of(self, raw: bytes, text: str) -> int:
        """When it cosigned `text`, POSIX seconds. Raises `Refused("note-invalid")` where it did not."""
        at_s = int.from_bytes(raw[4:12], "big")
        if len(raw) != _SIGNATURE_BYTES or at_s > _MAX_TIME:
            raise Refused("note-invalid", got=f"a cosignature of {len(raw)} bytes", expected=f"{_SIGNATURE_BYTES}, and a time below 2^63")
        try:
            self.key.verify(raw[12:], _message(text, at_s))
        except InvalidSignature as fault:
            raise Refused("note-invalid", got=f"a wrong cosignature of {self.name}", expected="the note unchanged") from fault
        return at_s


def cosigned_at(note: str | bytes, witnesses: Sequence[CosignatureVerifier]) -> Mapping[str, int]:
    """Which of `witnesses` cosigned `note`, and when (POSIX seconds). Lines by unknown keys are passed over.

    Raises `Refused("note-invalid")` for a malformed note, and for a line of a known witness that does not verify.
    """
    text, signatures = split_note(note)
    return {one.name: one.time_of(raw, text) for one in witnesses for name, raw in signatures if one.is_mine(name, raw)}


def _message(text: str, at_s: int) -> bytes:
    return f"cosignature/v1\ntime {at_s}\n{text}".encode()
