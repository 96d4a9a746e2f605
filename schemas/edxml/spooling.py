"""Decoding an attachment while it arrives: text in pieces into the bytes of its file, as `attachments` would decode the whole text.

Nothing is raised here: what is wrong is noted in the `Spool`, and said when the attachment is opened, in its turn.
"""

from __future__ import annotations

import binascii
from typing import BinaryIO

import pybase64

from schemas.edxml.archives import DIRECTORY_ENTRY
from schemas.edxml.attachments import encoding_fault, stands_as_text
from schemas.edxml.packet import Spool

_HEAD_CHARS = 64  # enough to tell text from base64
_SHOWN_CHARS = 24


class Decoding:
    """One attachment on its way into `file`."""

    __slots__ = ("_broken", "_chars", "_ended", "_entries", "_file", "_head", "_rest", "_size", "_tail", "_text")

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._head = ""  # what is held back until it is clear what this is; afterwards, its beginning
        self._text: bool | None = None  # the file's text as it stands; None: not clear yet
        self._rest = ""  # characters that do not make four yet
        self._ended = False  # padding was seen
        self._tail = b""
        self._chars = self._size = self._entries = 0
        self._broken = False

    def feed(self, text: str) -> None:
        """Takes the next piece."""
        self._chars += len(text)
        if self._text is None:
            self._head += text
            if len(self._head) < _HEAD_CHARS:
                return
            text = self._decide()
        self._take(text)

    def close(self) -> Spool:
        """What came of it; `file` stays open."""
        if self._text is None:
            self._take(self._decide())
        fault = None
        if self._broken or self._rest:
            fault = (encoding_fault(self._head), f"{self._head[:_SHOWN_CHARS]!r} … ({self._chars})")
        elif not self._size:
            fault = ("attachment-empty", "")
        return Spool(self._file, self._size, bool(self._text), self._entries, fault)

    def _decide(self) -> str:
        text, self._head = self._head, self._head[:_HEAD_CHARS]
        self._text = stands_as_text(text)
        return text

    def _take(self, text: str) -> None:
        if self._text:
            self._write(text.encode("utf-8"))
        elif not self._broken:
            self._decode(self._rest + "".join(text.split()))

    def _decode(self, text: str) -> None:
        whole = len(text) - len(text) % 4
        self._rest = text[whole:]
        if not whole:
            return
        if self._ended:
            self._broken = True
            return
        self._ended = text[whole - 1] == "="
        try:
            self._write(pybase64.b64decode(text[:whole], validate=True))
        except (binascii.Error, ValueError):
            self._broken = True

    def _write(self, data: bytes) -> None:
        self._file.write(data)
        self._size += len(data)
        self._entries += (self._tail + data).count(DIRECTORY_ENTRY)
        self._tail = (self._tail + data[-3:])[-3:]
