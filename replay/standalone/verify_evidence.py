#!/usr/bin/env python3
"""Checks evidence of an LGSP hub offline, with Python 3.11 and nothing else: no package, no network, no hub.

    python3 -I verify.py FILE --log-key NAME+HASH+KEY [--witness-key NAME+HASH+KEY]… [--quorum N] [--trust DIR] [--json]
            [--receipt-key BASE64]… [--party CODE --from TIME --to TIME] [--party-key BASE64] [--accept-unsigned]

FILE is a container that `lgsp evidence export` or `lgsp evidence completeness` made. Exit codes: 0 everything holds, 1 something does not,
2 usage. It shares no line with the hub: a mistake there is not repeated here. Verdicts on documents are compared with what the journal
committed to, not reached again: that takes XML canonicalisation and PKIX, and `lgsp evidence verify`.

Ed25519 (RFC 8032) and RSA/ECDSA verification are written out because Python's own library has none, and because whoever receives evidence
should not have to install anything to check it. Only public values are handled, so nothing has to run in constant time.

This file is longer than 300 lines because it has to be one file.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import hmac
import io
import json
import re
import struct
import sys
import unicodedata
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

MIB = 1024 * 1024
MAX_FILE_BYTES, MAX_UNPACKED_BYTES, MAX_FILES, MAX_RATIO = 512 * MIB, 640 * MIB, 10_000, 200
MAX_OPENED = 200_000
SLACK_S = 300  # an entry's time lies at most half of this from when it was appended
MESSAGE, PERIOD = "lgsp-hub/evidence/1", "lgsp-hub/completeness/1"
MIMETYPE = b"application/vnd.etsi.asic-e+zip"
MANIFEST, SIGNATURE = "META-INF/ASiCManifest.xml", "META-INF/signature.p7s"
OK, FAILED, OPEN = "ok", "failed", "open"  # open: not shown, and nothing speaks against it
FAULTS = (
    *(ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError, OverflowError, struct.error, zipfile.BadZipFile),
    *(zlib.error, NotImplementedError, EOFError, RuntimeError, MemoryError, OSError, ZeroDivisionError),
)


class NotShown(ValueError):
    """A step failed; the text says why."""


@dataclass
class Report:
    """The points, in order."""

    points: list[dict[str, str]] = field(default_factory=list)

    def say(self, name: str, state: str, text: str) -> None:
        """One point."""
        self.points.append({"point": name, "state": state, "text": text[:500]})

    def step(self, name: str, work: Callable[[], tuple[str, str]]) -> bool:
        """Runs one step; whatever goes wrong in it is its answer."""
        try:
            state, text = work()
        except FAULTS as fault:
            state, text = FAILED, str(fault) if isinstance(fault, NotShown) else f"{type(fault).__name__}: {fault}"
        self.say(name, state, text)
        return state != FAILED

    @property
    def valid(self) -> bool:
        """Whether nothing failed."""
        return bool(self.points) and all(one["state"] != FAILED for one in self.points)


def need(holds: object, text: str) -> None:
    """Raises `NotShown` where it does not hold."""
    if not holds:
        raise NotShown(text)


# --- Ed25519, RFC 8032 §5.1.7 ------------------------------------------------------------------------------------------------------

P, L = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
Point = tuple[int, int, int, int]


def _add(p: Point, q: Point) -> Point:
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % P, (p[1] + p[0]) * (q[1] + q[0]) % P
    c, d = 2 * p[3] * q[3] * D % P, 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def _times(s: int, p: Point) -> Point:
    q: Point = (0, 1, 1, 0)
    while s > 0:
        if s & 1:
            q = _add(q, p)
        p, s = _add(p, p), s >> 1
    return q


def _point(raw: bytes) -> Point | None:
    """§5.1.3."""
    y = int.from_bytes(raw, "little")
    sign, y = y >> 255, y & (1 << 255) - 1
    if len(raw) != 32 or y >= P:
        return None
    xx = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(xx, (P + 3) // 8, P)
    if (x * x - xx) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    if (x * x - xx) % P or (x == 0 and sign):
        return None
    x = P - x if x & 1 != sign else x
    return x, y, 1, x * y % P


_BASE = _point(bytes.fromhex("58" + "66" * 31))


def ed25519(key: bytes, signature: bytes, text: bytes) -> bool:
    """Whether `signature` (64 bytes) over `text` is by the key with these 32 bytes."""
    a, r = _point(key), _point(signature[:32])
    s = int.from_bytes(signature[32:], "little")
    if len(signature) != 64 or a is None or r is None or _BASE is None or s >= L:
        return False
    h = int.from_bytes(hashlib.sha512(signature[:32] + key + text).digest(), "little") % L
    left, right = _times(s, _BASE), _add(r, _times(h, a))
    return (left[0] * right[2] - right[0] * left[2]) % P == 0 and (left[1] * right[2] - right[1] * left[2]) % P == 0


# --- notes and checkpoints: C2SP signed-note, tlog-checkpoint, tlog-cosignature -----------------------------------------------------


@dataclass(frozen=True)
class NoteKey:
    """A public key with its name. `kind` 1 signs notes, 4 cosigns them."""

    name: str
    kind: int
    raw: bytes

    @classmethod
    def of(cls, text: str, kind: int) -> NoteKey:
        """From ``name+hash+base64``."""
        name, hashed, encoded = text.split("+", 2)
        raw = base64.b64decode(encoded, validate=True)
        made = cls(name, kind, raw[1:])
        if len(raw) != 33 or raw[0] != kind or made.id.hex() != hashed or not re.fullmatch(r"[^\s+]+", name):
            raise ValueError(f"{text[:100]} is no key of type {kind}")
        return made

    @property
    def id(self) -> bytes:
        """Four bytes that lead to it."""
        return hashlib.sha256(self.name.encode() + b"\n" + bytes([self.kind]) + self.raw).digest()[:4]


@dataclass(frozen=True)
class Checkpoint:
    """What the log says of itself."""

    origin: str
    size: int
    root: bytes


def split_note(note: bytes) -> tuple[str, list[tuple[str, bytes]]]:
    """Text and signatures, none of them checked."""
    text, gap, tail = note.decode("utf-8").rpartition("\n\n")
    need(
        gap and tail.endswith("\n") and len(note) < MIB and not re.search(r"[\x00-\x09\x0b-\x1f]", text), "the checkpoint is no signed note"
    )
    found = []
    for line in tail[:-1].split("\n"):
        matched = re.fullmatch("\u2014 ([^\\s+]+) ([A-Za-z0-9+/]+={0,2})", line)
        need(matched, "a line of the checkpoint is no signature")
        if matched:
            found.append((matched[1], base64.b64decode(matched[2], validate=True)))
    need(len(found) <= 100, "too many signatures")
    return text + "\n", found


def open_checkpoint(note: bytes, keys: Sequence[NoteKey]) -> Checkpoint:
    """The checkpoint, if a log key signed it for the log of its own name."""
    text, signatures = split_note(note)
    lines = text.split("\n")
    need(len(lines) >= 4 and re.fullmatch(r"0|[1-9][0-9]{0,18}", lines[1]), "the checkpoint does not say origin, size and root")
    made = Checkpoint(lines[0], int(lines[1]), base64.b64decode(lines[2], validate=True))
    mine = [(key, raw) for name, raw in signatures for key in keys if (key.name, key.id) == (name, raw[:4]) and name == made.origin]
    need(mine, f"the checkpoint of {made.origin} carries no signature of the log key given")
    need(all(ed25519(key.raw, raw[4:], text.encode()) for key, raw in mine), "the log's signature does not fit the checkpoint")
    need(len(made.root) == 32, "the checkpoint has no root")
    return made


def cosigned(note: bytes, keys: Sequence[NoteKey]) -> dict[str, int]:
    """Which witnesses cosigned, and when (POSIX seconds). A wrong line of a known witness is a fault."""
    text, signatures = split_note(note)
    found = {}
    for name, raw in signatures:
        for key in keys:
            if (key.name, key.id) == (name, raw[:4]):
                at_s = int.from_bytes(raw[4:12], "big")
                body = f"cosignature/v1\ntime {at_s}\n{text}".encode()
                need(len(raw) == 76 and at_s < 2**40 and ed25519(key.raw, raw[12:], body), f"a wrong cosignature of {name}")
                found[name] = at_s
    return found


# --- the tree: RFC 6962 §2.1, RFC 9162 §2.1.3.2 and §2.1.4.2 ------------------------------------------------------------------------


def leaf_hash(leaf: bytes) -> bytes:
    """SHA-256(0x00 ‖ leaf)."""
    return hashlib.sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01 ‖ left ‖ right)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def included(hashed: bytes, index: int, head: Checkpoint, path: Sequence[bytes]) -> bool:
    """Whether the path leads from the leaf at `index` to the head's root."""
    node, last = index, head.size - 1
    if not 0 <= index < head.size or any(len(each) != 32 for each in path):
        return False
    for sibling in path:
        if last == 0:
            return False
        if node & 1 or node == last:
            hashed = node_hash(sibling, hashed)
            while node and not node & 1:
                node, last = node >> 1, last >> 1
        else:
            hashed = node_hash(hashed, sibling)
        node, last = node >> 1, last >> 1
    return last == 0 and hashed == head.root


def consistent(size: int, root: bytes, head: Checkpoint, proof: Sequence[bytes]) -> bool:
    """Whether the tree of `size` with `root` is how the head's tree begins; 0 < size."""
    if size == head.size:
        return not proof and root == head.root
    path = [*([root] if size & (size - 1) == 0 else []), *proof]
    if not 0 < size < head.size or not path or any(len(each) != 32 for each in path):
        return False
    node, last = size - 1, head.size - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    old = new = path[0]
    for sibling in path[1:]:
        if last == 0:
            return False
        if node & 1 or node == last:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            while node and not node & 1:
                node, last = node >> 1, last >> 1
        else:
            new = node_hash(new, sibling)
        node, last = node >> 1, last >> 1
    return last == 0 and old == root and new == head.root


def grown(left: Sequence[bytes], first: int, leaves: Sequence[bytes]) -> bytes:
    """Root of the tree that begins with `first` unseen entries, whose complete subtrees are `left` (largest first), and goes on with
    `leaves`."""
    heights = [height for height in reversed(range(first.bit_length())) if first >> height & 1]
    need(len(heights) == len(left) and all(len(each) == 32 for each in left), "the left edge is not that of the first index")
    stack = list(zip(heights, left, strict=True))
    for leaf in leaves:
        height, hashed = 0, leaf_hash(leaf)
        while stack and stack[-1][0] == height:
            height, hashed = height + 1, node_hash(stack.pop()[1], hashed)
        stack.append((height, hashed))
    need(stack, "an empty tree")
    root = stack.pop()[1]
    while stack:
        root = node_hash(stack.pop()[1], root)
    return root


# --- entries: canonical JSON (RFC 8785), commitments, tags ---------------------------------------------------------------------------


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    need(len(dict(pairs)) == len(pairs), "a name stands twice in one object")
    return dict(pairs)


def _no_number(text: str) -> None:
    raise NotShown(f"a number that no entry has: {text[:40]}")


def _whole(text: str) -> int:
    need(len(text) < 18 and abs(int(text)) < 2**53, "a number that no entry has")
    return int(text)


def read_json(data: bytes) -> Any:
    """JSON without doubled names, fractions and numbers that a double cannot hold."""
    return json.loads(data.decode("utf-8"), object_pairs_hook=_pairs, parse_float=_no_number, parse_constant=_no_number, parse_int=_whole)


def canonical(value: Any) -> bytes:
    """RFC 8785, for values without fractions: members sorted by UTF-16 code units."""
    if isinstance(value, dict):
        members = sorted(value.items(), key=lambda item: item[0].encode("utf-16-be"))
        return b"{" + b",".join(canonical(name) + b":" + canonical(each) for name, each in members) + b"}"
    if isinstance(value, list):
        return b"[" + b",".join(map(canonical, value)) + b"]"
    return json.dumps(value, ensure_ascii=False).encode("utf-8")


@dataclass(frozen=True)
class Entry:
    """A leaf, read."""

    index: int
    leaf: bytes
    event: str
    at: str
    nonce: bytes
    tags: frozenset[bytes]
    commitments: Mapping[str, bytes]

    @classmethod
    def of(cls, index: int, leaf: bytes) -> Entry:
        """Of the one canonical form."""
        table = read_json(leaf)
        need(
            set(table) == {"at", "commitments", "event", "nonce", "tags", "v"} and table["v"] == 1, f"entry {index} is no leaf of version 1"
        )
        need(canonical(table) == leaf and len(leaf) <= 65_535, f"entry {index} is not in canonical form")
        need(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", table["at"], re.ASCII), f"entry {index} has a time of another form")
        tags = frozenset(base64.b64decode(tag, validate=True) for tag in table["tags"])
        commitments = {name: base64.b64decode(text, validate=True) for name, text in table["commitments"].items()}
        return cls(index, leaf, str(table["event"]), table["at"], base64.b64decode(table["nonce"], validate=True), tags, commitments)

    def opened(self, opening: Mapping[str, Any]) -> dict[str, Any]:
        """The values, if each agrees with its commitment."""
        need(set(opening) == set(self.commitments), f"entry {self.index}: other fields are opened than were committed to")
        for name, disclosed in opening.items():
            salt = base64.b64decode(disclosed["salt"], validate=True)
            made = hashlib.sha256(salt + canonical(disclosed["value"])).digest()
            fits = set(disclosed) == {"salt", "value"} and len(salt) == 16 and hmac.compare_digest(made, self.commitments[name])
            need(fits, f"entry {self.index}: {name} is not what was committed to")
        return {name: disclosed["value"] for name, disclosed in opening.items()}

    def is_of(self, party_key: bytes) -> bool:
        """Whether the party takes part in it."""
        return hmac.digest(party_key, self.nonce, "sha256") in self.tags

    @property
    def time(self) -> datetime:
        """When, as the hub says."""
        return datetime.fromisoformat(self.at)


def agency_key(code: str) -> str:
    """By which two codes of one agency are equal: ``H32`` and ``000.00.00.H32``."""
    text = unicodedata.normalize("NFC", code).strip().upper()
    if re.fullmatch(r"[A-Y][0-9]{2}(\.[0-9A-Z]+)*", text):
        parts = text.split(".")
    elif re.fullmatch(r"([0-9A-Z]+\.)+[A-Z][0-9]{2}", text):
        parts = text.split(".")[::-1]
        while not parts[-1].strip("0"):
            parts.pop()
    else:
        return text
    return ".".join(part.lstrip("0") or "0" if part.isdigit() else part for part in parts)


def named(values: Mapping[str, Any]) -> set[str]:
    """The agencies that an acceptance names."""
    texts = [values.get("sender"), *(values.get("recipients") or [])]
    return {agency_key(text) for text in texts if isinstance(text, str)}


# --- the container: ETSI EN 319 162-1, within bounds ---------------------------------------------------------------------------------


def unpack(data: bytes) -> dict[str, bytes]:
    """Its files in order. Every reader must see the same ones: entries stand side by side, and both headers say the same."""
    with zipfile.ZipFile(io.BytesIO(data)) as opened:
        entries = sorted(opened.infolist(), key=lambda one: one.header_offset)
        need(0 < len(entries) <= MAX_FILES, f"{len(entries)} files; at most {MAX_FILES}")
        need(sum(one.file_size for one in entries) <= MAX_UNPACKED_BYTES, "unpacked it would be too large")
        need(not opened.comment and data[-22:-18] == b"PK\x05\x06", "something follows the end of the archive")
        at = 0
        for one in entries:
            need(re.fullmatch(r"[A-Za-z0-9_-][A-Za-z0-9._/-]{0,199}", one.filename), f"a name that no evidence has: {one.filename[:80]!a}")
            need(not any(part in ("", ".", "..") for part in one.filename.split("/")), f"a name that leads out: {one.filename[:80]!a}")
            need(not one.flag_bits & 0x2049 and one.compress_type in (0, 8), f"{one.filename}: encrypted, or packed in another way")
            need(
                one.file_size <= max(MIB, MAX_RATIO * one.compress_size), f"{one.filename}: {one.file_size} bytes from {one.compress_size}"
            )
            mark, _, flags, method, _, _, crc, packed, size, names, extra = struct.unpack_from("<4s5H3L2H", data, one.header_offset)
            told = (flags & 0x2049, method, crc, packed, size, data[one.header_offset + 30 :][:names])
            meant = (0, one.compress_type, one.CRC, one.compress_size, one.file_size, one.filename.encode())
            need(mark == b"PK\x03\x04" and one.header_offset == at and told == meant, f"{one.filename}: two headers that differ, or a gap")
            at += 30 + names + extra + one.compress_size
        need(at == opened.start_dir, "a gap before the directory")
        need(len({one.filename.casefold() for one in entries}) == len(entries), "one name stands twice")
        first = entries[0]
        need(first.filename == "mimetype" and first.compress_type == 0 and not first.extra, "mimetype is not first, stored and plain")
        files = {}
        for one in entries:
            with opened.open(one) as stream:
                files[one.filename] = stream.read(one.file_size + 1)
            need(len(files[one.filename]) == one.file_size, f"{one.filename}: another size than it says")
    need(files["mimetype"] == MIMETYPE, "another mimetype than ASiC-E")
    return files


def manifest_of(files: Mapping[str, bytes]) -> bytes:
    """The manifest that the files must have, byte for byte: it has one form, so nobody has to parse it."""
    rows = "".join(
        f'<asic:DataObjectReference URI="{name}"><ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"></ds:DigestMethod>'
        f"<ds:DigestValue>{base64.b64encode(hashlib.sha256(body).digest()).decode()}</ds:DigestValue></asic:DataObjectReference>"
        for name, body in files.items()
        if name != "mimetype" and not name.startswith("META-INF/")
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<asic:ASiCManifest xmlns:asic="http://uri.etsi.org/02918/v1.2.1#" '
        f'xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><asic:SigReference URI="{SIGNATURE}" MimeType="application/pkcs7-signature">'
        f"</asic:SigReference>{rows}</asic:ASiCManifest>\n"
    ).encode()


# --- CMS (RFC 5652), X.509 (RFC 5280), RSA (RFC 8017 §8.2.2), ECDSA (FIPS 186-5) ------------------------------------------------------

Node = tuple[int, bytes, bytes]  # tag, content, the whole
_HASHES = {"608648016503040201": "sha256", "608648016503040202": "sha384", "608648016503040203": "sha512"}
_RSA = {"2a864886f70d01010b": "sha256", "2a864886f70d01010c": "sha384", "2a864886f70d01010d": "sha512"}
_ECDSA = {"2a8648ce3d040302": "sha256", "2a8648ce3d040303": "sha384", "2a8648ce3d040304": "sha512"}
_RSA_ENCRYPTION = "2a864886f70d010101"
_SIGNED_DATA, _DIGEST, _BINDING = "2a864886f70d010702", "2a864886f70d010904", "2a864886f70d010910022f"
_P256 = (
    0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF,
    0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B,
    0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551,
    0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
)
_P384 = (
    2**384 - 2**128 - 2**96 + 2**32 - 1,
    0xB3312FA7E23EE7E4988E056BE3F82D19181D9C6EFE8141120314088F5013875AC656398D8A2ED19D2A85C8EDD3EC2AEF,
    0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFC7634D81F4372DDF581A0DB248B0A77AECEC196ACCC52973,
    0xAA87CA22BE8B05378EB1C71EF320AD746E1D3B628BA79B9859F741E082542A385502F25DBF55296C3A545E3872760AB7,
    0x3617DE4A96262C6F5D9E98BF9292DC29F8F41DBD289A147CE9DA3113B5F0B8C00A60B1CE1D7E819D7A431D7C90EA0E5F,
)
_CURVES = {"2a8648ce3d030107": _P256, "2b81040022": _P384}


def nodes(data: bytes) -> Iterator[Node]:
    """DER values one after another."""
    at = 0
    while at < len(data):
        tag, length, start = data[at], data[at + 1], at + 2
        if length & 0x80:
            need(0 < length & 0x7F <= 4, "a length of CMS or X.509 that DER does not have")
            start += length & 0x7F
            length = int.from_bytes(data[at + 2 : start], "big")
        need(start + length <= len(data), "CMS or X.509 that is cut off")
        yield tag, data[start : start + length], data[at : start + length]
        at = start + length


def within(node: Node) -> list[Node]:
    """What is in it."""
    return list(nodes(node[1]))


def _affine(p: tuple[int, int] | None, q: tuple[int, int] | None, m: int) -> tuple[int, int] | None:
    if p is None or q is None:
        return p or q
    if p[0] == q[0]:
        if (p[1] + q[1]) % m == 0:
            return None
        slope = 3 * (p[0] * p[0] - 1) * pow(2 * p[1], -1, m) % m  # a = -3 on all these curves
    else:
        slope = (q[1] - p[1]) * pow(q[0] - p[0], -1, m) % m
    x = (slope * slope - p[0] - q[0]) % m
    return x, (slope * (p[0] - x) - p[1]) % m


def ecdsa(curve: str, point: bytes, digest: bytes, signature: bytes) -> bool:
    """Whether it holds; P-256 and P-384."""
    m, b, n, gx, gy = _CURVES[curve]
    width = (m.bit_length() + 7) // 8
    r, s = (int.from_bytes(one[1], "big") for one in within(next(nodes(signature))))
    x, y = int.from_bytes(point[1 : 1 + width], "big"), int.from_bytes(point[1 + width :], "big")
    on_curve = point[0] == 4 and len(point) == 1 + 2 * width and (y * y - x * x * x + 3 * x - b) % m == 0
    if not on_curve or not 0 < r < n or not 0 < s < n:
        return False
    e = int.from_bytes(digest[: (n.bit_length() + 7) // 8], "big")
    total: tuple[int, int] | None = None
    for scalar, base in ((e * pow(s, -1, n) % n, (gx, gy)), (r * pow(s, -1, n) % n, (x, y))):
        running: tuple[int, int] | None = base
        for bit in reversed(f"{scalar:b}"):
            if bit == "1":
                total = _affine(total, running, m)
            running = _affine(running, running, m)
    return total is not None and total[0] % n == r


def rsa(key: bytes, name: str, digest: bytes, signature: bytes) -> bool:
    """PKCS#1 v1.5; `key` is RSAPublicKey in DER."""
    n, e = (int.from_bytes(one[1], "big") for one in within(next(nodes(key))))
    width = (n.bit_length() + 7) // 8
    oid = next(bytes.fromhex(dotted) for dotted, known in _HASHES.items() if known == name)
    inner = b"\x06" + bytes([len(oid)]) + oid + b"\x05\x00"
    info = b"\x30" + bytes([len(inner)]) + inner + b"\x04" + bytes([len(digest)]) + digest
    info = b"\x30" + bytes([len(info)]) + info
    meant = b"\x00\x01" + b"\xff" * (width - len(info) - 3) + b"\x00" + info
    return (
        2048 <= n.bit_length() <= 16384 and 3 <= e < 2**64 and pow(int.from_bytes(signature, "big"), e, n) == int.from_bytes(meant, "big")
    )


@dataclass(frozen=True)
class Certificate:
    """What is asked of one."""

    der: bytes
    issuer: bytes
    subject: bytes
    key: Node
    signed: tuple[bytes, str, bytes]  # what, algorithm, value

    @classmethod
    def of(cls, der: bytes) -> Certificate:
        """From DER."""
        tbs, algorithm, value = within(next(nodes(der)))
        fields = [one for one in within(tbs) if one[0] != 0xA0]
        return cls(der, fields[2][2], fields[4][2], fields[5], (tbs[2], within(algorithm)[0][1].hex(), value[1][1:]))

    def made(self, text: bytes, algorithm: str, signature: bytes, hash_name: str = "") -> bool:
        """Whether its key made the signature over `text`."""
        kind, value = within(self.key)
        named_hash = _RSA.get(algorithm) or _ECDSA.get(algorithm) or (hash_name if algorithm == _RSA_ENCRYPTION else "")
        need(named_hash, f"a signature algorithm that this script does not know: {algorithm}")
        digest = hashlib.new(named_hash, text).digest()
        if within(kind)[0][1].hex() == _RSA_ENCRYPTION:
            return algorithm not in _ECDSA and rsa(value[1][1:], named_hash, digest, signature)
        return algorithm in _ECDSA and ecdsa(within(kind)[1][1].hex(), value[1][1:], digest, signature)

    @property
    def name(self) -> str:
        """The last text of its subject: the common name, by habit."""
        found = [one[1] for names in nodes(next(nodes(self.subject))[1]) for pair in within(names) for one in within(pair)[1:]]
        return found[-1].decode("utf-8", "replace") if found else "?"


def check_cades(cms: bytes, content: bytes) -> tuple[Certificate, list[Certificate]]:
    """The signer of a detached CAdES signature over `content`, and the certificates beside. RFC 5652 §5.4, RFC 5035."""
    kind, wrapped = within(next(nodes(cms)))
    need(kind[1].hex() == _SIGNED_DATA, "no SignedData")
    parts = within(within(wrapped)[0])
    certificates = [Certificate.of(one[2]) for part in parts if part[0] == 0xA0 for one in within(part)]
    signers = within(parts[-1])
    need(len(signers) == 1 and len(certificates) <= 20, "not one signer")
    fields = within(signers[0])
    attributes = next((one for one in fields if one[0] == 0xA0 and one is not fields[1]), None)
    need(attributes is not None, "no signed attributes")
    if attributes is None:
        raise NotShown("no signed attributes")
    hash_name = _HASHES[within(fields[2])[0][1].hex()]
    values = {within(one)[0][1].hex(): within(one)[1] for one in within(attributes)}
    digest = within(values[_DIGEST])[0][1]
    need(hmac.compare_digest(digest, hashlib.new(hash_name, content).digest()), "the signature is over another manifest")
    at = fields.index(attributes)
    algorithm, signature = within(fields[at + 1])[0][1].hex(), fields[at + 2][1]
    text = b"\x31" + attributes[2][1:]
    for one in certificates:
        if hashlib.sha256(one.der).digest() in values[_BINDING][1] and one.made(text, algorithm, signature, hash_name):
            return one, certificates
    raise NotShown("no certificate in the signature made it")


def certificates_in(folder: Path) -> list[Certificate]:
    """``*.pem``, ``*.crt``, ``*.cer``, ``*.der`` of the folder and its subfolders."""
    found = []
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() in (".pem", ".crt", ".cer", ".der") and path.is_file() and path.stat().st_size < MIB:
            data = path.read_bytes()
            blocks = re.findall(rb"-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END", data)
            found += [Certificate.of(one) for one in ([base64.b64decode(block) for block in blocks] or [data])]
    return found


def anchor_of(signer: Certificate, beside: Sequence[Certificate], trusted: Sequence[Certificate]) -> Certificate:
    """The trusted certificate to which signatures lead from the signer's."""
    one = signer
    for _ in range(8):
        for anchor in trusted:
            if one.der == anchor.der or (one.issuer == anchor.subject and anchor.made(*one.signed)):
                return anchor
        above = next((each for each in beside if each.subject == one.issuer and each is not one and each.made(*one.signed)), None)
        need(above, "no path leads from the signer to a trusted certificate")
        one = above or one
    raise NotShown("a path that is too long")


# --- the steps ----------------------------------------------------------------------------------------------------------------------


@dataclass
class Case:
    """One container with the question."""

    asked: argparse.Namespace
    report: Report
    files: dict[str, bytes] = field(default_factory=dict)
    index: dict[str, Any] = field(default_factory=dict)
    note: bytes = b""
    head: Checkpoint = Checkpoint("", 0, b"")
    witnessed: dict[str, int] = field(default_factory=dict)
    entries: list[Entry] = field(default_factory=list)
    values: dict[int, dict[str, Any]] = field(default_factory=dict)

    def run(self, data: bytes) -> None:
        """All steps, as far as each has what it needs."""
        step = self.report.step
        if not step("container", lambda: self.container(data)):
            return
        step("signature", self.signature)
        if not step("checkpoint", self.checkpoint):
            return
        step("witnesses", self.witnesses)
        if self.index["format"] == MESSAGE:
            if step("entries", self.inclusion) and step("openings", self.openings):
                for name, work in (("chain", self.chain), ("message", self.message), ("receipt", self.receipt), ("verdict", self.verdict)):
                    step(name, work)
        elif step("range", self.range) and step("bounds", self.bounds):
            step("withheld", self.withheld)
            step("party", self.party)

    def container(self, data: bytes) -> tuple[str, str]:
        """Files, index and manifest."""
        self.files = unpack(data)
        self.index = read_json(self.files["evidence.json"])
        need(self.index["format"] in (MESSAGE, PERIOD), "evidence of another format")
        need(
            self.files.get(MANIFEST, b"") == manifest_of(self.files) or self.asked.accept_unsigned,
            "the manifest does not list these very files",
        )
        known = {MANIFEST, SIGNATURE}
        need(all(name in known for name in self.files if name.startswith("META-INF/")), "a stranger in META-INF")
        return OK, f"{len(self.files)} files, {self.index['format']}"

    def signature(self) -> tuple[str, str]:
        """By the hub's certificate, over the manifest."""
        if SIGNATURE not in self.files:
            need(self.asked.accept_unsigned, "nobody signed the container")
            return OPEN, "nobody signed the container"
        signer, beside = check_cades(self.files[SIGNATURE], self.files[MANIFEST])
        told = f"by {signer.name} ({hashlib.sha256(signer.der).hexdigest()})"
        if self.asked.trust is None:
            return OPEN, f"{told}; without --trust nobody says whose certificate that is"
        anchor = anchor_of(signer, beside, certificates_in(self.asked.trust))
        return OK, f"{told}, path to {anchor.name}; periods and revocation are not judged here"

    def checkpoint(self) -> tuple[str, str]:
        """Signed by the log."""
        self.note = self.files["journal/checkpoint"]
        self.head = open_checkpoint(self.note, self.asked.log_key)
        return OK, f"{self.head.origin}, {self.head.size} entries, root {base64.b64encode(self.head.root).decode()}"

    def witnesses(self) -> tuple[str, str]:
        """Cosigned by those whom the reader knows."""
        if not self.asked.witness_key:
            return OPEN, "no --witness-key was given"
        self.witnessed = cosigned(self.note, self.asked.witness_key)
        quorum = self.asked.quorum or len(self.asked.witness_key)
        need(
            len(self.witnessed) >= quorum,
            f"{len(self.witnessed)} of {len(self.asked.witness_key)} witnesses cosigned, {quorum} are asked for",
        )
        return OK, ", ".join(f"{name} at {at_s}" for name, at_s in self.witnessed.items())

    # of a message

    def inclusion(self) -> tuple[str, str]:
        """Each entry is in the log."""
        for name, body in self.files.items():
            if not name.endswith(".tlog-proof"):
                continue
            head, gap, note = body.partition(b"\n\n")
            lines = head.decode("ascii").split("\n")
            need(gap and lines[0] == "c2sp.org/tlog-proof@v1" and lines[1].startswith("extra "), f"{name} is no tlog-proof")
            need(note == self.note, f"{name} is against another checkpoint")
            matched = re.fullmatch(r"index (0|[1-9][0-9]{0,18})", lines[2])
            need(matched and name == f"journal/{matched[1]}.tlog-proof", f"{name} is about another index")
            extra, number = read_json(base64.b64decode(lines[1][6:], validate=True)), int(matched[1]) if matched else -1
            entry = Entry.of(number, extra["leaf"].encode("utf-8"))
            path = [base64.b64decode(line, validate=True) for line in lines[3:]]
            need(included(leaf_hash(entry.leaf), number, self.head, path), f"entry {number} does not lead to the checkpoint's root")
            self.entries.append(entry)
            if "opening" in extra:
                self.index.setdefault("_openings", {})[number] = extra["opening"]
        self.entries.sort(key=lambda one: one.index)
        need(self.entries, "no entry")
        return OK, ", ".join(f"{one.index} {one.event}" for one in self.entries)

    def openings(self) -> tuple[str, str]:
        """Each value is what was committed to."""
        for one in self.entries:
            opening = self.index.get("_openings", {}).get(one.index)
            need(opening is not None, f"entry {one.index} is not opened")
            self.values[one.index] = one.opened(opening)
        return OK, f"{sum(map(len, self.values.values()))} values of {len(self.values)} entries"

    def accepted(self) -> tuple[Entry, dict[str, Any]]:
        """The acceptance, of which there is one."""
        found = [one for one in self.entries if one.event == "accepted"]
        need(len(found) == 1, f"{len(found)} acceptances")
        return found[0], self.values[found[0].index]

    def chain(self) -> tuple[str, str]:
        """All entries are about the message, and none between them is missing."""
        _, accepted = self.accepted()
        ours = accepted["message_id"]
        need(ours == self.index["message_id"], "the acceptance is of another message")
        known = {one.index for one in self.entries}
        for index, values in self.values.items():
            need(ours in (values.get("message_id"), values.get("first")), f"entry {index} is about another message")
            before = values.get("previous")
            need(before is None or before in known, f"entry {before}, which entry {index} follows, is missing")
        return OK, f"message {ours}"

    def message(self) -> tuple[str, str]:
        """The bytes are those that were received."""
        _, accepted = self.accepted()
        raw = self.files["message/raw"]
        need(hashlib.sha256(raw).hexdigest() == accepted["raw_digest"] and len(raw) == accepted["size"], "other bytes than were received")
        return OK, f"{len(raw)} bytes, SHA-256 {accepted['raw_digest']}"

    def receipt(self) -> tuple[str, str]:
        """The sender was told the same."""
        entry, accepted = self.accepted()
        told = read_json(self.files["message/receipt.json"])
        facts = (told["index"], base64.b64decode(told["leaf_hash"]), told["raw_sha256"], told["message_id"], told["origin"])
        meant = (entry.index, leaf_hash(entry.leaf), accepted["raw_digest"], accepted["message_id"], self.head.origin)
        need(facts == meant, "the receipt is about another entry")
        if not self.asked.receipt_key:
            return OPEN, "it says the same; without --receipt-key nobody says whose it is"
        text = b"lgsp-hub receipt v1\n" + canonical({name: value for name, value in told.items() if name != "signature"})
        signature = base64.b64decode(told["signature"], validate=True)
        need(any(ed25519(key, signature, text) for key in self.asked.receipt_key), "no receipt key given made its signature")
        return OK, f"signed by key {told['key_id']}"

    def verdict(self) -> tuple[str, str]:
        """What was recorded, and what it rests on."""
        _, accepted = self.accepted()
        need(read_json(self.files["verdict/verdict.json"]) == accepted["verdict"], "another verdict than was recorded")
        rests = [name for name in self.files if name.startswith("verdict/evidence/")]
        for name in rests:
            need(hashlib.sha256(self.files[name]).hexdigest() == name.split("/")[-1], f"{name} has another digest")
        bundle = accepted.get("artefacts", {}).get("evidence")
        need(not bundle or f"verdict/evidence/{bundle}" in self.files, "what the verdict rests on is missing")
        return (
            OPEN,
            f"recorded: {accepted['verdict'].get('verdict')}, {len(rests)} pieces of evidence; reach it again by lgsp evidence verify",
        )

    # of a period

    def range(self) -> tuple[str, str]:
        """Every leaf of the range is there, in its place."""
        first, end = self.index["first"], self.index["end"]
        need(
            type(first) is int and type(end) is int and 0 <= first < end <= self.head.size, f"entries {first} to {end} of {self.head.size}"
        )
        bundle, leaves, at = self.files["journal/entries"], [], 0
        while at < len(bundle):
            (length,) = struct.unpack_from(">H", bundle, at)
            leaves.append(bundle[at + 2 : at + 2 + length])
            at += 2 + length
        need(at == len(bundle) and len(leaves) == end - first, f"{len(leaves)} entries; {end - first} are meant to be there")
        left, proof = (
            [self.files[name][at : at + 32] for at in range(0, len(self.files[name]), 32)]
            for name in ("journal/left", "journal/consistency")
        )
        need(consistent(end, grown(left, first, leaves), self.head, proof), "the entries do not lead to the checkpoint's root")
        self.entries = [Entry.of(first + number, leaf) for number, leaf in enumerate(leaves)]
        return OK, f"entries {first} to {end - 1} of {self.head.size}"

    def bounds(self) -> tuple[str, str]:
        """They reach beyond the period on both sides."""
        told = {name: _moment(self.index[name]) for name in ("from", "to")}
        for name, meant in (("from", self.asked.since), ("to", self.asked.until)):
            need(meant is None or told[name] == meant, f"the period is another than was asked about: {name} {self.index[name]}")
        need(told["from"] < told["to"], "an empty period")
        slack, first, last = timedelta(seconds=SLACK_S), self.entries[0], self.entries[-1]
        need(first.index == 0 or first.time <= told["from"] - slack, f"the first entry is of {first.at}: earlier ones may be withheld")
        if last.time >= told["to"] + slack:
            return OK, f"{first.at} to {last.at}"
        need(last.index == self.head.size - 1, f"the last entry is of {last.at}: later ones may be withheld")
        seen = max(self.witnessed.values(), default=0)
        need(seen >= (told["to"] + slack).timestamp(), f"the checkpoint is too old: nothing shows that no entry came after {last.at}")
        return OK, f"{first.at} to the end of the log, as a witness saw it at {seen}"

    def _party_key(self) -> bytes:
        return self.asked.party_key or base64.b64decode(self.index["party_key"], validate=True)

    def withheld(self) -> tuple[str, str]:
        """Every leaf with the party's tag is opened, no other is."""
        openings = read_json(self.files["journal/openings.json"])
        key, mine = self._party_key(), set()
        need(len(key) == 32 and len(openings) <= MAX_OPENED, "no key of a party")
        for one in self.entries:
            if one.is_of(key):
                opening = openings.get(str(one.index))
                need(
                    opening is not None, f"entry {one.index} ({one.event}, {one.at}) is the party's and is not opened: withheld, or erased"
                )
                self.values[one.index] = one.opened(opening)
                mine.add(str(one.index))
        need(set(openings) == mine, "entries are opened that are not the party's, or not of the range")
        return OK, f"{len(mine)} of {len(self.entries)} entries are the party's, all opened"

    def party(self) -> tuple[str, str]:
        """The key is that of the party asked about."""
        meant = agency_key(self.index["party"])
        need(self.asked.party is None or agency_key(self.asked.party) == meant, f"about another party: {self.index['party']}")
        given = base64.b64decode(self.index["party_key"], validate=True)
        need(self.asked.party_key in (None, given), "made with another party key than the one given")
        events = {one.index: one.event for one in self.entries}
        about = [named(values) for index, values in self.values.items() if events[index] == "accepted"]
        need(
            all(meant in names for names in about), f"an opened acceptance does not name {self.index['party']}: the key is another party's"
        )
        need(about or self.asked.party_key, "nothing shows whose key it is: give --party-key")
        return OK, f"{self.index['party']}, named by {len(about)} acceptances"


def _moment(text: str) -> datetime:
    made = datetime.fromisoformat(text)
    if made.tzinfo is None:
        raise ValueError(f"{text} has no zone")
    return made


def _raw_key(text: str) -> bytes:
    made = base64.b64decode(text, validate=True)
    if len(made) != 32:
        raise ValueError("not 32 bytes")
    return made


def _arguments(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description="Checks evidence of an LGSP hub offline. / Kiểm tra bằng chứng của trục LGSP, ngoại tuyến."
    )
    parser.add_argument("file", type=Path)
    parser.add_argument("--log-key", action="append", required=True, type=lambda text: NoteKey.of(text, 1), help="name+hash+key")
    parser.add_argument("--witness-key", action="append", default=[], type=lambda text: NoteKey.of(text, 4), help="name+hash+key")
    parser.add_argument("--quorum", type=int, default=0, help="how many witnesses; 0: all given")
    parser.add_argument("--trust", type=Path, help="folder of trusted certificates")
    parser.add_argument("--receipt-key", action="append", default=[], type=_raw_key, help="base64 of 32 bytes")
    parser.add_argument("--party", help="the agency asked about")
    parser.add_argument("--party-key", type=_raw_key, help="base64 of 32 bytes")
    parser.add_argument("--from", dest="since", type=_moment, help="RFC 3339, with zone")
    parser.add_argument("--to", dest="until", type=_moment, help="RFC 3339, with zone")
    parser.add_argument("--accept-unsigned", action="store_true", help="take a container that nobody signed")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args(argv)


def main(argv: Sequence[str]) -> int:
    """0 valid, 1 not, 2 usage."""
    asked = _arguments(argv)
    try:
        if asked.file.stat().st_size > MAX_FILE_BYTES:
            raise OSError("too large")
        data = asked.file.read_bytes()
    except OSError as fault:
        sys.stderr.write(f"{asked.file}: {fault.strerror or fault}\n")
        return 2
    report = Report()
    Case(asked, report).run(data)
    if asked.json:
        told = json.dumps({"valid": report.valid, "points": report.points}, ensure_ascii=False, indent=2)
    else:
        told = "\n".join([f"{one['state']:>6}  {one['point']}: {one['text']}" for one in report.points])
        told += "\nHỢP LỆ / VALID" if report.valid else "\nKHÔNG HỢP LỆ / NOT VALID"
    sys.stdout.buffer.write(told.encode("utf-8", "replace") + b"\n")
    return 0 if report.valid else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
