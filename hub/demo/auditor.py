"""What somebody can check who has nothing of the hub's but two public keys: the receipt, and that its entry is in the log.

Written a second time, from the published formats alone (RFC 6962 §2.1.1, C2SP signed-note and tlog-checkpoint), and importing none of
the hub's own code: were there a mistake in the journal's code, this would not repeat it.

1. the checkpoint's note is signed by the log's key; it names origin, size and root
2. the leaf's hash leads along the path to that root
3. the receipt is signed by the receipt key and names the same index and leaf hash
4. the leaf commits to the digest of the bytes that were sent
"""

from __future__ import annotations

import hashlib
import json
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

_NOTE_ED25519 = b"\x01"  # C2SP signed-note: the type of an Ed25519 signature
_NOTE_COSIGNATURE = b"\x04"  # C2SP tlog-cosignature
_DASH = "\u2014 "
_RECEIPT = b"lgsp-hub receipt v1\n"  # goes before what a receipt's signature covers


class NotProven(Exception):
    """A step failed; the text says which."""


def open_checkpoint(note: bytes, log_key: bytes) -> tuple[str, int, bytes]:
    """Step 1: origin, size and root of a signed checkpoint. `log_key` is the 32 raw bytes. Raises `NotProven`."""
    text, _, signatures = note.decode("utf-8").rpartition("\n\n")
    text += "\n"
    origin, size, root = text.split("\n")[:3]
    key_hash = hashlib.sha256(origin.encode() + b"\n" + _NOTE_ED25519 + log_key).digest()[:4]
    for line in signatures.splitlines():
        name, _, value = line.removeprefix(_DASH).partition(" ")
        blob = b64decode(value)
        if line.startswith(_DASH) and name == origin and blob[:4] == key_hash:
            _verify(log_key, blob[4:], text.encode(), "checkpoint")
            return origin, int(size), b64decode(root)
    raise NotProven("the checkpoint carries no signature of the log's key")


def check_cosignature(note: bytes, name: str, key: bytes) -> int:
    """When the witness `name` cosigned the checkpoint, POSIX seconds (C2SP tlog-cosignature, Ed25519). `key`: 32 raw bytes.

    Raises `NotProven`.
    """
    text, _, signatures = note.decode("utf-8").rpartition("\n\n")
    key_hash = hashlib.sha256(name.encode() + b"\n" + _NOTE_COSIGNATURE + key).digest()[:4]
    for line in signatures.splitlines():
        signer, _, value = line.removeprefix(_DASH).partition(" ")
        blob = b64decode(value)
        if line.startswith(_DASH) and signer == name and blob[:4] == key_hash:
            at_s = int.from_bytes(blob[4:12], "big")
            _verify(key, blob[12:], f"cosignature/v1\ntime {at_s}\n{text}\n".encode(), "cosignature")
            return at_s
    raise NotProven(f"the checkpoint carries no cosignature of {name}")


def root_from(leaf_hash: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes:
    """Step 2: the root to which the path leads (RFC 9162 §2.1.3.2 spells this walk out). Raises `NotProven`."""
    if not 0 <= index < size:
        raise NotProven(f"entry {index} of {size}")
    node, last, found = index, size - 1, leaf_hash
    for sibling in path:
        if last == 0:
            raise NotProven("the path is too long")
        if node % 2 == 1 or node == last:
            found = hashlib.sha256(b"\x01" + sibling + found).digest()
            while node % 2 == 0 and node != 0:
                node, last = node // 2, last // 2
        else:
            found = hashlib.sha256(b"\x01" + found + sibling).digest()
        node, last = node // 2, last // 2
    if last != 0:
        raise NotProven("the path is too short")
    return found


def open_receipt(body: bytes, keys: Mapping[str, bytes]) -> dict[str, Any]:
    """Step 3: what a receipt says. `keys` are the hub's receipt keys, 32 raw bytes each, by id. Raises `NotProven`."""
    receipt: dict[str, Any] = json.loads(body)
    key = keys.get(receipt["key_id"])
    if key is None:
        raise NotProven("the receipt names a key that is not the hub's")
    unsigned = {name: value for name, value in receipt.items() if name != "signature"}
    plain = json.dumps(unsigned, ensure_ascii=False, sort_keys=True, separators=(",", ":"))  # RFC 8785 for texts and small numbers
    _verify(key, b64decode(receipt["signature"]), _RECEIPT + plain.encode("utf-8"), "receipt")
    return receipt


def check_inclusion(proof: Mapping[str, Any], log_key: bytes, receipt: Mapping[str, Any], sent: bytes) -> str:
    """Steps 1, 2 and 4, and that the proof is about this receipt; one line that says what was shown. Raises `NotProven`."""
    origin, size, root = open_checkpoint(proof["checkpoint"].encode("utf-8"), log_key)
    leaf = proof["leaf"].encode("utf-8")
    leaf_hash = hashlib.sha256(b"\x00" + leaf).digest()
    if root_from(leaf_hash, proof["index"], size, [b64decode(each) for each in proof["path"]]) != root:
        raise NotProven("the path does not lead to the checkpoint's root")
    if (receipt["origin"], receipt["index"], b64decode(receipt["leaf_hash"])) != (origin, proof["index"], leaf_hash):
        raise NotProven("the receipt is about another entry")
    _check_digest(json.loads(leaf), proof.get("opening"), sent)
    return f"entry {proof['index']} is one of the {size} entries of {origin}; root {b64encode(root).decode('ascii')}"


def _check_digest(leaf: Mapping[str, Any], opening: Mapping[str, Any] | None, sent: bytes) -> None:
    if opening is None:
        raise NotProven("the proof does not disclose the digest")
    digest = opening["raw_digest"]
    canonical = json.dumps(digest["value"]).encode("ascii")  # of a text in ASCII, RFC 8785 is plain JSON
    commitment = hashlib.sha256(b64decode(digest["salt"]) + canonical).digest()
    if commitment != b64decode(leaf["commitments"]["raw_digest"]) or digest["value"] != hashlib.sha256(sent).hexdigest():
        raise NotProven("the leaf does not commit to the bytes that were sent")


def _verify(key: bytes, signature: bytes, message: bytes, what: str) -> None:
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
    except InvalidSignature as fault:
        raise NotProven(f"the signature of the {what} is wrong") from fault
