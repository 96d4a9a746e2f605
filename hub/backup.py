"""A backup of an embedded hub, made while it serves, and its examination.

The folder has the shape of a home, so that restoring is copying::

    manifest.json      what follows, with sizes and SHA-256: a backup without one was never finished
    manifest.note      its SHA-256, signed by the log's keys (C2SP signed-note): who keeps the backup cannot change it unseen
    data/hub.sqlite    the database of one moment
    data/payloads/     the files of the payloads in it
    hub.toml, systems/, directory/, mappings/, trust/

Left out, always: ``published/`` (what a restored store is compared with, and erased by again). Left out unless a folder of its own is
named for them: ``keys/`` and ``secrets.toml``, for who has them and the backup can read everything.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Any

from hub.settings import Settings
from replay.erasure import unerased_digests
from replay.store.copy import StoreCopy, copy_database, examine_copy
from replay.store.engine import Store
from schemas.errors import Halted, HubError, Refused, Violation, error
from schemas.message import rfc3339
from signing.note import NoteSigner, NoteVerifier, note_text, open_note, sign_note

MANIFEST, NOTE = "manifest.json", "manifest.note"
NOTE_HEAD = "lgsp-hub-backup/v1"  # the first line of what is signed: no checkpoint begins so, its first line is the log's name
DATABASE = "data/hub.sqlite"
PAYLOADS = "data/payloads"
CONFIGURATION = ("hub.toml", "systems", "directory", "mappings", "trust")
SECRETS = ("keys", "secrets.toml")
_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Backup:
    """What a backup holds, as its manifest says it."""

    at: str  # RFC 3339
    origin: str
    size: int  # entries of the journal
    root: str  # hex
    files: int
    total_bytes: int
    signature: str = "not-checked"  # valid, not-checked (nobody gave a key), missing

    def as_json(self) -> dict[str, Any]:
        """For `--json`."""
        figures = {"at": self.at, "origin": self.origin, "size": self.size, "root": self.root}
        return {**figures, "files": self.files, "total_bytes": self.total_bytes, "signature": self.signature}


def make_backup(
    settings: Settings, store: Store, out: Path, *, at: datetime, signers: Sequence[NoteSigner], keys_out: Path | None = None
) -> Backup:
    """Writes a backup into `out`, and the keys into `keys_out` if that is given. Both are made, or empty folders; `signers` sign them.

    Raises `Refused`: ``backup-postgresql``, ``invalid-request`` (folders that are in use or within one another); `Halted`:
    ``backup-unwritable``, ``store-unavailable``, ``payload-damaged``.
    """
    if store.dialect != "sqlite":
        raise Refused("backup-postgresql")
    folders = [out] if keys_out is None else [out, keys_out]
    _check_folders(settings, folders)
    try:
        for folder in folders:
            _folder(folder)
            folder.chmod(0o700)  # where it was there before
        _folder((out / DATABASE).parent)
        copy_database(Path(store.url.database or ""), out / DATABASE)
        found = examine_copy(out / DATABASE)
        _copy_payloads(settings, store, out, found.files)
        _copy_named(settings.home, out, CONFIGURATION)
        if keys_out is not None:
            _copy_named(settings.home, keys_out, SECRETS)
            _write_manifest(keys_out, {"at": rfc3339(at), "origin": found.origin}, signers)
        _write_manifest(out, {"at": rfc3339(at), "origin": found.origin, "size": found.size, "root": found.root.hex()}, signers)
    except OSError as fault:
        raise Halted(
            "backup-unwritable", got=f"{fault.filename}: {fault.strerror}", expected="a writable folder with room enough"
        ) from fault
    return _summary(_manifest(out), "valid")


def verify_backup(folder: Path, log_keys: Sequence[NoteVerifier] = ()) -> Backup:
    """Examines every byte of a backup: files against the manifest, the database's pages, its leaves against its head and the manifest's
    root, the payload files against the database; with `log_keys` also that one of them signed it. Works without secret keys; what is
    inside the packets only `lgsp log fsck` says, after restoring.

    Raises `Refused("backup-damaged")` with everything that is wrong.
    """
    manifest = _manifest(folder)
    signature, wrong = _signature(folder, manifest, log_keys)
    wrong += _compare_files(folder, manifest["files"])
    if not wrong and "size" in manifest:
        wrong = list(_compare_store(folder, manifest))
    if wrong:
        raise Refused("backup-damaged", got=f"{wrong[0].path}: {wrong[0].got}", expected=wrong[0].expected, violations=tuple(wrong))
    return _summary(manifest, signature)


def _check_folders(settings: Settings, folders: Sequence[Path]) -> None:
    whole = [one.absolute() for one in folders]
    own = (settings.data_folder, settings.keys_folder, settings.checkpoint_path.parent)
    for one in whole:
        if one.exists() and (not one.is_dir() or any(one.iterdir())):
            raise Refused("invalid-request", got=f"{one} is in use", expected="an empty folder, or a name that nothing has yet")
        for other in (*(each for each in whole if each is not one), *own):
            if one == other or other in one.parents:
                raise Refused("invalid-request", got=f"{one} is in {other}", expected="folders apart from one another, and from the hub's")
    if len(set(whole)) < len(whole):
        raise Refused("invalid-request", got="the same folder for backup and keys", expected="two, on different media")


def _copy_payloads(settings: Settings, store: Store, out: Path, digests: Sequence[bytes]) -> None:
    for digest in digests:
        below = f"{digest[:1].hex()}/{digest.hex()}"
        target = out / PAYLOADS / below
        _folder(target.parent)
        try:
            _copy(settings.data_folder / "payloads" / below, target)
        except FileNotFoundError as fault:
            with store.read() as conn:
                still_there = unerased_digests(conn, [digest])
            if still_there:
                raise Halted("payload-damaged", got=f"no file {below}", expected="the payload's file") from fault


def _copy_named(home: Path, out: Path, names: Sequence[str]) -> None:
    for name in names:
        source = home / name
        if source.is_dir():
            _folder(out / name)  # an empty trust store is one, too
        for path in sorted(source.rglob("*")) if source.is_dir() else [source]:
            if path.is_file():
                target = out / path.relative_to(home)
                _folder(target.parent)
                _copy(path, target)


def _folder(path: Path) -> None:
    """Makes it and what is above it, for nobody else's eyes: `mkdir` gives its mode to the last one only."""
    if not path.is_dir():
        _folder(path.parent)
        path.mkdir(mode=0o700)


def _copy(source: Path, target: Path) -> None:
    with source.open("rb") as read, os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
        shutil.copyfileobj(read, out, _CHUNK_BYTES)
        out.flush()
        os.fsync(out.fileno())


def _write_manifest(folder: Path, figures: dict[str, Any], signers: Sequence[NoteSigner]) -> None:
    rows = []
    for path in _files(folder):
        with path.open("rb") as data:
            digest = hashlib.file_digest(data, "sha256").hexdigest()
        rows.append({"path": path.relative_to(folder).as_posix(), "bytes": path.stat().st_size, "sha256": digest})
    raw = json.dumps({"v": 1, **figures, "files": rows}, indent=1).encode() + b"\n"
    _write(folder / NOTE, sign_note(_signed_text(raw, figures), signers).encode())
    _write(folder / MANIFEST, raw)


def _write(path: Path, data: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
        out.write(data)
        out.flush()
        os.fsync(out.fileno())


def _signed_text(manifest: bytes, figures: Mapping[str, Any]) -> str:
    return f"{NOTE_HEAD}\n{figures['origin']}\n{figures['at']}\nsha256 {hashlib.sha256(manifest).hexdigest()}\n"


def _signature(folder: Path, manifest: dict[str, Any], log_keys: Sequence[NoteVerifier]) -> tuple[str, list[Violation]]:
    """How it stands with the signature, and what is wrong with it. A backup from before backups were signed has none."""
    expected = "the manifest's digest, signed by the log's key"
    try:
        note = (folder / NOTE).read_bytes()
    except FileNotFoundError:
        return "missing", [error("backup-damaged", path=NOTE, got="no such file", expected=expected)] if log_keys else []
    try:
        text = open_note(note, log_keys)[0] if log_keys else note_text(note)
    except Refused as fault:
        return "missing", [error("backup-damaged", path=NOTE, got=fault.got, expected=expected)]
    if text != _signed_text((folder / MANIFEST).read_bytes(), manifest):
        return "missing", [error("backup-damaged", path=NOTE, got="another manifest's", expected=expected)]
    return "valid" if log_keys else "not-checked", []


def _files(folder: Path) -> list[Path]:
    return sorted(
        path for path in folder.rglob("*") if (path.is_symlink() or not path.is_dir()) and path not in (folder / MANIFEST, folder / NOTE)
    )


def _manifest(folder: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads((folder / MANIFEST).read_bytes())
        rows = found["files"]
        paths = [PurePosixPath(row["path"]) for row in rows]
        shaped = all(isinstance(row["bytes"], int) and isinstance(row["sha256"], str) for row in rows)
        inside = not any(path.is_absolute() or ".." in path.parts for path in paths)
        if found["v"] != 1 or not shaped or not inside or not isinstance(found.get("size", 0), int):
            raise ValueError("not a manifest of version 1")
        str(found["at"]), str(found["origin"])
    except (OSError, ValueError, TypeError, KeyError, RecursionError) as fault:
        raise Refused("backup-damaged", got=f"{MANIFEST}: {type(fault).__name__}", expected="a folder of `lgsp backup`") from fault
    return found


def _compare_files(folder: Path, rows: Sequence[dict[str, Any]]) -> Iterator[Violation]:
    listed = {row["path"]: row for row in rows}
    there = {path.relative_to(folder).as_posix(): path for path in _files(folder)}
    for name in sorted(listed.keys() - there.keys()):
        yield error("backup-damaged", path=name, got="no such file", expected="a file that the manifest lists")
    for name in sorted(there.keys() - listed.keys()):
        yield error("backup-damaged", path=name, got="a further file", expected="only files that the manifest lists")
    for name in sorted(listed.keys() & there.keys()):
        path, row = there[name], listed[name]
        try:
            if path.is_symlink():
                raise OSError("a link")
            with path.open("rb") as data:
                digest = hashlib.file_digest(data, "sha256").hexdigest()
        except OSError as fault:
            yield error("backup-damaged", path=name, got=fault.strerror or fault, expected="a readable file")
            continue
        if (path.stat().st_size, digest) != (row["bytes"], row["sha256"]):
            yield error("backup-damaged", path=name, got=digest, expected=row["sha256"])


def _compare_store(folder: Path, manifest: dict[str, Any]) -> Iterator[Violation]:
    try:
        found: StoreCopy = examine_copy(folder / DATABASE)
    except HubError as fault:
        yield error("backup-damaged", path=DATABASE, got=f"{fault.code}: {fault.got}", expected=fault.expected)
        return
    told, listed = (manifest["origin"], manifest["size"], manifest.get("root")), {row["path"] for row in manifest["files"]}
    if (holds := (found.origin, found.size, found.root.hex())) != told:
        yield error("backup-damaged", path=DATABASE, got=holds, expected=told)
    for digest in found.files:
        name = f"{PAYLOADS}/{digest[:1].hex()}/{digest.hex()}"
        if name not in listed:
            yield error("backup-damaged", path=name, got="no such file", expected="the payload of a message that was not erased")


def _summary(manifest: dict[str, Any], signature: str) -> Backup:
    rows = manifest["files"]
    figures = manifest["at"], manifest["origin"], manifest.get("size", 0), str(manifest.get("root", ""))
    return Backup(*figures, files=len(rows), total_bytes=sum(row["bytes"] for row in rows), signature=signature)
