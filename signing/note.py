"""Signed notes as C2SP signed-note defines them: the form of checkpoints, so that standard tools read and witness them.

A note is text that ends in a newline, an empty line, and signature lines ``— <name> <base64(key hash ‖ signature)>``. The key hash is the
first four bytes of SHA-256(name ‖ 0x0A ‖ 0x01 ‖ public key); 0x01 stands for Ed25519, the one algorithm here.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from schemas.errors import Refused

ED25519 = b"\x01"
MAX_NOTE_BYTES = 1_000_000
MAX_SIGNATURES = 100
_NAME = re.compile(r"[^\s+]+")
_LINE = re.compile(r"— ([^\s+]+) ([A-Za-z0-9+/]+={0,2})")
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")


@dataclass(frozen=True, slots=True)
class NoteSigner:
    """A key with the name under which it signs notes (a URL without scheme, by convention)."""

    name: str
    key: Ed25519PrivateKey

    @property
    def verifier_key(self) -> str:
        """``name+hash+base64(0x01 ‖ public key)``: what a reader needs."""
        return NoteVerifier(self.name, self.key.public_key()).text


@dataclass(frozen=True, slots=True)
class NoteVerifier:
    """The public half."""

    name: str
    key: Ed25519PublicKey

    @classmethod
    def of(cls, text: str) -> NoteVerifier:
        """From ``name+hash+base64``. Raises `Refused("note-invalid")`."""
        try:
            name, hashed, encoded = text.split("+", 2)
            raw = base64.b64decode(encoded, validate=True)
            if not _NAME.fullmatch(name) or raw[:1] != ED25519 or key_hash(name, raw[1:]).hex() != hashed:
                raise Refused("note-invalid", got=text, expected="name+hash+key of an Ed25519 key")
            return cls(name, Ed25519PublicKey.from_public_bytes(raw[1:]))
        except ValueError as fault:
            raise Refused("note-invalid", got=text, expected="name+hash+key of an Ed25519 key") from fault

    @property
    def text(self) -> str:
        """``name+hash+base64(0x01 ‖ public key)``."""
        raw = self.key.public_bytes_raw()
        return f"{self.name}+{key_hash(self.name, raw).hex()}+{base64.b64encode(ED25519 + raw).decode()}"

    @property
    def hash(self) -> bytes:
        """Four bytes that lead to this key, and prove nothing."""
        return key_hash(self.name, self.key.public_bytes_raw())


def key_hash(name: str, public_key: bytes, kind: bytes = ED25519) -> bytes:
    """The first four bytes of SHA-256(name ‖ 0x0A ‖ kind ‖ public key); `kind` is the signature type, one byte."""
    return hashlib.sha256(name.encode() + b"\n" + kind + public_key).digest()[:4]


def sign_note(text: str, signers: Sequence[NoteSigner]) -> str:
    """`text` with one signature line per signer. A text that no note can carry is a programmer's mistake."""
    if not text.endswith("\n") or _CONTROL.search(text) or not signers or not all(_NAME.fullmatch(s.name) for s in signers):
        raise RuntimeError("a note needs text that ends in a newline, without control characters, and a signer with a plain name")
    lines = []
    for signer in signers:
        hashed = key_hash(signer.name, signer.key.public_key().public_bytes_raw())
        lines.append(f"— {signer.name} {base64.b64encode(hashed + signer.key.sign(text.encode())).decode()}\n")
    return text + "\n" + "".join(lines)


def open_note(note: str | bytes, verifiers: Sequence[NoteVerifier]) -> tuple[str, tuple[str, ...]]:
    """The text of `note`, and the names of the verifiers whose signature it carries, in their order on the note.

    Signatures by unknown keys are passed over. Raises `Refused("note-invalid")` for a malformed note, for a signature by a known key
    that does not verify, and where no known key signed.
    """
    text, signatures = split_note(note)
    known = {(v.name, v.hash): v for v in verifiers}
    names: dict[str, None] = {}
    for name, raw in signatures:
        verifier = known.get((name, raw[:4]))
        if verifier is None:
            continue
        try:
            verifier.key.verify(raw[4:], text.encode())
        except InvalidSignature as fault:
            raise Refused("note-invalid", got=f"a wrong signature of {verifier.name}", expected="the note unchanged") from fault
        names[verifier.name] = None
    if not names:
        raise Refused("note-invalid", got="no signature of a known key", expected=", ".join(v.name for v in verifiers) or "a key")
    return text, tuple(names)


def split_note(note: str | bytes) -> tuple[str, tuple[tuple[str, bytes], ...]]:
    """The text of `note`, and its signatures as (name, key hash ‖ signature), none of them checked. Raises `Refused("note-invalid")`."""
    text, lines = _split(note)
    return text, signature_lines(lines)


def note_text(note: str | bytes) -> str:
    """The text of `note`, whoever signed it. Raises `Refused("note-invalid")`."""
    return _split(note)[0]


def signature_lines(lines: Sequence[str]) -> tuple[tuple[str, bytes], ...]:
    """Lines ``— name base64`` as (name, key hash ‖ signature). Raises `Refused("note-invalid")`."""
    found = []
    for line in lines:
        matched = _LINE.fullmatch(line)
        raw = _decoded(matched.group(2)) if matched else b""
        if matched is None or len(raw) < 5:
            raise Refused("note-invalid", got=line[:100], expected="— name base64")
        found.append((matched.group(1), raw))
    return tuple(found)


def _split(note: str | bytes) -> tuple[str, list[str]]:
    try:
        whole = note if isinstance(note, str) else note.decode()
    except UnicodeDecodeError as fault:
        raise Refused("note-invalid", got="bytes that are not UTF-8", expected="UTF-8") from fault
    body, gap, signatures = whole.rpartition("\n\n")
    lines = signatures.split("\n")[:-1]
    if len(whole) > MAX_NOTE_BYTES or _CONTROL.search(whole) or not gap or not signatures.endswith("\n") or len(lines) > MAX_SIGNATURES:
        raise Refused("note-invalid", got=whole[:100], expected="text, an empty line, signature lines")
    return body + "\n", lines


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        return b""
