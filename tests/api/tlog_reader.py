"""A client of tile logs as a stranger writes it from C2SP signed-note, tlog-checkpoint and tlog-tiles. It shares no code with the hub.

It believes nothing but one public key: every tile that there has to be is fetched and checked against the level below, the entries against
the lowest, and all of it against the signed root.
"""

from __future__ import annotations

import base64
import hashlib
import http.client
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

EMPTY = hashlib.sha256(b"").digest()
Get = Callable[[str, Mapping[str, str]], tuple[int, Mapping[str, str], bytes]]


class Distrust(Exception):
    """The log does not show what it has to."""


def over_http(port: int) -> Get:
    """Asks a server on loopback, paths as they stand: nothing is normalised on the way."""

    def get(path: str, headers: Mapping[str, str]) -> tuple[int, Mapping[str, str], bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        try:
            connection.putrequest("GET", path, skip_accept_encoding=True)
            for name, value in headers.items():
                connection.putheader(name, value)
            connection.endheaders()
            answer = connection.getresponse()
            return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
        finally:
            connection.close()

    return get


def vkey(text: str) -> tuple[str, bytes, Ed25519PublicKey]:
    """Name, key id and key of a verifier key, signed-note's ``<name>+<id>+<base64(type ‖ key)>``."""
    name, hexed, encoded = text.split("+", 2)
    raw = base64.b64decode(encoded, validate=True)
    key_id = hashlib.sha256(name.encode() + b"\n" + raw).digest()[:4]
    if raw[0] != 1 or key_id.hex() != hexed:
        raise Distrust("no Ed25519 verifier key")
    return name, key_id, Ed25519PublicKey.from_public_bytes(raw[1:])


def opened(note: bytes, key: str) -> tuple[int, bytes]:
    """Size and root of a checkpoint that `key` signed; lines of keys that nobody knows are passed over."""
    name, key_id, public = vkey(key)
    at = note.rindex(b"\n\n")
    text, lines = note[: at + 1], note[at + 2 :].decode().splitlines()
    verified = False
    for line in lines:
        dash, signer, encoded = line.split(" ")
        signature = base64.b64decode(encoded, validate=True)
        if dash != "—":
            raise Distrust(f"no signature line: {line!r}")
        if (signer, signature[:4]) == (name, key_id):
            try:
                public.verify(signature[4:], text)
            except InvalidSignature:
                raise Distrust("a wrong signature by the known key") from None
            verified = True
    if not verified:
        raise Distrust("not signed by the known key")
    origin, size, root = text.decode().split("\n")[:3]
    if origin != name or str(int(size)) != size:
        raise Distrust("no checkpoint of this log")
    return int(size), base64.b64decode(root, validate=True)


def number(index: int) -> str:
    """``x001/x234/067``: groups of three digits."""
    groups = [f"{index % 1000:03}"]
    while index := index // 1000:
        groups.insert(0, f"x{index % 1000:03}")
    return "/".join(groups)


def mth(hashes: list[bytes]) -> bytes:
    """The root over `hashes`, RFC 6962 §2.1."""
    if len(hashes) <= 1:
        return hashes[0] if hashes else EMPTY
    middle = 1
    while middle * 2 < len(hashes):
        middle *= 2
    return hashlib.sha256(b"\x01" + mth(hashes[:middle]) + mth(hashes[middle:])).digest()


@dataclass
class TileLog:
    """One log below `prefix`. `seen`: the headers of every answer, by path."""

    get: Get
    key: str
    prefix: str = "/log"
    seen: dict[str, Mapping[str, str]] = field(default_factory=dict)

    def fetch(self, path: str, headers: Mapping[str, str] | None = None) -> bytes:
        """A resource that has to be there."""
        status, told, body = self.get(f"{self.prefix}/{path}", headers or {})
        if status != 200:
            raise Distrust(f"{path}: HTTP {status}")
        self.seen[path] = told
        return body

    def checkpoint(self) -> tuple[int, bytes]:
        """Size and root of now."""
        return opened(self.fetch("checkpoint"), self.key)

    def tiles(self, size: int) -> Iterator[tuple[int, int, int]]:
        """(level, index, width) of every tile that a log of `size` has; the last of a level may be partial."""
        level, count = 0, size
        while count:
            yield from ((level, index, min(256, count - index * 256)) for index in range((count + 255) // 256))
            level, count = level + 1, count // 256

    def check(self) -> int:
        """Fetches the checkpoint and every tile; the size, if all of it holds together."""
        size, root = self.checkpoint()
        levels: dict[int, list[bytes]] = {}
        for level, index, width in self.tiles(size):
            body = self.fetch(f"tile/{level}/{number(index)}" + (f".p/{width}" if width < 256 else ""))
            if len(body) != 32 * width:
                raise Distrust(f"tile {level}/{index}: {len(body)} bytes for {width} hashes")
            levels.setdefault(level, []).extend(body[at : at + 32] for at in range(0, len(body), 32))
        for level, hashes in levels.items():
            below = levels.get(level - 1, [])
            for index, each in enumerate(hashes):
                if level and mth(below[index * 256 : index * 256 + 256]) != each:
                    raise Distrust(f"hash {index} of level {level} is not the root of the tile below")
        if self._root(levels) != root:
            raise Distrust("the tiles do not lead to the signed root")
        return size

    def _root(self, levels: Mapping[int, list[bytes]]) -> bytes:
        """From the right edge: what no full tile covers, level by level."""
        if not levels:
            return EMPTY
        top = max(levels)
        parts = [levels[top]] + [levels[level][len(levels[level]) // 256 * 256 :] for level in range(top - 1, -1, -1)]
        # The tree over all leaves is the tree over its complete parts, the largest first: fold them as RFC 6962 splits.
        stack: list[tuple[int, bytes]] = []
        for depth, hashes in enumerate(parts):
            height = 8 * (top - depth)
            for each in hashes:
                made = (height, each)
                while stack and stack[-1][0] == made[0]:
                    made = (made[0] + 1, hashlib.sha256(b"\x01" + stack.pop()[1] + made[1]).digest())
                stack.append(made)
        root = stack.pop()[1]
        while stack:
            root = hashlib.sha256(b"\x01" + stack.pop()[1] + root).digest()
        return root

    def entries(self, size: int, credentials: Mapping[str, str]) -> list[bytes]:
        """All entries, each as its leaf hash says."""
        found: list[bytes] = []
        for level, index, width in self.tiles(size):
            if level:
                break
            part = f".p/{width}" if width < 256 else ""
            bundle = self.fetch(f"tile/entries/{number(index)}{part}", credentials)
            hashes, at, count = self.fetch(f"tile/0/{number(index)}{part}"), 0, 0
            while at < len(bundle):
                length = int.from_bytes(bundle[at : at + 2], "big")
                leaf = bundle[at + 2 : at + 2 + length]
                if hashlib.sha256(b"\x00" + leaf).digest() != hashes[count * 32 : count * 32 + 32] or len(leaf) != length:
                    raise Distrust(f"entry {index * 256 + count} is not what the tile hashes")
                found.append(leaf)
                at, count = at + 2 + length, count + 1
            if count != width:
                raise Distrust(f"bundle {index} has {count} entries for {width}")
        return found
