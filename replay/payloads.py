"""The payload store: received bytes, compressed, then encrypted under a key of their own, so that destroying the key erases them.

Format ``zstd+aes256gcm/1``. The zstd frame is cut into chunks of 256 KiB (the last one shorter, possibly the only one); chunk n is
AES-256-GCM under the message's key with::

    nonce            000000 ‖ n as 8 bytes ‖ 01 for the last chunk, 00 otherwise
    associated data  "lgsp-hub/payload/1" ‖ message id (16 bytes)

so that chunks cannot be reordered, dropped, added, or moved to another message. A key encrypts one payload, once. It is wrapped by
the master key: nonce (12 random bytes) ‖ AES-256-GCM(key), with "lgsp-hub/wrap/1" ‖ message id as associated data.

Ciphertext is addressed by its SHA-256 and never shared between messages. Up to 256 KB it lies in the row, above in a file.
"""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO
from uuid import UUID

import zstandard
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Connection, bindparam, insert, select

from replay.store.loose import loose
from replay.store.tables import message_keys, messages, payloads
from schemas.errors import Halted, Refused

FORMAT = "zstd+aes256gcm/1"
CHUNK_BYTES = 256 * 1024  # of the compressed stream
MAX_ROW_BYTES = 256 * 1000  # of ciphertext in the database; larger ones are files (stack facts §4)
LEVEL = 1  # zstd; base64 inside XML hardly gains from more
KEY_BYTES = 32
_NONCE_BYTES = 12
_TAG_BYTES = 16
_INSERT_PAYLOAD, _INSERT_KEY = insert(payloads), insert(message_keys)
ROWS = select(*loose(payloads), *loose(message_keys, "master_key_id", "wrapped")).join(
    message_keys, message_keys.c.message_id == payloads.c.message_id
)
_PUT, _PUT_KEY = insert(payloads), insert(message_keys)  # built once
_SELECT = ROWS.where(payloads.c.message_id == bindparam("message_id"))


@dataclass(frozen=True, slots=True)
class MasterKey:
    """Wraps the keys of payloads. `secret` is 32 bytes and lives outside the database and its backup."""

    id: str
    secret: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class SealedPayload:
    """Encrypted and ready to be stored. Says nothing without the master key."""

    message_id: UUID
    ciphertext: bytes = field(repr=False)
    digest: bytes  # SHA-256 of the ciphertext
    size: int  # of the plain bytes
    master_key_id: str
    wrapped: bytes = field(repr=False)


class _Contexts(threading.local):
    """zstd's working memory, one of each per thread: making it costs more than a packet's compression."""

    def __init__(self) -> None:
        self.compressor = zstandard.ZstdCompressor(level=LEVEL)
        self.decompressor = zstandard.ZstdDecompressor()


@dataclass(frozen=True, slots=True)
class PayloadStore:
    """Keeps payloads of the hub's database; large ones below `folder`. `older` masters still unwrap, they wrap nothing new.

    `masters` gives the masters as they are now, the one that wraps first; without it they are `master` and `older` for ever. It lets a
    hub that serves follow a rotation: `put` asks it under the writer's lock, so once a new master is there nothing is wrapped by another.
    """

    master: MasterKey
    folder: Path
    older: Sequence[MasterKey] = ()
    masters: Callable[[], Sequence[MasterKey]] | None = None
    _contexts: _Contexts = field(default_factory=_Contexts, repr=False, compare=False)

    def current(self) -> Sequence[MasterKey]:
        """All masters, the one that wraps first."""
        return (self.master, *self.older) if self.masters is None else self.masters()

    def seal(self, message_id: UUID, raw: bytes) -> SealedPayload:
        """Compresses and encrypts `raw`. Touches neither disk nor database: call it before the transaction."""
        key = os.urandom(KEY_BYTES)
        frame = self._contexts.compressor.compress(raw)
        cipher, about = AESGCM(key), _about(message_id)
        ciphertext = b"".join(cipher.encrypt(nonce, frame[at : at + CHUNK_BYTES], about) for at, nonce in _chunks(len(frame), CHUNK_BYTES))
        master = self.current()[0]
        return SealedPayload(message_id, ciphertext, sha256(ciphertext).digest(), len(raw), master.id, _wrapped(message_id, key, master))

    def stage(self, sealed: SealedPayload) -> None:
        """Writes a large ciphertext durably. `put` does it too; calling it before the transaction spares other writers the wait.

        A file whose transaction then fails is unreadable for ever (its key went with it) and may be deleted.
        Raises `Halted("store-unavailable")`.
        """
        if len(sealed.ciphertext) <= MAX_ROW_BYTES or self.path_of(sealed.digest).exists():
            return
        try:
            _write_durably(self.path_of(sealed.digest), sealed.ciphertext, self.folder)
        except OSError as fault:
            raise Halted("store-unavailable", got=type(fault).__name__, expected="a writable payload folder") from fault

    def put(self, conn: Connection, sealed: SealedPayload) -> None:
        """Adds payload and wrapped key to the caller's transaction; a large ciphertext is on disk before it can commit.

        Raises `Halted("store-unavailable")`.
        """
        self.stage(sealed)
        body = sealed.ciphertext if len(sealed.ciphertext) <= MAX_ROW_BYTES else None
        row = {"message_id": sealed.message_id, "format": FORMAT, "digest": sealed.digest, "size": sealed.size, "body": body}
        conn.execute(_PUT, row)
        master_key_id, wrapped = sealed.master_key_id, sealed.wrapped
        master = self.current()[0]
        if master.id != master_key_id:  # it was rotated since
            wrapped, master_key_id = self.rewrapped(sealed.message_id, master_key_id, wrapped), master.id
        conn.execute(_PUT_KEY, {"message_id": sealed.message_id, "master_key_id": master_key_id, "wrapped": wrapped})

    def rewrapped(self, message_id: UUID, master_key_id: str, wrapped: bytes) -> bytes:
        """The same key, wrapped by the master that wraps now. Raises `Halted("payload-damaged")`."""
        return _wrapped(message_id, self._unwrap(message_id, master_key_id, wrapped), self.current()[0])

    def get(self, conn: Connection, message_id: UUID) -> bytes:
        """The received bytes of a message.

        Raises `Refused`: ``unknown-entry`` (no such message), ``payload-erased``; `Halted("payload-damaged")`: missing, changed,
        swapped, or encrypted under a master key that is not here.
        """
        row = conn.execute(_SELECT, {"message_id": message_id}).first()
        if row is None and conn.execute(select(messages.c.id).where(messages.c.id == message_id)).first() is None:
            raise Refused("unknown-entry", got=str(message_id))
        return self.opened(message_id, row)

    def opened(self, message_id: UUID, row: Any) -> bytes:
        """The received bytes, from a row of `ROWS`, None where there is none. Raises as `get`."""
        row = _present(message_id, row)
        ciphertext = row.body if row.body is not None else self._read_file(message_id, row.digest)
        if sha256(ciphertext).digest() != row.digest:
            raise _damaged(message_id, "ciphertext of another digest")
        key = self._unwrap(message_id, row.master_key_id, row.wrapped)
        return _opened(message_id, ciphertext, key, row.size, self._contexts.decompressor)

    def digest_of(self, message_id: UUID, row: Any) -> bytes:
        """SHA-256 of the received bytes, from a row of `ROWS`; of a file never more than a chunk is in memory. Raises as `get`."""
        row = _present(message_id, row)
        if row.body is not None:
            return sha256(self.opened(message_id, row)).digest()
        key = self._unwrap(message_id, row.master_key_id, row.wrapped)
        try:
            with self.path_of(row.digest).open("rb") as file:
                return _digest_of_file(message_id, file, key, row)
        except OSError as fault:
            raise _damaged(message_id, f"payload file: {type(fault).__name__}") from fault
        except (InvalidTag, ValueError, TypeError, OverflowError, zstandard.ZstdError) as fault:
            raise _damaged(message_id, type(fault).__name__) from fault

    def path_of(self, digest: bytes) -> Path:
        """Where the ciphertext with this digest lies if it is large: ``ab/ab12…``."""
        return self.folder / digest[:1].hex() / digest.hex()

    def _read_file(self, message_id: UUID, digest: bytes) -> bytes:
        try:
            return self.path_of(digest).read_bytes()
        except OSError as fault:
            raise _damaged(message_id, f"payload file: {type(fault).__name__}") from fault

    def _unwrap(self, message_id: UUID, master_key_id: str, wrapped: bytes) -> bytes:
        master = next((m for m in self.current() if m.id == master_key_id), None)
        if master is None:
            raise _damaged(message_id, f"master key {master_key_id} is not in the key folder")
        try:
            return AESGCM(master.secret).decrypt(wrapped[:_NONCE_BYTES], wrapped[_NONCE_BYTES:], _about_key(message_id))
        except (InvalidTag, ValueError, TypeError) as fault:
            raise _damaged(message_id, "wrapped key") from fault


def _wrapped(message_id: UUID, key: bytes, master: MasterKey) -> bytes:
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + AESGCM(master.secret).encrypt(nonce, key, _about_key(message_id))


def _present(message_id: UUID, row: Any) -> Any:
    """The row, if there is something to decrypt in it."""
    if row is None:
        raise _damaged(message_id, "no payload or no key")
    if row.wrapped is None:
        raise Refused("payload-erased", got=str(message_id))
    if row.format != FORMAT:
        raise _damaged(message_id, f"format {row.format}")
    return row


def _opened(message_id: UUID, ciphertext: bytes, key: bytes, size: int, decompressor: zstandard.ZstdDecompressor) -> bytes:
    about, step = _about(message_id), CHUNK_BYTES + _TAG_BYTES
    try:
        cipher = AESGCM(key)
        if len(ciphertext) <= step:
            frame = cipher.decrypt(next(_chunks(0, step))[1], ciphertext, about)
        else:
            view = memoryview(ciphertext)
            frame = b"".join(cipher.decrypt(nonce, view[at : at + step], about) for at, nonce in _chunks(len(ciphertext), step))
        raw = decompressor.decompress(frame, max_output_size=size)
    except (InvalidTag, ValueError, TypeError, OverflowError, zstandard.ZstdError) as fault:
        raise _damaged(message_id, type(fault).__name__) from fault
    if len(raw) != size:
        raise _damaged(message_id, f"{len(raw)} bytes instead of {size}")
    return raw


def _digest_of_file(message_id: UUID, file: BinaryIO, key: bytes, row: Any) -> bytes:
    about, step, cipher = _about(message_id), CHUNK_BYTES + _TAG_BYTES, AESGCM(key)
    stored, plain, size = sha256(), sha256(), 0
    frame = zstandard.ZstdDecompressor().decompressobj()
    for _, nonce in _chunks(os.fstat(file.fileno()).st_size, step):
        chunk = file.read(step)
        stored.update(chunk)
        part = frame.decompress(cipher.decrypt(nonce, chunk, about))
        plain.update(part)
        size += len(part)
    if stored.digest() != row.digest:
        raise _damaged(message_id, "ciphertext of another digest")
    if size != row.size or not frame.eof:
        raise _damaged(message_id, f"{size} bytes instead of {row.size}")
    return plain.digest()


def _chunks(length: int, step: int) -> Iterator[tuple[int, bytes]]:
    """(offset, nonce) of each chunk; there is always one, and the last says so."""
    count = max(1, -(-length // step))
    for number in range(count):
        yield number * step, number.to_bytes(11, "big") + (b"\x01" if number == count - 1 else b"\x00")


def _about(message_id: UUID) -> bytes:
    return b"lgsp-hub/payload/1" + message_id.bytes


def _about_key(message_id: UUID) -> bytes:
    return b"lgsp-hub/wrap/1" + message_id.bytes


def _damaged(message_id: UUID, got: str) -> Halted:
    return Halted("payload-damaged", got=f"{message_id}: {got}", expected="the bytes that were received")


def _write_durably(path: Path, data: bytes, top: Path) -> None:
    """temp → fsync → rename → fsync of every folder that gained a name."""
    top.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.parent.mkdir(mode=0o700, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".new-")
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(data)
            out.flush()
            os.fsync(out.fileno())
        Path(temporary).rename(path)
    except OSError:
        Path(temporary).unlink(missing_ok=True)
        raise
    for folder in (path.parent, top, top.parent):
        _fsync_folder(folder)


def _fsync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
