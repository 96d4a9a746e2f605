"""One vector: bytes, and what a verifier has to say of them before it asks who the signer is."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Case:
    """`reasons` are the codes of the deciding finding, or of the refusal of the whole file; empty where nothing speaks against it."""

    name: str
    data: bytes = field(repr=False)
    content: bytes | None = field(repr=False, default=None)  # of a detached signature
    reasons: tuple[str, ...] = ()
    integrity: str = "ok"
    findings: int = 1
    notes: tuple[str, ...] = ()
    stamped: bool = False  # a time-stamp proves when


def run(*arguments: str | Path, given: bytes = b"") -> bytes:
    """What a command-line tool writes to its standard output; a tool that fails is a defect of the vectors."""
    done = subprocess.run([str(one) for one in arguments], input=given, capture_output=True, check=False, timeout=240)
    if done.returncode:
        raise RuntimeError(f"{' '.join(map(str, arguments))}: {done.stderr.decode('utf-8', 'replace')}")
    return done.stdout


def changed(data: bytes, old: bytes, new: bytes) -> bytes:
    """`data` with the one occurrence of `old` replaced."""
    if data.count(old) != 1:
        raise RuntimeError(f"{old!r} stands {data.count(old)} times")
    return data.replace(old, new)


def flipped(data: bytes, at: int, bits: int = 1) -> bytes:
    """`data` with bits of one byte turned over."""
    return data[:at] + bytes([data[at] ^ bits]) + data[at + 1 :]


def names(cases: Sequence[Case]) -> list[str]:
    """For `ids`."""
    return [case.name for case in cases]
