"""The hub's own keys: files outside the database and its backup, with a manifest of what each is for.

========= ================================== ===========================================================
purpose   secret                             id: first 8 bytes, in hex, of
========= ================================== ===========================================================
log       Ed25519, signs checkpoints         SHA-256 of the public key
receipt   Ed25519, signs receipts            SHA-256 of the public key
master    32 bytes, wraps payload keys       HMAC-SHA256(secret, "lgsp-hub/key-id/1")
party     32 bytes, derives party keys       HMAC-SHA256(secret, "lgsp-hub/key-id/1")
========= ================================== ===========================================================

``keys.json`` lists them, ``<purpose>-<id>.key`` (mode 0600, in a folder of mode 0700) holds each secret as one line of base64. There
may be several of a purpose; the newest `active` one works, all public parts stay, so that old receipts and checkpoints remain
verifiable. A retired signing key's file may be destroyed; a retired master key is needed for as long as payloads are kept under it.
"""

from __future__ import annotations

import hmac
import json
import os
import stat
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from replay.entry import PartyKeys
from replay.journal import JournalKeys
from replay.payloads import MasterKey
from schemas.errors import Halted, Refused
from schemas.message import rfc3339
from signing.note import NoteVerifier

MANIFEST = "keys.json"
SIGNING, SECRET = ("log", "receipt"), ("master", "party")
PURPOSES = (*SIGNING, *SECRET)
SECRET_BYTES = 32
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """One line of the manifest. Holds nothing secret."""

    id: str
    purpose: str
    algorithm: str  # "ed25519" or "random-256"
    created: str  # RFC 3339
    status: str  # "active" or "retired"
    file: str
    public: str = ""  # base64 of the 32 raw bytes of an Ed25519 key
    retired: str = ""  # RFC 3339; "" while it is active


@dataclass(frozen=True, slots=True)
class SigningKey:
    """An Ed25519 key of the hub."""

    id: str
    private: Ed25519PrivateKey = field(repr=False)


@dataclass(frozen=True, slots=True)
class Keyring:
    """All keys of a folder. Made by `init` and `load` only."""

    records: tuple[KeyRecord, ...]  # oldest first
    _secrets: Mapping[str, bytes] = field(repr=False)  # by id; those of retired signing keys may be absent

    @classmethod
    def init(cls, folder: Path) -> Keyring:
        """Makes one key of each purpose in `folder`. Raises `Refused("keys-exist")`; `Halted("keys-missing")` if it cannot be written."""
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if (folder / MANIFEST).exists() or any(folder.glob("*.key")):
                raise Refused("keys-exist", got=folder.name)
            folder.chmod(0o700)
            records = tuple(_create(folder, purpose) for purpose in PURPOSES)
            listing = {"v": 1, "keys": [asdict(record) for record in records]}
            _write_new(folder / MANIFEST, json.dumps(listing, indent=2).encode() + b"\n")
            _sync_folder(folder)
        except OSError as fault:
            raise Halted("keys-missing", got=f"{type(fault).__name__} in {folder.name}", expected="a writable key folder") from fault
        return cls.load(folder)

    @classmethod
    def load(cls, folder: Path) -> Keyring:
        """Reads `folder`. Raises `Halted`: ``keys-missing`` (absent, unreadable, or not what the manifest says), ``keys-exposed``."""
        try:
            _check_private(folder)
            records = _records(json.loads((folder / MANIFEST).read_bytes()))
            secrets = {record.id: secret for record in records if (secret := _secret(folder, record)) is not None}
        except (OSError, ValueError, TypeError, KeyError) as fault:
            raise Halted("keys-missing", got=f"{type(fault).__name__}: {fault}", expected=f"{MANIFEST} and its key files") from fault
        ring = cls(records, secrets)
        for purpose in PURPOSES:
            ring._active(purpose)
        return ring

    def log(self) -> SigningKey:
        """Signs checkpoints."""
        return self._signing("log")

    def receipt(self) -> SigningKey:
        """Signs receipts."""
        return self._signing("receipt")

    def master(self) -> MasterKey:
        """Wraps the keys of new payloads."""
        record = self._active("master")
        return MasterKey(record.id, self._secrets[record.id])

    def older_masters(self) -> tuple[MasterKey, ...]:
        """Still unwrap the keys of older payloads."""
        current = self.master().id
        found = [r.id for r in self.records if r.purpose == "master" and r.id != current and r.id in self._secrets]
        return tuple(MasterKey(key_id, self._secrets[key_id]) for key_id in found)

    def parties(self) -> PartyKeys:
        """Derives the keys by which parties recognise their entries."""
        return PartyKeys(self._secrets[self._active("party").id])

    def journal_keys(self) -> JournalKeys:
        """What `Journal` works with: every active log key signs."""
        active = [r.id for r in self.records if r.purpose == "log" and r.status == "active" and r.id in self._secrets]
        return JournalKeys(self.parties(), tuple(Ed25519PrivateKey.from_private_bytes(self._secrets[key_id]) for key_id in active))

    def log_verifiers(self, origin: str) -> tuple[NoteVerifier, ...]:
        """What checkpoints of the log named `origin` are checked with, retired keys included."""
        return tuple(NoteVerifier(origin, key) for key in self.public("log").values())

    def public(self, purpose: str) -> dict[str, Ed25519PublicKey]:
        """Public keys of `log` or `receipt` by id, retired ones included."""
        found = [record for record in self.records if record.purpose == purpose and record.public]
        return {record.id: Ed25519PublicKey.from_public_bytes(b64decode(record.public)) for record in found}

    def _signing(self, purpose: str) -> SigningKey:
        record = self._active(purpose)
        return SigningKey(record.id, Ed25519PrivateKey.from_private_bytes(self._secrets[record.id]))

    def _active(self, purpose: str) -> KeyRecord:
        found = [r for r in self.records if r.purpose == purpose and r.status == "active" and r.id in self._secrets]
        if not found:
            raise Halted("keys-missing", got=f"no active {purpose} key", expected="one of each purpose")
        return found[-1]


def add_key(folder: Path, purpose: str) -> KeyRecord:
    """A further key of `purpose`; being the newest, it works from the moment the manifest names it. Raises `Halted("keys-missing")`."""
    ring = Keyring.load(folder)
    try:
        record = _create(folder, purpose)
        _write_manifest(folder, (*ring.records, record))
    except OSError as fault:
        raise Halted("keys-missing", got=f"{type(fault).__name__} in {folder.name}", expected="a writable key folder") from fault
    return record


def retire_key(folder: Path, key_id: str, at: datetime) -> None:
    """Marks a key as retired; its file stays, for whoever restores an older backup. Raises `Halted("keys-missing")`."""
    records = Keyring.load(folder).records
    try:
        _write_manifest(folder, [replace(one, status="retired", retired=rfc3339(at)) if one.id == key_id else one for one in records])
    except OSError as fault:
        raise Halted("keys-missing", got=f"{type(fault).__name__} in {folder.name}", expected="a writable key folder") from fault


def _write_manifest(folder: Path, records: Sequence[KeyRecord]) -> None:
    """In one step: whoever reads sees the old or the new one. The keys it names are on disk before."""
    new = folder / f"{MANIFEST}.new"
    new.unlink(missing_ok=True)
    _write_new(new, json.dumps({"v": 1, "keys": [asdict(record) for record in records]}, indent=2).encode() + b"\n")
    _sync_folder(folder)
    new.rename(folder / MANIFEST)
    _sync_folder(folder)


def _create(folder: Path, purpose: str) -> KeyRecord:
    secret = os.urandom(SECRET_BYTES)
    key_id, public = _identity(purpose, secret)
    path = folder / f"{purpose}-{key_id}.key"
    _write_new(path, b64encode(secret) + b"\n")
    created = rfc3339(datetime.fromtimestamp(path.stat().st_mtime, UTC))  # the file system knows when; no clock is read here
    return KeyRecord(key_id, purpose, "ed25519" if public else "random-256", created, "active", path.name, public)


def _identity(purpose: str, secret: bytes) -> tuple[str, str]:
    """(id, public part in base64 or "")."""
    if purpose in SECRET:
        return hmac.digest(secret, b"lgsp-hub/key-id/1", "sha256")[:8].hex(), ""
    public = Ed25519PrivateKey.from_private_bytes(secret).public_key().public_bytes_raw()
    return sha256(public).digest()[:8].hex(), b64encode(public).decode("ascii")


def _records(listing: object) -> tuple[KeyRecord, ...]:
    if not isinstance(listing, dict) or listing["v"] != 1:
        raise ValueError("not a manifest of version 1")
    records = tuple(KeyRecord(**row) for row in listing["keys"])
    for record in records:
        if record.purpose not in PURPOSES or record.status not in ("active", "retired") or Path(record.file).name != record.file:
            raise ValueError(f"key {record.id} has an unknown purpose, status or file")
        if record.public and sha256(b64decode(record.public, validate=True)).digest()[:8].hex() != record.id:
            raise ValueError(f"key {record.id} does not have the id of its public part")
    return tuple(sorted(records, key=lambda record: record.created))


def _secret(folder: Path, record: KeyRecord) -> bytes | None:
    """The secret in the key's file, checked against the manifest; None where a retired key's file is gone."""
    path = folder / record.file
    if record.status == "retired" and not path.exists():
        return None
    _check_private(path)
    secret = b64decode(path.read_bytes().strip(), validate=True)
    if len(secret) != SECRET_BYTES or _identity(record.purpose, secret) != (record.id, record.public):
        raise ValueError(f"{record.file} is not the key that the manifest lists")
    return secret


def _check_private(path: Path) -> None:
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & _OTHERS:
        raise Halted("keys-exposed", got=f"{path.name} has mode {mode:04o}", expected="0700 for the folder, 0600 for its files")


def _write_new(path: Path, data: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
        out.write(data)
        out.flush()
        os.fsync(out.fileno())


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
