"""A witness's folder: ``witness.toml``, its key, its state. Independent of any hub: another machine, other hands.

::

    witness.toml          name, listen, logs = ["origin+hash+key", …]
    witness.key           Ed25519, one line of base64, mode 0600
    checkpoints.json      the newest checkpoint of each log; never to be restored from a backup
"""

from __future__ import annotations

import os
from base64 import b64decode, b64encode
from collections.abc import Callable
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import Field

from hub.settings import Table, checked, read_toml
from replay.witness import StateFile, Witness, logs_of
from schemas.errors import Halted, Refused
from signing.cosignature import Cosigner
from signing.note import NoteVerifier

_KEY, _SETTINGS, _STATE = "witness.key", "witness.toml", "checkpoints.json"
_TEMPLATE = """\
name = "{name}"
listen = "{listen}"
# Khóa công khai của các nhật ký: `lgsp keys list` của hub in ra / the logs' public keys, as `lgsp keys list` of their hub prints them
logs = [{logs}]
"""


class WitnessHome(Table):
    """`witness.toml`."""

    name: str = Field(pattern=r"^[^\s+]{1,200}$")
    listen: str = Field(default="127.0.0.1:8091", pattern=r"^[^\s]+:[0-9]{1,5}$")
    logs: tuple[str, ...] = ()


def init_witness(folder: Path, name: str, listen: str, logs: tuple[str, ...]) -> Cosigner:
    """Makes key and settings. Raises `Refused`: ``keys-exist``, ``note-invalid``; `Halted`: ``settings-invalid``, ``witness-state``."""
    checked(WitnessHome, {"name": name, "listen": listen, "logs": logs}, folder / _SETTINGS)
    for text in logs:
        NoteVerifier.of(text)
    key = Ed25519PrivateKey.generate()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with os.fdopen(os.open(folder / _KEY, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
            out.write(b64encode(key.private_bytes_raw()) + b"\n")
        text = _TEMPLATE.format(name=name, listen=listen, logs=", ".join(f'"{each}"' for each in logs))
        (folder / _SETTINGS).write_text(text, "utf-8")
    except FileExistsError as fault:
        raise Refused("keys-exist", got=folder.name) from fault
    except OSError as fault:
        raise Halted("witness-state", got=f"{folder}: {fault.strerror}", expected="a writable folder") from fault
    return Cosigner(name, key)


def open_witness(folder: Path, clock_s: Callable[[], int]) -> tuple[Witness, WitnessHome]:
    """The witness in `folder`. Raises `Halted`: ``settings-invalid``, ``keys-missing``, ``keys-exposed``, ``witness-state``."""
    settings = checked(WitnessHome, read_toml(folder / _SETTINGS), folder / _SETTINGS)
    path = folder / _KEY
    try:
        if path.stat().st_mode & 0o077:
            raise Halted("keys-exposed", got=f"{path.name} has mode {path.stat().st_mode & 0o777:o}", expected="0600")
        key = Ed25519PrivateKey.from_private_bytes(b64decode(path.read_bytes().strip(), validate=True))
        logs = logs_of([NoteVerifier.of(text) for text in settings.logs])
    except (OSError, ValueError) as fault:
        raise Halted("keys-missing", got=f"{path.name}: {type(fault).__name__}", expected="32 bytes in base64") from fault
    except Refused as fault:
        raise Halted("settings-invalid", got=fault.got, expected=fault.expected) from fault
    return Witness(Cosigner(settings.name, key), logs, StateFile(folder / _STATE), clock_s), settings
