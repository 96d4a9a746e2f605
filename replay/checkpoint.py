"""Checkpoints: what the log says of itself, in the text of C2SP tlog-checkpoint, signed as a C2SP note.

Three lines, then a blank line and the signatures::

    lgsp-hub.local/journal      origin: the name of the log
    8                           size: number of entries, decimal
    XcnaeacGWamtVZy3Ja7…=       root: standard base64 of 32 bytes

Further lines may follow in checkpoints of other logs; they are signed too, and ignored here.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import dataclass

from replay.hashing import HASH_BYTES
from schemas.errors import Refused
from signing.note import NoteVerifier, open_note

_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Size and root of a log at one moment. Whether it is to be believed, its signatures tell."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        """What is signed, with the final newline."""
        return f"{self.origin}\n{self.size}\n{b64encode(self.root).decode('ascii')}\n"

    @classmethod
    def opened(cls, note: bytes, log_keys: Sequence[NoteVerifier]) -> Checkpoint:
        """The checkpoint of a note that one of `log_keys` signed for the log of its own name.

        Raises `Refused`: ``note-invalid``, ``checkpoint-invalid``.
        """
        text, names = open_note(note, log_keys)
        checkpoint = cls.parse(text)
        if checkpoint.origin not in names:
            raise Refused("checkpoint-invalid", got=f"a log named {checkpoint.origin}", expected=f"one named {', '.join(names)}")
        return checkpoint

    @classmethod
    def parse(cls, text: str) -> Checkpoint:
        """Reads a note's text. Raises `Refused("checkpoint-invalid")`."""
        lines = text.split("\n")
        if len(lines) < 4 or lines[-1] or not lines[0] or not _SIZE.fullmatch(lines[1]):
            raise Refused("checkpoint-invalid", got=text, expected="origin, size and root on a line each")
        try:
            root = b64decode(lines[2], validate=True)
        except ValueError as fault:
            raise Refused("checkpoint-invalid", got=lines[2], expected="a root in base64") from fault
        if len(root) != HASH_BYTES:
            raise Refused("checkpoint-invalid", got=lines[2], expected=f"a root of {HASH_BYTES} bytes")
        return cls(lines[0], int(lines[1]), root)
