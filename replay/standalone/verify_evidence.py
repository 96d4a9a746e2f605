#!/usr/bin/env python3
"""Checks evidence of an LGSP hub offline: no hub, no network, no package.

    python3 -I verify.py FILE --log-key NAME+HASH+KEY [--witness-key NAME+HASH+KEY]… [--quorum N] [--trust DIR] [--json]
            [--receipt-key BASE64]… [--party CODE --from TIME --to TIME] [--party-key BASE64] [--accept-unsigned]

Needs Python 3.11 and the command `openssl`, 3.0 or newer, which verifies all signatures. It shares no line with the hub: a mistake there is
not repeated here. What it leaves to `lgsp evidence verify`: reading the packet, and reaching the verdict on its signatures again.

FILE is a container of `lgsp evidence export` or `lgsp evidence completeness`; what is in it and what each point means: docs/evidence.md.
Exit codes: 0 everything holds, 1 something does not, 2 usage. This file is longer than 300 lines because it has to be one file.
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
import subprocess
import sys
import tempfile
import unicodedata
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

MIB = 1024 * 1024
MAX_FILE_BYTES, MAX_UNPACKED_BYTES, MAX_FILES, MAX_RATIO = 512 * MIB, 640 * MIB, 10_000, 200
SLACK = timedelta(seconds=300)  # an entry's time lies at most half of this from when it was appended
MESSAGE, PERIOD = "lgsp-hub/evidence/1", "lgsp-hub/completeness/1"
MANIFEST, SIGNATURE = "META-INF/ASiCManifest.xml", "META-INF/signature.p7s"
OK, FAILED, OPEN = "ok", "failed", "open"  # open: not shown, and nothing speaks against it
FAULTS = (
    *(ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError, OverflowError, struct.error, zipfile.BadZipFile),
    *(zlib.error, NotImplementedError, EOFError, RuntimeError, MemoryError, OSError, subprocess.SubprocessError),
)


class NotShown(ValueError):
    """A point does not hold; the text says why."""


def need(holds: object, text: str) -> None:
    """Raises `NotShown` where it does not hold."""
    if not holds:
        raise NotShown(text)


def b64(text: str, width: int = 0) -> bytes:
    """Base64 and nothing else; of `width` bytes, where given."""
    made = base64.b64decode(text, validate=True)
    need(not width or len(made) == width, f"{len(made)} bytes where there have to be {width}")
    return made


def sha256(data: bytes) -> bytes:
    """The only digest."""
    return hashlib.sha256(data).digest()


# --- signatures, by openssl: Ed25519 (RFC 8032); CMS with CAdES (RFC 5652, 5035) and time stamps (RFC 3161) by any key that it knows ----


def openssl(*arguments: str, files: Mapping[str, bytes], make: str = "") -> bytes:
    """What it prints, or the file that it is to make, in a folder with these `files`. Raises `NotShown` where it says no."""
    with tempfile.TemporaryDirectory() as folder:
        for name, body in files.items():
            (Path(folder) / name).write_bytes(body)
        try:
            done = subprocess.run(["openssl", *arguments], cwd=folder, capture_output=True, timeout=120, check=False)
        except FileNotFoundError as fault:
            raise NotShown("the command `openssl`, 3.0 or newer, is needed, and is not here") from fault
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        need(done.returncode == 0, "openssl: " + (said[-1] if said else done.stdout.decode("utf-8", "replace").strip())[:300])
        return (Path(folder) / make).read_bytes() if make else done.stdout


def ed25519(key: bytes, signature: bytes, text: bytes) -> bool:
    """Whether `signature` over `text` is by the key with these 32 bytes."""
    files = {"key": bytes.fromhex("302a300506032b6570032100") + key, "signature": signature, "text": text}
    given = ("-keyform", "DER", "-inkey", "key", "-rawin", "-in", "text", "-sigfile", "signature")
    try:
        return b"Signature Verified Successfully" in openssl("pkeyutl", "-verify", "-pubin", *given, files=files)
    except NotShown as fault:
        need("is not here" not in str(fault), str(fault))
        return False


def signer_of(cms: bytes, content: bytes | None, trust: Path | None) -> tuple[str, dict[str, bytes], tuple[str, ...]]:
    """Who signed, by the certificate that the signature itself names; with `trust`, one from which a path leads there. Periods and
    revocation are not judged. And the files and options by which that path is found. `content` None: it is in the signature."""
    long = cms[1] & 0x7F if cms[1] & 0x80 else 0
    need(2 + long + int.from_bytes(cms[2 : 2 + long] if long else cms[1:2], "big") == len(cms), "a signature with something behind it")
    files = {"cms": cms, "content": content or b""}
    given = ["-inform", "DER", "-in", "cms", "-binary", *(["-content", "content"] if content is not None else [])]
    beside, signer = (
        openssl("cms", "-verify", "-noverify", *given, "-certsout", "beside", "-signer", "signer", "-out", "out", files=files, make=name)
        for name in ("beside", "signer")
    )
    files |= {"beside": beside, "anchors": beside if trust is None else certificates_in(trust), "signer": signer}
    path = ("-CAfile", "anchors", "-partial_chain", "-no_check_time")
    openssl("cms", "-verify", "-cades", *given, *path, "-no-CApath", "-no-CAstore", "-purpose", "any", "-out", "out", files=files)
    told = openssl("x509", "-in", "signer", "-noout", "-subject", "-nameopt", "RFC2253,utf8,-esc_msb", files=files)
    return told.decode("utf-8", "replace").strip(), files, path


def stamped(token: bytes, content: bytes, trust: Path | None) -> str:
    """When a token says that `content` existed, and whose it is."""
    who, files, path = signer_of(token, None, trust)
    given = ("-token_in", "-in", "cms", "-data", "content", "-untrusted", "beside")
    openssl("ts", "-verify", *given, *path, files=files | {"content": content})
    told = re.search(rb"^Time stamp: (.+)$", openssl("ts", "-reply", "-token_in", "-in", "cms", "-text", files=files), re.MULTILINE)
    return f"{told[1].decode() if told else 'no time'}, by {who}"


def certificates_in(folder: Path) -> bytes:
    """``*.pem``, ``*.crt``, ``*.cer``, ``*.der`` of the folder and its subfolders, as PEM."""
    found = b""
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() in (".pem", ".crt", ".cer", ".der") and path.is_file() and path.stat().st_size < MIB:
            data = path.read_bytes()
            wrapped = b"-----BEGIN CERTIFICATE-----\n" + base64.encodebytes(data) + b"-----END CERTIFICATE-----\n"
            found += data + b"\n" if b"-----BEGIN CERTIFICATE" in data else wrapped
    return found


# --- notes and checkpoints: C2SP signed-note, tlog-checkpoint, tlog-cosignature --------------------------------------------------------


class NoteKey(NamedTuple):
    """A public key, its name and the four bytes that lead to it."""

    name: str
    id: bytes
    raw: bytes


class Checkpoint(NamedTuple):
    """What the log says of itself."""

    origin: str
    size: int
    root: bytes


def note_key(text: str, kind: int) -> NoteKey:
    """From ``name+hash+base64``; of kind 1 it signs notes, of kind 4 it cosigns them."""
    name, hashed, encoded = text.split("+", 2)
    raw = b64(encoded, 33)
    made = NoteKey(name, sha256(name.encode() + b"\n" + raw)[:4], raw[1:])
    need(raw[0] == kind and made.id.hex() == hashed and re.fullmatch(r"[^\s+]+", name), f"{text[:100]} is no key of type {kind}")
    return made


def split_note(note: bytes, keys: Sequence[NoteKey]) -> tuple[str, Checkpoint, list[tuple[NoteKey, bytes]]]:
    """Text, checkpoint, and the signatures that `keys` made by name, none of them checked yet. Lines of others are passed over."""
    text, gap, tail = note.decode("utf-8").rpartition("\n\n")
    lines = [re.fullmatch("\u2014 ([^\\s+]+) ([A-Za-z0-9+/]+={0,2})", line) for line in tail[:-1].split("\n")]
    is_note = gap and tail.endswith("\n") and len(note) < MIB and not re.search(r"[\x00-\x09\x0b-\x1f]", text)
    need(is_note and None not in lines and len(lines) <= 100, "the checkpoint is no signed note")
    found = [(line[1], b64(line[2])) for line in lines if line]
    told = (text + "\n").split("\n")
    need(len(told) >= 4 and re.fullmatch(r"0|[1-9][0-9]{0,18}", told[1]), "the checkpoint does not say origin, size and root")
    mine = [(key, raw) for name, raw in found for key in keys if (key.name, key.id) == (name, raw[:4])]
    return text + "\n", Checkpoint(told[0], int(told[1]), b64(told[2], 32)), mine


def signed_checkpoint(note: bytes, keys: Sequence[NoteKey]) -> Checkpoint:
    """The checkpoint, if a log key signed it for the log of its own name."""
    text, head, signatures = split_note(note, keys)
    mine = [(key, raw) for key, raw in signatures if key.name == head.origin]
    need(mine, f"the checkpoint of {head.origin} carries no signature of the log key given")
    need(all(ed25519(key.raw, raw[4:], text.encode()) for key, raw in mine), "the log's signature does not fit the checkpoint")
    return head


def cosigned(note: bytes, keys: Sequence[NoteKey]) -> dict[str, int]:
    """Which witnesses cosigned, and when (POSIX seconds). A wrong line of a known witness is a fault."""
    text, _, signatures = split_note(note, keys)
    found = {key.name: int.from_bytes(raw[4:12], "big") for key, raw in signatures}
    for key, raw in signatures:
        body = f"cosignature/v1\ntime {int.from_bytes(raw[4:12], 'big')}\n{text}".encode()
        need(len(raw) == 76 and found[key.name] < 2**40 and ed25519(key.raw, raw[12:], body), f"a wrong cosignature of {key.name}")
    return found


# --- the tree: RFC 6962 §2.1, RFC 9162 §2.1.3.2 and §2.1.4.2 ---------------------------------------------------------------------------


def leaf_hash(leaf: bytes) -> bytes:
    """SHA-256(0x00 ‖ leaf)."""
    return sha256(b"\x00" + leaf)


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01 ‖ left ‖ right)."""
    return sha256(b"\x01" + left + right)


def climbed(node: int, last: int, old: bytes, path: Sequence[bytes]) -> tuple[bytes, bytes, bool]:
    """Walks up from `node`: the hash of what lies left of and below the path, the root, and whether the path is as long as it has to be."""
    new = old
    for sibling in path:
        need(last > 0 and len(sibling) == 32, "a path that is too long, or no hashes")
        if node & 1 or node == last:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            while node and not node & 1:
                node, last = node >> 1, last >> 1
        else:
            new = node_hash(new, sibling)
        node, last = node >> 1, last >> 1
    return old, new, last == 0


def included(hashed: bytes, index: int, head: Checkpoint, path: Sequence[bytes]) -> bool:
    """Whether the path leads from the leaf at `index` to the head's root."""
    return 0 <= index < head.size and climbed(index, head.size - 1, hashed, path)[1:] == (head.root, True)


def consistent(size: int, root: bytes, head: Checkpoint, proof: Sequence[bytes]) -> bool:
    """Whether the tree of `size` with `root` is how the head's tree begins; 0 < size."""
    path = [*([root] if size & (size - 1) == 0 else []), *proof]
    if size == head.size or not 0 < size < head.size or not path:
        return size == head.size and not proof and root == head.root
    node, last = size - 1, head.size - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    return climbed(node, last, path[0], path[1:]) == (root, head.root, True)


def grown(left: Sequence[bytes], first: int, leaves: Sequence[bytes]) -> bytes:
    """Root of the tree that begins with `first` entries that nobody shows, whose complete subtrees are `left` (largest first), and goes on
    with `leaves`."""
    heights = [height for height in reversed(range(first.bit_length())) if first >> height & 1]
    need(len(heights) == len(left) and leaves, "the left edge is not that of the first index")
    stack = list(zip(heights, left, strict=True))
    for leaf in leaves:
        height, hashed = 0, leaf_hash(leaf)
        while stack and stack[-1][0] == height:
            height, hashed = height + 1, node_hash(stack.pop()[1], hashed)
        stack.append((height, hashed))
    root = stack.pop()[1]
    while stack:
        root = node_hash(stack.pop()[1], root)
    return root


def hashes_in(data: bytes) -> list[bytes]:
    """Hashes side by side."""
    need(len(data) % 32 == 0 and len(data) <= 128 * 32, "no list of hashes")
    return [data[at : at + 32] for at in range(0, len(data), 32)]


# --- entries: canonical JSON (RFC 8785), commitments, tags -----------------------------------------------------------------------------


def read_json(data: bytes | str) -> Any:
    """JSON without doubled names, fractions and numbers that a double cannot hold."""

    def pairs(found: list[tuple[str, Any]]) -> dict[str, Any]:
        need(len(dict(found)) == len(found), "a name stands twice in one object")
        return dict(found)

    def whole(text: str) -> int:
        need(re.fullmatch(r"-?[0-9]{1,17}", text) and abs(int(text)) < 2**53, f"a number that no entry has: {text[:40]}")
        return int(text)

    text = data.decode("utf-8") if isinstance(data, bytes) else data
    return json.loads(text, object_pairs_hook=pairs, parse_float=whole, parse_constant=whole, parse_int=whole)


def canonical(value: Any) -> bytes:
    """RFC 8785, for values without fractions: members sorted by UTF-16 code units."""
    if isinstance(value, dict):
        members = sorted(value.items(), key=lambda item: item[0].encode("utf-16-be"))
        return b"{" + b",".join(canonical(name) + b":" + canonical(each) for name, each in members) + b"}"
    if isinstance(value, list):
        return b"[" + b",".join(map(canonical, value)) + b"]"
    return json.dumps(value, ensure_ascii=False).encode("utf-8")


class Entry(NamedTuple):
    """A leaf, read."""

    number: int
    leaf: bytes
    event: str
    at: str
    nonce: bytes
    tags: list[bytes]
    commitments: Mapping[str, bytes]


def entry_of(index: int, leaf: bytes) -> Entry:
    """Of the one canonical form."""
    table = read_json(leaf)
    is_known = set(table) == {"at", "commitments", "event", "nonce", "tags", "v"} and table["v"] == 1
    need(is_known and canonical(table) == leaf and len(leaf) <= 65_535, f"entry {index} is no leaf of version 1 in canonical form")
    need(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", table["at"], re.ASCII), f"entry {index} has a time of another form")
    commitments = {name: b64(text, 32) for name, text in table["commitments"].items()}
    return Entry(index, leaf, str(table["event"]), table["at"], b64(table["nonce"]), list(map(b64, table["tags"])), commitments)


def values_of(entry: Entry, opening: Mapping[str, Any] | None) -> dict[str, Any]:
    """What the opening shows, if each value agrees with its commitment."""
    need(opening is not None, f"entry {entry.number} is not opened")
    shown = dict(opening or {})
    need(set(shown) == set(entry.commitments), f"entry {entry.number}: other fields are opened than were committed to")
    for name, disclosed in shown.items():
        made = sha256(b64(disclosed["salt"], 16) + canonical(disclosed["value"]))
        fits = set(disclosed) == {"salt", "value"} and hmac.compare_digest(made, entry.commitments[name])
        need(fits, f"entry {entry.number}: {name} is not what was committed to")
    return {name: disclosed["value"] for name, disclosed in shown.items()}


def agency_key(code: str) -> str:
    """By which two codes of one agency are equal: ``H32`` and ``000.00.00.H32``."""
    text = unicodedata.normalize("NFC", code).strip().upper()
    parts = text.split(".")
    if re.fullmatch(r"([0-9A-Z]+\.)+[A-Z][0-9]{2}", text):
        parts = parts[::-1]
        while not parts[-1].strip("0"):
            parts.pop()
    elif not re.fullmatch(r"[A-Y][0-9]{2}(\.[0-9A-Z]+)*", text):
        return text
    return ".".join(part.lstrip("0") or "0" if part.isdigit() else part for part in parts)


# --- the container: ETSI EN 319 162-1, within bounds -----------------------------------------------------------------------------------


def unpack(data: bytes) -> dict[str, bytes]:
    """Its files in order. Every reader must see the same ones: entries stand side by side, and both headers say the same."""
    with zipfile.ZipFile(io.BytesIO(data)) as opened:
        rows = sorted(opened.infolist(), key=lambda one: one.header_offset)
        need(0 < len(rows) <= MAX_FILES and sum(one.file_size for one in rows) <= MAX_UNPACKED_BYTES, "too many files, or too large")
        need(not opened.comment and data[-22:-18] == b"PK\x05\x06", "something follows the end of the archive")
        need(len({one.filename.casefold() for one in rows}) == len(rows), "one name stands twice")
        at, files = 0, {}
        for one in rows:
            name, start = one.filename, one.header_offset
            is_plain = re.fullmatch(r"[A-Za-z0-9_-][A-Za-z0-9._/-]{0,199}", name) and not {"", ".", ".."} & set(name.split("/"))
            need(is_plain, f"a name that no evidence has: {name[:80]!a}")
            need(not one.flag_bits & 0x2049 and one.compress_type in (0, 8), f"{name}: encrypted, or packed in another way")
            need(one.file_size <= max(MIB, MAX_RATIO * one.compress_size), f"{name}: {one.file_size} bytes from {one.compress_size}")
            mark, _, flags, method, _, _, crc, packed, size, names, extra = struct.unpack_from("<4s5H3L2H", data, start)
            told = (flags & 0x2049, method, crc, packed, size, data[start + 30 :][:names])
            meant = (0, one.compress_type, one.CRC, one.compress_size, one.file_size, name.encode())
            need(mark == b"PK\x03\x04" and start == at and told == meant, f"{name}: two headers that differ, or a gap")
            at += 30 + names + extra + one.compress_size
            with opened.open(one) as stream:
                files[name] = stream.read(one.file_size + 1)
            need(len(files[name]) == one.file_size, f"{name}: another size than it says")
        need(at == opened.start_dir, "a gap before the directory")
        is_first = rows[0].filename == "mimetype" and rows[0].compress_type == 0 and not rows[0].extra
    need(is_first and files["mimetype"] == b"application/vnd.etsi.asic-e+zip", "mimetype is not first, stored and that of ASiC-E")
    return files


def manifest_of(files: Mapping[str, bytes]) -> bytes:
    """The manifest that the files must have, byte for byte: it has one form, so nobody has to parse it."""
    rows = "".join(
        f'<asic:DataObjectReference URI="{name}"><ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"></ds:DigestMethod>'
        f"<ds:DigestValue>{base64.b64encode(sha256(body)).decode()}</ds:DigestValue></asic:DataObjectReference>"
        for name, body in files.items()
        if name != "mimetype" and not name.startswith("META-INF/")
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<asic:ASiCManifest xmlns:asic="http://uri.etsi.org/02918/v1.2.1#" '
        f'xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><asic:SigReference URI="{SIGNATURE}" MimeType="application/pkcs7-signature">'
        f"</asic:SigReference>{rows}</asic:ASiCManifest>\n"
    ).encode()


# --- the points ------------------------------------------------------------------------------------------------------------------------

Say = Callable[[str, str], None]


class Case:
    """One container with the question, and what is known of it so far."""

    def __init__(self, asked: argparse.Namespace) -> None:
        self.asked = asked
        self.points: list[dict[str, str]] = []
        self.files: dict[str, bytes] = {}
        self.index: dict[str, Any] = {}
        self.head = Checkpoint("", 0, b"")
        self.witnessed: dict[str, int] = {}
        self.entries: list[Entry] = []
        self.values: dict[int, dict[str, Any]] = {}

    @contextmanager
    def point(self, name: str) -> Iterator[Say]:
        """One point: what is said in the block, or whatever goes wrong in it."""
        said = [FAILED, "nothing was shown"]

        def say(state: str, text: str) -> None:
            said[:] = [state, text]

        try:
            yield say
        except FAULTS as fault:
            said = [FAILED, str(fault) if isinstance(fault, NotShown) else f"{type(fault).__name__}: {fault}"]
        self.points.append({"point": name, "state": said[0], "text": said[1][:500]})

    @property
    def is_valid(self) -> bool:
        """Whether nothing has failed so far."""
        return all(one["state"] != FAILED for one in self.points)

    def run(self, data: bytes) -> None:
        """All points, as far as each has what it needs."""
        with self.point("container") as say:
            self.files = unpack(data)
            self.index = read_json(self.files["evidence.json"])
            need(self.index["format"] in (MESSAGE, PERIOD), "evidence of another format")
            is_listed = self.files.get(MANIFEST, b"") == manifest_of(self.files)
            need(is_listed or self.asked.accept_unsigned, "the manifest does not list these very files")
            need({name for name in self.files if name.startswith("META-INF/")} <= {MANIFEST, SIGNATURE}, "a stranger in META-INF")
            say(OK, f"{len(self.files)} files, {self.index['format']}")
        if not self.is_valid:
            return
        with self.point("signature") as say:
            need(SIGNATURE in self.files or self.asked.accept_unsigned, "nobody signed the container")
            say(OPEN, "nobody signed the container")
            if SIGNATURE in self.files:
                told = signer_of(self.files[SIGNATURE], self.files[MANIFEST], self.asked.trust)[0]
                say(OPEN if self.asked.trust is None else OK, told + ("; without --trust nobody says who that is" * (not self.asked.trust)))
        self.log()
        if self.head.size:
            (self.message if self.index["format"] == MESSAGE else self.period)()

    def log(self) -> None:
        """The log's own signature, and those of the witnesses whom the reader knows."""
        note, known = self.files.get("journal/checkpoint", b""), self.asked.witness_key
        with self.point("checkpoint") as say:
            self.head = signed_checkpoint(note, self.asked.log_key)
            say(OK, f"{self.head.origin}, {self.head.size} entries, root {base64.b64encode(self.head.root).decode()}")
        with self.point("witnesses") as say:
            self.witnessed, quorum = cosigned(note, known), self.asked.quorum or len(known)
            need(len(self.witnessed) >= quorum, f"{len(self.witnessed)} of {len(known)} witnesses cosigned, {quorum} are asked for")
            told = ", ".join(f"{name} at {at_s}" for name, at_s in self.witnessed.items())
            say(OK if known else OPEN, told or "no --witness-key was given")

    def stamp(self, least: int) -> None:
        """An authority attests that the first `least` entries existed: it stamped a checkpoint that leads to the container's."""
        with self.point("stamp") as say:
            say(OPEN, "no time stamp of an authority covers these entries")
            if "journal/stamped.tst" in self.files:
                note, proof = self.files["journal/stamped"], hashes_in(self.files["journal/stamped.consistency"])
                told = split_note(note, ())[1]
                is_ours = told.origin == self.head.origin and told.size >= least
                need(is_ours and consistent(told.size, told.root, self.head, proof), "the stamped checkpoint does not lead on")
                who = stamped(self.files["journal/stamped.tst"], note, self.asked.trust)
                say(OPEN if self.asked.trust is None else OK, f"the first {told.size} entries existed at {who}")

    def proofs(self) -> Iterator[tuple[Entry, Mapping[str, Any] | None]]:
        """The entries that are proven one by one (C2SP tlog-proof), each with what opens it."""
        for name in (each for each in self.files if each.endswith(".tlog-proof")):
            top, gap, note = self.files[name].partition(b"\n\n")
            lines = top.decode("ascii").split("\n")
            is_proof = gap and lines[0] == "c2sp.org/tlog-proof@v1" and lines[1].startswith("extra ")
            need(is_proof and note == self.files["journal/checkpoint"], f"{name} is no tlog-proof, or against another checkpoint")
            matched = re.fullmatch(r"index (0|[1-9][0-9]{0,18})", lines[2])
            number = int(matched[1]) if matched else -1
            need(name == f"journal/{number}.tlog-proof", f"{name} is about another index")
            extra = read_json(b64(lines[1][6:]))
            entry = entry_of(number, extra["leaf"].encode("utf-8"))
            leads = included(leaf_hash(entry.leaf), number, self.head, list(map(b64, lines[3:])))
            need(leads, f"entry {number} does not lead to the checkpoint's root")
            yield entry, extra.get("opening")

    def message(self) -> None:
        """The evidence of one message: its entries."""
        with self.point("entries") as say:
            found = sorted(self.proofs(), key=lambda one: one[0].number)
            need(found, "no entry")
            say(OK, ", ".join(f"{one.number} {one.event}" for one, _ in found))
        if self.points[-1]["state"] != OK:
            return
        with self.point("openings") as say:
            self.values = {one.number: values_of(one, opening) for one, opening in found}
            say(OK, f"{sum(map(len, self.values.values()))} values of {len(found)} entries")
        with self.point("chain") as say:
            accepted = [one for one, _ in found if one.event == "accepted"]
            need(len(accepted) == 1, f"{len(accepted)} acceptances")
            ours = self.values[accepted[0].number]["message_id"]
            need(ours == self.index["message_id"], "the acceptance is of another message")
            for index, values in self.values.items():
                before = values.get("previous")
                need(ours in (values.get("message_id"), values.get("first")), f"entry {index} is about another message")
                need(before is None or before in self.values, f"entry {before}, which entry {index} follows, is missing")
            say(OK, f"message {ours}")
        if self.points[-1]["state"] == OK:
            self.stamp(accepted[0].number + 1)
            self.content(accepted[0], self.values[accepted[0].number])

    def content(self, entry: Entry, accepted: Mapping[str, Any]) -> None:
        """What was received, and what was said of it."""
        with self.point("message") as say:
            raw = self.files["message/raw"]
            need((sha256(raw).hex(), len(raw)) == (accepted["raw_digest"], accepted["size"]), "other bytes than were received")
            say(OK, f"{len(raw)} bytes, SHA-256 {accepted['raw_digest']}")
        with self.point("receipt") as say:
            told = read_json(self.files["message/receipt.json"])
            facts = (told["index"], b64(told["leaf_hash"]), told["raw_sha256"], told["message_id"], told["origin"])
            meant = (entry.number, leaf_hash(entry.leaf), accepted["raw_digest"], accepted["message_id"], self.head.origin)
            need(facts == meant, "the receipt is about another entry")
            text = b"lgsp-hub receipt v1\n" + canonical({name: value for name, value in told.items() if name != "signature"})
            keys = self.asked.receipt_key
            need(not keys or any(ed25519(key, b64(told["signature"]), text) for key in keys), "no receipt key given made its signature")
            say(
                OK if keys else OPEN,
                f"it says the same; key {told['key_id']}" + ("" if keys else ", and no --receipt-key says whose it is"),
            )
        with self.point("verdict") as say:
            need(read_json(self.files["verdict/verdict.json"]) == accepted["verdict"], "another verdict than was recorded")
            rests = {name.split("/")[-1]: body for name, body in self.files.items() if name.startswith("verdict/evidence/")}
            wrong = [name for name, body in rests.items() if sha256(body).hex() != name]
            need(not wrong, f"{wrong} has another digest")
            bundle = accepted.get("artefacts", {}).get("evidence")
            need(not bundle or bundle in rests, "what the verdict rests on is missing")
            say(
                OPEN,
                f"recorded: {accepted['verdict'].get('verdict')}, resting on {len(rests)} files; lgsp evidence verify reaches it again",
            )

    def period(self) -> None:
        """That nothing about a party was withheld: every leaf of the range is there, and it reaches beyond the period on both sides."""
        with self.point("range") as say:
            first, end = self.index["first"], self.index["end"]
            is_range = type(first) is int and type(end) is int and 0 <= first < end <= self.head.size
            need(is_range, f"entries {first} to {end} of {self.head.size}")
            bundle, at, leaves = self.files["journal/entries"], 0, list[bytes]()
            while at < len(bundle):
                length = int.from_bytes(bundle[at : at + 2], "big")
                leaves.append(bundle[at + 2 : at + 2 + length])
                at += 2 + length
            need(at == len(bundle) and len(leaves) == end - first, f"{len(leaves)} entries; {end - first} are meant to be there")
            left, proof = (hashes_in(self.files[name]) for name in ("journal/left", "journal/consistency"))
            need(consistent(end, grown(left, first, leaves), self.head, proof), "the entries do not lead to the checkpoint's root")
            self.entries = [entry_of(first + number, leaf) for number, leaf in enumerate(leaves)]
            say(OK, f"entries {first} to {end - 1} of {self.head.size}")
        with self.point("bounds") as say:
            since, until = moment(self.index["from"]), moment(self.index["to"])
            is_asked = self.asked.since in (None, since) and self.asked.until in (None, until) and since < until
            need(is_asked, f"an empty period, or another than was asked about: {since} to {until}")
            begin, last = self.entries[0], self.entries[-1]
            is_before = begin.number == 0 or moment(begin.at) <= since - SLACK
            need(is_before, f"the first entry is of {begin.at}: earlier ones may be withheld")
            seen = max(self.witnessed.values(), default=0) if last.number == self.head.size - 1 else 0  # the end of the log
            is_behind = moment(last.at) >= until + SLACK or seen >= (until + SLACK).timestamp()
            need(is_behind, f"the last entry is of {last.at}, and no known witness saw the log end there: later ones may be withheld")
            say(OK, f"{begin.at} to {last.at}" + (f", the end of the log as a witness saw it at {seen}" if seen else ""))
        if self.is_valid or self.points[-1]["state"] == OK:
            self.stamp(end)
            self.party()

    def party(self) -> None:
        """Every leaf with the party's tag is opened, or was erased; no other is; and the key is that of the party asked about."""
        asked, erasing, erased = self.asked, dict[int, str](), list[str]()
        with self.point("withheld") as say:
            for one, opening in self.proofs():
                values = values_of(one, opening)
                why = f"erased by entry {one.number} of {one.at}, {values['by']}: {values['reason']}"
                need(one.event == "erased", f"entry {one.number} is no `erased` entry")
                erasing |= dict.fromkeys((each for each in values["entries"] if each < one.number), why)
            openings, key = read_json(self.files["journal/openings.json"]), asked.party_key or b64(self.index["party_key"], 32)
            mine = {str(one.number): one for one in self.entries if hmac.digest(key, one.nonce, "sha256") in one.tags}
            for name, one in mine.items():
                is_told = name in openings or one.number in erasing
                need(is_told, f"entry {name} ({one.event}, {one.at}) is the party's and is not opened: withheld")
                if name in openings:
                    self.values[one.number] = values_of(one, openings[name])
                else:
                    erased.append(f"{name} ({one.event}, {one.at}) {erasing[one.number]}")
            need(set(openings) <= set(mine), "entries are opened that are not the party's, or not of the range")
            say(
                OK, f"{len(mine)} of {len(self.entries)} entries are the party's, {len(erased) or 'none'} of them erased, all others opened"
            )
        if erased:
            with self.point("erased") as say:
                say(OPEN, f"{len(erased)} entries cannot be opened any more: {'; '.join(erased)}")
        with self.point("party") as say:
            meant, given = agency_key(self.index["party"]), b64(self.index["party_key"], 32)
            need(asked.party is None or agency_key(asked.party) == meant, f"about another party: {self.index['party']}")
            need(asked.party_key in (None, given), "made with another party key than the one given")
            first = self.entries[0].number
            about = [values for index, values in self.values.items() if self.entries[index - first].event == "accepted"]
            is_named = all(meant in map(agency_key, (values["sender"], *values["recipients"])) for values in about)
            need(is_named, f"an opened acceptance does not name {self.index['party']}: the key is another party's")
            need(about or asked.party_key, "nothing shows whose key it is: give --party-key")
            say(OK, f"{self.index['party']}, named by {len(about)} acceptances")


def moment(text: str) -> datetime:
    """A time with its zone."""
    made = datetime.fromisoformat(text)
    need(made.tzinfo, f"{text} has no zone")
    return made


def arguments(argv: Sequence[str]) -> argparse.Namespace:
    """The command line. Exits with 2 where it is wrong."""
    about = "Checks evidence of an LGSP hub offline. / Kiểm tra bằng chứng của trục LGSP, ngoại tuyến."
    parser = argparse.ArgumentParser(description=about)
    add = parser.add_argument
    add("file", type=Path)
    add("--log-key", action="append", required=True, type=lambda text: note_key(text, 1), help="name+hash+key")
    add("--witness-key", action="append", default=[], type=lambda text: note_key(text, 4), help="name+hash+key")
    add("--quorum", type=int, default=0, help="how many witnesses; 0: all given")
    add("--trust", type=Path, help="folder of trusted certificates")
    add("--receipt-key", action="append", default=[], type=lambda text: b64(text, 32), help="base64 of 32 bytes")
    add("--party", help="the agency asked about")
    add("--party-key", type=lambda text: b64(text, 32), help="base64 of 32 bytes")
    add("--from", dest="since", type=moment, help="RFC 3339, with zone")
    add("--to", dest="until", type=moment, help="RFC 3339, with zone")
    add("--accept-unsigned", action="store_true", help="take a container that nobody signed")
    add("--json", action="store_true")
    return parser.parse_args(argv)


def main(argv: Sequence[str]) -> int:
    """0 valid, 1 not, 2 usage."""
    asked = arguments(argv)
    try:
        need(asked.file.stat().st_size <= MAX_FILE_BYTES, "too large")
        need(asked.trust is None or asked.trust.is_dir(), f"{asked.trust} is no folder")
        data = asked.file.read_bytes()
    except (OSError, ValueError) as fault:
        sys.stderr.write(f"{asked.file}: {getattr(fault, 'strerror', None) or fault}\n")
        return 2
    case = Case(asked)
    case.run(data)
    if asked.json:
        told = json.dumps({"valid": case.is_valid, "points": case.points}, ensure_ascii=False, indent=2)
    else:
        told = "\n".join(f"{one['state']:>6}  {one['point']}: {one['text']}" for one in case.points)
        told += "\nHỢP LỆ / VALID" if case.is_valid else "\nKHÔNG HỢP LỆ / NOT VALID"
    sys.stdout.buffer.write(told.encode("utf-8", "replace") + b"\n")
    return 0 if case.is_valid else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
